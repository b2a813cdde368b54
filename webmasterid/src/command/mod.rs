//! One file for each command.

pub(crate) mod crawlers;
pub(crate) mod diagnose;
pub(crate) mod explain;
pub(crate) mod failures;
pub(crate) mod generate;
pub(crate) mod logformat;
pub(crate) mod maintenance;
pub(crate) mod probe;
pub(crate) mod redact;
