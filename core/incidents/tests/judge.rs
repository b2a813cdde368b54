//! Each verdict and each scope on a site small enough to follow by hand, and beside it the look-alike that must be
//! judged otherwise.
#![allow(clippy::unwrap_used, reason = "test code")]

mod support;

use incidents::{Judged, Sheet, judge_sheet};
use model::Verdict;
use support::rows::{self, Row};
use support::scenario::Dice;
use tally::{Key, Obs};

const START: i64 = 1_770_000_000;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A site of five days with a request every four minutes, over three routes, two crawlers and other clients, and
/// four upstreams in turn.
struct Site {
    rows: Vec<Row>,
    end: i64,
}

impl Site {
    fn new() -> Self {
        Self::every(240, 5)
    }

    fn every(seconds: i64, days: i64) -> Self {
        let mut dice = Dice(7);
        let mut rows = Vec::new();
        let mut at = 0;
        while at < days * DAY {
            at += 1 + (dice.unit() * 2.0 * seconds as f64) as i64;
            rows.push(dice.request(START + at));
        }
        Self {
            rows,
            end: START + days * DAY,
        }
    }

    /// Requests that satisfy `hit` fail.
    fn fail(mut self, hit: impl Fn(&Row, i64) -> bool) -> Self {
        for row in &mut self.rows {
            if hit(row, row.at - START) {
                row.failed = true;
                row.attempts.iter_mut().for_each(|attempt| attempt.1 = true);
            }
        }
        self
    }

    /// Requests that satisfy `lost` are not in the log.
    fn lose(mut self, lost: impl Fn(&Row, i64) -> bool) -> Self {
        self.rows.retain(|row| !lost(row, row.at - START));
        self
    }

    fn sheet(&self) -> Sheet {
        rows::sheet(&self.rows, START, self.end, 0).sheet
    }

    fn judge(&self) -> Vec<Judged> {
        judge_sheet(self.sheet())
    }

    /// The names behind the keys of the one incident there must be, and the incident.
    fn only(&self) -> (Vec<String>, Judged) {
        let named = rows::sheet(&self.rows, START, self.end, 0);
        let judged = judge_sheet(named.sheet.clone());
        assert_eq!(judged.len(), 1, "{judged:#?}");
        let one = judged.into_iter().next().unwrap();
        let names = one.keys.iter().map(|key| match key {
            Key::Crawler(crawler) => format!("crawler {}", crawler.0),
            Key::AllCrawlers => "all crawlers".to_owned(),
            key => named.names[key].clone(),
        });
        (names.collect(), one)
    }

    fn verdict(&self) -> Verdict {
        self.only().1.verdict
    }
}

impl Dice {
    fn request(&mut self, at: i64) -> Row {
        let crawler = [None, None, Some(0), Some(1)][self.below(4)];
        let route = ["/shop/item", "/shop/list", "/docs", "/news"][self.below(4)];
        let robots = crawler.is_some() && self.chance(0.1);
        Row {
            at,
            crawler,
            path: if robots {
                "/robots.txt".to_owned()
            } else {
                format!("{route}/{}", self.below(12))
            },
            attempts: vec![(format!("10.0.0.{}:80", self.below(4)), false)],
            ..Row::default()
        }
    }
}

fn within(at: i64, from: i64, length: i64) -> bool {
    (from..from + length).contains(&at)
}

#[test]
fn a_short_outage_is_a_blip() {
    let site = Site::every(60, 3).fail(|_, at| within(at, DAY, 7 * 60));
    let (names, one) = site.only();
    assert_eq!((names, one.verdict), (vec!["*".to_owned()], Verdict::Blip));
    assert!(one.end.is_some() && one.probability > 0.9, "{one:#?}");
    assert!(
        one.why.contains("{scope}") && one.why.contains("blip"),
        "{}",
        one.why
    );
}

/// What is said of the way to another answer is what another answer takes.
#[test]
fn it_says_what_would_change_it() {
    let site = Site::every(60, 3).fail(|_, at| within(at, 3 * DAY - 15 * 60, 15 * 60));
    let (_, open) = site.only();
    assert_eq!((open.verdict, open.end), (Verdict::Persistent, None));
    assert!(
        open.would_change
            .starts_with("2 good requests in a row would end it; "),
        "{}",
        open.would_change
    );
    let (_, over) = Site::every(60, 3)
        .fail(|_, at| within(at, DAY, 7 * 60))
        .only();
    assert_eq!(
        over.would_change,
        "a failure within 30 min of the last would reopen it"
    );
}

