//! From the model to the shape of machine output, field by field.

use std::collections::BTreeMap;

use model::{Fact, ScopeKind, Stamp, Status};

use super::shape;
use crate::{crawler, options, phrase, sign, time};

/// The whole report.
pub(super) fn report(report: &model::Report) -> shape::Report {
    shape::Report {
        version: 1,
        coverage: coverage(&report.coverage),
        totals: totals(&report.totals),
        crawlers: report.crawlers.iter().map(crawler_report).collect(),
        incidents: report
            .diagnoses
            .iter()
            .map(|diagnosis| incident(diagnosis, &report.coverage))
            .collect(),
        facts: facts(report),
        ledger: report.ledger.iter().map(ledger_row).collect(),
        limits: report.limits.iter().map(limit).collect(),
        problems: report.problems.iter().map(problem).collect(),
        blocked_at_edge: report.blocked.iter().map(blocked).collect(),
        signs: report
            .signs
            .iter()
            .map(|sign| unmatched(report, sign))
            .collect(),
        blind_spots: report
            .blind_spots
            .iter()
            .map(|spot| (*spot).to_owned())
            .collect(),
    }
}

/// Counts by status, three digits each.
fn by_status(counts: &BTreeMap<Status, u64>) -> shape::ByStatus {
    counts
        .iter()
        .map(|(status, count)| (format!("{:03}", status.0), *count))
        .collect()
}

fn coverage(coverage: &model::Coverage) -> shape::Coverage {
    let joined = coverage.joined;
    shape::Coverage {
        start: coverage.start.map(at),
        end: coverage.end.map(at),
        judged_at: at(coverage.judged_at),
        gaps: coverage
            .gaps
            .iter()
            .map(|gap| interval(gap.start, gap.end))
            .collect(),
        sources: coverage.sources.iter().map(source).collect(),
        joined: shape::Joined {
            failures: joined.failures,
            with_error_line: joined.with_error_line,
            exact: joined.exact,
            best_match: joined.best_match,
            signs_unmatched: joined.signs_unmatched,
        },
    }
}

fn source(source: &model::SourceReport) -> shape::Source {
    shape::Source {
        path: source.path.clone(),
        edge: source.edge.name(),
        format: source.format.clone(),
        kind: source.kind.name(),
        lines: source.lines,
        requests: source.requests,
        entries: source.entries,
        others: source.others,
        unparsed: source.unparsed,
        first: source.first.map(at),
        last: source.last.map(at),
    }
}

fn totals(totals: &model::Totals) -> shape::Totals {
    shape::Totals {
        requests: totals.requests,
        failed: totals.failed,
        hidden_failures: totals.hidden_failures,
        saved_by_retry: totals.saved_by_retry,
        client_aborts: totals.client_aborts,
        fetches: totals.fetches,
        fetches_failed: totals.fetches_failed,
        fetches_aborted: totals.fetches_aborted,
        isolated_fetches: totals.isolated_fetches,
        by_status: by_status(&totals.by_status),
        saved_by_upstream: totals.saved_by_upstream.clone(),
        hidden_by_cause: by_cause(&totals.hidden_by_cause),
        saved_by_cause: by_cause(&totals.saved_by_cause),
    }
}

fn by_cause(counts: &BTreeMap<&'static str, u64>) -> BTreeMap<String, u64> {
    counts
        .iter()
        .map(|(cause, n)| ((*cause).to_owned(), *n))
        .collect()
}

fn crawler_report(report: &model::CrawlerReport) -> shape::Crawler {
    let [verified, spoofed, unverifiable, unchecked] = report.identity;
    shape::Crawler {
        id: crawler::name(report.crawler),
        operator: crawler::operator(report.crawler).to_owned(),
        category: crawler::category(report.crawler).name(),
        fetches: report.fetches,
        failed: report.failed,
        by_status: by_status(&report.by_status),
        identity: shape::IdentityCounts {
            verified,
            spoofed,
            unverifiable,
            unchecked,
        },
        aborted: report.aborted,
        patience_ms: report.patience.map(|known| known.millis),
        retry_after: shape::RetryAfter {
            respected: report.retry_after.respected,
            early: report.retry_after.early,
            open: report.retry_after.open,
        },
    }
}

