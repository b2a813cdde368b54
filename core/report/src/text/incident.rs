//! One incident in full.

use model::{Diagnosis, Evidence, Incident, Stamp};

use super::screen::{Line, Role};
use super::section::{Section, at_most, fit};
use super::{View, crawlers, routes};
use crate::clean::{clean, clip, flow, left, width, wrap};
use crate::options::id_text;
use crate::words::{clause, duration, list, number};
use crate::{crawler, phrase, source};

/// Columns before the text of a part.
const LABEL: usize = 10;
/// Lines that one item may take without `--full`.
const ITEM_LINES_MAX: usize = 2;
/// The same of a cause that is open.
const UNKNOWN_LINES_MAX: usize = 3;
/// Pieces of evidence shown without `--full`.
const EVIDENCE_MAX: usize = 2;
/// Steps shown without `--full`.
const ADVICE_MAX: usize = 4;
/// Rows of each further table with `--full`.
const DETAILS_MAX: usize = 20;
/// Columns of a file name beside a line number.
const FILE_COLUMNS: usize = 24;
/// The same with `--full`.
const FILE_COLUMNS_FULL: usize = 60;
/// Columns of the chain before the layer stands beside it.
const CHAIN_COLUMNS: usize = 40;

/// The block of one incident, in at most `lines` lines if that can be.
pub(super) fn block(
    view: &View<'_>,
    index: usize,
    diagnosis: &Diagnosis,
    lines: usize,
) -> Vec<Line> {
    let mut sections = vec![
        chain(view, diagnosis),
        cause(view, diagnosis),
        why(view, diagnosis),
        crawlers::section(view, &diagnosis.incident),
        labelled(
            view,
            "rate",
            crawlers::changed_rates(&diagnosis.incident),
            0,
        ),
        routes::routes(view, &diagnosis.incident),
        routes::upstreams(view, &diagnosis.incident),
        risk(view, diagnosis),
        advice(view, diagnosis),
    ];
    fit(&mut sections, lines.saturating_sub(1));
    let parts = sections
        .into_iter()
        .flat_map(|section| section.items.into_iter().flatten());
    std::iter::once(head(view, index, diagnosis))
        .chain(parts)
        .collect()
}

/// What `--incident` and `--full` add: identity, statuses, history, paths, every piece of evidence.
pub(super) fn details(view: &View<'_>, diagnosis: &Diagnosis) -> Vec<Line> {
    let incident = &diagnosis.incident;
    let mut sections = vec![labelled(view, "id", vec![identity(view, diagnosis)], 1)];
    let statuses: Vec<String> = incident
        .statuses
        .iter()
        .map(|(status, n)| format!("{:03} {}", status.0, number(*n)))
        .collect();
    sections.push(flowing(view, "statuses", &[list(&statuses, "and")]));
    let history: Vec<String> = incident
        .history
        .iter()
        .map(|revision| {
            let at = view.zone.moment(revision.at);
            format!(
                "{at} {} ({:.2})",
                revision.verdict.name(),
                revision.probability
            )
        })
        .collect();
    sections.push(flowing(view, "history", &history));
    sections.push(flowing(view, "returns", &crawlers::returns(view, incident)));
    sections.push(labelled(view, "rates", crawlers::rates(view, incident), 1));
    sections.push(flowing(view, "bounds", &bounds(view, incident)));
    let change = clause(&clean(&incident.would_change));
    sections.push(flowing(view, "changes", &[change]));
    if incident.runs.len() > 1 {
        let runs = incident.runs.iter().rev().take(DETAILS_MAX);
        let runs = runs.map(|(start, end)| view.zone.interval(*start, *end, ""));
        sections.push(exactly("runs", runs.collect()));
    }
    let shown = incident.paths.len().min(DETAILS_MAX);
    let mut paths: Vec<String> = incident.paths.iter().take(shown).map(path_row).collect();
    if incident.paths.len() > shown {
        paths.push(format!(
            "{} more: --format json",
            number((incident.paths.len() - shown) as u64)
        ));
    }
    sections.push(labelled(view, "paths", paths, 1));
    sections
        .into_iter()
        .flat_map(|section| section.items.into_iter().flatten())
        .collect()
}

