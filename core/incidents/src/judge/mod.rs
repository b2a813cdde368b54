//! The first judge. Takes a sheet of observations, gives incidents: which scope, since when, over or not, under which
//! verdict and with what chance of being right. Pure: the same sheet gives the same answer.
//!
//! Each fetch is a trial; a failed one speaks for a fault by log((1-(1-p)(1-q))/p), a good one against it by
//! log(1-q). `segment` cuts each scope's history exactly by those sums, `localise` chooses scopes by description
//! length, and `overload`, `recurring` and `restart` look whether several of the runs found are one story. `prior`
//! holds the costs and the threshold, `baseline` what healthy means. The methods are those of `docs/verdicts.md`,
//! section 7; windows and error budgets are not used, since small sites have two failures and no more.

mod baseline;
mod bounds;
mod group;
mod localise;
mod onset;
mod overload;
mod prior;
mod recurring;
mod restart;
mod segment;
mod story;
mod track;
mod verdict;
mod wording;

use std::collections::BTreeSet;

use model::Verdict;
use tally::{Key, Obs};

pub use crate::judge::bounds::Bounds;
use crate::judge::localise::{Explained, Tracks};
use crate::judge::story::Story;
use crate::judge::track::Track;
use crate::sheet::Sheet;

/// An incident as the judge knows it: by keys and numbers, without names.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The scope; several prefixes for a group of routes.
    pub keys: Vec<Key>,
    /// First failure.
    pub start: i64,
    /// Last failure.
    pub last_failure: i64,
    /// Last failure too, once enough good requests have followed; `None` while it may go on.
    pub end: Option<i64>,
    /// Every start, end and share that the log leaves possible.
    pub bounds: Bounds,
    /// Runs of failures, first and last second each.
    pub runs: Vec<(i64, i64)>,
    /// The verdict.
    pub verdict: Verdict,
    /// Chance that the incident is real and the verdict right.
    pub probability: f64,
    /// The same for every verdict that is possible, this one among them.
    pub chances: Vec<(Verdict, f64)>,
    /// The moment at which the lines so far sufficed to report it, under any verdict.
    pub first_detected: i64,
    /// What would have been said when; the last entry is the verdict above.
    pub history: Vec<(i64, Verdict, f64)>,
    /// Failed observations of the scope from start to last failure, repeats left out.
    pub failed: u64,
    /// All observations of the scope in that time.
    pub total: u64,
    /// Why this verdict and this scope; `{scope}` stands where the scope's name belongs.
    pub why: String,
    /// What would change verdict or end.
    pub would_change: String,
}

/// An incident of which it is known when it was first reported.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reported {
    pub(crate) keys: Vec<Key>,
    pub(crate) start: i64,
    pub(crate) last_failure: i64,
    pub(crate) first_detected: i64,
}

/// What is not yet an incident, but near to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suspected {
    pub(crate) key: Key,
    pub(crate) since: i64,
    pub(crate) failed: u64,
}

/// Judges all incidents of a sheet, in order of their start.
pub fn judge(sheet: Sheet) -> Vec<Judged> {
    let (tracks, load) = tracks(sheet);
    let explained = localise::explain(&tracks);
    all(&tracks, &load, explained, &[])
}

fn all(tracks: &Tracks, load: &Track, explained: Explained, reported: &[Reported]) -> Vec<Judged> {
    let stories = story::of(tracks, load, explained);
    let judged = stories.iter().filter_map(|story| {
        let doubt = doubt(tracks, &stories, story);
        judged(tracks, load, story, doubt, reported)
    });
    judged.collect()
}

/// The same where some are known from before: when those were first reported needs no search. And the suspicion that
/// comes nearest to an incident.
pub(crate) fn look(sheet: Sheet, reported: &[Reported]) -> (Vec<Judged>, Option<Suspected>) {
    let (tracks, load) = tracks(sheet);
    let explained = localise::explain(&tracks);
    let suspicion = localise::suspicion(&tracks, &explained);
    let suspected = suspicion.and_then(|found| {
        let track = &tracks.all[*found.tracks.first()?];
        Some(Suspected {
            key: track.key,
            since: found.run.start,
            failed: track.failed_within(found.run.start, found.run.end),
        })
    });
    (all(&tracks, &load, explained, reported), suspected)
}

/// Chance that a story is not another one's shadow: a greater incident of the same time and of requests that may be
/// the same ones may leave failures over that nothing else broke. Calibrated on the logs of `cargo xtask judge`.
const NO_SHADOW: f64 = 0.6;

fn doubt(tracks: &Tracks, stories: &[Story], story: &Story) -> f64 {
    let run = &story.found.run;
    let is_shadow = stories.iter().any(|other| {
        let of = &other.found.run;
        let common = run.end.min(of.end) - run.start.max(of.start);
        of.net > run.net
            && 2 * common >= run.end - run.start
            && common >= 0
            && !are_apart(tracks, story, other)
    });
    if is_shadow { NO_SHADOW } else { 1.0 }
}

