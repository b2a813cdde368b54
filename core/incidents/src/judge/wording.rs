//! One sentence for operators: why this verdict and this scope. Names are put in by the caller at `{scope}`.

use model::Verdict;
use tally::Key;

use crate::judge::localise::Tracks;
use crate::judge::story::{Pattern, Story};
use crate::judge::verdict::{BLIP_MAX, Measure};

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
        (Pattern::Single, Verdict::Blip) => blip(measure),
        (Pattern::Single, Verdict::Persistent) => {
            long(measure, "at least half of them failed, so persistent")
        }
        (Pattern::Single, _) => long(measure, "under half of them failed, so intermittent"),
    }
}

/// What would change verdict or end: the nearest other answers.
pub(crate) fn change(story: &Story, measure: &Measure, verdict: Verdict) -> String {
    let end = if measure.over {
        "a failure within 30 min of the last would reopen it".to_owned()
    } else {
        let more = (measure.good_needed - measure.good_since).max(1.0).ceil() as u64;
        format!(
            "{} good {} in a row would end it",
            grouped(more),
            if more == 1 { "request" } else { "requests" }
        )
    };
    match other(story, measure, verdict) {
        Some(other) => format!("{end}; {other}"),
        None => end,
    }
}

/// What would make it another verdict.
fn other(story: &Story, measure: &Measure, verdict: Verdict) -> Option<String> {
    let excess = (measure.failed - measure.good).abs().ceil().max(1.0) as u64;
    Some(match (&story.pattern, verdict) {
        (Pattern::Recurring(schedule), _) => format!(
            "the next run is due {} after the last; two left out would speak against the schedule",
            span(schedule.period)
        ),
        (Pattern::Restart(_), _) => {
            "an upstream out for more than 10 min would make it more than a restart".to_owned()
        }
        (Pattern::Overload(_), _) => {
            "failures at low load, or none at the next peak, would speak against it".to_owned()
        }
        // Only what is still open can become another one.
        (Pattern::Single, _) if measure.over => return None,
        (Pattern::Single, Verdict::Blip) => {
            let left = (BLIP_MAX - (measure.last - measure.start)).max(1);
            format!(
                "a failure more than {} after the last would make it more than a blip",
                span(left)
            )
        }
        (Pattern::Single, Verdict::Persistent) => format!(
            "{} more good than failed ones within it would make it intermittent",
            grouped(excess)
        ),
        (Pattern::Single, _) => format!(
            "{} more failed than good ones within it would make it persistent",
            grouped(excess)
        ),
    })
}

/// A blip, and how likely it is one: what was seen of it is short, but its bounds may leave room for more.
fn blip(measure: &Measure) -> String {
    let seen = seen(measure);
    let chance = measure.blip_chance();
    if chance > SURE {
        return format!("{seen}, at most 10 min, so a blip");
    }
    format!(
        "{seen}; {} % likely at most 10 min in all, so a blip",
        percent(chance)
    )
}

/// More than a blip, seen so or only likely, and the share that told it from the other.
fn long(measure: &Measure, share: &str) -> String {
    let seen = seen(measure);
    if measure.last - measure.start > BLIP_MAX {
        return format!("{seen}, over 10 min, so not a blip; {share}");
    }
    format!(
        "{seen}; {} % likely over 10 min in all, so not a blip; {share}",
        percent(1.0 - measure.blip_chance())
    )
}

/// `failed for 3 h`, `failing for 38 s and not over`, `failed once`.
fn seen(measure: &Measure) -> String {
    match (measure.last - measure.start, measure.over) {
        (0, true) => "failed within one second".to_owned(),
        (0, false) => "failed within one second and not over".to_owned(),
        (length, true) => format!("failed for {}", span(length)),
        (length, false) => format!("failing for {} and not over", span(length)),
    }
}

/// A chance above this is no longer worth a number.
const SURE: f64 = 0.995;

/// A chance in whole percent, never 0 or 100: it is no certainty.
fn percent(chance: f64) -> u64 {
    (chance * 100.0).round().clamp(1.0, 99.0) as u64
}

/// Seconds as people say them: `45 s`, `12 min`, `3 h`, `2 d`.
fn span(seconds: i64) -> String {
    match seconds {
        // Never "10 min" for what is over them.
        ..120 | 601..630 => format!("{seconds} s"),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Failures and good requests within a run of so many seconds.
    fn measure(failed: f64, good: f64, seconds: i64, over: bool) -> Measure {
        let start = 1_770_000_000;
        let latest = over.then_some(start + seconds + 30);
        Measure::bounded(failed, good, (start, start + seconds), over, latest)
    }

    #[test]
    fn a_short_run_that_goes_on_is_not_called_long() {
        let text = long(&measure(160.0, 1.0, 38, false), "so persistent");
        assert!(!text.contains("over 10 min, so"), "{text}");
        assert!(
            text.starts_with("failing for 38 s and not over; "),
            "{text}"
        );
        assert!(text.contains(" % likely over 10 min in all"), "{text}");
        assert!(text.ends_with("so not a blip; so persistent"), "{text}");
    }

    #[test]
    fn a_long_run_says_so_with_its_counts() {
        let text = long(&measure(1_500.0, 3_000.0, 7_200, true), "so intermittent");
        assert_eq!(
            text,
            "failed for 2 h, over 10 min, so not a blip; so intermittent"
        );
        let text = long(&measure(9.0, 1.0, 605, false), "so persistent");
        assert!(
            text.starts_with("failing for 605 s and not over, over 10 min"),
            "{text}"
        );
    }

    #[test]
    fn a_blip_says_whether_it_is_over_and_how_sure_that_is() {
        assert_eq!(
            blip(&measure(9.0, 0.0, 40, true)),
            "failed for 40 s, at most 10 min, so a blip"
        );
        assert_eq!(
            blip(&measure(1.0, 0.0, 0, true)),
            "failed within one second, at most 10 min, so a blip"
        );
        let text = blip(&measure(3.0, 0.0, 20, false));
        assert!(
            text.starts_with("failing for 20 s and not over; "),
            "{text}"
        );
        assert!(
            text.ends_with(" % likely at most 10 min in all, so a blip"),
            "{text}"
        );
    }
}
