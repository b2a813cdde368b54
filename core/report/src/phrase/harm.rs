//! What crawlers lost, and what they are owed.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::{CrawlerId, CrawlerReport, Identity, Incident, Report, Status};

use crate::crawler;
use crate::words::{count, list, number};

/// What crawlers lost: `514 crawler fetches got 502. Googlebot is owed 225 URLs and robots.txt.`
pub(crate) fn lost(report: &Report, incidents: &[&Incident]) -> String {
    let failed = || incidents.iter().map(|incident| incident.fetches.failed);
    // One scope may lie within another.
    let all = report
        .totals
        .fetches_failed
        .max(failed().max().unwrap_or(0));
    let fetches = failed().sum::<u64>().min(all);
    let statuses = statuses(incidents);
    if fetches == 0 {
        let requests: u64 = incidents
            .iter()
            .map(|incident| incident.requests.failed)
            .sum();
        return format!(
            "No crawler hit; {} got {statuses}.",
            count(requests, "request", "requests")
        );
    }
    let verified = incidents.iter().flat_map(|incident| &incident.crawlers);
    let verified = verified.map(|hit| hit.verified).sum::<u64>().min(fetches);
    let got = match (is_checked(report), verified) {
        (false, _) => format!(
            "{} got {statuses}.",
            count(fetches, "crawler fetch", "crawler fetches")
        ),
        // A claim that nothing shows to be true is not said first.
        (true, 0) => format!(
            "No verified crawler hit; {} got {statuses}.",
            count(fetches, "unchecked fetch", "unchecked fetches")
        ),
        (true, _) => {
            let all = count(
                verified,
                "verified crawler fetch",
                "verified crawler fetches",
            );
            match fetches - verified {
                0 => format!("{all} got {statuses}."),
                more => format!("{all} got {statuses}, and {} unchecked.", number(more)),
            }
        }
    };
    match owed(report, incidents) {
        Some(owed) => format!("{got} {owed}"),
        None => got,
    }
}

/// Whether addresses were compared with lists or names.
fn is_checked(report: &Report) -> bool {
    let counts = |of: &CrawlerReport| {
        of.identity[Identity::Verified as usize] + of.identity[Identity::Spoofed as usize]
    };
    report.crawlers.iter().any(|of| counts(of) > 0)
}

/// `23 fetches, all back`, `23 fetches, 4 URLs owed`, `no crawler hit`.
pub(crate) fn harm(incident: &Incident) -> String {
    if incident.fetches.failed == 0 {
        return "no crawler hit".to_owned();
    }
    let owed: u64 = incident.crawlers.iter().map(|hit| hit.urls_owed).sum();
    let fetches = count(incident.fetches.failed, "fetch", "fetches");
    match owed {
        0 => format!("{fetches}, all back"),
        _ => format!("{fetches}, {} owed", count(owed, "URL", "URLs")),
    }
}

/// Whether every URL that a crawler lost was fetched well again.
pub(crate) fn nothing_owed(incident: &Incident) -> bool {
    incident.crawlers.iter().all(|hit| hit.urls_owed == 0)
}

fn statuses(incidents: &[&Incident]) -> String {
    let mut sums: BTreeMap<Status, u64> = BTreeMap::new();
    for (status, count) in incidents.iter().flat_map(|incident| &incident.statuses) {
        *sums.entry(*status).or_default() += count;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(status, count)| (Reverse(*count), *status));
    let broken = |status: &Status| match status.0 {
        200..=399 => format!("a broken {}", status.0),
        code => format!("{code:03}"),
    };
    match sums.as_slice() {
        [] => "no good answer".to_owned(),
        [(only, _)] => broken(only),
        [(first, _), (second, _)] => format!("{} or {}", broken(first), broken(second)),
        [(first, _), ..] => format!("{} and other failures", broken(first)),
    }
}

/// Who is owed most: from the incident where there is one, from the ledger where there are several.
fn owed(report: &Report, incidents: &[&Incident]) -> Option<String> {
    let mut owed: BTreeMap<CrawlerId, u64> = BTreeMap::new();
    match incidents {
        [only] => owed.extend(only.crawlers.iter().map(|hit| (hit.crawler, hit.urls_owed))),
        _ => {
            for row in &report.ledger {
                *owed.entry(row.crawler).or_default() += row.owed;
            }
        }
    }
    let robots = |who| {
        report
            .robots
            .iter()
            .any(|fact: &model::RobotsFact| fact.crawler == who)
    };
    let lost = |who| {
        incidents
            .iter()
            .any(|incident| incident.crawlers.iter().any(|hit| hit.crawler == who))
    };
    let worst = owed
        .into_iter()
        .filter(|(who, urls)| *urls > 0 || (robots(*who) && lost(*who)))
        .max_by_key(|(who, urls)| (crawler::category(*who).is_headline(), *urls, Reverse(*who)));
    let Some((who, urls)) = worst else {
        let urls: u64 = incidents
            .iter()
            .flat_map(|incident| &incident.crawlers)
            .map(|hit| hit.urls_lost)
            .sum();
        return (urls > 0).then(|| {
            format!(
                "All {} were fetched well again.",
                count(urls, "lost URL", "lost URLs")
            )
        });
    };
    let mut owed = vec![];
    if urls > 0 {
        owed.push(count(urls, "URL", "URLs"));
    }
    if robots(who) {
        owed.push("robots.txt".to_owned());
    }
    Some(format!(
        "{} is owed {}.",
        crawler::proper_name(who),
        list(&owed, "and")
    ))
}
