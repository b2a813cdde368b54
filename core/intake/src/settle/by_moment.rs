//! Error entries that name no client: lighttpd's and nghttpx's. What ties them to a request is the moment, the outcome
//! and, where a message names one, the path.
//!
//! Never invented: without a path an entry is a request's only where all entries that could be about the requests of
//! that moment say the same, and there are at least as many of them as requests. An edge writes such an entry when it
//! gives a request up, so its stamp stands at the request's end.

use std::collections::BTreeMap;

use model::{Cause, Confidence, Edge, Finding, Outcome, Place, Route};

use super::{DURATION_MAX_MILLIS, Entry, SLACK_MILLIS};
use crate::attribute::About;
use crate::held::HeldRequest;

/// How long a request took that ended in a failure at once, where no duration is logged: a refused connection takes
/// next to nothing, an unreachable host three seconds of address resolution.
const QUICK_MILLIS: i64 = 5_000;
/// Status of a request that waited for as long as the edge was told to.
const GATEWAY_TIMEOUT: u16 = 504;
/// How far the stamps of one event stand apart: both are cut to the second, and lighttpd gives up a connection a second
/// after it said so.
const APART_MILLIS: i64 = SLACK_MILLIS;

/// For each entry the request that it is about. `requests` are in order.
pub(super) fn join(requests: &[HeldRequest], entries: &[Entry]) -> Vec<Option<usize>> {
    let mut joined: Vec<Option<usize>> = vec![None; entries.len()];
    let ours: Vec<usize> = (0..entries.len())
        .filter(|number| is_ours(&entries[*number]))
        .collect();
    if ours.is_empty() {
        return joined;
    }
    let mut taken = vec![false; requests.len()];
    for number in ours.iter().copied().filter(|n| names_path(&entries[*n])) {
        let entry = &entries[number];
        let free = candidates(requests, entry).filter(|request| !taken[*request]);
        let nearest = free.min_by_key(|request| (apart(entry, &requests[*request]), *request));
        if let Some(request) = nearest {
            taken[request] = true;
            joined[number] = Some(request);
        }
    }
    // What stands in the same second first, so that it ties nothing to the requests of the seconds around it.
    for is_near in [is_at_once as fn(&Entry, &HeldRequest) -> bool, |_, _| true] {
        let open: Vec<(usize, Vec<usize>)> = (ours.iter().copied())
            .filter(|number| joined[*number].is_none() && !names_path(&entries[*number]))
            .map(|number| {
                let entry = &entries[number];
                let fit = candidates(requests, entry)
                    .filter(|request| !taken[*request] && is_near(entry, &requests[*request]));
                (number, fit.collect())
            })
            .collect();
        for group in groups(&open) {
            settle_group(requests, entries, &group, &mut joined);
        }
        for request in joined.iter().flatten() {
            taken[*request] = true;
        }
    }
    joined
}

/// How long after lighttpd said that all backends are down a request may fail without a line of its own, since that is
/// said once only. `disable-time` is a second unless set otherwise; the margin is ours.
const DOWN_MILLIS: i64 = 60_000;

/// What the entries say of requests that have none of their own: while all backends of lighttpd are down it names only
/// the first request that it turned away. Every backend that is tried again and fails has a new line.
pub(super) fn echoes(
    requests: &[HeldRequest],
    entries: &[Entry],
    joined: &[Option<(usize, bool)>],
) -> Vec<(usize, Finding, Place)> {
    let mut down: Vec<(i64, Finding, Place)> = entries
        .iter()
        .filter(|entry| entry.edge() == Edge::Lighttpd)
        .flat_map(|entry| entry.lines.iter().map(move |line| (entry, line)))
        .filter_map(|(entry, line)| {
            let finding = line.finding.now?;
            let is_down = finding.cause == Some(Cause::NoLiveUpstream);
            is_down.then_some((entry.at.0, finding, line.place))
        })
        .collect();
    down.sort_by_key(|(at, _, place)| (*at, *place));
    if down.is_empty() {
        return Vec::new();
    }
    let mut has_own = vec![false; requests.len()];
    for (request, _) in joined.iter().flatten() {
        has_own[*request] = true;
    }
    let silent = requests.iter().enumerate().filter(|(number, held)| {
        let open = held
            .finding
            .filter(|own| own.confidence < Confidence::Likely);
        !has_own[*number]
            && held.edge == Edge::Lighttpd
            && held.outcome == Outcome::Failed
            && open.is_some_and(|own| own.candidates().contains(Cause::NoLiveUpstream))
    });
    silent
        .filter_map(|(number, held)| {
            let before = down.partition_point(|(at, ..)| *at <= held.at.0);
            let (at, finding, place) = down.get(before.checked_sub(1)?)?;
            (held.at.0 - at <= DOWN_MILLIS).then_some((number, *finding, *place))
        })
        .collect()
}

