//! For a ticket or a page of the docs.

use std::fmt::Write as _;

use knowledge::TopicKind;

use super::{Found, Item, Page, Source, TopicHead, marks, source_words, sources};
use crate::clean::clean;

/// The page; `full` shows every message of every log.
pub fn explain_markdown(page: &Page, full: bool) -> String {
    let page = if full {
        page.clone()
    } else {
        page.clone().shortened()
    };
    let sources = sources(&page);
    let mut text = format!("# {}\n", plain(&page.title));
    for section in &page.sections {
        let _ = writeln!(text, "\n## {}\n", section.heading);
        let mut label = "";
        for item in &section.items {
            if item.label != label {
                label = &item.label;
                let above = if text.ends_with("\n\n") { "" } else { "\n" };
                let _ = writeln!(text, "{above}**{}**\n", plain(label));
            }
            claim(&mut text, item, &sources);
        }
    }
    if !page.related.is_empty() {
        let _ = writeln!(text, "\nSee also: {}.", page.related.join(", "));
    }
    text.push_str("\n## Sources\n\n");
    for source in &sources {
        let known = source.ground.source;
        let link = if known.starts_with("http") && !known.contains(' ') {
            format!("<{}>", clean(known))
        } else {
            plain(known)
        };
        let marks = source.marks.join(", ");
        let _ = writeln!(
            text,
            "- [{marks}] {}: {link}",
            plain(&source_words(&source.ground))
        );
    }
    text
}

fn claim(text: &mut String, item: &Item, sources: &[Source]) {
    let says = if item.literal {
        code(&item.says)
    } else {
        plain(&item.says)
    };
    let mut line = format!("- {says}");
    for (name, value) in &item.more {
        let _ = write!(line, " *{name}:* {}", plain(value));
    }
    let marks = marks(item, sources);
    let _ = writeln!(text, "{}", format!("{line} {marks}").trim_end());
}

/// Text of a log, in a fence of backticks longer than any inside.
fn code(says: &str) -> String {
    let fence = "`".repeat(
        1 + says
            .split(|c| c != '`')
            .map(str::len)
            .max()
            .unwrap_or_default(),
    );
    let space = if says.starts_with('`') || says.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{}{space}{fence}", clean(says))
}

/// Our words: code between backticks stays, all else cannot become markup.
fn plain(words: &str) -> String {
    let words = clean(words);
    let parts = words.split('`').enumerate();
    let is_code = |index: usize| index % 2 == 1;
    let parts: Vec<String> = parts
        .map(|(index, part)| {
            if is_code(index) {
                part.to_owned()
            } else {
                escaped(part)
            }
        })
        .collect();
    parts.join("`")
}

fn escaped(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for letter in part.chars() {
        if matches!(letter, '<' | '>' | '*' | '|' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// The list of topics.
pub fn explain_topics_markdown(heads: &[TopicHead]) -> String {
    let mut text = String::from("| topic | kind | title |\n| --- | --- | --- |\n");
    for kind in TopicKind::ALL {
        for head in heads.iter().filter(|head| head.kind == kind) {
            let _ = writeln!(
                text,
                "| {} | {} | {} |",
                head.name,
                kind.name(),
                plain(head.title)
            );
        }
    }
    text
}

/// The results of a search.
pub fn explain_found_markdown(query: &str, found: &[Found]) -> String {
    let mut text = format!("Found for {}: {}\n\n", code(query), found.len());
    for one in found {
        let _ = writeln!(
            text,
            "- **{}** {} ({}: {})",
            one.name,
            plain(&one.title),
            one.place,
            plain(&one.excerpt)
        );
    }
    text
}
