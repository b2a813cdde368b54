//! One logged request, as all stages after intake know it.

use crate::{Claim, CrawlerId, Edge, Finding, Place, Stamp};

/// HTTP status as sent to the client. nginx's `009` is 9; a client gone before any answer may be 0 or 499.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Status(pub u16);

/// Request method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
    /// Any other, or none.
    Other,
}

impl Method {
    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Other => "other",
        }
    }
}

/// Scheme of the request, where the log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// http.
    Http,
    /// https.
    Https,
}

impl Scheme {
    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What a path segment looks like. All but `Literal` hide the text for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Shape {
    /// A word; its text is known only from a crawler's fetch.
    #[default]
    Literal,
    /// `{n}`: a number, with or without a file ending.
    Number,
    /// `{uuid}`.
    Uuid,
    /// `{date}`.
    Date,
    /// `{hash}`: a long run of hexadecimal or base-64 letters.
    Hash,
    /// `{…}`: personal by its shape (an e-mail address, a signed token, what follows `reset` or `token`).
    Personal,
}

impl Shape {
    /// The placeholder shown for it; `None` for a literal.
    pub const fn placeholder(self) -> Option<&'static str> {
        match self {
            Self::Literal => None,
            Self::Number => Some("{n}"),
            Self::Uuid => Some("{uuid}"),
            Self::Date => Some("{date}"),
            Self::Hash => Some("{hash}"),
            Self::Personal => Some("{…}"),
        }
    }
}

/// One segment of a route: a keyed hash of its text, or a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Segment {
    /// Hash of the text under the secret of the run; for other shapes the shape's number.
    pub key: u64,
    /// What it looks like.
    pub shape: Shape,
}

/// A path reduced by shape, without its query, to at most [`Route::DEPTH`] segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Route {
    /// The first segments; those from `len` on are default.
    pub segments: [Segment; Self::DEPTH],
    /// How many of them are used. 0 is `/`.
    pub len: u8,
    /// Whether the path goes deeper.
    pub deeper: bool,
    /// Whether it is `/robots.txt`.
    pub robots: bool,
}

impl Route {
    /// Segments kept; what is deeper is shown as `/*`.
    pub const DEPTH: usize = 4;
}

/// What only a crawler's request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fetch<'a> {
    /// Who it claims to be.
    pub claim: Claim,
    /// Path without query. Ids stay; e-mail addresses, signed tokens and what follows words such as `reset` are
    /// replaced by placeholders.
    pub path: &'a str,
    /// Hash of the query under the secret of the run, so that `?id=1` and `?id=2` stay two URLs; 0 for none.
    /// Never printed, never exported.
    pub query: u64,
}

/// One attempt of the edge to get an answer from an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt<'a> {
    /// Address as the edge wrote it, or the group's name; empty where not logged.
    pub upstream: &'a str,
    /// Whether `upstream` is the name of a group, which no connection went to.
    pub is_group: bool,
    /// Status the edge wrote for it, its own made-up values included.
    pub status: Option<Status>,
    /// Milliseconds to the end of the attempt.
    pub millis: Option<u32>,
    /// Why it failed; `None` where it did not.
    pub finding: Option<Finding>,
}

/// How a request ended. Exactly one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Answered well, or with an answer that says nothing against the origin (404, 403 and the like).
    Good,
    /// Answered well after an attempt on an upstream failed.
    SavedByRetry,
    /// The client saw a failure status.
    Failed,
    /// Proven broken under another status: nginx's `009`, an error masked as 200, a body cut after the headers.
    Hidden,
    /// The client hung up. Never a failure of the origin.
    ClientAbort,
}

impl Outcome {
    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::SavedByRetry => "saved-by-retry",
            Self::Failed => "failed",
            Self::Hidden => "hidden-failure",
            Self::ClientAbort => "client-abort",
        }
    }
}

/// A logged request: all that the stages after intake may know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Request<'a> {
    /// When, as the edge stamped it.
    pub at: Stamp,
    /// Where its line stands.
    pub place: Place,
    /// The edge that wrote it.
    pub edge: Edge,
    /// Host asked for, in lower case and without port; empty where not logged.
    pub host: &'a str,
    /// Scheme, where logged.
    pub scheme: Option<Scheme>,
    /// Method.
    pub method: Method,
    /// Path reduced by shape.
    pub route: Route,
    /// Hash of the path without query under the secret of the run. Never printed, never exported.
    pub url: u64,
    /// Status as sent to the client.
    pub status: Status,
    /// Body bytes sent, where logged.
    pub bytes: Option<u64>,
    /// Milliseconds from the first byte of the request to the end of the answer, where logged.
    pub millis: Option<u32>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed; `None` for a good one.
    pub finding: Option<Finding>,
    /// Line of the error log that decided, where one was joined.
    pub evidence: Option<Place>,
    /// Whether it repeats a failure of the same client, host and path within 60 s: counted, but no evidence.
    pub repeat: bool,
    /// Whether the edge's cache answered: says nothing about the origin.
    pub from_cache: bool,
    /// Whether the log names upstreams, and none was asked: the edge's own answer, or one out of its cache.
    pub no_upstream: bool,
    /// Seconds of a Retry-After that was sent, where logged.
    pub retry_after: Option<u32>,
    /// What a crawler's request carries; `None` for every other client.
    pub fetch: Option<Fetch<'a>>,
    /// The claim of another client: its address does not belong to the operator, or nothing shows that it does where
    /// only verified claims count. Not a fetch.
    pub posing: Option<Claim>,
    /// Every attempt on an upstream, in order; empty where not logged.
    pub attempts: &'a [Attempt<'a>],
}

impl Request<'_> {
    /// The crawler that fetched, if one did.
    pub fn crawler(&self) -> Option<CrawlerId> {
        self.fetch.map(|fetch| fetch.claim.crawler)
    }

    /// Whether it counts as failed.
    pub const fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed)
    }
}
