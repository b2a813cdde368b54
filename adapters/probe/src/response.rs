//! An HTTP/1 response read as a gateway reads it: bytes in, the answer or what a gateway would choke on out. No socket.
//!
//! Refused is what nginx and HAProxy refuse, and what RFC 9112 tells a gateway to refuse. Sources: nginx
//! `src/http/ngx_http_parse.c`, `src/http/modules/ngx_http_proxy_module.c`; RFC 9112, sections 4 to 7.

use model::Cause;
use model::probe::{Answer, Note, Phase};

/// Bytes of a header block that are read to say how large it is; what is longer is told as longer.
const HEADER_MAX: usize = 256 * 1024;
/// Bytes of the first line; a line that goes on is not of HTTP.
const STATUS_LINE_MAX: usize = 8 * 1024;
/// Bytes that tell protocols apart: the header of an HTTP/2 frame.
const TELLING: usize = 9;
/// Bytes of the line before a chunk, extensions included.
const CHUNK_LINE_MAX: usize = 4 * 1024;
/// Interim responses (100, 103) before the final one.
const INTERIM_MAX: usize = 8;
/// Bytes of a body that are kept, to see what an error page says.
const BODY_KEPT: usize = 1024;
/// nginx's buffer where a page of memory has 4 KiB, which is nearly everywhere; 8 KiB elsewhere.
const SMALL_BUFFER: usize = 4 * 1024;

/// What is wrong with a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Where it showed.
    pub phase: Phase,
    /// What a gateway's log would say.
    pub cause: Cause,
    /// In words.
    pub detail: String,
}

fn wrong<T>(phase: Phase, cause: Cause, detail: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong {
        phase,
        cause,
        detail: detail.into(),
    })
}

fn malformed<T>(phase: Phase, detail: impl Into<String>) -> Result<T, Wrong> {
    wrong(phase, Cause::MalformedResponse, detail)
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    Close,
}

/// Where in a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    Size,
    Data(u64),
    DataEnd,
    Trailer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Body,
    Done,
}

/// Takes a response in pieces of any size.
#[derive(Debug)]
pub struct Reader {
    state: State,
    /// What of the header block, or of a chunk's line, has come.
    pending: Vec<u8>,
    seen: usize,
    header_buffer: usize,
    warn_small: bool,
    interim: usize,
    framing: Framing,
    chunk: Chunk,
    is_kept: bool,
    answer: Answer,
    body_start: Vec<u8>,
    notes: Vec<Note>,
    any: bool,
}

impl Reader {
    /// `header_buffer` is what the gateway holds a header block in; `None` is nginx's default, with a note where only
    /// the larger of its two defaults would do.
    pub fn new(header_buffer: Option<usize>) -> Self {
        Self {
            state: State::Head,
            pending: Vec::new(),
            seen: 0,
            header_buffer: header_buffer.unwrap_or(2 * SMALL_BUFFER),
            warn_small: header_buffer.is_none(),
            interim: 0,
            framing: Framing::Close,
            chunk: Chunk::Size,
            is_kept: false,
            answer: Answer::default(),
            body_start: Vec::new(),
            notes: Vec::new(),
            any: false,
        }
    }

    /// Whether the header block is read.
    pub fn has_head(&self) -> bool {
        self.state != State::Head
    }

    /// Whether any byte came.
    pub fn has_any(&self) -> bool {
        self.any
    }

    /// Whether the response is whole.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the connection may be used again.
    pub fn is_kept(&self) -> bool {
        self.is_kept && self.framing != Framing::Close
    }

    /// The answer as far as it came, and what to say of it; `None` before the end of its header.
    pub fn into_answer(mut self) -> (Option<Answer>, Vec<Note>) {
        self.answer.is_whole = self.is_done();
        let answer = self.has_head().then_some(self.answer);
        (answer, self.notes)
    }

    /// The answer so far.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The beginning of the body.
    pub fn body_start(&self) -> &[u8] {
        &self.body_start
    }

