//! `cargo xtask fuzz TARGET`: libFuzzer on what strangers write. Needs a nightly compiler, and says so; the seeds it starts
//! from are replayed on stable by intake's tests.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;
use crate::tool::{self, Need};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What is fed: fuzz/fuzz_targets/TARGET.rs
    target: Target,
    /// How long
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
}

#[derive(Clone, Copy, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Target {
    AccessLine,
    Envelope,
    Envoy,
    ErrorLine,
    Free,
    Go,
    Haproxy,
    Json,
    Light,
    LogFormat,
    RangeList,
    Squid,
    Varnish,
}

impl Target {
    const fn name(self) -> &'static str {
        match self {
            Self::AccessLine => "access_line",
            Self::Envelope => "envelope",
            Self::Envoy => "envoy",
            Self::ErrorLine => "error_line",
            Self::Free => "free",
            Self::Go => "go",
            Self::Haproxy => "haproxy",
            Self::Json => "json",
            Self::Light => "light",
            Self::LogFormat => "log_format",
            Self::RangeList => "range_list",
            Self::Squid => "squid",
            Self::Varnish => "varnish",
        }
    }
}

/// Chooses rustup's compiler, over what `cargo xtask` itself was built with.
const TOOLCHAIN: &str = "RUSTUP_TOOLCHAIN";
/// An input that takes longer is a hang. Ordinary ones take microseconds.
const HANG_S: u32 = 10;
/// Longer inputs only slow the search; the length limits have tests of their own.
const INPUT_BYTES_MAX: u32 = 4_096;

/// Fuzzes; an error on a panic, a hang or too much memory, with the input kept in fuzz/artifacts.
pub(crate) fn run(args: &Args) -> Result<()> {
    let (name, value) = compiler();
    tool::install(Need::Fuzz)?;
    let target = args.target.name();
    // What is found goes outside the repository; the seeds are only read.
    let found = command::root().join("target/fuzz-corpus").join(target);
    fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
    let mut fuzz = Command::new(tool::CARGO_FUZZ.get()?);
    fuzz.current_dir(command::root())
        .env(name, value)
        .env_remove("CARGO")
        .args(["run", target])
        .arg(&found)
        .arg(format!("fuzz/corpus/{target}"))
        .arg("--")
        .arg(format!("-max_total_time={}", args.seconds))
        .arg(format!("-timeout={HANG_S}"))
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .arg("-print_final_stats=1");
    command::run(&mut fuzz)
}

/// libFuzzer's instrumentation takes compiler switches that only a nightly admits to. Where there is none, the compiler
/// at hand is told to take them all the same: no promise, but so far it has worked.
fn compiler() -> (&'static str, &'static str) {
    let mut rustc = command::program("rustc");
    rustc.env(TOOLCHAIN, "nightly").arg("--version");
    if command::output(&mut rustc).is_ok_and(|version| version.contains("nightly")) {
        return (TOOLCHAIN, "nightly");
    }
    println!("libFuzzer needs a nightly compiler, and here is none. To install it:");
    println!("  rustup toolchain install nightly --profile minimal");
    println!("Trying the compiler at hand with its nightly switches on.");
    ("RUSTC_BOOTSTRAP", "1")
}
