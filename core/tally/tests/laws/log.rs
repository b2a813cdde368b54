//! A log of several sources: read whole, and read in parts that are merged by chance.

use std::cell::RefCell;

use intake::{
    Chunk, Filter, Formats, Held, Intake, Ranges, Scanned, Secret, Settings, Settler, Sources,
};
use model::{Edge, Joined, LogKind, SourceId, Stamp};
use tally::{Tally, View};

use crate::chance::Chance;

/// One file's bytes.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) kind: LogKind,
    pub(crate) edge: Edge,
    pub(crate) bytes: Vec<u8>,
}

/// What belongs together.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) name: String,
    pub(crate) sources: Vec<Source>,
}

/// What reading gave.
#[derive(Clone)]
pub(crate) struct Read {
    pub(crate) view: View,
    pub(crate) sources: Sources,
    pub(crate) joined: Joined,
}

/// Whole lines of a source.
struct Part<'a> {
    source: usize,
    first_line: u64,
    bytes: &'a [u8],
}

type Folded = (Tally, Scanned);

pub(crate) fn intake(key: u8) -> Intake {
    Intake::new(
        Settings::default(),
        Secret::new([key; 16]),
        Ranges::default(),
        Formats::new(Vec::new()),
    )
}

impl Log {
    /// One access log.
    pub(crate) fn of(name: &str, access: String) -> Self {
        Self {
            name: name.to_owned(),
            sources: vec![Source {
                kind: LogKind::Access,
                edge: Edge::Nginx,
                bytes: access.into_bytes(),
            }],
        }
    }

    /// The same with an error log.
    pub(crate) fn with_errors(mut self, errors: String) -> Self {
        self.sources.push(Source {
            kind: LogKind::Error,
            edge: Edge::Nginx,
            bytes: errors.into_bytes(),
        });
        self
    }

    pub(crate) fn read_whole(&self, intake: &Intake) -> Read {
        self.read(
            intake,
            |source| vec![self.sources[source].bytes.len()],
            |_, mut all| {
                let mut whole = all.remove(0);
                for part in all {
                    merge(&mut whole, part);
                }
                whole
            },
        )
    }

    /// Reads parts cut at line ends by chance, merged in an order and a tree by chance.
    pub(crate) fn read_split(&self, intake: &Intake, chance: &RefCell<Chance>) -> Read {
        self.read(
            intake,
            |source| cuts(&self.sources[source].bytes, &mut chance.borrow_mut()),
            |_, all| merge_by_chance(all, &mut chance.borrow_mut()),
        )
    }

    /// Error logs first, since their keys tell which good requests wait; then access logs.
    fn read(
        &self,
        intake: &Intake,
        ends: impl Fn(usize) -> Vec<usize>,
        fold: impl Fn(LogKind, Vec<Folded>) -> Folded,
    ) -> Read {
        let mut whole: Folded = (Tally::new(), Scanned::default());
        for kind in [LogKind::Error, LogKind::Access] {
            let filter = Filter::of(&whole.1.held);
            let sources = (0..self.sources.len()).filter(|n| self.sources[*n].kind == kind);
            let parts: Vec<Folded> = sources
                .flat_map(|source| parts(source, &self.sources[source].bytes, &ends(source)))
                .map(|part| self.scan(intake, &part, &filter))
                .collect();
            if parts.is_empty() {
                continue;
            }
            let mut part = fold(kind, parts);
            std::mem::swap(&mut part, &mut whole);
            merge(&mut whole, part);
        }
        finish(intake, whole, Stamp(i64::MAX))
    }

    fn scan(&self, intake: &Intake, part: &Part<'_>, filter: &Filter) -> Folded {
        let source = &self.sources[part.source];
        let chunk = Chunk {
            source: SourceId(part.source as u32),
            first_line: part.first_line,
            edge: source.edge,
            kind: source.kind,
            take: intake::Take::All,
            names_edge: false,
            bytes: part.bytes,
        };
        let mut tally = Tally::new();
        let scanned = intake.scan(chunk, filter, &mut |request| tally.record(request));
        (tally, scanned)
    }
}

