//! What an error of the system or of TLS, and what a status, say about the cause.

use std::io;

use model::Cause;
use model::probe::{Answer, Failure, Phase, Role};

/// `connect` failed.
pub(crate) fn connect(error: &io::Error, is_unix: bool) -> Failure {
    use io::ErrorKind as Kind;
    let (cause, detail) = match error.kind() {
        Kind::ConnectionRefused if is_unix => (
            Some(Cause::ConnectionRefused),
            "the socket's path is there, and nobody listens on it",
        ),
        Kind::ConnectionRefused => (Some(Cause::ConnectionRefused), "nothing listens there"),
        Kind::NotFound if is_unix => (
            Some(Cause::SocketMissing),
            "there is no socket at that path",
        ),
        Kind::PermissionDenied if is_unix => (
            Some(Cause::SocketPermission),
            "this user may not open the socket (the edge runs as another: ask as that one)",
        ),
        Kind::PermissionDenied => (
            Some(Cause::SocketPermission),
            "this machine's own rules forbid the connection",
        ),
        // A unix socket whose queue is full says so at once; TCP lets one wait.
        Kind::WouldBlock if is_unix => (
            Some(Cause::UpstreamBusy),
            "the socket's queue of connections is full",
        ),
        Kind::HostUnreachable => (Some(Cause::HostUnreachable), "no route to that host"),
        Kind::NetworkUnreachable | Kind::AddrNotAvailable => {
            (Some(Cause::HostUnreachable), "no route to that network")
        }
        Kind::TimedOut => (
            Some(Cause::ConnectTimeout),
            "the connection was not answered",
        ),
        Kind::ConnectionReset | Kind::ConnectionAborted => (
            Some(Cause::ConnectionRefused),
            "the connection was reset as it began",
        ),
        Kind::InvalidInput => (
            Some(Cause::BadUpstreamAddress),
            "the system takes this for no address",
        ),
        _ => return failure(Phase::Connect, None, error.to_string()),
    };
    failure(Phase::Connect, cause, detail)
}

/// Reading or writing failed after the connection stood.
pub(crate) fn stream(error: &io::Error, phase: Phase) -> Failure {
    if let Some(error) = of_tls(error) {
        return tls(error, phase, 0);
    }
    use io::ErrorKind as Kind;
    let is_cut = matches!(
        error.kind(),
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::NotConnected
    );
    let (cause, detail) = match phase {
        _ if !is_cut => return failure(phase, None, error.to_string()),
        Phase::Body => (Cause::TruncatedBody, "the connection was reset in the body"),
        Phase::Headers => (
            Cause::ClosedBeforeHeaders,
            "the connection was reset inside the header",
        ),
        Phase::Tls => (
            Cause::TlsHandshakeFailure,
            "the connection was reset during the handshake",
        ),
        _ => (
            Cause::ClosedBeforeHeaders,
            "the connection was reset before a byte of the answer",
        ),
    };
    failure(phase, Some(cause), detail)
}

/// The handshake failed; `certificates` is how many the other side sent.
pub(crate) fn handshake(error: &io::Error, certificates: usize) -> Failure {
    if let Some(error) = of_tls(error) {
        return tls(error, Phase::Tls, certificates);
    }
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return failure(
            Phase::Tls,
            Some(Cause::TlsHandshakeFailure),
            "the connection was closed during the handshake",
        );
    }
    stream(error, Phase::Tls)
}

/// Whether a look in the other protocol may tell more: nothing usable came back.
pub(crate) fn is_silent(error: &io::Error) -> bool {
    of_tls(error).is_none()
}

fn of_tls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn tls(error: &rustls::Error, phase: Phase, certificates: usize) -> Failure {
    use rustls::{AlertDescription as Alert, Error};
    let (cause, detail) = match error {
        Error::InvalidCertificate(bad) => {
            return failure(
                phase,
                Some(Cause::TlsCertificateInvalid),
                certificate(bad, certificates),
            );
        }
        // The first bytes are no record of TLS.
        Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)
        | Error::InvalidMessage(rustls::InvalidMessage::UnknownProtocolVersion)
        | Error::InvalidMessage(rustls::InvalidMessage::MessageTooLarge)
            if phase == Phase::Tls =>
        {
            (
                Cause::ProtocolMismatch,
                "what answers there is not TLS: a plain port".to_owned(),
            )
        }
        Error::AlertReceived(Alert::CertificateRequired) => (
            Cause::TlsHandshakeFailure,
            "it demands a client certificate".to_owned(),
        ),
        Error::AlertReceived(Alert::UnrecognisedName) => (
            Cause::TlsHandshakeFailure,
            "it knows no site of that name (alert unrecognised_name)".to_owned(),
        ),
        Error::AlertReceived(Alert::ProtocolVersion) => (
            Cause::TlsHandshakeFailure,
            "it offers neither TLS 1.2 nor 1.3 (alert protocol_version)".to_owned(),
        ),
        Error::AlertReceived(alert) => (
            Cause::TlsHandshakeFailure,
            format!("it ended the handshake with the alert {alert:?}"),
        ),
        Error::PeerIncompatible(why) => (
            Cause::TlsHandshakeFailure,
            format!("its TLS and ours have nothing in common: {why:?}"),
        ),
        other => (
            Cause::TlsHandshakeFailure,
            format!("the handshake failed: {other}"),
        ),
    };
    failure(phase, Some(cause), detail)
}

