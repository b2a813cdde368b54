//! `crawlers list`: the registry as a table, one crawler in full, JSON and CSV.

use std::fmt::Write as _;

use knowledge::{Crawler, RobotsToken};
use model::Category;
use serde::Serialize;

use crate::clean::{clip, left};
use crate::identification::names;
use crate::json::escaped;
use crate::spreadsheet::record;
use crate::words::count;

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Where the values of a crawler in full begin.
const INDENT: usize = 13;
/// What stands for [`UNVERIFIED`] in a column.
const UNVERIFIED_SHORT: &str = "unverified";
/// How a fact without a date is shown.
const UNVERIFIED: &str = "Data not yet verified";

/// Crawlers as a table for terminals, by what they crawl for.
pub fn crawler_table(crawlers: &[&Crawler]) -> String {
    let mut text = String::new();
    for category in Category::ALL {
        let of_it = || crawlers.iter().filter(|it| it.category == category);
        if of_it().next().is_none() {
            continue;
        }
        let head = format!("{} ({})", category.name(), of_it().count());
        line(
            &mut text,
            &[
                (&head, 28),
                ("operator", 16),
                ("class", 15),
                ("checked by", 11),
                ("source", 10),
            ],
        );
        for crawler in of_it() {
            line(
                &mut text,
                &[
                    (&format!("  {}", crawler.id), 28),
                    (crawler.operator, 16),
                    (&class(crawler), 15),
                    (check(crawler), 11),
                    (crawler.checked.unwrap_or(UNVERIFIED_SHORT), 10),
                ],
            );
        }
        text.push('\n');
    }
    let verified = crawlers.iter().filter(|it| it.checked.is_some()).count() as u64;
    let others = crawlers.len() as u64 - verified;
    let _ = writeln!(
        text,
        "{}: {verified} after the operator's own text of that date, {others} {UNVERIFIED_SHORT}\n({UNVERIFIED}).",
        count(crawlers.len() as u64, "crawler", "crawlers"),
    );
    text
}

fn line(text: &mut String, cells: &[(&str, usize)]) {
    let mut line = String::new();
    for (cell, columns) in cells {
        // Room for a blank before the next.
        line.push_str(&left(
            &clip(cell, columns.saturating_sub(1).max(10)),
            *columns,
        ));
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

/// What an operator or an AI tells its crawlers apart by, as far as the category does not say it.
fn class(crawler: &Crawler) -> String {
    let ai = match crawler.ai {
        Some("user") => Some("ai"),
        other => other,
    };
    let class = crawler
        .class
        .filter(|class| *class != crawler.category.name());
    let words: Vec<&str> = ai.into_iter().chain(class).collect();
    words.join(", ")
}

fn check(crawler: &Crawler) -> &'static str {
    match (crawler.rdns_suffixes, crawler.ip_ranges) {
        ([], []) => "-",
        (_, []) => "dns",
        ([], _) => "ranges",
        _ => "dns+ranges",
    }
}

/// One crawler in full.
pub fn crawler_page(crawler: &Crawler) -> String {
    let mut text = format!("{}\n", crawler.id);
    for (name, value) in facts_of(crawler) {
        field(&mut text, name, &value);
    }
    let source = match crawler.checked {
        Some(day) => format!("{} (read {day})", crawler.source),
        None => format!("{} ({UNVERIFIED})", crawler.source),
    };
    field(&mut text, "source", &source);
    if !crawler.unverified_fields.is_empty() {
        let fields = format!("{UNVERIFIED}: {}", crawler.unverified_fields.join(", "));
        field(&mut text, "but", &fields);
    }
    if !crawler.note.is_empty() {
        field(&mut text, "note", crawler.note);
    }
    text
}

/// What is known of a crawler, by name, without its source.
pub(crate) fn facts_of(crawler: &Crawler) -> Vec<(&'static str, String)> {
    let class = match (crawler.class, crawler.ai) {
        (None, None) => String::new(),
        (class, ai) => {
            let class = class.map(class_words);
            let ai = ai.map(|ai| match ai {
                "user" => "AI, for a user's request",
                "search" => "AI, for search",
                _ => "AI, for training",
            });
            let words: Vec<&str> = class.into_iter().chain(ai).collect();
            format!(" ({})", words.join("; "))
        }
    };
    let retired = if crawler.retired { "; retired" } else { "" };
    let mut agent = if crawler.exact { "is " } else { "contains " }.to_owned();
    agent.push_str(&crawler.tokens.join(" or "));
    if !crawler.not_tokens.is_empty() {
        let _ = write!(agent, ", but not {}", crawler.not_tokens.join(" nor "));
    }
    let token = crawler.robots_token.unwrap_or("name not known");
    let mut facts = vec![
        ("operator", format!("{}{class}{retired}", crawler.operator)),
        (
            "crawls for",
            format!("{}: {}", crawler.category.name(), crawler.purpose),
        ),
        ("user agent", agent),
        (
            "robots.txt",
            format!("{token}; honoured: {}", crawler.honours_robots),
        ),
    ];
    facts.extend(
        methods(crawler)
            .into_iter()
            .map(|method| ("checked by", method)),
    );
    facts
}

/// The class in words.
pub(crate) fn class_words(class: &str) -> &'static str {
    match class {
        "common" => "common crawler",
        "special-case" => "special-case crawler",
        "user-triggered" => "user-triggered fetcher",
        _ => "user-triggered, run by customers of its cloud",
    }
}

