//! Failures, failed attempts and signs in order.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::{Place, Route, Stamp};

use super::route::UNKNOWN_HOST;
use super::{FailedBy, FailureView, Known, Maps, SignView, UrlView};
use crate::Tally;
use crate::failure::{Cell, CellCounts, Failures, Record};
use crate::moment::{Asked, Grain, Moment};

pub(super) fn urls(tally: &Tally, maps: &Maps, hosts: &[String]) -> Vec<UrlView> {
    let mut urls: BTreeMap<(String, String), UrlView> = BTreeMap::new();
    for failures in tally.failures.values() {
        let Failures::Records(records) = failures else {
            continue;
        };
        for record in records {
            let Some(path) = &record.path else { continue };
            let host = record.cell.host.to_string();
            urls.entry((host, path.to_string()))
                .or_insert_with_key(|(host, path)| UrlView {
                    host: hosts
                        .binary_search(host)
                        .or_else(|_| hosts.binary_search_by(|name| name.as_str().cmp(UNKNOWN_HOST)))
                        .unwrap_or(0) as u32,
                    path: path.clone(),
                    site: host.clone(),
                    node: node_of(tally, maps, &record.cell.host, &record.cell.route),
                    hash: record.url,
                });
        }
    }
    urls.into_values().collect()
}

fn node_of(tally: &Tally, maps: &Maps, host: &str, route: &Route) -> u32 {
    let node = maps.node(&tally.trie, tally.trie.find(host, route));
    // `/` is on every host, also where no good request for it was read.
    let is_root = route.len == 0 && !route.deeper;
    is_root
        .then(|| maps.roots.get(&node).copied())
        .flatten()
        .unwrap_or(node)
}

pub(super) fn failures(tally: &Tally, maps: &Maps) -> Vec<FailureView> {
    let mut all = Vec::with_capacity(tally.failures.entries());
    for failures in tally.failures.values() {
        match failures {
            Failures::Records(records) => {
                all.extend(records.iter().map(|record| of_record(tally, maps, record)));
            }
            Failures::Cells(cells) => {
                let step = cells.step();
                let known = Known {
                    segments: step.segments,
                    upstream: step.upstreams,
                    host: step.hosts,
                };
                for (cell, counts) in cells {
                    of_cell(tally, maps, (cell, counts), known, &mut all);
                }
            }
        }
    }
    all.sort_unstable();
    all
}

fn of_record(tally: &Tally, maps: &Maps, record: &Record) -> FailureView {
    FailureView {
        at: record.at,
        until: record.at,
        place: record.place,
        count: 1,
        evidence: record.evidence,
        evidence_count: u64::from(record.evidence.is_some()),
        url: record
            .path
            .as_ref()
            .and_then(|_| maps.urls.get(&record.url).copied()),
        query: record.query,
        retry_after: record.retry_after,
        ..shared(tally, maps, &record.cell)
    }
}

/// One view a moment; the evidence stands with the first.
fn of_cell(
    tally: &Tally,
    maps: &Maps,
    (cell, counts): (&Cell, &CellCounts),
    known: Known,
    all: &mut Vec<FailureView>,
) {
    for (index, (from, to, count)) in counts.moments.iter().enumerate() {
        let first = index == 0;
        all.push(FailureView {
            at: Stamp::from_secs(*from),
            until: Stamp::from_secs(*to),
            place: counts.place,
            count: *count,
            known,
            evidence: counts.evidence.filter(|_| first),
            evidence_count: if first { counts.evidence_count } else { 0 },
            retry_after: counts.retry_after,
            ..shared(tally, maps, cell)
        });
    }
}

fn shared(tally: &Tally, maps: &Maps, cell: &Cell) -> FailureView {
    FailureView {
        at: Stamp::default(),
        until: Stamp::default(),
        place: Place::default(),
        count: 0,
        known: Known::ALL,
        evidence: None,
        evidence_count: 0,
        node: node_of(tally, maps, &cell.host, &cell.route),
        url: None,
        query: 0,
        crawler: cell.crawler,
        verified: cell.verified,
        upstream: maps.upstream(cell.upstream),
        edge: cell.edge,
        scheme: cell.scheme,
        robots: cell.route.robots,
        status: cell.status,
        finding: cell.finding,
        repeat: cell.repeat,
        hidden: cell.hidden,
        retry_after: None,
    }
}

pub(super) fn signs(tally: &Tally, maps: &Maps) -> Vec<SignView> {
    let mut all: Vec<SignView> = tally
        .signs
        .iter()
        .map(|(key, counts)| SignView {
            at: counts.first,
            place: counts.place,
            count: counts.count,
            edge: key.edge,
            host: key.host.to_string(),
            upstream: maps.upstream(key.upstream),
            about_request: key.about_request,
            finding: key.finding,
        })
        .collect();
    all.sort();
    all
}

pub(super) fn failed_attempts(tally: &Tally, maps: &Maps) -> Vec<(u32, Moment)> {
    let mut all: Vec<(u32, Moment)> = tally
        .failed_attempts
        .iter()
        .filter_map(|(upstream, moment)| Some((maps.upstream(*upstream)?, *moment)))
        .collect();
    all.sort_unstable();
    all
}

/// Failures by second, each with all before it; those of a moment at its first and last second.
pub(super) fn sums(failed: &[(FailedBy, Moment)]) -> Vec<(i64, u64)> {
    let mut seconds: BTreeMap<i64, u64> = BTreeMap::new();
    for (_, moment) in failed
        .iter()
        .filter(|(by, _)| matches!(by, FailedBy::Client(_)))
    {
        let all = u64::from(moment.failed) + u64::from(moment.repeats);
        let last = if moment.last > moment.first {
            all / 2
        } else {
            0
        };
        *seconds.entry(moment.first).or_default() += all - last;
        *seconds.entry(moment.last).or_default() += last;
    }
    let sums = seconds.into_iter().scan(0, |sum, (second, n)| {
        *sum += n;
        Some((second, *sum))
    });
    sums.collect()
}

/// Of requests and attempts the coarser. Where upstreams are not told apart, no attempt is read.
pub(super) fn grains(tally: &Tally) -> Vec<Grain> {
    let attempts = tally.failed_attempts.coarse();
    let attempts = attempts.filter(|_| !tally.upstreams.folded);
    grains_of(tally.failed.coarse().chain(attempts))
}

/// Of each stretch the coarsest.
pub(super) fn grains_of(all: impl Iterator<Item = Grain>) -> Vec<Grain> {
    let mut all: Vec<Grain> = all.collect();
    all.sort_unstable_by_key(|grain| (grain.start, Reverse(grain.seconds)));
    all.dedup_by_key(|grain| grain.start);
    all
}

/// Failed requests over time, by client and by route.
pub(super) fn failed(tally: &Tally, maps: &Maps) -> Vec<(FailedBy, Moment)> {
    let node = |asked: &Asked| node_of(tally, maps, &asked.host, &asked.route);
    let clients = tally.failed.by_client.iter();
    let clients = clients.map(|(client, moment)| (FailedBy::Client(*client), *moment));
    let first = tally.failed.by_first.iter().map(|(asked, moment)| {
        let by = FailedBy::First {
            node: node(asked),
            robots: asked.route.robots,
        };
        (by, *moment)
    });
    let second = tally.failed.by_second.iter();
    let second = second.map(|(asked, moment)| (FailedBy::Second(node(asked)), *moment));
    let mut all: Vec<(FailedBy, Moment)> = clients.chain(first).chain(second).collect();
    all.sort_unstable();
    all
}
