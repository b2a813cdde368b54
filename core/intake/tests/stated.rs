//! What single lines of balancers, CDNs and ingress controllers say about the cause, and what they leave open.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use intake::{Chunk, Filter, Formats, Intake, Ranges, Secret, Settings, Settler, Take};
use model::{Cause, Confidence, Edge, LogKind, Outcome, Request, SourceId};

/// What one request turned out to be.
type Told = (Edge, Outcome, Option<Cause>, Confidence);

fn told(line: &str) -> Told {
    let secret = Secret::new([9; 16]);
    let formats = Formats::new(Vec::new());
    let intake = Intake::new(Settings::default(), secret, Ranges::default(), formats);
    let chunk = Chunk {
        source: SourceId(0),
        first_line: 1,
        edge: Edge::Unknown,
        kind: LogKind::Access,
        take: Take::All,
        names_edge: false,
        bytes: line.as_bytes(),
    };
    let mut found = None;
    let mut note = |request: &Request<'_>| {
        let finding = request.finding;
        found = Some((
            request.edge,
            request.outcome,
            finding.and_then(|finding| finding.cause),
            finding.map_or(Confidence::Unknown, |finding| finding.confidence),
        ));
    };
    let scanned = intake.scan(chunk, &Filter::default(), &mut note);
    let sources = scanned.sources;
    Settler::default().settle(
        &intake,
        scanned.held,
        &sources,
        None,
        &mut note,
        &mut |_| (),
    );
    found.unwrap_or_else(|| panic!("no request: {line}"))
}

const UNKNOWN: (Outcome, Option<Cause>, Confidence) = (Outcome::Failed, None, Confidence::Unknown);

fn certain(cause: Cause) -> (Outcome, Option<Cause>, Confidence) {
    let outcome = if cause == Cause::ClientAbort {
        Outcome::ClientAbort
    } else {
        Outcome::Failed
    };
    (outcome, Some(cause), Confidence::Certain)
}

/// Passed on, by the application or by a gateway before it.
const PASSED_ON: (Outcome, Option<Cause>, Confidence) = (
    Outcome::Failed,
    Some(Cause::OriginOwnError),
    Confidence::Likely,
);

#[test]
fn aws_balancers() {
    for (statuses, wanted) in [
        ("502 -", UNKNOWN),
        ("504 -", UNKNOWN),
        ("502 200", UNKNOWN),
        ("503 503", PASSED_ON),
        ("500 500", certain(Cause::OriginOwnError)),
        ("460 -", certain(Cause::ClientAbort)),
    ] {
        let line = format!(
            r#"h2 2026-11-22T07:25:33.186641Z app/my-lb/50dc 192.0.2.7:2817 10.0.0.1:80 0.000 -1 -1 {statuses} 34 366 "GET https://www.example.com:443/ HTTP/2.0" "x" - - arn "Root=1""#
        );
        let (outcome, cause, confidence) = wanted;
        assert_eq!(
            told(&line),
            (Edge::AwsAlb, outcome, cause, confidence),
            "{line}"
        );
    }
}

#[test]
fn cloudfront() {
    for (status, result, wanted) in [
        ("502", "OriginConnectError", UNKNOWN),
        ("502", "OriginDnsError", certain(Cause::DnsFailure)),
        ("503", "Error", UNKNOWN),
        ("000", "ClientCommError", certain(Cause::ClientAbort)),
    ] {
        let line = format!(
            "2026-11-22 07:25:33 FRA60 182 192.0.2.7 GET d1.cloudfront.net / {status} - x - - Error rid www.example.com https 217 0.5 - - - Error HTTP/2.0 - - 5000 0.5 {result}"
        )
        .replace(' ', "\t");
        let (outcome, cause, confidence) = wanted;
        assert_eq!(
            told(&line),
            (Edge::CloudFront, outcome, cause, confidence),
            "{line}"
        );
    }
}

#[test]
fn cloudflare() {
    for (edge, origin, wanted) in [
        (502, 0, UNKNOWN),
        (520, 0, UNKNOWN),
        (502, 502, PASSED_ON),
        (500, 500, certain(Cause::OriginOwnError)),
        (522, 0, certain(Cause::ConnectTimeout)),
        (499, 0, certain(Cause::ClientAbort)),
    ] {
        let line = format!(
            r#"{{"ClientIP":"192.0.2.7","ClientRequestHost":"a.example","ClientRequestMethod":"GET","ClientRequestURI":"/","EdgeResponseStatus":{edge},"EdgeStartTimestamp":1795332333,"OriginResponseStatus":{origin}}}"#
        );
        let (outcome, cause, confidence) = wanted;
        assert_eq!(
            told(&line),
            (Edge::Cloudflare, outcome, cause, confidence),
            "{line}"
        );
    }
}

#[test]
fn ingress_nginx() {
    for (status, upstream, cause, confidence) in [
        // A body came as long as an nginx's page: one behind the edge wrote it.
        (
            502,
            "10.0.0.1:80 150 0.020 502",
            Cause::ChainedGatewayError,
            Confidence::Likely,
        ),
        (
            504,
            "10.0.0.1:80 150 0.020 504",
            Cause::ChainedGatewayError,
            Confidence::Likely,
        ),
        (
            502,
            "10.0.0.1:80 0 0.001 502",
            Cause::ConnectionRefused,
            Confidence::Ambiguous,
        ),
        (
            502,
            "10.0.0.1:80, 10.0.0.2:80 0, 0 0.001, 0.000 502, 502",
            Cause::ConnectionRefused,
            Confidence::Ambiguous,
        ),
        // No endpoint, or no peer behind the placeholder.
        (
            503,
            "- - - -",
            Cause::NoUpstreamRegistered,
            Confidence::Likely,
        ),
        (
            502,
            "0.0.0.1:80 0 0.000 502",
            Cause::NoUpstreamRegistered,
            Confidence::Likely,
        ),
    ] {
        let line = format!(
            r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "GET / HTTP/1.1" {status} 150 "-" "x" 312 0.020 [shop-web-http] [] {upstream} 0f3c5a8e9b7d42618c0a1e2f3d4b5c69"#
        );
        assert_eq!(
            told(&line),
            (Edge::Nginx, Outcome::Failed, Some(cause), confidence),
            "{line}"
        );
    }
}

/// lighttpd's default has the host where others have the ident, and so has httpd at large hosters.
#[test]
fn a_host_for_the_ident_names_no_product() {
    let line = r#"192.0.2.7 shop.example - [22/Nov/2026:07:28:32 +0100] "GET /a HTTP/1.1" 500 5000 "-" "Mozilla/5.0""#;
    let (edge, outcome, cause, confidence) = told(line);
    assert_eq!(edge, Edge::Unknown);
    assert_eq!((outcome, cause, confidence), UNKNOWN);
    // With the keys that are advised for lighttpd it is lighttpd's.
    let advised = format!("{line} request_time_us=1200 connection_status=+ ra=-");
    let (edge, _, cause, _) = told(&advised);
    assert_eq!(edge, Edge::Lighttpd);
    assert_eq!(cause, Some(Cause::OriginOwnError));
}

/// A scanner that asks an edge for a whole URL does not make it Varnish.
#[test]
fn a_whole_url_names_no_product() {
    let line = r#"192.0.2.7 - - [22/Nov/2026:07:28:32 +0100] "GET http://shop.example/a HTTP/1.1" 502 5000 "-" "Mozilla/5.0""#;
    let (edge, outcome, cause, confidence) = told(line);
    assert_eq!(edge, Edge::Unknown);
    assert_eq!((outcome, cause, confidence), UNKNOWN);
}
