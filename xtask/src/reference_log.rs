//! The log that speed is measured on: nginx combined, made from a seed, so that everybody measures the same bytes.
//!
//! 5 million lines over one day, about 205 bytes each; 15 % fetches by six crawlers; 60 user agents; people's
//! addresses all different; 46,000 paths with a heavy head; status 200 87 %, 304 6 %, 301 4 %, 404 2 %, 502 0.04 % in
//! the background and 80 % for a quarter of an hour. The remaining 1 % is 302 and 499.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Changes whenever other bytes come out, so that no old file is taken for a new one.
const EDITION: u32 = 1;
const SEED: u64 = 0x0077_656D_6173_7465;
/// Lines are made and written in blocks of this many, each from a seed of its own.
const BLOCK_LINES: u64 = 50_000;
/// The log begins on 1 March 2026, and no month ends within it.
pub(crate) const DAYS_MAX: u64 = 31;
const DAY_S: u64 = 86_400;
/// The outage: 14:20 to 14:35 of the last day.
const OUTAGE_START_S: u64 = 14 * 3_600 + 20 * 60;
const OUTAGE_LENGTH_S: u64 = 15 * 60;

/// Chances are counted in parts of this.
const PARTS: u32 = 10_000;
const CRAWLER_PARTS: u32 = 1_500;
const OUTAGE_PARTS: u32 = 8_000;
/// People come from nowhere that the log would tell, or from another page of the site.
const NO_REFERRER_PARTS: u32 = 9_000;

/// What to make.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) lines: u64,
    pub(crate) days: u64,
}

/// The log of this shape in `folder`: the one made earlier, or a new one.
pub(crate) fn file(folder: &Path, shape: Shape) -> Result<PathBuf> {
    let name = format!(
        "reference-{}-lines-{}-days.{EDITION}.log",
        shape.lines, shape.days
    );
    let path = folder.join(name);
    if !path.exists() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let part = path.with_extension("part");
        File::create(&part)
            .and_then(|mut file| write(&mut file, shape))
            .with_context(|| format!("cannot write {}", part.display()))?;
        fs::rename(&part, &path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(path)
}

fn write(out: &mut impl io::Write, shape: Shape) -> io::Result<()> {
    let site = Site::new();
    let mut block = Vec::with_capacity(BLOCK_LINES as usize * 224);
    let mut first = 0;
    while first < shape.lines {
        let last = (first + BLOCK_LINES).min(shape.lines);
        block.clear();
        let mut clock = Clock::new(shape);
        let mut dice = Dice::new(SEED ^ first);
        for line in first..last {
            site.line(line, &mut clock, &mut dice, &mut block);
        }
        out.write_all(&block)?;
        first = last;
    }
    out.flush()
}

/// The stamps of the lines, evenly over the span.
struct Clock {
    shape: Shape,
    second: u64,
    text: Vec<u8>,
}

impl Clock {
    fn new(shape: Shape) -> Self {
        Self {
            shape,
            second: u64::MAX,
            text: Vec::new(),
        }
    }

    fn set(&mut self, line: u64) {
        let span = u128::from(self.shape.days * DAY_S);
        let second = (u128::from(line) * span / u128::from(self.shape.lines)) as u64;
        if second != self.second {
            self.second = second;
            let (day, rest) = (second / DAY_S + 1, second % DAY_S);
            let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
            self.text =
                format!("[{day:02}/Mar/2026:{hour:02}:{minute:02}:{second:02} +0000]").into();
        }
    }

    fn in_outage(&self) -> bool {
        let start = (self.shape.days - 1) * DAY_S + OUTAGE_START_S;
        (start..start + OUTAGE_LENGTH_S).contains(&self.second)
    }
}

/// SplitMix64: good enough to roll with, short enough to read. <https://prng.di.unimi.it/splitmix64.c>
struct Dice {
    state: u64,
}

impl Dice {
    const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u32) -> u32 {
        (((self.roll() >> 32) * u64::from(end)) >> 32) as u32
    }

    fn one<'list, T>(&mut self, list: &'list [T]) -> &'list T {
        &list[self.below(list.len() as u32) as usize]
    }

    /// Mostly from the head of the list: half of all picks fall on its first sixteenth.
    fn head_of<'list, T>(&mut self, list: &'list [T]) -> &'list T {
        let unit = self.roll() >> 32;
        let squared = (unit * unit) >> 32;
        let fourth = (squared * squared) >> 32;
        &list[((fourth * list.len() as u64) >> 32) as usize]
    }

    /// The value whose share, in parts of 10,000, the roll falls on; the last one takes the rest.
    fn share<'list, T>(&mut self, shares: &'list [(u32, T)]) -> &'list T {
        let mut roll = self.below(PARTS);
        let [first @ .., last] = shares else {
            unreachable!("a table of shares has rows");
        };
        for (parts, value) in first {
            if roll < *parts {
                return value;
            }
            roll -= parts;
        }
        &last.1
    }
}

