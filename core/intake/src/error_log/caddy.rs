//! The process log of Caddy.

use super::ErrorLine;

/// Takes a line apart; `None` for what is no entry of Caddy.
pub(super) fn parse(_line: &[u8]) -> Option<ErrorLine<'_>> {
    None
}
