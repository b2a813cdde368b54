//! Upstreams that drop out in turn and come back.

use tally::Key;

use crate::judge::localise::{Explained, Found, Tracks, found};
use crate::judge::prior::SHARES;
use crate::judge::segment::{RUN_GAP, Run, fail_gain};
use crate::judge::track::Track;

/// The whole takes at most this (`docs/verdicts.md`, section 3).
const RESTART_MAX: i64 = 70 * 60;

/// Each upstream is out for at most this.
const OUT_MAX: i64 = 10 * 60;

/// Cost of claiming one more upstream.
const PER_UPSTREAM: f64 = 2.0;

/// An upstream that is out fails nearly always; a little less, for the seconds of its going and coming.
const OUT_SHARE: f64 = 0.85;

/// Failures of this part of the strongest upstream's evidence are the background of a busy one.
const FAINT: f64 = 0.15;

/// Nats above which no background stands, however much stronger another upstream speaks: four failures in a row.
const OWN: f64 = 30.0;

/// Attempts that failed on one upstream during a restart.
#[derive(Clone, Copy, Debug)]
struct Out {
    index: usize,
    start: i64,
    end: i64,
    failed: f64,
    gain: f64,
}

/// Looks for incidents that a rolling restart explains better; gives each with the incidents it replaces and the
/// number of upstreams that dropped out.
pub(crate) fn restarts(tracks: &Tracks, explained: &Explained) -> Vec<(Found, usize, Vec<usize>)> {
    let Some(site) = tracks.index(Key::Site) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let mut used: Vec<usize> = Vec::new();
    for (index, known) in explained.found.iter().enumerate() {
        if used.contains(&index) || !may_be_part(tracks, known) {
            continue;
        }
        let Some(outs) = in_turn(tracks, explained, known.run.start, known.run.end) else {
            continue;
        };
        if is_narrow_fault(tracks, explained, known, &outs) {
            continue;
        }
        let (Some(start), Some(end)) = (
            outs.iter().map(|out| out.start).min(),
            outs.iter().map(|out| out.end).max(),
        ) else {
            continue;
        };
        let replaced: Vec<usize> = (0..explained.found.len())
            .filter(|other| {
                let other = &explained.found[*other];
                may_be_part(tracks, other)
                    && other.run.start >= start - OUT_MAX
                    && other.run.end <= end + OUT_MAX
            })
            .collect();
        if !replaced.contains(&index) {
            continue;
        }
        used.extend(&replaced);
        let net = replaced
            .iter()
            .map(|other| explained.found[*other].run.net)
            .sum();
        let mut bursts: Vec<(i64, i64)> = outs.iter().map(|out| (out.start, out.end)).collect();
        bursts.sort_unstable();
        all.push((
            found(
                tracks,
                vec![site],
                Run {
                    start,
                    end,
                    pieces: bursts.clone(),
                    bursts,
                    net,
                },
            ),
            outs.len(),
            replaced,
        ));
    }
    all
}

fn may_be_part(tracks: &Tracks, known: &Found) -> bool {
    known.run.end - known.run.start <= RESTART_MAX
        && known
            .tracks
            .iter()
            .all(|index| !matches!(tracks.all[*index].key, Key::Robots | Key::Url(_)))
}

/// Whether a route or crawler explains its failures better than the upstreams do.
fn is_narrow_fault(tracks: &Tracks, explained: &Explained, known: &Found, outs: &[Out]) -> bool {
    let (mut failed, mut good) = (0.0, 0.0);
    for index in &known.tracks {
        let track = &tracks.all[*index];
        if matches!(track.key, Key::Site | Key::Upstream(_)) {
            return false;
        }
        failed += track.failed_within(known.run.start, known.run.end) as f64;
        good += track.good_between(known.run.start, known.run.end);
    }
    gain(failed, good, explained.baseline) > separate(outs)
}

fn separate(outs: &[Out]) -> f64 {
    outs.iter().map(|out| out.gain - PER_UPSTREAM).sum()
}

