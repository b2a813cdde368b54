//! Numbers, durations and plurals as people read them.

/// `1234567` as `1,234,567`.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `3 files`, `1 file`. `plural` is the whole word.
pub(crate) fn count(value: u64, singular: &str, plural: &str) -> String {
    let noun = if value == 1 { singular } else { plural };
    format!("{} {noun}", number(value))
}

/// `301 of 903`.
pub(crate) fn share(failed: u64, total: u64) -> String {
    format!("{} of {}", number(failed), number(total))
}

/// The two largest units, rounded: `4 h 58 min`, `2 d 3 h`, `12 min`, `40 s`. Seconds only below two minutes.
pub(crate) fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let minutes = seconds.saturating_add(30) / 60;
    let hours = seconds.saturating_add(1_800) / 3_600;
    if seconds < 120 {
        format!("{seconds} s")
    } else if minutes < 60 {
        format!("{minutes} min")
    } else if minutes < 24 * 60 {
        two(minutes / 60, "h", minutes % 60, "min")
    } else {
        two(hours / 24, "d", hours % 24, "h")
    }
}

/// Small numbers in words, as prose has them: `two neighbours`.
pub(crate) fn small(value: u64) -> String {
    let words = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    usize::try_from(value)
        .ok()
        .and_then(|index| words.get(index))
        .map_or_else(|| number(value), |word| (*word).to_owned())
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [head @ .., tail] => format!("{} {last} {tail}", head.join(", ")),
    }
}

/// A sentence with a small first letter and no full stop, to stand after a colon.
pub(crate) fn clause(sentence: &str) -> String {
    let sentence = sentence.trim().trim_end_matches('.');
    let mut letters = sentence.chars();
    match (letters.next(), letters.clone().next()) {
        // `TLS`, `A client`: only a capital that begins a small word is lowered.
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() => {
            format!("{}{}", first.to_lowercase(), letters.as_str())
        }
        _ => sentence.to_owned(),
    }
}

fn two(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large} {large_unit}")
    } else {
        format!("{large} {large_unit} {small} {small_unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        assert_eq!(
            [0, 999, 1_000, 72_104, 1_234_567].map(number),
            ["0", "999", "1,000", "72,104", "1,234,567"]
        );
        assert_eq!(number(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn durations_keep_two_units() {
        assert_eq!(
            [-5, 40, 119, 120, 3_599, 17_876, 86_399, 183_600].map(duration),
            [
                "0 s",
                "40 s",
                "119 s",
                "2 min",
                "1 h",
                "4 h 58 min",
                "1 d",
                "2 d 3 h"
            ]
        );
    }

    #[test]
    fn clauses_lower_words_but_not_names() {
        assert_eq!(clause("Nothing listens there."), "nothing listens there");
        assert_eq!(clause("TLS did not complete."), "TLS did not complete");
    }
}
