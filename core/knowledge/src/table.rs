//! The tables that the build makes of `facts/`, sorted by name or id.

use model::{Category, Cause, CauseSet, Confidence, Edge, Field, LogKind};

use crate::edge::{BlindSpot, DefaultPage, EdgeFacts, Recommended};
use crate::{
    Basis, CauseFacts, Claim, Condition, Crawler, FactEntry, Format, Ground, Mistake, Op, Part,
    Predicate, RobotsToken, SignRule, Topic, TopicKind, Value,
};

include!(concat!(env!("OUT_DIR"), "/tables.rs"));
