//! Who visits the lab's site, and what for: crawlers and people with documentation addresses, and the pages of a shop.

use super::origin::Fault;

/// A small generator of numbers: the script is the same in every recording (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice that fall the same way for the same seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`, which is not 0.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// One of `choices`, which is not empty.
    pub(crate) const fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}

/// Someone who sends requests.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// Id in the crawler registry; `None` for people and other clients.
    pub(crate) crawler: Option<&'static str>,
    pub(crate) addr: String,
    pub(crate) agent: &'static [u8],
}

/// One crawler: id, the first three parts of its (documentation) addresses, agent, weight in the shop's traffic.
struct Crawler(&'static str, &'static str, &'static [u8], u64);

const CRAWLERS: &[Crawler] = &[
    Crawler("googlebot", "192.0.2", b"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.7444.59 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 44),
    Crawler("googlebot", "192.0.2", b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 6),
    Crawler("googlebot", "192.0.2", b"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/142.0.7444.59 Safari/537.36", 10),
    Crawler("bingbot", "198.51.100", b"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/136.0.0.0 Safari/537.36", 26),
    Crawler("gptbot", "198.51.100", b"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.3; +https://openai.com/gptbot)", 14),
    Crawler("claudebot", "198.51.100", b"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", 9),
    Crawler("oai-searchbot", "198.51.100", b"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; OAI-SearchBot/1.3; +https://openai.com/searchbot)", 5),
    Crawler("ahrefsbot", "198.51.100", b"Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", 6),
    Crawler("uptimerobot", "198.51.100", b"Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", 0),
];

const BROWSERS: &[&[u8]] = &[
    b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    b"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
    b"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
    b"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    // Odd ones that real logs hold: quotes and a backslash, and bytes that are no UTF-8.
    b"ShopApp \"Herbst\" 4.2 \\ build 88",
    b"Einkaufsf\xfchrer/2.1 (M\xfcnchen)",
];

impl Visitor {
    /// A crawler by its registry id, with the first agent of that id.
    pub(crate) fn crawler(id: &str) -> Self {
        let number = CRAWLERS.iter().position(|crawler| crawler.0 == id);
        Self::numbered(number.unwrap_or(0), 17)
    }

    /// Some crawler, as often as a shop sees them.
    pub(crate) fn some_crawler(dice: &mut Dice) -> Self {
        let mut left = dice.below(CRAWLERS.iter().map(|crawler| crawler.3).sum());
        let number = CRAWLERS.iter().position(|crawler| {
            let found = left < crawler.3;
            left = left.saturating_sub(crawler.3);
            found
        });
        Self::numbered(number.unwrap_or(0), dice.below(5))
    }

    /// A person from somewhere, over IPv4 or IPv6.
    pub(crate) fn person(dice: &mut Dice) -> Self {
        let addr = if dice.below(5) == 0 {
            format!(
                "2001:db8:{:x}::{:x}",
                0x10 + dice.below(64),
                1 + dice.below(4_000)
            )
        } else {
            format!("203.0.113.{}", 1 + dice.below(254))
        };
        // The two odd agents are rare.
        let agent = if dice.below(60) == 0 {
            dice.below(BROWSERS.len() as u64)
        } else {
            dice.below(7)
        };
        Self {
            crawler: None,
            addr,
            agent: BROWSERS[agent as usize],
        }
    }

    /// A person with the agent of that number, at a fixed address.
    pub(crate) fn person_with_agent(number: usize) -> Self {
        Self {
            crawler: None,
            addr: format!("203.0.113.{}", 70 + number),
            agent: BROWSERS[number % BROWSERS.len()],
        }
    }

    /// A scanner that calls itself Googlebot from an address that is not Google's.
    pub(crate) fn false_googlebot() -> Self {
        Self {
            crawler: None,
            addr: "203.0.113.66".to_owned(),
            ..Self::crawler("googlebot")
        }
    }

    fn numbered(number: usize, host: u64) -> Self {
        let Crawler(id, net, agent, _) = CRAWLERS[number];
        let first = if id == "googlebot" {
            1
        } else {
            16 * number as u64
        };
        Self {
            crawler: Some(id),
            addr: format!("{net}.{}", first + host),
            agent,
        }
    }
}

/// One request that the lab sends.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) visitor: Visitor,
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) referer: Option<&'static str>,
    /// Fault of the origin for this request.
    pub(crate) fault: Option<Fault>,
    /// Lab time that the origin takes.
    pub(crate) delay_ms: u64,
    /// Status of a good answer.
    pub(crate) status: u16,
    /// Bytes of the answer.
    pub(crate) size: usize,
    /// Bytes of the request's body.
    pub(crate) body: usize,
}

