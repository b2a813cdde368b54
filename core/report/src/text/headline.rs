//! The first two lines: the state in one sentence, and what was lost.

use model::{Cause, Diagnosis, Incident, Report, Verdict};

use super::View;
use super::foot::{hidden_causes, said};
use super::screen::{Line, Role, labelled};
use super::section::at_most;
use crate::clean::{clip, fit, width, wrap};
use crate::phrase;
use crate::source;
use crate::words::{count, duration, list, number, share};

/// Beyond this the log is called old. Convention of this project.
const OLD_AFTER_SECS: i64 = 15 * 60;
/// From this share on, attempts saved by retries are a headline when nothing else is wrong: one in 200, the share
/// from which a steady failing is an incident.
const SAVED_ONE_IN: u64 = 200;
/// And at least this many, so that two hiccups of a small site are not a headline.
const SAVED_MIN: u64 = 3;
/// Kinds of error lines named where there is no request.
const SIGNS_MAX: usize = 3;
/// Lines of what was lost: one, unless the terminal is narrow.
const LOST_LINES_MAX: usize = 2;
/// Columns of a subject that has to be cut.
const SUBJECT_COLUMNS: usize = 30;

/// The two lines; one where nothing is wrong.
pub(super) fn lines(view: &View<'_>) -> Vec<Line> {
    let report = view.report;
    let at_fault: Vec<&Diagnosis> = report
        .diagnoses
        .iter()
        .filter(|diagnosis| !diagnosis.incident.intended)
        .collect();
    let ongoing: Vec<&Diagnosis> = at_fault
        .iter()
        .copied()
        .filter(|diagnosis| diagnosis.incident.end.is_none())
        .collect();
    if report.totals.requests == 0 {
        let (word, says) = no_request(view);
        let state = state(view, Role::Warn, word, "", &says);
        return std::iter::once(state).chain(signs(view)).collect();
    }
    match (ongoing.first(), at_fault.first()) {
        (Some(first), _) => broken(view, first, &ongoing),
        (None, Some(first)) => recovered(view, first, &at_fault),
        (None, None) if !report.diagnoses.is_empty() => on_purpose(view),
        (None, None) => vec![quiet(view)],
    }
}

/// Whether retries hide an upstream that fails.
pub(super) fn is_saved_warning(report: &Report) -> bool {
    let saved = report.totals.saved_by_retry;
    saved >= SAVED_MIN && saved.saturating_mul(SAVED_ONE_IN) >= report.totals.requests
}

/// Whether so many answers were broken under a good status that the state cannot be called healthy.
pub(super) fn is_hidden_warning(report: &Report) -> bool {
    let hidden = report.totals.hidden_failures;
    hidden >= SAVED_MIN && hidden.saturating_mul(SAVED_ONE_IN) >= report.totals.requests
}

fn broken(view: &View<'_>, first: &Diagnosis, ongoing: &[&Diagnosis]) -> Vec<Line> {
    let incident = &first.incident;
    let in_part = !is_outage(incident);
    let (role, word) = if in_part {
        (Role::Warn, "DEGRADED")
    } else {
        (Role::Bad, "BROKEN")
    };
    let length = duration(phrase::length(incident, &view.report.coverage));
    let says = sentences(view, first, &format!(", {length}"));
    let state = state(view, role, word, " NOW", &says);
    std::iter::once(state)
        .chain(lost(view, ongoing, "ongoing"))
        .collect()
}

fn recovered(view: &View<'_>, first: &Diagnosis, all: &[&Diagnosis]) -> Vec<Line> {
    let incident = &first.incident;
    let length = duration(phrase::length(incident, &view.report.coverage));
    let end = view
        .zone
        .moment(phrase::end(incident, &view.report.coverage));
    let mut says = sentences(view, first, &format!(" for {length}, until {end}"));
    // The cause says more than the end.
    says.pop();
    says.extend(sentences(view, first, &format!(" for {length}")));
    let state = state(view, Role::Warn, "RECOVERED", "", &says);
    std::iter::once(state)
        .chain(lost(view, all, "in the log"))
        .collect()
}

fn on_purpose(view: &View<'_>) -> Vec<Line> {
    let incidents = view
        .report
        .diagnoses
        .iter()
        .map(|diagnosis| &diagnosis.incident);
    let sums = incidents.map(|incident| (incident.fetches.failed, incident.requests.failed));
    let (fetches, requests) = sums.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    let who = if fetches > 0 {
        count(fetches, "crawler fetch", "crawler fetches")
    } else {
        format!("{}, no crawler's,", count(requests, "request", "requests"))
    };
    let says = format!("but the edge turned {who} away on purpose");
    vec![state(view, Role::Good, "HEALTHY", "", &[says])]
}

