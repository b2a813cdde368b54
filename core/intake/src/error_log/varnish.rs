//! The process log of Varnish.

use super::ErrorLine;

/// Takes a line apart; `None` for what is no entry of Varnish.
pub(super) fn parse(_line: &[u8]) -> Option<ErrorLine<'_>> {
    None
}
