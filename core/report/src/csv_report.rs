//! `diagnose --format csv`: one row per incident.

use model::Report;

use crate::spreadsheet::record;
use crate::{crawler, options, time};

/// Names of the columns, in order.
const COLUMNS: [&str; 21] = [
    "id",
    "start",
    "end",
    "verdict",
    "probability",
    "intended",
    "scope",
    "value",
    "layer",
    "cause",
    "confidence",
    "missing",
    "failed",
    "total",
    "fetches_failed",
    "fetches_total",
    "urls_owed",
    "crawlers",
    "source",
    "line",
    "why",
];

/// The incidents of a report as CSV, safe to open in a spreadsheet.
pub fn csv(report: &Report) -> String {
    let head = record(&COLUMNS.map(str::to_owned));
    report.diagnoses.iter().fold(head, |text, diagnosis| {
        text + &record(&row(report, diagnosis))
    })
}

fn row(report: &Report, diagnosis: &model::Diagnosis) -> [String; COLUMNS.len()] {
    let incident = &diagnosis.incident;
    let crawlers: Vec<String> = incident
        .crawlers
        .iter()
        .map(|hit| crawler::name(hit.crawler))
        .collect();
    let owed: u64 = incident.crawlers.iter().map(|hit| hit.urls_owed).sum();
    let place = diagnosis.evidence.first().map(|evidence| evidence.place);
    [
        options::id_text(incident.id),
        time::rfc3339(incident.start),
        incident.end.map_or(String::new(), time::rfc3339),
        incident.verdict.name().to_owned(),
        format!("{:.4}", incident.probability),
        incident.intended.to_string(),
        incident.scope.kind.name().to_owned(),
        incident.scope.values.join(" "),
        diagnosis.layer.name().to_owned(),
        diagnosis.cause.map_or("", model::Cause::name).to_owned(),
        diagnosis.confidence.name().to_owned(),
        diagnosis.missing.map_or("", model::Field::name).to_owned(),
        incident.requests.failed.to_string(),
        incident.requests.total.to_string(),
        incident.fetches.failed.to_string(),
        incident.fetches.total.to_string(),
        owed.to_string(),
        crawlers.join(" "),
        place
            .map_or("", |place| report.coverage.path(place.source))
            .to_owned(),
        place.map_or(String::new(), |place| place.line.to_string()),
        incident.why.clone(),
    ]
}
