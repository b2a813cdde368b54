//! How much each place in time may keep, so that all together keep no more than a limit.

use std::collections::BTreeMap;

/// Counts by place, and what each may keep: the largest power of two, within its limits, so that the sum stays within
/// the total. It follows from the counts alone and only ever falls while they grow, in whatever order. A few in every
/// place take little from the places that hold many.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    counts: BTreeMap<i64, u64>,
    each: usize,
    /// What all places together keep under that.
    kept: usize,
    total: usize,
    /// What each may always keep.
    floor: usize,
}

impl Budget {
    /// At first each place may keep `each`.
    pub(crate) const fn new(each: usize, total: usize, floor: usize) -> Self {
        Self {
            counts: BTreeMap::new(),
            each,
            kept: 0,
            total,
            floor,
        }
    }

    /// What each place may keep now.
    pub(crate) const fn each(&self) -> usize {
        self.each
    }

    /// Counts `n` more in a place; tells whether each may keep less since.
    pub(crate) fn note(&mut self, place: i64, n: u64) -> bool {
        let before = self.each;
        let count = self.counts.entry(place).or_default();
        self.kept += kept(*count + n, self.each) - kept(*count, self.each);
        *count += n;
        while self.kept > self.total && self.each > self.floor {
            self.each /= 2;
            let each = self.each;
            self.kept = self.counts.values().map(|n| kept(*n, each)).sum();
        }
        self.each < before
    }

    /// Counts all that another has counted; tells whether each may keep less since.
    pub(crate) fn absorb(&mut self, other: Self) -> bool {
        let before = self.each;
        for (place, n) in other.counts {
            self.note(place, n);
        }
        self.each < before
    }
}

/// What a place with `n` keeps.
fn kept(n: u64, each: usize) -> usize {
    usize::try_from(n).map_or(each, |n| n.min(each))
}