/// Why a certificate is refused, in words.
pub(crate) fn certificate(bad: &rustls::CertificateError, sent: usize) -> String {
    use rustls::CertificateError as Bad;
    let why = match bad {
        Bad::Expired | Bad::ExpiredContext { .. } => "the certificate has expired",
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => "the certificate is not yet valid",
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            "the certificate is of another name than the URL's"
        }
        Bad::Revoked => "the certificate was revoked",
        Bad::UnknownIssuer if sent <= 1 => {
            return "the certificate is signed by nobody whom this machine trusts: of an authority of its own \
                    (--ca FILE), signed by itself, or sent without the intermediate certificate"
                .to_owned();
        }
        Bad::UnknownIssuer => {
            "the chain of certificates leads to nobody whom this machine trusts (--ca FILE takes others)"
        }
        // An authority of that name is trusted, and has another key.
        Bad::BadSignature => "the certificate's signature is not of the authority it names",
        other if is_authoritys(other) => {
            "the certificate is signed by itself and made as an authority's (--ca with this very file trusts it)"
        }
        other => return format!("the certificate is refused: {other:?}"),
    };
    why.to_owned()
}

/// Whether an authority's certificate came as the server's own, which is what openssl makes unless told otherwise. The
/// checker keeps its reason behind a type of its own crate, so it is known by its name.
pub(crate) fn is_authoritys(bad: &rustls::CertificateError) -> bool {
    matches!(bad, rustls::CertificateError::Other(why) if format!("{why:?}").contains("CaUsedAsEndEntity"))
}

/// Nothing more came in time.
pub(crate) fn late(phase: Phase, seconds: f64, answer: Option<&Answer>) -> Failure {
    let (cause, detail) = match phase {
        Phase::Connect => (
            Cause::ConnectTimeout,
            format!("the connection was not answered within {seconds} s"),
        ),
        Phase::Tls => (
            Cause::TlsHandshakeFailure,
            format!("the handshake was not done within {seconds} s"),
        ),
        Phase::Headers => (
            Cause::ReadTimeout,
            format!("the header was not whole within {seconds} s"),
        ),
        Phase::Body => (
            Cause::ReadTimeout,
            format!(
                "the body stopped after {} bytes and was not whole within {seconds} s",
                answer.map_or(0, |answer| answer.body_bytes)
            ),
        ),
        Phase::Dns | Phase::Send | Phase::FirstByte => (
            Cause::ReadTimeout,
            format!("no byte of an answer within {seconds} s"),
        ),
    };
    failure(phase, Some(cause), detail)
}

/// A gateway's own name in `Server`, and the statuses that it makes itself when nobody answers behind it.
/// Versions and suffixes may follow the name. What each writes was read in, or measured for, `facts/signs/`.
const GATEWAYS: [(&str, &[u16]); 21] = [
    ("nginx", &[502, 504]),
    ("openresty", &[502, 504]),
    ("angie", &[502, 504]),
    ("tengine", &[502, 504]),
    ("apache", &[502, 504]),
    ("caddy", &[502, 504]),
    ("haproxy", &[502, 503, 504]),
    ("envoy", &[502, 503, 504]),
    ("istio-envoy", &[502, 503, 504]),
    ("varnish", &[503]),
    ("ats", &[502, 504]),
    ("squid", &[502, 503, 504]),
    ("h2o", &[502, 504]),
    ("nghttpx", &[502, 503, 504]),
    ("lighttpd", &[503, 504]),
    ("cloudflare", &[502, 504]),
    ("cloudfront", &[502, 504]),
    ("awselb", &[502, 503, 504]),
    ("akamaighost", &[502, 503, 504]),
    ("microsoft-azure-application-gateway", &[502, 504]),
    ("google frontend", &[502, 504]),
];
/// Cloudflare's own, about the server behind it.
const CLOUDFLARE: std::ops::RangeInclusive<u16> = 520..=527;

