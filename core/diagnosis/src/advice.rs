//! What to do next, first things first: what stops the loss, then what finds the fault, then what avoids the next.

use model::{
    Advice, Cause, Confidence, CrawlerId, Fact, Incident, Mark, MarkKind, ScopeKind, Verdict,
};
use tally::FailureView;

use crate::cause::Attribution;
use crate::seconds_after;

/// Pieces of advice shown.
const ADVICE_MAX: usize = 5;
/// A deploy this long before a short incident is taken to be related, for the advice only.
const DEPLOY_SECONDS: i64 = 900;

pub(crate) fn advice(
    incident: &Incident,
    found: &Attribution,
    burst: Option<CrawlerId>,
    failures: &[&FailureView],
    marks: &[Mark],
) -> Vec<Advice> {
    let mut all = Vec::new();
    all.extend(take_out(incident));
    all.extend(
        burst
            .filter(|_| may_come_of_load(incident, found))
            .map(slow_down),
    );
    all.extend(settle(found, failures));
    if let Some(cause) = found
        .cause
        .filter(|_| found.confidence >= Confidence::Likely)
    {
        let facts = knowledge::cause(cause);
        all.extend(facts.advice.iter().map(|action| Advice {
            action: (*action).to_owned(),
            why: facts.title.to_owned(),
            fact: None,
        }));
    } else if is_rate_limit(incident) {
        all.push(plain(
            "Find the rate limit that answers 429: at the edge or in the application.",
            "429 is usually deliberate, and this log does not show who sent it",
        ));
        all.push(plain(
            "Decide whether verified crawlers should pass it.",
            "429 makes them come less often",
        ));
        all.push(Advice {
            fact: Some(Fact("503-13")),
            ..plain(
                "Send Retry-After with every 429.",
                "crawlers come back after the time it names",
            )
        });
    } else {
        all.push(plain(
            "Read the origin's own log for this time, not only the edge's.",
            "the edge cannot say what happened behind it",
        ));
        all.push(plain(
            "Check upstream addresses, time-outs and the proxy's configuration.",
            "the cause is not settled by this log",
        ));
    }
    all.extend(if_race(found));
    all.extend(maintenance(incident, marks));
    all.truncate(ADVICE_MAX);
    all
}

/// Whether too many requests can have caused it; a wrong name or certificate has other reasons, whoever came before.
fn may_come_of_load(incident: &Incident, found: &Attribution) -> bool {
    incident.verdict == Verdict::Overload
        || found.cause.is_none_or(|cause| {
            matches!(
                cause,
                Cause::ReadTimeout
                    | Cause::ConnectTimeout
                    | Cause::UpstreamBusy
                    | Cause::EdgeCapacityExhausted
                    | Cause::NoLiveUpstream
                    | Cause::OriginOwnError
                    | Cause::ChainedGatewayError
                    | Cause::WorkerCrashed
                    | Cause::OutOfMemory
                    | Cause::ClosedBeforeHeaders
                    | Cause::ConnectionRefused
            )
        })
}

/// A crawler's burst came first. A block would be read as a page that may not be fetched.
fn slow_down(crawler: CrawlerId) -> Advice {
    let crawler = knowledge::crawler(crawler);
    let name = crawler.proper_name();
    Advice {
        // What Google advises is no word of another operator's.
        fact: (crawler.operator == "Google").then_some(Fact("RATE-14")),
        ..plain_owned(
            format!(
                "Slow {name} down at the edge: 429 or 503 with Retry-After for it alone, not a block (401, 403)."
            ),
            "its burst came before the failures",
        )
    }
}

/// Where a stale kept connection is not ruled out, what to look at if it was one.
fn if_race(found: &Attribution) -> Option<Advice> {
    let is_open = found.cause == Some(Cause::ClosedBeforeHeaders)
        && found.alternatives.contains(&Cause::IdleConnectionRace);
    is_open.then(|| {
        plain(
            "If the failures are thin and even, compare keep-alive times: the upstream must keep idle connections longer than the edge does.",
            knowledge::cause(Cause::IdleConnectionRace).title,
        )
    })
}

/// Nothing but 429: a limit that holds, not a fault.
fn is_rate_limit(incident: &Incident) -> bool {
    !incident.statuses.is_empty() && incident.statuses.keys().all(|status| status.0 == 429)
}

fn plain(action: &str, why: &str) -> Advice {
    Advice {
        action: action.to_owned(),
        why: why.to_owned(),
        fact: None,
    }
}

/// One of several servers fails and the others are well.
fn take_out(incident: &Incident) -> Option<Advice> {
    let name = incident.scope.values.first()?;
    let healthy = incident
        .upstreams
        .iter()
        .filter(|hit| hit.failed * 20 < hit.total)
        .count();
    let helps = Attribution::is_one_of_several(incident) && incident.end.is_none() && healthy > 0;
    helps.then(|| Advice {
        action: format!("Take {name} out of the pool until it works."),
        why: format!(
            "{healthy} of its neighbours {}",
            if healthy == 1 {
                "is healthy"
            } else {
                "are healthy"
            }
        ),
        fact: None,
    })
}

/// What would settle an open cause: the one field to log, or the error log.
fn settle(found: &Attribution, failures: &[&FailureView]) -> Option<Advice> {
    if found.confidence >= Confidence::Likely && found.missing.is_none() {
        return None;
    }
    let edge = failures
        .first()
        .map_or(model::Edge::Unknown, |failure| failure.edge);
    if let Some(field) = found.missing {
        let line = knowledge::edge(edge).log_line(field);
        let action = match line {
            Some(line) => format!("Log {}: add {line} to the log format.", field.name()),
            None => format!("Log {}.", field.name()),
        };
        return Some(plain_owned(action, "it would settle the cause"));
    }
    found.wants_error_log.then(|| {
        plain(
            "Give the edge's error log too.",
            "its line of the same second names the cause",
        )
    })
}

fn plain_owned(action: String, why: &str) -> Advice {
    Advice {
        action,
        why: why.to_owned(),
        fact: None,
    }
}

/// Planned restarts are better answered at the edge.
fn maintenance(incident: &Incident, marks: &[Mark]) -> Option<Advice> {
    let deploy = marks.iter().any(|mark| {
        mark.kind == MarkKind::Deploy
            && (0..=DEPLOY_SECONDS).contains(&seconds_after(mark, incident.start))
    });
    let short = matches!(
        incident.verdict,
        Verdict::Blip | Verdict::Restart | Verdict::Recurring
    );
    let from_origin =
        !incident.intended && !is_rate_limit(incident) && incident.scope.kind != ScopeKind::Crawler;
    let looks_planned = deploy || matches!(incident.verdict, Verdict::Restart | Verdict::Recurring);
    (from_origin && (looks_planned || short)).then(|| Advice {
        action: "Next planned restart: drain it, or answer 503 with Retry-After at the edge."
            .to_owned(),
        why: "crawlers come back after the time it names".to_owned(),
        fact: Some(Fact("503-13")),
    })
}
