//! The report for a terminal: state, what was lost, incidents, other things, what was read, what to do next.

mod crawlers;
mod foot;
mod headline;
mod incident;
mod routes;
pub(crate) mod screen;
mod section;

use model::{Diagnosis, Report, Stamp, Verdict};

use crate::options::{IncidentChoice, TextOptions, id_text};
use crate::phrase;
use crate::time::Zone;
use crate::words::count;
use screen::{Line, Role};

/// Columns that are used at most.
const COLUMNS_MAX: usize = 80;
/// Below this a table cannot be told from noise.
const COLUMNS_MIN: usize = 40;
/// A first screen with one incident.
const SCREEN_LINES: usize = 25;
/// Incidents in full without `--full`.
const IN_FULL_MAX: usize = 3;
/// Incidents of one line each without `--full`.
const ROWS_MAX: usize = 10;

/// What every part of the text needs.
struct View<'a> {
    report: &'a Report,
    zone: Zone,
    columns: usize,
    full: bool,
    clock: Option<Stamp>,
    verified_hint: bool,
}

/// How each incident of a report is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// A block of its own.
    Block,
    /// One line under the blocks.
    Row,
    /// A few words under "Also".
    Aside,
    /// One line under "answered by the edge on purpose".
    OnPurpose,
}

/// The report as text for a terminal.
pub fn text(report: &Report, options: &TextOptions) -> String {
    let columns = options.width.clamp(COLUMNS_MIN, COLUMNS_MAX);
    let view = view(report, options, columns);
    let lines = match options.incident {
        Some(choice) => one(&view, choice),
        None => all(&view),
    };
    screen::render(&lines, columns, options.color)
}

/// State and loss, one sentence each, of any length.
pub(crate) fn summary(report: &Report, options: &TextOptions) -> Vec<String> {
    /// Wider than any sentence.
    const COLUMNS: usize = 10_000;
    let lines = headline::lines(&view(report, options, COLUMNS));
    screen::render(&lines, COLUMNS, false)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// What is true but no incident.
pub(crate) fn quiet_facts(report: &Report, options: &TextOptions) -> Vec<String> {
    foot::quiet_facts(&view(report, options, COLUMNS_MAX))
}

/// For each incident, whether it is shown in full.
pub(crate) fn in_full(report: &Report, options: &TextOptions) -> Vec<bool> {
    places(&view(report, options, COLUMNS_MAX))
        .iter()
        .map(|place| *place == Shown::Block)
        .collect()
}

fn view<'a>(report: &'a Report, options: &TextOptions, columns: usize) -> View<'a> {
    View {
        report,
        zone: Zone::of(&report.coverage, options.clock),
        columns,
        full: options.full,
        clock: options.clock,
        verified_hint: options.verified_hint,
    }
}

fn one(view: &View<'_>, choice: IncidentChoice) -> Vec<Line> {
    match choice
        .index(view.report)
        .and_then(|index| Some((index, view.report.diagnoses.get(index)?)))
    {
        Some((index, diagnosis)) => {
            let view = View {
                full: true,
                ..*view
            };
            let mut lines = incident::block(&view, index, diagnosis, usize::MAX);
            lines.extend(incident::details(&view, diagnosis));
            lines
        }
        None => {
            let asked = match choice {
                IncidentChoice::Ordinal(number) => format!("#{number}"),
                IncidentChoice::Id(id) => id_text(id),
            };
            let known = count(view.report.diagnoses.len() as u64, "incident", "incidents");
            vec![Line::plain(format!(
                "There is no incident {asked}; the report has {known}."
            ))]
        }
    }
}

fn all(view: &View<'_>) -> Vec<Line> {
    let places = places(view);
    let mut lines = headline::lines(view);
    let rows = rows(view, &places);
    let foot = foot::lines(view, &asides(view, &places));
    // One blank line stands before the block.
    let room = SCREEN_LINES.saturating_sub(lines.len() + rows.len() + foot.len() + 1);
    let room = if view.full { usize::MAX } else { room };
    for (index, diagnosis) in placed(view, &places, Shown::Block) {
        lines.push(Line::default());
        lines.extend(incident::block(view, index, diagnosis, room));
        if view.full {
            lines.extend(incident::details(view, diagnosis));
        }
    }
    lines.extend(rows);
    lines.extend(foot);
    lines
}

fn placed<'a>(
    view: &'a View<'_>,
    places: &'a [Shown],
    wanted: Shown,
) -> impl Iterator<Item = (usize, &'a Diagnosis)> {
    view.report
        .diagnoses
        .iter()
        .enumerate()
        .zip(places)
        .filter(move |(_, place)| **place == wanted)
        .map(|(diagnosis, _)| diagnosis)
}

fn places(view: &View<'_>) -> Vec<Shown> {
    let mut blocks = 0;
    view.report
        .diagnoses
        .iter()
        .map(|diagnosis| {
            let place = place(view, diagnosis, blocks);
            blocks += usize::from(place == Shown::Block);
            place
        })
        .collect()
}

fn place(view: &View<'_>, diagnosis: &Diagnosis, blocks: usize) -> Shown {
    match diagnosis {
        _ if view.full => Shown::Block,
        diagnosis if diagnosis.incident.intended => Shown::OnPurpose,
        diagnosis if blocks > 0 && is_past_and_done(diagnosis) => Shown::Aside,
        _ if blocks < IN_FULL_MAX => Shown::Block,
        _ => Shown::Row,
    }
}

/// Short, over, and every URL fetched well again: worth a few words.
fn is_past_and_done(diagnosis: &Diagnosis) -> bool {
    let incident = &diagnosis.incident;
    incident.end.is_some()
        && matches!(incident.verdict, Verdict::Blip | Verdict::Restart)
        && phrase::nothing_owed(incident)
}

fn rows(view: &View<'_>, places: &[Shown]) -> Vec<Line> {
    let mut lines = list(view, "More incidents", placed(view, places, Shown::Row));
    lines.extend(list(
        view,
        "Answered by the edge on purpose",
        placed(view, places, Shown::OnPurpose),
    ));
    lines
}

fn list<'a>(
    view: &View<'_>,
    title: &str,
    incidents: impl Iterator<Item = (usize, &'a Diagnosis)>,
) -> Vec<Line> {
    let mut rows: Vec<Line> = incidents
        .map(|(index, diagnosis)| {
            let says = phrase::one_line(diagnosis, &view.report.coverage, view.zone);
            Line::with(Role::Strong, format!(" #{} ", index + 1)).then(Role::Plain, says)
        })
        .collect();
    if rows.is_empty() {
        return rows;
    }
    let more = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    if more > 0 {
        rows.push(Line::plain(format!(" {more} more: --full")));
    }
    rows.insert(0, Line::with(Role::Strong, title));
    rows
}

/// The first in a few words, the others as a number.
fn asides(view: &View<'_>, places: &[Shown]) -> Vec<String> {
    let mut asides = placed(view, places, Shown::Aside)
        .map(|(index, diagnosis)| incident::aside(view, index, diagnosis));
    let first = asides.next();
    let more = match asides.count() as u64 {
        0 => None,
        more => Some(count(
            more,
            "more short one, all back",
            "more short ones, all back",
        )),
    };
    first.into_iter().chain(more).collect()
}
