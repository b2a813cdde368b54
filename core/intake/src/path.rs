//! Request targets to routes. The text of a path leaves intake only with a crawler's fetch, and without what is
//! personal by its shape; of other clients' paths only keyed hashes of the segments leave.

mod personal;

use model::{Route, Segment, Shape};

use self::personal::Watch;
use crate::secret::Secret;

/// Longest path text a fetch carries; what is longer is cut and ends in `…`.
const PATH_MAX: usize = 1_024;

/// A target taken apart. Borrowed from the line, so it stays in intake.
pub(crate) struct Target<'line> {
    /// Path without query, fragment and host; `/` where there is none.
    pub(crate) path: &'line [u8],
    pub(crate) query: Option<&'line [u8]>,
    /// Host of an absolute URI, without the user that may stand before it.
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
                    let host_at = memchr::memrchr(b'@', &after[..end]).map_or(0, |at| at + 1);
                    host = Some(&after[host_at..end]);
                    (rest, https) = (&after[end..], Some(secure));
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
        let mut watch = Watch::new();
        for word in words(path, letters.has_semicolon) {
            let shape = shape(&mut watch, word, letters.has_rare);
            is_plain &= shape != Shape::Personal;
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

fn hash_of_text(secret: &Secret, path: &[u8]) -> u64 {
    let mut text = String::new();
    write_text(path, &mut text);
    secret.hash_path(text.as_bytes())
}

/// Appends the text of a crawler's path: ids, UUIDs and slugs stay, personal segments become `{…}`, bytes that are
/// not printable ASCII are percent-encoded.
fn write_text(path: &[u8], text: &mut String) {
    let start = text.len();
    let mut watch = Watch::new();
    for word in words(path, true) {
        text.push('/');
        if shape(&mut watch, word, true) == Shape::Personal {
            text.push_str("{…}");
        } else {
            for byte in word {
                push_byte(*byte, text);
            }
        }
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
    /// What may hide something personal from a look at the words.
    has_rare: bool,
    has_semicolon: bool,
}

impl Letters {
    fn of(path: &[u8]) -> Self {
        let (mut odd, mut rare, mut semicolon) = (false, false, false);
        // No early end: this way the compiler looks at many letters in one go.
        for byte in path {
            odd |= !byte.is_ascii_graphic();
            rare |= personal::is_rare(*byte);
            semicolon |= *byte == b';';
        }
        Self {
            are_plain: !(odd | semicolon),
            has_rare: rare,
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

/// What a segment looks like behind those that `watch` has seen. `has_rare` tells that the path holds rare letters.
fn shape(watch: &mut Watch, word: &[u8], has_rare: bool) -> Shape {
    if word.is_empty() {
        return Shape::Literal;
    }
    if watch.is_personal(word, has_rare) {
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

    /// The text of each path, and that its route says the same.
    fn check(cases: &[(&str, &str)]) {
        for (path, expected) in cases {
            assert_eq!(text(path), *expected, "{path}");
            let masked = expected.split('/').skip(1).map(|word| word == "{…}");
            let personal = shapes(path)
                .into_iter()
                .map(|shape| shape == Shape::Personal);
            assert!(personal.eq(masked.take(Route::DEPTH)), "{path}");
        }
    }

    #[test]
    fn addresses_never_become_text() {
        for word in [
            "jane@example.org",
            "jane%40example.org",
            "jane@example.org%20",
            "jane@example.org,",
            "jane@example.org.",
            "@jane@mastodon.example",
            "jane@example.xn--p1ai",
            "jane@example.%D1%80%D1%84",
            "jane@example.\\xD1\\x80\\xD1\\x84",
            "jane\\x40example.org",
            "jane%2540example.org",
            "jane%25252540example.org",
            "mailto:jane@example.org",
            "mailto%3Ajane%40example%2Eorg",
            "jane@example.org.html",
            "jane@example.org.png",
            "jane@163.com",
            "jane@3m.com",
            "jane@192.0.2.4",
            "jane.doe@example.org;x",
            "contact-jane@example.org-form",
            "x%2Fjane@example.org%2Fy",
            "email=jane@example.org",
            "amFuZUBleGFtcGxlLm9yZw==",
            "amFuZS5kb2VAZXhhbXBsZS5vcmc",
            "6a616e65406578616d706c652e6f7267",
        ] {
            check(&[(&format!("/u/{word}/orders"), "/u/{…}/orders")]);
        }
    }

    #[test]
    fn what_follows_the_words_of_an_account_never_becomes_text() {
        check(&[
            ("/reset/abc", "/reset/{…}"),
            ("/reset/MQ/set-password/", "/reset/{…}/set-password/"),
            (
                "/newsletter/Unsubscribe/4711",
                "/newsletter/Unsubscribe/{…}",
            ),
            // Django, and allauth.
            ("/reset/MQ/c7d-0a1b2c3d/", "/reset/{…}/{…}/"),
            (
                "/password_reset_confirm/MQ/c7d-0a1b",
                "/password_reset_confirm/{…}/{…}",
            ),
            (
                "/accounts/confirm-email/MQ:1rAbCd:xyz/",
                "/accounts/confirm-email/{…}/",
            ),
            (
                "/accounts/password/reset/key/1-c7d-0a/",
                "/accounts/password/reset/key/{…}/",
            ),
            // Rails' Devise, Laravel, Symfony.
            ("/users/password/edit", "/users/password/edit"),
            ("/users/confirmation/x1", "/users/confirmation/{…}"),
            ("/password/reset/plain", "/password/reset/{…}"),
            ("/email/verify/17/0a1b", "/email/verify/{…}/{…}"),
            ("/forgotten-password/plain", "/forgotten-password/{…}"),
            ("/registrationConfirm/plain", "/registrationConfirm/{…}"),
            (
                "/Account/ResetPassword.aspx/plain",
                "/Account/ResetPassword.aspx/{…}",
            ),
            // Drupal, Magento, Discourse, Shopify, Mastodon.
            ("/user/reset/7/1764000000/hash", "/user/reset/{…}/{…}/{…}"),
            (
                "/newsletter/subscriber/unsubscribe/id/4711",
                "/newsletter/subscriber/unsubscribe/{…}/{…}",
            ),
            ("/session/email-login/plain", "/session/email-login/{…}"),
            ("/u/activate-account/plain", "/u/activate-account/{…}"),
            ("/account/activate/4711/plain", "/account/activate/{…}/{…}"),
            ("/invite/Plain", "/invite/{…}"),
            // Other spellings.
            ("/email-verification/plain", "/email-verification/{…}"),
            ("/magic_login/plain", "/magic_login/{…}"),
            ("/reset%20password/plain", "/reset%20password/{…}"),
            ("/%72eset/plain", "/%72eset/{…}"),
            ("/go/reset%2Fplain", "/go/{…}"),
            ("/reset-0a1b2c3d/next", "/{…}/next"),
            ("/token=plain", "/{…}"),
            ("/page%3Ftoken%3Dplain", "/{…}"),
            ("/page&session=plain", "/{…}"),
        ]);
    }

    #[test]
    fn what_looks_drawn_by_lot_behind_words_that_pages_have_too_never_becomes_text() {
        check(&[
            (
                "/12/orders/0a1b2c3d4e5f60718293a4b5c6d7e8f9",
                "/12/orders/{…}",
            ),
            (
                "/12/orders/how-to-return/1001",
                "/12/orders/how-to-return/1001",
            ),
            (
                "/checkouts/cn/Z2NwLXVzLWNlbnRyYWwx/info",
                "/checkouts/cn/{…}/info",
            ),
            ("/auth/v1/verify", "/auth/v1/verify"),
            ("/auth/docs/oauth2-flow", "/auth/docs/oauth2-flow"),
            ("/auth/7d444840-9dc0-11d1-b245-5ffdce74fad2", "/auth/{…}"),
            ("/magic/the-gathering", "/magic/the-gathering"),
            ("/auth/0123456789abcdef0123456789abcdef", "/auth/{…}"),
            (
                "/sessions/opening-keynote-2026",
                "/sessions/opening-keynote-2026",
            ),
            (
                "/verify-your-address/0a1b2c3d4e5f",
                "/verify-your-address/{…}",
            ),
            (
                "/docs/auth/signInWithEmailAndPassword",
                "/docs/auth/signInWithEmailAndPassword",
            ),
        ]);
    }

    #[test]
    fn signed_tokens_never_become_text() {
        check(&[
            ("/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "/t/{…}"),
            (
                "/blob/BAh7CEkiCG--0123456789abcdef0123456789abcdef01234567",
                "/blob/{…}",
            ),
            ("/share/aB3dE5fG7hI9jK1lM3nO5pQ7", "/share/{…}"),
            ("/c/pay/cs_live_a1B2c3D4e5F6g7H8i9J0k1L2", "/c/pay/{…}"),
            (
                "/bot/123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
                "/bot/{…}",
            ),
        ]);
    }

    #[test]
    fn what_only_looks_personal_stays() {
        for path in [
            "/@jane",
            "/@jane.doe/a-story",
            "/maps/place/x/@52.5200,13.4050,17z",
            "/img/logo@2x.png",
            "/img/logo@2x.3f9a0c4d.png",
            "/npm/vue@3.4.21",
            "/npm/vue@3.4.21-beta.next/dist/vue.min.js",
            "/npm/@babel/core@7.24.0",
            "/js/app@main.min.js",
            "/gh/jane/shop@main/readme.md",
            "/watch/dQw4w9WgXcQ",
            "/track/3n3Ppam7vgaW1mmWDqvXYZ/about",
            "/blog/why-we-moved-Our-API-from-v1-to-v2-in-2026-and-what-broke",
            "/password-managers/compared",
            "/blog/how-to-reset-your-router/step-2",
            "/css/reset.css",
            "/tokenizer/fast",
            "/keyboards/mx-3s",
            "/news/new-orders/2026",
            "/.well-known/change-password",
            "/.well-known/acme-challenge/plain",
            "/wiki/Who_is_it%3F/talk",
            "/wiki/AT%26T/history",
            "/shop/colour=red/size=m",
            "/%E3%83%91%E3%82%B9%E3%83%AF%E3%83%BC%E3%83%89/1",
            "/o/7d444840-9dc0-11d1-b245-5ffdce74fad2",
            "/api/org.springframework.AbstractSingletonProxyFactoryBean.html",
            "/100%/off%2",
        ] {
            assert_eq!(text(path), path);
            assert!(!shapes(path).contains(&Shape::Personal), "{path}");
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
        let target = Target::of(b"http://jane:word@shop.example/a@b");
        assert_eq!(target.host, Some(b"shop.example".as_slice()));
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
