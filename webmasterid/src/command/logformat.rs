//! `logformat`: the layout to log in, and what a given log can tell.

use std::fmt::Write as _;

use knowledge::{EdgeFacts, Telling};
use model::{Confidence, Coverage, Edge, Field, LogKind, SourceReport};

use crate::cli::{InputArgs, LogformatArgs};
use crate::exit::Failure;
use crate::output;

use super::diagnose;

/// Columns of the check.
const WIDTH: usize = 80;
/// Column at which its lists begin.
const INDENT: usize = 14;

/// Runs it; gives the exit status.
pub(crate) fn run(args: &LogformatArgs) -> anyhow::Result<u8> {
    let text = match args.edge {
        Some(edge) => recommended(edge)?,
        None => {
            let input = InputArgs::of(args.check.clone(), args.log_format.clone());
            let report = diagnose::report(&input, Vec::new(), &|_, _| {})?;
            check(&report.coverage)
        }
    };
    output::write(&text)?;
    Ok(0)
}

/// Lines to paste, with what to know as comments.
fn recommended(edge: Edge) -> anyhow::Result<String> {
    let facts = knowledge::edge(edge);
    let Some(known) = facts.recommended else {
        return Err(Failure::arguments(format!(
            "{} writes a log that cannot be chosen; `logformat --check` says what it tells",
            edge.name()
        )));
    };
    let mut text = format!(
        "# {}: what tells causes apart, and no more of visitors than that.\n",
        edge.name()
    );
    for line in wrapped(known.note, WIDTH - 2) {
        let _ = writeln!(text, "# {line}");
    }
    let _ = writeln!(text, "# {}", known.source);
    text.push_str(known.configuration.trim_matches('\n'));
    text.push('\n');
    Ok(text)
}

/// What each access log can tell.
fn check(coverage: &Coverage) -> String {
    let error_log = |edge: Edge| {
        let mut sources = coverage.sources.iter();
        sources.any(|source| source.kind == LogKind::Error && source.edge == edge)
    };
    let access = coverage.sources.iter().filter(|source| source.requests > 0);
    let parts: Vec<String> = access
        .map(|source| {
            let edge = shown_by(source);
            of_source(source, edge, error_log(edge) || source.entries > 0)
        })
        .collect();
    if parts.is_empty() {
        return "no request in these logs\n".to_owned();
    }
    parts.join("\n")
}

/// The product, by the fields where the layout is one of several products'.
fn shown_by(source: &SourceReport) -> Edge {
    match source.edge {
        Edge::Unknown if source.fields.contains(&Field::UpstreamStatus) => Edge::Nginx,
        Edge::Unknown if source.fields.contains(&Field::ProxyStatus) => Edge::Apache,
        known => known,
    }
}

fn of_source(source: &SourceReport, edge: Edge, error_log: bool) -> String {
    let facts = knowledge::edge(edge);
    let carries = |field: Field| source.fields.contains(&field);
    let told = knowledge::telling(edge, &carries, error_log);
    let mut text = format!(
        "{}: {}, layout {}{}\n",
        report::printable(&source.path),
        edge.name(),
        if source.format.is_empty() {
            "unknown"
        } else {
            &source.format
        },
        if error_log {
            ", with its error log"
        } else {
            ""
        },
    );
    let names: Vec<&str> = source.fields.iter().map(|field| field.name()).collect();
    part(&mut text, "carries", &names);
    for (title, confidence) in [
        ("certain", Some(Confidence::Certain)),
        ("likely", Some(Confidence::Likely)),
        ("in question", Some(Confidence::Ambiguous)),
        ("not told", None),
    ] {
        let causes: Vec<&str> = told
            .iter()
            .filter(|told| told.confidence == confidence)
            .map(|told| told.cause.name())
            .collect();
        part(&mut text, title, &causes);
    }
    if edge == Edge::Unknown {
        let says = "several products write this layout, and it tells no causes apart: \
                    `webmasterid logformat EDGE` prints one that does";
        part(&mut text, "causes", &[says]);
    }
    for line in to_add(facts, &told) {
        part(&mut text, "add", &[&line]);
    }
    let blind: Vec<&str> = facts.blind_spots_of(carries, error_log).collect();
    for spot in blind {
        part(&mut text, "blind", &[spot]);
    }
    text
}

/// What to log or to keep, with the causes that it would tell.
fn to_add(facts: &EdgeFacts, told: &[Telling]) -> Vec<String> {
    let mut lines = Vec::new();
    let causes = |wanted: &dyn Fn(&Telling) -> bool| {
        let names: Vec<&str> = told
            .iter()
            .filter(|told| wanted(told))
            .map(|told| told.cause.name())
            .collect();
        names.join(", ")
    };
    for field in Field::ALL {
        let for_causes = causes(&|told| told.field == Some(field));
        if for_causes.is_empty() {
            continue;
        }
        let how = facts.log_line(field).map_or(String::new(), |line| {
            format!(" ({line} in {})", facts.directive)
        });
        lines.push(format!("{}{how}: {for_causes}", field.name()));
    }
    let for_causes = causes(&|told| told.error_log);
    if !for_causes.is_empty() {
        lines.push(format!("the error log: {for_causes}"));
    }
    lines
}

/// ` title   item, item`, wrapped.
fn part(text: &mut String, title: &str, items: &[&str]) {
    if items.is_empty() {
        return;
    }
    let joined = items.join(", ");
    for (number, line) in wrapped(&joined, WIDTH - INDENT).into_iter().enumerate() {
        let title = if number == 0 { title } else { "" };
        let _ = writeln!(text, "  {title:<width$}{line}", width = INDENT - 2);
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
