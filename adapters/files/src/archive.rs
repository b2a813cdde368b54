//! What is not a log we can read, told from its first bytes, with what to do about it.

use crate::decoder::Compression;

/// A packing we do not unpack: where its mark stands, the mark, and what the user is told.
const PACKED: &[(usize, &[u8], &str)] = &[
    // Four bytes of bzip2's own header are letters that a log may begin with, so its block mark is looked at as well.
    (
        4,
        &[0x31, 0x41, 0x59, 0x26, 0x53, 0x59],
        "bzip2; unpack it first: bunzip2",
    ),
    (
        4,
        &[0x17, 0x72, 0x45, 0x38, 0x50, 0x90],
        "bzip2; unpack it first: bunzip2",
    ),
    (
        0,
        &[0xfd, b'7', b'z', b'X', b'Z', 0],
        "xz; unpack it first: unxz",
    ),
    (0, &[0x04, 0x22, 0x4d, 0x18], "lz4; unpack it first: unlz4"),
    (
        0,
        &[0x1f, 0x9d],
        "compress (.Z); unpack it first: uncompress",
    ),
    (
        0,
        &[0x89, b'L', b'Z', b'O', 0],
        "lzop; unpack it first: lzop -d",
    ),
    (0, b"LZIP\x01", "lzip; unpack it first: lzip -d"),
    (0, b"PK\x03\x04", "a zip archive; unpack it first: unzip"),
    (
        0,
        &[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c],
        "a 7z archive; unpack it first: 7z x",
    ),
    (257, b"ustar", "a tar archive; unpack it first: tar -xf"),
    (
        0,
        b"LPKSHHRH",
        "a systemd journal; export it first: journalctl --file",
    ),
];

/// Runs of NUL bytes that a text may hold in one line: a crash leaves zeroed blocks in a log, and `copytruncate` a hole.
/// Binary files have hundreds.
const NUL_RUNS_MAX: usize = 4;

/// Why a source that begins so, inflated, is no log; `None` where it may be one.
pub(crate) fn refusal(head: &[u8], packed: Compression) -> Option<String> {
    for &(offset, mark, what) in PACKED {
        if head
            .get(offset..)
            .is_some_and(|rest| rest.starts_with(mark))
        {
            return Some(format!("is {what}"));
        }
    }
    let inner = Compression::of(head);
    if packed != Compression::Plain && inner != Compression::Plain {
        return Some(format!("is {inner} inside {packed}; unpack it once"));
    }
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Some("is UTF-16 text; convert it first: iconv -f UTF-16 -t UTF-8".to_owned());
    }
    is_binary(head).then(|| "binary file, not a log".to_owned())
}

/// A log may hold raw bytes: nginx writes what a scanner sent, a TLS handshake to a plain port, into its error log as it
/// came. Its lines stay lines, and most of the text is in lines without any such byte.
fn is_binary(head: &[u8]) -> bool {
    if memchr::memchr(0, head).is_none() {
        return false;
    }
    if memchr::memchr(b'\n', head).is_none() {
        return true;
    }
    let (mut odd, mut clean) = (0, 0);
    for line in head.split(|&byte| byte == b'\n') {
        let text = line.iter().filter(|&&byte| byte != 0).count();
        if is_odd(line) {
            odd += text.max(1);
        } else {
            clean += text;
        }
    }
    odd >= clean
}

/// Whether a line is more than text with a zeroed block in it.
fn is_odd(line: &[u8]) -> bool {
    let runs = line
        .split(|&byte| byte != 0)
        .filter(|run| !run.is_empty())
        .count();
    runs > NUL_RUNS_MAX || line.iter().any(is_control)
}

/// Control bytes that no text holds: all but tab, the line ends and escape.
fn is_control(byte: &u8) -> bool {
    matches!(byte, 1..=8 | 11 | 12 | 14..=26 | 28..=31)
}
