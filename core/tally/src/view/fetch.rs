//! What became of fetches: the ledger, what is owed, robots.txt, returns.

use model::{LedgerRow, RobotsFact, RobotsPhase, Stamp, Status};

use super::{LaneReturn, Maps, NodeView, UrlFate};
use crate::Tally;
use crate::ledger::{Lane, PathEntry, UrlState};

pub(super) fn returns(tally: &Tally, maps: &Maps, nodes: &[NodeView]) -> Vec<LaneReturn> {
    let mut all: Vec<LaneReturn> = tally
        .ledger
        .returns
        .iter()
        .filter_map(|back| {
            let (host, prefix) = lane_of(tally, maps, nodes, back.lane)?;
            Some(LaneReturn {
                at: back.at,
                crawler: back.lane.crawler,
                host,
                prefix,
            })
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Host and prefix of a lane; `None` where its segments have no prefix of their own.
fn lane_of(
    tally: &Tally,
    maps: &Maps,
    nodes: &[NodeView],
    lane: Lane,
) -> Option<(Option<u32>, Option<u32>)> {
    if lane.host == 0 && lane.first == 0 {
        return Some((None, None));
    }
    let node = &nodes[maps.node(
        &tally.trie,
        tally.trie.descend([lane.host, lane.first, lane.second]),
    ) as usize];
    match (lane.first, lane.second) {
        (0, _) => Some((Some(node.host), None)),
        (_, 0) => node.prefixes[0].map(|prefix| (Some(node.host), Some(prefix))),
        _ => node.prefixes[1].map(|prefix| (Some(node.host), Some(prefix))),
    }
}

/// The rows of the ledger, sorted, and what became of every URL: index of its row and hash of its query, sorted.
pub(super) fn ledger(tally: &Tally) -> (Vec<LedgerRow>, Vec<(u32, u64, UrlFate)>) {
    let ledger = &tally.ledger;
    let mut entries: Vec<&PathEntry> = ledger.paths.values().collect();
    let key = |entry: &PathEntry| {
        (
            entry.crawler,
            ledger.host(entry).to_owned(),
            entry.path.clone(),
        )
    };
    entries.sort_by_cached_key(|entry| key(entry));
    let rows = entries.iter().map(|entry| ledger_row(tally, entry));
    let fates = (0..).zip(&entries).flat_map(|(row, entry)| {
        let urls = entry.urls.iter();
        urls.map(move |(query, url)| (row, query, fate(url)))
    });
    (rows.collect(), fates.collect())
}

fn fate(url: &UrlState) -> UrlFate {
    UrlFate {
        first_failed: url.first_failed,
        first_ok: url.first_ok,
        is_retried: url.is_retried(),
    }
}

fn ledger_row(tally: &Tally, entry: &PathEntry) -> LedgerRow {
    let urls = || entry.urls.iter().map(|(_, url)| url);
    let owed = || urls().filter(|url| url.is_owed());
    let newest = urls().max_by_key(|url| (url.last_failed, url.status));
    let first_failed = owed().map(|url| url.first_failed).min();
    let first_failed = first_failed.or(urls().map(|url| url.first_failed).min());
    let first_ok = urls().filter_map(|url| url.first_ok).max();
    LedgerRow {
        crawler: entry.crawler,
        host: tally.ledger.host(entry).to_owned(),
        path: entry.path.to_string(),
        urls: urls().count() as u64,
        owed: owed().count() as u64,
        retried: owed().filter(|url| url.is_retried()).count() as u64,
        failed: entry.urls.failed(),
        first_failed: first_failed.unwrap_or_default(),
        last_failed: newest.map_or_else(Stamp::default, |url| url.last_failed),
        last_status: newest.map_or_else(Status::default, |url| url.status),
        first_ok: first_ok.filter(|_| owed().next().is_none()),
    }
}

/// Phases are fixed by [`View::robots_at`], which knows the moment of judgement.
pub(super) fn robots(tally: &Tally) -> Vec<RobotsFact> {
    tally
        .ledger
        .robots
        .iter()
        .filter_map(|(key, state)| {
            Some(RobotsFact {
                crawler: key.crawler,
                host: key.host.to_string(),
                scheme: key.scheme,
                failing_since: state.failing_since?,
                last_ok: state.last_ok,
                phase: RobotsPhase::Stopped,
            })
        })
        .collect()
}
