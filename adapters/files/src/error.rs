//! Why a source could not be read to its end.

use std::io;

use model::Problem;
use thiserror::Error;

use crate::decoder::Compression;

/// A source that ended before its end. The lines before that were delivered; other sources go on.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It cannot be opened.
    #[error("cannot be opened: {}", reason(.0))]
    Open(#[source] io::Error),
    /// Another file stands under its name.
    #[error(
        "was replaced by another file after it was found (rotated meanwhile?), not read; run again"
    )]
    Replaced,
    /// A pipe or standard input gives its bytes once.
    #[error("was already read; a stream can be read once")]
    Spent,
    /// The system failed to read on.
    #[error("cannot be read on after {lines} lines: {}", reason(.source))]
    Read {
        /// Lines read before that.
        lines: u64,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It became shorter under us.
    #[error(
        "became shorter while it was read (truncated by rotation?): read {lines} lines; run again, with the rotated copy"
    )]
    Shrunk {
        /// Lines read before that.
        lines: u64,
    },
    /// A packed file ends in the middle.
    #[error("truncated {compression}: read {lines} lines; still being written, or copied in part")]
    Truncated {
        /// How it is packed.
        compression: Compression,
        /// Lines read, the cut one among them.
        lines: u64,
    },
    /// A packed file is damaged.
    #[error(
        "corrupt {compression}: read {lines} lines up to the damage ({source}); copy the file again"
    )]
    Corrupt {
        /// How it is packed.
        compression: Compression,
        /// Lines read up to the damage.
        lines: u64,
        /// What the library says.
        #[source]
        source: io::Error,
    },
    /// A packed file that asks for more than we give.
    #[error("{compression} that is not supported: {source}; unpack it first")]
    Unsupported {
        /// How it is packed.
        compression: Compression,
        /// Lines read up to there.
        lines: u64,
        /// What the library says.
        #[source]
        source: io::Error,
    },
    /// It inflates to more than a log can.
    #[error(
        "decompression bomb: {inflated} bytes from {packed}, more than any log packs; stopped after {lines} lines; unpack it and name the plain file if it is a log"
    )]
    Bomb {
        /// Inflated bytes so far.
        inflated: u64,
        /// Packed bytes they came from.
        packed: u64,
        /// Lines read up to there.
        lines: u64,
    },
}

impl ReadError {
    /// What a decoder's error means after `lines` lines.
    pub(crate) fn of(error: io::Error, compression: Compression, lines: u64) -> Self {
        match error.kind() {
            _ if compression == Compression::Plain => Self::Read {
                lines,
                source: error,
            },
            io::ErrorKind::UnexpectedEof => Self::Truncated { compression, lines },
            io::ErrorKind::InvalidData => Self::Corrupt {
                compression,
                lines,
                source: error,
            },
            io::ErrorKind::Unsupported => Self::Unsupported {
                compression,
                lines,
                source: error,
            },
            _ => Self::Read {
                lines,
                source: error,
            },
        }
    }

    /// The error of `source` as the report lists it.
    pub fn problem(&self, source: &str) -> Problem {
        let line = match self {
            Self::Open(_) | Self::Replaced | Self::Spent => None,
            Self::Read { lines, .. }
            | Self::Shrunk { lines }
            | Self::Truncated { lines, .. }
            | Self::Corrupt { lines, .. }
            | Self::Unsupported { lines, .. }
            | Self::Bomb { lines, .. } => (*lines > 0).then_some(*lines),
        };
        Problem {
            source: source.to_owned(),
            line,
            reason: self.to_string(),
            count: 1,
        }
    }
}

/// What went wrong, in the words that users of every system know.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "permission denied; run as a user who may read it, such as a member of group adm"
                .to_owned()
        }
        _ => error.to_string(),
    }
}
