//! Sources by the shortest name that tells them apart.

use model::{Coverage, Place};

use crate::clean::{clean, fit};

/// `error.log:812`, or the whole path where two sources share a file name; the name in at most `columns`.
pub(crate) fn place(coverage: &Coverage, place: Place, columns: usize) -> String {
    let name = short(coverage, coverage.path(place.source));
    format!("{}:{}", fit(&name, columns), place.line)
}

/// The file name of a path where no other source has the same one.
pub(crate) fn short(coverage: &Coverage, path: &str) -> String {
    let name = file_name(path);
    let namesakes = coverage
        .sources
        .iter()
        .filter(|source| file_name(&source.path) == name)
        .count();
    clean(if namesakes > 1 { path } else { name }).into_owned()
}

fn file_name(path: &str) -> &str {
    let name = path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path);
    if name.is_empty() { path } else { name }
}
