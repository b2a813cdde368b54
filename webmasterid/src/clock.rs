//! Times as users type them.

use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use model::Stamp;

/// The moment of judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Now {
    /// The real time.
    Clock,
    /// A given one.
    At(Stamp),
}

/// The real time.
pub(crate) fn now() -> Stamp {
    Stamp(Timestamp::now().as_millisecond())
}

/// RFC 3339; without a zone UTC; a day alone is its beginning.
pub(crate) fn parse_time(text: &str) -> Result<Stamp, String> {
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Ok(Stamp(stamp.as_millisecond()));
    }
    text.parse::<DateTime>()
        .ok()
        .and_then(|civil| TimeZone::UTC.to_timestamp(civil).ok())
        .map(|stamp| Stamp(stamp.as_millisecond()))
        .ok_or_else(|| "not a time; write it like 2026-11-22T09:00:00+01:00".to_owned())
}

/// A time, or `clock`.
pub(crate) fn parse_now(text: &str) -> Result<Now, String> {
    match text {
        "clock" => Ok(Now::Clock),
        _ => parse_time(text).map(Now::At),
    }
}

/// `+01:00`, `-0330` or `Z`, as minutes east of UTC.
pub(crate) fn parse_offset(text: &str) -> Result<i32, String> {
    let wrong = || "not an offset; write it like +01:00".to_owned();
    if text.eq_ignore_ascii_case("z") {
        return Ok(0);
    }
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("+", digits)) => (1, digits),
        Some(("-", digits)) => (-1, digits),
        _ => return Err(wrong()),
    };
    let digits = digits.replace(':', "");
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number = |part: &str| part.parse::<i32>().map_err(|_| wrong());
    let (hours, minutes) = (number(&digits[..2])?, number(&digits[2..])?);
    if hours > 14 || minutes > 59 {
        return Err(wrong());
    }
    Ok(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() {
        assert_eq!(
            parse_time("2026-11-22T09:00:00+01:00"),
            Ok(Stamp::from_secs(1_795_334_400))
        );
        assert_eq!(
            parse_time("2026-11-22 08:00"),
            Ok(Stamp::from_secs(1_795_334_400))
        );
        assert_eq!(
            parse_time("2026-11-22"),
            Ok(Stamp::from_secs(1_795_305_600))
        );
        assert!(parse_time("yesterday").is_err());
    }

    #[test]
    fn offsets() {
        assert_eq!(parse_offset("+01:00"), Ok(60));
        assert_eq!(parse_offset("-0330"), Ok(-210));
        assert_eq!(parse_offset("Z"), Ok(0));
        assert!(parse_offset("+25:00").is_err());
        assert!(parse_offset("CET").is_err());
    }
}
