//! How well the log knows when a fault began, when it ended and what share failed: every start, end and share whose
//! likelihood is within three nats of the best (`docs/verdicts.md`, section 7). Nothing but more requests makes these
//! narrower.

use crate::judge::track::Track;

/// Nats below the best that are still told: e^3 is odds of twenty to one.
const NATS: f64 = 3.0;

/// Failures from each side that are asked whether they belong to the run; more are never within [`NATS`] in practice.
const ASKED_MAX: usize = 64;

/// Failures from which the share at a side is taken.
const SIDE: usize = 10;

/// Nats of good requests behind which no failure is looked for: a run of its own costs about as many.
const GIVEN_UP: f64 = 12.0;

/// Halvings of the unit interval: finer than a share is printed.
const HALVINGS: usize = 40;

/// The ranges of an incident. Both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// When the first burst may have begun.
    pub start: (i64, i64),
    /// When the last burst may have ended; `None` while it may go on.
    pub end: Option<(i64, i64)>,
    /// Share of requests that failed while it lasted.
    pub share: (f64, f64),
}

/// The ranges of the runs of one scope, against its healthy rate.
pub(crate) fn bounds(
    track: &Track,
    runs: &[(i64, i64)],
    baseline: f64,
    (log_start, now): (i64, i64),
    is_over: bool,
) -> Option<Bounds> {
    let (first, last) = (*runs.first()?, *runs.last()?);
    let counts = |run: &(i64, i64)| {
        let failed = track.failed_within(run.0, run.1) as f64;
        (failed, track.good_between(run.0, run.1))
    };
    let (failed, good) = runs
        .iter()
        .map(counts)
        .fold((0.0, 0.0), |sum, run| (sum.0 + run.0, sum.1 + run.1));
    // What grows or fades away fails less at its sides.
    let weight = |run: (i64, i64), side: (i64, i64)| {
        let share = |part: (i64, i64)| share(counts(&part));
        Weight::new(share(run).min(share(side)), baseline)
    };
    let begin = |run: (i64, i64)| {
        let fails = track.fails_within(run.0, run.1);
        (run.0, fails.get(SIDE).map_or(run.1, |fail| fail.at))
    };
    let finish = |run: (i64, i64)| {
        let fails = track.fails_within(run.0, run.1);
        let index = fails.len().checked_sub(SIDE + 1);
        (index.map_or(run.0, |index| fails[index].at), run.1)
    };
    Some(Bounds {
        start: starts(track, first, weight(first, begin(first)), log_start),
        end: is_over.then(|| ends(track, last, weight(last, finish(last)), now)),
        share: shares(failed, good),
    })
}

fn share((failed, good): (f64, f64)) -> f64 {
    (failed + 0.5) / (failed + good + 1.0)
}

/// What one request inside the run says for it, in nats.
#[derive(Clone, Copy)]
struct Weight {
    /// A failed one, for.
    failed: f64,
    /// A good one, against.
    good: f64,
}

impl Weight {
    fn new(share: f64, baseline: f64) -> Self {
        Self {
            failed: ((1.0 - (1.0 - baseline) * (1.0 - share)) / baseline).ln(),
            good: -(1.0 - share).ln(),
        }
    }

    /// What so many failed and good requests say for the run.
    fn of(self, failed: u32, good: f64) -> f64 {
        f64::from(failed) * self.failed + good * self.good
    }
}

/// Failures one after the other, away from a side of the run: what each step loses in nats, and where it leads.
type Steps = Vec<(f64, i64)>;

fn starts(track: &Track, run: (i64, i64), weight: Weight, log_start: i64) -> (i64, i64) {
    let inner = track.fails_within(run.0, run.1).windows(2);
    let inward = inner.map(|pair| {
        let goods = track.good_between(pair[0].at, pair[1].at - 1);
        (weight.of(pair[0].count, -goods), pair[1].at)
    });
    let outer = track.fails_within(log_start, run.0).windows(2).rev();
    let outward = outer.map(|pair| {
        let goods = track.good_surely_between(pair[0].at, pair[1].at - 1) as f64;
        (-weight.of(pair[0].count, -goods), pair[0].at)
    });
    let (best, latest) = inwards(inward.take(ASKED_MAX).collect(), run.0);
    let (place, left) = outwards(outward.take(ASKED_MAX).collect(), run.0, best);
    let limit = track.fails_within(log_start, place - 1).last();
    let limit = limit.map_or(log_start, |fail| fail.at).min(place);
    let goods_max = left / weight.good;
    let is_possible = |at: i64| track.good_surely_between(at, place - 1) as f64 <= goods_max;
    (least(limit, place, is_possible), latest)
}

/// The mirror of [`starts`].
fn ends(track: &Track, run: (i64, i64), weight: Weight, now: i64) -> (i64, i64) {
    let inner = track.fails_within(run.0, run.1).windows(2).rev();
    let inward = inner.map(|pair| {
        let goods = track.good_between(pair[0].at, pair[1].at - 1);
        (weight.of(pair[1].count, -goods), pair[0].at)
    });
    let outer = track.fails_within(run.1, now).windows(2);
    let outward = outer.map(|pair| {
        let goods = track.good_surely_between(pair[0].at, pair[1].at - 1) as f64;
        (-weight.of(pair[1].count, -goods), pair[1].at)
    });
    let (best, earliest) = inwards(inward.take(ASKED_MAX).collect(), run.1);
    let (place, left) = outwards(outward.take(ASKED_MAX).collect(), run.1, best);
    let limit = track.fails_within(place + 1, now).first();
    let limit = limit.map_or(now, |fail| fail.at).max(place);
    let goods_max = left / weight.good;
    let is_possible = |at: i64| track.good_surely_between(place, -at) as f64 <= goods_max;
    (earliest, -least(-limit, -place, is_possible))
}

