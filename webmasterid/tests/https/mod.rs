//! An HTTPS server on a free loopback port, with an authority of its own that exists as long as the test does.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test may panic"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long a stalled answer waits at most for the test to end.
const STALL_MAX: Duration = Duration::from_secs(20);

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A whole answer.
    Is(u16, &'static str, String),
    /// Fewer bytes than it says.
    Cut(String),
    /// So many bytes, said before or not.
    Huge { is_said: bool },
    /// Go there.
    To(String),
    /// Nothing, until the test ends.
    Stall,
}

impl Answer {
    pub(crate) fn json(text: impl Into<String>) -> Self {
        Self::Is(200, "application/json", text.into())
    }
}

/// Lets stalled answers go.
type Gate = Arc<(Mutex<bool>, Condvar)>;

pub(crate) struct Server {
    /// `https://127.0.0.1:PORT`
    pub(crate) base: String,
    /// The authority that signed its certificate.
    pub(crate) ca: String,
    asked: Arc<Mutex<Vec<String>>>,
    gate: Gate,
}

impl Server {
    /// With a certificate of `name`; `answer` gets the path.
    pub(crate) fn start(
        name: &str,
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let (config, ca) = config(name);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let gate = Gate::default();
        let (answer, log, stop) = (Arc::new(answer), Arc::clone(&asked), Arc::clone(&gate));
        // Both end with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream);
                let (answer, log, stop) =
                    (Arc::clone(&answer), Arc::clone(&log), Arc::clone(&stop));
                thread::spawn(move || {
                    // A client that does not like our certificate hangs up.
                    if let Some(path) = path(&mut stream) {
                        log.lock().unwrap().push(path.clone());
                        let _ = send(&mut stream, &answer(&path), &stop);
                    }
                });
            }
        });
        Self {
            base,
            ca,
            asked,
            gate,
        }
    }

    /// Paths that were asked for since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }
}

fn config(name: &str) -> (Arc<ServerConfig>, String) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new([]).unwrap();
    let ca_name = format!("authority of {name}");
    ca.distinguished_name.push(DnType::CommonName, ca_name);
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (Arc::new(config), ca_pem)
}

fn path(stream: &mut StreamOwned<ServerConnection, TcpStream>) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    Some(head.split(' ').nth(1)?.to_owned())
}

fn send(
    stream: &mut StreamOwned<ServerConnection, TcpStream>,
    answer: &Answer,
    gate: &Gate,
) -> std::io::Result<()> {
    match answer {
        Answer::Is(status, kind, body) => write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?,
        Answer::Cut(body) => write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len() + 100
        )?,
        Answer::Huge { is_said } => {
            let bytes = 5 << 20;
            let length = match is_said {
                true => format!("Content-Length: {bytes}\r\n"),
                false => String::new(),
            };
            write!(
                stream,
                "HTTP/1.1 200 OK\r\n{length}Connection: close\r\n\r\n"
            )?;
            stream.write_all(&vec![b' '; bytes])?;
        }
        Answer::To(place) => write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )?,
        Answer::Stall => {
            let is_over = gate.0.lock().unwrap();
            let waited = gate.1.wait_timeout_while(is_over, STALL_MAX, |over| !*over);
            drop(waited.unwrap());
        }
    }
    stream.conn.send_close_notify();
    stream.flush()
}
