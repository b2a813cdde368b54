//! zstd: as many frames as there are, one after the other.

use std::io::{self, ErrorKind};

use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use crate::decoder::Trailing;
use crate::input::Input;

pub(crate) const MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// A skippable frame starts with 0x184D2A50 to 0x184D2A5F, little endian (RFC 8878, 3.1.2).
const SKIPPABLE: &[u8] = &[0x2a, 0x4d, 0x18];
/// The header of a block (RFC 8878, 3.1.1.2).
const BLOCK_HEADER_BYTES: usize = 3;
/// What the library asks for at the start of a frame (`ZSTD_startingInputLength`).
const FRAME_START_BYTES: usize = 5;

pub(crate) fn starts_frame(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
        || matches!(bytes, [0x50..=0x5f, rest @ ..] if rest.starts_with(SKIPPABLE))
}

/// Inflates every frame, block by block.
///
/// The library forgets what it inflated in the call that meets the damage. So it is fed a block at a time, without the
/// next block's header: then a call that fails had nothing to give. Windows above 128 MiB (`--long=28` and more) are
/// refused by the library, which bounds the memory.
pub(crate) struct Zstandard {
    decoder: Decoder<'static>,
    wanted: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    InFrame,
    BetweenFrames,
    Over(Option<Trailing>),
}

impl Zstandard {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            decoder: Decoder::new()?,
            wanted: FRAME_START_BYTES,
            state: State::InFrame,
        })
    }

    /// What stood behind the last frame.
    pub(crate) fn trailing(&self) -> Option<Trailing> {
        match self.state {
            State::Over(trailing) => trailing,
            State::InFrame | State::BetweenFrames => None,
        }
    }

    /// Inflates into `into`; 0 at the end.
    pub(crate) fn read(&mut self, input: &mut Input, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.state {
                State::Over(_) => return Ok(0),
                State::BetweenFrames => self.begin_frame(input)?,
                State::InFrame => {
                    let inflated = self.inflate(input, into)?;
                    if inflated > 0 {
                        return Ok(inflated);
                    }
                }
            }
        }
    }

    fn begin_frame(&mut self, input: &mut Input) -> io::Result<()> {
        let ahead = input.peek(MAGIC.len())?;
        self.state = if ahead.is_empty() {
            State::Over(None)
        } else if starts_frame(ahead) {
            self.decoder.reinit()?;
            self.wanted = FRAME_START_BYTES;
            State::InFrame
        } else {
            State::Over(Some(Trailing::of(input)?))
        };
        Ok(())
    }

    fn inflate(&mut self, input: &mut Input, into: &mut [u8]) -> io::Result<usize> {
        let ahead = input.peek(1)?;
        let at_end = ahead.is_empty();
        let fed = match self.wanted {
            wanted if wanted > BLOCK_HEADER_BYTES => wanted - BLOCK_HEADER_BYTES,
            wanted => wanted.max(1),
        };
        let mut packed = InBuffer::around(&ahead[..fed.min(ahead.len())]);
        let mut inflated = OutBuffer::around(into);
        let wanted = self
            .decoder
            .run(&mut packed, &mut inflated)
            .map_err(classify)?;
        let (taken, inflated) = (packed.pos(), inflated.pos());
        input.consume(taken);
        self.wanted = wanted;
        if wanted == 0 {
            self.state = State::BetweenFrames;
        } else if at_end && inflated == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(inflated)
    }
}

/// The library's errors come as text only (`ZSTD_getErrorName`). Two of them are no damage.
fn classify(error: io::Error) -> io::Error {
    let kind = match error.to_string().as_str() {
        "Frame requires too much memory for decoding" | "Dictionary mismatch" => {
            ErrorKind::Unsupported
        }
        _ => ErrorKind::InvalidData,
    };
    io::Error::new(kind, error)
}
