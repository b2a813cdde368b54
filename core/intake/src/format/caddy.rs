//! Caddy's console encoder: time, level, logger and message with tabs between them, then the fields as a JSON object.
//!
//! Each of the first four can be left out by the user; the level may stand in colours. What the line is, its logger
//! tells, or the message.

use std::ops::Range;

/// The parts of a line of the console encoder.
pub(crate) struct Console<'line> {
    /// Time, level, logger, message.
    pub(crate) columns: [&'line [u8]; 4],
    /// Where the object begins.
    pub(crate) object: usize,
    /// Where the first column stands.
    pub(crate) time: Range<usize>,
}

impl<'line> Console<'line> {
    /// Takes a line apart; `None` for one without tabs before an object.
    pub(crate) fn of(line: &'line [u8]) -> Option<Self> {
        let mut columns = [b"".as_slice(); 4];
        /// Longest stamp of any form: the cheap look at lines of other layouts.
        const TIME_MAX: usize = 48;
        memchr::memchr(b'\t', line.get(..TIME_MAX).unwrap_or(line))?;
        let mut start = 0;
        for column in &mut columns {
            let rest = line.get(start..)?;
            if rest.first() == Some(&b'{') {
                break;
            }
            let len = memchr::memchr(b'\t', rest)?;
            *column = rest.get(..len)?;
            start += len + 1;
        }
        let is_object = line.get(start..)?.starts_with(b"{\"");
        (start > 0 && is_object).then_some(Self {
            columns,
            object: start,
            time: 0..columns[0].len(),
        })
    }

    /// Whether one of the columns begins so.
    pub(crate) fn has(&self, text: &[u8]) -> bool {
        self.columns.iter().any(|column| column.starts_with(text))
    }

    /// Whether it is a request.
    pub(super) fn is_request(&self) -> bool {
        self.has(b"http.log.access") || self.columns.contains(&b"handled request".as_slice())
    }
}
