//! The process log of nghttpx.

use super::ErrorLine;

/// Takes a line apart; `None` for what is no entry of nghttpx.
pub(super) fn parse(_line: &[u8]) -> Option<ErrorLine<'_>> {
    None
}
