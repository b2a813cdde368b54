//! What the judge reads adds up: every series of a log sums to the totals, and no series tells a moment twice.

use std::collections::BTreeMap;

use model::ScopeKind;
use tally::{Key, Obs, View};

use crate::chance::Chance;
use crate::limits::{FAILED, GOOD, Line, START, Writer};
use crate::log::intake;
use crate::owned::{FEW, Mix, events, tally};
use crate::recordings::{cases, examples};

fn good(series: &BTreeMap<Key, Vec<Obs>>, key: Key) -> u64 {
    series
        .get(&key)
        .into_iter()
        .flatten()
        .map(|obs| u64::from(obs.good))
        .sum()
}

fn failed(series: &BTreeMap<Key, Vec<Obs>>, key: Key) -> u64 {
    let all = series.get(&key).into_iter().flatten();
    all.map(|obs| u64::from(obs.failed) + u64::from(obs.repeats))
        .sum()
}

fn keys_of(series: &BTreeMap<Key, Vec<Obs>>, kind: ScopeKind) -> Vec<Key> {
    let is_one = |key: &&Key| key.kind() == kind && !matches!(key, Key::AllCrawlers);
    series.keys().filter(is_one).copied().collect()
}

/// `cached`: good answers of the edge's cache, which say nothing of the origin and are in no series.
#[track_caller]
fn assert_sums(name: &str, view: &View, cached: u64) {
    let series = view.series(0);
    for (key, all) in &series {
        let is_sorted = all
            .windows(2)
            .all(|pair| (pair[0].at, pair[0].until) < (pair[1].at, pair[1].until));
        assert!(
            is_sorted,
            "{name}: {key:?} is sorted and tells no moment twice"
        );
        assert!(all.iter().all(|obs| obs.at <= obs.until), "{name}: {key:?}");
    }
    let totals = &view.totals;
    let bad = totals.failed + totals.hidden_failures + totals.client_aborts;
    let most = totals.requests - bad - cached;
    let least = most.saturating_sub(unrouted(totals));
    assert!(
        (least..=most).contains(&good(&series, Key::Site)),
        "{name}: good"
    );
    assert_eq!(failed(&series, Key::Site), totals.failed, "{name}: failed");
    assert_eq!(
        totals.by_status.values().sum::<u64>(),
        totals.requests,
        "{name}: statuses"
    );

    assert_eq!(
        failed(&series, Key::AllCrawlers),
        totals.fetches_failed,
        "{name}: fetches failed"
    );
    assert_eq!(
        failed(&series, Key::AllCrawlers) + failed(&series, Key::OtherClients),
        totals.failed,
        "{name}: crawlers and others"
    );
    if series.contains_key(&Key::AllCrawlers) && series.contains_key(&Key::OtherClients) {
        let both = good(&series, Key::AllCrawlers) + good(&series, Key::OtherClients);
        assert_eq!(
            both,
            good(&series, Key::Site),
            "{name}: good of crawlers and others"
        );
    }
    for report in &view.crawlers {
        assert_eq!(
            failed(&series, Key::Crawler(report.crawler)),
            report.failed,
            "{name}: {report:?}"
        );
        assert_eq!(
            report.by_status.values().sum::<u64>(),
            report.fetches,
            "{name}: {report:?}"
        );
    }
    assert_eq!(
        view.crawlers
            .iter()
            .map(|report| report.fetches)
            .sum::<u64>(),
        totals.fetches
    );

    let hosts = keys_of(&series, ScopeKind::Host);
    if !hosts.is_empty() {
        let sum: u64 = hosts.iter().map(|host| failed(&series, *host)).sum();
        assert_eq!(sum, totals.failed, "{name}: hosts");
    }
    for (index, prefix) in view.prefixes.iter().enumerate() {
        let Some(parent) = prefix.parent else {
            continue;
        };
        let (parent, child) = (Key::Prefix(parent), Key::Prefix(index as u32));
        assert!(
            failed(&series, parent) >= failed(&series, child),
            "{name}: {prefix:?}"
        );
        if series.contains_key(&parent) {
            assert!(
                good(&series, parent) >= good(&series, child),
                "{name}: {prefix:?}"
            );
        }
    }
    assert_goods(name, view, &series);
}

