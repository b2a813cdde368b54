//! One stream of log bytes, however it is packed.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::gzip::{self, Gzip};
use crate::input::Input;
use crate::zstandard::{self, Zstandard};

/// How a source is packed, told from its first bytes: names lie (`access.log.1` may be either).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// Not packed.
    Plain,
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
}

impl Compression {
    pub(crate) fn of(first_bytes: &[u8]) -> Self {
        if first_bytes.starts_with(gzip::MAGIC) {
            Self::Gzip
        } else if zstandard::starts_frame(first_bytes) {
            Self::Zstd
        } else {
            Self::Plain
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// What stands behind the last gzip member or zstd frame. It is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trailing {
    /// Zero bytes: padding by tapes and block copies, harmless.
    Zeros,
    /// Anything else.
    Garbage,
}

impl Trailing {
    /// Padding is told from garbage by what one buffer shows of it.
    pub(crate) fn of(input: &mut Input) -> io::Result<Self> {
        let only_zeros = input.peek(1)?.iter().all(|&byte| byte == 0);
        Ok(if only_zeros {
            Self::Zeros
        } else {
            Self::Garbage
        })
    }
}

/// Reads inflated bytes. An error of kind `UnexpectedEof` means cut short, `InvalidData` damaged; all that could be
/// inflated before it has been handed out by then.
pub(crate) struct Decoder {
    input: Input,
    form: Form,
}

enum Form {
    Plain,
    Gzip(Gzip),
    Zstd(Zstandard),
}

/// First bytes that tell the compression: the longest magic.
const MAGIC_BYTES: usize = 4;

impl Decoder {
    pub(crate) fn new(raw: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut input = Input::new(raw);
        let form = match Compression::of(input.peek(MAGIC_BYTES)?) {
            Compression::Plain => Form::Plain,
            Compression::Gzip => Form::Gzip(Gzip::new()),
            Compression::Zstd => Form::Zstd(Zstandard::new()?),
        };
        Ok(Self { input, form })
    }

    pub(crate) fn compression(&self) -> Compression {
        match self.form {
            Form::Plain => Compression::Plain,
            Form::Gzip(_) => Compression::Gzip,
            Form::Zstd(_) => Compression::Zstd,
        }
    }

    pub(crate) fn trailing(&self) -> Option<Trailing> {
        match &self.form {
            Form::Plain => None,
            Form::Gzip(gzip) => gzip.trailing(),
            Form::Zstd(zstd) => zstd.trailing(),
        }
    }

    pub(crate) fn count_into(&mut self, progress: Arc<AtomicU64>) {
        self.input.count_into(progress);
    }

    /// Bytes of the file or pipe used up.
    pub(crate) fn packed_bytes(&self) -> u64 {
        self.input.consumed()
    }

    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        match &mut self.form {
            Form::Plain => self.input.read(into),
            Form::Gzip(gzip) => gzip.read(&mut self.input, into),
            Form::Zstd(zstd) => zstd.read(&mut self.input, into),
        }
    }

    /// Up to `count` bytes from here, fewer at the end or before an error.
    pub(crate) fn read_up_to(&mut self, count: usize) -> (Vec<u8>, io::Result<()>) {
        let mut bytes = vec![0; count];
        let mut length = 0;
        while length < count {
            match self.read(&mut bytes[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) => {
                    bytes.truncate(length);
                    return (bytes, Err(error));
                }
            }
        }
        bytes.truncate(length);
        (bytes, Ok(()))
    }
}
