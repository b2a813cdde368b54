//! When a line was written, by its envelope.

use model::Stamp;

use crate::format::{Moment, parse_time};

/// When a line was written, as far as an envelope says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// No envelope says.
    Unsaid,
    /// RFC 3164 leaves out year and zone: month, day, milliseconds since midnight.
    Yearless(u32, u32, i64),
    /// All but, perhaps, the zone.
    At(Moment),
}

/// Years tried backwards from the newest that is plausible: enough to come by a 29 February.
const YEARS_TRIED: u32 = 8;
const DAY_MILLIS: i64 = 86_400_000;

impl Written {
    /// `self` stands around `within`: the inner one is nearer to the event, but only a zone makes a moment of a stamp.
    pub(super) const fn or_within(self, within: Self) -> Self {
        if self.rank() > within.rank() {
            self
        } else {
            within
        }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Unsaid => 0,
            Self::Yearless(..) => 1,
            Self::At((_, None)) => 2,
            Self::At((_, Some(_))) => 3,
        }
    }

    /// The moment. A year that the stamp lacks is the last one that does not put it after `newest`.
    pub(crate) fn moment(self, newest: Option<Stamp>) -> Option<Moment> {
        match self {
            Self::Unsaid => None,
            Self::At(moment) => Some(moment),
            Self::Yearless(month, day, millis) => {
                let newest = newest?.0;
                let last = year_of(newest)?;
                let at = (0..YEARS_TRIED)
                    .filter_map(|back| midnight(last.checked_sub(back)?, month, day))
                    .map(|day| day + millis)
                    .find(|at| *at <= newest.saturating_add(DAY_MILLIS))?;
                Some((at, None))
            }
        }
    }
}

/// The year of a moment, or the one after where the moment is near its end.
fn year_of(millis: i64) -> Option<u32> {
    /// Of a mean year of the calendar.
    const YEAR_MILLIS: i64 = 31_556_952_000;
    let years = millis.checked_div(YEAR_MILLIS)?.checked_add(1_971)?;
    u32::try_from(years).ok()
}

/// Milliseconds from 1970 to the begin of a day that exists.
fn midnight(year: u32, month: u32, day: u32) -> Option<i64> {
    let text = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
    parse_time(text.as_bytes()).map(|(millis, _)| millis)
}

/// A moment in ISO 8601, in the zone it was written in.
pub(super) fn text((millis, zone): Moment) -> String {
    let local = millis.saturating_add(i64::from(zone.unwrap_or(0)) * 60_000);
    let (days, rest) = (local.div_euclid(DAY_MILLIS), local.rem_euclid(DAY_MILLIS));
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let day = days.saturating_add(719_468);
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + i64::from(month <= 2);
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    let (seconds, millis) = (rest / 1_000, rest % 1_000);
    let zone = match zone {
        None => String::new(),
        Some(zone) => {
            let sign = if zone < 0 { '-' } else { '+' };
            let minutes = zone.unsigned_abs();
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
    };
    format!(
        "{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}.{millis:03}{zone}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Longest ISO 8601 stamp: nanoseconds and an offset.
const ISO_MAX: usize = 36;

/// `2026-11-22T07:25:33.123456+01:00 `: the stamp, and what stands behind the blank.
pub(super) fn iso(line: &[u8]) -> Option<(Written, &[u8])> {
    if line.get(10) != Some(&b'T') {
        return None;
    }
    let space = memchr::memchr(b' ', line.get(..ISO_MAX).unwrap_or(line))?;
    let moment = parse_time(line.get(..space)?)?;
    Some((Written::At(moment), line.get(space + 1..)?))
}

/// `Nov 22 07:25:33 ` or, from `journalctl -o short-precise`, `Nov 22 07:25:33.123456 `; some put the year before the
/// clock.
pub(super) fn bsd(line: &[u8]) -> Option<(Written, &[u8])> {
    let (month, day) = match line {
        [a, b, c, b' ', tens, ones, b' ', ..] => (month(&[*a, *b, *c])?, day(*tens, *ones)?),
        _ => return None,
    };
    let rest = line.get(7..)?;
    let (year, rest) = match rest.get(4) {
        Some(b' ') => (Some(number(rest.get(..4)?)?), rest.get(5..)?),
        _ => (None, rest),
    };
    let space = memchr::memchr(b' ', rest.get(..CLOCK_MAX).unwrap_or(rest))?;
    // Any date does: only the clock is read.
    let mut text = [0; 11 + CLOCK_MAX];
    text.get_mut(..11)?.copy_from_slice(b"1970-01-01T");
    text.get_mut(11..11 + space)?
        .copy_from_slice(rest.get(..space)?);
    let (millis, zone) = parse_time(text.get(..11 + space)?)?;
    let written = match year {
        Some(year) => Written::At((midnight(year, month, day)? + millis, None)),
        None => Written::Yearless(month, day, millis),
    };
    zone.is_none().then_some((written, rest.get(space + 1..)?))
}

/// Four digits.
fn number(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u32::from(byte - b'0'))
    })
}

