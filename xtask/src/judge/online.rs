//! What the program would have said earlier: it is given only the lines up to a moment.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::answer::Report;
use super::figure::mean;
use super::program::Program;
use super::public;
use super::request::seconds;
use super::run::Run;
use super::score::is_scope;
use super::truth::Planted;

/// Incidents looked at, spread evenly over all.
const SAMPLE: usize = 40;
/// Seconds after the earliest possible detection.
const AGES: [f64; 3] = [600.0, 3_600.0, 21_600.0];

pub(crate) struct Online<'a> {
    pub(crate) program: &'a Program,
    pub(crate) scratch: PathBuf,
}

impl Online<'_> {
    /// Whether each incident was there when it is said to have been detected.
    pub(crate) fn audit(&self, runs: &[Run]) -> Result<()> {
        let matched = runs.iter().flat_map(|run| {
            let rows = run.judge.planted.iter().filter(|row| row.truth.detectable);
            rows.filter_map(move |row| Some((run, &row.truth, row.found.as_ref()?)))
        });
        let (mut asked, mut there) = (0, 0);
        for (run, planted, found) in spread(matched.collect(), |one| &one.1.id) {
            let Some(at) = found.report.first_detected else {
                continue;
            };
            asked += 1;
            let is_there = |said: &Report| {
                said.start <= at + 1.0 && said.end_or(at + 2.0) >= planted.start_set.0
            };
            if self.reports_at(&run.log, at + 1.0)?.iter().any(is_there) {
                there += 1;
            } else {
                println!("  {} was not there yet at its first_detected", planted.id);
            }
        }
        println!("audit: {there} of {asked} first_detected times confirmed on the log cut there");
        Ok(())
    }

    /// What is said of each incident at three ages, and whether it is the last word.
    pub(crate) fn replay(&self, runs: &[Run]) -> Result<()> {
        let told = runs.iter().flat_map(|run| {
            let all = run.truth.incidents.iter();
            let told = all.filter(|one| one.identifiable && one.oracle_time.is_some());
            told.map(move |one| (run, one))
        });
        let told = spread(told.collect(), |one| &one.1.id);
        for age in AGES {
            let (mut asked, mut found, mut right) = (0, 0, 0);
            let (mut squares, mut wrong) = (Vec::new(), Vec::new());
            for (run, planted) in &told {
                let Some(oracle) = planted.oracle_time else {
                    continue;
                };
                let log_end = run.truth.log_end;
                let stop = log_end.min(planted.end.unwrap_or(log_end) + 3_600.0);
                // Later than an hour after its end there is nothing more to ask; the first age is always asked.
                if oracle + age > stop && age > AGES[0] {
                    continue;
                }
                let cut = stop.min(oracle + age);
                asked += 1;
                let said = self.reports_at(&run.log, cut)?;
                if let Some(said) = best(&said, planted, cut) {
                    let was = f64::from(u8::from(said.verdict == planted.verdict));
                    found += 1;
                    right += usize::from(was > 0.0);
                    squares.extend(said.probability.map(|said| (said - was).powi(2)));
                    if was == 0.0 {
                        wrong.push(format!("{} {}", planted.id, said.verdict));
                    }
                } else {
                    wrong.push(format!("{} nothing", planted.id));
                }
            }
            let brier = mean(squares.into_iter()).unwrap_or(0.0);
            println!(
                "replay {age:>6} s after the earliest possible detection: {asked} asked, {found} reported, \
                 {right} with the final verdict, brier {brier:.3}"
            );
            if !wrong.is_empty() {
                println!("  said otherwise: {}", wrong.join(", "));
            }
        }
        Ok(())
    }

    fn reports_at(&self, log: &Path, until: f64) -> Result<Vec<Report>> {
        let path = self.scratch.join("cut.log");
        fs::write(&path, cut(&public::bytes(log)?, until))?;
        Ok(self
            .program
            .answer(&path)
            .map_or(Vec::new(), |answer| answer.incidents))
    }
}

/// The lines stamped up to a moment.
fn cut(log: &[u8], until: f64) -> Vec<u8> {
    let mut kept = Vec::new();
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        let stamp = line.iter().position(|byte| *byte == b'[').and_then(|open| {
            let stamp = std::str::from_utf8(line.get(open + 1..open + 27)?).ok()?;
            seconds(stamp)
        });
        if stamp.is_some_and(|at| at as f64 <= until) {
            kept.extend_from_slice(line);
        }
    }
    kept
}

/// The report that means the incident: by scope, then by common time.
fn best<'a>(said: &'a [Report], planted: &Planted, cut: f64) -> Option<&'a Report> {
    let touches = |one: &&Report| one.start <= cut && one.end_or(cut) >= planted.start_set.0 - 1.0;
    let rank = |one: &Report| {
        let common = one.end_or(cut).min(cut) - one.start.max(planted.start);
        let bonus = if is_scope(planted, &one.scope) {
            1e12
        } else {
            0.0
        };
        common + bonus
    };
    let all = said.iter().filter(touches);
    all.max_by(|one, two| rank(one).total_cmp(&rank(two)))
}

/// A sample that is the same whoever draws it: by name, at even steps.
fn spread<T: Copy>(mut all: Vec<T>, id: fn(&T) -> &String) -> Vec<T> {
    all.sort_by(|one, two| id(one).cmp(id(two)));
    let step = (all.len() as f64 / SAMPLE as f64).max(1.0);
    let places = (0..SAMPLE.min(all.len())).map(|index| (index as f64 * step) as usize);
    places.map(|place| all[place]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_log_holds_the_lines_stamped_so_far_in_any_zone() {
        let log = b"a - - [01/Jan/2026:00:00:10 +0000] x\nb - - [01/Jan/2026:01:00:05 +0100] y\n\
                    c - - [01/Jan/2026:00:00:11 +0000] z\nno stamp\n";
        let until = seconds("01/Jan/2026:00:00:10 +0000").expect("a stamp");
        let kept = cut(log, until as f64);
        let kept = String::from_utf8(kept).expect("text");
        assert_eq!(kept.lines().count(), 2);
        assert!(kept.contains(" y"));
    }

    #[test]
    fn a_sample_is_spread_over_all() {
        let names: Vec<String> = (0..80).map(|index| format!("{index:02}")).collect();
        let sample = spread(names.iter().collect(), |name| name);
        assert_eq!(sample.len(), 40);
        assert_eq!(sample[39], "78");
    }
}
