//! What is personal in a path by its shape: e-mail addresses, signed tokens, and what follows the words of routes that
//! name a person or open an account (`/password_reset/…`, `/newsletter/unsubscribe/…`).
//!
//! Every segment of every line comes by here, so each rule has a cheap look before it.

use std::borrow::Cow;

use super::{is_hash, is_uuid, stem};
use crate::literal::last_finder;

/// How far the words of a route reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// A word of routes that makes nothing personal, and is not personal itself.
    Nothing,
    /// What follows is personal where it looks drawn by lot: public pages have these words too
    /// (`/auth/docs`, `/orders/how-to-return`).
    Opaque,
    /// All that follows is personal.
    Everything,
}

/// Whatever follows is personal: Rails' Devise, Django and allauth, Laravel, Symfony, Drupal, Shopify, Discourse,
/// Mastodon and mailing lists put user ids, keys and addresses behind these.
const EVERYTHING: &[&str] = &[
    "abmelden",
    "activate",
    "activation",
    "confirm",
    "confirmation",
    "contrasena",
    "deactivate",
    "desabonnement",
    "desinscription",
    "impersonate",
    "invitation",
    "invite",
    "magiclink",
    "magiclogin",
    "magicsignin",
    "optout",
    "otp",
    "passcode",
    "passwd",
    "password",
    "passwort",
    "recover",
    "reset",
    "resetting",
    "restablecer",
    "session",
    "token",
    "tokens",
    "totp",
    "unsub",
    "unsubscribe",
    "verification",
    "verify",
    "zuruecksetzen",
];

/// What looks opaque behind these is personal.
const OPAQUE: &[&str] = &[
    "accept",
    "auth",
    "authenticate",
    "authentication",
    "authorize",
    "callback",
    "cancel",
    "cart",
    "carts",
    "checkout",
    "checkouts",
    "claim",
    "credential",
    "credentials",
    "decline",
    "invitations",
    "invites",
    "invoice",
    "invoices",
    "join",
    "jwt",
    "key",
    "keys",
    "login",
    "logout",
    "magic",
    "oauth",
    "optin",
    "order",
    "orders",
    "passwordless",
    "passwords",
    "pay",
    "payment",
    "payments",
    "preferences",
    "private",
    "receipt",
    "recovery",
    "redeem",
    "referral",
    "register",
    "registration",
    "rsvp",
    "secret",
    "sessions",
    "signin",
    "signup",
    "sso",
    "subscriber",
    "subscription",
    "subscriptions",
    "tracking",
    "unlock",
    "validate",
    "webhook",
    "webhooks",
];

/// Words that stand with those above in one segment (`confirm-new-email`), or behind them (`/password/edit`).
const NOTHING: &[&str] = &[
    "access",
    "account",
    "accounts",
    "action",
    "actions",
    "change",
    "chat",
    "check",
    "code",
    "complete",
    "create",
    "customer",
    "customers",
    "device",
    "done",
    "edit",
    "email",
    "expired",
    "forgot",
    "forgotten",
    "form",
    "link",
    "list",
    "lost",
    "mail",
    "member",
    "members",
    "new",
    "newsletter",
    "onetime",
    "phone",
    "refresh",
    "request",
    "resend",
    "send",
    "sent",
    "set",
    "success",
    "update",
    "user",
    "users",
    "vergessen",
];

const WORDS: [(&[&str], Reach); 3] = [
    (EVERYTHING, Reach::Everything),
    (OPAQUE, Reach::Opaque),
    (NOTHING, Reach::Nothing),
];

/// Where the words of each letter begin in each list, and where those of the next one do.
static STARTS: [[u8; 27]; WORDS.len()] = starts();

const fn starts() -> [[u8; 27]; WORDS.len()] {
    let mut starts = [[0; 27]; WORDS.len()];
    let mut list = 0;
    while list < WORDS.len() {
        let words = WORDS[list].0;
        let mut word = 0;
        let mut letter = 0;
        while letter < 27 {
            while word < words.len() && words[word].as_bytes()[0] < b'a' + letter {
                assert!(
                    words[word].as_bytes()[0] + 1 == b'a' + letter,
                    "not in the order of the alphabet"
                );
                word += 1;
            }
            starts[list][letter as usize] = word as u8;
            letter += 1;
        }
        list += 1;
    }
    starts
}

/// The words that begin with a letter.
fn words_of(letter: u8) -> impl Iterator<Item = (&'static str, Reach)> {
    let letter = usize::from(letter.wrapping_sub(b'a'));
    WORDS
        .iter()
        .zip(&STARTS)
        .flat_map(move |((words, reach), starts)| {
            let range = match starts.get(letter..) {
                Some([start, end, ..]) => usize::from(*start)..usize::from(*end),
                _ => 0..0,
            };
            words[range].iter().map(|word| (*word, *reach))
        })
}

