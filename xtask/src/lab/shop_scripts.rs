//! The recordings of `examples/`: days of a shop, each with a story. What happens when is written down here; who comes
//! by is drawn, with more people in the evening and crawlers at all hours.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};
use jiff::Timestamp;
use model::Cause;
use serde_json::Value;

use super::clock::ZONE;
use super::origin::Fault;
use super::proxy::{Proxy, Setup};
use super::session::Session;
use super::traffic::{self, Ask, Dice, Visitor};
use super::truth::Why;
use super::{addresses, base_setup, temporary_dir, told};

/// Something that happens at a moment of the story.
#[derive(Clone, Copy)]
enum Event {
    /// These members stop listening.
    Down(&'static [usize]),
    /// These members listen again.
    Up(&'static [usize]),
    /// The application closes the connection on these paths.
    Crashes(&'static str),
    /// One application error of its own.
    Hiccup,
    /// A client hangs up on a slow page.
    Leaves,
    /// Googlebot fetches robots.txt.
    Robots,
    /// Googlebot fetches robots.txt just as it is the dead member's turn.
    RobotsFails,
    /// Googlebot stays away from here on.
    GooglebotGone,
    /// Crawlers come this many times as often.
    CrawlRate(u64),
}

/// One example.
struct Shop {
    name: &'static str,
    proxy: &'static str,
    layout: &'static str,
    start: &'static str,
    end: &'static str,
    /// Midnights at which the logs were rotated.
    rotated: &'static [&'static str],
    members: usize,
    setup: fn(&mut Setup),
    /// Mean seconds between crawler fetches.
    crawl_gap: u64,
    /// Mean seconds between people's visits in the middle of the day.
    visit_gap: u64,
    events: &'static [(&'static str, Event)],
}

const SHOPS: &[Shop] = &[
    Shop {
        name: "nginx-shop",
        proxy: "nginx",
        layout: "upstream",
        start: "2026-11-21T00:00:04+01:00",
        end: "2026-11-22T14:12:03+01:00",
        rotated: &["2026-11-22T00:00:00+01:00"],
        members: 3,
        setup: |setup| {
            setup.retry = false;
            setup.eject = false;
        },
        crawl_gap: 38,
        visit_gap: 160,
        events: &[
            ("2026-11-21T00:47:10+01:00", Event::Robots),
            ("2026-11-21T02:50:00+01:00", Event::CrawlRate(9)),
            ("2026-11-21T03:02:11+01:00", Event::Down(&[0, 1, 2])),
            ("2026-11-21T03:04:09+01:00", Event::Up(&[0, 1, 2])),
            ("2026-11-21T03:16:00+01:00", Event::CrawlRate(1)),
            ("2026-11-21T05:31:40+01:00", Event::Robots),
            ("2026-11-21T08:12:00+01:00", Event::Leaves),
            ("2026-11-21T09:03:27+01:00", Event::Leaves),
            ("2026-11-21T10:02:51+01:00", Event::Robots),
            ("2026-11-21T11:40:02+01:00", Event::Hiccup),
            ("2026-11-21T13:20:00+01:00", Event::Leaves),
            ("2026-11-21T15:48:33+01:00", Event::Robots),
            ("2026-11-21T17:05:00+01:00", Event::Leaves),
            ("2026-11-21T18:22:00+01:00", Event::Hiccup),
            ("2026-11-21T19:31:00+01:00", Event::Leaves),
            ("2026-11-21T20:14:00+01:00", Event::Leaves),
            ("2026-11-21T21:07:45+01:00", Event::Robots),
            ("2026-11-21T21:50:00+01:00", Event::Leaves),
            ("2026-11-22T01:55:19+01:00", Event::Robots),
            ("2026-11-22T02:33:00+01:00", Event::Hiccup),
            ("2026-11-22T06:40:12+01:00", Event::Robots),
            ("2026-11-22T07:45:00+01:00", Event::Leaves),
            ("2026-11-22T08:58:00+01:00", Event::Leaves),
            ("2026-11-22T09:14:07+01:00", Event::Down(&[0])),
            ("2026-11-22T09:14:08+01:00", Event::CrawlRate(2)),
            ("2026-11-22T10:21:00+01:00", Event::Leaves),
            ("2026-11-22T11:20:40+01:00", Event::Robots),
            ("2026-11-22T12:02:00+01:00", Event::Leaves),
            ("2026-11-22T12:48:00+01:00", Event::Leaves),
            ("2026-11-22T13:51:20+01:00", Event::RobotsFails),
            ("2026-11-22T13:51:40+01:00", Event::GooglebotGone),
        ],
    },
    Shop {
        name: "apache-shop",
        proxy: "apache",
        layout: "vhost",
        start: "2026-11-22T06:00:05+01:00",
        end: "2026-11-22T17:58:40+01:00",
        rotated: &[],
        members: 1,
        setup: |_| (),
        crawl_gap: 60,
        visit_gap: 260,
        events: &[
            ("2026-11-22T06:31:40+01:00", Event::Robots),
            ("2026-11-22T07:25:00+01:00", Event::CrawlRate(6)),
            ("2026-11-22T07:30:12+01:00", Event::Down(&[0])),
            ("2026-11-22T07:33:25+01:00", Event::Up(&[0])),
            ("2026-11-22T07:42:00+01:00", Event::CrawlRate(1)),
            ("2026-11-22T10:44:00+01:00", Event::Hiccup),
            ("2026-11-22T11:02:51+01:00", Event::Robots),
            ("2026-11-22T14:05:30+01:00", Event::Crashes("/category/")),
            ("2026-11-22T16:10:09+01:00", Event::Robots),
        ],
    },
    Shop {
        name: "healthy",
        proxy: "nginx",
        layout: "combined",
        start: "2026-11-21T00:00:31+01:00",
        end: "2026-11-21T23:59:20+01:00",
        rotated: &[],
        members: 2,
        setup: |_| (),
        crawl_gap: 150,
        visit_gap: 500,
        events: &[
            ("2026-11-21T03:10:09+01:00", Event::Robots),
            ("2026-11-21T15:22:51+01:00", Event::Robots),
        ],
    },
];

