//! What waits for a neighbour: failed requests and error-log entries, as owned values without personal data in the
//! clear. Keys are hashes under the secret of the run; they are neither stored nor printed.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{
    Attempt, Claim, Edge, Fetch, Finding, Method, Outcome, Place, Request, Route, Scheme, Stamp,
    Status,
};

use crate::attribute::{About, ErrorFinding};
use crate::error_log::{ErrorLine, Part};

/// An attempt that owns its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldAttempt {
    pub(crate) upstream: Arc<str>,
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
    pub(crate) host: Arc<str>,
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
    pub(crate) no_upstream: bool,
    pub(crate) retry_after: Option<u32>,
    pub(crate) fetch: Option<Box<HeldFetch>>,
    pub(crate) posing: Option<Claim>,
    pub(crate) attempts: Vec<HeldAttempt>,
    /// Hash of the client's address.
    pub(crate) client: u64,
    /// Hash of client, method and target.
    pub(crate) line: u64,
    /// Hash of method and target.
    pub(crate) asked: u64,
    /// Serial number of the connection, or hash of the log id.
    pub(crate) serial: Option<u64>,
    /// Hash of the begin of a long path, for error logs that cut it.
    pub(crate) head: Option<u64>,
    /// Whether an entry of the error log may be about it, or shares its client.
    pub(crate) joins: bool,
    /// Whether the edge may have written a second line about it.
    pub(crate) may_be_twin: bool,
    /// Whether it is a repeat, once that is known.
    pub(crate) repeat: Option<bool>,
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
            no_upstream: self.no_upstream,
            retry_after: self.retry_after,
            fetch: self.fetch.as_ref().map(|fetch| Fetch {
                claim: fetch.claim,
                path: &fetch.path,
                query: fetch.query,
            }),
            posing: self.posing,
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
    /// Whether it has a stamp.
    pub(crate) is_timed: bool,
    /// What it is of its entry.
    pub(crate) part: Part,
    /// Minutes east of UTC, where the line says so.
    pub(crate) zone: Option<i32>,
    pub(crate) place: Place,
    pub(crate) edge: Edge,
    pub(crate) host: Arc<str>,
    pub(crate) upstream: Arc<str>,
    pub(crate) finding: Arc<ErrorFinding>,
    /// Whether it stands after the headers were passed on: the client saw a good status.
    pub(crate) after_headers: bool,
    /// Status that the client was answered with, where the entry says so.
    pub(crate) status: Option<u16>,
    /// Process and thread.
    pub(crate) process: (u64, u64),
    /// Hash of the client's address.
    pub(crate) client: Option<u64>,
    /// Hash of client, method and target.
    pub(crate) line: Option<u64>,
    /// Hash of method and target.
    pub(crate) asked: Option<u64>,
    /// Hash of the path, where the message names it.
    pub(crate) path: Option<u64>,
    /// The same path taken apart: some products name only its first segments.
    pub(crate) route: Option<Route>,
    /// Whether nothing more is said of the same event in the lines that follow.
    pub(crate) ends_event: bool,
    /// Hash of the begin of the path, where the message cuts it.
    pub(crate) head: Option<u64>,
    /// What it tells of the attempt beside a failure.
    pub(crate) attempt: AttemptLine,
    /// Serial number of the connection, or hash of the log id.
    pub(crate) serial: Option<u64>,
    /// Whether it goes on with the entry before of the same path and upstream.
    pub(crate) goes_on: bool,
    /// Bit n is set where the line holds the n-th literal that some sign must not be followed by.
    pub(crate) follow_ups: u32,
}

/// What a line tells of an attempt beside a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AttemptLine {
    /// It is on a new connection: what went wrong before was tried again.
    pub(crate) connects: bool,
    /// The connection was used before.
    pub(crate) reuses: bool,
    /// No client waits for it.
    pub(crate) background: bool,
    /// It tells more closely what the error is.
    pub(crate) refines: bool,
    /// It is not the first for its request.
    pub(crate) again: bool,
    /// Status that the edge got or made.
    pub(crate) status: Option<u16>,
    /// Bytes of the page that the edge answers with when it writes this line.
    pub(crate) page: Option<u64>,
}

