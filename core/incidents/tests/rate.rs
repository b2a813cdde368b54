//! How often crawlers come while something is broken and after it, against their own baseline.
#![allow(clippy::unwrap_used, reason = "test code")]

use model::{
    Claim, CrawlRate, CrawlerId, Edge, Fetch, Identity, Incident, Method, Outcome, Place,
    RateBasis, RateWindow, Request, Route, SourceId, Stamp, Status,
};
use tally::Tally;

/// A Monday, at midnight.
const START: i64 = 1_769_990_400;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// The outage: four hours from noon of this day on.
const BROKEN: (i64, i64) = (12 * HOUR, 16 * HOUR);

fn record(tally: &mut Tally, second: i64, line: u64, is_broken: bool) {
    let path = format!("/item-{line}");
    let mut route = Route {
        len: 1,
        ..Route::default()
    };
    route.segments[0].key = line % 7;
    tally.record(&Request {
        at: Stamp::from_secs(START + second),
        place: Place {
            source: SourceId(0),
            line,
        },
        edge: Edge::Nginx,
        host: "",
        scheme: None,
        method: Method::Get,
        route,
        url: line,
        status: Status(if is_broken { 502 } else { 200 }),
        bytes: None,
        millis: None,
        outcome: if is_broken {
            Outcome::Failed
        } else {
            Outcome::Good
        },
        finding: None,
        evidence: None,
        repeat: false,
        from_cache: false,
        no_upstream: false,
        retry_after: None,
        fetch: Some(Fetch {
            claim: Claim {
                crawler: CrawlerId(0),
                identity: Identity::Unchecked,
            },
            path: &path,
            query: 0,
        }),
        posing: None,
        attempts: &[],
    });
}

/// A crawler that comes some 30 times an hour by day and 10 by night, less at weekends, through an outage on the last of
/// `days` days; from the end of it on as often as `after` says of its usual pace. The log ends six hours later.
fn incident(days: i64, after: f64) -> Incident {
    by_chance(days, after, 7)
}

fn by_chance(days: i64, after: f64, seed: u64) -> Incident {
    let broken = (days * DAY - DAY + BROKEN.0)..(days * DAY - DAY + BROKEN.1);
    let mut tally = Tally::new();
    let mut chance = fastrand::Rng::with_seed(seed);
    let end = broken.end + 6 * HOUR;
    for second in 0..end {
        let hour = second / HOUR % 24;
        let by_day = if (8..20).contains(&hour) { 30.0 } else { 10.0 };
        let weekend = if second / DAY % 7 >= 5 { 0.5 } else { 1.0 };
        let pace = if second >= broken.end { after } else { 1.0 };
        // Good and bad days of the crawler's own.
        let mood = [1.0, 1.1, 0.9, 1.05][(second / DAY % 4) as usize];
        if chance.f64() < by_day * weekend * pace * mood / HOUR as f64 {
            record(
                &mut tally,
                second,
                second as u64 + 1,
                broken.contains(&second),
            );
        }
    }
    tally.close(Stamp(i64::MAX));
    let mut incidents = incidents::judge(&tally.view(), Stamp::from_secs(START + end));
    assert_eq!(incidents.len(), 1);
    incidents.pop().unwrap()
}

fn rate(incident: &Incident, window: RateWindow) -> Option<CrawlRate> {
    incident
        .rates
        .iter()
        .find(|rate| rate.window == window)
        .copied()
}

#[test]
fn a_crawler_that_slows_down_is_told_with_an_interval() {
    let incident = incident(18, 0.3);
    let during = rate(&incident, RateWindow::During).unwrap();
    assert!(during.bounds.0 < 1.0 && 1.0 < during.bounds.1, "{during:?}");
    let after = rate(&incident, RateWindow::After).unwrap();
    assert_eq!(after.basis, RateBasis::HourOfWeek);
    assert!(
        after.bounds.0 < 0.3 && 0.3 < after.bounds.1 && after.bounds.1 < 0.7,
        "{after:?}"
    );
    assert_eq!(after.to.secs() - after.from.secs(), 6 * HOUR - 1);
}

/// The intervals say 95 %. They are wider, since days differ by more than chance.
#[test]
fn of_those_that_go_on_as_before_hardly_any_is_told_as_changed() {
    let incidents = [9, 18, 20].map(|days| (0..20).map(move |seed| by_chance(days, 1.0, seed)));
    let rates: Vec<CrawlRate> = incidents
        .into_iter()
        .flatten()
        .flat_map(|one| one.rates)
        .collect();
    let is_changed = |rate: &&CrawlRate| rate.bounds.0 > 1.0 || rate.bounds.1 < 1.0;
    let changed = rates.iter().filter(is_changed).count();
    assert_eq!(rates.len(), 120);
    assert!(changed <= 6, "{changed}");
}

#[test]
fn a_short_log_is_compared_by_days_and_a_shorter_one_not_at_all() {
    let by_day = incident(9, 1.0);
    assert!(
        by_day
            .rates
            .iter()
            .all(|rate| rate.basis == RateBasis::HourOfDay)
    );
    assert_eq!(by_day.rates.len(), 2);
    assert_eq!(incident(2, 0.3).rates, []);
}

/// No fetch at all may have any reason, a log that ends among them.
#[test]
fn silence_alone_is_no_drop() {
    assert_eq!(rate(&incident(18, 0.0), RateWindow::After), None);
}
