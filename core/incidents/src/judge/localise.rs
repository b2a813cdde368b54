//! Which scope: the shortest description of all failures. Takes the claim that gains most, marks what it explains,
//! and repeats.

use std::collections::BTreeMap;
use std::ops::Range;

use tally::{Grain, Key};

use crate::judge::baseline;
use crate::judge::group;
use crate::judge::prior::{self, STRONG_FROM};
use crate::judge::segment::{Claims, Costs, Left, Run};
use crate::judge::track::{Fail, Track};
use crate::judge::verdict::Measure;

/// Most incidents claimed in one log. Beyond it the log holds no further story worth telling.
const FOUND_MAX: usize = 64;

/// Rounds of learning the baseline without the incidents found with the last one.
const ROUNDS: usize = 3;

/// A change of the site's rate that changes no incident.
const SETTLED: f64 = 0.02;

/// All scopes of a log at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Tracks {
    pub(crate) all: Vec<Track>,
    pub(crate) wider: BTreeMap<Key, Key>,
    pub(crate) grains: Vec<Grain>,
    /// First second, and the clock.
    pub(crate) start: i64,
    pub(crate) now: i64,
    /// Seconds without lines.
    pub(crate) lost: i64,
}

impl Tracks {
    pub(crate) fn seconds(&self) -> i64 {
        (self.now - self.start - self.lost).max(1)
    }

    pub(crate) fn index(&self, key: Key) -> Option<usize> {
        self.all.iter().position(|track| track.key == key)
    }

    pub(crate) fn site(&self) -> Option<&Track> {
        self.all.iter().find(|track| track.key == Key::Site)
    }

    /// Whether every request of `inner` is one of `outer`. Attempts count as the site's.
    pub(crate) fn contains(&self, outer: Key, inner: Key) -> bool {
        if outer == inner || outer == Key::Site {
            return true;
        }
        if outer == Key::AllCrawlers {
            return matches!(inner, Key::Crawler(_));
        }
        let mut at = inner;
        // Two prefixes and a host: more steps cannot be needed.
        for _ in 0..4 {
            match self.wider.get(&at) {
                Some(next) if *next == outer => return true,
                Some(next) => at = *next,
                None => return false,
            }
        }
        false
    }

    /// The host that a prefix lies on.
    pub(crate) fn host(&self, key: Key) -> Option<Key> {
        let mut at = key;
        // Two prefixes and a host: more steps cannot be needed.
        for _ in 0..4 {
            if matches!(at, Key::Host(_)) {
                return Some(at);
            }
            at = *self.wider.get(&at)?;
        }
        None
    }

    /// First and last second of the moment that a failure was counted in.
    pub(crate) fn moment(&self, at: i64) -> (i64, i64) {
        let next = self.grains.partition_point(|grain| grain.start <= at);
        let grain = next.checked_sub(1).and_then(|last| self.grains.get(last));
        grain
            .filter(|grain| at <= grain.end)
            .map_or((at, at), |grain| {
                let first = at - at.rem_euclid(grain.seconds);
                (first, first + grain.seconds - 1)
            })
    }

    /// The whole moments that hold this time.
    fn moments(&self, start: i64, end: i64) -> (i64, i64) {
        (self.moment(start).0, self.moment(end).1)
    }

    /// The same log as seen at `now`.
    pub(crate) fn until(&self, now: i64) -> Self {
        Self {
            all: self.all.iter().map(|track| track.until(now)).collect(),
            wider: self.wider.clone(),
            grains: self.grains.clone(),
            start: self.start,
            now,
            lost: self.lost.min((now - self.start).max(0)),
        }
    }
}

/// A claim: these scopes failed in these bursts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    /// Indexes into the tracks; several for a group of routes.
    pub(crate) tracks: Vec<usize>,
    pub(crate) run: Run,
    /// Share that fails between start and end.
    pub(crate) share: f64,
}

/// What is known once a log is explained.
#[derive(Clone, Debug)]
pub(crate) struct Explained {
    pub(crate) found: Vec<Found>,
    /// Per track, what is left of its failures.
    pub(crate) left: Vec<Vec<Left>>,
    /// The site's healthy rate, and each track's own.
    pub(crate) baseline: f64,
    pub(crate) own: Vec<f64>,
}

