//! What is at risk, and the mark of the fact behind it.

use model::{Fact, Risk, RiskStatus};

use crate::clean::clean;
use crate::time::Zone;

/// What is at risk, since when and until when. Its mark is [`fact_mark`].
pub(crate) fn risk(risk: &Risk, zone: Zone) -> String {
    let is_robots = risk.fact.0.starts_with("ROB");
    // A phase of robots.txt ends, a deadline falls due.
    let due = match risk.due.map(|due| zone.soon(due)) {
        Some(due) if is_robots => format!(", at most to {due}"),
        Some(due) => format!(", due {due}"),
        None => String::new(),
    };
    let since = match risk.since.map(|since| zone.brief(since)) {
        Some(since) if is_robots => format!(" at {since}"),
        Some(since) => format!(", oldest since {since}"),
        None => String::new(),
    };
    let good = risk.last_good.map_or(String::new(), |at| {
        format!(", last good {}", zone.brief(at))
    });
    format!(
        "{}{since}{good}; {}{due}",
        clean(&risk.what),
        clean(&risk.then)
    )
}

/// `[ROB-07, verified]`.
pub(crate) fn fact_mark(fact: Fact, status: RiskStatus) -> String {
    match status {
        RiskStatus::Verified => format!("[{}, verified]", fact.0),
        RiskStatus::NotYetVerified => format!("[{}: Data not yet verified]", fact.0),
    }
}

/// The mark of a fact that an advice leans on, with its state as the tables have it.
pub(crate) fn advice_mark(fact: Fact) -> String {
    let verified = knowledge::fact(fact.0).is_some_and(|entry| entry.checked.is_some());
    let status = if verified {
        RiskStatus::Verified
    } else {
        RiskStatus::NotYetVerified
    };
    fact_mark(fact, status)
}
