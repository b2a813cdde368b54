#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

const GOOGLE: &str = r#"{"creationTime":"2026-11-01T08:00:00.000000","prefixes":[
    {"ipv4Prefix":"66.249.64.0/27"},{"ipv6Prefix":"2001:4860:4801:10::/64"}]}"#;

fn id(name: &str) -> CrawlerId {
    knowledge::crawler_named(name).unwrap()
}

fn read(text: &str) -> RangeList {
    RangeList::read(text, Expected::default())
}

fn expecting(text: &str, layout: RangeLayout) -> RangeList {
    let layout = Some(layout);
    RangeList::read(
        text,
        Expected {
            layout,
            service: None,
        },
    )
}

fn said(list: &RangeList) -> Vec<String> {
    list.problems.iter().map(ToString::to_string).collect()
}

/// Whether the list holds an address.
fn holds(list: &RangeList, address: &str) -> bool {
    list.blocks.contains(address.parse().unwrap())
}

#[test]
fn every_layout_is_known_by_its_content() {
    let page = "<!DOCTYPE html><html><head><title>Robot 1.2.3.4</title><script>var a = \"8.8.8.8\";</script>\
        <style>.a{b:9.9.9.9}</style></head><body><!-- 7.7.7.7 --><p data-ip=\"6.6.6.6\">We come from <b>77.75.76.0/24</b>, \
        77.75.77.1 and 2a02:598:a::78:160/123. Also 77.75.78.0 – 77.75.78.255.</p></body></html>";
    for (text, layout, entries, inside, outside) in [
        (
            GOOGLE,
            RangeLayout::Prefixes,
            (1, 1),
            "66.249.64.5",
            "66.249.64.32",
        ),
        (
            r#"{"prefixes":[{"ipv4Prefix":"66.249.64.0/27","ipv6Prefix":"2001:4860::/48","since":"2025"}]}"#,
            RangeLayout::Prefixes,
            (1, 1),
            "2001:4860:0:9::1",
            "2001:4861::1",
        ),
        (
            r#"{"syncToken":"1795196590","createDate":"2026-11-20-17-43-10","prefixes":[{"ip_prefix":"44.2.3.4/32"}],
              "ipv6_prefixes":[{"ipv6_prefix":"2600:1f00::/40"}]}"#,
            RangeLayout::Prefixes,
            (1, 1),
            "44.2.3.4",
            "44.2.3.5",
        ),
        (
            r#"{"prefixes":["44.2.3.4","44.2.3.8/30"]}"#,
            RangeLayout::Prefixes,
            (2, 0),
            "44.2.3.9",
            "44.2.3.5",
        ),
        (
            "# probes\n178.255.152.2\n\n2a00:1098::/64 # London\r\n; old\n// older\n",
            RangeLayout::Lines,
            (1, 1),
            "178.255.152.2",
            "178.255.152.3",
        ),
        (
            "91.108.4.0 - 91.108.7.255\n91.108.8.1\tAmsterdam\n",
            RangeLayout::Lines,
            (2, 0),
            "91.108.6.1",
            "91.108.8.2",
        ),
        (
            "route:      31.13.24.0/21\ndescr:      Facebook\norigin:     AS32934\n\nroute6:     2a03:2880::/32\n",
            RangeLayout::Lines,
            (1, 1),
            "2a03:2880:f0::1",
            "31.13.32.0",
        ),
        (
            "# feed\n31.13.24.0/21,IE,IE-L,Dublin,\n2a03:2880::/36,US,,,\n",
            RangeLayout::Geofeed,
            (1, 1),
            "31.13.31.255",
            "31.13.32.0",
        ),
        (
            r#"[{"servercode":"GB1","title":"London 1.2","ip":"178.62.100.1","v":{"ipv6":"2a03:b0c0::9"}}]"#,
            RangeLayout::Json,
            (1, 1),
            "178.62.100.1",
            "178.62.100.2",
        ),
        (
            r#"{"version":"1.2.3.4","us":["5.161.75.7","2a01:4ff::/64"],"note":"call 5.5.5.5 now","n":3}"#,
            RangeLayout::Json,
            (1, 1),
            "2a01:4ff::7",
            "5.5.5.5",
        ),
        (page, RangeLayout::Page, (3, 1), "77.75.78.200", "1.2.3.4"),
    ] {
        let list = read(text);
        assert_eq!((list.layout, list.entries()), (layout, entries), "{text}");
        assert!(holds(&list, inside), "{inside} {text}");
        assert!(!holds(&list, outside), "{outside} {text}");
        assert_eq!(said(&list), [""; 0], "{text}");
    }
    for hidden in ["8.8.8.8", "9.9.9.9", "7.7.7.7", "6.6.6.6"] {
        assert!(!holds(&read(page), hidden), "{hidden}");
    }
}

