//! Runs that belong together: one by one, on a schedule, upstream after upstream, or with the load.

use model::Verdict;

use crate::judge::localise::{self, Explained, Found, Tracks};
use crate::judge::overload::{self, Link};
use crate::judge::recurring::{self, Schedule};
use crate::judge::restart;
use crate::judge::track::Track;
use crate::judge::verdict::Measure;

/// What makes one incident of the runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Pattern {
    /// One run.
    Single,
    /// Runs on a schedule.
    Recurring(Schedule),
    /// So many upstreams out in turn.
    Restart(usize),
    /// Runs that follow the load.
    Overload(Link),
}

/// One incident before it is measured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Story {
    pub(crate) found: Found,
    pub(crate) pattern: Pattern,
    /// The site's healthy rate it was found against.
    pub(crate) baseline: f64,
}

/// All incidents of a log, in order of their start. The patterns are tested in the order of the verdicts.
pub(crate) fn tell(tracks: &Tracks, load: &Track) -> Vec<Story> {
    of(tracks, load, localise::explain(tracks))
}

/// The same of what is explained already.
pub(crate) fn of(tracks: &Tracks, load: &Track, mut explained: Explained) -> Vec<Story> {
    let baseline = explained.baseline;
    let mut stories = Vec::new();
    let mut add = |found, pattern| {
        stories.push(Story {
            found,
            pattern,
            baseline,
        })
    };
    let found = overload::overloads(tracks, load, &explained);
    for (found, link, _) in claim(&mut explained, found) {
        add(found, Pattern::Overload(link));
    }
    let found = recurring::schedules(tracks, &explained);
    for (found, schedule, _) in claim(&mut explained, found) {
        add(found, Pattern::Recurring(schedule));
    }
    let found = restart::restarts(tracks, &explained);
    for (found, upstreams, _) in claim(&mut explained, found) {
        add(found, Pattern::Restart(upstreams));
    }
    for found in explained.found {
        add(found, Pattern::Single);
    }
    stories.sort_by(|a, b| {
        (a.found.run.start, &a.found.tracks).cmp(&(b.found.run.start, &b.found.tracks))
    });
    stories
}

/// Takes the replaced runs out of what is found.
fn claim<T>(
    explained: &mut Explained,
    claims: Vec<(Found, T, Vec<usize>)>,
) -> Vec<(Found, T, Vec<usize>)> {
    let gone: Vec<usize> = claims.iter().flat_map(|claim| claim.2.clone()).collect();
    let mut index = 0;
    explained.found.retain(|_| {
        let keep = !gone.contains(&index);
        index += 1;
        keep
    });
    claims
}

/// No log proves more: the model itself may be wrong.
const SURE_MAX: f64 = 0.99;

impl Story {
    /// Measures the incident, or its last run where it has several.
    pub(crate) fn measure(&self, tracks: &Tracks, whole: &Track) -> Measure {
        let mut measure = Measure::new(whole, &self.found, tracks.start, tracks.now);
        if matches!(self.pattern, Pattern::Recurring(_) | Pattern::Overload(_))
            && let Some(last) = self.runs().last()
        {
            let mut run = self.found.clone();
            (run.run.start, run.run.end) = *last;
            measure.over = Measure::new(whole, &run, tracks.start, tracks.now).over;
        }
        measure
    }

    pub(crate) fn verdict(&self, measure: &Measure) -> (Verdict, f64) {
        match &self.pattern {
            Pattern::Single => measure.verdict(),
            Pattern::Recurring(schedule) => (Verdict::Recurring, 1.0 - schedule.chance.min(0.5)),
            Pattern::Restart(upstreams) => {
                (Verdict::Restart, if *upstreams > 2 { 0.97 } else { 0.9 })
            }
            Pattern::Overload(link) => (Verdict::Overload, link.chance()),
        }
    }

    /// The chances of all verdicts, as far as any is left for them. What a pattern leaves over is one run's.
    pub(crate) fn chances(&self, measure: &Measure) -> Vec<(Verdict, f64)> {
        let single = measure.chances();
        if matches!(self.pattern, Pattern::Single) {
            return single.to_vec();
        }
        let own = self.verdict(measure);
        let rest = single.map(|(verdict, chance)| (verdict, chance * (1.0 - own.1)));
        std::iter::once(own).chain(rest).collect()
    }

    /// Chance that the incident is real, from what it gains over the threshold, and its verdict of this chance
    /// right. Calibrated on scenarios: at the threshold three in ten are chance.
    pub(crate) fn sure(&self, verdict: f64) -> f64 {
        let real = 1.0 - 0.3 * (-0.7 * self.found.run.net.max(0.0)).exp();
        (real * verdict).min(SURE_MAX)
    }

    pub(crate) fn runs(&self) -> Vec<(i64, i64)> {
        match &self.pattern {
            Pattern::Recurring(schedule) => schedule.runs.clone(),
            Pattern::Overload(_) => self.found.run.bursts.clone(),
            Pattern::Single | Pattern::Restart(_) => {
                vec![(self.found.run.start, self.found.run.end)]
            }
        }
    }
}
