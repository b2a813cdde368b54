//! Whose an address is: every method of an operator, by what the ranges and name servers say, against tables.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::IpAddr;

use intake::{
    Answers, Chunk, Expected, Filter, Formats, Intake, Lookup, NAMES_MAX, RangeList, Ranges,
    Secret, Settings, Take,
};
use model::Identity::{self, Spoofed, Unchecked, Unverifiable, Verified};
use model::{Edge, LogKind, SourceId};

/// A crawler of each kind: what its operator publishes, an agent, and names that its masks and suffixes let pass.
struct Method {
    id: &'static str,
    agent: &'static str,
    good: [&'static str; 2],
}

/// Nothing, ranges, names, both, and names that only others tell of.
const METHODS: [Method; 5] = [
    Method {
        id: "mj12bot",
        agent: "MJ12bot/v2.0.2",
        good: ["a.mj12bot.com", "b.mj12bot.com"],
    },
    Method {
        id: "gptbot",
        agent: "GPTBot/1.3",
        good: ["a.openai.com", "b.openai.com"],
    },
    Method {
        id: "yandexbot",
        agent: "YandexBot/3.0",
        good: ["a.spider.yandex.com", "b.yandex.ru"],
    },
    Method {
        id: "googlebot",
        agent: "Googlebot/2.1",
        good: ["crawl-1.googlebot.com", "geo-crawl-2.geo.googlebot.com"],
    },
    Method {
        id: "petalbot",
        agent: "PetalBot;+https://webmaster.petalsearch.com/site/petalbot",
        good: ["a.petalsearch.com", "b.petalsearch.com"],
    },
];

/// What ranges say.
#[derive(Clone, Copy, Debug)]
enum InRanges {
    /// No file was given.
    Absent,
    /// A file of another operator.
    OfOthers,
    Hit,
    Miss,
}

/// What name servers say, in short.
#[derive(Clone, Copy, Debug)]
enum Names {
    NotAsked,
    Confirm,
    Refute,
    /// They do not tell.
    Open,
}

/// What it comes to where no name server is asked, and where they confirm, refute, or leave it open.
type Row = (&'static str, InRanges, [Identity; 4]);

const TABLE: [Row; 20] = [
    (
        "mj12bot",
        InRanges::Absent,
        [Unchecked, Unverifiable, Unverifiable, Unverifiable],
    ),
    (
        "mj12bot",
        InRanges::OfOthers,
        [Unverifiable, Unverifiable, Unverifiable, Unverifiable],
    ),
    (
        "mj12bot",
        InRanges::Hit,
        [Unverifiable, Unverifiable, Unverifiable, Unverifiable],
    ),
    (
        "mj12bot",
        InRanges::Miss,
        [Unverifiable, Unverifiable, Unverifiable, Unverifiable],
    ),
    (
        "gptbot",
        InRanges::Absent,
        [Unchecked, Unchecked, Unchecked, Unchecked],
    ),
    (
        "gptbot",
        InRanges::OfOthers,
        [Unchecked, Unchecked, Unchecked, Unchecked],
    ),
    (
        "gptbot",
        InRanges::Hit,
        [Verified, Verified, Verified, Verified],
    ),
    (
        "gptbot",
        InRanges::Miss,
        [Spoofed, Spoofed, Spoofed, Spoofed],
    ),
    (
        "yandexbot",
        InRanges::Absent,
        [Unchecked, Verified, Spoofed, Unchecked],
    ),
    (
        "yandexbot",
        InRanges::OfOthers,
        [Unchecked, Verified, Spoofed, Unchecked],
    ),
    (
        "yandexbot",
        InRanges::Hit,
        [Verified, Verified, Verified, Verified],
    ),
    (
        "yandexbot",
        InRanges::Miss,
        [Spoofed, Verified, Spoofed, Unchecked],
    ),
    (
        "googlebot",
        InRanges::Absent,
        [Unchecked, Verified, Spoofed, Unchecked],
    ),
    (
        "googlebot",
        InRanges::OfOthers,
        [Unchecked, Verified, Spoofed, Unchecked],
    ),
    (
        "googlebot",
        InRanges::Hit,
        [Verified, Verified, Verified, Verified],
    ),
    (
        "googlebot",
        InRanges::Miss,
        [Spoofed, Verified, Spoofed, Unchecked],
    ),
    (
        "petalbot",
        InRanges::Absent,
        [Unchecked, Verified, Unchecked, Unchecked],
    ),
    (
        "petalbot",
        InRanges::OfOthers,
        [Unchecked, Verified, Unchecked, Unchecked],
    ),
    (
        "petalbot",
        InRanges::Hit,
        [Verified, Verified, Verified, Verified],
    ),
    (
        "petalbot",
        InRanges::Miss,
        [Spoofed, Verified, Spoofed, Unchecked],
    ),
];

/// Where a name leads.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leads {
    Back,
    /// To the address among others.
    BackToo,
    Elsewhere,
    Nowhere,
    NoAnswer,
}
use Leads::{Back, BackToo, Elsewhere, NoAnswer, Nowhere};

/// What name servers say in full: the names of an address, each with where it leads, or why there is none.
#[derive(Debug)]
struct Dns {
    names: Result<Vec<(String, Leads)>, Leads>,
    comes_to: Names,
}

/// Names that look like an operator's and are none's.
const TRAPS: [&str; 12] = [
    "xgooglebot.com",
    "crawl-1.googlebot.com.evil.example",
    "crawl-1.googlebot.com.",
    "spider.yandex.com.evil.example",
    "notyandex.ru",
    "googlebot.com",
    "yandex.com",
    "petalsearch.com",
    "crawl-1\\.googlebot.com",
    "rate-limited-proxy-1.google.com",
    "1.2.3.4.bc.googleusercontent.com",
    "",
];

fn cases(method: &Method) -> Vec<Dns> {
    let [good, other] = method.good;
    let found = |names: &[(&str, Leads)], comes_to| Dns {
        names: Ok(names
            .iter()
            .map(|(name, leads)| ((*name).to_owned(), *leads))
            .collect()),
        comes_to,
    };
    let capitals = format!("{}.", good.to_uppercase());
    let (label, rest) = good.split_once('.').unwrap();
    let many = (0..=NAMES_MAX)
        .map(|n| (format!("{label}{n}.{rest}"), Elsewhere))
        .collect();
    let mut all = vec![
        Dns {
            names: Err(Nowhere),
            comes_to: Names::Refute,
        },
        Dns {
            names: Err(NoAnswer),
            comes_to: Names::Open,
        },
        Dns {
            names: Ok(many),
            comes_to: Names::Open,
        },
        found(&[], Names::Refute),
        found(&[(good, Back)], Names::Confirm),
        found(&[(good, BackToo)], Names::Confirm),
        found(&[(other, Back)], Names::Confirm),
        found(&[(&capitals, Back)], Names::Confirm),
        found(&[(good, Elsewhere)], Names::Refute),
        found(&[(good, Nowhere)], Names::Refute),
        found(&[(good, NoAnswer)], Names::Open),
        found(&[(good, Elsewhere), (other, Back)], Names::Confirm),
        found(&[(good, Back), (other, Elsewhere)], Names::Confirm),
        found(&[(good, NoAnswer), (other, Back)], Names::Confirm),
        found(&[(good, NoAnswer), (other, Elsewhere)], Names::Open),
        found(&[(good, Elsewhere), (other, NoAnswer)], Names::Open),
        found(&[(good, Elsewhere), (other, Nowhere)], Names::Refute),
        found(
            &[("mail.evil.example", Back), (good, Elsewhere)],
            Names::Refute,
        ),
        found(&[("mail.evil.example", Back), (good, Back)], Names::Confirm),
        found(
            &[("mail.evil.example", Back), (good, NoAnswer)],
            Names::Open,
        ),
    ];
    let of_google = |name: &&&str| method.id != "googlebot" || **name != "crawl-1.googlebot.com.";
    all.extend(
        TRAPS
            .iter()
            .filter(of_google)
            .map(|name| found(&[(name, Back)], Names::Refute)),
    );
    all
}

/// The address of the n-th case, in each family.
fn addresses(n: usize) -> [String; 3] {
    assert!(n < 100);
    [
        format!("198.51.100.{n}"),
        format!("2001:db8:7::{n}"),
        format!("::ffff:198.51.100.{}", n + 100),
    ]
}

fn ranges(method: &Method, given: InRanges) -> Ranges {
    let mut ranges = Ranges::default();
    let id = |name| knowledge::crawler_named(name).unwrap();
    let hit = r#"{"prefixes":[{"ipv4Prefix":"198.51.100.0/24"},{"ipv6Prefix":"2001:db8:7::/48"}]}"#;
    let miss = r#"{"prefixes":[{"ipv4Prefix":"192.0.2.0/24"},{"ipv6Prefix":"2001:db8:1::/48"}]}"#;
    let (crawler, text) = match given {
        InRanges::Absent => return ranges,
        InRanges::OfOthers => ("applebot", miss),
        InRanges::Hit => (method.id, hit),
        InRanges::Miss => (method.id, miss),
    };
    let list = RangeList::read(text, Expected::default());
    assert_eq!(list.problems, []);
    ranges.add(&[id(crawler)], &list, None);
    ranges
}

fn chunk(line: &str) -> Chunk<'_> {
    Chunk {
        source: SourceId(0),
        first_line: 1,
        edge: Edge::Nginx,
        kind: LogKind::Access,
        take: Take::All,
        names_edge: false,
        bytes: line.as_bytes(),
    }
}