/// A bit for the four letters that a word begins with: says no for all but a few in a hundred other segments.
static BEGINNINGS: [u64; 1 << 8] = beginnings();

const fn beginnings() -> [u64; 1 << 8] {
    let mut bits = [0; 1 << 8];
    let mut list = 0;
    while list < WORDS.len() {
        let words = WORDS[list].0;
        let mut word = 0;
        while word < words.len() {
            let letters = words[word].as_bytes();
            // After a word of three letters anything may stand.
            let (mut fourth, last) = match letters.len() {
                3 => (0, 31),
                _ => (letters[3], letters[3]),
            };
            while fourth <= last {
                let (row, bit) = beginning([letters[0], letters[1], letters[2], fourth]);
                bits[row] |= bit;
                fourth += 1;
            }
            word += 1;
        }
        list += 1;
    }
    bits
}

/// Where the bit of four letters is.
const fn beginning(letters: [u8; 4]) -> (usize, u64) {
    // The low five bits of a letter are the same in both cases.
    let hash = (u32::from_le_bytes(letters) & 0x1f1f_1f1f).wrapping_mul(0x9e37_79b1) >> 18;
    ((hash >> 6) as usize, 1 << (hash & 63))
}

/// Goes along a path and tells which of its segments are personal.
pub(super) struct Watch {
    reach: Reach,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            reach: Reach::Nothing,
        }
    }

    /// Whether the next segment is personal. `has_rare` tells that the path holds letters of [`is_rare`].
    #[inline]
    pub(super) fn is_personal(&mut self, word: &[u8], has_rare: bool) -> bool {
        if has_rare && word.iter().any(|byte| is_rare(*byte)) {
            return self.is_personal_behind_escapes(word);
        }
        self.is_personal_word(word)
    }

    /// Looks at what the segment says once it is decoded: it may be a piece of a path or of a query.
    #[cold]
    fn is_personal_behind_escapes(&mut self, word: &[u8]) -> bool {
        let text = decoded(word);
        // The query of a link that somebody escaped whole, or that lost its question mark.
        let query = text
            .iter()
            .position(|byte| matches!(byte, b'?' | b'&' | b';' | b'#'))
            .is_some_and(|at| text[at..].contains(&b'='));
        if query {
            self.reach = Reach::Everything;
        }
        let mut personal = query || has_email(&text);
        for word in text.split(|byte| *byte == b'/') {
            personal |= is_personal_pair(word) || self.is_personal_word(word);
        }
        personal
    }

    #[inline]
    fn is_personal_word(&mut self, word: &[u8]) -> bool {
        let is_plain = self.reach == Reach::Nothing && word.len() < CODED_MIN;
        if is_plain && !may_begin(word) {
            return false;
        }
        self.is_personal_closely(word)
    }

    fn is_personal_closely(&mut self, word: &[u8]) -> bool {
        if may_begin(word) {
            if let Some(reach) = reach_of(word) {
                self.reach = self.reach.max(reach);
                return false;
            }
            if let Some((reach, rest)) = first_word(word) {
                // `reset-3f9a0c4d`, `session_Ab3dE5`.
                if is_drawn(stem(rest)) {
                    return true;
                }
                // `verify-your-address`, but also `password-managers`.
                if reach == Reach::Everything {
                    self.reach = self.reach.max(Reach::Opaque);
                }
            }
        }
        match self.reach {
            Reach::Everything if !word.is_empty() => return true,
            Reach::Opaque if is_drawn(stem(word)) => return true,
            Reach::Everything | Reach::Opaque | Reach::Nothing => {}
        }
        word.len() >= CODED_MIN && is_coded(word)
    }
}

/// Letters that few paths have and that can hide something from a look at the words: escapes, addresses, pairs.
pub(super) fn is_rare(byte: u8) -> bool {
    matches!(byte, b'@' | b'%' | b'\\' | b'=')
}

fn may_begin(word: &[u8]) -> bool {
    let letters = match word {
        [first, second, third, fourth, ..] => [*first, *second, *third, *fourth],
        [first, second, third] => [*first, *second, *third, 0],
        _ => return false,
    };
    let (row, bit) = beginning(letters);
    BEGINNINGS[row] & bit != 0
}

/// The reach of a segment that is made of the words above and nothing else, in any case and with any separators
/// (`password_reset`, `ResetPassword`, `confirm-email.php`).
fn reach_of(word: &[u8]) -> Option<Reach> {
    /// No route of the frameworks above has a longer one.
    const LETTERS_MAX: usize = 40;
    let mut letters = [0; LETTERS_MAX];
    let mut len = 0;
    for byte in stem(word) {
        if !matches!(byte, b'-' | b'_' | b'.' | b'+' | b' ') {
            *letters.get_mut(len)? = byte.to_ascii_lowercase();
            len += 1;
        }
    }
    spell(&letters[..len], 0)
}

