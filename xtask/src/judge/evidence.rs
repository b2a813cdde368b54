//! How much of a planted fault its log can show, by the likelihood of every fetch: what a judge who knew everything but
//! the moment could find is what is asked of ours. The words are explained in the README beside this file.

use super::fact;
use super::fault::{Burst, Fault, Plan};
use super::request::{CRAWLERS, Request};
use super::scope::{Scope, prefixes};
use super::site::Site;
use super::traffic::{Sent, share};
use super::truth::Planted;

const MONTH_S: f64 = 2_592_000.0;
/// Boundaries within so many nats of the best are as good as the true one.
const SET_NATS: f64 = 3.0;
/// So much more than detectable is clear.
const CLEAR_NATS: f64 = 6.0;
const BLIP_S: f64 = 600.0;
/// An end that no line shows lies so far behind the last.
const BEYOND_S: f64 = 1e9;
/// A share of one would make a single good request proof against the fault.
const SHARE_MAX: f64 = 0.999;
const BACKGROUND_MIN: f64 = 1e-5;
const LADDER: [f64; 16] = [
    0.5, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0,
];

/// A fetch of the scope.
struct Observation {
    at: f64,
    /// By the true clock.
    time: f64,
    failed: bool,
    /// Whether its client saw that: of an upstream's attempts those that no other made good.
    seen: bool,
    /// Chance that this fault fails it.
    share: f64,
    /// Chance that it fails without this fault: isolated failures and other faults.
    otherwise: f64,
}

impl Observation {
    fn gain(&self, share: f64) -> f64 {
        let share = share.min(SHARE_MAX);
        match (share > 0.0, self.failed) {
            (false, _) => 0.0,
            (true, false) => (1.0 - share).ln(),
            (true, true) => ((1.0 - (1.0 - self.otherwise) * (1.0 - share)) / self.otherwise).ln(),
        }
    }
}

/// Everything planted; `sent` in the order of stamps.
pub(crate) fn planted(name: &str, site: &Site, faults: &[Fault], sent: &[Sent]) -> Vec<Planted> {
    let mut all = Vec::new();
    for (index, fault) in faults.iter().enumerate() {
        let others: Vec<&Fault> = (0..faults.len())
            .filter(|other| *other != index)
            .map(|other| &faults[other])
            .collect();
        for run in fault.runs() {
            let run = Fault {
                bursts: fault.bursts[run].to_vec(),
                ..fault.clone()
            };
            if run.bursts.is_empty() {
                continue;
            }
            let id = format!("{name}-{}", all.len());
            all.push(Log { site, sent }.planted(id, &run, &others));
        }
    }
    all
}

struct Log<'a> {
    site: &'a Site,
    sent: &'a [Sent],
}

