//! `explain`: what is known of a topic.

use crate::cli::{ExplainArgs, PageFormat};
use crate::exit::Failure;
use crate::output;

/// Runs it; gives the exit status.
pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<u8> {
    let text = if args.list {
        let topics = report::explain_topics();
        match args.format {
            PageFormat::Text => report::explain_topics_text(&topics),
            PageFormat::Json => report::explain_topics_json(&topics),
            PageFormat::Markdown => report::explain_topics_markdown(&topics),
        }
    } else if args.topic.is_empty() {
        search(&args.search.join(" "), args.format)
    } else {
        page(&args.topic.join(" "), args)?
    };
    output::write(&text)?;
    Ok(0)
}

fn search(query: &str, format: PageFormat) -> String {
    let found = report::explain_search(query);
    match format {
        PageFormat::Text => report::explain_found_text(query, &found),
        PageFormat::Json => report::explain_found_json(query, &found),
        PageFormat::Markdown => report::explain_found_markdown(query, &found),
    }
}

fn page(topic: &str, args: &ExplainArgs) -> anyhow::Result<String> {
    let page = report::explain_page(topic).map_err(|nearest| {
        Failure::arguments(format!(
            "nothing is known of {:?}; nearest: {} (all: explain --list; by words: explain --search)",
            report::printable(topic),
            nearest.join(", ")
        ))
    })?;
    Ok(match args.format {
        PageFormat::Text => report::explain_text(&page, args.full),
        PageFormat::Json => report::explain_json(&page),
        PageFormat::Markdown => report::explain_markdown(&page, args.full),
    })
}
