//! Lines inside JSON: Docker's files, journald's JSON, and what Fluent Bit, Fluentd, Vector, Filebeat, Promtail, logcli,
//! stern and cloud logging write. Told by their keys, not by the shipper: users rename and nest them.
//!
//! A strict reader: shippers have JSON encoders, unlike the formats that edges are given by hand. What it cannot read
//! is no envelope.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::packed::Searcher;
use memchr::memchr2;

use super::{Around, Program, Written};
use crate::format::{parse_time, unescape};

/// Keys that hold the line, the surer first. As an object, too: some shippers parse JSON on the way.
const MESSAGES: &[&[u8]] = &[
    b"MESSAGE",
    b"log",
    b"message",
    b"line",
    b"textPayload",
    b"event.original",
    b"short_message",
    b"_raw",
    b"event",
    b"jsonPayload",
];

/// Keys that name the program or its container, the surer first.
const PROGRAMS: &[&[u8]] = &[
    b"SYSLOG_IDENTIFIER",
    b"CONTAINER_NAME",
    b"appname",
    b"app_name",
    b"programname",
    b"program",
    b"ident",
    b"syslogtag",
    b"process.name",
    b"log.syslog.appname",
    b"kubernetes.container_name",
    b"kubernetes.container.name",
    b"resource.labels.container_name",
    b"labels.container",
    b"labels.container_name",
    b"container_name",
    b"container.name",
    b"containerName",
    b"_container_name",
    b"attrs.tag",
    b"_COMM",
    b"_SYSTEMD_UNIT",
    b"labels.app",
    b"labels.unit",
    b"labels.service_name",
    b"labels.job",
    b"kubernetes.pod_name",
    b"kubernetes.pod.name",
    b"podName",
];

/// Keys that may name an edge, but no other program: paths of files and names of images.
const PATHS: &[&[u8]] = &[
    b"container_image",
    b"kubernetes.container_image",
    b"container.image.name",
    b"image",
    b"log.file.path",
    b"file",
    b"filename",
    b"labels.filename",
    b"source",
];

/// Keys that hold the time, the surer first. `@timestamp` is often that of the shipper.
const TIMES: &[&[u8]] = &[
    b"_SOURCE_REALTIME_TIMESTAMP",
    b"__REALTIME_TIMESTAMP",
    b"time",
    b"timestamp",
    b"@timestamp",
    b"date",
    b"ts",
];

/// Keys that say that the line goes on in the next one, and how.
const PARTIALS: &[(&[u8], &[u8])] = &[
    (b"logtag", b"P"),
    (b"_p", b"P"),
    (b"partial_message", b"true"),
    (b"CONTAINER_PARTIAL_MESSAGE", b"true"),
];

/// Objects within objects that are looked into. `resource.labels.container_name` is the deepest key of the tables.
const LEVELS_MAX: usize = 3;
/// Longest path of keys in the tables, with some room.
const PATH_MAX: usize = 64;
/// Objects that are only stepped over may nest as deep as they like; the reader counts, it does not recurse.
type Depth = u32;

/// Opens an object that holds a line. A line that needed no unescaping is given by its place, another one stands in
/// `text` afterwards.
pub(super) fn open(
    line: &[u8],
    text: &mut Vec<u8>,
    path: &mut Vec<u8>,
) -> Option<(Option<Range<usize>>, Around)> {
    if line.first() != Some(&b'{') || !may_hold_message(line) {
        return None;
    }
    path.clear();
    let mut reader = Reader { line, at: 0, path };
    let mut found = Found::new(line);
    reader.object(1, &mut found)?;
    reader.blanks();
    if reader.at < line.len() {
        return None;
    }
    found.message(text)
}

/// Whether some key of [`MESSAGES`] may stand in the object: most are requests, which end here. Nested keys stand there
/// piece by piece, so the first piece counts.
fn may_hold_message(line: &[u8]) -> bool {
    static ANY: LazyLock<Option<Searcher>> = LazyLock::new(|| {
        let first = |key: &&[u8]| key.split(|byte| *byte == b'.').next().map(<[u8]>::to_vec);
        let quoted = |key: Vec<u8>| [b"\"".as_slice(), &key, b"\""].concat();
        let mut keys: Vec<Vec<u8>> = MESSAGES.iter().filter_map(first).map(quoted).collect();
        keys.push(b"\"event.original\"".to_vec());
        Searcher::new(keys)
    });
    // Without the instructions for it all are read.
    ANY.as_ref().is_none_or(|any| any.find(line).is_some())
}

/// A value by its place in the line.
#[derive(Clone, Copy)]
struct Value {
    kind: Kind,
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Without its quotes.
    String,
    /// A string that holds a backslash.
    Escaped,
    Bare,
    Array,
    Object,
}

struct Reader<'a> {
    line: &'a [u8],
    at: usize,
    /// Keys of the objects around, with points between.
    path: &'a mut Vec<u8>,
}

