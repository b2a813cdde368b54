//! `explain`: a topic of the knowledge base, a statement, a sign, a crawler, as text, JSON and Markdown, with sources.

mod build;
mod find;
mod json;
mod markdown;
mod text;

use knowledge::Ground;

pub use find::{Found, TopicHead, explain_search, explain_topics, page};
pub use json::{explain_found_json, explain_json, explain_topics_json};
pub use markdown::{explain_found_markdown, explain_markdown, explain_topics_markdown};
pub use text::{explain_found_text, explain_text, explain_topics_text};

/// How a claim is shown for which no primary source was read.
const UNVERIFIED: &str = "Data not yet verified";

/// What is known under one name.
#[derive(Clone, Debug)]
pub struct Page {
    /// What it is looked up by.
    name: String,
    /// Its title.
    title: String,
    /// What it is: `status`, `cause`, `statement`, ..
    kind: &'static str,
    sections: Vec<Section>,
    /// Names of pages beside it.
    related: Vec<&'static str>,
}

/// One question.
#[derive(Clone, Debug)]
struct Section {
    /// In machine output.
    name: &'static str,
    heading: &'static str,
    items: Vec<Item>,
}

/// One claim.
#[derive(Clone, Debug, Default)]
struct Item {
    /// What it belongs to: an operator, an edge's log. Neighbours with the same label stand under it together.
    label: String,
    says: String,
    /// Whether it is text of a log or a configuration, to be shown as it is.
    literal: bool,
    /// Named parts: why, instead.
    more: Vec<(&'static str, String)>,
    grounds: Vec<Ground>,
    /// Left out of short output: a rarer message of the same log.
    minor: bool,
}

impl Item {
    fn new(says: impl Into<String>, grounds: &[Ground]) -> Self {
        Self {
            says: says.into(),
            grounds: grounds.to_vec(),
            ..Self::default()
        }
    }

    fn labelled(self, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..self
        }
    }

    /// Whether all that it rests on was read at its source.
    fn is_verified(&self) -> bool {
        self.grounds.iter().all(|ground| ground.checked.is_some())
    }
}

impl Page {
    /// Every claim with what it rests on.
    fn items(&self) -> impl Iterator<Item = &Item> {
        self.sections.iter().flat_map(|section| &section.items)
    }

    /// How many claims were checked at their source, and how many were not.
    fn counts(&self) -> (usize, usize) {
        let verified = self.items().filter(|item| item.is_verified()).count();
        (verified, self.items().count() - verified)
    }

    /// The page without what only the full one shows; the numbers left out stand where they stood.
    fn shortened(mut self) -> Self {
        for section in &mut self.sections {
            let mut kept: Vec<Item> = Vec::new();
            let mut left_out = 0_usize;
            let items = std::mem::take(&mut section.items);
            let mut items = items.into_iter().peekable();
            while let Some(mut item) = items.next() {
                for (_, words) in item.more.iter_mut().filter(|_| item.literal) {
                    *words = few(words);
                }
                let label = item.label.clone();
                if item.minor {
                    left_out += 1;
                } else {
                    kept.push(item);
                }
                let ends = items.peek().is_none_or(|next| next.label != label);
                if ends && left_out > 0 {
                    let says = format!("and {left_out} more: --full");
                    kept.push(Item::new(says, &[]).labelled(label));
                    left_out = 0;
                }
            }
            section.items = kept;
        }
        self
    }
}

/// A list of which only the first few count.
fn few(words: &str) -> String {
    /// Parts shown, the first being how sure it is.
    const PARTS: usize = 4;
    let parts: Vec<&str> = words.split(", ").collect();
    if parts.len() <= PARTS + 1 {
        return words.to_owned();
    }
    let others = parts.len() - PARTS;
    format!("{} and {others} others", parts[..PARTS].join(", "))
}

/// One source with all that rests on it: what stands at the end of a page.
#[derive(Clone, Debug)]
struct Source {
    ground: Ground,
    /// Statements, causes and signs that rest on it, as they are marked in the text.
    marks: Vec<String>,
}

/// The sources of a page in the order of their first use.
fn sources(page: &Page) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    let mut numbers = 0;
    for ground in page.items().flat_map(|item| &item.grounds) {
        let same = |source: &&mut Source| {
            let known = source.ground;
            let named = known.name.is_some() == ground.name.is_some();
            named
                && (known.kind, known.source, known.basis, known.checked)
                    == (ground.kind, ground.source, ground.basis, ground.checked)
        };
        let mark = ground.name.map(str::to_owned);
        match (sources.iter_mut().find(same), mark) {
            (Some(known), Some(mark)) => {
                if !known.marks.contains(&mark) {
                    known.marks.push(mark);
                }
            }
            (Some(_), None) => {}
            (None, mark) => {
                let mark = mark.unwrap_or_else(|| {
                    numbers += 1;
                    numbers.to_string()
                });
                sources.push(Source {
                    ground: *ground,
                    marks: vec![mark],
                });
            }
        }
    }
    sources
}

/// What stands behind a claim: `[502-01]`, `[500-06, Data not yet verified]`.
fn marks(item: &Item, sources: &[Source]) -> String {
    let own = |ground: &Ground| {
        let source = sources.iter().find(|source| {
            let known = source.ground;
            known.name.is_none() == ground.name.is_none()
                && (known.kind, known.source, known.basis, known.checked)
                    == (ground.kind, ground.source, ground.basis, ground.checked)
        });
        match ground.name {
            Some(name) => name.to_owned(),
            None => source.map_or_else(String::new, |source| source.marks.join(", ")),
        }
    };
    let mut marks: Vec<String> = Vec::new();
    for mark in item.grounds.iter().map(own) {
        if !marks.contains(&mark) {
            marks.push(mark);
        }
    }
    // The page is the statement's own, or the claim begins with the cause that it rests on.
    marks.retain(|mark| !item.says.starts_with(&format!("{mark}: ")));
    if !item.is_verified() {
        marks.push(UNVERIFIED.to_owned());
    }
    if marks.is_empty() {
        return String::new();
    }
    format!("[{}]", marks.join(", "))
}

/// The kind of a source in words.
fn kind_words(kind: &str) -> &'static str {
    match kind {
        "rfc" => "RFC",
        "internet-draft" => "Internet-Draft",
        "operator-doc" => "the crawler operator's own page",
        "vendor-doc" => "the product's own documentation or source",
        "source-code" => "the product's source code",
        "measured" => "measured",
        "project" => "this project",
        _ => "secondary",
    }
}

/// How a source came to be known, and when: `RFC; full text; verified, checked 2026-11`.
fn source_words(ground: &Ground) -> String {
    let mut words = vec![kind_words(ground.kind).to_owned()];
    if !ground.basis.is_empty() && ground.basis != ground.kind {
        words.push(ground.basis.to_owned());
    }
    // What this project lays down is no reading of somebody else's text.
    if let ("project", Some(day)) = (ground.kind, ground.checked) {
        words.push(format!("as of {day}"));
        return words.join("; ");
    }
    words.push(match ground.checked {
        Some(day) => format!("verified, checked {day}"),
        None => UNVERIFIED.to_owned(),
    });
    words.join("; ")
}
