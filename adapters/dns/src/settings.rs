//! Whom to ask and how long to wait.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::config::{NameServerConfig, ResolverOpts};
use hickory_resolver::system_conf::read_system_conf;

/// Addresses asked about at a time. Resolvers of a network take some hundred questions a second from one client.
pub const CONCURRENCY: usize = 64;
/// How long one question waits. Of answers that come at all nearly all come within a second.
pub const TIMEOUT: Duration = Duration::from_secs(2);
/// How often a question that got no answer is put again.
pub const RETRIES: u32 = 1;

/// How to ask.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name servers; those of the system where there is none.
    pub servers: Vec<SocketAddr>,
    /// Addresses asked about at a time.
    pub concurrency: usize,
    /// How long one question waits.
    pub timeout: Duration,
    /// How often a question that got no answer is put again.
    pub retries: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            concurrency: CONCURRENCY,
            timeout: TIMEOUT,
            retries: RETRIES,
        }
    }
}

/// Why nothing can be asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system names no name server.
    #[error("this system names no name server in its configuration")]
    NoServer,
    /// No sockets or no clock.
    #[error("cannot ask: {0}")]
    Runtime(#[from] io::Error),
}

impl Settings {
    /// Each server over UDP, and over TCP where an answer does not fit.
    pub(crate) fn name_servers(&self) -> Result<Vec<NameServerConfig>, Error> {
        if self.servers.is_empty() {
            let (system, _) = read_system_conf().map_err(|_| Error::NoServer)?;
            return match system.name_servers.is_empty() {
                true => Err(Error::NoServer),
                false => Ok(system.name_servers),
            };
        }
        let server = |address: &SocketAddr| {
            let mut server = NameServerConfig::udp_and_tcp(address.ip());
            for connection in &mut server.connections {
                connection.port = address.port();
            }
            server
        };
        Ok(self.servers.iter().map(server).collect())
    }

    pub(crate) fn options(&self) -> ResolverOpts {
        let mut options = ResolverOpts::default();
        options.timeout = self.timeout;
        // A question goes to one server at a time: two would be two questions.
        options.num_concurrent_reqs = 1;
        options
    }
}
