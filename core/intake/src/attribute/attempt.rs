//! nginx's lists: one element per attempt, `, ` between attempts, ` : ` where an internal redirect began a new group.
//!
//! <https://nginx.org/en/docs/http/ngx_http_upstream_module.html#var_upstream_addr>

use model::Field;

use super::{Attempted, condition, status_of};
use crate::visit::Visit;

/// Fields that hold such lists.
pub(super) const LISTS: [Field; 7] = [
    Field::UpstreamAddr,
    Field::UpstreamStatus,
    Field::UpstreamConnectTime,
    Field::UpstreamHeaderTime,
    Field::UpstreamResponseTime,
    Field::UpstreamBytesReceived,
    Field::UpstreamResponseLength,
];

/// Attempts kept of one request. nginx tries each server of a group once, so more means a broken or forged line.
const ATTEMPTS_MAX: usize = 64;

/// What a list holds, in step with the attempts.
enum List<'line> {
    /// The layout does not carry the field.
    Absent,
    /// Of another length than the attempts: which element belongs to which cannot be told.
    OutOfStep,
    /// No value for the whole request.
    Empty,
    /// One element per attempt.
    Elements(Vec<&'line [u8]>),
}

/// An element, as far as it can be told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Element<'line> {
    /// The layout does not carry the field.
    Absent,
    /// It does, but the value of this attempt cannot be told.
    Untold,
    /// The value; `-` for none.
    Is(&'line [u8]),
}

/// The attempts of one request.
pub(super) struct Attempts<'line> {
    lists: [List<'line>; LISTS.len()],
    /// Index of the last attempt of each group.
    group_ends: Vec<usize>,
    len: usize,
}

impl<'line> Attempts<'line> {
    /// Splits the lists of a line. The addresses say how many attempts there were, else the first list that is carried.
    pub(super) fn of(visit: &Visit<'line>) -> Self {
        let model = LISTS
            .into_iter()
            .filter_map(|field| visit.get(field))
            .find(|text| !is_empty(text));
        let (len, group_ends) = model.map_or((0, Vec::new()), shape);
        let lists = LISTS.map(|field| match visit.get(field) {
            None => List::Absent,
            Some(text) if is_empty(text) => List::Empty,
            Some(text) => {
                let elements: Vec<_> = elements(text).map(|(element, _)| element).collect();
                if elements.len() == len {
                    List::Elements(elements)
                } else {
                    List::OutOfStep
                }
            }
        });
        Self {
            lists,
            group_ends,
            len,
        }
    }

    /// How many there were.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Whether `index` is the last attempt of its group.
    pub(super) fn ends_group(&self, index: usize) -> bool {
        self.group_ends.contains(&index)
    }

    /// The element of `field` that belongs to attempt `index`; `None` for a field that is no list.
    pub(super) fn element(&self, field: Field, index: usize) -> Option<Element<'line>> {
        let at = LISTS.into_iter().position(|list| list == field)?;
        Some(match self.lists.get(at)? {
            List::Absent => Element::Absent,
            List::OutOfStep => Element::Untold,
            List::Empty => Element::Is(b"-"),
            List::Elements(elements) => elements
                .get(index)
                .map_or(Element::Untold, |element| Element::Is(element)),
        })
    }

    /// The value of `field` for attempt `index`, where there is one.
    pub(super) fn value(&self, field: Field, index: usize) -> Option<&'line [u8]> {
        match self.element(field, index)? {
            Element::Is(value) if value != b"-" => Some(value),
            Element::Is(_) | Element::Absent | Element::Untold => None,
        }
    }

    /// Every attempt, without its finding.
    pub(super) fn describe(&self) -> Vec<Attempted<'line>> {
        (0..self.len)
            .map(|index| {
                let upstream = self.value(Field::UpstreamAddr, index).unwrap_or_default();
                Attempted {
                    upstream,
                    is_group: !upstream.is_empty() && !is_server(upstream),
                    status: self.value(Field::UpstreamStatus, index).and_then(status_of),
                    millis: self
                        .value(Field::UpstreamResponseTime, index)
                        .and_then(millis),
                    finding: None,
                }
            })
            .collect()
    }
}

/// Whether `upstream` is a server's address, `host:port` or `unix:path`, and not the name of a group.
pub(super) fn is_server(upstream: &[u8]) -> bool {
    upstream.starts_with(b"unix:")
        || memchr::memrchr(b':', upstream).is_some_and(|colon| {
            let port = upstream.get(colon + 1..).unwrap_or_default();
            !port.is_empty() && port.iter().all(u8::is_ascii_digit)
        })
}

/// Whether a list has no value at all: `-`, or nothing in a JSON log.
fn is_empty(text: &[u8]) -> bool {
    matches!(text.trim_ascii(), b"" | b"-")
}

/// How many attempts a list tells of, and where its groups end.
fn shape(text: &[u8]) -> (usize, Vec<usize>) {
    let mut group_ends = Vec::new();
    let mut len = 0;
    for (_, ends_group) in elements(text) {
        if ends_group {
            group_ends.push(len);
        }
        len += 1;
    }
    (len, group_ends)
}

/// The elements of a list, each with whether a group ends behind it. A group without any (a redirect that reached no
/// upstream) has none.
fn elements(text: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    groups(text).take(ATTEMPTS_MAX).flat_map(|group| {
        let mut rest = Some(group);
        std::iter::from_fn(move || {
            let text = rest?;
            let at = memchr::memmem::find(text, b", ");
            let element = text.get(..at.unwrap_or(text.len()))?;
            rest = at.and_then(|at| text.get(at + 2..));
            Some((element.trim_ascii(), rest.is_none()))
        })
        .take(ATTEMPTS_MAX)
    })
}

/// The groups of a list that are not empty.
fn groups(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let at = memchr::memmem::find(text, b" : ")
            .map(|at| (at, at + 3))
            .or_else(|| {
                // Formats trim the line's end, and with it the space behind the last separator.
                text.ends_with(b" :").then(|| (text.len() - 2, text.len()))
            });
        rest = at.and_then(|(_, end)| text.get(end..));
        text.get(..at.map_or(text.len(), |(start, _)| start))
    })
    .filter(|group| !group.trim_ascii().is_empty())
}

/// Seconds with a fraction, as whole milliseconds.
fn millis(seconds: &[u8]) -> Option<u32> {
    u32::try_from(condition::micros(seconds)? / 1_000).ok()
}
