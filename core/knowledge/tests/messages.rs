//! The error-log signs against lines as nginx and httpd write them, on systems whose C libraries word errors differently.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use knowledge::{SignRule, signs};
use model::{Cause, Edge, LogKind};

#[test]
fn nginx_lines_name_the_cause() {
    for (message, scheme, cause) in [
        (
            "connect() failed (111: Connection refused) while connecting to upstream",
            "http",
            Cause::ConnectionRefused,
        ),
        (
            "kevent() reported that connect() failed (61: Connection refused) while connecting to upstream",
            "http",
            Cause::ConnectionRefused,
        ),
        (
            "connect() failed (10061: No connection could be made because the target machine actively refused it) while connecting to upstream",
            "http",
            Cause::ConnectionRefused,
        ),
        (
            "connect() to unix:/run/app.sock failed (2: No such file or directory) while connecting to upstream",
            "http",
            Cause::SocketMissing,
        ),
        (
            "connect() to unix:/run/app.sock failed (13: Permission denied) while connecting to upstream",
            "http",
            Cause::SocketPermission,
        ),
        (
            "connect() to unix:/run/app.sock failed (11: Resource temporarily unavailable) while connecting to upstream",
            "http",
            Cause::UpstreamBusy,
        ),
        (
            "connect() failed (113: No route to host) while connecting to upstream",
            "http",
            Cause::HostUnreachable,
        ),
        (
            "connect() failed (113: Host is unreachable) while connecting to upstream",
            "http",
            Cause::HostUnreachable,
        ),
        (
            "upstream timed out (110: Connection timed out) while connecting to upstream",
            "http",
            Cause::ConnectTimeout,
        ),
        (
            "upstream timed out (110: Operation timed out) while connecting to upstream",
            "http",
            Cause::ConnectTimeout,
        ),
        (
            "upstream timed out (110: Connection timed out) while reading response header from upstream",
            "http",
            Cause::ReadTimeout,
        ),
        (
            "upstream timed out (110: Operation timed out) while reading response header from upstream",
            "http",
            Cause::ReadTimeout,
        ),
        (
            "upstream timed out (60: Operation timed out) while reading response header from upstream",
            "http",
            Cause::ReadTimeout,
        ),
        (
            "upstream timed out (110: Operation timed out) while reading response header from upstream",
            "fastcgi",
            Cause::ReadTimeout,
        ),
        (
            "upstream prematurely closed connection while reading response header from upstream",
            "http",
            Cause::ClosedBeforeHeaders,
        ),
        (
            "recv() failed (104: Connection reset by peer) while reading response header from upstream",
            "http",
            Cause::ClosedBeforeHeaders,
        ),
        (
            "readv() failed (104: Connection reset by peer) while reading upstream",
            "http",
            Cause::TruncatedBody,
        ),
        (
            "upstream prematurely closed connection while reading upstream",
            "http",
            Cause::TruncatedBody,
        ),
        (
            "upstream sent too big header while reading response header from upstream",
            "http",
            Cause::HeaderTooLarge,
        ),
        (
            "upstream sent no valid HTTP/1.0 header while reading response header from upstream",
            "http",
            Cause::ProtocolMismatch,
        ),
        (
            "no live upstreams while connecting to upstream",
            "http",
            Cause::NoLiveUpstream,
        ),
        (
            "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream",
            "https",
            Cause::ProtocolMismatch,
        ),
        (
            "SSL_do_handshake() failed (SSL: error:1408F10B:SSL routines:ssl3_get_record:wrong version number) while SSL handshaking to upstream",
            "https",
            Cause::ProtocolMismatch,
        ),
        (
            "SSL_do_handshake() failed (SSL: error:0A000410:SSL routines::ssl/tls alert handshake failure:SSL alert number 40) while SSL handshaking to upstream",
            "https",
            Cause::TlsHandshakeFailure,
        ),
        (
            "upstream SSL certificate verify error: (10:certificate has expired) while SSL handshaking to upstream",
            "https",
            Cause::TlsCertificateInvalid,
        ),
        (
            "app.example.com could not be resolved (3: Host not found)",
            "http",
            Cause::DnsFailure,
        ),
        (
            "limiting requests, excess: 5.120 by zone \"crawlers\"",
            "http",
            Cause::EdgeMadeResponse,
        ),
        (
            "client prematurely closed connection, so upstream connection is closed too while connecting to upstream",
            "http",
            Cause::ClientAbort,
        ),
    ] {
        let line = format!(
            "2026/11/22 07:25:33 [error] 123#123: *7 {message}, client: 192.0.2.10, server: www.example.com, \
             request: \"GET / HTTP/1.1\", upstream: \"{scheme}://198.51.100.7:8080/\", host: \"www.example.com\""
        );
        says(Edge::Nginx, &line, cause);
    }
}

