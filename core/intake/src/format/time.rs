//! When a line was written: the stamps that nginx, Apache and their like write, as milliseconds UTC.
//!
//! Calendar arithmetic of our own, because a stamp stands in every line: a general library costs several times the
//! rest of the line. Only what the products write is read; anything else is `None`.

/// A moment in milliseconds UTC, and the zone it was written in (minutes east), where it was.
pub(crate) type Moment = (i64, Option<i32>);

/// Reads `22/Nov/2026:07:25:33 +0000`, ISO 8601 (`2026-11-22T07:25:33.1+00:00`), or an epoch in seconds,
/// milliseconds, microseconds or nanoseconds. A stamp without a zone is taken as UTC, and says so by `None`.
pub(crate) fn parse_time(text: &[u8]) -> Option<Moment> {
    let text = text.strip_prefix(b"[").unwrap_or(text);
    let text = text.strip_suffix(b"]").unwrap_or(text);
    match text {
        [_, _, b'/', ..] => clf(text),
        [_, _, _, _, b'-' | b'/', ..] => iso(text),
        [b'0'..=b'9', ..] => epoch(text),
        _ => None,
    }
}

/// Whether `text` begins like a stamp in a log line's brackets. A cheap look, not a check.
pub(super) fn begins_like_time(text: &[u8]) -> bool {
    match text {
        [a, b, b'/', _, _, _, b'/', _, _, _, _, b':' | b' ', ..] => {
            a.is_ascii_digit() && b.is_ascii_digit()
        }
        [a, _, _, d, b'-', _, _, b'-', _, _, b'T' | b' ', ..] => {
            a.is_ascii_digit() && d.is_ascii_digit()
        }
        _ => false,
    }
}

/// Remembers the last stamp: neighbouring lines mostly carry the same second. Changes speed only, never an answer.
pub(crate) struct TimeMemo {
    key: [u8; CLF_LEN],
    moment: Option<Moment>,
}

/// Length of `22/Nov/2026:07:25:33 +0000`.
const CLF_LEN: usize = 26;

impl TimeMemo {
    /// Remembers nothing.
    pub(crate) const fn new() -> Self {
        Self {
            key: [0; CLF_LEN],
            moment: None,
        }
    }

    /// The same as [`parse_time`].
    pub(crate) fn parse(&mut self, text: &[u8]) -> Option<Moment> {
        let Ok(key) = <&[u8; CLF_LEN]>::try_from(text) else {
            return parse_time(text);
        };
        if *key != self.key {
            self.moment = parse_time(text);
            self.key = *key;
        }
        self.moment
    }
}

/// `22/Nov/2026:07:25:33 +0000`, with a blank for the first colon as strftime formats have it.
fn clf(text: &[u8]) -> Option<Moment> {
    let day = two(text, 0)?;
    let month = month(text.get(3..6)?)?;
    let year = four(text, 7)?;
    if text.get(6) != Some(&b'/') || !matches!(text.get(11), Some(b':' | b' ')) {
        return None;
    }
    clock(text.get(12..)?, days(year, month, day)?)
}

/// `2026-11-22T07:25:33.123+00:00` and its relatives.
fn iso(text: &[u8]) -> Option<Moment> {
    let year = four(text, 0)?;
    let month = two(text, 5)?;
    let day = two(text, 8)?;
    if text.get(7) != text.get(4)
        || !matches!(text.get(10), Some(b'T' | b't' | b' ' | b'\t' | b':'))
    {
        return None;
    }
    clock(text.get(11..)?, days(year, month, day)?)
}

/// `07:25:33`, a fraction, a zone.
fn clock(text: &[u8], days: i64) -> Option<Moment> {
    let hour = two(text, 0)?;
    let minute = two(text, 3)?;
    let second = two(text, 6)?;
    // 60 is a leap second; it counts as the first of the next minute.
    if text.get(2) != Some(&b':')
        || text.get(5) != Some(&b':')
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let (millis, rest) = fraction(text.get(8..)?)?;
    let zone = zone(rest)?;
    let local = days * 86_400 + hour * 3_600 + minute * 60 + second;
    let utc = local - i64::from(zone.unwrap_or(0)) * 60;
    Some((utc * 1_000 + millis, zone))
}

/// `.123456`: its milliseconds, and what follows.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.' | b',', digits @ ..] = text else {
        return Some((0, text));
    };
    let len = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if len == 0 {
        return None;
    }
    let (digits, rest) = digits.split_at(len);
    Some((leading_millis(digits), rest))
}

/// The first three digits after a decimal point.
fn leading_millis(digits: &[u8]) -> i64 {
    (0..3).fold(0, |sum, at| {
        sum * 10 + digits.get(at).map_or(0, |byte| i64::from(byte - b'0'))
    })
}

