//! `cargo xtask score`: what the program says of every recorded failure, against what the lab did.
//!
//! Whether a failure can be told is set by the tables of cases before the program runs: a case whose `answer` is `-` has
//! logs that leave the cause open.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use model::Cause;
use serde_json::Value;

use crate::command;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of the cases, as `record --into` writes it
    #[arg(long, value_name = "FOLDER")]
    cases: Option<PathBuf>,
    /// Only this edge
    #[arg(long)]
    edge: Option<String>,
    /// Give the program each log's format string, as a user would who has a layout of his own
    #[arg(long)]
    given: bool,
    /// Every request that is told wrong, with its case
    #[arg(long)]
    misses: bool,
    /// Fail where something falls short of what the project promises
    #[arg(long)]
    strict: bool,
}

/// Shares that the project promises, in percent.
const ANSWERED_MIN: f64 = 90.0;
const LAYER_MIN: f64 = 99.0;
const CAUSE_MIN: f64 = 98.0;
const CERTAIN_MIN: f64 = 99.5;
const LIKELY_MIN: f64 = 90.0;

/// How a run ends that found no log it can read.
const NOTHING_READABLE: &str = "exit status: 3";

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<()> {
    let cases = args
        .cases
        .clone()
        .unwrap_or_else(|| command::root().join("cases"));
    command::run(command::cargo().args(["build", "--locked", "--package", "webmasterid"]))?;
    let scores = score(&cases, args)?;
    ensure!(!scores.edges.is_empty(), "no case in {}", cases.display());
    scores.print(args.misses);
    if args.strict {
        scores.check()?;
    }
    Ok(())
}

/// Answers of one confidence.
#[derive(Clone, Copy, Default)]
struct Stated {
    all: usize,
    right: usize,
}

impl Stated {
    fn add(&mut self, other: Self) {
        self.all += other.all;
        self.right += other.right;
    }
}

/// How the failures of one edge were told.
#[derive(Default)]
struct Score {
    cases: usize,
    failures: usize,
    /// Those whose logs can tell the cause.
    tellable: usize,
    /// Of the tellable ones: answered certain or likely.
    answered: usize,
    /// Of the answered ones: layer and cause right.
    layer_right: usize,
    cause_right: usize,
    certain: Stated,
    likely: Stated,
    /// Stated, not right, and taken for the truth by the case: these logs cannot tell the two apart.
    accepted: usize,
    ambiguous: usize,
    /// Ambiguous, and the truth is not among the causes named.
    ambiguous_wrong: usize,
    unknown: usize,
    /// Failures without a row.
    missed: usize,
    /// Good requests with a row of a failure.
    false_alarms: usize,
    /// Client aborts and the edge's own refusals blamed on the origin.
    blamed: usize,
}

impl Score {
    fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.failures += other.failures;
        self.tellable += other.tellable;
        self.answered += other.answered;
        self.layer_right += other.layer_right;
        self.cause_right += other.cause_right;
        self.certain.add(other.certain);
        self.likely.add(other.likely);
        self.accepted += other.accepted;
        self.ambiguous += other.ambiguous;
        self.ambiguous_wrong += other.ambiguous_wrong;
        self.unknown += other.unknown;
        self.missed += other.missed;
        self.false_alarms += other.false_alarms;
        self.blamed += other.blamed;
    }
}

#[derive(Default)]
struct Scores {
    edges: BTreeMap<String, Score>,
    /// Truth and answer, with how often.
    confusion: BTreeMap<(String, String), usize>,
    misses: Vec<String>,
}

/// What a case says of itself.
struct Case {
    edge: String,
    now: String,
    /// Of stamps that carry none.
    zone: Option<String>,
    log_format: Option<String>,
    ranges: Option<String>,
    /// What is right for the incident; empty where the logs leave it open.
    causes: Vec<String>,
}

