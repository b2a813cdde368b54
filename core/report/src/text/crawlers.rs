//! Who was hit: one row per search or AI crawler, one for all others.

use model::{Category, CrawlRate, CrawlerHit, Incident, RateBasis, RateWindow, Stamp};

use super::View;
use super::incident::labelled;
use super::screen::{Line, Role};
use super::section::Section;
use crate::clean::{fit, left, right, width};
use crate::words::{duration, list, number, share};
use crate::{crawler, phrase};

/// Crawlers with a row of their own without `--full`.
const OWN_ROWS_MAX: usize = 3;
/// Columns of a name: the longest names of the registry's search crawlers fit.
const NAME_COLUMNS: (usize, usize) = (13, 20);
/// A crawler is called silent when this many fetches would have come by now at its own pace: by chance alone
/// none comes once in a thousand times (e^-7).
const SILENT_FETCHES: u64 = 7;
/// And after at least this long. Convention of this project.
const SILENT_SECS: i64 = 10 * 60;

/// One row of the table.
struct Row {
    name: String,
    failed: u64,
    total: u64,
    lost: u64,
    back: u64,
    owed: u64,
    good: Option<Stamp>,
    note: String,
}

/// The table, or "no crawler hit".
pub(super) fn section(view: &View<'_>, incident: &Incident) -> Section {
    if incident.fetches.failed == 0 || incident.crawlers.is_empty() {
        return labelled(view, "crawlers", vec!["no crawler hit".to_owned()], 1);
    }
    let rows = rows(view, incident);
    let keep = rows.len() + 1;
    Section {
        items: table(view, incident, &rows)
            .into_iter()
            .map(|line| vec![line])
            .collect(),
        keep,
    }
}

fn rows(view: &View<'_>, incident: &Incident) -> Vec<Row> {
    let (named, mut others): (Vec<&CrawlerHit>, Vec<&CrawlerHit>) = incident
        .crawlers
        .iter()
        .partition(|hit| crawler::category(hit.crawler).is_headline());
    let mut named = named;
    if !view.full && named.len() + usize::from(!others.is_empty()) > OWN_ROWS_MAX + 1 {
        others.splice(0..0, named.split_off(OWN_ROWS_MAX));
    }
    let mut rows: Vec<Row> = named
        .iter()
        .map(|hit| own_row(view, incident, hit))
        .collect();
    match others.as_slice() {
        [] => {}
        [only] => rows.push(own_row(view, incident, only)),
        several => rows.push(shared_row(view, several)),
    }
    rows
}

fn own_row(view: &View<'_>, incident: &Incident, hit: &CrawlerHit) -> Row {
    Row {
        name: crawler::name(hit.crawler),
        failed: hit.failed,
        total: hit.total,
        lost: hit.urls_lost,
        back: hit.urls_refetched,
        owed: hit.urls_owed,
        good: good(incident, hit),
        note: silence(view, incident, hit),
    }
}

fn shared_row(view: &View<'_>, hits: &[&CrawlerHit]) -> Row {
    let sum = |of: fn(&CrawlerHit) -> u64| hits.iter().map(|hit| of(hit)).sum();
    Row {
        name: format!("{} others", hits.len()),
        failed: sum(|hit| hit.failed),
        total: sum(|hit| hit.total),
        lost: sum(|hit| hit.urls_lost),
        back: sum(|hit| hit.urls_refetched),
        owed: sum(|hit| hit.urls_owed),
        good: hits
            .iter()
            .filter_map(|hit| hit.first_ok.or(hit.last_ok))
            .max(),
        note: if view.full {
            kinds(hits)
        } else {
            String::new()
        },
    }
}

/// What became of the URLs of the crawlers that count: `googlebot 43 of 268 back, half within 2 h, nine in ten within
/// 8 h 20 min, 12 tried again and failed again`.
pub(super) fn returns(view: &View<'_>, incident: &Incident) -> Vec<String> {
    let hits = incident.crawlers.iter().filter(|hit| hit.urls_lost > 0);
    let named = hits.filter(|hit| crawler::category(hit.crawler).is_headline());
    named.map(|hit| returned(view, hit)).collect()
}

fn returned(view: &View<'_>, hit: &CrawlerHit) -> String {
    let mut text = format!(
        "{} {} back",
        crawler::name(hit.crawler),
        share(hit.urls_refetched, hit.urls_lost)
    );
    if let Some(time) = hit.time_to_return {
        text += &format!(", half within {}", duration(time.median));
        if time.p90 > time.median {
            text += &format!(" and nine in ten within {}", duration(time.p90));
        }
    }
    if hit.urls_retried > 0 {
        text += &format!(", {} tried again in vain", number(hit.urls_retried));
    }
    let all = view.report.crawlers.iter();
    let own = all.filter(|report| report.crawler == hit.crawler);
    for known in own.map(|report| report.retry_after) {
        let answered = known.respected + known.early;
        if answered > 0 {
            let kept = share(known.respected, answered);
            text += &format!("; Retry-After respected {kept} times in the whole log");
        }
    }
    text
}

/// Crawlers that came more or less often than they use to: what chance does not explain, with its interval.
pub(super) fn changed_rates(incident: &Incident) -> Vec<String> {
    let headline = |rate: &&CrawlRate| crawler::category(rate.crawler).is_headline();
    let rates = incident.rates.iter().filter(headline);
    rates.filter_map(changed_rate).collect()
}

