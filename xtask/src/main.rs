//! What is done to the project rather than by it: `cargo xtask test` is all that CI runs.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for people at a terminal: printing is what it does"
)]

mod bench;
mod bench_formats;
mod cases;
mod command;
mod facts;
mod fresh;
mod fuzz;
mod judge;
mod lab;
mod maintenance;
mod measure;
mod page;
mod reference_format;
mod reference_log;
mod score;
mod test;
mod tool;
mod verify;
mod wall;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Checks, recordings and benchmarks of webmasterid"
)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Format, lints, walls, licences and tests: exactly what CI runs
    Test(test::Args),
    /// Generate the reference log and time webmasterid against other tools
    Bench(bench::Args),
    /// Run one fuzz target for a while
    Fuzz(fuzz::Args),
    /// Check the facts against the code and the pages made from them
    Facts(facts::Args),
    /// Run the recorded cases, or rewrite their expected output
    Cases(cases::Args),
    /// Score the answers to every recorded failure, by edge and by cause
    Score(score::Args),
    /// Measure incidents and verdicts on seeded logs of every kind, beside what operators use today
    Judge(judge::Args),
    /// Try every text of `webmasterid maintenance` in the real program, through a restart of the origin
    Maintenance(maintenance::Args),
    /// Time the check of crawlers against a name server on loopback
    Verify(verify::Args),
    /// Record examples/ and cases/ anew from real proxies
    Record(lab::Args),
}

fn main() -> ExitCode {
    match run(Args::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Test(args) => test::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Facts(args) => facts::run(&args),
        Task::Cases(args) => cases::run(&args),
        Task::Score(args) => score::run(&args),
        Task::Judge(args) => judge::run(&args),
        Task::Verify(args) => verify::run(&args),
        Task::Maintenance(args) => maintenance::run(&args),
        Task::Record(args) => match tool::with_edges()? {
            Some(mut again) => command::run(again.args(std::env::args_os().skip(1))),
            None => lab::record(&args),
        },
    }
}
