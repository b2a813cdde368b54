//! Failed requests. Few are kept one by one, with all dimensions; of many, counts by cell and moment, coarser the more
//! there are.
//!
//! How many entries a slot may keep follows the failures of every minute, and the number of slots the span.
//! Both only grow while tallies are merged, and so does what a slot needs at any one step of coarseness. So the step a
//! slot ends at does not depend on the order in which its failures came.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{CrawlerId, Edge, Finding, Place, Route, Scheme, Segment, Shape, Stamp, Status};

use crate::budget::Budget;
use crate::limit::{
    FAILURE_ENTRIES_MAX, FAILURE_SLOTS_MAX, FAILURES_PER_SLOT_MAX, FAILURES_PER_SLOT_MIN, WIDTHS,
};
use crate::name::NONE;

/// The failures of the whole span.
#[derive(Clone, Debug)]
pub(crate) struct FailureSlots {
    slots: BTreeMap<i64, Failures>,
    /// Which of the widths.
    level: usize,
    /// Failures by minute, and with them the entries that a slot may keep.
    budget: Budget,
    /// The host of the last failure: most have the same.
    host: Option<Arc<str>>,
}

/// What a failure shares with others of its cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Cell {
    pub(crate) edge: Edge,
    pub(crate) host: Arc<str>,
    pub(crate) scheme: Option<Scheme>,
    /// The raw route: its node is found once all routes are known.
    pub(crate) route: Route,
    pub(crate) crawler: Option<CrawlerId>,
    /// Whether the crawler's address is its operator's.
    pub(crate) verified: bool,
    /// The upstream of the first failed attempt.
    pub(crate) upstream: u32,
    pub(crate) status: Status,
    pub(crate) finding: Option<Finding>,
    pub(crate) repeat: bool,
    /// Whether the client saw a good status: proven broken all the same.
    pub(crate) hidden: bool,
}

/// One failure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    pub(crate) at: Stamp,
    pub(crate) place: Place,
    pub(crate) evidence: Option<Place>,
    /// Hash of host and path.
    pub(crate) url: u64,
    /// Hash of the query, for fetches.
    pub(crate) query: u64,
    /// Text of the path, for fetches.
    pub(crate) path: Option<Box<str>>,
    pub(crate) retry_after: Option<u32>,
    pub(crate) cell: Cell,
}

/// The failures of one slot.
#[derive(Clone, Debug)]
pub(crate) enum Failures {
    Records(Vec<Record>),
    Cells(Cells),
}

/// Counts of one slot by cell and moment, at one step of coarseness.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    cells: BTreeMap<Cell, CellCounts>,
    step: usize,
    /// Moments of all cells.
    entries: usize,
}

/// Counts of one cell, and the smallest places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CellCounts {
    /// The first and the last second of each moment with a failure, and how many it had.
    pub(crate) moments: Vec<(i64, i64, u32)>,
    pub(crate) place: Place,
    pub(crate) evidence: Option<Place>,
    pub(crate) evidence_count: u64,
    pub(crate) retry_after: Option<u32>,
}

/// What is told apart at one step of coarseness. Each tells apart less than the one before.
pub(crate) struct Step {
    /// First segments of the route.
    pub(crate) segments: usize,
    /// Length of a moment. Moments lie within slots: every width is a multiple of those before it.
    seconds: i64,
    pub(crate) upstreams: bool,
    /// Host and scheme.
    pub(crate) hosts: bool,
    findings: bool,
}

/// Time goes first: `moment` keeps it, one dimension at a time. What belongs together is kept here: who failed to get
/// what, and why.
const STEPS: [Step; 8] = [
    Step::of(2, 1),
    Step::of(2, 60),
    Step::of(2, 3_600),
    Step {
        upstreams: false,
        ..Step::of(2, 3_600)
    },
    Step {
        upstreams: false,
        ..Step::of(1, 3_600)
    },
    Step {
        upstreams: false,
        ..Step::of(0, 3_600)
    },
    Step {
        upstreams: false,
        hosts: false,
        ..Step::of(0, 3_600)
    },
    // Crawlers and statuses are left, which are few.
    Step {
        upstreams: false,
        hosts: false,
        findings: false,
        ..Step::of(0, 86_400)
    },
];
const LAST: usize = STEPS.len() - 1;

