//! The crawler registry.

use std::cmp::Reverse;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use model::{Category, CrawlerId};

use crate::table::{CRAWLER_PATTERNS, CRAWLERS, ROBOTS_TOKENS};

/// One crawler.
#[derive(Clone, Copy, Debug)]
pub struct Crawler {
    /// Name in every output: `googlebot`.
    pub id: &'static str,
    /// Who runs it.
    pub operator: &'static str,
    /// What it crawls for.
    pub category: Category,
    /// The operator's own words, shortened.
    pub purpose: &'static str,
    /// Where one operator keeps classes of crawlers apart: `common`, `special-case`, `user-triggered`, or `customer-run`
    /// for what its cloud's customers run. Each class has a range file and a kind of host name of its own.
    pub class: Option<&'static str>,
    /// What an AI operator wants it for: `training`, `search`, or `user` for a fetch that a user asked for.
    pub ai: Option<&'static str>,
    /// Substrings of the user agent, any case.
    pub tokens: &'static [&'static str],
    /// Whether a token must be the whole user agent.
    pub exact: bool,
    /// Substrings that rule it out, any case.
    pub not_tokens: &'static [&'static str],
    /// Its name in robots.txt, where one is known.
    pub robots_token: Option<&'static str>,
    /// Whether the operator says that robots.txt is honoured: `yes`, `no`, `partly` or `not stated`.
    pub honours_robots: &'static str,
    /// Suffixes that a confirmed reverse name must end in.
    pub rdns_suffixes: &'static [&'static str],
    /// Narrower: what such a name must look like, `crawl-*.googlebot.com`, where one operator keeps several kinds of
    /// crawlers apart by it. The asterisk stands for a part of one label; as the whole of the first, for any labels.
    pub rdns_masks: &'static [&'static str],
    /// When the masks were read in `source`.
    pub rdns_masks_checked: Option<&'static str>,
    /// Where the operator publishes its address ranges.
    pub ip_ranges: &'static [&'static str],
    /// Layout of these files: `google-prefixes`, `text-cidr` and the like.
    pub ip_ranges_format: Option<&'static str>,
    /// Whether its ranges are those from which a CDN forwards other people's requests too.
    pub is_cdn: bool,
    /// Whether the operator no longer sends it.
    pub retired: bool,
    /// Primary source.
    pub source: &'static str,
    /// When the source was checked; `None` prints "Data not yet verified".
    pub checked: Option<&'static str>,
    /// Fields that come from other lists although the source was checked.
    pub unverified_fields: &'static [&'static str],
    /// What else to know; may be empty.
    pub note: &'static str,
}

impl Crawler {
    /// Whether the operator publishes any method to check a claim.
    pub const fn is_verifiable(&self) -> bool {
        !self.rdns_suffixes.is_empty() || !self.ip_ranges.is_empty()
    }
}

/// An entry of a crawler's `ip_ranges`, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RangeSource {
    /// As facts have it.
    pub entry: &'static str,
    /// Where to fetch it; `None` where that is no address on the web.
    pub url: Option<&'static str>,
    /// The service whose entries count, in the list of a whole cloud.
    pub service: Option<&'static str>,
}

impl RangeSource {
    /// `https://…`, or `https://… (service NAME)`; all else is words for people.
    fn new(entry: &'static str) -> Self {
        let (url, rest) = entry.split_once(' ').unwrap_or((entry, ""));
        let service = rest
            .strip_prefix("(service ")
            .and_then(|rest| rest.strip_suffix(')'));
        let is_url = url.starts_with("https://") && (rest.is_empty() || service.is_some());
        Self {
            entry,
            url: is_url.then_some(url),
            service,
        }
    }

    /// The last part of the path that is not empty: the name that a mirror gives the file.
    pub fn file_name(&self) -> Option<&'static str> {
        let path = self.url?.split(['?', '#']).next()?;
        path.rsplit('/').find(|part| !part.is_empty())
    }
}

impl Crawler {
    /// Where its address ranges are, each entry taken apart.
    pub fn range_sources(&self) -> impl Iterator<Item = RangeSource> {
        self.ip_ranges.iter().copied().map(RangeSource::new)
    }
}

