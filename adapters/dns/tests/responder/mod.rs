//! A name server of a few lines, for what no real one gives on request: silence, rubbish, cut and late answers. It
//! counts what it is asked.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each user takes a part of it, and a test may panic"
)]

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A question's type: RFC 1035, section 3.2.2.
pub(crate) const A: u16 = 1;
/// The same.
pub(crate) const PTR: u16 = 12;
/// RFC 3596.
pub(crate) const AAAA: u16 = 28;

/// Codes of failure: RFC 1035, section 4.1.1.
pub(crate) const SERVER_FAILURE: u8 = 2;
/// The same.
pub(crate) const NO_SUCH_NAME: u8 = 3;
/// The same.
pub(crate) const REFUSED: u8 = 5;

/// Bytes of a message before the question.
const HEAD: usize = 12;

/// One question.
pub(crate) struct Query<'a> {
    /// As it came.
    pub(crate) bytes: &'a [u8],
    /// In lower case, without the last dot.
    pub(crate) name: String,
    pub(crate) kind: u16,
    /// Where the question ends.
    end: usize,
}

impl<'a> Query<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut labels = Vec::new();
        let mut at = HEAD;
        loop {
            let len = usize::from(*bytes.get(at)?);
            let label = bytes.get(at + 1..at + 1 + len)?;
            at += 1 + len;
            if len == 0 {
                break;
            }
            labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        }
        let kind = u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?);
        Some(Self {
            bytes,
            name: labels.join("."),
            kind,
            end: at + 4,
        })
    }

    /// The IPv4 address whose name is asked for.
    pub(crate) fn reversed(&self) -> Option<Ipv4Addr> {
        let octets = self.name.strip_suffix(".in-addr.arpa")?;
        let octets: Vec<u8> = octets
            .rsplit('.')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?;
        Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?))
    }

    /// An answer with these values of the kind asked for.
    pub(crate) fn values(&self, values: &[Vec<u8>]) -> Vec<u8> {
        let mut message = self.head(0, values.len() as u16);
        for value in values {
            // The name is the question's.
            message.extend([0xc0, HEAD as u8]);
            message.extend(self.kind.to_be_bytes());
            message.extend([0, 1, 0, 0, 0, 60]);
            message.extend((value.len() as u16).to_be_bytes());
            message.extend(value);
        }
        message
    }

    /// An answer of names.
    pub(crate) fn names(&self, names: &[&str]) -> Vec<u8> {
        let encode = |name: &&str| {
            let mut value = Vec::new();
            for label in name.split('.') {
                value.push(label.len() as u8);
                value.extend(label.as_bytes());
            }
            value.push(0);
            value
        };
        self.values(&names.iter().map(encode).collect::<Vec<_>>())
    }

    /// An answer of addresses.
    pub(crate) fn addresses(&self, addresses: &[IpAddr]) -> Vec<u8> {
        let encode = |address: &IpAddr| match address {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        self.values(&addresses.iter().map(encode).collect::<Vec<_>>())
    }

    /// A failure.
    pub(crate) fn fails(&self, code: u8) -> Vec<u8> {
        self.head(code, 0)
    }

    /// An answer that says it is cut.
    pub(crate) fn cut(&self) -> Vec<u8> {
        let mut message = self.head(0, 0);
        message[2] |= 0x02;
        message
    }

    fn head(&self, code: u8, answers: u16) -> Vec<u8> {
        let mut message = self.bytes[..self.end].to_vec();
        // A response, recursion available.
        message[2] = 0x81;
        message[3] = 0x80 | code;
        message[6..8].copy_from_slice(&answers.to_be_bytes());
        message[8..12].fill(0);
        message
    }
}

/// Ends with it.
pub(crate) struct Responder {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<BTreeMap<(String, u16), u64>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    /// Answers after `delay` with what `says` says; nothing for `None`.
    pub(crate) fn start(
        delay: Duration,
        mut says: impl FnMut(&Query<'_>) -> Option<Vec<u8>> + Send + 'static,
    ) -> Self {
        /// How soon it notices that it shall end.
        const PATIENCE: Duration = Duration::from_millis(20);
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let asked: Arc<Mutex<BTreeMap<(String, u16), u64>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (counts, stops) = (Arc::clone(&asked), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let mut due: VecDeque<(Instant, SocketAddr, Vec<u8>)> = VecDeque::new();
            let mut buffer = [0; 4_096];
            while !stops.load(Ordering::Relaxed) {
                while let Some((at, to, answer)) = due.pop_front() {
                    if at > Instant::now() {
                        due.push_front((at, to, answer));
                        break;
                    }
                    let _ = socket.send_to(&answer, to);
                }
                let next = due
                    .front()
                    .map(|(at, ..)| at.saturating_duration_since(Instant::now()));
                let wait = next.unwrap_or(PATIENCE).max(Duration::from_micros(50));
                socket.set_read_timeout(Some(wait.min(PATIENCE))).unwrap();
                let Ok((len, from)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                let Some(query) = Query::parse(&buffer[..len]) else {
                    continue;
                };
                *counts
                    .lock()
                    .unwrap()
                    .entry((query.name.clone(), query.kind))
                    .or_default() += 1;
                if let Some(answer) = says(&query) {
                    due.push_back((Instant::now() + delay, from, answer));
                }
            }
        });
        Self {
            address,
            asked,
            stop,
            thread: Some(thread),
        }
    }

    /// Passes every question on to another server, and its answer back.
    pub(crate) fn before(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.connect(server).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        Self::start(Duration::ZERO, move |query| {
            socket.send(query.bytes).unwrap();
            let mut buffer = vec![0; 4_096];
            let len = socket.recv(&mut buffer).unwrap();
            buffer.truncate(len);
            Some(buffer)
        })
    }

    /// How often each question came, by name and kind.
    pub(crate) fn asked(&self) -> BTreeMap<(String, u16), u64> {
        self.asked.lock().unwrap().clone()
    }

    /// Questions of that kind, and of those the different ones.
    pub(crate) fn count(&self, kind: u16) -> (u64, u64) {
        let asked = self.asked.lock().unwrap();
        let of_kind = || asked.iter().filter(|((_, one), _)| *one == kind);
        (of_kind().map(|(_, n)| n).sum(), of_kind().count() as u64)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
