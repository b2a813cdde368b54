//! Traefik's JSON access log. Fields are dropped as the user chooses; headers are, unless told otherwise.

use model::{Edge, Field};

use super::Product;

pub(super) const PRODUCT: Product = Product {
    edge: Edge::Traefik,
    markers: &[r#""DownstreamStatus""#],
    names: &[
        ("StartUTC", Some(Field::Time)),
        ("StartLocal", Some(Field::Time)),
        // The end, cut to the second: only where the start is not logged.
        ("time", Some(Field::Time)),
        ("ClientHost", Some(Field::ClientAddr)),
        // Of the connection: what stands in the process log.
        ("ClientPort", Some(Field::Connection)),
        ("RequestMethod", Some(Field::Method)),
        ("RequestPath", Some(Field::Target)),
        ("RequestProtocol", Some(Field::Protocol)),
        ("RequestScheme", Some(Field::Scheme)),
        ("RequestHost", Some(Field::Host)),
        ("DownstreamStatus", Some(Field::Status)),
        ("DownstreamContentSize", Some(Field::BytesSent)),
        ("OriginStatus", Some(Field::OriginStatus)),
        ("Duration", Some(Field::DurationNanos)),
        ("RetryAttempts", Some(Field::Retries)),
        ("ServiceAddr", Some(Field::UpstreamAddr)),
        ("ServiceURL", Some(Field::UpstreamAddr)),
        // Version 2 writes the parts of the URL.
        ("ServiceURL.Host", Some(Field::UpstreamAddr)),
        ("ServiceName", Some(Field::UpstreamName)),
        ("request_User-Agent", Some(Field::UserAgent)),
        (
            "downstream_Content-Length",
            Some(Field::UpstreamContentLength),
        ),
        ("origin_Content-Length", Some(Field::UpstreamContentLength)),
        ("downstream_Retry-After", Some(Field::RetryAfter)),
        ("downstream_Via", Some(Field::Via)),
        ("downstream_Server", Some(Field::ServerHeader)),
        ("ClientAddr", None),
        ("level", None),
        ("msg", None),
    ],
};
