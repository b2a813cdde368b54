//! Pages made from the facts: `docs/edges.md`.

use std::fmt::Write as _;

use knowledge::EdgeFacts;
use model::{Confidence, Edge, LogKind};

/// Where it stands, from the folder of the workspace.
pub(crate) const EDGES: &str = "docs/edges.md";

/// Everything that is known of each product, for people.
pub(crate) fn edges() -> String {
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

/// Writing to a `String` cannot fail.
fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = page.write_fmt(text);
}
