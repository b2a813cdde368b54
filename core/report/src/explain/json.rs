//! Machine output, version 1: always the whole page.

use serde::Serialize;

use super::{Found, Page, TopicHead, UNVERIFIED};
use crate::json::escaped;

const VERSION: u32 = 1;

#[derive(Serialize)]
struct PageRow<'a> {
    version: u32,
    name: &'a str,
    title: &'a str,
    kind: &'a str,
    sections: Vec<SectionRow<'a>>,
    related: &'a [&'a str],
}

#[derive(Serialize)]
struct SectionRow<'a> {
    name: &'a str,
    heading: &'a str,
    facts: Vec<FactRow<'a>>,
}

#[derive(Serialize)]
struct FactRow<'a> {
    /// The operator, or the product and its log.
    of: Option<&'a str>,
    says: &'a str,
    details: Vec<DetailRow<'a>>,
    status: &'a str,
    sources: Vec<SourceRow<'a>>,
}

#[derive(Serialize)]
struct DetailRow<'a> {
    name: &'a str,
    says: &'a str,
}

#[derive(Serialize)]
struct SourceRow<'a> {
    id: Option<&'a str>,
    kind: &'a str,
    source: &'a str,
    basis: &'a str,
    checked: Option<&'a str>,
}

/// A page as one JSON object.
pub fn explain_json(page: &Page) -> String {
    let sections = page.sections.iter().map(|section| SectionRow {
        name: section.name,
        heading: section.heading,
        facts: (section.items.iter())
            .map(|item| FactRow {
                of: Some(item.label.as_str()).filter(|label| !label.is_empty()),
                says: &item.says,
                details: (item.more.iter())
                    .map(|(name, says)| DetailRow { name, says })
                    .collect(),
                status: if item.is_verified() {
                    "verified"
                } else {
                    UNVERIFIED
                },
                sources: (item.grounds.iter())
                    .map(|ground| SourceRow {
                        id: ground.name,
                        kind: ground.kind,
                        source: ground.source,
                        basis: ground.basis,
                        checked: ground.checked,
                    })
                    .collect(),
            })
            .collect(),
    });
    written(&PageRow {
        version: VERSION,
        name: &page.name,
        title: &page.title,
        kind: page.kind,
        sections: sections.collect(),
        related: &page.related,
    })
}

#[derive(Serialize)]
struct ListRow<'a> {
    version: u32,
    topics: Vec<HeadRow<'a>>,
}

#[derive(Serialize)]
struct HeadRow<'a> {
    name: &'a str,
    title: &'a str,
    kind: &'a str,
}

/// The list of topics as one JSON object.
pub fn explain_topics_json(heads: &[TopicHead]) -> String {
    let topics = heads.iter().map(|head| HeadRow {
        name: head.name,
        title: head.title,
        kind: head.kind.name(),
    });
    written(&ListRow {
        version: VERSION,
        topics: topics.collect(),
    })
}

#[derive(Serialize)]
struct SearchRow<'a> {
    version: u32,
    query: &'a str,
    results: Vec<FoundRow<'a>>,
}

#[derive(Serialize)]
struct FoundRow<'a> {
    name: &'a str,
    title: &'a str,
    kind: &'a str,
    found_in: &'a str,
    excerpt: &'a str,
}

/// The results of a search as one JSON object.
pub fn explain_found_json(query: &str, found: &[Found]) -> String {
    let results = found.iter().map(|one| FoundRow {
        name: &one.name,
        title: &one.title,
        kind: one.kind,
        found_in: &one.place,
        excerpt: &one.excerpt,
    });
    written(&SearchRow {
        version: VERSION,
        query,
        results: results.collect(),
    })
}

fn written(row: &impl Serialize) -> String {
    escaped(&serde_json::to_string_pretty(row).unwrap_or_default()) + "\n"
}