/// A name for robots.txt under which no crawler comes.
#[derive(Clone, Copy, Debug)]
pub struct RobotsToken {
    /// As it is written in robots.txt.
    pub token: &'static str,
    /// Whose it is.
    pub operator: &'static str,
    /// What it controls.
    pub purpose: &'static str,
    /// Whether a user agent that shows it is known to be forged.
    pub is_forged_in_agent: bool,
    /// Primary source.
    pub source: &'static str,
    /// When the source was checked; `None` prints "Data not yet verified".
    pub checked: Option<&'static str>,
    /// What else to know; may be empty.
    pub note: &'static str,
}

/// Every name for robots.txt that no crawler sends.
pub fn robots_tokens() -> &'static [RobotsToken] {
    &ROBOTS_TOKENS
}

/// Longest name that DNS knows, its dots included: RFC 1035, section 2.3.4.
const NAME_LEN_MAX: usize = 253;

/// Reverse names.
impl Crawler {
    /// Whether its claims can be checked by reverse name.
    pub const fn has_rdns(&self) -> bool {
        !self.rdns_suffixes.is_empty()
    }

    /// Whether the operator itself names the suffixes. What only others say confirms, but a name that is not of it
    /// proves nothing: the list may be wrong.
    pub fn rdns_is_certain(&self) -> bool {
        !self.unverified_fields.contains(&"rdns_suffixes")
    }

    /// Whether a reverse name is one that its operator gives. Who holds an address writes whatever name they like: only
    /// the way back, from the name to the address, makes it evidence.
    pub fn accepts_name(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        // A label may hold a dot, written with a backslash: no operator's does.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.len() > NAME_LEN_MAX || !name.bytes().all(is_plain) || name.contains("..") {
            return false;
        }
        let name = name.to_ascii_lowercase();
        let has_suffix = |suffix: &&str| name.strip_suffix(*suffix).is_some_and(is_labels);
        self.rdns_suffixes.iter().any(has_suffix)
            && (self.rdns_masks.is_empty()
                || self.rdns_masks.iter().any(|mask| is_of_mask(&name, mask)))
    }
}

/// What stands before a suffix: something, and no empty label.
fn is_labels(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('.')
}

fn is_of_mask(name: &str, mask: &str) -> bool {
    let Some((before, behind)) = mask.split_once('*') else {
        return name == mask;
    };
    let part = name
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(behind));
    let is_whole_label = before.is_empty() && behind.starts_with('.');
    part.is_some_and(|part| is_labels(part) && (is_whole_label || !part.contains('.')))
}

/// Every crawler, by id; [`CrawlerId`] is the index.
pub fn crawlers() -> &'static [Crawler] {
    &CRAWLERS
}

impl Crawler {
    /// The name as its operator writes it, where that is its id in other letters: `Googlebot`; else the id.
    pub fn proper_name(&self) -> &'static str {
        let names = self.tokens.iter().chain(&self.robots_token);
        let mut names = names.map(|name| name.trim_end_matches('/'));
        names
            .find(|name| name.eq_ignore_ascii_case(self.id))
            .unwrap_or(self.id)
    }
}

/// The crawler with that index.
pub fn crawler(id: CrawlerId) -> &'static Crawler {
    &CRAWLERS[id.0 as usize]
}

/// The crawler of that name, any case; one of its user-agent tokens or its name in robots.txt will do.
pub fn crawler_named(name: &str) -> Option<CrawlerId> {
    let has_id = |crawler: &Crawler| crawler.id.eq_ignore_ascii_case(name);
    let has_token = |crawler: &Crawler| {
        let mut tokens = crawler.tokens.iter();
        tokens.any(|token| token.eq_ignore_ascii_case(name))
    };
    let has_robots_token = |crawler: &Crawler| {
        let mut token = crawler.robots_token.iter();
        token.any(|token| token.eq_ignore_ascii_case(name))
    };
    let position = |is_it: &dyn Fn(&Crawler) -> bool| CRAWLERS.iter().position(is_it);
    let index = position(&has_id)
        .or_else(|| position(&has_token))
        .or_else(|| position(&has_robots_token))?;
    u16::try_from(index).ok().map(CrawlerId)
}

