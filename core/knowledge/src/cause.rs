//! Causes: what each means and what to check first.

use model::Cause;

use crate::table::CAUSES;

/// What is known of a cause.
#[derive(Clone, Copy, Debug)]
pub struct CauseFacts {
    /// The cause.
    pub cause: Cause,
    /// A few words for a report line: "connection refused".
    pub title: &'static str,
    /// What it means, in a sentence.
    pub says: &'static str,
    /// What to do, first things first.
    pub advice: &'static [&'static str],
    /// Its usual shape in time.
    pub shape: &'static str,
    /// Where that is known from.
    pub source: &'static str,
    /// When that was checked; `None` prints "Data not yet verified".
    pub checked: Option<&'static str>,
}

/// What is known of `cause`.
pub fn cause(cause: Cause) -> &'static CauseFacts {
    // The build sorts the table by the order of the enum and refuses one with a gap.
    &CAUSES[cause as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_stands_in_its_place_with_advice() {
        for known in Cause::ALL {
            let facts = cause(known);
            assert_eq!(facts.cause, known);
            assert!((2..=4).contains(&facts.advice.len()), "{}", known.name());
            assert!(facts.title.len() <= 32, "{}", facts.title);
            assert!(!facts.source.is_empty());
        }
    }

    #[test]
    fn advice_does_not_repeat_common_mistakes() {
        let closed = cause(Cause::ClosedBeforeHeaders).advice.join(" ");
        assert!(!closed.contains("proxy_read_timeout") && !closed.contains("proxy_buffer"));
        let race = cause(Cause::IdleConnectionRace).advice.join(" ");
        assert!(race.contains("longer than the edge"));
    }
}
