//! `cargo xtask cases`: the recorded cases, run through the program, with what it must say.

use anyhow::Result;

use crate::command;

/// Set for the runner when it is to write what it got instead of comparing.
const UPDATE: &str = "WEBMASTERID_UPDATE_CASES";
/// Part of the names of the cases that the runner is to run: one test function runs them all.
const ONLY: &str = "WEBMASTERID_CASES";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only cases whose name contains this
    filter: Option<String>,
    /// Rewrite the expected output; a person reads the difference
    #[arg(long)]
    update: bool,
}

/// Runs the tests in `webmasterid/tests/cases.rs`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut cargo = command::cargo();
    cargo.args([
        "test",
        "--locked",
        "--package",
        "webmasterid",
        "--test",
        "cases",
    ]);
    if let Some(filter) = &args.filter {
        cargo.env(ONLY, filter);
    }
    if args.update {
        cargo.env(UPDATE, "1");
    }
    command::run(&mut cargo)
}
