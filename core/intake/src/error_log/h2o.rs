//! H2O's error log: `[lib/core/proxy.c] in request:PATH:TEXT`, newer versions with the authority before the path.
//!
//! A line has no stamp and names no client, and a path of 32 bytes or more is cut
//! (`lib/core/request.c`, `h2o_req_log_error`).

use model::Edge;

use super::{ErrorLine, Part};

/// Takes a line apart.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    let rest = line.strip_prefix(b"[lib/")?;
    let close = memchr::memchr(b']', rest)?;
    let module = line.get(..b"[lib/".len() + close + 2)?;
    let message = line.get(module.len()..)?;
    if !module.ends_with(b".c] ") && !module.ends_with(b".h] ") {
        return None;
    }
    let mut entry = ErrorLine::untimed(Edge::H2o, Part::Whole, message);
    entry.words = [module, message];
    let Some(asked) = message.strip_prefix(b"in request:") else {
        return Some(entry);
    };
    let (target, text) = split(asked)?;
    entry.words = [module, text];
    // The proxy answers with the text itself.
    entry.page = (module == b"[lib/core/proxy.c] ").then_some(text.len() as u64);
    let slash = memchr::memchr(b'/', target)?;
    let (host, path) = target.split_at(slash);
    entry.host = Some(host).filter(|host| !host.is_empty() && !host.ends_with(b"..."));
    entry.path_hint = Some(path);
    Some(entry)
}

/// `PATH:TEXT`. A path holds no blank and a text's first word no colon, so the last colon before the first blank parts
/// them.
fn split(asked: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = memchr::memchr(b' ', asked).unwrap_or(asked.len());
    let colon = memchr::memrchr(b':', asked.get(..blank)?)?;
    Some((asked.get(..colon)?, asked.get(colon + 1..)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[track_caller]
    fn check(line: &str, host: &str, path: &str, text: &str) {
        let entry = parse(line.as_bytes()).unwrap();
        let read =
            |value: Option<&[u8]>| String::from_utf8(value.unwrap_or(b"-").to_vec()).unwrap();
        assert_eq!(read(entry.host), host);
        assert_eq!(read(entry.path_hint), path);
        assert_eq!(read(Some(entry.words[1])), text);
        assert!(!entry.is_timed());
    }

    #[test]
    fn path_and_text_are_parted() {
        check(
            "[lib/core/proxy.c] in request:/a/close:I/O error (head)",
            "-",
            "/a/close",
            "I/O error (head)",
        );
        check(
            "[lib/core/proxy.c] in request:/a:b/close:I/O error (body; content-length)",
            "-",
            "/a:b/close",
            "I/O error (body; content-length)",
        );
        check(
            "[lib/handler/fastcgi.c] in request:/fcgi/x:connection failed:connection failed",
            "-",
            "/fcgi/x",
            "connection failed:connection failed",
        );
        check(
            "[lib/core/proxy.c] in request:shop.example:8443/cart:connection refused",
            "shop.example:8443",
            "/cart",
            "connection refused",
        );
        check(
            "[lib/core/proxy.c] in request:/unsubscribe?mail=jane%40exam...:connection timeout",
            "-",
            "/unsubscribe?mail=jane%40exam...",
            "connection timeout",
        );
    }

    #[test]
    fn a_client_cannot_write_a_text() {
        check(
            "[lib/core/proxy.c] in request:/x:connection%20refused:I/O timeout",
            "-",
            "/x:connection%20refused",
            "I/O timeout",
        );
    }

    #[test]
    fn other_lines_are_not_taken() {
        for line in [
            "[INFO] raised RLIMIT_NOFILE to 20000",
            "[lib/x] y",
            "received SIGTERM, gracefully shutting down",
        ] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
        assert!(
            parse(b"[lib/core/proxy.c] failed to allocate")
                .unwrap()
                .path_hint
                .is_none()
        );
    }
}
