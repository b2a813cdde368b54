//! What is wrong with the input is said with place and reason, gives the exit status of the table, and never hides what
//! is good beside it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod shop;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use shop::{NOW, write};
use tempfile::TempDir;

const NO_LAYOUT: &str = "no line at its beginning has a known log layout; give the layout with --log-format or --config";

/// `good.log` among everything that can lie beside it.
fn folder() -> TempDir {
    let folder = shop::folder();
    let path = folder.path();
    fs::create_dir(path.join("empty")).unwrap();
    fs::create_dir(path.join("nologs")).unwrap();
    write(path, "nologs/readme.txt", "Nothing to see here.\n");
    write(path, "empty.log", "");
    write(
        path,
        "binary.log",
        (0..=255).collect::<Vec<u8>>().repeat(20),
    );
    write(
        path,
        "unknown.log",
        "hello world, this is no log\n".repeat(30),
    );
    write(
        path,
        "mostly.log",
        shop::line(0, "/", 200).repeat(10) + &"rubbish\n".repeat(200),
    );
    write(
        path,
        "mixed.log",
        shop::log() + &"rubbish\n".repeat(20) + &shop::line(300, "/", 200)[..40],
    );
    // Stored, not deflated: where it is cut does not hang on the version of a library.
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    packed.write_all(shop::log().as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    write(path, "cut.log.gz", &packed[..packed.len() / 2]);
    symlink("nowhere.log", path.join("dangling.log")).unwrap();
    write(
        path,
        "ranges.json",
        r#"{"prefixes":[{"ipv4Prefix":"203.0.113.0/24"},{"ipv4Prefix":"rubbish"},{"x":1}]}"#,
    );
    write(path, "rubbish.json", "rubbish");
    write(
        path,
        "rubbish.marks",
        "# deploys\n2026-11-22T09:01:00Z deploy release 41\nrubbish\n",
    );
    write(path, "holiday.marks", "2026-11-22T09:01:00Z holiday\n");
    write(
        path,
        "nginx.conf",
        "http {\n log_format x '$remote_addr $rubbish';\n}\n",
    );
    folder
}

/// Nothing to report on: command line, exit status, what is said.
#[test]
fn refused() {
    let nothing =
        |file: &str, reason: &str| format!("webmasterid: nothing to read\n  {file}: {reason}\n");
    let table: Vec<(&str, i32, String)> = vec![
        ("diagnose nowhere.log", 3, nothing("nowhere.log", "no such file")),
        ("failures nowhere.log", 3, nothing("nowhere.log", "no such file")),
        ("diagnose dangling.log", 3, nothing("dangling.log", "no such file")),
        ("diagnose no*.log", 3, nothing("no*.log", "pattern matches no file")),
        ("diagnose empty", 3, nothing("empty", "directory holds no files")),
        ("diagnose nologs", 3, nothing("nologs/readme.txt", NO_LAYOUT)),
        ("diagnose empty.log", 3, nothing("empty.log", "empty file")),
        ("diagnose binary.log", 3, nothing("binary.log", "binary file, not a log")),
        ("diagnose unknown.log", 3, nothing("unknown.log", NO_LAYOUT)),
        // Opens, and cannot be read: by nobody, root included.
        ("diagnose /proc/self/mem", 3, nothing("/proc/self/mem", "cannot be opened: Input/output error (os error 5)")),
        (
            "diagnose mostly.log",
            3,
            "webmasterid: nothing is understood\n  mostly.log: 200 of 210 lines are not understood; give their layout with --log-format or --config\n  mostly.log:11: not a known layout\n".to_owned(),
        ),
        ("diagnose good.log --log-format $status|$rubbish|$time_local|$request", 2, "webmasterid: --log-format, at character 9: unknown variable $rubbish\n".to_owned()),
        ("diagnose good.log --log-format $remote_addr", 2, "webmasterid: --log-format, at character 1: the layout has no status\n".to_owned()),
        ("diagnose good.log --log-format rubbish", 2, "webmasterid: --log-format, at character 1: neither an nginx variable (`$status`) nor an Apache directive (`%>s`)\n".to_owned()),
        ("diagnose good.log --config nowhere.conf", 2, "webmasterid: --config nowhere.conf: no such file\n".to_owned()),
        ("diagnose good.log --ranges ranges.json", 2, "webmasterid: --ranges ranges.json: the file name does not tell whose ranges these are; write NAME=ranges.json\n".to_owned()),
        ("diagnose good.log --ranges nobody=ranges.json", 2, "webmasterid: --ranges nobody=ranges.json: no crawler or operator \"nobody\" is known\n".to_owned()),
        ("diagnose good.log --ranges googlebot=nowhere.json", 2, "webmasterid: --ranges nowhere.json: no such file\n".to_owned()),
        ("diagnose good.log --marks rubbish.marks", 2, "webmasterid: --marks rubbish.marks:3: no kind after the time\n".to_owned()),
        ("diagnose good.log --marks holiday.marks", 2, "webmasterid: --marks holiday.marks:1: the kind is neither deploy nor maintenance\n".to_owned()),
        ("diagnose good.log --marks nowhere.marks", 2, "webmasterid: --marks nowhere.marks: no such file\n".to_owned()),
        ("diagnose good.log --since 2026-11-23 --until 2026-11-22", 2, "webmasterid: --since is not before --until: no request can lie between them\n".to_owned()),
        ("diagnose good.log --crawler nobody", 2, "webmasterid: --crawler nobody: no crawler of that name is known\n".to_owned()),
        ("diagnose good.log --incident 7", 2, "webmasterid: --incident: there is no such incident; the report has 1\n".to_owned()),
    ];
    let folder = folder();
    program::each(&table, |(words, status, says)| {
        let ran = program::line(folder.path(), words);
        assert_eq!(
            (ran.stderr.as_str(), ran.status),
            (says.as_str(), Some(*status)),
            "{words}"
        );
        assert_eq!(ran.stdout, "", "{words}");
    });
}

/// What is wrong beside a good log is a problem of the report, and the good log is in it.
#[test]
fn reported_beside_what_is_good() {
    let table: Vec<(&str, Vec<String>)> = vec![
        ("nowhere.log", vec!["nowhere.log: no such file".to_owned()]),
        ("empty", vec!["empty: directory holds no files".to_owned()]),
        ("nologs", vec![format!("nologs/readme.txt: {NO_LAYOUT}")]),
        ("empty.log", vec!["empty.log: empty file".to_owned()]),
        ("binary.log", vec!["binary.log: binary file, not a log".to_owned()]),
        ("unknown.log", vec![format!("unknown.log: {NO_LAYOUT}")]),
        ("/proc/self/mem", vec!["/proc/self/mem: cannot be opened: Input/output error (os error 5)".to_owned()]),
        ("mixed.log", vec!["mixed.log:301: not a known layout (20)".to_owned(), "mixed.log:321: the line ends early".to_owned()]),
        ("cut.log.gz", vec![
            "cut.log.gz:151: the line ends early".to_owned(),
            "cut.log.gz:151: truncated gzip: read 151 lines; still being written, or copied in part".to_owned(),
        ]),
        ("--ranges googlebot=ranges.json", vec![
            "ranges.json: prefixes[1]: not an address prefix".to_owned(),
            "ranges.json: prefixes[2]: neither ipv4Prefix nor ipv6Prefix".to_owned(),
        ]),
        ("--ranges googlebot=rubbish.json", vec![
            "rubbish.json: line 1: not an address prefix".to_owned(),
            "rubbish.json: no usable address in it".to_owned(),
        ]),
        ("--config nginx.conf", vec!["nginx.conf:2: log format x: the layout has no status".to_owned()]),
        ("good.log", vec!["good.log: same file as good.log, counted once".to_owned()]),
    ];
    let folder = folder();
    program::each(&table, |(words, expected)| {
        let ran = program::line(
            folder.path(),
            &format!("diagnose good.log {words} --format json"),
        );
        let report: Value = serde_json::from_str(&ran.report()).unwrap();
        assert_eq!(&problems(&report), expected, "{words}");
        let sources = report["coverage"]["sources"].as_array().unwrap();
        let good = sources.iter().find(|source| source["path"] == "good.log");
        assert_eq!(good.unwrap()["requests"], 300, "{words}");
        let text =
            program::line(folder.path(), &format!("diagnose good.log {words} --full")).report();
        for problem in expected {
            // The text names a file without its folder.
            let said = problem.rsplit('/').next().unwrap();
            let reason = said.split(['(', ';']).next().unwrap().trim_end();
            assert!(unwrapped(&text).contains(reason), "{reason} not in {text}");
        }
    });
}

/// `source:line: reason (count)` of each problem of a report.
fn problems(report: &Value) -> Vec<String> {
    let problems = report["problems"].as_array().unwrap().iter();
    let said = problems.map(|problem| {
        let mut said = problem["source"].as_str().unwrap().to_owned();
        if let Some(line) = problem["line"].as_u64() {
            write!(said, ":{line}").unwrap();
        }
        write!(said, ": {}", problem["reason"].as_str().unwrap()).unwrap();
        match problem["count"].as_u64() {
            Some(1) => said,
            count => format!("{said} ({})", count.unwrap()),
        }
    });
    said.collect()
}

/// Text without its line ends and indents.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_file_without_permission() {
    let folder = shop::folder();
    let locked = folder.path().join("locked.log");
    fs::write(&locked, shop::line(300, "/", 200)).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    let text = program::line(folder.path(), "diagnose good.log locked.log --full").report();
    // Root reads everything.
    let is_said =
        unwrapped(&text).contains("locked.log: permission denied; run as a user who may read it");
    assert!(is_said || fs::read(&locked).is_ok(), "{text}");
}