fn methods(crawler: &Crawler) -> Vec<String> {
    let mut methods = Vec::new();
    if !crawler.rdns_suffixes.is_empty() {
        methods.push(format!(
            "reverse DNS: the host name is like {} and leads back to the address",
            names(crawler).join(" or ")
        ));
    }
    methods.extend(
        crawler
            .ip_ranges
            .iter()
            .map(|entry| format!("ranges: {entry}")),
    );
    if methods.is_empty() {
        methods.push("nothing: the operator publishes no method".to_owned());
    }
    methods
}

/// `  name       words`, folded. Nothing is cut: an address on the web must stay whole.
pub(crate) fn field(text: &mut String, name: &str, value: &str) {
    let room = WIDTH - INDENT - 2;
    let mut lines: Vec<String> = Vec::new();
    for word in value.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    for (index, line) in lines.iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        let _ = writeln!(text, "  {name:<INDENT$}{line}");
    }
}

/// The registry as machine output shows it.
#[derive(Serialize)]
struct Registry<'a> {
    version: u32,
    crawlers: Vec<Row<'a>>,
    /// Names for robots.txt under which nobody comes.
    robots_tokens: Vec<RobotsRow<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    operator: &'a str,
    category: &'a str,
    class: Option<&'a str>,
    ai: Option<&'a str>,
    purpose: &'a str,
    tokens: &'a [&'a str],
    exact: bool,
    not_tokens: &'a [&'a str],
    robots_token: Option<&'a str>,
    honours_robots: &'a str,
    dns_suffixes: &'a [&'a str],
    dns_masks: &'a [&'a str],
    ranges: &'a [&'a str],
    ranges_layout: Option<&'a str>,
    retired: bool,
    status: &'a str,
    checked: Option<&'a str>,
    unverified_fields: &'a [&'a str],
    source: &'a str,
    note: &'a str,
}

#[derive(Serialize)]
struct RobotsRow<'a> {
    token: &'a str,
    operator: &'a str,
    purpose: &'a str,
    forged_in_agent: bool,
    status: &'a str,
    checked: Option<&'a str>,
    source: &'a str,
    note: &'a str,
}

fn status(checked: Option<&str>) -> &'static str {
    checked.map_or(UNVERIFIED, |_| "verified")
}

/// Crawlers as one JSON object, version 1.
pub fn crawler_json(crawlers: &[&Crawler], robots: &[RobotsToken]) -> String {
    let registry = Registry {
        version: 1,
        crawlers: crawlers.iter().map(|crawler| row(crawler)).collect(),
        robots_tokens: robots
            .iter()
            .map(|known| RobotsRow {
                token: known.token,
                operator: known.operator,
                purpose: known.purpose,
                forged_in_agent: known.is_forged_in_agent,
                status: status(known.checked),
                checked: known.checked,
                source: known.source,
                note: known.note,
            })
            .collect(),
    };
    escaped(&serde_json::to_string_pretty(&registry).unwrap_or_default()) + "\n"
}

fn row(crawler: &Crawler) -> Row<'_> {
    Row {
        id: crawler.id,
        operator: crawler.operator,
        category: crawler.category.name(),
        class: crawler.class,
        ai: crawler.ai,
        purpose: crawler.purpose,
        tokens: crawler.tokens,
        exact: crawler.exact,
        not_tokens: crawler.not_tokens,
        robots_token: crawler.robots_token,
        honours_robots: crawler.honours_robots,
        dns_suffixes: crawler.rdns_suffixes,
        dns_masks: crawler.rdns_masks,
        ranges: crawler.ip_ranges,
        ranges_layout: crawler.ip_ranges_format,
        retired: crawler.retired,
        status: status(crawler.checked),
        checked: crawler.checked,
        unverified_fields: crawler.unverified_fields,
        source: crawler.source,
        note: crawler.note,
    }
}

/// Names of the CSV columns, in order.
const COLUMNS: [&str; 13] = [
    "id",
    "operator",
    "category",
    "class",
    "ai",
    "purpose",
    "tokens",
    "honours_robots",
    "dns_suffixes",
    "ranges",
    "status",
    "checked",
    "source",
];

/// Crawlers as CSV, safe to open in a spreadsheet.
pub fn crawler_csv(crawlers: &[&Crawler]) -> String {
    let head = record(&COLUMNS.map(str::to_owned));
    crawlers.iter().fold(head, |text, crawler| {
        let cells: [&str; COLUMNS.len()] = [
            crawler.id,
            crawler.operator,
            crawler.category.name(),
            crawler.class.unwrap_or_default(),
            crawler.ai.unwrap_or_default(),
            crawler.purpose,
            &crawler.tokens.join(" | "),
            crawler.honours_robots,
            &crawler.rdns_suffixes.join(" "),
            &crawler.ip_ranges.join(" | "),
            status(crawler.checked),
            crawler.checked.unwrap_or_default(),
            crawler.source,
        ];
        text + &record(&cells.map(str::to_owned))
    })
}
