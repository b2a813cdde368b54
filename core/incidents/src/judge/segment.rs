//! The best cut of one scope's history into healthy stretches and faults of constant share.

use std::ops::Range;

use crate::judge::baseline::BASELINE_MAX;
use crate::judge::prior::{SHARES, SWITCH};
use crate::judge::track::Track;

/// Bursts of one fault less than this apart are one run (`docs/verdicts.md`, section 2).
pub(crate) const RUN_GAP: i64 = 30 * 60;

/// Nats granted to a stretch that beats the learned baseline but not the highest healthy one: a healthy route may
/// reach that for an hour, at a price, and for many hours at a price for each.
const CLUMP: f64 = 3.0;
const CLUMP_HOUR: f64 = 1.0;

/// A failure as one scope sees it after other incidents have explained their part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    pub(crate) at: i64,
    /// Failures nobody has explained yet.
    pub(crate) count: u32,
    /// Chance of failing that accepted incidents give.
    pub(crate) expected: f64,
    /// Good requests of the scope up to then.
    pub(crate) seen: f64,
}

/// Bursts of one scope that belong together, and what claiming them gains over all costs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) bursts: Vec<(i64, i64)>,
    /// Stretches of one share each, within the bursts.
    pub(crate) pieces: Vec<(i64, i64)>,
    pub(crate) net: f64,
}

/// What one scope would claim: the exact best segmentation of all its failures for the given costs, kept so that a
/// change in one place is worked out in that place.
///
/// Where opening a fault anew beats carrying on with any, what comes before and what follows do not depend on each
/// other. There are many such places, nearly every failure of a healthy time is one, and only what lies between two
/// of them is worked out again.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    costs: Costs,
    /// Failures at which the past stops to matter, the first one always among them.
    restarts: Vec<usize>,
    /// In time order.
    bursts: Vec<Burst>,
    /// Bursts joined, each with whether it is more than a clump of a healthy time.
    runs: Vec<(Run, bool)>,
}

/// What a claim of one scope costs and gains.
#[derive(Clone, Debug)]
pub(crate) struct Costs {
    baseline: f64,
    own: f64,
    penalties: [f64; 8],
    /// The same; infinite for shares that are left out.
    opening: [f64; 8],
    /// What a failure speaks for each share, and a good request against it.
    gains: [f64; 8],
    miss: [f64; 8],
    /// So many good requests after a failure outweigh it for every share.
    outweighs: f64,
}

impl Costs {
    /// `baseline` is the site's, for every scope: a failure must be worth the same in each, or scopes could not be
    /// compared. A scope whose `own` healthy rate is higher must beat that too. Shares before `lowest` are left out.
    pub(crate) fn new(baseline: f64, own: f64, penalties: [f64; 8], lowest: usize) -> Self {
        let gains = SHARES.map(|share| fail_gain(share, baseline));
        let miss = SHARES.map(|share| (1.0 - share).ln());
        let mut opening = penalties;
        opening[..lowest].fill(f64::INFINITY);
        let outweighs = (gains.iter().zip(miss))
            .skip(lowest)
            .map(|(gain, miss)| -gain / miss)
            .fold(0.0, f64::max);
        Self {
            baseline,
            own,
            penalties,
            opening,
            gains,
            miss,
            outweighs,
        }
    }

    /// What a failure speaks for each share where so many are expected.
    fn gains(&self, expected: f64) -> [f64; 8] {
        if expected > 0.0 {
            let background = 1.0 - (1.0 - self.baseline) * (1.0 - expected);
            SHARES.map(|share| fail_gain(share, background))
        } else {
            self.gains
        }
    }
}

impl Claims {
    pub(crate) fn new(track: &Track, left: &[Left], costs: Costs) -> Self {
        let mut claims = Self {
            costs,
            restarts: Vec::new(),
            bursts: Vec::new(),
            runs: Vec::new(),
        };
        claims.renew(track, left, 0..left.len());
        claims
    }