/// Records the examples of `proxy` whose name contains `only`; how many there were.
pub(crate) fn record(
    proxy: &dyn Proxy,
    version: &str,
    only: &str,
    examples: &Path,
) -> Result<usize> {
    let mut count = 0;
    for shop in SHOPS {
        let wanted = shop.name.contains(only) || only == "example";
        if shop.proxy == proxy.name() && wanted {
            record_one(shop, proxy, version, &examples.join(shop.name)).context(shop.name)?;
            count += 1;
        }
    }
    Ok(count)
}

fn record_one(shop: &Shop, proxy: &dyn Proxy, version: &str, folder: &Path) -> Result<()> {
    let dir = temporary_dir()?;
    let served = addresses(shop.members)?;
    let mut setup = base_setup(&served);
    (shop.setup)(&mut setup);
    let session = Session::start(
        proxy,
        dir.path(),
        &setup,
        shop.start.parse()?,
        &served,
        2_026,
    )?;
    let mut day = Day {
        shop,
        session,
        owed: Vec::new(),
        crashes: None,
        googlebot_gone: false,
        crawl_rate: 1,
        dice: Dice::new(41),
    };
    day.run()?;
    let (driven, _) = day.session.end()?;
    let access = std::fs::read(dir.path().join(format!("{}.log", shop.layout)))?;
    let errors = std::fs::read(dir.path().join("error.log"))?;
    let truth: Vec<Value> = driven.iter().filter_map(|one| one.truth(true)).collect();
    std::fs::create_dir_all(folder)?;
    let cuts = Cuts::of(shop, proxy.name(), &access, &errors)?;
    cuts.write(folder, "access.log", &access, &cuts.access)?;
    cuts.write(folder, "error.log", &errors, &cuts.errors)?;
    // Not among the logs: the folder is what a user would give to the program.
    let beside = folder.with_file_name("truth");
    std::fs::create_dir_all(&beside)?;
    std::fs::write(
        beside.join(format!("{}.ndjson", shop.name)),
        cuts.truth(truth),
    )?;
    println!("  {:20} ({version}) {}", shop.name, told(&driven));
    Ok(())
}

/// A day of the shop under way.
struct Day<'a> {
    shop: &'a Shop,
    session: Session<'a>,
    /// Crawlers and the URLs that they failed to get.
    owed: Vec<(Visitor, String)>,
    crashes: Option<&'static str>,
    googlebot_gone: bool,
    crawl_rate: u64,
    dice: Dice,
}

