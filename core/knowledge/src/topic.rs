//! Topics of `explain`: a status, an outcome, a cause, a verdict, an operator, in claims that each rest on something.

use model::Cause;

use crate::fact::Checked;
use crate::table::{MISTAKES, TOPICS};

/// What a topic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TopicKind {
    /// A status: `502`.
    Status,
    /// A failure without a status: `timeout`.
    Outcome,
    /// A cause of `model::Cause`.
    Cause,
    /// A verdict of `model::Verdict`.
    Verdict,
    /// Anything else: `robots.txt`.
    Subject,
    /// Who runs crawlers.
    Operator,
}

impl TopicKind {
    /// Every kind, in the order of lists.
    pub const ALL: [Self; 6] = [
        Self::Status,
        Self::Outcome,
        Self::Cause,
        Self::Verdict,
        Self::Subject,
        Self::Operator,
    ];

    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Outcome => "outcome",
            Self::Cause => "cause",
            Self::Verdict => "verdict",
            Self::Subject => "subject",
            Self::Operator => "operator",
        }
    }
}

/// Which question a claim answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What it means.
    Means,
    /// Who makes it.
    MadeBy,
    /// Transient or persistent.
    Lasting,
    /// What crawlers do, by operator.
    Crawlers,
    /// What the operator of the site checks.
    Checklist,
    /// How it looks in logs.
    Logs,
    /// How it looks in web analytics.
    Analytics,
    /// What it is good for in a diagnosis.
    Use,
    /// What sources said before, or where they disagree.
    Changed,
    /// Privacy and accuracy.
    Privacy,
}

impl Part {
    /// Every part, in the order shown.
    pub const ALL: [Self; 10] = [
        Self::Means,
        Self::MadeBy,
        Self::Lasting,
        Self::Crawlers,
        Self::Checklist,
        Self::Logs,
        Self::Analytics,
        Self::Use,
        Self::Changed,
        Self::Privacy,
    ];

    /// The name in machine output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Means => "means",
            Self::MadeBy => "made_by",
            Self::Lasting => "lasting",
            Self::Crawlers => "crawlers",
            Self::Checklist => "checklist",
            Self::Logs => "logs",
            Self::Analytics => "analytics",
            Self::Use => "use",
            Self::Changed => "changed",
            Self::Privacy => "privacy",
        }
    }
}

/// What a claim rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ground {
    /// The statement (`502-01`) or the cause; `None` for a source of its own.
    pub name: Option<&'static str>,
    /// Kind of source: `rfc`, `operator-doc`, `vendor-doc`, `secondary`, `source-code`, `measured`, `project`, ..
    pub kind: &'static str,
    /// The source.
    pub source: &'static str,
    /// What of it was read.
    pub basis: &'static str,
    /// When it was read; `None` prints "Data not yet verified".
    pub checked: Option<&'static str>,
}

/// One sentence and what it rests on.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// The question it answers.
    pub part: Part,
    /// In our words.
    pub says: &'static str,
    /// At least one.
    pub grounds: &'static [Ground],
}

impl Claim {
    /// Whether all that it rests on was read at its source.
    pub fn is_verified(&self) -> bool {
        self.grounds.iter().all(|ground| ground.checked.is_some())
    }
}

/// Something to explain.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    /// What it is looked up by: `502`.
    pub name: &'static str,
    /// Its title: `502 Bad Gateway`.
    pub title: &'static str,
    /// What it is.
    pub kind: TopicKind,
    /// Other words that lead to it.
    pub also: &'static [&'static str],
    /// The operator whose crawlers belong to it.
    pub operator: Option<&'static str>,
    /// Kinds of topics that show its claims, too.
    pub shared_with: &'static [TopicKind],
    /// Common causes, the commonest first.
    pub causes: &'static [Cause],
    /// Names of topics beside it.
    pub related: &'static [&'static str],
    /// Its own claims, by part.
    pub claims: &'static [Claim],
}

impl Topic {
    /// The cause that it explains.
    pub fn cause(&self) -> Option<Cause> {
        match self.kind {
            TopicKind::Cause => Cause::from_name(self.name),
            _ => None,
        }
    }

