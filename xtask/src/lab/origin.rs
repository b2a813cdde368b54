//! The small misbehaving origin: a server of threads and raw sockets that does on request what real ones do on bad days.
//!
//! What it does is chosen by its own mode (a whole member is broken) or, for one request, by a header that only the
//! lab's client sends. Headers of requests are not logged, so the logs look like any site's.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use super::clock::Clock;

/// Request header by which the lab's client chooses the fault; its value is [`Fault::name`].
pub(crate) const FAULT_HEADER: &str = "x-lab-fault";
/// Request header with the milliseconds of lab time that the answer takes.
pub(crate) const DELAY_HEADER: &str = "x-lab-delay";
/// Request header with the status of a good answer.
pub(crate) const STATUS_HEADER: &str = "x-lab-status";
/// Request header with the size of the body.
pub(crate) const SIZE_HEADER: &str = "x-lab-size";

/// Longest request header read.
const REQUEST_HEADER_MAX: usize = 16 * 1024;
/// Largest body sent.
const BODY_MAX: usize = 256 * 1024;
/// How long a connection waits for a request, real time. Only bounds a thread's life.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// Lets what was sent reach the proxy before a reset would discard it.
const SETTLE: Duration = Duration::from_millis(30);

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What can go wrong with one answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault { $($(#[$doc])* $variant,)* }

        impl Fault {
            /// The name in the header and in the truth.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The fault of that name.
            fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

faults! {
    /// Closes in an orderly way before a byte of the answer.
    Close = "close-before-headers",
    /// Resets before a byte of the answer.
    Reset = "reset-before-headers",
    /// Closes inside the header.
    CutHeader = "cut-header",
    /// Sends bytes that are no HTTP.
    Garbage = "garbage",
    /// Sends a header field whose name has spaces.
    BadField = "bad-field-name",
    /// A status that is no number.
    BadStatus = "bad-status",
    /// Two lengths that differ.
    TwoLengths = "two-lengths",
    /// Sends a header of 20 kB.
    BigHeader = "big-header",
    /// Takes the request and stays silent until released.
    Silent = "never-answers",
    /// Takes the request, stays silent until released, then answers well.
    Late = "late",
    /// The application's own 500 page.
    Own500 = "own-500",
    /// The application's own 502 page.
    Own502 = "own-502",
    /// The application's own 503 page, with Retry-After.
    Own503 = "own-503",
    /// The application's own 504 page.
    Own504 = "own-504",
    /// Another nginx behind the proxy made the 502.
    Gateway502 = "gateway-502",
    /// Declares a longer body than it sends, then closes.
    CutBody = "cut-body",
    /// Declares a longer body than it sends, then resets.
    ResetBody = "reset-body",
    /// Ends a chunked body without the last chunk.
    CutChunked = "cut-chunked",
    /// Sends a chunk size that is no number.
    BadChunk = "bad-chunk",
    /// Answers well, then closes the kept connection when the next request arrives on it.
    CloseOnReuse = "close-on-reuse",
    /// Resets when it has read the header of an upload.
    RefuseUpload = "refuse-upload",
    /// Declares a long body, sends half and stays silent until released.
    StallBody = "stall-body",
    /// The same, and sends the other half then.
    SlowBody = "slow-body",
}

/// Where an origin listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// An address of the loopback net.
    Tcp(SocketAddr),
    /// The path of a unix socket.
    Unix(std::path::PathBuf),
}

/// What the connections of one origin share with the script.
struct Shared {
    clock: Arc<Clock>,
    mode: Mutex<Option<Fault>>,
    stopping: AtomicBool,
    /// Copies of the open connections by number, so that a stop can end them.
    open: Mutex<Vec<(usize, TcpStream)>>,
    accepted: AtomicUsize,
    held: AtomicUsize,
    released: Mutex<usize>,
    release: Condvar,
}

/// One member of a pool.
pub(crate) struct Origin {
    address: Address,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Origin {
    /// An origin that listens at `address`.
    pub(crate) fn start(address: Address, clock: &Arc<Clock>) -> Result<Self> {
        let shared = Arc::new(Shared {
            clock: Arc::clone(clock),
            mode: Mutex::new(None),
            stopping: AtomicBool::new(false),
            open: Mutex::new(Vec::new()),
            accepted: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            released: Mutex::new(0),
            release: Condvar::new(),
        });
        let mut origin = Self {
            address,
            shared,
            thread: None,
        };
        origin.up()?;
        Ok(origin)
    }

    /// Listens again.
    pub(crate) fn up(&mut self) -> Result<()> {
        if self.thread.is_some() {
            return Ok(());
        }
        let Address::Tcp(address) = &self.address else {
            return Ok(());
        };
        let listener = TcpListener::bind(address)
            .with_context(|| format!("origin cannot listen on {address}"))?;
        self.shared.stopping.store(false, Ordering::SeqCst);
        let shared = Arc::clone(&self.shared);
        self.thread = Some(std::thread::spawn(move || accept(&listener, &shared)));
        Ok(())
    }

    /// Stops listening and closes what is open: the next connection is refused.
    pub(crate) fn down(&mut self) -> Result<()> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        self.shared.stopping.store(true, Ordering::SeqCst);
        if let Address::Tcp(address) = &self.address {
            drop(TcpStream::connect(address));
        }
        thread
            .join()
            .map_err(|_| anyhow::anyhow!("an origin's thread panicked"))?;
        for (_, stream) in lock(&self.shared.open).drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
        Ok(())
    }

    /// Makes every answer of this member fail so; `None` heals it.
    pub(crate) fn set(&self, mode: Option<Fault>) {
        *lock(&self.shared.mode) = mode;
    }

    /// How many requests have been held so far.
    pub(crate) fn held(&self) -> usize {
        self.shared.held.load(Ordering::SeqCst)
    }

    /// Lets the request go that has been held longest.
    pub(crate) fn release_one(&self) {
        *lock(&self.shared.released) += 1;
        self.shared.release.notify_all();
    }

    /// Lets every held request go: their connections are closed.
    pub(crate) fn release(&self) {
        *lock(&self.shared.released) = self.held();
        self.shared.release.notify_all();
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.release();
        // An origin that cannot be stopped dies with the recorder.
        self.down().ok();
    }
}

/// A TCP listener whose accept queue is full: further connections get no answer at all.
pub(crate) struct FullQueue {
    _listener: Socket,
    _fillers: Vec<Socket>,
}

impl FullQueue {
    /// Fills the queue of a listener at `address`.
    pub(crate) fn tcp(address: SocketAddr) -> Result<Self> {
        let listener = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        listener.set_reuse_address(true)?;
        listener.bind(&address.into())?;
        listener.listen(0)?;
        Self::fill(listener, &address.into())
    }

    /// Fills the queue of a listener on a unix socket.
    pub(crate) fn unix(path: &Path) -> Result<Self> {
        let address = SockAddr::unix(path)?;
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        listener.bind(&address)?;
        listener.listen(0)?;
        Self::fill(listener, &address)
    }

    /// A queue of length 0 holds one connection; a few more make sure.
    fn fill(listener: Socket, address: &SockAddr) -> Result<Self> {
        let mut fillers = Vec::new();
        for _ in 0..4 {
            let filler = Socket::new(address.domain(), Type::STREAM, None)?;
            filler.set_nonblocking(true)?;
            // In progress or refused for now: both are what filling means.
            filler.connect(address).ok();
            fillers.push(filler);
        }
        Ok(Self {
            _listener: listener,
            _fillers: fillers,
        })
    }
}

/// A unix socket that exists, so that only its permissions are in the way.
pub(crate) fn unix_socket(path: &Path) -> Result<UnixListener> {
    UnixListener::bind(path).with_context(|| format!("cannot listen on {}", path.display()))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
        if let Ok(copy) = stream.try_clone() {
            lock(&shared.open).push((number, copy));
        }
        let shared = Arc::clone(shared);
        // Every connection's life is bounded by IDLE_MAX; nobody waits for its thread.
        std::thread::spawn(move || {
            let end = serve(&stream, &shared);
            // The copy must go first: a reset is sent when the last one closes.
            lock(&shared.open).retain(|(other, _)| *other != number);
            if end == End::Close {
                stream.shutdown(Shutdown::Both).ok();
            }
        });
    }
}

/// How a connection ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Close,
    Reset,
}

/// Serves one connection. An error means that the other side has gone, which is its right.
fn serve(stream: &TcpStream, shared: &Shared) -> End {
    stream.set_read_timeout(Some(IDLE_MAX)).ok();
    stream.set_nodelay(true).ok();
    let mut close_on_next = false;
    while let Some(request) = read_request(stream, shared) {
        if close_on_next {
            break;
        }
        let mode = *lock(&shared.mode);
        let fault = mode.or(request.fault);
        if request.delay > Duration::ZERO {
            shared.clock.advance(request.delay).ok();
        }
        let kept = match fault {
            None => send_good(stream, &request),
            Some(Fault::Late) => {
                hold(shared);
                send_good(stream, &request)
            }
            Some(Fault::CloseOnReuse) => {
                close_on_next = true;
                send_good(stream, &request)
            }
            Some(fault) => {
                if matches!(fault, Fault::Reset | Fault::ResetBody | Fault::RefuseUpload) {
                    send_fault(stream, fault, &request, shared);
                    return End::Reset;
                }
                send_fault(stream, fault, &request, shared)
            }
        };
        if !kept {
            break;
        }
    }
    End::Close
}

struct Request {
    head: bool,
    keep: bool,
    fault: Option<Fault>,
    delay: Duration,
    status: u16,
    size: usize,
}

/// Reads one request with its body; `None` when the connection has ended or what came is no HTTP.
fn read_request(mut stream: &TcpStream, shared: &Shared) -> Option<Request> {
    let mut header = Vec::new();
    let mut byte = [0];
    while !header.ends_with(b"\r\n\r\n") {
        if header.len() >= REQUEST_HEADER_MAX || stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        header.push(byte[0]);
        if header.len() == 1 && !byte[0].is_ascii_uppercase() {
            refuse_noise(stream, *lock(&shared.mode));
            return None;
        }
    }
    let header = String::from_utf8_lossy(&header).to_ascii_lowercase();
    let field = |name: &str| {
        header.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key == name).then(|| value.trim().to_owned())
        })
    };
    let fault = field(FAULT_HEADER).and_then(|name| Fault::from_name(&name));
    if fault != Some(Fault::RefuseUpload) {
        let length = field("content-length").and_then(|value| value.parse::<u64>().ok());
        std::io::copy(&mut stream.take(length.unwrap_or(0)), &mut std::io::sink()).ok()?;
    }
    let http_1_0 = header
        .lines()
        .next()
        .is_some_and(|line| line.ends_with("http/1.0"));
    Some(Request {
        head: header.starts_with("head "),
        keep: !http_1_0 && field("connection").is_none_or(|value| value != "close"),
        fault,
        delay: Duration::from_millis(
            field(DELAY_HEADER)
                .and_then(|v| v.parse().ok())
                .unwrap_or(0),
        ),
        status: field(STATUS_HEADER)
            .and_then(|v| v.parse().ok())
            .unwrap_or(200),
        size: field(SIZE_HEADER)
            .and_then(|v| v.parse().ok())
            .unwrap_or(4_096)
            .min(BODY_MAX),
    })
}

