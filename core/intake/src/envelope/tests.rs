//! Every envelope that we know, around lines of the same program.

use model::{Edge, Stamp};

use super::*;
use crate::format::parse_time;

/// As an edge writes them: the envelope must give back exactly these.
const INNER: [&str; 4] = [
    r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "GET /a?b=\x22c HTTP/1.1" 502 157 "-" "x \"y\" z""#,
    r#"{"time":"2026-11-22T07:25:33Z","status":502,"request":"GET / HTTP/1.1","agent":"a \"b\" \\ c"}"#,
    r#"[2026-11-22T07:25:33.001Z] "GET / HTTP/2" 503 UF 0 91 0 - "-" "x" "-" "shop.example" "-""#,
    r#"192.0.2.7:5000 [22/Nov/2026:07:25:33.101] fe be/s1 0/0/-1/-1/3001 503 217 - - SC-- 1/1/0/0/3 0/0 "GET / HTTP/1.1""#,
];

/// Opens as scan does: text, then JSON.
fn opened(line: &str, check: impl FnOnce(&Opened<'_>)) {
    let mut envelopes = Envelopes::default();
    let text = open(line.as_bytes());
    match envelopes.open_record(&text) {
        Some(record) => check(&record),
        None => check(&text),
    }
}

fn json_string(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

const HAPROXY: Program = Program::Edge(Edge::Haproxy);
const NGINX: Program = Program::Edge(Edge::Nginx);

#[test]
fn text_around_a_line() {
    for (frame, program) in [
        ("@", Program::Unnamed),
        // RFC 3164, as sockets carry it and as files hold it.
        ("<134>Nov 22 07:25:33 lb1 haproxy[123]: @", HAPROXY),
        ("<134>Nov 22 07:25:33 haproxy[123]: @", HAPROXY),
        ("<190>Nov  2 07:25:33 web1 nginx: @", NGINX),
        ("Nov 22 07:25:33 lb1 haproxy[123]: @", HAPROXY),
        ("Nov 22 07:25:33.123456 lb1 haproxy[123]: @", HAPROXY),
        ("Nov 22 2026 07:25:33 lb1 haproxy[123]: @", HAPROXY),
        ("Nov 22 07:25:33 10.0.0.5 haproxy[123]: @", HAPROXY),
        ("Nov 22 07:25:33 2001:db8::5 haproxy[123]: @", HAPROXY),
        (
            "Nov 22 07:25:33 web1 docker/shop-nginx-1/a1b2c3d4e5f6[99]: @",
            NGINX,
        ),
        ("Nov 22 07:25:33 web1 a1b2c3d4e5f6[99]: @", Program::Other),
        // HAProxy's formats `short`, `priority`, `timed` and `iso`, and its log with the header cut off.
        ("<134>@", Program::Unnamed),
        ("<134>2026-11-22T07:25:33.123456+00:00 @", Program::Unnamed),
        ("<134>haproxy[123]: @", HAPROXY),
        ("2026-11-22T07:25:33.123456+00:00 @", Program::Unnamed),
        ("haproxy[123]: @", HAPROXY),
        // rsyslog's file format, systemd's and journalctl's outputs.
        (
            "2026-11-22T07:25:33.123456+00:00 lb1 haproxy[123]: @",
            HAPROXY,
        ),
        ("2026-11-22T07:25:33+00:00 lb1 nginx: @", NGINX),
        (
            "<134>2026-11-22T07:25:33.123456+00:00 lb1 haproxy[123]: @",
            HAPROXY,
        ),
        ("2026-11-22T07:25:33+0000 lb1 haproxy[123]: @", HAPROXY),
        ("Sun 2026-11-22 07:25:33 UTC lb1 haproxy[123]: @", HAPROXY),
        ("1795332333.123456 lb1 haproxy[123]: @", HAPROXY),
        // RFC 5424, its structured data, its byte order mark; counted as RFC 6587 sends it.
        (
            "<134>1 2026-11-22T07:25:33.1Z lb1 haproxy 123 - - @",
            HAPROXY,
        ),
        ("<134>1 - - haproxy - - - @", HAPROXY),
        ("1 2026-11-22T07:25:33.1Z lb1 haproxy 123 - - @", HAPROXY),
        (
            r#"<134>1 2026-11-22T07:25:33Z lb1 haproxy 123 ID47 [a@32473 k="v]\"\\" x="y"][b] @"#,
            HAPROXY,
        ),
        (
            "<134>1 2026-11-22T07:25:33Z lb1 haproxy 123 - - \u{feff}@",
            HAPROXY,
        ),
        (
            "312 <134>1 2026-11-22T07:25:33Z lb1 haproxy 123 - - @",
            HAPROXY,
        ),
        // Relays put their header before the one that came.
        (
            "Nov 22 07:25:34 relay Nov 22 07:25:33 lb1 haproxy[123]: @",
            HAPROXY,
        ),
        (
            "<13>Nov 22 07:25:35 relay <134>1 2026-11-22T07:25:33Z lb1 haproxy 1 - - @",
            HAPROXY,
        ),
        (
            "2026-11-22T07:25:34+00:00 relay 2026-11-22T07:25:33+00:00 lb1 haproxy[1]: @",
            HAPROXY,
        ),
        // Containers.
        (
            "2026-11-22T07:25:33.123456789Z stdout F @",
            Program::Unnamed,
        ),
        (
            "2026-11-22T08:25:33.123456789+01:00 stderr F @",
            Program::Unnamed,
        ),
        ("2026-11-22T07:25:33.123456789Z @", Program::Unnamed),
        (
            r#"2026-11-22T07:25:33Z {app="nginx", path="/a}\""} @"#,
            NGINX,
        ),
        ("shop-nginx-1  | @", NGINX),
        ("nginx_1    | @", NGINX),
        ("nginx | @", NGINX),
        ("1st-nginx-1  | @", NGINX),
        ("shop_lb.1.x3kd8@node1    | @", Program::Other),
        ("nginx-1  | 2026-11-22T07:25:33.123456789Z @", NGINX),
        (
            "2026-11-22T07:25:33.123456789Z lb_haproxy.1.x3kd8@node1    | @",
            HAPROXY,
        ),
        ("\u{1b}[36mnginx-1  | \u{1b}[0m@", NGINX),
        ("\u{1b}[36mnginx-1  |\u{1b}[0m @", NGINX),
        ("[pod/ingress-nginx-controller-7d4/controller] @", NGINX),
        (
            "[pod/web-7d4/istio-proxy] 2026-11-22T07:25:33.123456789Z @",
            Program::Edge(Edge::Envoy),
        ),
        ("web-7d4f-x2k istio-proxy @", Program::Edge(Edge::Envoy)),
    ] {
        for inner in INNER {
            // The identifier of structured data holds the sign that marks the place.
            let (head, mark) = frame.rsplit_once('@').unwrap();
            let line = format!("{head}{inner}{mark}");
            opened(&line, |opened| {
                assert_eq!(std::str::from_utf8(opened.line), Ok(inner), "{frame}");
                assert_eq!(opened.around.program, program, "{frame}");
                assert!(!opened.around.partial, "{frame}");
            });
        }
    }
}

#[test]
fn json_around_a_line() {
    for (frame, program) in [
        (
            r#"{"log":@n,"stream":"stdout","time":"2026-11-22T07:25:33.1Z"}"#,
            Program::Unnamed,
        ),
        (
            r#"{"log":@n,"stream":"stdout","attrs":{"tag":"shop-nginx-1/a1b2"},"time":"2026-11-22T07:25:33.1Z"}"#,
            NGINX,
        ),
        (
            r#"{ "__CURSOR" : "s=1", "MESSAGE" : @, "_COMM" : "haproxy", "SYSLOG_IDENTIFIER" : "lb", "__REALTIME_TIMESTAMP" : "1795332333123456", "_SELINUX_CONTEXT" : [117, 10] }"#,
            HAPROXY,
        ),
        (
            r#"{"date":1795332333.123456,"log":@,"kubernetes":{"container_name":"haproxy","labels":{"app":"lb"}}}"#,
            HAPROXY,
        ),
        (
            r#"{"time":"2026-11-22T07:25:33.1+00:00","stream":"stdout","logtag":"F","message":@}"#,
            Program::Unnamed,
        ),
        (
            r#"{"container_id":"a1","container_name":"/shop-nginx-1","source":"stdout","log":@}"#,
            NGINX,
        ),
        (
            r#"{"host":"lb1","ident":"haproxy","pid":"123","message":@}"#,
            HAPROXY,
        ),
        (
            r#"{"appname":"haproxy","facility":"local0","hostname":"lb1","message":@,"procid":123,"severity":"info","source_type":"syslog","timestamp":"2026-11-22T07:25:33Z"}"#,
            HAPROXY,
        ),
        (
            r#"{"file":"/var/log/nginx/access.log","host":"web1","message":@,"source_type":"file","timestamp":"2026-11-22T07:25:33.1Z"}"#,
            NGINX,
        ),
        (
            r#"{"@timestamp":"2026-11-22T07:25:33.101Z","@metadata":{"beat":"filebeat","type":"_doc"},"message":@,"log":{"offset":0,"file":{"path":"/var/log/haproxy.log"}},"input":{"type":"filestream"},"ecs":{"version":"8.0.0"}}"#,
            HAPROXY,
        ),
        (
            r#"{"@timestamp":"2026-11-22T07:25:33Z","message":@,"kubernetes":{"container":{"name":"nginx"},"pod":{"name":"web-1"}}}"#,
            NGINX,
        ),
        (
            r#"{"labels":{"container":"haproxy","namespace":"edge"},"line":@,"timestamp":"2026-11-22T07:25:33.1Z"}"#,
            HAPROXY,
        ),
        (
            r#"{"message":@,"nodeName":"n1","namespace":"edge","podName":"web-7d4","containerName":"istio-proxy"}"#,
            Program::Edge(Edge::Envoy),
        ),
        (
            r#"{"insertId":"1","resource":{"type":"k8s_container","labels":{"container_name":"nginx"}},"textPayload":@,"timestamp":"2026-11-22T07:25:33.1Z"}"#,
            NGINX,
        ),
        (
            r#"{"version":"1.1","host":"web1","short_message":@,"timestamp":1795332333.1,"_container_name":"nginx"}"#,
            NGINX,
        ),
        (r#"{"event":@,"time":1795332333}"#, Program::Unnamed),
    ] {
        for inner in INNER {
            let line = frame
                .replace("@n", &json_string(&format!("{inner}\n")))
                .replace("\":@", &format!("\":{}", json_string(inner)))
                .replace(": @,", &format!(": {},", json_string(inner)));
            opened(&line, |opened| {
                assert_eq!(std::str::from_utf8(opened.line), Ok(inner), "{frame}");
                assert_eq!(opened.around.program, program, "{frame}");
                assert!(!opened.around.partial, "{frame}");
            });
        }
    }
}

#[test]
fn bytes_and_objects_as_message() {
    opened(
        r#"{"SYSLOG_IDENTIFIER":"nginx","MESSAGE":[71, 69,84,32,195,40]}"#,
        |opened| {
            assert_eq!(opened.line, b"GET \xc3(");
            assert_eq!(opened.around.program, NGINX);
        },
    );
    let inner = r#"{"status":502,"a":{"b":[1,"}"]}}"#;
    opened(
        &format!(r#"{{"jsonPayload":{inner},"timestamp":"2026-11-22T07:25:33Z"}}"#),
        |opened| {
            assert_eq!(opened.line, inner.as_bytes());
        },
    );
}

#[test]
fn envelopes_within_envelopes() {
    let inner = INNER[0];
    let syslog = format!("<134>Nov 22 07:25:33 lb1 haproxy[1]: {inner}");
    let docker = format!(
        r#"{{"log":{},"stream":"stdout","time":"2026-11-22T07:25:34Z"}}"#,
        json_string(&format!("{syslog}\n"))
    );
    let fluent = format!(r#"{{"date":1795332335.0,"log":{}}}"#, json_string(&docker));
    let cri = format!("2026-11-22T07:25:36.123456789Z stdout F {fluent}");
    opened(&cri, |opened| {
        assert_eq!(opened.line, inner.as_bytes());
        assert_eq!(opened.around.program, HAPROXY);
        assert_eq!(opened.around.depth, 4);
        // The syslog stamp has neither year nor zone; Docker's is the nearest that has both.
        let docker = parse_time(b"2026-11-22T07:25:34Z").unwrap();
        assert_eq!(opened.around.written, Written::At(docker));
    });
    let mut deep = inner.to_owned();
    for _ in 0..40 {
        deep = format!("<134>{deep}");
    }
    assert_eq!(open(deep.as_bytes()).around.depth, DEPTH_MAX);
}

#[test]
fn the_time_of_a_line_without_one() {
    let newest = Some(Stamp(parse_time(b"2026-12-01T00:00:00Z").unwrap().0));
    for (line, moment) in [
        (
            "<134>Nov 22 07:25:33 lb1 haproxy[1]: x",
            "2026-11-22T07:25:33",
        ),
        (
            "Nov 22 2025 07:25:33 lb1 haproxy[1]: x",
            "2025-11-22T07:25:33",
        ),
        (
            "Nov 22 07:25:33.250000 lb1 haproxy[1]: x",
            "2026-11-22T07:25:33.250",
        ),
        (
            "<134>1 2026-11-22T07:25:33.5+01:00 lb1 haproxy - - - x",
            "2026-11-22T07:25:33.5+01:00",
        ),
        (
            "2026-11-22T07:25:33.5+01:00 stdout F x",
            "2026-11-22T07:25:33.5+01:00",
        ),
        (
            "Sun 2026-11-22 07:25:33 CET lb1 haproxy[1]: x",
            "2026-11-22T07:25:33",
        ),
        (
            "Sun 2026-11-22 07:25:33 UTC lb1 haproxy[1]: x",
            "2026-11-22T07:25:33Z",
        ),
        (
            r#"{"MESSAGE":"x","__REALTIME_TIMESTAMP":"1795332333500000"}"#,
            "1795332333500",
        ),
        (
            r#"{"log":"x\n","stream":"stdout","time":"2026-11-22T07:25:33.5Z"}"#,
            "2026-11-22T07:25:33.5Z",
        ),
        (
            r#"{"@timestamp":"2026-11-22T09:00:00Z","time":"2026-11-22T07:25:33Z","message":"x"}"#,
            "2026-11-22T07:25:33Z",
        ),
    ] {
        opened(line, |opened| {
            assert_eq!(opened.line, b"x", "{line}");
            assert_eq!(
                opened.around.written.moment(newest),
                parse_time(moment.as_bytes()),
                "{line}"
            );
        });
    }
    assert_eq!(Around::NOTHING.written.moment(newest), None);
}

#[test]
fn a_header_of_ours_says_the_same() {
    let newest = Some(Stamp(parse_time(b"2026-12-01T00:00:00Z").unwrap().0));
    for line in [
        "x",
        "<134>Nov 22 07:25:33 lb1 haproxy[1]: x",
        "<134>1 2026-02-28T23:59:59.5-04:30 lb1 sshd - - - x",
        "2028-02-29T07:25:33.123456789Z stdout F x",
        "nginx-1  | x",
        "app-1  | x",
        r#"{"log":"x\n","stream":"stdout","time":"2026-11-22T07:25:33.5Z"}"#,
    ] {
        opened(line, |first| {
            let mut text = Vec::new();
            first.around.write_header(newest, &mut text);
            text.extend_from_slice(first.line);
            let second = open(&text);
            assert_eq!(second.line, b"x", "{line}");
            assert_eq!(second.around.program, first.around.program, "{line}");
            let moment = first.around.written.moment(newest);
            assert_eq!(second.around.written.moment(newest), moment, "{line}");
        });
    }
}

#[test]
fn parts_of_longer_lines_are_known() {
    for line in [
        "2026-11-22T07:25:33.123456789Z stdout P x",
        r#"{"log":"x","stream":"stdout","time":"2026-11-22T07:25:33Z"}"#,
        r#"{"stream":"stdout","logtag":"P","message":"x"}"#,
        r#"{"log":"x","partial_message":"true","container_name":"/a"}"#,
    ] {
        opened(line, |opened| {
            assert_eq!(opened.line, b"x", "{line}");
            assert!(opened.around.partial, "{line}");
        });
    }
}

#[test]
fn what_stands_between_records_is_no_line_of_an_edge() {
    for line in [
        "-- Boot 5f3a0c --",
        "-- Journal begins at Sun 2026-11-01 00:00:00 UTC. --",
        "==> /var/log/nginx/access.log <==",
        "#Version: 1.0",
        "#Fields: date time x-edge-location sc-bytes c-ip",
    ] {
        let opened = open(line.as_bytes());
        assert_eq!(opened.around.program, Program::Other, "{line}");
    }
}

#[test]
fn an_edges_own_line_is_left_as_it_is() {
    for line in INNER.into_iter().chain([
        "",
        "-",
        "- - - [22/Nov/2026:07:25:33 +0000] \"GET / HTTP/1.1\" 200 1",
        "www.example.com 192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] \"GET / HTTP/1.1\" 200 1",
        "2001:db8::1 - - [22/Nov/2026:07:25:33 +0000] \"GET / HTTP/1.1\" 200 1",
        "1 2 3",
        "unix: - - [22/Nov/2026:07:25:33 +0000] \"GET / HTTP/1.1\" 200 1",
        // nginx, httpd, HAProxy, Squid, lighttpd, nghttpx, Traefik, H2O, LiteSpeed, Traffic Server on their own.
        "2026/11/22 07:25:33 [error] 1#1: *7 connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.7, server: a",
        "[Sun Nov 22 07:25:33.000000 2026] [proxy:error] [pid 1:tid 2] (111)Connection refused: AH00957: http: attempt to connect to 127.0.0.1:80 failed",
        "[NOTICE]   (1) : New worker (8) forked",
        "1795332333.123     12 192.0.2.7 TCP_MISS/502 3900 GET http://a.example/ - FIRSTUP_PARENT/10.0.0.1 text/html",
        "2026/11/22 07:25:33 kid1| TCP connection to 10.0.0.1/80 failed",
        "2026-11-22 07:25:33: (gw_backend.c.287) establishing connection failed: Connection refused",
        "2026-11-22T07:25:33.123+00:00 12 12 5f3a ERROR (shrpx_log.cc:1) x",
        "2026-11-22T07:25:33Z ERR Error: dial tcp 10.0.0.1:80: connect: connection refused",
        "2026-11-22T07:25:33Z DBG github.com/traefik/traefik/v3/pkg/proxy/httputil/proxy.go:100 > 502 Bad Gateway error=\"EOF\"",
        "[lib/core/proxy.c] in request:/:connection failed",
        "2026-11-22 07:25:33.774649 [NOTICE] [1226033] x",
        "[Nov 22 07:25:33.123] [ET_NET 0] ERROR: x",
        "*   << BeReq    >> 3",
        // Balancers of AWS.
        "2026-11-22T07:25:33.943958Z my-loadbalancer 192.0.2.7:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 \"GET http://www.example.com:80/ HTTP/1.1\" \"curl/8\" - -",
        "http 2026-11-22T07:25:33.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.7:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 \"GET http://www.example.com:80/ HTTP/1.1\" \"curl/8\" - - arn \"Root\"",
        // Journald's text without a message and JSON that holds no line.
        "Nov 22",
        "{}",
        r#"{"level":"info","msg":"serving initial configuration","ts":1795332333.1}"#,
        r#"{"message":7}"#,
        r#"{"MESSAGE":null}"#,
        r#"{"message":"cut"#,
        r#"{"message":"x"} y"#,
        r#"{"MESSAGE":[71,1000]}"#,
    ]) {
        opened(line, |opened| {
            assert_eq!(std::str::from_utf8(opened.line), Ok(line));
            assert_eq!(opened.around, Around::NOTHING, "{line}");
        });
    }
}
