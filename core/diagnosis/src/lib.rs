//! Incidents and evidence to diagnoses: layer, cause, confidence, what is at risk, what to do. Takes a closed tally and
//! its incidents, gives the report; never sees a log line.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod advice;
mod cause;
mod evidence;
mod idle_race;
mod intended;
mod load;
pub mod probe;
mod related;
mod risk;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::{Cause, Coverage, Diagnosis, Incident, Mark, Report, ScopeKind, SignReport, Stamp};
use tally::{FailureView, Key, View};

use cause::Attribution;

/// Marks this long before the start of an incident, or after it, are shown beside it.
const MARK_SECONDS: i64 = 1_800;

/// What diagnosing needs besides tally and incidents.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// What was read.
    pub coverage: Coverage,
    /// What the operator did and when.
    pub marks: Vec<Mark>,
    /// What the layouts at hand cannot show.
    pub blind_spots: Vec<&'static str>,
}

/// The whole answer.
pub fn diagnose(view: &View, incidents: Vec<Incident>, context: Context) -> Report {
    let now = context.coverage.judged_at;
    let mut diagnoses: Vec<Diagnosis> = incidents
        .into_iter()
        .map(|incident| one(view, incident, &context))
        .collect();
    diagnoses.sort_by_key(order);
    let mut totals = view.totals.clone();
    totals.isolated_fetches = isolated_fetches(view, &diagnoses);
    let open = view.ledger.iter().filter(|row| row.owed > 0);
    let mut open_urls: Vec<_> = open.map(|row| (row.crawler, row.path.clone())).collect();
    open_urls.sort_unstable();
    open_urls.dedup();
    Report {
        totals,
        crawlers: view.crawlers.clone(),
        diagnoses,
        open_urls,
        robots: view.robots_at(now),
        ledger: view.ledger.clone(),
        signs: signs(view),
        blocked: view.blocked.clone(),
        limits: view.limits.clone(),
        problems: Vec::new(),
        blind_spots: context.blind_spots,
        coverage: context.coverage,
    }
}

fn one(view: &View, mut incident: Incident, context: &Context) -> Diagnosis {
    let inside = inside(view, &incident);
    let failures: Vec<&FailureView> = inside.iter().map(Cow::as_ref).collect();
    let found = Attribution::of(view, &incident, &failures);
    incident.intended = intended::is_intended(&incident, &found, &failures, context);
    let risk = risk::risks(view, &incident, &failures, context.coverage.judged_at);
    let load_before = load::before(view, &incident);
    let burst = load_before.as_ref().and_then(|load| load.burst);
    let advice = advice::advice(&incident, &found, burst, &failures, &context.marks);
    Diagnosis {
        layer: found.layer(),
        cause: found.cause,
        root: found.root,
        confidence: found.confidence,
        alternatives: found.alternatives.clone(),
        idle_race: found.idle_race,
        missing: found.missing,
        wants_error_log: found.wants_error_log,
        echoes: found.echoes,
        supporting: found.supporting,
        evidence: evidence::evidence(view, &incident, &failures, found.cause),
        load_before,
        risk,
        advice,
        marks: marks(&incident, &context.marks),
        incident,
    }
}

/// The failures of an incident. The scope is matched by its names, which is all that an incident carries.
fn inside<'a>(view: &'a View, incident: &Incident) -> Vec<Cow<'a, FailureView>> {
    let keys = view.keys(&incident.scope);
    let mut failures = view.failures_of(&keys, incident.start.secs(), incident.last_failure.secs());
    failures.retain(|failure| is_on_host(view, incident, failure));
    failures
}

/// Routes are named without their host, which the incident's table of routes has.
fn is_on_host(view: &View, incident: &Incident, failure: &FailureView) -> bool {
    let is_path = matches!(incident.scope.kind, ScopeKind::Route | ScopeKind::Url);
    let host = related::host(view, failure);
    !is_path || incident.routes.iter().any(|route| route.host == host)
}

