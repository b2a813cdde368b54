//! Traefik's JSON access log.

use model::{Edge, Field};

use super::Product;

pub(super) const PRODUCT: Product = Product {
    edge: Edge::Traefik,
    markers: &[r#""DownstreamStatus""#],
    names: &[
        ("StartUTC", Some(Field::Time)),
        ("time", None),
        ("ClientHost", Some(Field::ClientAddr)),
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
        ("ServiceName", Some(Field::UpstreamName)),
        ("ServiceAddr", Some(Field::UpstreamAddr)),
        ("request_User-Agent", Some(Field::UserAgent)),
    ],
};
