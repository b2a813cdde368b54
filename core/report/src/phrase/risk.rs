//! What is at risk, and the mark of the fact behind it.

use model::{Fact, Report, Risk, RiskStatus, RobotsFact};

use crate::clean::clean;
use crate::crawler;
use crate::time::Zone;

/// What is at risk, since when and until when. Its mark is [`fact_mark`].
pub(crate) fn risk(risk: &Risk, report: &Report, zone: Zone) -> String {
    let is_robots = risk.fact.0.starts_with("ROB");
    let says = clean(risk.says.trim().trim_end_matches('.'));
    // A phase of robots.txt ends, a deadline falls due.
    let due = match risk.due.map(|due| zone.soon(due)) {
        Some(due) if is_robots => format!(", at most to {due}"),
        Some(due) => format!(", due {due}"),
        None => String::new(),
    };
    // Only this crate knows zones: the moments go behind the clause that they belong to.
    let (end, since) = if is_robots {
        ("; ", robots_since(&says, report, zone))
    } else {
        (": ", owed_since(&says, report, zone))
    };
    match (says.split_once(end), since) {
        (Some((what, then)), Some(since)) => format!("{what}{since}{end}{then}{due}"),
        _ => format!("{says}{due}"),
    }
}

/// ` at 13:51, last good 11:20`, for the crawler that the first clause ends with.
fn robots_since(says: &str, report: &Report, zone: Zone) -> Option<String> {
    let (what, _) = says.split_once("; ")?;
    let named = |fact: &&RobotsFact| what.ends_with(&format!(" {}", crawler::name(fact.crawler)));
    let fact = report
        .robots
        .iter()
        .filter(named)
        .min_by_key(|fact| fact.failing_since)?;
    let good = fact.last_ok.map_or(String::new(), |at| {
        format!(", last good {}", zone.brief(at))
    });
    Some(format!(" at {}{good}", zone.brief(fact.failing_since)))
}

/// `, oldest since 09:14`, where the first clause says to whom URLs are owed.
fn owed_since(says: &str, report: &Report, zone: Zone) -> Option<String> {
    let (what, _) = says.split_once(": ")?;
    let (_, operator) = what.split_once(" owed to ")?;
    let rows = report.ledger.iter().filter(|row| row.owed > 0);
    let rows = rows.filter(|row| crawler::operator(row.crawler) == operator);
    let oldest = rows.map(|row| row.first_failed).min()?;
    Some(format!(", oldest since {}", zone.brief(oldest)))
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
