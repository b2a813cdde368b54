//! The same report, byte for byte, for any number of threads and any order of the arguments.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The log's age in the text is as of this moment, not of the test.
const NOW: &str = "--now=2026-11-22T15:00:00Z";
const COMMANDS: [&str; 3] = [
    "diagnose --full",
    "diagnose --format json",
    "failures --format ndjson --all-clients",
];

#[test]
fn examples() {
    let same = |folder: &std::path::PathBuf| {
        for command in COMMANDS {
            same_for_any_threads(folder, command, &program::logs(folder));
        }
    };
    program::each(&program::examples(), same);
}

/// Logs of three nodes, larger than a chunk of 2 MiB, one of them packed, with an error log for each.
#[test]
fn logs_of_several_chunks_and_nodes() {
    let folder = tempfile::tempdir().unwrap();
    let logs = write_nodes(folder.path());
    for command in COMMANDS {
        let report = same_for_any_threads(folder.path(), command, &logs);
        assert!(report.contains("connection-refused") || report.contains("connection refused"));
    }
}

/// Checks it for 1, 2 and 8 threads, each with another order; gives the report.
fn same_for_any_threads(folder: &Path, command: &str, logs: &[String]) -> String {
    let run = |threads: &str, logs: Vec<String>| {
        let words = command
            .split_whitespace()
            .chain([NOW, "--threads", threads]);
        let words = words.map(str::to_owned);
        program::run(folder, words.chain(logs)).report()
    };
    let one = run("1", logs.to_vec());
    let mut turned = logs.to_vec();
    turned.rotate_left(1);
    let back: Vec<String> = logs.iter().rev().cloned().collect();
    for (threads, order) in [("2", turned), ("8", back)] {
        let other = run(threads, order);
        if let Some((was, is)) = one.lines().zip(other.lines()).find(|(was, is)| was != is) {
            panic!("{folder:?}, {command}, {threads} threads:\n{was}\n{is}");
        }
        assert_eq!(one.len(), other.len());
    }
    one
}

/// Requests of each node.
const REQUESTS: u64 = 24_000;

fn write_nodes(folder: &Path) -> Vec<String> {
    let mut logs = Vec::new();
    for node in 1..=3 {
        let (access, errors) = node_logs(node);
        let name = format!("node{node}.log");
        if node == 3 {
            let file = fs::File::create(folder.join("node3.log.gz")).unwrap();
            let mut packed = GzEncoder::new(file, Compression::fast());
            packed.write_all(access.as_bytes()).unwrap();
            packed.finish().unwrap();
            logs.push(name + ".gz");
        } else {
            assert!(access.len() > 4 << 20, "{}", access.len());
            fs::write(folder.join(&name), access).unwrap();
            logs.push(name);
        }
        let name = format!("node{node}-error.log");
        fs::write(folder.join(&name), errors).unwrap();
        logs.push(name);
    }
    logs
}

/// Access and error log of one node: an hour and a half, lines up to a minute out of order, and one of three upstreams
/// that refuses connections for ten minutes.
fn node_logs(node: u64) -> (String, String) {
    let (mut access, mut errors) = (String::new(), String::new());
    let mut dice = Dice(node);
    for number in 0..REQUESTS {
        let second = 60 + number * 5_400 / REQUESTS - dice.below(60);
        let time = format!(
            "{:02}:{:02}:{:02}",
            12 + second / 3600,
            second / 60 % 60,
            second % 60
        );
        let client = format!("10.{node}.{}.{}", dice.below(8), dice.below(250));
        let (agent, path) = match dice.below(4) {
            0 => (
                "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
                "product",
            ),
            1 => (
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                "category",
            ),
            _ => (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "cart",
            ),
        };
        let target = format!("/{path}/{}?page={}", dice.below(400), dice.below(9));
        let upstream = format!("10.9.0.{}:8080", dice.below(3));
        let down = (1_800..2_400).contains(&second) && upstream.starts_with("10.9.0.1");
        let status = match dice.below(100) {
            _ if down => 502,
            0 => 500,
            1..5 => 404,
            5..10 => 304,
            _ => 200,
        };
        writeln!(
            access,
            "{client} - - [22/Nov/2026:{time} +0000] \"GET {target} HTTP/1.1\" {status} 18770 \"https://shop.example/category/{number}\" \"{agent}\" rt=0.005 uaddr=\"{upstream}\" ustatus=\"{status}\" urt=\"0.005\""
        )
        .unwrap();
        if down {
            writeln!(
                errors,
                "2026/11/22 {time} [error] 31#31: *{number} connect() failed (111: Connection refused) while connecting to upstream, client: {client}, server: shop.example, request: \"GET {target} HTTP/1.1\", upstream: \"http://{upstream}{target}\", host: \"shop.example\""
            )
            .unwrap();
        }
    }
    (access, errors)
}

/// Numbers that look random and are the same every time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
