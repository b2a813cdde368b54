//! When the lines so far sufficed, and what would have been said since: by judging the log again as it was then.

use model::Verdict;

use crate::judge::localise::{Found, Tracks};
use crate::judge::prior::{self, SHARES};
use crate::judge::segment::fail_gain;
use crate::judge::story::{self, Pattern, Story};
use crate::judge::track::Track;
use crate::judge::verdict::{BLIP_MAX, Measure};

/// Failures and good moments that may be read again for one incident. Beyond it the moment is taken from the sums
/// of the incident's own scope: in a log that dense, judging it as it was then says the same to the second.
const REPLAY_MAX: usize = 600_000;

/// Replays that one search needs.
const REPLAYS: usize = 12;

/// The first failure at which a report of the log so far would hold an incident that touches this one.
pub(crate) fn first_detected(tracks: &Tracks, load: &Track, story: &Story, whole: &Track) -> i64 {
    let size = tracks.all.iter().map(Track::len).sum::<usize>() + load.len();
    if size.saturating_mul(REPLAYS) > REPLAY_MAX {
        return crossing(tracks, story, whole);
    }
    let run = &story.found.run;
    let times = times(tracks, story);
    let Some(last) = times.len().checked_sub(1) else {
        return run.end;
    };
    let reported = |index: usize| {
        let Some(at) = times.get(index).copied() else {
            return false;
        };
        let stories = story::tell(&tracks.until(at), &load.until(at));
        let touches = |known: &Found| known.run.start <= at && known.run.end >= run.start;
        stories.iter().any(|known| touches(&known.found))
    };
    // Doubling steps from the start, then halving: most incidents are seen at their second or third failure.
    let (mut unseen, mut seen, mut step) = (0, last, 1);
    while step < last {
        if reported(step) {
            seen = step;
            break;
        }
        unseen = step;
        step *= 2;
    }
    while seen - unseen > 1 {
        let middle = usize::midpoint(unseen, seen);
        if reported(middle) {
            seen = middle
        } else {
            unseen = middle
        }
    }
    times.get(seen).copied().unwrap_or(run.end)
}

/// The failure at which the sums of the scope pass the costs, at any share.
fn crossing(tracks: &Tracks, story: &Story, whole: &Track) -> i64 {
    let run = &story.found.run;
    let monthly = prior::monthly(whole.total(), tracks.seconds());
    let penalties = prior::penalties(whole.prior, monthly, story.baseline);
    let mut sums = penalties.map(|penalty| -penalty);
    let mut before = run.start;
    for fail in whole.fails_within(run.start, run.end) {
        let good = whole.good_between(before, fail.at);
        before = fail.at;
        for ((sum, share), penalty) in sums.iter_mut().zip(SHARES).zip(penalties) {
            let gain = fail_gain(share, story.baseline) * f64::from(fail.count);
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
