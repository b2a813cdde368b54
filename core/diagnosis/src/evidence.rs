//! The lines that show an incident: for each sign the smallest place, and how many more there are.

use std::collections::BTreeMap;

use model::{Cause, Confidence, Evidence, Finding, Incident, Place, SignId};
use tally::{FailureView, View};

use crate::related::Related;

/// Kinds of evidence shown.
const EVIDENCE_MAX: usize = 8;
/// Signs without a request count as evidence when they stand this long before the first failure.
const BEFORE_SECONDS: i64 = 120;

/// What shows `cause` comes first; then sorted by how sure, then by how many.
pub(crate) fn evidence(
    view: &View,
    incident: &Incident,
    failures: &[&FailureView],
    cause: Option<Cause>,
) -> Vec<Evidence> {
    let mut found: BTreeMap<Kind, Group> = BTreeMap::new();
    for failure in failures {
        let sign = failure.finding.and_then(|finding| finding.sign);
        if let Some(place) = failure.evidence {
            add(
                &mut found,
                (true, sign),
                place,
                failure.evidence_count.max(1),
                failure.finding,
            );
        } else {
            add(
                &mut found,
                (false, sign),
                failure.place,
                u64::from(failure.count),
                failure.finding,
            );
        }
    }
    let related = Related::of(view, incident, failures);
    let start = incident.start.secs() - BEFORE_SECONDS;
    let near = view.signs.iter().filter(|sign| {
        (start..=incident.last_failure.secs()).contains(&sign.at.secs())
            && sign.finding.cause != Some(Cause::ClientAbort)
    });
    for sign in near {
        if related.has_sign(sign) {
            add(
                &mut found,
                (true, sign.finding.sign),
                sign.place,
                sign.count,
                Some(sign.finding),
            );
        }
    }
    let mut groups: Vec<(Kind, Group)> = found.into_iter().collect();
    groups.sort_by_key(|((error_log, sign, says, _), group)| {
        (
            cause.is_some() && *says != cause,
            std::cmp::Reverse((group.confidence, *error_log, group.count)),
            group.place,
            *sign,
        )
    });
    groups.truncate(EVIDENCE_MAX);
    groups
        .into_iter()
        .map(|((_, sign, cause, is_open), group)| Evidence {
            place: group.place,
            sign,
            says: says(cause, is_open),
            count: group.count,
        })
        .collect()
}

/// Lines that say the same: whether of the error log, their sign, their cause, and whether that is one of several.
type Kind = (bool, Option<SignId>, Option<Cause>, bool);

struct Group {
    place: Place,
    count: u64,
    confidence: Confidence,
}

fn add(
    found: &mut BTreeMap<Kind, Group>,
    (error_log, sign): (bool, Option<SignId>),
    place: Place,
    count: u64,
    finding: Option<Finding>,
) {
    let confidence = finding.map_or(Confidence::Unknown, |finding| finding.confidence);
    let kind = (
        error_log,
        sign,
        shown(sign, finding),
        confidence == Confidence::Ambiguous,
    );
    let group = found.entry(kind).or_insert(Group {
        place,
        count: 0,
        confidence,
    });
    group.place = group.place.min(place);
    group.count += count;
    group.confidence = group.confidence.max(confidence);
}

fn shown(sign: Option<SignId>, finding: Option<Finding>) -> Option<Cause> {
    sign.map(|sign| knowledge::sign(sign).cause)
        .or(finding.and_then(|finding| finding.cause))
}

/// What the lines say: the cause by its title, or that they only say the status.
fn says(cause: Option<Cause>, is_open: bool) -> String {
    match cause.map(|cause| knowledge::cause(cause).title) {
        // The first of several is no fact.
        Some(title) if is_open => format!("fits several causes, {title} among them"),
        Some(title) => title.to_owned(),
        None => "failed, without a cause in the log".to_owned(),
    }
}
