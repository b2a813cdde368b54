//! The lab's clock: one that every proxy started by the lab believes, and that moves when the script says so.
//!
//! libfaketime, preloaded into the proxy, reads an offset from a file at every look at the clock. The script sets the
//! offset before each request and moves it while one is under way, so two days of traffic are recorded in seconds,
//! a 60 s time-out takes no time, and what the proxy writes is still its own stamp and its own measured duration.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use jiff::Timestamp;

/// Zone of every recording: one with an offset that changes, so that a reader that ignores it is found out.
pub(crate) const ZONE: &str = "Europe/Berlin";

/// Where Debian's package `libfaketime` puts the library, by architecture; the plain name elsewhere.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
];

/// A step of a clock that cannot be moved takes this part of its time, really.
const REAL_TIME_PART: u32 = 400;

/// A clock that only moves forwards.
pub(crate) struct Clock {
    file: PathBuf,
    offset_micros: Mutex<i64>,
    real: bool,
}

impl Clock {
    /// A clock at `start`, kept in a file in `dir`.
    pub(crate) fn new(dir: &Path, start: Timestamp) -> Result<Self> {
        let clock = Self {
            file: dir.join("clock"),
            offset_micros: Mutex::new(start.as_microsecond() - real_micros()),
            real: false,
        };
        clock.write(start.as_microsecond() - real_micros())?;
        Ok(clock)
    }

    /// The real time, for a program that asks the kernel itself and cannot be told another.
    pub(crate) fn real(dir: &Path) -> Self {
        Self {
            file: dir.join("clock"),
            offset_micros: Mutex::new(0),
            real: true,
        }
    }

    /// What the clock shows.
    pub(crate) fn now(&self) -> Result<Timestamp> {
        let offset = *self.offset_micros.lock().expect("no holder panics");
        Timestamp::from_microsecond(real_micros() + offset).context("clock out of range")
    }

    /// Moves the clock on to `at`; a moment that has passed leaves it alone.
    pub(crate) fn set(&self, at: Timestamp) -> Result<()> {
        let behind = at.as_microsecond() - self.now()?.as_microsecond();
        if behind > 0 {
            self.advance(Duration::from_micros(behind.unsigned_abs()))?;
        }
        Ok(())
    }

    /// Moves the clock on by `step`.
    pub(crate) fn advance(&self, step: Duration) -> Result<()> {
        if self.real {
            std::thread::sleep(step / REAL_TIME_PART);
            return Ok(());
        }
        let step = i64::try_from(step.as_micros()).context("step too long")?;
        let mut offset = self.offset_micros.lock().expect("no holder panics");
        *offset += step;
        self.write(*offset)
    }

    /// The variables that make a child process believe this clock.
    pub(crate) fn variables(&self) -> Result<Vec<(&'static str, String)>> {
        if self.real {
            return Ok(vec![("TZ", ZONE.to_owned())]);
        }
        Ok(vec![
            ("LD_PRELOAD", library()?.to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("TZ", ZONE.to_owned()),
        ])
    }

    /// Replaces the file in one step, since the proxy may read at any moment.
    fn write(&self, offset_micros: i64) -> Result<()> {
        let next = self.file.with_extension("next");
        let sign = if offset_micros < 0 { '-' } else { '+' };
        let (secs, micros) = (
            offset_micros.unsigned_abs() / 1_000_000,
            offset_micros.unsigned_abs() % 1_000_000,
        );
        std::fs::write(&next, format!("{sign}{secs}.{micros:06}\n"))?;
        std::fs::rename(&next, &self.file).context("cannot set the clock")
    }
}

/// The library that makes a process believe another clock.
fn library() -> Result<&'static str> {
    LIBRARIES
        .into_iter()
        .find(|path| Path::new(path).exists())
        .context("libfaketime is not installed (Debian packages faketime and libfaketime)")
}

/// The variable that has a program of several threads read the clock one thread at a time.
pub(crate) fn for_threads() -> Result<(&'static str, String)> {
    let one_thread = library()?;
    Ok(("LD_PRELOAD", one_thread.replace(".so.1", "MT.so.1")))
}

/// The variables that make a child process believe that it is always `moment` (UTC, as libfaketime reads it).
pub(crate) fn frozen_at(moment: &str) -> Result<[(&'static str, String); 3]> {
    Ok([
        ("LD_PRELOAD", library()?.to_owned()),
        ("FAKETIME", moment.to_owned()),
        ("TZ", "UTC".to_owned()),
    ])
}

fn real_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}
