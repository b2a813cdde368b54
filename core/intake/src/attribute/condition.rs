//! Whether a condition of the sign table holds for a line, or for one attempt of it.

use knowledge::{Condition, Op, Predicate, Value};
use model::{Cause, Confidence, Edge, Field, Finding};

use super::attempt::{Attempts, Element, is_server};
use super::flags;
use super::status_of;
use crate::visit::Visit;

/// A line as one rule sees it: its fields, the list fields narrowed to one attempt, and a status.
pub(super) struct Record<'case, 'line> {
    visit: &'case Visit<'line>,
    attempt: Option<(&'case Attempts<'line>, usize)>,
    status: Element<'line>,
}

impl<'case, 'line> Record<'case, 'line> {
    /// The line as a whole.
    pub(super) fn of(visit: &'case Visit<'line>) -> Self {
        Self {
            visit,
            attempt: None,
            status: logged(visit, Field::Status),
        }
    }

    /// The line with what the origin said in place of what the client was told.
    pub(super) fn of_origin_status(visit: &'case Visit<'line>) -> Self {
        Self {
            status: logged(visit, Field::ProxyStatus),
            ..Self::of(visit)
        }
    }

    /// Attempt `index` under its own status.
    pub(super) fn of_attempt(
        visit: &'case Visit<'line>,
        attempts: &'case Attempts<'line>,
        index: usize,
    ) -> Self {
        Self {
            visit,
            attempt: Some((attempts, index)),
            status: attempts
                .element(Field::UpstreamStatus, index)
                .unwrap_or(Element::Absent),
        }
    }

    /// Attempt `index` under the status that the client saw.
    pub(super) fn of_attempt_seen_by_client(
        visit: &'case Visit<'line>,
        attempts: &'case Attempts<'line>,
        index: usize,
    ) -> Self {
        Self {
            attempt: Some((attempts, index)),
            ..Self::of(visit)
        }
    }

    /// The last attempt, if any, under the status that the client saw.
    pub(super) fn of_last(visit: &'case Visit<'line>, attempts: &'case Attempts<'line>) -> Self {
        Self {
            attempt: attempts.len().checked_sub(1).map(|last| (attempts, last)),
            ..Self::of(visit)
        }
    }

    /// The status it is looked at under.
    pub(super) fn status(&self) -> Option<u16> {
        match self.status {
            Element::Is(text) => status_of(text),
            Element::Absent | Element::Untold => None,
        }
    }

    /// Whether `condition` of a rule of `edge` holds.
    pub(super) fn holds(&self, condition: &Condition, edge: Edge) -> bool {
        match *condition {
            // Which attempts a list tells of is a matter of the whole list.
            Condition::Is(field, Op::Contains, Value::Text(text)) => self
                .visit
                .get(field)
                .is_some_and(|list| match (edge, field) {
                    (Edge::Envoy, Field::UpstreamError) => flags::find_words(list, text),
                    _ => memchr::memmem::find(list, text.as_bytes()).is_some(),
                }),
            Condition::Is(field, op, value) => match self.element(field) {
                Element::Is(text) => self.compare(field, text, op, value),
                Element::Absent | Element::Untold => false,
            },
            Condition::Present(field) => self.element(field) != Element::Absent,
            Condition::Absent(field) => self.element(field) == Element::Absent,
            Condition::Holds(predicate) => self.predicate(predicate, edge),
        }
    }

    /// Whether the fields allow `cause` at all. An origin that answered well made no error of its own, whatever the
    /// client was told afterwards.
    pub(super) fn allows(&self, cause: Cause) -> bool {
        if !matches!(cause, Cause::OriginOwnError | Cause::ChainedGatewayError) {
            return true;
        }
        match self.element(Field::UpstreamStatus) {
            Element::Is(text) => status_of(text).is_none_or(|status| status >= 400),
            Element::Absent | Element::Untold => true,
        }
    }

    /// "Unknown; log this field": the first field that the layout lacks, of those that tell causes apart.
    pub(super) fn unknown(&self, edge: Edge) -> Finding {
        let missing = knowledge::edge(edge)
            .telling
            .iter()
            .copied()
            .find(|field| self.element(*field) == Element::Absent);
        Finding::unknown(missing, edge.has_error_log())
    }

    /// The finding, without the advice to log a field that is logged already.
    pub(super) fn asking_only_for_what_is_not_logged(&self, mut finding: Finding) -> Finding {
        if finding.confidence == Confidence::Certain {
            finding.missing = None;
        }
        finding.missing = finding
            .missing
            .filter(|field| self.element(*field) == Element::Absent);
        finding
    }

