//! When the lines so far sufficed, and what would have been said since: by judging the log again as it was then.

use model::Verdict;

use crate::judge::localise::{Found, Tracks};
use crate::judge::prior::{self, SHARES};
use crate::judge::segment::fail_gain;
use crate::judge::story::{self, Pattern, Story};
use crate::judge::track::Track;
use crate::judge::verdict::{BLIP_MAX, Measure};

/// Observations that may be read again for one incident: a bound on its cost.
const REPLAY_MAX: usize = 800_000;

/// Most replays of one search; a sparse log needs three or four.
const REPLAYS_MAX: usize = 16;

/// The first failure at which a report of the log so far would hold an incident that touches this one. The sums of
/// its scope tell nearly when; judging the log again as it was then tells exactly. A log too dense for that stays
/// with the sums.
pub(crate) fn first_detected(tracks: &Tracks, load: &Track, story: &Story, whole: &Track) -> i64 {
    let run = &story.found.run;
    let times = times(tracks, story);
    let guess = crossing(tracks, story, whole);
    let all = tracks.all.iter().chain([load]);
    let size: usize = all.map(|track| track.cost_until(guess)).sum();
    let guess = times
        .partition_point(|at| *at < guess)
        .min(times.len().saturating_sub(1));
    let reported = |index: usize| {
        let Some(at) = times.get(index).copied() else {
            return false;
        };
        let stories = story::tell(&tracks.until(at), &load.until(at));
        let touches = |known: &Found| known.run.start <= at && known.run.end >= run.start;
        stories.iter().any(|known| touches(&known.found))
    };
    let replays = (REPLAY_MAX / size.max(1)).min(REPLAYS_MAX);
    let found = search(guess, times.len().saturating_sub(1), replays, reported);
    times.get(found).copied().unwrap_or(run.end)
}

/// The least index that holds, near a guess, in so many questions. The last is known to hold.
fn search(guess: usize, last: usize, mut questions: usize, holds: impl Fn(usize) -> bool) -> usize {
    if questions < 3 {
        return guess;
    }
    // `low` is one above what is known not to hold, `high` is known to hold.
    let (mut low, mut high, mut at, mut step) = (0, last, guess, 1);
    while low < high && questions > 0 {
        questions -= 1;
        if holds(at) {
            high = at;
            at = at.saturating_sub(step);
        } else {
            low = at + 1;
            at += step;
        }
        step *= 2;
        if low > 0 && high < last {
            at = usize::midpoint(low, high);
        }
        at = at.min(high.saturating_sub(1)).max(low);
    }
    high
}

/// The failure at which the sums of the scope pass the costs, at any share, with what was known by then.
fn crossing(tracks: &Tracks, story: &Story, whole: &Track) -> i64 {
    let run = &story.found.run;
    let seconds = run.start - tracks.start;
    let so_far = whole.good_until(run.start) as u64 + whole.failed_within(tracks.start, run.start);
    let baseline = tracks
        .site()
        .map_or(story.baseline, |site| site.rate_until(run.start));
    let penalties = prior::penalties(whole.prior, prior::monthly(so_far, seconds), baseline);
    let mut sums = penalties.map(|penalty| -penalty);
    let mut before = run.start;
    for fail in whole.fails_within(run.start, run.end) {
        let good = whole.good_between(before, fail.at);
        before = fail.at;
        for ((sum, share), penalty) in sums.iter_mut().zip(SHARES).zip(penalties) {
            let gain = fail_gain(share, baseline) * f64::from(fail.count);
            *sum = (*sum + good * (1.0 - share).ln()).max(-penalty) + gain;
        }
        if sums.iter().any(|sum| *sum > 0.0) {
            return fail.at;
        }
    }
    run.end
}

/// Moments at which the incident's evidence grew.
fn times(tracks: &Tracks, story: &Story) -> Vec<i64> {
    let run = &story.found.run;
    let mut times: Vec<i64> = Vec::new();
    for (index, track) in tracks.all.iter().enumerate() {
        let part = matches!(story.pattern, Pattern::Restart(_))
            && matches!(track.key, tally::Key::Upstream(_));
        if part || story.found.tracks.contains(&index) {
            times.extend(
                track
                    .fails_within(run.start, run.end)
                    .iter()
                    .map(|fail| fail.at),
            );
        }
    }
    times.sort_unstable();
    times.dedup();
    times
}

/// Verdicts on the way, as far as one run's length and share decide them.
pub(crate) fn history(
    tracks: &Tracks,
    story: &Story,
    whole: &Track,
    detected: i64,
) -> Vec<(i64, Verdict, f64)> {
    let mut history: Vec<(i64, Verdict, f64)> = Vec::new();
    let first = first_run(story);
    for at in turning_points(whole, &first, detected, tracks.now) {
        let mut seen = first.clone();
        seen.run.end = whole
            .fails_within(first.run.start, at.min(first.run.end))
            .last()
            .map_or(at, |fail| fail.at);
        let measure = Measure::new(&whole.until(at), &seen, tracks.start, at);
        let (verdict, chance) = measure.verdict();
        if history.last().is_none_or(|last| last.1 != verdict) {
            history.push((at, verdict, story.sure(chance)));
        }
    }
    history
}

/// The first run alone: that is what was known at first.
fn first_run(story: &Story) -> Found {
    let mut first = story.found.clone();
    if let Some((start, end)) = story.runs().first() {
        (first.run.start, first.run.end) = (*start, *end);
    }
    first
}

/// Detection, the first failure beyond ten minutes, and the first good request after the end.
fn turning_points(whole: &Track, first: &Found, detected: i64, now: i64) -> Vec<i64> {
    let run = &first.run;
    let fails = whole.fails_within(run.start, run.end);
    let long = fails
        .iter()
        .map(|fail| fail.at)
        .find(|at| at - run.start > BLIP_MAX);
    let good = whole.first_good(run.end);
    let mut points: Vec<i64> = [Some(detected), long, Some(run.end), good]
        .into_iter()
        .flatten()
        .collect();
    points.retain(|at| *at >= detected && *at <= now);
    points.sort_unstable();
    points.dedup();
    points
}

/// When the last thing that decides the verdict was seen.
pub(crate) fn last_seen(tracks: &Tracks, whole: &Track, story: &Story) -> i64 {
    match &story.pattern {
        Pattern::Recurring(schedule) => schedule.runs.get(2).map_or(tracks.now, |run| run.0),
        Pattern::Single | Pattern::Restart(_) | Pattern::Overload(_) => whole
            .first_good(story.found.run.end)
            .unwrap_or(tracks.now)
            .min(tracks.now),
    }
}
