//! One scope's observations, folded for fast questions: failures one by one, good requests as a running sum.

use tally::{Key, Obs};

use crate::judge::prior;

/// Failures of one second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fail {
    pub(crate) at: i64,
    /// Failures, repeats left out.
    pub(crate) count: u32,
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
    /// Folds observations up to `now`. Those of one second may come in any order.
    pub(crate) fn new(key: Key, observations: &[Obs], now: i64) -> Self {
        let mut track = Self {
            key,
            prior: prior::kind_cost(key),
            fails: Vec::new(),
            goods: Vec::with_capacity(observations.len()),
        };
        if observations.is_sorted() {
            track.fill(observations, now);
        } else {
            let mut sorted = observations.to_vec();
            sorted.sort_unstable();
            track.fill(&sorted, now);
        }
        track.fails.sort_by_key(|fail| fail.at);
        track.fails.dedup_by(|next, kept| {
            let same = next.at == kept.at;
            if same {
                kept.count = kept.count.saturating_add(next.count);
            }
            same
        });
        track
    }

    fn fill(&mut self, sorted: &[Obs], now: i64) {
        for obs in sorted.iter().take_while(|obs| obs.at <= now) {
            self.push(obs);
        }
    }

    fn push(&mut self, obs: &Obs) {
        if obs.good > 0 {
            let sum = self.total_good().saturating_add(u64::from(obs.good));
            self.goods.push(Good {
                at: obs.at,
                until: obs.until.max(obs.at),
                sum,
            });
        }
        if obs.failed > 0 {
            // A slot of failures without their seconds: its middle errs least.
            let at = obs.at.midpoint(obs.until.max(obs.at));
            self.fails.push(Fail {
                at,
                count: obs.failed,
            });
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
        Some(Self {
            key: first.key,
            prior: first.prior,
            fails,
            goods,
        })
    }

    /// The same scope as seen at `now`, earlier than when it was folded.
    pub(crate) fn until(&self, now: i64) -> Self {
        let fails = self.fails.partition_point(|fail| fail.at <= now);
        let goods = self.goods.partition_point(|good| good.until <= now);
        Self {
            key: self.key,
            prior: self.prior,
            fails: self.fails[..fails].to_vec(),
            goods: self.goods[..goods].to_vec(),
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

    /// How many observations were folded; a measure of cost.
    pub(crate) fn len(&self) -> usize {
        self.goods.len() + self.fails.len()
    }

    /// Good requests up to and with the second `at`. Within a slot they are taken as evenly spread.
    pub(crate) fn good_until(&self, at: i64) -> f64 {
        let next = self.goods.partition_point(|good| good.at <= at);
        let Some(last) = next.checked_sub(1) else {
            return 0.0;
        };
        let good = self.goods[last];
        let before = last.checked_sub(1).map_or(0, |index| self.goods[index].sum);
        let width = (good.until - good.at + 1) as f64;
        let seen = ((at - good.at + 1) as f64).min(width);
        before as f64 + (good.sum - before) as f64 * seen / width
    }

    /// Good requests after `from`, up to and with `to`.
    pub(crate) fn good_between(&self, from: i64, to: i64) -> f64 {
        (self.good_until(to) - self.good_until(from)).max(0.0)
    }

    /// Failures from `from` to `to`, both included.
    pub(crate) fn fails_within(&self, from: i64, to: i64) -> &[Fail] {
        let first = self.fails.partition_point(|fail| fail.at < from);
        let last = self.fails.partition_point(|fail| fail.at <= to).max(first);
        &self.fails[first..last]
    }

    pub(crate) fn failed_within(&self, from: i64, to: i64) -> u64 {
        self.fails_within(from, to)
            .iter()
            .map(|fail| u64::from(fail.count))
            .sum()
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
