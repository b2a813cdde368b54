//! The ledger, the returns and robots.txt against a model that sorts all events and replays them without any limit,
//! part or watermark.

use std::collections::BTreeMap;

use model::{CrawlerId, Outcome, Place, RetryAfter, Scheme, Stamp, Status};
use tally::{Tally, View};

use crate::chance::Chance;
use crate::owned::{Event, FEW, Mix, Owned, count, events};

/// Fetches that tell something, in the order of events.
fn fetches(events: &[Event]) -> Vec<&Owned> {
    let mut all: Vec<&Owned> = events
        .iter()
        .filter_map(|event| match event {
            Event::Request(request) => Some(request),
            Event::Sign { .. } => None,
        })
        .filter(|request| {
            let tells = match request.outcome {
                Outcome::Good | Outcome::SavedByRetry | Outcome::Failed => true,
                Outcome::Hidden | Outcome::ClientAbort => false,
            };
            tells && request.crawler.is_some()
        })
        .collect();
    all.sort_by_key(|request| (request.at, request.place));
    all
}

/// What one URL was answered, good or with which status, in order.
type History = Vec<(Stamp, Option<Status>)>;

/// A row as the words of `model::LedgerRow` have it.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    urls: u64,
    owed: u64,
    retried: u64,
    failed: u64,
    first_failed: Stamp,
    last_failed: Stamp,
    last_status: Status,
    first_ok: Option<Stamp>,
}

type Path = (CrawlerId, String, String);

fn ledger(fetches: &[&Owned]) -> BTreeMap<Path, Row> {
    let mut paths: BTreeMap<Path, BTreeMap<u64, History>> = BTreeMap::new();
    for fetch in fetches {
        let path = (
            fetch.crawler.unwrap(),
            fetch.host.clone(),
            fetch.path.clone(),
        );
        let urls = paths.entry(path).or_default();
        urls.entry(fetch.query)
            .or_default()
            .push((fetch.at, fetch.failed().then_some(Status(fetch.status))));
    }
    for urls in paths.values_mut() {
        urls.retain(|_, history| history.iter().any(|(_, failed)| failed.is_some()));
    }
    paths.retain(|_, urls| !urls.is_empty());
    paths
        .into_iter()
        .map(|(path, urls)| (path, row(&urls)))
        .collect()
}

fn row(urls: &BTreeMap<u64, History>) -> Row {
    let failures = |history: &History| -> Vec<Stamp> {
        history
            .iter()
            .filter(|(_, failed)| failed.is_some())
            .map(|(at, _)| *at)
            .collect()
    };
    // The run of failures that the last one belongs to.
    let run_starts = |history: &History| {
        let is_failed = |(_, failed): &(Stamp, Option<Status>)| failed.is_some();
        let last = history.iter().rposition(is_failed).unwrap();
        let before = history[..last].iter().rposition(|event| !is_failed(event));
        history[before.map_or(0, |at| at + 1)].0
    };
    let is_owed = |history: &&History| history.last().unwrap().1.is_some();
    let came_back = |history: &History| {
        let last = history.iter().rposition(|(_, failed)| failed.is_some());
        history.get(last.unwrap() + 1).map(|(at, _)| *at)
    };
    let owed: Vec<&History> = urls.values().filter(is_owed).collect();
    let asked = if owed.is_empty() {
        urls.values().collect()
    } else {
        owed.clone()
    };
    let is_retried = |history: &&&History| history.last().unwrap().0 > run_starts(history);
    // The last of each URL in the order of events.
    let failed = urls.values().map(|history| {
        let mut newest = history.iter().rev();
        newest
            .find_map(|(at, failed)| Some((*at, (*failed)?)))
            .unwrap()
    });
    Row {
        urls: urls.len() as u64,
        owed: owed.len() as u64,
        retried: owed.iter().filter(is_retried).count() as u64,
        last_status: failed.max().unwrap().1,
        failed: urls
            .values()
            .map(|history| failures(history).len() as u64)
            .sum(),
        first_failed: asked.into_iter().map(run_starts).min().unwrap(),
        last_failed: urls.values().flat_map(failures).max().unwrap(),
        first_ok: if owed.is_empty() {
            urls.values().filter_map(came_back).max()
        } else {
            None
        },
    }
}

