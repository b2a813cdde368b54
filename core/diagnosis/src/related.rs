//! What else of a log belongs to an incident: error lines and failures of the same upstreams or hosts.

use std::collections::BTreeSet;

use model::{Incident, ScopeKind};
use tally::{FailureView, Moment, SignView, View};

/// The upstreams and hosts that an incident's failures name.
pub(crate) struct Related<'a> {
    view: &'a View,
    incident: &'a Incident,
    upstreams: BTreeSet<u32>,
    hosts: BTreeSet<&'a str>,
}

impl<'a> Related<'a> {
    pub(crate) fn of(view: &'a View, incident: &'a Incident, failures: &[&FailureView]) -> Self {
        Self {
            view,
            incident,
            upstreams: failures
                .iter()
                .filter_map(|failure| failure.upstream)
                .collect(),
            hosts: failures.iter().map(|failure| host(view, failure)).collect(),
        }
    }

    /// Whether an error line without a request speaks of what failed here.
    pub(crate) fn has_sign(&self, sign: &SignView) -> bool {
        match sign.upstream {
            Some(upstream) if self.upstreams.contains(&upstream) => true,
            // A retry that failed too: a failure carries its first upstream only.
            Some(upstream) if !self.upstreams.is_empty() => {
                self.incident.scope.kind != ScopeKind::Upstream
                    && self.was_tried(upstream)
                    && self.has_host(&sign.host)
            }
            None if self.incident.scope.kind == ScopeKind::Upstream => false,
            Some(_) | None => self.has_host(&sign.host),
        }
    }

    /// Whether a failure, not in the incident itself, stands on one of its hosts or upstreams.
    pub(crate) fn has_failure(&self, failure: &FailureView) -> bool {
        let same_upstream = failure
            .upstream
            .is_some_and(|upstream| self.upstreams.contains(&upstream));
        same_upstream || self.has_host(host(self.view, failure))
    }

    fn was_tried(&self, upstream: u32) -> bool {
        let (start, end) = (
            self.incident.start.secs(),
            self.incident.last_failure.secs(),
        );
        let is_inside = |moment: &Moment| moment.first <= end && moment.last >= start;
        self.view
            .failed_attempts
            .iter()
            .any(|(of, moment)| *of == upstream && is_inside(moment))
    }

    /// A line that names no host may be of any: it counts where there is one host, or where all of them fail.
    fn has_host(&self, host: &str) -> bool {
        let is_any = !self.view.has_hosts() || self.incident.scope.kind == ScopeKind::Site;
        is_any || self.hosts.contains(host)
    }
}

/// The host of a failure by name; empty where not logged.
pub(crate) fn host<'a>(view: &'a View, failure: &FailureView) -> &'a str {
    view.nodes
        .get(failure.node as usize)
        .map_or("", |node| view.host(node.host))
}