/// The largest reach of the words that `letters` are made of.
fn spell(letters: &[u8], words: usize) -> Option<Reach> {
    /// `confirm-new-email-token`; and what strangers write ends.
    const WORDS_MAX: usize = 5;
    let Some(first) = letters.first() else {
        return (words > 0).then_some(Reach::Nothing);
    };
    if words == WORDS_MAX {
        return None;
    }
    let mut best = None;
    for (word, reach) in words_of(*first) {
        if let Some(rest) = letters.strip_prefix(word.as_bytes())
            && let Some(after) = spell(rest, words + 1)
        {
            best = best.max(Some(after.max(reach)));
        }
    }
    best
}

/// The reach of what stands before the first separator, and what stands behind it.
fn first_word(word: &[u8]) -> Option<(Reach, &[u8])> {
    let separator = |byte: &u8| matches!(byte, b'-' | b'_' | b'.' | b':');
    let at = word.iter().position(separator)?;
    let reach = reach_of(&word[..at])?;
    (reach > Reach::Nothing).then_some((reach, &word[at + 1..]))
}

/// `token=…`.
fn is_personal_pair(word: &[u8]) -> bool {
    memchr::memchr(b'=', word)
        .is_some_and(|at| may_begin(word) && reach_of(&word[..at]) > Some(Reach::Nothing))
}

fn is_drawn(word: &[u8]) -> bool {
    is_opaque(word) || is_hash(word) || is_uuid(word)
}

/// Whether a word looks drawn by lot: it changes between digits and letters, or to upper case, too often for a name
/// (`oauth2-flow`, `signInWithEmailAndPassword`).
fn is_opaque(word: &[u8]) -> bool {
    /// Shorter ones are versions and units.
    const LEN_MIN: usize = 6;
    /// Enough of a longer one to tell.
    const LEN_MAX: usize = 255;
    /// Letters drawn from hexadecimal digits change 47 times in a hundred, from base 32 30 times.
    const PER_CHANGE_WITH_DIGITS: usize = 6;
    /// Upper and lower case alone: 25 in a hundred; names in camel case 20 at most.
    const PER_CHANGE: usize = 4;
    if word.len() < LEN_MIN {
        return false;
    }
    let word = word.get(..LEN_MAX).unwrap_or(word);
    let changes = usize::from(changes(word));
    if changes < 3 || changes * PER_CHANGE_WITH_DIGITS < word.len() {
        return false;
    }
    changes * PER_CHANGE >= word.len() || word.iter().any(u8::is_ascii_digit)
}

/// How often neighbours are a digit and a letter, or a lower and an upper case letter in this order. For at most 255
/// letters.
fn changes(word: &[u8]) -> u8 {
    // Without a branch and in bytes, so that the compiler looks at many letters in one go.
    let change = |one: u8, two: u8| {
        let letters = one.is_ascii_alphabetic() & two.is_ascii_digit();
        let digits = one.is_ascii_digit() & two.is_ascii_alphabetic();
        let cases = one.is_ascii_lowercase() & two.is_ascii_uppercase();
        u8::from(letters | digits | cases)
    };
    let behind = word.get(1..).unwrap_or_default();
    word.iter().zip(behind).fold(0, |sum: u8, (one, two)| {
        sum.wrapping_add(change(*one, *two))
    })
}

/// Shorter words hold no address in base 64, and are ids of videos, pastes and products.
const CODED_MIN: usize = 16;

/// Signed tokens, and e-mail addresses in base 64 or hexadecimal.
fn is_coded(word: &[u8]) -> bool {
    // The first is a JSON web token.
    word.starts_with(b"eyJ")
        || has_digest(word)
        || (is_opaque(word) && (is_signed_run(stem(word)) || has_coded_email(word)))
}

/// `payload--hexdigest`.
fn has_digest(word: &[u8]) -> bool {
    const DIGEST_MIN: usize = 32;
    let digit = |byte: &u8| byte.is_ascii_hexdigit();
    word.last_chunk::<DIGEST_MIN>()
        .is_some_and(|end| end.iter().all(digit))
        && last_finder!(b"--")
            .rfind(word)
            .is_some_and(|at| word[at + 2..].iter().all(digit))
}

