//! Facts whose source is to be read again: each kind of source has its period.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

/// A fact that is due.
pub(crate) struct Due {
    pub(crate) name: &'static str,
    pub(crate) source: &'static str,
    pub(crate) checked: &'static str,
}

/// Days after which a source of that kind is read again; `None` where the text cannot change.
/// Operators change their pages without notice, several times a year (Google's crawling pages: 11 February, 6 October
/// 2026); products change with releases, and code is cited by commit; an RFC stays. The days are a convention of ours.
fn period_days(kind: &str) -> Option<i32> {
    match kind {
        "operator-doc" => Some(180),
        "internet-draft" => Some(90),
        "vendor-doc" => Some(365),
        _ => None,
    }
}

/// Statements and crawlers that are due on that day. What was never checked is not due: it is listed as such.
pub(crate) fn facts(today: Date) -> Vec<Due> {
    let statements = knowledge::facts().iter();
    let statements = statements.map(|it| (it.id, it.kind, it.source, it.checked));
    let crawlers = knowledge::crawlers().iter();
    let crawlers = crawlers.map(|it| (it.id, "operator-doc", it.source, it.checked));
    let due = statements
        .chain(crawlers)
        .filter_map(|(name, kind, source, checked)| {
            let checked = checked?;
            let until = first_day(checked)?
                .checked_add(period_days(kind)?.days())
                .ok()?;
            (until < today).then_some(Due {
                name,
                source,
                checked,
            })
        });
    due.collect()
}

/// The day in UTC.
pub(crate) fn today() -> Result<Date> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let now = Timestamp::from_second(i64::try_from(since)?)?;
    Ok(Offset::UTC.to_datetime(now).date())
}

/// The first day of a year, a month or a day: what was read in a month may have been read on its first.
fn first_day(checked: &str) -> Option<Date> {
    let mut parts = checked.split('-');
    let year = parts.next()?.parse().ok()?;
    let mut number = || parts.next().map_or(Some(1), |part| part.parse::<i8>().ok());
    let (month, day) = (number()?, number()?);
    Date::new(year, month, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_month_begins_on_its_first_day() {
        assert_eq!(first_day("2026-11"), Some(date(2026, 11, 1)));
        assert_eq!(first_day("2026-07-08"), Some(date(2026, 7, 8)));
        assert_eq!(first_day("2026"), Some(date(2026, 1, 1)));
        assert_eq!(first_day("soon"), None);
    }

    #[test]
    fn only_what_can_change_becomes_due() {
        assert!(facts(date(2025, 1, 1)).is_empty());
        let later = facts(date(2040, 1, 1));
        assert!(later.iter().any(|due| due.name == "ROB-07"));
        assert!(
            !later.iter().any(|due| due.name == "502-01"),
            "an RFC stays"
        );
        assert!(
            !later.iter().any(|due| due.name == "500-06"),
            "never checked"
        );
    }
}
