//! Claims as lines of a log, and what they come to once name servers were asked.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test may panic"
)]

use std::net::SocketAddr;
use std::time::Duration;

use dns::{Questions, Settings};
use intake::{Chunk, Filter, Formats, Intake, Ranges, Secret, Suspects, Take};
use model::{Edge, Identity, LogKind, SourceId};

/// Patience that a test can afford.
pub(crate) fn settings(servers: &[SocketAddr]) -> Settings {
    Settings {
        servers: servers.to_vec(),
        timeout: Duration::from_millis(400),
        ..Settings::default()
    }
}

/// A line in which a client at `address` names this agent.
pub(crate) fn line(address: &str, agent: &str) -> String {
    format!(
        "{address} - - [22/Nov/2026:07:25:33 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"{agent}\"\n"
    )
}

pub(crate) fn chunk(log: &str) -> Chunk<'_> {
    Chunk {
        source: SourceId(0),
        first_line: 1,
        edge: Edge::Nginx,
        kind: LogKind::Access,
        take: Take::All,
        names_edge: false,
        bytes: log.as_bytes(),
    }
}

pub(crate) fn intake() -> Intake {
    Intake::new(
        intake::Settings::default(),
        Secret::new([7; 16]),
        Ranges::default(),
        Formats::new(Vec::new()),
    )
}

pub(crate) fn suspects(log: &str) -> Suspects {
    intake().suspects(chunk(log))
}

/// The identity of each line, in order, and how much was asked.
pub(crate) fn identities(log: &str, settings: &Settings) -> (Vec<Identity>, Questions) {
    let intake = intake();
    let asked = dns::ask(&intake.suspects(chunk(log)), settings).unwrap();
    let intake = intake.with_answers(asked.answers);
    let mut identities = Vec::new();
    let scanned = intake.scan(chunk(log), &Filter::default(), &mut |request| {
        let claim = request.fetch.map(|fetch| fetch.claim).or(request.posing);
        identities.push(claim.unwrap().identity);
    });
    assert_eq!(scanned.held.requests(), 0);
    (identities, asked.questions)
}