/// All tokens as one automaton: matching costs the length of the agent, not of the registry.
#[derive(Debug)]
pub struct CrawlerMatcher {
    automaton: AhoCorasick,
    /// What each pattern of the automaton means. Tokens come first, the longest of them first, so that the first one
    /// that remains wins; not-tokens come last.
    patterns: Vec<Pattern>,
}

/// A token or a not-token of a crawler.
#[derive(Debug)]
struct Pattern {
    text: &'static str,
    crawler: usize,
    rules_out: bool,
    exact: bool,
}

/// A set of small numbers, on the stack.
struct Bits<const WORDS: usize>([u64; WORDS]);

const PATTERN_WORDS: usize = CRAWLER_PATTERNS.div_ceil(64);
const CRAWLER_WORDS: usize = CRAWLERS.len().div_ceil(64);

impl<const WORDS: usize> Bits<WORDS> {
    const NONE: Self = Self([0; WORDS]);

    fn insert(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    fn contains(&self, number: usize) -> bool {
        self.0
            .get(number / 64)
            .is_some_and(|word| word & 1 << (number % 64) != 0)
    }

    /// The numbers in it, smallest first.
    fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(index * 64 + bit)
            })
        })
    }
}

impl CrawlerMatcher {
    /// Builds the automaton.
    pub fn new() -> Self {
        let mut patterns: Vec<_> = CRAWLERS.iter().enumerate().flat_map(patterns_of).collect();
        // Stable: among tokens of one length the order of the registry stays.
        patterns.sort_by_key(|pattern| (pattern.rules_out, Reverse(pattern.text.len())));
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(patterns.iter().map(|pattern| pattern.text));
        Self {
            #[expect(
                clippy::expect_used,
                reason = "the patterns are the tables of this build; a test builds them"
            )]
            automaton: automaton.expect("some 200 short tokens fit an automaton"),
            patterns,
        }
    }

    /// The crawler that this user agent names: the longest token wins, entries whose not-tokens occur are passed over.
    pub fn find(&self, agent: &[u8]) -> Option<CrawlerId> {
        let mut seen = Bits::<PATTERN_WORDS>::NONE;
        let mut ruled_out = Bits::<CRAWLER_WORDS>::NONE;
        for hit in self.automaton.find_overlapping_iter(agent) {
            let index = hit.pattern().as_usize();
            match self.patterns.get(index) {
                Some(pattern) if pattern.rules_out => ruled_out.insert(pattern.crawler),
                Some(pattern) if pattern.exact && hit.len() != agent.len() => {}
                _ => seen.insert(index),
            }
        }
        let named = seen.iter().filter_map(|index| self.patterns.get(index));
        let mut left = named.filter(|pattern| !ruled_out.contains(pattern.crawler));
        let index = left.next()?.crawler;
        u16::try_from(index).ok().map(CrawlerId)
    }
}

/// A token that occurs in a user agent, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenHit {
    /// The token, as facts have it.
    pub token: &'static str,
    /// Whose token it is.
    pub crawler: CrawlerId,
    /// What became of it.
    pub verdict: TokenVerdict,
}

/// What became of a token that occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenVerdict {
    /// It names the crawler.
    Named,
    /// A longer token that occurs names another one.
    Shorter,
    /// Another token of the crawler that is named.
    Same,
    /// This not-token of its crawler occurs, too.
    RuledOut(&'static str),
    /// It would have to be the whole user agent.
    NotWhole,
}

