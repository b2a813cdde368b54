//! Failures over time by one dimension at a time: by route, by client, by upstream. What the judge reads, to the second
//! where there are few and by longer moments where there are many.
//!
//! How many moments an hour may keep follows the failures of every hour. It only falls while tallies are merged, and
//! what an hour needs at any one step of coarseness only grows. So the step an hour ends at does not depend on the order
//! in which its failures came.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{CrawlerId, Route};

use crate::budget::Budget;
use crate::failure::cut;
use crate::limit::{MOMENT_BLOCKS_MAX, MOMENTS_MAX, MOMENTS_PER_BLOCK_MIN};

/// One dimension's failures of the whole span.
#[derive(Clone, Debug)]
pub(crate) struct Moments<K> {
    blocks: BTreeMap<i64, Block<K>>,
    /// Which of [`BLOCKS`].
    level: usize,
    /// Failures by hour, and with them the moments that a block may keep.
    budget: Budget,
}

/// What failures are counted by. Each step of coarseness tells apart less than the one before.
pub(crate) trait By: Clone + Ord {
    /// The same at that step.
    fn at_step(&self, step: &Step) -> Self;
}

/// What was asked for: the first segments of the raw route. Its node is found once all routes are known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    pub(crate) host: Arc<str>,
    pub(crate) route: Route,
}

impl Asked {
    pub(crate) fn new(host: &Arc<str>, mut route: Route, segments: usize) -> Self {
        cut(&mut route, segments);
        Self {
            host: Arc::clone(host),
            route,
        }
    }
}

/// Failures of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Second of its first failure, since the epoch.
    pub first: i64,
    /// Second of its last one.
    pub last: i64,
    /// Failures, repeats left out.
    pub failed: u32,
    /// Repeats of one impatient client.
    pub repeats: u32,
}

/// A stretch in which failures are counted by moments longer than a second, each beginning at a multiple of its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grain {
    /// First second, since the epoch.
    pub start: i64,
    /// Last second.
    pub end: i64,
    /// Length of a moment.
    pub seconds: i64,
}

#[derive(Clone, Debug)]
struct Block<K> {
    rows: BTreeMap<K, Vec<Moment>>,
    step: usize,
    /// Moments of all rows.
    entries: usize,
}

/// Lengths of a block in seconds.
const BLOCKS: [i64; 2] = [3_600, 86_400];

/// One step of coarseness.
pub(crate) struct Step {
    /// First segments of the route.
    segments: usize,
    /// Length of a moment in seconds. Moments lie within blocks: each length divides a block's.
    seconds: i64,
    hosts: bool,
}

/// Time goes first, as the first and last second of each moment stay; then the route, which judging names by at most
/// two segments.
const STEPS: [Step; 9] = [
    Step::of(2, 1),
    Step::of(2, 10),
    Step::of(2, 60),
    Step::of(2, 300),
    Step::of(1, 300),
    Step::of(0, 300),
    Step::of(0, 3_600),
    Step {
        hosts: false,
        ..Step::of(0, 3_600)
    },
    Step {
        hosts: false,
        ..Step::of(0, 86_400)
    },
];
const LAST: usize = STEPS.len() - 1;

impl Step {
    const fn of(segments: usize, seconds: i64) -> Self {
        Self {
            segments,
            seconds,
            hosts: true,
        }
    }
}

impl By for Asked {
    fn at_step(&self, step: &Step) -> Self {
        let host = if step.hosts {
            &self.host
        } else {
            &Arc::from("")
        };
        Self::new(host, self.route, step.segments)
    }
}

/// The crawler; `None` for every other client.
impl By for Option<CrawlerId> {
    fn at_step(&self, _: &Step) -> Self {
        *self
    }
}

/// An upstream by its number.
impl By for u32 {
    fn at_step(&self, _: &Step) -> Self {
        *self
    }
}

impl<K: By> Moments<K> {
    /// Counts failures of one second.
    pub(crate) fn add(&mut self, by: K, second: i64, failed: u32, repeats: u32) {
        let n = u64::from(failed) + u64::from(repeats);
        if self.budget.note(second.div_euclid(BLOCKS[0]), n) {
            self.fit_all();
        }
        let moment = Moment {
            first: second,
            last: second,
            failed,
            repeats,
        };
        let max = self.budget.each();
        let block = self.block(second);
        block.add(by, moment);
        block.fit(max);
    }

