//! Runs of one scope on a schedule, those too weak to stand alone included.

use crate::judge::localise::{Explained, Found, Tracks, found};
use crate::judge::prior::{self, SHARES, THRESHOLD};
use crate::judge::segment::{RUN_GAP, Run, fail_gain};

/// Each run is up to this long (`docs/verdicts.md`, section 3).
const RUN_MAX: i64 = 30 * 60;

/// Fewest runs that make a schedule.
const RUNS_MIN: usize = 3;

/// Expected number of schedules that unrelated runs would show by chance: above this the schedule is not claimed.
const CHANCE_MAX: f64 = 0.05;

/// The same where the schedule is all there is: its runs were no incidents by themselves, so nothing else vouches
/// that they are real.
const CHANCE_MAX_ALONE: f64 = 0.005;

const HOUR: i64 = 3_600;

/// Periods that schedulers use; the distances between runs found are tried too.
const PERIODS: [i64; 10] = [
    HOUR,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    8 * HOUR,
    12 * HOUR,
    24 * HOUR,
    48 * HOUR,
    168 * HOUR,
];

/// Above this share a long incident is no schedule.
const WEAK_MAX: f64 = 0.3;

/// Share of a weak incident's failures that the schedule must hold to replace it.
const HELD_MIN: f64 = 0.7;

/// Nats by which the schedule must describe the runs better than they do one by one.
const LEAD: f64 = 3.0;

/// Most runs folded. More than that of one scope is no schedule a person would name.
const VISITS_MAX: usize = 1_000;

/// Most periods taken from the distances of runs.
const FREE_PERIODS: usize = 24;

/// A schedule that was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schedule {
    pub(crate) period: i64,
    pub(crate) runs: Vec<(i64, i64)>,
    /// Expected number of such schedules among unrelated runs.
    pub(crate) chance: f64,
}

/// One run, or a single failure, on one scope.
#[derive(Clone, Copy, Debug)]
struct Visit {
    start: i64,
    end: i64,
    failed: f64,
    /// What it gains as an incident of its own, where it is one.
    known: Option<f64>,
}

/// Looks for schedules scope by scope. Gives them with the indexes of the incidents they replace.
pub(crate) fn schedules(
    tracks: &Tracks,
    explained: &Explained,
) -> Vec<(Found, Schedule, Vec<usize>)> {
    let mut scopes: Vec<Vec<usize>> = explained
        .found
        .iter()
        .filter(|found| is_short(found))
        .map(|found| found.tracks.clone())
        .collect();
    scopes.extend(tracks.index(tally::Key::Site).map(|site| vec![site]));
    scopes.sort();
    scopes.dedup();
    let mut all: Vec<(Found, Schedule, Vec<usize>)> = Vec::new();
    for scope in scopes {
        if let Some(next) = schedule(tracks, explained, &scope) {
            all.push(next);
        }
    }
    all.sort_by(|a, b| {
        b.0.run
            .net
            .total_cmp(&a.0.run.net)
            .then(a.0.tracks.cmp(&b.0.tracks))
    });
    distinct(all)
}

/// A long weak incident may be a schedule that the log hits only now and then.
fn is_weak(found: &Found) -> bool {
    !is_short(found) && found.share < WEAK_MAX
}

fn is_short(found: &Found) -> bool {
    found.run.end - found.run.start <= RUN_MAX
}

/// Of schedules that share an incident or nest in the same hours, the one that gains most.
fn distinct(all: Vec<(Found, Schedule, Vec<usize>)>) -> Vec<(Found, Schedule, Vec<usize>)> {
    let mut kept: Vec<(Found, Schedule, Vec<usize>)> = Vec::new();
    for next in all {
        let shares = kept.iter().any(|known| {
            next.2.iter().any(|index| known.2.contains(index))
                || overlaps(&known.1.runs, &next.1.runs)
        });
        if !shares {
            kept.push(next);
        }
    }
    kept
}

fn overlaps(a: &[(i64, i64)], b: &[(i64, i64)]) -> bool {
    let hits = b
        .iter()
        .filter(|run| a.iter().any(|other| run.0 <= other.1 && other.0 <= run.1))
        .count();
    2 * hits >= b.len()
}

