//! `crawlers identify`: whose a user agent and an address are, told step by step.

use std::net::IpAddr;

use knowledge::{Crawler, RobotsToken, TokenHit, TokenVerdict};
use model::{Category, CrawlerId, Identity, Stamp};
use serde::Serialize;

use crate::clean::clean;
use crate::crawler;
use crate::json::escaped;
use crate::registry::{class_words, field};
use crate::time::rfc3339;
use crate::words::count;

/// Everything that was looked at, and what it comes to.
#[derive(Clone, Debug)]
pub struct Identification {
    /// The user agent, as it was typed.
    pub agent: String,
    /// The address, as it was typed.
    pub address: Option<IpAddr>,
    /// Tokens that occur in the agent.
    pub tokens: Vec<TokenHit>,
    /// A name for robots.txt only that occurs in it.
    pub robots: Option<&'static RobotsToken>,
    /// Whom it would name if its dashes were hyphens.
    pub with_hyphens: Option<CrawlerId>,
    /// Whom it names.
    pub crawler: Option<CrawlerId>,
    /// The lists of that crawler's addresses.
    pub lists: Vec<ListStep>,
    /// What the lists say about the address together.
    pub in_lists: Option<InLists>,
    /// What was left out of a list.
    pub problems: Vec<String>,
    /// What the claim comes to; `None` where no crawler is claimed.
    pub identity: Option<Identity>,
}

/// A list of addresses that was looked into.
#[derive(Clone, Debug)]
pub struct ListStep {
    /// Its file name.
    pub name: String,
    /// Where it was fetched.
    pub url: Option<&'static str>,
    /// When its operator says it was made.
    pub created: Option<Stamp>,
    /// When it was fetched.
    pub fetched: Option<Stamp>,
    /// Entries of IPv4 and of IPv6.
    pub entries: (usize, usize),
    /// Whether it is too old for a miss to mean anything.
    pub is_stale: bool,
}

/// What all lists of a crawler say about one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InLists {
    /// There is none.
    NoList,
    /// None names addresses of its family.
    FamilyNotCovered,
    /// Inside.
    Hit,
    /// Outside, and they are whole and current.
    Miss,
    /// Outside, and too old.
    MissOfStale,
    /// Outside, and they may not be all.
    MissOfPart,
    /// Outside, and a private address or one of this machine.
    NotPublic,
}

impl InLists {
    const fn name(self) -> &'static str {
        match self {
            Self::NoList => "no-list",
            Self::FamilyNotCovered => "family-not-covered",
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::MissOfStale => "miss-of-stale-list",
            Self::MissOfPart => "miss-of-incomplete-list",
            Self::NotPublic => "not-public",
        }
    }
}