#[test]
fn what_only_looks_like_an_address_is_none_on_a_page() {
    for text in [
        "Chrome/142.0.0.0",
        "Firefox/3.6.1.2",
        "version 1.2.3.4",
        "Release 10.2.3.4",
        "v1.2.3.4",
        "1.2.3.4-beta",
        "1.2.3.4.5",
        "1.2.3",
        "300.1.1.1",
        "010.1.1.1",
        "http://5.5.5.5/path",
        "a@5.5.5.5",
        "ip-5.5.5.5",
        "5.5.5.5_x",
        "12:30:45",
        "std::fe",
        "00:1b:44:11:3a:b7",
        "5.5.5.5:443",
    ] {
        let list = read(&format!(
            "<html><body>\n<p>see {text} there</p></body></html>"
        ));
        assert_eq!(list.entries(), (0, 0), "{text}: {:?}", said(&list));
    }
    for text in [
        "5.5.5.5.",
        "(5.5.5.5)",
        "5.5.5.5,",
        "\"5.5.5.5\"",
        "IP:&nbsp;5.5.5.5&nbsp;",
        "5.5.5.5/32",
    ] {
        let list = read(&format!(
            "<html><body>\n<p>see {text} there</p></body></html>"
        ));
        assert_eq!(list.entries(), (1, 0), "{text}");
    }
    let list =
        read("<html><body>\n<p>as 192.0.2.1, ::1, 10.0.0.1 or 2001:db8::1</p></body></html>");
    assert_eq!(
        said(&list),
        [
            "line 2: an address for documentation",
            "line 2: not a public address",
            "line 2: not a public address",
            "line 2: an address for documentation",
            "no usable address in it",
        ]
    );
}

#[test]
fn what_is_wrong_has_a_place_and_a_reason_and_the_rest_is_used() {
    let text = r#"{"prefixes":[{"ipv4Prefix":"rubbish"},{"x":1},{"ipv4Prefix":"0.0.0.0/0"},{"ipv4Prefix":"8.0.0.0/7"},
        {"ipv6Prefix":"2000::/15"},{"ipv6Prefix":"::/0"},{"ipv4Prefix":"10.0.0.0/8"},{"ipv6Prefix":"fd00::/20"},
        {"ipv4Prefix":7},{"ipv4Prefix":"172.0.0.0/8"},{"ipv4Prefix":"66.249.64.7/27"},{"ipv4Prefix":"66.249.64.0/28"},
        {"ipv4Prefix":"\u200b66.249.66.0/27\u200b","ipv6Prefix":"\ufeff2001:4860:4801:10::/64"}]}"#;
    let list = read(text);
    assert_eq!(list.entries(), (3, 1));
    assert!(holds(&list, "66.249.64.31") && holds(&list, "66.249.66.1"));
    assert_eq!(
        said(&list),
        [
            "prefixes[0]: not an address prefix",
            "prefixes[1]: neither ipv4Prefix nor ipv6Prefix",
            "prefixes[2]: wider than /8 (IPv6: /16), more than any crawler has",
            "prefixes[3]: wider than /8 (IPv6: /16), more than any crawler has",
            "prefixes[4]: wider than /8 (IPv6: /16), more than any crawler has",
            "prefixes[5]: wider than /8 (IPv6: /16), more than any crawler has",
            "prefixes[6]: not a public address",
            "prefixes[7]: not a public address",
            "prefixes[8]: not an address prefix",
            "prefixes[9]: not a public address",
            "prefixes[10]: bits behind the prefix are set; its whole block counts",
            "an entry meets another one; what they share counts once",
        ]
    );
    let losses = list.problems.iter().filter(|problem| problem.is_loss);
    assert_eq!(losses.count(), 10);
    let list = read("66.249.64.1\nrubbish\n0.0.0.0-9.0.0.0\n9.9.9.9-8.8.8.8\n1.1.1.1-2001::1\n");
    assert_eq!(
        said(&list),
        [
            "line 2: not an address prefix",
            "line 3: wider than /8 (IPv6: /16), more than any crawler has",
            "line 4: ends before it begins",
            "line 5: not an address prefix",
        ]
    );
    let many = "rubbish\n".repeat(1_000);
    let list = read(&many);
    assert_eq!(list.problems.len(), list::PROBLEMS_NAMED_MAX + 2);
    assert_eq!(
        said(&list)[20..],
        [
            "more entries like these (980 times)",
            "no usable address in it"
        ]
    );
}