/// First failure after the last good fetch, and that.
type RobotsState = (Option<Stamp>, Option<Stamp>);

fn robots(fetches: &[&Owned]) -> BTreeMap<(CrawlerId, String, Option<Scheme>), RobotsState> {
    let mut all: BTreeMap<_, RobotsState> = BTreeMap::new();
    for fetch in fetches.iter().filter(|fetch| fetch.path == "/robots.txt") {
        let key = (fetch.crawler.unwrap(), fetch.host.clone(), fetch.scheme);
        let state = all.entry(key).or_default();
        if fetch.failed() {
            state.0 = state.0.or(Some(fetch.at));
        } else {
            *state = (None, Some(fetch.at));
        }
    }
    all.retain(|_, (failing, _)| failing.is_some());
    all
}

/// First good fetches after a failure: anywhere, by host, and under a prefix of one or two words.
fn returns(fetches: &[&Owned]) -> Vec<(Stamp, CrawlerId, Option<String>, Option<String>)> {
    let mut lanes: BTreeMap<(CrawlerId, Option<String>, Option<String>), bool> = BTreeMap::new();
    let mut all = Vec::new();
    for fetch in fetches {
        let (crawler, host) = (fetch.crawler.unwrap(), Some(fetch.host.clone()));
        let words: Vec<&str> = fetch.path.split('/').skip(1).take(2).collect();
        let is_word =
            |word: &&str| !word.is_empty() && !word.bytes().all(|byte| byte.is_ascii_digit());
        let mut of_fetch = vec![(crawler, None, None), (crawler, host.clone(), None)];
        if let Some(first) = words.first().filter(|word| is_word(word)) {
            of_fetch.push((crawler, host.clone(), Some(format!("/{first}"))));
            if let Some(second) = words.get(1).filter(|word| is_word(word)) {
                of_fetch.push((crawler, host, Some(format!("/{first}/{second}"))));
            }
        }
        for lane in of_fetch {
            let failing = lanes.entry(lane.clone()).or_default();
            if *failing && !fetch.failed() {
                all.push((fetch.at, lane.0, lane.1, lane.2));
            }
            *failing = fetch.failed();
        }
    }
    all.sort();
    all
}

/// In random order, in random parts that are merged in random order, closed once on the way where that is honest.
fn view(events: &[Event], chance: &mut Chance) -> View {
    let mut all: Vec<&Event> = events.iter().collect();
    all.sort_by_key(|event| event.at());
    let later = all.split_off(chance.below(all.len() + 1));
    let watermark = later.first().map(|event| Stamp(event.at().0 - 1));
    let mut tally = Tally::new();
    for mut half in [all, later] {
        chance.shuffle(&mut half);
        let mut parts: Vec<Tally> = (0..1 + chance.below(4)).map(|_| Tally::new()).collect();
        for event in half {
            let part = chance.below(parts.len());
            count(&mut parts[part], event);
        }
        chance.shuffle(&mut parts);
        for part in parts {
            tally.merge(part);
        }
        if let Some(watermark) = watermark {
            tally.close(watermark);
        }
    }
    tally.close(Stamp(i64::MAX));
    tally.view()
}

/// 1,000 logs by chance, dense enough that URLs fail, come back and fail again, with equal stamps among them.
fn each_log(mut check: impl FnMut(&[Event], &View)) {
    let mut chance = Chance(21);
    for _ in 0..1_000 {
        let mix = Mix {
            seconds: [3, 60, 4_000][chance.below(3)],
            words: 1 + chance.below(3),
            queries: 1 + chance.below(4),
            one_fails_in: 1 + chance.below(3),
            ..FEW
        };
        let mut all = events(mix, 10 + chance.below(150), &mut chance);
        for event in &mut all {
            if let Event::Request(request) = event {
                // Whole seconds, as most logs have them: the place decides.
                request.at = Stamp::from_secs(request.at.secs());
                request.retry_after = chance.one_in(2).then(|| 1 + chance.below(40) as u32);
            }
        }
        let view = view(&all, &mut chance);
        check(&all, &view);
    }
}

