//! Apache httpd's error log.
//!
//! `[Sun Nov 22 07:27:37.875588 2026] [proxy:error] [pid 1:tid 2] (111)Connection refused: [client A:P] AH00957: ...`
//! by default; `ErrorLogFormat` may leave parts out, move the client and add ids
//! (<https://httpd.apache.org/docs/2.4/mod/core.html#errorlogformat>). httpd 2.2 has neither module, process nor port.

use memchr::memmem;
use model::Edge;

use super::{Cursor, ErrorLine, Level, day_millis, is_address, whole};

/// Takes a line apart.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    at.eat(b"[")?;
    let (civil_millis, zone) = stamp(at.until(b"]")?)?;
    let mut entry = ErrorLine::new(Edge::Apache, civil_millis, Level::Error, b"");
    entry.zone = zone;
    // An entry names its level before anything else that is not a bracket.
    let module = prefix(&mut entry, &mut at)?;
    words(&mut entry, &mut at);
    let remote = entry.upstream.take();
    details(&mut entry);
    match remote {
        Some(remote) if is_of_http2(&entry, module, remote) => peer(&mut entry, remote),
        _ => entry.upstream = entry.upstream.or(remote),
    }
    forget_owner_of_certificate(&mut entry);
    Some(entry)
}

/// Over HTTP/2 requests are served on connections of httpd's own, and the client's address stands behind `remote`, as
/// elsewhere an upstream's does (measured, 2.4.71): it is the client's where mod_proxy speaks of a request.
fn is_of_http2(entry: &ErrorLine<'_>, module: &[u8], remote: &[u8]) -> bool {
    module.starts_with(b"proxy") && entry.client.is_none() && entry.upstream != Some(remote)
}

/// A format of one's own calls the peer a client whoever it is (`[client\ %a]`). What mod_ssl says of a certificate is
/// mostly about the upstream's, and a client whose certificate is refused gets no request through.
fn forget_owner_of_certificate(entry: &mut ErrorLine<'_>) {
    let is_own_format = entry.process == (0, 0);
    if is_own_format && entry.message.starts_with(b"AH02039: ") {
        entry.client = None;
        entry.client_port = None;
    }
}

/// `Sun Nov 22 07:27:37.875588 2026`, or ISO 8601 with or without zone.
fn stamp(text: &[u8]) -> Option<(i64, Option<i32>)> {
    let mut at = Cursor {
        rest: text.trim_ascii(),
    };
    if at.rest.first()?.is_ascii_digit() {
        return iso_stamp(&mut at);
    }
    let weekday = at.until(b" ")?;
    if weekday.len() != 3 {
        return None;
    }
    let month = month(at.until(b" ")?)?;
    at.spaces();
    let day = u32::try_from(at.number()?).ok()?;
    at.eat(b" ")?;
    let millis = at.clock()?;
    at.eat(b" ")?;
    let year = at.digits(4)?;
    let civil = day_millis(year, month, day)?.checked_add(millis)?;
    at.spaces();
    Some((civil, offset(&mut at)))
}

/// `2026-11-22 07:27:37.875588`, as `%{cu}t` writes it, and with `T` and a zone.
fn iso_stamp(at: &mut Cursor<'_>) -> Option<(i64, Option<i32>)> {
    let year = at.digits(4)?;
    at.eat(b"-")?;
    let month = at.digits(2)?;
    at.eat(b"-")?;
    let day = at.digits(2)?;
    at.eat(b" ").or_else(|| at.eat(b"T"))?;
    let millis = at.clock()?;
    at.spaces();
    let civil = day_millis(year, month, day)?.checked_add(millis)?;
    Some((civil, offset(at)))
}

/// `+0100`, `+01:00` or `Z`, in minutes east of UTC.
fn offset(at: &mut Cursor<'_>) -> Option<i32> {
    if at.eat(b"Z").is_some() {
        return Some(0);
    }
    let sign = match at.rest.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    at.rest = at.rest.get(1..)?;
    let hours = at.digits(2)?;
    let _ = at.eat(b":");
    let minutes = at.digits(2)?;
    let total = i32::try_from(hours.checked_mul(60)?.checked_add(minutes)?).ok()?;
    // No zone is further than 14 hours from UTC.
    (total <= 14 * 60).then_some(sign * total)
}

