//! `cargo xtask facts`: what is true of the world, held against the code and against the pages made from it.

use anyhow::{Context as _, Result, ensure};

use crate::{command, page};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Change nothing: fail where something is stale or missing
    #[arg(long)]
    check: bool,
}

/// Writes the pages anew, or fails where one is stale; then checks.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.check {
        return check();
    }
    std::fs::write(command::root().join(page::EDGES), page::edges())
        .with_context(|| format!("cannot write {}", page::EDGES))?;
    check()
}

/// An enum variant without a file, a file without a variant, a fact without a source, a format without a matching
/// sample: the build of `knowledge` refuses the first three, its tests the rest. A page that is not what the facts say.
pub(crate) fn check() -> Result<()> {
    let page = std::fs::read_to_string(command::root().join(page::EDGES)).unwrap_or_default();
    ensure!(
        page == page::edges(),
        "{} is stale: cargo xtask facts writes it",
        page::EDGES
    );
    command::run(command::cargo().args(["test", "--locked", "--package", "knowledge", "--quiet"]))
}