/// Whether time, scope and host agree; of failures counted together, whether they may.
fn is_inside(view: &View, keys: &[Key], incident: &Incident, failure: &FailureView) -> bool {
    let (start, end) = (incident.start.secs(), incident.last_failure.secs());
    (failure.at.secs() <= end && failure.until.secs() >= start)
        && is_on_host(view, incident, failure)
        && (keys.iter()).any(|key| view.contains(*key, failure) || view.may_contain(*key, failure))
}

/// Ongoing before ended; what was answered on purpose last; then by harm to search and AI crawlers, then to crawlers,
/// then to anyone; the earlier first.
fn order(diagnosis: &Diagnosis) -> impl Ord + use<> {
    let incident = &diagnosis.incident;
    let headline: u64 = incident
        .crawlers
        .iter()
        .filter(|hit| knowledge::crawler(hit.crawler).category.is_headline())
        .map(|hit| hit.failed)
        .sum();
    (
        incident.intended,
        incident.end.is_some(),
        incident.fetches.failed == 0,
        Reverse(headline),
        Reverse(incident.fetches.failed),
        Reverse(incident.requests.failed),
        incident.start,
        incident.id,
    )
}

/// Failed fetches that no incident holds.
fn isolated_fetches(view: &View, diagnoses: &[Diagnosis]) -> u64 {
    let scopes: Vec<_> = diagnoses
        .iter()
        .map(|diagnosis| (view.keys(&diagnosis.incident.scope), &diagnosis.incident))
        .collect();
    view.failures
        .iter()
        .filter(|failure| failure.crawler.is_some() && !failure.hidden)
        .filter(|failure| {
            !scopes
                .iter()
                .any(|(keys, incident)| is_inside(view, keys, incident, failure))
        })
        .map(|failure| u64::from(failure.count))
        .sum()
}

/// Error lines without a request, by cause and upstream; clients that left say nothing of an upstream.
fn signs(view: &View) -> Vec<SignReport> {
    let mut found: BTreeMap<(Cause, Option<u32>, bool), SignReport> = BTreeMap::new();
    for sign in &view.signs {
        let Some(cause) = sign
            .finding
            .cause
            .filter(|cause| *cause != Cause::ClientAbort)
        else {
            continue;
        };
        let report = found
            .entry((cause, sign.upstream, sign.about_request))
            .or_insert_with(|| SignReport {
                cause,
                upstream: sign
                    .upstream
                    .map_or(String::new(), |upstream| view.upstream(upstream).to_owned()),
                about_request: sign.about_request,
                count: 0,
                first: sign.at,
                last: sign.at,
                place: sign.place,
            });
        report.count += sign.count;
        report.last = report.last.max(sign.at);
    }
    let mut signs: Vec<SignReport> = found.into_values().collect();
    // An ejection or an echo says less than what led to it.
    signs.sort_by_key(|sign| {
        (
            sign.cause == Cause::NoLiveUpstream,
            Reverse(sign.count),
            sign.first,
            sign.place,
        )
    });
    signs
}

/// Marks near the start, with the seconds from mark to start; a mark that covers the start comes with 0.
fn marks(incident: &Incident, marks: &[Mark]) -> Vec<(Mark, i64)> {
    let mut near: Vec<(Mark, i64)> = marks
        .iter()
        .filter_map(|mark| {
            let after = seconds_after(mark, incident.start);
            (-MARK_SECONDS..=MARK_SECONDS)
                .contains(&after)
                .then(|| (mark.clone(), after))
        })
        .collect();
    near.sort_by_key(|(mark, after)| (after.abs(), mark.start));
    near
}

/// Seconds from a mark to a moment: 0 inside an interval, negative where the mark comes later.
fn seconds_after(mark: &Mark, at: Stamp) -> i64 {
    if at < mark.start || mark.start == mark.end {
        at.secs_since(mark.start)
    } else {
        at.secs_since(mark.end).max(0)
    }
}
