//! Below the incidents: other things, what was read and what was not, the next command.

use model::{Cause, Report, SignReport, SourceReport};

use super::View;
use super::headline::{is_hidden_warning, is_saved_warning};
use super::screen::{Line, labelled};
use super::section::at_most;
use crate::clean::{flow, width};
use crate::words::{clause, count, duration, number, share};
use crate::{phrase, source};

/// Columns before the text of a part.
const LABEL: usize = 6;
/// Lines of "Also" and of "Note" without `--full`.
const LINES_MAX: usize = 2;
/// Problems named one by one without `--full`.
const PROBLEMS_MAX: usize = 2;

/// The foot. A log in which nothing happened has two lines of it; one without a request has only what went wrong.
pub(super) fn lines(view: &View<'_>, asides: &[String]) -> Vec<Line> {
    let also: Vec<String> = asides.iter().cloned().chain(quiet_facts(view)).collect();
    let also = |most| part(view, "Also  ", &also, most);
    let read = || part(view, "Read  ", &[read(view)], LINES_MAX);
    let trouble = || part(view, "Note  ", &trouble(view), LINES_MAX);
    if view.report.totals.requests == 0 {
        return trouble();
    }
    if view.report.diagnoses.is_empty() && !view.full {
        let last = Some(also(1))
            .filter(|lines| !lines.is_empty())
            .unwrap_or_else(|| next_line(view));
        return [read(), last, trouble()].concat();
    }
    let blind = part(view, "Blind ", &blind_spots(view), 1);
    [
        also(LINES_MAX),
        read(),
        trouble(),
        blind,
        next_line(view),
        legend(view),
    ]
    .concat()
}

fn next_line(view: &View<'_>) -> Vec<Line> {
    let room = view.columns.saturating_sub(LABEL);
    let mut candidates = next(view);
    let fitting = candidates.iter().position(|next| width(next) <= room);
    let last = candidates.len().saturating_sub(1);
    labelled(
        "Next  ",
        vec![candidates.swap_remove(fitting.unwrap_or(last))],
    )
}

fn part(view: &View<'_>, label: &str, clauses: &[String], most: usize) -> Vec<Line> {
    let columns = view.columns.saturating_sub(LABEL);
    let most = if view.full { usize::MAX } else { most };
    labelled(
        label,
        at_most(flow(clauses, columns).concat(), most, columns),
    )
}

/// What is true but no incident.
pub(super) fn quiet_facts(view: &View<'_>) -> Vec<String> {
    let report = view.report;
    let totals = &report.totals;
    let mut facts = vec![];
    let mut tell = |n: u64, text: String| {
        if n > 0 {
            facts.push(text);
        }
    };
    // The headline names the worst where nothing else is wrong.
    let is_named = report.diagnoses.is_empty() && !is_hidden_warning(report);
    for blocked in report.blocked.iter().skip(usize::from(is_named)) {
        tell(blocked.count, phrase::blocked(blocked));
    }
    tell(
        totals.isolated_fetches,
        format!("{} isolated", number(totals.isolated_fetches)),
    );
    tell(totals.fetches_aborted, aborted(report));
    // The headline names one of the two.
    let is_headline = is_saved_warning(report) && !is_hidden_warning(report);
    if !(is_headline && report.diagnoses.is_empty()) {
        tell(totals.saved_by_retry, saved(report));
    }
    if !(is_hidden_warning(report) && report.diagnoses.is_empty()) {
        tell(totals.hidden_failures, hidden(report));
    }
    // Not those that are about no request: a server was marked down.
    let signs = report.coverage.joined.signs_unmatched;
    tell(signs, unmatched(report, signs));
    let gaps = report.coverage.gaps.as_slice();
    let silent: i64 = gaps.iter().map(|gap| gap.end.secs_since(gap.start)).sum();
    let gaps = gaps.len() as u64;
    tell(
        gaps,
        format!(
            "{} without any line ({})",
            count(gaps, "stretch", "stretches"),
            duration(silent)
        ),
    );
    facts
}

