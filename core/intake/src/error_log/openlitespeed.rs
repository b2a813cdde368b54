//! The process log of OpenLiteSpeed.

use super::ErrorLine;

/// Takes a line apart; `None` for what is no entry of OpenLiteSpeed.
pub(super) fn parse(_line: &[u8]) -> Option<ErrorLine<'_>> {
    None
}
