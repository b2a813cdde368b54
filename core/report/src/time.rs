//! Moments as text: the log's own zone for people, RFC 3339 UTC for machines.

use jiff::{Timestamp, ZonedDateTime, tz::Offset};
use model::{Coverage, LogKind, Stamp};

/// The zone that a report's times are shown in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zone {
    offset: Offset,
    /// The year and day of the end of the log: what lies in them needs not be said.
    end: Stamp,
    /// Whether the year stands in every date: a log that spans a new year, or read long after.
    with_year: bool,
}

impl Zone {
    /// The zone that most access sources have, by lines; else the error log's; else UTC.
    pub(crate) fn of(coverage: &Coverage, clock: Option<Stamp>) -> Self {
        let minutes = most_common_zone(coverage).or(coverage.joined.error_zone);
        let end = coverage.end.unwrap_or(coverage.judged_at);
        let mut zone = Self {
            offset: offset(minutes.unwrap_or(0)),
            end,
            with_year: false,
        };
        let year = |stamp| zone.local(stamp).year();
        let start = coverage.start.unwrap_or(end);
        zone.with_year =
            year(start) != year(end) || clock.is_some_and(|now| year(now) != year(end));
        zone
    }

    /// `22 Nov`, with the year where it is not plain.
    pub(crate) fn date(self, stamp: Stamp) -> String {
        let pattern = if self.with_year {
            "%-d %b %Y"
        } else {
            "%-d %b"
        };
        self.local(stamp).strftime(pattern).to_string()
    }

    /// `14:12`.
    pub(crate) fn minute(self, stamp: Stamp) -> String {
        self.local(stamp).strftime("%H:%M").to_string()
    }

    /// `14:12:03`.
    pub(crate) fn second(self, stamp: Stamp) -> String {
        self.local(stamp).strftime("%H:%M:%S").to_string()
    }

    /// `13:50` on the last day of the log, `21 Nov 13:50` on others.
    pub(crate) fn brief(self, stamp: Stamp) -> String {
        if self.same_day(stamp, self.end) {
            self.minute(stamp)
        } else {
            format!("{} {}", self.date(stamp), self.minute(stamp))
        }
    }

    /// `01:51` within a day after the end of the log, else with its date.
    pub(crate) fn soon(self, stamp: Stamp) -> String {
        if (0..86_400).contains(&stamp.secs_since(self.end)) {
            self.minute(stamp)
        } else {
            self.moment(stamp)
        }
    }

    /// `21 Nov 03:02`.
    pub(crate) fn moment(self, stamp: Stamp) -> String {
        format!("{} {}", self.date(stamp), self.minute(stamp))
    }

    /// `22 Nov 09:14:07 .. 14:12:03 +01:00`; `end_words` stands before the second moment.
    pub(crate) fn interval(self, start: Stamp, end: Stamp, end_words: &str) -> String {
        let day = if self.same_day(start, end) {
            String::new()
        } else {
            self.date(end) + " "
        };
        format!(
            "{} {} .. {end_words}{day}{} {}",
            self.date(start),
            self.second(start),
            self.second(end),
            self.name()
        )
    }

    /// `12 Nov 09:14 .. 22 Nov 14:12 +01:00`.
    pub(crate) fn minutes(self, start: Stamp, end: Stamp) -> String {
        format!(
            "{} .. {} {}",
            self.moment(start),
            self.moment(end),
            self.name()
        )
    }

    /// `+01:00`.
    pub(crate) fn name(self) -> String {
        let minutes = self.offset.seconds() / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.abs();
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    fn same_day(self, one: Stamp, other: Stamp) -> bool {
        self.local(one).date() == self.local(other).date()
    }

    fn local(self, stamp: Stamp) -> ZonedDateTime {
        timestamp(stamp).to_zoned_datetime(self.offset.to_time_zone())
    }
}

/// `2026-11-22T08:14:07Z`, with milliseconds only where there are any.
pub(crate) fn rfc3339(stamp: Stamp) -> String {
    let at = timestamp(stamp);
    if at.subsec_nanosecond() == 0 {
        format!("{at:.0}")
    } else {
        format!("{at:.3}")
    }
}

/// The moment of an odd stamp is the nearest one that a calendar can show.
fn timestamp(stamp: Stamp) -> Timestamp {
    let bound = if stamp.0 < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_millisecond(stamp.0).unwrap_or(bound)
}

fn offset(minutes: i32) -> Offset {
    Offset::from_seconds(minutes.saturating_mul(60)).unwrap_or(Offset::UTC)
}

fn most_common_zone(coverage: &Coverage) -> Option<i32> {
    let mut lines: std::collections::BTreeMap<i32, u64> = std::collections::BTreeMap::new();
    for source in &coverage.sources {
        if let (LogKind::Access, Some(zone)) = (source.kind, source.zone) {
            *lines.entry(zone).or_default() += source.requests;
        }
    }
    // Of equals the first: max_by_key gives the last, so the order is turned.
    lines
        .into_iter()
        .rev()
        .max_by_key(|(_, requests)| *requests)
        .map(|(zone, _)| zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(minutes: i32) -> Zone {
        let mut coverage = Coverage {
            end: Some(Stamp(0)),
            ..Coverage::default()
        };
        coverage.joined.error_zone = Some(minutes);
        Zone::of(&coverage, None)
    }

    #[test]
    fn zones_of_any_half_hour_are_named() {
        assert_eq!(zone(60).name(), "+01:00");
        assert_eq!(zone(-210).name(), "-03:30");
        assert_eq!(
            zone(345).interval(Stamp(0), Stamp(60_000), ""),
            "1 Jan 05:45:00 .. 05:46:00 +05:45"
        );
        assert_eq!(zone(i32::MAX).name(), "+00:00");
    }

    #[test]
    fn the_other_day_is_named() {
        let later = Stamp::from_secs(86_400);
        assert_eq!(
            zone(0).interval(Stamp(0), later, ""),
            "1 Jan 00:00:00 .. 2 Jan 00:00:00 +00:00"
        );
        assert_eq!(
            (zone(0).brief(Stamp(0)), zone(0).brief(later)),
            ("00:00".into(), "2 Jan 00:00".into())
        );
    }

    #[test]
    fn machines_read_utc() {
        assert_eq!(rfc3339(Stamp(1_764_000_000_000)), "2025-11-24T16:00:00Z");
        assert_eq!(rfc3339(Stamp(-1)), "1969-12-31T23:59:59.999Z");
    }
}
