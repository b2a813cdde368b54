//! Envoy's JSON as Istio, Contour and Envoy Gateway configure it: keys named after Envoy's operators.

use model::{Edge, Field};

use super::Product;
use crate::visit::Visit;

/// Whether a TCP proxy wrote it: a connection, no request. Envoy's JSON then has null, or dashes, for what HTTP has.
pub(super) fn is_connection(visit: &Visit<'_>) -> bool {
    let status = visit.value(Field::Status);
    let of_http = [Field::Method, Field::Target, Field::Request];
    let is_http = of_http.iter().any(|field| visit.value(*field).is_some());
    !is_http && matches!(status, None | Some(b"0"))
}

pub(super) const PRODUCT: Product = Product {
    edge: Edge::Envoy,
    markers: &[
        r#""response_flags""#,
        r#""upstream_transport_failure_reason""#,
        r#""response_code_details""#,
    ],
    names: &[
        ("start_time", Some(Field::Time)),
        // Contour's names; what a shipper adds is outside of the object.
        ("@timestamp", Some(Field::Time)),
        ("ts", Some(Field::Time)),
        ("method", Some(Field::Method)),
        ("path", Some(Field::Target)),
        ("x_envoy_original_path", Some(Field::Target)),
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
            "downstream_remote_address_without_port",
            Some(Field::ClientAddr),
        ),
        (
            "upstream_transport_failure_reason",
            Some(Field::UpstreamError),
        ),
        ("bytes_sent", Some(Field::BytesSent)),
        ("bytes_received", None),
        ("duration", Some(Field::DurationMillis)),
        ("response_duration", None),
        ("request_duration", None),
        ("response_tx_duration", None),
        ("user_agent", Some(Field::UserAgent)),
        ("user-agent", Some(Field::UserAgent)),
        ("authority", Some(Field::Host)),
        (":authority", Some(Field::Host)),
        ("upstream_host", Some(Field::UpstreamAddr)),
        ("upstream_cluster", Some(Field::UpstreamName)),
        ("upstream_local_address", Some(Field::UpstreamLocalAddr)),
        ("upstream_request_attempt_count", Some(Field::AttemptCount)),
        (
            "upstream_wire_bytes_received",
            Some(Field::UpstreamBytesReceived),
        ),
        ("connection_opened", Some(Field::ConnectionOpened)),
        ("retry_after", Some(Field::RetryAfter)),
        ("requested_server_name", Some(Field::ServerName)),
        ("downstream_remote_address", Some(Field::ClientAddr)),
        ("x_forwarded_for", Some(Field::ForwardedFor)),
        ("x-forwarded-for", Some(Field::ForwardedFor)),
        ("request_id", Some(Field::RequestId)),
        ("x-request-id", Some(Field::RequestId)),
        ("upstream_service_time", Some(Field::ResponseMillis)),
        ("x-envoy-upstream-service-time", Some(Field::ResponseMillis)),
        ("x_envoy_upstream_service_time", Some(Field::ResponseMillis)),
    ],
};
