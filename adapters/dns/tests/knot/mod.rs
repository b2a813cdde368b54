//! A real authoritative name server on a loopback port of its own: Knot, which `cargo xtask test` installs.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test may panic"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};

/// Ends with it.
pub(crate) struct Knot {
    child: Child,
    folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
}

impl Knot {
    /// Serves these zones, each a name and its records below the SOA; a zone without records is broken, and every
    /// question for it fails.
    pub(crate) fn start(zones: &[(&str, Option<&str>)]) -> Self {
        /// Another program may take the port between our look and the server's.
        const TRIES: usize = 5;
        (0..TRIES)
            .find_map(|_| Self::try_start(zones))
            .unwrap_or_else(|| panic!("no server started in {TRIES} tries"))
    }

    fn try_start(zones: &[(&str, Option<&str>)]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let probe = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let mut config = format!(
            "server:\n  rundir: {path}\n  listen: 127.0.0.1@{}\n  tcp-workers: 1\n  udp-workers: 1\n\
             database:\n  storage: {path}\n\
             log:\n  - target: stderr\n    any: info\n\
             template:\n  - id: default\n    storage: {path}\n    zonefile-sync: -1\n    journal-content: none\n\
             zone:\n",
            address.port()
        );
        for (name, records) in zones {
            config.push_str(&format!("  - domain: {name}\n    file: {name}.zone\n"));
            if let Some(records) = records {
                let head = format!(
                    "$ORIGIN {name}.\n$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n@ NS ns\nns A 127.0.0.1\n"
                );
                fs::write(folder.path().join(format!("{name}.zone")), head + records).unwrap();
            }
        }
        let file = folder.path().join("knot.conf");
        fs::write(&file, config).unwrap();
        let mut child = Command::new("knotd")
            .arg("--config")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("knotd is missing: cargo xtask test installs it, or apt-get install knot");
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        for line in log.lines() {
            let line = line.unwrap();
            if line.contains("server started") {
                return Some(Self {
                    child,
                    folder,
                    address,
                });
            }
            said.push_str(&line);
            said.push('\n');
        }
        child.wait().unwrap();
        assert!(said.contains("cannot bind"), "{said}");
        None
    }
}

impl Drop for Knot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