fn month(name: &[u8]) -> Option<u32> {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let index = MONTHS.chunks(3).position(|month| month == name)?;
    u32::try_from(index + 1).ok()
}

/// Reads the brackets before the message; the one that names module and level, if one does.
fn prefix<'line>(entry: &mut ErrorLine<'line>, at: &mut Cursor<'line>) -> Option<&'line [u8]> {
    let mut module = None;
    loop {
        at.spaces();
        let before = at.rest;
        let Some(block) = block(at) else {
            break;
        };
        if module.is_none()
            && let Some(level) = level(block)
        {
            entry.level = level;
            module = Some(block);
        } else if !bracket(entry, block) && module.is_some() {
            // Not ours: the message itself begins with a bracket.
            at.rest = before;
            break;
        }
    }
    module
}

/// Reads `[text]`; a bracketed address inside (`[client [2001:db8::7]:5678]`) belongs to it.
fn block<'line>(at: &mut Cursor<'line>) -> Option<&'line [u8]> {
    let inside = at.rest.strip_prefix(b"[")?;
    let mut close = memchr::memchr(b']', inside)?;
    if inside.get(..close)?.contains(&b'[') {
        let rest = inside.get(close + 1..)?;
        close += memchr::memchr(b']', rest).map_or(0, |next| next + 1);
    }
    at.rest = inside.get(close + 1..)?;
    inside.get(..close)
}

/// `proxy:error`, or `error` alone.
fn level(block: &[u8]) -> Option<Level> {
    let name = match memchr::memrchr(b':', block) {
        Some(colon) => block.get(colon + 1..)?,
        None => block,
    };
    Level::from_name(name.trim_ascii())
}

/// Reads one bracket; whether it is one of those that a prefix holds.
fn bracket<'line>(entry: &mut ErrorLine<'line>, block: &'line [u8]) -> bool {
    if let Some(pid) = block.strip_prefix(b"pid ") {
        process(entry, pid);
    } else if let Some(tid) = block.strip_prefix(b"tid ") {
        entry.process.1 = whole(tid).unwrap_or(0);
    } else if let Some(client) = block.strip_prefix(b"client ") {
        peer(entry, client);
    } else if let Some(remote) = block.strip_prefix(b"remote ") {
        // The other end of a connection without a request: with mod_proxy mostly the upstream, so never a client.
        entry.upstream = Some(remote).filter(|remote| !remote.is_empty());
    } else if let Some(id) = log_id(block) {
        entry.log_id = Some(id);
    } else {
        return is_connection_id(block);
    }
    true
}

/// `1` or `1:tid 2`.
fn process(entry: &mut ErrorLine<'_>, text: &[u8]) {
    let mut at = Cursor { rest: text };
    entry.process.0 = at.number().unwrap_or(0);
    if at.eat(b":tid ").is_some() {
        entry.process.1 = at.number().unwrap_or(0);
    }
}

/// `192.0.2.7:5678`, `2001:db8::7:5678`, or httpd 2.2's `192.0.2.7`.
fn peer<'line>(entry: &mut ErrorLine<'line>, text: &'line [u8]) {
    let (address, port) = split_port(text, entry.process.0 != 0);
    let address = address.strip_prefix(b"[").unwrap_or(address);
    let address = address.strip_suffix(b"]").unwrap_or(address);
    if is_address(address) || address.starts_with(b"unix:") {
        entry.client = Some(address);
        entry.client_port = port
            .and_then(whole)
            .and_then(|port| u16::try_from(port).ok())
            .filter(|port| *port != 0);
    }
}