fn line(address: &str, agent: &str) -> String {
    format!(
        "{address} - - [22/Nov/2026:07:25:33 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"{agent}\"\n"
    )
}

fn intake(method: &Method, given: InRanges, settings: Settings) -> Intake {
    let formats = Formats::new(Vec::new());
    Intake::new(
        settings,
        Secret::new([7; 16]),
        ranges(method, given),
        formats,
    )
}

/// The identity of each line's claim, and whether it is a fetch.
fn identities(intake: &Intake, log: &str) -> Vec<(Identity, bool)> {
    let mut found = Vec::new();
    intake.scan(chunk(log), &Filter::default(), &mut |request| {
        let fetch = request.fetch.map(|fetch| fetch.claim);
        let claim = fetch.or(request.posing).unwrap();
        found.push((claim.identity, fetch.is_some()));
    });
    found
}

/// Asks as the adapter does; `says` answers.
fn answers<'a>(intake: &Intake, log: &str, says: impl Fn(IpAddr) -> &'a Dns) -> Answers {
    let suspects = intake.suspects(chunk(log));
    let heard = suspects.iter().map(|suspect| {
        let address = suspect.address();
        let dns = says(address);
        let elsewhere: IpAddr = match address {
            IpAddr::V4(_) => "192.0.2.99".parse().unwrap(),
            IpAddr::V6(_) => "2001:db8::99".parse().unwrap(),
        };
        let names = match &dns.names {
            Ok(names) => Lookup::Found(names.iter().map(|(name, _)| name.clone()).collect()),
            Err(NoAnswer) => Lookup::NoAnswer,
            Err(_) => Lookup::Nothing,
        };
        let mut inquiry = suspect.named(names);
        while let Some(name) = inquiry.next().map(str::to_owned) {
            let plain = |text: &str| text.trim_end_matches('.').to_lowercase();
            let known = dns.names.as_ref().unwrap();
            let leads = known.iter().find(|(one, _)| plain(one) == name).unwrap().1;
            inquiry.hear(
                name,
                match leads {
                    Back => Lookup::Found(vec![address]),
                    BackToo => Lookup::Found(vec![elsewhere, address]),
                    Elsewhere => Lookup::Found(vec![elsewhere]),
                    Nowhere => Lookup::Nothing,
                    NoAnswer => Lookup::NoAnswer,
                },
            );
        }
        inquiry
    });
    Answers::new(&suspects, heard)
}

