//! The lab's own HTTP client: raw, so that it can hang up in the middle, and patient for a bounded time only. HTTP/2 is
//! spoken by the `curl` program.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, Stdio};
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

/// What the client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Version {
    Http10,
    #[default]
    Http11,
    /// Without TLS, known beforehand.
    Http2,
}

/// A request under way.
pub(crate) enum Exchange {
    Raw(TcpStream),
    Curl(Child),
}

impl Exchange {
    /// The answer to `ask`.
    pub(crate) fn receive(self, ask: &Ask) -> Seen {
        match self {
            Self::Raw(mut stream) => receive(&mut stream, ask),
            Self::Curl(child) => curl_saw(child).unwrap_or_default(),
        }
    }

    /// Ends the connection without an answer.
    pub(crate) fn hang_up(self) {
        if let Self::Curl(mut child) = self {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Sends `ask` over HTTP/2, behind a line that names the client where the proxy waits for one: curl's own address, for
/// before version 8.2 it can name no other.
pub(crate) fn send_http2(proxy: SocketAddr, ask: &Ask, introduced: bool) -> Result<Child> {
    let mut command = Command::new("curl");
    command
        .args([
            "--silent",
            "--http2-prior-knowledge",
            "--path-as-is",
            "--globoff",
        ])
        .args([
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code} %{exitcode}",
        ])
        .args(["--max-time", &PATIENCE.as_secs().to_string()])
        .args(["--connect-to", &format!("shop.example:80:{proxy}")])
        .args(introduced.then_some("--haproxy-protocol"))
        .args(["--request", ask.method])
        .arg("--user-agent")
        .arg(OsStr::from_bytes(ask.visitor.agent));
    if ask.body > 0 {
        command.args(["--data-binary", &"f".repeat(ask.body)]);
        command.args(["--header", "Content-Type:"]);
    }
    for (name, value) in fields(ask) {
        command.args(["--header", &format!("{name}: {value}")]);
    }
    command
        .arg(format!("http://shop.example{}", ask.target))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("curl is not installed (Debian package curl)")
}

/// What curl says of the answer: its status, and whether it was whole.
fn curl_saw(child: Child) -> Option<Seen> {
    let output = child.wait_with_output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let (status, exit) = said.split_once(' ')?;
    Some(Seen {
        status: status.parse().ok().filter(|status| *status > 0),
        complete: exit == "0",
        kept: false,
    })
}

/// Header fields that tell the proxy who asks, and the origin what to do.
fn fields(ask: &Ask) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("X-Forwarded-For", ask.visitor.addr.clone()),
        (DELAY_HEADER, ask.delay_ms.to_string()),
        (STATUS_HEADER, ask.status.to_string()),
        (SIZE_HEADER, ask.size.to_string()),
    ];
    fields.extend(
        ask.fault
            .map(|fault| (FAULT_HEADER, fault.name().to_owned())),
    );
    fields.extend(ask.referer.map(|referer| ("Referer", referer.to_owned())));
    fields
}

/// Sends `ask`; `keep` leaves the connection open for another.
pub(crate) fn send(stream: &mut TcpStream, ask: &Ask, version: Version, keep: bool) -> Result<()> {
    let protocol = match version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 | Version::Http2 => "HTTP/1.1",
    };
    let mut head = format!(
        "{} {} {protocol}\r\nHost: shop.example\r\nAccept: */*\r\nConnection: {}\r\n",
        ask.method,
        ask.target,
        if keep { "keep-alive" } else { "close" },
    )
    .into_bytes();
    for (name, value) in fields(ask) {
        head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
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
