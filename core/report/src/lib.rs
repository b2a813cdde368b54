//! `Report` as text, JSON version 1, Markdown and CSV. Takes the answer, gives characters; the only crate that
//! knows JSON, calendars and colours.
//!
//! Nothing here trusts what came from a log: see `clean`.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod clean;
mod crawler;
mod csv_report;
mod explain;
mod failures;
mod identification;
mod json;
mod markdown;
mod options;
mod owed;
mod phrase;
mod probe;
mod registry;
mod sign;
mod source;
mod spreadsheet;
mod text;
mod time;
mod words;

pub use clean::clean as printable;
pub use csv_report::csv;
pub use explain::{
    Found, Page, TopicHead, explain_found_json, explain_found_markdown, explain_found_text,
    explain_json, explain_markdown, explain_search, explain_text, explain_topics,
    explain_topics_json, explain_topics_markdown, explain_topics_text, page as explain_page,
};
pub use failures::{
    FailureEvidence, FailureRow, FailureTable, failure_csv, failure_csv_header, failure_ndjson,
    failure_schema,
};
pub use identification::{
    Identification, InLists, ListStep, identification_json, identification_text,
};
pub use json::{json, schema};
pub use markdown::markdown;
pub use options::{IncidentChoice, TextOptions};
pub use owed::owed_csv;
pub use probe::{Probed, probe_json, probe_schema, probe_text};
pub use registry::{crawler_csv, crawler_json, crawler_page, crawler_table};
pub use text::text;
