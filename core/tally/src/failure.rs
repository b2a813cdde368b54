//! Failed requests: records with all dimensions, and above a limit per slot counts per second and cell.

use std::collections::BTreeMap;

use model::{CrawlerId, Edge, Finding, Place, Route, Scheme, Stamp, Status};

use crate::limit::FAILURES_PER_SLOT_MAX;

/// What a failure shares with others of its cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Cell {
    pub(crate) edge: Edge,
    pub(crate) host: Box<str>,
    pub(crate) scheme: Option<Scheme>,
    /// The raw route: its node is found once all routes are known.
    pub(crate) route: Route,
    pub(crate) crawler: Option<CrawlerId>,
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

/// Counts of one cell: per second how many; and the smallest places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CellCounts {
    pub(crate) seconds: BTreeMap<i64, u32>,
    pub(crate) place: Place,
    pub(crate) evidence: Option<Place>,
    pub(crate) evidence_count: u64,
    pub(crate) retry_after: Option<u32>,
}

/// The failures of one slot.
#[derive(Clone, Debug)]
pub(crate) enum Failures {
    Records(Vec<Record>),
    Cells(BTreeMap<Cell, CellCounts>),
}

impl Failures {
    pub(crate) const fn new() -> Self {
        Self::Records(Vec::new())
    }

    pub(crate) fn add(&mut self, record: Record) {
        match self {
            Self::Records(records) => {
                records.push(record);
                if records.len() > FAILURES_PER_SLOT_MAX {
                    self.fold();
                }
            }
            Self::Cells(cells) => add_to_cell(cells, record),
        }
    }

    fn fold(&mut self) {
        if let Self::Records(records) = self {
            let mut cells = BTreeMap::new();
            for record in std::mem::take(records) {
                add_to_cell(&mut cells, record);
            }
            *self = Self::Cells(cells);
        }
    }

    /// Adds all of `other`, whose upstreams are renumbered.
    pub(crate) fn absorb(&mut self, other: Self, upstream: impl Fn(u32) -> u32) {
        match other {
            Self::Records(records) => {
                for mut record in records {
                    record.cell.upstream = upstream(record.cell.upstream);
                    self.add(record);
                }
            }
            Self::Cells(cells) => {
                self.fold();
                if let Self::Cells(here) = self {
                    for (mut cell, counts) in cells {
                        cell.upstream = upstream(cell.upstream);
                        unite(here, cell, counts);
                    }
                }
            }
        }
    }
}

fn add_to_cell(cells: &mut BTreeMap<Cell, CellCounts>, record: Record) {
    let counts = CellCounts {
        seconds: BTreeMap::from([(record.at.secs(), 1)]),
        place: record.place,
        evidence: record.evidence,
        evidence_count: u64::from(record.evidence.is_some()),
        retry_after: record.retry_after,
    };
    unite(cells, record.cell, counts);
}

fn unite(cells: &mut BTreeMap<Cell, CellCounts>, cell: Cell, counts: CellCounts) {
    let Some(here) = cells.get_mut(&cell) else {
        cells.insert(cell, counts);
        return;
    };
    for (second, n) in counts.seconds {
        *here.seconds.entry(second).or_default() += n;
    }
    here.place = here.place.min(counts.place);
    here.evidence = match (here.evidence, counts.evidence) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    here.evidence_count += counts.evidence_count;
    here.retry_after = here.retry_after.max(counts.retry_after);
}