/// Splits off a port. httpd writes IPv6 without brackets; one that names its process is a 2.4, which always adds the
/// port, so there the last group is it.
fn split_port(text: &[u8], has_port: bool) -> (&[u8], Option<&[u8]>) {
    let Some(colon) = memchr::memrchr(b':', text) else {
        return (text, None);
    };
    let (address, port) = (
        text.get(..colon).unwrap_or_default(),
        text.get(colon + 1..).unwrap_or_default(),
    );
    let is_v4_or_bracketed = !address.contains(&b':') || address.ends_with(b"]");
    if whole(port).is_some() && (is_v4_or_bracketed || has_port && is_address(address)) {
        (address, Some(port))
    } else {
        (text, None)
    }
}

/// `L id`, `L:id`, `R:id`, or an id alone. httpd's own ids are eleven letters of base 64, mod_unique_id's longer.
fn log_id(block: &[u8]) -> Option<&[u8]> {
    for mark in [b"L ".as_slice(), b"L:", b"R:", b"R ", b"log_id "] {
        if let Some(id) = block.strip_prefix(mark) {
            return Some(id.trim_ascii()).filter(|id| !id.is_empty());
        }
    }
    let is_id = (11..=36).contains(&block.len())
        && block
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/@_-".contains(byte))
        && block.iter().any(u8::is_ascii_uppercase)
        && block
            .iter()
            .any(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    is_id.then_some(block)
}

/// `C:id`: known, but nothing joins on it.
fn is_connection_id(block: &[u8]) -> bool {
    block.starts_with(b"C:") || block.starts_with(b"C ")
}

/// Reads `file.c(123): `, `(111)Connection refused: ` and the client, in any order, then the message.
fn words<'line>(entry: &mut ErrorLine<'line>, at: &mut Cursor<'line>) {
    source_file(at);
    entry.message = at.rest;
    let mut errno: &[u8] = b"";
    loop {
        at.spaces();
        if errno.is_empty()
            && let Some(text) = error_number(at)
        {
            errno = text;
            continue;
        }
        let before = at.rest;
        let is_peer = before.starts_with(b"[client ") || before.starts_with(b"[remote ");
        if is_peer && let Some(block) = block(at) {
            bracket(entry, block);
            continue;
        }
        // `[client %a] ` leaves its first half where there is no client.
        let half = before
            .strip_prefix(b"[client ")
            .filter(|rest| begins_with_code(rest));
        at.rest = half.unwrap_or(before);
        break;
    }
    entry.words = [errno, with_one_code(without_referer(at.rest))];
}

/// Whether `text` begins `AHnnnnn: `.
fn begins_with_code(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"AH").and_then(|rest| rest.get(..5));
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
}

/// Steps over `mod_proxy.c(123): `.
fn source_file(at: &mut Cursor<'_>) {
    let before = at.rest;
    let is_file = at.until(b"): ").is_some_and(|text| {
        let Some(open) = memchr::memchr(b'(', text) else {
            return false;
        };
        let (name, line) = text.split_at(open);
        name.ends_with(b".c") && !name.contains(&b' ') && line.get(1..).and_then(whole).is_some()
    });
    if !is_file {
        at.rest = before;
    }
}

/// `(111)Connection refused: `, `(EAI 2)Name or service not known: `, `(OS 10061)...: `; with its colon and space.
fn error_number<'line>(at: &mut Cursor<'line>) -> Option<&'line [u8]> {
    let text = at.rest;
    let inside = text.strip_prefix(b"(")?;
    let close = memchr::memchr(b')', inside)?;
    let number = inside.get(..close)?;
    let digits = number
        .strip_prefix(b"EAI ")
        .or_else(|| number.strip_prefix(b"OS "))
        .unwrap_or(number);
    whole(digits.strip_prefix(b"-").unwrap_or(digits))?;
    let len = memmem::find(text, b": ")? + 2;
    let (words, rest) = text.split_at_checked(len)?;
    at.rest = rest;
    Some(words)
}