#[test]
fn every_method_under_every_answer() {
    let mut combinations = 0;
    for (id, given, expected) in TABLE {
        let method = METHODS.iter().find(|method| method.id == id).unwrap();
        let cases = cases(method);
        let lines: Vec<(IpAddr, &Dns, String)> = cases
            .iter()
            .enumerate()
            .flat_map(|(n, dns)| addresses(n).map(|address| (address, dns)))
            .map(|(text, dns)| {
                let address: IpAddr = text.parse().unwrap();
                (address.to_canonical(), dns, line(&text, method.agent))
            })
            .collect();
        let log: String = lines.iter().map(|(.., line)| line.as_str()).collect();
        let says = |address| lines.iter().find(|(one, ..)| *one == address).unwrap().1;
        for verified_only in [false, true] {
            let settings = Settings {
                verified_only,
                ..Settings::default()
            };
            let outcome = |identity| match verified_only {
                true => (identity, identity == Verified),
                false => (identity, identity != Spoofed),
            };
            let intake = intake(method, given, settings);
            let not_asked = outcome(expected[Names::NotAsked as usize]);
            assert_eq!(
                identities(&intake, &log),
                vec![not_asked; lines.len()],
                "{id} {given:?}"
            );
            let answers = answers(&intake, &log, says);
            let found = identities(&intake.with_answers(answers), &log);
            assert_eq!(found.len(), lines.len());
            for ((address, dns, _), found) in lines.iter().zip(found) {
                let expected = outcome(expected[dns.comes_to as usize]);
                assert_eq!(found, expected, "{id} {given:?} {address} {dns:?}");
                combinations += 1;
            }
        }
    }
    assert!(combinations > 3_000, "{combinations}");
}

