//! What is true of the world: `facts/` as types. Takes nothing, gives tables; refuses, at build time, a fact without
//! a source, a cause without a file and a format without a sample.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod cause;
mod crawler;
mod edge;
mod fact;
mod format;
mod sign;
mod table;
mod telling;
mod topic;

pub use cause::{CauseFacts, cause};
pub use crawler::{
    Crawler, CrawlerMatcher, RangeSource, RobotsToken, TokenHit, TokenVerdict, crawler,
    crawler_named, crawlers, robots_tokens,
};
pub use edge::{BlindSpot, DefaultPage, EdgeFacts, Recommended, edge};
pub use fact::{Checked, CheckedTotals, FactEntry, fact, facts, unverified};
pub use format::{Format, formats};
pub use sign::{Basis, Condition, Op, Predicate, SignRule, Value, sign, signs};
pub use telling::{Telling, telling};
pub use topic::{Claim, Ground, Mistake, Part, Topic, TopicKind, mistakes, topic, topics};
