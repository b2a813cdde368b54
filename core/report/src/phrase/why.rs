//! Why this verdict and this scope.

use model::{Diagnosis, Incident, ScopeKind, Stamp};

use super::who::subject;
use crate::clean::{clean, fit};
use crate::crawler;
use crate::time::Zone;
use crate::words::{clause, count, duration, number, share, small};

/// Why this verdict and scope: the counts, the marks near the start, the rule.
pub(crate) fn why(diagnosis: &Diagnosis, zone: Zone) -> Vec<String> {
    let mut clauses = vec![counts(&diagnosis.incident)];
    clauses.extend(diagnosis.marks.iter().map(|(mark, after)| {
        let side = if *after < 0 { "before" } else { "after" };
        let label = clean(&mark.label);
        let name = if label.is_empty() {
            mark.kind.name().into()
        } else {
            label
        };
        format!(
            "starts {} {side} mark \"{name}\"",
            duration(after.saturating_abs())
        )
    }));
    clauses.extend(burst(diagnosis));
    clauses.extend(runs(&diagnosis.incident.runs, zone));
    clauses.push(clause(&clean(&diagnosis.incident.why)));
    clauses
}

/// `googlebot's burst came first: 412 requests in the 10 min before (usually 12), 68 % of all and 80 % of the time`.
fn burst(diagnosis: &Diagnosis) -> Option<String> {
    let load = diagnosis.load_before.as_ref()?;
    let own = load
        .crawlers
        .iter()
        .find(|of| Some(of.crawler) == load.burst)?;
    let percent = |part: u64, all: u64| part * 100 / all.max(1);
    let mut text = format!(
        "{}'s burst came first: {} in the {} before (usually {}), {} % of all",
        crawler::name(own.crawler),
        count(own.requests, "request", "requests"),
        duration(load.seconds),
        number(own.usual),
        percent(own.requests, load.requests),
    );
    if load.centis > 0 {
        text += &format!(
            " and {} % of the time upstream",
            percent(own.centis, load.centis)
        );
    }
    Some(text)
}

/// `7 runs, the last 22 Nov 03:00 for 4 min`, where there are several.
fn runs(runs: &[(Stamp, Stamp)], zone: Zone) -> Option<String> {
    let (start, end) = runs.last().filter(|_| runs.len() > 1)?;
    let length = duration(end.secs_since(*start));
    Some(format!(
        "{} runs, the last {} for {length}",
        runs.len(),
        zone.moment(*start)
    ))
}

/// Hosts of a scope that names only paths, where they are logged.
fn hosts(incident: &Incident) -> Vec<String> {
    let mut hosts: Vec<String> = (incident.routes.iter())
        .filter(|route| !route.host.is_empty())
        .map(|route| fit(&route.host, 40))
        .collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

fn counts(incident: &Incident) -> String {
    let mut others: Vec<_> = incident.upstreams.iter().collect();
    let own = (others.iter())
        .position(|hit| {
            incident
                .scope
                .values
                .iter()
                .any(|value| **value == *hit.upstream)
        })
        .map(|index| others.remove(index));
    if let (ScopeKind::Upstream, Some(own)) = (incident.scope.kind, own)
        && !others.is_empty()
    {
        let failed = others.iter().map(|hit| hit.failed).sum();
        let total = others.iter().map(|hit| hit.total).sum();
        let neighbours = match others.len() {
            1 => "neighbour".to_owned(),
            several => format!("{} neighbours", small(several as u64)),
        };
        return format!(
            "it failed {}; its {neighbours} {}",
            share(own.failed, own.total),
            share(failed, total)
        );
    }
    let requests = incident.requests;
    let repeats = match requests.repeats {
        0 => String::new(),
        repeats => format!(" ({})", count(repeats, "repeat", "repeats")),
    };
    // Nothing else in the block names a host.
    let host = match incident.scope.kind {
        ScopeKind::Host => format!(" on {}", subject(incident)),
        ScopeKind::Route | ScopeKind::Url => match hosts(incident).as_slice() {
            [] => String::new(),
            [host] => format!(" on {host}"),
            [host, others @ ..] => format!(
                " on {host} and {}",
                count(others.len() as u64, "more host", "more hosts")
            ),
        },
        _ => String::new(),
    };
    format!(
        "{} requests failed{repeats}{host}",
        share(requests.failed, requests.total)
    )
}