fn is_ours(entry: &Entry) -> bool {
    entry.finding.is_some() && (entry.lines.iter()).any(|line| line.finding.about == About::Moment)
}

fn names_path(entry: &Entry) -> bool {
    entry.lines.iter().any(|line| line.route.is_some())
}

/// Requests that the entry may be about.
fn candidates<'a>(
    requests: &'a [HeldRequest],
    entry: &'a Entry,
) -> impl Iterator<Item = usize> + 'a {
    let (from, to) = if knowledge::edge(entry.edge()).stamps_start {
        (entry.at.0 - DURATION_MAX_MILLIS, entry.at.0 + APART_MILLIS)
    } else {
        (entry.at.0 - APART_MILLIS, entry.at.0 + APART_MILLIS)
    };
    let first = requests.partition_point(|held| held.at.0 < from);
    let rest = requests.get(first..).unwrap_or_default();
    let near = rest.iter().take_while(move |held| held.at.0 <= to);
    near.enumerate()
        .filter(|(_, held)| fits(entry, held))
        .map(move |(number, _)| first + number)
}

fn fits(entry: &Entry, held: &HeldRequest) -> bool {
    let is_edge = entry.edge() == held.edge || held.edge == Edge::Unknown;
    let outcome = if entry.is_after_headers() {
        matches!(held.outcome, Outcome::Good | Outcome::Hidden)
    } else {
        held.outcome == Outcome::Failed
    };
    is_edge
        && outcome
        && is_then(entry, held)
        && has_path(entry, held)
        && (entry.is_after_headers() || entry.has_its_status(held) && allows(entry, held))
}

/// Whether the request ended about then.
fn is_then(entry: &Entry, held: &HeldRequest) -> bool {
    if !knowledge::edge(entry.edge()).stamps_start {
        return true;
    }
    let quick = if held.status.0 == GATEWAY_TIMEOUT {
        DURATION_MAX_MILLIS
    } else {
        QUICK_MILLIS
    };
    let took = held.millis.map_or(quick, i64::from);
    let from = held.millis.map_or(held.at.0, |_| held.at.0 + took);
    (from - APART_MILLIS..=held.at.0 + took + APART_MILLIS).contains(&entry.at.0)
}

/// Whether the request failed within the second in which it began, or in which it ended where that is what its stamp says.
fn is_at_once(entry: &Entry, held: &HeldRequest) -> bool {
    /// Stamps of access logs are cut to the second.
    const SECOND_MILLIS: i64 = 1_000;
    let end = held.millis.map_or(0, i64::from);
    let is_start = knowledge::edge(entry.edge()).stamps_start;
    let from = held.at.0 + if is_start { end } else { 0 };
    (from - SECOND_MILLIS / 2..=from + SECOND_MILLIS + SECOND_MILLIS / 10).contains(&entry.at.0)
}

/// Milliseconds between the entry and the end of the request, as far as that is known.
fn apart(entry: &Entry, held: &HeldRequest) -> i64 {
    let is_start = knowledge::edge(entry.edge()).stamps_start;
    let end = held.at.0 + held.millis.filter(|_| is_start).map_or(0, i64::from);
    (entry.at.0 - end).abs()
}

/// Whether the path that the entry names, if any, is the request's, or the beginning of it.
fn has_path(entry: &Entry, held: &HeldRequest) -> bool {
    let mut named = entry.lines.iter().filter_map(|line| line.route.as_ref());
    let Some(route) = named.next() else {
        return true;
    };
    entry.path() == Some(held.url) || is_begin(route, &held.route)
}

