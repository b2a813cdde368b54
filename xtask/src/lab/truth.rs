//! What really happened, known because the lab made it happen: one object per driven request that is not plainly good.

use model::Cause;
use serde_json::{Value, json};

use super::traffic::Ask;

/// Why a request goes wrong, as the script knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Why {
    /// What the lab did.
    pub(crate) fault: &'static str,
    /// The cause of this request's failure; `None` where the list of causes has no word for it.
    pub(crate) cause: Option<Cause>,
    /// For an echo: what emptied the pool.
    pub(crate) root: Option<Cause>,
}

impl Why {
    /// A fault with its cause.
    pub(crate) const fn new(fault: &'static str, cause: Cause) -> Self {
        Self {
            fault,
            cause: Some(cause),
            root: None,
        }
    }

    /// "No live upstreams" after failures of the cause `root`.
    pub(crate) const fn echo(fault: &'static str, root: Cause) -> Self {
        Self {
            fault,
            cause: Some(Cause::NoLiveUpstream),
            root: Some(root),
        }
    }
}

/// A request as it was driven, with where its lines stand.
pub(crate) struct Driven {
    pub(crate) ask: Ask,
    /// Whether the client hung up on purpose.
    pub(crate) aborted: bool,
    pub(crate) why: Option<Why>,
    /// Line of the access log, from 1.
    pub(crate) access_line: usize,
    /// Lines of the error log, from 1.
    pub(crate) error_lines: Vec<usize>,
    /// Status as logged.
    pub(crate) logged: u16,
}

impl Driven {
    /// How it ended for the client, in the words of the truth file.
    pub(crate) fn outcome(&self) -> &'static str {
        match (self.aborted, self.why) {
            (true, _) => "client-abort",
            (_, None) => "good",
            (_, Some(_)) if matches!(self.logged, 9 | 429 | 500..) => "failed",
            (_, Some(why)) if is_hidden(why) => "hidden-failure",
            _ => "saved-by-retry",
        }
    }

    /// The line of the truth file; `None` for a plainly good request. `with_errors` is whether the error log lies beside it.
    pub(crate) fn truth(&self, with_errors: bool) -> Option<Value> {
        let outcome = self.outcome();
        if outcome == "good" {
            return None;
        }
        let why = self.why;
        let path = self.ask.target.split('?').next().unwrap_or_default();
        Some(json!({
            "access": {"file": "access.log", "line": self.access_line},
            "method": self.ask.method,
            "path": path,
            "crawler": self.ask.visitor.crawler,
            "status": self.logged,
            "fault": why.map_or("client-abort", |why| why.fault),
            "outcome": outcome,
            "cause": if self.aborted {
                Some(Cause::ClientAbort.name())
            } else {
                why.and_then(|why| why.cause).map(Cause::name)
            },
            "root": why.and_then(|why| why.root).map(Cause::name),
            "error_lines": if with_errors { self.error_lines.as_slice() } else { &[] },
        }))
    }
}

/// Whether a good status hides a failure of this kind, rather than a retry having saved it.
fn is_hidden(why: Why) -> bool {
    matches!(
        why.cause,
        Some(Cause::TruncatedBody | Cause::MalformedResponse | Cause::ProtocolMismatch)
    ) || why.fault.starts_with("masked")
}