/// A site's part: how often crawlers and people ask for it, and its paths, the most wanted first.
struct Section {
    paths: Vec<String>,
    bytes: (u32, u32),
}

struct Site {
    for_crawlers: Vec<(u32, usize)>,
    for_people: Vec<(u32, usize)>,
    sections: Vec<Section>,
    referrers: Vec<String>,
    browsers: Vec<String>,
}

/// Six crawlers with their share, the agent they send, and the net of their addresses.
const CRAWLERS: [(u32, (&str, &str)); 6] = [
    (
        4_500,
        (
            "66.249.66",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        ),
    ),
    (
        2_000,
        (
            "157.55.39",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; \
             +http://www.bing.com/bingbot.htm) Chrome/136.0.0.0 Safari/537.36",
        ),
    ),
    (
        1_200,
        (
            "20.171.207",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.2; +https://openai.com/gptbot",
        ),
    ),
    (
        900,
        (
            "216.73.216",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
        ),
    ),
    (
        800,
        (
            "54.36.148",
            "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
        ),
    ),
    (
        600,
        (
            "5.255.231",
            "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
        ),
    ),
];

/// Outside the outage. The 502s of the background are among them.
const STATUSES: [(u32, u16); 7] = [
    (8_700, 200),
    (600, 304),
    (400, 301),
    (200, 404),
    (4, 502),
    (60, 302),
    (36, 499),
];

impl Site {
    fn new() -> Self {
        let sections = vec![
            section(20_000, (9_000, 60_000), |n| {
                format!("/shop/item/{}", 100_000 + n * 7)
            }),
            section(6_000, (12_000, 90_000), category),
            section(8_000, (15_000, 70_000), article),
            section(2_000, (800, 180_000), asset),
            section(9_998, (120, 4_000), |n| {
                format!("/api/v1/stock/{}", 100_000 + n * 7)
            }),
            section(2, (300, 30_000), |n| ["/", "/robots.txt"][n].to_owned()),
        ];
        let referrers = (0..512).map(|n| format!("https://www.example.com{}", category(n)));
        Self {
            for_crawlers: vec![
                (5_400, 0),
                (1_900, 1),
                (2_000, 2),
                (300, 3),
                (200, 4),
                (200, 5),
            ],
            for_people: vec![
                (2_600, 0),
                (1_400, 1),
                (900, 2),
                (3_600, 3),
                (1_200, 4),
                (300, 5),
            ],
            sections,
            referrers: referrers.collect(),
            browsers: browsers(),
        }
    }

    fn line(&self, line: u64, clock: &mut Clock, dice: &mut Dice, block: &mut Vec<u8>) {
        clock.set(line);
        let crawler = (dice.below(PARTS) < CRAWLER_PARTS).then(|| dice.share(&CRAWLERS));
        match crawler {
            Some((net, _)) => push(block, format_args!("{net}.{}", dice.below(64))),
            None => push_address(block, line),
        }
        block.extend_from_slice(b" - - ");
        block.extend_from_slice(&clock.text);
        let shares = if crawler.is_some() {
            &self.for_crawlers
        } else {
            &self.for_people
        };
        let section = &self.sections[*dice.share(shares)];
        block.extend_from_slice(b" \"GET ");
        block.extend_from_slice(dice.head_of(&section.paths).as_bytes());
        let status = if clock.in_outage() && dice.below(PARTS) < OUTAGE_PARTS {
            502
        } else {
            *dice.share(&STATUSES)
        };
        let bytes = body_bytes(status, section.bytes, dice);
        push(
            block,
            format_args!(
                " HTTP/{}\" {status} {bytes} \"",
                ["1.1", "2.0"][line as usize & 1]
            ),
        );
        let (referrer, agent) = match crawler {
            Some((_, agent)) => ("-", *agent),
            None => (self.referrer(dice), dice.one(&self.browsers).as_str()),
        };
        block.extend_from_slice(referrer.as_bytes());
        block.extend_from_slice(b"\" \"");
        block.extend_from_slice(agent.as_bytes());
        block.extend_from_slice(b"\"\n");
    }

    fn referrer(&self, dice: &mut Dice) -> &str {
        if dice.below(PARTS) < NO_REFERRER_PARTS {
            "-"
        } else {
            dice.one(&self.referrers).as_str()
        }
    }
}

fn section(count: usize, bytes: (u32, u32), path: impl Fn(usize) -> String) -> Section {
    Section {
        paths: (0..count).map(path).collect(),
        bytes,
    }
}

fn category(n: usize) -> String {
    const NAMES: [&str; 12] = [
        "shoes", "boots", "jackets", "bags", "hats", "lamps", "chairs", "tables", "rugs", "mugs",
        "books", "toys",
    ];
    const ORDERS: [&str; 4] = ["price", "newest", "rating", "name"];
    let (name, rest) = (NAMES[n % NAMES.len()], n / NAMES.len());
    let (order, page) = (ORDERS[rest % ORDERS.len()], rest / ORDERS.len() + 1);
    format!("/shop/c/{name}?page={page}&sort={order}")
}

