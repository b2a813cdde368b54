//! Records the edges that most sites run anew, and expects the answers that the kept recordings get: a release of nginx
//! that words something differently, or a lab that no longer does what it says, shows here.

use anyhow::{Context as _, Result, ensure};

use crate::{command, score};

/// The products, as `cargo xtask record` names them.
const PRODUCTS: [&str; 4] = ["nginx", "apache", "haproxy", "envoy"];

/// Records, asks, compares.
pub(crate) fn check() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut record = command::program(std::env::current_exe()?);
    record.arg("record").args(PRODUCTS).arg("--cases-only");
    command::run(record.arg("--into").arg(folder.path()))?;
    command::run(command::cargo().args(["build", "--locked", "--package", "webmasterid"]))?;
    let fresh = score::answers(&folder.path().join("cases"))?;
    let kept = score::answers(&command::root().join("cases"))?;
    let mut different = Vec::new();
    for (case, answers) in &fresh {
        let before = kept
            .get(case)
            .with_context(|| format!("{case} is no case"))?;
        let lost = before
            .difference(answers)
            .map(|answer| format!("{case}: no longer {answer}"));
        let new = answers
            .difference(before)
            .map(|answer| format!("{case}: now {answer}"));
        different.extend(lost.chain(new));
    }
    ensure!(!fresh.is_empty(), "nothing was recorded");
    ensure!(different.is_empty(), "{}", different.join("\n"));
    println!("{} cases recorded afresh are told as before", fresh.len());
    Ok(())
}