/// `14 aborts (Bingbot after 10.0 s, its own limit)`
fn aborted(report: &Report) -> String {
    let aborts = count(report.totals.fetches_aborted, "abort", "aborts");
    let patient = |known: &&model::CrawlerReport| known.patience.map(|patience| patience.aborts);
    let most = report.crawlers.iter().max_by_key(patient);
    let Some((crawler, patience)) = most.and_then(|most| Some((most.crawler, most.patience?)))
    else {
        return aborts;
    };
    let seconds = f64::from(patience.millis) / 1_000.0;
    let name = crate::crawler::proper_name(crawler);
    format!("{aborts} ({name} after {seconds:.1} s, its own limit)")
}

/// `3 error lines matched no request (connection refused, 10.0.0.7:8080)`
fn unmatched(report: &Report, signs: u64) -> String {
    let most = report
        .signs
        .iter()
        .find(|sign| sign.about_request)
        .map_or(String::new(), |sign| format!(" ({})", said(sign)));
    format!(
        "{} matched no request{most}",
        count(signs, "error line", "error lines")
    )
}

/// `connection refused, 10.0.0.7:8080`
pub(super) fn said(sign: &SignReport) -> String {
    let title = knowledge::cause(sign.cause).title;
    match sign.upstream.as_str() {
        "" => title.to_owned(),
        upstream => format!("{title}, {}", crate::clean::fit(upstream, 30)),
    }
}

fn saved(report: &Report) -> String {
    let totals = &report.totals;
    let saved = format!("{} saved by a retry", number(totals.saved_by_retry));
    match totals
        .saved_by_upstream
        .iter()
        .max_by_key(|(name, n)| (**n, std::cmp::Reverse(*name)))
    {
        Some((upstream, n)) => format!(
            "{saved} ({}: {})",
            crate::clean::fit(upstream, 30),
            number(*n)
        ),
        None => saved,
    }
}

fn hidden(report: &Report) -> String {
    let totals = &report.totals;
    let hidden = format!(
        "{} broken under another status",
        number(totals.hidden_failures)
    );
    let causes = hidden_causes(report);
    if causes.is_empty() {
        hidden
    } else {
        format!("{hidden} ({})", causes.join(", "))
    }
}

/// `8 body cut short`, most frequent first; what has no known cause is left out.
pub(super) fn hidden_causes(report: &Report) -> Vec<String> {
    let mut causes: Vec<(u64, Cause)> = (report.totals.hidden_by_cause.iter())
        .filter_map(|(name, n)| Some((*n, Cause::from_name(name)?)))
        .collect();
    causes.sort_by_key(|(n, cause)| (std::cmp::Reverse(*n), *cause));
    causes
        .iter()
        .map(|(n, cause)| format!("{} {}", number(*n), knowledge::cause(*cause).title))
        .collect()
}

fn read(view: &View<'_>) -> String {
    let report = view.report;
    let totals = &report.totals;
    let sources = &report.coverage.sources;
    let unreadable: u64 = sources.iter().map(|source| source.unparsed).sum();
    let others = match sources.iter().map(|source| source.others).sum() {
        0 => String::new(),
        others => format!(", {}", count(others, "other line", "other lines")),
    };
    let joined = report.coverage.joined;
    let all = joined.exact + joined.best_match;
    let joined = match joined.exact {
        _ if all == 0 || !view.full => String::new(),
        0 => format!(
            ", {} joined by client, request and time",
            count(all, "error line", "error lines")
        ),
        exact => format!(", {} joined exactly", share_of(exact, all)),
    };
    format!(
        "{} ({} by crawlers, {} failed), {}, {} unreadable{others}{joined}",
        count(totals.requests, "request", "requests"),
        number(totals.fetches),
        number(totals.fetches_failed),
        count(sources.len() as u64, "file", "files"),
        number(unreadable)
    )
}

/// `3,118 of 3,120 error lines`
fn share_of(exact: u64, all: u64) -> String {
    format!("{} error lines", share(exact, all))
}

