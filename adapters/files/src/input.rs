//! Bytes as they lie on disk or come down a pipe, with a look ahead.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::limit::READ_BYTES;

/// A reader that can be peeked into, and that counts.
///
/// The standard `BufReader` cannot promise a look at more than one byte, and a member's magic may lie across two
/// reads.
pub(crate) struct Input {
    raw: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    consumed: u64,
    progress: Arc<AtomicU64>,
}

impl Input {
    pub(crate) fn new(raw: Box<dyn Read + Send>) -> Self {
        Self {
            raw,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            consumed: 0,
            progress: Arc::default(),
        }
    }

    /// Counts what is read into `progress` from now on, and what was read before this call at once.
    pub(crate) fn count_into(&mut self, progress: Arc<AtomicU64>) {
        progress.fetch_add(self.progress.load(Ordering::Relaxed), Ordering::Relaxed);
        self.progress = progress;
    }

    /// Bytes consumed so far: the look ahead does not count.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// What lies ahead: at least `count` bytes, fewer only at the end.
    pub(crate) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.buffer.is_empty() {
            self.buffer.resize(READ_BYTES, 0);
        }
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end < count.min(self.buffer.len()) {
            let read = read_some(&mut *self.raw, &mut self.buffer[self.end..])?;
            if read == 0 {
                break;
            }
            self.progress.fetch_add(read as u64, Ordering::Relaxed);
            self.end += read;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Drops `count` bytes that were peeked at.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        self.consumed += count as u64;
    }

    /// Reads past the buffer once that is empty, so that a plain file is not copied twice.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let held = self.end - self.start;
        let read = if held > 0 {
            let read = held.min(into.len());
            into[..read].copy_from_slice(&self.buffer[self.start..self.start + read]);
            self.start += read;
            read
        } else {
            let read = read_some(&mut *self.raw, into)?;
            self.progress.fetch_add(read as u64, Ordering::Relaxed);
            read
        };
        self.consumed += read as u64;
        Ok(read)
    }
}

fn read_some(raw: &mut (dyn Read + Send), into: &mut [u8]) -> io::Result<usize> {
    loop {
        match raw.read(into) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
