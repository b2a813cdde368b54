//! lighttpd's error log.
//!
//! `2026-11-22 07:28:32: (gw_backend.c.274) MESSAGE`: written by `log_error` and its kin in `src/log.c`, in local time
//! without a zone. It names no client. What a message says of the request is its path with query, some releases put the
//! host before it; both are the client's own words, so they are cut out of the words.
//!
//! The path is the one that the backend was asked for: decoded, and where a backend is configured for a prefix
//! (`"/" => ...`) it ends with the first segment behind that.

use memchr::memmem;
use model::Edge;

use super::{Cursor, ErrorLine, Level, day_millis};

/// Takes a line apart; `None` for what is no entry of lighttpd.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    let year = at.digits(4)?;
    at.eat(b"-")?;
    let month = at.digits(2)?;
    at.eat(b"-")?;
    let day = at.digits(2)?;
    at.eat(b" ")?;
    let millis = at.clock()?;
    at.eat(b": (")?;
    let place = at.until(b") ")?;
    if !is_source_line(place) {
        return None;
    }
    let civil = day_millis(year, month, day)?.checked_add(millis)?;
    let mut entry = ErrorLine::new(Edge::Lighttpd, civil, level(at.rest), at.rest);
    entry.upstream = socket(at.rest);
    asked_for(&mut entry);
    Some(entry)
}

/// Whether it is the last line of its event: the one that names the request, unless that is tried again, and the ones
/// about a backend that was waited for in vain.
pub(super) fn ends_event(entry: &ErrorLine<'_>) -> bool {
    let [words, behind] = entry.words;
    let names_request = !behind.is_empty() || words.ends_with(b" for ");
    let goes_on = behind.starts_with(b", reconnecting") || words.starts_with(b"reconnecting");
    names_request && !goes_on || memmem::find(words, b" timeout on socket: ").is_some()
}

/// `server started (lighttpd/1.4.69)`, `server stopped by UID = 0 PID = 9151`.
pub(super) fn is_of_the_server_itself(entry: &ErrorLine<'_>) -> bool {
    [b"server started (".as_slice(), b"server stopped by UID = "]
        .iter()
        .any(|words| entry.message.starts_with(words))
}

/// lighttpd writes no level. What it says of backends is grave, unless it is a note.
fn level(message: &[u8]) -> Level {
    if message.starts_with(b"[note]") || message.starts_with(b"server ") {
        Level::Notice
    } else {
        Level::Error
    }
}

/// `gw_backend.c.274`: a source file and a line in it.
fn is_source_line(place: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', place) else {
        return false;
    };
    let (file, line) = place.split_at(dot);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let digits = line.get(1..).unwrap_or_default();
    (file.ends_with(b".c") || file.ends_with(b".h") || file.ends_with(b".y"))
        && file.iter().all(is_name)
        && !digits.is_empty()
        && digits.iter().all(u8::is_ascii_digit)
}

/// What opens the path, and whether it stands at the begin of the message.
const OPENINGS: [(&[u8], bool); 4] = [
    (b"all handlers for ", true),
    (b"error: unexpected close of gw connection for ", true),
    (b"error: unexpected close of fastcgi connection for ", true),
    // Behind the socket, which no client chooses.
    (b" for ", false),
];

/// What may stand behind the path.
const ENDINGS: [&[u8]; 6] = [
    b", closing connection",
    b", reconnecting",
    b", terminating connection",
    b" on ",
    b" (no gw process on socket: ",
    b" (no fastcgi process on socket: ",
];

/// Path of the request, where the message names it; and the words without it.
fn asked_for(entry: &mut ErrorLine<'_>) {
    let message = entry.message;
    let found = OPENINGS.into_iter().find_map(|(opening, is_first)| {
        if is_first {
            return message.starts_with(opening).then_some(opening.len());
        }
        let socket = memmem::find(message, b"socket: ")?;
        let at = memmem::find(message.get(socket..)?, opening)?;
        Some(socket + at + opening.len())
    });
    let Some(start) = found else { return };
    let Some((before, rest)) = message.split_at_checked(start) else {
        return;
    };
    let end = ENDINGS
        .into_iter()
        .filter_map(|ending| memmem::rfind(rest, ending))
        .min()
        .unwrap_or(rest.len());
    let (target, behind) = rest.split_at(end);
    entry.words = [before, behind];
    // Newer releases name the host first: `for shop.example /path?`.
    let path = match target.first() {
        Some(b'/') => Some(target),
        _ => target
            .iter()
            .position(|byte| *byte == b' ')
            .and_then(|blank| target.get(blank + 1..))
            .filter(|path| path.first() == Some(&b'/')),
    };
    entry.path_hint = path.filter(|path| is_plain(path));
}

/// Whether a path reads the same encoded and decoded.
fn is_plain(path: &[u8]) -> bool {
    path.iter()
        .take_while(|byte| **byte != b'?')
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(byte))
}

