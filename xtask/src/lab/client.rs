//! The lab's own HTTP client: raw, so that it can hang up in the middle, and patient for a bounded time only.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::origin::{DELAY_HEADER, FAULT_HEADER, SIZE_HEADER, STATUS_HEADER};
use super::traffic::Ask;

/// Longest wait for bytes, real time: above every time-out of a proxy that runs in real time.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest answer read.
const ANSWER_MAX: usize = 1 << 20;

/// What the client saw of an answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Status, if the answer was HTTP.
    pub(crate) status: Option<u16>,
    /// Whether the body was as long as declared.
    pub(crate) complete: bool,
    /// Whether the connection can be used again.
    pub(crate) kept: bool,
}

/// Sends `ask`; `keep` leaves the connection open for another.
pub(crate) fn send(stream: &mut TcpStream, ask: &Ask, keep: bool) -> Result<()> {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: {}\r\nAccept: */*\r\nConnection: {}\r\n\
         {DELAY_HEADER}: {}\r\n{STATUS_HEADER}: {}\r\n{SIZE_HEADER}: {}\r\n",
        ask.method,
        ask.target,
        ask.visitor.addr,
        if keep { "keep-alive" } else { "close" },
        ask.delay_ms,
        ask.status,
        ask.size,
    )
    .into_bytes();
    if let Some(fault) = ask.fault {
        head.extend_from_slice(format!("{FAULT_HEADER}: {}\r\n", fault.name()).as_bytes());
    }
    if let Some(referer) = ask.referer {
        head.extend_from_slice(format!("Referer: {referer}\r\n").as_bytes());
    }
    if ask.body > 0 {
        head.extend_from_slice(format!("Content-Length: {}\r\n", ask.body).as_bytes());
    }
    head.extend_from_slice(b"User-Agent: ");
    head.extend_from_slice(ask.visitor.agent);
    head.extend_from_slice(b"\r\n\r\n");
    head.resize(head.len() + ask.body, b'f');
    match stream.write_all(&head) {
        // A proxy may answer an upload, and close, before it has read all of it.
        Err(_) if ask.body > 0 => Ok(()),
        sent => sent.context("cannot send to the proxy"),
    }
}

/// Tells the proxy who the client is, in the words of HAProxy's PROXY protocol, version 1.
pub(crate) fn introduce(stream: &mut TcpStream, client: &str) -> Result<()> {
    let (family, own) = if client.contains(':') {
        ("TCP6", "::1")
    } else {
        ("TCP4", "127.0.0.1")
    };
    let line = format!("PROXY {family} {client} {own} 50123 80\r\n");
    stream
        .write_all(line.as_bytes())
        .context("cannot send to the proxy")
}

/// Opens a connection to the proxy.
pub(crate) fn connect(proxy: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(proxy).context("cannot connect to the proxy")?;
    be_patient(&stream)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Waits for bytes for as long as any proxy may take.
pub(crate) fn be_patient(stream: &TcpStream) -> Result<()> {
    Ok(stream.set_read_timeout(Some(PATIENCE))?)
}

/// Reads the answer to `ask`. A broken answer is an observation, not an error.
pub(crate) fn receive(stream: &mut TcpStream, ask: &Ask) -> Seen {
    let mut answer = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(seen) = whole(&answer, ask) {
            return seen;
        }
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 && answer.len() < ANSWER_MAX => {
                answer.extend_from_slice(buffer.get(..count).unwrap_or_default());
            }
            _ => return ended(&answer),
        }
    }
}

/// The answer, if it is whole without an end of the connection.
fn whole(answer: &[u8], ask: &Ask) -> Option<Seen> {
    let (head, body) = split(answer)?;
    let status = status(head)?;
    let bare = ask.method == "HEAD" || status == 304 || status == 204;
    let done = if bare {
        true
    } else if let Some(length) = field(head, "content-length") {
        body.len() >= length.parse::<usize>().ok()?
    } else {
        field(head, "transfer-encoding").is_some() && body.ends_with(b"0\r\n\r\n")
    };
    done.then(|| Seen {
        status: Some(status),
        complete: true,
        kept: field(head, "connection").is_none_or(|value| value != "close"),
    })
}

/// The answer when the connection has ended before it was whole.
fn ended(answer: &[u8]) -> Seen {
    let Some((head, _)) = split(answer) else {
        return Seen::default();
    };
    let delimited =
        field(head, "content-length").is_some() || field(head, "transfer-encoding").is_some();
    Seen {
        status: status(head),
        complete: !delimited,
        kept: false,
    }
}

fn split(answer: &[u8]) -> Option<(&str, &[u8])> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    Some((head, answer.get(end + 4..)?))
}

fn status(head: &str) -> Option<u16> {
    head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()
}

fn field(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim().to_ascii_lowercase())
    })
}
