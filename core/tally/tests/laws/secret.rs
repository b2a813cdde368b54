//! Secrets differ from run to run; nothing that is shown may, and no order.

use model::{Finding, Place, Stamp};
use tally::{FailureView, View};

use crate::limits;
use crate::log::{differing, intake};
use crate::recordings::{cases, examples};

#[test]
fn the_secret_decides_nothing_that_is_shown() {
    let (one, other) = (intake(41), intake(42));
    let crowds = [
        limits::crowd("1 day", 1, 5),
        limits::crowd("10 days", 10, 25),
        limits::look_alikes(),
    ];
    for log in cases().iter().chain(&examples()).chain(&crowds) {
        let (one, other) = (log.read_whole(&one), log.read_whole(&other));
        let mut all = differing(&one.view, &other.view);
        // These two hold hashes beside what is shown.
        all.retain(|table| !["urls", "failures", "slots or owed"].contains(table));
        assert_eq!(all, [""; 0], "{}", log.name);
        let urls = |view: &View| -> Vec<(u32, String, u32)> {
            view.urls
                .iter()
                .map(|url| (url.host, url.path.clone(), url.node))
                .collect()
        };
        assert_eq!(urls(&one.view), urls(&other.view), "{}", log.name);
        assert_eq!(failures(&one.view), failures(&other.view), "{}", log.name);
        assert_eq!(one.view.series(0), other.view.series(0), "{}", log.name);
        assert!(
            one.sources == other.sources && one.joined == other.joined,
            "{}",
            log.name
        );
    }
}

type Shown = (
    Stamp,
    Place,
    u32,
    Option<Place>,
    u32,
    Option<u32>,
    Option<Finding>,
    bool,
);

fn failures(view: &View) -> Vec<Shown> {
    let shown = |failure: &FailureView| {
        (
            failure.at,
            failure.place,
            failure.count,
            failure.evidence,
            failure.node,
            failure.url,
            failure.finding,
            failure.repeat,
        )
    };
    view.failures.iter().map(shown).collect()
}
