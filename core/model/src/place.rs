//! Where a line stands, so that evidence can name it without quoting it.

/// Index of a source in [`crate::Coverage::sources`]. Sources rank by first stamp, then name: the order of
/// arguments never shows in a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SourceId(pub u32);

/// A line of a source. Lines count from 1. Ordering is source, then line, which is byte order within a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// The file or stream.
    pub source: SourceId,
    /// Line number from 1.
    pub line: u64,
}
