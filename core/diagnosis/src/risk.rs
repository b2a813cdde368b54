//! What is at risk and until when. Every statement is a fact with a source; the clocks are those of
//! `reference/verdicts.md`, section 8.

use model::{
    Fact, Incident, LedgerRow, Risk, RiskStatus, RobotsFact, RobotsPhase, ScopeKind, Stamp, Status,
};
use tally::View;

/// Google stops crawling a site for this long when robots.txt answers 5xx (ROB-07).
const ROBOTS_STOP_SECONDS: i64 = 12 * 3_600;
/// And uses the last good copy for this long (ROB-08).
const ROBOTS_COPY_SECONDS: i64 = 30 * 86_400;
/// Google drops URLs that answer 503 or 429 for more than this (503-11).
const DROP_SECONDS: i64 = 2 * 86_400;

pub(crate) fn risks(view: &View, incident: &Incident, now: Stamp) -> Vec<Risk> {
    let mut risks = robots(view, incident, now);
    risks.extend(urls(view, incident));
    risks.extend(rate(incident));
    risks
}

/// A risk by the fact behind it, with its source and whether that was read.
fn risk(id: &'static str, what: String, then: &str) -> Option<Risk> {
    let fact = knowledge::fact(id)?;
    let status = match fact.checked {
        Some(_) => RiskStatus::Verified,
        None => RiskStatus::NotYetVerified,
    };
    Some(Risk {
        fact: Fact(fact.id),
        what,
        then: then.to_owned(),
        since: None,
        last_good: None,
        due: None,
        status,
        source: fact.source,
    })
}

/// A failing robots.txt whose failures lie in this incident.
fn robots(view: &View, incident: &Incident, now: Stamp) -> Vec<Risk> {
    let all = view.robots_at(now);
    let within = all.iter().filter(|fact| {
        fact.failing_since >= incident.start
            && fact.failing_since <= incident.last_failure.plus_secs(1)
            && incident
                .crawlers
                .iter()
                .any(|hit| hit.crawler == fact.crawler)
            && !matches!(incident.scope.kind, ScopeKind::Route | ScopeKind::Url)
    });
    let mut risks: Vec<Risk> = within
        .filter_map(|fact| robots_risk(incident, fact))
        .collect();
    // A clock that runs comes before a statement without one.
    risks.sort_by_key(|risk| (risk.due.is_none(), risk.due, risk.fact));
    risks.dedup_by_key(|risk| risk.fact);
    risks
}

fn robots_risk(incident: &Incident, fact: &RobotsFact) -> Option<Risk> {
    let crawler = knowledge::crawler(fact.crawler);
    let statuses: Vec<String> = incident
        .statuses
        .keys()
        .map(|status| status.0.to_string())
        .collect();
    let what = format!("robots.txt: {} to {}", statuses.join("/"), crawler.id);
    let since = fact.failing_since;
    let (id, then, due) = if crawler.operator != "Google" {
        (
            "ROB-01",
            "a crawler that follows RFC 9309 must assume that it may fetch nothing",
            None,
        )
    } else {
        match fact.phase {
            RobotsPhase::Stopped => (
                "ROB-07",
                "Google stops crawling until it can be read",
                Some(since.plus_secs(ROBOTS_STOP_SECONDS)),
            ),
            RobotsPhase::Cached => (
                "ROB-08",
                "Google goes by its last good copy",
                Some(since.plus_secs(ROBOTS_COPY_SECONDS)),
            ),
            RobotsPhase::Expired => ("ROB-10", "Google acts as if there were no robots.txt", None),
        }
    };
    let risk = risk(id, what, then)?;
    Some(Risk {
        since: Some(since),
        last_good: fact.last_ok,
        due,
        ..risk
    })
}

/// URLs that Google's crawlers are owed, from the one owed longest.
fn urls(view: &View, incident: &Incident) -> Option<Risk> {
    let owed: Vec<&LedgerRow> = view
        .ledger
        .iter()
        .filter(|row| row.owed > 0 && knowledge::crawler(row.crawler).operator == "Google")
        .filter(|row| {
            row.first_failed >= incident.start
                && row.first_failed <= incident.last_failure.plus_secs(1)
        })
        .collect();
    let oldest = owed.iter().map(|row| row.first_failed).min()?;
    let count: u64 = owed.iter().map(|row| row.owed).sum();
    let plural = if count == 1 { "URL" } else { "URLs" };
    let what = format!("{count} {plural} owed to Google");
    let slows = |status: &Status| matches!(status.0, 503 | 429);
    let risk = if incident.statuses.keys().all(slows) {
        let due = Some(oldest.plus_secs(DROP_SECONDS));
        risk(
            "503-11",
            what,
            "answers of 503 or 429 for over 2 days make it drop them",
        )
        .map(|risk| Risk { due, ..risk })
    } else {
        risk(
            "RATE-16",
            what,
            "those that keep failing are removed, after how long is not known",
        )
    };
    risk.map(|risk| Risk {
        since: Some(oldest),
        ..risk
    })
}

/// The crawl rate of the whole host.
fn rate(incident: &Incident) -> Option<Risk> {
    let hits = &incident.crawlers;
    let google = hits
        .iter()
        .any(|hit| knowledge::crawler(hit.crawler).operator == "Google");
    let what = "crawl rate of the whole host".to_owned();
    google.then(|| risk("502-04", what, "Google lowers its limit on 5xx answers"))?
}