/// Explains a log: learns the baseline, looks for faults, learns again without them.
pub(crate) fn explain(tracks: &Tracks) -> Explained {
    let mut rates = first_rates(tracks);
    let mut round = 1;
    loop {
        let search = Search::new(tracks, &rates);
        let again = search.clone();
        let plain = search.plain();
        let next = learn(tracks, &plain.found);
        if round == ROUNDS || (next.0 / rates.0 - 1.0).abs() < SETTLED {
            return shorter(plain, again);
        }
        rates = next;
        round += 1;
    }
}

/// Rates before any incident is known.
fn first_rates(tracks: &Tracks) -> (f64, Vec<f64>) {
    let site = tracks.site().map_or_else(
        || baseline::site(0.0, 0.0),
        |site| site.rate_until(tracks.now),
    );
    (site, vec![site; tracks.all.len()])
}

/// Rates of the quiet part: each track without the incidents that touch it.
fn learn(tracks: &Tracks, found: &[Found]) -> (f64, Vec<f64>) {
    let quiet: Vec<(f64, f64)> = (0..tracks.all.len())
        .map(|index| quiet(tracks, found, index))
        .collect();
    let site = tracks
        .index(Key::Site)
        .map_or((0.0, 0.0), |index| quiet[index]);
    let site = baseline::site(site.0, site.1);
    let own = (0..tracks.all.len())
        .map(|index| own_rate(tracks, &quiet, index, site))
        .collect();
    (site, own)
}

/// A scope's rate, shrunk towards that of the next wider one.
fn own_rate(tracks: &Tracks, quiet: &[(f64, f64)], index: usize, site: f64) -> f64 {
    let mut chain = vec![index];
    while let Some(next) = chain
        .last()
        .and_then(|last| tracks.wider.get(&tracks.all[*last].key))
        .and_then(|key| tracks.index(*key))
        .filter(|next| !chain.contains(next))
    {
        chain.push(next);
    }
    chain.iter().rev().fold(site, |rate, at| {
        baseline::narrow(quiet[*at].0, quiet[*at].1, rate)
    })
}

/// Failed and all observations of a track outside the incidents. An incident in a scope beside this one takes its
/// failures along, second by second, and leaves the good ones.
fn quiet(tracks: &Tracks, found: &[Found], index: usize) -> (f64, f64) {
    let track = &tracks.all[index];
    let mut out: Vec<(i64, i64)> = Vec::new();
    let mut left: Vec<u32> = track.fails.iter().map(|fail| fail.count).collect();
    for incident in found {
        let (start, end) = (incident.run.start, incident.run.end);
        if incident
            .tracks
            .iter()
            .any(|at| tracks.contains(tracks.all[*at].key, track.key))
        {
            out.push((start, end));
        } else {
            for at in &incident.tracks {
                leave(tracks, track, &tracks.all[*at], (start, end), &mut left);
            }
        }
    }
    out.sort_unstable();
    let mut good = track.total_good() as f64;
    let mut reached = i64::MIN;
    for (start, end) in out {
        let start = start.max(reached.saturating_add(1));
        if start <= end {
            good -= track.good_between(start, end);
            left[track.places_within(start, end)].fill(0);
            reached = end;
        }
    }
    let failed: f64 = left.iter().map(|count| f64::from(*count)).sum();
    (failed, (good + failed).max(0.0))
}

/// Takes failures of the same moment in both tracks away: they are taken to be the same requests.
fn leave(
    tracks: &Tracks,
    track: &Track,
    other: &Track,
    (start, end): (i64, i64),
    left: &mut [u32],
) {
    let (start, end) = tracks.moments(start, end);
    let mut common = Common::new(tracks, other.fails_within(start, end));
    for place in track.places_within(start, end) {
        left[place] -= common.with(track.fails[place].at, left[place]);
    }
}

/// Pairs failures of one scope with those of another, moment by moment.
struct Common<'a> {
    tracks: &'a Tracks,
    theirs: std::iter::Peekable<std::slice::Iter<'a, Fail>>,
    /// The moment at hand, and how many of theirs are not yet paired.
    moment: (i64, i64),
    unpaired: u32,
}

