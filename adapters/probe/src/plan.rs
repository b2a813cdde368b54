//! What to ask whom, and the limits.

use std::time::Duration;

use crate::place::{Origin, Place, Url};

/// Origins of one plan.
pub const ORIGINS_MAX: usize = 50;
/// Paths of one plan.
pub const PATHS_MAX: usize = 10;
/// Addresses of one name that are asked; large sites publish four of each family.
pub const ADDRESSES_MAX: usize = 8;
/// Connections at a time: every address of every origin, below the 1,024 files that a process may have open.
pub const CONNECTIONS_MAX: usize = 500;
/// Bytes of a body that are read where nothing else is asked for.
pub const BODY_MAX: u64 = 4 << 20;

/// Why nothing could be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Too much asked for.
    #[error("at most {max} {what}, and there are {asked}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
        /// How many there are.
        asked: usize,
    },
    /// The file of authorities.
    #[error("no certificate authority in PEM in it")]
    NoAuthority,
    /// The machine's own authorities.
    #[error(
        "the authorities that this machine trusts cannot be read ({0}); --ca FILE names others"
    )]
    Roots(String),
    /// The system would not let us.
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

/// What to ask whom, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Gives `Host`, SNI and scheme.
    pub url: Url,
    /// Where the edge is: the URL's own host, or addresses to use instead.
    pub edges: Vec<Place>,
    /// Servers behind it.
    pub origins: Vec<Origin>,
    /// What to ask each for.
    pub paths: Vec<String>,
    /// The user agent.
    pub agent: String,
    /// For the name, for connection and TLS, and for the request with its answer: each.
    pub timeout: Duration,
    /// What the gateway holds a header block in; `None` is nginx's default.
    pub header_buffer: Option<usize>,
    /// Bytes of a body that are read.
    pub body_max: u64,
    /// How long to wait for origins to close an idle connection; `None` measures nothing.
    pub keep_alive: Option<Duration>,
    /// PEM of authorities to trust instead of the machine's.
    pub authorities: Option<Vec<u8>>,
    /// Whether origins are told first, in a line of the PROXY protocol (version 1), who asks.
    pub proxy_line: bool,
    /// Whether origins' certificates are checked. The edge's always is.
    pub checks_origins: bool,
}

impl Plan {
    /// The edge alone, at the addresses of its name, with every choice as by default.
    pub fn new(url: Url) -> Self {
        Self {
            edges: vec![url.place()],
            paths: vec![url.path.clone()],
            url,
            origins: Vec::new(),
            agent: concat!("webmasterid-probe/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: Duration::from_secs(10),
            header_buffer: None,
            body_max: BODY_MAX,
            keep_alive: None,
            authorities: None,
            proxy_line: false,
            checks_origins: true,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        for (what, max, asked) in [
            ("origins", ORIGINS_MAX, self.origins.len()),
            ("addresses of the edge", ADDRESSES_MAX, self.edges.len()),
            ("paths", PATHS_MAX, self.paths.len()),
        ] {
            if asked > max {
                return Err(Error::TooMany { what, max, asked });
            }
        }
        Ok(())
    }
}
