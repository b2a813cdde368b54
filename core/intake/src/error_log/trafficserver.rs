//! The process log of Traffic Server.

use super::ErrorLine;

/// Takes a line apart; `None` for what is no entry of Traffic Server.
pub(super) fn parse(_line: &[u8]) -> Option<ErrorLine<'_>> {
    None
}