fn incident(diagnosis: &model::Diagnosis, coverage: &model::Coverage) -> shape::Incident {
    let incident = &diagnosis.incident;
    shape::Incident {
        id: id(incident.id),
        supersedes: incident.supersedes.iter().copied().map(id).collect(),
        start: at(incident.start),
        end: incident.end.map(at),
        last_failure: at(incident.last_failure),
        bounds: shape::Bounds {
            start: both(incident.bounds.start),
            end: incident.bounds.end.map(both),
            share: [
                probability(incident.bounds.share.0),
                probability(incident.bounds.share.1),
            ],
        },
        rates: incident.rates.iter().map(rate).collect(),
        first_detected: at(incident.first_detected),
        scope: scope(&incident.scope),
        verdict: incident.verdict.name(),
        probability: probability(incident.probability),
        why: incident.why.clone(),
        would_change: incident.would_change.clone(),
        intended: incident.intended,
        layer: diagnosis.layer.name(),
        cause: diagnosis.cause.map(model::Cause::name),
        root: diagnosis.root.map(model::Cause::name),
        confidence: diagnosis.confidence.name(),
        alternatives: diagnosis
            .alternatives
            .iter()
            .map(|cause| cause.name())
            .collect(),
        cause_why: diagnosis.idle_race.map(phrase::shape),
        missing: diagnosis.missing.map(model::Field::name),
        wants_error_log: diagnosis.wants_error_log,
        echoes: diagnosis.echoes,
        supporting: diagnosis.supporting,
        statuses: by_status(&incident.statuses),
        requests: shape::RequestCounts {
            failed: incident.requests.failed,
            total: incident.requests.total,
            repeats: incident.requests.repeats,
        },
        fetches: shape::FetchCounts {
            failed: incident.fetches.failed,
            verified: incident.crawlers.iter().map(|hit| hit.verified).sum(),
            total: incident.fetches.total,
        },
        runs: incident
            .runs
            .iter()
            .map(|(start, end)| interval(*start, *end))
            .collect(),
        history: incident.history.iter().map(revision).collect(),
        crawlers: incident
            .crawlers
            .iter()
            .map(|hit| (crawler::name(hit.crawler), crawler_hit(hit)))
            .collect(),
        paths: incident.paths.iter().map(path_hit).collect(),
        routes: incident.routes.iter().map(route_hit).collect(),
        upstreams: incident.upstreams.iter().map(upstream_hit).collect(),
        risk: diagnosis.risk.iter().map(risk).collect(),
        load_before: diagnosis.load_before.as_ref().map(load_before),
        advice: diagnosis.advice.iter().map(advice).collect(),
        evidence: diagnosis
            .evidence
            .iter()
            .map(|evidence| evidence_row(evidence, coverage))
            .collect(),
        marks: diagnosis
            .marks
            .iter()
            .map(|(mark, seconds)| mark_row(mark, *seconds))
            .collect(),
    }
}

fn scope(scope: &model::Scope) -> shape::Scope {
    let value = match scope.kind {
        ScopeKind::Route => shape::ScopeValue::Several(scope.values.clone()),
        ScopeKind::Site
        | ScopeKind::Host
        | ScopeKind::Url
        | ScopeKind::Upstream
        | ScopeKind::Crawler
        | ScopeKind::Robots => {
            shape::ScopeValue::One(scope.values.first().cloned().unwrap_or_default())
        }
    };
    shape::Scope {
        kind: scope.kind.name(),
        value,
    }
}

fn revision(revision: &model::Revision) -> shape::Revision {
    shape::Revision {
        at: at(revision.at),
        verdict: revision.verdict.name(),
        probability: probability(revision.probability),
        scope: scope(&revision.scope),
    }
}

fn crawler_hit(hit: &model::CrawlerHit) -> shape::CrawlerHit {
    shape::CrawlerHit {
        failed: hit.failed,
        verified: hit.verified,
        total: hit.total,
        first_ok: hit.first_ok.map(at),
        last_ok: hit.last_ok.map(at),
        last_seen: hit.last_seen.map(at),
        urls_lost: hit.urls_lost,
        urls_refetched: hit.urls_refetched,
        urls_owed: hit.urls_owed,
        urls_retried: hit.urls_retried,
        seconds_to_return: hit.time_to_return.map(|time| shape::TimeToReturn {
            median: time.median,
            p90: time.p90,
        }),
    }
}

fn path_hit(hit: &model::PathHit) -> shape::PathHit {
    shape::PathHit {
        host: hit.host.clone(),
        path: hit.path.clone(),
        failed: hit.failed,
        crawlers: hit.crawlers.iter().copied().map(crawler::name).collect(),
    }
}

fn route_hit(hit: &model::RouteHit) -> shape::RouteHit {
    shape::RouteHit {
        host: hit.host.clone(),
        route: hit.route.clone(),
        failed: hit.failed,
        total: hit.total,
    }
}

fn upstream_hit(hit: &model::UpstreamHit) -> shape::UpstreamHit {
    shape::UpstreamHit {
        upstream: hit.upstream.clone(),
        failed: hit.failed,
        total: hit.total,
    }
}

fn unmatched(report: &model::Report, sign: &model::SignReport) -> shape::Sign {
    shape::Sign {
        cause: sign.cause.name(),
        upstream: sign.upstream.clone(),
        about_request: sign.about_request,
        count: sign.count,
        first: at(sign.first),
        last: at(sign.last),
        source: report.coverage.path(sign.place.source).to_owned(),
        line: sign.place.line,
    }
}

