//! Cloudflare Logpush, dataset http_requests.

use model::{Edge, Field};

use super::Product;

pub(super) const PRODUCT: Product = Product {
    edge: Edge::Cloudflare,
    markers: &[r#""EdgeResponseStatus""#],
    names: &[
        ("EdgeResponseStatus", Some(Field::Status)),
        ("EdgeStartTimestamp", Some(Field::Time)),
        ("ClientIP", Some(Field::ClientAddr)),
        ("ClientRequestMethod", Some(Field::Method)),
        ("ClientRequestURI", Some(Field::Target)),
        ("ClientRequestHost", Some(Field::Host)),
        ("ClientRequestUserAgent", Some(Field::UserAgent)),
        ("OriginResponseStatus", Some(Field::OriginStatus)),
        ("EdgeResponseBytes", Some(Field::BytesSent)),
    ],
};
