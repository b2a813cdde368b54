//! `probe`: edge and origins phase by phase, and what it comes to.

mod json;
mod text;
mod words;

use model::CrawlerId;
use model::probe::{Outcome, Verdict};

pub use json::{probe_json, probe_schema};
pub use text::probe_text;

/// Everything that there is to tell.
#[derive(Clone, Copy, Debug)]
pub struct Probed<'a> {
    /// What was asked for, as it was typed.
    pub url: &'a str,
    /// Whose user agent was sent, where it was not the probe's own.
    pub sent_as: Option<CrawlerId>,
    /// What was seen.
    pub outcomes: &'a [Outcome],
    /// What it comes to.
    pub verdict: &'a Verdict,
}
