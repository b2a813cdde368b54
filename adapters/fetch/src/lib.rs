//! Files over HTTPS as bytes. Takes an address on the web, gives what stands there, within a size and a time.
//!
//! Certificates are checked against the authorities that the machine trusts: a site behind a proxy of its own has its
//! authority there already, and a distribution keeps them current without us. `Client::new` takes others instead.
//! Nothing but HTTPS is spoken, a redirect to anything else ends the fetch: who can change the list of a crawler's
//! addresses on the way decides who is that crawler.
#![deny(clippy::disallowed_types)]

mod look;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// Larger answers are refused. The largest list we know of, that of a whole cloud, has some 2 MB.
pub const BYTES_MAX: u64 = 4 << 20;
/// Redirects that are followed. Operators move files with one; more than a few is a loop.
const REDIRECTS_MAX: u32 = 5;
/// How long one file may take in all, where nothing else is asked for: the largest takes a second over a slow line.
pub const TIMEOUT: Duration = Duration::from_secs(30);

pub use look::Answer;

/// Why there are no bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Not an address that can be fetched.
    #[error("not an https address")]
    NotHttps,
    /// The server sent us away from HTTPS.
    #[error("it redirects to an address that is not https")]
    RedirectToOther,
    /// Round and round.
    #[error("more than {REDIRECTS_MAX} redirects")]
    Redirects,
    /// No good answer.
    #[error("status {0}")]
    Status(u16),
    /// Larger than [`BYTES_MAX`].
    #[error("larger than {} MiB", BYTES_MAX >> 20)]
    TooLarge,
    /// Fewer bytes than the server said.
    #[error("cut off before its end")]
    Cut,
    /// Too slow.
    #[error("no whole answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// Nobody of that name.
    #[error("no such host")]
    NoHost,
    /// The server's certificate, or the talk about it.
    #[error("certificate or TLS: {0}")]
    Tls(String),
    /// The network.
    #[error("{0}")]
    Network(String),
    /// The file of authorities.
    #[error("no certificate authority in PEM in it")]
    NoAuthority,
}

/// Fetches files, over one connection a host where the server allows it.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    timeout: Duration,
}

impl Client {
    /// `authorities` is PEM of those to trust instead of the machine's.
    pub fn new(authorities: Option<&[u8]>, timeout: Duration) -> Result<Self, FetchError> {
        let roots = match authorities {
            Some(pem) => RootCerts::new_with_certs(&certificates(pem)?),
            None => RootCerts::PlatformVerifier,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let config = Config::builder()
            .tls_config(tls)
            .https_only(true)
            .timeout_global(Some(timeout))
            .max_redirects(REDIRECTS_MAX)
            .max_redirects_will_error(true)
            .user_agent(concat!("webmasterid/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            agent: config.new_agent(),
            timeout,
        })
    }

    /// What stands at `url`.
    pub fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        if !url.starts_with("https://") {
            return Err(FetchError::NotHttps);
        }
        let fail = |error| self.reason(error);
        let mut response = self.agent.get(url).call().map_err(fail)?;
        let said = response.body().content_length();
        if said.is_some_and(|bytes| bytes > BYTES_MAX) {
            return Err(FetchError::TooLarge);
        }
        let body = response.body_mut().with_config().limit(BYTES_MAX);
        let bytes = body.read_to_vec().map_err(fail)?;
        match said {
            Some(said) if said != bytes.len() as u64 => Err(FetchError::Cut),
            _ => Ok(bytes),
        }
    }

    fn reason(&self, error: ureq::Error) -> FetchError {
        // What happens inside a stream comes wrapped.
        let error = match error {
            ureq::Error::Io(error) => ureq::Error::from(error),
            error => error,
        };
        match error {
            ureq::Error::StatusCode(status) => FetchError::Status(status),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => FetchError::NotHttps,
            // The first address was https.
            ureq::Error::RequireHttpsOnly(_) => FetchError::RedirectToOther,
            ureq::Error::TooManyRedirects => FetchError::Redirects,
            ureq::Error::BodyExceedsLimit(_) => FetchError::TooLarge,
            ureq::Error::Timeout(_) => FetchError::Timeout(self.timeout),
            ureq::Error::HostNotFound => FetchError::NoHost,
            ureq::Error::Rustls(error) => FetchError::Tls(of_tls(&error)),
            ureq::Error::Tls(reason) => FetchError::Tls(reason.to_owned()),
            ureq::Error::Io(error) => of_stream(&error),
            error => FetchError::Network(error.to_string()),
        }
    }
}

fn of_stream(error: &io::Error) -> FetchError {
    if let Some(error) = error
        .get_ref()
        .and_then(|it| it.downcast_ref::<rustls::Error>())
    {
        return FetchError::Tls(of_tls(error));
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => FetchError::Cut,
        io::ErrorKind::ConnectionRefused => FetchError::Network("connection refused".to_owned()),
        io::ErrorKind::ConnectionReset => FetchError::Network("connection reset".to_owned()),
        _ => FetchError::Network(error.to_string()),
    }
}

/// The usual ones in words for people, without the library's names.
fn of_tls(error: &rustls::Error) -> String {
    use rustls::CertificateError as Bad;
    let rustls::Error::InvalidCertificate(bad) = error else {
        return error.to_string();
    };
    match bad {
        // The second: an authority of that name is, but with another key, as after it was made anew.
        Bad::UnknownIssuer | Bad::BadSignature => {
            "signed by an authority that is not trusted here (--ca takes others)"
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => "of another name",
        Bad::Expired | Bad::ExpiredContext { .. } => "expired",
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => "not yet valid",
        Bad::Revoked => "revoked",
        _ => return error.to_string(),
    }
    .to_owned()
}

fn certificates(pem: &[u8]) -> Result<Vec<ureq::tls::Certificate<'static>>, FetchError> {
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| FetchError::NoAuthority)? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(FetchError::NoAuthority);
    }
    Ok(certificates)
}
