//! Whether the edge answered so on purpose. A plain log cannot show it.

use model::{Cause, Confidence, Incident, MarkKind};
use tally::FailureView;

use crate::Context;
use crate::cause::Attribution;

/// How long an answer on purpose may last without a Retry-After or a mark. Our convention.
const WITHOUT_TERM_SECONDS: i64 = 86_400;

/// Made by the edge on purpose, and not yet past the term it named.
pub(crate) fn is_intended(
    incident: &Incident,
    found: &Attribution,
    failures: &[&FailureView],
    context: &Context,
) -> bool {
    let made_by_edge =
        found.cause == Some(Cause::EdgeMadeResponse) && found.confidence >= Confidence::Likely;
    if !made_by_edge {
        return false;
    }
    let lasted = incident.last_failure.secs_since(incident.start);
    let retry_after = failures
        .iter()
        .filter_map(|failure| failure.retry_after)
        .max()
        .map(i64::from);
    let mark = context
        .marks
        .iter()
        .filter(|mark| {
            mark.kind == MarkKind::Maintenance
                && mark.start <= incident.start
                && mark.end >= incident.start
        })
        .map(|mark| mark.end.secs_since(incident.start))
        .max();
    lasted <= retry_after.max(mark).unwrap_or(WITHOUT_TERM_SECONDS)
}
