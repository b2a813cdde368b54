//! `crawlers refresh`: every list that operators publish, fetched once, looked at, and stored if it is good.

use std::fs;
use std::time::Duration;

use fetch::Client;
use intake::RangeList;
use knowledge::RangeSource;
use model::{CrawlerId, Stamp};

use crate::cli::RefreshArgs;
use crate::exit::Failure;
use crate::range_store::RangeStore;
use crate::{clock, output, ranges};

/// Problems of one list that are printed; `--ranges FILE` tells all of them.
const PROBLEMS_SHOWN_MAX: usize = 3;

/// A list to fetch.
struct Job {
    source: RangeSource,
    url: &'static str,
    crawlers: Vec<CrawlerId>,
}

impl Job {
    /// The crawler that a list is known for: search before AI and the rest.
    fn name(&self) -> &'static str {
        let crawlers = self.crawlers.iter().map(|it| knowledge::crawler(*it));
        let first = crawlers.min_by_key(|crawler| (crawler.category, crawler.id));
        first.map_or("", |crawler| crawler.id)
    }
}

/// What became of it.
enum Outcome {
    New(RangeList),
    Changed(RangeList),
    Unchanged(RangeList),
    /// Not stored, for this reason; the last good copy where there is one.
    Failed(String, Option<RangeList>),
}

/// How many of what.
#[derive(Default)]
struct Count {
    stored: usize,
    changed: usize,
    failed: usize,
}

/// Runs it; gives the exit status.
pub(crate) fn run(args: &RefreshArgs) -> anyhow::Result<u8> {
    let (jobs, skipped) = jobs(&args.only)?;
    let store = RangeStore::find(args.dir.as_deref()).ok_or_else(|| {
        Failure::arguments(
            "no folder to store them in: give --dir, or set WEBMASTERID_RANGES or HOME",
        )
    })?;
    let client = client(args, args.timeout)?;
    let mut count = Count::default();
    output::write(&line("crawlers", "IPv4", "IPv6", "made", ""))?;
    for job in &jobs {
        let from = match &args.from {
            Some(base) => format!("{base}/{}", job.source.file_name().unwrap_or_default()),
            None => job.url.to_owned(),
        };
        let outcome = refresh(job, &from, &client, &store, args.force);
        count.add(&outcome);
        output::write(&told(job, &from, &outcome))?;
    }
    for source in skipped {
        output::write(&format!(
            "skipped: {} (not an address on the web)\n",
            source.entry
        ))?;
    }
    output::write(&format!(
        "{} of {} lists fetched, {} changed or new; stored in {}\n",
        count.stored,
        jobs.len(),
        count.changed,
        store.folder.display()
    ))?;
    Ok(u8::from(count.failed > 0))
}

impl Count {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::New(_) | Outcome::Changed(_) => {
                self.stored += 1;
                self.changed += 1;
            }
            Outcome::Unchanged(_) => self.stored += 1,
            Outcome::Failed(..) => self.failed += 1,
        }
    }
}

/// What to fetch, by name; and what facts name that cannot be fetched.
fn jobs(only: &[String]) -> anyhow::Result<(Vec<Job>, Vec<RangeSource>)> {
    let mut wanted = Vec::new();
    for name in only {
        let crawlers = ranges::named(name);
        if crawlers.is_empty() {
            return Err(Failure::arguments(format!(
                "--only {name}: no crawler or operator of that name is known"
            )));
        }
        let publishes = |crawler: &CrawlerId| !knowledge::crawler(*crawler).ip_ranges.is_empty();
        if !crawlers.iter().any(publishes) {
            return Err(Failure::arguments(format!(
                "--only {name}: no list of its addresses is known"
            )));
        }
        wanted.extend(crawlers);
    }
    let is_wanted = |crawler: &CrawlerId| only.is_empty() || wanted.contains(crawler);
    let mut jobs = Vec::new();
    let mut skipped = Vec::new();
    for (source, crawlers) in ranges::sources() {
        if !crawlers.iter().any(is_wanted) {
            continue;
        }
        match source.url {
            Some(url) => jobs.push(Job {
                source,
                url,
                crawlers,
            }),
            None => skipped.push(source),
        }
    }
    jobs.sort_by_key(|job| job.name());
    Ok((jobs, skipped))
}

fn client(args: &RefreshArgs, timeout: Duration) -> anyhow::Result<Client> {
    let Some(path) = &args.ca else {
        return Client::new(None, timeout).map_err(Into::into);
    };
    let name = path.display();
    let pem = fs::read(path)
        .map_err(|error| Failure::arguments(format!("--ca {name}: {}", files::reason(&error))))?;
    Client::new(Some(&pem), timeout)
        .map_err(|error| Failure::arguments(format!("--ca {name}: {error}")))
}

