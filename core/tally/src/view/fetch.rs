//! What became of fetches: the ledger, what is owed, robots.txt, returns.

use std::collections::BTreeMap;

use model::{CrawlerId, LedgerRow, RobotsFact, RobotsPhase, Stamp};

use super::{LaneReturn, Maps, NodeView};
use crate::Tally;
use crate::ledger::{Lane, PathEntry};

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

pub(super) fn ledger(tally: &Tally) -> Vec<LedgerRow> {
    let mut rows: Vec<LedgerRow> = tally.ledger.paths.values().map(ledger_row).collect();
    rows.sort_unstable_by(|a, b| (a.crawler, &a.host, &a.path).cmp(&(b.crawler, &b.host, &b.path)));
    rows
}

fn ledger_row(entry: &PathEntry) -> LedgerRow {
    let whole = entry.whole;
    let (urls, owed) =
        entry
            .urls
            .as_ref()
            .map_or((1, u64::from(whole.first_ok.is_none())), |urls| {
                let owed = urls.values().filter(|url| url.first_ok.is_none()).count();
                (urls.len() as u64, owed as u64)
            });
    let (first_failed, last_ok) =
        entry
            .urls
            .as_ref()
            .map_or((whole.first_failed, whole.first_ok), |urls| {
                let open = urls.values().filter(|url| url.first_ok.is_none());
                let first = open.map(|url| url.first_failed).min();
                (
                    first
                        .or(urls.values().map(|url| url.first_failed).min())
                        .unwrap_or(whole.first_failed),
                    urls.values().filter_map(|url| url.first_ok).max(),
                )
            });
    LedgerRow {
        crawler: entry.crawler,
        host: entry.host.to_string(),
        path: entry.path.to_string(),
        urls,
        owed,
        failed: whole.failed,
        first_failed,
        last_failed: whole.last_failed,
        first_ok: last_ok.filter(|_| owed == 0),
    }
}

pub(super) fn owed(tally: &Tally) -> BTreeMap<(CrawlerId, String, String, u64), Stamp> {
    let mut owed = BTreeMap::new();
    #[expect(clippy::iter_over_hash_type, reason = "collected into a sorted map")]
    for entry in tally.ledger.paths.values() {
        let key = |query| {
            (
                entry.crawler,
                entry.host.to_string(),
                entry.path.to_string(),
                query,
            )
        };
        match &entry.urls {
            Some(urls) => owed.extend(
                urls.iter()
                    .filter(|(_, url)| url.first_ok.is_none())
                    .map(|(query, url)| (key(*query), url.first_failed)),
            ),
            // Too many queries: the path is one URL.
            None if entry.whole.first_ok.is_none() => {
                owed.insert(key(0), entry.whole.first_failed);
            }
            None => {}
        }
    }
    owed
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
