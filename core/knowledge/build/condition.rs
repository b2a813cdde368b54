//! The small language of conditions in `facts/causes/`, one condition a string:
//!
//! - `field=value`, and `!=`, `^=` begins with, `$=` ends with, `*=` contains, `>`, `>=`, `<`, `<=`
//! - `field in a|b`: equal to one of these
//! - `present:field`, `absent:field`: whether the layout carries the field
//! - `pred:name`: something that takes more than one comparison
//!
//! The value `-` is the product's mark for "no value", `num` any number, `@other` the value of another field.

use model::Field;

/// A condition, read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Is(Field, &'static str, Value),
    Present(Field),
    Absent(Field),
    Holds(&'static str),
}

/// Right side of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    OneOf(Vec<String>),
    AnyNumber,
    Field(Field),
}

/// Operators and the variants of `Op` they become; of two that begin alike the longer comes first.
const OPS: [(&str, &str); 9] = [
    ("!=", "NotEqual"),
    ("^=", "BeginsWith"),
    ("$=", "EndsWith"),
    ("*=", "Contains"),
    (">=", "GreaterOrEqual"),
    ("<=", "LessOrEqual"),
    (">", "Greater"),
    ("<", "Less"),
    ("=", "Equal"),
];

/// Names of predicates and the variants of `Predicate` they become.
const PREDICATES: [(&str, &str); 7] = [
    ("size-is-nginx-page", "SizeIsNginxPage"),
    ("upstream-addr-is-address", "UpstreamAddrIsAddress"),
    ("upstream-addr-is-group-name", "UpstreamAddrIsGroupName"),
    ("same-upstream-addr-twice", "SameUpstreamAddrTwice"),
    ("body-shorter-than-declared", "BodyShorterThanDeclared"),
    ("size-is-default-page", "SizeIsDefaultPage"),
    ("size-not-default-page", "SizeIsNotDefaultPage"),
];

impl Condition {
    /// Reads one condition.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("present:") {
            return Ok(Self::Present(field(name)?));
        }
        if let Some(name) = text.strip_prefix("absent:") {
            return Ok(Self::Absent(field(name)?));
        }
        if let Some(name) = text.strip_prefix("pred:") {
            return match PREDICATES.into_iter().find(|(known, _)| *known == name) {
                Some((_, variant)) => Ok(Self::Holds(variant)),
                None => Err(format!("unknown predicate {name:?}")),
            };
        }
        if let Some((name, values)) = text.split_once(" in ") {
            let values = values.split('|').map(str::to_owned).collect();
            return Ok(Self::Is(field(name)?, "Equal", Value::OneOf(values)));
        }
        let end = text
            .find(|letter: char| !letter.is_ascii_lowercase() && letter != '_')
            .ok_or_else(|| format!("no operator in {text:?}"))?;
        let (name, rest) = text.split_at(end);
        let (variant, value) = OPS
            .into_iter()
            .find_map(|(op, variant)| Some((variant, rest.strip_prefix(op)?)))
            .ok_or_else(|| format!("unknown operator in {text:?}"))?;
        Ok(Self::Is(field(name)?, variant, value_of(variant, value)?))
    }
}

fn value_of(op: &str, text: &str) -> Result<Value, String> {
    if let Some(name) = text.strip_prefix('@') {
        return Ok(Value::Field(field(name)?));
    }
    if text == "num" {
        return match op {
            "Equal" | "NotEqual" => Ok(Value::AnyNumber),
            _ => Err("num goes with = and != only".to_owned()),
        };
    }
    let ordered = matches!(op, "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual");
    if ordered && text.parse::<f64>().is_err() {
        return Err(format!("{text:?} is not a number"));
    }
    Ok(Value::Text(text.to_owned()))
}

fn field(name: &str) -> Result<Field, String> {
    Field::from_name(name).ok_or_else(|| format!("unknown field {name:?}"))
}
