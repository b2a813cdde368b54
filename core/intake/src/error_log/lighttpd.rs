//! The process log of lighttpd.

use super::ErrorLine;

/// Takes a line apart; `None` for what is no entry of lighttpd.
pub(super) fn parse(_line: &[u8]) -> Option<ErrorLine<'_>> {
    None
}
