//! A stale kept connection told from a crash. Most edges write the same line for both; over an incident they differ: a
//! race hits single requests on kept connections, so it is thin and even, and a crash fails all that is asked meanwhile.
//! The numbers are ours.

use std::collections::BTreeMap;

use model::{Cause, Confidence, IdleRace, Incident, Layer, ScopeKind};
use tally::{FailureView, View};

use crate::cause::Attribution;
use crate::related::Related;

/// Fewer failures have no shape.
const FAILURES_MIN: u64 = 8;
/// A shorter incident shows no spread: a worker that is recycled fails a few requests within a minute, too.
const SECONDS_MIN: i64 = 600;
/// One in this many failed, at most. Each race also opens a fresh connection, so the next requests go well.
const THIN: u64 = 10;
/// From this share of failures on nothing is left for the fresh connection that follows a race.
const ALL_SHARE: f64 = 0.9;
/// Chance that some minute of an even spread holds as many failures as the fullest one does.
const CHANCE_MIN: f64 = 0.001;

/// What the shape of an incident says where the cause is a connection closed before the headers, or an idle race.
pub(crate) fn tell(
    found: Attribution,
    view: &View,
    incident: &Incident,
    failures: &[&FailureView],
) -> Attribution {
    if !is_open(&found) {
        return found;
    }
    let counts = &incident.requests;
    if counts.failed >= FAILURES_MIN && counts.failed as f64 >= counts.total as f64 * ALL_SHARE {
        return without_race(found, counts.failed, counts.total);
    }
    match spread(view, incident, failures) {
        Some(shape) => race(found, shape),
        None => found,
    }
}

/// Whether the failures leave open which of the two it was.
fn is_open(found: &Attribution) -> bool {
    found.cause == Some(Cause::ClosedBeforeHeaders)
        && found.confidence == Confidence::Likely
        && found.alternatives.contains(&Cause::IdleConnectionRace)
}

/// Thin, even over time, over routes and over upstreams, and nothing else of the same upstreams down. `None` otherwise.
fn spread(view: &View, incident: &Incident, failures: &[&FailureView]) -> Option<IdleRace> {
    let counts = &incident.requests;
    let is_thin = counts.failed >= FAILURES_MIN && counts.failed * THIN <= counts.total;
    let is_long = incident.last_failure.secs_since(incident.start) >= SECONDS_MIN;
    let routes = incident.routes.iter().map(|hit| (hit.failed, hit.total));
    let upstreams = incident.upstreams.iter().map(|hit| (hit.failed, hit.total));
    let is_even = is_spread(routes.clone()) && is_spread(upstreams.clone());
    // What only one route, crawler or upstream meets is of that one's own making.
    let is_wide = matches!(incident.scope.kind, ScopeKind::Site | ScopeKind::Host);
    if !(is_thin && is_long && is_wide && is_even) || is_down(view, incident, failures) {
        return None;
    }
    let is_hit = |(failed, _): &(u64, u64)| *failed > 0;
    Some(IdleRace::Likely {
        failed: counts.failed,
        total: counts.total,
        minutes: even_minutes(view, incident, failures)? as u64,
        routes: routes.filter(is_hit).count() as u64,
        upstreams: upstreams.filter(is_hit).count() as u64,
    })
}

/// Whether no part of several holds most of the failures without being asked most.
fn is_spread(parts: impl Iterator<Item = (u64, u64)> + Clone) -> bool {
    let failed: u64 = parts.clone().map(|(failed, _)| failed).sum();
    let total: u64 = parts.clone().map(|(_, total)| total).sum();
    parts
        .into_iter()
        .all(|(here, asked)| here * 2 <= failed || asked * 4 >= total)
}

/// Whether anything of the same upstreams or hosts was refused, unreachable or taken out meanwhile: a server that is
/// down, not one that closes idle connections.
fn is_down(view: &View, incident: &Incident, failures: &[&FailureView]) -> bool {
    let related = Related::of(view, incident, failures);
    let time = incident.start.secs()..=incident.last_failure.secs();
    let is_dead = |cause: Option<Cause>| {
        cause.is_some_and(|cause| match cause {
            Cause::IdleConnectionRace => false,
            Cause::NoLiveUpstream
            | Cause::OriginRestart
            | Cause::WorkerCrashed
            | Cause::OutOfMemory => true,
            other => other.layer() == Layer::Connection,
        })
    };
    view.signs.iter().any(|sign| {
        time.contains(&sign.at.secs()) && related.has_sign(sign) && is_dead(sign.finding.cause)
    }) || (view.failures_between(*time.start(), *time.end())).any(|failure| {
        related.has_failure(&failure) && is_dead(failure.finding.and_then(|finding| finding.cause))
    })
}

/// Minutes with failures, if none of them holds more than an even spread would. A race comes with the requests, or with
/// the pauses between them, so the larger of the two is expected of a minute.
fn even_minutes(view: &View, incident: &Incident, failures: &[&FailureView]) -> Option<usize> {
    let minute = |seconds: i64| seconds.div_euclid(60);
    let time = minute(incident.start.secs())..=minute(incident.last_failure.secs());
    let load: BTreeMap<i64, u64> = view
        .minutes
        .iter()
        .filter(|(at, _)| time.contains(at))
        .map(|(at, n)| (*at, u64::from(*n)))
        .collect();
    let mut failed: BTreeMap<i64, u64> = BTreeMap::new();
    for failure in failures {
        *failed.entry(minute(failure.at.secs())).or_default() += u64::from(failure.count);
    }
    let sum = failed.values().sum::<u64>() as f64;
    let asked = load.values().sum::<u64>().max(1) as f64;
    let minutes = load.len().max(failed.len()) as f64;
    let fits = |(at, n): (&i64, &u64)| {
        let share = load.get(at).copied().unwrap_or(0) as f64 / asked;
        let expected = sum * share.max(1.0 / minutes);
        at_least(*n, expected) * minutes >= CHANCE_MIN
    };
    failed.iter().all(fits).then_some(failed.len())
}

/// A bound on the chance of `n` or more where `expected` come on average (Chernoff's, of the Poisson law): it holds for
/// eight failures and for a million, whose sum of terms no number holds.
fn at_least(n: u64, expected: f64) -> f64 {
    let n = n as f64;
    if n <= expected {
        return 1.0;
    }
    (n - expected - n * (n / expected).ln()).exp()
}

fn race(mut found: Attribution, shape: IdleRace) -> Attribution {
    for cause in &mut found.alternatives {
        if *cause == Cause::IdleConnectionRace {
            *cause = Cause::ClosedBeforeHeaders;
        }
    }
    found.alternatives.sort_unstable();
    found.cause = Some(Cause::IdleConnectionRace);
    found.root = found.cause;
    found.idle_race = Some(shape);
    found
}

fn without_race(mut found: Attribution, failed: u64, total: u64) -> Attribution {
    found
        .alternatives
        .retain(|cause| *cause != Cause::IdleConnectionRace);
    found.idle_race = Some(IdleRace::RuledOut { failed, total });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_too_full_is_seen_whatever_the_scale() {
        for scale in [1.0, 100.0, 10_000.0] {
            let expected = 10.0 * scale;
            assert!(at_least((9.0 * scale) as u64, expected) >= 1.0);
            assert!(at_least((40.0 * scale) as u64, expected) < 1e-9, "{scale}");
        }
    }
}
