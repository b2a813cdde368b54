//! JSON of Traffic Server's users: its symbols as keys.

use model::{Edge, Field};

use super::Product;

pub(super) const PRODUCT: Product = Product {
    edge: Edge::TrafficServer,
    markers: &[r#""pssc""#, r#""cqhm""#],
    names: &[
        ("cqtq", Some(Field::Time)),
        ("cqts", Some(Field::Time)),
        ("cqtn", Some(Field::Time)),
        ("ttms", Some(Field::DurationMillis)),
        ("ttmsf", Some(Field::Duration)),
        ("chi", Some(Field::ClientAddr)),
        ("caun", Some(Field::RemoteUser)),
        ("cqtx", Some(Field::Request)),
        ("cqhm", Some(Field::Method)),
        ("cquuc", Some(Field::Target)),
        ("cquup", Some(Field::Target)),
        ("cquc", Some(Field::Target)),
        ("pquc", Some(Field::Target)),
        ("cqup", Some(Field::Target)),
        ("pqup", Some(Field::Target)),
        ("cqu", Some(Field::Target)),
        ("cquuh", Some(Field::Host)),
        ("cqus", Some(Field::Scheme)),
        ("pssc", Some(Field::Status)),
        ("sssc", Some(Field::OriginStatus)),
        ("pscl", Some(Field::BytesSent)),
        ("psql", Some(Field::BytesSent)),
        ("crc", Some(Field::ResultCode)),
        ("pfsc", Some(Field::FinishStatus)),
        ("phr", Some(Field::Hierarchy)),
        ("shi", Some(Field::UpstreamAddr)),
        ("shn", Some(Field::UpstreamAddr)),
        ("nhi", Some(Field::UpstreamAddr)),
        ("prrp", Some(Field::ResponseReason)),
        ("sca", Some(Field::Retries)),
    ],
};