impl<'a> Common<'a> {
    fn new(tracks: &'a Tracks, theirs: &'a [Fail]) -> Self {
        Self {
            tracks,
            theirs: theirs.iter().peekable(),
            moment: (i64::MIN, i64::MIN),
            unpaired: 0,
        }
    }

    /// How many of `count` failures at `at` the other scope has too. Times must not fall.
    fn with(&mut self, at: i64, count: u32) -> u32 {
        if at > self.moment.1 {
            self.moment = self.tracks.moment(at);
            self.unpaired = 0;
        }
        let (first, last) = self.moment;
        while let Some(their) = self.theirs.next_if(|their| their.at <= last) {
            if their.at >= first {
                self.unpaired = self.unpaired.saturating_add(their.count);
            }
        }
        let paired = count.min(self.unpaired);
        self.unpaired -= paired;
        paired
    }
}

/// Two greedy orders, and of them the shorter description: all shares at once, and strong faults first. The
/// second keeps one long weak claim from swallowing three strong ones.
fn shorter(plain: Explained, search: Search<'_>) -> Explained {
    if plain.found.is_empty() {
        return plain;
    }
    let strong = search.strong_first();
    if total(&strong) > total(&plain) + 1e-9 {
        strong
    } else {
        plain
    }
}

/// Nats by which a suspicion may miss what an incident must gain (`docs/verdicts.md`, section 5).
const SUSPECTED: f64 = 3.0;

/// Only what failed within this long, in seconds, is suspected: what is older had its time.
const SUSPECTED_FOR: i64 = 86_400;

/// What comes nearest to an incident among the failures that are left, and is not over.
pub(crate) fn suspicion(tracks: &Tracks, explained: &Explained) -> Option<Found> {
    let seconds = tracks.seconds();
    let mut best: Option<Found> = None;
    for (index, track) in tracks.all.iter().enumerate() {
        let left = &explained.left[index];
        let recent = left.partition_point(|fail| fail.at < tracks.now - SUSPECTED_FOR);
        let monthly = prior::monthly(track.total(), seconds);
        let penalties = prior::penalties(track.prior, monthly, explained.baseline);
        let penalties = penalties.map(|penalty| penalty - SUSPECTED);
        let costs = Costs::new(explained.baseline, explained.own[index], penalties, 0);
        let left = &left[recent..];
        for run in Claims::new(track, left, costs).runs() {
            let found = found(tracks, vec![index], run.clone());
            let is_best = (best.as_ref()).is_none_or(|known| run.net > known.run.net + 1e-9);
            if is_best && !Measure::new(track, &found, tracks.start, tracks.now).over {
                best = Some(found);
            }
        }
    }
    best
}

fn total(explained: &Explained) -> f64 {
    explained.found.iter().map(|found| found.run.net).sum()
}

#[derive(Clone)]
struct Search<'a> {
    tracks: &'a Tracks,
    penalties: Vec<[f64; 8]>,
    explained: Explained,
    /// Per track, the runs it would claim now.
    claims: Vec<Claims>,
}

impl<'a> Search<'a> {
    fn new(tracks: &'a Tracks, (baseline, own): &(f64, Vec<f64>)) -> Self {
        let seconds = tracks.seconds();
        let penalties = tracks
            .all
            .iter()
            .map(|track| {
                prior::penalties(
                    track.prior,
                    prior::monthly(track.total(), seconds),
                    *baseline,
                )
            })
            .collect();
        let left = tracks
            .all
            .iter()
            .map(|track| {
                let whole = track.fails.iter();
                whole
                    .map(|fail| Left {
                        at: fail.at,
                        count: fail.count,
                        expected: 0.0,
                        seen: fail.seen,
                    })
                    .collect()
            })
            .collect();
        let explained = Explained {
            found: Vec::new(),
            left,
            baseline: *baseline,
            own: own.clone(),
        };
        let mut search = Self {
            tracks,
            penalties,
            explained,
            claims: Vec::new(),
        };
        search.claims = search.claims(0);
        search
    }

    /// Accepts the best claim until none is left; gives the tracks and those of their failures that it touched.
    fn accept_all(&mut self, claims: &mut [Claims]) -> Vec<(usize, Range<usize>)> {
        let mut all = Vec::new();
        while self.explained.found.len() < FOUND_MAX {
            let Some(found) = self.best(claims) else {
                break;
            };
            let touched = self.accept(found);
            self.renew(claims, &touched);
            all.extend(touched);
        }
        all
    }

