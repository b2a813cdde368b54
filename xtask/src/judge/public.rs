//! The worked examples that the verdicts' specification comes with: logs with truth, not part of the repository.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::truth::Truth;
use crate::command;

/// A log and its truth.
pub(crate) struct Example {
    pub(crate) log: PathBuf,
    pub(crate) truth: Truth,
}

/// All of them; none where the folder is absent.
pub(crate) fn examples() -> Result<Vec<Example>> {
    let shared = std::env::var_os("WEBMASTERID_SHARED")
        .map_or_else(|| command::root().join("../shared"), PathBuf::from);
    let folder = shared.join("verdicts");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.and_then(|name| name.strip_suffix(".truth.json")) {
            let log = folder.join(format!("{name}.log.gz"));
            let truth = serde_json::from_str(&fs::read_to_string(&path)?);
            let truth = truth.with_context(|| path.display().to_string())?;
            all.push(Example { log, truth });
        }
    }
    all.sort_by(|one, two| one.log.cmp(&two.log));
    Ok(all)
}

/// A log's bytes, inflated where they are compressed.
pub(crate) fn bytes(log: &Path) -> Result<Vec<u8>> {
    let raw = fs::read(log).with_context(|| log.display().to_string())?;
    if !raw.starts_with(&[0x1f, 0x8b]) {
        return Ok(raw);
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&raw[..]).read_to_end(&mut plain)?;
    Ok(plain)
}