/// Drops `, referer: URL`, which the client chose; without the colon in formats after the manual's examples.
fn without_referer(text: &[u8]) -> &[u8] {
    let marks = [b", referer: ".as_slice(), b", referer "];
    let begins = marks
        .into_iter()
        .filter_map(|mark| memmem::find(text, mark));
    begins.min().and_then(|at| text.get(..at)).unwrap_or(text)
}

/// Ends a message before a second `AHnnnnn: `. httpd writes one, at the begin; another stands in a name that a client
/// chose (`AH00128: File does not exist: ...`).
fn with_one_code(text: &[u8]) -> &[u8] {
    let is_code = |at: &usize| {
        text.get(at + 2..at + 7)
            .is_some_and(|code| code.iter().all(u8::is_ascii_digit))
    };
    match memmem::find_iter(text, b"AH")
        .filter(is_code)
        .find(|at| *at > 0)
    {
        Some(at) => text.get(..at).unwrap_or_default(),
        None => text,
    }
}

/// Finds upstream and path in what the message says, and takes the path, which the client chose, out of the words.
fn details(entry: &mut ErrorLine<'_>) {
    let message = entry.words[1];
    if let Some(upstream) = upstream(message) {
        entry.upstream = Some(upstream);
    }
    const BY: &[u8] = b" returned by ";
    if let Some(at) = memmem::find(message, BY) {
        let (words, path) = message.split_at(at + BY.len());
        if path.starts_with(b"/") {
            entry.words[1] = words;
            entry.path_hint = Some(without_method(path));
        }
    }
}

/// `/path (GET)` without its method.
fn without_method(path: &[u8]) -> &[u8] {
    match memmem::rfind(path, b" (") {
        Some(at) if path.ends_with(b")") => path.get(..at).unwrap_or_default(),
        _ => path,
    }
}

/// What stands before an upstream's name in mod_proxy's messages, and whether that name is a socket's path.
const BEFORE_UPSTREAM: [(&[u8], bool); 11] = [
    (b"attempt to connect to Unix domain socket ", true),
    (b"attempt to connect to ", false),
    (b"failed to make connection to backend: ", false),
    (b"disabling worker for (", false),
    (b"disabled connection for (", false),
    (b"reading status line from remote server ", false),
    (b"failed to enable ssl support for ", false),
    (b"pass request body failed to ", false),
    (b"DNS lookup failure for: ", false),
    (b"orcing worker (", false),
    (b"reading response headers from ", false),
];

