//! `cargo xtask test`: exactly what CI runs. Every step runs, whatever failed before it, and a table ends it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::tool::{self, Need};
use crate::{command, facts, fresh, maintenance, wall};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also check the dependencies for known vulnerabilities (needs a network)
    #[arg(long)]
    advisories: bool,
    /// Only the steps with this in their name
    #[arg(long, value_name = "STEP")]
    only: Option<String>,
}

/// What a test prints when it has nothing to read: see `shared` in the tests that say it.
const SKIPPED: &str = "skipped: shared material absent";

struct Step {
    name: &'static str,
    run: fn(&Args, &mut Skips) -> Result<()>,
}

/// Cheap ones first; the tests last, so that their closing lines are what one sees.
const STEPS: [Step; 9] = [
    Step {
        name: "tools",
        run: |_, _| tool::install(Need::Test),
    },
    Step {
        name: "format",
        run: |_, _| format(),
    },
    Step {
        name: "walls",
        run: |_, _| wall::check(),
    },
    Step {
        name: "dependencies and licences",
        run: |args, _| deny(args),
    },
    Step {
        name: "lints",
        run: |_, _| lint(),
    },
    Step {
        name: "facts",
        run: |_, _| facts::check(),
    },
    Step {
        name: "fresh recordings",
        run: |_, _| fresh::check(),
    },
    Step {
        name: "planned restarts",
        run: |_, _| maintenance::run(&maintenance::Args::default()),
    },
    // The recorded cases and the fuzz corpora are replayed in here.
    Step {
        name: "tests",
        run: |_, skips| test(skips),
    },
];

struct Outcome {
    name: &'static str,
    took: Duration,
    error: Option<anyhow::Error>,
}

/// Runs every step; an error if one failed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut skips = Skips::default();
    let outcomes: Vec<Outcome> = STEPS
        .iter()
        .filter(|step| {
            args.only
                .as_ref()
                .is_none_or(|only| step.name.contains(only))
        })
        .map(|step| outcome(step, args, &mut skips))
        .collect();
    summarise(&outcomes, &skips);
    let failed = outcomes.iter().filter(|step| step.error.is_some()).count();
    if failed > 0 {
        bail!("{failed} of {} steps failed", outcomes.len());
    }
    Ok(())
}

fn outcome(step: &Step, args: &Args, skips: &mut Skips) -> Outcome {
    println!("\n== {}", step.name);
    let start = Instant::now();
    let error = (step.run)(args, skips).err();
    let took = start.elapsed();
    match &error {
        None => println!("-- ok, {:.1} s", took.as_secs_f64()),
        Some(error) => println!("-- FAILED, {:.1} s: {error:#}", took.as_secs_f64()),
    }
    Outcome {
        name: step.name,
        took,
        error,
    }
}

fn summarise(outcomes: &[Outcome], skips: &Skips) {
    println!("\n== summary");
    for step in outcomes {
        let result = if step.error.is_some() { "FAILED" } else { "ok" };
        println!(
            "{:<26} {result:<6} {:>7.1} s",
            step.name,
            step.took.as_secs_f64()
        );
    }
    skips.print();
}

fn format() -> Result<()> {
    command::run(command::cargo().args(["fmt", "--all", "--", "--check"]))?;
    // Not in the workspace: libFuzzer needs a nightly compiler.
    command::run(command::cargo().args([
        "fmt",
        "--manifest-path",
        "fuzz/Cargo.toml",
        "--",
        "--check",
    ]))
}

fn lint() -> Result<()> {
    command::run(command::cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}

fn deny(args: &Args) -> Result<()> {
    let mut deny = command::program(tool::CARGO_DENY.get()?);
    deny.args(["--locked", "--workspace", "check"]);
    if args.advisories {
        deny.arg("advisories");
    }
    command::run(deny.args(["bans", "licenses", "sources"]))
}

/// Tests that had nothing to read and said so.
#[derive(Default)]
struct Skips {
    tests: Vec<String>,
}

impl Skips {
    fn print(&self) {
        match self.tests.len() {
            0 => println!("no test was skipped"),
            1 => println!("1 test was skipped, the material it reads is absent:"),
            count => println!("{count} tests were skipped, the material they read is absent:"),
        }
        for test in &self.tests {
            println!("  {test}");
        }
    }
}

/// Plain `cargo test`. It is asked for what passing tests print, which is searched for skips and not shown.
fn test(skips: &mut Skips) -> Result<()> {
    let mut cargo = command::cargo();
    cargo.args([
        "test",
        "--workspace",
        "--locked",
        "--no-fail-fast",
        "--",
        "--show-output",
    ]);
    println!("$ {}", command::shown(&cargo));
    let mut child = cargo
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let stdout = child
        .stdout
        .take()
        .ok_or_else(|| anyhow!("cargo has no stdout"))?;
    let mut successes = Successes::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.context("cannot read what cargo prints")?;
        let line = String::from_utf8_lossy(&line);
        if successes.is_news(&line, skips) {
            println!("{line}");
        }
    }
    let status = child.wait().context("cannot wait for cargo")?;
    if !status.success() {
        bail!("cargo test ended with {status}");
    }
    Ok(())
}

/// Follows the part of libtest's output in which passing tests tell what they printed.
#[derive(Default)]
struct Successes {
    inside: bool,
    test: String,
}

impl Successes {
    /// Whether the line is to be shown.
    fn is_news(&mut self, line: &str, skips: &mut Skips) -> bool {
        if line == "successes:" {
            self.inside = true;
        } else if line == "failures:" || line.starts_with("test result: ") {
            self.inside = false;
        } else if let Some(test) = header(line) {
            self.test = test.to_owned();
        } else if self.inside && line.starts_with(SKIPPED) {
            skips.tests.push(self.test.clone());
        }
        !self.inside
    }
}

/// The test whose output follows: `---- module::test stdout ----`.
fn header(line: &str) -> Option<&str> {
    line.strip_prefix("---- ")?.strip_suffix(" stdout ----")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skips_are_counted_and_passing_output_is_not_shown() {
        let output = "running 2 tests\ntest a ... ok\n\nsuccesses:\n\n---- a stdout ----\n\
            skipped: shared material absent\n\n\nsuccesses:\n    a\n    b\n\n\
            test result: ok. 2 passed; 0 failed\n";
        let mut successes = Successes::default();
        let mut skips = Skips::default();
        let shown: Vec<&str> = output
            .lines()
            .filter(|line| successes.is_news(line, &mut skips))
            .collect();
        assert_eq!(skips.tests, ["a"]);
        assert_eq!(
            shown,
            [
                "running 2 tests",
                "test a ... ok",
                "",
                "test result: ok. 2 passed; 0 failed"
            ]
        );
    }
}
