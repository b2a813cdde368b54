//! A month with more failures than are kept one by one: times and counts of a short outage stay exact all the same.

#[path = "support/month.rs"]
mod month;

use model::{ScopeKind, Stamp, Verdict};

use month::{SECONDS, START};

const DAY: i64 = 86_400;

/// Six days on which everything fails, and ten days later a quarter of an hour on two of five routes.
fn share(second: i64, route: usize, _: usize) -> f64 {
    let is_long = (5 * DAY..11 * DAY).contains(&second);
    let is_short = (21 * DAY..21 * DAY + 900).contains(&second) && matches!(route, 0 | 2);
    f64::from(u8::from(is_long || is_short))
}

#[test]
fn a_long_outage_does_not_blur_a_short_one() {
    let mut tally = month::tally(400_000, share);
    let view = tally.view();
    let incidents = incidents::judge(&view, Stamp::from_secs(START + SECONDS));
    let [long, short] = &incidents[..] else {
        panic!("{incidents:#?}");
    };
    assert_eq!(long.scope.kind, ScopeKind::Site);
    assert_eq!(long.verdict, Verdict::Persistent);
    assert_eq!(long.requests.failed, 80_000);
    let seconds = |at: Stamp| at.secs() - START;
    assert_eq!(short.scope.values, ["/blog", "/product"]);
    assert_eq!(short.verdict, Verdict::Persistent);
    assert!((21 * DAY..21 * DAY + 60).contains(&seconds(short.start)));
    let end = short.end.map(seconds);
    assert!(end.is_some_and(|end| (21 * DAY + 840..21 * DAY + 900).contains(&end)));
    // Seven requests a minute are for these two routes.
    assert!((50..=90).contains(&short.requests.failed), "{short:#?}");
    let by_crawler: u64 = short.crawlers.iter().map(|hit| hit.failed).sum();
    assert!((1..=30).contains(&by_crawler), "{by_crawler}");
}
