//! `failures`: one row per failed fetch with its cause and the evidence's place.

use model::{Attempt, CauseSet, Coverage, Finding, Place, Request, Route, Shape, Stamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::clean::{self, fit, left};
use crate::json::{escaped, schema_of};
use crate::spreadsheet::record;
use crate::time::Zone;
use crate::{crawler, sign, source, time};

/// One failed, or not clean, request as machine output shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailureRow {
    /// Path of the log.
    pub source: String,
    /// Line in it, from 1.
    pub line: u64,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Host asked for; empty where not logged.
    pub host: String,
    /// Method.
    pub method: &'static str,
    /// Path without its query; only for fetches.
    pub path: Option<String>,
    /// Path reduced to a pattern.
    pub route: String,
    /// As the client saw it.
    pub status: u16,
    /// How it ended: `failed`, `hidden-failure`, `saved-by-retry`, `client-abort`.
    pub outcome: &'static str,
    /// The crawler; `None` for other clients.
    pub crawler: Option<String>,
    /// What is known of its claim; `None` for other clients.
    pub identity: Option<&'static str>,
    /// The upstream that failed, or answered last; `None` where not logged.
    pub upstream: Option<String>,
    /// Attempts on upstreams.
    pub attempts: u64,
    /// The layer that broke.
    pub layer: &'static str,
    /// What the edge states.
    pub cause: Option<&'static str>,
    /// What that only echoes, where it is known: set by the caller who knows the incident.
    pub root: Option<&'static str>,
    /// How sure.
    pub confidence: &'static str,
    /// What else it can be.
    pub alternatives: Vec<&'static str>,
    /// The field that would settle it.
    pub missing: Option<&'static str>,
    /// The lines that show it, the deciding one first.
    pub evidence: Vec<FailureEvidence>,
    /// The same moment as `at`, for tables in the log's zone.
    #[serde(skip)]
    #[schemars(skip)]
    pub moment: Stamp,
}

/// A line that shows a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailureEvidence {
    /// Path of the log.
    pub source: String,
    /// Line in it, from 1.
    pub line: u64,
    /// What it shows; `None` for a plain failed request.
    pub sign: Option<&'static str>,
}

impl FailureRow {
    /// The row of a settled request. Its route shows words only where a crawler fetched the path; a caller who knows
    /// more puts it into `route`.
    pub fn from_request(request: &Request<'_>, coverage: &Coverage) -> Self {
        let finding = finding(request);
        let alternatives = finding.map_or(CauseSet(0), |finding| finding.also);
        Self {
            source: coverage.path(request.place.source).to_owned(),
            line: request.place.line,
            at: time::rfc3339(request.at),
            host: request.host.to_owned(),
            method: request.method.name(),
            path: request.fetch.map(|fetch| fetch.path.to_owned()),
            route: route(&request.route, request.fetch.map(|fetch| fetch.path)),
            status: request.status.0,
            outcome: request.outcome.name(),
            crawler: request
                .fetch
                .map(|fetch| crawler::name(fetch.claim.crawler)),
            identity: request.fetch.map(|fetch| fetch.claim.identity.name()),
            upstream: upstream(request).map(str::to_owned),
            attempts: request.attempts.len() as u64,
            layer: layer(finding.as_ref()).name(),
            cause: finding
                .and_then(|finding| finding.cause)
                .map(model::Cause::name),
            root: None,
            confidence: finding
                .map_or(model::Confidence::Unknown, |finding| finding.confidence)
                .name(),
            alternatives: alternatives.iter().map(model::Cause::name).collect(),
            missing: finding
                .and_then(|finding| finding.missing)
                .map(model::Field::name),
            evidence: evidence(request, finding.as_ref(), coverage),
            moment: request.at,
        }
    }
}

/// A row as one line of NDJSON, with its line end.
pub fn failure_ndjson(row: &FailureRow) -> String {
    // Strings and numbers only: cannot fail.
    escaped(&serde_json::to_string(row).unwrap_or_default()) + "\n"
}

/// The JSON Schema of one line of [`failure_ndjson`], indented.
pub fn failure_schema() -> String {
    schema_of::<FailureRow>()
}

/// Names of the CSV columns, in order.
const COLUMNS: [&str; 20] = [
    "source",
    "line",
    "at",
    "host",
    "method",
    "path",
    "route",
    "status",
    "outcome",
    "crawler",
    "identity",
    "upstream",
    "attempts",
    "layer",
    "cause",
    "root",
    "confidence",
    "alternatives",
    "missing",
    "evidence",
];

/// The first line of the CSV, with its line end.
pub fn failure_csv_header() -> String {
    record(&COLUMNS.map(str::to_owned))
}

/// A row as one line of CSV, safe to open in a spreadsheet, with its line end.
pub fn failure_csv(row: &FailureRow) -> String {
    let evidence: Vec<String> = row
        .evidence
        .iter()
        .map(|evidence| format!("{}:{}", evidence.source, evidence.line))
        .collect();
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let cells: [String; COLUMNS.len()] = [
        row.source.clone(),
        row.line.to_string(),
        row.at.clone(),
        row.host.clone(),
        row.method.to_owned(),
        text(row.path.as_deref()),
        row.route.clone(),
        format!("{:03}", row.status),
        row.outcome.to_owned(),
        text(row.crawler.as_deref()),
        text(row.identity),
        text(row.upstream.as_deref()),
        row.attempts.to_string(),
        row.layer.to_owned(),
        text(row.cause),
        text(row.root),
        row.confidence.to_owned(),
        row.alternatives.join(" "),
        text(row.missing),
        evidence.join(" "),
    ];
    record(&cells)
}

