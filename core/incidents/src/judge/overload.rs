//! Failures that follow the load: inside the failing runs, not only by day and night.

use crate::judge::localise::{Explained, Found, Tracks, found};
use crate::judge::segment::Run;
use crate::judge::track::Track;
use crate::judge::verdict::normal;

/// Fewest failures that can show it (`docs/verdicts.md`, section 5).
const FAILED_MIN: u64 = 10;

/// An overloaded site still answers: above this share it is an outage (`docs/verdicts.md`, section 3).
const SHARE_MAX: f64 = 0.6;

/// Share of a stretch that is no longer mixed.
const DOWN: f64 = 0.92;
const DOWN_FAILED: f64 = 20.0;

/// Chance that the load at a failure exceeds that at a good request, and how sure that must be: within the runs.
const RANK_MIN: f64 = 0.58;
const SURE_INSIDE: f64 = 3.5;
const RANK_PLATEAU: f64 = 0.52;
const SURE_PLATEAU: f64 = 4.5;

/// The same against the good requests outside the runs.
const RANK_OVERALL: f64 = 0.75;
const RANK_PEAKS: f64 = 0.85;
const RANK_ALONE: f64 = 0.95;
const SURE_OVERALL: f64 = 4.0;

/// A run begins and ends with a failure, so short runs hold failures at their edges, where the load is lower.
const SURE_AGAINST: f64 = -4.0;

/// Above this chance of a failure right after a failure it is rather on and off.
const STICKY_MAX: f64 = 0.8;

/// Smoothing: so many requests, within these seconds.
const SMOOTH_REQUESTS: f64 = 20.0;
const SMOOTH: (f64, f64) = (120.0, 2_400.0);

/// Most moments compared.
const SAMPLES: usize = 8_000;

/// How failures and load hang together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Link {
    /// Chance that the load at a failure in the runs exceeds that at a good request in them.
    pub(crate) rank: f64,
    /// Standard deviations from no link.
    pub(crate) sure: f64,
    /// Number of runs.
    pub(crate) peaks: usize,
}

impl Link {
    pub(crate) fn chance(&self) -> f64 {
        normal(self.sure - 2.0).max(1.0 - 0.3 / self.peaks.max(1) as f64)
    }
}

/// For each scope whose partial failures follow the load: one incident of all its runs, and those it replaces.
pub(crate) fn overloads(
    tracks: &Tracks,
    load: &Track,
    explained: &Explained,
) -> Vec<(Found, Link, Vec<usize>)> {
    let mut scopes: Vec<&Vec<usize>> = explained.found.iter().map(|known| &known.tracks).collect();
    scopes.sort();
    scopes.dedup();
    let mut all = Vec::new();
    for scope in scopes {
        let members: Vec<usize> = (0..explained.found.len())
            .filter(|index| {
                explained.found[*index].tracks == *scope
                    && is_partial(tracks, &explained.found[*index])
            })
            .collect();
        if let Some((found, link)) = overload(tracks, load, explained, scope, &members) {
            all.push((found, link, members));
        }
    }
    all
}

/// Whether the run's share may be that of an overloaded site: not above it by three standard deviations.
fn is_partial(tracks: &Tracks, known: &Found) -> bool {
    let run = &known.run;
    let counts = known.tracks.iter().map(|index| {
        let track = &tracks.all[*index];
        track.failed_within(run.start, run.end) as f64 + track.good_between(run.start, run.end)
    });
    known.share < SHARE_MAX + 3.0 * (0.25 / counts.sum::<f64>().max(1.0)).sqrt()
}

fn overload(
    tracks: &Tracks,
    load: &Track,
    explained: &Explained,
    scope: &[usize],
    members: &[usize],
) -> Option<(Found, Link)> {
    let parts: Vec<&Track> = scope.iter().map(|index| &tracks.all[*index]).collect();
    let track = Track::group(&parts)?;
    let runs: Vec<(i64, i64)> = members
        .iter()
        .map(|index| {
            (
                explained.found[*index].run.start,
                explained.found[*index].run.end,
            )
        })
        .collect();
    let failed: u64 = runs
        .iter()
        .map(|run| track.failed_within(run.0, run.1))
        .sum();
    let good: f64 = runs
        .iter()
        .map(|run| track.good_between(run.0, run.1))
        .sum();
    let share = failed as f64 / (failed as f64 + good).max(1.0);
    if failed < FAILED_MIN || share >= SHARE_MAX || sticky(&track, &runs) > STICKY_MAX {
        return None;
    }
    let smooth = Smooth::new(load, tracks);
    let at_fail = smooth.at(&fail_times(&track, &runs));
    let inside = rank(&at_fail, &smooth.at(&good_times(&track, &runs)));
    let outside = smooth.at(&good_times(&track, &beside(tracks, &runs)));
    let overall = rank(&at_fail, &outside);
    if !(follows(inside, overall) || peaks(runs.len(), inside, overall))
        || is_down(tracks, explained, scope, members)
    {
        return None;
    }
    let (start, end) = (runs.first()?.0, runs.iter().map(|run| run.1).max()?);
    let bursts: Vec<(i64, i64)> = members
        .iter()
        .flat_map(|index| explained.found[*index].run.bursts.clone())
        .collect();
    let net = members
        .iter()
        .map(|index| explained.found[*index].run.net)
        .sum();
    let run = Run {
        start,
        end,
        pieces: bursts.clone(),
        bursts,
        net,
    };
    Some((
        found(tracks, scope.to_vec(), run),
        Link {
            peaks: runs.len(),
            ..inside
        },
    ))
}

