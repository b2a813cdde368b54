//! The buffer a chunk grows in. It keeps no line that is too long.

use memchr::{memchr, memchr_iter, memrchr};

use crate::limit::READ_BYTES;

/// Lines as they come in, piece by piece.
pub(crate) struct Lines {
    bytes: Vec<u8>,
    /// Bytes of it in use: the rest is left from earlier use and saves clearing.
    length: usize,
    /// Where the unfinished line begins.
    line_start: usize,
    line_max: usize,
    /// Within a line that was too long, whose bytes are dropped until its end.
    dropping: bool,
    /// Lines so far.
    pub(crate) count: u64,
    /// Lines that were too long.
    pub(crate) long: u64,
    /// Index of the first of them, from 0.
    pub(crate) first_long: Option<u64>,
    /// Whether these are the last of the source.
    pub(crate) ended: bool,
}

impl Lines {
    /// Begins in a used buffer, whose content is overwritten.
    pub(crate) fn new(bytes: Vec<u8>, line_max: usize) -> Self {
        Self {
            bytes,
            length: 0,
            line_start: 0,
            line_max: line_max.max(1),
            dropping: false,
            count: 0,
            long: 0,
            first_long: None,
            ended: false,
        }
    }

    /// Room for the next piece, at most `wanted` bytes. A piece is never longer than a line may be, so that only the
    /// line across its beginning can be too long.
    pub(crate) fn space(&mut self, wanted: usize) -> &mut [u8] {
        let piece = wanted.min(READ_BYTES).min(self.line_max);
        let end = self.length + piece;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        &mut self.bytes[self.length..end]
    }

    /// Takes in the first `read` bytes of the space.
    pub(crate) fn accept(&mut self, read: usize) {
        let end = self.length + read;
        let piece = &self.bytes[self.length..end];
        let Some(newline) = memchr(b'\n', piece) else {
            if !self.dropping {
                self.length = end;
                self.drop_long_line(end);
            }
            return;
        };
        let ends = memchr_iter(b'\n', piece).count() as u64;
        let line_end = self.length + newline;
        self.drop_long_line(line_end);
        if self.dropping {
            // Its line end stays, as an empty line, so that the lines after it keep their numbers.
            self.dropping = false;
            self.bytes.copy_within(line_end..end, self.line_start);
            self.length = self.line_start + (end - line_end);
        } else {
            self.length = end;
        }
        self.count += ends;
        self.line_start = memrchr(b'\n', &self.bytes[..self.length]).map_or(0, |last| last + 1);
    }

    /// Drops the unfinished line if it is too long when it reaches to `end`.
    fn drop_long_line(&mut self, end: usize) {
        if self.dropping || end - self.line_start <= self.line_max {
            return;
        }
        self.dropping = true;
        self.length = self.line_start;
        self.long += 1;
        self.first_long.get_or_insert(self.count);
    }

    /// The source is over: what is unfinished is its last line.
    pub(crate) fn end(&mut self) {
        self.ended = true;
        if self.dropping {
            self.space(1)[0] = b'\n';
            self.length += 1;
        }
        if self.length > self.line_start {
            self.count += 1;
        }
    }

    /// The lines, in a buffer of just their length.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.length);
        self.bytes
    }
}
