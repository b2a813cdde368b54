//! Sums, limits that were hit, and stretches without a line.

use std::collections::BTreeMap;

use model::{CrawlerId, CrawlerReport, Gap, Limit, Patience, RetryAfter, Stamp, Status, Totals};

use crate::failure::Failures;
use crate::ledger::Urls;
use crate::{Tally, limit};

pub(super) fn totals(tally: &Tally) -> Totals {
    let sums = &tally.sums;
    Totals {
        requests: sums.requests,
        failed: sums.failed,
        hidden_failures: sums.hidden,
        saved_by_retry: sums.saved,
        client_aborts: sums.aborts,
        fetches: sums.fetches,
        fetches_failed: sums.fetches_failed,
        fetches_aborted: sums.fetches_aborted,
        by_status: (0..)
            .map(Status)
            .zip(sums.by_status.iter().copied())
            .filter(|(_, n)| *n > 0)
            .collect(),
        saved_by_upstream: tally
            .saved_by_upstream
            .iter()
            .map(|(upstream, n)| (tally.upstreams.name(*upstream).to_owned(), *n))
            .collect(),
        saved_by_cause: by_cause_name(&sums.saved_by_cause),
        hidden_by_cause: by_cause_name(&sums.hidden_by_cause),
        isolated_fetches: 0,
    }
}

fn by_cause_name(counts: &BTreeMap<Option<model::Cause>, u64>) -> BTreeMap<&'static str, u64> {
    counts
        .iter()
        .map(|(cause, n)| (cause.map_or("unknown", model::Cause::name), *n))
        .collect()
}

pub(super) fn crawlers(tally: &Tally) -> Vec<CrawlerReport> {
    let sums = &tally.sums;
    let mut all: BTreeMap<CrawlerId, CrawlerReport> = BTreeMap::new();
    let empty = |crawler| CrawlerReport {
        crawler,
        fetches: 0,
        failed: 0,
        by_status: BTreeMap::new(),
        identity: [0; 4],
        aborted: 0,
        patience: None,
        retry_after: RetryAfter::default(),
    };
    let mut identities: Vec<_> = sums.crawler_identity.iter().collect();
    identities.sort_unstable();
    for (crawler, identity) in identities {
        let report = all.entry(*crawler).or_insert_with(|| empty(*crawler));
        report.identity = *identity;
        report.failed = sums.crawler_failed.get(crawler).copied().unwrap_or(0);
    }
    let mut statuses: Vec<_> = sums.crawler_status.iter().collect();
    statuses.sort_unstable();
    for ((crawler, status), n) in statuses {
        let report = all.entry(*crawler).or_insert_with(|| empty(*crawler));
        report.fetches += n;
        report.by_status.insert(*status, *n);
    }
    let mut aborts: BTreeMap<CrawlerId, Vec<(u16, u64)>> = BTreeMap::new();
    for ((crawler, tenths), n) in &sums.crawler_aborts {
        aborts.entry(*crawler).or_default().push((*tenths, *n));
    }
    for (crawler, aborts) in aborts {
        let report = all.entry(crawler).or_insert_with(|| empty(crawler));
        report.aborted = aborts.iter().map(|(_, n)| n).sum();
        report.patience = patience(&aborts);
    }
    for (crawler, retry_after) in tally.ledger.retry_after() {
        let report = all.entry(crawler).or_insert_with(|| empty(crawler));
        report.retry_after = retry_after;
    }
    let mut all: Vec<CrawlerReport> = all.into_values().collect();
    all.sort_by_key(|report| (std::cmp::Reverse(report.fetches), report.crawler));
    all
}

/// The time after which a crawler hangs up: where most of its aborts lie within a tenth of their middle, and that is
/// longer than a second. Clients that leave for reasons of their own leave at any time. The numbers are ours.
fn patience(aborts: &[(u16, u64)]) -> Option<Patience> {
    /// Fewer may agree by chance.
    const ABORTS_MIN: u64 = 5;
    const TENTHS_MIN: u16 = 10;
    // Without a duration nothing is known of when.
    let known = || aborts.iter().filter(|(tenths, _)| *tenths > 0);
    let all: u64 = known().map(|(_, n)| n).sum();
    let mut passed = 0;
    let (middle, _) = known().find(|(_, n)| {
        passed += n;
        passed * 2 >= all
    })?;
    let spread = (middle / 10).max(2);
    let is_near = |tenths: u16| tenths.abs_diff(*middle) <= spread;
    let near: u64 = known()
        .filter(|(tenths, _)| is_near(*tenths))
        .map(|(_, n)| n)
        .sum();
    let is_limit = near >= ABORTS_MIN && near * 10 >= all * 7 && *middle >= TENTHS_MIN;
    is_limit.then(|| Patience {
        millis: u32::from(*middle) * 100,
        aborts: near,
    })
}