#[test]
fn what_is_no_list_is_refused_with_its_reason() {
    for (text, expected, reason) in [
        ("", None, "no usable address in it"),
        (
            "\u{feff}{\"prefixes\": []}",
            None,
            "no usable address in it",
        ),
        ("{\"prefixes\": [{\"ipv4Pre", None, "not JSON, or cut off"),
        ("{\"error\": \"gone\"}", None, "no usable address in it"),
        (
            "<html>66.249.64.1</html>",
            Some(RangeLayout::Prefixes),
            "a page instead of the list that should be there",
        ),
        (
            "<!doctype html><p>x",
            Some(RangeLayout::Lines),
            "a page instead of the list that should be there",
        ),
    ] {
        let layout = expected;
        let list = RangeList::read(
            text,
            Expected {
                layout,
                service: None,
            },
        );
        assert!(list.is_empty());
        assert_eq!(said(&list), [reason], "{text}");
    }
}

#[test]
fn of_a_whole_cloud_only_the_service_that_facts_name() {
    let text = r#"{"syncToken":"1795196590","prefixes":[{"ip_prefix":"3.5.140.0/22","service":"AMAZON"},
        {"ip_prefix":"15.177.0.0/18","service":"ROUTE53_HEALTHCHECKS"}],
        "ipv6_prefixes":[{"ipv6_prefix":"2600:1f14::/36","service":"EC2"}]}"#;
    let of = |service| {
        let layout = Some(RangeLayout::Json);
        RangeList::read(text, Expected { layout, service })
    };
    let list = of(Some("ROUTE53_HEALTHCHECKS"));
    assert_eq!((list.entries(), list.is_whole), ((1, 0), true));
    assert_eq!(list.created.map(Stamp::secs), Some(1_795_196_590));
    assert!(holds(&list, "15.177.1.1") && !holds(&list, "3.5.140.1"));
    assert_eq!(
        said(&of(None)),
        ["the addresses of a whole cloud by service, and whose of them is not said"]
    );
    assert!(of(None).is_empty());
    assert_eq!(said(&of(Some("NOBODY"))), ["no entry of that service"]);
}