impl Log<'_> {
    fn planted(&self, id: String, fault: &Fault, others: &[&Fault]) -> Planted {
        let offset = self.site.start as f64;
        let all = self.observations(fault, others);
        let first_burst = fault.bursts[0];
        let last_burst = fault.bursts[fault.bursts.len() - 1];
        let is_ongoing = fault.ongoing || last_burst.until >= self.site.length;
        let until = last_burst.until.min(self.site.length);
        let (start, end) = (offset + first_burst.from, offset + until);

        let during = |one: &&Observation| first_burst.from <= one.time && one.time < until;
        let within: Vec<&Observation> = all.iter().filter(during).collect();
        let failed = within.iter().filter(|one| one.failed).count();
        let llr: f64 = all.iter().map(|one| one.gain(one.share)).sum();
        let h = (all.len() as f64 / self.site.length * MONTH_S)
            .max(1.0)
            .ln();
        let start_set = self.start_set(&all, self.edge_share(fault, first_burst), start);
        let end_set = self.end_set(&all, self.edge_share(fault, last_burst), end, is_ongoing);

        let verdict = verdict(fault.plan, end - start, failed, within.len());
        let shown = Shown {
            failed,
            of: within.len(),
            span: span(&within),
            bracket: end_set.1 - start_set.0,
            runs: runs_hit(fault, &all),
        };
        let identifiable = shown.identifies(verdict);
        // A fetch that another upstream answered is evidence, but no failed fetch.
        let seen = within.iter().filter(|one| one.seen).count();
        let detectable = seen >= 2 && llr >= h;
        let (oracle_time, oracle_n) = oracle(&all, first_burst.from, h).unzip();
        let slack = self.site.skew.abs() + 1.0;
        Planted {
            id,
            start,
            end: (!is_ongoing).then_some(end),
            start_set,
            end_set,
            also_scope: self.also(&fault.scope, (start - slack, end + slack)),
            scope: fault.scope.clone(),
            verdict: verdict.to_owned(),
            accept: vec![verdict.to_owned()],
            detectable,
            clear: seen >= 2 && llr >= h + CLEAR_NATS,
            identifiable,
            why: match (detectable, identifiable) {
                (false, _) => "too little evidence".to_owned(),
                (true, false) => "the log leaves the verdict open".to_owned(),
                (true, true) => String::new(),
            },
            bursts: (fault.bursts.len() > 1).then(|| {
                let bursts = fault.bursts.iter();
                bursts
                    .map(|burst| (offset + burst.from, offset + burst.until))
                    .collect()
            }),
            failed,
            in_scope: within.len(),
            llr,
            h,
            ladder: oracle_n.map_or(Vec::new(), |n| ladder(&all, first_burst.from, n)),
            oracle_time,
            oracle_n,
            crawlers: fact::crawlers(
                self.requests(),
                &fault.scope,
                (
                    start - slack,
                    if is_ongoing { f64::MAX } else { end + slack },
                ),
            ),
        }
    }

    fn requests(&self) -> impl Iterator<Item = &Request> {
        self.sent.iter().map(|sent| &sent.request)
    }

    fn observations(&self, fault: &Fault, others: &[&Fault]) -> Vec<Observation> {
        let background = self.site.background().max(BACKGROUND_MIN);
        let mut all = Vec::new();
        for sent in self.sent {
            let request = &sent.request;
            if !request.is_evidence() || !fault.scope.holds(request) {
                continue;
            }
            let spared = others
                .iter()
                .filter(|other| other.scope.holds(request))
                .map(|other| 1.0 - share(other, self.site, sent.time, request).min(SHARE_MAX));
            let mut observe = |failed| {
                all.push(Observation {
                    at: request.at as f64,
                    time: sent.time,
                    failed,
                    seen: failed && request.failed(),
                    share: share(fault, self.site, sent.time, request),
                    otherwise: 1.0 - (1.0 - background) * spared.clone().product::<f64>(),
                });
            };
            match &fault.scope {
                Scope::Upstream(name) => {
                    let own = request.attempts.iter().filter(|attempt| attempt.0 == *name);
                    own.for_each(|attempt| observe(attempt.1));
                }
                _ => observe(request.failed()),
            }
        }
        all
    }

    /// The share just outside the fault, were it longer.
    fn edge_share(&self, fault: &Fault, burst: Burst) -> f64 {
        match fault.behind.is_empty() {
            true => burst.share,
            false => burst.share / self.site.upstreams.len() as f64,
        }
    }

    /// Starts that the log cannot tell from the likeliest: from after one fetch to the next but some.
    fn start_set(&self, all: &[Observation], edge: f64, start: f64) -> (f64, f64) {
        let Some((first, last)) = reach(all) else {
            return (start, start);
        };
        let mut sums = vec![0.0; last + 1];
        let mut sum = 0.0;
        for index in (0..=last).rev() {
            sum += all[index].gain(if index < first {
                edge
            } else {
                all[index].share
            });
            sums[index] = sum;
        }
        let (low, high) = near_best(&sums);
        let before = low.checked_sub(1).map(|index| all[index].at);
        let low = before.unwrap_or(self.site.start as f64);
        (low.min(start), (all[high].at + 1.0).max(start))
    }

    fn end_set(&self, all: &[Observation], edge: f64, end: f64, is_ongoing: bool) -> (f64, f64) {
        let Some((first, last)) = reach(all) else {
            return (end, end);
        };
        let mut sums = Vec::with_capacity(all.len() - first);
        let mut sum = 0.0;
        for (index, one) in all.iter().enumerate().skip(first) {
            sum += one.gain(if index > last { edge } else { one.share });
            sums.push(sum);
        }
        let (low, high) = near_best(&sums);
        let after = all.get(first + high + 1).map(|one| one.at);
        let beyond = end.max(self.site.start as f64 + self.site.length) + BEYOND_S;
        let high = if is_ongoing {
            beyond
        } else {
            after.unwrap_or(beyond)
        };
        ((all[first + low].at - 1.0).min(end), high.max(end))
    }

    /// Other scopes that hold the same failures and no more good requests between them.
    fn also(&self, scope: &Scope, (from, until): (f64, f64)) -> Vec<Scope> {
        let during = |request: &&Request| {
            let at = request.at as f64;
            request.is_evidence() && from <= at && at <= until
        };
        let requests: Vec<&Request> = self.requests().filter(during).collect();
        let failed: Vec<&&Request> = requests.iter().filter(|one| fails(scope, one)).collect();
        if failed.is_empty() {
            return Vec::new();
        }
        let good = |scope: &Scope| {
            let own = requests
                .iter()
                .filter(|one| scope.holds(one) && !fails(scope, one));
            own.count()
        };
        let own_good = good(scope);
        let is_equal = |other: &Scope| {
            other != scope
                && failed.iter().all(|one| fails(other, one))
                && requests.iter().filter(|one| fails(other, one)).count() == failed.len()
                && good(other) <= own_good
        };
        let mut candidates = vec![Scope::Site, Scope::AllCrawlers, Scope::Robots];
        candidates.extend(CRAWLERS.map(|name| Scope::Crawler(name.to_owned())));
        // Whatever holds all failures holds the first.
        let first = failed[0];
        candidates
            .extend(prefixes(&first.path).map(|prefix| Scope::Routes(vec![prefix.to_owned()])));
        candidates.push(Scope::Url(first.path.clone()));
        let attempts = first.attempts.iter();
        candidates.extend(attempts.map(|attempt| Scope::Upstream(attempt.0.clone())));
        if let Scope::Routes(group) = scope {
            candidates.extend(groups(group, &failed));
        }
        candidates.retain(is_equal);
        candidates
    }
}