/// A long run that mixes upper case, lower case and digits without any separator that a slug would have.
fn is_signed_run(stem: &[u8]) -> bool {
    const RUN_MIN: usize = 24;
    let token = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'=' | b'-' | b'.' | b'~' | b':')
    };
    let separators = stem
        .iter()
        .filter(|byte| matches!(byte, b'-' | b'_' | b'.'))
        .count();
    let mixes = |class: fn(&u8) -> bool| stem.iter().filter(|byte| class(byte)).count() >= 3;
    stem.len() >= RUN_MIN
        && stem.iter().all(token)
        && separators * 12 <= stem.len()
        && mixes(u8::is_ascii_uppercase)
        && mixes(u8::is_ascii_lowercase)
        && mixes(u8::is_ascii_digit)
}

/// An e-mail address in base 64, of either alphabet, or in hexadecimal.
fn has_coded_email(word: &[u8]) -> bool {
    [(6, base64_digit as fn(u8) -> Option<u32>), (4, hex_digit)]
        .into_iter()
        .any(|(bits, digit)| text_of(word, bits, digit).is_some_and(|text| has_email(&text)))
}

/// The printable text that the digits stand for.
fn text_of(word: &[u8], bits: u32, digit: fn(u8) -> Option<u32>) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let (mut kept, mut count) = (0_u32, 0);
    for byte in word {
        let Some(value) = digit(*byte) else { break };
        kept = (kept << bits | value) & 0xffff;
        count += bits;
        if count >= 8 {
            count -= 8;
            let byte = (kept >> count & 0xff) as u8;
            if !(b' '..=b'~').contains(&byte) {
                return None;
            }
            text.push(byte);
        }
    }
    Some(text)
}

fn base64_digit(byte: u8) -> Option<u32> {
    Some(match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' | b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

fn hex_digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

/// `word` without percent escapes and without the `\x…` that edges write for odd bytes, also where it was escaped
/// more than once.
fn decoded(word: &[u8]) -> Cow<'_, [u8]> {
    /// Redirects through a login page escape a link anew each time.
    const ROUNDS_MAX: usize = 4;
    let mut text = Cow::Borrowed(word);
    for _ in 0..ROUNDS_MAX {
        if !text.iter().any(|byte| matches!(byte, b'%' | b'\\')) {
            break;
        }
        let once = decoded_once(&text);
        if once.len() == text.len() {
            break;
        }
        text = Cow::Owned(once);
    }
    text
}

fn decoded_once(word: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(word.len());
    let mut rest = word;
    while let [first, after @ ..] = rest {
        let (byte, after) = match rest {
            [b'%', high, low, after @ ..] | [b'\\', b'x', high, low, after @ ..] => {
                match (hex_digit(*high), hex_digit(*low)) {
                    (Some(high), Some(low)) => ((high << 4 | low) as u8, after),
                    _ => (*first, &rest[1..]),
                }
            }
            _ => (*first, after),
        };
        text.push(byte);
        rest = after;
    }
    text
}

/// Whether `name@host.tld` stands anywhere in `text`.
fn has_email(text: &[u8]) -> bool {
    memchr::memchr_iter(b'@', text).any(|at| {
        let named = at > 0 && !matches!(text[at - 1], b'/' | b'@');
        named && is_mail_host(&text[at + 1..])
    })
}

/// Whether `text` begins with a host name that has a top-level domain; not `2x.png`, `3.4.21-beta.next` or `main.min.js`.
fn is_mail_host(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"[").unwrap_or(text);
    let in_host =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-') || !byte.is_ascii();
    let end = text.iter().position(|byte| !in_host(byte));
    let host = &text[..end.unwrap_or(text.len())];
    let mut labels = host.split(|byte| *byte == b'.');
    let first = labels.next().unwrap_or_default();
    let is_number = |label: &[u8]| !label.is_empty() && label.iter().all(u8::is_ascii_digit);
    if is_number(first) && labels.clone().next().is_some_and(is_number) {
        // Versions of packages, with three numbers; an address has four.
        return labels.clone().count() == 3 && labels.all(is_number);
    }
    if matches!(first, [b'1'..=b'9', b'x' | b'X']) && is_file_ending(host) {
        return false;
    }
    !first.is_empty() && labels.any(|label| begins_as_domain(label) && !is_file_ending(label))
}

fn begins_as_domain(label: &[u8]) -> bool {
    let letters = label
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    letters.take(2).count() == 2
}

/// File endings of assets and pages; none of them is a top-level domain.
fn is_file_ending(name: &[u8]) -> bool {
    const ENDINGS: [&str; 33] = [
        "asp", "aspx", "avif", "bmp", "css", "gif", "gz", "htm", "html", "ico", "jpeg", "jpg",
        "js", "json", "jsp", "jsx", "map", "min", "mjs", "mp3", "mp4", "pdf", "php", "png", "svg",
        "tiff", "ts", "tsx", "txt", "webp", "woff", "woff2", "xml",
    ];
    let start = memchr::memrchr(b'.', name).map_or(0, |at| at + 1);
    let ending = &name[start..];
    ENDINGS
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known.as_bytes()))
}
