//! Who failed, and how: the subject of the headline, its verb, and the chain from crawler to upstream.

use model::{Cause, Confidence, Coverage, Diagnosis, Edge, Incident, Layer, ScopeKind, Verdict};

use super::cause::is_open_limit;
use crate::clean::{clean, fit, width};
use crate::words::list;

/// What broke, as the subject of a sentence: `10.0.0.7:8080`, `the whole site`.
pub(crate) fn subject(incident: &Incident) -> String {
    let values = &incident.scope.values;
    let named = || {
        list(
            &values
                .iter()
                .map(|value| clean(value).into_owned())
                .collect::<Vec<_>>(),
            "and",
        )
    };
    match incident.scope.kind {
        ScopeKind::Site => "the whole site".to_owned(),
        ScopeKind::Robots => "/robots.txt".to_owned(),
        ScopeKind::Crawler if values.iter().all(|value| value == "*") => {
            "what crawlers fetch".to_owned()
        }
        ScopeKind::Crawler => format!("what {} fetches", named()),
        ScopeKind::Host | ScopeKind::Route | ScopeKind::Url | ScopeKind::Upstream => named(),
    }
}

/// `1 of 3 behind nginx`, where the incident is one upstream of several.
pub(crate) fn among(incident: &Incident, coverage: &Coverage) -> Option<String> {
    let of = incident.upstreams.len();
    (incident.scope.kind == ScopeKind::Upstream && of > 1)
        .then(|| format!("1 of {of} behind {}", edge(coverage)))
}

/// Who fails how, for how long: `10.0.0.7:8080 refuses connections, 4 h`, `the whole site failed in part for 4 h:
/// read timeout`.
pub(crate) fn sentence(diagnosis: &Diagnosis, subject: &str, tail: &str) -> String {
    let ongoing = diagnosis.incident.end.is_none();
    let upstream = diagnosis.incident.scope.kind == ScopeKind::Upstream;
    let verb = verb(&diagnosis.incident);
    let manner = manner(diagnosis.incident.verdict);
    // One of several causes is no fact: the cause line names them all.
    let stated = diagnosis
        .cause
        .filter(|_| diagnosis.confidence >= Confidence::Likely);
    match stated {
        Some(cause) if upstream => {
            format!(
                "{subject} {}{manner}{tail}",
                upstream_predicate(cause, ongoing)
            )
        }
        Some(cause) => format!(
            "{subject} {verb}{manner}{tail}: {}",
            knowledge::cause(cause).title
        ),
        None if is_open_limit(diagnosis) => {
            format!("{subject} {verb}{manner}{tail}: 429, usually a rate limit")
        }
        None if diagnosis.cause.is_some() => {
            format!("{subject} {verb}{manner}{tail}, cause not settled")
        }
        None => format!("{subject} {verb}{manner}{tail}, cause unknown"),
    }
}

/// The same without its cause, for a narrow line.
pub(crate) fn short_sentence(incident: &Incident, subject: &str, tail: &str) -> String {
    let verb = verb(incident);
    format!("{subject} {verb}{}{tail}", manner(incident.verdict))
}

fn verb(incident: &Incident) -> &'static str {
    match (incident.end, incident.scope.values.len()) {
        (Some(_), _) => "failed",
        (None, 2..) => "fail",
        (None, _) => "fails",
    }
}

/// How the failing goes on, where it is not all the time.
const fn manner(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Overload => " under load",
        Verdict::Recurring => " on schedule",
        Verdict::Intermittent => " in part",
        Verdict::Restart | Verdict::Blip | Verdict::Persistent => "",
    }
}

/// The product that most requests were read from: `nginx`; `the edge` where no log says.
fn edge(coverage: &Coverage) -> &'static str {
    match product(coverage) {
        Edge::Unknown => "the edge",
        edge => edge.name(),
    }
}

/// The product that most requests were read from. Where its layout does not tell, an error log may.
pub(super) fn product(coverage: &Coverage) -> Edge {
    let known = coverage
        .sources
        .iter()
        .filter(|source| source.edge != Edge::Unknown);
    let most = known.max_by_key(|source| (source.requests, source.entries));
    most.map_or(Edge::Unknown, |source| source.edge)
}

