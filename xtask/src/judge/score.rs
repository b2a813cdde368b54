//! One log's answer against its truth: which report means which incident, and how right it is. The rules stand in
//! the README beside this file.

use std::collections::BTreeSet;

use super::answer::{Answer, Report};
use super::scope::Scope;
use super::truth::{Facts, Planted, RobotsFact, Truth};

const OVERLAP_MIN: f64 = 0.5;
/// A right scope is worth so much overlap when two reports want one incident.
const SCOPE_BONUS: f64 = 0.5;
/// What stands for a delay that the ladder does not reach.
const DELAY_MAX: f64 = 100.0;

/// One log's score.
#[derive(Clone, Debug)]
pub(crate) struct Scored {
    pub(crate) name: String,
    pub(crate) family: String,
    pub(crate) size: String,
    pub(crate) months: f64,
    pub(crate) planted: Vec<Row>,
    pub(crate) strays: Vec<Stray>,
    pub(crate) open_urls: Tally,
    pub(crate) robots: Tally,
}

/// A planted incident and the report that means it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) truth: Planted,
    pub(crate) found: Option<Found>,
}

#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) report: Report,
    pub(crate) overlap: f64,
    pub(crate) scope_right: bool,
    pub(crate) verdict_right: bool,
    /// Seconds outside the set of boundaries that the log allows.
    pub(crate) start_error: f64,
    pub(crate) end_error: f64,
    /// Whether the bounds told, where any are, hold the true start and end.
    pub(crate) start_held: Option<bool>,
    pub(crate) end_held: Option<bool>,
    pub(crate) state_right: bool,
    pub(crate) delay_ratio: Option<f64>,
    pub(crate) is_early: bool,
    /// Crawlers told right, of all that were hit.
    pub(crate) crawlers: (usize, usize),
}

/// A report that means no incident.
#[derive(Clone, Debug)]
pub(crate) struct Stray {
    pub(crate) report: Report,
    pub(crate) is: StrayIs,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StrayIs {
    /// Touches nothing planted.
    Phantom,
    /// A piece or a double of an incident.
    Fragment,
    /// Of an incident that nobody had to find.
    Ignored,
}

/// Of a set of facts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) hit: usize,
    pub(crate) extra: usize,
    pub(crate) missed: usize,
}

/// Scores one log.
pub(crate) fn score(truth: &Truth, answer: &Answer) -> Scored {
    let matches = matches(truth, &answer.incidents);
    let row = |(index, planted): (usize, &Planted)| {
        let own = matches.iter().find(|one| one.planted == index);
        Row {
            truth: planted.clone(),
            found: own.map(|own| found(planted, &answer.incidents[own.report], own, truth.log_end)),
        }
    };
    let used: BTreeSet<usize> = matches.iter().map(|one| one.report).collect();
    let left = (0..answer.incidents.len()).filter(|index| !used.contains(index));
    Scored {
        name: truth.scenario.clone(),
        family: truth.family.clone(),
        size: truth.size.clone(),
        months: (truth.log_end - truth.log_start) / 2_592_000.0,
        planted: truth.incidents.iter().enumerate().map(row).collect(),
        strays: left
            .map(|index| stray(truth, &answer.incidents[index]))
            .collect(),
        open_urls: open_urls(&truth.facts, answer),
        robots: robots(&truth.facts, answer),
    }
}

struct Match {
    planted: usize,
    report: usize,
    overlap: f64,
    scope_right: bool,
}

/// One to one, the best pairs first.
fn matches(truth: &Truth, reports: &[Report]) -> Vec<Match> {
    let mut pairs = Vec::new();
    for (report, said) in reports.iter().enumerate() {
        for (planted, known) in truth.incidents.iter().enumerate() {
            pairs.push(Match {
                planted,
                report,
                overlap: overlap(known, said, truth.log_end),
                scope_right: is_scope(known, &said.scope),
            });
        }
    }
    pairs.retain(|pair| pair.overlap >= OVERLAP_MIN);
    let worth = |pair: &Match| pair.overlap + if pair.scope_right { SCOPE_BONUS } else { 0.0 };
    // Stable: of equals the first report, then the first incident.
    pairs.sort_by(|one, two| worth(two).total_cmp(&worth(one)));
    let mut taken: Vec<Match> = Vec::new();
    for pair in pairs {
        let is_taken = |other: &Match| other.planted == pair.planted || other.report == pair.report;
        if !taken.iter().any(is_taken) {
            taken.push(pair);
        }
    }
    taken
}

