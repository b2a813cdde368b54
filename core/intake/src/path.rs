//! Request targets to routes. The text of a path leaves intake only with a crawler's fetch, and without what is
//! personal by its shape; of other clients' paths only keyed hashes of the segments leave.

use model::{Route, Segment, Shape};

use crate::secret::Secret;

/// Longest path text a fetch carries; what is longer is cut and ends in `…`.
const PATH_MAX: usize = 1_024;

/// A target taken apart. Borrowed from the line, so it stays in intake.
pub(crate) struct Target<'line> {
    /// Path without query, fragment and host; `/` where there is none.
    pub(crate) path: &'line [u8],
    pub(crate) query: Option<&'line [u8]>,
    /// Host of an absolute URI.
    pub(crate) host: Option<&'line [u8]>,
    /// Whether an absolute URI says `https`.
    pub(crate) https: Option<bool>,
}

impl<'line> Target<'line> {
    pub(crate) fn of(target: &'line [u8]) -> Self {
        let (mut rest, mut host, mut https) = (target, None, None);
        // Absolute URIs are rare; a path begins with a slash.
        if matches!(target.first(), Some(b'h' | b'H')) {
            for (scheme, secure) in [
                (b"http://".as_slice(), false),
                (b"https://".as_slice(), true),
            ] {
                if target.len() >= scheme.len()
                    && target[..scheme.len()].eq_ignore_ascii_case(scheme)
                {
                    let after = &target[scheme.len()..];
                    let end = memchr::memchr3(b'/', b'?', b'#', after).unwrap_or(after.len());
                    (host, rest, https) = (Some(&after[..end]), &after[end..], Some(secure));
                }
            }
        }
        let (path, query) = match memchr::memchr2(b'?', b'#', rest) {
            Some(at) if rest[at] == b'?' => {
                let query = &rest[at + 1..];
                (
                    &rest[..at],
                    Some(&query[..memchr::memchr(b'#', query).unwrap_or(query.len())]),
                )
            }
            Some(at) => (&rest[..at], None),
            None => (rest, None),
        };
        let path = if path.is_empty() {
            b"/".as_slice()
        } else {
            path
        };
        Self {
            path,
            query: query.filter(|query| !query.is_empty()),
            host,
            https,
        }
    }
}

/// What a path comes to.
pub(crate) struct Known {
    pub(crate) route: Route,
    /// Hash of the path under the secret of the run.
    pub(crate) url: u64,
    /// Whether its text may stand as it is: nothing personal by its shape, nothing that must be encoded.
    is_plain: bool,
}

impl Known {
    /// Takes `path` apart.
    pub(crate) fn of(secret: &Secret, path: &[u8]) -> Self {
        let mut route = Route {
            robots: path == b"/robots.txt",
            ..Route::default()
        };
        let letters = Letters::of(path);
        let mut is_plain = letters.are_plain && path.len() <= PATH_MAX;
        let mut before: &[u8] = b"";
        for word in words(path, letters.has_semicolon) {
            let shape = shape(before, word, letters.has_at);
            is_plain &= shape != Shape::Personal;
            before = word;
            if usize::from(route.len) == Route::DEPTH {
                route.deeper = true;
                continue;
            }
            let key = match shape {
                Shape::Literal => secret.hash_path(word),
                other => other as u64,
            };
            route.segments[usize::from(route.len)] = Segment { key, shape };
            route.len += 1;
        }
        // `*` and the like get the slash that their text has.
        is_plain &= path.starts_with(b"/");
        let url = if is_plain {
            secret.hash_path(path)
        } else {
            hash_of_text(secret, path)
        };
        Self {
            route,
            url,
            is_plain,
        }
    }

    /// The text that a crawler's fetch carries: `path` itself where it is plain, else written to `text`.
    pub(crate) fn text<'a>(&self, path: &'a [u8], text: &'a mut String) -> &'a str {
        if self.is_plain
            && let Ok(path) = std::str::from_utf8(path)
        {
            return path;
        }
        text.clear();
        write_text(path, text);
        text
    }
}

/// Hash of a path under the secret of the run: of its text, so that paths which differ only in what is left out
/// (session ids) are one.
pub(crate) fn url(secret: &Secret, path: &[u8]) -> u64 {
    Known::of(secret, path).url
}

fn hash_of_text(secret: &Secret, path: &[u8]) -> u64 {
    let mut text = String::new();
    write_text(path, &mut text);
    secret.hash_path(text.as_bytes())
}

/// Appends the text of a crawler's path: ids, UUIDs and slugs stay, personal segments become `{…}`, bytes that are
/// not printable ASCII are percent-encoded.
fn write_text(path: &[u8], text: &mut String) {
    let start = text.len();
    let mut before: &[u8] = b"";
    for word in words(path, true) {
        text.push('/');
        if shape(before, word, true) == Shape::Personal {
            text.push_str("{…}");
        } else {
            for byte in word {
                push_byte(*byte, text);
            }
        }
        before = word;
        if text.len() - start > PATH_MAX {
            let mut end = start + PATH_MAX;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push('…');
            break;
        }
    }
    if text.len() == start {
        text.push('/');
    }
}