    /// Runs that are worth more than they cost.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &Run> {
        let worthy = self.runs.iter().filter(|(_, is_worthy)| *is_worthy);
        worthy.map(|(run, _)| run)
    }

    /// Works out again what depends on these failures.
    pub(crate) fn renew(&mut self, track: &Track, left: &[Left], changed: Range<usize>) {
        let first = (self.restarts).partition_point(|at| *at <= changed.start);
        let first = first.saturating_sub(1);
        let from = self.restarts.get(first).copied().unwrap_or(0);
        let mut search = Viterbi::new(&self.costs, left);
        let reached = search.run(from, |at| {
            at >= changed.end && self.restarts.binary_search(&at).is_ok()
        });
        let until = reached.unwrap_or(left.len());
        let last = self.restarts.partition_point(|at| *at < until).max(first);
        self.restarts.splice(first..last, search.restarts);
        let first = self.bursts.partition_point(|burst| burst.first < from);
        let last = (self.bursts)
            .partition_point(|burst| burst.first < until)
            .max(first);
        let renewed = first..first + search.bursts.len();
        self.bursts.splice(first..last, search.bursts);
        self.join(track, left, renewed);
    }

    /// Joins bursts that the log cannot hold 30 minutes apart: those that are new, and the runs next to them.
    fn join(&mut self, track: &Track, left: &[Left], renewed: Range<usize>) {
        let before = renewed.start.checked_sub(1).map(|at| &self.bursts[at]);
        let before = before.map_or(i64::MIN, |burst| left[burst.last].at);
        let after = self.bursts.get(renewed.end);
        let after = after.map_or(i64::MAX, |burst| left[burst.first].at);
        let first = self.runs.partition_point(|(run, _)| run.end < before);
        let last = (self.runs)
            .partition_point(|(run, _)| run.start <= after)
            .max(first);
        let from = self.runs.get(first).map(|(run, _)| run.start);
        let until = self.runs[..last].last().map(|(run, _)| run.end);
        let place = |at: i64| {
            self.bursts
                .partition_point(|burst| left[burst.first].at < at)
        };
        let start = from.map_or(renewed.start, |at| place(at).min(renewed.start));
        let end = until.map_or(renewed.end, |at| place(at + 1).max(renewed.end));
        let mut runs: Vec<Run> = Vec::new();
        for burst in &self.bursts[start..end] {
            let (start, end) = (left[burst.first].at, left[burst.last].at);
            let pieces = pieces(left, burst);
            match runs.last_mut() {
                Some(run) if is_one_run(track, run.end, start) => {
                    run.end = end;
                    run.bursts.push((start, end));
                    run.pieces.extend(pieces);
                    run.net += burst.net;
                }
                _ => runs.push(Run {
                    start,
                    end,
                    bursts: vec![(start, end)],
                    pieces,
                    net: burst.net,
                }),
            }
        }
        let judged = runs.into_iter().map(|run| {
            let is_worthy = is_no_clump(track, left, &run, &self.costs);
            (run, is_worthy)
        });
        let judged: Vec<(Run, bool)> = judged.collect();
        self.runs.splice(first..last, judged);
    }
}

/// A burst: first and last failure by place, and its net gain.
#[derive(Clone, Debug)]
struct Burst {
    first: usize,
    last: usize,
    /// First and last failure of each piece, latest first.
    pieces: Vec<(usize, usize)>,
    net: f64,
}

/// Where a state came from.
const HEALTHY: u8 = 8;

/// One failure on the way: its place, the good requests since the failure before, and where each state came from.
struct Step {
    place: usize,
    good: f64,
    back: [u8; 9],
}

/// Viterbi over the failures: healthy, or failing at one of the shares. A fault begins and ends with a failure, so
/// the good requests between failures need only be counted.
struct Viterbi<'a> {
    costs: &'a Costs,
    left: &'a [Left],
    /// Best sums up to the last failure since the last restart, and how they came about.
    healthy: f64,
    failing: [f64; 8],
    /// What a failure speaks for each share at the last expectation: most have the same.
    gains: (f64, [f64; 8]),
    steps: Vec<Step>,
    restarts: Vec<usize>,
    bursts: Vec<Burst>,
}

