//! What a scenario's log can tell about its planted faults: evidence, boundary sets, equally good scopes.

use super::rows::Row;
use super::scenario::{Fault, Scenario, Touches, touches};

/// One planted fault as the log shows it.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub(crate) start: f64,
    pub(crate) end: Option<f64>,
    pub(crate) start_set: (f64, f64),
    pub(crate) end_set: (f64, f64),
    pub(crate) scope: Touches,
    pub(crate) also: Vec<Touches>,
    pub(crate) verdict: String,
    pub(crate) detectable: bool,
    pub(crate) clear: bool,
    pub(crate) identifiable: bool,
    pub(crate) failed: usize,
    pub(crate) in_scope: usize,
    pub(crate) llr: f64,
    pub(crate) h: f64,
    pub(crate) oracle: Option<(f64, usize)>,
    pub(crate) ladder: Vec<(f64, f64)>,
}

/// Truth of every planted fault that has a verdict.
pub(crate) fn truths(scenario: &Scenario) -> Vec<Truth> {
    scenario
        .faults
        .iter()
        .filter(|fault| !fault.verdict.is_empty())
        .map(|fault| truth(scenario, fault))
        .collect()
}

/// Observations of a scope: time, failed. Attempts where the scope is an upstream.
fn observations(rows: &[Row], scope: &Touches) -> Vec<(f64, bool)> {
    let mut all = Vec::new();
    for row in rows.iter().filter(|row| !row.repeat) {
        if let Touches::Upstream(index) = scope {
            let name = format!("10.0.0.{index}:80");
            all.extend(
                row.attempts
                    .iter()
                    .filter(|attempt| attempt.0 == name)
                    .map(|attempt| (row.at as f64, attempt.1)),
            );
        } else if touches(scope, row, 0) {
            all.push((row.at as f64, row.failed));
        }
    }
    all
}

fn truth(scenario: &Scenario, fault: &Fault) -> Truth {
    let offset = scenario.start as f64;
    let bursts: Vec<(f64, f64, f64)> = fault
        .bursts
        .iter()
        .map(|burst| (burst.0 + offset, burst.1 + offset, burst.2))
        .collect();
    let (start, end) = (
        bursts[0].0,
        bursts.iter().map(|burst| burst.1).fold(0.0, f64::max),
    );
    let all = observations(&scenario.rows, &fault.seen_as);
    let diluted = dilution(scenario, fault);
    let share_at = |at: f64| {
        bursts
            .iter()
            .find(|burst| burst.0 - 1.0 <= at && at < burst.1)
            .map_or(0.0, |burst| (burst.2 * diluted).min(0.999))
    };
    let background = scenario.background.max(1e-5);
    let gain = |at: f64, failed: bool| {
        let share = share_at(at);
        match (share > 0.0, failed) {
            (false, _) => 0.0,
            (true, true) => ((1.0 - (1.0 - background) * (1.0 - share)) / background).ln(),
            (true, false) => (1.0 - share).ln(),
        }
    };
    let inside: Vec<(f64, bool)> = all
        .iter()
        .copied()
        .filter(|obs| share_at(obs.0) > 0.0)
        .collect();
    let llr: f64 = inside.iter().map(|obs| gain(obs.0, obs.1)).sum();
    let failed = inside.iter().filter(|obs| obs.1).count();
    let seconds = (scenario.end - scenario.start) as f64;
    let h = (all.len() as f64 / seconds * 2_592_000.0).ln();
    let first = inside.iter().find(|obs| obs.1).map_or(start, |obs| obs.0);
    let last = inside
        .iter()
        .rev()
        .find(|obs| obs.1)
        .map_or(end, |obs| obs.0);
    let (q_first, q_last) = (
        (bursts[0].2 * diluted).min(0.999),
        (bursts[bursts.len() - 1].2 * diluted).min(0.999),
    );
    let before = reach(
        all.iter()
            .rev()
            .filter(|obs| obs.0 < first && !obs.1)
            .map(|obs| obs.0),
        q_first,
    )
    .unwrap_or(offset);
    let after = reach(
        all.iter()
            .filter(|obs| obs.0 > last && !obs.1)
            .map(|obs| obs.0),
        q_last,
    );
    let span = last - first;
    let whole: Vec<&(f64, bool)> = all
        .iter()
        .filter(|obs| first <= obs.0 && obs.0 <= last)
        .collect();
    let share = failed as f64 / whole.len().max(1) as f64;
    let verdict = match fault.verdict {
        "either" if end - start <= 600.0 => "blip",
        "either" if share >= 0.5 => "persistent",
        "either" => "intermittent",
        verdict => verdict,
    };
    let sure = (share - 0.5).abs() > 1.0 / (whole.len().max(1) as f64).sqrt();
    let hit = bursts
        .iter()
        .filter(|burst| {
            inside
                .iter()
                .any(|obs| obs.1 && burst.0 - 1.0 <= obs.0 && obs.0 < burst.1)
        })
        .count();
    let identifiable = match verdict {
        "blip" => after.is_some_and(|after| after - before <= 600.0),
        "persistent" | "intermittent" => span >= 600.0 && sure,
        "recurring" => hit >= 3,
        "restart" => hit >= 2,
        _ => failed >= 10,
    };
    let oracle = oracle(&inside, h, &gain);
    let detectable = failed >= 2 && llr >= h;
    Truth {
        start,
        end: (!fault.ongoing).then_some(end),
        start_set: (before.min(start), first + 1.0),
        end_set: (last - 1.0, after.unwrap_or(2e9)),
        also: also(scenario, fault, first, last),
        scope: fault.seen_as.clone(),
        verdict: verdict.to_owned(),
        detectable,
        clear: failed >= 2 && llr >= h + 6.0,
        identifiable,
        failed,
        in_scope: inside.len(),
        llr,
        h,
        oracle,
        ladder: oracle.map_or(Vec::new(), |oracle| ladder(&all, start, oracle.1)),
    }
}

