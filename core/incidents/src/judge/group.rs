//! Groups of routes: a fault that touches several prefixes fully is not a site that fails in part.

use tally::Key;

use crate::judge::localise::{Explained, Found, Tracks, found};
use crate::judge::prior::{SHARES, THRESHOLD};
use crate::judge::segment::{Left, Run, fail_gain, is_one_run};
use crate::judge::track::Track;

/// Most prefixes named in one group.
const GROUP_MAX: usize = 12;

/// A partial failure above this share has no healthy part worth looking for.
const PARTIAL_MAX: f64 = 0.97;

/// Where a wide claim fails only in part, looks for the prefixes within it that fail fully and takes them instead
/// if that describes the failures in fewer nats.
pub(crate) fn narrow(
    tracks: &Tracks,
    explained: &Explained,
    penalties: &[[f64; 8]],
    wide: Found,
) -> Found {
    let Some(index) = wide.tracks.first().copied() else {
        return wide;
    };
    let key = tracks.all[index].key;
    if !matches!(key, Key::Site | Key::Host(_) | Key::Prefix(_)) || wide.share > PARTIAL_MAX {
        return wide;
    }
    let alone = weight(
        explained.baseline,
        part(tracks, explained, index, &wide.run),
    ) - tracks.all[index].prior;
    // Small parts of a route may fail fully by chance: its whole is tried without them, too.
    let all = ranked(tracks, explained, key, &wide.run);
    let is_outer = |at: &usize| !all.iter().any(|other| holds(tracks, *other, *at));
    let outer: Vec<usize> = all.iter().copied().filter(is_outer).collect();
    let groups = [all, outer].map(|ranked| gathered(tracks, explained, &wide, ranked));
    let [inner, outer] = groups;
    let (value, mut members) = if outer.0 > inner.0 + 1e-9 {
        outer
    } else {
        inner
    };
    if members.is_empty() || value <= alone + 1e-9 {
        return wide;
    }
    members.sort_unstable();
    let members = lifted(tracks, members, &wide.run);
    let Some(run) = shrink(explained, &members, &wide.run) else {
        return wide;
    };
    let cheapest = members
        .iter()
        .map(|member| penalties[*member][7])
        .fold(f64::INFINITY, f64::min);
    let net = value - (cheapest - THRESHOLD).max(0.0) - THRESHOLD;
    found(
        tracks,
        members,
        Run {
            net: net.max(wide.run.net),
            ..run
        },
    )
}

/// Whether one scope lies in another.
fn holds(tracks: &Tracks, outer: usize, inner: usize) -> bool {
    let (a, b) = (tracks.all[outer].key, tracks.all[inner].key);
    outer != inner && tracks.contains(a, b)
}

/// The prefixes, taken in this order, up to where naming one more costs more than it explains; and what they are worth.
fn gathered(
    tracks: &Tracks,
    explained: &Explained,
    wide: &Found,
    ranked: Vec<usize>,
) -> (f64, Vec<usize>) {
    let naming = naming_cost(tracks);
    let mut members: Vec<usize> = Vec::new();
    let mut sum = (0.0, 0.0);
    let mut best = (f64::NEG_INFINITY, 0);
    for candidate in ranked {
        if members.len() == GROUP_MAX {
            break;
        }
        let nested = (members.iter())
            .any(|at| holds(tracks, *at, candidate) || holds(tracks, candidate, *at));
        if nested || !may_join(tracks, explained, &members, candidate, &wide.run) {
            continue;
        }
        let (failed, good) = part(tracks, explained, candidate, &wide.run);
        sum = (sum.0 + failed, sum.1 + good);
        members.push(candidate);
        let value = weight(explained.baseline, sum) - naming * members.len() as f64 - 1.2;
        if value > best.0 + 1e-9 {
            best = (value, members.len());
        }
    }
    members.truncate(best.1);
    (best.0, members)
}

/// Prefixes of one host may belong together however they fail; those of another host only if they fail alike in time
/// and share: hosts are run apart, and may fail one after the other.
fn may_join(
    tracks: &Tracks,
    explained: &Explained,
    members: &[usize],
    candidate: usize,
    run: &Run,
) -> bool {
    let host = |index: usize| tracks.host(tracks.all[index].key);
    let alone = |index: usize| {
        let run = shrink(explained, &[index], run)?;
        Some(found(tracks, vec![index], run))
    };
    members
        .iter()
        .filter(|member| host(**member) != host(candidate))
        .all(|member| match (alone(*member), alone(candidate)) {
            (Some(known), Some(next)) => alike(tracks, &known, &next),
            _ => false,
        })
}

