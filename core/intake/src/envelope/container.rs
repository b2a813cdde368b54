//! What container runtimes and the tools that show their logs put before a line.

use super::Peeled;
use crate::format::is_address;

/// Longest name of a container, with its service, task and node.
pub(super) const NAME_MAX: usize = 256;

/// `stdout F message` behind a stamp, as the Kubernetes runtimes (CRI) write files. `P` is a part of a longer line.
pub(super) fn cri(rest: &[u8]) -> Option<Peeled<'_>> {
    let rest = rest
        .strip_prefix(b"stdout ")
        .or_else(|| rest.strip_prefix(b"stderr "))?;
    let (tag, rest) = rest.split_first()?;
    let message = match rest {
        [] => rest,
        [b' ', message @ ..] => message,
        // Further tags stand behind colons; there are none so far.
        [b':', more @ ..] => more.get(memchr::memchr(b' ', more)? + 1..)?,
        _ => return None,
    };
    let mut peeled = Peeled::new(message);
    peeled.says.partial = match tag {
        b'F' => false,
        b'P' => true,
        _ => return None,
    };
    Some(peeled)
}

/// The stamp of `docker logs --timestamps` and `kubectl logs --timestamps`, always with nine digits; or any other where
/// the line of an edge follows (HAProxy's `format iso`).
pub(super) fn stamped<'a>(line: &[u8], rest: &'a [u8]) -> Option<Peeled<'a>> {
    let fraction = line.get(19..30)?;
    let nine = matches!(fraction, [b'.', digits @ .., zone] if digits.iter().all(u8::is_ascii_digit) && !zone.is_ascii_digit());
    (nine || begins_like_a_line(rest)).then(|| Peeled::new(rest))
}

/// `{app="nginx", container="nginx"} message` behind a stamp, from `logcli`.
pub(super) fn labels(rest: &[u8]) -> Option<Peeled<'_>> {
    let inner = rest.strip_prefix(b"{")?;
    if !inner.first()?.is_ascii_alphabetic() {
        return None;
    }
    let (mut quoted, mut escaped) = (false, false);
    let end = inner.iter().position(|byte| {
        let ends = *byte == b'}' && !quoted;
        quoted ^= *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    let message = inner.get(end + 1..)?;
    let says = inner.get(..end)?;
    (message.first() == Some(&b' ')).then(|| Peeled::new(message.trim_ascii_start()).by(says))
}

/// `name-1  | message`, from `docker compose logs`; `web.1.id@node    | message`, from `docker service logs`.
pub(super) fn compose(line: &[u8]) -> Option<Peeled<'_>> {
    let head = line.get(..NAME_MAX).unwrap_or(line);
    let len = head.iter().take_while(|byte| is_name(**byte)).count();
    let (name, rest) = line.split_at(len);
    let bar = rest.iter().position(|byte| *byte != b' ')?;
    if len == 0 || bar == 0 {
        return None;
    }
    let message = rest.get(bar..)?.strip_prefix(b"|")?;
    let message = match message {
        [b' ', message @ ..] => message,
        [] => message,
        _ => return None,
    };
    Some(Peeled::new(after_colours(message)).by(name))
}

/// The same with a colour for each container. A line that is itself coloured is the program's own.
pub(super) fn coloured(line: &[u8]) -> Option<Peeled<'_>> {
    let rest = after_colours(line);
    let head = rest.get(..NAME_MAX).unwrap_or(rest);
    let len = head.iter().take_while(|byte| is_name(**byte)).count();
    let (name, behind) = rest.split_at(len);
    let behind = after_colours(behind);
    let bar = behind.iter().position(|byte| *byte != b' ')?;
    if len == 0 || bar == 0 {
        return None;
    }
    let message = after_colours(behind.get(bar..)?).strip_prefix(b"|")?;
    let message = after_colours(message);
    let message = message.strip_prefix(b" ").unwrap_or(message);
    Some(Peeled::new(after_colours(message)).by(name))
}

/// Steps over `ESC [ … m`.
fn after_colours(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = text.strip_prefix(b"\x1b[") {
        let len = rest
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || **byte == b';')
            .count();
        match rest.get(len) {
            Some(b'm') => text = rest.get(len + 1..).unwrap_or_default(),
            _ => break,
        }
    }
    text
}

/// `[pod/name/container] message`, from `kubectl logs --prefix`.
pub(super) fn kubectl(line: &[u8]) -> Option<Peeled<'_>> {
    let rest = line.strip_prefix(b"[pod/")?;
    let end = memchr::memchr(b']', rest.get(..NAME_MAX).unwrap_or(rest))?;
    let name = rest.get(..end)?;
    let message = match rest.get(end + 1..)? {
        [b' ', message @ ..] => message,
        [] => b"",
        _ => return None,
    };
    Some(Peeled::new(message).by(name))
}

/// `pod container message`, from stern. Nothing marks it, so all three must look it.
pub(super) fn stern(line: &[u8]) -> Option<Peeled<'_>> {
    let head = line.get(..NAME_MAX).unwrap_or(line);
    let first = memchr::memchr(b' ', head)?;
    let second = first + 1 + memchr::memchr(b' ', head.get(first + 1..)?)?;
    let (pod, container) = (line.get(..first)?, line.get(first + 1..second)?);
    let message = line.get(second + 1..)?;
    let is_label = |name: &[u8]| {
        name.first().is_some_and(u8::is_ascii_lowercase)
            && name
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
    };
    let fits =
        is_label(pod) && pod.contains(&b'-') && is_label(container) && begins_like_a_line(message);
    fits.then(|| Peeled::new(message).by(line.get(..second).unwrap_or_default()))
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b'/')
}

/// Whether an edge's line may begin so: with an address, JSON, or a stamp in brackets.
fn begins_like_a_line(text: &[u8]) -> bool {
    let end = memchr::memchr(b' ', text.get(..NAME_MAX).unwrap_or(text)).unwrap_or(text.len());
    matches!(text.first(), Some(b'{' | b'[')) || text.get(..end).is_some_and(is_address)
}