/// Nothing is asked for that the log has: a report, not a failure, and not good news.
#[test]
fn nothing_chosen() {
    let folder = shop::folder();
    for choice in [
        "--since 2026-11-23",
        "--until 2026-11-21",
        "--crawler bingbot",
        "--site other.example",
    ] {
        let report =
            program::line(folder.path(), &format!("diagnose good.log {choice} {NOW}")).report();
        assert!(report.starts_with("NOTHING CHOSEN"), "{choice}: {report}");
        assert!(
            report.contains("none of 300 requests"),
            "{choice}: {report}"
        );
        let rows = program::line(folder.path(), &format!("failures good.log {choice}")).report();
        assert_eq!(rows, "no failed fetch\n");
    }
}

/// Four lines, the second of 10 MB.
#[test]
fn a_line_without_end() {
    let folder = shop::folder();
    let long = format!("/{}", "a".repeat(10 << 20));
    let lines = [
        shop::line(1, "/a", 200),
        shop::line(2, &long, 200),
        shop::line(3, "/b", 502),
        shop::line(4, "/c", 200),
    ];
    write(folder.path(), "long.log", lines.concat());
    let report = program::line(folder.path(), "diagnose long.log --format json").report();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["totals"]["requests"], 3);
    assert_eq!(report["totals"]["by_status"]["502"], 1);
    assert_eq!(
        problems(&report),
        ["long.log:2: line longer than 65536 bytes, left out"]
    );
    let source = &report["coverage"]["sources"][0];
    assert_eq!(
        (&source["lines"], &source["unparsed"]),
        (&4.into(), &1.into())
    );
}

