//! `cargo xtask bench`: the reference log, and webmasterid side by side with other tools on it. Ratios within one run
//! are what counts; a slow result is a result and no error.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::bench_formats;
use crate::command;
use crate::measure::{self, Costs};
use crate::reference_log::{self, Shape};
use crate::tool::{self, Need};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Lines of the reference log
    #[arg(long, value_name = "N", default_value_t = 5_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    lines: u64,
    /// Days it spans
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=reference_log::DAYS_MAX))]
    days: u64,
    /// Where the generated logs are kept
    #[arg(long, default_value = "bench-data")]
    dir: PathBuf,
    /// Runs of each tool; the best and the median are shown
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// Also on gzip and zstd copies, beside bare decompressors
    #[arg(long)]
    compressed: bool,
    /// Also on ten times the lines over the same span: memory must not grow
    #[arg(long)]
    times_ten: bool,
    /// Only the formats: the same requests in every layout, one core
    #[arg(long)]
    formats: bool,
    /// Run GoAccess on every line instead of a sample: minutes
    #[arg(long)]
    goaccess_whole: bool,
    /// Make the logs and stop
    #[arg(long)]
    generate_only: bool,
    /// Time this webmasterid instead of building the one here
    #[arg(long, value_name = "PROGRAM")]
    ours: Option<PathBuf>,
    /// Append the result to benches/results.md
    #[arg(long)]
    record: bool,
}

/// GoAccess runs on one line in so many, once, and its time is multiplied. That flatters it: it slows down as addresses
/// add up, and a projection from such a sample was five times too low. But the whole takes it five to ten minutes.
const SAMPLE: u64 = 20;
/// A line of the reference log that tells of a failure.
const FAILED: &str = "\" 502 ";

/// Generates, times, prints.
pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = command::root().join(&args.dir);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    if args.formats {
        return formats(args, &folder);
    }
    let logs = Logs::make(args, &folder)?;
    if args.generate_only {
        return Ok(());
    }
    tool::install(Need::Bench)?;
    let ours = ours(args)?;
    let bench = Bench {
        runs: args.runs,
        scratch: &folder,
    };
    let mut tables = vec![bench.plain(&ours, &logs)?];
    tables.extend(bench.compressed(&ours, &logs)?);
    tables.extend(bench.times_ten(&ours, &logs)?);
    let report = report(&tables)?;
    println!("\n{report}");
    if args.record {
        record(&report)?;
    }
    check_counts(&ours, &logs.plain, args.lines)
}

/// Every layout on one core. The other readers of JSON come from Debian and PyPI; where one is missing its cell is empty.
fn formats(args: &Args, folder: &Path) -> Result<()> {
    if args.generate_only {
        return bench_formats::generate(folder);
    }
    tool::install(Need::Bench)?;
    let ours = ours(args)?;
    let table = bench_formats::run(&ours, folder, args.runs)?;
    let mut report = report(&[])?;
    let _ = write!(report, "\n{table}");
    println!("\n{report}");
    if args.record {
        record(&report)?;
    }
    Ok(())
}

/// The files that the tools read.
struct Logs {
    plain: PathBuf,
    /// One line in `SAMPLE`, over the same span.
    sample: Option<PathBuf>,
    gzip: Option<PathBuf>,
    zstd: Option<PathBuf>,
    times_ten: Option<PathBuf>,
}

impl Logs {
    fn make(args: &Args, folder: &Path) -> Result<Self> {
        let make = |lines| {
            println!(
                "reference log of {lines} lines over {} days, in {}",
                args.days,
                folder.display()
            );
            reference_log::file(
                folder,
                Shape {
                    lines,
                    days: args.days,
                },
            )
        };
        let plain = make(args.lines)?;
        Ok(Self {
            sample: if args.goaccess_whole {
                None
            } else {
                Some(make((args.lines / SAMPLE).max(1))?)
            },
            gzip: if args.compressed {
                Some(packed(&plain, "gz", &["gzip", "-6"])?)
            } else {
                None
            },
            zstd: if args.compressed {
                Some(packed(&plain, "zst", &["zstd", "-3", "-q"])?)
            } else {
                None
            },
            times_ten: if args.times_ten {
                Some(make(args.lines * 10)?)
            } else {
                None
            },
            plain,
        })
    }
}

/// A copy as `logrotate` would leave it: the compressor's usual level, one stream.
fn packed(plain: &Path, ending: &str, compressor: &[&str]) -> Result<PathBuf> {
    let packed = PathBuf::from(format!("{}.{ending}", plain.display()));
    if !packed.exists() {
        tool::install(Need::Bench)?;
        let part = packed.with_extension("part");
        let [name, options @ ..] = compressor else {
            bail!("no compressor");
        };
        let out =
            File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
        let mut compress = command::program(name);
        compress.args(options).arg("-c").arg(plain).stdout(out);
        command::run(&mut compress)?;
        fs::rename(&part, &packed).with_context(|| format!("cannot write {}", packed.display()))?;
    }
    Ok(packed)
}

