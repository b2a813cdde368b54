//! One run of a program: how long it took and how much memory it had at most.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::command;

/// GNU time: the standard library does not tell a child's peak memory, and asking the kernel takes `unsafe`.
const TIME: &str = "/usr/bin/time";

/// What one run cost.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// Peak resident memory.
    pub(crate) peak_kib: u64,
}

/// Runs `words` with its output thrown away; the clock runs from start to end of the process.
pub(crate) fn cost(words: &[String], scratch: &Path) -> Result<Cost> {
    let note = scratch.join("peak-kib");
    let mut timed = Command::new(TIME);
    timed
        .args(["--format", "%M", "--output"])
        .arg(&note)
        .args(words);
    timed.current_dir(command::root());
    timed
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let start = Instant::now();
    let output = timed
        .output()
        .with_context(|| format!("cannot start {TIME}"))?;
    let wall = start.elapsed();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{} ended with {}: {}",
            words.join(" "),
            output.status,
            said.trim_end()
        );
    }
    let peak =
        fs::read_to_string(&note).with_context(|| format!("cannot read {}", note.display()))?;
    let peak_kib = peak
        .trim()
        .parse()
        .context("GNU time told no peak memory")?;
    Ok(Cost { wall, peak_kib })
}

/// Several runs of one program.
#[derive(Default)]
pub(crate) struct Costs {
    runs: Vec<Cost>,
}

impl Costs {
    pub(crate) fn push(&mut self, cost: Cost) {
        self.runs.push(cost);
        self.runs.sort_by_key(|cost| cost.wall);
    }

    /// The quickest run: what the program can do when nothing disturbs it.
    pub(crate) fn best_s(&self) -> Option<f64> {
        self.runs.first().map(|cost| cost.wall.as_secs_f64())
    }

    /// The one in the middle.
    pub(crate) fn median_s(&self) -> Option<f64> {
        let middle = self.runs.get(self.runs.len() / 2);
        middle.map(|cost| cost.wall.as_secs_f64())
    }

    /// The most memory of any run.
    pub(crate) fn peak_kib(&self) -> Option<u64> {
        self.runs.iter().map(|cost| cost.peak_kib).max()
    }
}