/// The chain from crawler to upstream, with `x` where it broke. Where it is wider than `columns`, the upstream's name
/// is cut.
pub(crate) fn chain(diagnosis: &Diagnosis, coverage: &Coverage, columns: usize) -> String {
    let edge = edge(coverage);
    let rest = width(&broken_chain(diagnosis.layer, edge, ""));
    let upstream = fit(
        &chain_end(&diagnosis.incident),
        columns.saturating_sub(rest),
    );
    broken_chain(diagnosis.layer, edge, &upstream)
}

fn broken_chain(layer: Layer, edge: &str, upstream: &str) -> String {
    match layer {
        Layer::Edge => format!("crawler > {edge} x   {upstream} not to blame"),
        Layer::Connection => format!("crawler > {edge} -x- {upstream}"),
        Layer::Response => format!("crawler > {edge} <x- {upstream}"),
        Layer::Application => format!("crawler > {edge} > {upstream} x"),
        Layer::FurtherHop => format!("crawler > {edge} > {upstream} -x- origin"),
        Layer::Client => format!("crawler -x- {edge} > {upstream}"),
        Layer::Unknown => format!("crawler > {edge} ? {upstream}"),
    }
}

fn chain_end(incident: &Incident) -> String {
    // Beside those that failed others served the rest of the site at that time.
    let any_failed = incident.upstreams.iter().any(|hit| hit.failed > 0);
    let failing: Vec<&str> = (incident.upstreams.iter())
        .filter(|hit| hit.failed > 0 || !any_failed)
        .map(|hit| &*hit.upstream)
        .collect();
    match (incident.scope.kind, failing.as_slice()) {
        (ScopeKind::Upstream, _) => subject(incident),
        (_, []) => "upstream".to_owned(),
        (_, [only]) => clean(only).into_owned(),
        (_, several) => format!("{} upstreams", several.len()),
    }
}

fn upstream_predicate(cause: Cause, ongoing: bool) -> &'static str {
    let (now, then) = match cause {
        Cause::ConnectionRefused => ("refuses connections", "refused connections"),
        Cause::ConnectTimeout => (
            "does not accept connections in time",
            "did not accept connections in time",
        ),
        Cause::HostUnreachable => ("cannot be reached", "could not be reached"),
        Cause::DnsFailure => (
            "has a name that does not resolve",
            "had a name that did not resolve",
        ),
        Cause::BadUpstreamAddress => ("is a wrong address", "was a wrong address"),
        Cause::SocketMissing => (
            "is a socket that does not exist",
            "was a socket that did not exist",
        ),
        Cause::SocketPermission => ("may not be opened", "might not be opened"),
        Cause::TlsHandshakeFailure => ("fails the TLS handshake", "failed the TLS handshake"),
        Cause::TlsCertificateInvalid => ("shows a bad certificate", "showed a bad certificate"),
        Cause::ProtocolMismatch => ("speaks another protocol", "spoke another protocol"),
        Cause::ClosedBeforeHeaders => ("closes before it answers", "closed before it answered"),
        Cause::IdleConnectionRace => (
            "closes idle connections in use",
            "closed idle connections in use",
        ),
        Cause::TruncatedBody => ("cuts its answers short", "cut its answers short"),
        Cause::MalformedResponse => ("sends invalid responses", "sent invalid responses"),
        Cause::HeaderTooLarge => ("sends too large a header", "sent too large a header"),
        Cause::NoLiveUpstream => ("is marked down", "was marked down"),
        Cause::NoUpstreamRegistered => ("has no members", "had no members"),
        Cause::UpstreamBusy => ("is full", "was full"),
        Cause::ReadTimeout => ("does not answer in time", "did not answer in time"),
        Cause::OriginOwnError => ("answers with its own error", "answered with its own error"),
        Cause::ChainedGatewayError => (
            "passes on another gateway's error",
            "passed on another gateway's error",
        ),
        Cause::WorkerCrashed => ("crashes", "crashed"),
        Cause::OutOfMemory => ("runs out of memory", "ran out of memory"),
        Cause::OriginRestart => ("is restarting", "restarted"),
        Cause::EdgeCapacityExhausted
        | Cause::EdgeMadeResponse
        | Cause::EdgeConfigError
        | Cause::EdgeInternalError => (
            "gets nothing: the edge failed",
            "got nothing: the edge failed",
        ),
        Cause::RequestOrUpgradeFailed => ("does not take requests", "did not take requests"),
        Cause::ClientAbort => (
            "is not to blame: clients hang up",
            "was not to blame: clients hung up",
        ),
    };
    if ongoing { now } else { then }
}
