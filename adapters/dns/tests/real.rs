//! Against a real authoritative server: good and forged names, missing ones, broken zones, loops, both families.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod claim;
mod knot;
mod responder;

use claim::{identities, line, settings};
use knot::Knot;
use model::Identity::{self, Spoofed, Unchecked, Verified};
use responder::{A, AAAA, PTR, Responder};

const REVERSE_V4: &str = "\
1  PTR crawl-192-0-2-1.googlebot.com.
2  PTR crawl-192-0-2-2.googlebot.com.
3  PTR crawl-1.googlebot.com.evil.example.
4  PTR xgooglebot.com.
6  PTR mail.evil.example.
6  PTR crawl-192-0-2-6.googlebot.com.
6  PTR crawl-0.googlebot.com.
7  PTR crawl-192-0-2-7.googlebot.com.
8  PTR crawl-192-0-2-8.googlebot.com.
9  PTR crawl-192-0-2-9.googlebot.com.
10 CNAME 10.0-31
10.0-31 PTR crawl-192-0-2-10.googlebot.com.
11 PTR crawl-192-0-2-11.googlebot.com.
12 PTR x.broken.search.msn.com.
13 PTR CRAWL-192-0-2-13.GoogleBot.com.
14 PTR www.googlebot.com.
17 PTR .
18 CNAME 19
19 CNAME 18
20 PTR x.broken.search.msn.com.
20 PTR msnbot-192-0-2-20.search.msn.com.
21 PTR rate-limited-proxy-192-0-2-21.google.com.
22 PTR crawl-1\\.googlebot.com.
";

const GOOGLEBOT: &str = "\
crawl-192-0-2-1 A 192.0.2.1
crawl-192-0-2-2 A 192.0.2.99
crawl-0 A 192.0.2.98
crawl-192-0-2-6 A 192.0.2.97
crawl-192-0-2-6 A 192.0.2.6
crawl-192-0-2-7 CNAME crawl-loop
crawl-loop CNAME crawl-192-0-2-7
crawl-192-0-2-9 AAAA 2001:db8::99
crawl-192-0-2-10 A 192.0.2.10
crawl-192-0-2-11 CNAME crawl-alias
crawl-alias A 192.0.2.11
crawl-192-0-2-13 A 192.0.2.13
www A 192.0.2.14
crawl-v6-1 AAAA 2001:db8::1
crawl-v6-2 AAAA 2001:db8::99
crawl-v6-3 A 192.0.2.3
crawl-many-7 A 192.0.2.15
crawl-last A 192.0.2.16
";

fn zones() -> Vec<(String, Option<String>)> {
    let mut reverse = REVERSE_V4.to_owned();
    // More than a datagram holds.
    for n in 0..70 {
        reverse.push_str(&format!("15 PTR crawl-many-{n}.googlebot.com.\n"));
        reverse.push_str(&format!("16 PTR host-{n}-of-many.evil.example.\n"));
    }
    reverse.push_str("16 PTR crawl-last.googlebot.com.\n");
    let v6 = |n: u8, name: &str| format!("{n}.{}0 PTR {name}.googlebot.com.\n", "0.".repeat(22));
    let reverse_v6 = v6(1, "crawl-v6-1") + &v6(2, "crawl-v6-2") + &v6(3, "crawl-v6-3");
    [
        ("2.0.192.in-addr.arpa", Some(reverse.as_str())),
        ("100.51.198.in-addr.arpa", None),
        ("8.b.d.0.1.0.0.2.ip6.arpa", Some(&reverse_v6)),
        ("googlebot.com", Some(GOOGLEBOT)),
        ("xgooglebot.com", Some("@ A 192.0.2.4\n")),
        (
            "evil.example",
            Some("crawl-1.googlebot.com A 192.0.2.3\n* A 192.0.2.16\n"),
        ),
        (
            "google.com",
            Some("rate-limited-proxy-192-0-2-21 A 192.0.2.21\n"),
        ),
        ("search.msn.com", Some("msnbot-192-0-2-20 A 192.0.2.20\n")),
        ("broken.search.msn.com", None),
    ]
    .map(|(name, records)| (name.to_owned(), records.map(str::to_owned)))
    .to_vec()
}

fn server() -> Knot {
    let zones = zones();
    let zones: Vec<(&str, Option<&str>)> = zones
        .iter()
        .map(|(name, records)| (name.as_str(), records.as_deref()))
        .collect();
    Knot::start(&zones)
}

