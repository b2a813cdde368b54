//! `crawlers list`: what is known of whom.

use knowledge::Crawler;

use crate::cli::{ListArgs, ListFormat};
use crate::exit::Failure;
use crate::{output, ranges};

/// Runs it; gives the exit status.
pub(crate) fn run(args: &ListArgs) -> anyhow::Result<u8> {
    let mut crawlers: Vec<&Crawler> = match &args.name {
        None => knowledge::crawlers().iter().collect(),
        Some(name) => {
            let named = ranges::named(name);
            if named.is_empty() {
                return Err(Failure::arguments(format!(
                    "no crawler or operator {name:?} is known"
                )));
            }
            named.into_iter().map(knowledge::crawler).collect()
        }
    };
    if !args.category.is_empty() {
        crawlers.retain(|crawler| args.category.contains(&crawler.category));
    }
    output::write(&match (args.format, crawlers.as_slice()) {
        (ListFormat::Text, [one]) if args.name.is_some() => report::crawler_page(one),
        (ListFormat::Text, all) => report::crawler_table(all),
        (ListFormat::Json, all) => report::crawler_json(all, knowledge::robots_tokens()),
        (ListFormat::Csv, all) => report::crawler_csv(all),
    })?;
    Ok(0)
}
