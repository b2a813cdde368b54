//! What was read, in the words of the report.

use std::collections::{BTreeMap, BTreeSet};

use intake::{Seen, Sources};
use model::{Coverage, Field, Gap, Joined, LogKind, Problem, SourceId, SourceReport, Stamp};

use crate::sources::Source;

/// The coverage of these sources.
pub(crate) fn coverage(
    sources: &[Source],
    seen: &Sources,
    joined: Joined,
    zones: &BTreeMap<SourceId, i32>,
    span: Option<(Stamp, Stamp)>,
    gaps: Vec<Gap>,
    judged_at: Stamp,
) -> Coverage {
    let empty = Seen::default();
    Coverage {
        start: span.map(|(start, _)| start),
        end: span.map(|(_, end)| end),
        judged_at,
        gaps,
        sources: sources
            .iter()
            .map(|source| {
                report(
                    source,
                    seen.get(source.id).unwrap_or(&empty),
                    zones.get(&source.id).copied(),
                )
            })
            .collect(),
        joined,
    }
}

/// The paths of these sources and nothing else: what rows need before all is read.
pub(crate) fn paths(sources: &[Source]) -> Coverage {
    let empty = Seen::default();
    let sources = sources
        .iter()
        .map(|source| report(source, &empty, None))
        .collect();
    Coverage {
        sources,
        ..Coverage::default()
    }
}

fn report(source: &Source, seen: &Seen, error_zone: Option<i32>) -> SourceReport {
    let format = seen
        .formats
        .iter()
        .max_by_key(|(_, n)| **n)
        .map(|((_, name), _)| name.clone());
    // Stamps of an error log are civil time until its zone is known.
    let shift = match source.kind {
        LogKind::Error => i64::from(error_zone.unwrap_or(0)) * -60,
        LogKind::Access | LogKind::Origin => 0,
    };
    let at = |stamp: Stamp| stamp.plus_secs(shift);
    SourceReport {
        path: source.found.name.clone(),
        edge: source.edge,
        format: format.unwrap_or_else(|| match source.kind {
            LogKind::Error => format!("{}-error", source.edge.name()),
            LogKind::Access | LogKind::Origin => String::new(),
        }),
        fields: Field::ALL
            .into_iter()
            .filter(|field| seen.carries(*field))
            .collect(),
        kind: source.kind,
        lines: seen.lines,
        requests: seen.requests,
        entries: seen.entries,
        others: seen.others,
        unparsed: seen.unparsed,
        first: seen.span.map(|(first, _)| at(first)),
        last: seen.span.map(|(_, last)| at(last)),
        zone: seen
            .zone()
            .or(error_zone.filter(|_| source.kind == LogKind::Error)),
    }
}

/// Lines that were not read, with the place of the first and the reason.
pub(crate) fn unparsed(sources: &[Source], seen: &Sources) -> Vec<Problem> {
    let mut problems = Vec::new();
    for source in sources {
        let Some(seen) = seen.get(source.id) else {
            continue;
        };
        for (reason, (line, count)) in &seen.reasons {
            problems.push(Problem {
                source: source.found.name.clone(),
                line: Some(*line),
                reason: (*reason).to_owned(),
                count: *count,
            });
        }
    }
    problems
}

/// What the layouts at hand cannot show, each said once.
pub(crate) fn blind_spots(sources: &[Source], seen: &Sources) -> Vec<&'static str> {
    // Entries may stand between the requests.
    let has_entries = |source: &Source| seen.get(source.id).is_some_and(|seen| seen.entries > 0);
    let has_error_log = sources
        .iter()
        .any(|source| source.kind == LogKind::Error || has_entries(source));
    let mut spots = Vec::new();
    let mut known = BTreeSet::new();
    for source in sources
        .iter()
        .filter(|source| source.kind == LogKind::Access)
    {
        let Some(seen) = seen.get(source.id) else {
            continue;
        };
        let carries = |field: Field| seen.carries(field);
        for spot in knowledge::edge(source.edge).blind_spots_of(carries, has_error_log) {
            if known.insert(spot) {
                spots.push(spot);
            }
        }
    }
    spots
}
