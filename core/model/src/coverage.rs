//! What was read, and what could not be.

use crate::{Edge, Field, SourceId, Stamp};

/// What a source holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogKind {
    /// Requests.
    Access,
    /// The edge's error log.
    Error,
    /// The origin's own log.
    Origin,
}

impl LogKind {
    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Error => "error",
            Self::Origin => "origin",
        }
    }
}

/// What was read from one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceReport {
    /// The path as the user would type it.
    pub path: String,
    /// The product that wrote it.
    pub edge: Edge,
    /// Name of the layout most of its lines have; empty where none was recognised.
    pub format: String,
    /// The fields that its layouts carry.
    pub fields: Vec<Field>,
    /// What it holds.
    pub kind: LogKind,
    /// Lines read, blank ones left out.
    pub lines: u64,
    /// Requests among them.
    pub requests: u64,
    /// Error-log entries among them.
    pub entries: u64,
    /// Lines that are no records: of other programs in the stream, or headers of the file.
    pub others: u64,
    /// Lines that are none of these.
    pub unparsed: u64,
    /// First stamp.
    pub first: Option<Stamp>,
    /// Last stamp.
    pub last: Option<Stamp>,
    /// Zone of the log's own stamps, minutes east of UTC, as most lines have it.
    pub zone: Option<i32>,
}

impl SourceReport {
    /// Whether entries of an error log stand in it, alone or between requests.
    pub fn has_entries(&self) -> bool {
        self.kind == LogKind::Error || self.entries > 0
    }
}

/// A stretch without any line: absence of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// From.
    pub start: Stamp,
    /// To.
    pub end: Stamp,
}

/// How access and error log were joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Joined {
    /// Failures of the edges whose error log was read, hidden ones included.
    pub failures: u64,
    /// Those with an error line joined to them.
    pub with_error_line: u64,
    /// Joined by a connection number or log id.
    pub exact: u64,
    /// Joined by client, request line and time.
    pub best_match: u64,
    /// Error lines about upstreams that no access line matched.
    pub signs_unmatched: u64,
    /// Zone of the error logs as found by the join, minutes east of UTC.
    pub error_zone: Option<i32>,
}

/// A limit that was hit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub limit: u64,
    /// How much fell under it.
    pub dropped: u64,
}

/// Something that could not be read: a place and a reason, never a piece of the line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The path.
    pub source: String,
    /// First line it happened on; `None` where it concerns the whole source.
    pub line: Option<u64>,
    /// What is wrong.
    pub reason: String,
    /// How often.
    pub count: u64,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Coverage {
    /// First stamp of all.
    pub start: Option<Stamp>,
    /// Last stamp of all.
    pub end: Option<Stamp>,
    /// The moment the judgement holds for.
    pub judged_at: Stamp,
    /// Stretches without any line, longer than the site's rhythm explains.
    pub gaps: Vec<Gap>,
    /// Every source, in rank order: [`SourceId`] is the index.
    pub sources: Vec<SourceReport>,
    /// How access and error log were joined.
    pub joined: Joined,
}

impl Coverage {
    /// Path of a source.
    pub fn path(&self, source: SourceId) -> &str {
        self.sources
            .get(source.0 as usize)
            .map_or("", |source| source.path.as_str())
    }
}
