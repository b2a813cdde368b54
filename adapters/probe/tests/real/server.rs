//! A scripted origin on loopback: threads and plain sockets, which all end with it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

/// Bounds a thread's life where a client forgets to close.
const LIFE_MAX: Duration = Duration::from_secs(20);

/// What it does with a connection.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads a request, says this, closes.
    Say(Vec<u8>),
    /// Says this without reading first, reads a request, closes.
    Greet(Vec<u8>),
    /// Reads a request, says this, resets.
    Reset(Vec<u8>),
    /// Reads a request, says this, waits for the client to go.
    Hold(Vec<u8>),
    /// Closes at once, the request unread.
    Close,
    /// Closes on what does not begin with a letter, says this to the others.
    Picky(Vec<u8>),
    /// Reads whatever comes first, says this, closes: no TLS, no HTTP.
    Raw(Vec<u8>),
}

impl Act {
    pub(crate) fn say(text: impl AsRef<[u8]>) -> Self {
        Self::Say(text.as_ref().to_vec())
    }
}

/// Chooses by the path.
type Script = Arc<dyn Fn(&str) -> Act + Send + Sync>;

trait Pipe: Read + Write + Send {}
impl<T: Read + Write + Send> Pipe for T {}

pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    address: Option<SocketAddr>,
    path: Option<PathBuf>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn always(act: Act) -> Self {
        Self::start("127.0.0.1:0", None, move |_| act.clone())
    }

    pub(crate) fn secure(act: Act, tls: &Arc<ServerConfig>) -> Self {
        Self::start("127.0.0.1:0", Some(Arc::clone(tls)), move |_| act.clone())
    }

    pub(crate) fn start(
        address: &str,
        tls: Option<Arc<ServerConfig>>,
        script: impl Fn(&str) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let accept = move || {
            let (stream, _) = listener.accept().ok()?;
            Some(stream)
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let mut server = Self::run(accept, Arc::new(script), tls);
        server.name = format!("{scheme}://{address}");
        server.address = Some(address);
        server
    }

    pub(crate) fn unix(path: &Path, script: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let is_over = Arc::<AtomicBool>::default();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (over, log) = (Arc::clone(&is_over), Arc::clone(&asked));
        let script: Script = Arc::new(script);
        let thread = thread::spawn(move || {
            let mut workers = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                stream.set_read_timeout(Some(LIFE_MAX)).unwrap();
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                workers.push(thread::spawn(move || {
                    serve(&mut &stream, &script, &log);
                }));
            }
            workers.into_iter().for_each(|it| it.join().unwrap());
        });
        Self {
            name: format!("unix:{}", path.display()),
            asked,
            address: None,
            path: Some(path.to_owned()),
            is_over,
            thread: Some(thread),
        }
    }

    fn run(
        accept: impl Fn() -> Option<TcpStream> + Send + 'static,
        script: Script,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let is_over = Arc::<AtomicBool>::default();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (over, log) = (Arc::clone(&is_over), Arc::clone(&asked));
        let thread = thread::spawn(move || {
            let mut workers = Vec::new();
            while let Some(stream) = accept() {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                stream.set_read_timeout(Some(LIFE_MAX)).unwrap();
                let (script, log, tls) = (Arc::clone(&script), Arc::clone(&log), tls.clone());
                workers.push(thread::spawn(move || talk(stream, &script, &log, tls)));
            }
            workers.into_iter().for_each(|it| it.join().unwrap());
        });
        Self {
            name: String::new(),
            asked,
            address: None,
            path: None,
            is_over,
            thread: Some(thread),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        if let Some(address) = self.address {
            drop(TcpStream::connect(address));
        }
        if let Some(path) = &self.path {
            drop(UnixStream::connect(path));
        }
        self.thread.take().unwrap().join().unwrap();
    }
}

fn talk(
    stream: TcpStream,
    script: &Script,
    log: &Mutex<Vec<String>>,
    tls: Option<Arc<ServerConfig>>,
) {
    let is_reset = match tls {
        None => serve(&mut &stream, script, log),
        Some(config) => {
            let connection = ServerConnection::new(config).unwrap();
            let mut secured = StreamOwned::new(connection, stream.try_clone().unwrap());
            let is_reset = serve(&mut secured, script, log);
            if !is_reset {
                secured.conn.send_close_notify();
                let _ = secured.flush();
            }
            is_reset
        }
    };
    if is_reset {
        SockRef::from(&stream)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    } else {
        let _ = stream.shutdown(Shutdown::Write);
    }
}

/// Plays its part; gives whether to reset.
fn serve(stream: &mut dyn Pipe, script: &Script, log: &Mutex<Vec<String>>) -> bool {
    let first = script("");
    match first {
        Act::Close => return false,
        Act::Raw(bytes) => {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&bytes);
            return false;
        }
        Act::Greet(bytes) => {
            let _ = stream.write_all(&bytes);
            let _ = head(stream);
            return false;
        }
        Act::Picky(bytes) => {
            let mut first = [0];
            if stream.read_exact(&mut first).is_ok() && first[0].is_ascii_alphabetic() {
                let _ = head(stream);
                let _ = stream.write_all(&bytes);
            }
            return false;
        }
        Act::Say(_) | Act::Reset(_) | Act::Hold(_) => {}
    }
    let Some(head) = head(stream) else {
        return false;
    };
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock().unwrap().push(head);
    match script(&path) {
        Act::Say(bytes) => drop(stream.write_all(&bytes).and_then(|()| stream.flush())),
        Act::Reset(bytes) => {
            let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
            return true;
        }
        Act::Hold(bytes) => {
            let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
            while matches!(stream.read(&mut [0; 64]), Ok(count) if count > 0) {}
        }
        Act::Greet(_) | Act::Close | Act::Picky(_) | Act::Raw(_) => {}
    }
    false
}

fn head(stream: &mut dyn Pipe) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// An authority that exists as long as the test does.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new([]).unwrap();
        ca.distinguished_name
            .push(DnType::CommonName, "authority of the probe's tests");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = ca.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(ca, key),
        }
    }

    /// A server's configuration with a certificate of `name`, changed by `change`.
    pub(crate) fn config(
        &self,
        name: &str,
        versions: &[&'static rustls::SupportedProtocolVersion],
        change: impl Fn(&mut CertificateParams),
    ) -> Arc<ServerConfig> {
        let (certificate, key) = self.certificate(name, change);
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_protocol_versions(versions)
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
                .unwrap();
        Arc::new(config)
    }

    /// A certificate signed by itself and made as an authority's, as openssl makes one; and its PEM.
    pub(crate) fn of_itself(
        name: &str,
        change: impl Fn(&mut CertificateParams),
    ) -> (Arc<ServerConfig>, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let certificate = params.self_signed(&key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        (Arc::new(config), certificate.pem())
    }

    pub(crate) fn good(&self) -> Arc<ServerConfig> {
        self.config("localhost", rustls::ALL_VERSIONS, |_| {})
    }

    /// One that demands a certificate of the client.
    pub(crate) fn demanding(&self) -> Arc<ServerConfig> {
        let (certificate, key) = self.certificate("localhost", |_| {});
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::clone(&provider),
        );
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Arc::new(config)
    }

    fn certificate(
        &self,
        name: &str,
        change: impl Fn(&mut CertificateParams),
    ) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut leaf);
        let leaf = leaf.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        (leaf.der().clone(), key)
    }
}
