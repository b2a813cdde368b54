//! The judge in service: looks at the tally again and again and tells what has changed. What it says at any moment is
//! what [`crate::judge`] says of the same data; what it adds is memory: an incident keeps its id, an alert is amended
//! and not repeated, and a verdict does not flip on noise (`docs/verdicts.md`, section 5).

use std::cmp::Reverse;

use model::{Incident, IncidentId, Revision, Scope, ScopeKind, Stamp, Verdict};
use tally::View;

use crate::incident::incident;
use crate::judge::{self, Judged, Reported};
use crate::{rate, sheet_of};

/// Odds by which another verdict must lead before it is said.
const LEAD: f64 = 3.0;

/// A verdict whose chance is below this is impossible, for all that is known.
const IMPOSSIBLE: f64 = 0.05;

/// From this chance on no other verdict is left: all others together are under one in twenty.
const SETTLED: f64 = 0.95;

/// Seconds without a new burst after which an ended incident is closed: that long, bursts are one run.
const CLOSED_AFTER: i64 = 30 * 60;

/// Where an incident stands. What is below the threshold is a [`Suspicion`], or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Reported under the verdict that is most likely to be final.
    Detected,
    /// No other verdict is left.
    Settled,
    /// Over, and half an hour without a new burst. It may still become part of a schedule.
    Closed,
}

/// An incident with its state.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// The incident. Verdict, probability, history and id are those that were said.
    pub incident: Incident,
    /// Its state.
    pub state: State,
}

/// What is not yet an incident, but may become one: to be listed, not to be alerted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// What it would touch.
    pub scope: Scope,
    /// First failure.
    pub since: Stamp,
    /// Failures, repeats left out.
    pub failed: u64,
}

/// What happened to an incident since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is new: the one moment to alert.
    Detected,
    /// Verdict or scope changed: an alert already sent is amended.
    Revised,
    /// No other verdict is left.
    Settled,
    /// It is over.
    Closed,
    /// It had been closed, and goes on.
    Reopened,
    /// It is none by itself: withdrawn in favour of another, or for good.
    Withdrawn(Option<IncidentId>),
}

/// One change of one incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub id: IncidentId,
    /// What.
    pub event: Event,
}

/// What one look shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// All incidents, in order of their start.
    pub incidents: Vec<Watched>,
    /// What comes nearest to one beside them.
    pub suspicion: Option<Suspicion>,
    /// What changed since the last look: withdrawals first, then in order of the incidents.
    pub changes: Vec<Change>,
}

/// The memory between looks.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    known: Vec<Watched>,
}

impl Watch {
    /// Nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges what is known at `now`, which must not fall from one look to the next.
    pub fn look(&mut self, view: &View, now: Stamp) -> Look {
        let reported: Vec<Reported> = (self.known.iter())
            .map(|known| reported(view, &known.incident))
            .collect();
        let (judged, suspected) = judge::look(sheet_of(view, now), &reported);
        let mut found: Vec<(Judged, Incident)> = (judged.into_iter())
            .map(|judged| {
                let incident = incident(view, &judged);
                (judged, incident)
            })
            .filter(|(_, incident)| incident.requests.failed > 0)
            .collect();
        found.sort_by(|(_, a), (_, b)| (a.start, &a.scope).cmp(&(b.start, &b.scope)));
        let continued = self.continued(&found);
        let mut changes = self.withdraw(&mut found, &continued);
        let mut all = Vec::new();
        for ((judged, incident), known) in found.into_iter().zip(&continued) {
            let known = known.map(|index| &self.known[index]);
            let next = next(judged, incident, known, now);
            changes.extend(changes_of(known, &next));
            all.push(next);
        }
        let incidents = all.iter_mut().map(|known| &mut known.incident);
        rate::add(view, incidents.collect(), now);
        self.known.clone_from(&all);
        let suspicion = suspected.map(|suspected| Suspicion {
            scope: view.scope(&[suspected.key]),
            since: Stamp::from_secs(suspected.since),
            failed: suspected.failed,
        });
        Look {
            incidents: all,
            suspicion,
            changes,
        }
    }

    /// For each incident found the known one that it continues, each once: one of its own scope rather than another,
    /// then the earliest, as a schedule continues its first run; then by the time they share.
    fn continued(&self, found: &[(Judged, Incident)]) -> Vec<Option<usize>> {
        let mut pairs = Vec::new();
        for (place, (_, incident)) in found.iter().enumerate() {
            for (index, known) in self.known.iter().enumerate() {
                if let Some(common) = common(&known.incident, incident) {
                    let is_same = known.incident.scope == incident.scope;
                    pairs.push((
                        Reverse(is_same),
                        known.incident.start,
                        Reverse(common),
                        index,
                        place,
                    ));
                }
            }
        }
        pairs.sort_unstable();
        let mut continued = vec![None; found.len()];
        let mut taken = vec![false; self.known.len()];
        for (_, _, _, index, place) in pairs {
            if continued[place].is_none() && !taken[index] {
                continued[place] = Some(index);
                taken[index] = true;
            }
        }
        continued
    }

