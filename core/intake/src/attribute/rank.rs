//! Which of several signs decides.
//!
//! Within one record: certain before likely before ambiguous, then the sign that asks for more, then the more
//! specific text, then the order of the table. Across records of one request the error log goes before the access log
//! at the same confidence, and a dead pool yields to what killed it. Equal rank and different causes: what all of them
//! allow.

use knowledge::{Condition, Predicate, SignRule};
use model::{Cause, CauseSet, Confidence, Finding, SignId};

/// A sign that holds.
pub(super) struct Match {
    id: SignId,
    rule: &'static SignRule,
    /// How much it asks for.
    demands: usize,
}

impl Match {
    /// `rule` holds.
    pub(super) fn of(id: SignId, rule: &'static SignRule) -> Self {
        let demands = rule.all.len()
            + rule.none.len().min(1)
            + rule.not_followed_by.len()
            + rule.conditions.iter().map(demand).sum::<usize>();
        Self { id, rule, demands }
    }

    fn finding(&self) -> Finding {
        Finding {
            cause: Some(self.rule.cause),
            also: self.rule.also.without(self.rule.cause),
            confidence: self.rule.confidence,
            missing: self.rule.settled_by,
            wants_error_log: self.rule.settled_by_error_log,
            sign: Some(self.id),
        }
    }

    /// Whether every literal of `other` is part of one of ours: then we say the same, and more.
    fn is_more_specific_than(&self, other: &Self) -> bool {
        let length = |rule: &SignRule| rule.all.iter().map(|text| text.len()).sum::<usize>();
        length(self.rule) > length(other.rule)
            && other
                .rule
                .all
                .iter()
                .all(|part| self.rule.all.iter().any(|text| text.contains(part)))
    }
}

/// What a condition adds. One that looks at a second attempt knows more than any number of looks at the first: a server
/// tried again at once tells an idle race from a plain close.
const fn demand(condition: &Condition) -> usize {
    match condition {
        Condition::Holds(Predicate::SameUpstreamAddrTwice) => 8,
        Condition::Is(..) | Condition::Present(_) | Condition::Absent(_) | Condition::Holds(_) => 1,
    }
}

/// The finding of the signs that hold for one record.
pub(super) fn decide(matches: impl Iterator<Item = Match>) -> Option<Finding> {
    let mut best: Vec<Match> = Vec::new();
    for found in matches {
        let rank = |found: &Match| (found.rule.confidence, found.demands);
        match best.first().map(|best| rank(&found).cmp(&rank(best))) {
            Some(std::cmp::Ordering::Less) => continue,
            Some(std::cmp::Ordering::Greater) => best.clear(),
            Some(std::cmp::Ordering::Equal) | None => {}
        }
        if best.iter().any(|other| other.is_more_specific_than(&found)) {
            continue;
        }
        best.retain(|other| !found.is_more_specific_than(other));
        best.push(found);
    }
    let findings: Vec<Finding> = best.iter().map(Match::finding).collect();
    intersect(&findings)
}

/// The finding of one request or attempt from its access line and the error lines joined to it.
pub(crate) fn combine(access: Finding, errors: &[Finding]) -> Finding {
    let all = || errors.iter().chain(std::iter::once(&access));
    let has_direct_cause = all().any(|finding| {
        finding.confidence >= Confidence::Likely && finding.cause != Some(Cause::NoLiveUpstream)
    });
    let counts = |finding: &&Finding| {
        finding.confidence > Confidence::Unknown
            && !(has_direct_cause && finding.cause == Some(Cause::NoLiveUpstream))
    };
    let of = |findings: &[Finding], confidence| -> Option<Finding> {
        let equal: Vec<Finding> = findings
            .iter()
            .filter(counts)
            .filter(|finding| finding.confidence == confidence)
            .copied()
            .collect();
        intersect(&equal)
    };
    let own = std::slice::from_ref(&access);
    of(errors, Confidence::Certain)
        .or_else(|| of(own, Confidence::Certain))
        .or_else(|| of(errors, Confidence::Likely).map(|found| settled(found, &access)))
        .or_else(|| of(own, Confidence::Likely))
        .or_else(|| {
            let ambiguous: Vec<Finding> = all().copied().collect();
            of(&ambiguous, Confidence::Ambiguous)
        })
        .unwrap_or(access)
}

/// The finding of several error lines of one request or attempt; `None` where none of them says anything.
pub(crate) fn combine_errors(errors: &[Finding]) -> Option<Finding> {
    let found = combine(Finding::unknown(None, false), errors);
    (found.confidence > Confidence::Unknown).then_some(found)
}

/// A likely error line that names alternatives, settled by an access line that leaves only one of them (the same server
/// twice in a row is the idle race, of which the error line only says "or").
fn settled(error: Finding, access: &Finding) -> Finding {
    let is_narrower = access.confidence == Confidence::Likely
        && access.also.is_empty()
        && access.cause.is_some_and(|cause| error.also.contains(cause));
    if is_narrower { *access } else { error }
}

/// What findings of equal rank agree on.
fn intersect(findings: &[Finding]) -> Option<Finding> {
    let first = *findings.first()?;
    if findings.iter().all(|finding| finding.cause == first.cause) {
        // Of equal causes the one that leaves less open.
        let narrowest = findings
            .iter()
            .min_by_key(|finding| finding.also.iter().count());
        return narrowest.copied();
    }
    let common = findings.iter().fold(CauseSet(u32::MAX), |set, finding| {
        set.and(finding.candidates())
    });
    // What one of them says and all others allow.
    let allowed = |finding: &&Finding| finding.cause.is_some_and(|cause| common.contains(cause));
    let said: Vec<&Finding> = findings.iter().filter(allowed).collect();
    let mut causes = common.iter();
    match (causes.next(), causes.next()) {
        (Some(only), None) => Some(only_cause(findings, only)),
        (Some(_), Some(_)) => match *said {
            [said] => Some(Finding {
                also: said.cause.map_or(common, |cause| common.without(cause)),
                ..*said
            }),
            _ => Some(open(&first, common)),
        },
        (None, _) => {
            let any = findings.iter().fold(CauseSet::default(), |set, finding| {
                set.or(finding.candidates())
            });
            Some(open(&first, any))
        }
    }
}

/// The one cause that all allow, by the sign that says it outright if one does.
fn only_cause(findings: &[Finding], only: Cause) -> Finding {
    let says_it = findings.iter().find(|finding| finding.cause == Some(only));
    let base = says_it.or_else(|| findings.first());
    let mut finding = base
        .copied()
        .unwrap_or_else(|| Finding::unknown(None, false));
    finding.cause = Some(only);
    finding.also = CauseSet::default();
    finding.missing = None;
    finding
}

/// One of several.
fn open(first: &Finding, candidates: CauseSet) -> Finding {
    let cause = first
        .cause
        .filter(|cause| candidates.contains(*cause))
        .or_else(|| candidates.iter().next());
    Finding {
        cause,
        also: cause.map_or(candidates, |cause| candidates.without(cause)),
        confidence: Confidence::Ambiguous,
        ..*first
    }
}
