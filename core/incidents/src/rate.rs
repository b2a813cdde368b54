//! How often crawlers came while an incident lasted and after it, against their own baseline: the same hours of earlier
//! weeks, or of earlier days. What the failures themselves add (another try, the fetch that brings a lost URL back) is
//! left out. A change is told with its interval and never as an effect.

use std::collections::BTreeMap;

use model::{CrawlRate, CrawlerId, Incident, RateBasis, RateWindow, Stamp};
use tally::{Obs, View};

const HOUR: i64 = 3_600;

/// Hours of a week and of a day: the cycles that crawls are compared by.
const WEEK: i64 = 168;
const DAY: i64 = 24;

/// Whole cycles that a baseline takes: with one there is no telling how much it varies.
const CYCLES_MIN: i64 = 2;

/// Stretches of the window's length that the baseline must hold, to know how much such a stretch varies.
const STRETCHES_MIN: usize = 5;

/// Fetches that must be expected: of fewer no change can be told from chance.
const EXPECTED_MIN: f64 = 10.0;

/// How long after an end a reaction is looked for: as long as the incident, within these bounds.
const AFTER: (i64, i64) = (6 * HOUR, 24 * HOUR);

/// Two-sided 95 % of the normal distribution.
const NORMAL: f64 = 1.96;

/// Crawlers compared for one incident, those hit most.
const CRAWLERS_MAX: usize = 5;

/// Tells it of every incident that crawlers met.
pub(crate) fn add(view: &View, incidents: Vec<&mut Incident>, now: Stamp) {
    let Some((start, _)) = view.span else { return };
    let mut known: BTreeMap<CrawlerId, Crawl> = BTreeMap::new();
    let lost = lost_hours(view, &incidents);
    for incident in incidents {
        let mut rates = Vec::new();
        for hit in incident.crawlers.iter().take(CRAWLERS_MAX) {
            let crawl = (known.entry(hit.crawler))
                .or_insert_with(|| Crawl::new(view.fetches(hit.crawler), start.secs(), &lost));
            for window in [RateWindow::During, RateWindow::After] {
                rates.extend(crawl.rate(incident, hit, window, now.secs()));
            }
        }
        incident.rates = rates;
    }
}

/// Hours that say nothing of a usual rate: some of their lines are lost, or something was broken for crawlers.
fn lost_hours(view: &View, incidents: &[&mut Incident]) -> Vec<(i64, i64)> {
    let hit = incidents
        .iter()
        .filter(|incident| incident.fetches.failed > 0);
    let runs = hit.flat_map(|incident| match incident.runs.as_slice() {
        [] => vec![(incident.start, incident.last_failure)],
        runs => runs.to_vec(),
    });
    let gaps = view.gaps.iter().map(|gap| (gap.start, gap.end));
    let hours = runs
        .chain(gaps)
        .map(|(from, to)| (from.secs().div_euclid(HOUR), to.secs().div_euclid(HOUR)));
    hours.collect()
}

/// The fetches of one crawler.
struct Crawl {
    fetches: Vec<Obs>,
    /// Fetches by whole hour that says something, from the log's first such hour on.
    hours: BTreeMap<i64, f64>,
    first: i64,
}

/// What an hour is expected to hold, and how much stretches vary around that.
struct Baseline {
    basis: RateBasis,
    cycle: i64,
    /// By hour of the cycle.
    means: BTreeMap<i64, f64>,
    cycles: f64,
    /// Variance of a stretch's count over its expectation.
    dispersion: f64,
}

impl Crawl {
    fn new(fetches: Vec<Obs>, start: i64, lost: &[(i64, i64)]) -> Self {
        let first = (start + HOUR - 1).div_euclid(HOUR);
        let mut hours: BTreeMap<i64, f64> = BTreeMap::new();
        let last = fetches
            .last()
            .map_or(first, |obs| obs.until.div_euclid(HOUR));
        for hour in first..last {
            if !lost.iter().any(|(from, to)| (*from..=*to).contains(&hour)) {
                hours.insert(hour, 0.0);
            }
        }
        for obs in &fetches {
            let count = f64::from(obs.good) + f64::from(obs.failed) + f64::from(obs.repeats);
            if let Some(hour) = hours.get_mut(&obs.at.div_euclid(HOUR)) {
                *hour += count;
            }
        }
        Self {
            fetches,
            hours,
            first,
        }
    }

