//! Squid's own layout, `squid`.

use super::Reason;
use crate::visit::Spans;

/// Finds the fields of a line of this layout.
pub(super) fn parse(_line: &[u8], _spans: &mut Spans) -> Result<(), Reason> {
    Err(Reason::UnknownLayout)
}