impl Ask {
    /// A GET of `target`.
    pub(crate) fn get(visitor: Visitor, target: &str) -> Self {
        let mut dice = Dice::new(target.bytes().fold(7, |sum: u64, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte))
        }));
        let is_static = target.starts_with("/static/") || target == "/favicon.ico";
        Self {
            visitor,
            method: "GET",
            target: target.to_owned(),
            referer: None,
            fault: None,
            delay_ms: if is_static {
                1 + dice.below(9)
            } else {
                35 + dice.below(260)
            },
            status: 200,
            size: match target {
                "/robots.txt" => 214,
                "/sitemap.xml" => 48_211,
                _ if target.starts_with("/api/") => 180 + dice.below(2_400) as usize,
                _ => 6_000 + dice.below(38_000) as usize,
            },
            body: 0,
        }
    }

    /// A POST of a form.
    pub(crate) fn post(visitor: Visitor, target: &str) -> Self {
        Self {
            method: "POST",
            body: 64,
            ..Self::get(visitor, target)
        }
    }

    /// The same with a fault.
    pub(crate) fn with(self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..self
        }
    }
}

const CATEGORIES: [&str; 12] = [
    "shoes", "boots", "sandals", "jackets", "coats", "dresses", "bags", "belts", "hats", "socks",
    "sale", "new",
];
const POSTS: [&str; 10] = [
    "how-to-waterproof-leather-boots",
    "winter-coats-compared",
    "sizes-explained",
    "care-for-suede",
    "repair-instead-of-replace",
    "ten-years-of-our-shop",
    "vegan-leather-tested",
    "packing-for-a-week",
    "returns-made-easy",
    "colours-of-autumn",
];

/// A page that crawlers and people fetch.
pub(crate) fn page(dice: &mut Dice) -> String {
    match dice.below(100) {
        0..=4 => "/".to_owned(),
        5..=54 => format!("/product/{}", 1_000 + dice.below(900)),
        55..=66 => format!("/category/{}", dice.pick(&CATEGORIES)),
        67..=79 => format!(
            "/category/{}?page={}",
            dice.pick(&CATEGORIES),
            2 + dice.below(20)
        ),
        80..=89 => format!("/blog/{}", dice.pick(&POSTS)),
        90..=93 => format!("/product/{}/reviews?sort=newest", 1_000 + dice.below(900)),
        94..=96 => format!(
            "/search?q={}",
            dice.pick(&["rain+boots", "red+dress", "wool", "m%C3%BCtze"])
        ),
        97 => "/sitemap.xml".to_owned(),
        _ => format!(
            "/pages/{}",
            dice.pick(&["about", "shipping", "imprint", "contact"])
        ),
    }
}

/// What only people ask for; some of it personal, so that a leak would show.
pub(crate) fn personal_page(dice: &mut Dice) -> String {
    match dice.below(6) {
        0 => format!(
            "/user/{}@example.org/orders",
            dice.pick(&["jane", "max.muster", "k.novak"])
        ),
        1 => format!(
            "/reset/{:016x}{:016x}",
            dice.below(u64::MAX),
            dice.below(u64::MAX)
        ),
        2 => format!(
            "/unsubscribe?mail=jane%40example.org&token={:016x}",
            dice.below(u64::MAX)
        ),
        3 => format!("/orders/{}", 880_000 + dice.below(9_999)),
        4 => "/checkout/address".to_owned(),
        _ => "/account".to_owned(),
    }
}

/// A file that a browser loads with a page.
pub(crate) fn asset(dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => "/static/css/shop.8f31c2.css".to_owned(),
        1 => "/static/js/shop.77ab10.js".to_owned(),
        2 => format!("/static/img/product-{}.webp", 1_000 + dice.below(900)),
        _ => "/favicon.ico".to_owned(),
    }
}

/// A call of the shop's own script.
pub(crate) fn api(dice: &mut Dice) -> String {
    match dice.below(3) {
        0 => format!("/api/stock/{}", 1_000 + dice.below(900)),
        1 => "/api/cart".to_owned(),
        _ => format!("/api/suggest?q={}", dice.pick(&["boo", "jack", "dre"])),
    }
}