/// Whether an answer names no route of the site: what is not there is no evidence of what is.
const fn is_unrouted(status: u16) -> bool {
    matches!(status, 400..=407 | 409..=428 | 430..=498)
}

fn unrouted(totals: &model::Totals) -> u64 {
    let all = totals.by_status.iter();
    all.filter(|(status, _)| is_unrouted(status.0))
        .map(|(_, n)| n)
        .sum()
}

/// The good requests of a scope, listed, are those of its series, and those that name no route.
fn assert_goods(name: &str, view: &View, series: &BTreeMap<Key, Vec<Obs>>) {
    for key in series
        .keys()
        .filter(|key| !matches!(key, Key::OtherClients))
    {
        let listed: u64 = view
            .goods(&[*key], None)
            .iter()
            .map(|(_, _, n)| u64::from(*n))
            .sum();
        let wide = matches!(
            key,
            Key::Site | Key::Host(_) | Key::Crawler(_) | Key::AllCrawlers
        );
        let most = good(series, *key) + if wide { unrouted(&view.totals) } else { 0 };
        assert!(
            (good(series, *key)..=most).contains(&listed),
            "{name}: {key:?}"
        );
    }
    for report in &view.crawlers {
        let key = Key::Crawler(report.crawler);
        if series.contains_key(&key) {
            let listed = view.goods(&[Key::Site], Some(report.crawler));
            let listed: u64 = listed.iter().map(|(_, _, n)| u64::from(*n)).sum();
            let aside = report.by_status.iter();
            let aside = aside.filter(|(status, _)| is_unrouted(status.0));
            let most = good(series, key) + aside.map(|(_, n)| n).sum::<u64>();
            assert!(
                (good(series, key)..=most).contains(&listed),
                "{name}: {report:?}"
            );
        }
    }
    let scopes: Vec<_> = series
        .keys()
        .map(|key| (*key, view.scope(&[*key])))
        .collect();
    for (key, scope) in scopes {
        let means = view.keys(&scope);
        let is_named_alone = !matches!(key, Key::OtherClients | Key::Prefix(_) | Key::Url(_));
        if is_named_alone {
            assert_eq!(means, [key], "{name}: {scope:?}");
        }
    }
}

#[test]
fn recordings_add_up() {
    let intake = intake(31);
    for log in cases().iter().chain(&examples()) {
        // No recording has answers of a cache.
        assert_sums(&log.name, &log.read_whole(&intake).view, 0);
    }
}

#[test]
fn logs_by_chance_add_up_with_and_without_counts() {
    let mut chance = Chance(32);
    for round in 0..60 {
        let mix = Mix {
            seconds: [60, 900, 86_400 * 8, 86_400 * 50, 86_400 * 430][round % 5],
            words: 1 + chance.below(12),
            one_fails_in: 1 + chance.below(4),
            ..FEW
        };
        let all = events(mix, 400, &mut chance);
        let mut tally = tally(&all);
        tally.close(model::Stamp(i64::MAX));
        let cached = all
            .iter()
            .filter(|event| {
                matches!(event, crate::owned::Event::Request(request)
                if request.from_cache && !is_unrouted(request.status))
            })
            .count();
        assert_sums(&format!("round {round}"), &tally.view(), cached as u64);
    }
}