    fn renew(&self, claims: &mut [Claims], touched: &[(usize, Range<usize>)]) {
        for (index, changed) in touched {
            let (track, left) = (&self.tracks.all[*index], &self.explained.left[*index]);
            claims[*index].renew(track, left, changed.clone());
        }
    }

    fn plain(mut self) -> Explained {
        let mut claims = std::mem::take(&mut self.claims);
        self.accept_all(&mut claims);
        self.explained()
    }

    fn strong_first(mut self) -> Explained {
        let mut strong = self.claims(STRONG_FROM);
        let touched = united(self.accept_all(&mut strong));
        let mut claims = std::mem::take(&mut self.claims);
        self.renew(&mut claims, &touched);
        self.accept_all(&mut claims);
        self.explained()
    }

    fn explained(mut self) -> Explained {
        let found = std::mem::take(&mut self.explained.found);
        self.explained.found = group::join(self.tracks, found);
        self.explained
            .found
            .sort_by(|a, b| (a.run.start, &a.tracks).cmp(&(b.run.start, &b.tracks)));
        self.explained
    }

    fn claims(&self, lowest: usize) -> Vec<Claims> {
        let all = 0..self.tracks.all.len();
        all.map(|index| self.claim(index, lowest)).collect()
    }

    fn claim(&self, index: usize, lowest: usize) -> Claims {
        let costs = Costs::new(
            self.explained.baseline,
            self.explained.own[index],
            self.penalties[index],
            lowest,
        );
        let left = &self.explained.left[index];
        Claims::new(&self.tracks.all[index], left, costs)
    }

    /// The claim that gains most; of equal ones the narrowest.
    fn best(&self, claims: &[Claims]) -> Option<Found> {
        let mut best: Option<(usize, &Run)> = None;
        for (index, claims) in claims.iter().enumerate() {
            for run in claims.runs().filter(|run| run.net > 0.0) {
                let better = best.is_none_or(|(other, known)| {
                    run.net > known.net + 1e-9
                        || (run.net > known.net - 1e-9 && self.is_narrower(index, other))
                });
                if better {
                    best = Some((index, run));
                }
            }
        }
        let (index, run) = best?;
        let found = found(self.tracks, vec![index], run.clone());
        Some(group::narrow(
            self.tracks,
            &self.explained,
            &self.penalties,
            found,
        ))
    }

    fn is_narrower(&self, index: usize, other: usize) -> bool {
        let (inner, outer) = (self.tracks.all[index].key, self.tracks.all[other].key);
        inner != outer && self.tracks.contains(outer, inner)
    }

    /// Marks what the incident explains; gives the tracks and those of their failures that it touched.
    fn accept(&mut self, found: Found) -> Vec<(usize, Range<usize>)> {
        let (start, end) = self.tracks.moments(found.run.start, found.run.end);
        let mut touched = Vec::new();
        let pieces = expectations(self.tracks, &found);
        let attempts = self.attempts(&found, &pieces);
        for index in 0..self.tracks.all.len() {
            let beside = self.beside(index, &pieces, &attempts);
            let left = &mut self.explained.left[index];
            let first = left.partition_point(|fail| fail.at < start);
            let last = left.partition_point(|fail| fail.at <= end);
            if first == last {
                continue;
            }
            touched.push((index, first..last));
            let key = self.tracks.all[index].key;
            for at in &found.tracks {
                let source = &self.tracks.all[*at];
                if source.key == key {
                    left[first..last].iter_mut().for_each(|fail| fail.count = 0);
                } else if self.tracks.contains(source.key, key) {
                    for (start, end, share) in &pieces {
                        expect(left, *start, *end, *share);
                    }
                } else {
                    let mut common = Common::new(self.tracks, source.fails_within(start, end));
                    for fail in &mut left[first..last] {
                        fail.count -= common.with(fail.at, fail.count);
                    }
                }
            }
            for (start, end, share) in beside {
                expect(left, start, end, share);
            }
        }
        self.explained.found.push(found);
        touched
    }

