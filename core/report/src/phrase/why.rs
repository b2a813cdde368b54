//! Why this verdict and this scope.

use model::{Diagnosis, Incident, ScopeKind, Stamp};

use crate::clean::clean;
use crate::time::Zone;
use crate::words::{clause, count, duration, share, small};

/// Why this verdict and scope: the counts, the marks near the start, the rule.
pub(crate) fn why(diagnosis: &Diagnosis, zone: Zone) -> Vec<String> {
    let mut clauses = vec![counts(&diagnosis.incident)];
    clauses.extend(diagnosis.marks.iter().map(|(mark, after)| {
        let side = if *after < 0 { "before" } else { "after" };
        let label = clean(&mark.label);
        let name = if label.is_empty() {
            mark.kind.name().into()
        } else {
            label
        };
        format!(
            "starts {} {side} mark \"{name}\"",
            duration(after.saturating_abs())
        )
    }));
    clauses.extend(runs(&diagnosis.incident.runs, zone));
    clauses.push(clause(&clean(&diagnosis.incident.why)));
    clauses
}

/// `7 runs, the last 22 Nov 03:00 for 4 min`, where there are several.
fn runs(runs: &[(Stamp, Stamp)], zone: Zone) -> Option<String> {
    let (start, end) = runs.last().filter(|_| runs.len() > 1)?;
    let length = duration(end.secs_since(*start));
    Some(format!(
        "{} runs, the last {} for {length}",
        runs.len(),
        zone.moment(*start)
    ))
}

fn counts(incident: &Incident) -> String {
    if let (ScopeKind::Upstream, [worst, others @ ..]) =
        (incident.scope.kind, incident.upstreams.as_slice())
        && !others.is_empty()
    {
        let failed = others.iter().map(|hit| hit.failed).sum();
        let total = others.iter().map(|hit| hit.total).sum();
        let neighbours = match others.len() {
            1 => "neighbour".to_owned(),
            several => format!("{} neighbours", small(several as u64)),
        };
        return format!(
            "it failed {}; its {neighbours} {}",
            share(worst.failed, worst.total),
            share(failed, total)
        );
    }
    let requests = incident.requests;
    let repeats = match requests.repeats {
        0 => String::new(),
        repeats => format!(" ({})", count(repeats, "repeat", "repeats")),
    };
    format!(
        "{} requests failed{repeats}",
        share(requests.failed, requests.total)
    )
}