/// The upstreams that were out around this time, if they were so one after the other.
fn in_turn(tracks: &Tracks, explained: &Explained, start: i64, end: i64) -> Option<Vec<Out>> {
    let (mut from, mut to) = (start, end);
    let mut outs = outs(tracks, explained, from, to);
    // The neighbours' failures may lie before and after what was found: widen until nothing is added.
    for _ in 0..8 {
        let wider = self::outs(tracks, explained, from - RUN_GAP / 2, to + RUN_GAP / 2);
        let low = wider.iter().map(|out| out.start).min()?;
        let high = wider.iter().map(|out| out.end).max()?;
        let grown = (from.min(low), to.max(high));
        let settled = grown == (from, to);
        (from, to) = grown;
        outs = wider;
        if settled {
            break;
        }
    }
    let failed: f64 = outs.iter().map(|out| out.failed).sum();
    if to - from > RESTART_MAX
        || outs.len() < 2
        || failed < 3.0
        || outs.iter().any(|out| out.end - out.start > OUT_MAX)
    {
        return None;
    }
    let came_back = outs
        .iter()
        .filter(|out| tracks.all[out.index].good_between(out.end, tracks.now) >= 1.0)
        .count();
    let apart = outs
        .windows(2)
        .filter(|pair| pair[1].start > pair[0].end - (pair[0].end - pair[0].start) / 3)
        .count();
    let together = together(tracks, explained, &outs, from, to);
    (came_back + 1 >= outs.len()
        && came_back >= 1
        && apart + 1 == outs.len()
        && separate(&outs) > together)
        .then_some(outs)
}

fn outs(tracks: &Tracks, explained: &Explained, from: i64, to: i64) -> Vec<Out> {
    let mut outs = Vec::new();
    for (index, track) in tracks.all.iter().enumerate() {
        if !matches!(track.key, Key::Upstream(_)) {
            continue;
        }
        outs.extend(strongest(track, index, from, to, explained.baseline));
    }
    let most = outs.iter().map(|out| out.gain).fold(0.0, f64::max);
    outs.retain(|out| out.gain >= (most * FAINT).min(OWN));
    outs.sort_by_key(|out| (out.start, out.end, out.index));
    outs
}

/// The stretch of one upstream's attempts that speaks most for its being out.
fn strongest(track: &Track, index: usize, from: i64, to: i64, baseline: f64) -> Option<Out> {
    let hit = fail_gain(OUT_SHARE, baseline);
    let miss = (1.0 - OUT_SHARE).ln();
    let mut best: Option<Out> = None;
    let mut open: Option<Out> = None;
    for fail in track.fails_within(from, to) {
        let failed = f64::from(fail.count);
        let next = open
            .map(|out| Out {
                end: fail.at,
                failed: out.failed + failed,
                gain: out.gain + track.good_between(out.end, fail.at) * miss + failed * hit,
                ..out
            })
            .filter(|out| out.gain > failed * hit)
            .unwrap_or(Out {
                index,
                start: fail.at,
                end: fail.at,
                failed,
                gain: failed * hit,
            });
        if best.is_none_or(|best| next.gain > best.gain) {
            best = Some(next);
        }
        open = Some(next);
    }
    best
}

/// What a fault of all upstreams at once would gain over the same time.
fn together(tracks: &Tracks, explained: &Explained, outs: &[Out], from: i64, to: i64) -> f64 {
    let failed: f64 = outs.iter().map(|out| out.failed).sum();
    let upstreams = tracks
        .all
        .iter()
        .filter(|track| matches!(track.key, Key::Upstream(_)));
    let good: f64 = upstreams.map(|track| track.good_between(from, to)).sum();
    gain(failed, good, explained.baseline)
}

fn gain(failed: f64, good: f64, baseline: f64) -> f64 {
    SHARES
        .iter()
        .map(|share| failed * fail_gain(*share, baseline) + good * (1.0 - share).ln())
        .fold(f64::NEG_INFINITY, f64::max)
}