#[test]
fn a_hit_verifies_and_a_miss_proves_only_what_the_list_can() {
    let at = |days: i64| Some(read(GOOGLE).created.unwrap().plus_secs(days * 86_400));
    let walked = r#"{"ips":["66.249.64.1"]}"#;
    let v4_only = r#"{"prefixes":[{"ipv4Prefix":"66.249.64.0/27"}]}"#;
    let page = "<html><body>66.249.64.1</body></html>";
    let hit = "66.249.64.1";
    let miss = "185.1.2.3";
    let created = read(GOOGLE).created;
    for (list, fetched, address, at, answer) in [
        (read(GOOGLE), None, hit, at(0), RangeAnswer::Hit),
        (
            read(GOOGLE),
            None,
            "::ffff:66.249.64.1",
            at(0),
            RangeAnswer::Hit,
        ),
        (read(GOOGLE), None, hit, at(400), RangeAnswer::Hit),
        (read(GOOGLE), None, miss, at(0), RangeAnswer::Miss),
        (read(GOOGLE), None, miss, at(30), RangeAnswer::Miss),
        (read(GOOGLE), None, miss, at(31), RangeAnswer::MissOfStale),
        // A list of a later day than the request is no older for it.
        (read(GOOGLE), None, miss, at(-300), RangeAnswer::Miss),
        (
            read(GOOGLE),
            None,
            "2001:4860::1",
            at(31),
            RangeAnswer::MissOfStale,
        ),
        (read(GOOGLE), None, miss, None, RangeAnswer::Miss),
        // Served unchanged a hundred days later: current.
        (read(GOOGLE), at(100), miss, at(101), RangeAnswer::Miss),
        (
            read(GOOGLE),
            created,
            miss,
            at(31),
            RangeAnswer::MissOfStale,
        ),
        (
            read(GOOGLE),
            None,
            "10.0.0.1",
            at(0),
            RangeAnswer::NotPublic,
        ),
        (read(v4_only), None, miss, at(4_000), RangeAnswer::Miss),
        (
            read(v4_only),
            None,
            "2a00::1",
            at(0),
            RangeAnswer::FamilyNotCovered,
        ),
        (read(page), None, hit, at(0), RangeAnswer::Hit),
        (read(page), None, miss, at(0), RangeAnswer::MissOfPart),
        (
            expecting(page, RangeLayout::Page),
            None,
            miss,
            at(0),
            RangeAnswer::MissOfPart,
        ),
        (read(walked), None, miss, at(0), RangeAnswer::MissOfPart),
        (
            expecting(walked, RangeLayout::Prefixes),
            None,
            miss,
            at(0),
            RangeAnswer::MissOfPart,
        ),
        (
            expecting(walked, RangeLayout::Json),
            None,
            miss,
            at(0),
            RangeAnswer::Miss,
        ),
    ] {
        let mut ranges = Ranges::default();
        ranges.add(&[id("googlebot")], &list, fetched);
        let found = ranges.answer(id("googlebot"), address.parse().unwrap(), at);
        assert_eq!(found, answer, "{list:?} {fetched:?} {address} {at:?}");
        let parsed = address.parse().ok();
        assert_eq!(
            ranges.identity(id("googlebot"), parsed, at),
            answer.identity()
        );
        let other = ranges.answer(id("bingbot"), address.parse().unwrap(), at);
        assert_eq!(other, RangeAnswer::NoList);
    }
}

#[test]
fn of_several_lists_the_one_that_proves_least_decides() {
    let old = r#"{"creationTime":"2026-01-01","prefixes":[{"ipv4Prefix":"66.249.64.0/27"}]}"#;
    let mut ranges = Ranges::default();
    let googlebot = id("googlebot");
    ranges.add(&[googlebot], &read(old), None);
    ranges.add(&[googlebot], &read("2001:4860:4801:10::/64\n"), None);
    let now = read(GOOGLE).created;
    let of =
        |ranges: &Ranges, address: &str| ranges.answer(googlebot, address.parse().unwrap(), now);
    assert_eq!(of(&ranges, "185.1.2.3"), RangeAnswer::MissOfStale);
    // The other family has a list of its own, and that one is current.
    assert_eq!(of(&ranges, "2a00::1"), RangeAnswer::Miss);
    ranges.add(&[googlebot], &read("66.249.66.0/27\n"), None);
    // A current one beside the old one does not make that one current.
    ranges.add(&[googlebot], &read("66.249.68.0/27\n"), now);
    assert_eq!(of(&ranges, "185.1.2.3"), RangeAnswer::MissOfStale);
    assert_eq!(of(&ranges, "66.249.66.1"), RangeAnswer::Hit);
}

