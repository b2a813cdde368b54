//! What reading gives: the grid, the lines, and what is said when a file is not what it should be.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use files::{BufferPool, ChunkReader, Found, Limits, ReadError, ReadStats, Trailing, chunks, find};
use tempfile::TempDir;

const SMALL: Limits = Limits {
    chunk_bytes: 1_000,
    line_bytes_max: 300,
    files_max: 10,
    inflated_ratio_max: 100,
    inflated_free_bytes: 1 << 20,
    inflated_bytes_max: 1 << 30,
};

struct Read {
    chunks: Vec<(u64, Vec<u8>)>,
    failure: Option<ReadError>,
    stats: ReadStats,
    problems: Vec<(Option<u64>, String, u64)>,
}

impl Read {
    fn all(&self) -> Vec<u8> {
        self.chunks.concat_bytes()
    }

    fn failure(&self) -> String {
        self.failure.as_ref().unwrap().to_string()
    }
}

trait Concat {
    fn concat_bytes(&self) -> Vec<u8>;
}

impl Concat for Vec<(u64, Vec<u8>)> {
    fn concat_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|(_, bytes)| bytes.clone()).collect()
    }
}

fn drain(mut reader: ChunkReader) -> Read {
    let mut read = Read {
        chunks: Vec::new(),
        failure: None,
        stats: ReadStats::default(),
        problems: Vec::new(),
    };
    for item in reader.by_ref() {
        assert!(read.failure.is_none(), "nothing comes after a failure");
        match item {
            Ok(chunk) => read.chunks.push((chunk.first_line, chunk.bytes)),
            Err(failure) => read.failure = Some(failure),
        }
    }
    assert!(reader.next().is_none());
    read.stats = reader.stats();
    read.problems = reader
        .problems("x")
        .into_iter()
        .map(|problem| (problem.line, problem.reason, problem.count))
        .collect();
    read
}

fn one(path: &Path) -> Found {
    let (mut found, problems) = find(&[path], &Limits::default());
    assert_eq!(problems, []);
    found.pop().unwrap()
}

