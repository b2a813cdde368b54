//! One published list of addresses, in whatever layout its operator chose: text to blocks, with what is wrong in it.

use std::net::IpAddr;

use ipnet::IpNet;
use model::Stamp;

use super::block::{Block, Blocks, Refusal, Trust};
use super::{json, page, text};

/// Problems of one list that are named one by one; the rest are counted. A wrong file of a million lines is one mistake.
pub(super) const PROBLEMS_NAMED_MAX: usize = 20;

/// How a list of addresses is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeLayout {
    /// JSON with a list `prefixes`, as Google and most who came later publish it, and AWS with one more for IPv6.
    Prefixes,
    /// Plain text, an address or a prefix a line; also the `route:` lines of a route registry.
    Lines,
    /// Geofeed (RFC 8805): lines of comma-separated values, the prefix first.
    Geofeed,
    /// JSON of its own: every string that is an address counts.
    Json,
    /// A page for people with addresses printed on it.
    Page,
}

impl RangeLayout {
    /// The layout that facts name so.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "google-prefixes" => Some(Self::Prefixes),
            "text-cidr" | "text-ip" => Some(Self::Lines),
            "csv-geofeed" => Some(Self::Geofeed),
            "json-other" => Some(Self::Json),
            "html-page" => Some(Self::Page),
            _ => None,
        }
    }

    /// The layout of a text by its content.
    fn of(text: &str) -> Self {
        match text.as_bytes().first() {
            Some(b'{' | b'[') => Self::Json,
            _ if page::is_page(text) => Self::Page,
            _ if text::is_geofeed(text) => Self::Geofeed,
            _ => Self::Lines,
        }
    }
}

/// What is known of a list before it is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'a> {
    /// The layout that facts name. Content of another layout is read all the same, as the facts may be behind, but what
    /// is not in it then proves nothing; a page in place of a list is refused.
    pub layout: Option<RangeLayout>,
    /// The service whose entries count, in a list of a whole cloud.
    pub service: Option<&'a str>,
}

/// Where in a list something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RangePlace {
    /// The list as a whole.
    Whole,
    /// Index in a list of that name, from 0.
    Entry(&'static str, usize),
    /// Line, from 1.
    Line(usize),
    /// Which of all strings in a JSON file, from 1.
    Value(usize),
}

/// What is wrong with a list, or worth a word: a place and a reason, never a piece of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeProblem {
    /// Where.
    pub place: RangePlace,
    /// What.
    pub reason: &'static str,
    /// How often, where the places are not named one by one.
    pub count: usize,
    /// Whether something was left out for it; else it is only told.
    pub is_loss: bool,
}

impl RangeProblem {
    pub(super) const fn whole(reason: &'static str) -> Self {
        Self {
            place: RangePlace::Whole,
            reason,
            count: 1,
            is_loss: true,
        }
    }
}

impl std::fmt::Display for RangeProblem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place {
            RangePlace::Whole => {}
            RangePlace::Entry(list, index) => write!(out, "{list}[{index}]: ")?,
            RangePlace::Line(line) => write!(out, "line {line}: ")?,
            RangePlace::Value(number) => write!(out, "value {number}: ")?,
        }
        out.write_str(self.reason)?;
        match (self.place, self.count) {
            (RangePlace::Whole, count) if count > 1 => write!(out, " ({count} times)"),
            _ => Ok(()),
        }
    }
}

/// A list that was read.
#[derive(Clone, Debug)]
pub struct RangeList {
    /// How it is written.
    pub layout: RangeLayout,
    /// When its operator says that it was made.
    pub created: Option<Stamp>,
    /// Whether an address outside it is known not to be the operator's. A page may show examples and leave out, and a
    /// layout that we did not expect may hold more than we understand.
    pub is_whole: bool,
    /// What is wrong with it, in the order of places.
    pub problems: Vec<RangeProblem>,
    pub(super) blocks: Blocks,
    v4_entries: usize,
    v6_entries: usize,
}

impl RangeList {
    /// Reads a list. What cannot be used is named and left out, the rest is used.
    pub fn read(text: &str, expected: Expected<'_>) -> Self {
        let text = text.trim_start_matches(|char: char| char.is_whitespace() || is_invisible(char));
        let found = RangeLayout::of(text);
        let mut reading = Reading::new(match (found, expected.layout) {
            // Geofeed of one column is a list of lines, and the other way round.
            (RangeLayout::Lines, Some(RangeLayout::Geofeed)) => RangeLayout::Geofeed,
            (found, _) => found,
        });
        match reading.list.layout {
            RangeLayout::Page if expected.layout.is_some_and(|it| it != RangeLayout::Page) => {
                reading.whole("a page instead of the list that should be there");
            }
            RangeLayout::Page => page::read(text, &mut reading),
            RangeLayout::Geofeed => text::read_geofeed(text, &mut reading),
            RangeLayout::Lines => text::read_lines(text, &mut reading),
            RangeLayout::Json | RangeLayout::Prefixes => {
                json::read(text, expected.service, &mut reading);
            }
        }
        reading.finish(expected.layout)
    }