/// Nothing, `Z`, `+0000`, `+00:00` or `+00`, with or without a blank before.
fn zone(text: &[u8]) -> Option<Option<i32>> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let (sign, digits) = match text {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let hours = two(digits, 0)?;
    let minutes = match digits.len() {
        2 => 0,
        4 => two(digits, 2)?,
        5 if digits[2] == b':' => two(digits, 3)?,
        _ => return None,
    };
    // The widest zones in use are -12:00 and +14:00.
    if hours > 15 || minutes > 59 {
        return None;
    }
    Some(Some(sign * (hours as i32 * 60 + minutes as i32)))
}

/// `1700000000.123`, or whole milliseconds, microseconds, nanoseconds: told apart by the number of digits, which is
/// unambiguous from 1973 to 2286.
fn epoch(text: &[u8]) -> Option<Moment> {
    let len = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = text.split_at(len);
    let (millis, rest) = fraction(rest)?;
    if !rest.is_empty() {
        return None;
    }
    let number = whole.iter().try_fold(0_i64, |sum, byte| {
        sum.checked_mul(10)?.checked_add(i64::from(byte - b'0'))
    })?;
    let at = match len {
        9..=10 => number * 1_000 + millis,
        13 => number,
        16 => number / 1_000,
        19 => number / 1_000_000,
        _ => return None,
    };
    Some((at, None))
}

/// Days since the epoch of a date that exists (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
pub(crate) fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1970..=9999).contains(&year) || day < 1 || day > last {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let era = year / 400;
    let year_of_era = year - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn month(name: &[u8]) -> Option<i64> {
    let number = match name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    };
    Some(number)
}

fn two(text: &[u8], at: usize) -> Option<i64> {
    match text.get(at..at + 2)? {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(i64::from(a - b'0') * 10 + i64::from(b - b'0')),
        _ => None,
    }
}

fn four(text: &[u8], at: usize) -> Option<i64> {
    Some(two(text, at)? * 100 + two(text, at + 2)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    // `date -u -d '2026-11-22 07:25:33' +%s`
    const AT: i64 = 1_795_332_333_000;

    #[test]
    fn one_moment_in_every_spelling() {
        for (text, millis, zone) in [
            ("22/Nov/2026:07:25:33 +0000", 0, Some(0)),
            ("22/Nov/2026:08:25:33 +0100", 0, Some(60)),
            ("22/Nov/2026:02:55:33 -0430", 0, Some(-270)),
            ("22/Nov/2026:07:25:33.120 +0000", 120, Some(0)),
            ("22/Nov/2026 07:25:33.120 +0000", 120, Some(0)),
            ("22/Nov/2026:07:25:33", 0, None),
            ("[22/Nov/2026:07:25:33 +0000]", 0, Some(0)),
            ("2026-11-22T07:25:33Z", 0, Some(0)),
            ("2026-11-22T08:25:33+01:00", 0, Some(60)),
            ("2026-11-22T08:25:33.5+0100", 500, Some(60)),
            ("2026-11-22 07:25:33,123456", 123, None),
            ("2026/11/22 07:25:33", 0, None),
            ("2026-11-22\t07:25:33", 0, None),
            ("1795332333", 0, None),
            ("1795332333.042", 42, None),
            ("1795332333042", 42, None),
            ("1795332333042999", 42, None),
        ] {
            assert_eq!(
                parse_time(text.as_bytes()),
                Some((AT + millis, zone)),
                "{text}"
            );
        }
    }

    #[test]
    fn dates_that_do_not_exist_are_none() {
        for text in [
            "31/Nov/2026:07:25:33 +0000",
            "29/Feb/2026:07:25:33 +0000",
            "00/Jan/2026:07:25:33 +0000",
            "22/Foo/2026:07:25:33 +0000",
            "22/Nov/2026:24:25:33 +0000",
            "22/Nov/2026:07:60:33 +0000",
            "22/Nov/2026:07:25:61 +0000",
            "22/Nov/2026:07:25:33 +9900",
            "22/Nov/2026:07:25",
            "2026-13-22T07:25:33Z",
            "2026-11-22",
            "179533",
            "-",
            "",
        ] {
            assert_eq!(parse_time(text.as_bytes()), None, "{text}");
        }
        assert!(parse_time(b"29/Feb/2028:07:25:33 +0000").is_some());
    }

    #[test]
    fn a_leap_second_is_the_next_minute() {
        let leap = parse_time(b"31/Dec/2016:23:59:60 +0000");
        assert_eq!(leap, parse_time(b"01/Jan/2017:00:00:00 +0000"));
    }

    #[test]
    fn the_memo_never_changes_an_answer() {
        let mut memo = TimeMemo::new();
        for text in [
            "22/Nov/2026:07:25:33 +0000",
            "22/Nov/2026:07:25:33 +0000",
            "22/Nov/2026:07:25:33 +0100",
            "22/Xxx/2026:07:25:33 +0100",
            "22/Xxx/2026:07:25:33 +0100",
            "1795332333",
            "22/Nov/2026:07:25:33 +0100",
        ] {
            assert_eq!(
                memo.parse(text.as_bytes()),
                parse_time(text.as_bytes()),
                "{text}"
            );
        }
        assert_eq!(TimeMemo::new().parse(&[0; CLF_LEN]), None);
    }
}
