//! Address ranges from files, the user's and stored ones: whose they are, and what is wrong with them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use intake::{Expected, RangeLayout, RangeList, Ranges, STALE_SECS};
use knowledge::RangeSource;
use model::{CrawlerId, Problem, Stamp};

use crate::exit::Failure;
use crate::range_store::RangeStore;

/// Ranges ready to use, and where they are from.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) ranges: Ranges,
    pub(crate) files: Vec<LoadedFile>,
    pub(crate) problems: Vec<Problem>,
}

/// A file that ranges came from.
pub(crate) struct LoadedFile {
    /// The user's path, or the name that the operator gives it.
    pub(crate) name: String,
    /// Where it was fetched, for a stored one.
    pub(crate) url: Option<&'static str>,
    pub(crate) crawlers: Vec<CrawlerId>,
    pub(crate) created: Option<Stamp>,
    pub(crate) fetched: Option<Stamp>,
    /// Prefixes of IPv4 and IPv6.
    pub(crate) entries: (usize, usize),
}

impl LoadedFile {
    /// The last moment at which it was known to be current; `None` where it came without a date.
    pub(crate) fn as_of(&self) -> Option<Stamp> {
        self.fetched.or(self.created)
    }

    /// Whether a miss in it means nothing for a request at that time.
    pub(crate) fn is_stale(&self, at: Stamp) -> bool {
        self.as_of()
            .is_some_and(|as_of| at.secs_since(as_of) > STALE_SECS)
    }
}

/// Reads the store, where one is asked for, and every `[NAME=]FILE`. A file of the user's that cannot be opened is an
/// error of the arguments; rubbish inside one is a problem with a place, and the rest of it is used.
pub(crate) fn read(args: &[String], store: Option<&RangeStore>) -> anyhow::Result<Loaded> {
    let mut loaded = Loaded::default();
    if let Some(store) = store {
        loaded.add_store(store);
    }
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
        let bytes = fs::read(path).map_err(|error| {
            Failure::arguments(format!("--ranges {path}: {}", files::reason(&error)))
        })?;
        let text = String::from_utf8_lossy(&bytes);
        // Whole clouds are listed by service, and which one is a crawler's stands in facts.
        let expected = Expected {
            layout: None,
            service: service_of(&crawlers),
        };
        loaded.add(&text, expected, crawlers, path, None, None);
    }
    Ok(loaded)
}

impl Loaded {
    fn add_store(&mut self, store: &RangeStore) {
        match store.is_there() {
            Ok(true) => {}
            Ok(false) => return,
            Err(reason) => {
                self.problems.push(Problem {
                    source: "stored address ranges".to_owned(),
                    line: None,
                    reason,
                    count: 1,
                });
                return;
            }
        }
        for (source, crawlers) in sources() {
            let Some(url) = source.url else { continue };
            let name = source.file_name().unwrap_or(url);
            match store.read(url) {
                Ok(None) => {}
                Ok(Some(stored)) => {
                    let expected = expected(&source, &crawlers);
                    let fetched = Some(stored.fetched);
                    self.add(&stored.text, expected, crawlers, name, Some(url), fetched);
                }
                Err(reason) => self.problems.push(Problem {
                    source: name.to_owned(),
                    line: None,
                    reason,
                    count: 1,
                }),
            }
        }
    }

    fn add(
        &mut self,
        text: &str,
        expected: Expected<'_>,
        crawlers: Vec<CrawlerId>,
        name: &str,
        url: Option<&'static str>,
        fetched: Option<Stamp>,
    ) {
        let list = RangeList::read(text, expected);
        for found in list.problems.iter().filter(|problem| problem.is_loss) {
            self.problems.push(Problem {
                source: name.to_owned(),
                line: None,
                reason: found.to_string(),
                count: 1,
            });
        }
        if list.is_empty() {
            return;
        }
        self.ranges.add(&crawlers, &list, fetched);
        self.files.push(LoadedFile {
            name: name.to_owned(),
            url,
            crawlers,
            created: list.created,
            fetched,
            entries: list.entries(),
        });
    }

    /// Says which files were too old for what was read, where crawlers that came are in them.
    pub(crate) fn stale(&self, newest: Stamp, came: &[CrawlerId]) -> Vec<Problem> {
        let files = self.files.iter().filter(|file| file.is_stale(newest));
        files
            .filter(|file| file.crawlers.iter().any(|crawler| came.contains(crawler)))
            .map(|file| Problem {
                source: file.name.clone(),
                line: None,
                reason: format!(
                    "more than {} days older than the log's end: who is not in it stays unchecked{}",
                    STALE_SECS / 86_400,
                    if file.url.is_some() {
                        "; webmasterid crawlers refresh"
                    } else {
                        ""
                    },
                ),
                count: 1,
            })
            .collect()
    }
}

/// Every place where facts say that ranges are published, once, with the crawlers that it is for.
pub(crate) fn sources() -> BTreeMap<RangeSource, Vec<CrawlerId>> {
    let mut sources: BTreeMap<RangeSource, Vec<CrawlerId>> = BTreeMap::new();
    for (index, crawler) in knowledge::crawlers().iter().enumerate() {
        for source in crawler.range_sources() {
            sources
                .entry(source)
                .or_default()
                .push(CrawlerId(index as u16));
        }
    }
    sources
}

/// What facts say of a source's layout.
pub(crate) fn expected(source: &RangeSource, crawlers: &[CrawlerId]) -> Expected<'static> {
    let layout = crawlers
        .iter()
        .find_map(|crawler| knowledge::crawler(*crawler).ip_ranges_format)
        .and_then(RangeLayout::named);
    Expected {
        layout,
        service: source.service,
    }
}

fn service_of(crawlers: &[CrawlerId]) -> Option<&'static str> {
    let mut sources = crawlers
        .iter()
        .flat_map(|crawler| knowledge::crawler(*crawler).range_sources());
    sources.find_map(|source| source.service)
}

/// The crawler of that name, or all crawlers of that operator.
pub(crate) fn named(name: &str) -> Vec<CrawlerId> {
    match knowledge::crawler_named(name) {
        Some(crawler) => vec![crawler],
        None => which(|crawler| crawler.operator.eq_ignore_ascii_case(name)),
    }
}

/// The crawlers whose operator publishes a file of that name.
fn by_file(path: &str) -> Vec<CrawlerId> {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    which(|crawler| {
        let mut sources = crawler.range_sources();
        sources.any(|source| source.file_name() == Some(file))
    })
}

fn which(is_meant: impl Fn(&knowledge::Crawler) -> bool) -> Vec<CrawlerId> {
    let all = knowledge::crawlers().iter().enumerate();
    all.filter(|(_, crawler)| is_meant(crawler))
        .map(|(index, _)| CrawlerId(index as u16))
        .collect()
}
