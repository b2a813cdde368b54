//! Envoy's JSON as Istio, Contour and Envoy Gateway configure it: keys named after Envoy's operators.

use model::{Edge, Field};

use super::Product;

pub(super) const PRODUCT: Product = Product {
    edge: Edge::Envoy,
    markers: &[
        r#""response_flags""#,
        r#""upstream_transport_failure_reason""#,
        r#""response_code_details""#,
    ],
    names: &[
        ("start_time", Some(Field::Time)),
        ("method", Some(Field::Method)),
        ("path", Some(Field::Target)),
        ("x-envoy-origin-path", Some(Field::Target)),
        ("protocol", Some(Field::Protocol)),
        ("response_code", Some(Field::Status)),
        ("response_flags", Some(Field::ResponseFlags)),
        ("response_code_details", Some(Field::ResponseCodeDetails)),
        (
            "connection_termination_details",
            Some(Field::TerminationDetails),
        ),
        (
            "upstream_transport_failure_reason",
            Some(Field::UpstreamError),
        ),
        ("bytes_sent", Some(Field::BytesSent)),
        ("bytes_received", None),
        ("duration", Some(Field::DurationMillis)),
        ("user_agent", Some(Field::UserAgent)),
        ("user-agent", Some(Field::UserAgent)),
        ("authority", Some(Field::Host)),
        (":authority", Some(Field::Host)),
        ("upstream_host", Some(Field::UpstreamAddr)),
        ("upstream_cluster", Some(Field::UpstreamName)),
        ("downstream_remote_address", Some(Field::ClientAddr)),
        ("x_forwarded_for", Some(Field::ForwardedFor)),
        ("x-forwarded-for", Some(Field::ForwardedFor)),
        ("request_id", Some(Field::RequestId)),
        ("x-request-id", Some(Field::RequestId)),
        ("upstream_service_time", Some(Field::ResponseMillis)),
    ],
};