    /// The value of `field` as the rules read it.
    pub(super) fn element(&self, field: Field) -> Element<'line> {
        if field == Field::Status {
            return self.status;
        }
        self.attempt
            .and_then(|(attempts, index)| attempts.element(field, index))
            .unwrap_or_else(|| logged(self.visit, field))
    }

    fn compare(&self, field: Field, text: &[u8], op: Op, value: Value) -> bool {
        match value {
            Value::Text("-") if field == Field::BytesSent && is_head(self.visit) => false,
            Value::Text(wanted) if field == Field::ResponseFlags => {
                flags::has(text, wanted) == (op != Op::NotEqual)
            }
            Value::Text(wanted) => compare(text, op, wanted.as_bytes()),
            Value::OneOf(wanted) => {
                let is_one = wanted.iter().any(|wanted| text == wanted.as_bytes());
                is_one == (op != Op::NotEqual)
            }
            Value::AnyNumber => micros(text).is_some() == (op != Op::NotEqual),
            Value::Field(other) => match self.element(other) {
                Element::Is(wanted) => compare(text, op, wanted),
                Element::Absent | Element::Untold => false,
            },
        }
    }

    fn predicate(&self, predicate: Predicate, edge: Edge) -> bool {
        let address = match self.element(Field::UpstreamAddr) {
            Element::Is(text) if text != b"-" => Some(text),
            Element::Is(_) | Element::Absent | Element::Untold => None,
        };
        match predicate {
            Predicate::UpstreamAddrIsAddress => address.is_some_and(is_server),
            Predicate::UpstreamAddrIsGroupName => address.is_some_and(|name| !is_server(name)),
            Predicate::SameUpstreamAddrTwice => self.is_free_retry(),
            Predicate::BodyShorterThanDeclared => body_is_short(self.visit),
            Predicate::SizeIsNginxPage => self.is_nginx_page(),
            Predicate::SizeIsDefaultPage => self.is_default_page(edge) == Some(true),
            Predicate::SizeIsNotDefaultPage => self.is_default_page(edge) == Some(false),
        }
    }

    /// Whether the next attempt went to the same server. nginx tries a server twice in a row only after a kept
    /// connection turned out to be dead: then the connect time is next to nothing and not a byte came back. Without
    /// that, the same address may just stand twice in the group.
    fn is_free_retry(&self) -> bool {
        let Some((attempts, index)) = self.attempt else {
            return false;
        };
        let here = attempts.value(Field::UpstreamAddr, index);
        let next = attempts.value(Field::UpstreamAddr, index + 1);
        /// A connection taken from the cache is not connected again: measured as 0.000 throughout. The margin is ours.
        const KEPT_CONNECT_MICROS: i64 = 2_000;
        let is_fast = match attempts.element(Field::UpstreamConnectTime, index) {
            Some(Element::Is(time)) => micros(time).is_some_and(|time| time <= KEPT_CONNECT_MICROS),
            _ => true,
        };
        let is_silent = attempts.value(Field::UpstreamHeaderTime, index).is_none()
            && attempts
                .value(Field::UpstreamBytesReceived, index)
                .is_none_or(|bytes| micros(bytes) == Some(0));
        let is_nginxs = attempts
            .value(Field::UpstreamStatus, index)
            .is_none_or(|status| status == b"502");
        here.is_some() && here == next && is_fast && is_silent && is_nginxs
    }

    /// Whether the body is as long as nginx's own page. Which agent an inner nginx saw, and so whether it padded the page,
    /// is not known.
    pub(super) fn is_nginx_page(&self) -> bool {
        let size = self.visit.value(Field::BytesSent).and_then(micros);
        let size = size.and_then(|size| u64::try_from(size / 1_000_000).ok());
        let facts = knowledge::edge(Edge::Nginx);
        !is_head(self.visit)
            && self.status().zip(size).is_some_and(|(status, size)| {
                [false, true]
                    .into_iter()
                    .any(|chrome| facts.is_default_page(status, size, chrome))
            })
    }

    /// Whether the body is as long as the product's own error page; `None` where that cannot be told.
    fn is_default_page(&self, edge: Edge) -> Option<bool> {
        let facts = knowledge::edge(edge);
        let status = self
            .status()
            .filter(|status| facts.knows_default_page(*status))?;
        let size = self.visit.value(Field::BytesSent).and_then(micros)? / 1_000_000;
        let size = u64::try_from(size).ok().filter(|size| *size > 0)?;
        if is_head(self.visit) {
            return None;
        }
        let is_page = |chrome| facts.is_default_page(status, size, chrome);
        Some(match self.visit.get(Field::UserAgent) {
            Some(agent) => is_page(memchr::memmem::find(agent, b"Chrome/").is_some()),
            None => is_page(false) || is_page(true),
        })
    }
}