/// Whether two scopes are routes or hosts of which neither lies in the other, or two upstreams, or two crawlers.
fn are_apart(tracks: &Tracks, a: &Story, b: &Story) -> bool {
    let keys = |story: &Story| -> Vec<Key> {
        let indexes = story.found.tracks.iter();
        indexes.map(|index| tracks.all[*index].key).collect()
    };
    let is_path = |key: &Key| {
        matches!(
            key,
            Key::Prefix(_) | Key::Url(_) | Key::Host(_) | Key::Robots
        )
    };
    let (a, b) = (keys(a), keys(b));
    let apart = |one: &Key, other: &Key| match (one, other) {
        (Key::Upstream(a), Key::Upstream(b)) => a != b,
        (Key::Crawler(a), Key::Crawler(b)) => a != b,
        _ => {
            is_path(one)
                && is_path(other)
                && !tracks.contains(*one, *other)
                && !tracks.contains(*other, *one)
        }
    };
    a.iter().all(|one| b.iter().all(|other| apart(one, other)))
}

fn judged(
    tracks: &Tracks,
    load: &Track,
    story: &Story,
    doubt: f64,
    reported: &[Reported],
) -> Option<Judged> {
    let whole = group::whole(tracks, &story.found)?;
    let measure = story.measure(tracks, &whole);
    let (verdict, chance) = story.verdict(&measure);
    let probability = story.sure(chance) * doubt;
    let first_detected = known_from_before(tracks, story, reported)
        .unwrap_or_else(|| onset::first_detected(tracks, load, story, &whole));
    let chances = (story.chances(&measure).into_iter())
        .map(|(verdict, chance)| (verdict, story.sure(chance) * doubt))
        .collect();
    let runs = story.runs();
    let span = (tracks.start, tracks.now);
    let bounds = bounds::bounds(&whole, &runs, story.baseline, span, measure.over)?;
    let mut history = onset::history(tracks, story, &whole, first_detected);
    if history.last().is_none_or(|last| last.1 != verdict) {
        let at = onset::last_seen(tracks, &whole, story).max(first_detected);
        history.retain(|entry| entry.0 < at);
        history.push((at, verdict, probability));
    }
    Some(Judged {
        keys: story
            .found
            .tracks
            .iter()
            .map(|index| tracks.all[*index].key)
            .collect(),
        start: story.found.run.start,
        last_failure: story.found.run.end,
        end: measure.over.then_some(story.found.run.end),
        bounds,
        runs,
        verdict,
        probability,
        chances,
        first_detected,
        history,
        failed: measure.failed as u64,
        total: (measure.failed + measure.good).round() as u64,
        why: wording::why(tracks, story, &measure, verdict),
        would_change: wording::change(story, &measure, verdict),
    })
}

/// When the earliest of those reported that this one continues was first reported.
fn known_from_before(tracks: &Tracks, story: &Story, reported: &[Reported]) -> Option<i64> {
    let run = &story.found.run;
    let keys = story
        .found
        .tracks
        .iter()
        .map(|index| tracks.all[*index].key);
    let keys: Vec<Key> = keys.collect();
    let continues = |known: &&Reported| {
        known.start <= run.end
            && known.last_failure >= run.start
            && known.keys.iter().any(|a| {
                keys.iter()
                    .any(|b| tracks.contains(*a, *b) || tracks.contains(*b, *a))
            })
    };
    let known = reported.iter().filter(continues);
    known.map(|known| known.first_detected).min()
}

/// Folds the sheet, scope by scope, and the load. Scopes that cannot be told from the whole site are left out.
fn tracks(sheet: Sheet) -> (Tracks, Track) {
    let now = sheet.now.clamp(0, STAMP_MAX);
    let start = sheet.start.clamp(0, now);
    let requests = sheet.series.get(&Key::Site).map_or(0, |all| total(all));
    let single = single_urls(&sheet);
    let keys: Vec<Key> = sheet.series.keys().copied().collect();
    let load = Track::new(Key::Site, &sheet.load, (start, now));
    let mut all = Vec::new();
    for (key, observations) in sheet.series {
        let own = total(&observations);
        let is_only_one = own as f64 > ONLY_ONE * requests as f64;
        if key == Key::OtherClients
            || is_only_one && matches!(key, Key::Host(_) | Key::Upstream(_))
            || single.contains(&key)
        {
            continue;
        }
        let mut track = Track::new(key, &observations, (start, now));
        track.prior += prior::candidates(key, own, requests, &keys);
        all.push(track);
    }
    let gaps = sheet.gaps.iter();
    let lost = gaps
        .map(|gap| gap.1.min(now).saturating_sub(gap.0.max(start)).max(0))
        .fold(0, i64::saturating_add);
    let tracks = Tracks {
        all,
        wider: sheet.wider,
        grains: sheet.grains,
        start,
        now,
        lost,
    };
    (tracks, load)
}

/// Prefixes that hold one URL and no more: that is what they are called then.
fn single_urls(sheet: &Sheet) -> BTreeSet<Key> {
    let urls = (sheet.series.iter()).filter(|(key, _)| matches!(key, Key::Url(_)));
    let single = urls.filter_map(|(url, observations)| {
        let prefix = (sheet.wider.get(url)).filter(|key| matches!(key, Key::Prefix(_)))?;
        let all = total(sheet.series.get(prefix)?);
        (total(observations) as f64 >= ONLY_ONE * all as f64).then_some(*prefix)
    });
    single.collect()
}

/// Year 10000: no log has a later stamp, and sums of such seconds cannot overflow.
const STAMP_MAX: i64 = 253_402_300_800;

/// A host or upstream with this share of the requests is no narrower scope than the site.
const ONLY_ONE: f64 = 0.98;

fn total(observations: &[Obs]) -> u64 {
    observations
        .iter()
        .map(|obs| u64::from(obs.good) + u64::from(obs.failed))
        .sum()
}
