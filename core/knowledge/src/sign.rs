//! Signs: what a log line says about the cause of a failure.

use model::{Cause, CauseSet, Confidence, Edge, Field, LogKind, SignId};

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

/// A condition on the fields of an access-log record.
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
    /// This text; `-` is the product's mark for "no value".
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
    /// The body is as long as the product's own error page.
    SizeIsDefaultPage,
    /// The body is not as long as the product's own error page.
    SizeIsNotDefaultPage,
}

/// Every sign.
pub fn signs() -> &'static [SignRule] {
    &[]
}

/// The sign with that index.
pub fn sign(id: SignId) -> &'static SignRule {
    &signs()[id.0 as usize]
}
