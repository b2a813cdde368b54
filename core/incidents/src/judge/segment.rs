//! The best cut of one scope's history into healthy stretches and faults of constant share.

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

/// Finds the runs of a scope: the exact best segmentation for the given costs, over all failures.
///
/// `baseline` is the site's, for every scope: a failure must be worth the same in each, or scopes could not be
/// compared. A scope whose own healthy rate is higher must beat that too.
pub(crate) fn runs(
    track: &Track,
    left: &[Left],
    baseline: f64,
    own: f64,
    penalties: &[f64; 8],
    lowest: usize,
) -> Vec<Run> {
    let live: Vec<Left> = left.iter().copied().filter(|fail| fail.count > 0).collect();
    if live.iter().map(|fail| u64::from(fail.count)).sum::<u64>() < 2 {
        return Vec::new();
    }
    let goods = goods_between(&live);
    let bursts = segment(&live, &goods, baseline, penalties, lowest);
    join(track, &live, &bursts)
        .into_iter()
        .filter(|run| is_no_clump(track, &live, run, own.max(baseline), penalties))
        .collect()
}

fn goods_between(live: &[Left]) -> Vec<f64> {
    let mut before = live.first().map_or(0.0, |fail| fail.seen);
    live.iter()
        .map(|fail| {
            let since = (fail.seen - before).max(0.0);
            before = fail.seen;
            since
        })
        .collect()
}

/// A burst: first and last failure by index, and its net gain.
#[derive(Clone, Debug)]
struct Burst {
    first: usize,
    last: usize,
    /// First failures of its pieces, latest first.
    pieces: Vec<usize>,
    net: f64,
}

/// Where a state came from.
const HEALTHY: u8 = 8;

/// Viterbi over the failures: healthy, or failing at one of the shares. A fault begins and ends with a failure, so
/// the good requests between failures need only be counted.
fn segment(
    live: &[Left],
    goods: &[f64],
    baseline: f64,
    penalties: &[f64; 8],
    lowest: usize,
) -> Vec<Burst> {
    let miss = SHARES.map(|share| (1.0 - share).ln());
    let plain = SHARES.map(|share| fail_gain(share, baseline));
    let mut healthy = 0.0_f64;
    let mut failing = [f64::NEG_INFINITY; 8];
    let mut from = Vec::with_capacity(live.len());
    for (fail, good) in live.iter().zip(goods) {
        let (closed, best) = max_of(&failing);
        let mut back = [HEALTHY; 9];
        if best > healthy {
            healthy = best;
            back[8] = closed;
        }
        let mut carried = [f64::NEG_INFINITY; 8];
        for (value, (state, loss)) in carried.iter_mut().zip(failing.iter().zip(&miss)) {
            *value = state + good * loss;
        }
        let changes = changes(&carried, penalties);
        for index in lowest..SHARES.len() {
            let (other, other_value) = changes[index];
            let gain = if fail.expected > 0.0 {
                let background = 1.0 - (1.0 - baseline) * (1.0 - fail.expected);
                fail_gain(SHARES[index], background)
            } else {
                plain[index]
            };
            let mut value = carried[index];
            back[index] = index as u8;
            if other_value > value {
                value = other_value;
                back[index] = other;
            }
            if healthy - penalties[index] > value {
                value = healthy - penalties[index];
                back[index] = HEALTHY;
            }
            failing[index] = value + gain * f64::from(fail.count);
        }
        from.push(back);
    }
    trace(&from, &failing, healthy, live, goods, baseline, penalties)
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
        if stronger.1 - SWITCH > best[index].1 {
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

/// Walks the best path back and gives its bursts in time order.
fn trace(
    from: &[[u8; 9]],
    failing: &[f64; 8],
    healthy: f64,
    live: &[Left],
    goods: &[f64],
    baseline: f64,
    penalties: &[f64; 8],
) -> Vec<Burst> {
    let (index, best) = max_of(failing);
    let mut state = if best > healthy { index } else { HEALTHY };
    let mut bursts = Vec::new();
    let mut open: Option<Burst> = None;
    for at in (0..from.len()).rev() {
        let back = from[at];
        if state == HEALTHY {
            state = back[8];
            // Closed after the failure before this one.
            continue;
        }
        let share = SHARES[usize::from(state)];
        let burst = open.get_or_insert(Burst {
            first: at,
            last: at,
            pieces: Vec::new(),
            net: 0.0,
        });
        let background = 1.0 - (1.0 - baseline) * (1.0 - live[at].expected);
        burst.net += fail_gain(share, background) * f64::from(live[at].count);
        burst.first = at;
        let previous = back[usize::from(state)];
        if previous == HEALTHY {
            burst.net -= penalties[usize::from(state)];
            burst.pieces.push(at);
            bursts.extend(open.take());
            // Healthy before this failure: what closed it is told by this failure's own entry.
            state = back[8];
            continue;
        }
        burst.net += goods[at] * (1.0 - SHARES[usize::from(previous)]).ln();
        if previous != state {
            let dearer = penalties[usize::from(state)] - penalties[usize::from(previous)];
            burst.net -= SWITCH + dearer.max(0.0);
            burst.pieces.push(at);
        }
        state = previous;
    }
    bursts.reverse();
    bursts
}

/// Joins bursts that the log cannot hold 30 minutes apart.
fn join(track: &Track, live: &[Left], bursts: &[Burst]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for burst in bursts {
        let (start, end) = (live[burst.first].at, live[burst.last].at);
        let pieces = pieces(live, burst);
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
    runs
}

/// A burst's stretches of one share, in time order.
fn pieces(live: &[Left], burst: &Burst) -> Vec<(i64, i64)> {
    let mut last = burst.last;
    let mut pieces = Vec::new();
    for first in &burst.pieces {
        pieces.push((live[*first].at, live[last].at));
        last = first.saturating_sub(1);
    }
    pieces.reverse();
    pieces
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
fn is_no_clump(track: &Track, live: &[Left], run: &Run, own: f64, penalties: &[f64; 8]) -> bool {
    let hours = (run.end - run.start) as f64 / 3_600.0;
    let high = BASELINE_MAX.max(own);
    gain_over(track, live, run, own, penalties) > 0.0
        && gain_over(track, live, run, high, penalties) + CLUMP + CLUMP_HOUR * hours > 0.0
}

/// What the run gains, at its best share, where healthy requests fail at this rate.
fn gain_over(track: &Track, live: &[Left], run: &Run, rate: f64, penalties: &[f64; 8]) -> f64 {
    let mut best = f64::NEG_INFINITY;
    for (share, penalty) in SHARES.iter().zip(penalties) {
        let mut gain = -penalty;
        for (start, end) in &run.pieces {
            let first = live.partition_point(|fail| fail.at < *start);
            let last = live.partition_point(|fail| fail.at <= *end);
            for fail in &live[first..last] {
                let background = 1.0 - (1.0 - rate) * (1.0 - fail.expected);
                gain += fail_gain(*share, background) * f64::from(fail.count);
            }
            gain += track.good_between(*start, *end) * (1.0 - share).ln();
        }
        best = best.max(gain);
    }
    best
}
