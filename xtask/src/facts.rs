//! `cargo xtask facts`: what is true of the world, held against the code and against the pages made from it.

mod due;
mod named;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};

use crate::{command, page};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Change nothing: fail where something is stale or missing
    #[arg(long)]
    check: bool,
    /// Change nothing: count what was checked, and list what was not and what is due to be read again
    #[arg(long, conflicts_with = "check")]
    report: bool,
    /// The day of the report instead of today
    #[arg(long, value_name = "YYYY-MM-DD", requires = "report")]
    today: Option<jiff::civil::Date>,
}

/// Writes the pages anew, or fails where one is stale; then checks.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.report {
        let today = args.today.map_or_else(due::today, Ok)?;
        print!("{}", report(today));
        return Ok(());
    }
    if args.check {
        return check();
    }
    for page::Page { path, make } in page::PAGES {
        std::fs::write(command::root().join(path), make())
            .with_context(|| format!("cannot write {path}"))?;
    }
    check()
}

/// An enum variant without a file, a file without a variant, a fact without a source, a topic that is missing or leads
/// nowhere, a format without a matching sample: the build of `knowledge` refuses all but the last, its tests the rest.
/// A page that is not what the facts say; an id in code or docs that names no statement.
pub(crate) fn check() -> Result<()> {
    for page::Page { path, make } in page::PAGES {
        let page = std::fs::read_to_string(command::root().join(path)).unwrap_or_default();
        ensure!(
            page == make(),
            "{path} is stale: cargo xtask facts writes it"
        );
    }
    let unknown = named::unknown(&command::root())?;
    ensure!(
        unknown.is_empty(),
        "ids that name nothing in facts/:\n{}",
        unknown.join("\n")
    );
    // Only a warning: that a page is old does not make it wrong.
    let due = due::facts(due::today()?);
    if !due.is_empty() {
        println!("{} facts are due: cargo xtask facts --report", due.len());
    }
    command::run(command::cargo().args(["test", "--locked", "--package", "knowledge", "--quiet"]))
}

/// For the person who reviews.
fn report(today: jiff::civil::Date) -> String {
    let totals = knowledge::unverified();
    let mut text = String::from("Checked at a primary source:\n");
    for (what, count) in [
        ("statements", totals.statements),
        ("claims of topics", totals.claims),
        ("common mistakes", totals.mistakes),
        ("signs", totals.signs),
        ("crawlers", totals.crawlers),
    ] {
        let (verified, unverified) = (count.verified, count.unverified);
        let all = verified + unverified;
        text += &format!("  {what:<17} {all:>5}: {verified:>5} verified, {unverified:>3} not\n");
    }
    text += &format!("  {} topics\n", knowledge::topics().len());
    text += "\nNot yet verified:\n";
    for fact in knowledge::facts().iter().filter(|it| it.checked.is_none()) {
        text += &format!(
            "  {:<8} {}\n           {} ({})\n",
            fact.id, fact.says, fact.source, fact.basis
        );
    }
    for mistake in knowledge::mistakes()
        .iter()
        .filter(|it| it.ground.checked.is_none())
    {
        text += &format!("  {:<8} {}\n", mistake.id, mistake.advice);
    }
    for topic in knowledge::topics() {
        let own = topic.claims.iter().filter(|claim| {
            let is_own = claim.grounds.iter().all(|ground| ground.name.is_none());
            is_own && !claim.is_verified()
        });
        for claim in own {
            text += &format!("  {}: {}\n", topic.name, claim.says);
        }
    }
    let due = due::facts(today);
    text += &format!("\nDue to be read again on {today} ({}):\n", due.len());
    let mut by_source = BTreeMap::<(&str, &str), Vec<&str>>::new();
    for fact in &due {
        by_source
            .entry((fact.checked, fact.source))
            .or_default()
            .push(fact.name);
    }
    for ((checked, source), names) in by_source {
        text += &format!("  read {checked}: {source}\n      {}\n", names.join(", "));
    }
    text
}
