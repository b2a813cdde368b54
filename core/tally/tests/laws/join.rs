//! What settling finds does not depend on the order in which events were held, on the zone of the error log, or on how
//! often it settled on the way.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use intake::{Chunk, Filter, Scanned, Settler};
use model::{Edge, LogKind, Request, SourceId, Stamp};

use crate::chance::Chance;
use crate::limits::{FAILED, GOOD, Line, START, Writer, stamp};
use crate::log::{Log, assert_splits, intake};

/// A line of nginx's error log for a request of [`Writer`]. `zone` in minutes east of UTC.
fn refused(at: i64, zone: i64, line: &Line<'_>) -> String {
    let local = stamp(at + zone * 60);
    let (date, time) = local.split_once(':').unwrap();
    let (day, rest) = date.split_once('/').unwrap();
    let (month, year) = rest.split_once('/').unwrap();
    let month = "JanFebMarAprMayJunJulAugSepOctNovDec".find(month).unwrap() / 3 + 1;
    let time = &time[..8];
    let mut text = String::new();
    writeln!(
        text,
        "{year}/{month:02}/{day} {time} [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 198.51.{}.{}, server: shop.example, request: \"GET {} HTTP/1.1\", upstream: \"http://{}{}\", host: \"shop.example\"",
        line.client / 250,
        line.client % 250,
        line.target,
        line.upstream.0,
        line.target,
    )
    .unwrap();
    text
}

/// 40 failures, each with its line, among good requests; some clients ask for the same again and again.
fn outage(zone: i64, chance: &mut Chance) -> Log {
    let mut log = Writer::default();
    let mut errors: Vec<(i64, String)> = Vec::new();
    for n in 0..60_usize {
        let target = format!("/p{}", chance.below(6));
        let line = Line {
            at: START + 3_600 + n as i64 * 5 + chance.below(4) as i64,
            client: chance.below(5),
            target: &target,
            ..if n % 3 == 0 { GOOD } else { FAILED }
        };
        log.add(line);
        if n % 3 != 0 {
            errors.push((line.at, refused(line.at, zone, &line)));
        }
    }
    errors.sort_by_key(|(at, _)| *at);
    log.log("outage", chance)
        .with_errors(errors.into_iter().map(|(_, line)| line).collect())
}

#[test]
fn the_zone_of_an_error_log_is_found_wherever_on_earth() {
    let intake = intake(51);
    let mut chance = Chance(52);
    for quarter in -48..=56 {
        let zone = quarter * 15;
        let joined = outage(zone, &mut chance).read_whole(&intake).joined;
        assert_eq!(joined.error_zone, Some(zone as i32));
        assert_eq!(
            (joined.failures, joined.with_error_line),
            (40, 40),
            "zone {zone}"
        );
        assert_eq!(
            (joined.best_match, joined.signs_unmatched),
            (40, 0),
            "zone {zone}"
        );
    }
}

/// Cuts fall between an access line and its error line, and through bursts of both; parts come in any order.
#[test]
fn the_join_does_not_depend_on_the_order_of_what_is_held() {
    let intake = intake(53);
    let mut chance = Chance(54);
    for round in 0..10 {
        assert_splits(&intake, &outage(round * 60, &mut chance), 30, round as u64);
    }
}

/// Failures of impatient people, without an error log.
fn impatient(chance: &mut Chance) -> Vec<(i64, usize, usize)> {
    (0..120)
        .map(|_| {
            (
                START + chance.below(600) as i64,
                chance.below(3),
                chance.below(2),
            )
        })
        .collect()
}

/// A failure of the same client and path less than 60 s after the last one that was counted
/// (`docs/verdicts.md`, section 1). Places of the repeats.
fn repeats(failures: &[(i64, usize, usize)]) -> BTreeSet<u64> {
    let mut sorted: Vec<_> = failures.iter().zip(1_u64..).collect();
    sorted.sort_by_key(|((at, _, _), line)| (*at, *line));
    let mut counted: BTreeMap<(usize, usize), i64> = BTreeMap::new();
    let mut repeats = BTreeSet::new();
    for ((at, client, path), line) in sorted {
        match counted.get(&(*client, *path)) {
            Some(last) if at - last < 60 => {
                repeats.insert(line);
            }
            _ => {
                counted.insert((*client, *path), *at);
            }
        }
    }
    repeats
}

