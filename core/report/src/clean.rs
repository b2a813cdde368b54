//! What comes from a log is shown, never obeyed: control characters, direction overrides and invisible letters
//! are replaced by their number in plain sight, and text is cut to fit without losing its ends.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// Accents that one letter may carry. More of them climb over the lines above; two are enough for the
/// languages that stack them.
const ACCENTS_MAX: usize = 2;

/// `text` with every hidden character replaced: `\x1b`, `\u{202e}`. Idempotent.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut accents = ACCENTS_MAX;
    for letter in text.chars() {
        accents = match letter.width() {
            Some(0) => accents + 1,
            _ => 0,
        };
        if is_hidden(letter) || accents > ACCENTS_MAX {
            escape(letter, &mut out);
            accents = 0;
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// Whether a character does something instead of being seen: C0, C1, DEL, line and paragraph separators, bidi
/// controls, zero-width and filler characters, variation selectors, tags.
pub(crate) fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Columns on a terminal. The sum over characters: never less than what a terminal uses.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(letter_width).sum()
}

/// `text` cleaned and cut to `columns`, with `…` in its middle where something is left out.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    let Some(room) = columns.checked_sub(1) else {
        return String::new();
    };
    let head = head(&text, room.div_ceil(2));
    let tail = tail(&text, room - width(head));
    format!("{head}…{tail}")
}

/// `text` cleaned and cut to `columns`, with `…` at its end where something is left out: for sentences.
pub(crate) fn clip(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    columns.checked_sub(1).map_or_else(String::new, |room| {
        format!("{}…", head(&text, room).trim_end())
    })
}

/// `text` on the left of a column.
pub(crate) fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` on the right of a column.
pub(crate) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` in lines of at most `columns`, broken at spaces. Words longer than a line are cut in the middle.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let text = clean(text);
    let mut lines = vec![];
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let word = fit(word, columns);
        if !line.is_empty() && width(&line) + 1 + width(&word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Clauses in lines of at most `columns`: joined by `"; "` where they fit, else in lines of their own. Each item is
/// the lines from one such start to the next.
pub(crate) fn flow(clauses: &[String], columns: usize) -> Vec<Vec<String>> {
    let mut items: Vec<Vec<String>> = vec![];
    for clause in clauses.iter().filter(|clause| !clause.trim().is_empty()) {
        let clause = clean(clause);
        match items.last_mut().and_then(|item| item.last_mut()) {
            Some(line) if width(line) + 2 + width(&clause) <= columns => {
                line.push_str("; ");
                line.push_str(&clause);
            }
            _ => items.push(wrap(&clause, columns)),
        }
    }
    items
}

fn letter_width(letter: char) -> usize {
    letter.width().unwrap_or(0)
}

fn escape(letter: char, out: &mut String) {
    let code = u32::from(letter);
    // Writing to a String cannot fail.
    let _ = if code < 0x80 {
        write!(out, "\\x{code:02x}")
    } else {
        write!(out, "\\u{{{code:x}}}")
    };
}

fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, letter) in text.char_indices() {
        used += letter_width(letter);
        if used > columns {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

fn tail(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, letter) in text.char_indices().rev() {
        used += letter_width(letter);
        if used > columns {
            return text.get(at + letter.len_utf8()..).unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(clean("/a\x1b[2Jb"), "/a\\x1b[2Jb");
        assert_eq!(clean("a\u{9b}31mb\x7f"), "a\\u{9b}31mb\\x7f");
        assert_eq!(clean("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
        assert_eq!(clean("a\u{200b}b\r\nc\td"), "a\\u{200b}b\\x0d\\x0ac\\x09d");
        assert_eq!(clean("/straße/中文"), "/straße/中文");
    }

    #[test]
    fn accents_do_not_climb() {
        assert_eq!(clean("e\u{301}"), "e\u{301}");
        assert!(clean("e\u{301}\u{301}\u{301}").contains("\\u{301}"));
    }

    #[test]
    fn long_text_keeps_both_ends() {
        assert_eq!(fit("/product/category/item-17.html", 15), "/produc…17.html");
        assert_eq!(width(&fit("中文中文中文中文", 7)), 7);
        assert_eq!(fit("abc", 0), "");
        assert_eq!(clip("one two three", 9), "one two…");
    }

    #[test]
    fn clauses_share_a_line_where_they_fit() {
        let clauses = ["aa bb".to_owned(), "cc".to_owned(), "dd ee ff".to_owned()];
        assert_eq!(flow(&clauses, 10), [["aa bb; cc"], ["dd ee ff"]]);
        assert_eq!(
            flow(&clauses, 5),
            [vec!["aa bb"], vec!["cc"], vec!["dd ee", "ff"]]
        );
    }
}