impl Step {
    const fn of(segments: usize, seconds: i64) -> Self {
        Self {
            segments,
            seconds,
            upstreams: true,
            hosts: true,
            findings: true,
        }
    }
}

impl FailureSlots {
    /// Adds one failure.
    pub(crate) fn add(&mut self, record: Record) {
        let second = record.at.secs();
        if self.budget.note(second.div_euclid(60), 1) {
            self.fit_all();
        }
        let max = self.budget.each();
        let start = self.start(second);
        self.slots.entry(start).or_default().add(record, max);
    }

    /// Widens slots until the span fits.
    pub(crate) fn fit(&mut self, start: i64, end: i64) {
        let fits =
            |width: &i64| end.div_euclid(*width) - start.div_euclid(*width) < FAILURE_SLOTS_MAX;
        let level = WIDTHS.iter().position(fits).unwrap_or(WIDTHS.len() - 1);
        if level > self.level {
            self.level = level;
            let slots = std::mem::take(&mut self.slots);
            self.take(slots, |upstream| upstream);
        }
    }

    /// Takes in all of `other`, whose upstreams are renumbered.
    pub(crate) fn absorb(&mut self, other: Self, upstream: impl Fn(u32) -> u32) {
        if self.budget.absorb(other.budget) {
            self.fit_all();
        }
        self.take(other.slots, upstream);
    }

    /// Slots in order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Failures> {
        self.slots.values()
    }

    /// What is kept, over all slots.
    pub(crate) fn entries(&self) -> usize {
        let kept = |slot: &Failures| match slot {
            Failures::Records(records) => records.len(),
            Failures::Cells(cells) => cells.entries,
        };
        self.slots.values().map(kept).sum()
    }

    /// Above their limit upstreams are not told apart. How coarse a slot of counts is may have followed from them, so
    /// all are as coarse as can be.
    pub(crate) fn forget_upstreams(&mut self) {
        for slot in self.slots.values_mut() {
            match slot {
                Failures::Records(records) => {
                    for record in records {
                        record.cell.upstream = NONE;
                    }
                }
                Failures::Cells(cells) => cells.coarsen(LAST),
            }
        }
    }

    /// The name of a host, shared where it is that of the failure before.
    pub(crate) fn host(&mut self, name: &str) -> Arc<str> {
        match &self.host {
            Some(host) if &**host == name => Arc::clone(host),
            _ => {
                let host: Arc<str> = name.into();
                self.host = Some(Arc::clone(&host));
                host
            }
        }
    }

    fn start(&self, second: i64) -> i64 {
        let width = WIDTHS[self.level];
        second.div_euclid(width) * width
    }

    fn take(&mut self, slots: BTreeMap<i64, Failures>, upstream: impl Fn(u32) -> u32) {
        let max = self.budget.each();
        for (start, failures) in slots {
            let start = self.start(start);
            self.slots
                .entry(start)
                .or_default()
                .absorb(failures, max, &upstream);
        }
    }

    fn fit_all(&mut self) {
        let max = self.budget.each();
        self.slots.values_mut().for_each(|slot| slot.fit(max));
    }
}

impl Default for FailureSlots {
    fn default() -> Self {
        Self {
            level: 0,
            slots: BTreeMap::new(),
            budget: Budget::new(
                FAILURES_PER_SLOT_MAX,
                FAILURE_ENTRIES_MAX,
                FAILURES_PER_SLOT_MIN,
            ),
            host: None,
        }
    }
}

impl Default for Failures {
    fn default() -> Self {
        Self::Records(Vec::new())
    }
}

impl Failures {
    fn add(&mut self, record: Record, max: usize) {
        match self {
            Self::Records(records) => records.push(record),
            Self::Cells(cells) => cells.add_record(record),
        }
        self.fit(max);
    }

    /// Goes coarser until at most `max` entries are left.
    fn fit(&mut self, max: usize) {
        if let Self::Records(records) = self
            && records.len() > max
        {
            let mut cells = Cells::default();
            for record in std::mem::take(records) {
                cells.add_record(record);
            }
            *self = Self::Cells(cells);
        }
        if let Self::Cells(cells) = self {
            while cells.entries > max && cells.step < LAST {
                cells.coarsen(cells.step + 1);
            }
        }
    }