fn ours(args: &Args) -> Result<PathBuf> {
    if let Some(program) = &args.ours {
        return Ok(command::root().join(program));
    }
    command::run(command::cargo().args([
        "build",
        "--release",
        "--locked",
        "--package",
        "webmasterid",
    ]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| command::root().join("target"), PathBuf::from);
    Ok(target.join("release/webmasterid"))
}

/// A tool on one file.
struct Contender {
    name: &'static str,
    words: Vec<String>,
    /// How many times the measured work the whole would be.
    scale: u64,
    costs: Costs,
}

fn contender(name: &'static str, words: &[&str]) -> Contender {
    Contender {
        name,
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        scale: 1,
        costs: Costs::default(),
    }
}

/// What was timed on one file.
struct Table {
    title: String,
    contenders: Vec<Contender>,
    /// The contenders of which the quickest is the measure of the others.
    bases: &'static [&'static str],
}

struct Bench<'dir> {
    runs: u64,
    scratch: &'dir Path,
}

impl Bench<'_> {
    fn plain(&self, ours: &Path, logs: &Logs) -> Result<Table> {
        let (ours, file) = (text(ours)?, text(&logs.plain)?);
        let mut contenders = vec![
            contender("webmasterid, text", &[ours, "diagnose", file]),
            contender(
                "webmasterid, json",
                &[ours, "diagnose", "--format", "json", file],
            ),
            contender("wc", &["wc", "-l", file]),
            contender("rg", &["rg", "-c", FAILED, file]),
            contender("logswan", &["logswan", file]),
        ];
        self.rounds(&logs.plain, &mut contenders)?;
        contenders.push(self.goaccess(logs)?);
        table(&logs.plain, contenders, &["wc"])
    }

    fn compressed(&self, ours: &Path, logs: &Logs) -> Result<Vec<Table>> {
        let ours = text(ours)?;
        let mut tables = Vec::new();
        if let Some(path) = &logs.gzip {
            let file = text(path)?;
            let mut contenders = vec![
                contender("webmasterid, text", &[ours, "diagnose", file]),
                contender("zcat", &["zcat", file]),
                contender("igzip", &["igzip", "-d", "-c", file]),
            ];
            self.rounds(path, &mut contenders)?;
            tables.push(table(path, contenders, &["zcat", "igzip"])?);
        }
        if let Some(path) = &logs.zstd {
            let file = text(path)?;
            let mut contenders = vec![
                contender("webmasterid, text", &[ours, "diagnose", file]),
                contender("zstd", &["zstd", "-q", "-d", "-c", file]),
            ];
            self.rounds(path, &mut contenders)?;
            tables.push(table(path, contenders, &["zstd"])?);
        }
        Ok(tables)
    }

    fn times_ten(&self, ours: &Path, logs: &Logs) -> Result<Option<Table>> {
        let Some(path) = &logs.times_ten else {
            return Ok(None);
        };
        let file = text(path)?;
        let mut contenders = vec![
            contender("webmasterid, text", &[text(ours)?, "diagnose", file]),
            contender("wc", &["wc", "-l", file]),
        ];
        self.rounds(path, &mut contenders)?;
        table(path, contenders, &["wc"]).map(Some)
    }

    /// The page cache is warmed; then every tool runs once per round, so that a drift of the machine meets them all.
    fn rounds(&self, file: &Path, contenders: &mut [Contender]) -> Result<()> {
        measure::cost(&["cat".to_owned(), text(file)?.to_owned()], self.scratch)?;
        for round in 1..=self.runs {
            println!("round {round} of {} on {}", self.runs, file.display());
            for contender in &mut *contenders {
                contender
                    .costs
                    .push(measure::cost(&contender.words, self.scratch)?);
            }
        }
        Ok(())
    }

    /// Once: see `SAMPLE`.
    fn goaccess(&self, logs: &Logs) -> Result<Contender> {
        let (file, scale) = match &logs.sample {
            Some(sample) => (sample, SAMPLE),
            None => (&logs.plain, 1),
        };
        println!("goaccess on {}", file.display());
        let out = self.scratch.join("goaccess.json");
        let mut goaccess = contender(
            "goaccess",
            &[
                "goaccess",
                text(file)?,
                "--no-global-config",
                "--no-progress",
                "--log-format=COMBINED",
                "-o",
                text(&out)?,
            ],
        );
        goaccess.scale = scale;
        goaccess
            .costs
            .push(measure::cost(&goaccess.words, self.scratch)?);
        Ok(goaccess)
    }
}

fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not UTF-8", path.display()))
}

