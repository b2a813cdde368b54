//! What an edge says of its servers without a request: HAProxy's health checks take a server out, and say why.
//!
//! Such a line explains the requests that failed on that server about then and leave open why. Never the other way
//! round: a request whose own line decides is left alone.

use std::collections::BTreeMap;

use model::{Cause, CauseSet, Confidence, Edge, Finding, Place, Stamp};

use crate::held::HeldRequest;

/// How long before a server is taken out its requests may fail for the same reason: several failed checks in a row,
/// each with its interval and its limit.
const BEFORE_MILLIS: i64 = 60_000;
/// The same behind it: requests under way, and stamps that are cut to the second.
const AFTER_MILLIS: i64 = 10_000;
/// How far behind a request the line may stand that its backend has no server left.
const SLACK_MILLIS: i64 = 2_000;

/// One line about a server, or about a backend without any.
#[derive(Clone, Copy)]
struct State<'a> {
    at: Stamp,
    place: Place,
    /// `backend/server`, or a backend's name alone.
    name: &'a str,
    finding: Finding,
}

impl State<'_> {
    fn is_about(&self, wanted: &str) -> bool {
        match wanted.split_once('/') {
            // A line may be about all servers of a backend.
            Some((backend, _)) => self.name == wanted || self.name == backend,
            // A layout may name the server without its backend.
            None => self.name.rsplit('/').next() == Some(wanted),
        }
    }
}

/// The lines about servers, by edge.
#[derive(Default)]
pub(crate) struct States<'a> {
    by_edge: BTreeMap<Edge, Vec<State<'a>>>,
}

impl<'a> States<'a> {
    /// Notes a line; all of them before the first question.
    pub(crate) fn push(
        &mut self,
        edge: Edge,
        at: Stamp,
        place: Place,
        name: &'a str,
        finding: Finding,
    ) {
        let state = State {
            at,
            place,
            name,
            finding,
        };
        self.by_edge.entry(edge).or_default().push(state);
    }

    /// Puts them in order.
    pub(crate) fn sort(&mut self) {
        for states in self.by_edge.values_mut() {
            states.sort_by_key(|state| (state.at, state.place));
        }
    }

    /// Why `held` failed and where that stands, if its own line leaves it open and a line about its server does not.
    pub(crate) fn explain(&self, held: &HeldRequest) -> Option<(Finding, Place)> {
        let open = held.finding?;
        let states = self.by_edge.get(&held.edge)?;
        if may_stand_in(&open) {
            return instead_of_pool(states, held.at);
        }
        if open.confidence >= Confidence::Likely {
            return None;
        }
        let last = held.attempts.last()?;
        if last.is_group {
            return without_server(states, held.at, &last.upstream, &open);
        }
        let about: Vec<&State<'_>> = near(states, held.at)
            .filter(|state| state.is_about(&last.upstream))
            .collect();
        agreed(&about, &open).or_else(|| {
            // A retry was answered by another server than the one that failed.
            let backend = last.upstream.split_once('/')?.0;
            let of_backend = |state: &&State<'_>| {
                (state.name.split_once('/')).is_some_and(|(name, _)| name == backend)
            };
            let saved = held.outcome == model::Outcome::SavedByRetry;
            let around: Vec<&State<'_>> = near(states, held.at)
                .filter(of_backend)
                .filter(|_| saved)
                .collect();
            agreed(&around, &open)
        })
    }
}

/// The lines about the time of a request, in order.
fn near<'a, 'b>(states: &'b [State<'a>], at: Stamp) -> impl Iterator<Item = &'b State<'a>> {
    let start = states.partition_point(|state| state.at.0 < at.0 - AFTER_MILLIS);
    states
        .iter()
        .skip(start)
        .take_while(move |state| state.at.0 <= at.0 + BEFORE_MILLIS)
}

/// What the lines say with one voice, if the request's own line allows it.
fn agreed(states: &[&State<'_>], open: &Finding) -> Option<(Finding, Place)> {
    let mut said = states.iter().filter(|state| {
        let causes = open.candidates();
        (state.finding.cause).is_some_and(|cause| causes.contains(cause))
    });
    let first = said.next()?;
    let is_same = said.all(|state| state.finding.cause == first.finding.cause);
    let finding = Finding {
        // The check and the request are two connections.
        confidence: first.finding.confidence.min(Confidence::Likely),
        missing: None,
        wants_error_log: false,
        ..first.finding
    };
    is_same.then_some((finding, first.place))
}

/// Whether what the edge answered by itself may stand in for a pool that has no server left.
pub(crate) fn may_stand_in(finding: &Finding) -> bool {
    finding.cause == Some(Cause::EdgeMadeResponse) && finding.also.contains(Cause::NoLiveUpstream)
}

/// How long after a pool was emptied an answer of the edge's own may be the one in its place.
const SORRY_MILLIS: i64 = 600_000;

/// What a site answers in place of an empty pool, from a backend of its own. Open all the same: nothing in a request
/// tells how long the pool stayed empty, and the site may be closed on purpose.
fn instead_of_pool(states: &[State<'_>], at: Stamp) -> Option<(Finding, Place)> {
    let end = states.partition_point(|state| state.at.0 <= at.0 + SLACK_MILLIS);
    let is_empty = |state: &&State<'_>| {
        state.finding.cause == Some(Cause::NoLiveUpstream) && at.0 - state.at.0 <= SORRY_MILLIS
    };
    let emptied = states.iter().take(end).rev().find(is_empty)?;
    let finding = Finding {
        also: CauseSet::of(&[Cause::EdgeMadeResponse]),
        confidence: Confidence::Ambiguous,
        missing: None,
        wants_error_log: false,
        ..emptied.finding
    };
    Some((finding, emptied.place))
}

/// A request for which no server was left: since when, and whether because its name was lost.
fn without_server(
    states: &[State<'_>],
    at: Stamp,
    backend: &str,
    open: &Finding,
) -> Option<(Finding, Place)> {
    if !open.candidates().contains(Cause::NoLiveUpstream) {
        return None;
    }
    let end = states.partition_point(|state| state.at.0 <= at.0 + SLACK_MILLIS);
    let before = || states.iter().take(end).rev();
    let emptied = before().find(|state| state.name == backend)?;
    let is_own =
        |state: &&State<'_>| (state.name.split_once('/')).is_some_and(|(name, _)| name == backend);
    let last_out = before().find(is_own);
    let decides = last_out
        .filter(|state| state.finding.cause == Some(Cause::DnsFailure))
        .unwrap_or(emptied);
    let finding = Finding {
        cause: decides.finding.cause,
        also: CauseSet::default(),
        confidence: Confidence::Likely,
        missing: None,
        wants_error_log: false,
        sign: decides.finding.sign,
    };
    Some((finding, decides.place))
}
