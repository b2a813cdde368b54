//! The cause of an incident from the findings of its failures: first cause against echo, stated against implied.

use std::borrow::Cow;
use std::collections::BTreeMap;

use model::{Cause, CauseSet, Confidence, Field, Finding, IdleRace, Incident, Layer, ScopeKind};
use tally::{FailureView, View};

use crate::idle_race;
use crate::related::Related;

/// How long before the first echo the failures that emptied the pool may stand: nginx's `fail_timeout` is 10 s by
/// default, httpd's `retry` 60 s.
const ROOT_SECONDS: i64 = 120;
/// Share of the failures with a stated cause that it must hold to be the incident's.
const MAIN_SHARE: f64 = 0.5;
/// Share from which another stated cause is named beside it.
const OTHER_SHARE: f64 = 0.05;

/// What broke, as far as the failures tell.
pub(crate) struct Attribution {
    pub(crate) cause: Option<Cause>,
    pub(crate) root: Option<Cause>,
    pub(crate) confidence: Confidence,
    pub(crate) alternatives: Vec<Cause>,
    pub(crate) idle_race: Option<IdleRace>,
    pub(crate) missing: Option<Field>,
    pub(crate) wants_error_log: bool,
    pub(crate) echoes: u64,
    pub(crate) supporting: u64,
}

impl Attribution {
    pub(crate) fn of(view: &View, incident: &Incident, failures: &[&FailureView]) -> Self {
        let findings = count(failures);
        let (echoes, direct): (Vec<_>, Vec<_>) = findings
            .iter()
            .copied()
            .partition(|(finding, _)| is_echo(finding));
        let echo_count = echoes.iter().map(|(_, n)| n).sum();
        let mut found = if direct.is_empty() {
            Self::unknown()
        } else {
            Self::of_direct(&direct)
        };
        if !echoes.is_empty() {
            let direct_count = direct.iter().map(|(_, n)| n).sum();
            let before = found.before(view, incident, failures);
            found = found.with_echoes(before, &echoes, direct_count);
        }
        found.echoes = echo_count;
        idle_race::tell(found, view, incident, failures)
    }

    const fn unknown() -> Self {
        Self {
            cause: None,
            root: None,
            confidence: Confidence::Unknown,
            alternatives: Vec::new(),
            idle_race: None,
            missing: None,
            wants_error_log: false,
            echoes: 0,
            supporting: 0,
        }
    }

    /// From failures that echo nothing.
    fn of_direct(findings: &[(Finding, u64)]) -> Self {
        let stated = stated(findings);
        let total: u64 = stated.iter().map(|(_, n, _)| n).sum();
        let main = stated
            .first()
            .filter(|(_, n, _)| *n as f64 >= total as f64 * MAIN_SHARE);
        let Some((cause, supporting, certain)) = main.copied() else {
            return if stated.is_empty() {
                Self::of_ambiguous(findings)
            } else {
                Self::of_several(&stated)
            };
        };
        let others = stated
            .iter()
            .skip(1)
            .filter(|(_, n, _)| *n as f64 >= total as f64 * OTHER_SHARE);
        let mut alternatives: Vec<Cause> = others.map(|(cause, _, _)| *cause).collect();
        // What a likely sign leaves open stays open, unless another line states the cause.
        if certain * 2 < supporting {
            let also = findings
                .iter()
                .filter(|(finding, _)| finding.cause == Some(cause))
                .fold(CauseSet::default(), |set, (finding, _)| {
                    set.or(finding.also)
                });
            alternatives.extend(also.without(cause).iter());
        }
        alternatives.sort_unstable();
        alternatives.dedup();
        Self {
            cause: Some(cause),
            root: Some(cause),
            // What leaves others open is not certain.
            confidence: if certain * 2 >= supporting && alternatives.is_empty() {
                Confidence::Certain
            } else {
                Confidence::Likely
            },
            supporting,
            // What is settled needs no further field.
            ..if alternatives.is_empty() {
                Self::unknown()
            } else {
                Self::missing_of(findings)
            }
        }
        .or(alternatives)
    }

    fn or(self, alternatives: Vec<Cause>) -> Self {
        Self {
            alternatives,
            ..self
        }
    }