impl Identification {
    fn known(&self) -> Option<&'static Crawler> {
        self.crawler.map(knowledge::crawler)
    }

    /// Why the answer is what it is, in one sentence.
    fn why(&self) -> String {
        let Some(known) = self.known() else {
            return match (self.robots, self.with_hyphens) {
                (Some(robots), _) if robots.is_forged_in_agent => format!(
                    "{} is a name for robots.txt alone: no crawler sends it, so this agent is forged",
                    robots.token
                ),
                (_, Some(other)) => format!(
                    "a dash stands where {} has a hyphen, so nothing that looks for the name finds it",
                    crawler::proper_name(other)
                ),
                _ => "no crawler: no known token occurs. One that sends no token of its own, as some are said to do, \
                      cannot be told from a browser by its agent"
                    .to_owned(),
            };
        };
        if !known.is_verifiable() {
            return format!(
                "{} publishes no way to check: it stays a claim whatever the address is",
                known.operator
            );
        }
        let has_dns = !known.rdns_suffixes.is_empty();
        let by_dns = if has_dns {
            "; the reverse lookup above would settle it"
        } else {
            ""
        };
        match self.in_lists {
            None => "no address was given: an agent alone is a claim that anybody can make".to_owned(),
            Some(InLists::Hit) => format!("the address is in the list of {}", known.operator),
            Some(InLists::Miss) => format!(
                "the list of {} is current, and the address is not in it",
                known.operator
            ),
            Some(InLists::MissOfStale) => format!(
                "the address is not in the list, but the list is old: {} may have new addresses{by_dns}",
                known.operator
            ),
            Some(InLists::MissOfPart) => format!(
                "the address is not in the list, but the list may not be all: it is a page for people, or of an unexpected \
                 layout{by_dns}"
            ),
            Some(InLists::FamilyNotCovered) => format!(
                "the list names no {} address, so it says nothing about this one{by_dns}",
                family(self.address)
            ),
            Some(InLists::NotPublic) => {
                "a private address, or one of this machine, says nothing about who sent it: a proxy stands before the log"
                    .to_owned()
            }
            Some(InLists::NoList) if known.ip_ranges.is_empty() => {
                format!("there is no list to look into{by_dns}")
            }
            Some(InLists::NoList) => {
                format!("no list is here: `webmasterid crawlers refresh` fetches it{by_dns}")
            }
        }
    }

    /// What else to know about such fetches.
    fn remark(&self) -> Option<&'static str> {
        match self.known()?.category {
            Category::UserTriggered => Some(
                "such a fetch happens because somebody asked for it just now; it does not show that an index crawler is back",
            ),
            Category::Monitor => {
                Some("a monitor is no crawler: crawl rates and recovery leave it out")
            }
            Category::Search
            | Category::Ai
            | Category::Seo
            | Category::Preview
            | Category::Other => None,
        }
    }

    fn token_lines(&self) -> Vec<String> {
        let name = |hit: &TokenHit| crawler::name(hit.crawler);
        let mut lines: Vec<String> = self
            .tokens
            .iter()
            .map(|hit| match hit.verdict {
                TokenVerdict::Named => format!("{:?} names {}", hit.token, name(hit)),
                TokenVerdict::Same => format!("{:?} is of {}, too", hit.token, name(hit)),
                TokenVerdict::Shorter => format!(
                    "{:?} would be {}, but a longer token decides",
                    hit.token,
                    name(hit)
                ),
                TokenVerdict::RuledOut(other) => {
                    format!(
                        "{:?} would be {}, but not beside {other:?}",
                        hit.token,
                        name(hit)
                    )
                }
                TokenVerdict::NotWhole => format!(
                    "{:?} would be {}, but only as the whole agent",
                    hit.token,
                    name(hit)
                ),
            })
            .collect();
        if let Some(robots) = self.robots {
            lines.push(format!(
                "{:?} is a name of {} for robots.txt: {}",
                robots.token, robots.operator, robots.purpose
            ));
        }
        if let Some(other) = self.with_hyphens {
            lines.push(format!(
                "with hyphens for its dashes it would name {}",
                crawler::name(other)
            ));
        }
        if lines.is_empty() {
            lines.push("none of a known crawler".to_owned());
        }
        lines
    }

    fn list_line(&self, list: &ListStep) -> String {
        let day = |stamp: Stamp| rfc3339(stamp).chars().take(10).collect::<String>();
        let dates = match (list.fetched, list.created) {
            (Some(fetched), Some(created)) => {
                format!("fetched {}, made {}", day(fetched), day(created))
            }
            (Some(fetched), None) => format!("fetched {}", day(fetched)),
            (None, Some(created)) => format!("made {}", day(created)),
            (None, None) => "without a date, taken as current".to_owned(),
        };
        let (v4, v6) = list.entries;
        format!(
            "{}: {} and {v6} of IPv6; {dates}{}",
            clean(&list.name),
            count(v4 as u64, "entry of IPv4", "entries of IPv4"),
            if list.is_stale { "; stale" } else { "" }
        )
    }

    fn in_lists_line(&self, address: IpAddr) -> Option<String> {
        Some(match self.in_lists? {
            InLists::Hit => format!("{address} is in it"),
            InLists::NoList => return None,
            InLists::FamilyNotCovered => format!("no {} address in it", family(Some(address))),
            InLists::Miss | InLists::MissOfStale | InLists::MissOfPart | InLists::NotPublic => {
                format!("{address} is not in it")
            }
        })
    }
}

fn family(address: Option<IpAddr>) -> &'static str {
    match address {
        Some(IpAddr::V6(_)) => "IPv6",
        _ => "IPv4",
    }
}

/// The steps and the answer for terminals.
pub fn identification_text(id: &Identification) -> String {
    let mut text = String::new();
    let mut put = |name: &str, lines: &[String]| {
        for (index, line) in lines.iter().enumerate() {
            field(&mut text, if index == 0 { name } else { "" }, line);
        }
    };
    put("user agent", &[clean(&id.agent).into_owned()]);
    put("tokens", &id.token_lines());
    if let Some(known) = id.known() {
        let class = known
            .class
            .map_or(String::new(), |class| format!(", {}", class_words(class)));
        let ai = match known.ai {
            Some("user") => ", AI for a user's request",
            Some("search") => ", AI for search",
            Some(_) => ", AI for training",
            None => "",
        };
        let retired = if known.retired { " (retired)" } else { "" };
        put(
            "claims",
            &[format!(
                "{}{retired} of {}{class}{ai}: {}",
                known.id, known.operator, known.purpose
            )],
        );
        let mut lists: Vec<String> = id.lists.iter().map(|list| id.list_line(list)).collect();
        if lists.is_empty() {
            lists.push(if known.ip_ranges.is_empty() {
                "none published".to_owned()
            } else {
                format!("none here; published at {}", known.ip_ranges.join(" and "))
            });
        }
        lists.extend(
            id.problems
                .iter()
                .map(|problem| clean(problem).into_owned()),
        );
        lists.extend(id.address.and_then(|address| id.in_lists_line(address)));
        put("ranges", &lists);
        put("dns", &[dns(known, id.address)]);
    }
    let name = id.identity.map_or("no crawler", Identity::name);
    let why = id.why();
    let why = why.strip_prefix("no crawler: ").unwrap_or(&why);
    put("answer", &[format!("{name}: {why}")]);
    put(
        "mind",
        &id.remark()
            .map(str::to_owned)
            .into_iter()
            .collect::<Vec<_>>(),
    );
    if let Some(note) = id
        .known()
        .map(|known| known.note)
        .filter(|note| !note.is_empty())
    {
        put("note", &[note.to_owned()]);
    }
    text
}