    /// What is said beside the answer.
    pub fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// More bytes.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Wrong> {
        self.any |= !bytes.is_empty();
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Head => self.head(bytes)?,
                State::Body => self.body(bytes)?,
                State::Done => {
                    self.note(Note::Surplus);
                    return Ok(());
                }
            };
        }
        Ok(())
    }

    /// The other side closed.
    pub fn end(&mut self) -> Result<(), Wrong> {
        match self.state {
            State::Done => Ok(()),
            State::Head if !self.any => wrong(
                Phase::FirstByte,
                Cause::ClosedBeforeHeaders,
                "the connection was closed before a byte of the answer",
            ),
            State::Head => {
                // What came may not have been HTTP at all.
                self.first_line_so_far(true)?;
                wrong(
                    Phase::Headers,
                    Cause::ClosedBeforeHeaders,
                    format!(
                        "the connection was closed inside the header, after {} bytes",
                        self.pending.len()
                    ),
                )
            }
            State::Body if self.framing == Framing::Close => {
                self.state = State::Done;
                Ok(())
            }
            State::Body => wrong(Phase::Body, Cause::TruncatedBody, self.short_of()),
        }
    }

    /// Nothing more came in time: what came may not have been HTTP at all.
    pub fn stop(&self) -> Result<(), Wrong> {
        if self.state == State::Head && self.any {
            self.first_line_so_far(true)?;
        }
        Ok(())
    }

    /// How much of the body is missing, in words.
    pub fn short_of(&self) -> String {
        let read = self.answer.body_bytes;
        match self.framing {
            Framing::Length(left) => format!(
                "the body ended after {read} of {} bytes (Content-Length)",
                read + left
            ),
            Framing::Chunked => {
                format!("the chunked body ended after {read} bytes, without its last chunk")
            }
            Framing::Close => format!("the body was cut after {read} bytes"),
        }
    }

    fn head<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Wrong> {
        let before = self.pending.len();
        self.pending.extend_from_slice(bytes);
        self.first_line_so_far(false)?;
        let Some(end) = head_end(&self.pending, self.seen) else {
            self.seen = self.pending.len().saturating_sub(3);
            if self.pending.len() > HEADER_MAX {
                return wrong(
                    Phase::Headers,
                    Cause::HeaderTooLarge,
                    format!("the header is larger than {HEADER_MAX} bytes and has no end yet"),
                );
            }
            return Ok(&[]);
        };
        self.first_line_so_far(true)?;
        let head: Vec<u8> = self.pending.drain(..end).collect();
        self.pending.clear();
        self.seen = 0;
        let rest = &bytes[end - before..];
        self.read_head(&head)?;
        Ok(rest)
    }

    /// Refuses what is no HTTP as soon as that can be seen.
    fn first_line_so_far(&self, is_end: bool) -> Result<(), Wrong> {
        let line = self.pending.split(|byte| *byte == b'\n').next();
        let line = line.unwrap_or_default();
        let is_whole = is_end || line.len() < self.pending.len();
        let known = line.len().min(5);
        if line[..known] == b"HTTP/"[..known] && !(is_whole && known < 5) {
            if self.pending.len() > STATUS_LINE_MAX && line.len() == self.pending.len() {
                return malformed(Phase::Headers, "the first line does not end");
            }
            return Ok(());
        }
        if let Some(other) = other_protocol(&self.pending) {
            return wrong(
                Phase::FirstByte,
                Cause::ProtocolMismatch,
                format!("the answer is {other}, where HTTP/1 was expected"),
            );
        }
        if self.pending.len() < TELLING && !is_end {
            return Ok(());
        }
        malformed(
            Phase::FirstByte,
            "the answer does not begin with an HTTP status line",
        )
    }

    fn read_head(&mut self, head: &[u8]) -> Result<(), Wrong> {
        let mut lines = head.split(|byte| *byte == b'\n').map(without_return);
        let status = status(lines.next().unwrap_or_default())?;
        let mut fields = Fields::default();
        for line in lines.filter(|line| !line.is_empty()) {
            fields.take(line)?;
        }
        if head.len() > self.header_buffer {
            return wrong(
                Phase::Headers,
                Cause::HeaderTooLarge,
                format!(
                    "the header has {} bytes, more than the {} of the gateway's buffer",
                    head.len(),
                    self.header_buffer
                ),
            );
        }
        // 101 would end HTTP, and nobody asked for that.
        if (100..200).contains(&status) && status != 101 {
            self.interim += 1;
            if self.interim > INTERIM_MAX {
                return malformed(Phase::Headers, "too many interim responses");
            }
            return Ok(());
        }
        if status == 101 {
            return malformed(Phase::Headers, "101: a change of protocol nobody asked for");
        }
        self.framing = fields.framing(status, &mut self.notes)?;
        if self.warn_small && head.len() > SMALL_BUFFER {
            self.note(Note::HeaderAboveSmallBuffer(head.len() as u64));
        }
        self.is_kept = match &fields.connection {
            Some(value) if value.contains("close") => false,
            Some(value) if value.contains("keep-alive") => true,
            _ => head.starts_with(b"HTTP/1.1"),
        };
        self.answer = Answer {
            status,
            server: fields.server,
            content_type: fields.content_type,
            location: fields.location,
            retry_after: fields.retry_after,
            header_bytes: head.len() as u64,
            body_bytes: 0,
            is_whole: false,
        };
        self.state = match self.framing {
            Framing::Length(0) => State::Done,
            Framing::Length(_) | Framing::Chunked | Framing::Close => State::Body,
        };
        Ok(())
    }

    fn body<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Wrong> {
        match self.framing {
            Framing::Close => {
                self.count(bytes);
                Ok(&[])
            }
            Framing::Length(left) => {
                let (body, rest) = split(bytes, left);
                self.count(body);
                let left = left - body.len() as u64;
                self.framing = Framing::Length(left);
                if left == 0 {
                    self.state = State::Done;
                }
                Ok(rest)
            }
            Framing::Chunked => self.chunked(bytes),
        }
    }

    fn chunked<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Wrong> {
        if let Chunk::Data(left) = self.chunk {
            let (body, rest) = split(bytes, left);
            self.count(body);
            let left = left - body.len() as u64;
            self.chunk = if left == 0 {
                Chunk::DataEnd
            } else {
                Chunk::Data(left)
            };
            return Ok(rest);
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        self.pending.extend_from_slice(line);
        // A size that is none is told by its first byte, whether the line ends or not.
        let first = self.pending.first().copied().unwrap_or_default();
        let is_bad = match self.chunk {
            Chunk::Size => !first.is_ascii_hexdigit(),
            Chunk::DataEnd => !matches!(first, b'\r' | b'\n'),
            Chunk::Data(_) | Chunk::Trailer => false,
        };
        if is_bad || self.pending.len() > CHUNK_LINE_MAX {
            return malformed(Phase::Body, self.bad_chunk());
        }
        if end.is_none() {
            return Ok(rest);
        }
        let line = std::mem::take(&mut self.pending);
        let line = without_return(line.strip_suffix(b"\n").unwrap_or(&line));
        self.chunk = match self.chunk {
            Chunk::Size => match chunk_size(line) {
                Some(0) => Chunk::Trailer,
                Some(size) => Chunk::Data(size),
                None => return malformed(Phase::Body, self.bad_chunk()),
            },
            Chunk::DataEnd if line.is_empty() => Chunk::Size,
            Chunk::DataEnd => return malformed(Phase::Body, self.bad_chunk()),
            Chunk::Trailer if line.is_empty() => {
                self.state = State::Done;
                Chunk::Trailer
            }
            Chunk::Trailer | Chunk::Data(_) => Chunk::Trailer,
        };
        Ok(rest)
    }

    fn bad_chunk(&self) -> String {
        let read = self.answer.body_bytes;
        match self.chunk {
            Chunk::DataEnd => format!("after {read} bytes a chunk is longer than it says"),
            _ => format!("after {read} bytes stands what is no size of a chunk"),
        }
    }

    fn count(&mut self, body: &[u8]) {
        self.answer.body_bytes += body.len() as u64;
        let room = BODY_KEPT - self.body_start.len();
        self.body_start
            .extend_from_slice(&body[..body.len().min(room)]);
    }
}

