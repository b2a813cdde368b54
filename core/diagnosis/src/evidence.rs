//! The lines that show an incident: for each sign the smallest place, and how many more there are.

use std::collections::BTreeMap;

use model::{Confidence, Evidence, Finding, Incident, Place, SignId};
use tally::{FailureView, View};

/// Kinds of evidence shown.
const EVIDENCE_MAX: usize = 8;
/// Signs without a request count as evidence when they stand this long before the first failure.
const BEFORE_SECONDS: i64 = 120;

/// Sorted by how sure, then by how many.
pub(crate) fn evidence(
    view: &View,
    incident: &Incident,
    failures: &[&FailureView],
) -> Vec<Evidence> {
    let mut found: BTreeMap<(bool, Option<SignId>), Group> = BTreeMap::new();
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
    let start = incident.start.secs() - BEFORE_SECONDS;
    let near = view.signs.iter().filter(|sign| {
        (start..=incident.last_failure.secs()).contains(&sign.at.secs())
            && sign.finding.cause != Some(model::Cause::ClientAbort)
    });
    for sign in near {
        let upstream = sign.upstream.map(|upstream| view.upstream(upstream));
        let is_ours = match incident.scope.kind {
            model::ScopeKind::Upstream => {
                upstream.is_some_and(|name| incident.scope.values.iter().any(|value| value == name))
            }
            _ => true,
        };
        if is_ours {
            add(
                &mut found,
                (true, sign.finding.sign),
                sign.place,
                sign.count,
                Some(sign.finding),
            );
        }
    }
    let mut groups: Vec<((bool, Option<SignId>), Group)> = found.into_iter().collect();
    groups.sort_by_key(|((error_log, sign), group)| {
        (
            std::cmp::Reverse((group.confidence, *error_log, group.count)),
            group.place,
            *sign,
        )
    });
    groups.truncate(EVIDENCE_MAX);
    groups
        .into_iter()
        .map(|((_, sign), group)| Evidence {
            place: group.place,
            sign,
            says: says(sign, group.finding),
            count: group.count,
        })
        .collect()
}

struct Group {
    place: Place,
    count: u64,
    confidence: Confidence,
    finding: Option<Finding>,
}

fn add(
    found: &mut BTreeMap<(bool, Option<SignId>), Group>,
    key: (bool, Option<SignId>),
    place: Place,
    count: u64,
    finding: Option<Finding>,
) {
    let confidence = finding.map_or(Confidence::Unknown, |finding| finding.confidence);
    let group = found.entry(key).or_insert(Group {
        place,
        count: 0,
        confidence,
        finding,
    });
    group.place = group.place.min(place);
    group.count += count;
    group.confidence = group.confidence.max(confidence);
}

/// What the lines say: the cause by its title, or that they only say the status.
fn says(sign: Option<SignId>, finding: Option<Finding>) -> String {
    let cause = sign
        .map(|sign| knowledge::sign(sign).cause)
        .or(finding.and_then(|finding| finding.cause));
    match cause {
        Some(cause) => knowledge::cause(cause).title.to_owned(),
        None => "failed, without a cause in the log".to_owned(),
    }
}
