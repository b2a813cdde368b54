//! Signs by name.

use model::SignId;

/// The stable name of a sign: `nginx-001`; `None` for a number that the tables do not hold.
pub(crate) fn name(sign: SignId) -> Option<&'static str> {
    knowledge::signs()
        .get(usize::from(sign.0))
        .map(|sign| sign.name)
}
