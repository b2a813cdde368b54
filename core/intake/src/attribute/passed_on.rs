//! Who made the error, for statuses that no rule of the table names: one switch per product.

use model::{Cause, CauseSet, Confidence, Edge, Field, Finding};

use super::attempt::Element;
use super::condition::{Record, micros};
use super::status_of;

/// nginx: a response-header time says that a whole header came from the upstream. Where that is not logged, only 502
/// and 504 in `$upstream_status` can be nginx's own (`ngx_http_upstream_next`); any other error is the upstream's.
/// No upstream at all means that nginx answered by itself.
pub(super) fn by_nginx(record: &Record<'_, '_>) -> Option<Finding> {
    let Element::Is(text) = record.element(Field::UpstreamStatus) else {
        return None;
    };
    let Some(status) = status_of(text) else {
        let no_upstream = record.element(Field::UpstreamAddr) == Element::Is(b"-");
        // Rate limits answer with a status of the operator's choice.
        return no_upstream.then(|| finding(Cause::EdgeMadeResponse, Confidence::Likely));
    };
    let has_header = match record.element(Field::UpstreamHeaderTime) {
        Element::Is(time) => micros(time).is_some(),
        Element::Absent | Element::Untold => !matches!(status, 502 | 504),
    };
    (has_header && status >= 400).then(|| finding(Cause::OriginOwnError, Confidence::Certain))
}

/// httpd: `%{proxy-status}n` is the status that the origin sent.
pub(super) fn by_apache(record: &Record<'_, '_>) -> Option<Finding> {
    let Element::Is(text) = record.element(Field::ProxyStatus) else {
        return None;
    };
    let is_origins = status_of(text).is_some_and(|status| record.status() == Some(status));
    is_origins.then(|| finding(Cause::OriginOwnError, Confidence::Certain))
}

/// Who made an error that the edge passed on: these statuses are a gateway's own words, so one behind the edge may have
/// said them as well as the application. A body as long as nginx's own page gives an nginx away; without that the
/// application is the likelier one, and never more than that.
pub(super) fn by_whom(finding: Finding, record: &Record<'_, '_>, edge: Edge) -> Finding {
    let is_gateways = matches!(record.status(), Some(502..=504));
    if finding.cause != Some(Cause::OriginOwnError)
        || finding.confidence < Confidence::Likely
        || !is_gateways
    {
        return finding;
    }
    // A page longer than what came from the upstream is the edge's own in its place.
    let is_whole = match (
        number(record, Field::UpstreamBytesReceived),
        number(record, Field::BytesSent),
    ) {
        (Some(received), Some(sent)) => received >= sent,
        _ => true,
    };
    let knows_body = !knowledge::edge(edge).counts_headers && is_whole;
    let (cause, other) = if knows_body && record.is_nginx_page() {
        (Cause::ChainedGatewayError, Cause::OriginOwnError)
    } else {
        (Cause::OriginOwnError, Cause::ChainedGatewayError)
    };
    Finding {
        cause: Some(cause),
        also: finding.also.without(cause).with(other),
        confidence: Confidence::Likely,
        ..finding
    }
}

fn number(record: &Record<'_, '_>, field: Field) -> Option<i64> {
    match record.element(field) {
        Element::Is(text) => micros(text),
        Element::Absent | Element::Untold => None,
    }
}

const fn finding(cause: Cause, confidence: Confidence) -> Finding {
    Finding {
        cause: Some(cause),
        also: CauseSet::of(&[]),
        confidence,
        missing: None,
        wants_error_log: false,
        sign: None,
    }
}
