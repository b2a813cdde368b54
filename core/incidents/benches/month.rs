//! What a month of a large site costs the judge: 50 million requests over thirty days, failures in the background and
//! some faults. `cargo bench -p incidents` prints the times and what was found; nothing here is asserted. Another number
//! of requests: `cargo bench -p incidents -- 1000000`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../tests/support/month.rs"]
mod month;

use std::time::Instant;

use incidents::Watch;
use model::Stamp;

use month::{SECONDS, START};

const REQUESTS: u64 = 50_000_000;

fn main() {
    let mut numbers = std::env::args().filter_map(|arg| arg.parse().ok());
    let requests = numbers.next().unwrap_or(REQUESTS);
    let started = Instant::now();
    let mut tally = month::tally(requests, share);
    println!("{requests} requests counted in {:.1?}", started.elapsed());
    let now = Stamp::from_secs(START + SECONDS);
    let view = best(3, || tally.view());
    let sheet = best(5, || incidents::sheet_of(&view.1, now));
    let mut copies = vec![sheet.1.clone(); 5].into_iter();
    let judged = best(5, || incidents::judge_sheet(copies.next().unwrap()));
    let whole = best(5, || incidents::judge(&view.1, now));
    let mut watch = Watch::new();
    watch.look(&view.1, now);
    let look = best(5, || watch.look(&view.1, now));
    println!("view of the tally      {:8.1} ms", view.0);
    println!("its sheet              {:8.1} ms", sheet.0);
    println!("incidents of the sheet {:8.1} ms", judged.0);
    println!("judge, as a whole      {:8.1} ms", whole.0);
    println!("a further look         {:8.1} ms", look.0);
    let failed: u32 = (sheet.1.series.values())
        .flatten()
        .map(|obs| obs.failed)
        .sum();
    println!(
        "{} scopes, {failed} failures in them, {} incidents:",
        sheet.1.series.len(),
        whole.1.len()
    );
    for incident in &whole.1 {
        println!(
            "{} {} {}, seconds {} to {}{}, {} of {} failed",
            incident.verdict.name(),
            incident.scope.kind.name(),
            incident.scope.values.join(" "),
            incident.start.secs() - START,
            incident.last_failure.secs() - START,
            if incident.end.is_none() {
                " and on"
            } else {
                ""
            },
            incident.requests.failed,
            incident.requests.total
        );
    }
}

/// The best time in milliseconds, and what was made.
fn best<T>(times: u32, mut make: impl FnMut() -> T) -> (f64, T) {
    let mut best = (f64::INFINITY, None);
    for _ in 0..times {
        let started = Instant::now();
        let made = make();
        let spent = started.elapsed().as_secs_f64() * 1e3;
        best = (spent.min(best.0), Some(made));
    }
    (best.0, best.1.unwrap())
}

/// Chance that a request fails: the background, and six faults.
fn share(second: i64, route: usize, upstream: usize) -> f64 {
    const HOUR: i64 = 3_600;
    let day = second / (24 * HOUR);
    match second {
        _ if second % (24 * HOUR) < 240 && (3..15).contains(&day) => 0.9,
        _ if (400 * HOUR..400 * HOUR + 900).contains(&second) => 0.8,
        _ if (450 * HOUR..453 * HOUR).contains(&second) && route == 2 => 0.95,
        _ if (500 * HOUR..548 * HOUR).contains(&second) && upstream == 1 => 0.03,
        _ if (600 * HOUR..600 * HOUR + 300).contains(&second) => 0.5,
        _ if second >= 715 * HOUR && route == 0 => 0.7,
        _ => 0.0005,
    }
}
