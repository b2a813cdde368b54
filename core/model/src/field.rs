//! The fields a log line can carry: one closed vocabulary for formats (which column is it?), signs (what must it
//! say?) and advice (which one to log?).

/// A field of an access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Address of the client: personal data, stays in intake.
    ClientAddr,
    /// Addresses of the client as forwarded: personal data, stays in intake.
    ForwardedFor,
    /// Name of the user: personal data, stays in intake.
    RemoteUser,
    /// When the request was received or ended, in any of the layouts the products write.
    Time,
    /// The request line: method, target, protocol.
    Request,
    /// Method alone.
    Method,
    /// Path with query as the client sent it; a query is personal data.
    Target,
    /// Query alone: personal data, stays in intake.
    Query,
    /// HTTP version.
    Protocol,
    /// `http` or `https`.
    Scheme,
    /// Host the client asked for.
    Host,
    /// Name of the virtual server that answered.
    ServerName,
    /// Status as sent to the client.
    Status,
    /// Bytes sent to the client, body or all of it.
    BytesSent,
    /// Referrer: personal data, never read.
    Referer,
    /// User agent: personal data, stays in intake.
    UserAgent,
    /// Time from the request's first byte to the end of the answer, in seconds.
    Duration,
    /// The same in milliseconds.
    DurationMillis,
    /// The same in microseconds.
    DurationMicros,
    /// Address of each upstream that was tried.
    UpstreamAddr,
    /// Name of the upstream group or backend.
    UpstreamName,
    /// Status of each attempt; edges write values of their own here.
    UpstreamStatus,
    /// Time to connect, of each attempt, in seconds.
    UpstreamConnectTime,
    /// Time to the end of the response header, of each attempt, in seconds.
    UpstreamHeaderTime,
    /// Time to the end of the response, of each attempt, in seconds.
    UpstreamResponseTime,
    /// Bytes received from the upstream in each attempt.
    UpstreamBytesReceived,
    /// Content-Length that the upstream declared.
    UpstreamContentLength,
    /// Whether the edge's cache answered.
    CacheStatus,
    /// Serial number of the client connection; joins access and error log.
    Connection,
    /// Id of the error-log entry of this request (httpd `%L`).
    ErrorLogId,
    /// Id of the request: never leaves intake.
    RequestId,
    /// Status read from the origin (httpd `%{proxy-status}n`).
    ProxyStatus,
    /// Handler that made the answer (httpd `%R`).
    Handler,
    /// State of the connection at the end (httpd `%X`).
    ConnectionStatus,
    /// Retry-After header that was sent.
    RetryAfter,
    /// Cookie: personal data, never read.
    Cookie,
    /// The same in nanoseconds.
    DurationNanos,
    /// How and in which phase the session ended (HAProxy `%ts`).
    TerminationState,
    /// Time waiting for a free server, in milliseconds; -1 for never (HAProxy `%Tw`).
    QueueMillis,
    /// Time to connect to the upstream, in milliseconds; -1 for never (HAProxy `%Tc`).
    ConnectMillis,
    /// Time to the upstream's response header, in milliseconds; -1 for never (HAProxy `%Tr`, Envoy's upstream
    /// service time).
    ResponseMillis,
    /// How often the edge tried again; `+` before it for another server (HAProxy `%rc`, Traefik RetryAttempts).
    Retries,
    /// How many attempts there were, the first included (Envoy).
    AttemptCount,
    /// Name of the server of the group that was chosen; `<NOSRV>` for none (HAProxy `%s`).
    UpstreamServer,
    /// Why the edge could not talk to the upstream, in its own words: HAProxy `bc_err_str`, Envoy's transport failure
    /// reason, Varnish's FetchError, H2O's `%{error}x`.
    UpstreamError,
    /// The same of TLS (HAProxy `ssl_bc_err_str`).
    UpstreamTlsError,
    /// What went wrong, as short codes (Envoy).
    ResponseFlags,
    /// What decided the status (Envoy).
    ResponseCodeDetails,
    /// Why the connection ended (Envoy).
    TerminationDetails,
    /// Status that the origin answered, one for the request; Traefik's also holds its own.
    OriginStatus,
    /// What the cache made of the request: Traffic Server `crc`, Squid `%Ss`, CloudFront's result type.
    ResultCode,
    /// How the proxy's answer ended (Traffic Server `pfsc`).
    FinishStatus,
    /// The way to the upstream: Squid `%Sh`, Traffic Server `phr`.
    Hierarchy,
    /// Name of the error page (Squid `%err_code`).
    ErrorCode,
    /// What stands behind it (Squid `%err_detail`).
    ErrorDetail,
    /// Via header of the answer: names the gateways it came through.
    Via,
    /// What the cache did: hit, miss, pass, pipe or synth (Varnish).
    Handling,
    /// Reason phrase of the answer.
    ResponseReason,
    /// Which backend was connected, anew or again (Varnish).
    BackendOpen,
    /// Proxy-Status header of the answer, RFC 9209.
    ProxyStatusHeader,
    /// Whether the line is about a client (`c`) or a backend (`b`, Varnish).
    Side,
    /// Server header of the answer, every one of them.
    ServerHeader,
    /// Bytes of the body that came from the upstream, in each attempt (nginx).
    UpstreamResponseLength,
    /// The edge's own end of the connection to the upstream; no value where none was made (Envoy).
    UpstreamLocalAddr,
    /// When a connection to the upstream was begun for this request; no value where a kept one was used again (Envoy
    /// `%COMMON_DURATION(DS_RX_BEG:US_CX_BEG:us)%`).
    ConnectionOpened,
    /// Line of the configuration whose rule ended the request (HAProxy `last_rule_line`).
    Rule,
    /// A mark of the operator in the layout: the edge stops where the client leaves (HAProxy's `option abortonclose`).
    WatchesClient,
    /// Protocol that the edge made an answer of HTTP out of: `HTTP/0.9` where it was none (Squid).
    TransformedFrom,
}

