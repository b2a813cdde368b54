//! `diagnose --owed`: what crawlers failed to get, to hand over: one row for each crawler and path.

use std::cmp::Reverse;

use model::{LedgerRow, Report};

use crate::spreadsheet::record;
use crate::{crawler, time};

/// Names of the columns, in order.
const COLUMNS: [&str; 10] = [
    "crawler",
    "host",
    "path",
    "urls",
    "owed",
    "lost_since",
    "failures",
    "last_answer",
    "tried_again",
    "refetched_since",
];

/// The ledger as CSV, safe to open in a spreadsheet: what is owed first, then what has come back; by crawler, the
/// longest lost first.
pub fn owed_csv(report: &Report) -> String {
    let mut rows: Vec<&LedgerRow> = report.ledger.iter().collect();
    rows.sort_by_cached_key(|row| {
        let name = crawler::name(row.crawler);
        (
            row.owed == 0,
            name,
            row.first_failed,
            Reverse(row.failed),
            &row.host,
            &row.path,
        )
    });
    let header = record(&COLUMNS.map(str::to_owned));
    let rows = rows.into_iter().map(|row| record(&cells(row)));
    std::iter::once(header).chain(rows).collect()
}

fn cells(row: &LedgerRow) -> [String; 10] {
    [
        crawler::name(row.crawler),
        row.host.clone(),
        row.path.clone(),
        row.urls.to_string(),
        row.owed.to_string(),
        time::rfc3339(row.first_failed),
        row.failed.to_string(),
        format!("{:03}", row.last_status.0),
        row.retried.to_string(),
        row.first_ok.map(time::rfc3339).unwrap_or_default(),
    ]
}
