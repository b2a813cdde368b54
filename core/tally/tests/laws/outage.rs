//! A long outage: what is kept of it is limited, however many requests fail and however many paths they are for.

use model::{CrawlerId, Outcome, Place, SourceId, Stamp};
use tally::{Tally, View, limit};

use crate::chance::Chance;
use crate::limits::START;
use crate::log::differing;
use crate::owned::{Event, FEW, Owned, count, events, tally};

const PATHS: usize = 100_000;

/// Everything fails, for so many days, but for one fetch in a hundred.
fn outage(failures: usize, days: i64) -> Vec<Event> {
    let made = events(FEW, 200, &mut Chance(31));
    let mut requests = made.into_iter().filter_map(|event| match event {
        Event::Request(request) if request.outcome == Outcome::Failed => Some(request),
        Event::Request(_) | Event::Sign { .. } => None,
    });
    let request = requests.next().unwrap();
    (0..failures)
        .map(|n| {
            let at = START * 1_000 + n as i64 * days * 86_400_000 / failures as i64;
            let path = n.wrapping_mul(7_919) % PATHS;
            let comes_back = n % 100 == 99;
            Event::Request(Owned {
                at: Stamp(at),
                place: Place {
                    source: SourceId(0),
                    line: n as u64 + 1,
                },
                path: format!("/shop-{}/item-{path}", path % 300),
                outcome: if comes_back {
                    Outcome::Good
                } else {
                    Outcome::Failed
                },
                status: if comes_back { 200 } else { 502 },
                crawler: (n % 3 == 0 || comes_back).then_some(CrawlerId((n % 5) as u16)),
                attempts: vec![(format!("10.0.0.{}:80", n % 4), !comes_back)],
                ..request.clone()
            })
        })
        .collect()
}

fn view(mut tally: Tally) -> View {
    tally.close(Stamp(i64::MAX));
    tally.view()
}

#[track_caller]
fn assert_limited(view: &View, failures: u64) {
    let max = limit::FAILURE_ENTRIES_MAX;
    assert!(view.failures.len() <= max, "{}", view.failures.len());
    let counted: u64 = view.failures.iter().map(|at| u64::from(at.count)).sum();
    assert_eq!(counted, failures, "every failure is counted");
    assert!(view.failed_attempts.len() <= limit::MOMENTS_MAX);
    let attempts = view.failed_attempts.iter();
    let attempts: u64 = attempts.map(|(_, at)| u64::from(at.failed)).sum();
    assert_eq!(attempts, failures, "every attempt is counted");
    assert!(view.returns.len() <= limit::RETURNS_MAX);
    assert!(view.ledger.len() <= 5 * limit::LEDGER_PATHS_MAX);
}

/// A day, two days and two months: slots of one minute, five minutes and an hour.
#[test]
fn what_is_kept_of_an_outage_is_limited_and_does_not_depend_on_order() {
    for (days, n) in [(1, 200_000), (2, 200_000), (60, 300_000)] {
        let all = outage(n, days);
        let whole = view(tally(&all));
        assert_limited(&whole, n as u64 - n as u64 / 100);
        let first = whole.failures.iter().map(|failure| failure.at).min();
        assert_eq!(first.map(Stamp::secs), Some(START), "to the second");
        assert_eq!(whole.grains.is_empty(), n < limit::MOMENTS_MAX);
        assert!(
            whole
                .limits
                .iter()
                .any(|limit| limit.name.contains("per slot"))
        );
        let mut parts = vec![Tally::new(), Tally::new(), Tally::new(), Tally::new()];
        let mut chance = Chance(n as u64);
        for event in &all {
            count(&mut parts[chance.below(4)], event);
        }
        let mut merged = parts.pop().unwrap();
        for part in parts {
            merged.merge(part);
        }
        let merged = view(merged);
        assert_eq!(differing(&merged, &whole), [""; 0], "{days} days");
        assert!(merged == whole, "{days} days");
    }
}
