//! One sentence for operators: why this verdict and this scope. Names are put in by the caller at `{scope}`.

use model::Verdict;
use tally::Key;

use crate::judge::localise::Tracks;
use crate::judge::story::{Pattern, Story};
use crate::judge::verdict::Measure;

/// Says what failed, what did not beside it, and which rule gave the verdict.
pub(crate) fn why(tracks: &Tracks, story: &Story, measure: &Measure, verdict: Verdict) -> String {
    let failed = measure.failed as u64;
    let total = (measure.failed + measure.good).round() as u64;
    let mut text = format!(
        "failed {} of {} on {{scope}}",
        grouped(failed),
        grouped(total)
    );
    if let Some((good, all)) = elsewhere(tracks, story, measure) {
        text += &format!(
            " while {} of {} elsewhere succeeded",
            grouped(good),
            grouped(all)
        );
    }
    text += "; ";
    text += &rule(story, measure, verdict);
    text
}

/// Good and all requests of the site beside the scope in the same time.
fn elsewhere(tracks: &Tracks, story: &Story, measure: &Measure) -> Option<(u64, u64)> {
    let keys: Vec<Key> = story
        .found
        .tracks
        .iter()
        .map(|index| tracks.all[*index].key)
        .collect();
    if keys
        .iter()
        .any(|key| matches!(key, Key::Site | Key::Upstream(_)))
    {
        return None;
    }
    let site = tracks.site()?;
    let good = site.good_between(measure.start, measure.last) - measure.good;
    let failed = site.failed_within(measure.start, measure.last) as f64 - measure.failed;
    let (good, failed) = (good.max(0.0).round() as u64, failed.max(0.0) as u64);
    (good + failed > 0).then_some((good, good + failed))
}

fn rule(story: &Story, measure: &Measure, verdict: Verdict) -> String {
    let length = span(measure.last - measure.start);
    let state = if measure.over {
        "failed for"
    } else {
        "failing for"
    };
    let percent = percent(measure.share());
    match (&story.pattern, verdict) {
        (Pattern::Recurring(schedule), _) => format!(
            "{} runs of up to 30 min start about every {}, so it recurs",
            schedule.runs.len(),
            span(schedule.period)
        ),
        (Pattern::Restart(upstreams), _) => {
            format!(
                "{upstreams} upstreams dropped out one after the other within {length}, so a restart"
            )
        }
        (Pattern::Overload(link), _) => format!(
            "in {} of 100 pairs the load was higher at the failed request than at the good one of the same run, so overload",
            (link.rank * 100.0).round() as u64
        ),
        (Pattern::Single, Verdict::Blip) if measure.last - measure.start > 0 => {
            format!("{state} {length}, within the 10 min of a blip")
        }
        (Pattern::Single, Verdict::Blip) => "gone within the 10 min of a blip".to_owned(),
        (Pattern::Single, Verdict::Persistent) => {
            format!(
                "{state} {length}, over 10 min, so not a blip, and {percent} failed, at least half, so persistent"
            )
        }
        (Pattern::Single, _) => {
            format!(
                "{state} {length}, over 10 min, so not a blip, and only {percent} failed, under half, so intermittent"
            )
        }
    }
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 10.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// Seconds as people say them: `45 s`, `12 min`, `3 h`, `2 d`.
fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", (seconds + 30) / 60),
        7_200..172_800 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} d", (seconds + 43_200) / 86_400),
    }
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
