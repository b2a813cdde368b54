//! Raw log lines to requests and signs; personal data ends here. Takes chunks of bytes, gives `Request` and `Sign`.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod visit;
