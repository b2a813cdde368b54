//! Who asked how much in the minutes before an incident, against what is usual: a crawler's burst that came first may
//! be what broke it.

use std::collections::BTreeMap;

use model::{CrawlerId, CrawlerLoad, Incident, LoadBefore};
use tally::{Load, View};

/// Length of the stretch before the start, in seconds. Convention of this project.
const BEFORE: i64 = 600;

/// How far back the usual is taken from, and how much of it there must be.
const USUAL: (i64, i64) = (86_400, 2 * 3_600);

/// Requests below which nothing is a burst, times the usual above which it is one, and the share of all requests or of
/// all time that a burst has. Conventions of this project.
const BURST_MIN: u64 = 30;
const BURST_TIMES: u64 = 4;
const BURST_SHARE: u64 = 3;

/// `None` where the log does not go far enough back, or counts by wider slots than the stretch.
pub(crate) fn before(view: &View, incident: &Incident) -> Option<LoadBefore> {
    let start = incident.start.secs();
    let (log_start, _) = view.span?;
    let from = start - BEFORE;
    let usual_from = log_start.secs().max(from - USUAL.0);
    if view.load_width * 5 > BEFORE || from - usual_from < USUAL.1 {
        return None;
    }
    let before = view.load_within(from, start - 1);
    let usual = view.load_within(usual_from, from - 1);
    // As many as usually come in a stretch of that length, rounded up: one an hour is not none.
    let stretch = |of: u64| {
        of.saturating_mul(BEFORE as u64)
            .div_ceil((from - usual_from) as u64)
    };
    let all = sum(&before);
    let mut crawlers: Vec<CrawlerLoad> = before
        .iter()
        .filter_map(|(crawler, load)| {
            let usual = usual.get(crawler).copied().unwrap_or_default();
            Some(CrawlerLoad {
                crawler: (*crawler)?,
                requests: load.requests,
                usual: stretch(usual.requests),
                centis: load.centis,
            })
        })
        .collect();
    crawlers.sort_by_key(|load| (std::cmp::Reverse(load.requests), load.crawler));
    let mut load = LoadBefore {
        seconds: BEFORE,
        requests: all.requests,
        usual: stretch(sum(&usual).requests),
        centis: all.centis,
        crawlers,
        burst: None,
    };
    load.burst = burst(&load);
    Some(load)
}

fn sum(loads: &BTreeMap<Option<CrawlerId>, Load>) -> Load {
    let mut all = Load::default();
    for load in loads.values() {
        all.add(*load);
    }
    all
}

/// The crawler whose requests are several times the usual, weigh, and make most of what came in addition.
fn burst(load: &LoadBefore) -> Option<CrawlerId> {
    let more = load.requests.saturating_sub(load.usual);
    let is_burst = |of: &&CrawlerLoad| {
        let own = of.requests.saturating_sub(of.usual);
        let weighs = of.requests * BURST_SHARE >= load.requests
            || load.centis > 0 && of.centis * BURST_SHARE >= load.centis;
        of.requests >= BURST_MIN.max(BURST_TIMES * of.usual) && weighs && own * 2 >= more
    };
    load.crawlers.iter().find(is_burst).map(|of| of.crawler)
}
