//! Where it failed: routes and upstreams, worst first, each with its good requests beside it.

use model::Incident;

use super::View;
use super::incident::{columns, exactly};
use super::section::Section;
use crate::clean::{fit, width};
use crate::words::{number, share};

/// Rows with `--full`.
const ROWS_MAX: usize = 50;
/// Columns of a route or an upstream in a shared line.
const NAME_COLUMNS: usize = 34;
/// The same where even one does not fit.
const NARROW_COLUMNS: usize = 16;
/// More than this many never fit on a line.
const SHARED_MAX: usize = 6;

/// Routes.
pub(super) fn routes(view: &View<'_>, incident: &Incident) -> Section {
    let one_host = incident
        .routes
        .iter()
        .all(|hit| Some(&hit.host) == incident.routes.first().map(|first| &first.host));
    let rows: Vec<Row> = incident
        .routes
        .iter()
        .map(|hit| Row {
            name: if one_host {
                hit.route.clone()
            } else {
                format!("{}{}", hit.host, hit.route)
            },
            failed: hit.failed,
            total: hit.total,
        })
        .collect();
    section(view, "routes", &rows)
}

/// Upstreams, where the incident is not about a single one and there are several.
pub(super) fn upstreams(view: &View<'_>, incident: &Incident) -> Section {
    let is_told = incident.scope.kind == model::ScopeKind::Upstream && !view.full;
    if is_told || incident.upstreams.len() < 2 {
        return Section::default();
    }
    let rows: Vec<Row> = incident
        .upstreams
        .iter()
        .map(|hit| Row {
            name: hit.upstream.clone(),
            failed: hit.failed,
            total: hit.total,
        })
        .collect();
    Section {
        keep: 0,
        ..section(view, "upstream", &rows)
    }
}

struct Row {
    name: String,
    failed: u64,
    total: u64,
}

impl Row {
    fn text(&self, columns: usize) -> String {
        format!(
            "{} {}",
            fit(&self.name, columns),
            share(self.failed, self.total)
        )
    }
}

fn section(view: &View<'_>, label: &str, rows: &[Row]) -> Section {
    if !view.full {
        return exactly(
            label,
            shared_line(rows, columns(view)).into_iter().collect(),
        );
    }
    let mut items: Vec<String> = rows
        .iter()
        .take(ROWS_MAX)
        .map(|row| row.text(columns(view) - 24))
        .collect();
    if let Some(rest) = rows.get(ROWS_MAX..).filter(|rest| !rest.is_empty()) {
        items.push(sum(rest));
    }
    exactly(label, items)
}

/// As many as fit on one line, worst first, the rest as a sum.
fn shared_line(rows: &[Row], columns: usize) -> Option<String> {
    (1..=rows.len().min(SHARED_MAX))
        .rev()
        .map(|shown| cells(rows, shown, NAME_COLUMNS))
        .find(|line| width(line) <= columns)
        .or_else(|| rows.first().map(|_| cells(rows, 1, NARROW_COLUMNS)))
}

fn cells(rows: &[Row], shown: usize, name_columns: usize) -> String {
    let (head, rest) = rows.split_at(shown);
    let mut cells: Vec<String> = head.iter().map(|row| row.text(name_columns)).collect();
    if !rest.is_empty() {
        cells.push(sum(rest));
    }
    cells.join("   ")
}

fn sum(rows: &[Row]) -> String {
    let failed = rows.iter().map(|row| row.failed).sum();
    let total = rows.iter().map(|row| row.total).sum();
    format!(
        "{} more {}",
        number(rows.len() as u64),
        share(failed, total)
    )
}