pub(crate) fn is_scope(planted: &Planted, said: &Scope) -> bool {
    said.is_same(&planted.scope) || planted.also_scope.iter().any(|also| said.is_same(also))
}

/// Common time over time of either, to the second. A boundary that the log cannot tell from the true one is taken for it.
fn overlap(planted: &Planted, said: &Report, log_end: f64) -> f64 {
    let (true_start, true_end) = (planted.start, planted.end.unwrap_or(log_end));
    let (mut start, mut end) = (said.start, said.end_or(log_end));
    if is_in(start, planted.start_set) {
        start = true_start;
    }
    if is_in(end, planted.end_set) || may_be_open(planted, said, log_end) {
        end = true_end;
    }
    let common = end.min(true_end) - start.max(true_start) + 1.0;
    let either = end.max(true_end) - start.min(true_start) + 1.0;
    (common / either).max(0.0)
}

/// Said to go on, and no line shows that it does not.
fn may_be_open(planted: &Planted, said: &Report, log_end: f64) -> bool {
    said.end.is_none() && planted.end_set.1 >= log_end - 1.0
}

fn is_in(at: f64, set: (f64, f64)) -> bool {
    set.0 <= at && at <= set.1
}

/// How far outside a set.
fn off(at: f64, set: (f64, f64)) -> f64 {
    (set.0 - at).max(at - set.1).max(0.0)
}

fn found(planted: &Planted, said: &Report, own: &Match, log_end: f64) -> Found {
    Found {
        overlap: own.overlap,
        scope_right: own.scope_right,
        verdict_right: said.verdict == planted.verdict,
        start_error: off(said.start, planted.start_set),
        end_error: off(said.end_or(log_end), planted.end_set),
        start_held: (said.start_bounds).map(|bounds| off(planted.start, bounds) <= 1.0),
        end_held: (planted.end.zip(said.end_bounds)).map(|(end, bounds)| off(end, bounds) <= 1.0),
        state_right: said.end.is_none() == planted.end.is_none()
            || may_be_open(planted, said, log_end),
        delay_ratio: delay_ratio(planted, said),
        is_early: said
            .first_detected
            .is_some_and(|at| at < planted.start_set.0 - 1.0),
        crawlers: crawlers(planted, said),
        report: said.clone(),
    }
}

/// Fetches seen until it was reported, in times of those that were needed.
fn delay_ratio(planted: &Planted, said: &Report) -> Option<f64> {
    let at = said.first_detected?;
    if !planted.detectable || planted.oracle_time.is_none() {
        return None;
    }
    let step = planted.ladder.iter().find(|step| step.1 >= at - 1.0);
    let longest = planted.ladder.last().map_or(1.0, |step| step.0);
    Some(step.map_or((longest * 1.5).min(DELAY_MAX), |step| step.0))
}

fn crawlers(planted: &Planted, said: &Report) -> (usize, usize) {
    let right = planted.crawlers.iter().filter(|(name, known)| {
        let Some(said) = said.crawlers.get(&name.to_lowercase()) else {
            return false;
        };
        let slack = (0.05 * known.failed as f64).max(1.0);
        let is_counted = said.failed.abs_diff(known.failed) as f64 <= slack;
        let is_back = match (said.first_ok, known.first_ok) {
            (Some(said), Some(known)) => (said - known).abs() <= 1.0,
            (said, known) => said == known,
        };
        is_counted && is_back
    });
    (right.count(), planted.crawlers.len())
}

fn stray(truth: &Truth, said: &Report) -> Stray {
    let (start, end) = (said.start, said.end_or(truth.log_end));
    let common = |planted: &Planted| {
        end.min(planted.end_set.1.min(truth.log_end)) - start.max(planted.start_set.0)
    };
    let touched = |planted: &&Planted| common(planted) >= 0.0;
    let mut all = truth.incidents.iter().filter(touched);
    let mostly = |planted: &Planted| common(planted) >= 0.5 * (end - start);
    let is = if all.clone().any(|planted| planted.detectable) {
        StrayIs::Fragment
    } else if all.any(mostly) {
        StrayIs::Ignored
    } else {
        StrayIs::Phantom
    };
    Stray {
        report: said.clone(),
        is,
    }
}

