//! `crawlers identify`: the same answer that `diagnose` gives to a line of a log, told step by step.

use intake::RangeAnswer;
use knowledge::CrawlerMatcher;
use model::{CrawlerId, Identity, Stamp};
use report::{Identification, InLists, ListStep};

use crate::cli::{AnswerFormat, IdentifyArgs};
use crate::range_store::RangeStore;
use crate::ranges::Loaded;
use crate::{clock, output, ranges};

/// Dashes that a copied name may have in place of a hyphen: an operator's own page has U+2011 in one.
const DASHES: [char; 7] = [
    '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}', '\u{ad}',
];

/// Runs it; gives the exit status.
pub(crate) fn run(args: &IdentifyArgs) -> anyhow::Result<u8> {
    let store = match args.no_ranges {
        true => None,
        false => RangeStore::find(args.dir.as_deref()),
    };
    let loaded = ranges::read(&args.ranges, store.as_ref())?;
    let now = args.now.unwrap_or_else(clock::now);
    let answer = identify(args, &loaded, now);
    output::write(&match args.format {
        AnswerFormat::Text => report::identification_text(&answer),
        AnswerFormat::Json => report::identification_json(&answer),
    })?;
    Ok(0)
}

fn identify(args: &IdentifyArgs, loaded: &Loaded, now: Stamp) -> Identification {
    let matcher = CrawlerMatcher::new();
    let crawler = matcher.find(args.ua.as_bytes());
    let robots = knowledge::robots_tokens()
        .iter()
        .find(|robots| contains(&args.ua, robots.token));
    let in_lists = crawler
        .zip(args.ip)
        .map(|(crawler, address)| loaded.ranges.answer(crawler, address, Some(now)));
    let files = loaded.files.iter();
    let lists: Vec<_> = files
        .filter(|file| crawler.is_some_and(|crawler| file.crawlers.contains(&crawler)))
        .collect();
    let problems = loaded
        .problems
        .iter()
        .filter(|problem| crawler.is_some_and(|crawler| is_of(crawler, &problem.source)));
    Identification {
        agent: args.ua.clone(),
        address: args.ip,
        tokens: matcher.explain(args.ua.as_bytes()),
        robots,
        with_hyphens: with_hyphens(&matcher, &args.ua).filter(|_| crawler.is_none()),
        crawler,
        lists: lists
            .iter()
            .map(|file| ListStep {
                name: file.name.clone(),
                url: file.url,
                created: file.created,
                fetched: file.fetched,
                entries: file.entries,
                is_stale: file.is_stale(now),
            })
            .collect(),
        in_lists: in_lists.map(words),
        problems: problems
            .map(|problem| format!("{}: {}", problem.source, problem.reason))
            .collect(),
        identity: match crawler {
            Some(crawler) => Some(identity(crawler, in_lists)),
            None => robots
                .filter(|robots| robots.is_forged_in_agent)
                .map(|_| Identity::Spoofed),
        },
    }
}

/// What the claim comes to. A confirmed reverse lookup would go before the lists, as it proves either way.
fn identity(crawler: CrawlerId, in_lists: Option<RangeAnswer>) -> Identity {
    if !knowledge::crawler(crawler).is_verifiable() {
        return Identity::Unverifiable;
    }
    in_lists.map_or(Identity::Unchecked, RangeAnswer::identity)
}

/// Whether a list can be of that crawler: not where facts name it for others alone.
fn is_of(crawler: CrawlerId, list: &str) -> bool {
    let mut named = ranges::sources()
        .into_iter()
        .filter(|(source, _)| source.file_name() == Some(list));
    named
        .next()
        .is_none_or(|(_, crawlers)| crawlers.contains(&crawler))
}

fn words(answer: RangeAnswer) -> InLists {
    match answer {
        RangeAnswer::NoList => InLists::NoList,
        RangeAnswer::FamilyNotCovered => InLists::FamilyNotCovered,
        RangeAnswer::Hit => InLists::Hit,
        RangeAnswer::Miss => InLists::Miss,
        RangeAnswer::MissOfStale => InLists::MissOfStale,
        RangeAnswer::MissOfPart => InLists::MissOfPart,
        RangeAnswer::NotPublic => InLists::NotPublic,
    }
}

fn with_hyphens(matcher: &CrawlerMatcher, agent: &str) -> Option<CrawlerId> {
    let plain = agent.replace(DASHES, "-");
    (plain != agent)
        .then(|| matcher.find(plain.as_bytes()))
        .flatten()
}

fn contains(agent: &str, token: &str) -> bool {
    agent
        .to_ascii_lowercase()
        .contains(&token.to_ascii_lowercase())
}
