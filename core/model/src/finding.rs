//! What intake says of one attempt or one request.

use crate::{Cause, CauseSet, Field};

/// How sure an attribution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// The log does not say.
    Unknown,
    /// One of several, all named.
    Ambiguous,
    /// The fields imply it.
    Likely,
    /// The edge states it.
    Certain,
}

impl Confidence {
    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ambiguous => "ambiguous",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// Index into the sign table of `knowledge`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignId(pub u16);

/// The attribution of one attempt or one request, from its own line and the lines joined to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// The cause; `None` where the log does not tell.
    pub cause: Option<Cause>,
    /// What else it can be.
    pub also: CauseSet,
    /// How sure.
    pub confidence: Confidence,
    /// The field that would settle it. `None` where nothing is missing, or where only the error log would help
    /// and `wants_error_log` says so.
    pub missing: Option<Field>,
    /// Whether the error log would settle it.
    pub wants_error_log: bool,
    /// The sign that decided.
    pub sign: Option<SignId>,
}

impl Finding {
    /// "Unknown; log this field."
    pub const fn unknown(missing: Option<Field>, wants_error_log: bool) -> Self {
        Self {
            cause: None,
            also: CauseSet(0),
            confidence: Confidence::Unknown,
            missing,
            wants_error_log,
            sign: None,
        }
    }

    /// Cause and alternatives together.
    pub const fn candidates(&self) -> CauseSet {
        match self.cause {
            Some(cause) => self.also.with(cause),
            None => self.also,
        }
    }
}