/// Longest `07:25:33.123456`, and the blank.
const CLOCK_MAX: usize = 16;

fn month(name: &[u8; 3]) -> Option<u32> {
    const NAMES: [&[u8; 3]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let at = NAMES.iter().position(|month| *month == name)?;
    u32::try_from(at + 1).ok()
}

/// Two digits, or a blank and one.
fn day(tens: u8, ones: u8) -> Option<u32> {
    let tens = match tens {
        b' ' => 0,
        b'0'..=b'3' => u32::from(tens - b'0'),
        _ => return None,
    };
    let ones = ones.is_ascii_digit().then(|| u32::from(ones - b'0'))?;
    Some(tens * 10 + ones)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> i64 {
        parse_time(text.as_bytes()).unwrap().0
    }

    #[test]
    fn a_year_that_is_left_out_is_the_last_that_fits() {
        let at = |stamp: &str, newest: &str| {
            let (written, rest) = bsd(stamp.as_bytes()).unwrap();
            assert_eq!(rest, b"x");
            written.moment(Some(Stamp(moment(newest))))
        };
        for (stamp, newest, wanted) in [
            (
                "Nov 22 07:25:33 x",
                "2026-11-24T00:00:00Z",
                "2026-11-22T07:25:33Z",
            ),
            (
                "Nov  2 07:25:33.250 x",
                "2026-11-24T00:00:00Z",
                "2026-11-02T07:25:33.250Z",
            ),
            (
                "Dec 31 23:59:59 x",
                "2026-01-01T00:00:05Z",
                "2025-12-31T23:59:59Z",
            ),
            // The clocks of two machines differ, and zones do.
            (
                "Jan  1 00:00:05 x",
                "2025-12-31T23:59:59Z",
                "2026-01-01T00:00:05Z",
            ),
            (
                "Feb 29 12:00:00 x",
                "2027-03-01T00:00:00Z",
                "2024-02-29T12:00:00Z",
            ),
        ] {
            assert_eq!(at(stamp, newest), Some((moment(wanted), None)), "{stamp}");
        }
        assert_eq!(bsd(b"Nov 22 07:25:33 x").unwrap().0.moment(None), None);
    }

    #[test]
    fn the_inner_stamp_wins_unless_only_the_outer_has_a_zone() {
        let outer = Written::At((1, Some(0)));
        assert_eq!(outer.or_within(Written::At((2, None))), outer);
        assert_eq!(outer.or_within(Written::Unsaid), outer);
        let inner = Written::At((2, Some(60)));
        assert_eq!(outer.or_within(inner), inner);
    }

    #[test]
    fn what_is_no_stamp_is_left() {
        for text in [
            "Nov 22 07:25 x",
            "Nov 42 x",
            "November 22",
            "Nov 22 07:25:33Z x",
            "",
        ] {
            assert!(bsd(text.as_bytes()).is_none(), "{text}");
        }
        for text in [
            "2026-11-22 07:25:33 x",
            "2026-11-22T07:25:33",
            "2026-11-22T",
            "2026-11-22T25:00:00Z x",
        ] {
            assert!(iso(text.as_bytes()).is_none(), "{text}");
        }
    }
}