fn risk(risk: &model::Risk) -> shape::Risk {
    shape::Risk {
        fact: risk.fact.0,
        says: format!("{}; {}", risk.what, risk.then),
        since: risk.since.map(at),
        last_good: risk.last_good.map(at),
        due: risk.due.map(at),
        status: risk.status.name(),
        source: risk.source,
    }
}

fn advice(advice: &model::Advice) -> shape::Advice {
    shape::Advice {
        action: advice.action.clone(),
        why: advice.why.clone(),
        fact: advice.fact.map(|Fact(id)| id),
    }
}

fn evidence_row(evidence: &model::Evidence, coverage: &model::Coverage) -> shape::Evidence {
    shape::Evidence {
        source: coverage.path(evidence.place.source).to_owned(),
        line: evidence.place.line,
        sign: evidence.sign.and_then(sign::name),
        says: evidence.says.clone(),
        count: evidence.count,
    }
}

fn mark_row(mark: &model::Mark, seconds_before: i64) -> shape::Mark {
    shape::Mark {
        kind: mark.kind.name(),
        label: mark.label.clone(),
        start: at(mark.start),
        end: at(mark.end),
        seconds_before,
    }
}

fn facts(report: &model::Report) -> shape::Facts {
    shape::Facts {
        open_urls: report
            .open_urls
            .iter()
            .map(|(who, path)| (crawler::name(*who), path.clone()))
            .collect(),
        robots: report
            .robots
            .iter()
            .map(|fact| shape::Robots {
                crawler: crawler::name(fact.crawler),
                host: fact.host.clone(),
                scheme: fact.scheme.map(model::Scheme::name),
                failing_since: at(fact.failing_since),
                last_ok: fact.last_ok.map(at),
                phase: fact.phase.name(),
            })
            .collect(),
    }
}

fn ledger_row(row: &model::LedgerRow) -> shape::LedgerRow {
    shape::LedgerRow {
        crawler: crawler::name(row.crawler),
        host: row.host.clone(),
        path: row.path.clone(),
        urls: row.urls,
        owed: row.owed,
        retried: row.retried,
        failed: row.failed,
        first_failed: at(row.first_failed),
        last_failed: at(row.last_failed),
        last_status: row.last_status.0,
        first_ok: row.first_ok.map(at),
    }
}

fn limit(limit: &model::Limit) -> shape::Limit {
    shape::Limit {
        name: limit.name,
        limit: limit.limit,
        dropped: limit.dropped,
    }
}

fn problem(problem: &model::Problem) -> shape::Problem {
    shape::Problem {
        source: problem.source.clone(),
        line: problem.line,
        reason: problem.reason.clone(),
        count: problem.count,
    }
}

fn interval(start: Stamp, end: Stamp) -> shape::Gap {
    shape::Gap {
        start: at(start),
        end: at(end),
    }
}

fn at(stamp: Stamp) -> shape::Time {
    shape::Time(time::rfc3339(stamp))
}

fn id(id: model::IncidentId) -> shape::Id {
    shape::Id(options::id_text(id))
}

fn blocked(blocked: &model::Blocked) -> shape::Blocked {
    shape::Blocked {
        crawler: crawler::name(blocked.crawler),
        status: blocked.status.0,
        bytes: blocked.bytes,
        count: blocked.count,
        fetches: blocked.fetches,
    }
}

fn load_before(load: &model::LoadBefore) -> shape::LoadBefore {
    let seconds = |centis: u64| (load.centis > 0).then_some(centis as f64 / 100.0);
    let crawlers = load.crawlers.iter().map(|of| shape::CrawlerLoad {
        crawler: crawler::name(of.crawler),
        requests: of.requests,
        usual: of.usual,
        seconds_upstream: seconds(of.centis),
    });
    shape::LoadBefore {
        seconds: load.seconds,
        requests: load.requests,
        usual: load.usual,
        seconds_upstream: seconds(load.centis),
        crawlers: crawlers.collect(),
        burst: load.burst.map(crawler::name),
    }
}

fn rate(rate: &model::CrawlRate) -> shape::CrawlRate {
    // Two digits are more than an interval of this width knows.
    let round = |value: f64| (value * 100.0).round() / 100.0;
    shape::CrawlRate {
        crawler: crawler::name(rate.crawler),
        window: rate.window.name(),
        from: at(rate.from),
        to: at(rate.to),
        fetches: rate.fetches,
        expected: round(rate.expected),
        ratio: round(rate.ratio),
        bounds: [round(rate.bounds.0), round(rate.bounds.1)],
        basis: rate.basis.name(),
    }
}

fn both((first, last): (Stamp, Stamp)) -> [shape::Time; 2] {
    [at(first), at(last)]
}

/// Four digits are more than any judge knows. A probability that is no number is none.
fn probability(value: f64) -> f64 {
    if value.is_finite() {
        (value.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0
    } else {
        0.0
    }
}
