//! From the arguments of the command line to the sources they name.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};
use model::Problem;
use walkdir::WalkDir;

use crate::archive;
use crate::decoder::Decoder;
use crate::duplicate::{Duplicates, Fingerprint};
use crate::error::{ReadError, reason};
use crate::found::{Access, FileId, Found, metadata};
use crate::limit::{HEAD_BYTES, Limits};

/// All sources that `args` name, in name order, and what could not be taken.
///
/// An argument is a file, a directory (walked to its depths, links followed), a pattern that the shell left alone, or
/// `-` for standard input. No file is left out for its name: content decides. A file reached twice, and content that
/// stands in two files, is taken once and said so; a pipe is compared only if all of it fits into its head.
/// Neither result depends on the order of the arguments.
pub fn find<P: AsRef<Path>>(args: &[P], limits: &Limits) -> (Vec<Found>, Vec<Problem>) {
    let mut search = Search {
        files_max: limits.files_max,
        candidates: Vec::new(),
        problems: Vec::new(),
    };
    let mut args: Vec<&Path> = args.iter().map(AsRef::as_ref).collect();
    args.sort();
    for arg in args {
        search.argument(arg);
    }
    let Search {
        mut candidates,
        mut problems,
        ..
    } = search;
    candidates.sort();
    let found = take(candidates, limits, &mut problems);
    problems.sort_by(|a, b| (&a.source, &a.reason).cmp(&(&b.source, &b.reason)));
    (found, problems)
}

/// A path worth opening. Ordered by the name shown.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    name: String,
    path: PathBuf,
    reached: Reached,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    /// The user typed it: it may be a pipe.
    Named,
    /// Met in a directory or matched by a pattern.
    Met,
    /// `-`.
    StandardInput,
}

struct Search {
    files_max: usize,
    candidates: Vec<Candidate>,
    problems: Vec<Problem>,
}

impl Search {
    fn argument(&mut self, arg: &Path) {
        if arg == Path::new("-") {
            self.candidate(arg, Reached::StandardInput);
            return;
        }
        match std::fs::metadata(arg) {
            Ok(metadata) if metadata.is_dir() => self.directory(arg),
            Ok(_) => {
                self.candidate(arg, Reached::Named);
            }
            Err(error) => match pattern(arg) {
                Some(pattern) => self.glob(arg, pattern),
                None => self.problem(arg, reason(&error)),
            },
        }
    }

    fn glob(&mut self, arg: &Path, pattern: &str) {
        // As in a shell: a star matches no hidden file.
        let options = MatchOptions {
            require_literal_leading_dot: true,
            ..MatchOptions::new()
        };
        let matches = match glob::glob_with(pattern, options) {
            Ok(matches) => matches,
            Err(error) => {
                return self.problem(
                    arg,
                    format!("no such file, and not a pattern: {}", error.msg),
                );
            }
        };
        let mut any = false;
        for entry in matches {
            any = true;
            match entry {
                Ok(path) if path.is_dir() => self.directory(&path),
                Ok(path) => {
                    if !self.candidate(&path, Reached::Met) {
                        return;
                    }
                }
                Err(error) => self.problem(error.path(), reason(error.error())),
            }
        }
        if !any {
            self.problem(arg, "pattern matches no file".to_owned());
        }
    }

    fn directory(&mut self, directory: &Path) {
        let mut any = false;
        for entry in WalkDir::new(directory)
            .follow_links(true)
            .sort_by_file_name()
        {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    any = true;
                    if !self.candidate(entry.path(), Reached::Met) {
                        return;
                    }
                }
                Err(error) => {
                    any = true;
                    self.problem(error.path().unwrap_or(directory), walk_reason(&error));
                }
            }
        }
        if !any {
            self.problem(directory, "directory holds no files".to_owned());
        }
    }

    /// Notes a path; false once there are too many.
    fn candidate(&mut self, path: &Path, reached: Reached) -> bool {
        if self.candidates.len() >= self.files_max {
            let limit = self.files_max;
            self.problem(
                path,
                format!("more than {limit} files; this and the following are not read: name fewer"),
            );
            return false;
        }
        self.candidates.push(Candidate {
            name: path.to_string_lossy().into_owned(),
            path: path.to_owned(),
            reached,
        });
        true
    }

    fn problem(&mut self, path: &Path, reason: String) {
        self.problems.push(problem(&path.to_string_lossy(), reason));
    }
}

