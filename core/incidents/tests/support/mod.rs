//! Requests, logs and scenarios for the judge's tests.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "test code")]

pub(crate) mod access;
pub(crate) mod rows;
pub(crate) mod scenario;
pub(crate) mod truth;
