//! Addresses printed on a page for people. Only what is well-formed, public and no version number counts; scripts,
//! styles, comments and what stands inside tags are no text.

use super::block::Trust;
use super::list::{RangePlace, Reading};

/// Words before a number that is no address.
const VERSION_WORDS: [&str; 5] = ["version", "ver", "v", "release", "build"];

/// Whether a text is HTML.
pub(super) fn is_page(text: &str) -> bool {
    let head: String = text.chars().take(1_024).collect();
    let head = head.to_ascii_lowercase();
    head.starts_with("<!")
        || head.starts_with("<?xml")
        || head.contains("<html")
        || head.contains("<body")
        || (head.starts_with('<') && head.contains("</"))
}

pub(super) fn read(text: &str, reading: &mut Reading) {
    for (index, line) in visible(text).lines().enumerate() {
        let place = RangePlace::Line(index + 1);
        let mut at = 0;
        while let Some((start, end)) = run(line, at) {
            let word = line.get(start..end).unwrap_or_default();
            let before = line.get(..start).unwrap_or_default();
            let second =
                dash(line, end).and_then(|from| run(line, from).filter(|run| run.0 == from));
            let after = |end| line.get(end..).unwrap_or_default();
            at = match second {
                Some((from, to)) if is_meant(before, word, after(to)) => {
                    let last = line.get(from..to).unwrap_or_default();
                    let both = format!("{word}-{}", last.trim_end_matches(ENDS));
                    if reading.entry(place, &both, Trust::Found) {
                        to
                    } else {
                        end
                    }
                }
                _ => {
                    if is_meant(before, word, after(end)) {
                        reading.entry(place, word.trim_end_matches(ENDS), Trust::Found);
                    }
                    end
                }
            };
        }
    }
}

/// What may end a sentence after an address.
const ENDS: [char; 3] = ['.', ':', '/'];

/// The next run of characters that addresses are made of.
fn run(line: &str, at: usize) -> Option<(usize, usize)> {
    let start = at + line.get(at..)?.find(is_part)?;
    let rest = line.get(start..)?;
    let len = rest.find(|char| !is_part(char)).unwrap_or(rest.len());
    Some((start, start + len))
}

/// Where the second address of two with a dash between them would begin.
fn dash(line: &str, end: usize) -> Option<usize> {
    let rest = line.get(end..)?;
    let after = rest.trim_start().strip_prefix(['-', '–'])?.trim_start();
    Some(line.len() - after.len())
}

/// Whether a run is shaped like an address, stands alone and is no version number.
fn is_meant(before: &str, word: &str, after: &str) -> bool {
    let is_glued = before.ends_with(|char: char| char.is_alphanumeric() || "_-@=".contains(char))
        || after
            .trim_start_matches('-')
            .starts_with(|char: char| char.is_alphanumeric() || "_@".contains(char));
    let last_word = before.split_whitespace().next_back().unwrap_or_default();
    let is_version = VERSION_WORDS
        .iter()
        .any(|word| last_word.eq_ignore_ascii_case(word));
    let word = word.trim_end_matches(ENDS);
    let parts = |separator| word.split(separator).count();
    let is_shaped = parts('.') == 4 || parts(':') > 2;
    is_shaped && !is_glued && !is_version
}

/// What is not shown, from where to where.
const HIDDEN: [(&str, &str); 4] = [
    ("<script", "</script"),
    ("<style", "</style"),
    ("<title", "</title"),
    ("<!--", "-->"),
];

fn is_part(char: char) -> bool {
    char.is_ascii_hexdigit() || ".:/".contains(char)
}

/// The text that a reader sees, line ends kept so that places stay right.
fn visible(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut shown = String::with_capacity(text.len() / 2);
    let mut at = 0;
    while let Some(offset) = lower.get(at..).and_then(|rest| rest.find('<')) {
        let start = at + offset;
        shown.push_str(text.get(at..start).unwrap_or_default());
        let rest = lower.get(start..).unwrap_or_default();
        let close = HIDDEN
            .into_iter()
            .find(|(open, _)| rest.starts_with(open))
            .map_or(">", |(_, close)| close);
        let end = rest.find(close).map_or(rest.len(), |end| end + close.len());
        let hidden = rest.get(..end).unwrap_or_default();
        shown.push(' ');
        shown.extend(hidden.chars().filter(|char| *char == '\n'));
        at = start + end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}
