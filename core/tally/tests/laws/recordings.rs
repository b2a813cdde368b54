//! The recordings of the lab, examples and cases.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use model::{Edge, LogKind};

use crate::log::{Log, Source, assert_splits, intake};

/// Splits over all recordings together.
const SPLITS: usize = 1_000;
/// Splits of each example: their logs are a hundred times longer than a case's.
const SPLITS_OF_EXAMPLE: usize = 4;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Folders that hold logs, sorted.
fn folders(under: &Path, depth: u8) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(under)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    all.sort();
    if depth > 0 {
        all = all
            .iter()
            .flat_map(|path| folders(path, depth - 1))
            .collect();
    }
    all
}

fn recording(folder: &Path) -> Log {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| name_of(path).contains(".log"))
        .collect();
    files.sort();
    let edge = Edge::from_name(name_of(folder).split('-').next().unwrap());
    Log {
        name: name_of(folder),
        sources: files
            .iter()
            .map(|file| Source {
                kind: if name_of(file).starts_with("error") {
                    LogKind::Error
                } else {
                    LogKind::Access
                },
                edge: edge.unwrap_or(Edge::Unknown),
                bytes: content(file),
            })
            .collect(),
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn content(file: &Path) -> Vec<u8> {
    let bytes = fs::read(file).unwrap();
    if file.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice())
        .read_to_end(&mut plain)
        .unwrap();
    plain
}

pub(crate) fn examples() -> Vec<Log> {
    folders(&root().join("examples"), 0)
        .iter()
        .filter(|folder| !folder.ends_with("truth"))
        .map(|folder| recording(folder))
        .collect()
}

pub(crate) fn cases() -> Vec<Log> {
    folders(&root().join("cases"), 1)
        .iter()
        .map(|folder| recording(folder))
        .collect()
}

#[test]
fn any_split_of_a_case_gives_the_same() {
    let (intake, cases) = (intake(1), cases());
    assert!(!cases.is_empty(), "no recordings under cases/");
    let each = SPLITS.div_ceil(cases.len());
    for (seed, case) in cases.iter().enumerate() {
        assert_splits(&intake, case, each, seed as u64);
    }
}

#[test]
fn any_split_of_an_example_gives_the_same() {
    let intake = intake(2);
    for (seed, example) in examples().iter().enumerate() {
        assert_splits(&intake, example, SPLITS_OF_EXAMPLE, seed as u64);
    }
}

/// What strangers write, one after the other: broken lines, other layouts, bytes that are no text, lines without end.
fn corpus(target: &str, kind: LogKind) -> Source {
    let folder = root().join("fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut bytes = Vec::new();
    for (n, file) in files.iter().enumerate() {
        bytes.extend(content(file));
        bytes.extend([b"\n".as_slice(), b"\r\n", b"\n\n", b"\n \n"][n % 4]);
        if n == 9 {
            bytes.extend(b"x".repeat(intake::LINE_MAX + 1));
            bytes.push(b'\n');
        }
    }
    // The last line has no end.
    bytes.extend(b"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] \"GET / HTT");
    Source {
        kind,
        edge: Edge::Unknown,
        bytes,
    }
}

#[test]
fn any_split_of_rubbish_gives_the_same() {
    let rubbish = Log {
        name: "rubbish".to_owned(),
        sources: vec![
            corpus("access_line", LogKind::Access),
            corpus("error_line", LogKind::Error),
            // Each kind is also read where the other is expected.
            corpus("error_line", LogKind::Access),
            corpus("access_line", LogKind::Error),
        ],
    };
    assert_splits(&intake(9), &rubbish, 60, 9);
}