fn changed_rate(rate: &CrawlRate) -> Option<String> {
    let (low, high) = rate.bounds;
    let percent = |ratio: f64| 100.0 * (ratio - 1.0).abs();
    let (word, least, most, sign) = if high < 1.0 {
        // Google documents it for these failures: RATE-01.
        (
            "fewer",
            percent(high),
            percent(low),
            "consistent with slowing down on errors",
        )
    } else if low > 1.0 {
        (
            "more",
            percent(low),
            percent(high),
            "consistent with catching up",
        )
    } else {
        return None;
    };
    let when = match rate.window {
        RateWindow::During => "meanwhile",
        RateWindow::After => "since its end",
    };
    Some(format!(
        "{} made {:.0} % {word} fetches {when} than usual ({least:.0} to {most:.0}), {sign}",
        crawler::name(rate.crawler),
        percent(rate.ratio),
    ))
}

/// Every rate that was compared, or why none was.
pub(super) fn rates(view: &View<'_>, incident: &Incident) -> Vec<String> {
    if incident.rates.is_empty() {
        if incident.fetches.failed == 0 {
            return Vec::new();
        }
        let why = "not compared: needs two days of log before it and an hour of it";
        return vec![why.to_owned()];
    }
    let told = incident.rates.iter().map(|rate| {
        let basis = match rate.basis {
            RateBasis::HourOfWeek => "the same hours of earlier weeks",
            RateBasis::HourOfDay => "the same hours of earlier days (too short a log for weeks)",
        };
        format!(
            "{} {} {}: {} fetches, {:.0} by {basis}; {:.2} times as many, {:.2} to {:.2}",
            crawler::name(rate.crawler),
            rate.window.name(),
            view.zone.interval(rate.from, rate.to, ""),
            number(rate.fetches),
            rate.expected,
            rate.ratio,
            rate.bounds.0,
            rate.bounds.1,
        )
    });
    told.collect()
}

/// Ongoing: its last good fetch. Over: its first good fetch since.
fn good(incident: &Incident, hit: &CrawlerHit) -> Option<Stamp> {
    match incident.end {
        None => hit.first_ok.or(hit.last_ok),
        Some(_) => hit.first_ok,
    }
}

/// A crawler that stopped coming while things are broken has drawn its conclusion.
fn silence(view: &View<'_>, incident: &Incident, hit: &CrawlerHit) -> String {
    let (None, Some(seen)) = (incident.end, hit.last_seen) else {
        return String::new();
    };
    let end = phrase::end(incident, &view.report.coverage);
    let (silent, length) = (end.secs_since(seen), end.secs_since(incident.start));
    let expected = u128::from(hit.total) * u128::try_from(silent).unwrap_or(0);
    let needed = u128::from(SILENT_FETCHES) * u128::try_from(length).unwrap_or(0);
    if silent >= SILENT_SECS && expected >= needed {
        format!("silent since {}", view.zone.brief(seen))
    } else {
        String::new()
    }
}

fn kinds(hits: &[&CrawlerHit]) -> String {
    let mut kinds: Vec<Category> = hits
        .iter()
        .map(|hit| crawler::category(hit.crawler))
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    let names: Vec<String> = kinds.iter().map(|kind| kind.name().to_owned()).collect();
    list(&names, "and")
}

fn table(view: &View<'_>, incident: &Incident, rows: &[Row]) -> Vec<Line> {
    let last = if incident.end.is_none() {
        "last good"
    } else {
        "good again"
    };
    let never = if incident.end.is_none() {
        "none"
    } else {
        "not yet"
    };
    let mut cells: Vec<[String; 7]> =
        vec![["crawler", "failed", "of", "URLs lost", "back", "owed", last].map(str::to_owned)];
    cells.extend(rows.iter().map(|row| {
        let good = row
            .good
            .map_or_else(|| never.to_owned(), |at| view.zone.brief(at));
        let [failed, total, lost, back, owed] =
            [row.failed, row.total, row.lost, row.back, row.owed].map(number);
        [
            fit(&row.name, NAME_COLUMNS.1),
            failed,
            total,
            lost,
            back,
            owed,
            good,
        ]
    }));
    let widths: [usize; 7] = std::array::from_fn(|column| {
        let widest = cells
            .iter()
            .map(|row| width(&row[column]))
            .max()
            .unwrap_or(0);
        if column == 0 {
            widest.max(NAME_COLUMNS.0)
        } else {
            widest
        }
    });
    let notes = std::iter::once("").chain(rows.iter().map(|row| row.note.as_str()));
    cells
        .iter()
        .zip(notes)
        .enumerate()
        .map(|(index, (row, note))| table_line(index, row, &widths, note))
        .collect()
}

fn table_line(index: usize, row: &[String; 7], widths: &[usize; 7], note: &str) -> Line {
    let [name, failed, of, lost, back, owed, good] = row;
    let [w_name, w_failed, w_of, w_lost, w_back, w_owed, w_good] = *widths;
    // The heading "of" belongs to the number before it; numbers end where numbers end.
    let of = if index == 0 {
        left(of, w_of)
    } else {
        right(of, w_of)
    };
    let text = format!(
        " {} {} {of}  {}  {}  {}  {}",
        left(name, w_name),
        right(failed, w_failed),
        right(lost, w_lost),
        right(back, w_back),
        right(owed, w_owed),
        right(good, w_good),
    );
    let role = if index == 0 { Role::Faint } else { Role::Plain };
    let line = Line::with(role, text);
    if note.is_empty() {
        line
    } else {
        line.then(Role::Plain, "  ").then(Role::Warn, note)
    }
}