    /// Known incidents that are none any more. What another holds now is superseded by it.
    fn withdraw(
        &self,
        found: &mut [(Judged, Incident)],
        continued: &[Option<usize>],
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        for (index, known) in self.known.iter().enumerate() {
            if continued.contains(&Some(index)) {
                continue;
            }
            let heirs = found.iter_mut().zip(continued);
            let heir = heirs
                .filter_map(|((_, incident), of)| {
                    let common = common(&known.incident, incident)?;
                    Some((common, incident, *of))
                })
                .max_by_key(|(common, _, _)| *common);
            let id = known.incident.id;
            let by = heir.map(|(_, incident, of)| {
                incident.supersedes.push(id);
                incident.supersedes.extend(&known.incident.supersedes);
                of.map_or(incident.id, |of| self.known[of].incident.id)
            });
            changes.push(Change {
                id,
                event: Event::Withdrawn(by),
            });
        }
        changes
    }
}

fn reported(view: &View, known: &Incident) -> Reported {
    Reported {
        keys: view.keys(&known.scope),
        start: known.start.secs(),
        last_failure: known.last_failure.secs(),
        first_detected: known.first_detected.secs(),
    }
}

/// Seconds that two incidents have in common, where they may be one: scopes nest or meet, and so do their times.
fn common(known: &Incident, found: &Incident) -> Option<i64> {
    let start = known.start.max(found.start).secs();
    let end = known.last_failure.min(found.last_failure).secs();
    (start <= end && are_related(&known.scope, &found.scope)).then_some(end - start)
}

fn are_related(a: &Scope, b: &Scope) -> bool {
    let is_path = |scope: &Scope| {
        matches!(
            scope.kind,
            ScopeKind::Route | ScopeKind::Url | ScopeKind::Robots
        )
    };
    let holds = |outer: &str, inner: &str| {
        (inner.strip_prefix(outer)).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let any = |of: &dyn Fn(&str, &str) -> bool| {
        (a.values.iter()).any(|a| b.values.iter().any(|b| of(a, b) || of(b, a)))
    };
    if a.kind == ScopeKind::Site || b.kind == ScopeKind::Site {
        return true;
    }
    if is_path(a) && is_path(b) {
        return any(&holds);
    }
    let is_all = |name: &str| a.kind == ScopeKind::Crawler && name == "*";
    a.kind == b.kind && any(&|a, b| a == b || is_all(a))
}

/// The incident as it is said: the id of the first time, and the verdict that was said unless another leads.
fn next(judged: Judged, mut incident: Incident, known: Option<&Watched>, now: Stamp) -> Watched {
    let Some(known) = known else {
        let state = state(&incident, now);
        return Watched { incident, state };
    };
    let before = &known.incident;
    incident.id = before.id;
    incident.supersedes.extend(&before.supersedes);
    incident.supersedes.retain(|id| *id != before.id);
    incident.supersedes.sort();
    incident.supersedes.dedup();
    let chance = |verdict: Verdict| {
        let of = judged.chances.iter().filter(|(of, _)| *of == verdict);
        of.map(|(_, chance)| *chance).sum::<f64>()
    };
    let old = chance(before.verdict);
    if incident.verdict != before.verdict && old >= IMPOSSIBLE && incident.probability < LEAD * old
    {
        incident.verdict = before.verdict;
        incident.probability = old;
    }
    incident.history.clone_from(&before.history);
    let is_same = incident.verdict == before.verdict && incident.scope == before.scope;
    if !is_same {
        incident.history.push(Revision {
            at: now,
            verdict: incident.verdict,
            probability: incident.probability,
            scope: incident.scope.clone(),
        });
    }
    let state = state(&incident, now);
    Watched { incident, state }
}

fn state(incident: &Incident, now: Stamp) -> State {
    let quiet = now.secs() - incident.last_failure.secs();
    if incident.end.is_some() && quiet >= CLOSED_AFTER {
        State::Closed
    } else if incident.probability >= SETTLED {
        State::Settled
    } else {
        State::Detected
    }
}

fn changes_of(known: Option<&Watched>, next: &Watched) -> Vec<Change> {
    let id = next.incident.id;
    let change = |event| Change { id, event };
    let Some(known) = known else {
        let mut changes = vec![change(Event::Detected)];
        changes.extend(reached(None, next.state).map(change));
        return changes;
    };
    let is_revised = known.incident.verdict != next.incident.verdict
        || known.incident.scope != next.incident.scope;
    let mut changes = Vec::new();
    if known.state == State::Closed && next.state != State::Closed {
        changes.push(change(Event::Reopened));
    }
    changes.extend(is_revised.then_some(change(Event::Revised)));
    changes.extend(reached(Some(known.state), next.state).map(change));
    changes
}

/// What a state that was reached is told as.
fn reached(before: Option<State>, now: State) -> Option<Event> {
    match (before, now) {
        (Some(before), now) if before >= now => None,
        (_, State::Detected) => None,
        (_, State::Settled) => Some(Event::Settled),
        (_, State::Closed) => Some(Event::Closed),
    }
}
