//! Failures, failed attempts and signs in order.

use std::collections::BTreeMap;

use model::{Place, Stamp};

use super::route::UNKNOWN_HOST;
use super::{FailureView, Maps, SignView, UrlView};
use crate::Tally;
use crate::failure::{Cell, CellCounts, Failures, Record};

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
                    node: node_of(tally, maps, &record.cell),
                    hash: record.url,
                });
        }
    }
    urls.into_values().collect()
}

fn node_of(tally: &Tally, maps: &Maps, cell: &Cell) -> u32 {
    let node = maps.node(&tally.trie, tally.trie.find(&cell.host, &cell.route));
    // `/` is on every host, also where no good request for it was read.
    let is_root = cell.route.len == 0 && !cell.route.deeper;
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
                for (cell, counts) in cells {
                    of_cell(tally, maps, cell, counts, &mut all);
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

/// One view a second; the evidence stands with the first.
fn of_cell(
    tally: &Tally,
    maps: &Maps,
    cell: &Cell,
    counts: &CellCounts,
    all: &mut Vec<FailureView>,
) {
    for (index, (second, count)) in counts.seconds.iter().enumerate() {
        let first = index == 0;
        all.push(FailureView {
            at: Stamp::from_secs(*second),
            place: counts.place,
            count: *count,
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
        place: Place::default(),
        count: 0,
        evidence: None,
        evidence_count: 0,
        node: node_of(tally, maps, cell),
        url: None,
        query: 0,
        crawler: cell.crawler,
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

pub(super) fn failed_attempts(tally: &Tally, maps: &Maps) -> Vec<(u32, i64, u32)> {
    let mut all: Vec<(u32, i64, u32)> = tally
        .failed_attempts
        .iter()
        .filter_map(|(upstream, second, n)| Some((maps.upstream(upstream)?, second, n)))
        .collect();
    all.sort_unstable();
    all
}
