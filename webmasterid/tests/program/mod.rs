//! Runs the program as a user does: a command line in, two streams and an exit status out.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test may panic"
)]

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

/// What a run left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// `None` where a signal ended it.
    pub(crate) status: Option<i32>,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            status: output.status.code(),
        }
    }
}

impl Ran {
    /// Its standard output, where a report was made and nothing was said besides.
    #[track_caller]
    pub(crate) fn report(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (Some(0), ""));
        self.stdout
    }
}

/// The program, in `folder`.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webmasterid"));
    command.current_dir(folder).stdin(Stdio::null());
    command.env("WEBMASTERID_RANGES", NO_STORE);
    command
}

/// Whoever runs the tests may have address ranges stored: a report must not depend on them.
const NO_STORE: &str = "no address ranges are stored here";

/// Runs it in `folder`.
pub(crate) fn run<S: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = S>) -> Ran {
    Ran::from(program(folder).args(args).output().unwrap())
}

/// Runs it in `folder`; the words of the command line are parted by blanks.
pub(crate) fn line(folder: &Path, words: &str) -> Ran {
    run(folder, words.split_whitespace())
}

/// Runs a line of the shell in `folder`, where `$WEBMASTERID` is the program.
pub(crate) fn shell(folder: &Path, line: &str) -> Ran {
    let mut shell = Command::new("sh");
    let shell = shell.arg("-c").arg(line).current_dir(folder);
    let shell = shell.env("WEBMASTERID_RANGES", NO_STORE);
    let shell = shell.env("WEBMASTERID", env!("CARGO_BIN_EXE_webmasterid"));
    Ran::from(shell.stdin(Stdio::null()).output().unwrap())
}

/// Runs it with `input` on standard input.
pub(crate) fn pipe(folder: &Path, words: &str, input: &[u8]) -> Ran {
    let mut child = program(folder)
        .args(words.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that does not read to the end is no fault of the writer.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran::from(output)
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The folders in `folder`, by name.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// Every recorded case: `cases/<cause>/<edge>-<what>`.
pub(crate) fn cases() -> Vec<PathBuf> {
    folders(&root().join("cases"))
        .iter()
        .flat_map(|cause| folders(cause))
        .filter(|folder| folder.join("case.toml").exists())
        .collect()
}

/// Every recording, a folder of examples or of all cases of a cause: together what `cases` and `examples` give.
pub(crate) fn recordings() -> Vec<PathBuf> {
    [examples(), folders(&root().join("cases"))].concat()
}

/// Every example: `examples/<what>`. What really happened stands beside them, in `examples/truth`.
pub(crate) fn examples() -> Vec<PathBuf> {
    let mut examples = folders(&root().join("examples"));
    examples.retain(|folder| !folder.ends_with("truth"));
    examples
}

/// The logs in `folder`, by name.
pub(crate) fn logs(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".log"))
        .collect();
    names.sort();
    names
}

/// Does `work` to each of `items` on a few threads; the results are in the order of `items`.
pub(crate) fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8);
    let share = items.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(|| part.iter().map(&work).collect::<Vec<R>>()))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    })
}
