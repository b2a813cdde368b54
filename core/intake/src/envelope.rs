//! What stands around a line where programs share a stream: syslog headers, journald, container runtimes, and the
//! JSON that shippers wrap lines in.
//!
//! Each line is opened on its own, by its first bytes, so that a plain line costs no more than a look. An envelope
//! never says what a line means. It gives a hint at the program that wrote the line, which yields to what the line
//! itself shows, and a time for lines that carry none.
//!
//! JSON is opened last, by [`Envelopes::open_record`], once nothing could be made of the object itself: an edge's own
//! JSON may well have a key named `message`.

mod container;
mod program;
mod record;
mod stamp;
mod syslog;

use std::ops::Range;

use model::Stamp;

pub(crate) use program::Program;
pub(crate) use stamp::Written;

/// A relay puts its header before another's, a container runtime both into JSON. What is deeper is left as it is.
const DEPTH_MAX: usize = 6;

/// A line without its envelopes.
pub(crate) struct Opened<'a> {
    /// As the program wrote it.
    pub(crate) line: &'a [u8],
    /// What the envelopes said.
    pub(crate) around: Around,
}

impl<'a> Opened<'a> {
    /// A line that nothing stands around.
    pub(crate) const fn plain(line: &'a [u8]) -> Self {
        Self {
            line,
            around: Around::NOTHING,
        }
    }
}

/// What the envelopes around a line say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Around {
    /// Who wrote it.
    pub(crate) program: Program,
    /// When.
    pub(crate) written: Written,
    /// Whether it goes on in the next line.
    pub(crate) partial: bool,
    /// How many envelopes there were.
    pub(crate) depth: usize,
}

impl Around {
    /// Nothing stood around the line.
    pub(crate) const NOTHING: Self = Self {
        program: Program::Unnamed,
        written: Written::Unsaid,
        partial: false,
        depth: 0,
    };

    /// Writes a header that says the same and names no host: of syslog where a program is named, else of a container.
    pub(crate) fn write_header(&self, newest: Option<Stamp>, out: &mut Vec<u8>) {
        let moment = self.written.moment(newest);
        let program = match self.program {
            Program::Unnamed => None,
            Program::Edge(edge) => Some(edge.name()),
            Program::Other => Some("other"),
        };
        let header = match (moment, program) {
            (None, None) => return,
            (Some(moment), None) => format!("{} stdout F ", stamp::text(moment)),
            (Some(moment), Some(name)) => format!("{} host {name}: ", stamp::text(moment)),
            (None, Some(name)) => format!("<14>{name}: "),
        };
        out.extend_from_slice(header.as_bytes());
    }

    /// What an envelope within says is nearer to the program than what those around it say.
    fn step_in(&mut self, within: Self) {
        self.program = self.program.or_within(within.program);
        self.written = self.written.or_within(within.written);
        self.partial |= within.partial;
        self.depth += 1;
    }
}

/// One envelope taken off; it says something of the line within.
struct Peeled<'a> {
    line: &'a [u8],
    says: Around,
}

impl<'a> Peeled<'a> {
    const fn new(line: &'a [u8]) -> Self {
        Self {
            line,
            says: Around::NOTHING,
        }
    }

    fn by(mut self, name: &[u8]) -> Self {
        self.says.program = Program::of(name);
        self
    }

    const fn at(mut self, written: Written) -> Self {
        self.says.written = written;
        self
    }
}

/// Takes off what is text. What is JSON stays: see [`Envelopes::open_record`].
pub(crate) fn open(line: &[u8]) -> Opened<'_> {
    let mut opened = Opened::plain(line);
    open_text(&mut opened);
    opened
}

fn open_text(opened: &mut Opened<'_>) {
    while opened.around.depth < DEPTH_MAX
        && let Some(peeled) = peel(opened.line)
    {
        opened.line = peeled.line;
        opened.around.step_in(peeled.says);
    }
}