impl Day<'_> {
    /// Lets everything happen in its order: the events of the story, crawlers, people, the monitor.
    fn run(&mut self) -> Result<()> {
        let end: Timestamp = self.shop.end.parse()?;
        let start: Timestamp = self.shop.start.parse()?;
        let mut next_crawl = start;
        let mut next_visit = start + Duration::from_secs(20);
        let mut next_check = start + Duration::from_secs(9);
        let mut events = self.shop.events.iter();
        let mut event = events.next();
        loop {
            let next_event = event.map_or(Ok(Timestamp::MAX), |(at, _)| at.parse())?;
            let next = next_event.min(next_crawl).min(next_visit).min(next_check);
            if next >= end {
                break;
            }
            self.session.clock.set(next)?;
            if next == next_event {
                if let Some((_, happens)) = event {
                    self.happen(*happens)?;
                }
                event = events.next();
            } else if next == next_crawl {
                self.crawl()?;
                next_crawl = next + self.gap(self.shop.crawl_gap * 1_000 / self.crawl_rate);
            } else if next == next_visit {
                self.visit()?;
                let slow = slowness(next.in_tz(ZONE)?.hour());
                next_visit = next + self.gap(self.shop.visit_gap * 100 * slow);
            } else {
                let ask = Ask {
                    method: "HEAD",
                    ..Ask::get(Visitor::crawler("uptimerobot"), "/")
                };
                self.session.ask(ask)?;
                next_check = next + Duration::from_secs(900);
            }
        }
        // The last line is stamped at the end, so that "now" is known to the second.
        self.session.clock.set(end)?;
        self.session.ask(Ask {
            delay_ms: 0,
            ..Ask::get(Visitor::crawler("bingbot"), "/pages/shipping")
        })?;
        Ok(())
    }

    /// A gap of an exponential distribution with this mean, as independent arrivals have it.
    fn gap(&mut self, mean_ms: u64) -> Duration {
        let uniform = (self.dice.below(9_999) + 1) as f64 / 10_000.0;
        Duration::from_millis((-uniform.ln() * mean_ms as f64) as u64 + 1)
    }

    fn happen(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Down(members) => {
                for member in members {
                    self.session.down(*member)?;
                }
                self.session.ambient = Some(Why::new("refuse", Cause::ConnectionRefused));
            }
            Event::Up(members) => {
                for member in members {
                    self.session.up(*member)?;
                }
                self.session.ambient = None;
            }
            Event::Crashes(paths) => self.crashes = Some(paths),
            Event::GooglebotGone => self.googlebot_gone = true,
            Event::CrawlRate(rate) => self.crawl_rate = rate,
            Event::Robots => self.fetch(Visitor::crawler("googlebot"), "/robots.txt".to_owned())?,
            Event::RobotsFails => {
                while !self.dead_member_is_next() {
                    self.crawl()?;
                    self.session.pass(1)?;
                }
                self.fetch(Visitor::crawler("googlebot"), "/robots.txt".to_owned())?;
            }
            Event::Hiccup => {
                let ask = Ask::get(
                    Visitor::some_crawler(&mut self.dice),
                    &traffic::page(&mut self.dice),
                );
                let why = Why::new(Fault::Own500.name(), Cause::OriginOwnError);
                self.session
                    .ask_because(ask.with(Fault::Own500), Some(why))?;
            }
            Event::Leaves => {
                // Not when it is the dead member's turn: that answers at once.
                while self.session.ambient.is_some() && !self.dead_member_was_last() {
                    self.crawl()?;
                    self.session.pass(1)?;
                }
                let visitor = if self.dice.below(3) == 0 {
                    Visitor::some_crawler(&mut self.dice)
                } else {
                    Visitor::person(&mut self.dice)
                };
                let ask =
                    Ask::get(visitor, "/search?q=winter+boots&sort=relevance").with(Fault::Late);
                let pending = self.session.begin(Ask { delay_ms: 0, ..ask }, None)?;
                let wait = 4_000 + self.dice.below(22_000);
                self.session.abort(pending, Duration::from_millis(wait))?;
            }
        }
        Ok(())
    }

    /// Members take turns, the dead one included: after it come all the others.
    fn dead_member_is_next(&self) -> bool {
        let others = self.shop.members - 1;
        let mut last = self.session.driven.iter().rev().take(others + 1);
        last.by_ref()
            .take(others)
            .all(|one| one.logged < 500 && one.why.is_none())
            && last.next().is_some_and(|one| one.logged == 502)
    }

    fn dead_member_was_last(&self) -> bool {
        self.session
            .driven
            .last()
            .is_some_and(|last| last.logged == 502)
    }

    /// One fetch by a crawler: a page it is owed, or any.
    fn crawl(&mut self) -> Result<()> {
        let visitor = loop {
            let visitor = Visitor::some_crawler(&mut self.dice);
            if !(self.googlebot_gone && visitor.crawler == Some("googlebot")) {
                break visitor;
            }
        };
        let owed = self
            .owed
            .iter()
            .position(|(other, _)| other.crawler == visitor.crawler);
        if let Some(number) = owed
            && self
                .session
                .ambient
                .is_some_and(|_| self.dice.below(100) < 17)
                | self.healed_and_lucky()
        {
            let (_, target) = self.owed.remove(number);
            return self.fetch(visitor, target);
        }
        let target = match self.dice.below(160) {
            0 if visitor.crawler != Some("googlebot") => "/robots.txt".to_owned(),
            _ => traffic::page(&mut self.dice),
        };
        self.fetch(visitor, target)
    }

    /// After a fault crawlers come back to most of what they missed.
    fn healed_and_lucky(&mut self) -> bool {
        self.session.ambient.is_none() && self.dice.below(100) < 70
    }

    fn fetch(&mut self, visitor: Visitor, target: String) -> Result<()> {
        let mut ask = Ask::get(visitor, &target);
        ask.delay_ms += self.jitter();
        if target != "/robots.txt" {
            // Pages that have not changed, moved or gone.
            (ask.status, ask.size) = match self.dice.below(100) {
                0..=6 => (304, 0),
                7..=10 => (301, 178),
                11..=13 => (404, 812),
                _ => (200, ask.size),
            };
        }
        let crawler = ask.visitor.clone();
        let why = self.crashing(&mut ask);
        self.session.ask_because(ask, why)?;
        if self
            .session
            .driven
            .last()
            .is_some_and(|last| last.logged >= 500)
            && target != "/robots.txt"
        {
            self.owed.push((crawler, target));
        }
        Ok(())
    }

    /// The same page takes a little longer or shorter, and now and then much longer.
    fn jitter(&mut self) -> u64 {
        let slow = if self.dice.below(40) == 0 { 900 } else { 90 };
        self.dice.below(slow)
    }

    /// Makes `ask` one that the application crashes on, if it is.
    fn crashing(&self, ask: &mut Ask) -> Option<Why> {
        let paths = self.crashes?;
        if !ask.target.starts_with(paths) {
            return None;
        }
        ask.fault = Some(Fault::Close);
        Some(Why::new(Fault::Close.name(), Cause::ClosedBeforeHeaders))
    }

    /// A person's visit: one to three pages with their files, over one connection each.
    fn visit(&mut self) -> Result<()> {
        let person = Visitor::person(&mut self.dice);
        for number in 0..=self.dice.below(3) {
            let target = match self.dice.below(12) {
                0 => traffic::personal_page(&mut self.dice),
                _ => traffic::page(&mut self.dice),
            };
            let mut page = Ask::get(person.clone(), &target);
            page.delay_ms += self.jitter();
            page.referer = (number > 0).then_some("https://shop.example/category/new");
            let why = self.crashing(&mut page);
            if why.is_some() {
                self.session.ask_because(page, why)?;
                continue;
            }
            let mut asks = vec![(page, None)];
            for _ in 0..self.dice.below(3) {
                let target = match self.dice.below(4) {
                    0 => traffic::api(&mut self.dice),
                    _ => traffic::asset(&mut self.dice),
                };
                let file = Ask::get(person.clone(), &target);
                asks.push((
                    Ask {
                        referer: Some("https://shop.example/"),
                        ..file
                    },
                    None,
                ));
            }
            self.session.ask_in_turn(asks)?;
            self.session.pass(14)?;
        }
        Ok(())
    }
}