    /// Several stated causes, none of which is the main one.
    fn of_several(stated: &[(Cause, u64, u64)]) -> Self {
        Self {
            cause: stated.first().map(|(cause, _, _)| *cause),
            confidence: Confidence::Ambiguous,
            alternatives: stated.iter().skip(1).map(|(cause, _, _)| *cause).collect(),
            supporting: stated.first().map_or(0, |(_, n, _)| *n),
            ..Self::unknown()
        }
    }

    /// Only "one of these": what all of them leave, else what most name first.
    fn of_ambiguous(findings: &[(Finding, u64)]) -> Self {
        let open: Vec<(Finding, u64)> = findings
            .iter()
            .copied()
            .filter(|(finding, _)| !finding.candidates().is_empty())
            .collect();
        if open.is_empty() {
            return Self::missing_of(findings);
        }
        let common = open
            .iter()
            .map(|(finding, _)| finding.candidates())
            .reduce(CauseSet::and)
            .unwrap_or_default();
        let set = if common.is_empty() {
            open.iter().fold(CauseSet::default(), |set, (finding, _)| {
                set.or(finding.candidates())
            })
        } else {
            common
        };
        let votes = |cause: Cause| -> u64 {
            let first = open
                .iter()
                .filter(|(finding, _)| finding.cause == Some(cause));
            first.map(|(_, n)| n).sum()
        };
        let mut causes: Vec<Cause> = set.iter().collect();
        causes.sort_by_key(|cause| (std::cmp::Reverse(votes(*cause)), *cause));
        Self {
            cause: causes.first().copied(),
            confidence: Confidence::Ambiguous,
            supporting: causes.first().map_or(0, |cause| votes(*cause)),
            alternatives: causes.split_off(1),
            ..Self::missing_of(findings)
        }
    }

    /// What most failures would have needed.
    fn missing_of(findings: &[(Finding, u64)]) -> Self {
        let mut fields: BTreeMap<Option<Field>, u64> = BTreeMap::new();
        for (finding, n) in findings
            .iter()
            .filter(|(finding, _)| finding.missing.is_some())
        {
            *fields.entry(finding.missing).or_default() += n;
        }
        let most = fields
            .into_iter()
            .max_by_key(|(field, n)| (*n, std::cmp::Reverse(*field)));
        Self {
            missing: most.and_then(|(field, _)| field),
            wants_error_log: findings.iter().any(|(finding, _)| finding.wants_error_log),
            ..Self::unknown()
        }
    }

    /// "No live upstreams" is an echo: the root is what emptied the pool, in the same incident or just before. A few
    /// echoes among many failures of their own say nothing about those.
    fn with_echoes(
        self,
        before: Vec<(Finding, u64)>,
        echoes: &[(Finding, u64)],
        direct: u64,
    ) -> Self {
        let echoed = echoes.iter().map(|(_, n)| n).sum();
        let is_stated = self.confidence >= Confidence::Likely;
        if (is_stated && self.cause.is_some_and(empties_pool)) || direct > echoed {
            return self;
        }
        let root = stated(&before)
            .first()
            .map(|(cause, _, certain)| (*cause, *certain > 0));
        match root {
            Some((root, certain)) => Self {
                cause: Some(root),
                idle_race: None,
                root: Some(root),
                confidence: if certain {
                    Confidence::Certain
                } else {
                    Confidence::Likely
                },
                alternatives: Vec::new(),
                supporting: before.iter().map(|(_, n)| n).sum(),
                missing: None,
                wants_error_log: false,
                echoes: echoed,
            },
            None if self.cause.is_some() => self,
            // An edge that says no more than "no one to ask" (Envoy) says the same of a pool that never had a member.
            None if stated(echoes).is_empty() => Self::of_ambiguous(echoes),
            None => Self {
                cause: Some(Cause::NoLiveUpstream),
                root: None,
                confidence: Confidence::Likely,
                alternatives: vec![Cause::UpstreamBusy],
                supporting: echoed,
                wants_error_log: true,
                ..self
            },
        }
    }

