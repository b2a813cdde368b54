//! The probe against scripted origins on loopback: every fault, its healthy look-alike, and two hundred healthy answers.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic, and says what it measured"
)]

mod faults;
mod healthy;
mod many;
mod server;

use std::time::Duration;

use model::probe::{Outcome, Role};
use probe::Plan;

/// For what never answers: short for a test.
const SHORT: Duration = Duration::from_millis(400);
/// For everything else: nothing on a loopback is slow, but the machine may be.
const LONG: Duration = Duration::from_secs(20);

/// Asks these origins for `paths`, and no edge.
fn ask(origins: &[&str], paths: &[String], change: impl Fn(&mut Plan)) -> Vec<Outcome> {
    let mut plan = Plan::new("http://localhost/".parse().unwrap());
    plan.edges.clear();
    plan.origins = origins
        .iter()
        .map(|origin| origin.parse().unwrap())
        .collect();
    plan.paths = paths.to_vec();
    plan.timeout = LONG;
    change(&mut plan);
    let outcomes = probe::probe(&plan).unwrap();
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.target.role == Role::Origin)
    );
    outcomes
}

/// One origin, one path.
fn one(origin: &str, change: impl Fn(&mut Plan)) -> Outcome {
    let outcomes = ask(&[origin], &["/".to_owned()], change);
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    outcomes.into_iter().next().unwrap()
}