/// How well start, end and share are known: `began 09:13:58 .. 09:14:07`.
fn bounds(view: &View<'_>, incident: &Incident) -> Vec<String> {
    let between = |(from, to): (Stamp, Stamp)| match from == to {
        true => format!("{} {}", view.zone.date(from), view.zone.second(from)),
        false => view.zone.interval(from, to, ""),
    };
    let percent = |share: f64| match 100.0 * share {
        share if share < 10.0 => format!("{share:.1}"),
        share => format!("{share:.0}"),
    };
    let (least, most) = incident.bounds.share;
    let share = match (percent(least), percent(most)) {
        (least, most) if least == most => format!("{most} % failed"),
        (least, most) => format!("{least} to {most} % failed"),
    };
    let mut known = vec![format!("began {}", between(incident.bounds.start))];
    known.extend(
        incident
            .bounds
            .end
            .map(|end| format!("ended {}", between(end))),
    );
    known.push(share);
    known
}

/// An incident in a few words: `#2 blip 21 Nov 03:02 (2 min, 23 fetches, all back)`.
pub(super) fn aside(view: &View<'_>, index: usize, diagnosis: &Diagnosis) -> String {
    let incident = &diagnosis.incident;
    format!(
        "#{} {} {} ({}, {})",
        index + 1,
        incident.verdict.name(),
        view.zone.moment(incident.start),
        duration(phrase::length(incident, &view.report.coverage)),
        phrase::harm(incident)
    )
}

fn head(view: &View<'_>, index: usize, diagnosis: &Diagnosis) -> Line {
    let incident = &diagnosis.incident;
    let number = format!("#{} ", index + 1);
    let verdict = incident.verdict.name().to_uppercase();
    let purpose = if incident.intended {
        ", on purpose"
    } else {
        ""
    };
    let length = duration(phrase::length(incident, &view.report.coverage));
    let end = phrase::end(incident, &view.report.coverage);
    let when = |words: &str| view.zone.interval(incident.start, end, words);
    let minutes = view.zone.minutes(incident.start, end);
    let since = view.zone.moment(incident.start);
    let tails = match incident.end {
        None => [
            format!(", ongoing{purpose}   {}", when("end of log ")),
            format!(", ongoing{purpose}  {}", when("")),
            format!(", ongoing{purpose}  {minutes}"),
            format!(", ongoing since {since}"),
        ],
        Some(_) => [
            format!(", over in {length}{purpose}   {}", when("")),
            format!(", over{purpose}  {}", when("")),
            format!(", over{purpose}  {minutes}"),
            format!(", over, {since}, {length}"),
        ],
    };
    let probability = format!(" ({:.2})", incident.probability);
    let room = view
        .columns
        .saturating_sub(width(&number) + width(&verdict) + width(&probability));
    let [.., last] = &tails;
    let tail = tails
        .iter()
        .find(|tail| width(tail) <= room)
        .unwrap_or(last);
    let role = match incident.end {
        _ if incident.intended => Role::Strong,
        None => Role::Bad,
        Some(_) => Role::Warn,
    };
    Line::with(Role::Strong, number)
        .then(role, verdict)
        .then(Role::Plain, format!("{probability}{tail}"))
}

fn chain(view: &View<'_>, diagnosis: &Diagnosis) -> Section {
    let layer = format!("layer: {}", diagnosis.layer.name());
    let room = columns(view).saturating_sub(width(&layer) + 2);
    let chain = phrase::chain(diagnosis, &view.report.coverage, room);
    let gap = CHAIN_COLUMNS.min(room).max(width(&chain) + 2);
    exactly("chain", vec![format!("{}{layer}", left(&chain, gap))])
}

fn cause(view: &View<'_>, diagnosis: &Diagnosis) -> Section {
    // What to log has to be read to the end.
    let most = if diagnosis.missing.is_some() || diagnosis.wants_error_log {
        UNKNOWN_LINES_MAX
    } else {
        ITEM_LINES_MAX
    };
    let says = item(
        view,
        &phrase::cause(diagnosis, &view.report.coverage),
        "",
        most,
    );
    let shown = if view.full { usize::MAX } else { EVIDENCE_MAX };
    let evidence = diagnosis.evidence.iter().take(shown);
    let rest = evidence
        .map(|evidence| evidence_text(view, evidence))
        .chain(phrase::otherwise(diagnosis))
        .chain(phrase::echoes(diagnosis));
    let items = std::iter::once(says).chain(rest.map(|text| item(view, &text, "", ITEM_LINES_MAX)));
    Section::labelled(&label_text("cause"), items.collect(), 2)
}

/// `error.log:812 and 3,119 more: connection refused`
fn evidence_text(view: &View<'_>, evidence: &Evidence) -> String {
    let columns = if view.full {
        FILE_COLUMNS_FULL
    } else {
        FILE_COLUMNS
    };
    let place = source::place(&view.report.coverage, evidence.place, columns);
    let more = match evidence.count.saturating_sub(1) {
        0 => String::new(),
        more => format!(" and {} more", number(more)),
    };
    format!("{place}{more}: {}", clause(&evidence.says))
}