fn refresh(job: &Job, from: &str, client: &Client, store: &RangeStore, force: bool) -> Outcome {
    let expected = ranges::expected(&job.source, &job.crawlers);
    let old = match store.read(job.url) {
        Ok(stored) => stored.map(|stored| RangeList::read(&stored.text, expected)),
        // What cannot be read is no good copy, and a new one takes its place.
        Err(_) => None,
    };
    let old = old.filter(|old| !old.is_empty());
    let bytes = match client.get(from) {
        Ok(bytes) => bytes,
        Err(error) => return Outcome::Failed(error.to_string(), old),
    };
    let new = RangeList::read(&String::from_utf8_lossy(&bytes), expected);
    if let Some(reason) = refused(&new, old.as_ref(), force) {
        return Outcome::Failed(reason, old);
    }
    if let Err(error) = store.write(job.url, from, clock::now(), &bytes) {
        let reason = format!("cannot be stored: {}", files::reason(&error));
        return Outcome::Failed(reason, old);
    }
    match old {
        None => Outcome::New(new),
        Some(old) if old.has_same_addresses(&new) => Outcome::Unchanged(new),
        Some(_) => Outcome::Changed(new),
    }
}

/// Why a list is not to take the place of the last good one.
fn refused(new: &RangeList, old: Option<&RangeList>, force: bool) -> Option<String> {
    if new.is_empty() {
        let reason = new.problems.iter().rev().map(|it| it.to_string()).next();
        return Some(reason.unwrap_or_default());
    }
    let old = old.filter(|_| !force)?;
    let ((old_v4, old_v6), (new_v4, new_v6)) = (old.space(), new.space());
    let is_less = new_v4 < old_v4.div_ceil(2) || new_v6 < old_v6.div_ceil(2);
    if is_less {
        return Some("lost more than half of its addresses; --force stores it".to_owned());
    }
    (old.is_whole && !new.is_whole)
        .then(|| "no longer the list that it was; --force stores it".to_owned())
}

/// A line for each list, and below it what is wrong.
fn told(job: &Job, from: &str, outcome: &Outcome) -> String {
    let mut name = job.name().to_owned();
    if job.crawlers.len() > 1 {
        name.push_str(&format!(" and {} more", job.crawlers.len() - 1));
    }
    let (state, list) = match outcome {
        Outcome::New(list) => ("new", Some(list)),
        Outcome::Changed(list) => ("changed", Some(list)),
        Outcome::Unchanged(list) => ("unchanged", Some(list)),
        Outcome::Failed(_, Some(old)) => ("FAILED, kept the old", Some(old)),
        Outcome::Failed(_, None) => ("FAILED", None),
    };
    let (v4, v6, made) = match list {
        Some(list) => {
            let (v4, v6) = list.entries();
            let made = list.created.map_or("-".to_owned(), day);
            (v4.to_string(), v6.to_string(), made)
        }
        None => ("-".to_owned(), "-".to_owned(), "-".to_owned()),
    };
    let mut text = line(&name, &v4, &v6, &made, state);
    if let Outcome::Failed(reason, _) = outcome {
        return text + &format!("    {from}\n    {reason}\n");
    }
    let problems = list.map_or(&[][..], |list| &list.problems);
    for problem in problems.iter().take(PROBLEMS_SHOWN_MAX) {
        text.push_str(&format!("    {problem}\n"));
    }
    if problems.len() > PROBLEMS_SHOWN_MAX {
        let more = problems.len() - PROBLEMS_SHOWN_MAX;
        text.push_str(&format!("    and {more} more of that kind\n"));
    }
    if let Some(list) = list.filter(|list| !list.is_whole) {
        text.push_str(match list.layout {
            intake::RangeLayout::Page => {
                "    a page for people: an address that is not on it proves nothing\n"
            }
            _ => "    of an unexpected layout: an address that is not in it proves nothing\n",
        });
    }
    text
}

fn line(name: &str, v4: &str, v6: &str, made: &str, state: &str) -> String {
    let line = format!("{name:<34} {v4:>5} {v6:>5}  {made:<10}  {state}");
    line.trim_end().to_owned() + "\n"
}

fn day(stamp: Stamp) -> String {
    let at = jiff::Timestamp::from_millisecond(stamp.0).unwrap_or_default();
    at.strftime("%Y-%m-%d").to_string()
}
