//! What a view keeps of plain traffic: the site's own hosts, and the detail of an outage.

use model::{
    Claim, CrawlerId, Edge, Fetch, Identity, Method, Outcome, Place, Request, Route, SourceId,
    Stamp, Status,
};
use tally::{Key, Tally, UrlFate};

fn request(host: &str, second: i64, status: u16, is_fetch: bool) -> Request<'_> {
    let claim = Claim {
        crawler: CrawlerId(0),
        identity: Identity::Unchecked,
    };
    Request {
        at: Stamp::from_secs(1_793_664_000 + second),
        place: Place {
            source: SourceId(0),
            line: second as u64 + 1,
        },
        edge: Edge::Unknown,
        host,
        scheme: None,
        method: Method::Get,
        route: Route::default(),
        url: 1,
        status: Status(status),
        bytes: None,
        millis: None,
        outcome: if status >= 500 {
            Outcome::Failed
        } else {
            Outcome::Good
        },
        finding: None,
        evidence: None,
        repeat: false,
        from_cache: false,
        no_upstream: false,
        retry_after: None,
        fetch: is_fetch.then_some(Fetch {
            claim,
            path: "/",
            query: 0,
        }),
        posing: None,
        attempts: &[],
    }
}

#[test]
fn made_up_hosts_that_get_404_neither_count_as_hosts_nor_hide_the_sites_own() {
    let made_up: Vec<String> = (0..600)
        .map(|number| format!("h{number}.example"))
        .collect();
    let mut tally = Tally::new();
    for (second, host) in made_up.iter().enumerate() {
        tally.record(&request(host, second as i64, 404, false));
    }
    for second in 600..700 {
        let host = if second % 2 == 0 {
            "shop.example"
        } else {
            "blog.example"
        };
        tally.record(&request(
            host,
            second,
            if second < 650 { 200 } else { 502 },
            true,
        ));
    }
    tally.close(Stamp(i64::MAX));
    let view = tally.view();
    assert!(view.has_hosts());
    let named: Vec<&str> = view
        .hosts
        .iter()
        .map(String::as_str)
        .filter(|host| host.contains('.'))
        .collect();
    assert_eq!(named, ["blog.example", "shop.example"]);
    assert!(view.limits.is_empty(), "{:?}", view.limits);
    let hosts = view
        .series(2)
        .into_keys()
        .filter(|key| matches!(key, Key::Host(_)))
        .count();
    assert_eq!(hosts, 2);
    let failures: Vec<_> = view.failures.iter().collect();
    let lost = view.urls_lost(CrawlerId(0), &failures, Stamp(i64::MAX));
    let lost = lost.expect("each failure is kept by itself");
    let is_owed = |fate: &Option<UrlFate>| fate.is_some_and(|fate| fate.first_ok.is_none());
    assert_eq!(
        (lost.len(), lost.iter().filter(|fate| is_owed(fate)).count()),
        (2, 2)
    );
}

#[test]
fn a_404_counts_for_the_sites_own_host_but_makes_no_route() {
    let mut tally = Tally::new();
    tally.record(&request("shop.example", 0, 200, true));
    tally.record(&request("shop.example", 1, 404, false));
    tally.close(Stamp(i64::MAX));
    let view = tally.view();
    let goods = view.goods_by_node(0, i64::MAX / 2);
    let routes: Vec<(&str, u64)> = goods
        .iter()
        .map(|(node, n)| (view.nodes[*node as usize].route.as_str(), *n))
        .collect();
    assert_eq!(routes, [("/", 1), ("/*", 1)]);
}

/// A busy site's quarter of an hour of failures beside a day of single ones: every second of it stays.
#[test]
fn single_failures_all_day_do_not_coarsen_an_outage() {
    let mut tally = Tally::new();
    for minute in 0..1_440 {
        tally.record(&request("shop.example", minute * 60, 502, true));
    }
    for second in 36_000..36_900 {
        for _ in 0..46 {
            tally.record(&request("shop.example", second, 502, false));
        }
    }
    tally.close(Stamp(i64::MAX));
    let view = tally.view();
    let start = 1_793_664_000;
    let mut seconds: Vec<i64> = view
        .failures
        .iter()
        .filter(|failure| failure.crawler.is_none())
        .map(|failure| failure.at.secs() - start)
        .collect();
    seconds.dedup();
    assert_eq!(seconds, (36_000..36_900).collect::<Vec<_>>());
    assert!(view.limits.is_empty(), "{:?}", view.limits);
}