#[test]
fn httpd_lines_name_the_cause() {
    for (message, cause) in [
        (
            "(111)Connection refused: AH00957: http: attempt to connect to 198.51.100.7:8080 (198.51.100.7:8080) failed",
            Cause::ConnectionRefused,
        ),
        (
            "(70007)The timeout specified has expired: AH00957: HTTP: attempt to connect to 198.51.100.7:8080 (*) failed",
            Cause::ConnectTimeout,
        ),
        (
            "(113)Host is unreachable: AH00957: http: attempt to connect to 198.51.100.7:8080 (*) failed",
            Cause::HostUnreachable,
        ),
        (
            "(2)No such file or directory: AH02454: HTTP: attempt to connect to Unix domain socket /run/app.sock (*) failed",
            Cause::SocketMissing,
        ),
        (
            "(70007)The timeout specified has expired: [client 192.0.2.10:41000] AH01102: error reading status line from remote server 198.51.100.7:8080",
            Cause::ReadTimeout,
        ),
        (
            "(70008)Partial results are valid but processing is incomplete: [client 192.0.2.10:41000] AH01110: error reading response",
            Cause::TruncatedBody,
        ),
        (
            "[client 192.0.2.10:41000] AH00898: DNS lookup failure for: app.example.com returned by /",
            Cause::DnsFailure,
        ),
        (
            "AH00484: server reached MaxRequestWorkers setting, consider raising the MaxRequestWorkers setting",
            Cause::EdgeCapacityExhausted,
        ),
    ] {
        let line =
            format!("[Sun Nov 22 07:27:37.875588 2026] [proxy:error] [pid 9:tid 12] {message}");
        says(Edge::Apache, &line, cause);
    }
}

#[test]
fn other_lines_say_nothing() {
    for line in [
        "2026/11/22 07:25:33 [notice] 1#1: start worker processes",
        "2026/11/22 07:25:33 [error] 9#9: *1 open() \"/srv/www/favicon.ico\" failed (2: No such file or directory), client: 192.0.2.10",
        "2026/11/22 07:25:33 [warn] 9#9: *1 a client request body is buffered to a temporary file /var/lib/nginx/body/01",
        "",
    ] {
        assert!(matching(Edge::Nginx, line).is_empty(), "{line}");
    }
}

fn says(edge: Edge, line: &str, cause: Cause) {
    let holding = matching(edge, line);
    let rank = |rule: &SignRule| (rule.confidence, rule.all.len());
    let best = holding.iter().max_by_key(|rule| rank(rule));
    assert_eq!(best.map(|rule| rule.cause), Some(cause), "{line}");
}

fn matching(edge: Edge, line: &str) -> Vec<&'static SignRule> {
    let has = |text: &&str| line.contains(text);
    signs()
        .iter()
        .filter(|rule| rule.edge == edge && rule.log == LogKind::Error)
        .filter(|rule| rule.all.iter().all(has) && !rule.none.iter().any(has))
        .collect()
}
