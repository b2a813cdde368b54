//! gzip: as many members as there are, one after the other.

use std::io::{self, ErrorKind};

use flate2::{Decompress, FlushDecompress, Status};

use crate::decoder::Trailing;
use crate::input::Input;

pub(crate) const MAGIC: &[u8] = &[0x1f, 0x8b];

/// The largest window deflate has.
const WINDOW_BITS: u8 = 15;

/// Inflates every member. Rotated files are often several gzip files written one after the other.
///
/// flate2's own `MultiGzDecoder` forgets what it inflated in the call that meets the damage, up to a whole buffer, and
/// takes trailing bytes for a broken member; the lines before the damage are what the user still has.
pub(crate) struct Gzip {
    member: Decompress,
    state: State,
    /// Damage that came after bytes which had to be handed out first.
    damage: Option<io::Error>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    InMember,
    BetweenMembers,
    Over(Option<Trailing>),
}

impl Gzip {
    pub(crate) fn new() -> Self {
        Self {
            member: Decompress::new_gzip(WINDOW_BITS),
            state: State::InMember,
            damage: None,
        }
    }

    /// What stood behind the last member.
    pub(crate) fn trailing(&self) -> Option<Trailing> {
        match self.state {
            State::Over(trailing) => trailing,
            State::InMember | State::BetweenMembers => None,
        }
    }

    /// Inflates into `into`; 0 at the end.
    pub(crate) fn read(&mut self, input: &mut Input, into: &mut [u8]) -> io::Result<usize> {
        if let Some(damage) = self.damage.take() {
            return Err(damage);
        }
        loop {
            match self.state {
                State::Over(_) => return Ok(0),
                State::BetweenMembers => self.begin_member(input)?,
                State::InMember => {
                    let inflated = self.inflate(input, into)?;
                    if inflated > 0 {
                        return Ok(inflated);
                    }
                }
            }
        }
    }

    fn begin_member(&mut self, input: &mut Input) -> io::Result<()> {
        let ahead = input.peek(MAGIC.len())?;
        self.state = if ahead.is_empty() {
            State::Over(None)
        } else if ahead.starts_with(MAGIC) {
            self.member.reset(true);
            State::InMember
        } else {
            State::Over(Some(Trailing::of(input)?))
        };
        Ok(())
    }

    fn inflate(&mut self, input: &mut Input, into: &mut [u8]) -> io::Result<usize> {
        let packed = input.peek(1)?;
        let at_end = packed.is_empty();
        let (in_before, out_before) = (self.member.total_in(), self.member.total_out());
        let result = self.member.decompress(packed, into, FlushDecompress::None);
        let taken = (self.member.total_in() - in_before) as usize;
        let inflated = (self.member.total_out() - out_before) as usize;
        input.consume(taken);
        match result {
            Ok(Status::StreamEnd) => self.state = State::BetweenMembers,
            Ok(_) if at_end && inflated == 0 => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) if taken == 0 && inflated == 0 => return Err(ErrorKind::InvalidData.into()),
            Ok(_) => {}
            Err(error) => {
                let damage = io::Error::new(ErrorKind::InvalidData, error);
                if inflated == 0 {
                    return Err(damage);
                }
                self.damage = Some(damage);
            }
        }
        Ok(inflated)
    }
}