    /// Whether nothing in it can be used.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Entries that can be used: of IPv4, of IPv6.
    pub const fn entries(&self) -> (usize, usize) {
        (self.v4_entries, self.v6_entries)
    }

    /// Whether both cover the same addresses, however they are cut into entries.
    pub fn has_same_addresses(&self, other: &Self) -> bool {
        self.blocks == other.blocks
    }

    /// Addresses it covers: of IPv4, and /64 networks of IPv6, a begun one as one.
    pub fn space(&self) -> (u128, u128) {
        self.blocks.space()
    }
}

/// A list while it is read.
pub(super) struct Reading {
    pub(super) list: RangeList,
    problems_unnamed: usize,
}

impl Reading {
    fn new(layout: RangeLayout) -> Self {
        Self {
            list: RangeList {
                layout,
                created: None,
                is_whole: false,
                problems: Vec::new(),
                blocks: Blocks::default(),
                v4_entries: 0,
                v6_entries: 0,
            },
            problems_unnamed: 0,
        }
    }

    /// An entry: an address, a prefix or two addresses with a dash. Tells whether it was one, usable or not.
    pub(super) fn entry(&mut self, place: RangePlace, text: &str, trust: Trust) -> bool {
        let text: String = text.chars().filter(|char| !is_invisible(*char)).collect();
        match Block::read(text.trim(), trust) {
            Ok(block) => {
                if block.has_host_bits {
                    self.told(
                        place,
                        "bits behind the prefix are set; its whole block counts",
                    );
                }
                if block.is_v4 {
                    self.list.v4_entries += 1;
                } else {
                    self.list.v6_entries += 1;
                }
                self.list.blocks.push(block);
                true
            }
            Err(Refusal::NoAddress) => false,
            Err(refusal) => {
                self.loss(place, refusal.reason());
                true
            }
        }
    }

    /// Something that had to be an entry and is none.
    pub(super) fn loss(&mut self, place: RangePlace, reason: &'static str) {
        self.problem(RangeProblem {
            place,
            reason,
            count: 1,
            is_loss: true,
        });
    }

    pub(super) fn whole(&mut self, reason: &'static str) {
        self.list.problems.push(RangeProblem::whole(reason));
    }

    fn told(&mut self, place: RangePlace, reason: &'static str) {
        self.problem(RangeProblem {
            place,
            reason,
            count: 1,
            is_loss: false,
        });
    }

    fn problem(&mut self, problem: RangeProblem) {
        if self.list.problems.len() < PROBLEMS_NAMED_MAX {
            self.list.problems.push(problem);
        } else {
            self.problems_unnamed += 1;
        }
    }

    fn finish(mut self, expected: Option<RangeLayout>) -> RangeList {
        if self.problems_unnamed > 0 {
            self.list.problems.push(RangeProblem {
                count: self.problems_unnamed,
                ..RangeProblem::whole("more entries like these")
            });
        }
        let doubles = self.list.blocks.settle();
        if doubles > 0 {
            self.list.problems.push(RangeProblem {
                count: doubles,
                is_loss: false,
                ..RangeProblem::whole("an entry meets another one; what they share counts once")
            });
        }
        if self.list.is_empty() && !self.list.problems.iter().any(is_about_the_whole) {
            self.whole("no usable address in it");
        }
        self.list.is_whole = match self.list.layout {
            RangeLayout::Prefixes | RangeLayout::Lines | RangeLayout::Geofeed => true,
            RangeLayout::Json => expected == Some(RangeLayout::Json),
            RangeLayout::Page => false,
        };
        self.list
    }
}

fn is_about_the_whole(problem: &RangeProblem) -> bool {
    problem.place == RangePlace::Whole && problem.count == 1 && problem.is_loss
}

/// Characters that take no room and came with a paste: Bing's file has carried U+200B inside prefixes since 2022.
fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
    )
}

/// An address or a prefix, without further questions.
pub(super) fn is_address(text: &str) -> bool {
    let text: String = text.chars().filter(|char| !is_invisible(*char)).collect();
    let text = text.trim();
    text.parse::<IpNet>().is_ok() || text.parse::<IpAddr>().is_ok()
}
