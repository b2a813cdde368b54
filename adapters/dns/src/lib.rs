//! Adapter: reverse names and the way back, asked of name servers. It is lent addresses one at a time, moves questions
//! and answers, and decides nothing about crawlers: what an answer means is `intake`'s.
//!
//! No error and no `Debug` output here holds an address that was asked about or a name that was found.
#![deny(clippy::disallowed_types)]

mod asker;
mod settings;

pub use asker::{Asked, Questions, ask};
pub use settings::{CONCURRENCY, Error, RETRIES, Settings, TIMEOUT};
