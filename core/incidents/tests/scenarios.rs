//! The judge on seeded sites with planted faults: how many it finds, under which verdict, in which scope, and how
//! often it cries wolf. The figures asked for here lie a little under those measured over many more seeds.
#![allow(clippy::unwrap_used, reason = "test code")]

mod support;

use incidents::{Judged, judge_sheet};
use support::rows::{self, Named};
use support::scenario::{self, Scenario, Touches};
use support::truth::{self, Truth};
use tally::Key;

/// What was found of what was planted.
#[derive(Debug, Default)]
struct Score {
    planted: usize,
    found: usize,
    reported: usize,
    phantoms: usize,
    verdict_asked: usize,
    verdict_right: usize,
    scope_right: usize,
    months: f64,
    brier: f64,
}

#[test]
fn holds_its_figures_on_every_kind_of_situation() {
    let mut score = Score::default();
    for family in scenario::FAMILIES {
        for size in [1, 2] {
            add(&mut score, &scenario::scenario(family, size, 101));
        }
    }
    let share = |part: usize, whole: usize| part as f64 / whole as f64;
    assert!(score.planted > 40, "{score:?}");
    assert!(
        share(score.found, score.planted) >= 0.93,
        "recall: {score:?}"
    );
    assert!(
        share(score.found, score.reported) >= 0.93,
        "precision: {score:?}"
    );
    assert!(
        share(score.verdict_right, score.verdict_asked) >= 0.93,
        "verdicts: {score:?}"
    );
    assert!(
        share(score.scope_right, score.found) >= 0.93,
        "scopes: {score:?}"
    );
    assert!(
        score.brier / score.reported as f64 <= 0.06,
        "probabilities: {score:?}"
    );
}

#[test]
fn is_silent_on_healthy_sites() {
    let mut score = Score::default();
    for family in ["clean", "clean_hard", "clean_clumps"] {
        for seed in 200..208 {
            add(&mut score, &scenario::scenario(family, 1, seed));
        }
    }
    assert!(score.months > 5.0);
    // By the design one false incident in twenty months; in six months one may happen.
    assert!(score.phantoms <= 1, "{score:?}");
}

fn add(score: &mut Score, scenario: &Scenario) {
    let named = rows::sheet(&scenario.rows, scenario.start, scenario.end, 0);
    let judged = judge_sheet(named.sheet.clone());
    let truths = truth::truths(scenario);
    score.months += (scenario.end - scenario.start) as f64 / 2_592_000.0;
    let mut used = vec![false; judged.len()];
    for truth in truths.iter().filter(|truth| truth.detectable) {
        score.planted += 1;
        score.verdict_asked += usize::from(truth.identifiable);
        let Some(index) = matching(truth, &judged, &used, scenario.end) else {
            continue;
        };
        used[index] = true;
        let found = &judged[index];
        let right = found.verdict.name() == truth.verdict;
        score.found += 1;
        score.reported += 1;
        score.verdict_right += usize::from(truth.identifiable && right);
        score.scope_right += usize::from(in_scope(truth, found, &named));
        score.brier += (found.probability - f64::from(u8::from(right))).powi(2);
    }
    for (found, _) in judged.iter().zip(&used).filter(|(_, used)| !**used) {
        let end = found.end.unwrap_or(scenario.end) as f64;
        let touched =
            |truth: &&Truth| end >= truth.start_set.0 && truth.end_set.1 >= found.start as f64;
        match truths.iter().find(touched) {
            Some(truth) if !truth.detectable => {}
            other => {
                score.phantoms += usize::from(other.is_none());
                score.reported += 1;
                score.brier += found.probability.powi(2);
            }
        }
    }
}

/// The report that overlaps most, by at least half, boundaries the log cannot tell apart taken as equal.
fn matching(truth: &Truth, judged: &[Judged], used: &[bool], end: i64) -> Option<usize> {
    let overlap = |found: &Judged| {
        let log_end = end as f64;
        let true_end = truth.end.unwrap_or(log_end);
        let (mut from, mut to) = (
            found.start as f64,
            found.end.map_or(log_end, |end| end as f64),
        );
        if truth.start_set.0 <= from && from <= truth.start_set.1 {
            from = truth.start;
        }
        if truth.end_set.0 <= to && to <= truth.end_set.1 {
            to = true_end;
        }
        let both = to.min(true_end) - from.max(truth.start) + 1.0;
        both / (to.max(true_end) - from.min(truth.start) + 1.0)
    };
    (0..judged.len())
        .filter(|index| !used[*index] && overlap(&judged[*index]) >= 0.5)
        .max_by(|a, b| overlap(&judged[*a]).total_cmp(&overlap(&judged[*b])))
}

fn in_scope(truth: &Truth, found: &Judged, named: &Named) -> bool {
    let mut names: Vec<String> = found
        .keys
        .iter()
        .map(|key| named.names.get(key).cloned().unwrap_or_default())
        .collect();
    names.sort();
    let is = |scope: &Touches| match (scope, found.keys[0]) {
        (Touches::Site, Key::Site)
        | (Touches::AllCrawlers, Key::AllCrawlers)
        | (Touches::Robots, Key::Robots) => true,
        (Touches::Crawler(crawler), Key::Crawler(found)) => found.0 == *crawler,
        (Touches::Url(url), Key::Url(_)) => names == [url.clone()],
        (Touches::Upstream(index), Key::Upstream(_)) => names == [format!("10.0.0.{index}:80")],
        (Touches::Routes(routes), Key::Prefix(_)) => {
            let mut routes = routes.clone();
            routes.sort();
            routes == names
        }
        _ => false,
    };
    is(&truth.scope) || truth.also.iter().any(is)
}
