//! `diagnose`: the main job.

use std::{fs, thread};

use diagnosis::Context;
use files::Limits;
use intake::{Intake, LINE_MAX, Secret};
use model::{Coverage, Identity, Mark, Problem, Report, Request, SourceReport, Verdict};
use report::TextOptions;

use crate::cli::{DiagnoseArgs, InputArgs, ReportFormat};
use crate::clock::{self, Now};
use crate::exit::{FAIL_ON, Failure};
use crate::range_store::RangeStore;
use crate::{coverage, layouts, marks, output, pipeline, ranges, selection, sources, verify};

/// Above this share of lines not understood a source counts as unreadable.
const UNPARSED_SHARE_MAX: f64 = 0.5;

/// Runs it; gives the exit status.
pub(crate) fn run(args: &DiagnoseArgs) -> anyhow::Result<u8> {
    let marks = args
        .marks
        .as_deref()
        .map(marks::read)
        .transpose()?
        .unwrap_or_default();
    let report = report(&args.input, marks, &|_, _| {})?;
    check_incident(args, &report)?;
    if let Some(path) = &args.owed {
        fs::write(path, report::owed_csv(&report)).map_err(|error| {
            anyhow::anyhow!("--owed {}: {}", path.display(), files::reason(&error))
        })?;
    }
    let options = TextOptions {
        color: output::has_color(args.color),
        full: args.full,
        incident: args.incident,
        // Who chooses the moment of judgement sees the log's age as of then.
        clock: Some(match args.input.now {
            Some(Now::At(now)) => now,
            Some(Now::Clock) | None => clock::now(),
        }),
        ..TextOptions::default()
    };
    output::write(&match args.format {
        ReportFormat::Text => report::text(&report, &options),
        ReportFormat::Json => report::json(&report),
        ReportFormat::Markdown => report::markdown(&report, &options),
        ReportFormat::Csv => report::csv(&report),
    })?;
    Ok(if fails(&report, &args.fail_on, args.fail_on_ended) {
        FAIL_ON
    } else {
        0
    })
}

