//! One incident in one line.

use model::{Coverage, Diagnosis, Incident, Stamp};

use super::{harm, subject};
use crate::clean::fit;
use crate::time::Zone;
use crate::words::duration;

/// Columns of a subject in a line that says other things too.
const SUBJECT_COLUMNS: usize = 24;

/// One incident in one line, without its number: `blip 21 Nov 03:02, 2 min: the whole site, 23 fetches, all back`.
pub(crate) fn one_line(diagnosis: &Diagnosis, coverage: &Coverage, zone: Zone) -> String {
    let incident = &diagnosis.incident;
    let verdict = incident.verdict.name();
    let start = zone.moment(incident.start);
    let when = match incident.end {
        None => format!("{verdict} since {start}"),
        Some(_) => format!(
            "{verdict} {start}, {}",
            duration(length(incident, coverage))
        ),
    };
    format!(
        "{when}: {}, {}",
        fit(&subject(incident), SUBJECT_COLUMNS),
        harm(incident)
    )
}

/// The length of an incident up to its end or the end of the log, in seconds.
pub(crate) fn length(incident: &Incident, coverage: &Coverage) -> i64 {
    end(incident, coverage).secs_since(incident.start)
}

/// The end of an incident, or of the log while it is ongoing.
pub(crate) fn end(incident: &Incident, coverage: &Coverage) -> Stamp {
    incident.end.or(coverage.end).unwrap_or(coverage.judged_at)
}
