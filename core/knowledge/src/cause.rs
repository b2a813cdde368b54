//! Causes: what each means and what to check first.

use model::Cause;

/// What is known of a cause.
#[derive(Clone, Copy, Debug)]
pub struct CauseFacts {
    /// The cause.
    pub cause: Cause,
    /// A few words for a report line: "connection refused".
    pub title: &'static str,
    /// What it means, in a sentence.
    pub says: &'static str,
    /// What to do, first things first.
    pub advice: &'static [&'static str],
    /// Its usual shape in time.
    pub shape: &'static str,
    /// Where that is known from.
    pub source: &'static str,
    /// When that was checked; `None` prints "Data not yet verified".
    pub checked: Option<&'static str>,
}

/// What is known of `cause`.
pub fn cause(cause: Cause) -> &'static CauseFacts {
    unreachable!("{}", cause.name())
}
