//! The process log of Squid.

use super::ErrorLine;

/// Takes a line apart; `None` for what is no entry of Squid.
pub(super) fn parse(_line: &[u8]) -> Option<ErrorLine<'_>> {
    None
}
