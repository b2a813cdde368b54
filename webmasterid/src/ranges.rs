//! Address ranges from files: whose they are, and what is wrong with them.

use std::fs;
use std::path::Path;

use intake::Ranges;
use model::{CrawlerId, Problem};

use crate::exit::Failure;

/// Reads every `[NAME=]FILE`. A file that cannot be opened is an error of the arguments; rubbish inside one is a
/// problem with a place, and the rest of it is used.
pub(crate) fn read(args: &[String]) -> anyhow::Result<(Ranges, Vec<Problem>)> {
    let mut ranges = Ranges::default();
    let mut problems = Vec::new();
    for arg in args {
        let (name, path) = match arg.split_once('=') {
            // A path may hold an equals sign too.
            Some((name, path)) if !name.contains('/') && !Path::new(arg).exists() => {
                (Some(name), path)
            }
            _ => (None, arg.as_str()),
        };
        let crawlers = match name {
            Some(name) => named(name),
            None => by_file(path),
        };
        if crawlers.is_empty() {
            return Err(Failure::arguments(match name {
                Some(name) => format!("--ranges {arg}: no crawler or operator {name:?} is known"),
                None => format!(
                    "--ranges {arg}: the file name does not tell whose ranges these are; write NAME={path}"
                ),
            }));
        }
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::arguments(format!("--ranges {path}: {}", files::reason(&error)))
        })?;
        for found in ranges.add_json(&crawlers, &text) {
            let place = found
                .entry
                .map_or(String::new(), |entry| format!("prefixes[{entry}]: "));
            problems.push(Problem {
                source: path.to_owned(),
                line: None,
                reason: format!("{place}{}", found.reason),
                count: 1,
            });
        }
    }
    Ok((ranges, problems))
}

/// The crawler of that name, or all crawlers of that operator.
fn named(name: &str) -> Vec<CrawlerId> {
    match knowledge::crawler_named(name) {
        Some(crawler) => vec![crawler],
        None => which(|crawler| crawler.operator.eq_ignore_ascii_case(name)),
    }
}

/// The crawlers whose operator publishes a file of that name.
fn by_file(path: &str) -> Vec<CrawlerId> {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    which(|crawler| {
        crawler
            .ip_ranges
            .iter()
            .any(|url| url.rsplit('/').next() == Some(file))
    })
}

fn which(is_meant: impl Fn(&knowledge::Crawler) -> bool) -> Vec<CrawlerId> {
    let all = knowledge::crawlers().iter().enumerate();
    all.filter(|(_, crawler)| is_meant(crawler))
        .map(|(index, _)| CrawlerId(index as u16))
        .collect()
}