/// Within the runs themselves the failures lie where the load is high. A fault by day passes the second test only.
/// A site at its limit for most of a run shows a weaker link inside, but then hardly any such load outside.
fn follows(inside: Link, overall: Link) -> bool {
    let clear =
        inside.rank >= RANK_MIN && inside.sure >= SURE_INSIDE && overall.rank >= RANK_OVERALL;
    let plateau =
        inside.rank >= RANK_PLATEAU && inside.sure >= SURE_PLATEAU && overall.rank >= RANK_ALONE;
    overall.sure >= SURE_OVERALL && (clear || plateau)
}

/// Several runs, all at loads that the site hardly has otherwise: a fault that knows no load would have met quiet
/// hours too.
fn peaks(runs: usize, inside: Link, overall: Link) -> bool {
    let needed = if runs == 2 { RANK_ALONE } else { RANK_PEAKS };
    runs >= 2
        && overall.rank >= needed
        && overall.sure >= SURE_OVERALL
        && inside.sure > SURE_AGAINST
}

/// An overloaded site still answers: a stretch in which nothing came through is an outage.
fn is_down(tracks: &Tracks, explained: &Explained, scope: &[usize], members: &[usize]) -> bool {
    let pieces = members
        .iter()
        .flat_map(|index| &explained.found[*index].run.pieces);
    pieces.into_iter().any(|(start, end)| {
        let counts = scope.iter().map(|index| {
            let track = &tracks.all[*index];
            (
                track.failed_within(*start, *end) as f64,
                track.good_between(*start, *end),
            )
        });
        let (failed, good) = counts.fold((0.0, 0.0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
        failed >= DOWN_FAILED && failed > DOWN * (failed + good)
    })
}

/// The log without the runs.
fn beside(tracks: &Tracks, runs: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut from = tracks.start;
    let mut spans = Vec::new();
    for (start, end) in runs {
        spans.push((from, start - 1));
        from = end + 1;
    }
    spans.push((from, tracks.now));
    spans.retain(|span| span.0 <= span.1);
    spans
}

/// How often the request after a failure fails too.
fn sticky(track: &Track, runs: &[(i64, i64)]) -> f64 {
    let (mut pairs, mut stuck) = (0.0_f64, 0.0);
    for (start, end) in runs {
        for pair in track.fails_within(*start, *end).windows(2) {
            pairs += f64::from(pair[0].count);
            stuck += f64::from(pair[0].count - pair[0].count.min(1));
            if track.good_between(pair[0].at, pair[1].at) < 1.0 {
                stuck += 1.0;
            }
        }
    }
    stuck / pairs.max(1.0)
}

fn fail_times(track: &Track, runs: &[(i64, i64)]) -> Vec<i64> {
    let mut times: Vec<i64> = runs
        .iter()
        .flat_map(|run| track.fails_within(run.0, run.1))
        .map(|fail| fail.at)
        .collect();
    let step = times.len().div_ceil(SAMPLES).max(1);
    times = times.into_iter().step_by(step).collect();
    times
}

/// Moments of good requests, evenly drawn.
fn good_times(track: &Track, runs: &[(i64, i64)]) -> Vec<i64> {
    let total: f64 = runs
        .iter()
        .map(|run| track.good_between(run.0, run.1))
        .sum();
    let step = (total / SAMPLES as f64).max(1.0);
    let mut times = Vec::new();
    for (start, end) in runs {
        track.good_times(*start, *end, step, &mut times);
    }
    times
}

/// Requests a second around a moment.
struct Smooth<'a> {
    load: &'a Track,
    half: i64,
}

impl<'a> Smooth<'a> {
    fn new(load: &'a Track, tracks: &Tracks) -> Self {
        let per_second = load.total() as f64 / tracks.seconds() as f64;
        let width = (SMOOTH_REQUESTS / per_second.max(1e-6)).clamp(SMOOTH.0, SMOOTH.1);
        Self {
            load,
            half: (width / 2.0) as i64,
        }
    }

    fn at(&self, times: &[i64]) -> Vec<f64> {
        times
            .iter()
            .map(|at| {
                let (from, to) = (at - self.half, at + self.half);
                self.load.good_between(from, to) + self.load.failed_within(from, to) as f64
            })
            .collect()
    }
}

/// Mann and Whitney's rank test, ties counted half.
fn rank(high: &[f64], low: &[f64]) -> Link {
    if high.is_empty() || low.is_empty() {
        return Link {
            rank: 0.5,
            sure: 0.0,
            peaks: 0,
        };
    }
    let mut sorted = low.to_vec();
    sorted.sort_by(f64::total_cmp);
    let wins: f64 = high
        .iter()
        .map(|value| {
            let below = sorted.partition_point(|other| other < value);
            let not_above = sorted.partition_point(|other| other <= value);
            (below + not_above) as f64 / 2.0
        })
        .sum();
    let (n, m) = (high.len() as f64, low.len() as f64);
    let rank = wins / (n * m);
    Link {
        rank,
        sure: (rank - 0.5) / ((n + m + 1.0) / (12.0 * n * m)).sqrt(),
        peaks: 0,
    }
}