/// The backend: `tcp:127.0.0.1:8080`, `unix:/run/app.sock`.
fn socket(message: &[u8]) -> Option<&[u8]> {
    const OPENINGS: [&[u8]; 2] = [b"socket: ", b"gw-server re-enabled: "];
    let start = OPENINGS
        .into_iter()
        .find_map(|opening| Some(memmem::find(message, opening)? + opening.len()))?;
    let rest = message.get(start..)?;
    let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
    let word = rest.get(..end)?;
    let word = word
        .strip_suffix(b":")
        .or_else(|| word.strip_suffix(b","))
        .unwrap_or(word);
    if word.starts_with(b"unix:") {
        return Some(word);
    }
    word.strip_prefix(b"tcp:")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn read(line: &str) -> (Option<String>, Option<String>, String) {
        let entry = parse(line.as_bytes()).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            entry.upstream.map(text),
            entry.path_hint.map(text),
            text(&entry.words.concat()),
        )
    }

    #[track_caller]
    fn says(message: &str, upstream: Option<&str>, path: Option<&str>, words: &str) {
        let line = format!("2026-11-22 07:28:32: (gw_backend.c.274) {message}");
        let (found, hint, said) = read(&line);
        assert_eq!(found.as_deref(), upstream, "{message}");
        assert_eq!(hint.as_deref(), path, "{message}");
        assert_eq!(said, words, "{message}");
    }

    #[test]
    fn every_release_names_the_backend_its_way() {
        for (message, upstream) in [
            (
                "establishing connection failed: socket: tcp:192.0.2.1:8080: Connection refused",
                "192.0.2.1:8080",
            ),
            (
                "establishing connection failed: Connection refused socket: tcp:192.0.2.1:8080",
                "192.0.2.1:8080",
            ),
            (
                "establishing connection failed: socket: unix:/run/app.sock: No such file or directory",
                "unix:/run/app.sock",
            ),
            (
                "establishing connection failed: socket: tcp:[2001:db8::1]:8080: No route to host",
                "[2001:db8::1]:8080",
            ),
            (
                "read timeout on socket: tcp:192.0.2.1:8080 (fd: 14)",
                "192.0.2.1:8080",
            ),
            (
                "gw-server re-enabled: tcp:192.0.2.1:8080 192.0.2.1 8080",
                "192.0.2.1:8080",
            ),
            (
                "connection was dropped after accept() (perhaps the gw process died), write-offset: 0 socket: unix:/run/app.sock",
                "unix:/run/app.sock",
            ),
        ] {
            says(message, Some(upstream), None, message);
        }
    }

    #[test]
    fn the_path_is_found_and_is_not_among_the_words() {
        for (message, path, words) in [
            (
                "all handlers for /cart?id=7 on / are down.",
                "/cart?id=7",
                "all handlers for  on / are down.",
            ),
            (
                "all handlers for /a on b?x on  are down. on .php are down.",
                "",
                "all handlers for  on .php are down.",
            ),
            (
                "response not received, request sent: 505 on socket: tcp:192.0.2.1:80 for /a/b?, closing connection",
                "/a/b?",
                "response not received, request sent: 505 on socket: tcp:192.0.2.1:80 for , closing connection",
            ),
            (
                "closing connection; response not received, but request sent on socket: tcp:192.0.2.1:80 (pid:0) for shop.example /a/b?",
                "/a/b?",
                "closing connection; response not received, but request sent on socket: tcp:192.0.2.1:80 (pid:0) for ",
            ),
            (
                "error: unexpected close of gw connection for /a? (no gw process on socket: tcp:192.0.2.1:80 ?) 2",
                "/a?",
                "error: unexpected close of gw connection for  (no gw process on socket: tcp:192.0.2.1:80 ?) 2",
            ),
        ] {
            let line = format!("2026-11-22 07:28:32: (gw_backend.c.274) {message}");
            let (_, hint, said) = read(&line);
            assert_eq!(hint.unwrap_or_default(), path, "{message}");
            assert_eq!(said, words, "{message}");
        }
    }

    #[test]
    fn a_path_that_was_decoded_is_no_key() {
        let line =
            "2026-11-22 07:28:32: (gw_backend.c.960) all handlers for /m\u{fc}tze? on  are down.";
        assert_eq!(read(line).1, None);
    }

    #[test]
    fn other_lines_are_refused() {
        for line in [
            "",
            "2026-11-22 07:28:32: (gw_backend.c.274)",
            "2026-11-22 07:28:32: gw_backend.c.274) x",
            "2026-11-22 07:28:32: (worker) x",
            "2026-11-22 07:28:32 (gw_backend.c.274) x",
            "2026-13-22 07:28:32: (gw_backend.c.274) x",
            "2026-11-22 07:28:32: (.c.) x",
        ] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
        assert!(parse(b"2016-02-01 10:00:00: (mod_proxy.c.1040) x").is_some());
    }
}