impl<'a> Viterbi<'a> {
    const fn new(costs: &'a Costs, left: &'a [Left]) -> Self {
        Self {
            costs,
            left,
            healthy: 0.0,
            failing: [f64::NEG_INFINITY; 8],
            gains: (0.0, costs.gains),
            steps: Vec::new(),
            restarts: Vec::new(),
            bursts: Vec::new(),
        }
    }

    /// Goes through the failures from a restart on to the end, or to a restart that is known; gives its place.
    fn run(&mut self, from: usize, is_known: impl Fn(usize) -> bool) -> Option<usize> {
        let mut before: Option<&Left> = None;
        let left = self.left;
        for (place, fail) in left.iter().enumerate().skip(from) {
            if fail.count == 0 {
                continue;
            }
            let good = before.map_or(0.0, |before| (fail.seen - before.seen).max(0.0));
            let carried_on = match before {
                Some(before) if !self.is_lone(before, good) => self.carry_on(fail, good),
                _ => None,
            };
            before = Some(fail);
            if let Some(back) = carried_on {
                self.steps.push(Step { place, good, back });
                continue;
            }
            self.finish();
            if is_known(place) {
                return Some(place);
            }
            self.restart(place, fail);
        }
        self.finish();
        None
    }

    /// Whether there is one failure since the restart, and the good requests after it outweigh it for every share.
    fn is_lone(&self, fail: &Left, good: f64) -> bool {
        self.steps.len() == 1 && good >= self.costs.outweighs * f64::from(fail.count)
    }

    /// What the failures of a second speak for each share.
    fn gains(&mut self, fail: &Left) -> [f64; 8] {
        if fail.expected != self.gains.0 {
            self.gains = (fail.expected, self.costs.gains(fail.expected));
        }
        let count = f64::from(fail.count);
        self.gains.1.map(|gain| gain * count)
    }

    fn restart(&mut self, place: usize, fail: &Left) {
        self.restarts.push(place);
        self.healthy = 0.0;
        self.failing = self.gains(fail);
        for (sum, penalty) in self.failing.iter_mut().zip(self.costs.opening) {
            *sum -= penalty;
        }
        let back = [HEALTHY; 9];
        self.steps.push(Step {
            place,
            good: 0.0,
            back,
        });
    }

    /// Weighs the next failure, unless opening a fault anew beats all that came before.
    fn carry_on(&mut self, fail: &Left, good: f64) -> Option<[u8; 9]> {
        let Costs { opening, miss, .. } = self.costs;
        let (closed, best) = max_of(&self.failing);
        let mut back = [HEALTHY; 9];
        let mut healthy = self.healthy;
        if best > healthy {
            healthy = best;
            back[8] = closed;
        }
        let mut carried = [f64::NEG_INFINITY; 8];
        for (value, (state, loss)) in carried.iter_mut().zip(self.failing.iter().zip(miss)) {
            *value = state + good * loss;
        }
        let opened = opening.map(|penalty| healthy - penalty);
        // To change from one share to another costs more than to open it: where all are beaten, changes are, too.
        if (carried.iter().zip(&opened)).all(|(carried, opened)| opened >= carried) {
            return None;
        }
        let changes = changes(&carried, opening);
        let mut failing = self.gains(fail);
        for index in 0..SHARES.len() {
            let (other, other_value) = changes[index];
            let mut value = carried[index];
            let mut from = index as u8;
            if other_value > value {
                value = other_value;
                from = other;
            }
            if opened[index] >= value {
                value = opened[index];
                from = HEALTHY;
            }
            back[index] = from;
            failing[index] += value;
        }
        self.healthy = healthy;
        self.failing = failing;
        Some(back)
    }