/// What does not begin like a method is TLS or noise: plain servers say so in plain text, others just close.
fn refuse_noise(mut stream: &TcpStream, mode: Option<Fault>) {
    // Read until it pauses: a close with bytes unread or under way would be a reset.
    stream.set_read_timeout(Some(SETTLE)).ok();
    let mut rest = [0; 4_096];
    while stream.read(&mut rest).is_ok_and(|count| count > 0) {}
    if mode.is_none() {
        stream.write_all(BAD_REQUEST).ok();
    }
}

const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// The page that every good answer is: filler of the size asked for.
fn page(size: usize) -> Vec<u8> {
    let mut page = b"<!doctype html><title>Shop</title>\n".to_vec();
    page.resize(size.max(1), b'.');
    page
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        404 => "Not Found",
        410 => "Gone",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

/// Sends what was asked for and says whether the connection stays.
fn send_good(mut stream: &TcpStream, request: &Request) -> bool {
    let bare = matches!(request.status, 304) || request.head;
    let body = page(request.size);
    let location = if matches!(request.status, 301 | 302) {
        "Location: /\r\n"
    } else {
        ""
    };
    let mut answer = format!(
        "HTTP/1.1 {} {}\r\nContent-Type: text/html\r\n{location}Content-Length: {}\r\nConnection: {}\r\n\r\n",
        request.status,
        reason(request.status),
        if request.status == 304 { 0 } else { body.len() },
        if request.keep { "keep-alive" } else { "close" },
    )
    .into_bytes();
    if !bare {
        answer.extend_from_slice(&body);
    }
    stream.write_all(&answer).is_ok() && request.keep
}

/// Does what the fault says; says whether the connection stays.
fn send_fault(mut stream: &TcpStream, fault: Fault, request: &Request, shared: &Shared) -> bool {
    let sent = match fault {
        Fault::Close | Fault::CloseOnReuse => Ok(()),
        Fault::Reset | Fault::RefuseUpload => reset(stream),
        Fault::CutHeader => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/ht"),
        Fault::Garbage => stream.write_all(b"\x00\x03shop-backend: worker 7 not ready\n"),
        Fault::BadStatus => stream.write_all(b"HTTP/1.1 2x0 OK\r\nContent-Length: 2\r\n\r\nok"),
        Fault::TwoLengths => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 7\r\n\r\nok")
        }
        Fault::BadField => stream
            .write_all(b"HTTP/1.1 200 OK\r\nX Powered By: shop\r\nContent-Length: 2\r\n\r\nok"),
        Fault::BigHeader => big_header(stream),
        Fault::Silent | Fault::Late => {
            hold(shared);
            Ok(())
        }
        Fault::Own500 => own_page(stream, 500, "", "shop", 2_311),
        Fault::Own502 => own_page(stream, 502, "", "shop", 1_874),
        Fault::Own503 => own_page(stream, 503, "Retry-After: 120\r\n", "shop", 1_902),
        Fault::Own504 => own_page(stream, 504, "", "shop", 1_866),
        Fault::Gateway502 => gateway_page(stream),
        Fault::CutBody => cut_body(stream, request.size),
        Fault::ResetBody => cut_body(stream, request.size).and_then(|()| {
            std::thread::sleep(SETTLE);
            reset(stream)
        }),
        Fault::CutChunked => chunks(stream, b"800\r\n", request.size),
        Fault::BadChunk => chunks(stream, b"zz;?\r\n", request.size),
        Fault::StallBody => cut_body(stream, request.size).map(|()| hold(shared)),
        Fault::SlowBody => cut_body(stream, request.size).and_then(|()| {
            hold(shared);
            stream.write_all(&page(request.size - request.size / 2))
        }),
    };
    let own = matches!(
        fault,
        Fault::Own500 | Fault::Own502 | Fault::Own503 | Fault::Own504
    );
    // Without the pause a close could overtake the bytes on a busy machine.
    std::thread::sleep(Duration::from_millis(1));
    sent.is_ok() && own && request.keep
}

