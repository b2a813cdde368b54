//! The measures of many logs.

use model::Verdict;

use super::score::{Found, Row, Scored, Stray, StrayIs, Tally};

/// Name and value of each measure; none where nothing was there to measure.
pub(crate) type Figures = Vec<(&'static str, Option<f64>)>;

/// All measures. `probability` stands for what a method states that has none of its own; such a method states no facts
/// either.
pub(crate) fn figures(all: &[&Scored], probability: Option<f64>) -> Figures {
    let rows: Vec<&Row> = all.iter().flat_map(|one| &one.planted).collect();
    let asked: Vec<&Row> = rows
        .into_iter()
        .filter(|row| row.truth.detectable)
        .collect();
    let found: Vec<(&Row, &Found)> = asked
        .iter()
        .filter_map(|row| Some((*row, row.found.as_ref()?)))
        .collect();
    let strays: Vec<&Stray> = all.iter().flat_map(|one| &one.strays).collect();
    let count = |is: StrayIs| strays.iter().filter(|stray| stray.is == is).count();
    let (phantoms, fragments) = (count(StrayIs::Phantom), count(StrayIs::Fragment));
    let wrong = phantoms + fragments;
    let months: f64 = all.iter().map(|one| one.months).sum();
    let clear = asked.iter().filter(|row| row.truth.clear);
    let of_found = |of: &dyn Fn(&Found) -> bool| share(found.iter().map(|(_, one)| of(one)));
    let identifiable: Vec<&&Row> = asked.iter().filter(|row| row.truth.identifiable).collect();
    let told = |row: &&&Row| row.found.as_ref().is_some_and(|one| one.verdict_right);
    let told_of_found = identifiable.iter().filter(|row| row.found.is_some());
    let stated = stated(&found, &strays, probability);
    let ratios: Vec<f64> = found.iter().filter_map(|one| one.1.delay_ratio).collect();
    let (right, hit): (Vec<usize>, Vec<usize>) = found.iter().map(|one| one.1.crawlers).unzip();
    let (right, hit): (usize, usize) = (right.iter().sum(), hit.iter().sum());
    let stated_facts = |value: Option<f64>| value.filter(|_| probability.is_none());
    vec![
        ("logs", Some(all.len() as f64)),
        ("truth", Some(asked.len() as f64)),
        ("matched", Some(found.len() as f64)),
        ("recall", part(found.len(), asked.len())),
        ("recall_clear", share(clear.map(|row| row.found.is_some()))),
        ("precision", part(found.len(), found.len() + wrong)),
        (
            "f1",
            Some(f1(found.len(), wrong, asked.len() - found.len())),
        ),
        ("phantoms", Some(phantoms as f64)),
        ("fragments", Some(fragments as f64)),
        ("ignored", Some(count(StrayIs::Ignored) as f64)),
        ("months", Some(months)),
        (
            "false_per_site_month",
            (months > 0.0).then(|| phantoms as f64 / months),
        ),
        ("start_in_set", of_found(&|one| one.start_error == 0.0)),
        ("end_in_set", of_found(&|one| one.end_error == 0.0)),
        (
            "start_err_p90_s",
            percentile(found.iter().map(|one| one.1.start_error), 0.9),
        ),
        (
            "end_err_p90_s",
            percentile(found.iter().map(|one| one.1.end_error), 0.9),
        ),
        (
            "start_bounds_hold",
            share(found.iter().filter_map(|one| one.1.start_held)),
        ),
        (
            "end_bounds_hold",
            share(found.iter().filter_map(|one| one.1.end_held)),
        ),
        ("state_acc", of_found(&|one| one.state_right)),
        ("verdict_acc_matched", share(told_of_found.map(told))),
        (
            "verdict_acc_end_to_end",
            share(identifiable.iter().map(told)),
        ),
        ("macro_f1", macro_f1(&identifiable, &strays)),
        ("scope_exact", of_found(&|one| one.scope_right)),
        (
            "scope_exact_end_to_end",
            part(
                found.iter().filter(|one| one.1.scope_right).count(),
                asked.len(),
            ),
        ),
        (
            "brier",
            mean(stated.iter().map(|(said, was)| (said - was).powi(2))),
        ),
        ("ece", calibration_error(&stated)),
        (
            "delay_ratio_median",
            percentile(ratios.iter().copied(), 0.5),
        ),
        ("delay_ratio_p90", percentile(ratios.iter().copied(), 0.9)),
        (
            "early_alarms",
            Some(found.iter().filter(|one| one.1.is_early).count() as f64),
        ),
        ("crawler_facts", stated_facts(part(right, hit))),
        (
            "open_urls_f1",
            stated_facts(facts_f1(all.iter().map(|one| one.open_urls))),
        ),
        (
            "robots_f1",
            stated_facts(facts_f1(all.iter().map(|one| one.robots))),
        ),
    ]
}

/// The value of one measure.
pub(crate) fn value(figures: &Figures, name: &str) -> Option<f64> {
    figures.iter().find(|figure| figure.0 == name)?.1
}

/// Probabilities stated, and whether the report was matched with the verdict right.
fn stated(
    found: &[(&Row, &Found)],
    strays: &[&Stray],
    probability: Option<f64>,
) -> Vec<(f64, f64)> {
    let right = found.iter().map(|(_, one)| {
        let said = one.report.probability;
        (said, f64::from(u8::from(one.verdict_right)))
    });
    let counted = strays.iter().filter(|stray| stray.is != StrayIs::Ignored);
    let wrong = counted.map(|stray| (stray.report.probability, 0.0));
    let all = right.chain(wrong);
    all.filter_map(|(said, was)| Some((said.or(probability)?.clamp(0.0, 1.0), was)))
        .collect()
}

/// Over tenths of the probability: how far what was stated lies from what came.
fn calibration_error(stated: &[(f64, f64)]) -> Option<f64> {
    let tenth = |said: f64| ((said * 10.0) as usize).min(9);
    let mut sum = 0.0;
    for bin in 0..10 {
        let own = stated.iter().filter(|one| tenth(one.0) == bin);
        let (said, was): (Vec<f64>, Vec<f64>) = own.copied().unzip();
        sum += (said.iter().sum::<f64>() - was.iter().sum::<f64>()).abs();
    }
    (!stated.is_empty()).then(|| sum / stated.len() as f64)
}

/// Over the verdicts that the truth holds. Wrong verdicts, misses and strays all count.
fn macro_f1(identifiable: &[&&Row], strays: &[&Stray]) -> Option<f64> {
    let counted: Vec<&&Stray> = strays
        .iter()
        .filter(|stray| stray.is != StrayIs::Ignored)
        .collect();
    mean(Verdict::ALL.iter().filter_map(|verdict| {
        let name = verdict.name();
        let own = identifiable.iter().filter(|row| row.truth.verdict == name);
        let planted = own.clone().count();
        let hit = own
            .filter(|row| row.found.as_ref().is_some_and(|one| one.verdict_right))
            .count();
        let said = identifiable.iter().filter(|row| {
            let found = row.found.as_ref();
            found.is_some_and(|one| !one.verdict_right && one.report.verdict == name)
        });
        let strayed = counted.iter().filter(|stray| stray.report.verdict == name);
        (planted > 0).then(|| f1(hit, said.count() + strayed.count(), planted - hit))
    }))
}

fn facts_f1(all: impl Iterator<Item = Tally>) -> Option<f64> {
    let sum = all.fold(Tally::default(), |sum, one| Tally {
        hit: sum.hit + one.hit,
        extra: sum.extra + one.extra,
        missed: sum.missed + one.missed,
    });
    Some(f1(sum.hit, sum.extra, sum.missed))
}

pub(crate) fn f1(hit: usize, extra: usize, missed: usize) -> f64 {
    match 2 * hit + extra + missed {
        0 => 1.0,
        all => 2.0 * hit as f64 / all as f64,
    }
}

pub(crate) fn part(some: usize, all: usize) -> Option<f64> {
    (all > 0).then(|| some as f64 / all as f64)
}

fn share(all: impl Iterator<Item = bool>) -> Option<f64> {
    mean(all.map(|one| f64::from(u8::from(one))))
}

pub(crate) fn mean(all: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = all.fold((0.0, 0), |(sum, count), one| (sum + one, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Between two values by their distance.
pub(crate) fn percentile(all: impl Iterator<Item = f64>, at: f64) -> Option<f64> {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    let place = all.len().checked_sub(1)? as f64 * at;
    let (low, high) = (all[place.floor() as usize], all[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::score::score;
    use crate::judge::score::tests::{answer, planted, report, truth};

    /// Two outages, one found under the wrong verdict, one missed, and one phantom.
    fn sample() -> Figures {
        let mut truth = truth();
        truth.incidents.push(planted(50_000.0, 60_000.0));
        truth.incidents.push(planted(30_000.0, 40_000.0));
        let mut wrong = report(50_000.0, Some(60_000.0));
        wrong.verdict = "intermittent".to_owned();
        let mut phantom = report(80_000.0, Some(81_000.0));
        phantom.probability = Some(0.4);
        let right = report(10_000.0, Some(20_000.0));
        figures(
            &[&score(&truth, &answer(vec![right, wrong, phantom]))],
            None,
        )
    }

    #[test]
    fn measures_of_a_hand_made_log() {
        let figures = sample();
        let near = |name: &str, wanted: f64| {
            let is = value(&figures, name).unwrap_or(f64::NAN);
            assert!(
                (is - wanted).abs() < 1e-9,
                "{name} is {is}, wanted {wanted}"
            );
        };
        near("recall", 2.0 / 3.0);
        near("precision", 2.0 / 3.0);
        near("f1", 2.0 / 3.0);
        near("phantoms", 1.0);
        near("verdict_acc_matched", 0.5);
        near("verdict_acc_end_to_end", 1.0 / 3.0);
        // One hit, one phantom said so, two not told.
        near("macro_f1", 2.0 / 5.0);
        near("scope_exact", 1.0);
        near("brier", (0.01 + 0.81 + 0.16) / 3.0);
        // Two of 0.9 of which one was right, one of 0.4 that was not.
        near("ece", (0.8 + 0.4) / 3.0);
        near("delay_ratio_median", 1.0);
        near("false_per_site_month", 2_592_000.0 / 100_000.0);
    }

    #[test]
    fn a_probability_is_lent_only_to_what_has_none() {
        let lent = |said: Option<f64>| {
            let mut report = report(10_000.0, Some(20_000.0));
            report.probability = said;
            let scored = score(&truth(), &answer(vec![report]));
            value(&figures(&[&scored], Some(0.5)), "brier")
        };
        assert_eq!(lent(None), Some(0.25));
        assert_eq!(lent(Some(1.0)), Some(0.0));
    }

    #[test]
    fn calibration_is_by_tenths() {
        // One tenth says too little and another too much: taken together they would look honest.
        let error = calibration_error(&[(0.75, 1.0), (0.95, 0.7)]).expect("two");
        assert!((error - 0.25).abs() < 1e-9);
        assert_eq!(calibration_error(&[(1.0, 1.0)]), Some(0.0));
    }

    #[test]
    fn percentiles_lie_between_values() {
        assert_eq!(percentile([4.0, 1.0, 2.0].into_iter(), 0.5), Some(2.0));
        assert_eq!(percentile([1.0, 2.0].into_iter(), 0.9), Some(1.9));
        assert_eq!(percentile(std::iter::empty(), 0.9), None);
    }
}