fn finish(intake: &Intake, (tally, scanned): Folded, end: Stamp) -> Read {
    let tally = RefCell::new(tally);
    let mut settler = Settler::default();
    let held: Held = scanned.held;
    settler.settle(
        intake,
        held,
        &scanned.sources,
        None,
        &mut |request| tally.borrow_mut().record(request),
        &mut |sign| tally.borrow_mut().sign(sign),
    );
    let mut tally = tally.into_inner();
    tally.close(end);
    Read {
        view: tally.view(),
        sources: scanned.sources,
        joined: settler.joined,
    }
}

fn merge(into: &mut Folded, other: Folded) {
    into.0.merge(other.0);
    into.1.merge(other.1);
}

/// Any two, until one is left.
pub(crate) fn merge_by_chance(mut all: Vec<Folded>, chance: &mut Chance) -> Folded {
    while all.len() > 1 {
        let other = all.swap_remove(chance.below(all.len()));
        let at = chance.below(all.len());
        merge(&mut all[at], other);
    }
    all.remove(0)
}

/// Ends of parts: line ends, from each single one to none but the last, in clusters and alone.
fn cuts(bytes: &[u8], chance: &mut Chance) -> Vec<usize> {
    let lines: Vec<usize> = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1)
        .collect();
    let one_in = [1, 2, 3, 7, 20, 100, 1_000][chance.below(7)];
    let mut ends: Vec<usize> = lines
        .into_iter()
        .filter(|_| chance.one_in(one_in))
        .collect();
    ends.push(bytes.len());
    ends.dedup();
    ends
}

fn parts<'a>(source: usize, bytes: &'a [u8], ends: &[usize]) -> Vec<Part<'a>> {
    let (mut start, mut first_line) = (0, 1);
    let mut all = Vec::new();
    for end in ends {
        let part = &bytes[start..*end];
        all.push(Part {
            source,
            first_line,
            bytes: part,
        });
        first_line += part.iter().filter(|byte| **byte == b'\n').count() as u64;
        start = *end;
    }
    all
}

/// Names of the tables that differ; the view as a whole is what must be equal.
pub(crate) fn differing(a: &View, b: &View) -> Vec<&'static str> {
    let mut all = Vec::new();
    let mut note = |name, same: bool| all.extend((!same).then_some(name));
    note("span", a.span == b.span);
    note("gaps", a.gaps == b.gaps);
    note("minutes", a.minutes == b.minutes);
    note("totals", a.totals == b.totals);
    note("crawlers", a.crawlers == b.crawlers);
    note("hosts", a.hosts == b.hosts);
    note("upstreams", a.upstreams == b.upstreams);
    note("prefixes", a.prefixes == b.prefixes);
    note("nodes", a.nodes == b.nodes);
    note("urls", a.urls == b.urls);
    note("failures", a.failures == b.failures);
    note("signs", a.signs == b.signs);
    note("failed_attempts", a.failed_attempts == b.failed_attempts);
    note("returns", a.returns == b.returns);
    note("ledger", a.ledger == b.ledger);
    note("robots", a.robots == b.robots);
    note("limits", a.limits == b.limits);
    if all.is_empty() && a != b {
        all.push("slots or owed");
    }
    all
}

#[track_caller]
pub(crate) fn assert_same(name: &str, split: &Read, whole: &Read) {
    assert_eq!(differing(&split.view, &whole.view), [""; 0], "{name}");
    assert!(split.view == whole.view, "{name}");
    assert!(split.sources == whole.sources, "{name}: sources");
    assert!(split.joined == whole.joined, "{name}: joined");
}

/// Reads a log in `n` splits by chance, each of which must give what reading it whole gives.
#[track_caller]
pub(crate) fn assert_splits(intake: &Intake, log: &Log, n: usize, seed: u64) {
    let whole = log.read_whole(intake);
    let chance = RefCell::new(Chance(seed));
    for split in 0..n {
        let name = format!("{}, split {split}", log.name);
        assert_same(&name, &log.read_split(intake, &chance), &whole);
    }
}
