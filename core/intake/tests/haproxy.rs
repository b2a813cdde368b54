//! HAProxy's log as syslog keeps it, requests and lines about servers in one: what each request is said to have failed
//! of.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use intake::{Chunk, Filter, Formats, Intake, Ranges, Secret, Settings, Settler, Take};
use model::{Cause, Confidence, Edge, LogKind, Outcome, SourceId, Stamp};

/// 2026-11-22T07:25:33Z
const AT: i64 = 1_795_332_333_000;
const DAY: i64 = 86_400_000;

/// Of each request: outcome, cause, how sure, upstream.
type Row = (Outcome, Option<Cause>, Option<Confidence>, String);

fn read(lines: &[&str]) -> (Vec<Row>, u64) {
    let settings = Settings {
        plausible: Some((Stamp(0), Stamp(AT + DAY))),
        ..Settings::default()
    };
    let secret = Secret::new([9; 16]);
    let intake = Intake::new(
        settings,
        secret,
        Ranges::default(),
        Formats::new(Vec::new()),
    );
    let text = lines.join("\n");
    let chunk = |take| Chunk {
        source: SourceId(0),
        first_line: 1,
        edge: Edge::Unknown,
        kind: LogKind::Access,
        take,
        names_edge: false,
        bytes: text.as_bytes(),
    };
    // As the program does with a log of both kinds: entries first, for what they say of requests.
    let entries = intake.scan(chunk(Take::Entries), &Filter::default(), &mut |_| ());
    let filter = Filter::of(&entries.held);
    let mut rows = Vec::new();
    let mut note = |request: &model::Request<'_>| {
        let upstream = request
            .attempts
            .last()
            .map_or("", |attempt| attempt.upstream);
        rows.push((
            (request.at, request.place),
            (
                request.outcome,
                request.finding.and_then(|finding| finding.cause),
                request.finding.map(|finding| finding.confidence),
                upstream.to_owned(),
            ),
        ));
    };
    let mut scanned = intake.scan(chunk(Take::Requests), &filter, &mut note);
    let unparsed = scanned.sources.get(SourceId(0)).unwrap().unparsed;
    scanned.held.absorb(entries.held);
    let sources = scanned.sources;
    Settler::default().settle(
        &intake,
        scanned.held,
        &sources,
        None,
        &mut note,
        &mut |_| (),
    );
    rows.sort_by_key(|(order, _)| *order);
    (rows.into_iter().map(|(_, row)| row).collect(), unparsed)
}

/// A line of `option httplog` at that minute and second.
fn line(clock: &str, server: &str, timers: &str, status: &str, state: &str) -> String {
    format!(
        r#"Nov 22 07:{clock} lb1 haproxy[714]: 192.0.2.7:4711 [22/Nov/2026:07:{clock}.000] www {server} {timers} {status} 217 - - {state} 1/1/0/0/3 0/0 {{shop.example|Googlebot/2.1}} "GET / HTTP/1.1""#
    )
}

fn refused(clock: &str, server: &str) -> String {
    line(clock, server, "0/3003/-1/-1/3003", "503", "SC--")
}

fn event(clock: &str, text: &str) -> String {
    format!("Nov 22 07:{clock} lb1 haproxy[714]: {text}")
}

#[track_caller]
fn says(lines: &[&str], wanted: &[(Outcome, Option<Cause>, Option<Confidence>)]) {
    let (rows, unparsed) = read(lines);
    assert_eq!(unparsed, 0);
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(outcome, cause, confidence, _)| (outcome, cause, confidence))
        .collect();
    assert_eq!(rows, wanted);
}

const DOWN: &str = r#"Server app/one is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue."#;

#[test]
fn a_failed_health_check_tells_why_requests_to_that_server_failed() {
    let (before, other, long_before) = (
        refused("25:20", "app/one"),
        refused("25:21", "app/two"),
        refused("20:00", "app/one"),
    );
    let down = event("25:33", DOWN);
    let open = (
        Outcome::Failed,
        Some(Cause::ConnectionRefused),
        Some(Confidence::Ambiguous),
    );
    let told = (
        Outcome::Failed,
        Some(Cause::ConnectionRefused),
        Some(Confidence::Likely),
    );
    says(&[&long_before, &before, &other, &down], &[open, told, open]);
    says(&[&before], &[open]);
}

#[test]
fn a_line_of_a_request_that_decides_is_left_alone() {
    let closed = line("25:30", "app/one", "0/0/0/-1/5", "502", "SH--");
    let own = line("25:31", "app/one", "0/0/0/5/5", "503", "----");
    let down = event("25:33", DOWN);
    says(
        &[&closed, &own, &down],
        &[
            (
                Outcome::Failed,
                Some(Cause::ClosedBeforeHeaders),
                Some(Confidence::Likely),
            ),
            (
                Outcome::Failed,
                Some(Cause::OriginOwnError),
                Some(Confidence::Likely),
            ),
        ],
    );
}

