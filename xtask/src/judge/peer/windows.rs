//! Fixed windows of five minutes: so many failures and such a share of all.

use super::{Alarm, JOINS_S, Series, answered};
use crate::judge::answer::Answer;
use crate::judge::score::Scored;
use crate::judge::truth::Truth;

const WINDOW_S: i64 = 300;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    failed_min: u32,
    share_min: f64,
    join_s: i64,
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = 100.0 * self.share_min;
        let (failed, join) = (self.failed_min, self.join_s / 60);
        write!(
            f,
            "at least {failed} failed and {share} % of all, joined within {join} min"
        )
    }
}

/// What is tried.
pub(crate) fn rules() -> Vec<Rule> {
    let mut all = Vec::new();
    for failed_min in [1, 2, 3, 5, 10] {
        for share_min in [0.05, 0.1, 0.3, 0.5] {
            all.extend(JOINS_S.map(|join_s| Rule {
                failed_min,
                share_min,
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
        windows,
        |counted, rule| alarms(counted, rule),
        |rule| rule.join_s,
    )
}

/// One window in which something failed.
struct Window {
    requests: u32,
    failed: u32,
    from: i64,
    until: i64,
    end: i64,
}

fn windows(series: &Series) -> Vec<Window> {
    let mut all: Vec<Window> = Vec::new();
    for at in series.failures() {
        match all.last_mut() {
            Some(last) if at < last.end => last.until = at,
            _ => {
                let start = at - at.rem_euclid(WINDOW_S);
                let end = start + WINDOW_S;
                let (requests, failed) = series.count(start, end);
                all.push(Window {
                    requests,
                    failed,
                    from: at,
                    until: at,
                    end,
                });
            }
        }
    }
    all
}

fn alarms(windows: &[Window], rule: Rule) -> Vec<Alarm> {
    let bad = windows.iter().filter(|window| {
        let share = f64::from(window.failed) / f64::from(window.requests.max(1));
        window.failed >= rule.failed_min && share >= rule.share_min
    });
    bad.map(|window| Alarm {
        from: window.from,
        until: window.until,
        known: window.end,
        clears: window.end + WINDOW_S,
    })
    .collect()
}
