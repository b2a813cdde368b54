//! `failures`: one row for each failed fetch.

use std::sync::{Mutex, PoisonError};

use model::{Cause, Coverage, Incident, Outcome, Report, Request, ScopeKind};
use report::{FailureRow, FailureTable};

use crate::cli::{FailuresArgs, RowFormat};
use crate::output;

use super::diagnose;

/// Columns of the table for people.
const WIDTH: usize = 100;

/// Runs it; gives the exit status.
pub(crate) fn run(args: &FailuresArgs) -> anyhow::Result<u8> {
    let rows = Mutex::new(Vec::new());
    let report = diagnose::report(
        &args.input,
        Vec::new(),
        &|request: &Request<'_>, coverage: &Coverage| {
            if request.outcome == Outcome::Good || (request.fetch.is_none() && !args.all_clients) {
                return;
            }
            let row = FailureRow::from_request(request, coverage);
            rows.lock().unwrap_or_else(PoisonError::into_inner).push((
                request.at,
                request.place,
                row,
            ));
        },
    )?;
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by_key(|(at, place, _)| (*at, *place));
    let rows = rows.into_iter().map(|(_, _, row)| with_root(row, &report));
    output::write(&match args.format {
        RowFormat::Text => {
            let table = FailureTable::new(&report.coverage, WIDTH);
            let rows: String = rows.map(|row| table.row(&row)).collect();
            if rows.is_empty() {
                "no failed fetch\n".to_owned()
            } else {
                table.header() + &rows
            }
        }
        RowFormat::Ndjson => rows.map(|row| report::failure_ndjson(&row)).collect(),
        RowFormat::Csv => {
            let rows = rows.map(|row| report::failure_csv(&row));
            std::iter::once(report::failure_csv_header())
                .chain(rows)
                .collect()
        }
    })?;
    Ok(0)
}

/// An echo gets the root of the incident that it lies in.
fn with_root(mut row: FailureRow, report: &Report) -> FailureRow {
    if row.cause == Some(Cause::NoLiveUpstream.name()) {
        let around = report.diagnoses.iter().find(|diagnosis| {
            let incident = &diagnosis.incident;
            diagnosis.echoes > 0
                && incident.start <= row.moment
                && row.moment <= incident.last_failure.plus_secs(1)
                && is_inside(&row, incident)
        });
        row.root = around.and_then(|diagnosis| diagnosis.root).map(Cause::name);
    }
    row
}

/// Whether a row lies on a host and in the scope of an incident. Where the row does not say, it does not.
fn is_inside(row: &FailureRow, incident: &Incident) -> bool {
    let named = |name: &str| incident.scope.values.iter().any(|value| value == name);
    // Scopes name crawlers as their operators write them.
    let is_crawler = |id: &str| {
        let mut values = incident.scope.values.iter();
        values.any(|value| value.eq_ignore_ascii_case(id))
    };
    let path = row.path.as_deref().unwrap_or(&row.route);
    let is_under = |prefix: &String| {
        path.strip_prefix(prefix.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let in_scope = match incident.scope.kind {
        ScopeKind::Site => true,
        ScopeKind::Host => named(&row.host),
        ScopeKind::Route => incident.scope.values.iter().any(is_under),
        ScopeKind::Url => named(path),
        ScopeKind::Upstream => row.upstream.as_deref().is_some_and(named),
        ScopeKind::Crawler => row
            .crawler
            .as_deref()
            .is_some_and(|crawler| named("*") || is_crawler(crawler)),
        ScopeKind::Robots => path == "/robots.txt",
    };
    in_scope && incident.routes.iter().any(|route| route.host == row.host)
}