impl Reader<'_> {
    fn object(&mut self, level: usize, found: &mut Found<'_>) -> Option<()> {
        self.at += 1;
        loop {
            self.blanks();
            match self.peek()? {
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                b',' => self.at += 1,
                b'"' => self.member(level, found)?,
                _ => return None,
            }
        }
    }

    fn member(&mut self, level: usize, found: &mut Found<'_>) -> Option<()> {
        let key = self.string()?;
        self.blanks();
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        self.blanks();
        let outer = self.path.len();
        if outer > 0 {
            self.path.push(b'.');
        }
        let name = self.line.get(key.start..key.end)?;
        let known = outer + name.len() < PATH_MAX;
        if known {
            self.path.extend_from_slice(name);
        }
        let value = self.value(level, known, found)?;
        if known {
            found.note(self.path, value);
        }
        self.path.truncate(outer);
        Some(())
    }

    fn value(&mut self, level: usize, known: bool, found: &mut Found<'_>) -> Option<Value> {
        let start = self.at;
        let kind = match self.peek()? {
            b'"' => return self.string(),
            b'{' if known && level < LEVELS_MAX => {
                self.object(level + 1, found)?;
                Kind::Object
            }
            first @ (b'{' | b'[') => {
                self.skip()?;
                if first == b'{' {
                    Kind::Object
                } else {
                    Kind::Array
                }
            }
            _ => {
                let rest = self.line.get(start..)?;
                let len = rest.iter().position(|byte| b",}] \t".contains(byte))?;
                self.at += len;
                Kind::Bare
            }
        };
        (self.at > start).then_some(Value {
            kind,
            start,
            end: self.at,
        })
    }

    /// From the opening quote to behind the closing one.
    fn string(&mut self) -> Option<Value> {
        let start = self.at + 1;
        let mut from = start;
        let mut kind = Kind::String;
        loop {
            let found = from + memchr2(b'"', b'\\', self.line.get(from..)?)?;
            if self.line.get(found) == Some(&b'"') {
                self.at = found + 1;
                return Some(Value {
                    kind,
                    start,
                    end: found,
                });
            }
            kind = Kind::Escaped;
            from = found + 2;
        }
    }

    /// Steps over an array or an object.
    fn skip(&mut self) -> Option<()> {
        let mut depth: Depth = 0;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }
}

/// What an object says of the line in it: of each table the surest key.
struct Found<'a> {
    line: &'a [u8],
    string: Option<(usize, Value)>,
    object: Option<(usize, Value)>,
    program: Option<(usize, Program)>,
    time: Option<(usize, Written)>,
    partial: bool,
    /// Whether `log` and `stream` stand there, as Docker writes them: it cuts long lines at 16 KiB, and only the last
    /// part ends in a line end.
    docker: [bool; 2],
}

impl<'a> Found<'a> {
    const fn new(line: &'a [u8]) -> Self {
        Self {
            line,
            string: None,
            object: None,
            program: None,
            time: None,
            partial: false,
            docker: [false; 2],
        }
    }

    fn note(&mut self, path: &[u8], value: Value) {
        let text = self.line.get(value.start..value.end).unwrap_or_default();
        let of = |table: &[&[u8]]| table.iter().position(|key| *key == path);
        if let Some(rank) = of(MESSAGES) {
            self.docker[0] |= path == b"log";
            let place = match value.kind {
                Kind::String | Kind::Escaped => &mut self.string,
                Kind::Array if path == b"MESSAGE" => &mut self.string,
                Kind::Object => &mut self.object,
                Kind::Bare | Kind::Array => return,
            };
            keep(place, rank, value);
        } else if let Some(rank) = of(TIMES) {
            if let Some(moment) = parse_time(text) {
                keep(&mut self.time, rank, Written::At(moment));
            }
        } else if let Some(rank) = of(PROGRAMS) {
            self.name(rank, Program::of(text));
        } else if let Some(rank) = of(PATHS) {
            if let edge @ Program::Edge(_) = Program::of(text) {
                self.name(PROGRAMS.len() + rank, edge);
            }
        } else if path == b"stream" {
            self.docker[1] = true;
        } else {
            self.partial |= PARTIALS.contains(&(path, text));
        }
    }

    /// An edge beats another program whatever the key.
    fn name(&mut self, rank: usize, program: Program) {
        let rank = match program {
            Program::Edge(_) => rank,
            Program::Other => rank + PROGRAMS.len() + PATHS.len(),
            Program::Unnamed => return,
        };
        keep(&mut self.program, rank, program);
    }

    fn message(self, text: &mut Vec<u8>) -> Option<(Option<Range<usize>>, Around)> {
        let (_, value) = self.string.or(self.object)?;
        let raw = self.line.get(value.start..value.end)?;
        let mut says = Around {
            program: self
                .program
                .map_or(Program::Unnamed, |(_, program)| program),
            written: self.time.map_or(Written::Unsaid, |(_, written)| written),
            partial: self.partial,
            depth: 0,
        };
        text.clear();
        match value.kind {
            Kind::Escaped => unescape(raw, text),
            Kind::Array => bytes(raw, text)?,
            Kind::String | Kind::Bare | Kind::Object => {}
        }
        says.partial |= self.docker == [true; 2] && text.last() != Some(&b'\n');
        let span = text
            .is_empty()
            .then(|| value.start..value.start + raw.trim_ascii_end().len());
        text.truncate(text.trim_ascii_end().len());
        Some((span, says))
    }
}

fn keep<T>(place: &mut Option<(usize, T)>, rank: usize, value: T) {
    if place.as_ref().is_none_or(|(known, _)| rank < *known) {
        *place = Some((rank, value));
    }
}

/// journald gives a message that is not printable text as an array of its bytes.
fn bytes(array: &[u8], text: &mut Vec<u8>) -> Option<()> {
    let inner = array.strip_prefix(b"[")?.strip_suffix(b"]")?;
    for number in inner.split(|byte| *byte == b',') {
        let digits = std::str::from_utf8(number.trim_ascii()).ok()?;
        text.push(digits.parse().ok()?);
    }
    Some(())
}
