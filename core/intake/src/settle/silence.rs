//! What the rest of the logs says of failures that their own lines leave open, without a word about them: pages of
//! other failures, and the silence of an error log that would have spoken.
//!
//! Only of those that wait for an error log: what else is held depends on when the tally was closed on the way.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use knowledge::{Condition, Predicate};
use model::{Cause, CauseSet, Confidence, Edge, Finding, Place, SourceId, Stamp, Status};

use super::{DURATION_MAX_MILLIS, Entry, SLACK_MILLIS, explain};
use crate::held::HeldRequest;
use crate::seen::Sources;

/// What an answer from behind the edge can be.
const OF_ORIGIN: [Cause; 2] = [Cause::OriginOwnError, Cause::ChainedGatewayError];

/// Whether open failures of this edge are weighed so, where its error log is at hand.
pub(crate) fn weighs(edge: Edge) -> bool {
    static WEIGHED: LazyLock<BTreeSet<Edge>> = LazyLock::new(|| {
        let judged_by_page = knowledge::signs().iter().filter(|sign| {
            sign.confidence == Confidence::Ambiguous && page_of(sign.conditions) == Some(false)
        });
        let telling = (Edge::ALL.into_iter())
            .filter(|edge| !knowledge::edge(*edge).error_log_tells.is_empty());
        judged_by_page
            .map(|sign| sign.edge)
            .chain(telling)
            .collect()
    });
    WEIGHED.contains(&edge)
}

/// A page as long as the edge's own shows that the site has left those pages alone, as far as that status goes: pages
/// of another length then came from behind the edge.
pub(super) fn trust_pages(requests: &mut [HeldRequest]) {
    let own: BTreeSet<(Edge, Status)> = requests
        .iter()
        .filter(|held| held.joins && is_own_page(held) == Some(true))
        .map(|held| (held.edge, held.status))
        .collect();
    for held in requests.iter_mut().filter(|held| held.joins) {
        if !own.contains(&(held.edge, held.status)) || is_own_page(held) != Some(false) {
            continue;
        }
        let Some(finding) = &mut held.finding else {
            continue;
        };
        if let Some(cause) = finding.cause.filter(|cause| OF_ORIGIN.contains(cause)) {
            finding.also = finding.also.and(CauseSet::of(&OF_ORIGIN)).without(cause);
            finding.confidence = finding.confidence.max(Confidence::Likely);
            finding.missing = None;
            finding.wants_error_log = false;
        }
    }
}

/// What the sign that the access line was judged by says of the page.
fn is_own_page(held: &HeldRequest) -> Option<bool> {
    page_of(knowledge::sign(held.finding?.sign?).conditions)
}

fn page_of(conditions: &[Condition]) -> Option<bool> {
    conditions.iter().find_map(|condition| match condition {
        Condition::Holds(Predicate::SizeIsDefaultPage) => Some(true),
        Condition::Holds(Predicate::SizeIsNotDefaultPage) => Some(false),
        _ => None,
    })
}

/// An error log that has lines from before and from after a failure and none that may be about it rules out what it
/// always says. `zone` is that of a source, in minutes east of UTC.
pub(super) fn hear(
    requests: &mut [HeldRequest],
    evidence: &[Option<Place>],
    entries: &[Entry],
    joined: &[Option<(usize, bool)>],
    sources: &Sources,
    zone: impl Fn(SourceId) -> i32,
) {
    let logs: Vec<Log> = sources
        .all()
        .flat_map(|(source, seen)| {
            let east = i64::from(zone(source)) * 60;
            let span = seen
                .span
                .map(|(first, last)| [first, last].map(|at| at.plus_secs(-east)));
            seen.error_edges
                .keys()
                .map(move |edge| Log { edge: *edge, span })
        })
        .collect();
    let said = Said::of(entries, joined);
    for (held, evidence) in requests.iter_mut().zip(evidence) {
        let tells = knowledge::edge(held.edge).error_log_tells;
        let is_open = |finding: &Finding| {
            finding.confidence == Confidence::Ambiguous && finding.wants_error_log
        };
        let Some(own) = held.finding.filter(is_open) else {
            continue;
        };
        if !held.joins
            || tells.is_empty()
            || evidence.is_some()
            || !logs.iter().any(|log| log.covers(held))
            || said.may_be_about(held)
        {
            continue;
        }
        let left = CauseSet::of(tells)
            .iter()
            .fold(own.candidates(), CauseSet::without);
        let Some(cause) = own
            .cause
            .filter(|own| left.contains(*own))
            .or(left.iter().next())
        else {
            continue;
        };
        let finding = Finding {
            cause: Some(cause),
            also: left.without(cause),
            confidence: match left.iter().all(|cause| OF_ORIGIN.contains(&cause)) {
                true => Confidence::Likely,
                false => Confidence::Ambiguous,
            },
            wants_error_log: false,
            ..own
        };
        explain(held, finding);
    }
}

/// An error log that is at hand.
struct Log {
    edge: Edge,
    /// Its first and its last line; `None` where lines have no stamp.
    span: Option<[Stamp; 2]>,
}

impl Log {
    fn covers(&self, held: &HeldRequest) -> bool {
        let is_within = |[first, last]: [Stamp; 2]| (first..=last).contains(&held.at);
        self.edge == held.edge && self.span.is_some_and(is_within)
    }
}

/// Entries that were joined to nothing, by edge and time, and when pools were emptied.
struct Said {
    loose: BTreeSet<(Edge, Stamp)>,
    emptied: BTreeSet<(Edge, Stamp)>,
}

impl Said {
    fn of(entries: &[Entry], joined: &[Option<(usize, bool)>]) -> Self {
        let when = |entry: &Entry| (entry.edge(), entry.at);
        let loose = entries
            .iter()
            .zip(joined)
            .filter(|(_, joined)| joined.is_none());
        // It may be one line of several about an event.
        let is_empty = |entry: &&Entry| {
            let mut said = entry.lines.iter().filter_map(|line| line.finding.now);
            said.any(|finding| finding.cause == Some(Cause::NoLiveUpstream))
        };
        Self {
            loose: loose.map(|(entry, _)| when(entry)).collect(),
            emptied: entries.iter().filter(is_empty).map(when).collect(),
        }
    }

    /// Whether some entry may be about the request all the same: one of about that time that could not be told from
    /// others, or an older one that a pool is empty, which is said only once.
    fn may_be_about(&self, held: &HeldRequest) -> bool {
        let took = held.millis.map_or(DURATION_MAX_MILLIS, i64::from);
        let at = |millis: i64| (held.edge, Stamp(held.at.0 + millis));
        let around = at(-took - SLACK_MILLIS)..=at(took + SLACK_MILLIS);
        let before = (held.edge, Stamp(i64::MIN))..=at(SLACK_MILLIS);
        self.loose.range(around).next().is_some() || self.emptied.range(before).next().is_some()
    }
}
