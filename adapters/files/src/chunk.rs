//! Reading a source as a fixed grid of chunks of whole lines.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use memchr::memchr;
use model::Problem;

use crate::decoder::{Compression, Trailing};
use crate::error::ReadError;
use crate::found::{Found, Opened};
use crate::limit::{Limits, READ_BYTES};
use crate::lines::Lines;
use crate::pool::BufferPool;

/// Whole lines of a source. Not `Debug`: it is log text.
pub struct Chunk {
    /// Number of the first line, from 1.
    pub first_line: u64,
    /// The lines with their ends. Only the last line of a source may lack its end.
    pub bytes: Vec<u8>,
}

/// What was read so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadStats {
    /// Lines, one without an end included.
    pub lines: u64,
    /// Inflated bytes.
    pub bytes: u64,
    /// Lines longer than the limit, each passed on as an empty line.
    pub long_lines: u64,
    /// Number of the first of them.
    pub first_long_line: Option<u64>,
    /// What stood behind the last gzip member or zstd frame.
    pub trailing: Option<Trailing>,
}

/// Reads `found` as chunks, in order. See [`ChunkReader`].
pub fn chunks(found: &Found, limits: &Limits) -> ChunkReader {
    ChunkReader::open(found, *limits)
}

/// The chunks of one source. A chunk ends at the first line end at or after each multiple of
/// [`Limits::chunk_bytes`] in the inflated bytes, however the bytes arrive. Memory is one chunk, a longest line and two
/// read blocks.
///
/// What could be read before a failure comes first, then the failure, then nothing more. What is odd without being a
/// failure is told by [`Self::problems`] at the end. A log that grows is read to where it ends by then.
pub struct ChunkReader {
    opened: Option<Opened>,
    failure: Option<ReadError>,
    /// Inflated bytes at which it was stopped.
    bomb: Option<u64>,
    compression: Compression,
    /// Bytes a plain file had when it was found.
    size: u64,
    /// Read, but not yet part of a chunk.
    ahead: Vec<u8>,
    ahead_start: usize,
    limits: Limits,
    pool: BufferPool,
    stats: ReadStats,
}

impl Iterator for ChunkReader {
    type Item = Result<Chunk, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.opened.is_some() {
            let chunk = self.fill();
            if !chunk.bytes.is_empty() {
                return Some(Ok(chunk));
            }
            self.recycle(chunk.bytes);
        }
        self.failure.take().map(Err)
    }
}

impl ChunkReader {
    fn open(found: &Found, limits: Limits) -> Self {
        let (opened, ahead, failure) = match found.open() {
            Ok((opened, ahead)) => (Some(opened), ahead, None),
            Err(failure) => (None, Vec::new(), Some(failure)),
        };
        let compression = opened
            .as_ref()
            .map_or(found.compression, |opened| opened.decoder.compression());
        Self {
            opened,
            failure,
            bomb: None,
            compression,
            size: found.size,
            ahead,
            ahead_start: 0,
            limits,
            pool: BufferPool::default(),
            stats: ReadStats::default(),
        }
    }

    /// Takes buffers from `pool`, so that chunks can be given back from other threads and to other readers.
    #[must_use]
    pub fn with_pool(mut self, pool: BufferPool) -> Self {
        self.pool = pool;
        self
    }