/// How much rarer than at noon people come, in tenths.
fn slowness(hour: i8) -> u64 {
    match hour {
        0 | 6 => 40,
        1..=5 => 90,
        7..=8 | 23 => 18,
        18..=21 => 7,
        _ => 10,
    }
}

/// Where the logs were cut by rotation: numbers of lines in each piece, oldest first.
struct Cuts {
    access: Vec<usize>,
    errors: Vec<usize>,
}

impl Cuts {
    /// Both logs are written in order, so a piece ends before the first line of the next day.
    fn of(shop: &Shop, proxy: &str, access: &[u8], errors: &[u8]) -> Result<Self> {
        let mut cuts = Self {
            access: Vec::new(),
            errors: Vec::new(),
        };
        let (mut access_from, mut errors_from) = (0, 0);
        for at in shop.rotated {
            let at = at.parse::<Timestamp>()?.in_tz(ZONE)?;
            anyhow::ensure!(proxy == "nginx", "rotation is cut by nginx's stamps");
            let day = at.strftime("[%d/%b/%Y:").to_string();
            let cut = first_line_with(access, day.as_bytes());
            cuts.access.push(cut - access_from);
            access_from = cut;
            let cut = first_line_with(errors, at.strftime("%Y/%m/%d ").to_string().as_bytes());
            cuts.errors.push(cut - errors_from);
            errors_from = cut;
        }
        cuts.access.push(lines(access).count() - access_from);
        cuts.errors.push(lines(errors).count() - errors_from);
        Ok(cuts)
    }

