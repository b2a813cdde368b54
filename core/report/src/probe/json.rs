//! A probe as one JSON object, version 1.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Cause;
use model::probe::{KeepAlive, Outcome, Part, Phase, Side, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Probed, words};
use crate::crawler;
use crate::json::{escaped, schema_of};
use crate::time::rfc3339;

/// What a probe saw and what it comes to.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "webmasterid probe, version 1")]
struct Report<'a> {
    /// Version of this format.
    #[schemars(range(min = 1, max = 1))]
    version: u32,
    url: &'a str,
    /// The crawler whose user agent was sent; null for the probe's own.
    sent_as: Option<String>,
    /// Whether everything is good; the exit status is 0 then, else 4.
    good: bool,
    /// The worst verdict of all paths.
    verdict: &'static str,
    /// In words.
    sentence: String,
    /// Paths that come to the same, the worst first.
    parts: Vec<PartRow<'a>>,
    /// One for each address and path.
    outcomes: Vec<OutcomeRow<'a>>,
    /// How good answers of edge and origin differ.
    differences: Vec<DifferenceRow<'a>>,
    /// What to do, the first thing first.
    advice: &'a [&'static str],
}

#[derive(Serialize, JsonSchema)]
struct PartRow<'a> {
    verdict: &'static str,
    paths: &'a [String],
    edge: SideRow<'a>,
    origin: SideRow<'a>,
    /// Names that do not lead to the address given with them.
    elsewhere: Vec<ElsewhereRow<'a>>,
    sentence: String,
}

#[derive(Serialize, JsonSchema)]
struct SideRow<'a> {
    /// `absent` where nobody was asked.
    #[schemars(extend("enum" = ["absent", "good", "fails", "differs"]))]
    state: &'static str,
    /// Addresses that fail, where others do not.
    failing: &'a [String],
    causes: Vec<&'static str>,
}

#[derive(Serialize, JsonSchema)]
struct ElsewhereRow<'a> {
    name: &'a str,
    address: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct OutcomeRow<'a> {
    #[schemars(extend("enum" = ["edge", "origin"]))]
    role: &'static str,
    /// As it was named.
    target: &'a str,
    /// What was connected to; null where the name leads nowhere.
    address: Option<&'a str>,
    tls: bool,
    tls_version: Option<&'static str>,
    path: &'a str,
    /// When it began, RFC 3339 in UTC.
    started: String,
    /// Whether it was asked at all.
    asked: bool,
    /// Milliseconds that each phase took, the failed one with them.
    phases_ms: BTreeMap<&'static str, f64>,
    failure: Option<FailureRow<'a>>,
    answer: Option<AnswerRow<'a>>,
    keep_alive: Option<KeepAliveRow>,
    notes: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct FailureRow<'a> {
    phase: &'static str,
    cause: Option<&'static str>,
    layer: &'static str,
    detail: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct AnswerRow<'a> {
    status: u16,
    server: Option<&'a str>,
    content_type: Option<&'a str>,
    location: Option<&'a str>,
    retry_after: Option<&'a str>,
    header_bytes: u64,
    body_bytes: u64,
    whole: bool,
}

#[derive(Serialize, JsonSchema)]
struct KeepAliveRow {
    #[schemars(extend("enum" = ["closed", "still-open", "not-kept"]))]
    state: &'static str,
    after_ms: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
struct DifferenceRow<'a> {
    path: &'a str,
    origin: &'a str,
    other_application: bool,
    values: Vec<ValueRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct ValueRow<'a> {
    what: &'static str,
    edge: &'a str,
    origin: &'a str,
}

/// The probe as one JSON object, version 1, indented.
pub fn probe_json(probed: &Probed<'_>) -> String {
    let text = serde_json::to_string_pretty(&report(probed)).unwrap_or_default();
    escaped(&text) + "\n"
}

/// The JSON Schema of [`probe_json`], indented.
pub fn probe_schema() -> String {
    schema_of::<Report<'static>>()
}