/// What a status says. A plain page is good, whatever it says; only the statuses that count as failed in logs do here.
pub(crate) fn status(answer: &Answer, body: &[u8], role: Role) -> Option<Failure> {
    let status = answer.status;
    if status == 400 && says_plain_to_tls(body) {
        return Some(failure(
            Phase::Headers,
            Some(Cause::ProtocolMismatch),
            "it answers that plain HTTP came to a port of TLS",
        ));
    }
    let server = answer.server.as_deref().unwrap_or_default();
    let mut named = if server.is_empty() {
        String::new()
    } else {
        format!(" (Server: {server})")
    };
    if let Some(after) = &answer.retry_after {
        named.push_str(&format!(", Retry-After: {after}"));
    }
    let (cause, detail) = match status {
        429 if role == Role::Edge => (
            Some(Cause::EdgeMadeResponse),
            format!("429: it limits requests, usually on purpose{named}"),
        ),
        429 => (None, format!("429: it limits requests{named}")),
        _ if CLOUDFLARE.contains(&status)
            || is_gateway(server, status)
            || is_gateways_page(status, body) =>
        {
            (
                Some(Cause::ChainedGatewayError),
                format!(
                    "{status} of a gateway: it got no usable answer from what is behind it{named}"
                ),
            )
        }
        500..=599 => (
            Some(Cause::OriginOwnError),
            format!("{status}: an error page of its own{named}"),
        ),
        _ => return None,
    };
    Some(failure(Phase::Headers, cause, detail))
}

fn is_gateway(server: &str, status: u16) -> bool {
    let server = server.to_ascii_lowercase();
    GATEWAYS.iter().any(|(name, statuses)| {
        let rest = server.strip_prefix(name);
        let is_whole = rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
        is_whole && statuses.contains(&status)
    })
}

/// Sentences of pages that gateways make themselves, for those that send no `Server` or pass one on: HAProxy's three
/// (`src/http_htx.c`), Envoy's, and Varnish's.
const PAGES: [&str; 5] = [
    "\nNo server is available to handle this request.",
    "\nThe server returned an invalid or incomplete response.",
    "\nThe server didn't respond in time.",
    "upstream connect error or disconnect/reset before headers",
    "Backend fetch failed",
];

fn is_gateways_page(status: u16, body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body);
    matches!(status, 502..=504) && PAGES.iter().any(|words| body.contains(words))
}

/// nginx, Go and Apache answer so; others send an alert or hang up.
fn says_plain_to_tls(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body);
    [
        "plain HTTP request was sent to HTTPS port",
        "Client sent an HTTP request to an HTTPS server",
        "speaking plain HTTP to an SSL-enabled server port",
    ]
    .iter()
    .any(|words| body.contains(words))
}

pub(crate) fn failure(phase: Phase, cause: Option<Cause>, detail: impl Into<String>) -> Failure {
    Failure {
        phase,
        cause,
        detail: detail.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests often run as a user who may open everything, and no route is missing on a loopback.
    #[test]
    fn the_systems_own_words_have_causes() {
        use io::ErrorKind as Kind;
        for (kind, is_unix, cause) in [
            (Kind::PermissionDenied, true, Some(Cause::SocketPermission)),
            (Kind::PermissionDenied, false, Some(Cause::SocketPermission)),
            (Kind::HostUnreachable, false, Some(Cause::HostUnreachable)),
            (
                Kind::NetworkUnreachable,
                false,
                Some(Cause::HostUnreachable),
            ),
            (Kind::TimedOut, false, Some(Cause::ConnectTimeout)),
            (Kind::ConnectionReset, false, Some(Cause::ConnectionRefused)),
            // Our own want of files is no fault of theirs.
            (Kind::Other, false, None),
        ] {
            let failure = connect(&io::Error::from(kind), is_unix);
            assert_eq!(
                (failure.phase, failure.cause),
                (Phase::Connect, cause),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_gateway_is_known_by_its_whole_name() {
        assert!(is_gateway("nginx", 502) && is_gateway("nginx/1.22.1 (Debian)", 504));
        assert!(!is_gateway("nginxish", 502) && !is_gateway("nginx", 500) && !is_gateway("", 502));
        assert!(
            !is_gateway("nginx", 503),
            "it passes a 503 on as often as it makes one"
        );
    }
}
