//! What a URL that crawlers failed to get costs in memory: as many failures of one URL and of different ones, each in a
//! process of its own, and the difference. `cargo bench -p tally --bench ledger` prints it; nothing is asserted. Linux.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::fs;
use std::process::Command;

use model::{
    Claim, CrawlerId, Edge, Fetch, Identity, Method, Outcome, Place, Request, Route, SourceId,
    Stamp, Status,
};
use tally::Tally;
use tally::limit::LEDGER_PATHS_MAX;

const CRAWLERS: u64 = 20;

fn main() {
    let mut args = std::env::args().skip(1);
    if let Some("measure") = args.next().as_deref() {
        println!("{}", measure(args.next().as_deref() == Some("different")));
        return;
    }
    let urls = CRAWLERS * LEDGER_PATHS_MAX as u64;
    let of = |which: &str| -> u64 {
        let mut run = Command::new(std::env::current_exe().unwrap());
        let out = run.args(["measure", which]).output().unwrap();
        String::from_utf8(out.stdout)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    };
    let (same, different) = (of("same"), of("different"));
    let own = path(0).len() as u64;
    let each = (different - same) / urls;
    println!(
        "{urls} URLs of {CRAWLERS} crawlers: {each} bytes each, of which the path's text {own}"
    );
}

fn path(number: u64) -> String {
    format!("/product/category-{:03}/item-{:07}", number % 500, number)
}

/// Bytes in memory once all is closed.
fn measure(is_different: bool) -> u64 {
    let mut tally = Tally::new();
    for number in 0..CRAWLERS * LEDGER_PATHS_MAX as u64 {
        let path = path(if is_different { number / CRAWLERS } else { 0 });
        tally.record(&request(
            number,
            &path,
            if is_different { number / CRAWLERS } else { 0 },
        ));
        if number % 10_000 == 9_999 {
            tally.close(Stamp::from_secs(number as i64));
        }
    }
    tally.close(Stamp(i64::MAX));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib: u64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    std::hint::black_box(&tally);
    kib * 1_024
}

fn request(number: u64, path: &str, url: u64) -> Request<'_> {
    Request {
        at: Stamp::from_secs(number as i64),
        place: Place {
            source: SourceId(0),
            line: number + 1,
        },
        edge: Edge::Nginx,
        host: "www.example.com",
        scheme: None,
        method: Method::Get,
        route: Route::default(),
        url: url.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        status: Status(502),
        bytes: None,
        millis: None,
        outcome: Outcome::Failed,
        finding: None,
        evidence: None,
        repeat: false,
        from_cache: false,
        no_upstream: false,
        retry_after: None,
        fetch: Some(Fetch {
            claim: Claim {
                crawler: CrawlerId((number % CRAWLERS) as u16),
                identity: Identity::Unchecked,
            },
            path,
            query: 0,
        }),
        posing: None,
        attempts: &[],
    }
}