fn quiet(view: &View<'_>) -> Line {
    let report = view.report;
    let totals = &report.totals;
    if is_hidden_warning(report) {
        let broken = format!(
            "{} answers broken",
            share(totals.hidden_failures, totals.requests)
        );
        let causes = hidden_causes(report);
        let says = [
            format!("{broken} under another status: {}", list(&causes, "and")),
            format!("{broken}: {}", list(&causes, "and")),
            format!("{broken} under another status"),
        ];
        let says = if causes.is_empty() { &says[2..] } else { &says };
        return state(view, Role::Warn, "WARNING", "", says);
    }
    if let Some(worst) = report.blocked.first() {
        let name = crate::crawler::name(worst.crawler);
        let (share, status) = (share(worst.count, worst.fetches), worst.status.0);
        let says = [
            format!("{name} is blocked at the edge: {share} fetches got {status}"),
            format!("the edge blocks {name}: {share} got {status}"),
            format!("the edge blocks {name}"),
        ];
        return state(view, Role::Warn, "WARNING", "", &says);
    }
    if is_saved_warning(report) {
        let worst = totals
            .saved_by_upstream
            .iter()
            .max_by_key(|(name, saved)| (**saved, std::cmp::Reverse(*name)));
        let cause = totals
            .saved_by_cause
            .iter()
            .filter_map(|(name, n)| Some((*n, Cause::from_name(name)?)))
            .max_by_key(|(n, cause)| (*n, std::cmp::Reverse(*cause)))
            // The cause of most, or it is not the upstream's.
            .filter(|(n, _)| n.saturating_mul(2) > totals.saved_by_retry)
            .map(|(_, cause)| format!(" ({})", knowledge::cause(cause).title));
        let tail = format!(
            "fails; retries saved {}",
            share(totals.saved_by_retry, totals.requests)
        );
        let says = match worst {
            Some((upstream, _)) => {
                let cause = cause.unwrap_or_default();
                let with_cause = tail.replacen("fails", &format!("fails{cause}"), 1);
                vec![
                    format!("{} {with_cause} requests", fit(upstream, 40)),
                    format!("{} {with_cause}", fit(upstream, 24)),
                    format!("{} {tail} requests", fit(upstream, 40)),
                    format!("{} {tail}", fit(upstream, 24)),
                ]
            }
            None => vec![format!("an upstream {tail} requests")],
        };
        return state(view, Role::Warn, "WARNING", "", &says);
    }
    let fetches = match (totals.fetches, totals.fetches_failed) {
        (0, _) => "no crawler came".to_owned(),
        (all, 0) => format!("{} crawler fetches failed", share(0, all)),
        (all, failed) => format!("{} crawler fetches failed, no incident", share(failed, all)),
    };
    let says = [
        format!("{fetches}{}", span(view, true)),
        format!("{fetches}{}", span(view, false)),
        fetches,
    ];
    state(view, Role::Good, "HEALTHY", "", &says)
}

/// `, 21 Nov 00:00 .. 22 Nov 14:12 +01:00`
fn span(view: &View<'_>, with_zone: bool) -> String {
    let coverage = &view.report.coverage;
    let (Some(start), Some(end)) = (coverage.start, coverage.end) else {
        return String::new();
    };
    let zone = if with_zone {
        format!(" {}", view.zone.name())
    } else {
        String::new()
    };
    format!(
        ", {} .. {}{zone}",
        view.zone.moment(start),
        view.zone.moment(end)
    )
}

/// Whether it is down rather than failing now and then.
fn is_outage(incident: &Incident) -> bool {
    incident.verdict == Verdict::Persistent
        || incident.requests.failed.saturating_mul(2) >= incident.requests.total
}

/// The same sentence from long to short.
fn sentences(view: &View<'_>, diagnosis: &Diagnosis, tail: &str) -> Vec<String> {
    let subject = phrase::subject(&diagnosis.incident);
    let cut = fit(&subject, SUBJECT_COLUMNS);
    let among = phrase::among(&diagnosis.incident, &view.report.coverage);
    let subjects = among
        .map(|among| format!("{subject} ({among})"))
        .into_iter();
    let subjects = subjects.chain([subject, cut.clone()]);
    let short = phrase::short_sentence(&diagnosis.incident, &cut, tail);
    subjects
        .map(|subject| phrase::sentence(diagnosis, &subject, tail))
        .chain([short])
        .collect()
}