/// The header fields that matter.
#[derive(Default)]
struct Fields {
    lengths: Vec<String>,
    codings: Vec<String>,
    connection: Option<String>,
    server: Option<String>,
    content_type: Option<String>,
    location: Option<String>,
    retry_after: Option<String>,
}

impl Fields {
    fn take(&mut self, line: &[u8]) -> Result<(), Wrong> {
        if matches!(line[0], b' ' | b'\t') {
            return malformed(Phase::Headers, "a header line begins with a blank");
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return malformed(Phase::Headers, "a header line has no colon");
        };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.is_empty() {
            return malformed(Phase::Headers, "a header field has no name");
        }
        if !name.iter().all(|byte| is_token(*byte)) {
            return malformed(
                Phase::Headers,
                format!(
                    "the name of a header field holds what no name may: {:?}",
                    String::from_utf8_lossy(name)
                ),
            );
        }
        // A lone CR, NUL and other controls; what is above ASCII is opaque and taken by all.
        let is_control = |byte: &u8| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f;
        if value.iter().any(is_control) {
            return malformed(
                Phase::Headers,
                format!(
                    "the field {} holds a control character",
                    String::from_utf8_lossy(name)
                ),
            );
        }
        let value = String::from_utf8_lossy(value.trim_ascii()).into_owned();
        match name.to_ascii_lowercase().as_slice() {
            b"content-length" => self.lengths.push(value),
            b"transfer-encoding" => self.codings.push(value.to_ascii_lowercase()),
            b"connection" => self.connection = Some(value.to_ascii_lowercase()),
            b"server" => self.server = Some(value),
            b"content-type" => self.content_type = Some(value),
            b"location" => self.location = Some(value),
            b"retry-after" => self.retry_after = Some(value),
            _ => {}
        }
        Ok(())
    }

