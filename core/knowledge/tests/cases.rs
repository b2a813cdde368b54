//! Every cause that a sign can name is shown by a recorded case, or the facts say why it cannot be.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::fs;
use std::path::{Path, PathBuf};

use knowledge::signs;
use model::{Cause, Edge};

/// The heading in `facts/README.md` under which a cause without a case is explained, one a line.
const HEADING: &str = "## Causes without a case";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Causes that a log of nginx or httpd can be said to show.
fn can_be_named(cause: Cause) -> bool {
    signs()
        .iter()
        .any(|sign| sign.cause == cause && sign.edge != Edge::Unknown)
}

#[test]
fn every_cause_with_a_sign_has_a_case_or_a_reason() {
    let readme = fs::read_to_string(root().join("facts/README.md")).unwrap();
    let (_, reasons) = readme.split_once(HEADING).unwrap();
    let reasons = reasons.split("\n## ").next().unwrap();
    for cause in Cause::ALL {
        let name = cause.name();
        let is_recorded = root().join("cases").join(name).is_dir();
        let is_explained = reasons.contains(&format!("\n- `{name}`: "));
        let is_expected = can_be_named(cause) && !is_recorded;
        assert_eq!(
            is_explained,
            is_expected,
            "{name}: has signs, a case or a reason? {} {is_recorded} {is_explained}",
            can_be_named(cause)
        );
    }
}