/// A syslog in which no edge speaks says nothing of the site.
#[test]
fn a_stream_without_an_edge() {
    let folder = shop::folder();
    let other = "Nov 22 07:25:33 web1 sshd[812]: Accepted publickey for deploy\n";
    write(folder.path(), "syslog", other.repeat(9));
    let ran = program::line(folder.path(), "diagnose syslog");
    assert_eq!(ran.status, Some(3), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("all 9 lines are of programs that are no edge"),
        "{}",
        ran.stderr
    );
}

/// A file of which too much is not understood is named and never hides the good one.
#[test]
fn a_bad_file_beside_a_good_one() {
    let folder = shop::folder();
    let garbage = "no line of any log\n".repeat(900);
    write(
        folder.path(),
        "bad.log",
        shop::line(1, "/a", 200) + &garbage,
    );
    let report = program::line(folder.path(), "diagnose good.log bad.log --format json").report();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["incidents"].as_array().unwrap().len(), 1);
    let said = "bad.log: 900 of 901 lines are not understood; give their layout with --log-format or --config";
    assert_eq!(problems(&report)[0], said);
}

/// Clocks that were never set, or are far ahead, and a byte order mark: each costs its own line at most.
#[test]
fn stamps_of_wrong_clocks_and_a_byte_order_mark() {
    let folder = shop::folder();
    let odd = |year: &str| shop::line(50, "/", 200).replace("2026", year);
    let log = format!("\u{feff}{}{}{}", shop::log(), odd("1970"), odd("2062"));
    write(folder.path(), "odd.log", log);
    let args = format!("diagnose odd.log --format json {}", NOW);
    let odd: Value = serde_json::from_str(&program::line(folder.path(), &args).report()).unwrap();
    let args = format!("diagnose good.log --format json {}", NOW);
    let good: Value = serde_json::from_str(&program::line(folder.path(), &args).report()).unwrap();
    assert_eq!(odd["totals"], good["totals"]);
    for field in ["start", "end", "verdict", "crawlers"] {
        assert_eq!(
            odd["incidents"][0][field], good["incidents"][0][field],
            "{field}"
        );
    }
    let said = [
        "odd.log:301: its time is before the year 2000",
        "odd.log:302: its time lies in the future",
    ];
    assert_eq!(problems(&odd), said);
}

