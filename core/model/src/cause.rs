//! Why an exchange between edge and origin failed: the closed list of 30, and the layer each belongs to.

/// The layer that broke. A function of the cause; absent where no cause is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Made by the edge itself.
    Edge,
    /// Between edge and upstream, TLS included.
    Connection,
    /// What the upstream sent could not be used.
    Response,
    /// The origin answered with its own error, or in its own time.
    Application,
    /// Another gateway behind the edge.
    FurtherHop,
    /// The crawler hung up.
    Client,
    /// The log cannot tell.
    Unknown,
}

impl Layer {
    /// Every layer, in the order of the chain from edge to origin.
    pub const ALL: [Self; 7] = [
        Self::Edge,
        Self::Connection,
        Self::Response,
        Self::Application,
        Self::FurtherHop,
        Self::Client,
        Self::Unknown,
    ];

    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Connection => "connection",
            Self::Response => "response",
            Self::Application => "application",
            Self::FurtherHop => "further-hop",
            Self::Client => "client",
            Self::Unknown => "unknown",
        }
    }
}

/// Why an attempt or a request failed. "Unknown" is the absence of a cause, not one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The upstream's host refused the connection: nothing listens there.
    ConnectionRefused,
    /// The attempt to connect got no answer in time.
    ConnectTimeout,
    /// No route to the upstream's host or network.
    HostUnreachable,
    /// The upstream's name could not be resolved.
    DnsFailure,
    /// The configured upstream target is itself wrong.
    BadUpstreamAddress,
    /// The unix socket's path does not exist.
    SocketMissing,
    /// The edge may not open the unix socket or the connection.
    SocketPermission,
    /// The TLS handshake with the upstream did not complete.
    TlsHandshakeFailure,
    /// The upstream's certificate was rejected.
    TlsCertificateInvalid,
    /// Edge and upstream speak different protocols.
    ProtocolMismatch,
    /// The upstream closed or reset before a whole response header.
    ClosedBeforeHeaders,
    /// A kept-alive connection was reused as the upstream closed it.
    IdleConnectionRace,
    /// The body ended early, after the headers.
    TruncatedBody,
    /// What the upstream sent is not a valid response.
    MalformedResponse,
    /// The response header outgrew the edge's buffer.
    HeaderTooLarge,
    /// All servers were ejected or marked down: an echo of an earlier cause.
    NoLiveUpstream,
    /// The pool has no members at all.
    NoUpstreamRegistered,
    /// The upstream is up but full.
    UpstreamBusy,
    /// The upstream took the request and sent no answer in time.
    ReadTimeout,
    /// The application answered with its own error.
    OriginOwnError,
    /// Another gateway behind the edge made the error.
    ChainedGatewayError,
    /// An application worker died.
    WorkerCrashed,
    /// The process was killed or stopped for lack of memory.
    OutOfMemory,
    /// The origin restarted while the edge kept sending.
    OriginRestart,
    /// The edge ran out of connections, files, ports or memory.
    EdgeCapacityExhausted,
    /// The edge answered on purpose, without asking the origin.
    EdgeMadeResponse,
    /// The edge's own configuration could not serve the request.
    EdgeConfigError,
    /// The edge failed inside.
    EdgeInternalError,
    /// Sending the request failed, or an upgrade was refused.
    RequestOrUpgradeFailed,
    /// The client went away; never counted against the origin.
    ClientAbort,
}

impl Cause {
    /// Every cause, in the order of the enum.
    pub const ALL: [Self; 30] = [
        Self::ConnectionRefused,
        Self::ConnectTimeout,
        Self::HostUnreachable,
        Self::DnsFailure,
        Self::BadUpstreamAddress,
        Self::SocketMissing,
        Self::SocketPermission,
        Self::TlsHandshakeFailure,
        Self::TlsCertificateInvalid,
        Self::ProtocolMismatch,
        Self::ClosedBeforeHeaders,
        Self::IdleConnectionRace,
        Self::TruncatedBody,
        Self::MalformedResponse,
        Self::HeaderTooLarge,
        Self::NoLiveUpstream,
        Self::NoUpstreamRegistered,
        Self::UpstreamBusy,
        Self::ReadTimeout,
        Self::OriginOwnError,
        Self::ChainedGatewayError,
        Self::WorkerCrashed,
        Self::OutOfMemory,
        Self::OriginRestart,
        Self::EdgeCapacityExhausted,
        Self::EdgeMadeResponse,
        Self::EdgeConfigError,
        Self::EdgeInternalError,
        Self::RequestOrUpgradeFailed,
        Self::ClientAbort,
    ];