fn schedule(
    tracks: &Tracks,
    explained: &Explained,
    scope: &[usize],
) -> Option<(Found, Schedule, Vec<usize>)> {
    let visits = visits(tracks, explained, scope);
    if visits.len() < RUNS_MIN || visits.len() > VISITS_MAX {
        return None;
    }
    let periods = periods(&visits, tracks.seconds());
    // Of several periods the one that leads most over the runs told one by one: what they gain is the same in all.
    let mut best: Option<(f64, f64, Schedule, Vec<usize>)> = None;
    for only_known in [true, false] {
        let pool: Vec<Visit> = visits
            .iter()
            .copied()
            .filter(|visit| visit.known.is_some() || !only_known)
            .collect();
        if pool.len() < RUNS_MIN {
            continue;
        }
        for period in &periods {
            let Some((chosen, chance)) = fold(&pool, *period, periods.len()) else {
                continue;
            };
            if breaks_weak(tracks, explained, scope, &chosen) {
                continue;
            }
            let net = net(tracks, explained, scope, &chosen, *period, periods.len());
            let runs = chosen
                .iter()
                .map(|visit| (visit.start, visit.end))
                .collect();
            let schedule = Schedule {
                period: *period,
                runs,
                chance,
            };
            let replaced = replaced(tracks, explained, scope, &schedule.runs);
            let separate: f64 = (replaced.iter())
                .map(|index| explained.found[*index].run.net)
                .sum();
            let lead = net - separate;
            if lead > best.as_ref().map_or(LEAD, |best| best.0) && net > 0.0 {
                best = Some((lead, net, schedule, replaced));
            }
        }
    }
    let (_, net, schedule, replaced) = best?;
    let (start, end) = (schedule.runs.first()?.0, schedule.runs.last()?.1);
    let run = Run {
        start,
        end,
        bursts: schedule.runs.clone(),
        pieces: schedule.runs.clone(),
        net,
    };
    Some((found(tracks, scope.to_vec(), run), schedule, replaced))
}

/// The incidents that a schedule with these runs takes the place of.
fn replaced(
    tracks: &Tracks,
    explained: &Explained,
    scope: &[usize],
    runs: &[(i64, i64)],
) -> Vec<usize> {
    (0..explained.found.len())
        .filter(|index| {
            let known = &explained.found[*index];
            is_covered(tracks, scope, known)
                && (within_any(known, runs) || is_held(tracks, known, runs))
        })
        .collect()
}

fn within_any(known: &Found, runs: &[(i64, i64)]) -> bool {
    is_short(known)
        && runs
            .iter()
            .any(|run| known.run.start <= run.1 && run.0 <= known.run.end)
}

/// Whether the schedule would take only some of the failures of a weak incident, which then remains.
fn breaks_weak(tracks: &Tracks, explained: &Explained, scope: &[usize], chosen: &[Visit]) -> bool {
    let runs: Vec<(i64, i64)> = chosen
        .iter()
        .map(|visit| (visit.start, visit.end))
        .collect();
    explained.found.iter().any(|known| {
        is_weak(known)
            && is_covered(tracks, scope, known)
            && runs
                .iter()
                .any(|run| known.run.start <= run.1 && run.0 <= known.run.end)
            && !is_held(tracks, known, &runs)
    })
}

/// Whether nearly all failures of a weak incident lie in these runs.
fn is_held(tracks: &Tracks, known: &Found, runs: &[(i64, i64)]) -> bool {
    let failed = |start, end| -> u64 {
        known
            .tracks
            .iter()
            .map(|index| tracks.all[*index].failed_within(start, end))
            .sum()
    };
    let (start, end) = (known.run.start, known.run.end);
    let held: u64 = runs
        .iter()
        .filter(|run| run.1 >= start && run.0 <= end)
        .map(|run| failed(run.0.max(start), run.1.min(end)))
        .sum();
    is_weak(known) && held as f64 >= HELD_MIN * failed(start, end) as f64
}

fn is_covered(tracks: &Tracks, scope: &[usize], known: &Found) -> bool {
    known.tracks.iter().all(|inner| {
        scope
            .iter()
            .any(|outer| tracks.contains(tracks.all[*outer].key, tracks.all[*inner].key))
    })
}

/// Runs of the scope: its short incidents, and the failures beside them that no long strong incident explains.
fn visits(tracks: &Tracks, explained: &Explained, scope: &[usize]) -> Vec<Visit> {
    let covered: Vec<&Found> = explained
        .found
        .iter()
        .filter(|known| is_covered(tracks, scope, known))
        .collect();
    let mut visits: Vec<Visit> = Vec::new();
    for known in covered.iter().filter(|known| is_short(known)) {
        let (start, end) = (known.run.start, known.run.end);
        let counts = scope
            .iter()
            .map(|index| tracks.all[*index].failed_within(start, end));
        visits.push(Visit {
            start,
            end,
            failed: counts.sum::<u64>() as f64,
            known: Some(known.run.net),
        });
    }
    visits.extend(singles(tracks, explained, scope, &covered));
    visits.sort_by_key(|visit| (visit.start, visit.end));
    visits
}