/// Cost of naming one prefix.
fn naming_cost(tracks: &Tracks) -> f64 {
    let count = tracks
        .all
        .iter()
        .filter(|track| matches!(track.key, Key::Prefix(_)))
        .count();
    (count.max(2) as f64).ln()
}

/// Failures that nothing explains yet, and good requests, of a scope within a run.
fn part(tracks: &Tracks, explained: &Explained, index: usize, run: &Run) -> (f64, f64) {
    let failed = unexplained(explained, index, run)
        .map(|fail| f64::from(fail.count))
        .sum();
    (failed, tracks.all[index].good_between(run.start, run.end))
}

fn unexplained<'a>(
    explained: &'a Explained,
    index: usize,
    run: &Run,
) -> impl Iterator<Item = &'a Left> {
    let left = &explained.left[index];
    let first = left.partition_point(|fail| fail.at < run.start);
    let last = left.partition_point(|fail| fail.at <= run.end).max(first);
    left[first..last]
        .iter()
        .filter(|fail| fail.count > 0 && fail.expected == 0.0)
}

/// Gain of a constant share over so many failed and good requests.
fn weight(baseline: f64, (failed, good): (f64, f64)) -> f64 {
    SHARES
        .iter()
        .map(|share| failed * fail_gain(*share, baseline) + good * (1.0 - share).ln())
        .fold(f64::NEG_INFINITY, f64::max)
}

/// Prefixes within `key` that failed in the run: highest share first, in steps of a tenth, then most failures,
/// then the narrower.
fn ranked(tracks: &Tracks, explained: &Explained, key: Key, run: &Run) -> Vec<usize> {
    let mut rows: Vec<(u32, u64, bool, usize)> = Vec::new();
    for (index, track) in tracks.all.iter().enumerate() {
        if !matches!(track.key, Key::Prefix(_))
            || track.key == key
            || !tracks.contains(key, track.key)
        {
            continue;
        }
        let (failed, good) = part(tracks, explained, index, run);
        if failed >= 1.0 {
            let tenths = (10.0 * (failed + 0.5) / (failed + good + 1.0)).round() as u32;
            let nested = matches!(tracks.wider.get(&track.key), Some(Key::Prefix(_)));
            rows.push((tenths, failed as u64, nested, index));
        }
    }
    rows.sort_by(|a, b| (b.0, b.1, b.2).cmp(&(a.0, a.1, a.2)).then(a.3.cmp(&b.3)));
    rows.into_iter().map(|row| row.3).collect()
}

/// The run without what its first and last failures outside the group had added.
fn shrink(explained: &Explained, members: &[usize], run: &Run) -> Option<Run> {
    let inside = members
        .iter()
        .flat_map(|member| unexplained(explained, *member, run));
    let times: Vec<i64> = inside.map(|fail| fail.at).collect();
    let (start, end) = (*times.iter().min()?, *times.iter().max()?);
    let bursts = clipped(&run.bursts, start, end);
    let pieces = clipped(&run.pieces, start, end);
    Some(Run {
        start,
        end,
        bursts,
        pieces,
        net: run.net,
    })
}

fn clipped(spans: &[(i64, i64)], start: i64, end: i64) -> Vec<(i64, i64)> {
    spans
        .iter()
        .map(|(a, b)| ((*a).max(start), (*b).min(end)))
        .filter(|(a, b)| a <= b)
        .collect()
}

/// Joins incidents of one scope that are one run, and routes that start, end and fail alike into one group.
pub(crate) fn join(tracks: &Tracks, found: Vec<Found>) -> Vec<Found> {
    let mut joined: Vec<Found> = Vec::new();
    let mut queue = found;
    queue.sort_by(|a, b| (a.run.start, &a.tracks).cmp(&(b.run.start, &b.tracks)));
    for next in queue {
        let place = joined.iter().position(|known| {
            (known.tracks == next.tracks && same_run(tracks, known, &next))
                || (are_routes(tracks, known)
                    && are_routes(tracks, &next)
                    && alike(tracks, known, &next))
        });
        match place {
            Some(index) => joined[index] = merged(tracks, &joined[index], &next),
            None => joined.push(next),
        }
    }
    joined
}

fn same_run(tracks: &Tracks, known: &Found, next: &Found) -> bool {
    next.run.start <= known.run.end
        || known
            .tracks
            .first()
            .is_some_and(|index| is_one_run(&tracks.all[*index], known.run.end, next.run.start))
}