fn lost(view: &View<'_>, of: &[&Diagnosis], where_: &str) -> Vec<Line> {
    let incidents: Vec<&Incident> = of.iter().map(|diagnosis| &diagnosis.incident).collect();
    let lost = phrase::lost(view.report, &incidents);
    let counted = format!("{lost} {} incidents {where_}.", number(of.len() as u64));
    let is_counted = of.len() > 1 && width(&counted) <= view.columns;
    let lines = wrap(if is_counted { &counted } else { &lost }, view.columns);
    at_most(lines, LOST_LINES_MAX, view.columns)
        .into_iter()
        .map(Line::plain)
        .collect()
}

/// The state word, with the age of an old log in place of "now", and the longest sentence that fits.
fn state(view: &View<'_>, role: Role, word: &str, now: &str, says: &[String]) -> Line {
    let word = match age(view) {
        Some(age) => format!("{word}, log ends {age} ago"),
        None => format!("{word}{now}"),
    };
    let room = view.columns.saturating_sub(width(&word) + 2);
    let says = says
        .iter()
        .find(|says| width(says) <= room)
        .cloned()
        .unwrap_or_else(|| clip(says.last().map_or("", String::as_str), room));
    Line::with(role, word)
        .then(Role::Plain, "  ")
        .then(Role::Plain, says)
}

fn age(view: &View<'_>) -> Option<String> {
    let end = view.report.coverage.end?;
    let age = view.clock?.secs_since(end);
    (age > OLD_AFTER_SECS).then(|| duration(age))
}

/// Why there is no request: none was chosen, none was in the logs, or the error log stood alone.
fn no_request(view: &View<'_>) -> (&'static str, Vec<String>) {
    let report = view.report;
    let sources = report.coverage.sources.as_slice();
    let requests: u64 = sources.iter().map(|source| source.requests).sum();
    let with_requests = || sources.iter().filter(|source| source.requests > 0);
    let start = with_requests().filter_map(|source| source.first).min();
    let end = with_requests().filter_map(|source| source.last).max();
    if requests > 0 {
        let none = format!("none of {}", count(requests, "request", "requests"));
        let span = match (start, end) {
            (Some(start), Some(end)) => {
                format!(" ({} .. {})", view.zone.date(start), view.zone.date(end))
            }
            _ => String::new(),
        };
        return (
            "NOTHING CHOSEN",
            vec![
                format!("{none}{span} is of the chosen time, host or crawler"),
                format!("{none} is of the chosen time, host or crawler"),
                format!("{none} is chosen"),
            ],
        );
    }
    if report.signs.is_empty() {
        let lines: u64 = sources.iter().map(|source| source.lines).sum();
        let says = format!(
            "no request in {} of {}",
            count(lines, "line", "lines"),
            count(sources.len() as u64, "file", "files")
        );
        return ("NOTHING READ", vec![says]);
    }
    let lines: u64 = report.signs.iter().map(|sign| sign.count).sum();
    let says = format!(
        "but {} about upstreams",
        count(lines, "error line", "error lines")
    );
    ("NO REQUEST READ", vec![says])
}

/// What the error log says by itself: ` 481 connection refused, 10.0.0.7:8080; 22 Nov 09:14 .. 10:02, error.log:7`.
fn signs(view: &View<'_>) -> Vec<Line> {
    let report = view.report;
    let requests: u64 = report
        .coverage
        .sources
        .iter()
        .map(|source| source.requests)
        .sum();
    if requests > 0 {
        return vec![];
    }
    let most = if view.full { usize::MAX } else { SIGNS_MAX };
    let mut lines: Vec<Line> = report
        .signs
        .iter()
        .take(most)
        .flat_map(|sign| {
            let says = format!(
                "{} {}; {} .. {}, {}",
                number(sign.count),
                said(sign),
                view.zone.moment(sign.first),
                view.zone.moment(sign.last),
                source::place(&report.coverage, sign.place, SUBJECT_COLUMNS)
            );
            labelled(" ", wrap(&says, view.columns.saturating_sub(1)))
        })
        .collect();
    let more = report.signs.len().saturating_sub(most) as u64;
    if more > 0 {
        lines.push(Line::plain(format!(" {} more: --full", number(more))));
    }
    lines
}
