//! `cargo xtask verify`: what checking crawlers against DNS costs, against a name server on loopback that answers late.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::tool::{self, Need};

#[path = "../../adapters/dns/tests/responder/mod.rs"]
mod responder;

use responder::{A, NO_SUCH_NAME, PTR, Responder};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Requests that claim to be a crawler's
    #[arg(long, default_value_t = 200_000)]
    fetches: u32,
    /// Addresses that they come from
    #[arg(long, default_value_t = 3_000)]
    addresses: u32,
    /// How many requests of people stand beside each of them
    #[arg(long, default_value_t = 5)]
    people: u32,
    /// How late the name server answers, in milliseconds
    #[arg(long, default_value_t = 20)]
    delay: u64,
    /// Runs of each kind; the quickest counts
    #[arg(long, default_value_t = 3)]
    runs: u32,
}

/// As `dns::CONCURRENCY`, which is not linked here.
const CONCURRENCY: f64 = 64.0;
/// Net of the crawlers: for benchmarks, RFC 2544.
const NET: u32 = u32::from_be_bytes([198, 18, 0, 0]);
/// GNU time: the standard library does not tell a child's processor time.
const TIME: &str = "/usr/bin/time";

/// Seconds of one run.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    tool::install(Need::Bench)?;
    command::run(command::cargo().args(["build", "--release", "--package", "webmasterid"]))?;
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("access.log");
    write_log(args, &log)?;
    let program = command::root().join("target/release/webmasterid");
    let plain = best(args, &program, &log, &[])?;
    println!(
        "{} requests, {} of them claimed fetches from {} addresses",
        args.fetches * (args.people + 1),
        args.fetches,
        args.addresses
    );
    println!(
        "without --verify        wall {:.3} s  cpu {:.3} s",
        plain.wall, plain.cpu
    );
    let mut at_once = None;
    for delay in [0, args.delay] {
        let server = Responder::start(Duration::from_millis(delay), answer);
        let resolver = server.address.to_string();
        let cost = best(args, &program, &log, &["--verify", "--resolver", &resolver])?;
        println!(
            "--verify, answers {delay:>2} ms  wall {:.3} s  cpu {:.3} s ({:+.1} %)",
            cost.wall,
            cost.cpu,
            (cost.cpu / plain.cpu - 1.0) * 100.0
        );
        let runs = u64::from(args.runs.max(1));
        println!(
            "  questions a run       reverse {}  forward {}",
            server.count(PTR).0 / runs,
            server.count(A).0 / runs
        );
        let Some(at_once) = at_once.replace(cost.wall) else {
            continue;
        };
        let ideal = 2.0 * f64::from(args.addresses) / CONCURRENCY * delay as f64 / 1_000.0;
        println!(
            "  2 x {} addresses / {CONCURRENCY} x {delay} ms = {ideal:.3} s",
            args.addresses
        );
        let ratio = |what, waited: f64| {
            println!(
                "  longer than {what}  {waited:.3} s: {:.2} x",
                waited / ideal
            )
        };
        ratio("with answers at once", cost.wall - at_once);
        ratio("without --verify    ", cost.wall - plain.wall);
    }
    Ok(())
}

/// Two of three addresses have a good name; of the others one name leads elsewhere and one nowhere, so that all of them
/// are worth two questions.
fn answer(query: &responder::Query<'_>) -> Option<Vec<u8>> {
    let name_of = |address: Ipv4Addr| format!("crawl-{}.googlebot.com", u32::from(address));
    Some(match (query.kind, query.reversed()) {
        (PTR, Some(address)) => query.names(&[&name_of(address)]),
        _ => {
            let number = query.name.strip_prefix("crawl-")?.split('.').next()?;
            let number: u32 = number.parse().ok()?;
            if number % 6 == 5 {
                return Some(query.fails(NO_SUCH_NAME));
            }
            let is_forged = number % 6 == 4;
            let address = Ipv4Addr::from(if is_forged { 1 } else { number });
            query.addresses(&[IpAddr::V4(address)])
        }
    })
}

fn write_log(args: &Args, path: &Path) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let total = u64::from(args.fetches) * u64::from(args.people + 1);
    let mut number = 0u64;
    for fetch in 0..args.fetches {
        let crawler = Ipv4Addr::from(NET + fetch.wrapping_mul(7_919) % args.addresses);
        for person in 0..=args.people {
            let second = number * 86_400 / total;
            let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
            let path = number * 31 % 46_000;
            number += 1;
            let (address, agent) = match person {
                0 => (
                    crawler,
                    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                ),
                _ => (
                    Ipv4Addr::from(0x0a00_0000 + fetch * 8 + person),
                    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                ),
            };
            writeln!(
                out,
                "{address} - - [22/Nov/2026:{hour:02}:{minute:02}:{second:02} +0000] \"GET /product/{path} HTTP/1.1\" 200 5120 \"-\" \"{agent}\""
            )?;
        }
    }
    out.flush()?;
    Ok(())
}

/// The quickest of some runs.
fn best(args: &Args, program: &Path, log: &Path, more: &[&str]) -> Result<Cost> {
    let mut best: Option<Cost> = None;
    for _ in 0..args.runs.max(1) {
        let cost = cost(program, log, more)?;
        best = Some(best.map_or(cost, |best| Cost {
            wall: best.wall.min(cost.wall),
            cpu: best.cpu.min(cost.cpu),
        }));
    }
    best.context("no run")
}

fn cost(program: &Path, log: &Path, more: &[&str]) -> Result<Cost> {
    let mut timed = Command::new(TIME);
    timed.args(["--format", "%e %U %S", "--"]).arg(program);
    timed.arg("diagnose").arg(log).args(more);
    timed.stdin(Stdio::null()).stdout(Stdio::null());
    let start = std::time::Instant::now();
    let output = timed
        .output()
        .with_context(|| format!("cannot start {TIME}"))?;
    let wall = start.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("webmasterid ended with {}: {said}", output.status);
    }
    let times: Vec<f64> = said
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [_, user, system] = times[..] else {
        bail!("GNU time told no times: {said}");
    };
    Ok(Cost {
        wall,
        cpu: user + system,
    })
}
