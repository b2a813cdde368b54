//! Requests to mergeable counts and the ledger. Takes settled requests and signs, gives a tally that merges in any
//! order and closes in event time.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod series;

pub use series::{Key, Obs};