fn article(n: usize) -> String {
    const ADJECTIVES: [&str; 8] = [
        "quiet", "sturdy", "modern", "simple", "warm", "small", "lasting", "bright",
    ];
    const NOUNS: [&str; 10] = [
        "kitchen", "hallway", "garden", "winter", "balcony", "office", "nursery", "cellar",
        "holiday", "workshop",
    ];
    let (year, month) = (2019 + n / 12 % 7, n % 12 + 1);
    let (adjective, noun) = (ADJECTIVES[n % ADJECTIVES.len()], NOUNS[n / 8 % NOUNS.len()]);
    format!("/blog/{year}/{month:02}/ideas-for-a-{adjective}-{noun}-{n}")
}

fn asset(n: usize) -> String {
    const KINDS: [(&str, &str); 5] = [
        ("js", "app"),
        ("css", "site"),
        ("img", "photo"),
        ("img", "icon"),
        ("fonts", "text"),
    ];
    const ENDS: [&str; 5] = ["js", "css", "webp", "svg", "woff2"];
    let (folder, stem) = KINDS[n % KINDS.len()];
    let hash = Dice::new(n as u64).roll() as u32;
    format!(
        "/assets/{folder}/{stem}-{hash:08x}.{}",
        ENDS[n % ENDS.len()]
    )
}

/// 54 of them: with the crawlers' six, 60 user agents.
fn browsers() -> Vec<String> {
    const SYSTEMS: [&str; 6] = [
        "Windows NT 10.0; Win64; x64",
        "Linux; Android 10; K",
        "Macintosh; Intel Mac OS X 10_15_7",
        "X11; Linux x86_64",
        "iPhone; CPU iPhone OS 18_6 like Mac OS X",
        "X11; CrOS x86_64 14541.0.0",
    ];
    (0..54)
        .map(|n| {
            let (system, version) = (SYSTEMS[n % SYSTEMS.len()], 142 - n / SYSTEMS.len() / 3);
            match n / SYSTEMS.len() % 3 {
                0 => format!(
                    "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
                ),
                1 => format!("Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"),
                _ => format!(
                    "Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{}.0 Safari/605.1.15",
                    version - 116
                ),
            }
        })
        .collect()
}

/// A person's address: no other line has it. Multiplying by an odd number maps no two lines to one address, up to
/// 2^28 lines; 96.0.0.0/4 is clear of the crawlers' nets.
fn push_address(block: &mut Vec<u8>, line: u64) {
    let mixed = (line as u32).wrapping_mul(0x9E37_79B1) & 0x0FFF_FFFF;
    let [first, second, third, fourth] = (mixed | 0x6000_0000).to_be_bytes();
    push(block, format_args!("{first}.{second}.{third}.{fourth}"));
}

/// nginx's own pages have the size that they have; what it did not send has none.
fn body_bytes(status: u16, (least, most): (u32, u32), dice: &mut Dice) -> u32 {
    match status {
        301 | 302 => 162,
        304 | 499 => 0,
        404 => 146,
        502 => 150,
        _ => least + dice.below(most - least),
    }
}

fn push(block: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a vector does not fail.
    let _ = block.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const LINES: u64 = 100_000;

    /// Whether `count` of all lines is the percentage, give or take a tenth of it.
    fn is_about(count: usize, percent: f64) -> bool {
        let share = count as f64 * 100.0 / LINES as f64;
        (share / percent - 1.0).abs() < 0.1
    }

    #[test]
    fn the_log_has_the_proportions_that_the_figures_are_quoted_for() {
        let mut log = Vec::new();
        let shape = Shape {
            lines: LINES,
            days: 1,
        };
        write(&mut log, shape).unwrap();
        let log = String::from_utf8(log).unwrap();
        let count = |part: &str| log.lines().filter(|line| line.contains(part)).count();
        let crawlers = |line: &&str| line.to_lowercase().contains("bot/");
        let agents = log.lines().filter_map(|line| line.split('"').nth(5));
        let people = log.lines().filter(|line| !crawlers(line));
        let addresses = people.clone().filter_map(|line| line.split(' ').next());

        assert_eq!(log.lines().count() as u64, LINES);
        assert!((195..215).contains(&(log.len() as u64 / LINES)));
        assert!(is_about(log.lines().filter(crawlers).count(), 15.0));
        assert!(is_about(count("\" 200 "), 87.0));
        assert!(is_about(count("\" 304 "), 6.0));
        // A quarter of an hour at 80 %, and the background.
        assert!(is_about(count("\" 502 "), 0.8 * 100.0 / 96.0 + 0.04));
        assert_eq!(agents.collect::<BTreeSet<_>>().len(), 60);
        assert_eq!(addresses.collect::<BTreeSet<_>>().len(), people.count());
    }
}
