//! One run: how long, how much of it failed, is it over; and so blip, persistent or intermittent.

use model::Verdict;

use crate::judge::localise::Found;
use crate::judge::track::Track;

/// A run of at most this is a blip: a convention of this project (`docs/verdicts.md`, section 3).
pub(crate) const BLIP_MAX: i64 = 600;

/// Chance that the fault still runs below which it is over (`docs/verdicts.md`, table D).
const STILL_RUNS: f64 = 0.01;

/// Lengths are taken as evenly spread on a log scale from a minute to a day (`docs/verdicts.md`, section 5);
/// outside that range they are ten times rarer, not impossible.
const COMMON: (f64, f64) = (60.0, 86_400.0);
const UNCOMMON: f64 = 0.1;

/// Above this share the good answers next to a run bound it; below, they may lie within it.
const SOLID: f64 = 0.85;

/// A run measured: counts within it, and the bracket its true bounds must lie in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    pub(crate) failed: f64,
    pub(crate) good: f64,
    pub(crate) start: i64,
    pub(crate) last: i64,
    pub(crate) over: bool,
    /// Good requests in a row that would call its end, from the last failure.
    pub(crate) good_needed: f64,
    /// Good requests since the last failure.
    pub(crate) good_since: f64,
    /// Earliest start and latest end; `None` where nothing bounds it.
    earliest: i64,
    latest: Option<i64>,
}

impl Measure {
    pub(crate) fn new(track: &Track, found: &Found, log_start: i64, now: i64) -> Self {
        let (start, last) = (found.run.start, found.run.end.min(now));
        let failed = track.failed_within(start, last) as f64;
        let good = track.good_between(start, last);
        let since = track.good_between(last, now);
        let good_needed = good_needed(track, (failed, good), (start, last), now);
        let over = since >= good_needed;
        let spacing = ((last - start) as f64 / (failed - 1.0).max(1.0)) as i64;
        let solid = failed / (failed + good).max(1.0) >= SOLID;
        let last_good = track.last_good(start).unwrap_or(log_start);
        let first_good = track.first_good(last).filter(|at| *at <= now);
        let (earliest, latest) = if solid {
            (last_good.min(start), first_good)
        } else {
            (start - spacing, over.then_some(last + spacing))
        };
        Self {
            failed,
            good,
            start,
            last,
            over,
            good_needed,
            good_since: since,
            earliest,
            latest,
        }
    }

    #[cfg(test)]
    pub(crate) const fn bounded(
        failed: f64,
        good: f64,
        (start, last): (i64, i64),
        over: bool,
        latest: Option<i64>,
    ) -> Self {
        Self {
            failed,
            good,
            start,
            last,
            over,
            good_needed: 2.0,
            good_since: 0.0,
            earliest: start,
            latest,
        }
    }

    /// The most likely of blip, persistent and intermittent, with its chance.
    pub(crate) fn verdict(&self) -> (Verdict, f64) {
        let chances = self.chances().into_iter();
        chances.fold((Verdict::Blip, -1.0), |best, row| {
            if row.1 > best.1 { row } else { best }
        })
    }

    /// The chances of each.
    pub(crate) fn chances(&self) -> [(Verdict, f64); 3] {
        let blip = self.blip_chance();
        let half = at_least_half(self.failed, self.good);
        [
            (Verdict::Blip, blip),
            (Verdict::Persistent, (1.0 - blip) * half),
            (Verdict::Intermittent, (1.0 - blip) * (1.0 - half)),
        ]
    }

    /// Chance that the run lasted at most ten minutes. The weight of a length is the ways to place it in the
    /// bracket times the prior density.
    pub(crate) fn blip_chance(&self) -> f64 {
        let seen = self.last - self.start;
        if seen > BLIP_MAX {
            return 0.0;
        }
        let mut short = 0.0;
        let mut all = 0.0;
        for step in 0..STEPS {
            let length = LENGTH_MIN * (step as f64 * STEP).exp();
            let ways = self.ways(length as i64);
            let weight = if (COMMON.0..=COMMON.1).contains(&length) {
                ways
            } else {
                ways * UNCOMMON
            };
            all += weight;
            if length <= BLIP_MAX as f64 {
                short += weight;
            }
        }
        if all > 0.0 { short / all } else { 1.0 }
    }

    fn ways(&self, length: i64) -> f64 {
        let first = self.earliest.max(self.last - length);
        let last = self
            .latest
            .map_or(self.start, |latest| self.start.min(latest - length));
        (last - first + 1).max(0) as f64
    }
}

/// The grid of lengths: from a second to thirty days.
const STEPS: usize = 500;
const LENGTH_MIN: f64 = 1.0;
/// ln(30 days) / STEPS.
const STEP: f64 = 0.029_53;

/// Recovered only on good requests, never on silence: so many in a row that a fault of this share would have shown
/// itself. A fault that comes and goes must also be quiet for longer than its own good spells were, and the longer it
/// ran beside the time since, the less likely it is that it ended just now.
fn good_needed(
    track: &Track,
    (failed, good): (f64, f64),
    (start, last): (i64, i64),
    now: i64,
) -> f64 {
    let share = (failed + 0.5) / (failed + good + 1.0);
    let hidden = (1.0 - share.min(0.95)).ln();
    let needed = (STILL_RUNS.ln() / hidden).ceil();
    if share >= SOLID {
        return needed;
    }
    let just_now = ((now - last).max(1) as f64 / (last - start).max(1) as f64).min(1.0);
    let needed = ((STILL_RUNS.ln() + just_now.ln()) / hidden)
        .ceil()
        .max(needed);
    let mut longest = 0.0_f64;
    let mut before = start;
    for fail in track.fails_within(start, last) {
        longest = longest.max(track.good_between(before, fail.at));
        before = fail.at;
    }
    needed.max(longest.floor() + 1.0)
}

/// Chance that the true share is one half or more: Beta(failed + 1/2, good + 1/2), by the normal approximation of
/// its logit, which is within a hundredth here.
pub(crate) fn at_least_half(failed: f64, good: f64) -> f64 {
    let (a, b) = (failed + 0.5, good + 0.5);
    let logit = (a / b).ln();
    let spread = (1.0 / a + 1.0 / b).sqrt();
    normal(logit / spread)
}

/// Distribution function of the normal law (logistic approximation of Page 1977, error below 0.0002).
pub(crate) fn normal(z: f64) -> f64 {
    1.0 / (1.0 + (-(1.5976 * z + 0.070_56 * z * z * z)).exp())
}
