//! The process log of H2O.

use super::ErrorLine;

/// Takes a line apart; `None` for what is no entry of H2O.
pub(super) fn parse(_line: &[u8]) -> Option<ErrorLine<'_>> {
    None
}
