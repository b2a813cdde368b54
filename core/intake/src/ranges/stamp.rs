//! When a list was made, in the spellings of those who publish lists. Without a zone it is UTC.

use model::Stamp;

/// `2026-02-11T23:00:34.000000`, `2026-11-20-17-43-10`, a day, or seconds and milliseconds since the epoch.
pub(super) fn read(text: &str) -> Option<Stamp> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text.parse().ok()?;
        return match text.len() {
            10 => Some(Stamp::from_secs(number)),
            13 => Some(Stamp(number)),
            _ => None,
        };
    }
    let mut numbers = text
        .split(|char: char| !char.is_ascii_digit())
        .map(|part| part.parse::<i64>().ok());
    let mut next = || numbers.next().flatten();
    let days = crate::format::days(next()?, next()?, next()?)?;
    let clock = [next(), next(), next()].map(Option::unwrap_or_default);
    let [hours, minutes, seconds] = clock;
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    Some(Stamp::from_secs(
        days * 86_400 + hours * 3_600 + minutes * 60 + seconds,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_one_moment() {
        for text in [
            "2026-11-20T17:43:10.000000",
            "2026-11-20T17:43:10Z",
            "2026-11-20-17-43-10",
            "1795196590",
            "1795196590123",
        ] {
            assert_eq!(read(text).map(Stamp::secs), Some(1_795_196_590), "{text}");
        }
        assert_eq!(read("2026-11-20").map(Stamp::secs), Some(1_795_132_800));
        for text in [
            "",
            "yesterday",
            "2026-02-30",
            "20261120",
            "2026-11-20T25:00:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
