//! The process log of HAProxy.

use super::ErrorLine;

/// Takes a line apart; `None` for what is no entry of HAProxy.
pub(super) fn parse(_line: &[u8]) -> Option<ErrorLine<'_>> {
    None
}
