//! Standard output: all at once, and a closed pipe is no failure.

use std::io::{self, IsTerminal, Write};

use anyhow::Context;

use crate::cli::Color;

/// Writes `text` to standard output.
pub(crate) fn write(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.context("standard output")
}

/// Whether to write colour.
pub(crate) fn has_color(choice: Color) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        // https://no-color.org: set and not empty.
        Color::Auto => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            io::stdout().is_terminal() && !refused && !dumb
        }
    }
}

/// Says something beside the result, on standard error.
#[expect(clippy::print_stderr, reason = "talk goes to standard error")]
pub(crate) fn note(text: &str) {
    eprintln!("webmasterid: {text}");
}
