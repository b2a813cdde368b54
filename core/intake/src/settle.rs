//! What depends on a client: access line and error line of one request, and the repeats of an impatient client.
//!
//! Never a made-up join: an error entry that no request fits stays a sign of its own.

mod by_moment;
mod silence;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use model::{
    Cause, Confidence, Edge, Finding, Joined, Outcome, Place, Request, Sign, SourceId, Stamp,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::attribute::{About, combine, combine_errors};
use crate::entry;
use crate::error_log::Part;
use crate::held::{Held, HeldAttempt, HeldError, HeldRequest};
use crate::nearest::{Nearest, Timeline};
use crate::scan::Intake;
use crate::seen::Sources;
use crate::state::States;

pub(crate) use self::silence::weighs;

/// A failure of the same client, host and path within this time of the last one counted is a repeat: people press
/// reload (`docs/verdicts.md`, section 1).
const REPEAT_SECONDS: i64 = 60;
/// Zones are multiples of 15 minutes.
const ZONE_STEP_MINUTES: i64 = 15;
/// How far apart, in milliseconds, the stamps of one event may stand: both are cut to the second, and an edge writes
/// the access line when it gets to it.
const SLACK_MILLIS: i64 = 2_000;
/// How long an answer may take where its duration is not logged: three default time-outs of 60 s.
const DURATION_MAX_MILLIS: i64 = 180_000;
/// The same for an answer that nginx gave after all: only what answered in the end comes behind the last entry.
const LATE_ANSWER_MILLIS: i64 = 15_000;
/// Pairs of an entry and a request that vote on the zone of one error log. Entries with the rarest keys come first.
const VOTES_MAX: usize = 1 << 20;
/// Requests, nearest first, that have no attempt left for an entry, after which it stays a sign of its own.
const FULL_MAX: u32 = 4_096;
/// How far apart an entry and a request may stand that only status and moment tie together: both are cut to the second.
const MOMENT_MILLIS: i64 = 1_000;
/// Entries of one moment that are compared with each other; more than an edge logs of one kind before another comes.
const NEIGHBOURS_MAX: usize = 256;
/// Read errors that may wait for the line that says whose they are.
const READ_ERRORS_MAX: usize = 8;
/// httpd writes the line with the reason, then the one with the client, in one go.
const THREAD_MILLIS: i64 = 1_000;

/// What settling found out about the join, and what goes on afterwards.
#[derive(Clone, Debug, Default)]
pub struct Settler {
    /// Last counted failure by client, host and path.
    counted: FxHashMap<(u64, u64), Stamp>,
    /// How the join went so far.
    pub joined: Joined,
    /// Zone of each error log for most of its length, minutes east of UTC.
    pub zones: BTreeMap<SourceId, i32>,
    passed: Passed,
}

/// Requests that were settled without the error logs: what those must know of them all the same.
#[derive(Clone, Debug, Default)]
struct Passed {
    failures: u64,
    span: Option<(Stamp, Stamp)>,
    sources: BTreeSet<SourceId>,
}

impl Passed {
    fn note(&mut self, held: &HeldRequest) {
        self.failures += u64::from(matches!(held.outcome, Outcome::Failed | Outcome::Hidden));
        let (first, last) = self.span.unwrap_or((held.at, held.at));
        self.span = Some((first.min(held.at), last.max(held.at)));
        self.sources.insert(held.place.source);
    }
}

impl Settler {
    /// Tells the requests up to `until` from repeats, and settles those that no error log can be about. What is later
    /// stays in `held`, and so do those that wait to be joined: an error log is joined as a whole.
    pub fn settle_repeats(
        &mut self,
        held: &mut Held,
        until: Stamp,
        request: &mut impl FnMut(&Request<'_>),
    ) {
        let (mut now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut held.requests)
            .into_iter()
            .partition(|held| held.at <= until);
        held.requests = later;
        now.sort_unstable_by_key(HeldRequest::order);
        drop_twins(&mut now);
        for mut one in now {
            let repeat = self.is_repeat(&one);
            if one.joins {
                one.repeat = Some(repeat);
                held.joining.push(one);
            } else {
                self.passed.note(&one);
                one.lend(None, repeat, &mut *request);
            }
        }
        self.counted
            .retain(|_, at| until.secs_since(*at) <= REPEAT_SECONDS);
    }

    /// Settles everything. `zone` is that of the error logs, in minutes east of UTC, where the user says so.
    pub fn settle(
        &mut self,
        intake: &Intake,
        held: Held,
        sources: &Sources,
        zone: Option<i32>,
        request: &mut impl FnMut(&Request<'_>),
        sign: &mut impl FnMut(&Sign<'_>),
    ) {
        let Held {
            mut requests,
            joining,
            mut errors,
            ..
        } = held;
        requests.extend(joining);
        requests.sort_unstable_by_key(HeldRequest::order);
        drop_twins(&mut requests);
        errors.sort_unstable_by_key(|error| (error.place, error.civil));
        silence::trust_pages(&mut requests);
        let entries = entries(intake, errors);
        let indexes = Indexes::of(&requests, &entries, std::mem::take(&mut self.passed));
        let Zones {
            by_source,
            unrelated,
        } = zones(&requests, &entries, &indexes, sources, zone);
        self.joined.error_zone = by_source.values().next().copied();
        self.zones.clone_from(&by_source);
        let mut summer = Summer::of(sources, by_source, zone);
        let entries: Vec<Entry> = entries
            .into_iter()
            .map(|entry| {
                let zone = summer.zone(&entry, indexes.candidates(&entry).0, &requests);
                entry.in_zone(zone)
            })
            .collect();
        let mut of_entry = join(&requests, &entries, &indexes, &unrelated);
        for (joined, request) in (of_entry.iter_mut()).zip(by_moment::join(&requests, &entries)) {
            *joined = joined.or(request.map(|request| (request, false)));
        }
        let mut of_request: Vec<Vec<usize>> = vec![Vec::new(); requests.len()];
        for (entry, joined) in of_entry.iter().enumerate() {
            match joined {
                Some((request, exact)) => {
                    of_request[*request].push(entry);
                    self.joined.exact += u64::from(*exact);
                    self.joined.best_match += u64::from(!*exact);
                }
                None => {
                    let names_upstream = entries[entry].names_upstream();
                    entries[entry].lend(&mut |found: &Sign<'_>| {
                        if intake.chooses(found) {
                            self.joined.signs_unmatched += u64::from(names_upstream);
                            sign(found);
                        }
                    });
                }
            }
        }
        let failures = first_failures(&entries);
        let mut evidence = Vec::with_capacity(requests.len());
        for (held, joined) in requests.iter_mut().zip(&of_request) {
            let joined: Vec<&Entry> = joined.iter().map(|entry| &entries[*entry]).collect();
            evidence.push(apply(held, &joined));
        }
        for (number, finding, said) in by_moment::echoes(&requests, &entries, &of_entry) {
            explain(&mut requests[number], finding);
            evidence[number] = Some(said);
        }
        let states = states(&entries);
        for (held, place) in requests.iter_mut().zip(&mut evidence) {
            if let (None, Some((finding, said))) = (*place, states.explain(held)) {
                explain(held, finding);
                *place = Some(said);
            }
        }
        dead_pools(&mut requests, failures);
        let zone = |source| summer.most(source);
        silence::hear(&mut requests, &evidence, &entries, &of_entry, sources, zone);
        // Without an error line about a request nothing was to be joined.
        let is_join = entries.iter().any(Entry::is_about_request);
        if is_join {
            self.joined.failures += indexes.passed.failures;
        }
        self.finish(requests, evidence, is_join, request);
    }

    /// Tells repeats and hands on. `requests` are in order.
    fn finish(
        &mut self,
        requests: Vec<HeldRequest>,
        evidence: Vec<Option<Place>>,
        is_join: bool,
        each: &mut impl FnMut(&Request<'_>),
    ) {
        for (index, held) in requests.into_iter().enumerate() {
            let place = evidence.get(index).copied().flatten();
            let is_failure = matches!(held.outcome, Outcome::Failed | Outcome::Hidden);
            if is_failure && is_join {
                self.joined.failures += 1;
                self.joined.with_error_line += u64::from(place.is_some());
            }
            let repeat = match held.repeat {
                Some(repeat) => repeat,
                None => self.is_repeat(&held),
            };
            held.lend(place, repeat, &mut *each);
        }
    }

    fn is_repeat(&mut self, held: &HeldRequest) -> bool {
        if held.outcome != Outcome::Failed || held.fetch.is_some() {
            return false;
        }
        let host = crate::scan::host_key(&held.host);
        let counted = self
            .counted
            .entry((held.client, held.url ^ host))
            .or_insert(Stamp(i64::MIN / 2));
        let repeat = (0..REPEAT_SECONDS).contains(&held.at.secs_since(*counted));
        if !repeat {
            *counted = held.at;
        }
        repeat
    }
}

/// One or more error-log lines that are about one event: httpd spreads it over several.
struct Entry {
    lines: Vec<HeldError>,
    /// UTC, once the zone is known; that of the first line with a stamp.
    at: Stamp,
    /// As logged.
    civil: Stamp,
    /// Minutes east of UTC, where a line says so.
    zone: Option<i32>,
    /// Whether a line has a stamp.
    is_timed: bool,
    finding: Option<Finding>,
    /// Index of the line that decided.
    decided: usize,
}

/// Puts the lines of each entry together and gives it its finding. `errors` are in order of place.
fn entries(intake: &Intake, errors: Vec<HeldError>) -> Vec<Entry> {
    // What a transaction's records say is put together by the transaction, everything else by what it names.
    let (records, errors): (Vec<_>, Vec<_>) = errors
        .into_iter()
        .partition(|error| error.part != Part::Whole);
    let mut groups: Vec<Vec<HeldError>> = Vec::new();
    let mut open: FxHashMap<(SourceId, (u64, u64)), usize> = FxHashMap::default();
    let mut attempts: FxHashMap<(SourceId, u64, Arc<str>), usize> = FxHashMap::default();
    for error in errors {
        // Traefik says why a body broke off, then whose it was.
        if error.edge == Edge::Traefik
            && error.after_headers
            && error.is_about_request()
            && let Some(group) = groups
                .iter_mut()
                .rev()
                .take(READ_ERRORS_MAX)
                .find(|group| explains(group, &error))
        {
            group.push(error);
            continue;
        }
        if error.edge != Edge::Traefik
            && !error.is_about_moment()
            && let (None, Some(path)) = (error.client, error.path)
        {
            let tried = (error.place.source, path, Arc::clone(&error.upstream));
            match attempts.get(&tried).filter(|_| error.goes_on) {
                Some(&index) if is_soon(&groups[index], &error) => groups[index].push(error),
                _ => {
                    attempts.insert(tried, groups.len());
                    groups.push(vec![error]);
                }
            }
            continue;
        }
        let thread = (error.place.source, error.process);
        let groups_by_thread =
            error.is_about_moment() || error.edge == Edge::Apache && error.is_about_request();
        if groups_by_thread
            && let Some(&index) = open.get(&thread)
            && continues(&groups[index], &error)
        {
            groups[index].push(error);
            continue;
        }
        if groups_by_thread {
            open.insert(thread, groups.len());
        }
        groups.push(vec![error]);
    }
    let numbers = entry::numbers(records.iter());
    let mut transactions: Vec<Vec<HeldError>> =
        vec![Vec::new(); numbers.iter().max().map_or(0, |last| last + 1)];
    for (record, number) in records.into_iter().zip(numbers) {
        transactions[number].push(record);
    }
    groups.append(&mut transactions);
    groups.sort_by_key(|lines| lines.first().map(|line| line.place));
    let mut entries: Vec<Entry> = groups
        .into_iter()
        // Of an entry over several lines most often nothing went wrong.
        .filter(|lines| {
            (lines.iter()).any(|line| line.part == Part::Whole || line.finding.now.is_some())
        })
        .map(|lines| Entry::of(intake, lines))
        .collect();
    explain_held_down(&mut entries);
    entries
}

/// Varnish's words for a connection that it did not try, since the last one to that backend failed a moment ago
/// (`cache_conn_pool.c`: a quarter of a second after a refused connect, ten seconds after a local error).
const HELD_DOWN: &str = "fail errno 0 (Success)";
/// The longer of the two by default.
const HELD_DOWN_MILLIS: i64 = 10_000;

/// A backend that is held down failed for the reason of the last connect that was tried.
fn explain_held_down(entries: &mut [Entry]) {
    let mut tried: FxHashMap<(SourceId, String), (Stamp, Finding)> = FxHashMap::default();
    for entry in entries {
        let Some(finding) = entry.finding.filter(|_| entry.edge() == Edge::Varnish) else {
            continue;
        };
        let backend = (entry.source(), entry.upstream().to_owned());
        let is_held_down = finding
            .sign
            .is_some_and(|sign| knowledge::sign(sign).all.contains(&HELD_DOWN));
        if !is_held_down {
            tried.insert(backend, (entry.civil, finding));
        } else if let Some((at, known)) = tried.get(&backend)
            && (0..=HELD_DOWN_MILLIS).contains(&(entry.civil.0 - at.0))
            && finding
                .candidates()
                .iter()
                .any(|cause| known.cause == Some(cause))
        {
            entry.finding = Some(*known);
        }
    }
}

/// What went wrong in an attempt of which each line tells a part, and the line that says it: the first error on the last
/// connection, or what the connections before it failed of if that one did well.
fn of_attempt(lines: &[HeldError]) -> (Option<Finding>, usize) {
    let mut reused = false;
    let mut last: Option<(Finding, usize)> = None;
    let mut answer = None;
    let mut closer = None;
    let mut before = None;
    for (number, line) in lines.iter().enumerate() {
        if line.attempt.connects {
            reused = line.attempt.reuses;
            before = last.take().or(before);
            answer = None;
            closer = None;
        }
        let finding = match line.finding.if_reused.filter(|_| reused) {
            Some(finding) => Some(finding),
            None => line.finding.now,
        };
        let found = finding.map(|finding| (finding, number));
        // A status is the upstream's own only where nothing went wrong: an error is answered with one, too.
        if line.attempt.status.is_some() {
            answer = answer.or(found);
        } else if line.attempt.refines {
            closer = closer.or(found);
        } else {
            last = last.or(found);
        }
    }
    last.map(|error| closer.unwrap_or(error))
        .or(answer)
        .or(before)
        .map_or((None, 0), |(finding, number)| (Some(finding), number))
}

/// Whether a group is the read error that made Traefik give up the request of `next`: nobody's yet, and just before.
fn explains(group: &[HeldError], next: &HeldError) -> bool {
    /// Lines of other requests in between.
    const LINES_MAX: u64 = 8;
    let [read_error] = group else { return false };
    let place = read_error.place;
    read_error.edge == Edge::Traefik
        && read_error.after_headers
        && !read_error.is_about_request()
        && place.source == next.place.source
        && next.place.line.saturating_sub(place.line) <= LINES_MAX
        && next.civil.0 - read_error.civil.0 <= THREAD_MILLIS
}

/// Whether a further attempt comes within the time that attempts of one request may take.
fn is_soon(group: &[HeldError], next: &HeldError) -> bool {
    (group.last()).is_some_and(|last| {
        (0..=DURATION_MAX_MILLIS).contains(&(next.civil.0 - last.civil.0))
            && last.process == next.process
    })
}

/// Whether a line goes on with what its thread logged a moment ago: the same client, or none yet.
fn continues(group: &[HeldError], next: &HeldError) -> bool {
    let Some(last) = group.last() else {
        return false;
    };
    if next.is_about_moment() {
        return continues_event(last, next);
    }
    let same_client = |line: &HeldError| {
        line.client.is_none() || next.client.is_none() || line.client == next.client
    };
    // Where no process is named only neighbours are taken for one's.
    if next.process == (0, 0) && next.place.line - last.place.line > 1 {
        return false;
    }
    // A line that names no client begins a new event once the group has its client.
    let begins_anew =
        next.finding.about == About::Thread && group.iter().any(|line| line.client.is_some());
    (next.civil.0 - last.civil.0).abs() <= THREAD_MILLIS
        && group.iter().all(same_client)
        && !begins_anew
}

/// Whether a line goes on with the event of the line before it. lighttpd ends an event with the line that names the
/// request; of nghttpx only the line that counts the failures belongs to the one before it.
fn continues_event(last: &HeldError, next: &HeldError) -> bool {
    let is_one = !last.ends_event && (next.ends_event || next.edge == Edge::Lighttpd);
    is_one && (next.civil.0 - last.civil.0).abs() <= THREAD_MILLIS
}

impl Entry {
    fn of(intake: &Intake, lines: Vec<HeldError>) -> Self {
        let follow_ups = lines.iter().fold(0, |bits, line| bits | line.follow_ups);
        let of_line = |line: &HeldError| match line.finding.if_not_followed {
            Some((finding, literals)) if intake.follow_up_bits(literals) & follow_ups == 0 => {
                Some(finding)
            }
            _ => line.finding.now,
        };
        // That nghttpx counts a failure says something by itself only where nothing else does.
        let is_count =
            |line: &&HeldError| line.edge == Edge::Nghttpx && line.ends_event && lines.len() > 1;
        let (finding, decided) = if lines.iter().any(|line| line.part != Part::Whole) {
            of_attempt(&lines)
        } else {
            let telling = lines.iter().filter(|line| !is_count(line));
            let findings: Vec<Finding> = telling.filter_map(of_line).collect();
            let finding = combine_errors(&findings);
            let decided = lines.iter().position(|line| {
                (line.finding.now)
                    .is_some_and(|now| Some(now.sign) == finding.map(|found| found.sign))
            });
            (finding, decided.unwrap_or(0))
        };
        let timed = lines.iter().find(|line| line.is_timed);
        Self {
            at: timed.unwrap_or(&lines[0]).civil,
            civil: timed.unwrap_or(&lines[0]).civil,
            zone: timed.and_then(|line| line.zone),
            is_timed: timed.is_some(),
            finding,
            decided,
            lines,
        }
    }

    /// The entry at its moment in UTC, `zone` in minutes east of it.
    fn in_zone(mut self, zone: i32) -> Self {
        self.at = self.moment(zone);
        self
    }

    fn moment(&self, zone: i32) -> Stamp {
        self.civil.plus_secs(i64::from(zone) * -60)
    }

    fn edge(&self) -> Edge {
        self.lines[0].edge
    }

    fn source(&self) -> SourceId {
        self.lines[0].place.source
    }

    fn client(&self) -> Option<u64> {
        self.lines.iter().find_map(|line| line.client)
    }

    fn line_key(&self) -> Option<u64> {
        self.lines.iter().find_map(|line| line.line)
    }

    fn asked(&self) -> Option<u64> {
        self.lines.iter().find_map(|line| line.asked)
    }

    fn serial(&self) -> Option<u64> {
        self.lines.iter().find_map(|line| line.serial)
    }

    /// Begin of the path, where the lines cut it.
    fn head(&self) -> Option<u64> {
        self.lines.iter().find_map(|line| line.head)
    }

    /// The last status of the attempt.
    fn answered(&self) -> Option<u16> {
        (self.lines.iter().rev()).find_map(|line| line.attempt.status)
    }

    /// Bytes of the page with its text.
    fn page(&self) -> Option<u64> {
        self.lines.iter().find_map(|line| line.attempt.page)
    }

    /// Whether it is about an attempt after the first.
    fn is_again(&self) -> bool {
        self.lines.iter().any(|line| line.attempt.again)
    }

    fn path(&self) -> Option<u64> {
        self.lines.iter().find_map(|line| line.path)
    }

    fn upstream(&self) -> &str {
        self.lines
            .iter()
            .map(|line| &*line.upstream)
            .find(|name| !name.is_empty())
            .unwrap_or("")
    }

    fn is_after_headers(&self) -> bool {
        self.lines.iter().any(|line| line.after_headers)
    }

    fn is_about_request(&self) -> bool {
        self.lines.iter().any(HeldError::is_about_request)
            && !self.lines.iter().any(|line| line.attempt.background)
    }

    /// The status by which, and by its moment, it must be tied to a request.
    fn status(&self) -> Option<u16> {
        let first = &self.lines[0];
        (first.finding.about == About::Moment)
            .then_some(first.status)
            .flatten()
    }

    /// Whether it speaks of an upstream, as a sign that counts by itself.
    fn names_upstream(&self) -> bool {
        self.is_about_request() && self.status().is_none() && self.finding.is_some()
    }

    fn place(&self) -> Place {
        self.lines[self.decided].place
    }

    fn lend(&self, sign: &mut impl FnMut(&Sign<'_>)) {
        // A sign without a moment belongs to no incident.
        let Some(finding) = self.finding.filter(|_| self.is_timed) else {
            return;
        };
        let host = self
            .lines
            .iter()
            .map(|line| &*line.host)
            .find(|host| !host.is_empty())
            .unwrap_or("");
        sign(&Sign {
            at: self.at,
            place: self.place(),
            edge: self.edge(),
            host,
            upstream: self.upstream(),
            // An attempt that only its moment ties to a request may have been saved by the next.
            about_request: self.is_about_request() && self.status().is_none(),
            finding,
        });
    }

    /// Whether the outcome of a request allows this entry to be about it.
    fn fits(&self, held: &HeldRequest) -> bool {
        if self.edge() != held.edge && held.edge != Edge::Unknown {
            return false;
        }
        if self.edge() == Edge::Traefik {
            return self.fits_traefik(held);
        }
        // A client that only its address ties to the entry asks for many things, and so do many clients for one path:
        // the outcome must agree, and the path where the message names it.
        let is_exact = self.serial().is_some() && self.serial() == held.serial;
        if self.line_key().is_none() && !is_exact {
            return self.has_its_outcome(held)
                && self.has_its_status(held)
                && self.path().is_none_or(|path| path == held.url)
                && self.head().is_none_or(|head| Some(head) == held.head);
        }
        true
    }

    fn has_its_outcome(&self, held: &HeldRequest) -> bool {
        let is_answered =
            self.is_after_headers() || self.answered().is_some_and(|status| status < 500);
        if is_answered {
            held.outcome != Outcome::Failed
        } else {
            matches!(held.outcome, Outcome::Failed | Outcome::ClientAbort)
        }
    }

    /// Traefik's own answers have its status and a body of its own; a body that broke off has a good status.
    fn fits_traefik(&self, held: &HeldRequest) -> bool {
        let Some(status) = self.status() else {
            return held.outcome != Outcome::Failed
                && self.path().is_none_or(|path| path == held.url);
        };
        let may_be = |finding: Finding| {
            let causes = finding.candidates();
            let says = |cause| causes.iter().any(|known| known == cause);
            self.finding
                .and_then(|finding| finding.cause)
                .is_none_or(says)
        };
        held.status.0 == status
            && matches!(held.outcome, Outcome::Failed | Outcome::ClientAbort)
            && held.finding.is_none_or(|finding| {
                finding.confidence <= Confidence::Ambiguous || may_be(finding)
            })
    }

    /// Whether the client saw a status that the product answers with after this: refused is 503 in httpd, a close 502.
    fn has_its_status(&self, held: &HeldRequest) -> bool {
        let rule = self
            .finding
            .and_then(|finding| finding.sign)
            .map(knowledge::sign);
        rule.is_none_or(|rule| rule.statuses.is_empty() || rule.statuses.contains(&held.status.0))
    }

    /// Distance in milliseconds between the entry, if it stands at `at`, and the request; `None` where it cannot be.
    fn distance(&self, at: Stamp, held: &HeldRequest) -> Option<i64> {
        let duration = duration(held);
        // nginx stamps a request at its end, httpd at its start.
        let (from, to) = match knowledge::edge(self.edge()).stamps_start {
            true => (held.at.0, held.at.0 + duration),
            false if held.millis.is_none() && held.outcome == Outcome::Good => {
                (held.at.0 - LATE_ANSWER_MILLIS, held.at.0)
            }
            false => (held.at.0 - duration, held.at.0),
        };
        let possible = (from - SLACK_MILLIS..=to + SLACK_MILLIS).contains(&at.0);
        let ideal = match self.status() {
            Some(_) => second(ideal(self.edge(), held)),
            None => ideal(self.edge(), held),
        };
        let distance = (at.0 - ideal).abs();
        let is_near = self.status().is_none() || distance <= MOMENT_MILLIS;
        (possible && is_near).then_some(distance)
    }
}

/// Milliseconds that a request took, or may have taken.
fn duration(held: &HeldRequest) -> i64 {
    held.millis.map_or(DURATION_MAX_MILLIS, i64::from)
}

/// Whether the product's entries name what was asked for and no client.
const fn names_only_paths(edge: Edge) -> bool {
    matches!(
        edge,
        Edge::TrafficServer | Edge::Squid | Edge::Varnish | Edge::H2o
    )
}

/// Whether two names mean one server: one of them may lack the port.
fn is_same_server(one: &str, other: &str) -> bool {
    let is_port = |longer: &str, shorter: &str| {
        longer
            .strip_prefix(shorter)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    one == other || is_port(one, other) || is_port(other, one)
}

/// When an entry of that edge about the request should stand: at its end, as far as is known.
fn ideal(edge: Edge, held: &HeldRequest) -> i64 {
    if knowledge::edge(edge).stamps_start {
        held.at.0 + held.millis.map_or(0, i64::from)
    } else {
        held.at.0
    }
}

/// The stamp of a process log that is cut to the second.
const fn second(millis: i64) -> i64 {
    millis - millis.rem_euclid(1_000)
}

/// Requests by what an entry of one edge may name.
#[derive(Default)]
struct Index {
    serials: FxHashMap<u64, Timeline>,
    /// By connection and what was asked for: a connection that is kept alive serves many requests.
    asked_on: FxHashMap<(u64, u64), Timeline>,
    lines: FxHashMap<u64, Timeline>,
    asked: FxHashMap<u64, Timeline>,
    clients: FxHashMap<u64, Timeline>,
    /// By status, for entries that name nothing else (Traefik).
    statuses: FxHashMap<u64, Timeline>,
    /// By path, or the begin of a long one, for entries that name no client.
    paths: FxHashMap<u64, Timeline>,
    /// For keys that no request has.
    none: Timeline,
}

impl Index {
    fn of(edge: Edge, requests: &[HeldRequest], other_clients: bool) -> Self {
        let mut index = Self::default();
        for (number, held) in requests.iter().enumerate() {
            let (at, duration) = (ideal(edge, held), duration(held));
            let add = |map: &mut FxHashMap<u64, Timeline>, key: u64| {
                map.entry(key).or_default().push(at, number, duration);
            };
            if let Some(serial) = held.serial {
                add(&mut index.serials, serial);
                let on = index.asked_on.entry((serial, held.asked)).or_default();
                on.push(at, number, duration);
            }
            add(&mut index.lines, held.line);
            if names_only_paths(edge) || edge == Edge::Traefik {
                add(&mut index.paths, held.url);
            }
            // nginx names the request with the client.
            if let Some(head) = held.head.filter(|_| names_only_paths(edge)) {
                add(&mut index.paths, head);
            }
            if edge == Edge::Apache {
                add(&mut index.clients, held.client);
            } else if edge == Edge::Traefik {
                let status = index.statuses.entry(u64::from(held.status.0)).or_default();
                status.push(second(at), number, duration);
            } else if other_clients {
                add(&mut index.asked, held.asked);
            }
        }
        // Each is sorted on its own: the map's order shows nowhere.
        for timeline in (index.serials.values_mut())
            .chain(index.asked_on.values_mut())
            .chain(index.lines.values_mut())
            .chain(index.asked.values_mut())
            .chain(index.clients.values_mut())
            .chain(index.statuses.values_mut())
            .chain(index.paths.values_mut())
        {
            timeline.sort();
        }
        index
    }

    /// Requests that the entry may be about, and whether the key is exact.
    fn candidates(&self, entry: &Entry, other_clients: bool) -> (&Timeline, bool) {
        fn of(map: &FxHashMap<u64, Timeline>, key: Option<u64>) -> Option<&Timeline> {
            key.and_then(|key| map.get(&key))
        }
        if let Some(status) = entry.status() {
            let found = self.statuses.get(&u64::from(status));
            return (found.unwrap_or(&self.none), false);
        }
        let exact = match (entry.serial(), entry.asked()) {
            (Some(serial), Some(asked)) => self.asked_on.get(&(serial, asked)),
            (serial, _) => of(&self.serials, serial),
        };
        if let Some(found) = exact {
            return (found, true);
        }
        let by_asked = entry.asked().filter(|_| other_clients);
        let found = of(&self.lines, entry.line_key())
            .or_else(|| of(&self.clients, entry.client()))
            .or_else(|| of(&self.asked, by_asked))
            .or_else(|| of(&self.paths, entry.path().or(entry.head())))
            // A layout that writes the target in another form than the error log does.
            .or_else(|| of(&self.serials, entry.serial()))
            .unwrap_or(&self.none);
        (found, false)
    }
}

/// One index for each edge that wrote entries.
struct Indexes {
    by_edge: BTreeMap<Edge, Index>,
    /// Error logs that name other clients than the access logs do: a balancer before the edge where those name whom it
    /// forwards for, or addresses that the access logs cut. What was asked for, and when, must do.
    other_clients: BTreeSet<SourceId>,
    passed: Passed,
}

impl Indexes {
    fn of(requests: &[HeldRequest], entries: &[Entry], passed: Passed) -> Self {
        let mut by_edge = BTreeMap::new();
        let clients: FxHashSet<u64> = requests.iter().map(|held| held.client).collect();
        let mut other_clients: BTreeSet<SourceId> = entries.iter().map(Entry::source).collect();
        for entry in entries {
            if entry
                .client()
                .is_some_and(|client| clients.contains(&client))
            {
                other_clients.remove(&entry.source());
            }
        }
        for edge in entries.iter().map(Entry::edge) {
            by_edge
                .entry(edge)
                .or_insert_with(|| Index::of(edge, requests, !other_clients.is_empty()));
        }
        Self {
            by_edge,
            other_clients,
            passed,
        }
    }

    /// First and last stamp of all requests, which are in order.
    fn span(&self, requests: &[HeldRequest]) -> Option<(Stamp, Stamp)> {
        let (first, last) = match (requests.first(), requests.last()) {
            (Some(first), Some(last)) => (first.at, last.at),
            _ => return self.passed.span,
        };
        Some(self.passed.span.map_or((first, last), |(start, end)| {
            (first.min(start), last.max(end))
        }))
    }

    fn candidates(&self, entry: &Entry) -> (&Timeline, bool) {
        // There is an index for the edge of every entry.
        self.by_edge[&entry.edge()].candidates(entry, self.other_clients.contains(&entry.source()))
    }
}

/// The zone of each error log, and the logs that are about none of these requests.
#[derive(Default)]
struct Zones {
    by_source: BTreeMap<SourceId, i32>,
    /// Error logs of another site, or of another time: where lines agree, they do so by chance.
    unrelated: BTreeSet<SourceId>,
}

/// Zones in which the entries of one error log could be about requests, with the number of entries.
#[derive(Default)]
struct Votes {
    /// Entry and request have the same stamp.
    close: BTreeMap<i32, u64>,
    /// The request may have taken so long.
    far: BTreeMap<i32, u64>,
    /// Numbers of the entries that were asked.
    heard: Vec<usize>,
    pairs: usize,
}

/// The zone of each error log: what most entries agree on, by their stamps alone if they can; on a tie that of the
/// access logs, then the smaller offset. Where no entry speaks, that of the other error logs or of the access logs.
fn zones(
    requests: &[HeldRequest],
    entries: &[Entry],
    indexes: &Indexes,
    sources: &Sources,
    told: Option<i32>,
) -> Zones {
    let votes = votes(requests, entries, indexes, told);
    let own = sources.offsets();
    let best = |votes: &BTreeMap<i32, u64>| {
        votes
            .iter()
            .max_by_key(|(zone, n)| {
                (
                    **n,
                    own.contains(zone),
                    Reverse(zone.abs()),
                    Reverse(**zone),
                )
            })
            .map(|(zone, _)| *zone)
    };
    let mut found = Zones::default();
    let mut open = Vec::new();
    for (source, votes) in &votes {
        let zone = best(&votes.close).or_else(|| best(&votes.far));
        match zone.filter(|zone| is_related(*zone, votes, requests, entries, indexes, &own)) {
            Some(zone) => {
                found.by_source.insert(*source, zone);
            }
            None => open.push((*source, zone.is_some())),
        }
    }
    let mut all: BTreeMap<i32, u64> = BTreeMap::new();
    for zone in found.by_source.values() {
        *all.entry(*zone).or_default() += 1;
    }
    let other = told
        .or_else(|| best(&all))
        .or_else(|| access_zone(requests, &indexes.passed, sources))
        .unwrap_or(0);
    for (source, is_unrelated) in open {
        found.by_source.insert(source, other);
        if is_unrelated {
            found.unrelated.insert(source);
        }
    }
    found
}

fn votes(
    requests: &[HeldRequest],
    entries: &[Entry],
    indexes: &Indexes,
    told: Option<i32>,
) -> BTreeMap<SourceId, Votes> {
    let mut all: BTreeMap<SourceId, Votes> = BTreeMap::new();
    let mut voters: Vec<(usize, usize)> = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        all.entry(entry.source()).or_default();
        if told.is_none() && entry.zone.is_none() && entry.is_timed {
            voters.push((indexes.candidates(entry).0.len(), number));
        }
    }
    voters.sort_unstable();
    for (pairs, number) in voters {
        let entry = &entries[number];
        let votes = all.entry(entry.source()).or_default();
        if pairs == 0 || votes.pairs > VOTES_MAX {
            continue;
        }
        votes.pairs += pairs;
        votes.heard.push(number);
        let candidates = indexes.candidates(entry).0;
        for zone in possible_zones(entry, candidates, requests) {
            *votes.far.entry(zone).or_default() += 1;
            if is_close(entry, zone, candidates) {
                *votes.close.entry(zone).or_default() += 1;
            }
        }
    }
    all
}

/// Whether so many entries agree on `zone` that the log must be about these requests. Of the entries of another site
/// that fall into the time of the requests a few in a hundred agree by chance: crawlers ask every site for the same
/// paths.
fn is_related(
    zone: i32,
    votes: &Votes,
    requests: &[HeldRequest],
    entries: &[Entry],
    indexes: &Indexes,
    own: &[i32],
) -> bool {
    /// One in so many must agree: error logs are shared by sites of which not all access logs may be given.
    const CLOSE_SHARE: u64 = 10;
    /// The same where stamps differ by how long the answer took.
    const FAR_SHARE: u64 = 2;
    let Some((first, last)) = indexes.span(requests) else {
        return false;
    };
    // Clocks may have changed within the log.
    let zones: Vec<i32> =
        std::iter::once(zone)
            .chain(own.iter().copied().filter(|other| {
                *other != zone && (other - zone).abs() <= Summer::SHIFT_MAX_MINUTES
            }))
            .collect();
    let by_asked = (votes.heard.iter())
        .any(|number| indexes.other_clients.contains(&entries[*number].source()));
    let share = if votes.close.is_empty() || by_asked {
        FAR_SHARE
    } else {
        CLOSE_SHARE
    };
    let span = first.0 - DURATION_MAX_MILLIS..=last.0 + DURATION_MAX_MILLIS;
    let (mut inside, mut agree) = (0, 0);
    for entry in votes.heard.iter().map(|number| &entries[*number]) {
        let candidates = indexes.candidates(entry).0;
        let agrees = zones.iter().any(|zone| {
            if votes.close.is_empty() {
                is_possible(entry, *zone, candidates, requests)
            } else {
                is_close(entry, *zone, candidates)
            }
        });
        inside += u64::from(span.contains(&entry.moment(zone).0));
        agree += u64::from(agrees);
    }
    agree > 0 && agree * share >= inside
}

/// The zone of each entry where summer time begins or ends within an error log. That it does, the stamps of the access
/// logs must show: they carry their offset.
struct Summer {
    /// Where nothing tells.
    likely: i32,
    /// The zone of each error log for most of its length.
    zones: BTreeMap<SourceId, i32>,
    /// Of the entry before.
    now: BTreeMap<SourceId, i32>,
    /// Offsets in the access logs; none where the user told the zone.
    offsets: Vec<i32>,
}

impl Summer {
    /// Clocks change by an hour, on Lord Howe Island by half of one.
    const SHIFT_MAX_MINUTES: i32 = 60;

    fn of(sources: &Sources, zones: BTreeMap<SourceId, i32>, told: Option<i32>) -> Self {
        Self {
            now: zones.clone(),
            zones,
            likely: told.or(sources.zone()).unwrap_or(0),
            offsets: told.map_or_else(|| sources.offsets(), |_| Vec::new()),
        }
    }

    /// The zone that most entries of the source are in; where nothing was joined, that of the access logs.
    fn most(&self, source: SourceId) -> i32 {
        self.zones.get(&source).copied().unwrap_or(self.likely)
    }

    /// The zone of the next entry in the order of place: that of the entry before, unless only the other fits a
    /// request.
    fn zone(&mut self, entry: &Entry, candidates: &Timeline, requests: &[HeldRequest]) -> i32 {
        if let Some(zone) = entry.zone {
            return zone;
        }
        let source = entry.source();
        let most = self.most(source);
        let now = self.now.entry(source).or_insert(most);
        let shifted = |zone: &&i32| (**zone - most).abs() <= Self::SHIFT_MAX_MINUTES;
        let others = self.offsets.iter().filter(shifted);
        if self.offsets.len() > 1
            && self.offsets.contains(&most)
            && !is_possible(entry, *now, candidates, requests)
        {
            let fits = |zone: &i32| is_possible(entry, *zone, candidates, requests);
            *now = others.copied().find(fits).unwrap_or(*now);
        }
        *now
    }
}

/// Whether an entry stands where one about one of the requests should if its log has that zone.
fn is_close(entry: &Entry, zone: i32, candidates: &Timeline) -> bool {
    let at = entry.moment(zone).0;
    let mut near = candidates.between(at - SLACK_MILLIS, at + SLACK_MILLIS);
    near.next().is_some()
}

/// Whether an entry can be about one of the requests if its log has that zone.
fn is_possible(entry: &Entry, zone: i32, candidates: &Timeline, requests: &[HeldRequest]) -> bool {
    let at = entry.moment(zone);
    let far = candidates.reach() + SLACK_MILLIS;
    let mut near = candidates.between(at.0 - far, at.0 + far);
    near.any(|number| {
        let held = &requests[number];
        entry.distance(at, held).is_some() && entry.fits(held)
    })
}

/// Zones in which an entry could be about one of the requests, each once.
fn possible_zones(entry: &Entry, candidates: &Timeline, requests: &[HeldRequest]) -> Vec<i32> {
    let mut seen = Vec::new();
    for held in candidates
        .numbers()
        .map(|number| &requests[number])
        .filter(|held| entry.fits(held))
    {
        let minutes = (entry.civil.0 - held.at.0) as f64 / 60_000.0;
        let zone = (minutes / ZONE_STEP_MINUTES as f64).round() as i64 * ZONE_STEP_MINUTES;
        let at = entry.civil.plus_secs(-zone * 60);
        // No place on earth is further from Greenwich than 14 hours.
        if zone.abs() <= 14 * 60
            && entry.distance(at, held).is_some()
            && !seen.contains(&(zone as i32))
        {
            seen.push(zone as i32);
        }
    }
    seen
}

fn access_zone(requests: &[HeldRequest], passed: &Passed, sources: &Sources) -> Option<i32> {
    let mut places = passed.sources.clone();
    places.extend(requests.iter().map(|held| held.place.source));
    places
        .into_iter()
        .find_map(|source| sources.get(source)?.zone())
        .or_else(|| sources.zone())
}

/// For each entry the request it is about, and whether the key was exact. One to one per attempt, nearest in time
/// first, ties by the order of events.
fn join(
    requests: &[HeldRequest],
    entries: &[Entry],
    indexes: &Indexes,
    unrelated: &BTreeSet<SourceId>,
) -> Vec<Option<(usize, bool)>> {
    let mut joined: Vec<Option<(usize, bool)>> = vec![None; entries.len()];
    let mut taken: Vec<Vec<usize>> = vec![Vec::new(); requests.len()];
    let mut searches: Vec<Search<'_>> = entries
        .iter()
        .map(|entry| Search::of(entry, indexes.candidates(entry)))
        .collect();
    // The nearest pair of all comes first, then the next. Entries are in order of place and requests in order of
    // events, so their numbers settle ties.
    let mut pairs = BinaryHeap::new();
    join_moments(requests, entries, unrelated, &mut joined, &mut taken);
    for (number, search) in searches.iter_mut().enumerate() {
        search.prefer_unfinished(requests);
        if search.entry.status().is_some() || !search.is_alone(requests) {
            continue;
        }
        let entry = search.entry;
        if entry.is_about_request() && entry.is_timed && !unrelated.contains(&entry.source()) {
            let first = search.next(requests).or_else(|| search.saved(requests));
            pairs.extend(first.map(|(distance, request)| Reverse((distance, number, request))));
        }
    }
    while let Some(Reverse((_, number, request))) = pairs.pop() {
        let search = &mut searches[number];
        if has_room(&requests[request], &taken[request], entries, number) {
            joined[number] = Some((request, search.exact));
            taken[request].push(number);
            continue;
        }
        search.full += 1;
        if search.full < FULL_MAX {
            let next = search.next(requests);
            pairs.extend(next.map(|(distance, request)| Reverse((distance, number, request))));
        }
    }
    join_in_order(requests, entries, indexes, &taken, &mut joined);
    joined
}

/// Entries without a stamp: those about one path are, in their order, about the requests for it, in theirs, if there
/// are as many of both. Where the edge answers with the text of the entry, the size of the answer must be its length, if
/// that leaves as many.
fn join_in_order(
    requests: &[HeldRequest],
    entries: &[Entry],
    indexes: &Indexes,
    taken: &[Vec<usize>],
    joined: &mut [Option<(usize, bool)>],
) {
    let mut alike: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (number, entry) in entries.iter().enumerate() {
        if !entry.is_timed && entry.is_about_request() {
            let key = (entry.source(), entry.path(), entry.head());
            let kind = (entry.page(), entry.is_after_headers());
            alike.entry((key, kind)).or_default().push(number);
        }
    }
    for numbers in alike.values() {
        let Some(first) = numbers.first().map(|number| &entries[*number]) else {
            continue;
        };
        let mut fitting: Vec<usize> = (indexes.candidates(first).0.numbers())
            .filter(|number| taken[*number].is_empty() && first.fits(&requests[*number]))
            .collect();
        fitting.sort_unstable();
        let sized: Vec<usize> = (fitting.iter().copied())
            .filter(|number| first.page().is_some() && requests[*number].bytes == first.page())
            .collect();
        let ours = if sized.len() == numbers.len() {
            sized
        } else {
            fitting
        };
        if ours.len() == numbers.len() {
            for (entry, request) in numbers.iter().zip(ours) {
                joined[*entry] = Some((request, false));
            }
        }
    }
}

/// Ties entries that name nothing but a status to requests: in the order in which both were written, at the same moment.
fn join_moments(
    requests: &[HeldRequest],
    entries: &[Entry],
    unrelated: &BTreeSet<SourceId>,
    joined: &mut [Option<(usize, bool)>],
    taken: &mut [Vec<usize>],
) {
    let unclear = unclear(entries);
    let mut by_status: BTreeMap<u16, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (number, entry) in entries.iter().enumerate() {
        let is_meant = !unclear.contains(&number) && !unrelated.contains(&entry.source());
        if let Some(status) = entry.status().filter(|_| is_meant) {
            by_status.entry(status).or_default().0.push(number);
        }
    }
    for (number, held) in requests.iter().enumerate() {
        if let Some((_, asked)) = by_status.get_mut(&held.status.0) {
            asked.push(number);
        }
    }
    for (said, asked) in by_status.values_mut() {
        let edge = said
            .first()
            .map_or(Edge::Unknown, |entry| entries[*entry].edge());
        let ended = |number: usize| second(ideal(edge, &requests[number]));
        said.sort_unstable_by_key(|number| (entries[*number].at, *number));
        asked.sort_unstable_by_key(|number| (ended(*number), *number));
        let mut said = said.iter().copied().peekable();
        let mut asked = asked.iter().copied().peekable();
        while let (Some(&entry), Some(&request)) = (said.peek(), asked.peek()) {
            let apart = entries[entry].at.0 - ended(request);
            if apart > MOMENT_MILLIS || !entries[entry].fits(&requests[request]) {
                asked.next();
                continue;
            }
            said.next();
            let is_near = apart >= -MOMENT_MILLIS;
            if is_near && has_room(&requests[request], &taken[request], entries, entry) {
                joined[entry] = Some((request, false));
                taken[request].push(entry);
                asked.next();
            }
        }
    }
}

/// Entries that only status and moment tie to a request, beside which another one says otherwise: which is whose
/// nobody can tell, unless they are about different upstreams.
fn unclear(entries: &[Entry]) -> FxHashSet<usize> {
    let mut by_moment: Vec<(SourceId, u16, Stamp, usize)> = entries
        .iter()
        .enumerate()
        .filter_map(|(number, entry)| Some((entry.source(), entry.status()?, entry.at, number)))
        .collect();
    by_moment.sort_unstable();
    let mut unclear = FxHashSet::default();
    let differ = |one: &Entry, other: &Entry| {
        let (here, there) = (one.upstream(), other.upstream());
        let may_be_one = here.is_empty() || there.is_empty() || here == there;
        let cause = |entry: &Entry| entry.finding.and_then(|finding| finding.cause);
        may_be_one && cause(one) != cause(other)
    };
    // A moment holds few entries, and once two of them differ the rest of it need not be looked at.
    let mut first = 0;
    for at in 0..by_moment.len() {
        let (source, status, stamp, number) = by_moment[at];
        while by_moment[first].0 != source
            || by_moment[first].1 != status
            || stamp.0 - by_moment[first].2.0 > 2 * MOMENT_MILLIS
        {
            first += 1;
        }
        for &(_, _, _, other) in by_moment[first..at].iter().rev().take(NEIGHBOURS_MAX) {
            if differ(&entries[number], &entries[other]) {
                unclear.insert(number);
                unclear.insert(other);
            }
        }
    }
    unclear
}

/// The way of one entry through the requests that it may be about, nearest first.
struct Search<'a> {
    entry: &'a Entry,
    candidates: &'a Timeline,
    exact: bool,
    walk: Nearest<'a>,
    /// Requests met that had no attempt left.
    full: u32,
    /// Only requests will do that are known to have been left unfinished.
    unfinished: bool,
}

impl<'a> Search<'a> {
    fn of(entry: &'a Entry, (candidates, exact): (&'a Timeline, bool)) -> Self {
        Self {
            entry,
            candidates,
            exact,
            walk: candidates.from(entry.at.0),
            full: 0,
            unfinished: false,
        }
    }

    /// Looks for unfinished ones, where the access log tells them.
    fn prefer_unfinished(&mut self, requests: &[HeldRequest]) {
        self.unfinished = self.is_by_path()
            && (self.near(requests)).any(|held| held.outcome == Outcome::ClientAbort);
    }

    /// Distance and number of the next request that the entry can be about.
    fn next(&mut self, requests: &[HeldRequest]) -> Option<(i64, usize)> {
        let far = self.candidates.reach() + SLACK_MILLIS;
        loop {
            let (distance, number) = self.walk.next().filter(|(distance, _)| *distance <= far)?;
            let held = &requests[number];
            let is_meant = !self.unfinished || held.outcome == Outcome::ClientAbort;
            if is_meant
                && self.entry.distance(self.entry.at, held).is_some()
                && self.entry.fits(held)
            {
                return Some((distance, number));
            }
        }
    }

    /// Whether only one request can be meant, where nothing but path and moment tell which (Traefik).
    fn is_alone(&self, requests: &[HeldRequest]) -> bool {
        self.unfinished || !self.is_by_path() || self.near(requests).take(2).count() < 2
    }

    /// Whether nothing but path and moment ties the entry to a request.
    fn is_by_path(&self) -> bool {
        self.entry.edge() == Edge::Traefik
            && self.entry.status().is_none()
            && self.entry.path().is_some()
            && !self.exact
    }

    /// Requests that ended as such an entry was written.
    fn near<'b>(&'b self, requests: &'b [HeldRequest]) -> impl Iterator<Item = &'b HeldRequest> {
        let at = self.entry.at.0;
        let far = self.candidates.reach() + SLACK_MILLIS;
        let near = self.candidates.between(at - far, at + far);
        near.map(|number| &requests[number]).filter(move |held| {
            let ended = second(ideal(self.entry.edge(), held));
            (at - ended).abs() <= MOMENT_MILLIS && self.entry.fits(held)
        })
    }

    /// See [`saved`]. Never exact, and there is no other.
    fn saved(&mut self, requests: &[HeldRequest]) -> Option<(i64, usize)> {
        self.exact = false;
        self.full = FULL_MAX;
        saved(requests, self.entry, self.candidates).map(|number| (0, number))
    }
}

/// A failed attempt of httpd names only a client, one of Varnish only a path, and another attempt may have done well:
/// the one request of this client or path at that moment, if there is only one.
fn saved(requests: &[HeldRequest], entry: &Entry, candidates: &Timeline) -> Option<usize> {
    let names_only_client =
        entry.line_key().is_none() && (entry.serial().is_none() || entry.edge() == Edge::Varnish);
    let may_be_saved = entry.edge() == Edge::Apache || names_only_paths(entry.edge());
    if !may_be_saved || !names_only_client || entry.is_after_headers() {
        return None;
    }
    let (from, to) = (entry.at.0 - SLACK_MILLIS, entry.at.0 + SLACK_MILLIS);
    let near = candidates.between(from, to + candidates.reach());
    let mut at_once = near.filter(|candidate| {
        let held = &requests[*candidate];
        (entry.at.0 - held.at.0).abs() <= SLACK_MILLIS && held.outcome == Outcome::Good
    });
    let only = at_once.next()?;
    at_once.next().is_none().then_some(only)
}

/// Whether a request has an attempt left for one more entry: one on that upstream that failed, or whose body the
/// entry is about. A request whose attempts are not logged may have tried each upstream once.
fn has_room(held: &HeldRequest, taken: &[usize], entries: &[Entry], entry: usize) -> bool {
    let entry = &entries[entry];
    let upstream = entry.upstream();
    let same = taken
        .iter()
        .filter(|other| is_same_server(entries[**other].upstream(), upstream))
        .count();
    // httpd logs only the last member that it tried.
    let are_known = entry.edge() != Edge::Apache
        && (held.attempts.iter()).any(|attempt| !attempt.upstream.is_empty());
    if upstream.is_empty() || !are_known {
        return same == 0 || entry.is_again();
    }
    let may_fail = |(index, attempt): &(usize, &HeldAttempt)| {
        attempt.finding.is_some()
            // What decided the request failed, whatever its status says: nginx's 009 is a 200.
            || held.decided_by == Some(*index)
            || entry.is_after_headers()
            || held.outcome == Outcome::ClientAbort
    };
    let of_it = (held.attempts.iter().enumerate())
        .filter(|(_, attempt)| is_same_server(&attempt.upstream, upstream));
    same < of_it.filter(may_fail).count()
}

/// Gives a request what the entries joined to it say; returns the line that decided.
fn apply(held: &mut HeldRequest, joined: &[&Entry]) -> Option<Place> {
    if joined.is_empty() {
        return None;
    }
    add_attempts(held, joined);
    for attempt in &mut held.attempts {
        let own: Vec<Finding> = findings(joined, |entry| {
            is_same_server(entry.upstream(), &attempt.upstream)
        });
        if let (Some(finding), false) = (attempt.finding, own.is_empty()) {
            attempt.finding = Some(combine(finding, &own));
        }
    }
    match held.outcome {
        Outcome::Failed | Outcome::Hidden => {
            let deciding = held
                .decided_by
                .and_then(|index| held.attempts.get(index))
                .map(|attempt| attempt.upstream.clone());
            let last = joined
                .iter()
                .max_by_key(|entry| (entry.at, entry.place()))
                .map(|entry| entry.upstream());
            let upstream = deciding.as_deref().or(last).unwrap_or("");
            let mut own = findings(joined, |entry| is_same_server(entry.upstream(), upstream));
            if own.is_empty() {
                own = findings(joined, |_| true);
            }
            let access = held.finding.unwrap_or(Finding::unknown(None, true));
            held.finding = Some(combine(access, &own));
        }
        Outcome::Good | Outcome::SavedByRetry => good_with_errors(held, joined),
        Outcome::ClientAbort => abort_with_errors(held, joined),
    }
    let sign = held.finding.and_then(|finding| finding.sign);
    let deciding = joined
        .iter()
        .find(|entry| entry.finding.is_some_and(|finding| finding.sign == sign));
    deciding
        .or(joined.iter().min_by_key(|entry| entry.place()))
        .map(|entry| entry.place())
}

/// For how long what a server did is the reason why it is left out: health checks and retries come more often.
const LEFT_OUT_MILLIS: i64 = 600_000;

/// When entries tell of servers that failed, other than by the pool being empty, by edge.
fn first_failures(entries: &[Entry]) -> BTreeMap<Edge, Vec<i64>> {
    let mut failures: BTreeMap<Edge, Vec<i64>> = BTreeMap::new();
    for entry in entries {
        let times = failures.entry(entry.edge()).or_default();
        if entry.finding.is_some_and(is_first_failure) {
            times.push(entry.at.0);
        }
    }
    failures
}

/// Whether it is a server's failure, and not what follows from one.
fn is_first_failure(finding: Finding) -> bool {
    finding.cause.is_some_and(|cause| {
        matches!(
            cause.layer(),
            model::Layer::Connection | model::Layer::Response | model::Layer::Application
        ) && !matches!(cause, Cause::NoLiveUpstream | Cause::NoUpstreamRegistered)
    })
}

/// Caddy and Traefik have the same words for a pool whose servers are all left out and for one that has none. Servers
/// that failed a short while ago tell the first; where the process log knows of none, either may be.
fn dead_pools(requests: &mut [HeldRequest], mut failures: BTreeMap<Edge, Vec<i64>>) {
    // Without a process log most failures have gone by, and none is known here.
    failures.retain(|edge, _| matches!(edge, Edge::Caddy | Edge::Traefik));
    for held in requests.iter() {
        if held.outcome == Outcome::Failed
            && held.finding.is_some_and(is_first_failure)
            && let Some(times) = failures.get_mut(&held.edge)
        {
            times.push(held.at.0);
        }
    }
    for times in failures.values_mut() {
        times.sort_unstable();
    }
    for held in requests {
        let (Some(times), Some(finding)) = (failures.get(&held.edge), &mut held.finding) else {
            continue;
        };
        let is_dead = finding.cause == Some(Cause::NoLiveUpstream);
        let is_open = !finding.also.is_empty() && finding.confidence < Confidence::Certain;
        let before = times.partition_point(|at| *at <= held.at.0 + SLACK_MILLIS);
        let last = before.checked_sub(1).and_then(|last| times.get(last));
        if is_dead && is_open {
            let has_reason = last.is_some_and(|at| held.at.0 - at <= LEFT_OUT_MILLIS);
            finding.confidence = match has_reason {
                true => Confidence::Likely,
                false => Confidence::Ambiguous,
            };
        }
    }
}

/// Drops the second of two lines about one request: the 502 that came about first says more than the 500 in its place.
/// Where the product is unknown it must have no size: httpd writes so for a worker that sent nothing, nginx never.
fn drop_twins(requests: &mut Vec<HeldRequest>) {
    let key = |held: &HeldRequest| (held.at, held.place.source, held.line);
    let is_first = |held: &&HeldRequest| {
        held.may_be_twin
            && held.status.0 == 502
            && (held.edge == Edge::Apache || held.bytes.is_none())
    };
    let first: FxHashSet<_> = requests.iter().filter(is_first).map(key).collect();
    if !first.is_empty() {
        let is_second = |held: &HeldRequest| held.may_be_twin && held.status.0 == 500;
        requests.retain(|held| !(is_second(held) && first.contains(&key(held))));
    }
}

/// What the entries say of servers, without a request.
fn states(entries: &[Entry]) -> States<'_> {
    let mut states = States::default();
    for entry in entries {
        if let Some(finding) = entry.finding
            && entry.lines.iter().any(HeldError::is_about_server)
        {
            let edge = entry.edge();
            states.push(edge, entry.at, entry.place(), entry.upstream(), finding);
        }
    }
    states.sort();
    states
}

/// Notes what a line about the server says of the request.
fn explain(held: &mut HeldRequest, finding: Finding) {
    held.finding = Some(finding);
    let decided = held
        .decided_by
        .and_then(|index| held.attempts.get_mut(index));
    if let Some(attempt) = decided.filter(|attempt| attempt.finding.is_some()) {
        attempt.finding = Some(finding);
    }
}

/// Attempts of a layout that does not log them, from the entries that name the upstream.
fn add_attempts(held: &mut HeldRequest, joined: &[&Entry]) {
    if held
        .attempts
        .iter()
        .any(|attempt| !attempt.upstream.is_empty())
    {
        return;
    }
    held.attempts.clear();
    let mut by_time: Vec<&&Entry> = joined
        .iter()
        .filter(|entry| !entry.upstream().is_empty())
        .collect();
    by_time.sort_by_key(|entry| (entry.at, entry.place()));
    held.attempts.extend(by_time.into_iter().map(|entry| {
        HeldAttempt {
            upstream: entry.upstream().into(),
            is_group: entry
                .finding
                .is_some_and(|finding| finding.cause == Some(Cause::NoLiveUpstream)),
            status: None,
            millis: None,
            finding: entry.finding,
        }
    }));
}

fn findings(joined: &[&Entry], is_meant: impl Fn(&Entry) -> bool) -> Vec<Finding> {
    joined
        .iter()
        .filter(|entry| is_meant(entry))
        .filter_map(|entry| entry.finding)
        .collect()
}

/// The access line leaves open whether the client left or the body broke off; the error log tells.
fn abort_with_errors(held: &mut HeldRequest, joined: &[&Entry]) {
    let Some(access) = held.finding else { return };
    if access.confidence == Confidence::Certain {
        return;
    }
    let found = combine(access, &findings(joined, |_| true));
    held.finding = Some(found);
    if found.confidence > Confidence::Ambiguous && found.cause != Some(Cause::ClientAbort) {
        held.outcome = Outcome::Hidden;
    }
}

/// The client saw a good status and the error log speaks all the same: the body was cut, or a retry saved it.
fn good_with_errors(held: &mut HeldRequest, joined: &[&Entry]) {
    let after: Vec<Finding> = findings(joined, |entry| {
        let broken = |finding: Finding| {
            // Several causes in question, but all of them after the headers: the body is broken all the same.
            finding.confidence >= Confidence::Ambiguous
                && matches!(
                    finding.cause,
                    Some(Cause::TruncatedBody | Cause::MalformedResponse | Cause::ReadTimeout)
                )
        };
        entry.is_after_headers() && entry.finding.is_some_and(broken)
    });
    if let Some(finding) = combine_errors(&after) {
        held.outcome = Outcome::Hidden;
        held.finding = Some(finding);
        return;
    }
    let left = findings(joined, |entry| {
        let is_abort = |finding: Finding| finding.cause == Some(Cause::ClientAbort);
        entry.is_after_headers() && entry.finding.is_some_and(is_abort)
    });
    if let Some(finding) = combine_errors(&left) {
        held.outcome = Outcome::ClientAbort;
        held.finding = Some(finding);
        return;
    }
    let saved: Vec<Finding> = findings(joined, |entry| {
        let failed_attempt = |finding: Finding| {
            finding.cause.is_some_and(|cause| match cause.layer() {
                model::Layer::Connection | model::Layer::Response => true,
                _ => cause == Cause::ReadTimeout,
            })
        };
        !entry.is_after_headers() && entry.finding.is_some_and(failed_attempt)
    });
    if let Some(finding) = combine_errors(&saved) {
        held.outcome = Outcome::SavedByRetry;
        held.finding = Some(finding);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use model::LogKind;

    use super::*;
    use crate::{Chunk, Filter, Formats, Ranges, Scanned, Secret, Settings, Take};

    const DAY: &str = "2026/11/22";

    /// `hh:mm:ss` after so many seconds.
    fn clock(at: u32) -> String {
        format!("{:02}:{:02}:{:02}", at / 3_600, at / 60 % 60, at % 60)
    }

    fn access(at: u32, client: &str, target: &str, status: u16) -> String {
        format!(
            "{client} - - [22/Nov/2026:{} +0530] \"GET {target} HTTP/1.1\" {status} 157 \"-\" \"Mozilla/5.0\"\n",
            clock(at)
        )
    }

    fn refused(at: u32, client: &str, target: &str) -> String {
        format!(
            "{DAY} {} [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: {client}, server: shop.example, request: \"GET {target} HTTP/1.1\", upstream: \"http://198.51.100.1:8080{target}\", host: \"shop.example\"\n",
            clock(at)
        )
    }

    /// Reads both logs; gives how the join went and how many were saved by a retry.
    fn join_of(access: &str, errors: &str) -> (Joined, usize) {
        let mut saved = 0;
        let joined = settled(access, errors, &mut |request| {
            saved += usize::from(request.outcome == Outcome::SavedByRetry);
        });
        (joined, saved)
    }

    fn settled(access: &str, errors: &str, each: &mut impl FnMut(&Request<'_>)) -> Joined {
        settled_on_the_way(access, errors, &[], each)
    }

    /// With repeats told at these seconds of the day, before everything is.
    fn settled_on_the_way(
        access: &str,
        errors: &str,
        marks: &[i64],
        each: &mut impl FnMut(&Request<'_>),
    ) -> Joined {
        let intake = Intake::new(
            Settings::default(),
            Secret::new([7; 16]),
            Ranges::default(),
            Formats::new(Vec::new()),
        );
        let edge = match errors.bytes().next() {
            Some(b'[') => Edge::Apache,
            Some(_) => Edge::Nginx,
            None => Edge::Unknown,
        };
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
        let mut settler = Settler::default();
        let start = all.held.newest().unwrap().secs() / 86_400 * 86_400 - 19_800;
        for mark in marks {
            let until = Stamp::from_secs(start + mark);
            settler.settle_repeats(&mut all.held, until, each);
        }
        settler.settle(&intake, all.held, &all.sources, None, each, &mut |_| {});
        settler.joined
    }

    /// An ErrorLogFormat need not name processes: then the line with the client must follow at once.
    #[test]
    fn lines_without_a_process_belong_together_as_neighbours_only() {
        let connect = "[Sun Nov 22 00:01:40.100000 2026] [error] (111)Connection refused: AH00957: http: attempt to connect to 198.51.100.1:8080 (198.51.100.1:8080) failed\n";
        let client = "[Sun Nov 22 00:01:40.100001 2026] [error] [client 203.0.113.5:0] AH01114: HTTP: failed to make connection to backend: 198.51.100.1\n";
        let other = "[Sun Nov 22 00:01:40.100001 2026] [error] [client 203.0.113.9:0] AH01114: HTTP: failed to make connection to backend: 198.51.100.2\n";
        let told = |errors: &str| {
            let mut found = Vec::new();
            settled(
                &access(100, "203.0.113.5", "/a", 503),
                errors,
                &mut |request| {
                    let finding = request.finding.unwrap();
                    found.push((finding.cause, finding.confidence >= Confidence::Likely));
                },
            );
            found
        };
        let refused = Some(Cause::ConnectionRefused);
        assert_eq!(told(&format!("{connect}{client}")), [(refused, true)]);
        assert!(!told(&format!("{connect}{other}{client}"))[0].1);
    }

    /// The worker's line and that of the connection, as httpd 2.4.71 writes them in either order.
    #[test]
    fn two_lines_of_httpd_about_one_request_over_http2_count_once() {
        let line = |status, version, size: &str| {
            access(100, "203.0.113.5", "/a", status)
                .replace("HTTP/1.1", version)
                .replace(" 157 ", &format!(" {size} "))
        };
        let errors = "[Sun Nov 22 00:01:40.1 2026] [proxy_http:error] [pid 1:tid 2] (104)Connection reset by peer: [remote 203.0.113.5:0] AH01102: error reading status line from remote server 198.51.100.2:8080\n";
        let statuses = |access: &str, errors: &str| {
            let mut found = Vec::new();
            settled(access, errors, &mut |request| found.push(request.status.0));
            found
        };
        let (first, second) = (line(502, "HTTP/2.0", "-"), line(500, "HTTP/2.0", "571"));
        let (both, reverse) = (first.clone() + &second, second.clone() + &first);
        for errors in [errors, ""] {
            assert_eq!(statuses(&both, errors), [502]);
            assert_eq!(statuses(&reverse, errors), [502]);
        }
        // Over HTTP/1.1, and of nginx, they are two requests.
        let two = line(502, "HTTP/1.1", "-") + &line(500, "HTTP/1.1", "571");
        assert_eq!(statuses(&two, "").len(), 2);
        assert_eq!(
            statuses(&(line(502, "HTTP/2.0", "157") + &second), "").len(),
            2
        );
    }

    /// httpd names only the client, which here met two failures in one second.
    #[test]
    fn a_client_with_two_failures_at_once_gets_each_cause_with_its_status() {
        let stamp = "[Sun Nov 22 00:01:40";
        let errors = format!(
            "{stamp}.100000 2026] [proxy:error] [pid 7:tid 8] (111)Connection refused: AH00957: http: attempt to connect to 198.51.100.1:8080 (198.51.100.1:8080) failed\n\
             {stamp}.100001 2026] [proxy_http:error] [pid 7:tid 8] [client 203.0.113.5:0] AH01114: HTTP: failed to make connection to backend: 198.51.100.1\n\
             {stamp}.200000 2026] [proxy_http:error] [pid 7:tid 9] (104)Connection reset by peer: [client 203.0.113.5:0] AH01102: error reading status line from remote server 198.51.100.2:8080\n\
             {stamp}.200001 2026] [proxy:error] [pid 7:tid 9] [client 203.0.113.5:0] AH00898: Error reading from remote server returned by /b\n"
        );
        let access = access(100, "203.0.113.5", "/b", 502) + &access(100, "203.0.113.5", "/a", 503);
        let mut causes = BTreeMap::new();
        settled(&access, &errors, &mut |request| {
            causes.insert(
                request.status.0,
                request.finding.and_then(|finding| finding.cause),
            );
        });
        let expected = [
            (502, Cause::ClosedBeforeHeaders),
            (503, Cause::ConnectionRefused),
        ];
        assert_eq!(
            causes,
            expected.map(|(status, cause)| (status, Some(cause))).into()
        );
    }

    /// Failures of a site, one in two minutes, among good answers to the same clients.
    fn site(seconds_apart: u32) -> (String, String) {
        let (mut lines, mut errors) = (String::new(), String::new());
        for n in 0..200 {
            let at = 20_000 + n * seconds_apart;
            let client = format!("192.0.2.{}", n % 3);
            let target = ["/", "/robots.txt"][(n % 2) as usize];
            lines += &access(at, &client, target, if n % 4 == 0 { 502 } else { 200 });
            if n % 4 == 0 {
                errors += &refused(at, &client, target);
            }
        }
        (lines, errors)
    }

    #[test]
    fn an_error_log_of_another_site_is_not_joined_though_the_same_crawlers_ask_for_the_same_paths()
    {
        let (lines, own) = site(120);
        let (_, other) = site(97);
        let (joined, saved) = join_of(&lines, &own);
        assert_eq!(
            (joined.with_error_line, joined.best_match, saved),
            (50, 50, 0)
        );
        assert_eq!(joined.error_zone, Some(330));
        let (joined, saved) = join_of(&lines, &other);
        assert_eq!(
            (joined.with_error_line, joined.best_match, saved),
            (0, 0, 0)
        );
        assert_eq!(joined.signs_unmatched, 50);
    }

    #[test]
    fn a_log_that_names_the_balancer_is_joined_by_what_was_asked_and_when() {
        let (lines, errors) = site(120);
        let balancer = ["192.0.2.0", "192.0.2.1", "192.0.2.2"]
            .iter()
            .fold(errors, |errors, client| errors.replace(client, "10.0.0.1"));
        let (joined, _) = join_of(&lines, &balancer);
        assert_eq!((joined.failures, joined.with_error_line), (50, 50));
        assert_eq!(joined.signs_unmatched, 0);
    }

    #[test]
    fn requests_of_one_connection_that_is_kept_alive_keep_their_own_causes() {
        let (mut lines, mut errors) = (String::new(), String::new());
        for (target, status) in [("/slow", 504), ("/", 502), ("/robots.txt", 502)] {
            let line = access(20_000, "192.0.2.1", target, status);
            lines += &format!("{} conn=1\n", line.trim_end());
        }
        errors += &refused(20_000, "192.0.2.1", "/");
        errors += &refused(20_000, "192.0.2.1", "/slow").replace(
            "connect() failed (111: Connection refused) while connecting to upstream",
            "upstream timed out (110: Connection timed out) while reading response header from upstream",
        );
        let mut causes = Vec::new();
        let joined = settled(&lines, &errors, &mut |request| {
            causes.push((
                request.status.0,
                request.evidence.is_some(),
                request.finding.and_then(|finding| finding.cause),
            ));
        });
        assert_eq!((joined.exact, joined.signs_unmatched), (2, 0));
        assert_eq!(causes[0], (504, true, Some(Cause::ReadTimeout)));
        assert_eq!(causes[1], (502, true, Some(Cause::ConnectionRefused)));
        assert!(!causes[2].1, "no line is about it");
    }

    #[test]
    fn what_is_settled_on_the_way_is_what_is_settled_at_the_end() {
        let (mut lines, mut errors) = site(20);
        // Failures that no entry is about, some of which are repeats; of one client both kinds.
        for n in 0..120 {
            let client = ["192.0.2.9", "192.0.2.8", "192.0.2.1"][n % 3];
            lines += &access(20_000 + n as u32 * 9, client, "/other", 503);
        }
        errors += &refused(20_100, "192.0.2.8", "/elsewhere");
        for errors in ["", &errors] {
            let read = |marks: &[i64]| {
                let mut all = Vec::new();
                let joined = settled_on_the_way(&lines, errors, marks, &mut |request| {
                    all.push((
                        request.place,
                        request.outcome,
                        request.repeat,
                        request.evidence,
                    ));
                });
                all.sort_unstable_by_key(|request| request.0);
                (all, joined)
            };
            let once = read(&[]);
            assert!(once.0.iter().any(|request| request.2), "there are repeats");
            assert_eq!(read(&[20_500, 21_000, 22_222, 90_000]), once);
        }
    }

    #[test]
    fn nothing_was_to_be_joined_where_no_error_line_is_about_a_request() {
        let (lines, _) = site(120);
        let notice = format!("{DAY} 05:00:00 [notice] 7#7: signal process started\n");
        assert_eq!(join_of(&lines, &notice).0.failures, 0);
    }
}