/// More files than may be open at once: each is opened when its time has come.
#[test]
fn more_files_than_may_be_open() {
    let folder = shop::folder();
    for second in 0..300 {
        let name = format!("part-{second:03}.log");
        write(folder.path(), &name, shop::line(second, "/a", 200));
    }
    let command = format!(
        "ulimit -n 64; {} diagnose part-*.log --format json",
        env!("CARGO_BIN_EXE_webmasterid")
    );
    let report = program::shell(folder.path(), &command).report();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["totals"]["requests"], 300);
    assert_eq!(problems(&report), [""; 0]);
}

/// A good line, then more nothing than any log packs.
#[test]
fn a_decompression_bomb() {
    let folder = shop::folder();
    let file = fs::File::create(folder.path().join("bomb.log.zst")).unwrap();
    let mut packed = zstd::Encoder::new(file, 1).unwrap();
    packed
        .write_all(shop::line(300, "/bomb", 200).as_bytes())
        .unwrap();
    let nothing = vec![0; 16 << 20];
    for _ in 0..80 {
        packed.write_all(&nothing).unwrap();
    }
    packed.finish().unwrap();
    let report = program::line(
        folder.path(),
        "diagnose bomb.log.zst good.log --format json",
    )
    .report();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["totals"]["requests"], 301);
    let problems = problems(&report);
    assert!(
        problems[0].starts_with("bomb.log.zst:2: decompression bomb: 1073"),
        "{problems:?}"
    );
    assert!(
        problems[0].ends_with("unpack it and name the plain file if it is a log"),
        "{problems:?}"
    );
}

/// Distinct paths without end end in one route, and in bounded memory.
#[test]
fn a_million_paths() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for number in 0..PATHS {
        let status = if number % 50 == 0 { 502 } else { 200 };
        lines.push_str(&shop::line(
            number * 3_600 / PATHS,
            &format!("/shop/{}", word(number)),
            status,
        ));
    }
    write(folder.path(), "paths.log", lines);
    let report = limited(folder.path(), "diagnose paths.log --format json").report();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["totals"]["requests"], PATHS);
    let routes = report["incidents"][0]["routes"].as_array().unwrap();
    assert_eq!(routes.len(), 1, "{routes:?}");
    assert_eq!(routes[0]["route"], "/shop/{…}");
    let limits = report["limits"].as_array().unwrap();
    assert!(
        limits
            .iter()
            .any(|limit| limit["dropped"].as_u64() > Some(0)),
        "{limits:?}"
    );
}

const PATHS: u32 = 1_000_000;
/// Address space in KiB: what the log takes ten times over would not fit.
const MEMORY_KIB: u32 = 1_000_000;

/// A word that looks like no number and no hash.
fn word(number: u32) -> String {
    let letter = |place: u32| char::from(b'g' + (number / 12_u32.pow(place) % 12) as u8);
    (0..6).map(letter).collect()
}

/// Runs it with a limited address space.
fn limited(folder: &Path, words: &str) -> program::Ran {
    program::shell(
        folder,
        &format!("ulimit -v {MEMORY_KIB} && exec $WEBMASTERID {words}"),
    )
}
