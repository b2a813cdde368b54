//! Traffic Server's layout `squid`, told from Squid's by how it writes: see `squid.rs`. Its `common` is the NCSA
//! family's, and so are its `extended` layouts up to the bytes.

use model::{Edge, Field};

use super::{
    Reason,
    ncsa::{Ncsa, token_end},
    squid,
    value::is_number,
};
use crate::visit::Spans;

/// Finds the fields of a line of this layout.
pub(super) fn parse(line: &[u8], spans: &mut Spans) -> Result<(), Reason> {
    squid::find(line, Edge::TrafficServer, spans)
}

/// What `extended` has behind the bytes, of which only the first says anything to us: sssc sscl cqcl pqcl cqhl pshl pqhl
/// sshl tts. `extended2` goes on with phr cfsc pfsc crc.
const EXTENDED: [Option<Field>; 13] = [
    Some(Field::OriginStatus),
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    Some(Field::Duration),
    Some(Field::Hierarchy),
    None,
    Some(Field::FinishStatus),
    Some(Field::ResultCode),
];
/// How many of them are numbers.
const NUMBERS: usize = 9;
/// Which of them says how the client's side ended.
const CFSC: usize = 10;

/// Finds the fields behind the bytes of an `extended` line; whether it is one.
pub(super) fn extended(line: &[u8], found: &Ncsa, spans: &mut Spans) -> bool {
    if found.combined || found.host {
        return false;
    }
    let mut places = [(0, 0); EXTENDED.len()];
    let mut count = 0;
    let mut at = found.tail;
    while at < line.len() {
        let start = at + 1;
        let end = token_end(line, start);
        let word = line.get(start..end).unwrap_or_default();
        let fits = match count {
            // A status that the origin did not send is 000. Numbers follow up to NUMBERS.
            0 => word.len() == 3 && word.iter().all(u8::is_ascii_digit),
            1..=8 => !word.is_empty() && is_number(word),
            // `redact` keeps no word that has no field.
            CFSC => !word.is_empty(),
            _ => is_word(word),
        };
        let Some(place) = places.get_mut(count).filter(|_| fits) else {
            return false;
        };
        *place = (start, end);
        count += 1;
        at = end;
    }
    if count != NUMBERS && count != EXTENDED.len() {
        return false;
    }
    for (field, (start, end)) in EXTENDED.iter().zip(places).take(count) {
        if let Some(field) = field {
            spans.set(*field, start, end);
        }
    }
    true
}

/// `DIRECT`, `FIN`, `TCP_MISS`.
fn is_word(text: &[u8]) -> bool {
    text.len() >= 3
        && text
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}
