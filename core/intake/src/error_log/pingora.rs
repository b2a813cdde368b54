//! The process log of Pingora.

use super::ErrorLine;

/// Takes a line apart; `None` for what is no entry of Pingora.
pub(super) fn parse(_line: &[u8]) -> Option<ErrorLine<'_>> {
    None
}
