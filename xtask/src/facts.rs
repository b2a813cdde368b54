//! `cargo xtask facts`: what is true of the world, held against the code and against the pages made from it.

use anyhow::Result;

use crate::command;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Change nothing: fail where something is stale or missing
    #[arg(long)]
    check: bool,
}

/// Checks, and says what it cannot yet write.
pub(crate) fn run(args: &Args) -> Result<()> {
    if !args.check {
        println!("No page is made from the facts yet, so there is nothing to rewrite: checking.");
    }
    check()
}

/// An enum variant without a file, a file without a variant, a fact without a source, a format without a matching
/// sample: the build of `knowledge` refuses the first three, its tests the rest.
pub(crate) fn check() -> Result<()> {
    command::run(command::cargo().args(["test", "--locked", "--package", "knowledge", "--quiet"]))
}
