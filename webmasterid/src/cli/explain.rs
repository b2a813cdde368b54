//! Arguments of `explain`.

use clap::{Args, ValueEnum};

pub(crate) const EXPLAIN_HELP: &str = "\
A topic is a status (502), a failure without one (timeout, tls, dns-failure), a cause (connection-refused), a verdict
(persistent), robots.txt, retry-after, an operator or a crawler (google, gptbot), an edge (nginx), the id that a report
names (ROB-07).
Every fact names what it rests on; what was not read at a primary source is marked \"Data not yet verified\".

Exit status:
  0  it was explained, listed or searched
  2  no such topic: the nearest are named

Examples:
  webmasterid explain 502
  webmasterid explain closed-before-headers --full
  webmasterid explain ROB-07
  webmasterid explain --search \"retry-after\"
  webmasterid explain --list";

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// What to explain
    #[arg(value_name = "TOPIC", required_unless_present_any = ["list", "search"])]
    pub(crate) topic: Vec<String>,
    /// Name every topic
    #[arg(long, conflicts_with_all = ["topic", "search"])]
    pub(crate) list: bool,
    /// Name the topics and statements that hold all of these words, in any case
    #[arg(long, value_name = "WORDS", num_args = 1.., conflicts_with = "topic")]
    pub(crate) search: Vec<String>,
    /// How to write it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: PageFormat,
    /// Every message of every product's log; JSON always has them
    #[arg(long)]
    pub(crate) full: bool,
}

/// How to write a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageFormat {
    /// For a terminal
    #[default]
    Text,
    /// Machine output, version 1
    Json,
    /// For a ticket
    Markdown,
}
