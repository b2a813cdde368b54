//! Log layouts that products write by default or that distributions ship.

use model::Edge;

use crate::table::FORMATS;

/// A layout.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Name in every output: `nginx-upstream`.
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
    &FORMATS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prefixes of the networks reserved for documentation.
    const DOCUMENTATION: [&str; 4] = ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8::"];

    #[test]
    fn every_format_has_samples_without_real_addresses() {
        assert!(formats().iter().any(|format| format.name == "combined"));
        for format in formats() {
            assert!(format.samples.len() >= 2, "{}", format.name);
            for sample in format.samples {
                let known = DOCUMENTATION.iter().any(|prefix| sample.contains(prefix));
                assert!(known, "{}", format.name);
            }
        }
    }
}
