//! Logs made to pass the limits of the tally: what is folded, and when, must not depend on which part met it first.

use std::fmt::Write as _;

use crate::chance::Chance;
use crate::log::{Log, assert_splits, intake};

const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const BINGBOT: &str = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)";
const PERSON: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
/// 2026-11-03 00:00:00 UTC.
pub(crate) const START: i64 = 1_793_664_000;
const DAY: i64 = 86_400;

/// An access log being written.
#[derive(Default)]
pub(crate) struct Writer {
    lines: Vec<(i64, String)>,
}

/// What a line says. The rest follows from it.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) at: i64,
    pub(crate) client: usize,
    pub(crate) agent: &'a str,
    pub(crate) target: &'a str,
    pub(crate) status: u16,
    /// Address and status of each attempt, as nginx writes them.
    pub(crate) upstream: (&'a str, &'a str),
}

pub(crate) const GOOD: Line<'static> = Line {
    at: START,
    client: 1,
    agent: PERSON,
    target: "/",
    status: 200,
    upstream: ("127.0.0.1:8080", "200"),
};

pub(crate) const FAILED: Line<'static> = Line {
    status: 502,
    upstream: ("127.0.0.1:8080", "502"),
    ..GOOD
};

impl Writer {
    pub(crate) fn add(&mut self, line: Line<'_>) {
        let mut text = String::new();
        let (client, agent) = (line.client, line.agent);
        writeln!(
            text,
            "198.51.{}.{} - - [{}] \"GET {} HTTP/1.1\" {} 512 \"-\" \"{agent}\" rt=0.010 uaddr=\"{}\" ustatus=\"{}\" urt=\"0.010\"",
            client / 250,
            client % 250,
            stamp(line.at),
            line.target,
            line.status,
            line.upstream.0,
            line.upstream.1,
        )
        .unwrap();
        self.lines.push((line.at, text));
    }

    /// In the order of adding.
    pub(crate) fn text(self) -> String {
        self.lines.into_iter().map(|(_, line)| line).collect()
    }

    /// In the order of time, as an edge writes, but for some lines that come late.
    pub(crate) fn log(mut self, name: &str, chance: &mut Chance) -> Log {
        for (at, _) in &mut self.lines {
            if chance.one_in(20) {
                *at += 90;
            }
        }
        self.lines.sort_by_key(|(at, _)| *at);
        Log::of(name, self.lines.into_iter().map(|(_, line)| line).collect())
    }
}

