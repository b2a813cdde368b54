//! What operators use today, on the same logs: alarms by scope over windows of time. Both methods say when a scope was
//! failing; the rest, from alarms to reports, is the best that can be made of that and the same for both.

pub(crate) mod burn;
pub(crate) mod tune;
pub(crate) mod windows;

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::answer::{Answer, Report};
use crate::judge::request::Request;
use crate::judge::scope::{Scope, prefixes};
use crate::judge::score::{Scored, score};
use crate::judge::truth::Truth;

/// Observations of one scope in order.
pub(crate) struct Series {
    scope: Scope,
    at: Vec<i64>,
    /// Failed among the first n.
    failed: Vec<u32>,
}

impl Series {
    fn new(scope: Scope, all: &[(i64, bool)]) -> Self {
        let mut failed = vec![0];
        let mut sum = 0;
        for one in all {
            sum += u32::from(one.1);
            failed.push(sum);
        }
        let at = all.iter().map(|one| one.0).collect();
        Self { scope, at, failed }
    }

    /// All and failed observations from one second up to but without another.
    fn count(&self, from: i64, until: i64) -> (u32, u32) {
        let place = |second: i64| self.at.partition_point(|at| *at < second);
        let (first, end) = (place(from), place(until));
        ((end - first) as u32, self.failed[end] - self.failed[first])
    }

    fn failures(&self) -> impl Iterator<Item = i64> {
        let all = self.at.iter().enumerate();
        all.filter(|(index, _)| self.failed[index + 1] > self.failed[*index])
            .map(|(_, at)| *at)
    }

    fn first_failure(&self, from: i64) -> Option<i64> {
        let first = self.at.partition_point(|at| *at < from);
        let before = self.failed[first];
        let place = self.failed.partition_point(|count| *count <= before);
        self.at.get(place - 1).copied()
    }
}

/// Every scope in which something failed.
pub(crate) fn series(requests: &[Request]) -> Vec<Series> {
    let mut all: BTreeMap<Scope, Vec<(i64, bool)>> = BTreeMap::new();
    for request in requests.iter().filter(|request| request.is_evidence()) {
        let mut add = |scope: Scope, failed: bool| {
            all.entry(scope).or_default().push((request.at, failed));
        };
        add(Scope::Site, request.failed());
        for prefix in prefixes(&request.path) {
            add(Scope::Routes(vec![prefix.to_owned()]), request.failed());
        }
        for (upstream, failed) in &request.attempts {
            add(Scope::Upstream(upstream.clone()), *failed);
        }
        if let Some(crawler) = request.crawler {
            add(Scope::Crawler(crawler.to_owned()), request.failed());
            add(Scope::AllCrawlers, request.failed());
        }
    }
    all.retain(|_, series| series.iter().any(|one| one.1));
    all.into_iter()
        .map(|(scope, series)| Series::new(scope, &series))
        .collect()
}

/// Alarms nearer than this are one report: what is tried. The first is the gap that ends a run.
const JOINS_S: [i64; 3] = [1_800, 7_200, 43_200];

/// A method found a scope failing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alarm {
    /// First and last failure that it rests on.
    from: i64,
    until: i64,
    /// When it was known, and until when the method holds it up.
    known: i64,
    clears: i64,
}

/// Alarms of one scope that belong together.
struct Episode<'a> {
    series: &'a Series,
    from: i64,
    until: i64,
    known: i64,
    clears: i64,
    requests: u32,
    failed: u32,
}

/// What every rule answers and how right that is. `count` looks at a scope once, whatever the rule; `alarms` takes what
/// it counted; alarms nearer than `join_s` seconds are one report.
fn answered<R: Copy, C>(
    rules: Vec<R>,
    (series, truth): (&[Series], &Truth),
    count: impl Fn(&Series) -> C,
    alarms: impl Fn(&C, R) -> Vec<Alarm>,
    join_s: impl Fn(R) -> i64,
) -> Vec<(Answer, Scored)> {
    let counted: Vec<C> = series.iter().map(count).collect();
    let of = |rule: R| {
        let alarms: Vec<_> = counted.iter().map(|one| alarms(one, rule)).collect();
        let answer = answer(series, &alarms, join_s(rule), truth.log_end as i64);
        let scored = score(truth, &answer);
        (answer, scored)
    };
    rules.into_iter().map(of).collect()
}