/// The best sum, which is 0 where the side lies, and the farthest place inside that is near to it.
fn inwards(steps: Steps, side: i64) -> (f64, i64) {
    let mut sum = 0.0;
    let sums: Steps = (steps.into_iter())
        .map(|(lost, at)| {
            sum += lost;
            (sum, at)
        })
        .collect();
    let best = sums.iter().fold(0.0_f64, |best, (sum, _)| best.min(*sum));
    let near = sums.iter().rev().find(|(sum, _)| *sum <= best + NATS);
    (best, near.map_or(side, |(_, at)| *at))
}

/// The farthest place outside that is near to the best, and the nats that are left there for good requests.
fn outwards(steps: Steps, side: i64, best: f64) -> (i64, f64) {
    let mut sum = 0.0;
    let mut far = (side, (best + NATS).max(0.0));
    for (lost, at) in steps {
        sum += lost;
        // Far better than the side that was found: these failures are another incident's. Far worse: nothing follows.
        if !(-NATS..=GIVEN_UP).contains(&sum) {
            break;
        }
        if sum <= best + NATS {
            far = (at, best + NATS - sum);
        }
    }
    far
}

/// The least number from which on `holds` holds; it holds for `to`.
fn least(mut from: i64, mut to: i64, holds: impl Fn(i64) -> bool) -> i64 {
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    to
}

/// Shares under which these counts are within [`NATS`] of as likely as under the best.
fn shares(failed: f64, good: f64) -> (f64, f64) {
    let all = (failed + good).max(1.0);
    let best = failed / all;
    let part = |count: f64, share: f64| if count > 0.0 { count * share.ln() } else { 0.0 };
    let of = |share: f64| part(failed, share) + part(good, 1.0 - share);
    let is_near = |share: f64| of(best) - of(share) <= NATS;
    let edge = |mut far: f64| {
        let mut near = best;
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(near, far);
            if is_near(middle) {
                near = middle;
            } else {
                far = middle;
            }
        }
        near
    };
    (edge(0.0), edge(1.0))
}

#[cfg(test)]
mod tests {
    use tally::{Key, Obs};

    use super::*;

    const BASELINE: f64 = 0.001;

    fn track(good: impl IntoIterator<Item = i64>, failed: impl IntoIterator<Item = i64>) -> Track {
        let obs = |at, good, failed| Obs {
            at,
            until: at,
            good,
            failed,
            repeats: 0,
        };
        let mut all: Vec<Obs> = good.into_iter().map(|at| obs(at, 1, 0)).collect();
        all.extend(failed.into_iter().map(|at| obs(at, 0, 1)));
        all.sort_by_key(|obs| obs.at);
        Track::new(Key::Site, &all, (0, 10_000))
    }

    #[test]
    fn an_outage_began_after_the_last_good_answer_and_ended_before_the_next() {
        let goods = (0..1_000).step_by(10).chain((2_000..3_000).step_by(10));
        let track = track(goods, (1_003..1_993).step_by(10));
        let bounds = bounds(&track, &[(1_003, 1_983)], BASELINE, (0, 10_000), true);
        let bounds = bounds.expect("one run");
        assert_eq!(bounds.start, (990, 1_003));
        assert_eq!(bounds.end.map(|end| end.1), Some(1_999));
        assert!(
            bounds.share.0 > 0.96 && bounds.share.1 > 0.999_9,
            "{bounds:?}"
        );
    }

    #[test]
    fn where_a_tenth_fails_some_thirty_good_answers_may_lie_within_it() {
        let goods = (0..10_000).filter(|at| at % 100 != 50 || !(3_000..6_000).contains(at));
        let track = track(goods, (3_050..6_000).step_by(10));
        let run = (3_050, 5_990);
        let bounds = bounds(&track, &[run], BASELINE, (0, 10_000), true).expect("one run");
        assert!((3_015..3_035).contains(&bounds.start.0), "{bounds:?}");
        let end = bounds.end.expect("over");
        assert!((6_005..6_030).contains(&end.1), "{bounds:?}");
        assert!(bounds.share.0 > 0.07 && bounds.share.1 < 0.12, "{bounds:?}");
    }

    #[test]
    fn a_first_failure_far_ahead_of_the_others_may_be_no_part_of_it() {
        let goods = (0..200).chain(300..400);
        let track = track(goods, std::iter::once(150).chain(200..300));
        let of = |run| bounds(&track, &[run], BASELINE, (0, 400), true).expect("one run");
        assert_eq!(of((150, 299)).start, (149, 200));
        assert_eq!(of((200, 299)).start.1, 200);
    }

    #[test]
    fn an_ongoing_one_has_no_end_and_the_log_bounds_its_start() {
        let track = track([], 100..200);
        let bounds = bounds(&track, &[(100, 199)], BASELINE, (40, 200), false).expect("one run");
        assert_eq!(bounds.start, (40, 100));
        assert_eq!(bounds.end, None);
    }
}