#[test]
fn repeats_are_those_of_the_rule_however_often_it_settles() {
    let intake = intake(55);
    let mut chance = Chance(56);
    for _ in 0..100 {
        let failures = impatient(&mut chance);
        let mut text = Vec::new();
        for (at, client, path) in &failures {
            let mut log = Writer::default();
            log.add(Line {
                at: *at,
                client: *client,
                target: ["/a", "/b"][*path],
                ..FAILED
            });
            text.push(log.text());
        }
        let found = RefCell::new(BTreeSet::new());
        let mut note = |request: &Request<'_>| {
            if request.repeat {
                found.borrow_mut().insert(request.place.line);
            }
        };
        // In the order of time, so that each watermark is honest.
        let mut order: Vec<usize> = (0..failures.len()).collect();
        order.sort_by_key(|n| failures[*n].0);
        let mut scanned = Scanned::default();
        let mut settler = Settler::default();
        for (done, n) in order.iter().enumerate() {
            let chunk = Chunk {
                source: SourceId(0),
                first_line: *n as u64 + 1,
                edge: Edge::Nginx,
                kind: LogKind::Access,
                take: intake::Take::All,
                names_edge: false,
                bytes: text[*n].as_bytes(),
            };
            scanned.merge(intake.scan(chunk, &Filter::default(), &mut note));
            if chance.one_in(5) {
                let next = order
                    .get(done + 1)
                    .map_or(i64::MAX / 2_000, |next| failures[*next].0);
                let honest = Stamp(next * 1_000 - 1);
                settler.settle_repeats(&mut scanned.held, honest, &mut note);
            }
        }
        let Scanned { held, sources } = scanned;
        settler.settle(&intake, held, &sources, None, &mut note, &mut |_| ());
        assert_eq!(found.into_inner(), repeats(&failures));
    }
}

/// One client that asks for one path again and again, as a monitor does, or a balancer before the edge in the name of
/// all people: every entry fits every request by its keys, and each is joined to its own all the same.
#[test]
fn entries_that_fit_every_request_are_joined_one_to_one() {
    let intake = intake(57);
    for one_in_seconds in [20, 1, -100] {
        let (mut log, mut errors) = (Writer::default(), String::new());
        for n in 0..2_000 {
            let passed = if one_in_seconds > 0 {
                n * one_in_seconds
            } else {
                n / -one_in_seconds
            };
            let line = Line {
                at: START + passed,
                target: "/health",
                ..FAILED
            };
            log.add(line);
            errors += &refused(line.at, 0, &line);
        }
        let log = log.log("monitor", &mut Chance(58)).with_errors(errors);
        let joined = log.read_whole(&intake).joined;
        assert_eq!((joined.best_match, joined.with_error_line), (2_000, 2_000));
    }
}

/// The access log shows the change in its own stamps. Most of the error log may lie before it or after.
#[test]
fn summer_time_may_begin_or_end_within_an_error_log() {
    let intake = intake(60);
    for (before, after, change) in [(120, 60, 25), (60, 120, 25), (120, 60, 9), (-240, -300, 9)] {
        let (mut access, mut errors) = (String::new(), String::new());
        for n in 0..40_i64 {
            let target = format!("/p{}", n % 30);
            let zone = if n < change { before } else { after };
            let at = START + n * 3_600;
            let line = Line {
                at: at + zone * 60,
                target: &target,
                ..FAILED
            };
            let mut log = Writer::default();
            log.add(line);
            let sign = if zone < 0 { '-' } else { '+' };
            let offset = format!("{sign}{:02}00", zone.abs() / 60);
            access += &log.text().replace("+0000", &offset);
            errors += &refused(at, zone, &line);
        }
        let log = Log::of("summer", access).with_errors(errors);
        let joined = log.read_whole(&intake).joined;
        assert_eq!((joined.with_error_line, joined.signs_unmatched), (40, 0));
        assert_splits(&intake, &log, 20, 61);
    }
}