impl Case {
    fn read(folder: &Path, is_given: bool) -> Result<Self> {
        let path = folder.join("case.toml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let word = |key: &str| {
            text.lines().find_map(|line| {
                let (name, value) = line.split_once(" = ")?;
                (name == key).then(|| value.trim_matches(['\'', '"']).to_owned())
            })
        };
        let words = |key: &str| {
            let list = text.lines().find_map(|line| {
                let (name, value) = line.split_once(" = ")?;
                (name == key).then_some(value)
            });
            let names = list.unwrap_or_default().split('"').skip(1).step_by(2);
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        let edge = word("edge").context("no edge")?;
        let is_rich = word("layout").is_some_and(|layout| layout == "rich");
        let is_alone = !folder.join("error.log").exists();
        Ok(Self {
            now: word("now").context("no now")?,
            zone: word("zone"),
            // No line of httpd names the product, nor what stands behind the combined part, and lighttpd's default is
            // what hosters write with httpd: its user says it.
            log_format: word("log_format").filter(|_| match edge.as_str() {
                "apache" if is_rich || is_alone => true,
                "lighttpd" if !is_rich && is_alone => true,
                // Theirs are no format strings.
                "caddy" | "traefik" => false,
                _ => is_given,
            }),
            edge,
            ranges: word("ranges"),
            causes: word("cause").into_iter().chain(words("or")).collect(),
        })
    }
}

fn score(cases: &Path, args: &Args) -> Result<Scores> {
    let mut scores = Scores::default();
    for folder in case_folders(cases)? {
        let case = Case::read(&folder, args.given)?;
        if args.edge.as_ref().is_none_or(|edge| *edge == case.edge) {
            scores.take(&folder, &case)?;
        }
    }
    Ok(scores)
}

/// What is said in each case, by its folder: each kind of truth with its answer, however often.
pub(crate) fn answers(cases: &Path) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut all = BTreeMap::new();
    for folder in case_folders(cases)? {
        let rows = rows(&folder, &Case::read(&folder, false)?)?;
        let mut answers = BTreeSet::new();
        for (at, truth) in truths(&folder)? {
            let said = rows.get(&at).map_or("no row".to_owned(), said);
            answers.insert(format!("{} {}: {said}", truth["outcome"], truth["fault"]));
        }
        all.insert(folder.strip_prefix(cases)?.display().to_string(), answers);
    }
    Ok(all)
}

/// Every folder with a case, in order.
fn case_folders(cases: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for cause in folders(cases)? {
        let of_cause = folders(&cause)?.into_iter();
        all.extend(of_cause.filter(|folder| folder.join("case.toml").is_file()));
    }
    Ok(all)
}

