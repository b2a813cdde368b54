//! Raw log lines to requests and signs; personal data ends here. Takes chunks of bytes, gives `Request` and `Sign`.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod attribute;
mod confirm;
mod entry;
mod envelope;
mod error_log;
mod filter;
mod format;
#[doc(hidden)]
pub mod fuzz;
mod held;
mod identity;
mod literal;
mod nearest;
mod path;
mod ranges;
mod redact;
mod scan;
mod secret;
mod seen;
mod sender;
mod settle;
mod state;
mod visit;

pub use confirm::{ADDRESSES_MAX, Answers, Inquiry, Lookup, NAMES_MAX, Suspect, Suspects};
pub use filter::Filter;

pub use format::{FormatError, FormatRef, Formats, Layout, Reason, USER_LAYOUTS_MAX, Warning};
pub use held::Held;
pub use ranges::{
    Expected, RangeAnswer, RangeLayout, RangeList, RangePlace, RangeProblem, Ranges, STALE_SECS,
};
pub use redact::Redactor;
pub use scan::{Chunk, Intake, LINE_MAX, Look, Scanned, Settings, Take};
pub use secret::Secret;
pub use seen::{Seen, Sources};
pub use sender::Proxies;
pub use settle::Settler;