#[test]
fn failures_hours_apart_are_no_incident() {
    let site = Site::new();
    let lone: Vec<i64> = [2, 31, 55, 80, 101]
        .into_iter()
        .filter_map(|hour| {
            site.rows
                .iter()
                .map(|row| row.at - START)
                .find(|at| *at > hour * HOUR)
        })
        .collect();
    assert!(site.fail(|_, at| lone.contains(&at)).judge().is_empty());
}

#[test]
fn an_outage_of_hours_is_persistent_and_over_after_two_good_answers() {
    let site = Site::new().fail(|_, at| within(at, 2 * DAY, 3 * HOUR));
    let (_, one) = site.only();
    assert_eq!(one.verdict, Verdict::Persistent);
    assert_eq!(one.end, Some(one.last_failure));
    assert!(
        one.why
            .contains("failed for 3 h, over 10 min, so not a blip"),
        "{}",
        one.why
    );
}

#[test]
fn silence_is_no_recovery() {
    let site = Site::new()
        .fail(|_, at| within(at, 2 * DAY, 3 * HOUR))
        .lose(|_, at| at > 2 * DAY + 3 * HOUR);
    let (_, one) = site.only();
    assert_eq!((one.verdict, one.end), (Verdict::Persistent, None));
}

#[test]
fn a_gap_in_the_log_is_no_recovery() {
    let outage = |_: &Row, at: i64| within(at, 2 * DAY, 10 * HOUR);
    let gap = |_: &Row, at: i64| within(at, 2 * DAY + 3 * HOUR, 4 * HOUR);
    let (_, one) = Site::new().fail(outage).lose(gap).only();
    assert_eq!(one.runs.len(), 1, "{one:#?}");
    assert!(one.last_failure - one.start > 9 * HOUR, "{one:#?}");
}

#[test]
fn two_outages_with_good_hours_between_are_two_incidents() {
    let site =
        Site::new().fail(|_, at| within(at, 2 * DAY, 3 * HOUR) || within(at, 3 * DAY, 5 * HOUR));
    assert_eq!(site.judge().len(), 2);
}

#[test]
fn a_steady_low_share_is_intermittent() {
    let mut dice = Dice(3);
    let mut site = Site::every(60, 5);
    for row in site
        .rows
        .iter_mut()
        .filter(|row| within(row.at - START, 2 * DAY, DAY))
    {
        row.failed = dice.chance(0.1);
    }
    let (names, one) = site.only();
    assert_eq!(
        (names, one.verdict),
        (vec!["*".to_owned()], Verdict::Intermittent)
    );
}

#[test]
fn an_outage_of_minutes_every_day_recurs() {
    let site = Site::every(90, 6).fail(|_, at| within(at % DAY, 10 * HOUR, 8 * 60));
    let (_, one) = site.only();
    assert_eq!((one.verdict, one.runs.len()), (Verdict::Recurring, 6));
    assert!(one.why.contains("every 24 h"), "{}", one.why);
}

#[test]
fn outages_at_odd_times_do_not_recur() {
    let starts = [10 * HOUR, DAY + 3 * HOUR, 3 * DAY + 17 * HOUR];
    let site =
        Site::every(90, 6).fail(|_, at| starts.iter().any(|start| within(at, *start, 8 * 60)));
    let verdicts: Vec<Verdict> = site.judge().iter().map(|one| one.verdict).collect();
    assert_eq!(verdicts, [Verdict::Blip; 3]);
}

#[test]
fn upstreams_out_in_turn_are_a_restart() {
    let site = Site::every(30, 2).fail(|row, at| {
        let upstream = row.attempts[0].0.as_bytes()[7] - b'0';
        within(at, DAY + i64::from(upstream) * 400, 330)
    });
    let (names, one) = site.only();
    assert_eq!(
        (names, one.verdict),
        (vec!["*".to_owned()], Verdict::Restart)
    );
    assert!(one.why.contains("4 upstreams"), "{}", one.why);
}

/// Four fifths of what fails, fails on the first; the second is out for a tenth of the time.
#[test]
fn a_short_turn_of_a_restart_counts_beside_a_long_one() {
    let site = Site::every(2, 1).fail(|row, at| {
        let upstream = row.attempts[0].0.as_str();
        upstream == "10.0.0.0:80" && within(at, 12 * HOUR, 540)
            || upstream == "10.0.0.1:80" && within(at, 12 * HOUR + 560, 60)
    });
    let (_, one) = site.only();
    assert_eq!(one.verdict, Verdict::Restart);
    assert!(one.why.contains("2 upstreams"), "{}", one.why);
}