/// Columns of the table, in order: a width each; the path takes what is left.
const TABLE: [(&str, usize); 5] = [
    ("time", 15),
    ("code", 4),
    ("crawler", 10),
    ("cause", 18),
    ("evidence", 13),
];

/// Rows as a table for terminals, in the log's own zone.
#[derive(Debug)]
pub struct FailureTable<'a> {
    coverage: &'a Coverage,
    zone: Zone,
    width: usize,
}

impl<'a> FailureTable<'a> {
    /// A table no wider than `width`.
    pub fn new(coverage: &'a Coverage, width: usize) -> Self {
        Self {
            coverage,
            zone: Zone::of(coverage, None),
            width,
        }
    }

    /// The heading, with its line end.
    pub fn header(&self) -> String {
        table_line(TABLE.map(|(name, _)| name), "", "path", self.width)
    }

    /// A row, with its line end. The host stands before the path where both fit.
    pub fn row(&self, row: &FailureRow) -> String {
        let time = format!(
            "{} {}",
            self.zone.date(row.moment),
            self.zone.second(row.moment)
        );
        let status = format!("{:03}", row.status);
        let evidence = row.evidence.first().map_or(String::new(), |evidence| {
            format!(
                "{}:{}",
                source::short(self.coverage, &evidence.source),
                evidence.line
            )
        });
        let crawler = row.crawler.as_deref().unwrap_or("-");
        let cause = row.root.or(row.cause).unwrap_or("unknown");
        let path = row.path.as_deref().unwrap_or(&row.route);
        table_line(
            [&time, &status, crawler, cause, &evidence],
            &row.host,
            path,
            self.width,
        )
    }
}

fn table_line(cells: [&str; 5], host: &str, path: &str, width: usize) -> String {
    let mut text = String::new();
    for (cell, (_, columns)) in cells.iter().zip(TABLE) {
        text.push_str(&left(&fit(cell, columns), columns + 1));
    }
    let room = width.saturating_sub(clean::width(&text));
    let whole = clean::clean(host).into_owned() + &clean::clean(path);
    text.push_str(&if clean::width(&whole) <= room {
        whole
    } else {
        fit(path, room)
    });
    fit(text.trim_end(), width) + "\n"
}

/// The request's own finding; for one that a retry saved, that of the attempt which failed.
fn finding(request: &Request<'_>) -> Option<Finding> {
    request
        .finding
        .or_else(|| request.attempts.iter().find_map(|attempt| attempt.finding))
}

/// The attempt that failed last, else the last one. A group's name is no upstream.
fn upstream<'a>(request: &Request<'a>) -> Option<&'a str> {
    let named = |attempt: &&Attempt<'a>| !attempt.is_group && !attempt.upstream.is_empty();
    let attempts = || request.attempts.iter().rev().filter(named);
    let failed = attempts().find(|attempt| attempt.finding.is_some());
    failed
        .or_else(|| attempts().next())
        .map(|attempt| attempt.upstream)
}

/// Of several causes in several layers none is named: the layer says whom to ask.
fn layer(finding: Option<&Finding>) -> model::Layer {
    let Some((finding, cause)) = finding.and_then(|finding| Some((finding, finding.cause?))) else {
        return model::Layer::Unknown;
    };
    let layer = cause.layer();
    let is_open = finding.confidence == model::Confidence::Ambiguous
        && finding
            .candidates()
            .iter()
            .any(|other| other.layer() != layer);
    if is_open {
        model::Layer::Unknown
    } else {
        layer
    }
}

/// The error-log line that decided and the request's own line.
fn evidence(
    request: &Request<'_>,
    finding: Option<&Finding>,
    coverage: &Coverage,
) -> Vec<FailureEvidence> {
    let shows = finding
        .and_then(|finding| finding.sign)
        .and_then(sign::name);
    let row = |place: Place, sign| FailureEvidence {
        source: coverage.path(place.source).to_owned(),
        line: place.line,
        sign,
    };
    match request.evidence {
        Some(decided) => vec![row(decided, shows), row(request.place, None)],
        None => vec![row(request.place, shows)],
    }
}

/// A path reduced by shape. Words are shown only where the path is a crawler's; else they are `*`.
fn route(route: &Route, path: Option<&str>) -> String {
    if route.robots {
        return "/robots.txt".to_owned();
    }
    let mut words = path
        .unwrap_or_default()
        .split('/')
        .filter(|word| !word.is_empty());
    let mut text = String::new();
    for segment in route.segments.iter().take(usize::from(route.len)) {
        let word = words.next();
        text.push('/');
        text.push_str(match segment.shape {
            Shape::Literal => word.unwrap_or("*"),
            shape => shape.placeholder().unwrap_or("*"),
        });
    }
    if route.deeper {
        text.push_str("/*");
    }
    if text.is_empty() {
        "/".to_owned()
    } else {
        text
    }
}