/// Reads, tallies, judges and diagnoses. `each` sees every settled request, and the paths of the sources.
pub(crate) fn report(
    args: &InputArgs,
    marks: Vec<Mark>,
    each: &(dyn Fn(&Request<'_>, &Coverage) + Sync),
) -> anyhow::Result<Report> {
    let settings = selection::settings(args)?;
    let layouts = layouts::read(&args.log_format, &args.config)?;
    let store = match args.no_ranges {
        true => None,
        false => RangeStore::find(None),
    };
    let mut ranges = ranges::read(&args.ranges, store.as_ref())?;
    if args.verified_only && !args.verify && ranges.ranges.is_empty() {
        return Err(Failure::arguments(
            "--verified-only: nothing is verified without --verify or --ranges, and no list is stored \
             (webmasterid crawlers refresh)",
        ));
    }
    let mut key = [0; 16];
    getrandom::fill(&mut key)
        .map_err(|error| anyhow::anyhow!("no random numbers from the system: {error}"))?;
    let intake = Intake::new(
        settings,
        Secret::new(key),
        std::mem::take(&mut ranges.ranges),
        layouts.formats,
    );
    let limits = Limits {
        line_bytes_max: LINE_MAX,
        ..Limits::default()
    };
    let (sources, mut problems) = sources::find(&args.paths, &limits, &intake, layouts.edge);
    problems.extend(layouts.problems);
    problems.append(&mut ranges.problems);
    if sources.is_empty() {
        return Err(unreadable("nothing to read", &problems));
    }
    let threads = args
        .threads
        .unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
        .max(1);
    let (intake, limit) = match args.verify {
        true => verify::with_answers(args, intake, &sources, &limits, threads, &mut problems)?,
        false => (intake, None),
    };
    let paths = coverage::paths(&sources);
    let reading = pipeline::read(
        &intake,
        &sources,
        &limits,
        threads,
        args.error_zone,
        &|request| each(request, &paths),
    );
    problems.extend(reading.problems);
    problems.extend(coverage::unparsed(&sources, &reading.sources));
    if let Some(newest) = reading.newest {
        let crawlers = reading.view.crawlers.iter();
        let unchecked =
            crawlers.filter(|crawler| crawler.identity[Identity::Unchecked as usize] > 0);
        let came: Vec<_> = unchecked.map(|crawler| crawler.crawler).collect();
        problems.extend(ranges.stale(newest, &came));
    }
    let now = match args.now {
        Some(Now::Clock) => clock::now(),
        Some(Now::At(now)) => now,
        None => reading.newest.unwrap_or_else(clock::now),
    };
    let incidents = incidents::judge(&reading.view, now);
    let context = Context {
        coverage: coverage::coverage(
            &sources,
            &reading.sources,
            reading.joined,
            &reading.zones,
            reading.view.span,
            reading.view.gaps.clone(),
            now,
        ),
        marks,
        blind_spots: coverage::blind_spots(&sources, &reading.sources),
    };
    let mut report = diagnosis::diagnose(&reading.view, incidents, context);
    report.problems = problems;
    report.limits.extend(limit);
    check_readable(&mut report)?;
    Ok(report)
}

/// Names each source of which too much is not understood. One of them never hides the good ones; where no other is
/// left there is no report: it would be good news about nothing.
fn check_readable(report: &mut Report) -> anyhow::Result<()> {
    let bad: Vec<Problem> = report
        .coverage
        .sources
        .iter()
        .filter_map(|source| {
            Some(Problem {
                source: source.path.clone(),
                line: None,
                reason: not_read(source)?,
                count: 1,
            })
        })
        .collect();
    let is_all = bad.len() == report.coverage.sources.len();
    report.problems.extend(bad);
    // A whole file before its lines.
    report
        .problems
        .sort_by(|a, b| (a.line.is_some(), a).cmp(&(b.line.is_some(), b)));
    if is_all {
        Err(unreadable("nothing is understood", &report.problems))
    } else {
        Ok(())
    }
}

/// Why a source says nothing, where it does not.
fn not_read(source: &SourceReport) -> Option<String> {
    let ours = source.lines - source.others;
    if source.unparsed as f64 > ours as f64 * UNPARSED_SHARE_MAX {
        return Some(format!(
            "{} of {ours} lines are not understood; give their layout with --log-format or --config",
            source.unparsed
        ));
    }
    (ours == 0 && source.lines > 0).then(|| {
        format!(
            "all {} lines are of programs that are no edge",
            source.lines
        )
    })
}

/// What cannot be read, each with place and reason.
fn unreadable(what: &str, problems: &[Problem]) -> anyhow::Error {
    /// More would hide the first ones.
    const SHOWN_MAX: usize = 10;
    let mut message = what.to_owned();
    for problem in problems.iter().take(SHOWN_MAX) {
        let line = problem
            .line
            .map_or(String::new(), |line| format!(":{line}"));
        let (source, reason) = (
            report::printable(&problem.source),
            report::printable(&problem.reason),
        );
        message.push_str(&format!("\n  {source}{line}: {reason}"));
    }
    if problems.len() > SHOWN_MAX {
        message.push_str(&format!("\n  and {} more", problems.len() - SHOWN_MAX));
    }
    Failure::unreadable(message)
}

fn check_incident(args: &DiagnoseArgs, report: &Report) -> anyhow::Result<()> {
    match args.incident {
        Some(choice) if choice.index(report).is_none() => Err(Failure::arguments(format!(
            "--incident: there is no such incident; the report has {}",
            report.diagnoses.len()
        ))),
        _ => Ok(()),
    }
}

fn fails(report: &Report, verdicts: &[Verdict], ended_too: bool) -> bool {
    report
        .diagnoses
        .iter()
        .map(|diagnosis| &diagnosis.incident)
        .any(|incident| {
            verdicts.contains(&incident.verdict)
                && !incident.intended
                && (ended_too || incident.end.is_none())
        })
}
