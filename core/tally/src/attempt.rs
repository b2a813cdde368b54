//! Failed attempts by upstream and moment, saved ones included. Moments are seconds, and longer, for good, once there
//! are too many.

use std::collections::BTreeMap;

use crate::limit::FAILED_ATTEMPTS_MAX;

/// Lengths of a moment in seconds. Each is a multiple of the one before.
const MOMENTS: [i64; 6] = [1, 10, 60, 300, 3_600, 86_400];

/// Failed attempts.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailedAttempts {
    /// By upstream and moment: the first second, and how many.
    counts: BTreeMap<(u32, i64), (i64, u32)>,
    step: usize,
}

impl FailedAttempts {
    /// Counts `n` attempts.
    pub(crate) fn add(&mut self, upstream: u32, second: i64, n: u32) {
        let key = (upstream, second.div_euclid(MOMENTS[self.step]));
        let (first, sum) = self.counts.entry(key).or_insert((second, 0));
        *first = (*first).min(second);
        *sum = sum.saturating_add(n);
        if self.counts.len() > FAILED_ATTEMPTS_MAX && self.step + 1 < MOMENTS.len() {
            self.coarsen(self.step + 1);
        }
    }

    /// Takes in all of `other`, whose upstreams are renumbered.
    pub(crate) fn absorb(&mut self, other: Self, number: impl Fn(u32) -> u32) {
        self.coarsen(other.step);
        for ((upstream, _), (second, n)) in other.counts {
            self.add(number(upstream), second, n);
        }
    }

    /// Upstream, first second of the moment, how many.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, i64, u32)> {
        self.counts
            .iter()
            .map(|((upstream, _), (second, n))| (*upstream, *second, *n))
    }

    /// Length of a moment in seconds.
    pub(crate) const fn moment(&self) -> i64 {
        MOMENTS[self.step]
    }

    fn coarsen(&mut self, step: usize) {
        if step > self.step {
            self.step = step;
            for ((upstream, _), (second, n)) in std::mem::take(&mut self.counts) {
                self.add(upstream, second, n);
            }
        }
    }
}