#[test]
fn no_server_is_an_echo_only_where_one_was_lost() {
    let none = line("25:40", "app/<NOSRV>", "0/-1/-1/-1/0", "503", "SC--");
    let open = (
        Outcome::Failed,
        Some(Cause::NoLiveUpstream),
        Some(Confidence::Ambiguous),
    );
    let echo = (
        Outcome::Failed,
        Some(Cause::NoLiveUpstream),
        Some(Confidence::Likely),
    );
    let lost = (
        Outcome::Failed,
        Some(Cause::DnsFailure),
        Some(Confidence::Likely),
    );
    let emptied = event("25:33", "backend app has no server available!");
    let of_another = event("25:33", "backend other has no server available!");
    let down = event("25:33", DOWN);
    let nameless = event(
        "25:32",
        "Server app/one is going DOWN for maintenance (DNS timeout status). 0 active and 0 backup servers left.",
    );
    says(&[&none], &[open]);
    says(&[&of_another, &none], &[open]);
    says(&[&down, &emptied, &none], &[echo]);
    says(&[&nameless, &emptied, &none], &[lost]);
    // It names the backend, which no connection went to.
    assert_eq!(read(&[&none]).0[0].3, "app");
}

/// A backend of its own answers while the pool is empty; the same answer is given by a rule, on purpose.
#[test]
fn a_sorry_page_stands_for_the_pool_only_behind_a_line_that_it_is_empty() {
    let sorry = |clock| line(clock, "sorry/<NOSRV>", "0/-1/-1/-1/0", "503", "LR--");
    let empty = event("25:33", "backend app has no server available!");
    let made = (
        Outcome::Failed,
        Some(Cause::EdgeMadeResponse),
        Some(Confidence::Likely),
    );
    let either = (
        Outcome::Failed,
        Some(Cause::NoLiveUpstream),
        Some(Confidence::Ambiguous),
    );
    says(
        &[&sorry("24:00"), &empty, &sorry("25:40"), &sorry("45:00")],
        &[made, either, made],
    );
}

#[test]
fn what_a_retry_saved_is_told_by_the_server_that_went_down() {
    let saved = line("25:30", "app/two", "0/0/0/5/5", "200", "----");
    let saved = saved.replace("/3 0/0", "/+1 0/0");
    let down = event("25:33", DOWN);
    let (cause, sure) = (Some(Cause::ConnectionRefused), Confidence::Likely);
    says(
        &[&saved, &down],
        &[(Outcome::SavedByRetry, cause, Some(sure))],
    );
    // Cookies that are handed out are no retry and no failure.
    let good = line("25:30", "app/two", "0/0/0/5/5", "200", "--NI").replace("/3 0/0", "/0 0/0");
    says(&[&good], &[(Outcome::Good, None, None)]);
}

#[test]
fn clients_that_leave_and_rules_are_never_the_servers_fault() {
    let abort = (
        Outcome::ClientAbort,
        Some(Cause::ClientAbort),
        Some(Confidence::Certain),
    );
    for (status, state) in [
        ("-1", "CC--"),
        ("-1", "CQ--"),
        ("400", "CH--"),
        ("200", "CD--"),
        ("408", "cR--"),
    ] {
        let line = line("25:30", "app/one", "0/0/0/-1/5", status, state);
        says(&[&line], &[abort]);
    }
    let dropped = line("25:30", "www/<NOSRV>", "0/-1/-1/-1/0", "-1", "PR--");
    says(&[&dropped], &[(Outcome::Good, None, None)]);
    let denied = line("25:30", "www/<NOSRV>", "0/-1/-1/-1/0", "503", "PR--");
    let (cause, sure) = (Some(Cause::EdgeMadeResponse), Some(Confidence::Certain));
    says(&[&denied], &[(Outcome::Failed, cause, sure)]);
}

#[test]
fn an_upload_that_the_server_broke_off_is_a_failure_without_a_status() {
    let line = line("25:30", "app/one", "0/0/0/-1/166", "-1", "SD--");
    let (cause, sure) = (
        Some(Cause::RequestOrUpgradeFailed),
        Some(Confidence::Likely),
    );
    says(&[&line], &[(Outcome::Hidden, cause, sure)]);
}

#[test]
fn a_session_of_tcp_is_no_request() {
    let tcp = event(
        "25:33",
        "192.0.2.7:4711 [22/Nov/2026:07:25:33.000] www app/one 0/0/5007 212 -- 0/0/0/0/3 0/0",
    );
    let clf = r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "TCP " 000 212 "" "" 4711 000 "www" "app" "one" 0 0 0 5007 0 ---- 0 0 0 0 0 0 0 "" "" "#;
    let (rows, unparsed) = read(&[&tcp, clf]);
    assert!(rows.is_empty());
    assert_eq!(unparsed, 2);
}
