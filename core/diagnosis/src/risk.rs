//! What is at risk and until when. Every statement is a fact with a source; the clocks are those of
//! `docs/verdicts.md`, section 8.

use std::collections::BTreeSet;

use model::{
    Category, CrawlerId, Fact, Incident, Risk, RiskStatus, RobotsFact, RobotsPhase, Stamp, Status,
};
use tally::{FailureView, View};

use crate::related;

/// Google stops crawling a site for this long when robots.txt answers 5xx (ROB-07).
const ROBOTS_STOP_SECONDS: i64 = 12 * 3_600;
/// And uses the last good copy for this long (ROB-08).
const ROBOTS_COPY_SECONDS: i64 = 30 * 86_400;
/// Google drops URLs that answer 503 or 429 for more than this (503-11).
const DROP_SECONDS: i64 = 2 * 86_400;

pub(crate) fn risks(
    view: &View,
    incident: &Incident,
    failures: &[&FailureView],
    now: Stamp,
) -> Vec<Risk> {
    let mut risks = robots(view, incident, failures, now);
    risks.extend(urls(view, incident, failures));
    risks.extend(rate(incident));
    risks.extend(search_console(incident, &risks));
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

/// A failing robots.txt whose failures are this incident's own: same crawler, same host.
fn robots(view: &View, incident: &Incident, failures: &[&FailureView], now: Stamp) -> Vec<Risk> {
    let mut risks: Vec<Risk> = Vec::new();
    for fact in view.robots_at(now) {
        let within = fact.failing_since >= incident.start
            && fact.failing_since <= incident.last_failure.plus_secs(1);
        let statuses: BTreeSet<Status> = failures
            .iter()
            .filter(|failure| {
                failure.robots
                    && failure.crawler == Some(fact.crawler)
                    && related::host(view, failure) == fact.host
                    && failure.at >= fact.failing_since
            })
            .map(|failure| failure.status)
            .collect();
        if within && !statuses.is_empty() {
            risks.extend(robots_risk(&statuses, &fact));
        }
    }
    // A clock that runs comes before a statement without one.
    risks.sort_by_key(|risk| (risk.due.is_none(), risk.due, risk.fact));
    risks.dedup_by_key(|risk| risk.fact);
    risks
}

fn robots_risk(statuses: &BTreeSet<Status>, fact: &RobotsFact) -> Option<Risk> {
    let crawler = knowledge::crawler(fact.crawler);
    let is_limited = statuses.iter().all(|status| status.0 == 429);
    let names: Vec<String> = statuses.iter().map(|status| status.0.to_string()).collect();
    let what = format!("robots.txt: {} to {}", names.join("/"), crawler.id);
    let since = fact.failing_since;
    let own = own_rule(crawler, fact);
    let (id, then, due) = if let Some(own) = own.filter(|own| own.on_429 || !is_limited) {
        (own.fact, own.then, own.due)
    } else if !is_googles(fact.crawler) && is_limited {
        (
            "429-07",
            "for RFC 9309 a 4xx like any other: a crawler may fetch anything",
            None,
        )
    } else if is_limited {
        (
            "429-06",
            "for Google not the same as having none, unlike other 4xx",
            None,
        )
    } else if !is_googles(fact.crawler) {
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
            RobotsPhase::Cached if fact.last_ok.is_none() => (
                "ROB-09",
                "Google assumes no restrictions, unless it has a copy from before this log",
                Some(since.plus_secs(ROBOTS_COPY_SECONDS)),
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

/// What an operator other than Google documents of a robots.txt that fails.
struct OwnRule {
    fact: &'static str,
    then: &'static str,
    due: Option<Stamp>,
    /// Whether it says the same of 429.
    on_429: bool,
}

/// Each operator's own document before the RFC, which not all follow.
fn own_rule(crawler: &knowledge::Crawler, fact: &RobotsFact) -> Option<OwnRule> {
    let rule = |fact, then, on_429| OwnRule {
        fact,
        then,
        due: None,
        on_429,
    };
    let copy_until = fact.last_ok.map(|at| at.plus_secs(ROBOTS_COPY_SECONDS));
    // Whoever runs it: the rule is the software's own.
    let by = match crawler.id {
        "heritrix" => "Internet Archive",
        _ => crawler.operator,
    };
    Some(match by {
        "Yandex" => rule(
            "ROB-19",
            "Yandex counts the site as open for indexing",
            true,
        ),
        "Amazon" => OwnRule {
            due: copy_until,
            ..rule(
                "ROB-20",
                "Amazon goes by a copy of the last 30 days, then as if there were none",
                true,
            )
        },
        "Common Crawl" => rule(
            "ROB-22",
            "Common Crawl's code waits five minutes, three times, then leaves the host out of this crawl",
            true,
        ),
        "Internet Archive" => rule(
            "ROB-21",
            "its crawler software then allows everything",
            true,
        ),
        "Majestic" => rule("ROB-23", "MJ12bot then assumes that crawling is fine", true),
        "Microsoft" => rule("ROB-25", "what Bing does then is not documented", false),
        _ => return None,
    })
}

/// Which of Google's own numbers will move, and why they will not equal ours.
fn search_console(incident: &Incident, risks: &[Risk]) -> Option<Risk> {
    if !incident.crawlers.iter().any(|hit| feeds_index(hit.crawler)) {
        return None;
    }
    let robots = ["ROB-07", "ROB-08", "ROB-09"];
    let (id, then) = if risks.iter().any(|risk| robots.contains(&risk.fact.0)) {
        (
            "HOST-03",
            "its server errors and host status will move, when is not documented; it also counts crawls not made for want of robots.txt",
        )
    } else {
        (
            "HOST-04",
            "its server errors will move, when is not documented; it counts every hop of a redirect, so it will not equal this",
        )
    };
    risk(id, "Search Console's crawl stats".to_owned(), then)
}

/// Google's crawlers for search and AI, which its pages on robots.txt and crawl rate speak of: not its fetchers for
/// feeds, previews and people.
fn is_googles(crawler: CrawlerId) -> bool {
    let crawler = knowledge::crawler(crawler);
    crawler.operator == "Google" && matches!(crawler.category, Category::Search | Category::Ai)
}

/// Those that feed its index.
fn feeds_index(crawler: CrawlerId) -> bool {
    is_googles(crawler) && knowledge::crawler(crawler).category == Category::Search
}

/// URLs lost in this incident that Google's search crawlers are still owed.
fn urls(view: &View, incident: &Incident, failures: &[&FailureView]) -> Option<Risk> {
    let count: u64 = incident
        .crawlers
        .iter()
        .filter(|hit| feeds_index(hit.crawler))
        .map(|hit| hit.urls_owed)
        .sum();
    if count == 0 {
        return None;
    }
    let oldest = oldest_owed(view, incident, failures);
    let plural = if count == 1 { "URL" } else { "URLs" };
    let what = format!("{count} {plural} owed to Google");
    let slows = |status: &Status| matches!(status.0, 503 | 429);
    let risk = if incident.statuses.keys().all(slows) {
        let due = oldest.map(|at| at.plus_secs(DROP_SECONDS));
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
        since: oldest,
        ..risk
    })
}

/// Since when the URL owed longest of those lost here has failed.
fn oldest_owed(view: &View, incident: &Incident, failures: &[&FailureView]) -> Option<Stamp> {
    let lost: BTreeSet<(CrawlerId, &str, &str)> = failures
        .iter()
        .filter_map(|failure| {
            let url = view.urls.get(failure.url? as usize)?;
            Some((failure.crawler?, view.host(url.host), url.path.as_str()))
        })
        .collect();
    view.ledger
        .iter()
        .filter(|row| row.owed > 0 && feeds_index(row.crawler))
        .filter(|row| lost.contains(&(row.crawler, row.host.as_str(), row.path.as_str())))
        .map(|row| row.first_failed)
        .filter(|at| *at <= incident.last_failure.plus_secs(1))
        .min()
}

/// The crawl rate of the whole host: what Google says of the statuses that it was sent.
fn rate(incident: &Incident) -> Option<Risk> {
    if !incident.crawlers.iter().any(|hit| is_googles(hit.crawler)) {
        return None;
    }
    let all = |is: fn(u16) -> bool| incident.statuses.keys().all(|status| is(status.0));
    let limits = incident.statuses.contains_key(&Status(429));
    let fails = incident.statuses.keys().any(|status| status.0 >= 500);
    let (id, then) = match (limits, fails) {
        (true, false) => ("429-08", "Google lowers its limit on 429 answers"),
        (true, true) => ("RATE-08", "Google lowers its limit on 5xx and 429 answers"),
        // An outage that is over is not one of days.
        (false, true) if incident.end.is_none() && all(|status| status == 503) => (
            "503-12",
            "Google slows or stops it for good after more than a few days of such answers",
        ),
        (false, true) => ("502-04", "Google lowers its limit on 5xx answers"),
        (false, false) => return None,
    };
    risk(id, "crawl rate of the whole host".to_owned(), then)
}
