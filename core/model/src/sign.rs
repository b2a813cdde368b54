//! A line of an error log that says something about an upstream.

use crate::{Edge, Finding, Place, Stamp};

/// A sign without a request: a server marked down, a worker killed, an error line that no access line matched.
#[derive(Clone, Debug, PartialEq)]
pub struct Sign<'a> {
    /// When.
    pub at: Stamp,
    /// Where its line stands.
    pub place: Place,
    /// The edge that wrote it.
    pub edge: Edge,
    /// Host asked for; empty where the line does not say.
    pub host: &'a str,
    /// Upstream address; empty where the line does not say.
    pub upstream: &'a str,
    /// Whether it is about a request: one that was not read, then. The others speak of servers and processes.
    pub about_request: bool,
    /// What it says.
    pub finding: Finding,
}