/// Every combination of a list, its age and an address, against the rule as a sentence: a hit verifies; a miss is forged
/// only in a list that is whole and current and covers the family, from a public address.
#[test]
fn the_whole_product_follows_the_rule() {
    let v4 = "{\"ipv4Prefix\":\"66.249.64.0/27\"}";
    let v6 = "{\"ipv6Prefix\":\"2001:4860:4801:10::/64\"}";
    let day = |days: i64| Stamp::from_secs(1_795_000_000 + days * 86_400);
    let mut seen = 0;
    for (entries, has_v4, has_v6) in [
        (v4.to_owned(), true, false),
        (v6.to_owned(), false, true),
        (format!("{v4},{v6}"), true, true),
    ] {
        for (is_whole, layout) in [(true, "prefixes"), (false, "addresses")] {
            let list = read(&format!("{{\"{layout}\":[{entries}]}}"));
            for (fetched, at, is_current) in [
                (None, None, true),
                (None, Some(day(90)), true),
                (Some(day(0)), None, true),
                (Some(day(0)), Some(day(-90)), true),
                (Some(day(0)), Some(day(30)), true),
                (Some(day(0)), Some(day(30).plus_secs(1)), false),
                (Some(day(0)), Some(day(900)), false),
            ] {
                for (address, is_v4, is_inside, is_public) in [
                    ("66.249.64.31", true, true, true),
                    ("::ffff:66.249.64.31", true, true, true),
                    ("66.249.64.32", true, false, true),
                    ("66.249.63.255", true, false, true),
                    ("10.1.1.1", true, false, false),
                    ("127.0.0.1", true, false, false),
                    ("2001:4860:4801:10:ffff:ffff:ffff:ffff", false, true, true),
                    ("2001:4860:4801:11::", false, false, true),
                    ("fd00::1", false, false, false),
                    ("::1", false, false, false),
                ] {
                    let covers = if is_v4 { has_v4 } else { has_v6 };
                    let expected = match (
                        is_inside && covers,
                        covers && is_whole && is_current && is_public,
                    ) {
                        (true, _) => Identity::Verified,
                        (false, true) => Identity::Spoofed,
                        (false, false) => Identity::Unchecked,
                    };
                    let mut ranges = Ranges::default();
                    ranges.add(&[id("googlebot")], &list, fetched);
                    let found = ranges.identity(id("googlebot"), address.parse().ok(), at);
                    assert_eq!(
                        found, expected,
                        "{entries} {layout} {fetched:?} {at:?} {address}"
                    );
                    seen += 1;
                }
            }
        }
    }
    assert_eq!(seen, 3 * 2 * 7 * 10);
}

#[test]
fn every_layout_that_facts_name_is_one_of_ours() {
    for crawler in knowledge::crawlers() {
        if let Some(name) = crawler.ip_ranges_format {
            assert!(RangeLayout::named(name).is_some(), "{name}");
        }
    }
}

#[test]
fn without_an_address_or_a_method_nothing_is_said() {
    let mut ranges = Ranges::default();
    let of = |ranges: &Ranges, name: &str, address: Option<&str>| {
        ranges.identity(id(name), address.and_then(|text| text.parse().ok()), None)
    };
    assert_eq!(of(&ranges, "mj12bot", Some("8.8.8.8")), Identity::Unchecked);
    ranges.add(&[id("googlebot")], &read(GOOGLE), None);
    assert_eq!(
        of(&ranges, "mj12bot", Some("8.8.8.8")),
        Identity::Unverifiable
    );
    assert_eq!(of(&ranges, "googlebot", Some("-")), Identity::Unchecked);
    assert_eq!(of(&ranges, "googlebot", None), Identity::Unchecked);
    let hit = Some("2001:4860:4801:10::1");
    assert_eq!(of(&ranges, "googlebot", hit), Identity::Verified);
}

proptest::proptest! {
    /// Whatever comes, nothing panics, and a list without addresses says why.
    #[test]
    fn any_text_is_read(pieces in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = pieces.iter().filter_map(|piece| PIECES.get(*piece).copied()).collect();
        crate::fuzz::range_list(text.as_bytes());
    }
}

const PIECES: [&str; 30] = [
    "{",
    "}",
    "[",
    "]",
    "\"prefixes\":",
    "\"ipv4Prefix\":",
    "\"66.249.64.0/27\"",
    "66.249.64.1",
    "2001:4860::/32",
    ",",
    "-",
    "\n",
    "<",
    ">",
    "<html>",
    "<script",
    "</script",
    "<!--",
    "-->",
    "é",
    "\u{200b}",
    "İ",
    "/",
    ".",
    ":",
    " ",
    "route:",
    "#",
    "\"service\":\"A\"",
    "0.0.0.0-255.255.255.255",
];