fn why(view: &View<'_>, diagnosis: &Diagnosis) -> Section {
    flowing(view, "why", &phrase::why(diagnosis, view.zone))
}

fn risk(view: &View<'_>, diagnosis: &Diagnosis) -> Section {
    let items = diagnosis.risk.iter().map(|risk| {
        let says = phrase::risk(risk, view.zone);
        item(
            view,
            &says,
            &phrase::fact_mark(risk.fact, risk.status),
            ITEM_LINES_MAX,
        )
    });
    Section::labelled(&label_text("at risk"), items.collect(), 1)
}

fn advice(view: &View<'_>, diagnosis: &Diagnosis) -> Section {
    let most = if view.full { usize::MAX } else { ADVICE_MAX };
    let items = diagnosis
        .advice
        .iter()
        .take(most)
        .enumerate()
        .map(|(index, advice)| {
            let why = match clause(&advice.why).as_str() {
                why if view.full && !why.is_empty() => format!(" ({why})"),
                _ => String::new(),
            };
            let mark = advice.fact.map_or(String::new(), phrase::advice_mark);
            item(
                view,
                &format!(
                    "{} {}{why}",
                    index + 1,
                    advice.action.trim().trim_end_matches('.')
                ),
                &mark,
                ITEM_LINES_MAX,
            )
        });
    let items: Vec<Vec<String>> = items.collect();
    let keep = keep(&items);
    Section::labelled(&label_text("do"), items, keep)
}

/// Two steps in any case, and a third where all three are short.
fn keep(steps: &[Vec<String>]) -> usize {
    match steps {
        [first, second, third, ..] if first.len() + second.len() + third.len() == 3 => 3,
        _ => 2,
    }
}

fn identity(view: &View<'_>, diagnosis: &Diagnosis) -> String {
    let incident = &diagnosis.incident;
    let seen = view.zone.moment(incident.first_detected);
    let mut text = format!("{}, first detected {seen}", id_text(incident.id));
    if !incident.supersedes.is_empty() {
        let old: Vec<String> = incident.supersedes.iter().map(|id| id_text(*id)).collect();
        text = format!("{text}, in place of {}", old.join(" "));
    }
    text
}

fn path_row(hit: &model::PathHit) -> String {
    let crawlers: Vec<String> = hit.crawlers.iter().map(|who| crawler::name(*who)).collect();
    let host = crate::clean::fit(&hit.host, 24);
    let path = crate::clean::fit(&hit.path, 36);
    format!("{} {host}{path} {}", number(hit.failed), crawlers.join(" "))
}

/// Items under a label, each wrapped; without `--full` each in at most two lines.
pub(super) fn labelled(view: &View<'_>, label: &str, items: Vec<String>, keep: usize) -> Section {
    let items = items
        .iter()
        .map(|text| item(view, text, "", ITEM_LINES_MAX));
    let items = items.filter(|lines| !lines.is_empty()).collect();
    Section::labelled(&label_text(label), items, keep)
}

/// A text in lines, at most `most` of them without `--full`. Its mark stands whole behind it, whatever is cut.
fn item(view: &View<'_>, text: &str, mark: &str, most: usize) -> Vec<String> {
    let columns = columns(view);
    let lines = wrap(&format!("{text} {mark}"), columns);
    if view.full || lines.len() <= most {
        return lines;
    }
    if mark.is_empty() {
        return at_most(lines, most, columns);
    }
    let mut lines = wrap(text, columns);
    lines.truncate(most);
    let room = columns.saturating_sub(width(mark) + 1);
    if let Some(last) = lines.last_mut() {
        *last = format!(
            "{}… {mark}",
            clip(last, room.saturating_sub(1)).trim_end_matches(['…', ' '])
        );
    }
    lines
}

/// Lines under a label as they are, each an item.
pub(super) fn exactly(label: &str, lines: Vec<String>) -> Section {
    Section::labelled(
        &label_text(label),
        lines.into_iter().map(|line| vec![line]).collect(),
        1,
    )
}

/// Clauses under a label, as many on a line as fit.
pub(super) fn flowing(view: &View<'_>, label: &str, clauses: &[String]) -> Section {
    let columns = columns(view);
    let most = if view.full {
        usize::MAX
    } else {
        ITEM_LINES_MAX
    };
    let items = flow(clauses, columns)
        .into_iter()
        .map(|item| at_most(item, most, columns));
    Section::labelled(&label_text(label), items.collect(), 1)
}

pub(super) fn columns(view: &View<'_>) -> usize {
    view.columns.saturating_sub(LABEL)
}

fn label_text(label: &str) -> String {
    format!(" {} ", left(label, LABEL - 2))
}