/// Half of the route's requests are saved by a retry: attempts fail on every upstream, and no upstream is at fault.
#[test]
fn a_broken_route_is_no_fault_of_each_upstream() {
    let mut dice = Dice(5);
    let mut site = Site::every(30, 3);
    let breaks =
        |row: &Row| within(row.at - START, DAY, 12 * HOUR) && row.path.starts_with("/docs/");
    for row in site.rows.iter_mut().filter(|row| breaks(row)) {
        row.failed = dice.chance(0.5);
        row.attempts[0].1 = true;
        if !row.failed {
            row.attempts.push(("10.0.0.9:80".to_owned(), false));
        }
    }
    assert_eq!(site.only().0, ["/docs"]);
}

#[test]
fn all_upstreams_out_at_once_are_no_restart() {
    for length in [8 * 60, 40 * 60] {
        let site = Site::every(120, 2).fail(|_, at| within(at, DAY, length));
        assert_ne!(site.verdict(), Verdict::Restart);
    }
}

/// A site whose load trebles for two hours on the second and fourth day.
fn with_peaks(fails: impl Fn(&mut Dice, i64, bool) -> bool) -> Site {
    let mut dice = Dice(11);
    let mut site = Site {
        rows: Vec::new(),
        end: START + 5 * DAY,
    };
    let mut at = 0;
    while at < 5 * DAY {
        let peak =
            within(at, DAY + 10 * HOUR, 2 * HOUR) || within(at, 3 * DAY + 14 * HOUR, 2 * HOUR);
        at += 1 + (dice.unit() * if peak { 40.0 } else { 240.0 }) as i64;
        let failed = fails(&mut dice, at, peak);
        site.rows.push(Row {
            failed,
            ..dice.request(START + at)
        });
    }
    site
}

#[test]
fn failures_at_the_peaks_of_load_are_overload() {
    let (_, one) = with_peaks(|dice, _, peak| peak && dice.chance(0.3)).only();
    assert_eq!((one.verdict, one.end.is_some()), (Verdict::Overload, true));
}

#[test]
fn partial_failures_at_quiet_hours_are_no_overload() {
    let quiet =
        |at: i64| within(at, DAY + 20 * HOUR, 2 * HOUR) || within(at, 3 * DAY + 2 * HOUR, 2 * HOUR);
    let judged = with_peaks(|dice, at, _| quiet(at) && dice.chance(0.3)).judge();
    assert!(
        judged
            .iter()
            .all(|one| one.verdict == Verdict::Intermittent),
        "{judged:#?}"
    );
}

#[test]
fn the_scope_is_the_smallest_that_explains_the_failures() {
    let during = |at: i64| within(at, 2 * DAY, 10 * HOUR);
    let route = Site::new().fail(|row, at| during(at) && row.path.starts_with("/shop/item/"));
    assert_eq!(route.only().0, ["/shop/item"]);
    let wider = Site::new().fail(|row, at| during(at) && row.path.starts_with("/shop/"));
    assert_eq!(wider.only().0, ["/shop"]);
    let group = Site::new().fail(|row, at| {
        during(at) && (row.path.starts_with("/docs/") || row.path.starts_with("/shop/item/"))
    });
    assert_eq!(group.only().0, ["/docs", "/shop/item"]);
    let url = Site::every(60, 5).fail(|row, at| at > DAY && row.path == "/docs/3");
    assert_eq!(url.only().0, ["/docs/3"]);
    let upstream = Site::new().fail(|row, at| during(at) && row.attempts[0].0 == "10.0.0.2:80");
    assert_eq!(upstream.only().0, ["10.0.0.2:80"]);
    let crawler = Site::new().fail(|row, at| during(at) && row.crawler == Some(1));
    assert_eq!(crawler.only().0, ["crawler 1"]);
    let crawlers = Site::new().fail(|row, at| during(at) && row.crawler.is_some());
    assert_eq!(crawlers.only().0, ["all crawlers"]);
    let robots = Site::every(60, 5).fail(|row, at| during(at) && row.path == "/robots.txt");
    assert_eq!(robots.only().0, ["/robots.txt"]);
    let site = Site::new().fail(|_, at| during(at));
    assert_eq!(site.only().0, ["*"]);
}