    /// Adds the bursts since the last restart: walks the best path back.
    fn finish(&mut self) {
        let (index, best) = max_of(&self.failing);
        let mut state = if best > self.healthy { index } else { HEALTHY };
        let steps = std::mem::take(&mut self.steps);
        if state == HEALTHY && self.healthy <= 0.0 {
            return;
        }
        let (costs, left) = (self.costs, self.left);
        let old = self.bursts.len();
        let mut open: Option<Burst> = None;
        let mut last = None;
        for step in steps.iter().rev() {
            if state == HEALTHY {
                state = step.back[8];
                // Closed after the failure before this one.
                continue;
            }
            let fail = &left[step.place];
            let burst = open.get_or_insert(Burst {
                first: step.place,
                last: step.place,
                pieces: Vec::new(),
                net: 0.0,
            });
            burst.net += self.gains(fail)[usize::from(state)];
            burst.first = step.place;
            let piece = (step.place, *last.get_or_insert(step.place));
            let previous = step.back[usize::from(state)];
            if previous == HEALTHY {
                burst.net -= costs.penalties[usize::from(state)];
                burst.pieces.push(piece);
                last = None;
                self.bursts.extend(open.take());
                // Healthy before this failure: what closed it is told by this failure's own entry.
                state = step.back[8];
                continue;
            }
            burst.net += step.good * costs.miss[usize::from(previous)];
            if previous != state {
                let dearer =
                    costs.penalties[usize::from(state)] - costs.penalties[usize::from(previous)];
                burst.net -= SWITCH + dearer.max(0.0);
                burst.pieces.push(piece);
                last = None;
            }
            state = previous;
        }
        self.bursts[old..].reverse();
    }
}

/// For each share the best fault of another share to change from. A change may not be cheaper than a fault opened
/// anew, else a lone failure hours before a strong fault would be its weak beginning. Penalties rise with the share,
/// so a change to a stronger one pays the difference and a change to a weaker one does not.
fn changes(carried: &[f64; 8], penalties: &[f64; 8]) -> [(u8, f64); 8] {
    let mut best = [(0, f64::NEG_INFINITY); 8];
    let mut weaker = (0, f64::NEG_INFINITY);
    for index in 0..8 {
        best[index] = (weaker.0, weaker.1 - penalties[index] - SWITCH);
        if carried[index] + penalties[index] > weaker.1 {
            weaker = (index as u8, carried[index] + penalties[index]);
        }
    }
    let mut stronger = (0, f64::NEG_INFINITY);
    for index in (0..8).rev() {
        if stronger.1 - SWITCH > best[index].1 && penalties[index] < f64::INFINITY {
            best[index] = (stronger.0, stronger.1 - SWITCH);
        }
        if carried[index] > stronger.1 {
            stronger = (index as u8, carried[index]);
        }
    }
    best
}

/// Nats that one failed request speaks for a fault of this share over the background.
pub(crate) fn fail_gain(share: f64, background: f64) -> f64 {
    ((1.0 - (1.0 - background) * (1.0 - share)) / background).ln()
}

fn max_of(values: &[f64; 8]) -> (u8, f64) {
    let mut best = (0, f64::NEG_INFINITY);
    for (index, value) in values.iter().enumerate() {
        if *value > best.1 {
            best = (index as u8, *value);
        }
    }
    best
}

/// A burst's stretches of one share, in time order.
fn pieces(left: &[Left], burst: &Burst) -> Vec<(i64, i64)> {
    let pieces = burst.pieces.iter().rev();
    pieces
        .map(|(first, last)| (left[*first].at, left[*last].at))
        .collect()
}

/// The true pause lies between the span of the good answers and that of the failures around them: take the middle.
pub(crate) fn is_one_run(track: &Track, end: i64, start: i64) -> bool {
    let outer = start - end;
    let inner = match (track.first_good(end), track.last_good(start)) {
        (Some(first), Some(last)) => (last - first).clamp(0, outer),
        _ => 0,
    };
    outer.midpoint(inner) < RUN_GAP
}

/// Whether the run is more than a noisy hour of a healthy route.
fn is_no_clump(track: &Track, left: &[Left], run: &Run, costs: &Costs) -> bool {
    // One failure is never an incident (`docs/verdicts.md`, 6 A).
    if run.start == run.end && count_at(left, run.start) < 2 {
        return false;
    }
    let hours = (run.end - run.start) as f64 / 3_600.0;
    let own = costs.own.max(costs.baseline);
    let high = BASELINE_MAX.max(own);
    gain_over(track, left, run, own, &costs.penalties) > 0.0
        && gain_over(track, left, run, high, &costs.penalties) + CLUMP + CLUMP_HOUR * hours > 0.0
}