/// An address that says nothing of its sender is neither asked about nor spoofed.
#[test]
fn addresses_that_belong_to_nobody() {
    let method = &METHODS[3];
    for address in [
        "10.0.0.1",
        "127.0.0.1",
        "100.64.0.1",
        "169.254.0.1",
        "::1",
        "fd00::1",
        "fe80::1",
        "-",
        "unknown",
    ] {
        for given in [
            InRanges::Absent,
            InRanges::OfOthers,
            InRanges::Hit,
            InRanges::Miss,
        ] {
            let intake = intake(method, given, Settings::default());
            let line = line(address, method.agent);
            let suspects = intake.suspects(chunk(&line));
            assert!(suspects.is_empty(), "{address}");
            let intake = intake.with_answers(Answers::new(&suspects, []));
            assert_eq!(identities(&intake, &line), [(Unchecked, true)], "{address}");
        }
    }
}

/// Nobody is asked about what the user did not choose, nor about a claim that ranges confirm.
#[test]
fn only_open_claims_of_chosen_requests_are_asked_about() {
    let method = &METHODS[3];
    let line = line("198.51.100.7", method.agent);
    let asked = |given, settings| {
        !intake(method, given, settings)
            .suspects(chunk(&line))
            .is_empty()
    };
    let at = |text: &str| model::Stamp::from_secs(text.parse().unwrap());
    assert!(asked(InRanges::Absent, Settings::default()));
    assert!(asked(InRanges::Miss, Settings::default()));
    assert!(!asked(InRanges::Hit, Settings::default()));
    let bingbot = knowledge::crawler_named("bingbot").unwrap();
    assert!(!asked(
        InRanges::Absent,
        Settings {
            crawlers: vec![bingbot],
            ..Settings::default()
        }
    ));
    assert!(!asked(
        InRanges::Absent,
        Settings {
            sites: vec!["shop.example".to_owned()],
            ..Settings::default()
        }
    ));
    // 2026-11-22T07:25:33Z
    assert!(!asked(
        InRanges::Absent,
        Settings {
            since: Some(at("1795332334")),
            ..Settings::default()
        }
    ));
    assert!(asked(
        InRanges::Absent,
        Settings {
            since: Some(at("1795332333")),
            ..Settings::default()
        }
    ));
    assert!(!asked(
        InRanges::Absent,
        Settings {
            until: Some(at("1795332333")),
            ..Settings::default()
        }
    ));
}