/// Whether `short` is the beginning of `long`, at the end of a segment.
fn is_begin(short: &Route, long: &Route) -> bool {
    let len = usize::from(short.len);
    let begin = |route: &Route| route.segments.get(..len).map(<[_]>::to_vec);
    len > 0 && short.len < long.len && begin(short) == begin(long)
}

/// Whether the request's own line allows what the entry says.
fn allows(entry: &Entry, held: &HeldRequest) -> bool {
    let Some((own, said)) = held.finding.zip(entry.finding) else {
        return true;
    };
    if own.confidence == Confidence::Unknown {
        return true;
    }
    let mut causes = own.candidates().iter();
    causes.any(|cause| said.candidates().contains(cause))
}

/// Entries and requests that are tied to each other and to no others.
struct Group {
    entries: Vec<usize>,
    requests: Vec<usize>,
}

/// Unites entries that share a request.
fn groups(open: &[(usize, Vec<usize>)]) -> Vec<Group> {
    let mut root: Vec<usize> = (0..open.len()).collect();
    let find = |root: &[usize], mut at: usize| {
        while root[at] != at {
            at = root[at];
        }
        at
    };
    let mut owner: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, (_, requests)) in open.iter().enumerate() {
        for request in requests {
            let other = *owner.entry(*request).or_insert(index);
            let (a, b) = (find(&root, index), find(&root, other));
            root[a.max(b)] = a.min(b);
        }
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (index, (entry, requests)) in open.iter().enumerate() {
        let group = groups.entry(find(&root, index)).or_insert_with(|| Group {
            entries: Vec::new(),
            requests: Vec::new(),
        });
        group.entries.push(*entry);
        group.requests.extend(requests);
    }
    groups
        .into_values()
        .map(|mut group| {
            group.requests.sort_unstable();
            group.requests.dedup();
            group
        })
        .collect()
}