    /// Failed and good attempts on all upstreams, piece by piece of a fault of routes or of the site; none of another.
    fn attempts(&self, found: &Found, pieces: &[(i64, i64, f64)]) -> Vec<(f64, f64)> {
        let is_of_routes = (found.tracks.iter().map(|at| self.tracks.all[*at].key))
            .all(|key| matches!(key, Key::Prefix(_) | Key::Url(_) | Key::Host(_) | Key::Site));
        if !is_of_routes {
            return Vec::new();
        }
        let upstreams =
            (self.tracks.all.iter()).filter(|track| matches!(track.key, Key::Upstream(_)));
        let mut sums = vec![(0.0, 0.0); pieces.len()];
        for track in upstreams {
            for (sum, (start, end, _)) in sums.iter_mut().zip(pieces) {
                sum.0 += track.failed_within(*start, *end) as f64;
                sum.1 += track.good_between(*start, *end);
            }
        }
        sums
    }

    /// What such a fault lets an upstream expect: attempts that a retry saved fail on every upstream alike, and none of
    /// them has a fault of its own unless it fails at more than the raised odds of the others.
    fn beside(
        &self,
        index: usize,
        pieces: &[(i64, i64, f64)],
        attempts: &[(f64, f64)],
    ) -> Vec<(i64, i64, f64)> {
        let track = &self.tracks.all[index];
        if !matches!(track.key, Key::Upstream(_)) {
            return Vec::new();
        }
        let pieces = pieces.iter().zip(attempts);
        let pieces = pieces.filter_map(|((start, end, _), (failed, good))| {
            let failed = failed - track.failed_within(*start, *end) as f64;
            let good = (good - track.good_between(*start, *end)).max(0.0);
            (failed + good > 0.0).then(|| (*start, *end, raised(share_of(failed, good))))
        });
        pieces.collect()
    }
}

/// Ranges of each track, those that meet as one.
fn united(mut ranges: Vec<(usize, Range<usize>)>) -> Vec<(usize, Range<usize>)> {
    ranges.sort_by_key(|(index, range)| (*index, range.start, range.end));
    ranges.dedup_by(|(index, range), (kept, whole)| {
        let meets = index == kept && range.start <= whole.end;
        if meets {
            whole.end = whole.end.max(range.end);
        }
        meets
    });
    ranges
}

/// A scope within an explained one fails by no fault of its own unless at more than so many times the odds.
const OWN_FAULT_ODDS: f64 = 3.0;

/// What an incident lets narrower scopes expect: its share piece by piece, at the raised odds.
fn expectations(tracks: &Tracks, incident: &Found) -> Vec<(i64, i64, f64)> {
    let pieces = incident.run.pieces.iter();
    pieces
        .map(|(start, end)| {
            let share = share(tracks, &incident.tracks, *start, *end);
            let (start, end) = tracks.moments(*start, *end);
            (start, end, raised(share))
        })
        .collect()
}

/// The share at the raised odds.
fn raised(share: f64) -> f64 {
    let odds = OWN_FAULT_ODDS * share / (1.0 - share);
    odds / (1.0 + odds)
}

/// Lets the failures of a time be expected at this share, too.
fn expect(left: &mut [Left], start: i64, end: i64, share: f64) {
    let first = left.partition_point(|fail| fail.at < start);
    let last = left.partition_point(|fail| fail.at <= end).max(first);
    for fail in &mut left[first..last] {
        fail.expected = 1.0 - (1.0 - fail.expected) * (1.0 - share);
    }
}

/// A claim over these tracks with its overall share.
pub(crate) fn found(tracks: &Tracks, members: Vec<usize>, run: Run) -> Found {
    let share = share(tracks, &members, run.start, run.end);
    Found {
        tracks: members,
        run,
        share,
    }
}

/// Share that failed. Half a good request more: two failures of two are not proof of certainty.
fn share(tracks: &Tracks, members: &[usize], start: i64, end: i64) -> f64 {
    let mut failed = 0.0;
    let mut good = 0.0;
    for index in members {
        let track = &tracks.all[*index];
        failed += track.failed_within(start, end) as f64;
        good += track.good_between(start, end);
    }
    share_of(failed, good)
}

fn share_of(failed: f64, good: f64) -> f64 {
    (failed / (failed + good + 0.5)).clamp(0.001, 0.999)
}