    fn framing(&self, status: u16, notes: &mut Vec<Note>) -> Result<Framing, Wrong> {
        if !self.lengths.is_empty() && !self.codings.is_empty() {
            return malformed(
                Phase::Headers,
                "both Content-Length and Transfer-Encoding: nobody can tell where the body ends",
            );
        }
        let has_no_body = matches!(status, 204 | 304);
        if let Some(first) = self.lengths.first() {
            if self.lengths.iter().any(|other| other != first) {
                return malformed(Phase::Headers, "two Content-Length fields that differ");
            }
            if self.lengths.len() > 1 {
                notes.push(Note::LengthRepeated);
            }
            let digits = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
            let Some(length) = first.parse().ok().filter(|_| digits) else {
                return malformed(Phase::Headers, "Content-Length is not a number");
            };
            return Ok(Framing::Length(if has_no_body { 0 } else { length }));
        }
        match self.codings.as_slice() {
            _ if has_no_body => Ok(Framing::Length(0)),
            [] => Ok(Framing::Close),
            [only] if only == "chunked" => Ok(Framing::Chunked),
            _ => malformed(
                Phase::Headers,
                "a Transfer-Encoding that is not chunked, which gateways refuse",
            ),
        }
    }
}

/// Where the header block ends: after an empty line, with or without carriage returns.
fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'\n') {
        let next = at + found + 1;
        match &bytes[next..] {
            [b'\n', ..] => return Some(next + 1),
            [b'\r', b'\n', ..] => return Some(next + 2),
            _ => at = next,
        }
    }
    None
}

/// `HTTP/1.1 200 OK`; the words behind the number may be missing.
fn status(line: &[u8]) -> Result<u16, Wrong> {
    let bad = |what: &str| malformed(Phase::Headers, format!("bad status line: {what}"));
    let Some((version, rest)) = line
        .iter()
        .position(|byte| *byte == b' ')
        .map(|at| (&line[..at], &line[at + 1..]))
    else {
        return bad("no status in it");
    };
    let is_version = matches!(version, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
        if major.is_ascii_digit() && minor.is_ascii_digit());
    if !is_version {
        return bad("the version is none");
    }
    if version[5] != b'1' {
        return wrong(
            Phase::Headers,
            Cause::ProtocolMismatch,
            "the answer is of another major version of HTTP",
        );
    }
    let code = &rest[..rest.len().min(3)];
    let is_code = code.len() == 3 && code.iter().all(u8::is_ascii_digit);
    if !is_code || !matches!(rest.get(3), None | Some(b' ')) {
        return bad("the status is not a number of three digits");
    }
    let status = code
        .iter()
        .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    if status < 100 {
        return bad("the status is below 100");
    }
    Ok(status)
}

/// What else a port may speak, by the first bytes.
fn other_protocol(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [0x15 | 0x16, 0x03, ..] => "TLS",
        // A frame of SETTINGS (4) or GOAWAY (7) on stream 0.
        [0, 0, _, 4 | 7, _, 0, 0, 0, 0, ..] => "HTTP/2",
        [1, 2..=11, ..] => "FastCGI",
        [b'A', b'B', ..] => "AJP",
        _ if bytes.starts_with(b"SSH-") => "SSH",
        _ if bytes.starts_with(b"220 ") || bytes.starts_with(b"220-") => "SMTP or FTP",
        _ if bytes.starts_with(b"-ERR") || bytes.starts_with(b"+OK") => "Redis or POP3",
        _ => return None,
    })
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?;
    let size = std::str::from_utf8(size).ok()?.trim_ascii_end();
    let is_hex = size.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(size, 16)
        .ok()
        .filter(|size| is_hex && *size <= i64::MAX as u64)
}

fn split(bytes: &[u8], at: u64) -> (&[u8], &[u8]) {
    bytes.split_at(usize::try_from(at).map_or(bytes.len(), |at| at.min(bytes.len())))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