    /// The name in every output and in `facts/causes/`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConnectionRefused => "connection-refused",
            Self::ConnectTimeout => "connect-timeout",
            Self::HostUnreachable => "host-unreachable",
            Self::DnsFailure => "dns-failure",
            Self::BadUpstreamAddress => "bad-upstream-address",
            Self::SocketMissing => "socket-missing",
            Self::SocketPermission => "socket-permission",
            Self::TlsHandshakeFailure => "tls-handshake-failure",
            Self::TlsCertificateInvalid => "tls-certificate-invalid",
            Self::ProtocolMismatch => "protocol-mismatch",
            Self::ClosedBeforeHeaders => "closed-before-headers",
            Self::IdleConnectionRace => "idle-connection-race",
            Self::TruncatedBody => "truncated-body",
            Self::MalformedResponse => "malformed-response",
            Self::HeaderTooLarge => "header-too-large",
            Self::NoLiveUpstream => "no-live-upstream",
            Self::NoUpstreamRegistered => "no-upstream-registered",
            Self::UpstreamBusy => "upstream-busy",
            Self::ReadTimeout => "read-timeout",
            Self::OriginOwnError => "origin-own-error",
            Self::ChainedGatewayError => "chained-gateway-error",
            Self::WorkerCrashed => "worker-crashed",
            Self::OutOfMemory => "out-of-memory",
            Self::OriginRestart => "origin-restart",
            Self::EdgeCapacityExhausted => "edge-capacity-exhausted",
            Self::EdgeMadeResponse => "edge-made-response",
            Self::EdgeConfigError => "edge-config-error",
            Self::EdgeInternalError => "edge-internal-error",
            Self::RequestOrUpgradeFailed => "request-or-upgrade-failed",
            Self::ClientAbort => "client-abort",
        }
    }

    /// The cause of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// The layer that broke.
    pub const fn layer(self) -> Layer {
        match self {
            Self::ConnectionRefused
            | Self::ConnectTimeout
            | Self::HostUnreachable
            | Self::DnsFailure
            | Self::BadUpstreamAddress
            | Self::SocketMissing
            | Self::SocketPermission
            | Self::TlsHandshakeFailure
            | Self::TlsCertificateInvalid
            | Self::ProtocolMismatch
            | Self::IdleConnectionRace
            | Self::NoLiveUpstream
            | Self::NoUpstreamRegistered
            | Self::UpstreamBusy
            | Self::RequestOrUpgradeFailed => Layer::Connection,
            Self::ClosedBeforeHeaders
            | Self::TruncatedBody
            | Self::MalformedResponse
            | Self::HeaderTooLarge => Layer::Response,
            Self::ReadTimeout
            | Self::OriginOwnError
            | Self::WorkerCrashed
            | Self::OutOfMemory
            | Self::OriginRestart => Layer::Application,
            Self::ChainedGatewayError => Layer::FurtherHop,
            Self::EdgeCapacityExhausted
            | Self::EdgeMadeResponse
            | Self::EdgeConfigError
            | Self::EdgeInternalError => Layer::Edge,
            Self::ClientAbort => Layer::Client,
        }
    }
}

/// A set of causes, for "one of these".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CauseSet(pub u32);

impl CauseSet {
    /// The set of these causes.
    pub const fn of(causes: &[Cause]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < causes.len() {
            bits |= 1 << causes[index] as u32;
            index += 1;
        }
        Self(bits)
    }

    /// This set and `cause`.
    #[must_use]
    pub const fn with(self, cause: Cause) -> Self {
        Self(self.0 | 1 << cause as u32)
    }

    /// This set without `cause`.
    #[must_use]
    pub const fn without(self, cause: Cause) -> Self {
        Self(self.0 & !(1 << cause as u32))
    }

    /// What both sets hold.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What either set holds.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `cause` is in it.
    pub const fn contains(self, cause: Cause) -> bool {
        self.0 & 1 << cause as u32 != 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The causes in it, in the order of the enum.
    pub fn iter(self) -> impl Iterator<Item = Cause> {
        Cause::ALL
            .into_iter()
            .filter(move |cause| self.contains(*cause))
    }
}
