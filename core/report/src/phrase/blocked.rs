//! Crawlers that are who they say, kept out by the edge.

use model::Blocked;

use crate::crawler;
use crate::words::share;

/// `googlebot is blocked at the edge: 412 of 430 verified fetches got 403`.
pub(crate) fn blocked(blocked: &Blocked) -> String {
    let answer = match blocked.bytes {
        Some(bytes) => format!("the same {bytes} bytes with {}", blocked.status.0),
        None => blocked.status.0.to_string(),
    };
    format!(
        "{} is blocked at the edge: {} verified fetches got {answer}",
        crawler::name(blocked.crawler),
        share(blocked.count, blocked.fetches),
    )
}