/// What the lab did, with the place of each request's line.
fn truths(folder: &Path) -> Result<Vec<(LinePlace, Value)>> {
    let text = fs::read_to_string(folder.join("truth.ndjson"))?;
    text.lines()
        .map(|line| {
            let truth: Value = serde_json::from_str(line)?;
            let file = truth["access"]["file"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let number = truth["access"]["line"].as_u64().unwrap_or(0);
            Ok(((file, number), truth))
        })
        .collect()
}

fn folders(of: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(of).with_context(|| of.display().to_string())?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// File and line.
type LinePlace = (String, u64);

/// Rows of `failures`.
type Rows = BTreeMap<LinePlace, Value>;

impl Scores {
    fn take(&mut self, folder: &Path, case: &Case) -> Result<()> {
        let mut rows = rows(folder, case)?;
        let name = folder.display().to_string();
        let mut score = Score {
            cases: 1,
            ..Score::default()
        };
        for (at, truth) in truths(folder)? {
            let row = rows.remove(&at);
            if let Some(miss) = self.compare(&truth, row.as_ref(), case, &mut score) {
                self.misses.push(format!("{name}:{}: {miss}", at.1));
            }
        }
        for ((_, line), row) in rows {
            if row["outcome"] == "failed" || row["outcome"] == "hidden-failure" {
                score.false_alarms += 1;
                self.misses
                    .push(format!("{name}:{line}: was good, said {}", said(&row)));
            }
        }
        self.edges.entry(case.edge.clone()).or_default().add(&score);
        Ok(())
    }

    /// Notes one request; what is wrong with its answer.
    fn compare(
        &mut self,
        truth: &Value,
        row: Option<&Value>,
        case: &Case,
        score: &mut Score,
    ) -> Option<String> {
        let cause = truth["cause"].as_str().unwrap_or("none");
        let outcome = truth["outcome"].as_str().unwrap_or_default();
        let Some(row) = row else {
            let lines = truth["error_lines"].as_array().map_or(0, Vec::len);
            if outcome == "failed" || (outcome != "client-abort" && lines > 0) {
                score.failures += 1;
                score.missed += 1;
                return Some(format!("{outcome} by {cause}, no row"));
            }
            return None;
        };
        let fact = row["cause"].as_str().filter(|_| is_fact(row));
        let is_of_origin = matches!(
            row["layer"].as_str(),
            Some("application" | "response" | "connection")
        );
        if matches!(outcome, "client-abort") || layer(cause) == Some("edge") {
            let blamed = fact.is_some() && is_of_origin;
            score.blamed += usize::from(blamed);
            if outcome == "client-abort" {
                return blamed.then(|| format!("{outcome}; said {}", said(row)));
            }
        }
        score.failures += 1;
        let answer = match (fact, row["cause"].as_str()) {
            (Some(fact), _) => fact.to_owned(),
            (None, Some(_)) => "(ambiguous)".to_owned(),
            (None, None) => "(unknown)".to_owned(),
        };
        *self
            .confusion
            .entry((cause.to_owned(), answer))
            .or_default() += 1;
        let either = |name: &str| case.causes.iter().any(|one| one == name);
        let is_tellable = !case.causes.is_empty();
        score.tellable += usize::from(is_tellable);
        let Some(fact) = fact else {
            if row["cause"].is_null() {
                score.unknown += 1;
                return None;
            }
            score.ambiguous += 1;
            let named = row["cause"] == cause
                || row["alternatives"]
                    .as_array()
                    .is_some_and(|others| others.iter().any(|one| one == cause));
            score.ambiguous_wrong += usize::from(!named);
            return (!named).then(|| format!("{outcome} by {cause}; said {}", said(row)));
        };
        let is_right = fact == cause;
        // Two causes that these logs cannot tell apart, as the case says: no mistake, yet stated as more than is known.
        let is_accepted = !is_right && either(fact) && either(cause);
        score.accepted += usize::from(is_accepted);
        let layer_right = row["layer"].as_str() == layer(cause);
        let calibration = match row["confidence"].as_str() {
            Some("certain") => &mut score.certain,
            _ => &mut score.likely,
        };
        calibration.all += 1;
        calibration.right += usize::from(is_right);
        if is_tellable {
            score.answered += 1;
            score.layer_right += usize::from(layer_right);
            score.cause_right += usize::from(is_right);
        }
        let reading = if is_accepted { "accepted: " } else { "" };
        (!is_right).then(|| format!("{reading}{outcome} by {cause}; said {}", said(row)))
    }

    fn print(&self, misses: bool) {
        println!(
            "{:<14} {:>5} {:>8} {:>8} {:>9} {:>9} {:>9} {:>14} {:>14} {:>8} {:>9} {:>7} {:>6} {:>6} {:>7}",
            "edge",
            "cases",
            "failures",
            "tellable",
            "answered",
            "layer ok",
            "cause ok",
            "certain ok",
            "likely ok",
            "accepted",
            "ambiguous",
            "unknown",
            "missed",
            "blamed",
            "alarms"
        );
        let mut all = Score::default();
        for (edge, score) in &self.edges {
            print_row(edge, score);
            all.add(score);
        }
        print_row("all", &all);
        println!("\ntruth -> answer, where they differ");
        for ((truth, answer), count) in &self.confusion {
            if truth != answer {
                println!("  {truth:<26} {answer:<26} {count:>5}");
            }
        }
        if misses {
            println!();
            for miss in &self.misses {
                println!("{miss}");
            }
        }
    }

    /// What falls short, by edge.
    fn check(&self) -> Result<()> {
        let mut short = Vec::new();
        for (edge, score) in &self.edges {
            let mut at_least = |what: &str, part: usize, whole: usize, min: f64| {
                if percent(part, whole) < min {
                    short.push(format!("{edge}: {what} {part} of {whole}, wanted {min} %"));
                }
            };
            at_least("answered", score.answered, score.tellable, ANSWERED_MIN);
            at_least("layer right", score.layer_right, score.answered, LAYER_MIN);
            at_least("cause right", score.cause_right, score.answered, CAUSE_MIN);
            at_least(
                "certain",
                score.certain.right,
                score.certain.all,
                CERTAIN_MIN,
            );
            at_least("likely", score.likely.right, score.likely.all, LIKELY_MIN);
            for (what, count) in [
                ("origin blamed", score.blamed),
                ("false alarms", score.false_alarms),
                ("failures without a row", score.missed),
                ("ambiguous without the truth", score.ambiguous_wrong),
            ] {
                if count > 0 {
                    short.push(format!("{edge}: {count} {what}"));
                }
            }
        }
        if !short.is_empty() {
            bail!("{}\n{}", short.join("\n"), self.misses.join("\n"));
        }
        Ok(())
    }
}

fn print_row(edge: &str, score: &Score) {
    println!(
        "{edge:<14} {:>5} {:>8} {:>8} {:>8.1}% {:>8.1}% {:>8.1}% {:>14} {:>14} {:>8} {:>9} {:>7} {:>6} {:>6} {:>7}",
        score.cases,
        score.failures,
        score.tellable,
        percent(score.answered, score.tellable),
        percent(score.layer_right, score.answered),
        percent(score.cause_right, score.answered),
        format!("{}/{}", score.certain.right, score.certain.all),
        format!("{}/{}", score.likely.right, score.likely.all),
        score.accepted,
        format!("{}-{}", score.ambiguous, score.ambiguous_wrong),
        score.unknown,
        score.missed,
        score.blamed,
        score.false_alarms,
    );
}

/// 100 of nothing: nothing was wrong.
fn percent(part: usize, whole: usize) -> f64 {
    match whole {
        0 => 100.0,
        _ => 100.0 * part as f64 / whole as f64,
    }
}

fn layer(cause: &str) -> Option<&'static str> {
    Cause::from_name(cause).map(|cause| cause.layer().name())
}

fn is_fact(row: &Value) -> bool {
    matches!(row["confidence"].as_str(), Some("certain" | "likely"))
}

fn said(row: &Value) -> String {
    format!(
        "{} {} {}, alternatives {}",
        row["outcome"], row["confidence"], row["cause"], row["alternatives"]
    )
}

fn rows(folder: &Path, case: &Case) -> Result<Rows> {
    let mut program = command::program(command::root().join("target/debug/webmasterid"));
    program
        .current_dir(folder)
        .args(["failures", "--all-clients", "--format", "ndjson"])
        .args(["--no-ranges", "--now", &case.now]);
    if let Some(zone) = &case.zone {
        program.arg(format!("--zone={zone}"));
    }
    if let Some(format) = &case.log_format {
        program.args(["--log-format", format]);
    }
    if let Some(ranges) = &case.ranges {
        program.arg("--ranges").arg(format!("Google={ranges}"));
    }
    for log in ["access.log", "error.log"] {
        if folder.join(log).is_file() {
            program.arg(log);
        }
    }
    let text = match command::output(&mut program) {
        Ok(text) => text,
        // Each failure in it is missed then.
        Err(error) if error.to_string().contains(NOTHING_READABLE) => {
            println!("{}: not readable", folder.display());
            return Ok(Rows::new());
        }
        Err(error) => return Err(error.context(folder.display().to_string())),
    };
    let mut rows = Rows::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line)?;
        let file = row["source"].as_str().unwrap_or_default().to_owned();
        rows.insert((file, row["line"].as_u64().unwrap_or(0)), row);
    }
    Ok(rows)
}