/// The upstream that a message names.
fn upstream(message: &[u8]) -> Option<&[u8]> {
    let (name, is_socket) = BEFORE_UPSTREAM.iter().find_map(|(before, is_socket)| {
        let at = memmem::find(message, before)?;
        Some((message.get(at + before.len()..)?, *is_socket))
    })?;
    let end = name
        .iter()
        .position(|byte| matches!(byte, b' ' | b')' | b','))
        .unwrap_or(name.len());
    let name = name.get(..end)?;
    let name = name.strip_suffix(b":").unwrap_or(name);
    let is_named = !name.is_empty() && name != b"*" && (is_socket || name != b":0");
    is_named.then_some(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::parse;
    use super::*;

    /// What a test expects of a field, as text.
    fn text(field: Option<&[u8]>) -> &str {
        field.map_or("<none>", |bytes| std::str::from_utf8(bytes).unwrap())
    }

    #[test]
    fn over_http2_the_remote_is_the_client() {
        let line = |rest: &str| format!("[Tue Nov 03 08:29:38 2026] [{rest}").into_bytes();
        let told = line(
            "proxy_http:error] [pid 1:tid 2] (20014)Internal error: [remote 192.0.2.18:0] AH01102: error reading status line from remote server 127.0.0.11:8080",
        );
        let entry = parse(&told).unwrap();
        assert_eq!(text(entry.client), "192.0.2.18");
        assert_eq!(text(entry.upstream), "127.0.0.11:8080");
        // Of a connection to the upstream.
        let told = line(
            "proxy:error] [pid 1:tid 2] (111)Connection refused: [remote 127.0.0.11:8080] AH00957: HTTP: attempt to connect to 127.0.0.11:8080 (127.0.0.11) failed",
        );
        let entry = parse(&told).unwrap();
        assert_eq!(text(entry.client), "<none>");
        assert_eq!(text(entry.upstream), "127.0.0.11:8080");
        let told = line(
            "ssl:error] [pid 1:tid 2] [remote 198.51.100.1:8443] AH02039: Certificate Verification: Error (18): self-signed certificate",
        );
        let entry = parse(&told).unwrap();
        assert_eq!(text(entry.client), "<none>");
        assert_eq!(text(entry.upstream), "198.51.100.1:8443");
    }

    #[test]
    fn a_whole_line_gives_every_field() {
        let line = b"[Sun Nov 22 07:27:37.875588 2026] [proxy:error] [pid 123:tid 139] (111)Connection refused: [client 192.0.2.7:5678] AH01114: HTTP: failed to make connection to backend: app.example, referer: https://a.example/?q=AH01170: ";
        let entry = parse(line).unwrap();
        assert_eq!(entry.edge, Edge::Apache);
        assert_eq!(entry.civil_millis, 1_795_332_457_875);
        assert_eq!(entry.level, Level::Error);
        assert_eq!(entry.process, (123, 139));
        assert_eq!(text(entry.client), "192.0.2.7");
        assert_eq!(entry.client_port, Some(5678));
        assert_eq!(text(entry.upstream), "app.example");
        assert_eq!(text(Some(entry.words[0])), "(111)Connection refused: ");
        assert_eq!(
            text(Some(entry.words[1])),
            "AH01114: HTTP: failed to make connection to backend: app.example"
        );
    }

    #[test]
    fn the_client_stands_before_or_behind_the_error_number_or_nowhere() {
        for line in [
            "[Sun Nov 22 07:27:37 2026] [proxy:error] [pid 1] (104)Connection reset by peer: [client 192.0.2.7:5678] AH01102: x",
            "[Sun Nov 22 07:27:37 2026] [proxy:error] [pid 1] [client 192.0.2.7:5678] (104)Connection reset by peer: AH01102: x",
            "[Sun Nov 22 07:27:37 2026] [proxy:debug] [pid 1] mod_proxy.c(12): (104)Connection reset by peer: [client 192.0.2.7:5678] AH01102: x",
            "[Sun Nov  2 07:27:37 2026] [error] [client 192.0.2.7] (104)Connection reset by peer: AH01102: x",
        ] {
            let entry = parse(line.as_bytes()).unwrap();
            assert_eq!(text(entry.client), "192.0.2.7", "{line}");
            assert_eq!(
                text(Some(entry.words[0])),
                "(104)Connection reset by peer: "
            );
            assert_eq!(text(Some(entry.words[1])), "AH01102: x");
        }
        let without = parse(b"[Sun Nov 22 07:27:37.1 2026] [proxy:error] [pid 1:tid 2] (111)Connection refused: AH00957: HTTP: attempt to connect to 198.51.100.1:8080 (app) failed").unwrap();
        assert_eq!(text(without.client), "<none>");
        assert_eq!(text(without.upstream), "198.51.100.1:8080");
    }

    #[test]
    fn addresses_of_version_6_come_with_and_without_port() {
        for (block, client, port) in [
            (
                "[pid 1:tid 2] [client 2001:db8::7:5678]",
                "2001:db8::7",
                Some(5678),
            ),
            (
                "[pid 1:tid 2] [client [2001:db8::7]:5678]",
                "2001:db8::7",
                Some(5678),
            ),
            ("[client 2001:db8::7]", "2001:db8::7", None),
            ("[pid 1:tid 2] [client 192.0.2.7:0]", "192.0.2.7", None),
            ("[pid 1:tid 2] [client x]", "<none>", None),
        ] {
            let line = format!("[Sun Nov 22 07:27:37 2026] [error] {block} AH00898: x");
            let entry = parse(line.as_bytes()).unwrap();
            assert_eq!(text(entry.client), client, "{block}");
            assert_eq!(entry.client_port, port, "{block}");
        }
    }

    #[test]
    fn ids_zones_and_iso_stamps_of_own_layouts_are_read() {
        for (line, id) in [
            (
                "[2026-11-22 08:27:37.875588+0100] [proxy:error] [R:HZYFtGhXsFc] [C:AbCdEfGhI12] AH01102: x",
                "HZYFtGhXsFc",
            ),
            (
                "[2026-11-22T08:27:37.875588+01:00] [proxy:error] [pid 1:tid 2] [L HZYFtGhXsFc] AH01102: x",
                "HZYFtGhXsFc",
            ),
            (
                "[2026-11-22 08:27:37.875588 +0100] [proxy:error] [HZYFtGhXsFc] AH01102: x",
                "HZYFtGhXsFc",
            ),
        ] {
            let entry = parse(line.as_bytes()).unwrap();
            assert_eq!(text(entry.log_id), id, "{line}");
            assert_eq!(entry.zone, Some(60), "{line}");
            assert_eq!(entry.civil_millis, 1_795_336_057_875, "{line}");
            assert_eq!(entry.words[1], b"AH01102: x", "{line}");
        }
    }

    #[test]
    fn a_client_cannot_write_a_code() {
        let line = b"[Sun Nov 22 07:27:37 2026] [core:info] [pid 1:tid 2] [client 192.0.2.7:5] AH00128: File does not exist: /srv/AH00934: x, referer: https://a.example/, referer: AH00940: ";
        let entry = parse(line).unwrap();
        assert_eq!(entry.words[1], b"AH00128: File does not exist: /srv/");
    }

    #[test]
    fn messages_name_upstream_and_path() {
        for (message, upstream, path) in [
            (
                "AH02454: HTTP: attempt to connect to Unix domain socket /run/app.sock (localhost:80) failed",
                "/run/app.sock",
                "<none>",
            ),
            (
                "AH00959: ap_proxy_connect_backend disabling worker for (198.51.100.1:8080) for 60s",
                "198.51.100.1:8080",
                "<none>",
            ),
            (
                "AH00940: HTTP: disabled connection for (198.51.100.1:8080)",
                "198.51.100.1:8080",
                "<none>",
            ),
            (
                "AH01102: error reading status line from remote server app.example:8080",
                "app.example:8080",
                "<none>",
            ),
            (
                "AH01084: pass request body failed to 198.51.100.1:8443 (app)",
                "198.51.100.1:8443",
                "<none>",
            ),
            (
                "AH00898: Error reading from remote server returned by /cart",
                "<none>",
                "/cart",
            ),
            (
                "AH00898: DNS lookup failure for: app.example returned by /cart",
                "app.example",
                "/cart",
            ),
            (
                "AH01106: bad HTTP/1.1 header returned by /cart (GET)",
                "<none>",
                "/cart",
            ),
            (
                "AH01075: Error dispatching request to : (polling)",
                "<none>",
                "<none>",
            ),
        ] {
            let line = format!("[Sun Nov 22 07:27:37 2026] [proxy:error] [pid 1:tid 2] {message}");
            let entry = parse(line.as_bytes()).unwrap();
            assert_eq!(text(entry.upstream), upstream, "{message}");
            assert_eq!(text(entry.path_hint), path, "{message}");
        }
        let tls = parse(b"[Sun Nov 22 07:27:37 2026] [ssl:error] [pid 1:tid 2] [remote 198.51.100.1:8443] AH02039: Certificate Verification: Error (18): self-signed certificate").unwrap();
        assert_eq!(text(tls.upstream), "198.51.100.1:8443");
        assert_eq!(text(tls.client), "<none>");
        let tls = parse(b"[Sun Nov 22 07:27:37 2026] [error] [client 198.51.100.1:8443] AH02039: Certificate Verification: Error (10): certificate has expired").unwrap();
        assert_eq!(text(tls.client), "<none>");
    }
}