fn push_byte(byte: u8, text: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if byte.is_ascii_graphic() {
        text.push(char::from(byte));
    } else {
        text.push('%');
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

/// What letters a path is made of, looked at once instead of in every segment.
struct Letters {
    /// Only what may stand in the text as it is.
    are_plain: bool,
    /// An `@`, or a `%` that may hide one.
    has_at: bool,
    has_semicolon: bool,
}

impl Letters {
    fn of(path: &[u8]) -> Self {
        let (mut odd, mut at, mut semicolon) = (false, false, false);
        // No early end: this way the compiler looks at many letters in one go.
        for byte in path {
            odd |= !byte.is_ascii_graphic();
            at |= (*byte == b'@') | (*byte == b'%');
            semicolon |= *byte == b';';
        }
        Self {
            are_plain: !(odd | semicolon),
            has_at: at,
            has_semicolon: semicolon,
        }
    }
}

/// The segments: without what follows a `;` in them, which is where session ids stand.
fn words(path: &[u8], has_semicolon: bool) -> impl Iterator<Item = &[u8]> {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let mut rest = (!path.is_empty()).then_some(path);
    std::iter::from_fn(move || {
        let path = rest?;
        let (word, after) = match path.iter().position(|byte| *byte == b'/') {
            Some(at) => (&path[..at], Some(&path[at + 1..])),
            None => (path, None),
        };
        rest = after;
        let end = if has_semicolon {
            memchr::memchr(b';', word)
        } else {
            None
        };
        Some(&word[..end.unwrap_or(word.len())])
    })
}

/// What a segment looks like, with the segment before it. `has_at` tells that the path holds an `@` or a `%`.
fn shape(before: &[u8], word: &[u8], has_at: bool) -> Shape {
    if word.is_empty() {
        return Shape::Literal;
    }
    if is_personal_word(before) || (has_at && is_email(word)) || is_signed(word) {
        return Shape::Personal;
    }
    // Most segments are words, and most words begin with a letter and are short.
    if word.len() < 16 && !word[0].is_ascii_digit() {
        return Shape::Literal;
    }
    let stem = stem(word);
    if stem.iter().all(u8::is_ascii_digit) {
        Shape::Number
    } else if is_uuid(stem) {
        Shape::Uuid
    } else if is_date(stem) {
        Shape::Date
    } else if is_hash(stem) {
        Shape::Hash
    } else {
        Shape::Literal
    }
}

/// The word without a file ending of at most five letters.
fn stem(word: &[u8]) -> &[u8] {
    match memchr::memrchr(b'.', word) {
        Some(at) if at > 0 && (1..=5).contains(&(word.len() - at - 1)) => &word[..at],
        _ => word,
    }
}

/// What follows one of these words names a person or opens an account. By length, since most words have none of it.
fn is_personal_word(word: &[u8]) -> bool {
    let words: &[&[u8]] = match word.len() {
        3 => &[b"otp", b"sso"],
        4 => &[b"auth"],
        5 => &[b"reset", b"token", b"magic"],
        6 => &[b"tokens", b"verify", b"invite", b"optout"],
        7 => &[b"confirm", b"session"],
        8 => &[b"password", b"activate"],
        10 => &[b"activation", b"invitation", b"magic-link"],
        11 => &[b"unsubscribe"],
        12 => &[b"verification", b"confirmation"],
        14 => &[b"reset-password", b"password-reset"],
        _ => &[],
    };
    words.iter().any(|personal| {
        word[0].eq_ignore_ascii_case(&personal[0]) && word.eq_ignore_ascii_case(personal)
    })
}

/// `name@host.tld`, the `@` also percent-encoded; not `/@handle`, `@2x.png` or `pkg@1.2.3`.
fn is_email(word: &[u8]) -> bool {
    let split = memchr::memchr(b'@', word)
        .map(|at| (at, 1))
        .or_else(|| memchr::memmem::find(word, b"%40").map(|at| (at, 3)));
    let Some((at, len)) = split else { return false };
    let host = &word[at + len..];
    let Some(dot) = memchr::memrchr(b'.', host) else {
        return false;
    };
    let tld = &host[dot + 1..];
    at > 0
        && dot > 0
        && tld.len() >= 2
        && tld.iter().all(u8::is_ascii_alphabetic)
        && !matches!(
            tld,
            b"png" | b"jpg" | b"jpeg" | b"gif" | b"svg" | b"webp" | b"avif" | b"js" | b"css"
        )
}

/// Signed tokens: JSON web tokens, `payload--hexdigest`, and long runs that mix upper case, lower case and digits
/// without any separator that a slug would have.
fn is_signed(word: &[u8]) -> bool {
    /// Shorter runs are ids of videos, pastes and products.
    const RUN_MIN: usize = 24;
    if word.len() < RUN_MIN {
        return false;
    }
    if word.starts_with(b"eyJ") {
        return true;
    }
    if let Some(at) = memchr::memmem::rfind(word, b"--") {
        let digest = &word[at + 2..];
        if digest.len() >= 32 && digest.iter().all(u8::is_ascii_hexdigit) {
            return true;
        }
    }
    let stem = stem(word);
    let token = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'=' | b'-' | b'.' | b'~')
    };
    let separators = stem
        .iter()
        .filter(|byte| matches!(byte, b'-' | b'_' | b'.'))
        .count();
    let mixes = |class: fn(&u8) -> bool| stem.iter().filter(|byte| class(byte)).count() >= 3;
    stem.iter().all(token)
        && separators * 12 <= stem.len()
        && mixes(u8::is_ascii_uppercase)
        && mixes(u8::is_ascii_lowercase)
        && mixes(u8::is_ascii_digit)
}

