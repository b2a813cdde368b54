//! A line as logged: the only place where personal data has a name.

use std::ops::Range;

use model::Field;

/// Where a field's value stands: in the line, or in the scratch buffer that holds unescaped JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    len: u32,
}

const ABSENT: Span = Span {
    start: u32::MAX,
    len: 0,
};
/// Set in `start` for a value in the scratch buffer. Lines are limited to far less than 2 GiB.
const SCRATCH: u32 = 1 << 31;

/// Where each field stands in one line. Holds positions only, so it may be reused for the next line.
pub(crate) struct Spans {
    at: [Span; Field::COUNT],
    carried: u128,
    /// Whether the line was cut behind the last of them.
    cut: bool,
    /// Where in the line the values in the scratch buffer come from.
    escaped: Vec<(Field, Range<usize>)>,
}

/// One bit for each field.
const _: () = assert!(Field::COUNT <= u128::BITS as usize, "a bit for each field");

impl Spans {
    /// No field.
    pub(crate) const fn new() -> Self {
        Self {
            at: [ABSENT; Field::COUNT],
            carried: 0,
            cut: false,
            escaped: Vec::new(),
        }
    }

    /// Forgets every field.
    pub(crate) fn clear(&mut self) {
        self.at = [ABSENT; Field::COUNT];
        self.carried = 0;
        self.cut = false;
        self.escaped.clear();
    }

    /// The line ends early, yet what stands before makes a request.
    pub(crate) fn mark_cut(&mut self) {
        self.cut = true;
    }

    /// Whether the line was cut.
    pub(crate) const fn is_cut(&self) -> bool {
        self.cut
    }

    /// The fields that the layout carries, one bit for each.
    pub(crate) const fn carried(&self) -> u128 {
        self.carried
    }

    /// `field` stands at `start..end` of the line.
    pub(crate) fn set(&mut self, field: Field, start: usize, end: usize) {
        self.carried |= 1 << field as u32;
        self.at[field as usize] = Span {
            start: start as u32,
            len: (end - start) as u32,
        };
    }

    /// `field` stands at `start..end` of the scratch buffer, and with its escapes at `line` of the line.
    pub(crate) fn set_scratch(
        &mut self,
        field: Field,
        start: usize,
        end: usize,
        line: Range<usize>,
    ) {
        self.escaped.push((field, line));
        self.carried |= 1 << field as u32;
        self.at[field as usize] = Span {
            start: start as u32 | SCRATCH,
            len: (end - start) as u32,
        };
    }

    /// Where `field` stands in the line, its escapes included.
    pub(crate) fn in_line(&self, field: Field) -> Option<Range<usize>> {
        let span = self.at[field as usize];
        if span == ABSENT {
            return None;
        }
        if span.start & SCRATCH == 0 {
            let start = span.start as usize;
            return Some(start..start + span.len as usize);
        }
        let of = |(known, range): &(Field, Range<usize>)| (*known == field).then(|| range.clone());
        self.escaped.iter().rev().find_map(of)
    }

    /// The layout does not carry `field` after all.
    pub(crate) fn forget(&mut self, field: Field) {
        self.carried &= !(1 << field as u32);
        self.at[field as usize] = ABSENT;
    }

    /// The fields were found in a part of the line that begins at `start`.
    pub(crate) fn shift(&mut self, start: usize) {
        for span in &mut self.at {
            if *span != ABSENT && span.start & SCRATCH == 0 {
                span.start += start as u32;
            }
        }
        for (_, range) in &mut self.escaped {
            *range = range.start + start..range.end + start;
        }
    }

    /// Makes `field` the part `start..end` of the value of `of`, which the layout carries.
    pub(crate) fn narrow(&mut self, field: Field, of: Field, start: usize, end: usize) {
        let whole = self.at[of as usize];
        let fits = start <= end && end <= whole.len as usize;
        if whole == ABSENT || !fits {
            return;
        }
        self.carried |= 1 << field as u32;
        self.at[field as usize] = Span {
            start: whole.start + start as u32,
            len: (end - start) as u32,
        };
    }

    /// Whether the layout carries `field`.
    pub(crate) fn has(&self, field: Field) -> bool {
        self.at[field as usize] != ABSENT
    }
}

/// A line as logged. Holds personal data, so: no Debug, no Serialize, no Clone, and a lifetime tied to the read
/// buffer. Nothing outside this crate can name it.
pub(crate) struct Visit<'line> {
    line: &'line [u8],
    scratch: &'line [u8],
    spans: &'line Spans,
}

impl<'line> Visit<'line> {
    /// The line, with its fields found.
    pub(crate) const fn new(line: &'line [u8], scratch: &'line [u8], spans: &'line Spans) -> Self {
        Self {
            line,
            scratch,
            spans,
        }
    }

    /// The value of `field` as logged, `-` included; `None` where the layout does not carry it.
    pub(crate) fn get(&self, field: Field) -> Option<&'line [u8]> {
        let span = self.spans.at[field as usize];
        if span == ABSENT {
            return None;
        }
        let (buffer, start) = if span.start & SCRATCH == 0 {
            (self.line, span.start as usize)
        } else {
            (self.scratch, (span.start & !SCRATCH) as usize)
        };
        buffer.get(start..start + span.len as usize)
    }

    /// Whether the client spoke HTTP/2, as far as the line says.
    pub(crate) fn is_http2(&self) -> bool {
        let versions: [&[u8]; 2] = [b"HTTP/2.0", b"HTTP/2"];
        let is_in = |field| {
            let text = self.get(field).unwrap_or_default();
            versions.iter().any(|version| text.ends_with(version))
        };
        is_in(Field::Request) || is_in(Field::Protocol)
    }

    /// Whether the layout carries one of `fields`.
    pub(crate) fn carries_any(&self, fields: &[Field]) -> bool {
        let wanted = fields
            .iter()
            .fold(0_u128, |bits, field| bits | 1 << *field as u32);
        self.spans.carried & wanted != 0
    }

    /// The value of `field`; `None` where it is not carried, empty or the product's mark for "no value".
    pub(crate) fn value(&self, field: Field) -> Option<&'line [u8]> {
        self.get(field)
            .filter(|value| !value.is_empty() && *value != b"-")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Visit;

    /// Does not compile where the type has one of the traits: then two implementations fit, and which is meant is
    /// not clear (the trick of the crate `static_assertions`).
    macro_rules! assert_has_none_of {
        ($type:ty: $($trait:path),+ $(,)?) => {
            $(const _: fn() = || {
                trait Fits<A> {
                    fn once() {}
                }
                impl<T: ?Sized> Fits<()> for T {}
                struct Again;
                impl<T: ?Sized + $trait> Fits<Again> for T {}
                let _ = <$type as Fits<_>>::once;
            };)+
        };
    }
    pub(crate) use assert_has_none_of;

    assert_has_none_of!(Visit<'static>: Clone, std::fmt::Debug, std::fmt::Display, serde::Serialize);
}
