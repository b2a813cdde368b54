//! Caddy's JSON: `logger` begins `http.log.`, and `request` is an object.

use model::{Edge, Field};

use super::Product;

pub(super) const PRODUCT: Product = Product {
    edge: Edge::Caddy,
    markers: &[r#""http.log.access"#, r#""http.log.error"#],
    names: &[
        ("ts", Some(Field::Time)),
        ("request.remote_ip", Some(Field::ClientAddr)),
        ("request.method", Some(Field::Method)),
        ("request.host", Some(Field::Host)),
        ("request.uri", Some(Field::Target)),
        ("request.proto", Some(Field::Protocol)),
        ("status", Some(Field::Status)),
        ("size", Some(Field::BytesSent)),
        ("duration", Some(Field::Duration)),
        ("level", None),
        ("msg", None),
    ],
};
