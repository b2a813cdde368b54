//! What waits for a neighbour: failed requests and error-log entries, as owned values without personal data in the
//! clear. Keys are hashes under the secret of the run; they are neither stored nor printed.

use model::{
    Attempt, Claim, CrawlerId, Edge, Fetch, Finding, Method, Outcome, Place, Request, Route,
    Scheme, Stamp, Status,
};

use crate::attribute::{About, ErrorFinding};

/// An attempt that owns its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldAttempt {
    pub(crate) upstream: Box<str>,
    pub(crate) is_group: bool,
    pub(crate) status: Option<Status>,
    pub(crate) millis: Option<u32>,
    pub(crate) finding: Option<Finding>,
}

/// What a held fetch carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldFetch {
    pub(crate) claim: Claim,
    pub(crate) path: Box<str>,
    pub(crate) query: u64,
}

/// A request that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldRequest {
    pub(crate) at: Stamp,
    pub(crate) place: Place,
    pub(crate) edge: Edge,
    pub(crate) host: Box<str>,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) method: Method,
    pub(crate) route: Route,
    pub(crate) url: u64,
    pub(crate) status: Status,
    pub(crate) bytes: Option<u64>,
    pub(crate) millis: Option<u32>,
    pub(crate) outcome: Outcome,
    pub(crate) finding: Option<Finding>,
    /// Index of the attempt that decided `finding`.
    pub(crate) decided_by: Option<usize>,
    pub(crate) from_cache: bool,
    pub(crate) retry_after: Option<u32>,
    pub(crate) fetch: Option<HeldFetch>,
    pub(crate) spoofed: Option<CrawlerId>,
    pub(crate) attempts: Vec<HeldAttempt>,
    /// Hash of the client's address.
    pub(crate) client: u64,
    /// Hash of client, method and target.
    pub(crate) line: u64,
    /// Serial number of the connection, or hash of the log id.
    pub(crate) serial: Option<u64>,
}

impl HeldRequest {
    /// Lends it as a request; `evidence` and `repeat` are what settling found.
    pub(crate) fn lend(
        &self,
        evidence: Option<Place>,
        repeat: bool,
        each: impl FnOnce(&Request<'_>),
    ) {
        let attempts: Vec<Attempt<'_>> = self
            .attempts
            .iter()
            .map(|attempt| Attempt {
                upstream: &attempt.upstream,
                is_group: attempt.is_group,
                status: attempt.status,
                millis: attempt.millis,
                finding: attempt.finding,
            })
            .collect();
        each(&Request {
            at: self.at,
            place: self.place,
            edge: self.edge,
            host: &self.host,
            scheme: self.scheme,
            method: self.method,
            route: self.route,
            url: self.url,
            status: self.status,
            bytes: self.bytes,
            millis: self.millis,
            outcome: self.outcome,
            finding: self.finding,
            evidence,
            repeat,
            from_cache: self.from_cache,
            retry_after: self.retry_after,
            fetch: self.fetch.as_ref().map(|fetch| Fetch {
                claim: fetch.claim,
                path: &fetch.path,
                query: fetch.query,
            }),
            spoofed: self.spoofed,
            attempts: &attempts,
        });
    }

    /// Order of events.
    pub(crate) const fn order(&self) -> (Stamp, Place) {
        (self.at, self.place)
    }
}

/// An error-log entry that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldError {
    /// Its stamp read as if it were UTC.
    pub(crate) civil: Stamp,
    /// Minutes east of UTC, where the line says so.
    pub(crate) zone: Option<i32>,
    pub(crate) place: Place,
    pub(crate) edge: Edge,
    pub(crate) host: Box<str>,
    pub(crate) upstream: Box<str>,
    pub(crate) finding: ErrorFinding,
    /// Whether it stands after the headers were passed on: the client saw a good status.
    pub(crate) after_headers: bool,
    /// Process and thread.
    pub(crate) process: (u64, u64),
    /// Hash of the client's address.
    pub(crate) client: Option<u64>,
    /// Hash of client, method and target.
    pub(crate) line: Option<u64>,
    /// Hash of the path, where the message names it.
    pub(crate) path: Option<u64>,
    /// Serial number of the connection, or hash of the log id.
    pub(crate) serial: Option<u64>,
    /// Bit n is set where the line holds the n-th literal that some sign must not be followed by.
    pub(crate) follow_ups: u32,
}

impl HeldError {
    /// Whether the entry is about a request, by itself or through the thread that wrote it.
    pub(crate) fn is_about_request(&self) -> bool {
        self.finding.about != About::Itself
    }
}

/// Everything that waits. Uniting two is a union: order never matters before settling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub(crate) requests: Vec<HeldRequest>,
    pub(crate) errors: Vec<HeldError>,
}

impl Held {
    /// Takes in everything of `other`.
    pub fn absorb(&mut self, mut other: Self) {
        self.requests.append(&mut other.requests);
        self.errors.append(&mut other.errors);
    }

    /// How many error-log entries wait.
    pub fn errors(&self) -> usize {
        self.errors.len()
    }

    /// How many requests wait.
    pub fn requests(&self) -> usize {
        self.requests.len()
    }
}