/// Hardly anything else was asked for, and that was served.
#[test]
fn routes_that_are_most_of_the_site_are_not_the_site() {
    let mut dice = Dice(9);
    let mut kept: Vec<bool> = (0..40_000).map(|_| dice.chance(0.15)).collect();
    let others = |row: &Row| row.path.starts_with("/news/") || row.path == "/robots.txt";
    let mut site = Site::every(60, 5);
    site.rows
        .retain(|row| !others(row) || kept.pop().unwrap_or(false));
    let site = site.fail(|row, at| within(at, 2 * DAY, 10 * HOUR) && !others(row));
    assert_eq!(site.only().0, ["/docs", "/shop"]);
}

/// One request, failed or not.
const fn request(at: i64, failed: u32) -> Obs {
    Obs {
        at,
        until: at,
        good: 1 - failed,
        failed,
        repeats: 0,
    }
}

/// `/books/a` is a prefix of two words, but one page alone lies under it.
#[test]
fn a_prefix_that_holds_one_url_is_called_a_url() {
    let (prefix, url) = (Key::Prefix(0), Key::Url(0));
    let mut series = std::collections::BTreeMap::<Key, Vec<Obs>>::new();
    for tick in 0..24 * 60 {
        let failed = u32::from(tick % 4 == 0 && tick > 600);
        let keys = match tick % 4 {
            0 => vec![Key::Site, prefix, url],
            _ => vec![Key::Site, Key::Prefix(1)],
        };
        for key in keys {
            series
                .entry(key)
                .or_default()
                .push(request(START + tick * 60, failed));
        }
    }
    let sheet = Sheet {
        series,
        wider: [(url, prefix)].into(),
        start: START,
        now: START + DAY,
        ..Sheet::default()
    };
    let judged = judge_sheet(sheet);
    assert_eq!(judged.len(), 1, "{judged:?}");
    assert_eq!(judged[0].keys, [url]);
}

/// One in ten fails for four days. Sixty good ones in a row would be rare within it, but that it ended in the last
/// minutes is rarer.
#[test]
fn a_long_weak_fault_is_not_over_after_a_few_good_minutes() {
    let site = |good_last: usize| {
        let mut site = Site::every(20, 5);
        let last = site.rows.len() - good_last;
        for (index, row) in site.rows.iter_mut().enumerate().take(last) {
            row.failed = row.at - START > DAY && index % 10 == 0;
        }
        site.only().1
    };
    assert_eq!(site(60).end, None);
    assert!(site(200).end.is_some());
}

/// Requests of both may be the same: what is left of the lesser may be the greater one's.
#[test]
fn beside_a_greater_incident_of_the_same_time_a_lesser_one_is_less_sure() {
    let during = |at: i64| within(at, 2 * DAY, 12 * HOUR);
    let crossing = Site::every(60, 5).fail(|row, at| {
        during(at) && row.path.starts_with("/news/")
            || within(at, 2 * DAY + 5 * HOUR, 20 * HOUR) && row.crawler == Some(0)
    });
    let mut chances: Vec<f64> = crossing.judge().iter().map(|one| one.probability).collect();
    chances.sort_by(f64::total_cmp);
    assert!(
        matches!(chances[..], [less, more] if less < 0.7 && more > 0.9),
        "{chances:?}"
    );
    let apart = Site::every(60, 5).fail(|row, at| {
        during(at) && row.path.starts_with("/news/")
            || within(at, 4 * DAY, 20 * HOUR) && row.crawler == Some(0)
    });
    let chances: Vec<f64> = apart.judge().iter().map(|one| one.probability).collect();
    assert!(
        chances.len() == 2 && chances.iter().all(|chance| *chance > 0.9),
        "{chances:?}"
    );
}

#[test]
fn faults_of_different_scopes_at_the_same_time_are_told_apart() {
    let site = Site::every(60, 5).fail(|row, at| {
        within(at, 2 * DAY, 12 * HOUR) && row.path.starts_with("/news/")
            || within(at, 2 * DAY + 5 * HOUR, 20 * HOUR) && row.crawler == Some(0)
    });
    let keys: Vec<Key> = site.judge().into_iter().flat_map(|one| one.keys).collect();
    assert!(
        matches!(keys[..], [Key::Prefix(_), Key::Crawler(_)]),
        "{keys:?}"
    );
}

#[test]
fn repeats_of_one_impatient_client_are_no_evidence() {
    let mut site = Site::new();
    let mut failed = site.rows[500].clone();
    failed.failed = true;
    site.rows[500].failed = true;
    let repeats = (1..20).map(|second| Row {
        at: failed.at + second,
        repeat: true,
        ..failed.clone()
    });
    site.rows.extend(repeats);
    site.rows.sort_by_key(|row| row.at);
    assert!(site.judge().is_empty());
}

