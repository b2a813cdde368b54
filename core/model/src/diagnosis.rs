//! An incident explained.

use crate::{Cause, Confidence, CrawlerId, Field, Incident, Layer, Mark, Place, SignId, Stamp};

/// A statement about the world that the report makes, by the id that `facts/` gives it (`ROB-07`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fact(pub &'static str);

/// Whether a fact was read at its primary source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RiskStatus {
    /// Read at its primary source.
    Verified,
    /// "Data not yet verified".
    NotYetVerified,
}

impl RiskStatus {
    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::NotYetVerified => "not yet verified",
        }
    }
}

/// What is at risk, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The fact behind it.
    pub fact: Fact,
    /// What is at risk, with this incident's numbers: `robots.txt: 502 to googlebot`.
    pub what: String,
    /// What comes of it: `Google stops crawling until it can be read`.
    pub then: String,
    /// Since when it has been so.
    pub since: Option<Stamp>,
    /// When it was last well.
    pub last_good: Option<Stamp>,
    /// When it falls due; `None` where no date follows.
    pub due: Option<Stamp>,
    /// Whether the fact is verified.
    pub status: RiskStatus,
    /// Its source.
    pub source: &'static str,
}

/// What the operator should do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What to do.
    pub action: String,
    /// Why.
    pub why: String,
    /// The fact behind it, where there is one.
    pub fact: Option<Fact>,
}

/// An observation with a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The smallest place in order.
    pub place: Place,
    /// The sign it shows; `None` for a plain failed request.
    pub sign: Option<SignId>,
    /// What it says, in words.
    pub says: String,
    /// How many more lines say the same, this one included.
    pub count: u64,
}

/// What the shape of an incident says of a stale kept connection where each failure alone may be one or a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleRace {
    /// Thin and even over time, routes and upstreams.
    Likely {
        /// Failed requests.
        failed: u64,
        /// All requests of the scope meanwhile.
        total: u64,
        /// Minutes with a failure.
        minutes: u64,
        /// Routes with a failure.
        routes: u64,
        /// Upstreams with a failure; 0 where the log names none.
        upstreams: u64,
    },
    /// Nearly everything failed, which a race does not do.
    RuledOut {
        /// Failed requests.
        failed: u64,
        /// All requests of the scope meanwhile.
        total: u64,
    },
}

/// What a crawler asked in the minutes before an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrawlerLoad {
    /// Who.
    pub crawler: CrawlerId,
    /// Its requests.
    pub requests: u64,
    /// As many usually come from it in that time, rounded up.
    pub usual: u64,
    /// Their time upstream in hundredths of a second.
    pub centis: u64,
}

/// Who asked how much in the minutes before an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBefore {
    /// Length of the stretch.
    pub seconds: i64,
    /// Requests of all clients.
    pub requests: u64,
    /// As many usually come in that time, rounded up.
    pub usual: u64,
    /// Time upstream of all in hundredths of a second; 0 where no time is logged.
    pub centis: u64,
    /// Crawlers, most requests first.
    pub crawlers: Vec<CrawlerLoad>,
    /// The crawler whose burst came first, if one did.
    pub burst: Option<CrawlerId>,
}

/// An incident with its layer, cause, evidence, risk and advice.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// The incident.
    pub incident: Incident,
    /// The layer that broke.
    pub layer: Layer,
    /// The root cause where known, else the cause the edge states; `None` where the log cannot tell.
    pub cause: Option<Cause>,
    /// The root cause, where known.
    pub root: Option<Cause>,
    /// How sure.
    pub confidence: Confidence,
    /// What else it can be, most frequent first.
    pub alternatives: Vec<Cause>,
    /// What the incident's shape says of an idle connection race; `None` where that is no question, or not told.
    pub idle_race: Option<IdleRace>,
    /// The field that would settle it.
    pub missing: Option<Field>,
    /// Whether the error log would settle it.
    pub wants_error_log: bool,
    /// Failed requests that only echo the root cause (no live upstreams): blast radius.
    pub echoes: u64,
    /// Failures whose own cause is the one given.
    pub supporting: u64,
    /// Evidence, strongest first.
    pub evidence: Vec<Evidence>,
    /// Who asked how much in the minutes before; `None` where the log does not go far enough back.
    pub load_before: Option<LoadBefore>,
    /// What is at risk.
    pub risk: Vec<Risk>,
    /// What to do, first things first.
    pub advice: Vec<Advice>,
    /// Marks near the start, with the seconds from mark to start.
    pub marks: Vec<(Mark, i64)>,
}
