//! The process log of Envoy.

use super::ErrorLine;

/// Takes a line apart; `None` for what is no entry of Envoy.
pub(super) fn parse(_line: &[u8]) -> Option<ErrorLine<'_>> {
    None
}