    /// Adds the bytes read from disk or pipe to `progress` as they come: compare with the sum of [`Found::size`].
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<AtomicU64>) -> Self {
        if let Some(opened) = &mut self.opened {
            opened.decoder.count_into(progress);
        }
        self
    }

    /// Gives a spent buffer back. See [`BufferPool::recycle`].
    pub fn recycle(&self, buffer: Vec<u8>) {
        self.pool.recycle(buffer);
    }

    /// What was read so far.
    pub fn stats(&self) -> ReadStats {
        self.stats
    }

    /// What was odd so far, without being a failure, as the report lists it.
    pub fn problems(&self, source: &str) -> Vec<Problem> {
        let problem = |line, count, reason| Problem {
            source: source.to_owned(),
            line,
            reason,
            count,
        };
        let ReadStats {
            long_lines,
            first_long_line,
            trailing,
            ..
        } = self.stats;
        let limit = self.limits.line_bytes_max;
        let compression = self.compression;
        let long = (long_lines > 0).then(|| {
            let reason = format!("line longer than {limit} bytes, left out");
            problem(first_long_line, long_lines, reason)
        });
        let behind = trailing.map(|trailing| {
            let what = match trailing {
                Trailing::Zeros => {
                    format!("zero bytes behind the last {compression} block, harmless")
                }
                Trailing::Garbage => format!(
                    "bytes behind the last {compression} block that are not {compression}, not read"
                ),
            };
            problem(None, 1, what)
        });
        long.into_iter().chain(behind).collect()
    }

    /// The next chunk; empty at the end.
    fn fill(&mut self) -> Chunk {
        let first_line = self.stats.lines + 1;
        let grid = self.limits.chunk_bytes.max(1);
        let cut = (self.stats.bytes / grid + 1).saturating_mul(grid);
        let mut lines = Lines::new(self.pool.take(), self.limits.line_bytes_max);
        loop {
            match self.extend(&mut lines, cut) {
                Extended::Going => {}
                Extended::AtCut => break,
                Extended::Over => {
                    lines.end();
                    break;
                }
            }
        }
        self.note(first_line, &lines);
        Chunk {
            first_line,
            bytes: lines.into_bytes(),
        }
    }

    /// Adds one piece: up to the cut, or, once that is passed, up to the first line end.
    fn extend(&mut self, lines: &mut Lines, cut: u64) -> Extended {
        let missing = usize::try_from(cut.saturating_sub(self.stats.bytes)).unwrap_or(usize::MAX);
        let past_cut = missing == 0;
        let wanted = if past_cut { usize::MAX } else { missing };
        let space = lines.space(wanted.min(READ_BYTES));
        let mut read = self.read(space);
        if read == 0 {
            return Extended::Over;
        }
        let mut at_cut = read == missing && space[read - 1] == b'\n';
        if past_cut && let Some(newline) = memchr(b'\n', &space[..read]) {
            self.unread(&space[newline + 1..read]);
            read = newline + 1;
            at_cut = true;
        }
        self.stats.bytes += read as u64;
        lines.accept(read);
        if at_cut {
            Extended::AtCut
        } else {
            Extended::Going
        }
    }

    /// Reads into `into`; 0 at the end, at a failure and at a bomb, which [`Self::failure_of`] tells apart.
    fn read(&mut self, into: &mut [u8]) -> usize {
        let ahead = &self.ahead[self.ahead_start..];
        if !ahead.is_empty() {
            let read = ahead.len().min(into.len());
            into[..read].copy_from_slice(&ahead[..read]);
            self.ahead_start += read;
            return read;
        }
        let Some(opened) = self
            .opened
            .as_mut()
            .filter(|opened| opened.failure.is_none())
        else {
            return 0;
        };
        match opened.decoder.read(into) {
            Ok(read) => {
                let inflated = self.stats.bytes + read as u64;
                let packed = opened.decoder.packed_bytes();
                if self.compression == Compression::Plain || !self.limits.is_bomb(inflated, packed)
                {
                    return read;
                }
                self.bomb = Some(inflated);
                0
            }
            Err(failure) => {
                opened.failure = Some(failure);
                0
            }
        }
    }

    /// Puts back what lies behind the cut.
    fn unread(&mut self, rest: &[u8]) {
        self.ahead.splice(..self.ahead_start, rest.iter().copied());
        self.ahead_start = 0;
    }

    /// Counts a chunk's lines, and closes the source when they were its last.
    fn note(&mut self, first_line: u64, lines: &Lines) {
        self.stats.lines += lines.count;
        self.stats.long_lines += lines.long;
        if let Some(index) = lines.first_long {
            self.stats.first_long_line.get_or_insert(first_line + index);
        }
        if lines.ended
            && let Some(opened) = self.opened.take()
        {
            self.stats.trailing = opened.decoder.trailing();
            self.failure = self.failure_of(opened);
        }
    }

    /// Why the source ended; `None` if that was its end.
    fn failure_of(&self, opened: Opened) -> Option<ReadError> {
        let ReadStats { lines, bytes, .. } = self.stats;
        if let Some(failure) = opened.failure {
            return Some(ReadError::of(failure, self.compression, lines));
        }
        if let Some(inflated) = self.bomb {
            let packed = opened.decoder.packed_bytes();
            return Some(ReadError::Bomb {
                inflated,
                packed,
                lines,
            });
        }
        let shrunk = self.compression == Compression::Plain && bytes < self.size;
        shrunk.then_some(ReadError::Shrunk { lines })
    }
}

enum Extended {
    Going,
    AtCut,
    Over,
}
