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
    ];

    /// How many fields there are.
    pub const COUNT: usize = 36;

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
        }
    }

    /// The field of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}