    /// Writes the pieces of one log: the newest plain, older ones compressed and numbered.
    fn write(&self, folder: &Path, name: &str, text: &[u8], pieces: &[usize]) -> Result<()> {
        let mut all = lines(text);
        for (number, count) in pieces.iter().enumerate() {
            let piece: Vec<u8> = all.by_ref().take(*count).flatten().copied().collect();
            let file = folder.join(piece_name(name, number, pieces.len()));
            if number + 1 == pieces.len() {
                std::fs::write(file, piece)?;
            } else {
                // No name and no time inside, so that the bytes depend on the log alone.
                let mut gzip =
                    GzBuilder::new().write(std::fs::File::create(file)?, Compression::best());
                gzip.write_all(&piece)?;
                gzip.finish()?;
            }
        }
        Ok(())
    }

    /// The truth with line numbers of the pieces.
    fn truth(&self, truth: Vec<Value>) -> String {
        let mut text = String::new();
        for mut one in truth {
            let line = one["access"]["line"].as_u64().unwrap_or(0);
            let (file, line) = locate("access.log", line, &self.access);
            one["access"]["file"] = file.into();
            one["access"]["line"] = line.into();
            let mut numbers = Vec::new();
            for line in one["error_lines"].as_array().cloned().unwrap_or_default() {
                let (file, line) = locate("error.log", line.as_u64().unwrap_or(0), &self.errors);
                numbers.push(Value::from(line));
                one["error_file"] = file.into();
            }
            one["error_lines"] = numbers.into();
            writeln!(text, "{one}").ok();
        }
        text
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

fn first_line_with(text: &[u8], part: &[u8]) -> usize {
    lines(text)
        .position(|line| line.windows(part.len()).any(|bytes| bytes == part))
        .unwrap_or_else(|| lines(text).count())
}

fn piece_name(name: &str, number: usize, pieces: usize) -> String {
    match pieces - 1 - number {
        0 => name.to_owned(),
        age => format!("{name}.{age}.gz"),
    }
}

/// The piece that holds a line of the whole, and its number there.
fn locate(name: &str, line: u64, pieces: &[usize]) -> (String, u64) {
    let mut left = line;
    for (number, count) in pieces.iter().enumerate() {
        if left <= *count as u64 || number + 1 == pieces.len() {
            return (piece_name(name, number, pieces.len()), left);
        }
        left -= *count as u64;
    }
    (name.to_owned(), left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_whole_log_is_found_in_its_piece() {
        let pieces = [3, 2];
        assert_eq!(
            locate("access.log", 3, &pieces),
            ("access.log.1.gz".to_owned(), 3)
        );
        assert_eq!(
            locate("access.log", 4, &pieces),
            ("access.log".to_owned(), 1)
        );
    }

    #[test]
    fn the_story_is_told_in_order() {
        for shop in SHOPS {
            let times: Vec<&str> = shop.events.iter().map(|(at, _)| *at).collect();
            assert!(times.is_sorted(), "{}", shop.name);
        }
    }
}
