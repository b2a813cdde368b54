//! The crawler registry.

use std::cmp::Reverse;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use model::{Category, CrawlerId};

use crate::table::{CRAWLER_PATTERNS, CRAWLERS};

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
    /// Where the operator publishes its address ranges.
    pub ip_ranges: &'static [&'static str],
    /// Layout of these files: `google-prefixes`, `text-cidr` and the like.
    pub ip_ranges_format: Option<&'static str>,
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

/// Every crawler, by id; [`CrawlerId`] is the index.
pub fn crawlers() -> &'static [Crawler] {
    &CRAWLERS
}

/// The crawler with that index.
pub fn crawler(id: CrawlerId) -> &'static Crawler {
    &CRAWLERS[id.0 as usize]
}

/// The crawler of that name, any case; one of its user-agent tokens will do.
pub fn crawler_named(name: &str) -> Option<CrawlerId> {
    let has_id = |crawler: &Crawler| crawler.id.eq_ignore_ascii_case(name);
    let has_token = |crawler: &Crawler| {
        let mut tokens = crawler.tokens.iter();
        tokens.any(|token| token.eq_ignore_ascii_case(name))
    };
    let mut all = CRAWLERS.iter();
    let index = all
        .position(has_id)
        .or_else(|| CRAWLERS.iter().position(has_token))?;
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
            ("mozilla/5.0 (compatible; GOOGLEBOT/2.1)", "googlebot"),
        ] {
            assert_eq!(id_of(agent), Some(id), "{agent}");
        }
    }

    #[test]
    fn browsers_and_tools_are_no_crawlers() {
        for agent in [
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
             Version/18.6 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
             Safari/537.36 Edg/142.0.0.0",
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) coc_coc_browser/120.0 Chrome/114.0 \
             Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 \
             [FBAN/FBIOS;FBAV/480.0;FBDV/iPhone15,2]",
            "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/22A3354 [Pinterest/iOS]",
            "Mozilla/5.0 (Linux; Android 14; SM-S918N) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36;DaumApps/6.0",
            "Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)",
            "iTMS/1.0 iTunes/12.13",
            "curl/8.14.1",
            "Wget/1.25.0",
            "python-requests/2.32.5",
            "Go-http-client/2.0",
            "-",
            "",
        ] {
            assert_eq!(id_of(agent), None, "{agent}");
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

    #[test]
    fn crawlers_are_found_by_id_before_token() {
        let named = |name| crawler_named(name).map(|id| crawler(id).id);
        assert_eq!(named("Googlebot"), Some("googlebot"));
        assert_eq!(named("BINGBOT"), Some("bingbot"));
        assert_eq!(named("bingbot/"), Some("bingbot"));
        assert_eq!(named("gptbot"), Some("gptbot"));
        assert_eq!(named("Yahoo-Slurp"), Some("yahoo-slurp"));
        assert_eq!(named("slurp"), Some("yahoo-slurp"));
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
