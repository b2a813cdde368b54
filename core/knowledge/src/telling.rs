//! Which causes a log can tell, by the signs of its product and the fields that it carries.

use model::{Cause, Confidence, Edge, Field, LogKind};

use crate::{Condition, Predicate, SignRule, Value, signs};

/// How far a log can tell one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Telling {
    /// The cause.
    pub cause: Cause,
    /// The best that it can be stated with; `None` where nothing in this log shows it.
    pub confidence: Option<Confidence>,
    /// What would tell more: a field, where one would.
    pub field: Option<Field>,
    /// Whether the error log would.
    pub error_log: bool,
}

/// For each cause that the product's logs can show at all: how far a log with these fields can, and what would tell
/// more. `error_log`: whether the product's own log lies beside it.
pub fn telling(edge: Edge, carries: &dyn Fn(Field) -> bool, error_log: bool) -> Vec<Telling> {
    Cause::ALL
        .into_iter()
        .filter_map(|cause| of_cause(edge, cause, carries, error_log))
        .collect()
}

fn of_cause(
    edge: Edge,
    cause: Cause,
    carries: &dyn Fn(Field) -> bool,
    error_log: bool,
) -> Option<Telling> {
    let ours = || signs().iter().filter(move |rule| rule.edge == edge);
    let shown = |rule: &&SignRule| rule.cause == cause;
    ours().find(shown)?;
    let at_hand = |rule: &&SignRule| missing(rule, carries, error_log).is_none();
    let stated = ours().filter(shown).filter(at_hand);
    let named = ours().filter(|rule| rule.also.contains(cause));
    let confidence = stated
        .map(|rule| rule.confidence)
        .chain(named.filter(at_hand).map(|_| Confidence::Ambiguous))
        .max();
    // Of what is not at hand, the surest; of equals the one with least to add.
    let better = ours()
        .filter(shown)
        .filter(|rule| confidence.is_none_or(|known| rule.confidence > known))
        .filter_map(|rule| Some((rule.confidence, missing(rule, carries, error_log)?)))
        .max_by_key(|(confidence, lacking)| (*confidence, std::cmp::Reverse(lacking.count)));
    let lacking = better.map(|(_, lacking)| lacking);
    Some(Telling {
        cause,
        confidence,
        field: lacking.as_ref().and_then(|lacking| lacking.field),
        error_log: lacking.is_some_and(|lacking| lacking.field.is_none()),
    })
}

/// What a rule needs and the log lacks.
struct Lacking {
    /// The first field; `None` for the error log.
    field: Option<Field>,
    count: usize,
}

fn missing(rule: &SignRule, carries: &dyn Fn(Field) -> bool, error_log: bool) -> Option<Lacking> {
    if rule.log == LogKind::Error {
        return (!error_log).then_some(Lacking {
            field: None,
            count: 1,
        });
    }
    // A rule for a layout without a field is no use for one that has it, nor does it ask for more.
    let fields: Vec<Field> = rule
        .conditions
        .iter()
        .flat_map(needed)
        .filter(|field| !carries(*field))
        .collect();
    let excluded = rule
        .conditions
        .iter()
        .any(|condition| matches!(condition, Condition::Absent(field) if carries(*field)));
    (excluded || !fields.is_empty()).then(|| Lacking {
        field: fields.first().copied(),
        count: fields.len().max(1),
    })
}

fn needed(condition: &Condition) -> impl Iterator<Item = Field> {
    let fields: [Option<Field>; 2] = match *condition {
        Condition::Is(field, _, Value::Field(other)) => [Some(field), Some(other)],
        Condition::Is(field, ..) | Condition::Present(field) => [Some(field), None],
        Condition::Absent(_) => [None, None],
        Condition::Holds(predicate) => match predicate {
            Predicate::UpstreamAddrIsAddress
            | Predicate::UpstreamAddrIsGroupName
            | Predicate::SameUpstreamAddrTwice => [Some(Field::UpstreamAddr), None],
            Predicate::BodyShorterThanDeclared => [
                Some(Field::UpstreamContentLength),
                Some(Field::UpstreamBytesReceived),
            ],
            Predicate::SizeIsDefaultPage
            | Predicate::SizeIsNotDefaultPage
            | Predicate::SizeIsNginxPage => [Some(Field::BytesSent), None],
        },
    };
    fields.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn of(cause: Cause, fields: &[Field], error_log: bool) -> Telling {
        telling(Edge::Nginx, &|field| fields.contains(&field), error_log)
            .into_iter()
            .find(|told| told.cause == cause)
            .unwrap()
    }

    const COMBINED: [Field; 3] = [Field::Status, Field::BytesSent, Field::UserAgent];

    #[test]
    fn combined_tells_no_refused_connection_and_its_error_log_does() {
        let alone = of(Cause::ConnectionRefused, &COMBINED, false);
        assert!(
            alone
                .confidence
                .is_none_or(|known| known == Confidence::Ambiguous)
        );
        assert!(alone.error_log || alone.field.is_some());
        let beside = of(Cause::ConnectionRefused, &COMBINED, true);
        assert_eq!(beside.confidence, Some(Confidence::Certain));
        assert_eq!((beside.field, beside.error_log), (None, false));
    }

    #[test]
    fn the_time_to_the_header_tells_the_origins_own_error() {
        let mut fields = COMBINED.to_vec();
        fields.extend([
            Field::UpstreamAddr,
            Field::UpstreamStatus,
            Field::UpstreamHeaderTime,
            Field::UpstreamConnectTime,
        ]);
        let rich = of(Cause::OriginOwnError, &fields, false);
        assert_eq!(rich.confidence, Some(Confidence::Certain));
    }

    #[test]
    fn what_no_log_of_the_product_shows_is_left_out() {
        let all = telling(Edge::Nginx, &|_| true, true);
        assert!(all.iter().all(|told| told.cause != Cause::OutOfMemory));
        assert!(all.iter().any(|told| told.cause == Cause::ReadTimeout));
    }
}