impl AttemptLine {
    /// What `entry` tells.
    pub(crate) const fn of(entry: &ErrorLine<'_>) -> Self {
        Self {
            connects: entry.connects,
            reuses: entry.reuses,
            background: entry.background,
            refines: entry.refines,
            again: entry.again,
            status: entry.status,
            page: entry.page,
        }
    }
}

impl HeldError {
    /// Whether the entry says by itself how a server of HAProxy, or a backend of it, is. What other edges say of a
    /// server without naming a client, they say of one request all the same.
    pub(crate) fn is_about_server(&self) -> bool {
        self.edge == Edge::Haproxy && !self.is_about_request() && !self.upstream.is_empty()
    }

    /// Whether the entry is about a request, by itself or through the thread that wrote it.
    pub(crate) fn is_about_request(&self) -> bool {
        self.finding.about != About::Itself
    }

    /// Whether only its moment, and a path where it names one, ties it to a request.
    pub(crate) fn is_about_moment(&self) -> bool {
        self.finding.about == About::Moment
    }
}

/// Everything that waits. Uniting two is a union: order never matters before settling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Those that wait to be told from repeats.
    pub(crate) requests: Vec<HeldRequest>,
    /// Those that are told from repeats and wait for the error log.
    pub(crate) joining: Vec<HeldRequest>,
    pub(crate) errors: Vec<HeldError>,
    /// Products whose error logs were read, whatever they say.
    pub(crate) logs: BTreeSet<Edge>,
    /// The earliest fetch that waits for the error log.
    pub(crate) first_fetch: Option<Stamp>,
    /// Names met before: what is held by the million shares the few names there are.
    names: Vec<Arc<str>>,
}

/// Names that are shared; of a site with more hosts and upstreams, the others are held by each request.
const NAMES_MAX: usize = 64;

impl Held {
    /// Takes in everything of `other`.
    pub fn absorb(&mut self, mut other: Self) {
        self.requests.append(&mut other.requests);
        self.joining.append(&mut other.joining);
        self.first_fetch = earliest(self.first_fetch, other.first_fetch);
        self.errors.append(&mut other.errors);
        self.logs.append(&mut other.logs);
    }

    /// How many error-log entries wait.
    pub fn errors(&self) -> usize {
        self.errors.len()
    }

    /// How many requests wait to be told from repeats.
    pub fn requests(&self) -> usize {
        self.requests.len()
    }

    /// The latest of them.
    pub fn newest(&self) -> Option<Stamp> {
        self.requests.iter().map(|held| held.at).max()
    }

    /// The earliest fetch that waits for the error log.
    pub const fn first_fetch(&self) -> Option<Stamp> {
        self.first_fetch
    }

    pub(crate) fn push(&mut self, mut held: HeldRequest) {
        self.share(&mut held.host);
        for attempt in &mut held.attempts {
            self.share(&mut attempt.upstream);
        }
        if held.joins && held.fetch.is_some() {
            self.first_fetch = earliest(self.first_fetch, Some(held.at));
        }
        self.requests.push(held);
    }

    pub(crate) fn push_error(&mut self, mut error: HeldError) {
        self.share(&mut error.host);
        self.share(&mut error.upstream);
        if let Some(last) = self.errors.last()
            && last.finding == error.finding
        {
            error.finding = Arc::clone(&last.finding);
        }
        self.errors.push(error);
    }

    fn share(&mut self, name: &mut Arc<str>) {
        match self.names.iter().find(|known| *known == name) {
            Some(known) => *name = Arc::clone(known),
            None if self.names.len() < NAMES_MAX => self.names.push(Arc::clone(name)),
            None => {}
        }
    }
}

fn earliest(a: Option<Stamp>, b: Option<Stamp>) -> Option<Stamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
