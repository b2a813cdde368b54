//! CloudFront's standard log, version 2, as JSON: the names of the text columns as keys.

use std::ops::Range;

use memchr::memmem;
use model::{Edge, Field};

use super::Product;
use crate::visit::Spans;

pub(super) const PRODUCT: Product = Product {
    edge: Edge::CloudFront,
    markers: &[r#""x-edge-location""#, r#""x-edge-result-type""#],
    names: &[
        ("date", None),
        ("time", None),
        ("timestamp", Some(Field::Time)),
        ("timestamp(ms)", Some(Field::Time)),
        ("c-ip", Some(Field::ClientAddr)),
        ("cs-method", Some(Field::Method)),
        ("cs(Host)", None),
        ("cs-uri-stem", Some(Field::Target)),
        ("cs-uri-query", Some(Field::Query)),
        ("sc-status", Some(Field::Status)),
        ("sc-bytes", Some(Field::BytesSent)),
        ("cs(User-Agent)", Some(Field::UserAgent)),
        ("x-edge-result-type", Some(Field::CacheStatus)),
        ("x-edge-detailed-result-type", Some(Field::ResultCode)),
        ("x-edge-request-id", Some(Field::RequestId)),
        ("x-host-header", Some(Field::Host)),
        ("cs-protocol", Some(Field::Scheme)),
        ("cs-protocol-version", Some(Field::Protocol)),
        ("time-taken", Some(Field::Duration)),
        ("x-forwarded-for", Some(Field::RemoteUser)),
    ],
};

/// Date and time are two values: puts them side by side into `scratch`, unless there is a stamp in one piece.
pub(in super::super) fn join_stamp(line: &[u8], scratch: &mut Vec<u8>, spans: &mut Spans) {
    let parts = string(line, br#""date""#).zip(string(line, br#""time""#));
    if let Some((date, time)) = parts.filter(|_| !spans.has(Field::Time)) {
        let start = scratch.len();
        scratch.extend_from_slice(line.get(date.clone()).unwrap_or_default());
        scratch.push(b' ');
        scratch.extend_from_slice(line.get(time.clone()).unwrap_or_default());
        let place = if date.end <= time.start {
            date.start..time.end
        } else {
            time
        };
        spans.set_scratch(Field::Time, start, scratch.len(), place);
    }
}

/// Where the string behind a key stands.
fn string(line: &[u8], key: &[u8]) -> Option<Range<usize>> {
    let behind = memmem::find(line, key)? + key.len();
    let rest = line.get(behind..)?;
    let rest = rest.trim_ascii_start().strip_prefix(b":")?;
    let text = rest.trim_ascii_start().strip_prefix(b"\"")?;
    let start = line.len() - text.len();
    Some(start..start + memchr::memchr(b'"', text)?)
}