    fn absorb(&mut self, other: Self, max: usize, upstream: &impl Fn(u32) -> u32) {
        match other {
            Self::Records(records) => {
                for mut record in records {
                    record.cell.upstream = upstream(record.cell.upstream);
                    self.add(record, max);
                }
            }
            Self::Cells(mut other) => {
                // As long as the names last, two upstreams stay two.
                for (mut cell, counts) in std::mem::take(&mut other.cells) {
                    cell.upstream = upstream(cell.upstream);
                    unite(&mut other.cells, cell, counts, STEPS[other.step].seconds);
                }
                if let Self::Records(records) = self {
                    for record in std::mem::take(records) {
                        other.add_record(record);
                    }
                    *self = Self::Cells(other);
                } else if let Self::Cells(here) = self {
                    here.absorb(other);
                }
                self.fit(max);
            }
        }
    }
}

impl Cells {
    /// What its cells tell apart.
    pub(crate) const fn step(&self) -> &'static Step {
        &STEPS[self.step]
    }

    fn add_record(&mut self, record: Record) {
        let counts = CellCounts {
            moments: vec![(record.at.secs(), record.at.secs(), 1)],
            place: record.place,
            evidence: record.evidence,
            evidence_count: u64::from(record.evidence.is_some()),
            retry_after: record.retry_after,
        };
        self.add(record.cell, counts);
    }

    fn add(&mut self, cell: Cell, counts: CellCounts) {
        let step = &STEPS[self.step];
        self.entries += unite(&mut self.cells, cell.at_step(step), counts, step.seconds);
    }

    fn absorb(&mut self, other: Self) {
        self.coarsen(other.step);
        for (cell, counts) in other.cells {
            self.add(cell, counts);
        }
    }

    fn coarsen(&mut self, step: usize) {
        if step > self.step {
            self.step = step;
            self.entries = 0;
            for (cell, counts) in std::mem::take(&mut self.cells) {
                self.add(cell, counts);
            }
        }
    }
}

impl<'a> IntoIterator for &'a Cells {
    type Item = (&'a Cell, &'a CellCounts);
    type IntoIter = std::collections::btree_map::Iter<'a, Cell, CellCounts>;

    fn into_iter(self) -> Self::IntoIter {
        self.cells.iter()
    }
}

impl Cell {
    fn at_step(mut self, step: &Step) -> Self {
        cut(&mut self.route, step.segments);
        if !step.upstreams {
            self.upstream = NONE;
        }
        if !step.hosts {
            self.host = Arc::from("");
            self.scheme = None;
        }
        if !step.findings {
            self.finding = None;
        }
        self
    }
}

/// Keeps the first segments; `{…}` stands for what follows, and for `/` where none is kept.
pub(crate) fn cut(route: &mut Route, segments: usize) {
    const REST: Segment = Segment {
        key: Shape::Personal as u64,
        shape: Shape::Personal,
    };
    if usize::from(route.len) <= segments && segments > 0 {
        return;
    }
    let mut short = Route {
        len: segments as u8 + 1,
        robots: route.robots,
        ..Route::default()
    };
    short.segments[..segments].copy_from_slice(&route.segments[..segments]);
    short.segments[segments] = REST;
    *route = short;
}

/// Adds counts to a cell, by moments of so many seconds; gives how many moments are new.
fn unite(
    cells: &mut BTreeMap<Cell, CellCounts>,
    cell: Cell,
    counts: CellCounts,
    moment: i64,
) -> usize {
    let here = cells.entry(cell).or_insert_with(|| CellCounts {
        moments: Vec::with_capacity(1),
        ..counts
    });
    let before = here.moments.len();
    for (from, to, n) in &counts.moments {
        let of = |second: i64| second.div_euclid(moment);
        let at = (here.moments).partition_point(|(other, _, _)| of(*other) < of(*from));
        match here.moments.get_mut(at) {
            Some((first, last, sum)) if of(*first) == of(*from) => {
                *first = (*first).min(*from);
                *last = (*last).max(*to);
                *sum = sum.saturating_add(*n);
            }
            _ => here.moments.insert(at, (*from, *to, *n)),
        }
    }
    let new = here.moments.len() - before;
    if before > 0 {
        here.evidence_count += counts.evidence_count;
    }
    here.place = here.place.min(counts.place);
    here.evidence = match (here.evidence, counts.evidence) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    here.retry_after = here.retry_after.max(counts.retry_after);
    new
}