impl CrawlerMatcher {
    /// Every token that occurs in a user agent, the longest first, and why the first that remains names the crawler.
    pub fn explain(&self, agent: &[u8]) -> Vec<TokenHit> {
        let hits: Vec<(usize, bool)> = self
            .automaton
            .find_overlapping_iter(agent)
            .map(|hit| (hit.pattern().as_usize(), hit.len() == agent.len()))
            .collect();
        let named = self.find(agent);
        let mut is_found = false;
        let mut explained = Vec::new();
        for (index, pattern) in self.patterns.iter().enumerate() {
            let mut here = hits.iter().filter(|(hit, _)| *hit == index);
            let Some((_, is_whole)) = here.next() else {
                continue;
            };
            let Ok(crawler) = u16::try_from(pattern.crawler).map(CrawlerId) else {
                continue;
            };
            if pattern.rules_out {
                continue;
            }
            let against = hits
                .iter()
                .filter_map(|(hit, _)| self.patterns.get(*hit))
                .find(|other| other.rules_out && other.crawler == pattern.crawler);
            let verdict = match against {
                _ if pattern.exact && !is_whole => TokenVerdict::NotWhole,
                Some(other) => TokenVerdict::RuledOut(other.text),
                None if named == Some(crawler) && !is_found => TokenVerdict::Named,
                None if named == Some(crawler) => TokenVerdict::Same,
                None => TokenVerdict::Shorter,
            };
            is_found |= verdict == TokenVerdict::Named;
            explained.push(TokenHit {
                token: pattern.text,
                crawler,
                verdict,
            });
        }
        explained
    }
}

fn patterns_of((index, crawler): (usize, &'static Crawler)) -> impl Iterator<Item = Pattern> {
    let pattern = move |rules_out| {
        move |text: &&'static str| Pattern {
            text,
            crawler: index,
            rules_out,
            exact: crawler.exact,
        }
    };
    let tokens = crawler.tokens.iter().map(pattern(false));
    tokens.chain(crawler.not_tokens.iter().map(pattern(true)))
}

impl Default for CrawlerMatcher {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOGLEBOT_SMARTPHONE: &str = "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) \
        AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.7444.59 Mobile Safari/537.36 \
        (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

    #[test]
    fn names_are_spelled_as_their_operators_do() {
        for (id, name) in [
            ("googlebot", "Googlebot"),
            ("bingbot", "bingbot"),
            ("gptbot", "GPTBot"),
            ("oai-searchbot", "OAI-SearchBot"),
        ] {
            let found = crawler_named(id).map(|id| crawler(id).proper_name());
            assert_eq!(found, Some(name));
        }
    }