/// Takes off the outermost envelope, if it is text.
fn peel(line: &[u8]) -> Option<Peeled<'_>> {
    match line.first()? {
        b'0'..=b'9' => digit(line),
        b'a'..=b'z' | b'A'..=b'Z' => word(line),
        b'<' => syslog::priority(line),
        b'[' => container::kubectl(line),
        b'-' | b'#' | b'=' => remark(line),
        0x1b => container::coloured(line),
        _ => None,
    }
}

/// An access line mostly begins with an address: it must leave here at once.
fn digit(line: &[u8]) -> Option<Peeled<'_>> {
    if line.get(4) == Some(&b'-') {
        let (written, rest) = stamp::iso(line)?;
        return container::cri(rest)
            .or_else(|| syslog::iso_header(rest))
            .or_else(|| container::labels(rest))
            .or_else(|| container::stamped(line, rest))
            .map(|peeled| peeled.at(written));
    }
    let head = line.get(..container::NAME_MAX).unwrap_or(line);
    let space = memchr::memchr(b' ', head)?;
    match line.get(space + 1)? {
        b' ' | b'|' => container::compose(line),
        b'<' => syslog::counted(line, space),
        b'1'..=b'9' if space == 1 => syslog::rfc5424(line),
        _ => syslog::epoch(line, space),
    }
}

fn word(line: &[u8]) -> Option<Peeled<'_>> {
    syslog::bsd(line)
        .or_else(|| syslog::weekday(line))
        .or_else(|| syslog::bare_tag(line))
        .or_else(|| container::compose(line))
        .or_else(|| container::stern(line))
}

/// What stands between the records of a file: what journalctl and `tail` say themselves, the headers of W3C logs.
fn remark(line: &[u8]) -> Option<Peeled<'_>> {
    const BEGINS: [&[u8]; 13] = [
        b"-- Boot ",
        b"-- Reboot",
        b"-- Journal begins at",
        b"-- Logs begin at",
        b"-- No entries",
        b"==> ",
        b"#Version:",
        b"#Fields:",
        b"#Software:",
        b"#Date:",
        b"#Start-Date:",
        b"#End-Date:",
        b"#Remark:",
    ];
    let mut peeled = Peeled::new(b"");
    peeled.says.program = Program::Other;
    BEGINS
        .iter()
        .any(|begin| line.starts_with(begin))
        .then_some(peeled)
}

/// Room for the text of lines that stood in JSON strings. Reused, so that no line costs an allocation.
#[derive(Default)]
pub(crate) struct Envelopes {
    text: Vec<u8>,
    spare: Vec<u8>,
    path: Vec<u8>,
}

/// Where a line stands while its envelopes are opened.
enum Place {
    /// In the line that was given.
    Line(Range<usize>),
    /// In [`Envelopes::text`].
    Text(Range<usize>),
}

impl Envelopes {
    /// Opens JSON that holds a line, and what stands around that line in turn. `None` where `opened` is no such JSON.
    pub(crate) fn open_record<'a>(&'a mut self, opened: &Opened<'a>) -> Option<Opened<'a>> {
        let line = opened.line;
        let mut around = opened.around;
        let mut place = Place::Line(0..line.len());
        while around.depth < DEPTH_MAX {
            let mut inner = Opened {
                line: resolve(&place, line, &self.text),
                around,
            };
            let before = inner.line.len();
            open_text(&mut inner);
            around = inner.around;
            // Text envelopes are prefixes.
            let prefix = before - inner.line.len();
            let found = record::open(inner.line, &mut self.spare, &mut self.path);
            let (Place::Line(range) | Place::Text(range)) = &mut place;
            range.start += prefix;
            let Some((span, says)) = found else { break };
            around.step_in(says);
            match span {
                Some(span) => *range = range.start + span.start..range.start + span.end,
                None => {
                    std::mem::swap(&mut self.text, &mut self.spare);
                    place = Place::Text(0..self.text.len());
                }
            }
        }
        (around.depth > opened.around.depth).then(|| Opened {
            line: resolve(&place, line, &self.text),
            around,
        })
    }
}

fn resolve<'a>(place: &Place, line: &'a [u8], text: &'a [u8]) -> &'a [u8] {
    let (buffer, range) = match place {
        Place::Line(range) => (line, range),
        Place::Text(range) => (text, range),
    };
    buffer.get(range.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