/// Failures beside the short incidents, less than half an hour apart as one visit.
fn singles(
    tracks: &Tracks,
    explained: &Explained,
    scope: &[usize],
    covered: &[&Found],
) -> Vec<Visit> {
    let within = |known: &Found, at: i64| known.run.start <= at && at <= known.run.end;
    let mut times: Vec<(i64, f64)> = Vec::new();
    for index in scope {
        for (fail, left) in tracks.all[*index].fails.iter().zip(&explained.left[*index]) {
            let weak = covered
                .iter()
                .any(|known| is_weak(known) && within(known, fail.at));
            let free = left.count > 0 && left.expected == 0.0;
            let short = covered
                .iter()
                .any(|known| is_short(known) && within(known, fail.at));
            if (weak || free) && !short {
                times.push((fail.at, f64::from(fail.count)));
            }
        }
    }
    times.sort_by_key(|time| time.0);
    let mut visits: Vec<Visit> = Vec::new();
    for (at, failed) in times {
        match visits.last_mut() {
            Some(visit) if at - visit.end < RUN_GAP => {
                visit.end = at;
                visit.failed += failed;
            }
            _ => visits.push(Visit {
                start: at,
                end: at,
                failed,
                known: None,
            }),
        }
    }
    visits.retain(|visit| visit.end - visit.start <= RUN_MAX);
    if visits.len() > VISITS_MAX {
        visits.clear();
    }
    visits
}

fn periods(visits: &[Visit], seconds: i64) -> Vec<i64> {
    let mut free: Vec<i64> = Vec::new();
    let known: Vec<&Visit> = visits
        .iter()
        .filter(|visit| visit.known.is_some())
        .collect();
    for pair in known.windows(2) {
        let distance = (pair[1].start - pair[0].start).max(0);
        let common = PERIODS
            .iter()
            .any(|period| (distance - period).abs() <= tolerance(*period) / 2);
        if distance > 2_400 && !common {
            free.push(distance);
        }
    }
    free.sort_unstable();
    free.dedup_by(|next, kept| *next - *kept <= tolerance(*kept) / 2);
    free.truncate(FREE_PERIODS);
    let mut all: Vec<i64> = PERIODS
        .into_iter()
        .chain(free)
        .filter(|period| 2 * period <= seconds + HOUR)
        .collect();
    all.sort_unstable();
    all
}

/// How far starts may lie from the schedule: 20 minutes, but 1.2 to 6 % of the period (`docs/verdicts.md`, table E).
fn tolerance(period: i64) -> i64 {
    let low = period * 12 / 1_000;
    let high = period * 6 / 100;
    (20 * 60).clamp(low, high.max(low))
}

/// The visits whose starts share a phase, one a cycle, and the chance that unrelated ones would.
fn fold(pool: &[Visit], period: i64, tried: usize) -> Option<(Vec<Visit>, f64)> {
    let width = 2 * tolerance(period);
    let mut phased: Vec<(i64, Visit)> = pool
        .iter()
        .map(|visit| (visit.start.rem_euclid(period), *visit))
        .collect();
    phased.sort_by_key(|(phase, visit)| (*phase, visit.start));
    let mut best: Option<Vec<Visit>> = None;
    for (from, _) in &phased {
        let mut inside: Vec<Visit> = phased
            .iter()
            .filter(|(phase, _)| (phase - from).rem_euclid(period) <= width)
            .map(|(_, visit)| *visit)
            .collect();
        inside.sort_by_key(|visit| visit.start);
        inside.dedup_by(|next, kept| next.start - kept.start < period / 2);
        if best.as_ref().is_none_or(|best| inside.len() > best.len()) {
            best = Some(inside);
        }
    }
    let chosen = best.filter(|best| best.len() >= RUNS_MIN)?;
    let most = chosen.iter().map(|visit| visit.failed).fold(0.0, f64::max);
    let sum: f64 = chosen.iter().map(|visit| visit.failed).sum();
    let known = chosen.iter().filter(|visit| visit.known.is_some()).count();
    if known < 2 && chosen.len() <= RUNS_MIN {
        return None;
    }
    // One cycle that holds nearly all failures is an incident, not a schedule.
    if most > 0.8 * sum {
        return None;
    }
    let spread = spread(&chosen, period).max(tolerance(period) / 4);
    // A period read off two runs has these two on schedule for nothing.
    let free_hits = chosen.len() - if PERIODS.contains(&period) { 1 } else { 2 };
    let chance = tried as f64
        * pool.len() as f64
        * binomial_tail(pool.len() - 1, spread as f64 / period as f64, free_hits);
    let most = if known < 2 {
        CHANCE_MAX_ALONE
    } else {
        CHANCE_MAX
    };
    (chance < most).then_some((chosen, chance))
}

