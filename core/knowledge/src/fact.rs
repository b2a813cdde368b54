//! Single statements with a source, by id (`ROB-07`).

use crate::table::FACTS;
use crate::{crawlers, signs};

/// One statement.
#[derive(Clone, Copy, Debug)]
pub struct FactEntry {
    /// Its id.
    pub id: &'static str,
    /// What it is about: a status (`502`) or a word (`robots`), the name of its file.
    pub topic: &'static str,
    /// What it says, in our words.
    pub says: &'static str,
    /// Kind of source: `rfc`, `internet-draft`, `operator-doc`, `vendor-doc` or `secondary`.
    pub kind: &'static str,
    /// Primary source.
    pub source: &'static str,
    /// What of the source was read: the full text, a dated copy, an excerpt.
    pub basis: &'static str,
    /// When the source was read; `None` prints "Data not yet verified".
    pub checked: Option<&'static str>,
}

/// Every statement, by id.
pub fn facts() -> &'static [FactEntry] {
    &FACTS
}

/// The statement of that id.
pub fn fact(id: &str) -> Option<&'static FactEntry> {
    let index = FACTS.binary_search_by(|fact| fact.id.cmp(id)).ok()?;
    FACTS.get(index)
}

/// How many of a kind were checked at their source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Checked {
    /// Checked.
    pub verified: usize,
    /// "Data not yet verified".
    pub unverified: usize,
}

impl Checked {
    pub(crate) fn count(dates: impl Iterator<Item = Option<&'static str>>) -> Self {
        dates.fold(Self::default(), |sum, date| match date {
            Some(_) => Self {
                verified: sum.verified + 1,
                ..sum
            },
            None => Self {
                unverified: sum.unverified + 1,
                ..sum
            },
        })
    }
}

/// What of the knowledge was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CheckedTotals {
    /// Statements.
    pub statements: Checked,
    /// Crawlers.
    pub crawlers: Checked,
    /// Signs.
    pub signs: Checked,
    /// Claims of topics.
    pub claims: Checked,
    /// Common mistakes.
    pub mistakes: Checked,
}

/// Counts what was checked at its source and what was not.
pub fn unverified() -> CheckedTotals {
    let (claims, mistakes) = crate::topic::checked();
    CheckedTotals {
        statements: Checked::count(facts().iter().map(|fact| fact.checked)),
        crawlers: Checked::count(crawlers().iter().map(|crawler| crawler.checked)),
        signs: Checked::count(signs().iter().map(|sign| sign.checked)),
        claims,
        mistakes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_found_by_id() {
        assert_eq!(facts().len(), 232);
        for known in facts() {
            assert_eq!(fact(known.id).map(|found| found.says), Some(known.says));
            assert!(
                !known.source.is_empty() && !known.says.is_empty(),
                "{}",
                known.id
            );
        }
        assert!(fact("ROB-07").is_some_and(|fact| fact.topic == "robots"));
        assert!(fact("rob-07").is_none());
    }

    #[test]
    fn what_was_not_checked_is_counted() {
        let totals = unverified();
        assert_eq!(
            totals.statements,
            Checked {
                verified: 213,
                unverified: 19
            }
        );
        assert_eq!(
            totals.crawlers.verified + totals.crawlers.unverified,
            crawlers().len()
        );
        assert_eq!(
            totals.signs.verified + totals.signs.unverified,
            signs().len()
        );
        assert!(crawlers().len() >= 148);
    }
}
