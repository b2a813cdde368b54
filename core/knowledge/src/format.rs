//! Log layouts that products write by default or that distributions ship.

use model::Edge;

/// A layout.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Name in every output: `nginx-combined`.
    pub name: &'static str,
    /// The product; [`Edge::Unknown`] where several write it.
    pub edge: Edge,
    /// The product's own format string.
    pub string: &'static str,
    /// Lines of that layout, which its own pattern must match and no other's.
    pub samples: &'static [&'static str],
    /// Primary source.
    pub source: &'static str,
    /// When the source was checked; `None` prints "Data not yet verified".
    pub checked: Option<&'static str>,
}

/// Every layout.
pub fn formats() -> &'static [Format] {
    &[]
}