/// Reports of all alarms: for each stretch of time the narrowest scope that holds nearly all that failed in it.
fn answer(all: &[Series], alarms: &[Vec<Alarm>], join_s: i64, log_end: i64) -> Answer {
    let mut left: Vec<Episode> = all
        .iter()
        .zip(alarms)
        .flat_map(|(series, alarms)| episodes(series, alarms, join_s))
        .collect();
    let mut incidents = Vec::new();
    while let Some(most) = left.iter().map(|one| one.failed).max() {
        let Some(widest) = left.iter().find(|one| one.failed == most) else {
            break;
        };
        let meets = |one: &&Episode| one.from <= widest.until && widest.from <= one.until;
        let nearly_all = left
            .iter()
            .filter(meets)
            .filter(|one| 10 * one.failed >= 9 * most);
        // Of equals the first: scopes stand from wide to narrow.
        let Some(chosen) = nearly_all.min_by_key(|one| one.requests) else {
            break;
        };
        incidents.push(report(chosen, log_end));
        let span = (chosen.from.min(widest.from), chosen.until.max(widest.until));
        left.retain(|one| one.from > span.1 || one.until < span.0);
    }
    Answer {
        incidents,
        open_urls: BTreeSet::new(),
        robots: BTreeMap::new(),
    }
}

fn episodes<'a>(series: &'a Series, alarms: &[Alarm], join_s: i64) -> Vec<Episode<'a>> {
    let mut all: Vec<Episode> = Vec::new();
    for alarm in alarms {
        match all.last_mut() {
            Some(last) if alarm.from - last.until < join_s => {
                last.until = last.until.max(alarm.until);
                last.clears = last.clears.max(alarm.clears);
            }
            _ => all.push(Episode {
                series,
                from: alarm.from,
                until: alarm.until,
                known: alarm.known,
                clears: alarm.clears,
                requests: 0,
                failed: 0,
            }),
        }
    }
    for episode in &mut all {
        (episode.requests, episode.failed) = series.count(episode.from, episode.until + 1);
    }
    all
}

/// The verdict that length and share allow.
fn report(episode: &Episode, log_end: i64) -> Report {
    let verdict = if episode.until - episode.from <= 600 {
        "blip"
    } else if 2 * episode.failed >= episode.requests {
        "persistent"
    } else {
        "intermittent"
    };
    Report {
        start_bounds: None,
        end_bounds: None,
        start: episode.from as f64,
        end: (episode.clears < log_end).then_some(episode.until as f64),
        scope: episode.series.scope.clone(),
        verdict: verdict.to_owned(),
        probability: None,
        first_detected: Some(episode.known as f64),
        crawlers: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::request::Request;
    use crate::judge::score::tests::truth;

    /// A fetch of one of two routes every ten seconds; for an hour and a half one route fails.
    fn requests() -> Vec<Request> {
        let all = (0..10_000).map(|index: i64| {
            let at = 10 * index;
            let path = if index % 2 == 0 { "/shop/a" } else { "/docs/a" };
            let breaks = index % 2 == 0 && (10_000..15_400).contains(&at);
            Request {
                at,
                path: path.to_owned(),
                status: if breaks { 502 } else { 200 },
                ..Request::default()
            }
        });
        all.collect()
    }

    #[test]
    fn both_peers_see_a_broken_route_and_name_it() {
        let series = series(&requests());
        let mut answers = windows::answers(&series, &truth());
        answers.extend(burn::answers(&series, &truth()));
        for (answer, _) in answers {
            assert_eq!(answer.incidents.len(), 1, "{answer:?}");
            let report = &answer.incidents[0];
            assert_eq!(report.start, 10_000.0);
            // A last window that is half good may not count.
            let end = report.end.expect("it is over");
            assert!((15_080.0..=15_380.0).contains(&end), "{end}");
            assert_eq!(report.scope, Scope::Routes(vec!["/shop".to_owned()]));
            assert_eq!(report.verdict, "persistent");
            assert!(
                report
                    .first_detected
                    .is_some_and(|at| at > 10_000.0 && at < 15_400.0)
            );
        }
    }

    #[test]
    fn counts_by_time_leave_the_end_out() {
        let all = [(0, true), (10, false), (20, true), (30, true)];
        let series = Series::new(Scope::Site, &all);
        assert_eq!(series.count(0, 30), (3, 2));
        assert_eq!(series.count(10, 31), (3, 2));
        assert_eq!(series.first_failure(1), Some(20));
        assert_eq!(series.failures().collect::<Vec<_>>(), [0, 20, 30]);
    }
}