/// Address, agent, what it must come to, and why.
const TABLE: [(&str, &str, Identity, &str); 32] = [
    ("192.0.2.1", "Googlebot/2.1", Verified, "good"),
    (
        "192.0.2.1",
        "bingbot/2.0",
        Spoofed,
        "another operator's good address",
    ),
    (
        "192.0.2.1",
        "AdsBot-Google",
        Spoofed,
        "another class of the operator",
    ),
    (
        "192.0.2.2",
        "Googlebot/2.1",
        Spoofed,
        "the name leads elsewhere",
    ),
    (
        "192.0.2.3",
        "Googlebot/2.1",
        Spoofed,
        "the suffix stands in the middle",
    ),
    ("192.0.2.4", "Googlebot/2.1", Spoofed, "no label boundary"),
    ("192.0.2.5", "Googlebot/2.1", Spoofed, "no name"),
    (
        "192.0.2.6",
        "Googlebot/2.1",
        Verified,
        "one of several names",
    ),
    (
        "192.0.2.7",
        "Googlebot/2.1",
        Unchecked,
        "an alias that loops",
    ),
    (
        "192.0.2.8",
        "Googlebot/2.1",
        Spoofed,
        "the name does not exist",
    ),
    (
        "192.0.2.9",
        "Googlebot/2.1",
        Spoofed,
        "the name has no address of the family",
    ),
    (
        "192.0.2.10",
        "Googlebot/2.1",
        Verified,
        "a reverse zone of a small net",
    ),
    (
        "192.0.2.11",
        "Googlebot/2.1",
        Verified,
        "an alias on the way back",
    ),
    ("192.0.2.12", "bingbot/2.0", Unchecked, "the way back fails"),
    (
        "192.0.2.12",
        "Googlebot/2.1",
        Spoofed,
        "and is another operator's",
    ),
    ("192.0.2.13", "Googlebot/2.1", Verified, "in capitals"),
    (
        "192.0.2.14",
        "Googlebot/2.1",
        Spoofed,
        "the suffix, but not the mask",
    ),
    (
        "192.0.2.15",
        "Googlebot/2.1",
        Unchecked,
        "more names than are followed",
    ),
    (
        "192.0.2.16",
        "Googlebot/2.1",
        Verified,
        "behind many names of others",
    ),
    ("192.0.2.17", "Googlebot/2.1", Spoofed, "the root"),
    (
        "192.0.2.18",
        "Googlebot/2.1",
        Unchecked,
        "the reverse name loops",
    ),
    (
        "192.0.2.20",
        "bingbot/2.0",
        Verified,
        "one name fails, another is right",
    ),
    (
        "192.0.2.21",
        "Googlebot/2.1",
        Spoofed,
        "a machine of Google's that is no Googlebot",
    ),
    ("192.0.2.21", "AdsBot-Google", Verified, "its class"),
    (
        "192.0.2.22",
        "Googlebot/2.1",
        Spoofed,
        "a dot within a label",
    ),
    (
        "198.51.100.1",
        "Googlebot/2.1",
        Unchecked,
        "the reverse zone fails",
    ),
    ("203.0.113.1", "Googlebot/2.1", Unchecked, "refused"),
    ("2001:db8::1", "Googlebot/2.1", Verified, "good"),
    (
        "2001:db8::2",
        "Googlebot/2.1",
        Spoofed,
        "the name leads elsewhere",
    ),
    (
        "2001:db8::3",
        "Googlebot/2.1",
        Spoofed,
        "the name has no address of the family",
    ),
    (
        "::ffff:192.0.2.1",
        "Googlebot/2.1",
        Verified,
        "the same address",
    ),
    ("10.0.0.1", "Googlebot/2.1", Unchecked, "not asked"),
];

#[test]
fn names_confirm_and_refute() {
    let server = server();
    let log: String = TABLE
        .iter()
        .map(|(address, agent, ..)| line(address, agent))
        .collect();
    let (found, questions) = identities(&log, &settings(&[server.address]));
    for ((address, agent, expected, why), found) in TABLE.iter().zip(&found) {
        assert_eq!(found, expected, "{address} {agent}: {why}");
    }
    assert_eq!(found.len(), TABLE.len());
    let reverse: std::collections::BTreeSet<&str> = TABLE
        .iter()
        .map(|(address, ..)| address.trim_start_matches("::ffff:"))
        .filter(|address| *address != "10.0.0.1")
        .collect();
    assert_eq!(questions.reverse, reverse.len() as u64);
}

/// However many crawlers an address claims, and however often.
#[test]
fn each_question_is_asked_once() {
    let server = server();
    let relay = Responder::before(server.address);
    let agents = [
        "Googlebot/2.1",
        "bingbot/2.0",
        "AdsBot-Google",
        "YandexBot/3.0",
        "Applebot/0.1",
    ];
    let addresses = [
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.5",
        "192.0.2.7",
        "2001:db8::1",
        "198.51.100.1",
        "203.0.113.1",
    ];
    let mut log = String::new();
    for _ in 0..20 {
        for (address, agent) in addresses
            .iter()
            .flat_map(|at| agents.map(|agent| (at, agent)))
        {
            log.push_str(&line(address, agent));
        }
        // Neither a person nor a crawler without names nor an address of the site's own.
        log.push_str(&line("192.0.2.1", "Mozilla/5.0 Firefox/145.0"));
    }
    let log = log.replace(&line("192.0.2.1", "Mozilla/5.0 Firefox/145.0"), "");
    let (found, questions) = identities(&log, &settings(&[relay.address]));
    assert_eq!(found.iter().filter(|one| **one == Verified).count(), 40);
    assert_eq!(questions.reverse, addresses.len() as u64);
    let asked = relay.asked();
    assert!(asked.values().all(|n| *n == 1), "{asked:?}");
    assert_eq!(relay.count(PTR).0, addresses.len() as u64);
    assert_eq!((relay.count(A).0, relay.count(AAAA).0), (3, 1), "{asked:?}");
}

/// People, crawlers without a reverse name and addresses that belong to nobody are no question.
#[test]
fn nobody_else_is_asked_about() {
    let log = line(
        "192.0.2.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    ) + &line("192.0.2.1", "GPTBot/1.3")
        + &line("10.0.0.1", "Googlebot/2.1")
        + &line("127.0.0.1", "Googlebot/2.1")
        + &line("100.64.0.1", "Googlebot/2.1")
        + &line("::1", "Googlebot/2.1")
        + &line("fe80::1", "Googlebot/2.1")
        + &line("-", "Googlebot/2.1");
    assert!(claim::suspects(&log).is_empty());
}
