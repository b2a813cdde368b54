//! Adapter: what the user named on the command line, as chunks of whole lines. It moves bytes and decides nothing
//! about what a line means.
//!
//! [`find`] turns arguments (files, directories, globs, `-`) into a list in name order in which the same content
//! stands once; [`head`] shows the first 64 KiB of one, inflated, so that the caller can tell what it is; [`chunks`]
//! reads it.
//!
//! Files are read into reused buffers and never mapped into memory: logrotate's `copytruncate` shortens a log under
//! its reader, which a map answers with a fatal signal and a read with a short count.
//!
//! Neither an error nor a `Debug` output here quotes a byte of a log.
#![deny(clippy::disallowed_types)]

mod archive;
mod chunk;
mod decoder;
mod duplicate;
mod error;
mod find;
mod found;
mod gzip;
mod input;
mod limit;
mod lines;
mod pool;
mod zstandard;

pub use chunk::{Chunk, ChunkReader, ReadStats, chunks};
pub use decoder::{Compression, Trailing};
pub use error::{ReadError, reason};
pub use find::find;
pub use found::{Found, head};
pub use limit::{HEAD_BYTES, Limits};
pub use pool::BufferPool;