/// An upstream that the log does not name fails for its share of the site's requests.
fn dilution(scenario: &Scenario, fault: &Fault) -> f64 {
    if fault.touches == fault.seen_as {
        return 1.0;
    }
    let offset = scenario.start as f64;
    let hit: Vec<&Row> = scenario
        .rows
        .iter()
        .filter(|row| {
            fault.bursts.iter().any(|burst| {
                burst.0 + offset <= row.at as f64 && (row.at as f64) < burst.1 + offset
            })
        })
        .collect();
    hit.iter().filter(|row| row.failed).count() as f64 / hit.len().max(1) as f64
}

/// The good request at which three nats against the fault have gathered.
fn reach(times: impl Iterator<Item = f64>, share: f64) -> Option<f64> {
    let mut loss = 0.0;
    for at in times {
        loss -= (1.0 - share).ln();
        if loss > 3.0 {
            return Some(at);
        }
    }
    None
}

fn oracle(inside: &[(f64, bool)], h: f64, gain: &dyn Fn(f64, bool) -> f64) -> Option<(f64, usize)> {
    let (mut sum, mut count) = (0.0_f64, 0);
    for (at, failed) in inside {
        count += 1;
        sum = (sum + gain(*at, *failed)).max(0.0);
        if sum >= h {
            return Some((*at, count));
        }
    }
    None
}

fn ladder(all: &[(f64, bool)], start: f64, needed: usize) -> Vec<(f64, f64)> {
    let since: Vec<f64> = all
        .iter()
        .map(|obs| obs.0)
        .filter(|at| *at >= start - 1.0)
        .collect();
    [
        0.5, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0,
    ]
    .into_iter()
    .filter_map(|factor| {
        let count = (needed as f64 * factor).ceil().max(1.0) as usize;
        since.get(count - 1).map(|at| (factor, *at))
    })
    .collect()
}

/// Other scopes that hold the same failures and no more good requests between them.
fn also(scenario: &Scenario, fault: &Fault, first: f64, last: f64) -> Vec<Touches> {
    let within = |scope: &Touches| {
        let all = observations(&scenario.rows, scope);
        let inside: Vec<bool> = all
            .iter()
            .filter(|obs| first <= obs.0 && obs.0 <= last)
            .map(|obs| obs.1)
            .collect();
        (
            inside.iter().filter(|failed| **failed).count(),
            inside.len(),
        )
    };
    let own = within(&fault.seen_as);
    let mut candidates = vec![Touches::Site, Touches::AllCrawlers];
    candidates.extend((0..10).map(Touches::Crawler));
    let mut routes: Vec<String> = scenario
        .rows
        .iter()
        .filter_map(|row| row.path.rsplit_once('/').map(|split| split.0.to_owned()))
        .collect();
    let parents: Vec<String> = routes
        .iter()
        .filter_map(|route| route.rsplit_once('/').map(|split| split.0.to_owned()))
        .collect();
    routes.extend(parents);
    routes.retain(|route| !route.is_empty());
    routes.sort();
    routes.dedup();
    candidates.extend(routes.into_iter().map(|route| Touches::Routes(vec![route])));
    candidates
        .into_iter()
        .filter(|scope| *scope != fault.seen_as && within(scope) == own)
        .collect()
}