fn report<'a>(probed: &Probed<'a>) -> Report<'a> {
    let verdict = probed.verdict;
    let sentences = verdict.parts.iter();
    let sentences: Vec<String> = sentences
        .map(|part| words::sentence(part, verdict))
        .collect();
    Report {
        version: 1,
        url: probed.url,
        sent_as: probed.sent_as.map(crawler::name),
        good: verdict.kind() == model::probe::VerdictKind::AllGood,
        verdict: verdict.kind().name(),
        sentence: sentences.join(" "),
        parts: verdict
            .parts
            .iter()
            .map(|part| part_row(part, verdict))
            .collect(),
        outcomes: probed.outcomes.iter().map(outcome).collect(),
        differences: verdict
            .differences
            .iter()
            .map(|row| DifferenceRow {
                path: &row.path,
                origin: &row.origin,
                other_application: row.is_other_application,
                values: row
                    .what
                    .iter()
                    .map(|(what, edge, origin)| ValueRow { what, edge, origin })
                    .collect(),
            })
            .collect(),
        advice: &verdict.advice,
    }
}

fn part_row<'a>(part: &'a Part, verdict: &Verdict) -> PartRow<'a> {
    PartRow {
        verdict: part.kind.name(),
        paths: &part.paths,
        edge: side(&part.edge),
        origin: side(&part.origin),
        elsewhere: part
            .elsewhere
            .iter()
            .map(|(name, address)| ElsewhereRow { name, address })
            .collect(),
        sentence: words::sentence(part, verdict),
    }
}

fn side(side: &Side) -> SideRow<'_> {
    let names = |causes: &[Cause]| causes.iter().map(|cause| cause.name()).collect();
    let (state, failing, causes): (_, &[String], _) = match side {
        Side::Absent => ("absent", &[], Vec::new()),
        Side::Good => ("good", &[], Vec::new()),
        Side::Fails { causes } => ("fails", &[], names(causes)),
        Side::Differs {
            failing, causes, ..
        } => ("differs", failing, names(causes)),
    };
    SideRow {
        state,
        failing,
        causes,
    }
}

fn outcome(outcome: &Outcome) -> OutcomeRow<'_> {
    let steps = outcome.steps.iter();
    OutcomeRow {
        role: outcome.target.role.name(),
        target: &outcome.target.name,
        address: outcome.target.address.as_deref(),
        tls: outcome.target.tls,
        tls_version: outcome.tls_version,
        path: &outcome.path,
        started: rfc3339(outcome.at),
        asked: outcome.is_asked(),
        phases_ms: steps
            .map(|(phase, took): &(Phase, Duration)| (phase.name(), millis(*took)))
            .collect(),
        failure: outcome.failure.as_ref().map(|failure| FailureRow {
            phase: failure.phase.name(),
            cause: failure.cause.map(Cause::name),
            layer: failure
                .cause
                .map_or(model::Layer::Unknown, Cause::layer)
                .name(),
            detail: &failure.detail,
        }),
        answer: outcome.answer.as_ref().map(|answer| AnswerRow {
            status: answer.status,
            server: answer.server.as_deref(),
            content_type: answer.content_type.as_deref(),
            location: answer.location.as_deref(),
            retry_after: answer.retry_after.as_deref(),
            header_bytes: answer.header_bytes,
            body_bytes: answer.body_bytes,
            whole: answer.is_whole,
        }),
        keep_alive: outcome.keep_alive.map(|found| match found {
            KeepAlive::Closed(after) => KeepAliveRow {
                state: "closed",
                after_ms: Some(millis(after)),
            },
            KeepAlive::StillOpen(after) => KeepAliveRow {
                state: "still-open",
                after_ms: Some(millis(after)),
            },
            KeepAlive::NotKept => KeepAliveRow {
                state: "not-kept",
                after_ms: None,
            },
        }),
        notes: outcome.notes.iter().map(words::note).collect(),
    }
}

/// Milliseconds, to the microsecond.
fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1_000.0
}