#[test]
fn the_order_of_observations_does_not_matter() {
    let site = Site::new().fail(|row, at| {
        within(at, 2 * DAY, 5 * HOUR) && row.path.starts_with("/docs/") || within(at, 4 * DAY, 300)
    });
    let sheet = site.sheet();
    let mut shuffled = sheet.clone();
    let mut dice = Dice(5);
    for all in shuffled.series.values_mut() {
        for index in (1..all.len()).rev() {
            all.swap(index, dice.below(index + 1));
        }
    }
    shuffled.load.reverse();
    assert_eq!(judge_sheet(sheet), judge_sheet(shuffled));
}

#[test]
fn slots_of_a_minute_say_the_same_as_seconds() {
    let site = Site::every(20, 3)
        .fail(|row, at| within(at, DAY, 2 * HOUR) && row.path.starts_with("/docs/"));
    let exact = site.judge();
    let slots = judge_sheet(rows::sheet(&site.rows, START, site.end, 60).sheet);
    assert_eq!(exact.len(), 1);
    assert_eq!(exact[0].keys, slots[0].keys);
    assert_eq!(
        (exact[0].verdict, exact[0].start, exact[0].end),
        (slots[0].verdict, slots[0].start, slots[0].end)
    );
}

#[test]
fn first_detected_is_true_under_replay() {
    let site = Site::new().fail(|_, at| within(at, 2 * DAY, 3 * HOUR));
    let (_, one) = site.only();
    let reported = |until: i64| {
        let rows: Vec<Row> = site
            .rows
            .iter()
            .filter(|row| row.at <= until)
            .cloned()
            .collect();
        !judge_sheet(rows::sheet(&rows, START, until, 0).sheet).is_empty()
    };
    assert!(reported(one.first_detected));
    assert!(!reported(one.first_detected - 1));
    assert!(one.first_detected - one.start < HOUR, "{one:#?}");
}

#[test]
fn an_outage_is_first_called_what_it_may_yet_be() {
    let site = Site::every(60, 3).fail(|_, at| within(at, DAY, 3 * HOUR));
    let (_, one) = site.only();
    let last = one.history.last().unwrap();
    assert_eq!(last.1, Verdict::Persistent);
    assert!(
        one.history[0].2 < 0.8,
        "an hour old it cannot be sure: {:?}",
        one.history
    );
}

#[test]
fn odd_input_is_survived() {
    let odd = Obs {
        at: i64::MIN,
        until: i64::MAX,
        good: u32::MAX,
        failed: u32::MAX,
        repeats: u32::MAX,
    };
    let late = Obs {
        at: i64::MAX,
        until: i64::MIN,
        ..odd
    };
    let mut sheet = Sheet {
        start: i64::MIN,
        now: i64::MAX,
        gaps: vec![(i64::MAX, i64::MIN), (0, i64::MAX)],
        ..Sheet::default()
    };
    sheet.load = vec![odd, late];
    for key in [Key::Site, Key::Prefix(0), Key::Upstream(3), Key::Robots] {
        sheet.series.insert(
            key,
            vec![
                late,
                odd,
                Obs {
                    at: 5,
                    until: 9,
                    ..odd
                },
                Obs {
                    at: 7,
                    until: 7,
                    ..odd
                },
            ],
        );
    }
    sheet.wider.insert(Key::Prefix(0), Key::Prefix(0));
    let _ = judge_sheet(sheet);
    assert!(judge_sheet(Sheet::default()).is_empty());
}

/// Two hosts with two paths each. One path of the first fails for eight minutes, then one of the other.
#[test]
fn hosts_that_fail_one_after_the_other_are_no_group_of_routes() {
    let mut series = std::collections::BTreeMap::<Key, Vec<Obs>>::new();
    for tick in 0..24 * 60 {
        let at = START + tick * 60;
        for prefix in 0..4_u32 {
            let host = prefix / 2;
            let time = if host == 0 { 600..608 } else { 608..616 };
            let failed = u32::from(prefix % 2 == 0 && time.contains(&tick));
            for key in [Key::Site, Key::Host(host), Key::Prefix(prefix)] {
                series.entry(key).or_default().push(request(at, failed));
            }
        }
    }
    let wider = (0..4).map(|prefix| (Key::Prefix(prefix), Key::Host(prefix / 2)));
    let sheet = Sheet {
        series,
        wider: wider.collect(),
        start: START,
        now: START + DAY,
        ..Sheet::default()
    };
    let judged = judge_sheet(sheet);
    for one in judged {
        assert_eq!(one.keys.len(), 1, "{one:?}");
    }
}
