//! For terminals, 80 columns wide. Nothing is cut: an address on the web must stay whole.

use std::fmt::Write as _;

use knowledge::TopicKind;

use super::{Found, Item, Page, Source, TopicHead, UNVERIFIED, marks, source_words, sources};
use crate::clean::{clean, clip, fit, width};
use crate::words::count;

/// Columns of a terminal.
const WIDTH: usize = 80;

/// The page; `full` shows every message of every log.
pub fn explain_text(page: &Page, full: bool) -> String {
    let (verified, unverified) = page.counts();
    let page = if full {
        page.clone()
    } else {
        page.clone().shortened()
    };
    let sources = sources(&page);
    let room = WIDTH.saturating_sub(width(&page.title));
    let mut text = format!("{}{:>room$}\n", page.title, page.kind);
    for section in &page.sections {
        let _ = writeln!(text, "\n{}", section.heading);
        let mut label = "";
        for item in &section.items {
            if item.label != label {
                label = &item.label;
                folded(&mut text, "  ", "  ", label);
            }
            claim(&mut text, item, &sources);
        }
    }
    if !page.related.is_empty() {
        text.push_str("\nSee also\n");
        folded(&mut text, "  ", "  ", &page.related.join(", "));
    }
    let mut counted = format!("{} verified", count(verified as u64, "fact", "facts"));
    if unverified > 0 {
        let _ = write!(counted, ", {unverified} {UNVERIFIED}");
    }
    let _ = writeln!(text, "\nSources ({counted})");
    for source in &sources {
        source_lines(&mut text, source);
    }
    text
}

fn claim(text: &mut String, item: &Item, sources: &[Source]) {
    let marks = marks(item, sources);
    let with_marks = |says: &str| match (says.is_empty(), marks.is_empty()) {
        (_, true) => says.to_owned(),
        (true, _) => marks.clone(),
        _ => format!("{says} {marks}"),
    };
    if item.more.is_empty() {
        folded(text, "  - ", "    ", &with_marks(&item.says));
        return;
    }
    if item.literal {
        // What a log says stands alone, its sureness and its source below.
        folded(text, "  - ", "    ", &item.says);
        let more: Vec<String> = (item.more.iter())
            .map(|(name, value)| {
                if *name == "how sure" {
                    value.clone()
                } else {
                    format!("{name}: {value}")
                }
            })
            .collect();
        folded(text, "      ", "      ", &with_marks(&more.join("; ")));
        return;
    }
    folded(text, "  - ", "    ", &item.says);
    for (index, (name, value)) in item.more.iter().enumerate() {
        let says = format!("{name}: {value}");
        let last = index + 1 == item.more.len();
        folded(
            text,
            "    ",
            "      ",
            &if last { with_marks(&says) } else { says },
        );
    }
}

fn source_lines(text: &mut String, source: &Source) {
    let head = format!(
        "[{}] {}",
        source.marks.join(", "),
        source_words(&source.ground)
    );
    folded(text, "  ", "    ", &head);
    folded(text, "    ", "    ", source.ground.source);
}

/// Words in lines; a word that is wider than a line stands alone on one.
fn folded(text: &mut String, first: &str, next: &str, words: &str) {
    let words = clean(words);
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in words.split_whitespace() {
        let wide = width(&line) + usize::from(!is_empty) + width(word) > WIDTH;
        if wide && !is_empty {
            let _ = writeln!(text, "{}", line.trim_end());
            next.clone_into(&mut line);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

/// The list of topics.
pub fn explain_topics_text(heads: &[TopicHead]) -> String {
    /// Where titles begin.
    const INDENT: usize = 28;
    let mut text = String::new();
    for kind in TopicKind::ALL {
        let of_it: Vec<&TopicHead> = heads.iter().filter(|head| head.kind == kind).collect();
        let _ = writeln!(text, "{} ({})", kind.name(), of_it.len());
        for head in of_it {
            if head.name == head.title.to_lowercase() {
                let _ = writeln!(text, "  {}", head.name);
                continue;
            }
            let title = fit(head.title, WIDTH - INDENT);
            let _ = writeln!(text, "  {:<room$}{title}", head.name, room = INDENT - 2);
        }
        text.push('\n');
    }
    let words = format!(
        "{} topics. Also: a crawler or operator (crawlers list), an edge (nginx), a statement (ROB-07), a mistake (MIS-01), \
         a sign (nginx-001).",
        heads.len()
    );
    folded(&mut text, "", "", &words);
    text
}

/// The results of a search.
pub fn explain_found_text(query: &str, found: &[Found]) -> String {
    let mut text = String::new();
    for one in found {
        let title = if one.title == one.name {
            String::new()
        } else {
            format!("  {}", one.title)
        };
        let _ = writeln!(text, "{}", fit(&format!("{}{title}", one.name), WIDTH));
        let excerpt = clip(&one.excerpt, 2 * (WIDTH - 10));
        folded(
            &mut text,
            "    ",
            "    ",
            &format!("{}: {excerpt}", one.place),
        );
    }
    let words = match found.len() {
        0 => format!("nothing holds all of these words: {query}"),
        some => count(some as u64, "result", "results"),
    };
    folded(&mut text, "", "", &words);
    text
}