/// Writes `content` to a file and reads it.
fn read(content: &[u8], limits: &Limits) -> Read {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.log");
    fs::write(&path, content).unwrap();
    drain(chunks(&one(&path), limits))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn log(bytes: usize) -> Vec<u8> {
    let mut log = Vec::new();
    for number in 0_u64.. {
        if log.len() >= bytes {
            break;
        }
        let odd = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        writeln!(
            log,
            "{number} GET /item/{odd:x}{} 200",
            "/deep".repeat(number as usize % 7)
        )
        .unwrap();
    }
    log
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// The grid by its definition, on the whole content.
fn grid(content: &[u8], chunk_bytes: usize) -> Vec<(u64, Vec<u8>)> {
    let mut expected = Vec::new();
    let (mut start, mut first_line) = (0, 1);
    while start < content.len() {
        let cut = (start / chunk_bytes + 1) * chunk_bytes;
        let end = (cut..=content.len())
            .find(|&end| content[end - 1] == b'\n')
            .unwrap_or(content.len());
        let bytes = content[start..end].to_vec();
        let count = lines(&bytes);
        expected.push((first_line, bytes));
        first_line += count;
        start = end;
    }
    expected
}

#[test]
fn chunks_are_the_grid_of_the_definition_however_packed() {
    let content = log(20_000);
    for chunk_bytes in [1, 7, 100, 1_000, 4_096, 1 << 20] {
        let limits = Limits {
            chunk_bytes,
            ..SMALL
        };
        let expected = grid(&content, chunk_bytes as usize);
        for packed in [content.clone(), gzip(&content), zstd(&content)] {
            let read = read(&packed, &limits);
            assert!(read.chunks == expected, "grid of {chunk_bytes}");
            assert!(read.failure.is_none());
            assert_eq!(read.stats.lines, lines(&content));
            assert_eq!(read.stats.bytes, content.len() as u64);
            assert_eq!(read.problems, []);
        }
    }
}

#[test]
fn the_default_grid_holds_on_more_than_one_chunk() {
    let content = log(9 << 20);
    let expected = grid(&content, 2 << 20);
    assert_eq!(expected.len(), 5);
    for packed in [content.clone(), gzip(&content), zstd(&content)] {
        assert!(read(&packed, &Limits::default()).chunks == expected);
    }
}

#[test]
fn a_last_line_without_its_end_is_a_line() {
    let read = read(b"a\nb\r\n\nlast", &SMALL);
    assert_eq!(read.all(), b"a\nb\r\n\nlast");
    assert_eq!(read.stats.lines, 4);
}

#[test]
fn an_empty_file_gives_nothing_and_is_no_failure() {
    for content in [Vec::new(), gzip(b""), zstd(b"")] {
        let read = read(&content, &SMALL);
        assert!(read.chunks.is_empty() && read.failure.is_none());
        assert_eq!(read.stats, ReadStats::default());
    }
}

#[test]
fn every_member_and_frame_is_read() {
    let content = log(50_000);
    for pack in [gzip, zstd] {
        let mut packed = Vec::new();
        for part in content.chunks(999) {
            packed.extend(pack(part));
            packed.extend(pack(b""));
        }
        let read = read(&packed, &SMALL);
        assert!(read.chunks == grid(&content, 1_000));
        assert!(read.failure.is_none());
    }
}

#[test]
fn a_zstd_file_that_begins_with_a_skippable_frame_is_zstd() {
    let mut packed = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    packed.extend(zstd(b"a\nb\n"));
    assert_eq!(read(&packed, &SMALL).all(), b"a\nb\n");
}

#[test]
fn a_zstd_window_too_large_for_us_is_said_with_what_to_do() {
    // A frame header with a window of 2 GiB (RFC 8878, 3.1.1.1.2: exponent 21), then an empty last block.
    let packed = [0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.zst");
    fs::write(&path, packed).unwrap();
    let (found, problems) = find(&[&path], &Limits::default());
    assert!(found.is_empty());
    let reason =
        "zstd that is not supported: Frame requires too much memory for decoding; unpack it first";
    assert_eq!(problems[0].reason, reason);
}

#[test]
fn readers_and_sources_can_cross_threads() {
    fn sent<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    sent::<ChunkReader>();
    shared::<Found>();
    shared::<BufferPool>();
}

#[test]
fn what_stands_behind_the_last_member_is_not_read_but_said() {
    for (name, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd)] {
        for (behind, trailing, reason) in [
            (
                &[0; 512][..],
                Trailing::Zeros,
                format!("zero bytes behind the last {name} block, harmless"),
            ),
            (
                b"junk",
                Trailing::Garbage,
                format!("bytes behind the last {name} block that are not {name}, not read"),
            ),
        ] {
            let mut packed = pack(b"a\nb\n");
            packed.extend(behind);
            let read = read(&packed, &SMALL);
            assert_eq!(read.all(), b"a\nb\n");
            assert!(read.failure.is_none());
            assert_eq!(read.stats.trailing, Some(trailing));
            assert_eq!(read.problems, [(None, reason, 1)]);
        }
    }
}

/// What the libraries' own readers give of a damaged file, at best.
fn inflated_by_library(name: &str, packed: &[u8]) -> Vec<u8> {
    use std::io::Read as _;
    let mut inflated = Vec::new();
    match name {
        "gzip" => flate2::bufread::MultiGzDecoder::new(packed).read_to_end(&mut inflated),
        _ => zstd::Decoder::new(packed)
            .unwrap()
            .read_to_end(&mut inflated),
    }
    .unwrap_err();
    inflated
}

#[test]
fn a_truncated_file_gives_all_there_is_and_says_how_much() {
    let content = log(3_000_000);
    for (name, packed) in [("gzip", gzip(&content)), ("zstd", zstd(&content))] {
        let mut before = 0;
        for part in [10, 30, 50, 70, 90, 99] {
            let read = read(&packed[..packed.len() * part / 100], &SMALL);
            let got = read.all();
            assert!(content.starts_with(&got), "{name} {part}");
            assert!(got.len() >= before);
            assert_eq!(
                got,
                inflated_by_library(name, &packed[..packed.len() * part / 100])
            );
            before = got.len();
            let partial = u64::from(!got.ends_with(b"\n") && !got.is_empty());
            let count = lines(&got) + partial;
            assert_eq!(
                read.failure(),
                format!(
                    "truncated {name}: read {count} lines; still being written, or copied in part"
                )
            );
        }
    }
}

#[test]
fn a_gzip_cut_in_its_checksum_is_truncated_with_every_line_read() {
    let content = log(5_000);
    let packed = gzip(&content);
    let read = read(&packed[..packed.len() - 3], &SMALL);
    assert!(read.all() == content);
    assert!(read.failure().starts_with("truncated gzip"));
}

#[test]
fn a_damaged_file_gives_the_lines_before_the_damage() {
    let content = log(1_000_000);
    for (name, mut packed) in [("gzip", gzip(&content)), ("zstd", zstd(&content))] {
        let middle = packed.len() / 2;
        packed[middle..middle + 200].fill(0xff);
        let read = read(&packed, &SMALL);
        let got = read.all();
        let same = got.iter().zip(&content).take_while(|(a, b)| a == b).count();
        assert!(
            same > content.len() / 3,
            "{name}: {same} of {}",
            content.len()
        );
        let failure = read.failure();
        assert!(
            failure.starts_with(&format!("corrupt {name}: read ")),
            "{failure}"
        );
        assert_eq!(
            read.failure.unwrap().problem("x").line,
            Some(read.stats.lines)
        );
    }
}

#[test]
fn damage_at_any_byte_ends_and_keeps_the_lines_in_bounds() {
    let content = log(1_500);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.log");
    for packed in [gzip(&content), zstd(&content)] {
        for position in 4..packed.len() {
            let mut damaged = packed.clone();
            damaged[position] ^= 0x5a;
            fs::write(&path, damaged).unwrap();
            for found in find(&[&path], &SMALL).0 {
                let read = drain(chunks(&found, &SMALL));
                let got = read.all();
                let partial = u64::from(!got.ends_with(b"\n") && !got.is_empty());
                assert_eq!(read.stats.lines, lines(&got) + partial, "{position}");
            }
        }
    }
}

#[test]
fn a_wrong_checksum_is_said_after_every_line() {
    let content = log(5_000);
    let mut packed = gzip(&content);
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    let read = read(&packed, &SMALL);
    assert!(read.all() == content);
    assert!(read.failure().starts_with("corrupt gzip"));
}

#[test]
fn a_bomb_is_stopped_with_what_came_before_it() {
    let mut content = log(10_000);
    let honest = content.len();
    content.resize(8 << 20, b'\n');
    for packed in [gzip(&content), zstd(&content)] {
        let read = read(&packed, &SMALL);
        let got = read.all();
        assert!(content.starts_with(&got) && got.len() > honest);
        assert!(
            got.len() as u64 <= SMALL.inflated_free_bytes,
            "{}",
            got.len()
        );
        assert!(
            read.failure().starts_with("decompression bomb: "),
            "{}",
            read.failure()
        );
    }
}

#[test]
fn a_bomb_without_line_ends_takes_no_memory_and_is_stopped() {
    let content = vec![b'a'; 8 << 20];
    let read = read(&gzip(&content), &SMALL);
    assert_eq!(read.all(), b"\n");
    assert!(read.failure().starts_with("decompression bomb: "));
}

#[test]
fn a_plain_file_is_never_a_bomb() {
    let limits = Limits {
        inflated_bytes_max: 10,
        inflated_free_bytes: 0,
        inflated_ratio_max: 0,
        ..SMALL
    };
    assert!(read(b"as long\nas it\nlikes\n", &limits).failure.is_none());
}

#[test]
fn a_long_line_becomes_an_empty_one_and_the_others_keep_their_numbers() {
    let mut content = b"one\n".to_vec();
    content.extend(vec![b'x'; 10 << 20]);
    content.extend(b"\r\nthree\n");
    content.extend(vec![b'y'; 301]);
    content.extend(b"\nfive\n");
    for packed in [content.clone(), gzip(&content)] {
        let limits = Limits {
            inflated_ratio_max: 2_000,
            ..SMALL
        };
        let read = read(&packed, &limits);
        assert_eq!(read.all(), b"one\n\nthree\n\nfive\n");
        assert_eq!(read.stats.lines, 5);
        assert_eq!(read.stats.bytes, content.len() as u64);
        let reason = "line longer than 300 bytes, left out".to_owned();
        assert_eq!(read.problems, [(Some(2), reason, 2)]);
        assert!(
            read.chunks
                .iter()
                .all(|(_, bytes)| bytes.capacity() < 10_000)
        );
    }
}

#[test]
fn a_line_of_just_the_limit_is_kept() {
    for (length, kept) in [(300, true), (301, false)] {
        for start in [0, 1, 299, 700, 999] {
            let mut content = vec![b'\n'; start];
            content.extend(vec![b'x'; length]);
            content.extend(b"\nz");
            let read = read(&content, &SMALL);
            assert_eq!(
                read.stats.long_lines,
                u64::from(!kept),
                "{length} at {start}"
            );
            assert_eq!(read.all() == content, kept);
            assert_eq!(read.stats.lines, start as u64 + 2);
        }
    }
}

#[test]
fn a_file_without_any_line_end_is_one_line() {
    let read = read(&vec![b'x'; 10 << 20], &Limits::default());
    assert_eq!(read.all(), b"\n");
    assert_eq!(read.stats.lines, 1);
    assert_eq!(read.stats.long_lines, 1);
}

fn written(content: &[u8]) -> (TempDir, Found) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.log");
    fs::write(&path, content).unwrap();
    let found = one(&path);
    (dir, found)
}

#[test]
fn a_file_that_vanishes_is_said() {
    let (dir, found) = written(b"a\n");
    fs::remove_file(dir.path().join("a.log")).unwrap();
    let read = drain(chunks(&found, &SMALL));
    assert_eq!(read.failure(), "cannot be opened: no such file");
    assert!(files::head(&found).is_err());
}

#[cfg(unix)]
#[test]
fn a_file_that_was_rotated_away_is_not_mistaken_for_its_successor() {
    let (dir, found) = written(b"old\n");
    let path = dir.path().join("a.log");
    fs::rename(&path, dir.path().join("a.log.1")).unwrap();
    fs::write(&path, b"new\n").unwrap();
    let read = drain(chunks(&found, &SMALL));
    assert!(read.chunks.is_empty());
    assert!(matches!(read.failure, Some(ReadError::Replaced)));
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_said() {
    let (dir, found) = written(&log(1_000_000));
    let mut reader = chunks(&found, &SMALL);
    let first = reader.next().unwrap().ok().unwrap();
    fs::OpenOptions::new()
        .write(true)
        .open(dir.path().join("a.log"))
        .unwrap()
        .set_len(0)
        .unwrap();
    let count = lines(&first.bytes);
    let read = drain(reader);
    assert!(
        read.failure().contains("became shorter"),
        "{}",
        read.failure()
    );
    assert!(read.stats.lines >= count);
}

#[test]
fn a_file_that_grows_is_read_to_where_it_ends() {
    let (dir, found) = written(b"a\n");
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(dir.path().join("a.log"))
        .unwrap();
    file.write_all(b"b\n").unwrap();
    let read = drain(chunks(&found, &SMALL));
    assert_eq!(read.all(), b"a\nb\n");
    assert!(read.failure.is_none());
}

#[test]
fn spent_buffers_with_old_content_change_nothing() {
    let content = log(20_000);
    let (_dir, found) = written(&gzip(&content));
    let pool = BufferPool::default();
    pool.recycle(b"old\ncontent\n".repeat(1_000));
    let mut reader = chunks(&found, &SMALL).with_pool(pool.clone());
    let mut all = Vec::new();
    while let Some(Ok(chunk)) = reader.next() {
        all.extend_from_slice(&chunk.bytes);
        pool.recycle(chunk.bytes);
    }
    assert!(all == content);
}

#[test]
fn progress_reaches_the_size_on_disk() {
    for content in [log(600_000), gzip(&log(600_000)), zstd(&log(600_000))] {
        let (_dir, found) = written(&content);
        let progress = Arc::new(AtomicU64::new(0));
        drain(chunks(&found, &SMALL).with_progress(Arc::clone(&progress)));
        assert_eq!(progress.load(Ordering::Relaxed), found.size);
    }
}
