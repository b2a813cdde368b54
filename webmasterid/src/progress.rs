//! A bar on stderr for long work, when that is a terminal.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows how much of the files was read.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    /// Bytes read from disk.
    pub(crate) read: Arc<AtomicU64>,
}

impl Progress {
    /// Work that lasts less than this shows nothing.
    const QUIET: Duration = Duration::from_millis(700);

    /// A bar over `bytes`; hidden unless stderr is a terminal.
    pub(crate) fn new(bytes: u64) -> Self {
        let read = Arc::new(AtomicU64::new(0));
        let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(bytes);
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, read }
    }

    /// Draws, once the work has lasted a while.
    pub(crate) fn tick(&self) {
        if let Some(bar) = self.bar.as_ref().filter(|bar| bar.elapsed() > Self::QUIET) {
            bar.set_position(self.read.load(Ordering::Relaxed));
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