fn problem(source: &str, reason: String) -> Problem {
    Problem {
        source: source.to_owned(),
        line: None,
        reason,
        count: 1,
    }
}

/// The argument as a pattern, if it has any of a pattern's signs.
fn pattern(arg: &Path) -> Option<&str> {
    let text = arg.to_str()?;
    (text != Pattern::escape(text)).then_some(text)
}

fn walk_reason(error: &walkdir::Error) -> String {
    if error.loop_ancestor().is_some() {
        return "symbolic link to a directory above it, not followed".to_owned();
    }
    match error.io_error() {
        Some(error) if error.kind() == io::ErrorKind::NotFound => {
            "symbolic link to nothing, or removed meanwhile".to_owned()
        }
        Some(error) => reason(error),
        None => error.to_string(),
    }
}

/// Opens the candidates in name order and keeps those that are something new.
fn take(candidates: Vec<Candidate>, limits: &Limits, problems: &mut Vec<Problem>) -> Vec<Found> {
    let mut files: BTreeMap<Option<FileId>, String> = BTreeMap::new();
    let mut duplicates = Duplicates::new(limits);
    let mut taken: Vec<Found> = Vec::new();
    for candidate in candidates {
        let name = candidate.name.clone();
        let outcome = identify(&candidate).and_then(|id| {
            if let Some(first) = files.get(&id) {
                return Err(format!("same file as {first}, counted once"));
            }
            let (found, fingerprint) = open(&candidate, id.clone())?;
            files.insert(id, name.clone());
            match duplicates.first(&taken, &found, fingerprint) {
                Some(first) => Err(format!("same content as {first}, counted once")),
                None => Ok(found),
            }
        });
        match outcome {
            Ok(found) => taken.push(found),
            Err(reason) => problems.push(problem(&name, reason)),
        }
    }
    taken
}

/// The file behind the path; none for standard input.
fn identify(candidate: &Candidate) -> Result<Option<FileId>, String> {
    if candidate.reached == Reached::StandardInput {
        return Ok(None);
    }
    let (metadata, id) = metadata(&candidate.path).map_err(|error| reason(&error))?;
    if candidate.reached == Reached::Met && !metadata.is_file() {
        return Err("pipe, socket or device, not read; name it by itself to read it".to_owned());
    }
    Ok(Some(id))
}

fn open(candidate: &Candidate, id: Option<FileId>) -> Result<(Found, Fingerprint), String> {
    let opened = match id {
        None => open_stream(&candidate.name, Box::new(io::stdin())),
        Some(id) => open_path(candidate, id),
    };
    let (found, head, failure) = opened.map_err(|error| ReadError::Open(error).to_string())?;
    if let Some(refusal) = archive::refusal(&head, found.compression) {
        return Err(refusal);
    }
    if let (Some(failure), true) = (failure, head.is_empty()) {
        return Err(ReadError::of(failure, found.compression, 0).to_string());
    }
    let fingerprint = Fingerprint::of(&head);
    Ok((found, fingerprint))
}

type Looked = (Found, Vec<u8>, Option<io::Error>);

fn open_path(candidate: &Candidate, id: FileId) -> io::Result<Looked> {
    let file = File::open(&candidate.path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return open_stream(&candidate.name, Box::new(file));
    }
    let mut decoder = Decoder::new(Box::new(file))?;
    let (head, result) = decoder.read_up_to(HEAD_BYTES);
    let found = Found {
        name: candidate.name.clone(),
        size: metadata.len(),
        compression: decoder.compression(),
        access: Access::File {
            path: candidate.path.clone(),
            id,
        },
    };
    Ok((found, head, result.err()))
}

/// A stream keeps its own head and its own failure, which come up again when it is read.
fn open_stream(name: &str, raw: Box<dyn Read + Send>) -> io::Result<Looked> {
    let found = Found::stream(name.to_owned(), raw)?;
    let head = crate::found::head(&found)?;
    Ok((found, head, None))
}