/// Failures of one second.
fn count_at(left: &[Left], at: i64) -> u32 {
    let fail = left.get(left.partition_point(|fail| fail.at < at));
    fail.filter(|fail| fail.at == at)
        .map_or(0, |fail| fail.count)
}

/// What the run gains, at its best share, where healthy requests fail at this rate.
fn gain_over(track: &Track, left: &[Left], run: &Run, rate: f64, penalties: &[f64; 8]) -> f64 {
    let mut gains = penalties.map(|penalty| -penalty);
    let (mut plain, mut good) = (0_u64, 0.0);
    for (start, end) in &run.pieces {
        let first = left.partition_point(|fail| fail.at < *start);
        let last = left.partition_point(|fail| fail.at <= *end);
        for fails in left[first..last].chunk_by(|a, b| a.expected == b.expected) {
            let count: u64 = fails.iter().map(|fail| u64::from(fail.count)).sum();
            let expected = fails.first().map_or(0.0, |fail| fail.expected);
            if expected <= 0.0 {
                plain += count;
            } else if count > 0 {
                let background = 1.0 - (1.0 - rate) * (1.0 - expected);
                for (gain, share) in gains.iter_mut().zip(SHARES) {
                    *gain += fail_gain(share, background) * count as f64;
                }
            }
        }
        good += track.good_between(*start, *end);
    }
    (gains.iter().zip(SHARES))
        .map(|(gain, share)| {
            gain + fail_gain(share, rate) * plain as f64 + good * (1.0 - share).ln()
        })
        .fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use tally::{Key, Obs};

    use super::*;
    use crate::judge::prior;

    /// SplitMix64.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)) % limit
        }
    }

    /// A request a minute: healthy for the most part, with faults of several shares.
    fn track(dice: &mut Dice) -> Track {
        let shares: Vec<u64> = (0..20)
            .flat_map(|_| [(400, 2), (dice.below(90), dice.below(1_000))])
            .flat_map(|(length, share)| std::iter::repeat_n(share, length as usize))
            .collect();
        let observations: Vec<Obs> = (shares.iter().zip(0..))
            .map(|(share, minute)| {
                let failed = u32::from(dice.below(1_000) < *share);
                Obs {
                    at: minute * 60,
                    until: minute * 60,
                    good: 1 - failed,
                    failed,
                    repeats: 0,
                }
            })
            .collect();
        Track::new(Key::Site, &observations, (0, i64::MAX / 2))
    }

    fn runs(claims: &Claims) -> Vec<Run> {
        claims.runs().cloned().collect()
    }

    /// However much is taken away where: what is renewed in place is what a fresh search finds.
    #[test]
    fn what_is_renewed_in_place_is_what_a_fresh_search_finds() {
        let mut found = 0;
        for seed in 0..200 {
            let mut dice = Dice(seed);
            let track = track(&mut dice);
            let mut left: Vec<Left> = (track.fails.iter())
                .map(|fail| Left {
                    at: fail.at,
                    count: fail.count,
                    expected: 0.0,
                    seen: fail.seen,
                })
                .collect();
            let lowest = if seed % 3 == 0 { prior::STRONG_FROM } else { 0 };
            let penalties = prior::penalties(1.0, 40_000.0, 0.002);
            let costs = Costs::new(0.002, 0.002, penalties, lowest);
            let mut claims = Claims::new(&track, &left, costs.clone());
            for _ in 0..12 {
                let first = dice.below(left.len() as u64) as usize;
                let last = (first + 1 + dice.below(60) as usize).min(left.len());
                for fail in &mut left[first..last] {
                    match dice.below(3) {
                        0 => fail.count = 0,
                        1 => fail.expected = 1.0 - (1.0 - fail.expected) * 0.7,
                        _ => {}
                    }
                }
                claims.renew(&track, &left, first..last);
                let fresh = runs(&Claims::new(&track, &left, costs.clone()));
                assert_eq!(runs(&claims), fresh, "seed {seed}");
                found += fresh.len();
            }
        }
        assert!(found > 5_000, "{found} runs compared");
    }
}
