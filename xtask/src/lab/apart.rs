//! Labs side by side, each in a loopback net and a `/tmp/shop` of its own: every lab uses the same addresses, and one
//! would answer where another wants nobody. `/dev/shm` is theirs, too: libfaketime leaves a file there by process id, and a
//! program that gets the id later dies of it. Needs Linux namespaces; without them labs run one after the other.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, ensure};

use super::SOCKET_DIR;
use crate::command;

/// Set for a lab that has a net of its own.
const APART: &str = "WEBMASTERID_LAB_APART";

/// Whether this lab has a net of its own.
pub(super) fn is_apart() -> bool {
    std::env::var_os(APART).is_some()
}

/// Whether namespaces can be made here: as root, mostly, and not in every container.
pub(super) fn is_possible() -> bool {
    let made = command::output(&mut within("true".as_ref()));
    made.is_ok()
}

/// `program` in namespaces of its own.
fn within(program: &std::ffi::OsStr) -> Command {
    let mut unshare = command::program("unshare");
    let prepare = format!(
        "ip link set lo up && mkdir -p {SOCKET_DIR} && mount -t tmpfs none {SOCKET_DIR} && mount -t tmpfs none /dev/shm && exec \"$@\""
    );
    unshare.args(["--net", "--mount", "sh", "-c", &prepare, "sh"]);
    unshare.arg(program).env(APART, "1");
    unshare
}

/// Runs a lab for each of `names`, at most `jobs` at once, and shows what each says once it has ended. An error names all
/// that failed.
pub(super) fn run(names: &[&str], jobs: usize, args: &[String]) -> Result<()> {
    let program = std::env::current_exe()?;
    let waiting = Mutex::new(names.iter().copied().collect::<VecDeque<_>>());
    let failed = Mutex::new(Vec::new());
    let next = || {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.pop_front()
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(name) = next() {
                    if let Err(error) = one(&program, name, args) {
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        failed.push(format!("{name}: {error:#}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

fn one(program: &Path, name: &str, args: &[String]) -> Result<()> {
    let mut lab = within(program.as_os_str());
    let output = lab.arg("record").arg(name).args(args).output();
    let output = output.context("cannot start unshare (Debian package util-linux)")?;
    std::io::stdout().write_all(&output.stdout)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", said.trim());
    Ok(())
}