/// What a reverse lookup would have to show. Nothing is asked here.
fn dns(known: &Crawler, address: Option<IpAddr>) -> String {
    if known.rdns_suffixes.is_empty() {
        return "no host name is documented".to_owned();
    }
    let whom = address.map_or("the address".to_owned(), |address| address.to_string());
    format!(
        "not asked; the name of {whom} would have to be like {} and to lead back to {whom}",
        names(known).join(" or ")
    )
}

/// What a name must look like: the masks where they are known, as a suffix alone may be another class's too.
pub(crate) fn names(known: &Crawler) -> Vec<String> {
    if known.rdns_masks.is_empty() {
        let suffixes = known.rdns_suffixes.iter();
        suffixes.map(|suffix| format!("*{suffix}")).collect()
    } else {
        known
            .rdns_masks
            .iter()
            .map(|mask| (*mask).to_owned())
            .collect()
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    version: u32,
    agent: &'a str,
    address: Option<String>,
    tokens: Vec<TokenRow<'a>>,
    robots_token: Option<&'a str>,
    with_hyphens: Option<String>,
    crawler: Option<&'a str>,
    operator: Option<&'a str>,
    category: Option<&'a str>,
    class: Option<&'a str>,
    ai: Option<&'a str>,
    ranges: Vec<ListRow<'a>>,
    in_ranges: Option<&'a str>,
    dns: DnsRow<'a>,
    problems: &'a [String],
    identity: Option<&'a str>,
    why: String,
}

#[derive(Serialize)]
struct TokenRow<'a> {
    token: &'a str,
    crawler: String,
    verdict: &'a str,
    beside: Option<&'a str>,
}

#[derive(Serialize)]
struct ListRow<'a> {
    name: &'a str,
    url: Option<&'a str>,
    created: Option<String>,
    fetched: Option<String>,
    stale: bool,
    ipv4: usize,
    ipv6: usize,
}

#[derive(Serialize)]
struct DnsRow<'a> {
    suffixes: &'a [&'a str],
    masks: &'a [&'a str],
    asked: bool,
}

/// The same as one JSON object, version 1.
pub fn identification_json(id: &Identification) -> String {
    let known = id.known();
    let tokens = id.tokens.iter().map(|hit| TokenRow {
        token: hit.token,
        crawler: crawler::name(hit.crawler),
        verdict: match hit.verdict {
            TokenVerdict::Named => "named",
            TokenVerdict::Same => "same",
            TokenVerdict::Shorter => "shorter",
            TokenVerdict::RuledOut(_) => "ruled-out",
            TokenVerdict::NotWhole => "not-whole",
        },
        beside: match hit.verdict {
            TokenVerdict::RuledOut(other) => Some(other),
            _ => None,
        },
    });
    let lists = id.lists.iter().map(|list| ListRow {
        name: &list.name,
        url: list.url,
        created: list.created.map(rfc3339),
        fetched: list.fetched.map(rfc3339),
        stale: list.is_stale,
        ipv4: list.entries.0,
        ipv6: list.entries.1,
    });
    let answer = Answer {
        version: 1,
        agent: &id.agent,
        address: id.address.map(|address| address.to_string()),
        tokens: tokens.collect(),
        robots_token: id.robots.map(|robots| robots.token),
        with_hyphens: id.with_hyphens.map(crawler::name),
        crawler: known.map(|known| known.id),
        operator: known.map(|known| known.operator),
        category: known.map(|known| known.category.name()),
        class: known.and_then(|known| known.class),
        ai: known.and_then(|known| known.ai),
        ranges: lists.collect(),
        in_ranges: id.in_lists.map(InLists::name),
        dns: DnsRow {
            suffixes: known.map_or(&[], |known| known.rdns_suffixes),
            masks: known.map_or(&[], |known| known.rdns_masks),
            asked: false,
        },
        problems: &id.problems,
        identity: id.identity.map(Identity::name),
        why: id.why(),
    };
    escaped(&serde_json::to_string_pretty(&answer).unwrap_or_default()) + "\n"
}