/// Width of the phases of the chosen runs.
fn spread(chosen: &[Visit], period: i64) -> i64 {
    let first = chosen.first().map_or(0, |visit| visit.start);
    let offsets = chosen.iter().map(|visit| {
        let offset = (visit.start - first).rem_euclid(period);
        if offset > period / 2 {
            offset - period
        } else {
            offset
        }
    });
    let (low, high) = offsets.fold((0, 0), |(low, high), offset| {
        (offset.min(low), offset.max(high))
    });
    high - low
}

/// Chance of at least `hits` of `trials` at `chance` each.
fn binomial_tail(trials: usize, chance: f64, hits: usize) -> f64 {
    let mut term = (1.0 - chance).powf(trials as f64);
    let mut below = 0.0;
    for count in 0..hits {
        below += term;
        term *= (trials - count.min(trials)) as f64 / (count + 1) as f64 * chance / (1.0 - chance);
    }
    // Where the sum of the lower terms is all but one, the next term is the tail.
    (1.0 - below).max(term)
}

/// Nats that the schedule gains, in the better of two descriptions: run by run, each placed within the window; or
/// the window of every cycle at one share, which suits runs that a sparse log hits only now and then.
fn net(
    tracks: &Tracks,
    explained: &Explained,
    scope: &[usize],
    chosen: &[Visit],
    period: i64,
    tried: usize,
) -> f64 {
    let (Some(first), Some(last)) = (chosen.first(), chosen.last()) else {
        return 0.0;
    };
    let requests: u64 = scope.iter().map(|index| tracks.all[*index].total()).sum();
    let seconds = tracks.seconds();
    let per_second = requests as f64 / seconds as f64;
    let prior: f64 = scope.iter().map(|index| tracks.all[*index].prior).sum();
    let failed: f64 = chosen.iter().map(|visit| visit.failed).sum();
    let cycles = (last.start - first.start) as f64 / period as f64 + 1.0;

    let monthly = prior::monthly(requests, seconds);
    let window = (1.0 + per_second * tolerance(period) as f64).ln();
    // What an incident had paid to stand alone is given back; a lone failure was never paid for.
    let alone = THRESHOLD + prior + (1.0 + monthly * 0.5).ln();
    let one = fail_gain(SHARES[SHARES.len() - 1], explained.baseline);
    let runs: f64 = chosen
        .iter()
        .map(|visit| visit.known.map_or(visit.failed * one, |net| net + alone) - window)
        .sum();
    let skipped = (cycles - chosen.len() as f64).max(0.0) * SKIPPED;
    let by_run = runs - skipped;
    let by_window = gain(
        explained.baseline,
        failed,
        good(tracks, scope, windows(chosen, period)),
    );

    let place = (1.0 + monthly).ln() - (1.0 + per_second * period as f64).ln().min(8.0);
    let phase = (period as f64 / (2 * tolerance(period)) as f64).ln();
    by_run.max(by_window) - THRESHOLD - prior - (tried as f64).ln() - place.max(0.0) - phase
}

/// Nats for a cycle in which the scheduled thing did not happen.
const SKIPPED: f64 = 3.0;

fn gain(baseline: f64, failed: f64, good: f64) -> f64 {
    SHARES
        .iter()
        .map(|share| failed * fail_gain(*share, baseline) + good * (1.0 - share).ln())
        .fold(f64::NEG_INFINITY, f64::max)
}

fn good(tracks: &Tracks, scope: &[usize], spans: impl Iterator<Item = (i64, i64)>) -> f64 {
    spans
        .map(|(start, end)| {
            let tracks = scope.iter().map(|index| &tracks.all[*index]);
            tracks
                .map(|track| track.good_between(start, end))
                .sum::<f64>()
        })
        .sum()
}

/// The phases of the chosen runs, in every cycle from the first run to the last.
fn windows(chosen: &[Visit], period: i64) -> impl Iterator<Item = (i64, i64)> {
    let anchor = chosen.first().map_or(0, |visit| visit.start);
    let last = chosen.last().map_or(anchor, |visit| visit.end);
    let (mut low, mut high) = (0, 0);
    for visit in chosen {
        let offset = (visit.start - anchor).rem_euclid(period);
        let offset = if offset > period / 2 {
            offset - period
        } else {
            offset
        };
        low = low.min(offset);
        high = high.max(offset + visit.end - visit.start);
    }
    let cycles = (last - anchor) / period.max(1) + 1;
    (0..=cycles)
        .map(move |cycle| {
            (
                anchor + cycle * period + low,
                anchor + cycle * period + high,
            )
        })
        .filter(move |window| window.0 <= last)
}
