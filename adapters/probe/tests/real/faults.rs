//! Every fault, told with its cause and phase, and beside it what looks like it and is well.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;

use model::Cause;
use model::probe::{KeepAlive, Note, Outcome, Phase};
use probe::Plan;
use rcgen::date_time_ymd;
use socket2::{Domain, SockAddr, Socket, Type};

use super::server::{Act, Authority, Server};
use super::{LONG, SHORT, ask, one};

/// A whole answer.
fn ok(fields: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn of(status: &str, server: &str) -> Act {
    Act::say(format!(
        "HTTP/1.1 {status}\r\nServer: {server}\r\nContent-Length: 4\r\n\r\noops"
    ))
}

/// What was told, or that all is well.
fn told(outcome: &Outcome) -> String {
    match &outcome.failure {
        None => "well".to_owned(),
        Some(failure) => format!(
            "{} in {}",
            failure.cause.map_or("no cause", Cause::name),
            failure.phase.name()
        ),
    }
}

/// Collects what was told against what should be.
#[derive(Default)]
struct Table {
    right: usize,
    wrong: Vec<String>,
}

impl Table {
    fn row(&mut self, name: &str, outcome: &Outcome, expected: &str) {
        let told = told(outcome);
        let last = outcome.steps.last().map(|(phase, _)| *phase);
        let at = outcome.failure.as_ref().map(|failure| failure.phase);
        let is_stepped = at.is_none_or(|at| last >= Some(at));
        if told == expected && is_stepped {
            self.right += 1;
        } else {
            self.wrong
                .push(format!("{name}: {told}, not {expected}; {outcome:?}"));
        }
    }

    #[track_caller]
    fn done(self, what: &str) {
        let all = self.right + self.wrong.len();
        println!("{what}: {} of {all} told rightly", self.right);
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
    }
}

#[test]
fn what_is_answered_is_told_by_its_cause() {
    let big = |bytes: usize| format!("X-Big: {}\r\n", "a".repeat(bytes));
    let chunked = |body: &str| {
        Act::say(format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
        ))
    };
    let head = |fields: &str| Act::say(format!("HTTP/1.1 200 OK\r\n{fields}\r\nok"));
    let page = |status: &str, body: &str| {
        Act::say(format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    let own = |status: &str| of(status, "gunicorn");
    let faults: Vec<(&str, Act, &str)> = vec![
        (
            "close at once",
            Act::Close,
            "closed-before-headers in first-byte",
        ),
        (
            "close after the request",
            Act::say(""),
            "closed-before-headers in first-byte",
        ),
        (
            "reset after the request",
            Act::Reset(vec![]),
            "closed-before-headers in first-byte",
        ),
        (
            "close in the header",
            Act::say("HTTP/1.1 200 OK\r\nServ"),
            "closed-before-headers in headers",
        ),
        (
            "reset in the header",
            Act::Reset(b"HTTP/1.1 200 OK\r\n".to_vec()),
            "closed-before-headers in headers",
        ),
        (
            "close in the version",
            Act::say("HTT"),
            "malformed-response in first-byte",
        ),
        ("silence", Act::Hold(vec![]), "read-timeout in first-byte"),
        (
            "silence in the header",
            Act::Hold(b"HTTP/1.1 200 OK\r\nA: b\r\n".to_vec()),
            "read-timeout in headers",
        ),
        (
            "silence in the body",
            Act::Hold(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec()),
            "read-timeout in body",
        ),
        (
            "garbage",
            Act::say("lorem ipsum dolor sit amet\r\n\r\n"),
            "malformed-response in first-byte",
        ),
        (
            "short garbage, then silence",
            Act::Hold(b"oops\n".to_vec()),
            "malformed-response in first-byte",
        ),
        (
            "an error page without header",
            Act::say("<html><h1>oops</h1></html>"),
            "malformed-response in first-byte",
        ),
        (
            "status no number",
            Act::say("HTTP/1.1 OK 200\r\n\r\n"),
            "malformed-response in headers",
        ),
        (
            "status of two digits",
            Act::say("HTTP/1.1 20 OK\r\n\r\n"),
            "malformed-response in headers",
        ),
        (
            "status of four digits",
            Act::say("HTTP/1.1 2000 OK\r\n\r\n"),
            "malformed-response in headers",
        ),
        (
            "no status",
            Act::say("HTTP/1.1\r\n\r\n"),
            "malformed-response in headers",
        ),
        (
            "no version",
            Act::say("HTTP/x.y 200 OK\r\n\r\n"),
            "malformed-response in headers",
        ),
        (
            "field without colon",
            head("oops\r\n"),
            "malformed-response in headers",
        ),
        (
            "field name with a blank",
            head("X Field: a\r\n"),
            "malformed-response in headers",
        ),
        (
            "blank before the colon",
            head("X-Field : a\r\n"),
            "malformed-response in headers",
        ),
        (
            "field without name",
            head(": a\r\n"),
            "malformed-response in headers",
        ),
        (
            "folded field",
            head("X-Field: a\r\n b\r\n"),
            "malformed-response in headers",
        ),
        (
            "NUL in a value",
            head("X-Field: a\0b\r\n"),
            "malformed-response in headers",
        ),
        (
            "two lengths",
            head("Content-Length: 2\r\nContent-Length: 3\r\n"),
            "malformed-response in headers",
        ),
        (
            "length and chunked",
            head("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"),
            "malformed-response in headers",
        ),
        (
            "length no number",
            head("Content-Length: two\r\n"),
            "malformed-response in headers",
        ),
        (
            "length negative",
            head("Content-Length: -2\r\n"),
            "malformed-response in headers",
        ),
        (
            "unknown coding",
            head("Transfer-Encoding: gzip\r\n"),
            "malformed-response in headers",
        ),
        (
            "chunk size no number",
            chunked("oops\r\n"),
            "malformed-response in body",
        ),
        (
            "chunk longer than said",
            chunked("2\r\nlong\r\n0\r\n\r\n"),
            "malformed-response in body",
        ),
        (
            "chunked without last chunk",
            chunked("2\r\nok\r\n"),
            "truncated-body in body",
        ),
        (
            "chunked cut in a chunk",
            chunked("9\r\nok"),
            "truncated-body in body",
        ),
        (
            "chunked cut in the end",
            chunked("2\r\nok\r\n0\r\n"),
            "truncated-body in body",
        ),
        (
            "body cut",
            Act::say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
            "truncated-body in body",
        ),
        (
            "body reset",
            Act::Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec()),
            "truncated-body in body",
        ),
        (
            "large header",
            Act::Say(ok(&big(9_000), "ok")),
            "header-too-large in headers",
        ),
        (
            "huge header",
            Act::Say(ok(&big(300_000), "ok")),
            "header-too-large in headers",
        ),
        (
            "500",
            own("500 Internal Server Error"),
            "origin-own-error in headers",
        ),
        (
            "502 by the application",
            own("502 Bad Gateway"),
            "origin-own-error in headers",
        ),
        (
            "503",
            own("503 Service Unavailable"),
            "origin-own-error in headers",
        ),
        (
            "504 by the application",
            own("504 Gateway Timeout"),
            "origin-own-error in headers",
        ),
        (
            "502 by nginx",
            of("502 Bad Gateway", "nginx/1.22.1"),
            "chained-gateway-error in headers",
        ),
        (
            "504 by nginx",
            of("504 Gateway Time-out", "nginx"),
            "chained-gateway-error in headers",
        ),
        (
            "502 by Apache",
            of("502 Proxy Error", "Apache/2.4.62 (Debian)"),
            "chained-gateway-error in headers",
        ),
        (
            "503 by Envoy",
            of("503 Service Unavailable", "envoy"),
            "chained-gateway-error in headers",
        ),
        (
            "503 by Varnish",
            of("503 Backend fetch failed", "Varnish"),
            "chained-gateway-error in headers",
        ),
        (
            "503 by HAProxy",
            page(
                "503 Service Unavailable",
                "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n",
            ),
            "chained-gateway-error in headers",
        ),
        (
            "522 by Cloudflare",
            of("522 Origin Connection Time-out", "cloudflare"),
            "chained-gateway-error in headers",
        ),
        ("429", own("429 Too Many Requests"), "no cause in headers"),
        (
            "TLS alert",
            Act::Raw(vec![0x15, 3, 1, 0, 2, 2, 10]),
            "protocol-mismatch in first-byte",
        ),
        (
            "HTTP/2",
            Act::Greet(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64".to_vec()),
            "protocol-mismatch in first-byte",
        ),
        (
            "SSH",
            Act::Greet(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
            "protocol-mismatch in first-byte",
        ),
        (
            "SMTP",
            Act::Greet(b"220 mail.example ESMTP\r\n".to_vec()),
            "protocol-mismatch in first-byte",
        ),
        (
            "FastCGI",
            Act::Raw(vec![1, 6, 0, 1, 0, 0, 0, 0]),
            "protocol-mismatch in first-byte",
        ),
        (
            "nginx's TLS port",
            Act::say(
                "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: 63\r\n\r\n<center>The plain HTTP request was sent to HTTPS port</center>\n",
            ),
            "protocol-mismatch in headers",
        ),
    ];
    let well: Vec<(&str, Act)> = vec![
        (
            "close after an answer",
            Act::say("HTTP/1.1 200 OK\r\n\r\nall of it"),
        ),
        ("reset after an answer", Act::Reset(ok("", "ok"))),
        ("answer held open", Act::Hold(ok("", "ok"))),
        (
            "status without words",
            Act::say("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
        ),
        ("old version", Act::say("HTTP/1.0 200 OK\r\n\r\nok")),
        (
            "line ends without CR",
            Act::say("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
        ),
        ("empty value", head("X-Field:\r\n")),
        ("value beyond ASCII", head("X-Field: a\u{e4}b\tc\r\n")),
        (
            "same length twice",
            head("Content-Length: 2\r\nContent-Length: 2\r\n"),
        ),
        ("more bytes than said", head("Content-Length: 1\r\n")),
        ("chunk with extension", chunked("2;a=b\r\nok\r\n0\r\n\r\n")),
        ("chunk with zeros", chunked("0002\r\nok\r\n000\r\n\r\n")),
        (
            "chunked with trailer",
            chunked("2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"),
        ),
        ("header of 8,000 bytes", Act::Say(ok(&big(7_900), "ok"))),
        ("404 by nginx", of("404 Not Found", "nginx")),
        ("403", own("403 Forbidden")),
        ("400 of another reason", of("400 Bad Request", "nginx")),
        (
            "early hints",
            Act::say(
                "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            ),
        ),
        (
            "continue",
            Act::say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        ),
        (
            "204 with a length",
            Act::say("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"),
        ),
        (
            "page about 502",
            Act::Say(ok("Server: nginx\r\n", "502 Bad Gateway")),
        ),
        (
            "redirect",
            Act::say(
                "HTTP/1.1 301 Moved Permanently\r\nLocation: https://localhost/\r\nContent-Length: 0\r\n\r\n",
            ),
        ),
    ];
    let mut table = Table::default();
    for (name, act, expected) in faults {
        let is_silent = matches!(act, Act::Hold(_));
        let server = Server::always(act);
        let timeout = if is_silent { SHORT } else { LONG };
        let outcome = one(&server.name, |plan| plan.timeout = timeout);
        table.row(name, &outcome, expected);
    }
    table.done("answers that fail");
    let mut table = Table::default();
    for (name, act) in well {
        let server = Server::always(act);
        table.row(name, &one(&server.name, |_| {}), "well");
    }
    table.done("look-alikes");
}

#[test]
fn what_comes_before_an_answer_is_told_by_its_cause() {
    let mut table = Table::default();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = free.local_addr().unwrap();
    drop(free);
    table.row(
        "refused",
        &one(&refused.to_string(), |_| {}),
        "connection-refused in connect",
    );
    // No packet leaves: the system refuses to connect to everybody.
    let outcome = one("255.255.255.255:80", |_| {});
    table.row("no route", &outcome, "host-unreachable in connect");
    let (full, _waiting) = full_listener();
    table.row(
        "queue full",
        &one(&full.1.to_string(), |plan| plan.timeout = SHORT),
        "connect-timeout in connect",
    );
    // No name server is asked for a label that is too long to be one.
    let name = format!("{}.invalid:80", "a".repeat(64));
    table.row("no name", &one(&name, |_| {}), "dns-failure in dns");

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let named = |name: &str| format!("unix:{}", path(name).display());
    table.row(
        "no socket",
        &one(&named("none"), |_| {}),
        "socket-missing in connect",
    );
    drop(UnixListener::bind(path("left")).unwrap());
    table.row(
        "left socket",
        &one(&named("left"), |_| {}),
        "connection-refused in connect",
    );
    std::fs::write(path("file"), "").unwrap();
    table.row(
        "a file",
        &one(&named("file"), |_| {}),
        "connection-refused in connect",
    );
    let long = format!("unix:/{}", "a".repeat(200));
    table.row(
        "path too long",
        &one(&long, |_| {}),
        "bad-upstream-address in connect",
    );
    let _busy = full_socket(&path("busy"));
    table.row(
        "socket's queue full",
        &one(&named("busy"), |_| {}),
        "upstream-busy in connect",
    );
    table.done("before the answer");

    let mut table = Table::default();
    let well = Act::Say(ok("", "ok"));
    let server = Server::always(well.clone());
    table.row("listens", &one(&server.name, |_| {}), "well");
    let port = server.address().port();
    let outcomes = ask(&[&format!("localhost:{port}")], &["/".to_owned()], |_| {});
    for outcome in &outcomes {
        let is_v4 = outcome.target.place().starts_with("127.");
        // The name may have both families, and the server listens on one.
        let expected = if is_v4 {
            "well"
        } else {
            "connection-refused in connect"
        };
        table.row("name", outcome, expected);
        assert_eq!(outcome.steps[0].0, Phase::Dns);
    }
    let server = Server::unix(&path("app.sock"), move |_| well.clone());
    table.row("socket", &one(&server.name, |_| {}), "well");
    table.done("look-alikes before the answer");
}

/// A listener whose queue is full, so that it answers no more.
fn full_listener() -> ((Socket, SocketAddr), Vec<Socket>) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let waiting = (0..8).map(|_| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        let _ = socket.connect(&address.into());
        socket
    });
    let waiting = waiting.collect();
    ((listener, address), waiting)
}

fn full_socket(path: &std::path::Path) -> Vec<Socket> {
    let address = SockAddr::unix(path).unwrap();
    let socket = || Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let listener = socket();
    listener.bind(&address).unwrap();
    listener.listen(0).unwrap();
    let mut held = vec![listener];
    loop {
        let client = socket();
        client.set_nonblocking(true).unwrap();
        let is_full = client.connect(&address).is_err();
        held.push(client);
        if is_full {
            return held;
        }
    }
}

#[test]
fn tls_is_told_apart() {
    let authority = Authority::new();
    let trusting = |plan: &mut Plan| plan.authorities = Some(authority.pem.clone().into_bytes());
    let well = Act::Say(ok("", "ok"));
    let mut table = Table::default();
    let mut row = |name: &str, server: &Server, expected: &str| {
        let address = format!("https://{}", server.address());
        let is_silent = name.contains("silent") || name.contains("waits");
        let outcome = one(&address, |plan| {
            trusting(plan);
            if is_silent {
                plan.timeout = SHORT * 4;
            }
        });
        table.row(name, &outcome, expected);
    };
    let all = rustls::ALL_VERSIONS;
    let expired = authority.config("localhost", all, |leaf| {
        leaf.not_before = date_time_ymd(2020, 1, 1);
        leaf.not_after = date_time_ymd(2021, 1, 1);
    });
    row(
        "expired",
        &Server::secure(well.clone(), &expired),
        "tls-certificate-invalid in tls",
    );
    let early = authority.config("localhost", all, |leaf| {
        leaf.not_before = date_time_ymd(4000, 1, 1);
    });
    row(
        "not yet valid",
        &Server::secure(well.clone(), &early),
        "tls-certificate-invalid in tls",
    );
    let other = authority.config("other.example", all, |_| {});
    row(
        "other name",
        &Server::secure(well.clone(), &other),
        "tls-certificate-invalid in tls",
    );
    let stranger = Authority::new().good();
    row(
        "stranger",
        &Server::secure(well.clone(), &stranger),
        "tls-certificate-invalid in tls",
    );
    let demanding = authority.demanding();
    row(
        "client certificate",
        &Server::secure(well.clone(), &demanding),
        "tls-handshake-failure in first-byte",
    );
    row(
        "alert",
        &Server::always(Act::Raw(vec![0x15, 3, 1, 0, 2, 2, 70])),
        "tls-handshake-failure in tls",
    );
    row(
        "closes",
        &Server::always(Act::Close),
        "tls-handshake-failure in tls",
    );
    row(
        "silent",
        &Server::always(Act::Hold(vec![])),
        "tls-handshake-failure in tls",
    );
    row(
        "plain, says so",
        &Server::always(Act::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())),
        "protocol-mismatch in tls",
    );
    row(
        "SSH",
        &Server::always(Act::Greet(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        "protocol-mismatch in tls",
    );
    row(
        "plain, waits for a line",
        &Server::always(well.clone()),
        "protocol-mismatch in tls",
    );
    row(
        "plain, closes on binary",
        &Server::always(Act::Picky(ok("", "ok"))),
        "protocol-mismatch in tls",
    );
    let good = authority.good();
    row("well", &Server::secure(well.clone(), &good), "well");
    row(
        "own error over TLS",
        &Server::secure(of("500 Oops", "app"), &good),
        "origin-own-error in headers",
    );
    row(
        "cut over TLS",
        &Server::secure(
            Act::say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
            &good,
        ),
        "truncated-body in body",
    );
    row(
        "closed over TLS",
        &Server::secure(Act::say(""), &good),
        "closed-before-headers in first-byte",
    );
    table.done("TLS");

    let mut table = Table::default();
    let secure = Server::secure(well.clone(), &good);
    let plain = format!("http://{}", secure.address());
    table.row(
        "plain on TLS",
        &one(&plain, trusting),
        "protocol-mismatch in first-byte",
    );
    // The certificate of another authority, where certificates of origins are not checked.
    let stranger = Server::secure(well, &stranger);
    let unchecked = one(&stranger.name, |plan| {
        trusting(plan);
        plan.checks_origins = false;
    });
    table.row("unchecked", &unchecked, "well");
    table.done("TLS and plain");
    assert!(matches!(
        unchecked.notes[..],
        [Note::CertificateUnchecked(_)]
    ));
}

#[test]
fn an_idle_connection_is_watched() {
    let closing = Server::always(Act::Say(ok("", "ok")));
    let holding = Server::always(Act::Hold(ok("", "ok")));
    let refusing = Server::always(Act::Say(ok("Connection: close\r\n", "ok")));
    let watch = |server: &Server, wait| {
        let outcome = one(&server.name, |plan| plan.keep_alive = Some(wait));
        assert_eq!(told(&outcome), "well");
        outcome.keep_alive.unwrap()
    };
    assert!(matches!(watch(&closing, LONG), KeepAlive::Closed(after) if after < LONG));
    assert_eq!(watch(&holding, SHORT), KeepAlive::StillOpen(SHORT));
    assert_eq!(watch(&refusing, LONG), KeepAlive::NotKept);
}

#[test]
fn host_and_name_come_from_the_url_and_the_probe_says_who_it_is() {
    let authority = Authority::new();
    let named = authority.config("www.example.com", rustls::ALL_VERSIONS, |_| {});
    let server = Server::secure(Act::Say(ok("", "ok")), &named);
    let outcome = one(&server.name, |plan| {
        plan.url = "https://www.example.com/".parse().unwrap();
        plan.authorities = Some(authority.pem.clone().into_bytes());
    });
    assert_eq!(told(&outcome), "well");
    let asked = server.asked.lock().unwrap().concat();
    for line in [
        "GET / HTTP/1.1\r\n",
        "\r\nHost: www.example.com\r\n",
        concat!(
            "\r\nUser-Agent: webmasterid-probe/",
            env!("CARGO_PKG_VERSION"),
            "\r\n"
        ),
        "\r\nX-Forwarded-Proto: https\r\n",
    ] {
        assert!(asked.contains(line), "{line:?}: {asked}");
    }
}

#[test]
fn a_certificate_that_signed_itself_is_good_where_it_is_named() {
    let expire = |params: &mut rcgen::CertificateParams| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    };
    let invalid = "tls-certificate-invalid in tls";
    let good = Authority::of_itself("localhost", |_| {});
    let other = Authority::of_itself("other.example", |_| {});
    let expired = Authority::of_itself("localhost", expire);
    let mut table = Table::default();
    for (name, (config, _), pem, expected) in [
        ("named", &good, &good.1, "well"),
        ("another is named", &good, &other.1, invalid),
        ("of another name", &other, &other.1, invalid),
        ("expired", &expired, &expired.1, invalid),
    ] {
        let server = Server::secure(Act::Say(ok("", "ok")), config);
        let outcome = one(&server.name, |plan| {
            plan.authorities = Some(pem.clone().into_bytes());
        });
        table.row(name, &outcome, expected);
    }
    table.done("signed by itself");
}

/// The line comes first, and only where it is wanted.
#[test]
fn an_origin_behind_the_proxy_protocol_is_told_who_asks() {
    let server = Server::always(Act::Say(ok("", "ok")));
    let asked = |wanted| {
        let outcome = one(&server.name, |plan| plan.proxy_line = wanted);
        assert_eq!(told(&outcome), "well");
        server.asked.lock().unwrap().pop().unwrap()
    };
    assert!(asked(false).starts_with("GET / HTTP/1.1\r\n"));
    let with = asked(true);
    let port = server.address().port();
    let (line, rest) = with.split_once("\r\n").unwrap();
    assert!(
        line.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "),
        "{line}"
    );
    assert!(line.ends_with(&format!(" {port}")), "{line}");
    assert!(rest.starts_with("GET / HTTP/1.1\r\n"));
}

#[test]
fn a_body_without_end_is_left() {
    let body = "a".repeat(5_000);
    let server = Server::always(Act::Hold(
        format!("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{body}").into_bytes(),
    ));
    let outcome = one(&server.name, |plan| plan.body_max = 1_000);
    assert_eq!(told(&outcome), "well");
    assert_eq!(outcome.notes, [Note::BodyNotReadToEnd]);
}

#[test]
fn the_gateways_buffer_decides_what_is_too_large() {
    let server = Server::always(Act::Say(ok(&format!("X: {}\r\n", "a".repeat(5_000)), "ok")));
    let with = |buffer| one(&server.name, |plan| plan.header_buffer = buffer);
    let usual = with(None);
    assert_eq!(told(&usual), "well");
    assert!(matches!(usual.notes[..], [Note::HeaderAboveSmallBuffer(bytes)] if bytes > 5_000));
    assert_eq!(told(&with(Some(4_096))), "header-too-large in headers");
    let large = with(Some(16_384));
    assert_eq!((told(&large).as_str(), large.notes.len()), ("well", 0));
}

#[test]
fn a_name_that_leads_elsewhere_than_the_given_address() {
    let here = Server::always(Act::Say(ok("", "ok")));
    let port = here.address().port();
    let origin = format!("localhost:{port}=127.0.0.2");
    let outcomes = ask(&[&origin], &["/".to_owned()], |_| {});
    let given = outcomes.iter().find(|outcome| outcome.target.elsewhere);
    assert_eq!(told(given.unwrap()), "connection-refused in connect");
    let same = format!("localhost:{port}=127.0.0.1");
    let outcomes = ask(&[&same], &["/".to_owned()], |_| {});
    assert!(outcomes.iter().all(|outcome| !outcome.target.elsewhere));
}

/// Writing to a server that has already closed breaks; what it said before is still read.
#[test]
fn an_answer_before_the_request_is_read() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _): (TcpStream, _) = listener.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
    });
    let outcome = one(&address.to_string(), |_| {});
    thread.join().unwrap();
    // A reset may overtake what was said, as it may at a gateway.
    let told = told(&outcome);
    assert!(
        [
            "origin-own-error in headers",
            "closed-before-headers in first-byte"
        ]
        .contains(&told.as_str()),
        "{told}"
    );
}
