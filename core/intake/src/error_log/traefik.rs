//! The process log of Traefik.

use super::ErrorLine;

/// Takes a line apart; `None` for what is no entry of Traefik.
pub(super) fn parse(_line: &[u8]) -> Option<ErrorLine<'_>> {
    None
}
