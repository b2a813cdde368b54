//! Signs in error-log lines: all literals of one edge in one automaton.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use knowledge::SignRule;
use model::{Cause, Edge, Finding, LogKind, SignId};

use super::REUSED;
use super::rank::{Match, decide};
use crate::error_log::{ErrorLine, Part};

/// What a line of the error log belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// The request whose client or connection it names.
    Request,
    /// The request that the same process and thread log next, within a moment: httpd names no client where it connects.
    /// In a format without processes the very next line must do.
    Thread,
    /// A request that ended about then: the edge names neither client nor connection where it speaks of backends
    /// (lighttpd, nghttpx), or only the status (Traefik).
    Moment,
    /// No request: a server marked down, a worker that died, a resolver out of reach, a reload.
    Itself,
}

/// What a line of the error log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErrorFinding {
    /// What it says by itself; `None` where only what does not follow says anything.
    pub(crate) now: Option<Finding>,
    /// What it says if none of these literals comes in the next lines of the same client.
    pub(crate) if_not_followed: Option<(Finding, &'static [&'static str])>,
    /// What it says if the connection to the upstream was used before.
    pub(crate) if_reused: Option<Finding>,
    /// What it belongs to.
    pub(crate) about: About,
}

impl ErrorFinding {
    /// Says nothing of a failure, but of the entry that it is a line of.
    pub(crate) const SILENT: Self = Self {
        now: None,
        if_not_followed: None,
        if_reused: None,
        about: About::Itself,
    };
}

/// A rule, with its literals as numbers of the automaton.
struct Entry {
    id: SignId,
    all: Vec<usize>,
    none: Vec<usize>,
}

/// The error-log rules of one edge.
pub(super) struct Automaton {
    /// `None` for an edge without any rule.
    literals: Option<AhoCorasick>,
    len: usize,
    entries: Vec<Entry>,
}