fn logged<'line>(visit: &Visit<'line>, field: Field) -> Element<'line> {
    match visit.get(field) {
        None => Element::Absent,
        // nginx's JSON logs write nothing where the others write a dash.
        Some(b"") => Element::Is(b"-"),
        Some(text) => Element::Is(text),
    }
}

fn compare(text: &[u8], op: Op, wanted: &[u8]) -> bool {
    let both = || Some((micros(text)?, micros(wanted)?));
    match op {
        Op::Equal => text == wanted || both().is_some_and(|(a, b)| a == b),
        Op::NotEqual => !compare(text, Op::Equal, wanted),
        Op::BeginsWith => text.starts_with(wanted),
        Op::EndsWith => text.ends_with(wanted),
        Op::Contains => memchr::memmem::find(text, wanted).is_some(),
        Op::Greater => both().is_some_and(|(a, b)| a > b),
        Op::GreaterOrEqual => both().is_some_and(|(a, b)| a >= b),
        Op::Less => both().is_some_and(|(a, b)| a < b),
        Op::LessOrEqual => both().is_some_and(|(a, b)| a <= b),
    }
}

/// A number with an optional fraction, in millionths; `None` for anything else or what is too big for a log.
pub(super) fn micros(text: &[u8]) -> Option<i64> {
    let (whole, fraction) = match memchr::memchr(b'.', text) {
        Some(dot) => (text.get(..dot)?, text.get(dot + 1..)?),
        None => (text, b"".as_slice()),
    };
    if whole.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = |digits: &[u8]| {
        digits.iter().try_fold(0_i64, |value, byte| {
            let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
            value.checked_mul(10)?.checked_add(digit)
        })
    };
    let places = fraction.get(..fraction.len().min(6))?;
    let scale = 10_i64.pow(6 - u32::try_from(places.len()).ok()?);
    digits(whole)?
        .checked_mul(1_000_000)?
        .checked_add(digits(places)?.checked_mul(scale)?)
}

/// Whether the answer to this method has no body.
fn is_head(visit: &Visit<'_>) -> bool {
    match visit.get(Field::Method) {
        Some(method) => method == b"HEAD",
        None => visit
            .get(Field::Request)
            .is_some_and(|request| request.starts_with(b"HEAD ")),
    }
}

/// Whether the upstream broke the body off: less came than it declared, and all that came was passed on.
///
/// The bytes sent alone prove nothing: compression makes them fewer. Nor do the bytes received: a client that leaves
/// makes nginx stop reading. But then what was received and not yet sent fills at least a buffer.
pub(super) fn body_is_short(visit: &Visit<'_>) -> bool {
    let Some(declared) = visit.value(Field::UpstreamContentLength) else {
        return false;
    };
    let last = |field| {
        let list = visit.value(field)?;
        micros(list.rsplit(|byte| *byte == b' ').next()?)
    };
    let (Some(declared), Some(received), Some(sent)) = (
        micros(declared),
        last(Field::UpstreamBytesReceived),
        last(Field::BytesSent),
    ) else {
        return false;
    };
    /// Longest response header: `proxy_buffer_size`, 4k or 8k by default.
    const HEADER_MAX: i64 = 8_192 * 1_000_000;
    let is_passed_on = received
        .checked_sub(sent)
        .is_some_and(|left| left <= HEADER_MAX);
    received < declared && sent < declared && is_passed_on && !is_head(visit)
}

/// Whether fewer bytes were sent than the answer declared, where nothing tells how many came: the client may have left.
pub(super) fn is_shorter_than_declared(visit: &Visit<'_>) -> bool {
    if visit.get(Field::UpstreamBytesReceived).is_some() {
        return false;
    }
    let (Some(declared), Some(sent)) = (
        visit.value(Field::UpstreamContentLength),
        visit.value(Field::BytesSent),
    ) else {
        return false;
    };
    micros(declared)
        .zip(micros(sent))
        .is_some_and(|(declared, sent)| sent < declared)
}