fn table(file: &Path, contenders: Vec<Contender>, bases: &'static [&'static str]) -> Result<Table> {
    let bytes = fs::metadata(file)
        .with_context(|| format!("cannot read {}", file.display()))?
        .len();
    let name = file.file_name().unwrap_or_default().display();
    Ok(Table {
        title: format!("{name}, {:.2} GB", bytes as f64 / 1e9),
        contenders,
        bases,
    })
}

/// Everything that a quoted figure needs beside it.
fn report(tables: &[Table]) -> Result<String> {
    let mut text = String::new();
    let _ = writeln!(text, "Machine: {}", machine()?);
    let _ = writeln!(
        text,
        "Command: cargo xtask {}",
        std::env::args().skip(1).collect::<Vec<_>>().join(" ")
    );
    for table in tables {
        let _ = writeln!(text, "\n{}\n", table.title);
        text.push_str(&rows(table));
    }
    let versions: Vec<String> = versions(tables).collect();
    let _ = writeln!(text, "\nVersions: {}", versions.join("; "));
    Ok(text)
}

fn rows(table: &Table) -> String {
    let base = table
        .contenders
        .iter()
        .filter(|contender| table.bases.contains(&contender.name))
        .filter_map(|contender| Some((contender.costs.best_s()?, contender.name)))
        .min_by(|(left, _), (right, _)| left.total_cmp(right));
    let (base_s, base_name) = base.unwrap_or((f64::NAN, "nothing"));
    let mut text = format!(
        "| tool | best s | median s | x {base_name} | peak MB | |\n|---|--:|--:|--:|--:|---|\n"
    );
    for contender in &table.contenders {
        let scale = contender.scale as f64;
        let best = contender.costs.best_s().unwrap_or(f64::NAN) * scale;
        let median = contender.costs.median_s().unwrap_or(f64::NAN) * scale;
        let peak_mb = contender.costs.peak_kib().unwrap_or(0) as f64 * 1024.0 / 1e6;
        let note = match contender.scale {
            1 => String::new(),
            scale => format!(
                "on 1/{scale} of the lines: time x {scale}, which flatters; memory as measured"
            ),
        };
        let _ = writeln!(
            text,
            "| {} | {best:.3} | {median:.3} | {:.1} | {peak_mb:.0} | {note} |",
            contender.name,
            best / base_s,
        );
    }
    text
}

/// Each program's own first line about itself.
fn versions(tables: &[Table]) -> impl Iterator<Item = String> {
    let contenders = tables.iter().flat_map(|table| &table.contenders);
    let mut programs: Vec<&str> = contenders
        .filter_map(|contender| contender.words.first())
        .map(String::as_str)
        .collect();
    programs.sort_unstable();
    programs.dedup();
    programs.into_iter().filter_map(|program| {
        // logswan alone does not know --version.
        let flag = if program == "logswan" {
            "-v"
        } else {
            "--version"
        };
        let said = command::output(command::program(program).arg(flag)).ok()?;
        said.lines()
            .find(|line| !line.is_empty())
            .map(|line| line.trim().to_owned())
    })
}

fn machine() -> Result<String> {
    let cores = std::thread::available_parallelism().context("cannot count the cores")?;
    let model =
        line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = line_of("/proc/meminfo", "MemTotal").unwrap_or_else(|| "unknown".to_owned());
    Ok(format!("{cores} cores, {model}, {memory} of memory"))
}

fn line_of(file: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_once(':')
        .map(|(_, value)| value.trim().to_owned())
}

fn record(report: &str) -> Result<()> {
    let path = command::root().join("benches/results.md");
    let date = command::output(command::program("date").args(["-u", "+%Y-%m-%d"]))?;
    let commit =
        command::output(command::program("git").args(["describe", "--always", "--dirty"]))?;
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(
        file,
        "\n## {}, at {}\n\n{}",
        date.trim(),
        commit.trim(),
        report.trim_end()
    )
    .with_context(|| format!("cannot write {}", path.display()))
}

/// A fast answer that lost lines is not fast.
fn check_counts(ours: &Path, file: &Path, lines: u64) -> Result<()> {
    let file = text(file)?;
    let failed = command::output(command::program("rg").args(["-c", FAILED, file]))?;
    let failed: u64 = failed.trim().parse().context("rg counted nothing")?;
    let json =
        command::output(command::program(ours).args(["diagnose", "--format", "json", file]))?;
    let json: Value = serde_json::from_str(&json).context("webmasterid's JSON is none")?;
    for (name, held) in [
        ("/totals/requests", lines),
        ("/totals/by_status/502", failed),
    ] {
        let counted = json.pointer(name).and_then(Value::as_u64);
        if counted != Some(held) {
            bail!("webmasterid's {name} is {counted:?}, but the log holds {held} such lines");
        }
    }
    println!("Counts agree: {lines} requests, {failed} of them 502.");
    Ok(())
}
