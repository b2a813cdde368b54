//! Who made the error, for statuses that no rule of the table names: one switch per product.

use model::{Cause, CauseSet, Confidence, Field, Finding};

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
