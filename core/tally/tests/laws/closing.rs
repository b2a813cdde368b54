//! Closing at any honest sequence of watermarks gives what closing once at the end gives. A watermark is honest when
//! no request that is merged later has its stamp or an earlier one.

use model::{CrawlerId, Outcome, Stamp};
use tally::{Tally, View};

use crate::chance::Chance;
use crate::log::differing;
use crate::owned::{Event, FEW, Mix, count, events, tally};

const SEQUENCES: usize = 1_000;

fn once(events: &[Event]) -> View {
    let mut tally = tally(events);
    tally.close(Stamp(i64::MAX));
    tally.view()
}

/// Merges in batches by chance and closes after some of them, as far as is honest or not quite so far.
fn on_the_way(events: &[Event], batch_max: usize, chance: &mut Chance) -> View {
    let mut whole = Tally::new();
    let mut rest = events;
    while !rest.is_empty() {
        let (batch, later) = rest.split_at((1 + chance.below(batch_max)).min(rest.len()));
        rest = later;
        match chance.below(4) {
            // Counted by the owner itself, as settled requests are.
            0 => batch.iter().for_each(|event| count(&mut whole, event)),
            // What is closed may be merged into what is not.
            1 => {
                let mut open = tally(batch);
                open.merge(whole);
                whole = open;
            }
            _ => whole.merge(tally(batch)),
        }
        if chance.one_in(3) {
            continue;
        }
        let earliest = later.iter().map(|event| event.at().0).min();
        let honest = earliest.unwrap_or(i64::MAX) - 1;
        let back = [0, 0, 1, 1_000, 60_000][chance.below(5)];
        whole.close(Stamp(honest - back));
    }
    whole.close(Stamp(i64::MAX));
    whole.view()
}

/// In the order of time but for lines that come up to two minutes late, as when two edges write into one log.
fn arrive(events: &mut [Event], chance: &mut Chance) {
    events.sort_by_cached_key(|event| {
        let late = if chance.one_in(4) {
            chance.below(120_000)
        } else {
            0
        };
        event.at().0 + late as i64
    });
}

#[track_caller]
fn assert_same(name: &str, events: &[Event], batch_max: usize, chance: &mut Chance) {
    let (closed, once) = (on_the_way(events, batch_max, chance), once(events));
    assert_eq!(differing(&closed, &once), [""; 0], "{name}");
    assert!(closed == once, "{name}");
}

#[test]
fn any_honest_watermarks_give_the_same() {
    let mut chance = Chance(11);
    for sequence in 0..SEQUENCES {
        let mix = Mix {
            seconds: [30, 900, 40_000][chance.below(3)],
            words: 1 + chance.below(4),
            queries: [1, 3, 100][chance.below(3)],
            one_fails_in: 1 + chance.below(3),
            ..FEW
        };
        let mut all = events(mix, 20 + chance.below(100), &mut chance);
        arrive(&mut all, &mut chance);
        assert_same(&format!("sequence {sequence}"), &all, 30, &mut chance);
    }
}

/// With every limit of the ledger passed on the way: too many queries of a path, too many failed paths.
#[test]
fn watermarks_with_limits_hit() {
    let mut chance = Chance(12);
    for round in 0..3 {
        let mut all = events(FEW, 20_000, &mut chance);
        for (n, event) in all.iter_mut().enumerate() {
            if let Event::Request(request) = event {
                let path = n % 16_000;
                request.path = format!("/w{}/x{path}", path % 50);
                if path % 100 == 0 {
                    request.path = "/search".to_owned();
                    request.query = n as u64;
                }
                request.crawler = Some(CrawlerId(0));
                request.outcome = [Outcome::Good, Outcome::Failed][chance.below(4).min(1)];
            }
        }
        arrive(&mut all, &mut chance);
        let limits = once(&all).limits;
        assert!(limits.len() >= 2, "{limits:?}");
        assert_same(&format!("round {round}"), &all, 6_000, &mut chance);
    }
}

/// What comes after its time was closed is counted all the same, and said so.
#[test]
fn late_fetches_are_counted_and_said() {
    let all = events(FEW, 200, &mut Chance(13));
    let fetches = all
        .iter()
        .filter(|event| {
            matches!(event, Event::Request(request) if request.crawler.is_some()
            && matches!(request.outcome, Outcome::Good | Outcome::SavedByRetry | Outcome::Failed))
        })
        .count();
    let mut whole = Tally::new();
    whole.close(Stamp(i64::MAX - 1));
    whole.merge(tally(&all));
    whole.close(Stamp(i64::MAX));
    let (late, once) = (whole.view(), once(&all));
    assert_eq!(late.totals, once.totals);
    let said = late
        .limits
        .iter()
        .find(|limit| limit.name.contains("after their time"));
    assert_eq!(said.map(|limit| limit.dropped), Some(fetches as u64));
}
