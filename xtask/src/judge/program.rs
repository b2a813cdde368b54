//! The program under test, as users run it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::answer::Answer;
use crate::command;

pub(crate) struct Program(PathBuf);

impl Program {
    /// Builds it as it is shipped.
    pub(crate) fn build() -> Result<Self> {
        let mut cargo = command::cargo();
        cargo.args(["build", "--release", "--locked", "--package", "webmasterid"]);
        command::run(&mut cargo)?;
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| command::root().join("target"), PathBuf::from);
        Ok(Self(target.join("release/webmasterid")))
    }

    /// What it prints of a log.
    pub(crate) fn ask(&self, log: &Path) -> Result<String> {
        let mut program = command::program(&self.0);
        program.args(["diagnose", "--format", "json"]).arg(log);
        command::output(&mut program)
    }

    pub(crate) fn answer(&self, log: &Path) -> Result<Answer> {
        Answer::parse(&self.ask(log)?).with_context(|| log.display().to_string())
    }
}
