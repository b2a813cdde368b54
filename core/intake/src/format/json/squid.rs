//! JSON of Squid's users. The keys are theirs; words that only Squid has give it away.

use model::{Edge, Field};

use super::Product;

pub(super) const PRODUCT: Product = Product {
    edge: Edge::Squid,
    markers: &[
        r#""HIER_"#,
        r#""FIRSTUP_PARENT""#,
        r#""ROUNDROBIN_PARENT""#,
        r#""squid_"#,
        r#""err_code""#,
    ],
    names: &[
        ("tr", Some(Field::DurationMillis)),
        ("response_time", Some(Field::DurationMillis)),
        ("request_time", Some(Field::DurationMillis)),
        ("tag", Some(Field::ResultCode)),
        ("result", Some(Field::ResultCode)),
        ("result_code", Some(Field::ResultCode)),
        ("squid_request_status", Some(Field::ResultCode)),
        ("squid_status", Some(Field::ResultCode)),
        ("request_status", Some(Field::ResultCode)),
        ("cache_status", Some(Field::ResultCode)),
        ("http_status_code", Some(Field::Status)),
        ("hierarchy", Some(Field::Hierarchy)),
        ("hierarchy_code", Some(Field::Hierarchy)),
        ("squid_hier", Some(Field::Hierarchy)),
        ("squid_hierarchy_status", Some(Field::Hierarchy)),
        ("squid_hierarchy", Some(Field::Hierarchy)),
        ("peer", Some(Field::UpstreamAddr)),
        ("server_ip", Some(Field::UpstreamAddr)),
        ("action", Some(Field::ResultCode)),
        ("dest_ip", Some(Field::UpstreamAddr)),
        ("server_status", Some(Field::OriginStatus)),
        ("error", Some(Field::ErrorCode)),
        ("err_code", Some(Field::ErrorCode)),
        ("err_detail", Some(Field::ErrorDetail)),
        ("origin_status", Some(Field::OriginStatus)),
        ("body", Some(Field::UpstreamBytesReceived)),
        ("content_length", Some(Field::UpstreamContentLength)),
        ("transformed_from", Some(Field::TransformedFrom)),
        ("xaction", Some(Field::ErrorLogId)),
    ],
};
