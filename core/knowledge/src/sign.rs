//! Signs: what a log line says about the cause of a failure.

use model::{Cause, CauseSet, Confidence, Edge, Field, LogKind, SignId};

use crate::table::SIGNS;

/// How a sign came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Read in the product's source.
    Source,
    /// Read in the source and produced in a test bed.
    SourceAndMeasured,
    /// Produced in a test bed.
    Measured,
    /// Read in the vendor's documentation.
    Documentation,
    /// Public examples only: "Data not yet verified".
    Unverified,
}

/// One row of the sign tables.
#[derive(Clone, Copy, Debug)]
pub struct SignRule {
    /// Stable name: `nginx-001`.
    pub name: &'static str,
    /// The product.
    pub edge: Edge,
    /// Which log it stands in.
    pub log: LogKind,
    /// Error log: literals that must all be in the line, case-sensitive.
    pub all: &'static [&'static str],
    /// Error log: literals that must not be in the line.
    pub none: &'static [&'static str],
    /// Error log: literals that must not be in the next lines of the same client or connection.
    pub not_followed_by: &'static [&'static str],
    /// Access log: conditions that must all hold.
    pub conditions: &'static [Condition],
    /// Statuses the client normally sees with it; empty where any will do.
    pub statuses: &'static [u16],
    /// The cause it shows.
    pub cause: Cause,
    /// What else it can be.
    pub also: CauseSet,
    /// How sure.
    pub confidence: Confidence,
    /// What would settle an ambiguous one: a field to log.
    pub settled_by: Option<Field>,
    /// Whether the error log would settle it.
    pub settled_by_error_log: bool,
    /// What it means, in a sentence; may be empty.
    pub note: &'static str,
    /// How it is known.
    pub basis: Basis,
    /// Primary source.
    pub source: &'static str,
    /// When the source was checked; `None` prints "Data not yet verified".
    pub checked: Option<&'static str>,
}

/// A condition on the fields of an access-log record. Where a field holds a list, one value for each attempt, the
/// condition is about the attempt in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `field op value`; false where the field is not logged.
    Is(Field, Op, Value),
    /// The layout carries the field.
    Present(Field),
    /// The layout does not carry the field.
    Absent(Field),
    /// Something that takes more than one comparison.
    Holds(Predicate),
}

/// Comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `^=`
    BeginsWith,
    /// `$=`
    EndsWith,
    /// `*=`
    Contains,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

/// Right side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// This text; `-` is the product's mark for "no value". Two numbers are equal as numbers: `009` is 9.
    Text(&'static str),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Any number.
    AnyNumber,
    /// The value of another field of the same record.
    Field(Field),
}

/// Conditions that take code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// `upstream_addr` is `host:port` or `unix:path`.
    UpstreamAddrIsAddress,
    /// `upstream_addr` is the name of a group.
    UpstreamAddrIsGroupName,
    /// Two attempts in a row went to the same address.
    SameUpstreamAddrTwice,
    /// Fewer body bytes were sent than the upstream declared.
    BodyShorterThanDeclared,
    /// The body is as long as the product's own error page. Holds for no HEAD request, which has no body.
    SizeIsDefaultPage,
    /// The body is not as long as the product's own error page, whose length is known. Holds for no HEAD request.
    SizeIsNotDefaultPage,
    /// The body is as long as nginx's own error page: behind another product, an nginx made it. Holds for no HEAD request.
    SizeIsNginxPage,
}

/// Every sign, by name; [`SignId`] is the index.
pub fn signs() -> &'static [SignRule] {
    &SIGNS
}

/// The sign with that index.
pub fn sign(id: SignId) -> &'static SignRule {
    &SIGNS[id.0 as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_can_match_and_has_a_source() {
        for rule in signs() {
            match rule.log {
                LogKind::Error => assert!(!rule.all.is_empty(), "{}", rule.name),
                _ => assert!(!rule.conditions.is_empty(), "{}", rule.name),
            }
            assert!(!rule.source.is_empty(), "{}", rule.name);
            assert!(!rule.also.contains(rule.cause), "{}", rule.name);
        }
    }

    #[test]
    fn the_catalogue_is_complete() {
        for (edge, rows) in [("nginx", 99), ("apache", 75)] {
            for row in 1..=rows {
                let name = format!("{edge}-{row:03}");
                assert!(signs().iter().any(|rule| rule.name == name), "{name}");
            }
        }
    }

    #[test]
    fn an_upstream_status_of_502_never_proves_the_applications_own_error() {
        let says_502 = Condition::Is(Field::UpstreamStatus, Op::Equal, Value::Text("502"));
        let answered = Condition::Is(Field::UpstreamHeaderTime, Op::Equal, Value::AnyNumber);
        for rule in signs()
            .iter()
            .filter(|rule| rule.conditions.contains(&says_502))
        {
            let proven = rule.confidence != Confidence::Ambiguous;
            assert!(
                !proven || rule.conditions.contains(&answered),
                "{}",
                rule.name
            );
        }
    }

    #[test]
    fn no_two_access_signs_have_the_same_conditions() {
        for (index, rule) in signs().iter().enumerate() {
            for other in signs().iter().skip(index + 1) {
                let same = rule.edge == other.edge
                    && !rule.conditions.is_empty()
                    && rule.conditions.len() == other.conditions.len()
                    && rule
                        .conditions
                        .iter()
                        .all(|known| other.conditions.contains(known));
                assert!(!same, "{} and {}", rule.name, other.name);
            }
        }
    }
}
