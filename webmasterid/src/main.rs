//! The binary: arguments, wiring, exit codes. Everything that decides anything lives in the core crates.

mod cli;
mod clock;
mod command;
mod coverage;
mod exit;
mod layouts;
mod marks;
mod output;
mod pipeline;
mod progress;
mod range_store;
mod ranges;
mod selection;
mod sources;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Diagnose(args) => command::diagnose::run(&args),
        Command::Failures(args) => command::failures::run(&args),
        Command::Probe(args) => command::probe::run(&args),
        Command::Crawlers(command) => command::crawlers::run(&command),
        Command::Maintenance(args) => command::maintenance::run(&args),
        Command::Explain(args) => command::explain::run(&args),
        Command::Logformat(args) => command::logformat::run(&args),
        Command::Redact(args) => command::redact::run(&args),
        Command::Schema(args) => command::generate::schema(&args),
        Command::Completions(args) => command::generate::completions(&args),
        Command::Man(args) => command::generate::man(&args),
    };
    exit::code(result)
}
