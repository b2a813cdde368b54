//! What is true of a log, in the form of the truth files that come with the worked examples: both can be scored by the
//! same scorer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::scope::Scope;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Truth {
    pub(crate) scenario: String,
    /// The kind of situation.
    pub(crate) family: String,
    pub(crate) size: String,
    pub(crate) format: String,
    pub(crate) log_start: f64,
    pub(crate) log_end: f64,
    /// Requests in the log.
    pub(crate) lines: usize,
    pub(crate) other_traffic: bool,
    pub(crate) background: f64,
    pub(crate) gaps: Vec<(f64, f64)>,
    pub(crate) skew: f64,
    pub(crate) incidents: Vec<Planted>,
    pub(crate) facts: Facts,
}

/// A planted incident and what the log can show of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Planted {
    pub(crate) id: String,
    pub(crate) start: f64,
    /// None: it goes on.
    pub(crate) end: Option<f64>,
    /// Boundaries that the log cannot tell from the true one.
    pub(crate) start_set: (f64, f64),
    pub(crate) end_set: (f64, f64),
    pub(crate) scope: Scope,
    /// Scopes that explain the same failures as well.
    pub(crate) also_scope: Vec<Scope>,
    pub(crate) verdict: String,
    pub(crate) accept: Vec<String>,
    pub(crate) detectable: bool,
    pub(crate) clear: bool,
    pub(crate) identifiable: bool,
    /// Why not detectable or identifiable.
    pub(crate) why: String,
    pub(crate) bursts: Option<Vec<(f64, f64)>>,
    pub(crate) failed: usize,
    pub(crate) in_scope: usize,
    /// Evidence in nats, and how much of it one false alarm a month asks for.
    pub(crate) llr: f64,
    pub(crate) h: f64,
    /// When the detector that knows everything but the moment has seen enough, and after how many fetches.
    pub(crate) oracle_time: Option<f64>,
    pub(crate) oracle_n: Option<usize>,
    /// When so many times as many fetches had been seen.
    pub(crate) ladder: Vec<(f64, f64)>,
    pub(crate) crawlers: BTreeMap<String, CrawlerFact>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CrawlerFact {
    pub(crate) failed: u64,
    pub(crate) first_ok: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) open_urls: Vec<(String, String)>,
    pub(crate) robots: Vec<RobotsFact>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RobotsFact {
    pub(crate) crawler: String,
    pub(crate) failing_since: f64,
    pub(crate) last_ok: Option<f64>,
    pub(crate) phase: String,
}