fn are_routes(tracks: &Tracks, found: &Found) -> bool {
    found
        .tracks
        .iter()
        .all(|index| matches!(tracks.all[*index].key, Key::Prefix(_)))
}

fn alike(tracks: &Tracks, a: &Found, b: &Found) -> bool {
    let (Some(first), Some(second)) = (whole(tracks, a), whole(tracks, b)) else {
        return false;
    };
    let ratio = a.share / b.share;
    (0.6..=1.67).contains(&ratio)
        && touch(bracket_of_start(&first, a), bracket_of_start(&second, b))
        && touch(
            bracket_of_end(&first, a, tracks.now),
            bracket_of_end(&second, b, tracks.now),
        )
}

pub(crate) fn whole(tracks: &Tracks, found: &Found) -> Option<Track> {
    let parts: Vec<&Track> = found
        .tracks
        .iter()
        .map(|index| &tracks.all[*index])
        .collect();
    Track::group(&parts)
}

/// Seconds between failures within a run, and so how far a boundary may lie from the failure seen next to it.
fn slack(track: &Track, found: &Found) -> i64 {
    let failed = track.failed_within(found.run.start, found.run.end).max(1) as f64;
    (2.0 * (found.run.end - found.run.start) as f64 / failed) as i64 + 1
}

/// Clocks of two edge nodes may differ; brackets of one fault in two routes need not meet to the second.
const CLOCKS: i64 = 60;

fn bracket_of_start(track: &Track, found: &Found) -> (i64, i64) {
    let start = found.run.start;
    let last_good = track.last_good(start).unwrap_or(i64::MIN);
    let seen = start - slack(track, found);
    let seen = if found.share > 0.9 {
        last_good.min(seen)
    } else {
        seen
    };
    (seen.max(start - 86_400) - CLOCKS, start)
}

fn bracket_of_end(track: &Track, found: &Found, now: i64) -> (i64, i64) {
    let end = found.run.end;
    let first_good = track.first_good(end).unwrap_or(now);
    let seen = end + slack(track, found);
    let seen = if found.share > 0.9 {
        first_good.max(seen)
    } else {
        seen
    };
    (end, seen.min(end + 86_400) + CLOCKS)
}

fn touch(a: (i64, i64), b: (i64, i64)) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

fn merged(tracks: &Tracks, a: &Found, b: &Found) -> Found {
    let mut members: Vec<usize> = a.tracks.iter().chain(&b.tracks).copied().collect();
    members.sort_unstable();
    members.dedup();
    let wider: Vec<usize> = members.clone();
    members.retain(|inner| {
        !wider.iter().any(|outer| {
            outer != inner && tracks.contains(tracks.all[*outer].key, tracks.all[*inner].key)
        })
    });
    let mut bursts: Vec<(i64, i64)> = a.run.bursts.iter().chain(&b.run.bursts).copied().collect();
    bursts.sort_unstable();
    let run = Run {
        start: a.run.start.min(b.run.start),
        end: a.run.end.max(b.run.end),
        pieces: bursts.clone(),
        bursts,
        net: a.run.net + b.run.net,
    };
    found(tracks, lifted(tracks, members, &run), run)
}

/// Where the group holds all of a wider prefix, names that one instead.
fn lifted(tracks: &Tracks, mut members: Vec<usize>, run: &Run) -> Vec<usize> {
    let count = |index: usize| {
        let track = &tracks.all[index];
        (
            track.failed_within(run.start, run.end) as f64,
            track.good_between(run.start, run.end),
        )
    };
    for parent in 0..tracks.all.len() {
        let key = tracks.all[parent].key;
        let inner: Vec<usize> = members
            .iter()
            .copied()
            .filter(|member| *member != parent && tracks.contains(key, tracks.all[*member].key))
            .collect();
        if !matches!(key, Key::Prefix(_)) || inner.len() < 2 {
            continue;
        }
        let sum = inner
            .iter()
            .map(|member| count(*member))
            .fold((0.0, 0.0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
        let all = count(parent);
        if sum.0 >= LIFTED * all.0 && sum.0 + sum.1 >= LIFTED * (all.0 + all.1) {
            members.retain(|member| !inner.contains(member));
            members.push(parent);
        }
    }
    members.sort_unstable();
    members
}

/// Share of a wider prefix that its named parts must hold to stand for it.
const LIFTED: f64 = 0.97;
