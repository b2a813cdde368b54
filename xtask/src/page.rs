//! Pages made from the facts: `docs/edges.md`, `docs/facts.md`.

use std::fmt::Write as _;

use knowledge::{EdgeFacts, FactEntry, TopicKind};
use model::{Confidence, Edge, LogKind};

/// A page made from the facts.
pub(crate) struct Page {
    /// Where it stands, from the folder of the workspace.
    pub(crate) path: &'static str,
    pub(crate) make: fn() -> String,
}

pub(crate) const PAGES: [Page; 2] = [
    Page {
        path: "docs/edges.md",
        make: edges,
    },
    Page {
        path: "docs/facts.md",
        make: facts,
    },
];

/// Everything that is known of each product, for people.
fn edges() -> String {
    let mut page = String::from(
        "# Edges\n\n\
         Made from `facts/` by `cargo xtask facts`; edit there, not here.\n\n\
         For each product: what its logs can tell at best and how far, what they cannot show, and the layout to log in.\n\
         `webmasterid logformat --check PATH` says the same of the logs at hand.\n\n\
         | product | signs in access logs | in its own log | the access log is stamped with |\n\
         |---|--:|--:|---|\n",
    );
    for edge in known() {
        let signs = |log| {
            let all = knowledge::signs().iter();
            all.filter(|sign| sign.edge == edge && sign.log == log)
                .count()
        };
        let stamp = if knowledge::edge(edge).stamps_start {
            "the start of the request"
        } else {
            "its end"
        };
        put(
            &mut page,
            format_args!(
                "| [{name}](#{name}) | {} | {} | {stamp} |\n",
                signs(LogKind::Access),
                signs(LogKind::Error),
                name = edge.name(),
            ),
        );
    }
    for edge in known() {
        section(edge, knowledge::edge(edge), &mut page);
    }
    page
}

fn known() -> impl Iterator<Item = Edge> {
    Edge::ALL.into_iter().filter(|edge| *edge != Edge::Unknown)
}

fn section(edge: Edge, facts: &EdgeFacts, page: &mut String) {
    put(page, format_args!("\n## {}\n\n", edge.name()));
    let told = knowledge::telling(edge, &|_| true, true);
    for (title, confidence) in [
        ("Certain, at best", Confidence::Certain),
        ("Likely, at best", Confidence::Likely),
        ("Only in question", Confidence::Ambiguous),
    ] {
        let causes: Vec<&str> = told
            .iter()
            .filter(|told| told.confidence == Some(confidence))
            .map(|told| told.cause.name())
            .collect();
        if !causes.is_empty() {
            put(page, format_args!("{title}: {}.\n\n", causes.join(", ")));
        }
    }
    for spot in facts.blind_spots {
        let fields: Vec<&str> = spot.absent.iter().map(|field| field.name()).collect();
        let lacking = match fields.as_slice() {
            [] => String::new(),
            fields => format!(" (without {})", fields.join(", ")),
        };
        let error_log = if spot.without_error_log {
            " (without its own log)"
        } else {
            ""
        };
        put(page, format_args!("- {}{lacking}{error_log}\n", spot.says));
    }
    let Some(recommended) = facts.recommended else {
        return;
    };
    put(
        page,
        format_args!(
            "\nThe layout to log in ([documentation]({})):\n\n```\n{}\n```\n",
            recommended.source,
            recommended.configuration.trim_matches('\n')
        ),
    );
    if !recommended.note.is_empty() {
        put(page, format_args!("\n{}\n", recommended.note));
    }
}

/// Every topic, statement and common mistake, with its source.
fn facts() -> String {
    let count = knowledge::unverified().statements;
    let mut page = format!(
        "# Facts\n\n\
         Made from `facts/` by `cargo xtask facts`; edit there, not here. `webmasterid explain NAME` shows each at length.\n\n\
         {} statements: {} verified, {} not yet.\n\n## Topics\n\n",
        count.verified + count.unverified,
        count.verified,
        count.unverified,
    );
    for kind in TopicKind::ALL {
        let names = knowledge::topics()
            .iter()
            .filter(|topic| topic.kind == kind);
        let names: Vec<String> = names.map(|topic| format!("`{}`", topic.name)).collect();
        put(
            &mut page,
            format_args!("- {}: {}\n", kind.name(), names.join(", ")),
        );
    }
    page.push_str("\n## Statements\n\n| id | says | source |\n|---|---|---|\n");
    for fact in knowledge::facts() {
        let source = sourced(fact);
        put(
            &mut page,
            format_args!("| {} | {} | {source} |\n", fact.id, cell(fact.says)),
        );
    }
    page.push_str("\n## Common mistakes\n\n| id | one reads | why it misleads | instead |\n|---|---|---|---|\n");
    for mistake in knowledge::mistakes() {
        let open = match mistake.ground.checked {
            Some(_) => "",
            None => " (Data not yet verified)",
        };
        let (advice, why) = (cell(mistake.advice), cell(mistake.why));
        let instead = cell(mistake.instead);
        put(
            &mut page,
            format_args!("| {} | {advice} | {why}{open} | {instead} |\n", mistake.id),
        );
    }
    page
}

fn sourced(fact: &FactEntry) -> String {
    let source = if fact.source.starts_with("http") {
        format!("[{}]({})", fact.kind, fact.source)
    } else {
        format!("{}: {}", fact.kind, cell(fact.source))
    };
    match fact.checked {
        Some(day) => format!("{source}, {day}"),
        None => format!("{source}, Data not yet verified: {}", cell(fact.basis)),
    }
}

/// Text that stays within its cell.
fn cell(text: &str) -> String {
    let mut out = String::new();
    let mut is_code = false;
    for letter in text.chars() {
        is_code ^= letter == '`';
        if letter == '|' || !is_code && matches!(letter, '<' | '>' | '*') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// Writing to a `String` cannot fail.
fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = page.write_fmt(text);
}
