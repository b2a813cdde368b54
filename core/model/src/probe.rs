//! What a probe saw below the edge, and what it comes to.
//!
//! The names and addresses here are of servers that the operator named. Nothing of a visitor is near.

use std::time::Duration;

use crate::{Cause, Stamp};

/// Which end of the chain was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The host of the URL, as crawlers reach it.
    Edge,
    /// A server behind it.
    Origin,
}

impl Role {
    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Origin => "origin",
        }
    }
}

/// A step of an exchange, in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Name to addresses.
    Dns,
    /// TCP or unix connect.
    Connect,
    /// TLS handshake.
    Tls,
    /// Until the request was handed over.
    Send,
    /// Until the first byte of the answer.
    FirstByte,
    /// Until the end of the header block.
    Headers,
    /// Until the end of the body.
    Body,
}

impl Phase {
    /// Every phase, in the order of time.
    pub const ALL: [Self; 7] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Send,
        Self::FirstByte,
        Self::Headers,
        Self::Body,
    ];

    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Send => "send",
            Self::FirstByte => "first-byte",
            Self::Headers => "headers",
            Self::Body => "body",
        }
    }
}

/// Where a request went.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Which end.
    pub role: Role,
    /// As the user named it.
    pub name: String,
    /// The address that was connected to, or the socket's path; `None` where the name has none.
    pub address: Option<String>,
    /// Whether TLS was spoken.
    pub tls: bool,
    /// Whether the address was given beside the name and the name does not lead to it.
    pub elsewhere: bool,
}

impl Target {
    /// Address if there is one, else the name.
    pub fn place(&self) -> &str {
        self.address.as_deref().unwrap_or(&self.name)
    }
}

/// Where an exchange failed and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// During which step.
    pub phase: Phase,
    /// The cause, from the list that logs have; `None` where what was seen proves none.
    pub cause: Option<Cause>,
    /// What was seen, in words.
    pub detail: String,
}

/// What was answered, as far as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The `Server` field.
    pub server: Option<String>,
    /// The `Content-Type` field.
    pub content_type: Option<String>,
    /// Where a redirect points.
    pub location: Option<String>,
    /// The `Retry-After` field.
    pub retry_after: Option<String>,
    /// Status line and header fields, with their line ends.
    pub header_bytes: u64,
    /// Bytes of the body that were read.
    pub body_bytes: u64,
    /// Whether the body was read to its end.
    pub is_whole: bool,
}

/// What is worth saying and is no failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// So many bytes of header: more than nginx takes by default on most machines.
    HeaderAboveSmallBuffer(u64),
    /// The same `Content-Length` came more than once.
    LengthRepeated,
    /// Bytes came after the end of the answer.
    Surplus,
    /// The body is larger than what a probe reads.
    BodyNotReadToEnd,
    /// The body still came when the time was up.
    BodyStillComing,
    /// TLS was cut without a goodbye, where that may end a body.
    NoGoodbye,
    /// The certificate would be refused, for this reason, if it were checked.
    CertificateUnchecked(String),
    /// The name has so many more addresses.
    AddressesLeftOut(usize),
    /// There is no way out of this machine for IPv6, so this address was not asked.
    NoIpv6Here,
}

/// How long a connection without a request lived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// The other side closed it after this time.
    Closed(Duration),
    /// It was still open when the time to wait was over.
    StillOpen(Duration),
    /// The answer said that it would close, or left no other way to end.
    NotKept,
}

/// One request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where it went.
    pub target: Target,
    /// What it asked for.
    pub path: String,
    /// When it began.
    pub at: Stamp,
    /// Steps and what each took, the failed one with them.
    pub steps: Vec<(Phase, Duration)>,
    /// Where it failed; `None` where all was well.
    pub failure: Option<Failure>,
    /// What was answered.
    pub answer: Option<Answer>,
    /// Version of TLS.
    pub tls_version: Option<&'static str>,
    /// How long an idle connection lived, where that was measured.
    pub keep_alive: Option<KeepAlive>,
    /// What else to know.
    pub notes: Vec<Note>,
}

impl Outcome {
    /// Whether it was asked at all.
    pub fn is_asked(&self) -> bool {
        !self.notes.contains(&Note::NoIpv6Here)
    }
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// Nobody there was asked.
    Absent,
    /// Every address answered well.
    Good,
    /// Every address failed.
    Fails {
        /// The causes, in the order of the enum.
        causes: Vec<Cause>,
    },
    /// These did, the others not.
    Differs {
        /// Addresses that failed.
        failing: Vec<String>,
        /// How many were asked.
        asked: usize,
        /// The causes, in the order of the enum.
        causes: Vec<Cause>,
    },
}

/// What a probe comes to, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerdictKind {
    /// Edge and origin fail.
    BothFail,
    /// The edge fails though the origin is good.
    EdgeFailsOriginGood,
    /// The edge fails, and no origin was asked.
    EdgeFails,
    /// Some addresses fail.
    DiffersByAddress,
    /// The name leads elsewhere than the address in use.
    ResolvesElsewhere,
    /// The origin fails though the edge is good.
    OriginFailsEdgeGood,
    /// Both answer, and one finds what the other does not.
    AnswersDiffer,
    /// Everything is good.
    AllGood,
}

impl VerdictKind {
    /// Every kind, the worst first.
    pub const ALL: [Self; 8] = [
        Self::BothFail,
        Self::EdgeFailsOriginGood,
        Self::EdgeFails,
        Self::DiffersByAddress,
        Self::ResolvesElsewhere,
        Self::OriginFailsEdgeGood,
        Self::AnswersDiffer,
        Self::AllGood,
    ];

    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BothFail => "both-fail",
            Self::EdgeFailsOriginGood => "edge-fails-origin-good",
            Self::EdgeFails => "edge-fails",
            Self::DiffersByAddress => "differs-by-address",
            Self::ResolvesElsewhere => "resolves-elsewhere",
            Self::OriginFailsEdgeGood => "origin-fails-edge-good",
            Self::AnswersDiffer => "answers-differ",
            Self::AllGood => "all-good",
        }
    }
}

/// What paths that behave alike come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// In one word.
    pub kind: VerdictKind,
    /// These paths.
    pub paths: Vec<String>,
    /// The edge's addresses.
    pub edge: Side,
    /// The origins'.
    pub origin: Side,
    /// Names that lead elsewhere than the address given with them: the name, and that address.
    pub elsewhere: Vec<(String, String)>,
}

/// How the answers of edge and origin to one path differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What was asked for.
    pub path: String,
    /// The origin that is compared.
    pub origin: String,
    /// What differs: `status`, `server`, `type`, `length`, and the values at edge and origin.
    pub what: Vec<(&'static str, String, String)>,
    /// Whether it looks like another application.
    pub is_other_application: bool,
}

/// The judgement of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The worst first; never empty.
    pub parts: Vec<Part>,
    /// Answers of edge and origin, where both are good and not the same.
    pub differences: Vec<Difference>,
    /// What to do next, the first thing first.
    pub advice: Vec<&'static str>,
}

impl Verdict {
    /// The worst of all paths.
    pub fn kind(&self) -> VerdictKind {
        self.parts
            .first()
            .map_or(VerdictKind::AllGood, |part| part.kind)
    }
}
