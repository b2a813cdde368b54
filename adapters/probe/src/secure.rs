//! TLS: whom to trust, and a verifier that remembers what it saw.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::blame;
use crate::plan::{Error, Plan};

/// Who vouches for servers.
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    /// `None` where nobody is asked over TLS: a machine without authorities can still ask plain servers.
    verifier: Option<Arc<dyn ServerCertVerifier>>,
    /// Certificates of `--ca`.
    given: Arc<Vec<CertificateDer<'static>>>,
}

impl Trust {
    pub(crate) fn new(plan: &Plan) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let is_needed = plan.url.tls || plan.origins.iter().any(|origin| origin.tls);
        let given = plan.authorities.as_deref().map(of_file).transpose()?;
        let verifier = match &given {
            Some(given) => Some(of_given(given, &provider)?),
            None if is_needed => {
                let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(&provider))
                    .map_err(|error| Error::Roots(error.to_string()))?;
                Some(Arc::new(verifier) as Arc<dyn ServerCertVerifier>)
            }
            None => None,
        };
        Ok(Self {
            provider,
            verifier,
            given: Arc::new(given.unwrap_or_default()),
        })
    }

    /// A configuration for one connection, and what its verifier will have seen.
    pub(crate) fn config(&self, is_checked: bool) -> Result<(ClientConfig, Arc<Witness>), String> {
        let witness = Arc::new(Witness {
            verifier: self.verifier.clone(),
            provider: Arc::clone(&self.provider),
            given: Arc::clone(&self.given),
            is_checked,
            seen: Mutex::default(),
        });
        let verifier = Arc::clone(&witness) as Arc<dyn ServerCertVerifier>;
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Each handshake is to be a whole one, as the first after a restart of the gateway is.
        config.resumption = rustls::client::Resumption::disabled();
        Ok((config, witness))
    }
}

fn of_file(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let given: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    given
        .ok()
        .filter(|given| !given.is_empty())
        .ok_or(Error::NoAuthority)
}

fn of_given(
    given: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in given {
        roots
            .add(certificate.clone())
            .map_err(|_| Error::NoAuthority)?;
    }
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map_err(|_| Error::NoAuthority)?;
    Ok(verifier)
}

/// What came of one certificate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Certificates that the server sent.
    pub(crate) certificates: usize,
    /// Why it would be refused, where it is not checked.
    pub(crate) refused: Option<String>,
}

/// Verifies, and remembers. Where a certificate is not to be checked, the handshake goes on and the reason is kept: that
/// the server holds the key is proved in any case.
#[derive(Debug)]
pub(crate) struct Witness {
    verifier: Option<Arc<dyn ServerCertVerifier>>,
    provider: Arc<CryptoProvider>,
    given: Arc<Vec<CertificateDer<'static>>>,
    is_checked: bool,
    seen: Mutex<Seen>,
}

impl Witness {
    pub(crate) fn seen(&self) -> Seen {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.certificates = 1 + intermediates.len();
        let Some(verifier) = &self.verifier else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified =
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // Signed by itself and named by `--ca`: gateways built on OpenSSL take it. Its dates were found good before
            // this was; its name is left to check.
            Err(rustls::Error::InvalidCertificate(bad))
                if blame::is_authoritys(&bad)
                    && self.given.iter().any(|given| given == end_entity) =>
            {
                let parsed = ParsedCertificate::try_from(end_entity)?;
                verify_server_name(&parsed, server_name).map(|()| ServerCertVerified::assertion())
            }
            Err(rustls::Error::InvalidCertificate(bad)) if !self.is_checked => {
                seen.refused = Some(blame::certificate(&bad, seen.certificates));
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