/// The same group with each route written wider or narrower, or left out where nothing of it failed.
fn groups(group: &[String], failed: &[&&Request]) -> Vec<Scope> {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for route in group {
        let under = |prefix: &str| Scope::Routes(vec![prefix.to_owned()]);
        let own: Vec<&&&Request> = failed
            .iter()
            .filter(|one| under(route).holds(one))
            .collect();
        let Some(first) = own.first() else {
            continue;
        };
        let ways: Vec<&str> = prefixes(&first.path)
            .filter(|prefix| own.iter().all(|one| under(prefix).holds(one)))
            .collect();
        let with = |way: &str, rest: &Vec<String>| [rest.as_slice(), &[way.to_owned()]].concat();
        all = all
            .iter()
            .flat_map(|rest| ways.iter().map(|way| with(way, rest)))
            .collect();
    }
    all.retain(|group| group.len() > 1);
    all.iter_mut().for_each(|group| group.sort());
    all.into_iter().map(Scope::Routes).collect()
}

/// Whether the request failed as far as the scope is concerned.
fn fails(scope: &Scope, request: &Request) -> bool {
    match scope {
        Scope::Upstream(name) => request
            .attempts
            .iter()
            .any(|attempt| attempt.0 == *name && attempt.1),
        _ => request.failed() && scope.holds(request),
    }
}

/// Places of the first and last observation that the fault could have failed.
fn reach(all: &[Observation]) -> Option<(usize, usize)> {
    let touched = |one: &Observation| one.share > 0.0;
    Some((
        all.iter().position(touched)?,
        all.iter().rposition(touched)?,
    ))
}

/// First and last place whose sum is as good as the best.
fn near_best(sums: &[f64]) -> (usize, usize) {
    let best = sums.iter().copied().fold(f64::MIN, f64::max);
    let is_near = |sum: &f64| *sum >= best - SET_NATS;
    let first = sums.iter().position(is_near).unwrap_or(0);
    (first, sums.iter().rposition(is_near).unwrap_or(first))
}

fn verdict(plan: Plan, length: f64, failed: usize, of: usize) -> &'static str {
    match plan {
        Plan::Overload => "overload",
        Plan::Recurring => "recurring",
        Plan::Restart => "restart",
        Plan::ByRun if length <= BLIP_S => "blip",
        Plan::ByRun if 2 * failed >= of => "persistent",
        Plan::ByRun => "intermittent",
    }
}

/// What the log shows of an incident.
struct Shown {
    failed: usize,
    of: usize,
    /// From the first failure to the last.
    span: f64,
    /// The longest that it may have been.
    bracket: f64,
    /// Runs, or upstreams in a restart, that failed something.
    runs: usize,
}

impl Shown {
    /// Whether the verdict follows from the log.
    fn identifies(&self, verdict: &str) -> bool {
        let share = self.failed as f64 / self.of.max(1) as f64;
        // Two standard errors of a share near one half.
        let is_off_half = (share - 0.5).abs() > 0.98 / (self.of.max(1) as f64).sqrt();
        match verdict {
            "blip" => self.bracket <= BLIP_S,
            "persistent" | "intermittent" => self.span >= BLIP_S && is_off_half,
            "recurring" => self.runs >= 3,
            "restart" => self.runs >= 2,
            _ => self.failed >= 10,
        }
    }
}

