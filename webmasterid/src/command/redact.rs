//! `redact`: logs as they may be shown to strangers.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use files::Limits;
use intake::{Intake, LINE_MAX, Redactor, Secret, Settings};

use crate::cli::RedactArgs;
use crate::exit::Failure;
use crate::sources::{self, Source};
use crate::{layouts, output, ranges, selection};

/// What was read and how much of it is left out.
#[derive(Default)]
struct Count {
    lines: u64,
    left_out: u64,
}

/// Runs it; gives the exit status.
pub(crate) fn run(args: &RedactArgs) -> anyhow::Result<u8> {
    let layouts = layouts::read(&args.log_format, &args.config)?;
    let ranges = ranges::read(&args.ranges, None)?;
    let mut key = [0; 16];
    getrandom::fill(&mut key)
        .map_err(|error| anyhow::anyhow!("no random numbers from the system: {error}"))?;
    let intake = Intake::new(
        Settings {
            // Syslog's stamps tell no year.
            plausible: Some(selection::plausible()),
            ..Settings::default()
        },
        Secret::new(key),
        ranges.ranges,
        layouts.formats,
    );
    let limits = Limits {
        line_bytes_max: LINE_MAX,
        ..Limits::default()
    };
    let (sources, mut problems) = sources::find(&args.paths, &limits, &intake, layouts.edge);
    problems.extend(layouts.problems);
    problems.extend(ranges.problems);
    if sources.is_empty() {
        return Err(Failure::unreadable(problems.first().map_or(
            "nothing to read".to_owned(),
            |problem| {
                format!(
                    "nothing to read\n  {}: {}",
                    report::printable(&problem.source),
                    problem.reason
                )
            },
        )));
    }
    let mut redactor = Redactor::new(args.keep_hosts);
    for source in sources.iter().filter(|source| source.found.name != "-") {
        lines(source, &limits, &mut |line| {
            intake.learn(line, &mut redactor);
            Ok(())
        })?;
    }
    let mut count = Count::default();
    for source in &sources {
        let mut out = writer(args.into.as_deref(), source)?;
        let mut shown = Vec::new();
        lines(source, &limits, &mut |line| {
            shown.clear();
            count.lines += 1;
            if intake.redact(line, source.kind, &mut redactor, &mut shown) {
                shown.push(b'\n');
                out.write_all(&shown)?;
            } else {
                count.left_out += 1;
            }
            Ok(())
        })?;
        out.flush()?;
    }
    for problem in &problems {
        output::note(&format!(
            "{}: {}",
            report::printable(&problem.source),
            problem.reason
        ));
    }
    if count.left_out > 0 {
        output::note(&format!(
            "{} of {} lines are left out: what is not understood may be personal, and what says nothing of a failure is of no use",
            count.left_out, count.lines
        ));
    }
    Ok(0)
}

/// Calls `each` with every line of a source that is not blank.
fn lines(
    source: &Source,
    limits: &Limits,
    each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> anyhow::Result<()> {
    for chunk in files::chunks(&source.found, limits) {
        let chunk = chunk.map_err(|error| {
            Failure::unreadable(format!(
                "{}: {error}",
                report::printable(&source.found.name)
            ))
        })?;
        for line in chunk.bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.trim_ascii().is_empty() {
                each(line).context("cannot write")?;
            }
        }
    }
    Ok(())
}

/// Standard output, or a file of the source's name in a folder of its own.
fn writer(into: Option<&Path>, source: &Source) -> anyhow::Result<Box<dyn Write>> {
    let Some(folder) = into else {
        return Ok(Box::new(BufWriter::new(io::stdout())));
    };
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let name = Path::new(&source.found.name)
        .file_name()
        .map_or("log".into(), |name| name.to_string_lossy().into_owned());
    // What is written is plain, whatever was read.
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    let path = folder.join(format!("{}-{name}", source.id.0 + 1));
    let file = fs::File::options()
        .write(true)
        .create_new(true)
        .open(&path)
        .with_context(|| path.display().to_string())?;
    Ok(Box::new(BufWriter::new(file)))
}