fn open_urls(facts: &Facts, answer: &Answer) -> Tally {
    let known = facts.open_urls.iter();
    let known: BTreeSet<(String, String)> = known
        .map(|(crawler, path)| (crawler.to_lowercase(), path.clone()))
        .collect();
    let hit = known.intersection(&answer.open_urls).count();
    Tally {
        hit,
        extra: answer.open_urls.len() - hit,
        missed: known.len() - hit,
    }
}

fn robots(facts: &Facts, answer: &Answer) -> Tally {
    let is_told = |fact: &&RobotsFact| {
        let key = (fact.crawler.to_lowercase(), fact.phase.clone());
        let said = answer.robots.get(&key).copied().flatten();
        said.is_some_and(|since| (since - fact.failing_since).abs() <= 1.0)
    };
    let hit = facts.robots.iter().filter(is_told).count();
    Tally {
        hit,
        extra: answer.robots.len() - hit,
        missed: facts.robots.len() - hit,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::judge::truth::CrawlerFact;

    /// A site outage from 10,000 to 20,000 s in a log of 100,000 s.
    pub(crate) fn truth() -> Truth {
        Truth {
            scenario: "hand-made".to_owned(),
            family: "hand-made".to_owned(),
            size: "S".to_owned(),
            format: "combined".to_owned(),
            log_start: 0.0,
            log_end: 100_000.0,
            lines: 0,
            other_traffic: false,
            background: 0.001,
            gaps: Vec::new(),
            skew: 0.0,
            incidents: vec![planted(10_000.0, 20_000.0)],
            facts: Facts::default(),
        }
    }

    pub(crate) fn planted(start: f64, end: f64) -> Planted {
        Planted {
            id: format!("hand-made-{start}"),
            start,
            end: Some(end),
            start_set: (start - 500.0, start + 500.0),
            end_set: (end - 500.0, end + 500.0),
            scope: Scope::Site,
            also_scope: vec![Scope::Crawler("GPTBot".to_owned())],
            verdict: "persistent".to_owned(),
            accept: Vec::new(),
            detectable: true,
            clear: true,
            identifiable: true,
            why: String::new(),
            bursts: None,
            failed: 20,
            in_scope: 20,
            llr: 100.0,
            h: 9.0,
            oracle_time: Some(start + 100.0),
            oracle_n: Some(2),
            ladder: vec![(0.5, start), (1.0, start + 100.0), (2.0, start + 300.0)],
            crawlers: BTreeMap::new(),
        }
    }

    pub(crate) fn report(start: f64, end: Option<f64>) -> Report {
        Report {
            start_bounds: None,
            end_bounds: None,
            start,
            end,
            scope: Scope::Site,
            verdict: "persistent".to_owned(),
            probability: Some(0.9),
            first_detected: Some(start + 100.0),
            crawlers: BTreeMap::new(),
        }
    }

    pub(crate) fn answer(incidents: Vec<Report>) -> Answer {
        Answer {
            incidents,
            ..Answer::default()
        }
    }

    fn found(truth: &Truth, said: Report) -> Option<Found> {
        score(truth, &answer(vec![said])).planted[0].found.clone()
    }

    #[test]
    fn a_right_report_is_right_in_everything() {
        let found = found(&truth(), report(10_000.0, Some(20_000.0))).expect("a match");
        assert_eq!(found.overlap, 1.0);
        assert!(found.scope_right && found.verdict_right && found.state_right);
        assert_eq!((found.start_error, found.end_error), (0.0, 0.0));
        assert_eq!(found.delay_ratio, Some(1.0));
    }

    #[test]
    fn a_boundary_that_the_log_cannot_tell_is_the_true_one() {
        let within = found(&truth(), report(10_400.0, Some(19_600.0))).expect("a match");
        assert_eq!((within.overlap, within.start_error), (1.0, 0.0));
        let outside = found(&truth(), report(11_000.0, Some(20_000.0))).expect("a match");
        assert_eq!(
            (outside.overlap, outside.start_error),
            (9_001.0 / 10_001.0, 500.0)
        );
    }

    #[test]
    fn less_than_half_in_common_is_no_match_but_a_fragment() {
        let scored = score(&truth(), &answer(vec![report(10_000.0, Some(14_000.0))]));
        assert!(scored.planted[0].found.is_none());
        assert_eq!(scored.strays[0].is, StrayIs::Fragment);
    }

    #[test]
    fn what_touches_nothing_is_a_phantom_and_what_nobody_had_to_find_is_ignored() {
        let mut truth = truth();
        let mut faint = planted(50_000.0, 60_000.0);
        faint.detectable = false;
        truth.incidents.push(faint);
        let scored = score(
            &truth,
            &answer(vec![
                report(80_000.0, Some(80_100.0)),
                report(50_000.0, Some(52_000.0)),
                report(40_000.0, Some(50_000.0)),
            ]),
        );
        let kinds: Vec<StrayIs> = scored.strays.iter().map(|stray| stray.is).collect();
        assert_eq!(
            kinds,
            [StrayIs::Phantom, StrayIs::Ignored, StrayIs::Phantom]
        );
    }

    #[test]
    fn the_right_scope_wins_one_to_one() {
        let mut wrong = report(10_000.0, Some(20_000.0));
        wrong.scope = Scope::Robots;
        let mut right = report(10_000.0, Some(17_000.0));
        right.scope = Scope::Crawler("gptbot".to_owned());
        let scored = score(&truth(), &answer(vec![wrong, right]));
        let found = scored.planted[0].found.as_ref().expect("a match");
        assert!(found.scope_right && found.overlap < 1.0);
        assert_eq!(scored.strays.len(), 1);
    }

    #[test]
    fn open_is_wrong_of_an_end_that_the_log_shows_and_right_of_one_it_does_not() {
        let mut truth = truth();
        truth.incidents[0].start = 60_000.0;
        truth.incidents[0].start_set = (60_000.0, 60_000.0);
        truth.incidents[0].end = Some(99_000.0);
        truth.incidents[0].end_set = (98_000.0, 99_900.0);
        let open = found(&truth, report(60_000.0, None)).expect("a match");
        assert!(!open.state_right);
        truth.incidents[0].end_set = (98_000.0, 1e9);
        let closed = found(&truth, report(60_000.0, Some(90_000.0))).expect("a match");
        assert!(closed.overlap < 1.0);
        let open = found(&truth, report(60_000.0, None)).expect("a match");
        assert!(open.state_right && open.overlap == 1.0);
    }

    #[test]
    fn delay_is_in_fetches_and_has_an_end() {
        let mut late = report(10_000.0, Some(20_000.0));
        for (at, ratio) in [(10_000.0, 0.5), (10_250.0, 2.0), (15_000.0, 3.0)] {
            late.first_detected = Some(at);
            let found = found(&truth(), late.clone()).expect("a match");
            assert_eq!(found.delay_ratio, Some(ratio), "{at}");
        }
    }

    #[test]
    fn facts_are_exact_but_for_a_second_and_a_twentieth() {
        let mut truth = truth();
        let fact = |failed, first_ok| CrawlerFact { failed, first_ok };
        let known = [
            ("Googlebot", fact(100, Some(20_500.0))),
            ("CCBot", fact(3, None)),
        ];
        truth.incidents[0].crawlers = known.map(|one| (one.0.to_owned(), one.1)).into();
        truth.facts.open_urls = vec![("CCBot".to_owned(), "/a".to_owned())];
        truth.facts.robots = vec![RobotsFact {
            crawler: "CCBot".to_owned(),
            failing_since: 7.0,
            last_ok: None,
            phase: "cached".to_owned(),
        }];
        let mut said = report(10_000.0, Some(20_000.0));
        let told = [
            ("googlebot", fact(105, Some(20_501.0))),
            ("ccbot", fact(5, None)),
        ];
        said.crawlers = told.map(|one| (one.0.to_owned(), one.1)).into();
        let mut answer = answer(vec![said]);
        answer.open_urls = [("ccbot", "/a"), ("ccbot", "/b")]
            .map(|one| (one.0.to_owned(), one.1.to_owned()))
            .into();
        answer.robots = [(("ccbot".to_owned(), "stopped".to_owned()), Some(7.0))].into();
        let scored = score(&truth, &answer);
        let found = scored.planted[0].found.as_ref().expect("a match");
        assert_eq!(found.crawlers, (1, 2));
        let tally = |tally: Tally| (tally.hit, tally.extra, tally.missed);
        assert_eq!(tally(scored.open_urls), (1, 1, 0));
        assert_eq!(tally(scored.robots), (0, 1, 1));
    }
}