/// What was not read, and limits that were hit.
fn trouble(view: &View<'_>) -> Vec<String> {
    let report = view.report;
    let most = if view.full { usize::MAX } else { PROBLEMS_MAX };
    let mut notes: Vec<String> = report
        .problems
        .iter()
        .take(most)
        .map(|problem| {
            let place = source::short(&report.coverage, &problem.source);
            let line = problem
                .line
                .map_or(String::new(), |line| format!(":{line}"));
            let times = if problem.count > 1 {
                format!(" ({} times)", number(problem.count))
            } else {
                String::new()
            };
            format!("{place}{line}: {}{times}", problem.reason)
        })
        .collect();
    let more = report.problems.len().saturating_sub(most) as u64;
    if more > 0 {
        notes.push(count(more, "more problem", "more problems"));
    }
    notes.extend(report.limits.iter().map(|limit| {
        format!(
            "limit {} {} hit, {} left out",
            limit.name,
            number(limit.limit),
            number(limit.dropped)
        )
    }));
    notes
}

/// What the layouts at hand cannot show: absence from the report is then no proof.
fn blind_spots(view: &View<'_>) -> Vec<String> {
    match view.report.blind_spots.as_slice() {
        [first, rest @ ..] if !view.full && !rest.is_empty() => {
            vec![spot(first), format!("{} more: --full", rest.len())]
        }
        spots => spots.iter().map(|text| spot(text)).collect(),
    }
}

/// A spot that stands alone: the first of them names the log, those after it say "it".
fn spot(text: &str) -> String {
    match text.strip_prefix("It ") {
        Some(rest) => clause(&format!("The log {rest}")),
        None => clause(text),
    }
}

/// What short words of the report mean.
const LEGEND: [&str; 4] = [
    "isolated: failed fetches in no incident",
    "owed: URLs that failed and that the crawler has not fetched well since",
    "silent since: no fetch of any kind since then, though its pace would have brought several",
    "/*: paths below, or words that no crawler fetched",
];

fn legend(view: &View<'_>) -> Vec<Line> {
    let report = view.report;
    let is_used = !report.diagnoses.is_empty() || report.totals.isolated_fetches > 0;
    if !view.full || !is_used {
        return vec![];
    }
    let clauses: Vec<String> = LEGEND.map(str::to_owned).to_vec();
    part(view, "Words ", &clauses, usize::MAX)
}

/// The next commands, from long to short.
fn next(view: &View<'_>) -> Vec<String> {
    let report = view.report;
    let mut next = vec![];
    if !report.diagnoses.is_empty() {
        next.push("--incident 1");
    }
    next.push("failures");
    let has_error_log = (report.coverage.sources.iter()).any(SourceReport::has_entries);
    if !has_error_log && (report.diagnoses.iter()).any(|diagnosis| diagnosis.wants_error_log) {
        next.push("add the error log");
    }
    let identity = (report.crawlers.iter())
        .map(|crawler| crawler.identity)
        .fold([0; 4], sum);
    let checked = checked(identity);
    if !checked.is_empty() {
        let next = next.join(" | ");
        let with = |words: String| format!("{next} ({words})");
        return checked.into_iter().map(with).collect();
    }
    let [.., unchecked] = identity;
    if unchecked == 0 {
        return vec![next.join(" | ")];
    }
    if view.verified_hint {
        next.push("--verify");
    }
    let next = next.join(" | ");
    vec![
        format!("{next} (crawlers are claims, not checked)"),
        format!("{next} (crawlers unchecked)"),
    ]
}

/// What the check of crawlers came to, in requests and from long to short; nothing where nothing was checked.
fn checked([verified, spoofed, unverifiable, unchecked]: [u64; 4]) -> Vec<String> {
    if verified + spoofed == 0 {
        return Vec::new();
    }
    let verified = format!("{} verified", number(verified));
    let others = [
        (spoofed, "spoofed"),
        (unchecked, "unchecked"),
        (unverifiable, "unverifiable"),
    ];
    let others = others.iter().filter(|(n, _)| *n > 0);
    let others = others.map(|(n, what)| format!("{} {what}", number(*n)));
    let words: Vec<String> = std::iter::once(verified).chain(others).collect();
    let all = words.join(", ");
    let first = words.iter().take(2).cloned().collect::<Vec<_>>().join(", ");
    vec![format!("crawlers: {all}"), all, first]
}

fn sum(one: [u64; 4], other: [u64; 4]) -> [u64; 4] {
    let mut both = one;
    both.iter_mut()
        .zip(other)
        .for_each(|(count, more)| *count = count.saturating_add(more));
    both
}