    fn id_of(agent: &str) -> Option<&'static str> {
        let found = CrawlerMatcher::new().find(agent.as_bytes());
        found.map(|id| crawler(id).id)
    }

    #[test]
    fn agents_are_given_to_the_right_crawler() {
        for (agent, id) in [
            (GOOGLEBOT_SMARTPHONE, "googlebot"),
            (
                "Googlebot/2.1 (+http://www.google.com/bot.html)",
                "googlebot",
            ),
            ("Googlebot-Image/1.0", "googlebot-image"),
            ("Googlebot-Video/1.0", "googlebot-video"),
            (
                "AdsBot-Google (+http://www.google.com/adsbot.html)",
                "adsbot-google",
            ),
            (
                "Mozilla/5.0 (Linux; Android 6.0.1) Chrome/142.0.0.0 (compatible; AdsBot-Google-Mobile; \
              +http://www.google.com/mobile/adsbot.html)",
                "adsbot-google-mobile",
            ),
            ("Mediapartners-Google", "mediapartners-google"),
            ("GoogleOther-Image/1.0", "googleother-image"),
            ("Mozilla/5.0 (compatible; GoogleOther)", "googleother"),
            (
                "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)",
                "google-inspectiontool",
            ),
            (
                "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
                "bingbot",
            ),
            (
                "Mozilla/5.0 (compatible; adidxbot/2.0; +http://www.bing.com/bingbot.htm)",
                "adidxbot",
            ),
            (
                "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
                "bingpreview",
            ),
            (
                "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.2; +https://openai.com/gptbot",
                "gptbot",
            ),
            (
                "Mozilla/5.0 AppleWebKit/537.36; compatible; ChatGPT-User/1.0; +https://openai.com/bot",
                "chatgpt-user",
            ),
            (
                "Mozilla/5.0; compatible; OAI-SearchBot/1.0; +https://openai.com/searchbot",
                "oai-searchbot",
            ),
            (
                "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
                "claudebot",
            ),
            (
                "Mozilla/5.0 (compatible; Claude-User/1.0; +Claude-User@anthropic.com)",
                "claude-user",
            ),
            (
                "Mozilla/5.0 (compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)",
                "perplexitybot",
            ),
            (
                "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
                "meta-externalagent",
            ),
            (
                "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
                "facebookexternalhit",
            ),
            (
                "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15 \
              (Applebot/0.1; +http://www.apple.com/go/applebot)",
                "applebot",
            ),
            (
                "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
                "yandexbot",
            ),
            (
                "Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)",
                "yandeximages",
            ),
            (
                "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
                "duckduckbot",
            ),
            ("CCBot/2.0 (https://commoncrawl.org/faq/)", "ccbot"),
            (
                "Mozilla/5.0 (compatible; Amazonbot/0.1; +https://developer.amazon.com/support/amazonbot)",
                "amazonbot",
            ),
            (
                "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
                "ahrefsbot",
            ),
            (
                "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
                "slackbot-linkexpanding",
            ),
            ("Slackbot 1.0 (+https://api.slack.com/robots)", "slackbot"),
            ("TelegramBot (like TwitterBot)", "telegrambot"),
            ("iTMS", "itms"),
            (
                "Mozilla/5.0 (compatible; Yeti/1.1; +https://naver.me/spd)",
                "yeti",
            ),
            (
                "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
                "yahoo-slurp",
            ),
            (
                "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
                "semrushbot",
            ),
            (
                "Mozilla/5.0 (compatible; SemrushBot-BA; +http://www.semrush.com/bot.html)",
                "semrushbot",
            ),
            (
                "Mozilla/5.0 (compatible; SemrushBot-SI/0.97; +http://www.semrush.com/bot.html)",
                "semrushbot",
            ),
            (
                "Mozilla/5.0 (compatible; SemrushBot-SWA/0.1; +http://www.semrush.com/bot.html)",
                "semrushbot",
            ),
            (
                "Mozilla/5.0 (compatible; SemrushBot-OCOB/1; +https://www.semrush.com/bot/)",
                "semrushbot",
            ),
            (
                "Mozilla/5.0 (compatible) AI2Bot-Dolma (+https://www.allenai.org/crawler)",
                "ai2bot",
            ),
            ("ia_archiver-web.archive.org", "ia-archiver"),
            (
                "Mozilla/5.0 (Linux; Android 7.0; Moto G (4)) AppleWebKit/537.36 (KHTML, like Gecko) \
              Chrome/94.0.4590.2 Mobile Safari/537.36 Chrome-Lighthouse",
                "chrome-lighthouse",
            ),
            ("mozilla/5.0 (compatible; GOOGLEBOT/2.1)", "googlebot"),
        ] {
            assert_eq!(id_of(agent), Some(id), "{agent}");
        }
    }

    /// Browsers, the browsers inside apps of companies that crawl, too, and tools.
    #[test]
    fn browsers_and_tools_are_no_crawlers() {
        let matcher = CrawlerMatcher::new();
        for agent in [
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Mozilla/5.0 (Android 14; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/145.0 Mobile/15E148 Safari/605.1.15",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
            "Mozilla/5.0 (Linux; Android 10; HD1913) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36 EdgA/142.0.0.0",
            "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
            "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0",
            "Mozilla/5.0 (Linux; U; Android 13; en-us) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36 OPR/72.0.2254",
            "Opera/9.80 (J2ME/MIDP; Opera Mini/8.0.35158/191.273; U; en) Presto/2.8.119 Version/11.10",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Vivaldi/7.6",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 YaBrowser/25.8.0.0 Safari/537.36",
            "Mozilla/5.0 (Linux; arm_64; Android 13; M2102J20SG) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 YaApp_Android/25.80 YaSearchBrowser/25.80 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; U; Android 12; zh-CN; V2002A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/100.0.4896.58 UCBrowser/15.5.2 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 12; ELS-AN00) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 HuaweiBrowser/15.0.4 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; U; Android 13; zh-cn; 2211133C) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/109.0.5414.118 Mobile Safari/537.36 XiaoMi/MiuiBrowser/18.5",
            "Mozilla/5.0 (Linux; Android 13; PGEM10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/115.0.5790.168 Mobile Safari/537.36 HeyTapBrowser/45.10",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Safari/537.36 Core/1.116 QQBrowser/13.8",
            "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/86.0.4240.198 Safari/537.36 SE 2.X MetaSr 1.0",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/108.0.5359.95 Safari/537.36 QIHU 360SE",
            "Mozilla/5.0 (Linux; Android 12; HMA-AL00) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/97.0.4692.98 Mobile Safari/537.36 T7/13.55 BDOS/1.0 baiduboxapp/13.55",
            "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 SogouSearch Android1.0 version3.0",
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) coc_coc_browser/120.0 Chrome/114.0 Safari/537.36",
            "Mozilla/5.0 (Linux; Android 14; SM-S918N) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36;DaumApps/6.0",
            "Mozilla/5.0 (Linux; Android 14; SM-S918N) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36;KAKAOTALK 2410850",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 NAVER(inapp; search; 2000; 12.11.3; 15PRO)",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Whale/4.32.315.22 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari Line/15.2.1",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 YJApp-IOS jp.co.yahoo.ipn.appli/4.140",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 [FBAN/FBIOS;FBAV/480.0;FBDV/iPhone15,2]",
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36 Instagram 405.0.0.0 Android",
            "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/22A3354 [Pinterest/iOS]",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22A3354 Twitter for iPhone/11.2",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [LinkedInApp]/9.31",
            "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 musical_ly_2023 BytedanceWebview/d8a21c6 TikTok/41.2",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Snapchat/13.10.0.38",
            "Mozilla/5.0 (Linux; Android 13; 22081212C) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 MMWEBID/2247 MicroMessenger/8.0.50",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/390.0.811331708 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Ecosia ios@10.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Slack/4.46.101 Chrome/138.0.7204.97 Electron/37.2.0 Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) discord/1.0.9211 Chrome/134.0.6998.205 Electron/35.3.0 Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Teams/25.1 Chrome/136.0.0.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Yeti Cycles Browse",
            "YetiCyclesBrowser/2.1 CFNetwork/1568.100.1 Darwin/24.0.0",
            "SlurpJuiceApp/3.2 (iPhone; iOS 18.0)",
            "Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/7.0 TV Safari/537.36",
            "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36 WebAppManage",
            "Mozilla/5.0 (PlayStation; PlayStation 5/9.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 Safari/605.1.15",
            "Mozilla/5.0 (X11; Linux aarch64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 Silk/137.3",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15 Epiphany/605.1.15",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) QtWebEngine/6.8.0 Chrome/122.0.0.0 Safari/537.36 Falkon/24.8",
            "Lynx/2.9.2 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/3.5.0",
            "Links (2.30; Linux 6.12 x86_64; GNU C 14.2; text)",
            "Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)",
            "iTMS/1.0 iTunes/12.13",
            "curl/8.14.1",
            "Wget/1.25.0",
            "python-requests/2.32.5",
            "Go-http-client/2.0",
            "okhttp/4.12.0",
            "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP2A.240805.005)",
            "-",
            "",
        ] {
            let found = matcher.find(agent.as_bytes()).map(|id| crawler(id).id);
            assert_eq!(found, None, "{agent}");
        }
    }

    #[test]
    fn what_was_found_and_ruled_out_is_told() {
        let matcher = CrawlerMatcher::new();
        let told = |agent: &str| -> Vec<(&'static str, TokenVerdict)> {
            let hits = matcher.explain(agent.as_bytes());
            hits.iter().map(|hit| (hit.token, hit.verdict)).collect()
        };
        assert_eq!(
            told("Googlebot-Image/1.0"),
            [
                ("Googlebot-Image", TokenVerdict::Named),
                ("Googlebot", TokenVerdict::RuledOut("Googlebot-Image")),
            ]
        );
        assert_eq!(
            told("facebookexternalhit/1.1 Facebot Twitterbot/1.0"),
            [
                ("facebookexternalhit", TokenVerdict::Named),
                ("Twitterbot", TokenVerdict::RuledOut("facebookexternalhit")),
            ]
        );
        assert_eq!(told("iTMS/1.0 iTunes"), [("iTMS", TokenVerdict::NotWhole)]);
        assert_eq!(told("curl/8.0"), []);
        for known in crawlers() {
            for token in known.tokens {
                let named = matcher.explain(token.as_bytes());
                let named = named.iter().find(|hit| hit.verdict == TokenVerdict::Named);
                assert_eq!(named.map(|hit| hit.crawler), matcher.find(token.as_bytes()));
            }
        }
    }

    #[test]
    fn reverse_names_are_told_at_label_boundaries_and_by_class() {
        let accepts = |id, name| crawler_named(id).map(|id| crawler(id).accepts_name(name));
        for (id, name, expected) in [
            ("googlebot", "crawl-66-249-66-1.googlebot.com", true),
            ("googlebot", "crawl-66-249-66-1.googlebot.com.", true),
            ("googlebot", "CRAWL-66-249-66-1.GoogleBot.COM", true),
            (
                "googlebot",
                "geo-crawl-35-247-243-240.geo.googlebot.com",
                true,
            ),
            (
                "googlebot",
                "crawl-66-249-66-1.googlebot.com.evil.example",
                false,
            ),
            ("googlebot", "xgooglebot.com", false),
            ("googlebot", "crawl-1.xgooglebot.com", false),
            ("googlebot", "crawl-1\\.googlebot.com", false),
            ("googlebot", "googlebot.com", false),
            ("googlebot", ".googlebot.com", false),
            ("googlebot", "crawl-.googlebot.com", false),
            ("googlebot", "crawl-1..googlebot.com", false),
            ("googlebot", "www.googlebot.com", false),
            ("googlebot", "crawl-1.www.googlebot.com", false),
            ("googlebot", "geo-crawl-1.googlebot.com", false),
            ("googlebot", "crawl-66-249-66-1.google.com", false),
            (
                "googlebot",
                "rate-limited-proxy-66-249-90-1.google.com",
                false,
            ),
            ("googlebot", "1.2.3.4.bc.googleusercontent.com", false),
            ("googlebot", "", false),
            ("googlebot", ".", false),
            (
                "adsbot-google",
                "rate-limited-proxy-66-249-90-1.google.com",
                true,
            ),
            (
                "adsbot-google",
                "google-proxy-66-249-81-1.google.com",
                false,
            ),
            ("adsbot-google", "crawl-66-249-66-1.googlebot.com", false),
            (
                "feedfetcher-google",
                "google-proxy-66-249-81-1.google.com",
                true,
            ),
            ("feedfetcher-google", "mail.google.com", false),
            (
                "google-appengine-users",
                "0.192.178.107.gae.googleusercontent.com",
                true,
            ),
            (
                "google-appengine-users",
                "1.2.3.4.bc.googleusercontent.com",
                false,
            ),
            ("bingbot", "msnbot-157-55-39-1.search.msn.com", true),
            ("bingbot", "search.msn.com", false),
            ("bingbot", "msnbot.research.msn.com", false),
            ("yandexbot", "5-255-253-1.spider.yandex.com", true),
            ("yandexbot", "spider.yandex.com.evil.example", false),
            ("applebot", "17-58-1-1.applebot.apple.com", true),
            ("applebot", "applebot.apple.com", false),
            ("gptbot", "gptbot.openai.com", false),
        ] {
            assert_eq!(accepts(id, name), Some(expected), "{id} {name}");
        }
    }

    #[test]
    fn range_sources_are_addresses_or_words() {
        let source = |entry| RangeSource::new(entry);
        let whole =
            source("https://ip-ranges.amazonaws.com/ip-ranges.json (service ROUTE53_HEALTHCHECKS)");
        assert_eq!(
            whole.url,
            Some("https://ip-ranges.amazonaws.com/ip-ranges.json")
        );
        assert_eq!(whole.service, Some("ROUTE53_HEALTHCHECKS"));
        assert_eq!(source("whois: routes of AS32934").url, None);
        assert_eq!(source("qwantbot.json, linked on the page").url, None);
        assert_eq!(
            source("https://a.example/ips-v4/").file_name(),
            Some("ips-v4")
        );
        assert_eq!(
            source("https://a.example/L.php?format=json").file_name(),
            Some("L.php")
        );
    }

    /// A mirror holds all files in one folder.
    #[test]
    fn range_files_have_names_of_their_own() {
        let sources: std::collections::BTreeSet<RangeSource> =
            crawlers().iter().flat_map(Crawler::range_sources).collect();
        let urls: std::collections::BTreeSet<_> = sources.iter().filter_map(|it| it.url).collect();
        let names: std::collections::BTreeSet<_> =
            sources.iter().filter_map(RangeSource::file_name).collect();
        assert_eq!(urls.len(), names.len());
    }

    #[test]
    fn masks_tell_every_class_of_google_apart() {
        for known in crawlers().iter().filter(|known| known.operator == "Google") {
            let is_googlebots = known.rdns_suffixes.contains(&".googlebot.com");
            assert!(
                !is_googlebots || known.rdns_suffixes.len() == 1,
                "{}",
                known.id
            );
            // No text of the operator names the mask of its agents.
            assert_eq!(
                known.rdns_masks.is_empty(),
                !known.has_rdns() || known.id == "google-agent",
                "{}",
                known.id
            );
        }
    }

    #[test]
    fn every_token_alone_finds_its_crawler_unless_its_own_not_token_forbids() {
        let matcher = CrawlerMatcher::new();
        for known in crawlers() {
            for token in known.tokens {
                let found = matcher.find(token.as_bytes()).map(|id| crawler(id).id);
                assert_eq!(found, Some(known.id), "{token}");
            }
        }
    }

    #[test]
    fn a_not_token_rules_out_its_own_entry_only() {
        assert_eq!(
            id_of("Googlebot/2.1 Googlebot-Image/1.0"),
            Some("googlebot-image")
        );
        assert_eq!(id_of("Applebot-Extended"), None);
        assert_eq!(id_of("Applebot-Extended GPTBot/1.0"), Some("gptbot"));
    }

    /// A name that only rules out makes a crawler a visitor. Left so are names that no crawler sends.
    #[test]
    fn what_a_not_token_rules_out_is_another_crawler() {
        let nobody = [
            // A name for robots.txt only.
            "Applebot-Extended",
            // A feed reader's way to say that it is not Google's.
            "like FeedFetcher-Google",
            // The operator's host in CCBot's own agent.
            "commoncrawl",
        ];
        for known in crawlers() {
            for ruled_out in known.not_tokens {
                let found = id_of(ruled_out);
                assert_ne!(found, Some(known.id), "{ruled_out}");
                assert_eq!(found.is_none(), nobody.contains(ruled_out), "{ruled_out}");
            }
        }
    }

    #[test]
    fn crawlers_are_found_by_id_before_token() {
        let named = |name| crawler_named(name).map(|id| crawler(id).id);
        assert_eq!(named("Googlebot"), Some("googlebot"));
        assert_eq!(named("BINGBOT"), Some("bingbot"));
        assert_eq!(named("bingbot/"), Some("bingbot"));
        assert_eq!(named("gptbot"), Some("gptbot"));
        assert_eq!(named("Yahoo-Slurp"), Some("yahoo-slurp"));
        assert_eq!(named("slurp"), Some("yahoo-slurp"));
        assert_eq!(named("yahoo! slurp"), Some("yahoo-slurp"));
        assert_eq!(named("nobody"), None);
        assert_eq!(named(""), None);
    }

    #[test]
    fn categories_hold_the_headline_crawlers() {
        let category = |id| crawler_named(id).map(|id| crawler(id).category);
        assert_eq!(category("googlebot"), Some(Category::Search));
        assert_eq!(category("gptbot"), Some(Category::Ai));
        assert_eq!(category("chatgpt-user"), Some(Category::UserTriggered));
        assert_eq!(category("ahrefsbot"), Some(Category::Seo));
        assert_eq!(category("uptimerobot"), Some(Category::Monitor));
        assert_eq!(category("facebookexternalhit"), Some(Category::Preview));
        assert_eq!(category("adsbot-google"), Some(Category::Other));
    }
}