    /// What may have emptied the pool: failures of the scope itself, else of its hosts and upstreams, and error lines
    /// about those. Another pool's failures at that time are no root.
    fn before(
        &self,
        view: &View,
        incident: &Incident,
        failures: &[&FailureView],
    ) -> Vec<(Finding, u64)> {
        let related = Related::of(view, incident, failures);
        let keys = view.keys(&incident.scope);
        let time = incident.start.secs() - ROOT_SECONDS..=incident.last_failure.secs();
        let near: Vec<_> = view.failures_between(*time.start(), *time.end()).collect();
        let all = near.iter().map(Cow::as_ref).filter(|failure| {
            failure.finding.is_some_and(|finding| is_root(&finding)) && related.has_failure(failure)
        });
        let (own, others): (Vec<&FailureView>, Vec<&FailureView>) =
            all.partition(|failure| keys.iter().any(|key| view.contains(*key, failure)));
        let of = if own.is_empty() { others } else { own };
        let mut before: Vec<(Finding, u64)> = of
            .iter()
            .filter_map(|failure| Some((failure.finding?, u64::from(failure.count))))
            .collect();
        let signs = view.signs.iter().filter(|sign| {
            time.contains(&sign.at.secs()) && is_root(&sign.finding) && related.has_sign(sign)
        });
        before.extend(signs.map(|sign| (sign.finding, sign.count)));
        before
    }

    pub(crate) fn layer(&self) -> Layer {
        match (self.cause, self.confidence) {
            (Some(cause), Confidence::Certain | Confidence::Likely) => cause.layer(),
            (Some(cause), Confidence::Ambiguous) => {
                let same = self
                    .alternatives
                    .iter()
                    .all(|other| other.layer() == cause.layer());
                if same { cause.layer() } else { Layer::Unknown }
            }
            (Some(_), Confidence::Unknown) | (None, _) => Layer::Unknown,
        }
    }

    /// Whether one upstream of several is the whole trouble.
    pub(crate) fn is_one_of_several(incident: &Incident) -> bool {
        incident.scope.kind == ScopeKind::Upstream
            && incident
                .upstreams
                .iter()
                .filter(|hit| hit.failed * 2 < hit.total)
                .count()
                > 0
    }
}

fn count(failures: &[&FailureView]) -> Vec<(Finding, u64)> {
    let mut counts: BTreeMap<Finding, u64> = BTreeMap::new();
    let unknown = Finding::unknown(None, false);
    for failure in failures {
        *counts
            .entry(failure.finding.unwrap_or(unknown))
            .or_default() += u64::from(failure.count);
    }
    counts.into_iter().collect()
}

/// An echo follows a failure. Where the log allows that there never was a server, it is none.
fn is_echo(finding: &Finding) -> bool {
    let may_be_empty = finding.confidence < Confidence::Likely
        && finding.also.contains(Cause::NoUpstreamRegistered);
    finding.cause == Some(Cause::NoLiveUpstream) && !may_be_empty
}

fn is_root(finding: &Finding) -> bool {
    finding.cause.is_some_and(empties_pool)
}

/// Causes that make an edge take a server out of its pool. An answer of the application's own is none unless the edge
/// is told to count it (nginx: `http_500` in `proxy_next_upstream`; httpd: `failonstatus`).
fn empties_pool(cause: Cause) -> bool {
    use model::Layer::{Application, Connection, Response};
    let is_answer = matches!(
        cause,
        Cause::OriginOwnError | Cause::ChainedGatewayError | Cause::NoLiveUpstream
    );
    !is_answer && matches!(cause.layer(), Connection | Response | Application)
}

/// Causes that the failures state or imply, most frequent first: cause, failures, and those that are certain.
fn stated(findings: &[(Finding, u64)]) -> Vec<(Cause, u64, u64)> {
    let mut counts: BTreeMap<Cause, (u64, u64)> = BTreeMap::new();
    for (finding, n) in findings {
        if let Some(cause) = finding
            .cause
            .filter(|_| finding.confidence >= Confidence::Likely)
        {
            let (all, certain) = counts.entry(cause).or_default();
            *all += n;
            *certain += if finding.confidence == Confidence::Certain {
                *n
            } else {
                0
            };
        }
    }
    let mut all: Vec<(Cause, u64, u64)> = counts
        .into_iter()
        .map(|(cause, (n, certain))| (cause, n, certain))
        .collect();
    all.sort_by_key(|(cause, n, certain)| (std::cmp::Reverse((*n, *certain)), *cause));
    all
}