/// `03/Nov/2026:08:23:02 +0000`.
pub(crate) fn stamp(at: i64) -> String {
    let (days, second) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    // Days to a date: Howard Hinnant, chrono-Compatible Low-Level Date Algorithms, for days after 1970.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = (month + 2) % 12;
    let year = year_of_era + era * 400 + i64::from(month < 2);
    let name = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ][month as usize];
    format!(
        "{day:02}/{name}/{year}:{:02}:{:02}:{:02} +0000",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

/// Too many children at every depth, with a wide node inside a wide node.
fn crowded_routes(log: &mut Writer) {
    for n in 0..280_usize {
        let agent = if n % 3 == 0 { PERSON } else { GOOGLEBOT };
        let target = match n % 4 {
            0 => format!("/word-{n}"),
            1 => format!("/blog/post-{n}/comments"),
            2 => format!("/shop/item-{}/part-{n}/side-{}", n % 40, n % 9),
            _ => format!("/a/b/c/leaf-{}/deeper/{n}", n % 12),
        };
        let line = Line {
            at: START + n as i64 * 31,
            agent,
            target: &target,
            ..GOOD
        };
        log.add(line);
        if n % 5 == 0 {
            log.add(Line {
                status: 502,
                upstream: ("127.0.0.1:8080, 127.0.0.1:8081", "502, 502"),
                ..line
            });
        }
    }
    for n in 0..300_usize {
        let target = format!("/root-{n}");
        log.add(Line {
            at: START + 4_000 + n as i64 * 7,
            agent: BINGBOT,
            target: &target,
            ..GOOD
        });
    }
}

/// More hosts than are told apart.
fn crowded_hosts(log: &mut Writer) {
    for n in 0..530_usize {
        let target = format!("http://h{n}.example/shop/item?id={n}");
        let line = Line {
            at: START + n as i64 * 11,
            agent: GOOGLEBOT,
            target: &target,
            ..if n % 9 == 0 { FAILED } else { GOOD }
        };
        log.add(line);
    }
}

/// Minutes with few, with exactly as many as are kept, and with one more; so also for wider slots.
fn crowded_minutes(log: &mut Writer) {
    for (minute, n) in [1, 16, 17, 40, 3, 16, 16, 16, 15, 1, 0, 2]
        .into_iter()
        .enumerate()
    {
        for hit in 0..n {
            let target = format!("/minute/{}", hit % 5);
            log.add(Line {
                at: START + 20_000 + minute as i64 * 60 + hit,
                client: hit as usize,
                agent: if hit % 2 == 0 { GOOGLEBOT } else { PERSON },
                target: &target,
                ..GOOD
            });
        }
    }
}

/// Failures above the limit of a slot, within one minute or spread over an hour.
fn crowded_failures(log: &mut Writer, step: i64) {
    for n in 0..4_200_usize {
        let target = format!("/api/v{}?q={n}", n % 3);
        log.add(Line {
            at: START + 39_600 + n as i64 * step / 400,
            client: n % 700,
            agent: if n % 4 == 0 { GOOGLEBOT } else { PERSON },
            target: &target,
            upstream: (["127.0.0.1:8080", "127.0.0.1:8081"][n % 2], "502"),
            ..FAILED
        });
    }
}

/// More URLs that differ in the query than are told apart, some of which come back.
fn crowded_queries(log: &mut Writer) {
    for n in 0..150_usize {
        let target = format!("/search?page={}", n % 80);
        let line = Line {
            at: START + 50_000 + n as i64 * 13,
            agent: GOOGLEBOT,
            target: &target,
            ..if n % 7 == 6 { GOOD } else { FAILED }
        };
        log.add(line);
    }
}

/// Lines far away, so that slots widen in the middle.
fn span(log: &mut Writer, days: i64) {
    for n in 0..20 {
        log.add(Line {
            at: START + n * days * DAY / 20,
            agent: BINGBOT,
            target: "/robots.txt",
            ..if n % 6 == 5 { FAILED } else { GOOD }
        });
    }
}

pub(crate) fn crowd(name: &str, days: i64, failure_step: i64) -> Log {
    let mut log = Writer::default();
    crowded_routes(&mut log);
    crowded_minutes(&mut log);
    crowded_failures(&mut log, failure_step);
    crowded_queries(&mut log);
    span(&mut log, days);
    log.log(name, &mut Chance(days as u64))
}

/// Splits of each log below. They are long, and read as slowly as a debug build reads.
const SPLITS: usize = 25;

fn assert_crowd(seed: u8, log: &Log) {
    let intake = intake(seed);
    let view = log.read_whole(&intake).view;
    let hit: Vec<&str> = view.limits.iter().map(|limit| limit.name).collect();
    assert!(
        hit.contains(&"failures kept one by one, per slot"),
        "{hit:?}"
    );
    assert!(
        hit.contains(&"URLs of one path that differ in the query"),
        "{hit:?}"
    );
    assert!(
        view.nodes.iter().any(|node| node.route.contains("{…}")),
        "no node folds"
    );
    assert_splits(&intake, log, SPLITS, seed.into());
}

#[test]
fn limits_within_slots_of_a_minute() {
    assert_crowd(3, &crowd("1 day", 1, 5));
}

#[test]
fn limits_within_slots_of_five_minutes() {
    assert_crowd(4, &crowd("10 days", 10, 25));
}

#[test]
fn limits_within_slots_of_an_hour() {
    assert_crowd(5, &crowd("60 days", 60, 300));
}

#[test]
fn limits_within_slots_of_a_day() {
    assert_crowd(6, &crowd("500 days", 500, 300));
}

#[test]
fn too_many_hosts() {
    let mut log = Writer::default();
    crowded_hosts(&mut log);
    span(&mut log, 1);
    assert_splits(&intake(7), &log.log("hosts", &mut Chance(7)), SPLITS, 5);
}

/// Paths that differ as logged and are one when shown: session ids behind a semicolon, personal segments, empty
/// segments, segments too long to be shown whole.
pub(crate) fn look_alikes() -> Log {
    let mut log = Writer::default();
    let long = "x".repeat(1_023);
    for n in 0..60_usize {
        let target = match n % 6 {
            0 => format!("/cart;jsessionid={n}"),
            1 => format!("/reset/{n}/now"),
            2 => format!("//{n}/b"),
            3 => format!("/{long}{}", ["", "/b", "y", "z"][n % 4]),
            4 => format!("/a b/{}", n % 5),
            _ => format!("/a%20b/{}", n % 5),
        };
        let line = Line {
            at: START + n as i64 * 7,
            agent: if n % 3 == 0 { BINGBOT } else { GOOGLEBOT },
            target: &target,
            ..if n % 4 == 3 { GOOD } else { FAILED }
        };
        log.add(line);
    }
    log.log("look-alikes", &mut Chance(8))
}

#[test]
fn paths_that_look_alike() {
    assert_splits(&intake(8), &look_alikes(), 40, 6);
}
