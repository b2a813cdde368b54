//! What arguments find, and what the user is told about the rest.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use files::{Compression, Found, Limits, find, head};
use model::Problem;
use tempfile::TempDir;

const LINE: &[u8] = b"192.0.2.1 - - [01/Nov/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5\n";

struct Dir(TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn look<P: AsRef<Path>>(args: &[P]) -> (Vec<Found>, Vec<Problem>) {
    find(args, &Limits::default())
}

fn names(found: &[Found]) -> Vec<&str> {
    found.iter().map(|found| found.name.as_str()).collect()
}

fn reasons(problems: &[Problem]) -> Vec<(&str, &str)> {
    problems
        .iter()
        .map(|problem| (problem.source.as_str(), problem.reason.as_str()))
        .collect()
}

/// Lines that differ, some `bytes` of them.
fn log(bytes: usize) -> Vec<u8> {
    let mut log = Vec::new();
    for number in 0.. {
        if log.len() >= bytes {
            break;
        }
        writeln!(log, "{number} GET /item/{number} 200").unwrap();
    }
    log
}

#[test]
fn a_directory_is_walked_in_name_order_whatever_its_files_are_called() {
    let dir = Dir::new();
    for (index, name) in ["b/x.log.1", "a.log", ".hidden", "b/c/deep", "zz.png"]
        .iter()
        .enumerate()
    {
        dir.write(name, &log(100 + index * 100));
    }
    let (found, problems) = look(&[dir.0.path()]);
    let expected =
        [".hidden", "a.log", "b/c/deep", "b/x.log.1", "zz.png"].map(|name| dir.name(name));
    assert_eq!(names(&found), expected);
    assert_eq!(problems, []);
}

#[test]
fn compression_is_told_from_content_and_the_head_is_inflated() {
    let dir = Dir::new();
    let (a, b, c) = (log(1_000), log(200_000), log(3_000));
    let args = [
        dir.write("a.gz", &a),
        dir.write("b.log", &gzip(&b)),
        dir.write("c.1", &zstd::encode_all(&*c, 1).unwrap()),
    ];
    let (found, problems) = look(&args);
    let kinds: Vec<_> = found.iter().map(|found| found.compression).collect();
    assert_eq!(
        kinds,
        [Compression::Plain, Compression::Gzip, Compression::Zstd]
    );
    assert_eq!(head(&found[0]).unwrap(), a);
    assert_eq!(head(&found[1]).unwrap(), b[..files::HEAD_BYTES]);
    assert_eq!(head(&found[2]).unwrap(), c);
    assert_eq!(found[0].size, a.len() as u64);
    assert_eq!(problems, []);
}

#[test]
fn what_is_not_there_is_said_and_the_rest_goes_on() {
    let dir = Dir::new();
    let good = dir.write("good.log", LINE);
    let empty = dir.path("empty");
    fs::create_dir(&empty).unwrap();
    let args = [
        dir.path("nothing"),
        dir.path("*.gz"),
        empty,
        good.clone(),
        good.join("below"),
    ];
    let (found, problems) = look(&args);
    assert_eq!(names(&found), [dir.name("good.log")]);
    let reasons = reasons(&problems);
    assert_eq!(reasons[0], (&*dir.name("*.gz"), "pattern matches no file"));
    assert_eq!(
        reasons[1],
        (&*dir.name("empty"), "directory holds no files")
    );
    assert_eq!(reasons[2].0, dir.name("good.log/below"));
    assert!(reasons[2].1.contains("Not a directory"), "{reasons:?}");
    assert_eq!(reasons[3], (&*dir.name("nothing"), "no such file"));
}

#[test]
fn patterns_are_expanded_as_a_shell_would() {
    let dir = Dir::new();
    for (index, name) in ["a.log", "b.log", ".c.log", "d.txt", "sub.log/e"]
        .iter()
        .enumerate()
    {
        dir.write(name, &log(100 + index * 100));
    }
    let (found, problems) = look(&[dir.path("*.log")]);
    assert_eq!(
        names(&found),
        ["a.log", "b.log", "sub.log/e"].map(|name| dir.name(name))
    );
    assert_eq!(problems, []);
}

#[test]
fn a_file_whose_name_looks_like_a_pattern_is_that_file() {
    let dir = Dir::new();
    let odd = dir.write("a[1]*.log", LINE);
    let (found, problems) = look(&[odd]);
    assert_eq!(names(&found), [dir.name("a[1]*.log")]);
    assert_eq!(problems, []);
}

#[test]
fn a_broken_pattern_is_said() {
    let (found, problems) = look(&["logs/[a"]);
    assert!(found.is_empty());
    assert!(
        problems[0]
            .reason
            .starts_with("no such file, and not a pattern"),
        "{problems:?}"
    );
}

#[test]
fn a_file_reached_twice_is_taken_once_in_any_order_of_arguments() {
    let dir = Dir::new();
    let a = dir.write("a.log", LINE);
    let whole = dir.0.path().to_owned();
    let first = look(&[whole.clone(), a.clone()]);
    let second = look(&[a, whole]);
    let a = dir.name("a.log");
    assert_eq!(names(&first.0), [&a]);
    assert_eq!(names(&second.0), [&a]);
    assert_eq!(
        reasons(&first.1),
        [(&*a, &*format!("same file as {a}, counted once"))]
    );
    assert_eq!(first.1, second.1);
}

#[cfg(unix)]
#[test]
fn links_to_files_loops_and_nothing_are_safe() {
    use std::os::unix::fs::symlink;
    let dir = Dir::new();
    let a = dir.write("a.log", LINE);
    fs::hard_link(&a, dir.path("b.log")).unwrap();
    symlink(&a, dir.path("c.log")).unwrap();
    symlink(dir.0.path(), dir.path("loop")).unwrap();
    symlink(dir.path("gone"), dir.path("broken")).unwrap();
    symlink("/dev/null", dir.path("stdout.log")).unwrap();
    let (found, problems) = look(&[dir.0.path()]);
    assert_eq!(names(&found), [dir.name("a.log")]);
    let same = format!("same file as {}, counted once", dir.name("a.log"));
    assert_eq!(
        reasons(&problems),
        [
            (&*dir.name("b.log"), &*same),
            (
                &*dir.name("broken"),
                "symbolic link to nothing, or removed meanwhile"
            ),
            (&*dir.name("c.log"), &*same),
            (
                &*dir.name("loop"),
                "symbolic link to a directory above it, not followed"
            ),
            (
                &*dir.name("stdout.log"),
                "pipe, socket or device, not read; name it by itself to read it"
            ),
        ]
    );
}

#[test]
fn a_plain_file_and_its_packed_copies_are_one_content() {
    for size in [1_000, 300_000] {
        let dir = Dir::new();
        let content = log(size);
        dir.write("access.log.1", &content);
        dir.write("access.log.1.gz", &gzip(&content));
        dir.write(
            "backup/access.log.1.zst",
            &zstd::encode_all(&*content, 1).unwrap(),
        );
        let (found, problems) = look(&[dir.0.path()]);
        let first = dir.name("access.log.1");
        assert_eq!(names(&found), [&first]);
        let same = format!("same content as {first}, counted once");
        assert_eq!(
            reasons(&problems),
            [
                (&*dir.name("access.log.1.gz"), &*same),
                (&*dir.name("backup/access.log.1.zst"), &*same),
            ]
        );
    }
}

#[test]
fn a_live_log_and_an_older_copy_of_it_are_two_contents() {
    for (whole, part) in [(300_000, 200_000), (300_000, 20_000), (2_000, 1_000)] {
        let dir = Dir::new();
        let content = log(whole);
        dir.write("access.log", &content);
        dir.write("copy.log", &content[..part]);
        dir.write("copy.gz", &gzip(&content[..part + 1]));
        let (found, problems) = look(&[dir.0.path()]);
        assert_eq!(found.len(), 3);
        assert_eq!(problems, []);
    }
}

#[test]
fn logs_that_differ_only_at_their_end_are_two_contents() {
    let dir = Dir::new();
    let mut content = log(300_000);
    dir.write("a.log", &content);
    let last = content.len() - 2;
    content[last] = b'X';
    dir.write("b.log", &content);
    let (found, problems) = look(&[dir.0.path()]);
    assert_eq!(found.len(), 2);
    assert_eq!(problems, []);
}

#[test]
fn empty_files_are_not_copies_of_each_other() {
    let dir = Dir::new();
    dir.write("access.log", b"");
    dir.write("access.log.2.gz", b"");
    dir.write("error.log.2.gz", &gzip(b""));
    let (found, problems) = look(&[dir.0.path()]);
    assert_eq!(found.len(), 3);
    assert_eq!(problems, []);
}

#[test]
fn what_is_no_log_is_named_with_what_to_do() {
    let mut tar = vec![b'a'; 600];
    tar[257..262].copy_from_slice(b"ustar");
    let cases: &[(&[u8], &str)] = &[
        (
            b"BZh91AY&SY\x01\x02\x03",
            "is bzip2; unpack it first: bunzip2",
        ),
        (b"\xfd7zXZ\0\0\x04", "is xz; unpack it first: unxz"),
        (
            b"PK\x03\x04\x14\0",
            "is a zip archive; unpack it first: unzip",
        ),
        (b"\x7fELF\x02\x01\x01\0\0\0", "binary file, not a log"),
        (
            b"\xff\xfe1\x009\x002\x00",
            "is UTF-16 text; convert it first: iconv -f UTF-16 -t UTF-8",
        ),
        (&tar, "is a tar archive; unpack it first: tar -xf"),
        (&gzip(&tar), "is a tar archive; unpack it first: tar -xf"),
        (&gzip(&gzip(LINE)), "is gzip inside gzip; unpack it once"),
        (
            &gzip(LINE)[..8],
            "truncated gzip: read 0 lines; still being written, or copied in part",
        ),
    ];
    for (content, reason) in cases {
        let dir = Dir::new();
        let odd = dir.write("odd.log", content);
        let good = dir.write("good.log", LINE);
        let (found, problems) = look(&[odd, good]);
        assert_eq!(names(&found), [dir.name("good.log")]);
        assert_eq!(reasons(&problems), [(&*dir.name("odd.log"), *reason)]);
    }
}

#[test]
fn a_log_that_begins_like_bzip2_or_has_a_zeroed_block_is_a_log() {
    let mut crashed = log(2_000);
    crashed[500..900].fill(0);
    for content in [&b"BZh9 started\n"[..], &crashed] {
        let dir = Dir::new();
        let (found, problems) = look(&[dir.write("a.log", content)]);
        assert_eq!(found.len(), 1);
        assert_eq!(problems, []);
    }
}

#[test]
fn a_log_with_the_raw_bytes_of_scanners_in_it_is_a_log() {
    let mut content = Vec::new();
    for index in 0..20 {
        content.extend_from_slice(&log(200));
        if index % 3 == 0 {
            content.extend_from_slice(
                b"2026/11/22 09:00:00 [info] 7#7: *4 client sent invalid method, request: \"\x16\x03\x01\0\x01\0\0\x02\0\0\0\0\0\0\"\n",
            );
        }
    }
    let dir = Dir::new();
    let (found, problems) = look(&[dir.write("error.log", &content)]);
    assert_eq!(found.len(), 1);
    assert_eq!(problems, []);
}

#[test]
fn too_many_files_are_cut_by_name_and_said() {
    let dir = Dir::new();
    for index in 0..5 {
        dir.write(&format!("{index}.log"), &log(100 + index * 100));
    }
    let limits = Limits {
        files_max: 3,
        ..Limits::default()
    };
    let (found, problems) = find(&[dir.0.path()], &limits);
    assert_eq!(
        names(&found),
        ["0.log", "1.log", "2.log"].map(|name| dir.name(name))
    );
    let reason = "more than 3 files; this and the following are not read: name fewer";
    assert_eq!(reasons(&problems), [(&*dir.name("3.log"), reason)]);
}

#[test]
fn debug_output_shows_no_log_text() {
    let dir = Dir::new();
    let (found, _) = look(&[dir.write("a.log", LINE)]);
    assert!(!format!("{found:?}").contains("192.0.2.1"));
}
