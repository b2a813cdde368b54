//! Crawlers by name. A number that the registry does not hold is shown as such instead of failing.

use model::{Category, CrawlerId};

/// The registry's id: `googlebot`.
pub(crate) fn name(crawler: CrawlerId) -> String {
    entry(crawler).map_or_else(
        || format!("crawler-{}", crawler.0),
        |entry| entry.id.to_owned(),
    )
}

/// The name as its operator writes it, where that is its id in other letters: `Googlebot`.
pub(crate) fn proper_name(crawler: CrawlerId) -> String {
    entry(crawler).map_or_else(|| name(crawler), |entry| entry.proper_name().to_owned())
}

/// Who runs it; empty where not known.
pub(crate) fn operator(crawler: CrawlerId) -> &'static str {
    entry(crawler).map_or("", |entry| entry.operator)
}

/// What it crawls for.
pub(crate) fn category(crawler: CrawlerId) -> Category {
    entry(crawler).map_or(Category::Other, |entry| entry.category)
}

fn entry(crawler: CrawlerId) -> Option<&'static knowledge::Crawler> {
    knowledge::crawlers().get(usize::from(crawler.0))
}
