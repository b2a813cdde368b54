//! What an incident touches, and which requests lie in it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::Request;

/// A set of requests, in the words of `docs/verdicts.md`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Value", into = "Value")]
pub(crate) enum Scope {
    Site,
    /// Path prefixes, sorted.
    Routes(Vec<String>),
    Url(String),
    Upstream(String),
    Crawler(String),
    AllCrawlers,
    Robots,
    /// What our program can say and no truth holds: a host, the clients that are no crawlers.
    Other(String),
}

pub(crate) const ROBOTS: &str = "/robots.txt";

impl Scope {
    /// Whether the request is in it. For an upstream: whether it was asked.
    pub(crate) fn holds(&self, request: &Request) -> bool {
        match self {
            Self::Site => true,
            Self::Routes(prefixes) => prefixes
                .iter()
                .any(|prefix| is_under(&request.path, prefix)),
            Self::Url(path) => request.path == *path,
            Self::Upstream(name) => request.attempts.iter().any(|attempt| attempt.0 == *name),
            Self::Crawler(name) => request.crawler == Some(name.as_str()),
            Self::AllCrawlers => request.crawler.is_some(),
            Self::Robots => request.path == ROBOTS,
            Self::Other(_) => false,
        }
    }

    /// The same set, however its name is written. Only crawlers have names in two spellings: token and id.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Crawler(one), Self::Crawler(two)) => one.eq_ignore_ascii_case(two),
            _ => self == other,
        }
    }
}

impl From<Scope> for Value {
    fn from(scope: Scope) -> Self {
        let (kind, value) = match &scope {
            Scope::Site => ("site", json!("*")),
            Scope::Routes(prefixes) if prefixes.len() == 1 => ("route", json!(prefixes[0])),
            Scope::Routes(prefixes) => ("route", json!(prefixes)),
            Scope::Url(path) => ("url", json!(path)),
            Scope::Upstream(name) => ("upstream", json!(name)),
            Scope::Crawler(name) => ("crawler", json!(name)),
            Scope::AllCrawlers => ("crawler", json!("*")),
            Scope::Robots => ("robots", json!(ROBOTS)),
            Scope::Other(kind) => (kind.as_str(), json!("*")),
        };
        json!({"kind": kind, "value": value})
    }
}

impl From<Value> for Scope {
    fn from(value: Value) -> Self {
        let name = value["value"].as_str().unwrap_or("*");
        match value["kind"].as_str().unwrap_or("site") {
            "site" => Self::Site,
            "route" => {
                let one = std::slice::from_ref(&value["value"]);
                let all = value["value"].as_array().map_or(one, Vec::as_slice);
                let words = all.iter().filter_map(Value::as_str);
                let mut prefixes: Vec<String> = words.map(bare_prefix).collect();
                prefixes.sort();
                Self::Routes(prefixes)
            }
            "url" if name == ROBOTS => Self::Robots,
            "url" => Self::Url(name.to_owned()),
            "upstream" => Self::Upstream(name.to_owned()),
            "crawler" if name == "*" => Self::AllCrawlers,
            "crawler" => Self::Crawler(name.to_owned()),
            "robots" => Self::Robots,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// `/shop/*`, `shop/` and `/shop` are one prefix.
fn bare_prefix(word: &str) -> String {
    format!("/{}", word.trim_end_matches('*').trim_matches('/'))
}

fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// `/shop/item/a` lies under `/shop` and `/shop/item`.
pub(crate) fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('/').map(|hit| hit.0).skip(1).take(2);
    ends.map(|end| &path[..end])
}
