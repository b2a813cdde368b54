//! The nouns that all stages share, and the closed enums. Takes nothing, gives words; depends on nothing of ours.
//!
//! No type here has a field that can hold an address, a user agent, a query string, a cookie, a referrer or the
//! text of a log line. That is the wall of `intake`, written as types: see ARCHITECTURE.md.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod cause;
mod claim;
mod coverage;
mod diagnosis;
mod edge;
mod field;
mod finding;
mod incident;
mod mark;
mod place;
pub mod probe;
mod report;
mod request;
mod scope;
mod sign;
mod stamp;
mod verdict;

pub use cause::{Cause, CauseSet, Layer};
pub use claim::{Category, Claim, CrawlerId, Identity};
pub use coverage::{Coverage, Gap, Joined, Limit, LogKind, Problem, SourceReport};
pub use diagnosis::{
    Advice, CrawlerLoad, Diagnosis, Evidence, Fact, IdleRace, LoadBefore, Risk, RiskStatus,
};
pub use edge::Edge;
pub use field::Field;
pub use finding::{Confidence, Finding, SignId};
pub use incident::{
    Bounds, Counts, CrawlRate, CrawlerHit, Incident, IncidentId, PathHit, RateBasis, RateWindow,
    Revision, RouteHit, TimeToReturn, UpstreamHit,
};
pub use mark::{Mark, MarkKind};
pub use place::{Place, SourceId};
pub use report::{
    Blocked, CrawlerReport, LedgerRow, Patience, Report, RetryAfter, RobotsFact, RobotsPhase,
    SignReport, Totals,
};
pub use request::{
    Attempt, Fetch, Method, Outcome, Request, Route, Scheme, Segment, Shape, Status,
};
pub use scope::{Scope, ScopeKind};
pub use sign::Sign;
pub use stamp::Stamp;
pub use verdict::Verdict;