fn span(within: &[&Observation]) -> f64 {
    let mut failed = within.iter().filter(|one| one.failed).map(|one| one.at);
    let first = failed.next();
    let last = failed.next_back().or(first);
    last.unwrap_or(0.0) - first.unwrap_or(0.0)
}

fn runs_hit(fault: &Fault, all: &[Observation]) -> usize {
    let bursts = fault.bursts.iter();
    let is_hit = |burst: &&Burst| {
        all.iter().any(|one| {
            one.failed && one.share > 0.0 && burst.from <= one.time && one.time < burst.until
        })
    };
    bursts.filter(is_hit).count()
}

/// When the sum of evidence first passes the threshold, and after how many fetches of the scope.
fn oracle(all: &[Observation], from: f64, h: f64) -> Option<(f64, usize)> {
    let mut sum = 0.0_f64;
    let since = all.iter().filter(|one| one.time >= from);
    for (index, one) in since.enumerate() {
        sum = (sum + one.gain(one.share)).max(0.0);
        if sum >= h {
            return Some((one.at, index + 1));
        }
    }
    None
}

fn ladder(all: &[Observation], from: f64, needed: usize) -> Vec<(f64, f64)> {
    let since: Vec<f64> = all
        .iter()
        .filter(|one| one.time >= from)
        .map(|one| one.at)
        .collect();
    let steps = LADDER.iter().filter_map(|factor| {
        let count = (needed as f64 * factor).ceil().max(1.0) as usize;
        since.get(count - 1).map(|at| (*factor, *at))
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fetch every minute; those of some minutes fail, and the fault is there in some.
    fn observations(
        failed: std::ops::Range<usize>,
        fault: std::ops::Range<usize>,
    ) -> Vec<Observation> {
        let all = (0..100).map(|minute| Observation {
            at: 60.0 * minute as f64,
            time: 60.0 * minute as f64,
            failed: failed.contains(&minute),
            seen: failed.contains(&minute),
            share: if fault.contains(&minute) { 0.5 } else { 0.0 },
            otherwise: 0.001,
        });
        all.collect()
    }

    #[test]
    fn a_failure_weighs_what_the_likelihoods_say() {
        let all = observations(40..50, 40..51);
        let (failed, good) = (&all[40], &all[50]);
        assert!((failed.gain(0.5) - (0.500_5_f64 / 0.001).ln()).abs() < 1e-12);
        assert!((good.gain(0.5) - 0.5_f64.ln()).abs() < 1e-12);
        assert_eq!(all[0].gain(0.0), 0.0);
    }

    #[test]
    fn good_fetches_bound_what_may_be_the_start() {
        let all = observations(40..50, 40..50);
        let (first, last) = reach(&all).expect("a fault");
        assert_eq!((first, last), (40, 49));
        let mut sum = 0.0;
        let mut sums: Vec<f64> = all[..=last]
            .iter()
            .rev()
            .map(|one| {
                sum += one.gain(0.5);
                sum
            })
            .collect();
        sums.reverse();
        // Four good fetches at one half are 2.8 nats, five are 3.5.
        assert_eq!(near_best(&sums), (36, 40));
    }

    #[test]
    fn the_detector_that_knows_all_counts_from_the_start() {
        let all = observations(42..50, 40..50);
        // Two good fetches cost nothing, for the sum cannot fall below none; then two failures of 6.2 nats.
        assert_eq!(oracle(&all, 60.0 * 40.0, 12.0), Some((60.0 * 43.0, 4)));
        let steps = ladder(&all, 60.0 * 40.0, 4);
        assert_eq!(
            steps[..3],
            [(0.5, 2_460.0), (1.0, 2_580.0), (1.25, 2_640.0)]
        );
    }

    #[test]
    fn verdicts_follow_from_length_and_share() {
        assert_eq!(verdict(Plan::ByRun, 600.0, 1, 9), "blip");
        assert_eq!(verdict(Plan::ByRun, 601.0, 5, 10), "persistent");
        assert_eq!(verdict(Plan::ByRun, 601.0, 4, 10), "intermittent");
        let shown = |failed, of| Shown {
            failed,
            of,
            span: 3_600.0,
            bracket: 4_000.0,
            runs: 1,
        };
        assert!(shown(90, 100).identifies("persistent"));
        assert!(!shown(55, 100).identifies("persistent"));
        assert!(!shown(90, 100).identifies("blip"));
        assert!(!shown(90, 100).identifies("recurring"));
    }
}