    /// Widens blocks until the span fits.
    pub(crate) fn fit(&mut self, start: i64, end: i64) {
        let fits =
            |width: &i64| end.div_euclid(*width) - start.div_euclid(*width) < MOMENT_BLOCKS_MAX;
        let level = BLOCKS.iter().position(fits).unwrap_or(BLOCKS.len() - 1);
        if level > self.level {
            self.level = level;
            let blocks = std::mem::take(&mut self.blocks);
            self.take(blocks, |by| by);
        }
    }

    /// Takes in all of `other`, whose rows are renamed.
    pub(crate) fn absorb(&mut self, other: Self, rename: impl Fn(K) -> K) {
        if self.budget.absorb(other.budget) {
            self.fit_all();
        }
        self.take(other.blocks, rename);
    }

    fn fit_all(&mut self) {
        let max = self.budget.each();
        self.blocks.values_mut().for_each(|block| block.fit(max));
    }

    /// Every moment, block by block, row by row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &Moment)> {
        let rows = self.blocks.values().flat_map(|block| &block.rows);
        rows.flat_map(|(by, moments)| moments.iter().map(move |moment| (by, moment)))
    }

    /// Blocks in which moments are longer than a second.
    pub(crate) fn coarse(&self) -> impl Iterator<Item = Grain> {
        let width = BLOCKS[self.level];
        let coarse = self.blocks.iter().filter(|(_, block)| block.step > 0);
        coarse.map(move |(start, block)| Grain {
            start: *start,
            end: start + width - 1,
            seconds: STEPS[block.step].seconds,
        })
    }

    fn block(&mut self, second: i64) -> &mut Block<K> {
        let width = BLOCKS[self.level];
        let start = second.div_euclid(width) * width;
        self.blocks.entry(start).or_default()
    }

    fn take(&mut self, blocks: BTreeMap<i64, Block<K>>, rename: impl Fn(K) -> K) {
        let max = self.budget.each();
        for (start, other) in blocks {
            let block = self.block(start);
            block.coarsen(other.step);
            for (by, moments) in other.rows {
                let by = rename(by);
                for moment in moments {
                    block.add(by.clone(), moment);
                }
            }
            block.fit(max);
        }
    }
}

impl<K> Default for Moments<K> {
    fn default() -> Self {
        Self {
            blocks: BTreeMap::new(),
            level: 0,
            budget: Budget::new(MOMENTS_MAX, MOMENTS_MAX, MOMENTS_PER_BLOCK_MIN),
        }
    }
}

impl<K> Default for Block<K> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            step: 0,
            entries: 0,
        }
    }
}

impl<K: By> Block<K> {
    fn add(&mut self, by: K, moment: Moment) {
        let step = &STEPS[self.step];
        // Most rows have one moment.
        let row = self.rows.entry(by.at_step(step));
        let row = row.or_insert_with(|| Vec::with_capacity(1));
        let of = |second: i64| second.div_euclid(step.seconds);
        let place = row.partition_point(|other| of(other.first) < of(moment.first));
        match row.get_mut(place) {
            Some(other) if of(other.first) == of(moment.first) => {
                other.first = other.first.min(moment.first);
                other.last = other.last.max(moment.last);
                other.failed = other.failed.saturating_add(moment.failed);
                other.repeats = other.repeats.saturating_add(moment.repeats);
            }
            _ => {
                row.insert(place, moment);
                self.entries += 1;
            }
        }
    }

    /// Goes coarser until at most `max` moments are left.
    fn fit(&mut self, max: usize) {
        while self.entries > max && self.step < LAST {
            self.coarsen(self.step + 1);
        }
    }

    fn coarsen(&mut self, step: usize) {
        if step > self.step {
            self.step = step;
            self.entries = 0;
            for (by, moments) in std::mem::take(&mut self.rows) {
                for moment in moments {
                    self.add(by.clone(), moment);
                }
            }
        }
    }
}
