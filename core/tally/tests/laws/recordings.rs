//! The recordings of the lab, examples and cases.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use model::{Edge, Finding, LogKind, Place, Stamp};
use tally::{FailureView, View};

use crate::log::{Log, Source, assert_splits, differing, intake};

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

/// Secrets differ from run to run; nothing that is shown may.
#[test]
fn the_secret_decides_nothing_that_is_shown() {
    let (one, other) = (intake(41), intake(42));
    for log in cases().iter().chain(&examples()) {
        let (one, other) = (log.read_whole(&one), log.read_whole(&other));
        let mut all = differing(&one.view, &other.view);
        // These two hold hashes beside what is shown.
        all.retain(|table| !["urls", "failures", "slots or owed"].contains(table));
        assert_eq!(all, [""; 0], "{}", log.name);
        let urls = |view: &View| -> Vec<(u32, String, u32)> {
            view.urls
                .iter()
                .map(|url| (url.host, url.path.clone(), url.node))
                .collect()
        };
        assert_eq!(urls(&one.view), urls(&other.view), "{}", log.name);
        assert_eq!(failures(&one.view), failures(&other.view), "{}", log.name);
        assert_eq!(one.view.series(0), other.view.series(0), "{}", log.name);
        assert!(
            one.sources == other.sources && one.joined == other.joined,
            "{}",
            log.name
        );
    }
}

type Shown = (
    Stamp,
    Place,
    u32,
    Option<Place>,
    u32,
    Option<u32>,
    Option<Finding>,
    bool,
);

fn failures(view: &View) -> Vec<Shown> {
    let shown = |failure: &FailureView| {
        (
            failure.at,
            failure.place,
            failure.count,
            failure.evidence,
            failure.node,
            failure.url,
            failure.finding,
            failure.repeat,
        )
    };
    view.failures.iter().map(shown).collect()
}