impl Field {
    /// Every field, in the order of the enum.
    pub const ALL: [Self; Self::COUNT] = [
        Self::ClientAddr,
        Self::ForwardedFor,
        Self::RemoteUser,
        Self::Time,
        Self::Request,
        Self::Method,
        Self::Target,
        Self::Query,
        Self::Protocol,
        Self::Scheme,
        Self::Host,
        Self::ServerName,
        Self::Status,
        Self::BytesSent,
        Self::Referer,
        Self::UserAgent,
        Self::Duration,
        Self::DurationMillis,
        Self::DurationMicros,
        Self::UpstreamAddr,
        Self::UpstreamName,
        Self::UpstreamStatus,
        Self::UpstreamConnectTime,
        Self::UpstreamHeaderTime,
        Self::UpstreamResponseTime,
        Self::UpstreamBytesReceived,
        Self::UpstreamContentLength,
        Self::CacheStatus,
        Self::Connection,
        Self::ErrorLogId,
        Self::RequestId,
        Self::ProxyStatus,
        Self::Handler,
        Self::ConnectionStatus,
        Self::RetryAfter,
        Self::Cookie,
        Self::DurationNanos,
        Self::TerminationState,
        Self::QueueMillis,
        Self::ConnectMillis,
        Self::ResponseMillis,
        Self::Retries,
        Self::AttemptCount,
        Self::UpstreamServer,
        Self::UpstreamError,
        Self::UpstreamTlsError,
        Self::ResponseFlags,
        Self::ResponseCodeDetails,
        Self::TerminationDetails,
        Self::OriginStatus,
        Self::ResultCode,
        Self::FinishStatus,
        Self::Hierarchy,
        Self::ErrorCode,
        Self::ErrorDetail,
        Self::Via,
        Self::Handling,
        Self::ResponseReason,
        Self::BackendOpen,
        Self::ProxyStatusHeader,
        Self::Side,
        Self::ServerHeader,
        Self::UpstreamResponseLength,
        Self::UpstreamLocalAddr,
        Self::ConnectionOpened,
        Self::Rule,
        Self::WatchesClient,
        Self::TransformedFrom,
    ];

    /// How many fields there are.
    pub const COUNT: usize = 68;

    /// The name in facts and in advice; nginx's own variable name where nginx has one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientAddr => "client_addr",
            Self::ForwardedFor => "forwarded_for",
            Self::RemoteUser => "remote_user",
            Self::Time => "time",
            Self::Request => "request",
            Self::Method => "method",
            Self::Target => "target",
            Self::Query => "query",
            Self::Protocol => "protocol",
            Self::Scheme => "scheme",
            Self::Host => "host",
            Self::ServerName => "server_name",
            Self::Status => "status",
            Self::BytesSent => "bytes_sent",
            Self::Referer => "referer",
            Self::UserAgent => "user_agent",
            Self::Duration => "request_time",
            Self::DurationMillis => "request_time_ms",
            Self::DurationMicros => "request_time_us",
            Self::UpstreamAddr => "upstream_addr",
            Self::UpstreamName => "upstream_name",
            Self::UpstreamStatus => "upstream_status",
            Self::UpstreamConnectTime => "upstream_connect_time",
            Self::UpstreamHeaderTime => "upstream_header_time",
            Self::UpstreamResponseTime => "upstream_response_time",
            Self::UpstreamBytesReceived => "upstream_bytes_received",
            Self::UpstreamContentLength => "upstream_http_content_length",
            Self::CacheStatus => "upstream_cache_status",
            Self::Connection => "connection",
            Self::ErrorLogId => "error_log_id",
            Self::RequestId => "request_id",
            Self::ProxyStatus => "proxy_status",
            Self::Handler => "handler",
            Self::ConnectionStatus => "connection_status",
            Self::RetryAfter => "retry_after",
            Self::Cookie => "cookie",
            Self::DurationNanos => "request_time_ns",
            Self::TerminationState => "termination_state",
            Self::QueueMillis => "queue_time_ms",
            Self::ConnectMillis => "connect_time_ms",
            Self::ResponseMillis => "response_time_ms",
            Self::Retries => "retries",
            Self::AttemptCount => "attempt_count",
            Self::UpstreamServer => "upstream_server",
            Self::UpstreamError => "upstream_error",
            Self::UpstreamTlsError => "upstream_tls_error",
            Self::ResponseFlags => "response_flags",
            Self::ResponseCodeDetails => "response_code_details",
            Self::TerminationDetails => "connection_termination_details",
            Self::OriginStatus => "origin_status",
            Self::ResultCode => "result_code",
            Self::FinishStatus => "finish_status",
            Self::Hierarchy => "hierarchy",
            Self::ErrorCode => "error_code",
            Self::ErrorDetail => "error_detail",
            Self::Via => "via",
            Self::Handling => "handling",
            Self::ResponseReason => "response_reason",
            Self::BackendOpen => "backend_open",
            Self::ProxyStatusHeader => "proxy_status_header",
            Self::Side => "side",
            Self::ServerHeader => "server_header",
            Self::Rule => "rule",
            Self::WatchesClient => "watches_client",
            Self::UpstreamResponseLength => "upstream_response_length",
            Self::UpstreamLocalAddr => "upstream_local_addr",
            Self::ConnectionOpened => "connection_opened",
            Self::TransformedFrom => "transformed_from",
        }
    }

    /// The field of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}