/// Kept one by one, and counted: what the edge answers by itself says nothing of the upstreams of that route, unless it
/// always answers for the route.
#[test]
fn what_the_edge_answers_by_itself_is_no_evidence_of_upstreams() {
    for often in [1, 10] {
        let mut log = Writer::default();
        for minute in 0..10 {
            for n in 0..6 * often {
                let (target, upstream) = match n % 6 {
                    0 | 1 => ("/shop/item/7", ("127.0.0.1:8080", "200")),
                    2..=4 => ("/shop/item/7", ("-", "-")),
                    _ => ("/static/logo.png", ("-", "-")),
                };
                log.add(Line {
                    at: START + minute * 60 + n,
                    agent: "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                    target,
                    status: 200,
                    upstream,
                    ..GOOD
                });
            }
        }
        for target in ["/shop/item/7", "/static/logo.png"] {
            log.add(Line {
                at: START + 700,
                agent: "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                target,
                upstream: ("-", "-"),
                ..FAILED
            });
        }
        let log = log.log("edge", &mut Chance(1));
        let view = log.read_whole(&intake(34)).view;
        let series = view.series(0);
        let often = often as u64;
        let prefix = |name: &str| {
            let all = keys_of(&series, ScopeKind::Route);
            let named = all
                .into_iter()
                .find(|key| view.scope(&[*key]).values == [name]);
            good(&series, named.unwrap())
        };
        assert_eq!(prefix("/shop"), 20 * often, "{often}");
        assert_eq!(prefix("/static"), 10 * often, "{often}");
        assert_eq!(good(&series, Key::Site), 30 * often, "{often}");
        assert_eq!(good(&series, Key::AllCrawlers), 30 * often, "{often}");
        let shown = view.goods(&[Key::Site], None);
        let shown: u64 = shown.iter().map(|(_, _, n)| u64::from(*n)).sum();
        assert_eq!(shown, 60 * often, "all are counted");
    }
}

/// Kept one by one, and counted: three good requests a minute or thirty, and two or twenty of what is not there.
#[test]
fn what_is_not_there_is_no_evidence_of_what_is() {
    const GOOGLEBOT: &str =
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    for often in [1, 10] {
        let mut log = Writer::default();
        for minute in 0..10 {
            for n in 0..5 * often {
                let is_there = n % 5 < 3;
                log.add(Line {
                    at: START + minute * 60 + n,
                    agent: GOOGLEBOT,
                    target: if is_there { "/shop/item/7" } else { "/gone/9" },
                    status: if is_there { 200 } else { 404 },
                    upstream: ("127.0.0.1:8080", if is_there { "200" } else { "404" }),
                    ..GOOD
                });
            }
        }
        // Only scopes that failed have a series.
        log.add(Line {
            at: START + 700,
            agent: GOOGLEBOT,
            upstream: ("127.0.0.1:8080, 127.0.0.1:8081", "502, 502"),
            ..FAILED
        });
        let log = log.log("gone", &mut Chance(1));
        let view = log.read_whole(&intake(33)).view;
        let series = view.series(0);
        let crawler = keys_of(&series, ScopeKind::Crawler);
        let there = 30 * often as u64;
        assert_eq!(good(&series, Key::Site), there, "{often}");
        assert_eq!(good(&series, Key::AllCrawlers), there, "{often}");
        assert_eq!(good(&series, crawler[0]), there, "{often}");
        let upstream = keys_of(&series, ScopeKind::Upstream);
        assert_eq!(
            good(&series, upstream[0]),
            50 * often as u64,
            "{upstream:?}"
        );
        let shown = view.goods(&[Key::Site], None);
        let shown: u64 = shown.iter().map(|(_, _, n)| u64::from(*n)).sum();
        assert_eq!(shown, 50 * often as u64, "what is shown has them all");
    }
}

/// A person's failure has no path, but lies on the page that a crawler failed to fetch.
#[test]
fn everybodys_failures_count_for_a_url() {
    let mut log = Writer::default();
    for (n, agent) in [
        "Googlebot/2.1",
        "Mozilla/5.0 Firefox/145.0",
        "Googlebot/2.1",
    ]
    .into_iter()
    .enumerate()
    {
        log.add(Line {
            at: START + 60 * n as i64,
            client: n,
            agent,
            target: "/shop/item/broken",
            ..FAILED
        });
    }
    let log = log.log("url", &mut Chance(1));
    let series = log.read_whole(&intake(34)).view.series(0);
    let urls = keys_of(&series, ScopeKind::Url);
    assert_eq!(failed(&series, urls[0]), 3);
}
