//! The laws of scan, settle, merge and close, over whole logs: any split at line ends, merged in any order, and any
//! honest sequence of watermarks give the tally of reading once from start to end. With limits hit and without.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it skips"
)]

mod chance;
mod closing;
mod join;
mod limits;
mod log;
mod naive;
mod outage;
mod owned;
mod recordings;
mod secret;
mod sums;
mod union;