pub(super) fn limits(tally: &Tally) -> Vec<Limit> {
    let mut all = Vec::new();
    if tally.trie.hosts_folded() {
        all.push(Limit {
            name: "hosts told apart",
            limit: u64::from(limit::CHILDREN_MAX[0]),
            dropped: 1,
        });
    }
    let width = tally.slots.width();
    if width > limit::WIDTHS[0] {
        all.push(Limit {
            name: "slots over the span: good requests are counted by wider ones, in seconds",
            limit: limit::SLOTS_MAX as u64,
            dropped: width as u64,
        });
    }
    let left_out: u64 = tally.ledger.left_out.values().sum();
    if left_out > 0 {
        all.push(Limit {
            name: "failed paths in the ledger, per crawler",
            limit: limit::LEDGER_PATHS_MAX as u64,
            dropped: left_out,
        });
    }
    let folded = tally
        .ledger
        .paths
        .values()
        .filter(|entry| matches!(entry.urls, Urls::Folded(_)))
        .count() as u64;
    if folded > 0 {
        all.push(Limit {
            name: "URLs of one path that differ in the query",
            limit: limit::LEDGER_QUERIES_MAX as u64,
            dropped: folded,
        });
    }
    let attempts = tally.failed_attempts.iter();
    let attempts = attempts.map(|(_, moment)| u64::from(moment.failed));
    let attempts: u64 = attempts.sum();
    if tally.upstreams.folded {
        all.push(Limit {
            name: "upstream addresses",
            limit: limit::UPSTREAMS_MAX as u64,
            dropped: attempts,
        });
    }
    let cells = tally
        .failures
        .values()
        .filter(|slot| matches!(slot, Failures::Cells(_)))
        .count();
    if cells > 0 {
        all.push(Limit {
            name: "failures kept one by one, per slot",
            limit: limit::FAILURES_PER_SLOT_MAX as u64,
            dropped: cells as u64,
        });
    }
    if tally.ledger.late > 0 {
        all.push(Limit {
            name: "fetches that came after their time was closed",
            limit: limit::LATE_SECONDS as u64,
            dropped: tally.ledger.late,
        });
    }
    all.extend(moments(tally));
    all
}

/// Tables in which a limit made moments longer: what they hold is right but for that many seconds.
fn moments(tally: &Tally) -> Vec<Limit> {
    let mut all = Vec::new();
    let mut push = |name, limit: usize, dropped: u64| {
        all.push(Limit {
            name,
            limit: limit as u64,
            dropped,
        });
    };
    let hours = super::failure::grains_of(tally.failed.coarse()).len();
    if hours > 0 {
        let name = "failures by client or route: hours or days in which they are counted by moments longer than a second";
        push(name, limit::MOMENTS_MAX, hours as u64);
    }
    let hours = tally.failed_attempts.coarse().count();
    // Without upstreams none is shown.
    if hours > 0 && !tally.upstreams.folded {
        let name = "failed attempts by upstream: hours or days in which they are counted by moments longer than a second";
        push(name, limit::MOMENTS_MAX, hours as u64);
    }
    if let Some(seconds) = tally.signs.coarse() {
        let name = "signs by minute, host and upstream: counted by longer moments, in seconds";
        push(name, limit::SIGNS_MAX, seconds as u64);
    }
    let seconds = tally.ledger.returns.moment();
    if seconds > 0 {
        let name = "first good fetches after a failure: one in each longer moment, in seconds";
        push(name, limit::RETURNS_MAX, seconds as u64);
    }
    let lanes = tally.ledger.lanes_left_out;
    if lanes > 0 {
        let name = "prefixes with a first good fetch after a failure, per crawler";
        push(name, limit::LANES_MAX, lanes);
    }
    all
}

/// Stretches without a line that the site's rhythm does not explain: longer than ten minutes, and so long that at
/// the rate of the hours around it less than one in a million such stretches would be empty.
pub(super) fn gaps(minutes: &[(i64, u32)]) -> Vec<Gap> {
    /// ln of one in a million.
    const SURPRISE: f64 = 13.8;
    const AROUND_MINUTES: i64 = 180;
    let sums: Vec<u64> = minutes
        .iter()
        .scan(0, |sum, (_, n)| {
            *sum += u64::from(*n);
            Some(*sum)
        })
        .collect();
    // Lines in the minutes from..to.
    let lines = |from: i64, to: i64| {
        let upto = |minute: i64| {
            let count = minutes.partition_point(|(m, _)| *m < minute);
            count.checked_sub(1).map_or(0, |last| sums[last])
        };
        upto(to) - upto(from)
    };
    minutes
        .windows(2)
        .filter_map(|pair| {
            let (before, after) = (pair[0].0, pair[1].0);
            let empty = after - before - 1;
            if empty < 10 {
                return None;
            }
            let sides = [
                lines(before - AROUND_MINUTES, before + 1),
                lines(after, after + AROUND_MINUTES + 1),
            ];
            // The quieter side speaks: a site may fall asleep at night.
            let rate = sides[0].min(sides[1]) as f64 / (AROUND_MINUTES + 1) as f64;
            (rate * empty as f64 > SURPRISE).then_some(Gap {
                start: Stamp::from_secs((before + 1) * 60),
                end: Stamp::from_secs(after * 60),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aborts_at_one_time_are_a_limit_and_aborts_at_any_time_are_none() {
        let limit = patience(&[(3, 1), (99, 2), (100, 7), (102, 1)]);
        assert_eq!(
            limit,
            Some(Patience {
                millis: 10_000,
                aborts: 10
            })
        );
        let scattered: Vec<(u16, u64)> = (1..20).map(|n| (n * 13, 1)).collect();
        assert_eq!(patience(&scattered), None);
        assert_eq!(patience(&[(100, 4)]), None, "too few");
        assert_eq!(patience(&[(0, 50)]), None, "no duration is logged");
        assert_eq!(patience(&[(4, 50)]), None, "gone at once");
    }
}
