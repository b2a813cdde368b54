//! One scope's observations, folded for fast questions: failures one by one, good requests as a running sum.

use std::ops::Range;

use tally::{Key, Obs};

use crate::judge::{baseline, prior};

/// Good requests between failures that do not belong together: at the highest healthy rate of 0.4 % the next
/// failure is nearer than this in two of a hundred cases.
const CLUMP_GAP: f64 = 5.0;

/// Failures of one second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fail {
    pub(crate) at: i64,
    /// Failures, repeats left out.
    pub(crate) count: u32,
    /// Good requests of the scope up to then.
    pub(crate) seen: f64,
}

/// Good requests of one moment or slot.
#[derive(Clone, Copy, Debug)]
struct Good {
    at: i64,
    until: i64,
    /// Sum up to and with this one.
    sum: u64,
}

/// A scope's observations in time order.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    pub(crate) key: Key,
    /// Cost in nats of naming this scope.
    pub(crate) prior: f64,
    pub(crate) fails: Vec<Fail>,
    goods: Vec<Good>,
}

impl Track {
    /// Folds the observations from `start` to `now`, in whatever order they come.
    pub(crate) fn new(key: Key, observations: &[Obs], (start, now): (i64, i64)) -> Self {
        let mut track = Self {
            key,
            prior: prior::kind_cost(key),
            fails: Vec::new(),
            goods: Vec::with_capacity(observations.len()),
        };
        if observations.is_sorted() {
            track.fill(observations, start, now);
        } else {
            let mut sorted = observations.to_vec();
            sorted.sort_unstable();
            track.fill(&sorted, start, now);
        }
        track.fails.sort_by_key(|fail| fail.at);
        track.fails.dedup_by(|next, kept| {
            let same = next.at == kept.at;
            if same {
                kept.count = kept.count.saturating_add(next.count);
            }
            same
        });
        track.look_back();
        track
    }

    /// Notes at each failure how many good requests came before it.
    fn look_back(&mut self) {
        let mut next = 0;
        for fail in &mut self.fails {
            while self.goods.get(next).is_some_and(|good| good.at <= fail.at) {
                next += 1;
            }
            fail.seen = seen(&self.goods, next, fail.at);
        }
    }

    fn fill(&mut self, sorted: &[Obs], start: i64, now: i64) {
        let first = sorted.partition_point(|obs| obs.at < start);
        for obs in sorted[first..].iter().take_while(|obs| obs.at <= now) {
            self.push(obs, now);
        }
    }

    fn push(&mut self, obs: &Obs, now: i64) {
        let until = obs.until.clamp(obs.at, now);
        if obs.good > 0 {
            let sum = self.total_good().saturating_add(u64::from(obs.good));
            self.goods.push(Good {
                at: obs.at,
                until,
                sum,
            });
        }
        if obs.failed > 0 {
            // Of several failures the first and the last second are known.
            let last = if until > obs.at { obs.failed / 2 } else { 0 };
            for (at, count) in [(obs.at, obs.failed - last), (until, last)] {
                if count > 0 {
                    self.fails.push(Fail {
                        at,
                        count,
                        seen: 0.0,
                    });
                }
            }
        }
    }

    /// Several scopes as one: a group of routes. They must not overlap.
    pub(crate) fn group(parts: &[&Self]) -> Option<Self> {
        let first = parts.first()?;
        if parts.len() == 1 {
            return Some((*first).clone());
        }
        let mut goods: Vec<(i64, i64, u64)> = Vec::new();
        let mut fails: Vec<Fail> = Vec::new();
        for part in parts {
            let mut before = 0;
            for good in &part.goods {
                goods.push((good.at, good.until, good.sum - before));
                before = good.sum;
            }
            fails.extend(&part.fails);
        }
        goods.sort_unstable();
        fails.sort_by_key(|fail| fail.at);
        let mut sum: u64 = 0;
        let goods = goods
            .into_iter()
            .map(|(at, until, count)| {
                sum = sum.saturating_add(count);
                Good { at, until, sum }
            })
            .collect();
        let mut group = Self {
            key: first.key,
            prior: first.prior,
            fails,
            goods,
        };
        group.look_back();
        Some(group)
    }

    /// The same scope as seen at `now`, earlier than when it was folded.
    pub(crate) fn until(&self, now: i64) -> Self {
        let fails = self.fails.partition_point(|fail| fail.at <= now);
        let whole = self.goods.partition_point(|good| good.until <= now);
        let mut goods = self.goods[..whole].to_vec();
        if let Some(open) = self.goods.get(whole).filter(|good| good.at <= now) {
            goods.push(Good {
                at: open.at,
                until: now,
                sum: self.good_until(now) as u64,
            });
        }
        Self {
            key: self.key,
            prior: self.prior,
            fails: self.fails[..fails].to_vec(),
            goods,
        }
    }

    pub(crate) fn total_good(&self) -> u64 {
        self.goods.last().map_or(0, |good| good.sum)
    }

    pub(crate) fn total_failed(&self) -> u64 {
        self.fails.iter().map(|fail| u64::from(fail.count)).sum()
    }