#[test]
fn the_ledger_is_what_a_replay_gives() {
    each_log(|events, view| {
        let rows: BTreeMap<Path, Row> = view
            .ledger
            .iter()
            .map(|row| {
                let path = (row.crawler, row.host.clone(), row.path.clone());
                let row = Row {
                    urls: row.urls,
                    owed: row.owed,
                    retried: row.retried,
                    last_status: row.last_status,
                    failed: row.failed,
                    first_failed: row.first_failed,
                    last_failed: row.last_failed,
                    first_ok: row.first_ok,
                };
                (path, row)
            })
            .collect();
        assert_eq!(rows.len(), view.ledger.len(), "one row a path");
        assert_eq!(rows, ledger(&fetches(events)));
    });
}

/// Fetches of a URL that was asked to wait when it failed last.
#[test]
fn who_waits_as_asked_is_what_a_replay_gives() {
    let mut seen = RetryAfter::default();
    each_log(|events, view| {
        let mut asked: BTreeMap<(CrawlerId, &str, &str, u64), (Stamp, u32)> = BTreeMap::new();
        let mut all: BTreeMap<CrawlerId, RetryAfter> = BTreeMap::new();
        for fetch in fetches(events) {
            let crawler = fetch.crawler.unwrap();
            let url = (
                crawler,
                fetch.host.as_str(),
                fetch.path.as_str(),
                fetch.query,
            );
            if let Some((at, seconds)) = asked.remove(&url) {
                let counts = all.entry(crawler).or_default();
                // A second less: stamps are of whole seconds.
                if fetch.at >= at.plus_secs(i64::from(seconds) - 1) {
                    counts.respected += 1;
                } else {
                    counts.early += 1;
                }
            }
            if let Some(seconds) = fetch.retry_after.filter(|_| fetch.failed()) {
                asked.insert(url, (fetch.at, seconds));
            }
        }
        for (crawler, _, _, _) in asked.into_keys() {
            all.entry(crawler).or_default().open += 1;
        }
        let told = view
            .crawlers
            .iter()
            .map(|report| (report.crawler, report.retry_after));
        let told: BTreeMap<CrawlerId, RetryAfter> = told
            .filter(|(_, counts)| *counts != RetryAfter::default())
            .collect();
        assert_eq!(told, all);
        for counts in all.values() {
            seen.respected += counts.respected;
            seen.early += counts.early;
        }
    });
    assert!(
        seen.respected.min(seen.early) > 100,
        "both kinds happen: {seen:?}"
    );
}

#[test]
fn robots_txt_is_what_a_replay_gives() {
    each_log(|events, view| {
        let all: BTreeMap<_, RobotsState> = view
            .robots
            .iter()
            .map(|fact| {
                let key = (fact.crawler, fact.host.clone(), fact.scheme);
                (key, (Some(fact.failing_since), fact.last_ok))
            })
            .collect();
        assert_eq!(all, robots(&fetches(events)));
    });
}

#[test]
fn returns_are_what_a_replay_gives() {
    each_log(|events, view| {
        let mut all: Vec<_> = view
            .returns
            .iter()
            .map(|back| {
                let host = back.host.map(|host| view.host(host).to_owned());
                let prefix = back
                    .prefix
                    .map(|prefix| view.prefixes[prefix as usize].path.clone());
                (back.at, back.crawler, host, prefix)
            })
            .collect();
        all.sort();
        let mut naive = returns(&fetches(events));
        naive.dedup();
        assert_eq!(all, naive);
    });
}

/// Failures are all there, each where it stood.
#[test]
fn failures_are_kept_one_by_one_below_the_limit() {
    each_log(|events, view| {
        let mut places: Vec<Place> = events
            .iter()
            .filter_map(|event| match event {
                Event::Request(request)
                    if matches!(request.outcome, Outcome::Failed | Outcome::Hidden) =>
                {
                    Some(request.place)
                }
                Event::Request(_) | Event::Sign { .. } => None,
            })
            .collect();
        places.sort_unstable();
        let mut seen: Vec<Place> = view.failures.iter().map(|failure| failure.place).collect();
        seen.sort_unstable();
        assert_eq!(seen, places);
    });
}