    /// The status that it explains.
    pub fn status(&self) -> Option<u16> {
        match self.kind {
            TopicKind::Status => self.name.parse().ok(),
            _ => None,
        }
    }

    /// Its claims of that part, then those that subjects lend to all topics of its kind.
    pub fn claims_of(&self, part: Part) -> impl Iterator<Item = &'static Claim> {
        let kind = self.kind;
        let lent = topics()
            .iter()
            .filter(move |topic| topic.shared_with.contains(&kind))
            .flat_map(|topic| topic.claims);
        let claims = self.claims.iter().chain(lent);
        claims.filter(move |claim| claim.part == part)
    }

    /// Advice about it that is common and misleads.
    pub fn mistakes(&self) -> impl Iterator<Item = &'static Mistake> {
        let name = self.name;
        let all = mistakes().iter();
        all.filter(move |mistake| mistake.topics.contains(&name))
    }
}

/// Advice that is common and misleads.
#[derive(Clone, Copy, Debug)]
pub struct Mistake {
    /// Its id: `MIS-07`.
    pub id: &'static str,
    /// The advice as one meets it.
    pub advice: &'static str,
    /// Why it misleads.
    pub why: &'static str,
    /// What to do or to know instead.
    pub instead: &'static str,
    /// Topics that show it.
    pub topics: &'static [&'static str],
    /// What our answer rests on.
    pub ground: Ground,
}

/// Every topic, by name.
pub fn topics() -> &'static [Topic] {
    &TOPICS
}

/// The topic of that name.
pub fn topic(name: &str) -> Option<&'static Topic> {
    let index = TOPICS.binary_search_by(|topic| topic.name.cmp(name)).ok()?;
    TOPICS.get(index)
}

/// Every mistake, by id.
pub fn mistakes() -> &'static [Mistake] {
    &MISTAKES
}

/// How many claims of topics and mistakes were checked at their source.
pub(crate) fn checked() -> (Checked, Checked) {
    let claims = topics().iter().flat_map(|topic| topic.claims);
    let claims = Checked::count(claims.map(|claim| {
        let first = claim.grounds.first();
        first
            .and_then(|ground| ground.checked)
            .filter(|_| claim.is_verified())
    }));
    let mistakes = Checked::count(mistakes().iter().map(|mistake| mistake.ground.checked));
    (claims, mistakes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_rests_on_something() {
        for topic in topics() {
            assert!(!topic.claims.is_empty(), "{}", topic.name);
            for claim in topic.claims {
                assert!(!claim.grounds.is_empty(), "{}: {}", topic.name, claim.says);
                let sourced = claim.grounds.iter().all(|ground| !ground.source.is_empty());
                assert!(sourced, "{}: {}", topic.name, claim.says);
            }
        }
    }

    #[test]
    fn a_claim_on_a_statement_has_its_date() {
        for ground in topics()
            .iter()
            .flat_map(|topic| topic.claims)
            .flat_map(|claim| claim.grounds)
        {
            let Some(fact) = ground.name.and_then(crate::fact) else {
                continue;
            };
            assert_eq!(
                (ground.checked, ground.source),
                (fact.checked, fact.source),
                "{}",
                fact.id
            );
        }
    }

    #[test]
    fn causes_and_verdicts_have_topics_of_their_kind() {
        for cause in Cause::ALL {
            assert!(topic(cause.name()).is_some_and(|topic| topic.cause() == Some(cause)));
        }
        for verdict in model::Verdict::ALL {
            let kind = topic(verdict.name()).map(|topic| topic.kind);
            assert_eq!(kind, Some(TopicKind::Verdict));
        }
        assert_eq!(topic("502").and_then(Topic::status), Some(502));
    }

    #[test]
    fn statuses_are_explained_in_every_respect() {
        for topic in topics()
            .iter()
            .filter(|topic| topic.kind == TopicKind::Status)
        {
            for part in Part::ALL
                .into_iter()
                .filter(|part| !matches!(part, Part::Changed | Part::Use | Part::Logs))
            {
                assert!(
                    topic.claims_of(part).next().is_some(),
                    "{}: {}",
                    topic.name,
                    part.name()
                );
            }
        }
    }
}