/// A close that sends RST instead of FIN.
fn reset(stream: &TcpStream) -> std::io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// Waits until the script releases the request.
fn hold(shared: &Shared) {
    let released = lock(&shared.released);
    let number = shared.held.fetch_add(1, Ordering::SeqCst);
    drop(
        shared
            .release
            .wait_timeout_while(released, IDLE_MAX, |released| *released <= number),
    );
}

/// One cookie of 20 kB: more than any proxy's default buffer, and than httpd's limit for one field.
fn big_header(mut stream: &TcpStream) -> std::io::Result<()> {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: cart={}\r\n\r\nok",
        "x".repeat(20_000)
    );
    stream.write_all(answer.as_bytes())
}

fn own_page(
    mut stream: &TcpStream,
    status: u16,
    fields: &str,
    server: &str,
    size: usize,
) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} {}\r\nServer: {server}\r\nContent-Type: text/html\r\n{fields}Content-Length: {size}\r\n\r\n",
        reason(status)
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&page(size))
}

/// The 502 page that an nginx behind the edge makes, byte for byte.
fn gateway_page(mut stream: &TcpStream) -> std::io::Result<()> {
    let body = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
    let head = format!(
        "HTTP/1.1 502 Bad Gateway\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

/// A header that promises `size` bytes, and half of them.
fn cut_body(mut stream: &TcpStream, size: usize) -> std::io::Result<()> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {size}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&page(size / 2))
}

/// One whole chunk, then `next` and half of what it promises.
fn chunks(mut stream: &TcpStream, next: &[u8], size: usize) -> std::io::Result<()> {
    let first = page(size.max(2_048));
    stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n",
    )?;
    stream.write_all(format!("{:x}\r\n", first.len()).as_bytes())?;
    stream.write_all(&first)?;
    stream.write_all(b"\r\n")?;
    std::thread::sleep(SETTLE);
    stream.write_all(next)?;
    stream.write_all(&page(1_000))
}
