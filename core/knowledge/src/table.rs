//! The tables that the build makes of `facts/`, sorted by name or id.

use model::{Category, Cause, CauseSet, Confidence, Edge, Field, LogKind};

use crate::edge::{BlindSpot, DefaultPage, EdgeFacts, Recommended};
use crate::{
    Basis, CauseFacts, Condition, Crawler, FactEntry, Format, Op, Predicate, RobotsToken, SignRule,
    Value,
};

include!(concat!(env!("OUT_DIR"), "/tables.rs"));
