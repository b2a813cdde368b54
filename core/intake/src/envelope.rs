//! What stands around a line: syslog, journald, container runtimes, shippers. Opened line by line, without a state, so
//! that several programs may be interleaved in one stream.

use model::Edge;

/// What an envelope held.
pub(crate) struct Opened<'line> {
    /// The line as the program wrote it.
    pub(crate) line: &'line [u8],
    /// The product, where the envelope names the program. A hint: what the line itself shows goes before it.
    pub(crate) program: Option<Edge>,
}

/// Takes off what stands around `line`. Text that must be unescaped is put into `text`, which is overwritten.
pub(crate) fn open<'line>(line: &'line [u8], _text: &'line mut Vec<u8>) -> Opened<'line> {
    Opened {
        line,
        program: None,
    }
}