impl Automaton {
    /// Builds it from the rules of `edge`.
    pub(super) fn new(rules: &'static [SignRule], edge: Edge) -> Self {
        let mut literals: Vec<&'static str> = Vec::new();
        let mut number = |literal: &'static str| {
            literals
                .iter()
                .position(|known| *known == literal)
                .unwrap_or_else(|| {
                    literals.push(literal);
                    literals.len() - 1
                })
        };
        let mut entries = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let is_ours = rule.edge == edge && rule.log == LogKind::Error && !rule.all.is_empty();
            let Some(id) = u16::try_from(index).ok().filter(|_| is_ours) else {
                continue;
            };
            entries.push(Entry {
                id: SignId(id),
                all: rule.all.iter().copied().map(&mut number).collect(),
                none: rule.none.iter().copied().map(&mut number).collect(),
            });
        }
        Self {
            literals: AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .build(&literals)
                .ok()
                .filter(|_| !literals.is_empty()),
            len: literals.len(),
            entries,
        }
    }

    /// What `line` says.
    pub(super) fn find(
        &self,
        rules: &'static [SignRule],
        line: &ErrorLine<'_>,
    ) -> Option<ErrorFinding> {
        let present = self.present(line.words)?;
        let held = || self.held(rules, &present);
        let of = |(id, rule): (SignId, &'static SignRule)| Match::of(id, rule);
        let now = decide(
            held()
                .filter(|(_, rule)| rule.not_followed_by.is_empty())
                .map(of),
        );
        let waiting = held().find_map(|(_, rule)| {
            (!rule.not_followed_by.is_empty()).then_some(rule.not_followed_by)
        });
        let if_not_followed =
            waiting.and_then(|literals| Some((decide(held().map(of))?, literals)));
        let said = now.or(if_not_followed.map(|(finding, _)| finding))?;
        Some(ErrorFinding {
            now,
            if_not_followed,
            if_reused: (line.part == Part::Further)
                .then(|| self.words(rules, [line.words[1], REUSED]))
                .flatten()
                .filter(|reused| Some(*reused) != now),
            about: about(line, &said),
        })
    }

    /// What these words say.
    pub(super) fn words(&self, rules: &'static [SignRule], words: [&[u8]; 2]) -> Option<Finding> {
        let present = self.present(words)?;
        decide(
            self.held(rules, &present)
                .map(|(id, rule)| Match::of(id, rule)),
        )
    }

    /// What `words` say that stand elsewhere than in an error log.
    pub(super) fn find_words(&self, rules: &'static [SignRule], words: &[u8]) -> Option<Finding> {
        let present = self.present([words, b""])?;
        decide(
            self.held(rules, &present)
                .map(|(id, rule)| Match::of(id, rule)),
        )
    }

    /// The rules that hold where these literals stand.
    fn held<'a>(
        &'a self,
        rules: &'static [SignRule],
        present: &'a [bool],
    ) -> impl Iterator<Item = (SignId, &'static SignRule)> + 'a {
        self.entries.iter().filter_map(|entry| {
            let has = |literal: &usize| present.get(*literal).copied().unwrap_or(false);
            let holds = entry.all.iter().all(has) && !entry.none.iter().any(has);
            let rule = rules.get(usize::from(entry.id.0)).filter(|_| holds)?;
            Some((entry.id, rule))
        })
    }

    /// Where literals stand in `words`.
    pub(super) fn literals_in(&self, words: &[u8]) -> Vec<Range<usize>> {
        let found = self.literals.iter();
        found
            .flat_map(|literals| literals.find_overlapping_iter(words))
            .map(|found| found.range())
            .collect()
    }

    /// Which literals stand in the product's own words; `None` where none does.
    fn present(&self, words: [&[u8]; 2]) -> Option<Vec<bool>> {
        let literals = self.literals.as_ref()?;
        // A literal may reach over both pieces: `(111)Connection refused: AH00957: `.
        let joined;
        let words = match words {
            [words, b""] | [b"", words] => words,
            [first, second] => {
                joined = [first, second].concat();
                joined.as_slice()
            }
        };
        let mut present = vec![false; self.len];
        let mut any = false;
        for found in literals.find_overlapping_iter(words) {
            if let Some(seen) = present.get_mut(found.pattern().as_usize()) {
                *seen = true;
                any = true;
            }
        }
        any.then_some(present)
    }
}

/// What a line that says `finding` belongs to.
fn about(line: &ErrorLine<'_>, finding: &Finding) -> About {
    // nginx writes it while it serves a request, and that request may still be served by the next server.
    const EJECTED: &[u8] = b"upstream server temporarily disabled";
    let is_ejection = finding.cause == Some(Cause::NoLiveUpstream)
        && memchr::memmem::find(line.words[0], EJECTED).is_some();
    if is_ejection {
        return About::Itself;
    }
    if names_no_client(line.edge) {
        return about_moment(finding);
    }
    // Those that name no client may name what was asked for.
    let names_path = line.path_hint.is_some() && line.edge != Edge::Apache;
    if line.client.is_some() || line.connection.is_some() || line.log_id.is_some() || names_path {
        return About::Request;
    }
    // Other lines of the entry name the request.
    if line.part != Part::Whole {
        return About::Request;
    }
    if line.status.is_some() {
        return About::Moment;
    }
    let is_hop = finding.candidates().iter().any(|cause| {
        matches!(
            cause.layer(),
            model::Layer::Connection | model::Layer::Response
        )
    });
    let is_ejected = finding.cause == Some(Cause::NoLiveUpstream);
    if line.edge == Edge::Apache && is_hop && !is_ejected {
        About::Thread
    } else {
        About::Itself
    }
}

/// Whether the error log of this edge never names who asked.
const fn names_no_client(edge: Edge) -> bool {
    matches!(edge, Edge::Lighttpd | Edge::Nghttpx)
}

/// What a line of such an edge belongs to.
fn about_moment(finding: &Finding) -> About {
    match finding.cause {
        Some(Cause::WorkerCrashed | Cause::OriginRestart | Cause::EdgeCapacityExhausted) | None => {
            About::Itself
        }
        Some(_) => About::Moment,
    }
}
