//! The set of requests that a fault touches.

/// Kinds of scope, from wide to narrow. An incident's is the smallest that explains the failures as well as any larger
/// (`docs/verdicts.md`, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// Everything: `*`.
    Site,
    /// One host of several.
    Host,
    /// A path prefix of one or two literal segments, or several of them.
    Route,
    /// One path.
    Url,
    /// One upstream address of several.
    Upstream,
    /// One crawler, or `*`: all crawlers but not other clients.
    Crawler,
    /// `/robots.txt`.
    Robots,
}

impl ScopeKind {
    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Host => "host",
            Self::Route => "route",
            Self::Url => "url",
            Self::Upstream => "upstream",
            Self::Crawler => "crawler",
            Self::Robots => "robots",
        }
    }
}

/// A scope: its kind and what it names. Never holds a placeholder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// What kind.
    pub kind: ScopeKind,
    /// What it names: one value, or several prefixes for a route, sorted.
    pub values: Vec<String>,
}
