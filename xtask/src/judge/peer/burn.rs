//! Burn rates over several windows, as chapter 5 of Google's SRE workbook proposes them: an alarm where a long and a
//! short window both spend the error budget so many times too fast.

use super::{Alarm, JOINS_S, Series, answered};
use crate::judge::answer::Answer;
use crate::judge::score::Scored;
use crate::judge::truth::Truth;

/// Factor, long and short window in seconds, for an objective over a month.
const RATES: [(f64, i64, i64); 3] = [
    (14.4, 3_600, 300),
    (6.0, 21_600, 1_800),
    (1.0, 259_200, 21_600),
];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    objective: f64,
    /// In the long window: the workbook's own advice where traffic is low.
    failed_min: u32,
    join_s: i64,
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let objective = 100.0 * self.objective;
        let (failed, join) = (self.failed_min, self.join_s / 60);
        write!(
            f,
            "objective {objective:.1} %, at least {failed} failed, joined within {join} min"
        )
    }
}

/// What is tried; the first is the workbook's.
pub(crate) fn rules() -> Vec<Rule> {
    let mut all = Vec::new();
    for objective in [0.999, 0.995, 0.99, 0.98] {
        for failed_min in [1, 2, 3, 5, 10] {
            all.extend(JOINS_S.map(|join_s| Rule {
                objective,
                failed_min,
                join_s,
            }));
        }
    }
    all
}

/// The answer of every rule.
pub(crate) fn answers(series: &[Series], truth: &Truth) -> Vec<(Answer, Scored)> {
    answered(
        rules(),
        (series, truth),
        minutes,
        |counted, rule| alarms(counted, rule),
        |rule| rule.join_s,
    )
}

/// The end of a minute in which something failed: share and failures of each long window, share of each short one.
struct Minute {
    end: i64,
    last: i64,
    rates: [Rate; RATES.len()],
}

struct Rate {
    long: f64,
    failed: u32,
    short: f64,
    /// The first failure in the short window.
    from: i64,
}

fn minutes(series: &Series) -> Vec<Minute> {
    let mut all: Vec<Minute> = Vec::new();
    for at in series.failures() {
        let end = at - at.rem_euclid(60) + 60;
        match all.last_mut() {
            Some(last) if last.end == end => last.last = at,
            _ => all.push(Minute {
                end,
                last: at,
                rates: RATES.map(|(_, long, short)| rate(series, end, long, short)),
            }),
        }
    }
    all
}

fn rate(series: &Series, end: i64, long: i64, short: i64) -> Rate {
    let share = |(requests, failed): (u32, u32)| f64::from(failed) / f64::from(requests.max(1));
    let all = series.count(end - long, end);
    Rate {
        long: share(all),
        failed: all.1,
        short: share(series.count(end - short, end)),
        from: series.first_failure(end - short).unwrap_or(end),
    }
}

fn alarms(minutes: &[Minute], rule: Rule) -> Vec<Alarm> {
    let budget = 1.0 - rule.objective;
    let mut all = Vec::new();
    for minute in minutes {
        let burning = RATES
            .iter()
            .zip(&minute.rates)
            .find(|((factor, _, _), rate)| {
                let limit = factor * budget;
                rate.long >= limit && rate.short >= limit && rate.failed >= rule.failed_min
            });
        if let Some(((_, _, short), rate)) = burning {
            all.push(Alarm {
                from: rate.from,
                until: minute.last,
                known: minute.end,
                clears: minute.end + short,
            });
        }
    }
    all
}
