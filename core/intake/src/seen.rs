//! What was seen of each source: counts, stamps, layouts, and reasons for lines that could not be read.

use std::collections::BTreeMap;

use model::{Edge, Field, SourceId, Stamp};

/// What was seen of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Lines, blank ones left out.
    pub lines: u64,
    /// Requests among them.
    pub requests: u64,
    /// How often something stood around a line.
    pub wrapped: u64,
    /// Requests of programs that have an edge's name.
    pub named: u64,
    /// Requests for a whole URL, with referrer and agent, in a layout that names no product.
    pub absolute: u64,
    /// Error-log entries among them.
    pub entries: u64,
    /// Further lines of error-log entries.
    pub continuations: u64,
    /// Lines that are no records: of programs that are no edge, as the syslog header or the container around them
    /// says, or headers of the file.
    pub others: u64,
    /// Lines that are none of these.
    pub unparsed: u64,
    /// First and last stamp of requests, or of entries as if their stamps were UTC.
    pub span: Option<(Stamp, Stamp)>,
    /// Requests by zone of their stamps, minutes east of UTC.
    pub zones: BTreeMap<Option<i32>, u64>,
    /// Requests by product and layout.
    pub formats: BTreeMap<(Edge, String), u64>,
    /// Fields that requests carried, one bit for each of [`model::Field`].
    pub fields: u128,
    /// Error-log entries by product.
    pub error_edges: BTreeMap<Edge, u64>,
    /// Why lines were not read, or not whole: first line and count.
    pub reasons: BTreeMap<&'static str, (u64, u64)>,
}

impl Seen {
    pub(crate) fn stretch(&mut self, at: Stamp) {
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
    }

    /// Something to say of a line that was read.
    pub(crate) fn remark(&mut self, line: u64, reason: &'static str) {
        unite_reason(&mut self.reasons, reason, (line, 1));
    }

    pub(crate) fn unparsed(&mut self, line: u64, reason: &'static str) {
        self.unparsed += 1;
        unite_reason(&mut self.reasons, reason, (line, 1));
    }

    fn absorb(&mut self, other: Self) {
        self.lines += other.lines;
        self.requests += other.requests;
        self.wrapped += other.wrapped;
        self.named += other.named;
        self.absolute += other.absolute;
        self.entries += other.entries;
        self.continuations += other.continuations;
        self.others += other.others;
        self.unparsed += other.unparsed;
        self.fields |= other.fields;
        if let Some((first, last)) = other.span {
            self.stretch(first);
            self.stretch(last);
        }
        for (zone, n) in other.zones {
            *self.zones.entry(zone).or_default() += n;
        }
        for (format, n) in other.formats {
            *self.formats.entry(format).or_default() += n;
        }
        for (edge, n) in other.error_edges {
            *self.error_edges.entry(edge).or_default() += n;
        }
        for (reason, counted) in other.reasons {
            unite_reason(&mut self.reasons, reason, counted);
        }
    }

    /// Whether any request carried `field`.
    pub const fn carries(&self, field: Field) -> bool {
        self.fields & 1 << field as u32 != 0
    }

    /// The zone that most of its stamps have; the smaller one on a tie.
    pub fn zone(&self) -> Option<i32> {
        let most = self
            .zones
            .iter()
            .max_by_key(|(zone, n)| (**n, std::cmp::Reverse(**zone)));
        most.and_then(|(zone, _)| *zone)
    }
}

fn unite_reason(
    reasons: &mut BTreeMap<&'static str, (u64, u64)>,
    reason: &'static str,
    (line, n): (u64, u64),
) {
    let here = reasons.entry(reason).or_insert((line, 0));
    here.0 = here.0.min(line);
    here.1 += n;
}

/// What was seen of every source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    by_source: BTreeMap<SourceId, Seen>,
}

impl Sources {
    pub(crate) fn of(&mut self, source: SourceId) -> &mut Seen {
        self.by_source.entry(source).or_default()
    }

    /// Adds lines of `source` that were too long to be handed over.
    pub fn add_unread(&mut self, source: SourceId, lines: u64) {
        if lines > 0 {
            let seen = self.of(source);
            seen.lines += lines;
            seen.unparsed += lines;
        }
    }

    /// What was seen of `source`.
    pub fn get(&self, source: SourceId) -> Option<&Seen> {
        self.by_source.get(&source)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (SourceId, &Seen)> {
        self.by_source.iter().map(|(source, seen)| (*source, seen))
    }

    /// The zone that most requests have.
    pub fn zone(&self) -> Option<i32> {
        let mut all = Seen::default();
        for seen in self.by_source.values() {
            for (zone, n) in &seen.zones {
                *all.zones.entry(*zone).or_default() += n;
            }
        }
        all.zone()
    }

    /// Offsets of stamps, minutes east of UTC, each once and sorted.
    pub(crate) fn offsets(&self) -> Vec<i32> {
        let all = self.by_source.values().flat_map(|seen| seen.zones.keys());
        let mut offsets: Vec<i32> = all.copied().flatten().collect();
        offsets.sort_unstable();
        offsets.dedup();
        offsets
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        for (source, seen) in other.by_source {
            self.of(source).absorb(seen);
        }
    }
}
