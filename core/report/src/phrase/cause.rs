//! The cause in words, or what to log to learn it.

use model::{Cause, Confidence, Coverage, Diagnosis, Edge, Field, IdleRace, SourceReport};

use super::who::product;
use crate::words::{clause, count, list, share};

/// Causes named in one sentence.
const NAMED_MAX: usize = 3;

/// The cause with its confidence and meaning, or what to log to learn it.
pub(crate) fn cause(diagnosis: &Diagnosis, coverage: &Coverage) -> String {
    if is_open_limit(diagnosis) {
        let settle =
            settle(diagnosis, coverage).map_or(String::new(), |how| format!("; to tell, {how}"));
        return format!(
            "429 is usually deliberate: a rate limit at the edge or in the application; this log does not show which{settle}"
        );
    }
    let Some(cause) = diagnosis.cause else {
        return unknown(diagnosis, coverage);
    };
    let facts = knowledge::cause(cause);
    match diagnosis.confidence {
        Confidence::Ambiguous if !diagnosis.alternatives.is_empty() => {
            let all: Vec<Cause> = std::iter::once(cause)
                .chain(diagnosis.alternatives.iter().copied())
                .collect();
            match settle(diagnosis, coverage) {
                Some(how) => format!("{}; to tell, {how}", titles(&all, "or")),
                // Nothing is left to log: the failures have different causes.
                None => format!("several: {}", titles(&all, "and")),
            }
        }
        confidence => format!("{}, {}: {}", facts.title, confidence.name(), meaning(facts)),
    }
}

/// Nothing but 429, and not known from whom: no fault, but a limit that holds.
pub(crate) fn is_open_limit(diagnosis: &Diagnosis) -> bool {
    let statuses = &diagnosis.incident.statuses;
    diagnosis.confidence < Confidence::Likely
        && !statuses.is_empty()
        && statuses.keys().all(|status| status.0 == 429)
}

/// What the cause means. A first clause that only repeats the title is left out.
fn meaning(facts: &knowledge::CauseFacts) -> String {
    let repeats = |clause: &str| facts.title.split(' ').all(|word| clause.contains(word));
    match facts.says.split_once("; ") {
        Some((first, rest)) if repeats(first) => clause(rest),
        _ => clause(facts.says),
    }
}

fn unknown(diagnosis: &Diagnosis, coverage: &Coverage) -> String {
    let how = settle(diagnosis, coverage).unwrap_or_else(|| "the log does not tell".to_owned());
    match titles(&diagnosis.alternatives, "or").as_str() {
        "" => format!("unknown: {how}"),
        others => format!("unknown: {how}; perhaps {others}"),
    }
}

fn settle(diagnosis: &Diagnosis, coverage: &Coverage) -> Option<String> {
    let is_read = coverage.sources.iter().any(SourceReport::has_entries);
    let error_log = diagnosis.wants_error_log.then(|| {
        // The one that was read says nothing of these.
        let which = if is_read { " of these requests" } else { "" };
        format!("read the error log{which} too")
    });
    let field = diagnosis.missing.map(|field| log_field(field, coverage));
    match (field, error_log) {
        (Some(field), Some(error_log)) => Some(format!("{field}, or {error_log}")),
        (field, error_log) => field.or(error_log),
    }
}

/// How to log a field, in the language of the edge. Where the product is not known, in nginx's as an example: most
/// logs in a layout of several products are its.
fn log_field(field: Field, coverage: &Coverage) -> String {
    let name = field.name();
    let product = product(coverage);
    let (asked, before) = match product {
        Edge::Unknown => (Edge::Nginx, "nginx: "),
        known => (known, ""),
    };
    let facts = knowledge::edge(asked);
    let directive = facts.directive;
    match facts.log_line(field) {
        Some(line) => format!("log `{name}` ({before}add `{line}` to {directive})"),
        None => format!("log `{name}`"),
    }
}

/// What else a likely cause may be, and what the incident's shape says of an idle connection race.
pub(crate) fn otherwise(diagnosis: &Diagnosis) -> Option<String> {
    let is_likely = diagnosis.cause.is_some() && diagnosis.confidence > Confidence::Ambiguous;
    let others = titles(&diagnosis.alternatives, "or");
    let otherwise = (is_likely && !others.is_empty()).then(|| format!("otherwise {others}"));
    let parts = [otherwise, diagnosis.idle_race.map(shape)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Why an idle connection race and no crash, or the other way round.
pub(crate) fn shape(shape: IdleRace) -> String {
    match shape {
        IdleRace::Likely {
            failed,
            total,
            minutes,
            routes,
            upstreams,
        } => {
            let mut places = vec![
                count(minutes, "minute", "minutes"),
                count(routes, "route", "routes"),
            ];
            if upstreams > 1 {
                places.push(count(upstreams, "upstream", "upstreams"));
            }
            let places = list(&places, "and");
            format!(
                "thin and even, as a crash is not: {} over {places}",
                share(failed, total)
            )
        }
        IdleRace::RuledOut { failed, total } => format!(
            "no idle connection race, which is thin: {} failed",
            share(failed, total)
        ),
    }
}

/// Failures that only echo the cause.
pub(crate) fn echoes(diagnosis: &Diagnosis) -> Option<String> {
    (diagnosis.echoes > 0 && diagnosis.cause != Some(Cause::NoLiveUpstream)).then(|| {
        format!(
            "{} only echo it: no upstream was left",
            count(diagnosis.echoes, "failure", "failures")
        )
    })
}

/// `a, b, c or 4 others`
fn titles(causes: &[Cause], last: &str) -> String {
    let named = causes.iter().take(NAMED_MAX);
    let mut titles: Vec<String> = named
        .map(|cause| knowledge::cause(*cause).title.to_owned())
        .collect();
    let more = causes.len().saturating_sub(NAMED_MAX) as u64;
    if more > 0 {
        titles.push(count(more, "other", "others"));
    }
    list(&titles, last)
}