    pub(crate) fn total(&self) -> u64 {
        self.total_good().saturating_add(self.total_failed())
    }

    /// What judging this scope once costs, as it was at `now`: a failure is weighed at every share, a good moment is
    /// only copied.
    pub(crate) fn cost_until(&self, now: i64) -> usize {
        let goods = self.goods.partition_point(|good| good.at <= now);
        goods + 10 * self.fails.partition_point(|fail| fail.at <= now)
    }

    /// Good requests up to and with the second `at`. Within a slot they are taken as evenly spread.
    pub(crate) fn good_until(&self, at: i64) -> f64 {
        seen(
            &self.goods,
            self.goods.partition_point(|good| good.at <= at),
            at,
        )
    }

    /// Good requests after `from`, up to and with `to`.
    pub(crate) fn good_between(&self, from: i64, to: i64) -> f64 {
        (self.good_until(to) - self.good_until(from)).max(0.0)
    }

    /// The same, of slots that lie wholly within: so many at the least.
    pub(crate) fn good_surely_between(&self, from: i64, to: i64) -> u64 {
        let first = self.goods.partition_point(|good| good.at <= from);
        let next = self.goods.partition_point(|good| good.until <= to);
        let sum = |next: usize| next.checked_sub(1).map_or(0, |last| self.goods[last].sum);
        sum(next).saturating_sub(sum(first))
    }

    /// Failures from `from` to `to`, both included.
    pub(crate) fn fails_within(&self, from: i64, to: i64) -> &[Fail] {
        &self.fails[self.places_within(from, to)]
    }

    /// Their places among all failures.
    pub(crate) fn places_within(&self, from: i64, to: i64) -> Range<usize> {
        let first = self.fails.partition_point(|fail| fail.at < from);
        let last = self.fails.partition_point(|fail| fail.at <= to).max(first);
        first..last
    }

    pub(crate) fn failed_within(&self, from: i64, to: i64) -> u64 {
        self.fails_within(from, to)
            .iter()
            .map(|fail| u64::from(fail.count))
            .sum()
    }

    /// Healthy rate up to `at` before any incident is known: failures with hardly a good request between them count
    /// as one, since a healthy request fails by itself.
    pub(crate) fn rate_until(&self, at: i64) -> f64 {
        let fails = &self.fails[..self.fails.partition_point(|fail| fail.at <= at)];
        let mut clumps = 0_u32;
        let mut last = f64::NEG_INFINITY;
        for fail in fails {
            clumps += u32::from(fail.seen - last > CLUMP_GAP);
            last = fail.seen;
        }
        let failed = f64::from(clumps);
        baseline::site(failed, self.good_until(at) + failed)
    }

    /// The last good request at or before `at`.
    pub(crate) fn last_good(&self, at: i64) -> Option<i64> {
        let next = self.goods.partition_point(|good| good.at <= at);
        let index = next.checked_sub(1)?;
        let good = self.goods[index];
        if good.until <= at {
            return Some(good.until);
        }
        Some((at - self.spacing(index)).max(good.at))
    }

    /// The first good request after `at`.
    pub(crate) fn first_good(&self, at: i64) -> Option<i64> {
        let index = self.goods.partition_point(|good| good.until <= at);
        let good = self.goods.get(index)?;
        if good.at > at {
            return Some(good.at);
        }
        Some((at + self.spacing(index)).min(good.until))
    }

    /// Moments of every `step`th good request from `from` to `to`, added to `times`.
    pub(crate) fn good_times(&self, from: i64, to: i64, step: f64, times: &mut Vec<i64>) {
        let first = self.goods.partition_point(|good| good.until < from);
        let mut before = first
            .checked_sub(1)
            .map_or(0, |index| self.goods[index].sum);
        let mut due = step / 2.0;
        for good in self.goods[first..].iter().take_while(|good| good.at <= to) {
            let count = (good.sum - before) as f64;
            before = good.sum;
            while due < count {
                let at = good.at + ((good.until - good.at) as f64 * due / count) as i64;
                if (from..=to).contains(&at) {
                    times.push(at);
                }
                due += step;
            }
            due -= count;
        }
    }

    /// Seconds from one good request of a slot to the next.
    fn spacing(&self, index: usize) -> i64 {
        let good = self.goods[index];
        let before = index
            .checked_sub(1)
            .map_or(0, |index| self.goods[index].sum);
        (good.until - good.at + 1) / i64::try_from(good.sum - before).unwrap_or(i64::MAX).max(1)
    }
}

/// Good requests up to and with the second `at`, where `next` is the first slot after it. Within a slot they are
/// taken as evenly spread.
fn seen(goods: &[Good], next: usize, at: i64) -> f64 {
    let Some(good) = next.checked_sub(1).and_then(|last| goods.get(last)) else {
        return 0.0;
    };
    let before = next
        .checked_sub(2)
        .and_then(|last| goods.get(last))
        .map_or(0, |good| good.sum);
    let width = (good.until - good.at + 1) as f64;
    let part = ((at - good.at + 1) as f64).min(width);
    before as f64 + (good.sum - before) as f64 * part / width
}