fn is_uuid(word: &[u8]) -> bool {
    word.len() == 36
        && word.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `2026-11-24`.
fn is_date(word: &[u8]) -> bool {
    word.len() == 10
        && word.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// At least 16 hexadecimal digits, letters and digits both, perhaps after a name (`app.3f9a…`, `main-3f9a…`).
fn is_hash(word: &[u8]) -> bool {
    let start = word
        .iter()
        .rposition(|byte| matches!(byte, b'.' | b'-' | b'_'))
        .map_or(0, |at| at + 1);
    let run = &word[start..];
    run.len() >= 16
        && run.iter().all(u8::is_ascii_hexdigit)
        && run.iter().any(u8::is_ascii_digit)
        && run.iter().any(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str) -> String {
        let known = Known::of(&Secret::new([7; 16]), path.as_bytes());
        known.text(path.as_bytes(), &mut String::new()).to_owned()
    }

    fn shapes(path: &str) -> Vec<Shape> {
        let route = Known::of(&Secret::new([7; 16]), path.as_bytes()).route;
        route.segments[..usize::from(route.len)]
            .iter()
            .map(|segment| segment.shape)
            .collect()
    }

    #[test]
    fn ids_dates_and_hashes_fold_in_routes_and_stay_in_a_crawlers_text() {
        use Shape::{Date, Hash, Literal, Number, Uuid};
        for (path, expected) in [
            ("/product/123", vec![Literal, Number]),
            ("/product/123.html", vec![Literal, Number]),
            (
                "/o/7d444840-9dc0-11d1-b245-5ffdce74fad2",
                vec![Literal, Uuid],
            ),
            ("/news/2026-11-24/title-of-it", vec![Literal, Date, Literal]),
            ("/static/app.3f9a0c4d5e6f7a8b9c0d.js", vec![Literal, Hash]),
            ("/", vec![]),
            ("/shop/", vec![Literal, Literal]),
        ] {
            assert_eq!(shapes(path), expected, "{path}");
            assert_eq!(text(path), path);
        }
    }

    #[test]
    fn personal_segments_never_become_text() {
        for path in [
            "/u/jane@example.org",
            "/u/jane%40example.org",
            "/reset/abc",
            "/newsletter/Unsubscribe/4711",
            "/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
            "/blob/BAh7CEkiCG--0123456789abcdef0123456789abcdef01234567",
            "/share/aB3dE5fG7hI9jK1lM3nO5pQ7",
        ] {
            assert!(shapes(path).contains(&Shape::Personal), "{path}");
            assert!(text(path).contains("{…}"), "{path}");
        }
    }

    #[test]
    fn what_only_looks_personal_stays() {
        for path in [
            "/@jane",
            "/img/logo@2x.png",
            "/npm/vue@3.4.21",
            "/watch/dQw4w9WgXcQ",
            "/blog/why-we-moved-Our-API-from-v1-to-v2-in-2026-and-what-broke",
            "/password-managers/compared",
        ] {
            assert_eq!(text(path), path);
        }
    }

    #[test]
    fn session_ids_behind_a_semicolon_and_bytes_that_could_harm_a_terminal_are_gone() {
        assert_eq!(text("/cart;jsessionid=CANARY/items"), "/cart/items");
        assert_eq!(text("/a\x1b[31m b"), "/a%1B[31m%20b");
    }

    #[test]
    fn targets_in_every_form() {
        let target = Target::of(b"HTTPS://shop.example:8443/a?b=1#c");
        assert_eq!(
            (target.path, target.query),
            (b"/a".as_slice(), Some(b"b=1".as_slice()))
        );
        assert_eq!(target.host, Some(b"shop.example:8443".as_slice()));
        assert_eq!(target.https, Some(true));
        assert_eq!(Target::of(b"*").path, b"*");
        assert_eq!(Target::of(b"http://h?x").path, b"/");
    }

    #[test]
    fn the_fold_is_stateless_and_deep_paths_end() {
        let route = Known::of(&Secret::new([7; 16]), b"/a/b/c/d/e/f").route;
        assert_eq!(usize::from(route.len), Route::DEPTH);
        assert!(route.deeper);
    }
}
