//! Exit status: 0 report made, whatever it says; 1 internal or output failure; 2 arguments; 3 nothing readable or too
//! much unreadable; 4 `probe` found something that is not good; 10 with `--fail-on`. A reader that closes the pipe is success.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// What `probe` asked is not good.
pub(crate) const NOT_GOOD: u8 = 4;

/// An incident of a verdict named by `--fail-on` stands.
pub(crate) const FAIL_ON: u8 = 10;

/// What the user must know, and the exit status it means.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    message: String,
}

impl Failure {
    /// The arguments, or a file they name, cannot be used: status 2.
    pub(crate) fn arguments(message: impl Into<String>) -> anyhow::Error {
        Self {
            status: 2,
            message: message.into(),
        }
        .into()
    }

    /// Nothing readable, or too much unreadable: status 3.
    pub(crate) fn unreadable(message: impl Into<String>) -> anyhow::Error {
        Self {
            status: 3,
            message: message.into(),
        }
        .into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Says on stderr what failed and gives the exit status.
pub(crate) fn code(result: anyhow::Result<u8>) -> ExitCode {
    let error = match result {
        Ok(status) => return ExitCode::from(status),
        Err(error) => error,
    };
    let is_broken_pipe = error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    if is_broken_pipe {
        return ExitCode::SUCCESS;
    }
    let status = error
        .downcast_ref::<Failure>()
        .map_or(1, |failure| failure.status);
    // Nobody is left to tell if stderr is closed too.
    let _ = writeln!(io::stderr(), "webmasterid: {error:#}");
    ExitCode::from(status)
}
