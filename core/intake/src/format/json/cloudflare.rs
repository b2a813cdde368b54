//! Cloudflare Logpush, dataset http_requests.

use model::{Edge, Field};

use super::Product;

pub(super) const PRODUCT: Product = Product {
    edge: Edge::Cloudflare,
    markers: &[r#""EdgeResponseStatus""#],
    names: &[
        ("EdgeStartTimestamp", Some(Field::Time)),
        ("EdgeEndTimestamp", None),
        ("ClientIP", Some(Field::ClientAddr)),
        ("ClientRequestMethod", Some(Field::Method)),
        ("ClientRequestURI", Some(Field::Target)),
        ("ClientRequestHost", Some(Field::Host)),
        ("ClientRequestScheme", Some(Field::Scheme)),
        ("ClientRequestProtocol", Some(Field::Protocol)),
        ("ClientRequestUserAgent", Some(Field::UserAgent)),
        ("EdgeResponseStatus", Some(Field::Status)),
        ("EdgeResponseBytes", Some(Field::BytesSent)),
        ("OriginResponseStatus", Some(Field::OriginStatus)),
        ("OriginIP", Some(Field::UpstreamAddr)),
        ("CacheCacheStatus", Some(Field::CacheStatus)),
        ("RayID", Some(Field::RequestId)),
    ],
};