/// Gives each request of the group an entry, where it makes no difference which.
fn settle_group(
    requests: &[HeldRequest],
    entries: &[Entry],
    group: &Group,
    joined: &mut [Option<usize>],
) {
    let cause = |number: &usize| entries[*number].finding.map(|finding| finding.cause);
    let mut causes = group.entries.iter().map(cause);
    let first = causes.next();
    let all_say_the_same = causes.all(|other| Some(other) == first);
    if group.requests.is_empty() || !all_say_the_same || group.entries.len() < group.requests.len()
    {
        return;
    }
    let mut free: Vec<usize> = group.entries.clone();
    free.sort_by_key(|number| (entries[*number].at, *number));
    // In order of time: the first request gets the first entry; what is left over are further attempts.
    for request in &group.requests {
        let fit = |number: &usize| fits(&entries[*number], &requests[*request]);
        if let Some(place) = free.iter().position(fit) {
            joined[free.remove(place)] = Some(*request);
        }
    }
    for number in free {
        let fit = group.requests.iter().copied();
        let fit = fit.filter(|request| fits(&entries[number], &requests[*request]));
        joined[number] =
            fit.min_by_key(|request| (apart(&entries[number], &requests[*request]), *request));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use model::{LogKind, SourceId};

    use crate::scan::Intake;
    use crate::{Chunk, Filter, Formats, Ranges, Scanned, Secret, Settings, Settler, Take};

    use super::*;

    /// What is said of each request, in order: its cause and whether that is likely at least.
    fn told(edge: Edge, access: &str, errors: &str) -> Vec<(Option<Cause>, bool)> {
        let intake = Intake::new(
            Settings::default(),
            Secret::new([7; 16]),
            Ranges::default(),
            Formats::new(Vec::new()),
        );
        let mut all = Scanned::default();
        for (source, kind, text) in [(0, LogKind::Error, errors), (1, LogKind::Access, access)] {
            let filter = Filter::of(&all.held);
            let chunk = Chunk {
                source: SourceId(source),
                first_line: 1,
                edge,
                kind,
                take: Take::All,
                names_edge: false,
                bytes: text.as_bytes(),
            };
            all.merge(intake.scan(chunk, &filter, &mut |_| {}));
        }
        let mut found = Vec::new();
        Settler::default().settle(
            &intake,
            all.held,
            &all.sources,
            None,
            &mut |request| {
                let finding = request.finding;
                found.push((
                    finding.and_then(|finding| finding.cause),
                    finding.is_some_and(|finding| finding.confidence >= Confidence::Likely),
                ));
            },
            &mut |_| {},
        );
        found
    }

    /// lighttpd's default layout, an hour east of its error log's UTC.
    fn asked(at: &str, target: &str, status: u16, bytes: u32) -> String {
        format!(
            "192.0.2.7 shop.example - [22/Nov/2026:{at} +0100] \"GET {target} HTTP/1.1\" {status} {bytes} \"-\" \"Mozilla/5.0\"\n"
        )
    }

    fn refused(at: &str) -> String {
        format!(
            "2026-11-22 {at}: (gw_backend.c.274) establishing connection failed: socket: tcp:192.0.2.1:80: Connection refused\n"
        )
    }

    fn down(at: &str, path: &str, key: &str) -> String {
        format!("2026-11-22 {at}: (gw_backend.c.960) all handlers for {path}? on {key} are down.\n")
    }

    #[test]
    fn lighttpd_names_the_request_in_the_last_line_of_an_event() {
        let access = asked("07:28:32", "/a/1", 503, 361) + &asked("07:28:32", "/b", 503, 5_000);
        let errors = refused("07:28:32") + &down("07:28:32", "/a/1", "");
        assert_eq!(
            told(Edge::Lighttpd, &access, &errors),
            [
                (Some(Cause::ConnectionRefused), true),
                (Some(Cause::OriginOwnError), true)
            ]
        );
    }

    #[test]
    fn a_backend_for_a_prefix_cuts_the_path() {
        let access = asked("07:28:32", "/a/1?x", 503, 361);
        let errors = refused("07:28:31") + &down("07:28:31", "/a", "/");
        assert_eq!(
            told(Edge::Lighttpd, &access, &errors),
            [(Some(Cause::ConnectionRefused), true)]
        );
    }

    #[test]
    fn while_all_backends_are_down_the_others_are_echoes() {
        let access = asked("07:28:32", "/a", 503, 361)
            + &asked("07:28:33", "/b", 503, 361)
            + &asked("07:48:33", "/c", 503, 361);
        let errors = refused("07:28:32") + &down("07:28:32", "/a", "");
        let told = told(Edge::Lighttpd, &access, &errors);
        assert_eq!(told[0], (Some(Cause::ConnectionRefused), true));
        assert_eq!(told[1], (Some(Cause::NoLiveUpstream), true));
        // Long after: the error log says nothing of it.
        assert!(!told[2].1);
    }

    #[test]
    fn a_body_that_was_broken_off_is_found_by_its_path() {
        let access = asked("07:28:32", "/a", 200, 14_630) + &asked("07:28:32", "/b", 200, 9);
        let errors = "2026-11-22 07:28:32: (http-header-glue.c.1341) read() 13 14: Connection reset by peer\n\
                      2026-11-22 07:28:32: (gw_backend.c.2396) response already sent out, but backend returned error on socket: tcp:192.0.2.1:80 for /a?, terminating connection\n";
        let told = told(Edge::Lighttpd, &access, errors);
        assert!(
            told.contains(&(Some(Cause::TruncatedBody), true)),
            "{told:?}"
        );
    }

    fn proxied(at: &str, target: &str, status: u16, bytes: u32) -> String {
        format!(
            "192.0.2.7 - - [22/Nov/2026:{at} +0000] \"GET {target} HTTP/2\" {status} {bytes} \"-\" \"Mozilla/5.0\"\n"
        )
    }

    fn nghttpx(at: &str, message: &str) -> String {
        format!(
            "2026-11-22T{at}Z 7 8 3e40bb55 WARN (shrpx_http_downstream_connection.cc:1532) [DCONN:0x55d1] {message}\n"
        )
    }

    #[test]
    fn nghttpx_is_joined_by_the_moment() {
        let access = proxied("07:28:32", "/a", 502, 129);
        let errors = nghttpx(
            "07:28:32.615",
            "Backend connect failed; addr=192.0.2.1:80: errno=111",
        ) + &nghttpx(
            "07:28:32.615",
            "Could not connect 1 times in a row; sleep for 1.4 seconds",
        );
        assert_eq!(
            told(Edge::Nghttpx, &access, &errors),
            [(Some(Cause::ConnectionRefused), true)]
        );
    }

    #[test]
    fn fewer_entries_than_requests_of_a_moment_are_given_to_none() {
        let access = proxied("07:28:32", "/a", 502, 129) + &proxied("07:28:32", "/b", 502, 129);
        let errors = nghttpx(
            "07:28:32.615",
            "Backend connect failed; addr=192.0.2.1:80: errno=111",
        );
        let told = told(Edge::Nghttpx, &access, &errors);
        assert!(told.iter().all(|(_, sure)| !sure), "{told:?}");
    }

    #[test]
    fn entries_that_differ_are_given_to_none() {
        let access = proxied("07:28:32", "/a", 502, 129) + &proxied("07:28:32", "/b", 502, 129);
        let errors = nghttpx(
            "07:28:32.615",
            "Backend connect failed; addr=192.0.2.1:80: errno=111",
        ) + &nghttpx(
            "07:28:32.690",
            "Backend connect failed; addr=192.0.2.2:80: errno=113",
        );
        let told = told(Edge::Nghttpx, &access, &errors);
        assert!(told.iter().all(|(_, sure)| !sure), "{told:?}");
    }

    fn note(at: &str) -> String {
        format!("2026-11-22 {at}: (server.c.1704) server started (lighttpd/1.4.69)\n")
    }

    #[test]
    fn an_error_log_that_would_have_spoken_rules_out_what_it_always_says() {
        let access = asked("07:28:32", "/a", 503, 1_902);
        let around = note("07:20:00") + &note("07:40:00");
        let own = [(Some(Cause::OriginOwnError), true)];
        assert_eq!(told(Edge::Lighttpd, &access, &around), own);
        // No lines from after it, or none from before: the log may have been rotated away.
        for part in [note("07:20:00"), note("07:40:00")] {
            assert!(!told(Edge::Lighttpd, &access, &part)[0].1, "{part}");
        }
        // A close in good order leaves no line, so nothing follows from having none.
        let closed = asked("07:28:32", "/a", 500, 1_902);
        assert!(!told(Edge::Lighttpd, &closed, &around)[0].1);
    }

    #[test]
    fn what_may_be_about_a_failure_breaks_the_silence() {
        // One entry of two failures of that second: it is one's, and nobody knows whose.
        let access = asked("07:28:32", "/a", 503, 1_902) + &asked("07:28:32", "/b", 503, 1_902);
        let errors = note("07:20:00") + &refused("07:28:32") + &note("07:40:00");
        let both = told(Edge::Lighttpd, &access, &errors);
        assert!(both.iter().all(|(_, sure)| !sure), "{both:?}");
        // That all backends are down is said once; how long they stay so is the site's to set.
        let access = asked("07:28:32", "/a", 503, 1_902) + &asked("07:38:32", "/b", 503, 1_902);
        let errors = note("07:20:00") + &refused("07:28:32") + &down("07:28:32", "/a", "");
        let later = told(Edge::Lighttpd, &access, &(errors + &note("07:40:00")));
        assert_eq!(later[0], (Some(Cause::ConnectionRefused), true));
        assert!(!later[1].1, "{later:?}");
    }

    #[test]
    fn what_the_origin_answered_takes_no_entry() {
        let access = proxied("07:28:32", "/a", 502, 1_874) + &proxied("07:28:32", "/b", 502, 129);
        let errors = nghttpx(
            "07:28:32.615",
            "Backend connect failed; addr=192.0.2.1:80: errno=111",
        );
        assert_eq!(
            told(Edge::Nghttpx, &access, &errors),
            [
                (Some(Cause::OriginOwnError), true),
                (Some(Cause::ConnectionRefused), true)
            ]
        );
    }
}