    fn rate(
        &self,
        incident: &Incident,
        hit: &model::CrawlerHit,
        window: RateWindow,
        now: i64,
    ) -> Option<CrawlRate> {
        let start = incident.start.secs();
        let end = incident.end.map_or(now, Stamp::secs);
        let (from, to) = match window {
            RateWindow::During => (start, end),
            RateWindow::After => {
                incident.end?;
                let length = (end - start).clamp(AFTER.0, AFTER.1);
                (end + 1, (end + length).min(now))
            }
        };
        if to - from < HOUR {
            return None;
        }
        // Slots of a day tell no hours.
        if self.fetches.iter().any(|obs| obs.until - obs.at >= HOUR) {
            return None;
        }
        let seen = self.counted(from, to);
        // Silence alone has many reasons, an end of the log among them.
        if seen == 0.0 {
            return None;
        }
        let own = match window {
            // Another try of a URL that failed already.
            RateWindow::During => hit.failed.saturating_sub(hit.urls_lost),
            // Fetches that brought lost URLs back.
            RateWindow::After => hit.urls_refetched,
        };
        let fetches = (seen - own as f64).max(0.0);
        let baseline = self.baseline(start, to - from)?;
        let expected = baseline.expected(from, to);
        if expected < EXPECTED_MIN {
            return None;
        }
        let ratio = fetches / expected;
        let spread = baseline.dispersion / fetches.max(1.0)
            + baseline.dispersion / (expected * baseline.cycles);
        // A mean of few cycles is known badly, and how they vary too; the factor is ours, tried on crawls without an outage.
        let factor = (NORMAL * (1.0 + 1.0 / baseline.cycles) * spread.sqrt()).exp();
        Some(CrawlRate {
            crawler: hit.crawler,
            window,
            from: Stamp::from_secs(from),
            to: Stamp::from_secs(to),
            fetches: fetches.round() as u64,
            expected,
            ratio,
            bounds: (ratio / factor, ratio * factor),
            basis: baseline.basis,
        })
    }

    /// Fetches from `from` to `to`; a slot that they cut is taken as evenly spread.
    fn counted(&self, from: i64, to: i64) -> f64 {
        let first = self.fetches.partition_point(|obs| obs.at < from - HOUR);
        let near = self.fetches[first..].iter().take_while(|obs| obs.at <= to);
        near.map(|obs| {
            let common = obs.until.min(to) - obs.at.max(from) + 1;
            let share = common.max(0) as f64 / (obs.until - obs.at + 1) as f64;
            share * (f64::from(obs.good) + f64::from(obs.failed) + f64::from(obs.repeats))
        })
        .sum()
    }

    /// What was usual before `start`, and how much stretches of this length varied.
    fn baseline(&self, start: i64, length: i64) -> Option<Baseline> {
        let until = start.div_euclid(HOUR);
        let cycles = (until - self.first) / WEEK;
        let (basis, cycle) = match cycles {
            CYCLES_MIN.. => (RateBasis::HourOfWeek, WEEK),
            _ => (RateBasis::HourOfDay, DAY),
        };
        if (until - self.first) / cycle < CYCLES_MIN {
            return None;
        }
        let hours: Vec<(i64, f64)> = (self.hours.range(..until))
            .map(|(hour, n)| (*hour, *n))
            .collect();
        let mut sums: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for (hour, n) in &hours {
            let sum = sums.entry(hour.rem_euclid(cycle)).or_default();
            *sum = (sum.0 + n, sum.1 + 1.0);
        }
        // An hour of the cycle that never said anything leaves a hole.
        if (sums.len() as i64) < cycle {
            return None;
        }
        let means: BTreeMap<i64, f64> =
            sums.iter().map(|(hour, (n, of))| (*hour, n / of)).collect();
        let free = 1.0 - cycle as f64 / hours.len() as f64;
        let stretches: Vec<(f64, f64)> = hours
            .chunks_exact(usize::try_from((length + HOUR - 1) / HOUR).ok()?)
            .map(|chunk| {
                let mean = |hour: &i64| means.get(&hour.rem_euclid(cycle)).copied().unwrap_or(0.0);
                (
                    chunk.iter().map(|(_, n)| n).sum(),
                    chunk.iter().map(|(hour, _)| mean(hour)).sum(),
                )
            })
            .filter(|(_, expected)| *expected > 0.0)
            .collect();
        if stretches.len() < STRETCHES_MIN || free <= 0.0 {
            return None;
        }
        let squares: f64 = stretches
            .iter()
            .map(|(n, of)| (n - of) * (n - of) / of)
            .sum();
        Some(Baseline {
            basis,
            cycle,
            means,
            cycles: hours.len() as f64 / cycle as f64,
            // Counts that were fitted vary less than new ones; and none varies less than by chance alone.
            dispersion: (squares / stretches.len() as f64 / free).max(1.0),
        })
    }
}

impl Baseline {
    fn expected(&self, from: i64, to: i64) -> f64 {
        let hours = from.div_euclid(HOUR)..=to.div_euclid(HOUR);
        hours
            .map(|hour| {
                let common = ((hour + 1) * HOUR).min(to + 1) - (hour * HOUR).max(from);
                let mean = self
                    .means
                    .get(&hour.rem_euclid(self.cycle))
                    .copied()
                    .unwrap_or(0.0);
                mean * common as f64 / HOUR as f64
            })
            .sum()
    }
}
