//! What strangers write, as the fuzz targets feed it. Each function takes any bytes and must neither panic nor hang.

use std::sync::OnceLock;

use model::{Edge, Field, LogKind, SourceId, Stamp};

use crate::envelope::{self, Envelopes};
use crate::format::{Formats, Layout, Reason};
use crate::held::Held;
use crate::ranges::Ranges;
use crate::scan::{Chunk, Intake, Settings, Take};
use crate::secret::Secret;
use crate::visit::{Spans, Visit};
use crate::{Filter, Settler, error_log};

/// Built once: making it ready takes longer than thousands of lines.
static INTAKE: OnceLock<Intake> = OnceLock::new();

/// An error log in the wake of which access lines are held. The clients and requests are those of the seeds.
const ERRORS: &[u8] = b"2026/11/22 07:25:33 [error] 1#1: *7 connect() failed (111: Connection refused) while \
connecting to upstream, client: 192.0.2.7, server: shop.example, request: \"GET / HTTP/1.1\", upstream: \
\"http://127.0.0.1:8080/\", host: \"shop.example\"
[Sun Nov 22 07:25:33.000000 2026] [proxy_http:error] [pid 1:tid 2] (104)Connection reset by peer: [client \
192.0.2.7:5000] AH01102: error reading status line from remote server 127.0.0.1:8080
";

/// Lines of an access log, of any layout.
pub fn access_line(bytes: &[u8]) {
    let errors = scan(LogKind::Error, ERRORS, &Filter::default());
    for filter in [Filter::default(), Filter::of(&errors)] {
        let mut held = scan(LogKind::Access, bytes, &filter);
        held.absorb(errors.clone());
        settle(held);
    }
}

/// Lines of an error log.
pub fn error_line(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        let entry = error_log::parse(line);
        if let Some(upstream) = entry.and_then(|entry| entry.upstream) {
            let _ = error_log::upstream_address(upstream);
        }
    }
    settle(scan(LogKind::Error, bytes, &Filter::default()));
}

/// A format string, then NUL or the end of a line, then lines of it.
pub fn log_format(bytes: &[u8]) {
    let end = memchr::memchr2(0, b'\n', bytes).unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at(end);
    let lines = rest.get(1..).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    for compile in [Layout::parse_string, Layout::nginx, Layout::apache] {
        let Ok((layout, _)) = compile("format", text) else {
            continue;
        };
        let formats = Formats::new(vec![layout]);
        let (mut scratch, mut spans) = (Vec::new(), Spans::new());
        for line in lines.split(|byte| *byte == b'\n') {
            if let Ok(format) = formats.recognise(line, &mut scratch, &mut spans) {
                let _ = formats.name(format);
                let _ = Visit::new(line, &scratch, &spans).get(Field::Request);
            }
        }
    }
}

/// Lines with what stands around them, of any program.
pub fn envelope(bytes: &[u8]) {
    let mut envelopes = Envelopes::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        let opened = envelope::open(line);
        let _ = opened.around.written.moment(Some(Stamp(0)));
        let text = opened.line.len();
        if let Some(within) = envelopes.open_record(&opened) {
            let _ = within.around.written.moment(None);
            assert!(
                within.line.len() < text,
                "JSON is longer than the line in it"
            );
        }
    }
    access_line(bytes);
}

/// HAProxy's lines and format strings.
pub fn haproxy(bytes: &[u8]) {
    family(&[Edge::Haproxy], bytes);
}

/// Envoy's.
pub fn envoy(bytes: &[u8]) {
    family(&[Edge::Envoy], bytes);
}

/// Those of the proxies written in Go: Caddy and Traefik.
pub fn go(bytes: &[u8]) {
    family(&[Edge::Caddy, Edge::Traefik], bytes);
}

/// Those of the caches that speak Squid's codes.
pub fn squid(bytes: &[u8]) {
    family(&[Edge::Squid, Edge::TrafficServer], bytes);
}

/// Varnish's, client and backend.
pub fn varnish(bytes: &[u8]) {
    family(&[Edge::Varnish], bytes);
}

/// lighttpd's, nghttpx's, H2O's and LiteSpeed's.
pub fn light(bytes: &[u8]) {
    let edges = [
        Edge::Lighttpd,
        Edge::Nghttpx,
        Edge::H2o,
        Edge::OpenLiteSpeed,
        Edge::Pingora,
    ];
    family(&edges, bytes);
}

/// JSON, valid or not, of any product.
pub fn json(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        let object = [b"{", line, b"}"].concat();
        let quoted = [b"{\"log\":\"", line, b"\"}"].concat();
        for line in [line, &object, &quoted] {
            access_line(line);
            error_line(line);
        }
    }
}

/// Lines in an order of the user's own, whatever other layout they may also have.
pub fn free(bytes: &[u8]) {
    let formats = shared().formats();
    let mut spans = Spans::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let _ = formats.free(line, Reason::UnknownLayout, &mut spans);
    }
    access_line(bytes);
}

/// A line that is tried as a format string of `edges`, then lines of them, of either kind of log.
fn family(edges: &[Edge], bytes: &[u8]) {
    let end = memchr::memchr2(0, b'\n', bytes).unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at(end);
    let lines = rest.get(1..).unwrap_or_default();
    for edge in edges {
        let layout = std::str::from_utf8(text)
            .ok()
            .and_then(|text| Layout::of_edge("format", *edge, text).ok());
        if let Some((layout, _)) = layout {
            let formats = Formats::new(vec![layout]);
            let (mut scratch, mut spans) = (Vec::new(), Spans::new());
            for line in lines.split(|byte| *byte == b'\n') {
                let _ = formats.recognise(line, &mut scratch, &mut spans);
            }
        }
        for kind in [LogKind::Access, LogKind::Error] {
            let chunk = Chunk {
                edge: *edge,
                ..chunk(kind, bytes)
            };
            settle(shared().scan(chunk, &Filter::default(), &mut |_| ()).held);
        }
    }
}

fn shared() -> &'static Intake {
    INTAKE.get_or_init(|| {
        Intake::new(
            Settings::default(),
            Secret::new([7; 16]),
            Ranges::default(),
            Formats::new(Vec::new()),
        )
    })
}

fn scan(kind: LogKind, bytes: &[u8], filter: &Filter) -> Held {
    shared().scan(chunk(kind, bytes), filter, &mut |_| ()).held
}

const fn chunk(kind: LogKind, bytes: &[u8]) -> Chunk<'_> {
    Chunk {
        source: SourceId(0),
        first_line: 1,
        edge: Edge::Unknown,
        kind,
        take: Take::All,
        names_edge: false,
        bytes,
    }
}

fn settle(held: Held) {
    let sources = crate::Sources::default();
    Settler::default().settle(shared(), held, &sources, None, &mut |_| (), &mut |_| ());
}

/// A list of addresses: any text, in every layout that facts may name. What is read can be looked up.
pub fn range_list(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for name in [
        "",
        "google-prefixes",
        "text-ip",
        "csv-geofeed",
        "json-other",
        "html-page",
    ] {
        let layout = crate::RangeLayout::named(name);
        let service = (name == "json-other").then_some("A");
        let list = crate::RangeList::read(&text, crate::Expected { layout, service });
        assert!(!list.is_empty() || !list.problems.is_empty());
    }
}
