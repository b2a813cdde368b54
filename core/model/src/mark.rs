//! What the operator did and when: shown beside incidents, never by itself a cause.

use crate::Stamp;

/// Kind of mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkKind {
    /// A deploy.
    Deploy,
    /// Planned maintenance.
    Maintenance,
}

impl MarkKind {
    /// The name in files and outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Maintenance => "maintenance",
        }
    }
}

/// A moment or an interval with a label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// From.
    pub start: Stamp,
    /// To; equal to `start` for a moment.
    pub end: Stamp,
    /// What kind.
    pub kind: MarkKind,
    /// The operator's label.
    pub label: String,
}
