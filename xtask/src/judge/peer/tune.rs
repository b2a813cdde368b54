//! The parameters that serve each peer best on one half of our logs.

use super::{burn, windows};
use crate::judge::answer::Answer;
use crate::judge::figure::{Figures, figures, value};
use crate::judge::run::{Half, Run};
use crate::judge::score::Scored;

/// Every peer as tuned.
pub(crate) struct Peers {
    pub(crate) all: [Tuned; 2],
}

pub(crate) struct Tuned {
    /// Also its folder under `--write`.
    pub(crate) name: &'static str,
    rule: usize,
    pub(crate) rule_shown: String,
    /// What it states of every report, as it has no better: the share of its reports that were right on that half.
    pub(crate) probability: f64,
    answers: fn(&Run) -> &[(Answer, Scored)],
}

impl Tuned {
    pub(crate) fn scored<'a>(&self, run: &'a Run) -> &'a Scored {
        &(self.answers)(run)[self.rule].1
    }

    pub(crate) fn answer(&self, run: &Run) -> Answer {
        let mut answer = (self.answers)(run)[self.rule].0.clone();
        for report in &mut answer.incidents {
            report.probability = Some(self.probability);
        }
        answer
    }
}

pub(crate) fn tune(runs: &[Run]) -> Peers {
    let windows: Vec<String> = windows::rules().iter().map(ToString::to_string).collect();
    let burn: Vec<String> = burn::rules().iter().map(ToString::to_string).collect();
    let all = [
        best(runs, "windows", &windows, |run| &run.windows),
        best(runs, "burn", &burn, |run| &run.burn),
    ];
    Peers { all }
}

fn best(
    runs: &[Run],
    name: &'static str,
    rules: &[String],
    answers: fn(&Run) -> &[(Answer, Scored)],
) -> Tuned {
    let tuning = runs.iter().filter(|run| run.half == Some(Half::Tuning));
    let measured = |rule: usize| -> Figures {
        let all: Vec<&Scored> = tuning.clone().map(|run| &answers(run)[rule].1).collect();
        figures(&all, None)
    };
    // Both halves of what is asked: to find what there is and no more, and to say what it is.
    let worth = |rule: usize| {
        let figures = measured(rule);
        let of = |name: &str| value(&figures, name).unwrap_or(0.0);
        of("f1") + of("verdict_acc_end_to_end")
    };
    let ranked = (0..rules.len()).map(|rule| (rule, worth(rule)));
    let rule = ranked
        .max_by(|one, two| one.1.total_cmp(&two.1))
        .map_or(0, |best| best.0);
    let figures = measured(rule);
    let of = |name: &str| value(&figures, name).unwrap_or(0.0);
    Tuned {
        name,
        rule,
        rule_shown: rules[rule].clone(),
        probability: of("precision") * of("verdict_acc_matched"),
        answers,
    }
}
