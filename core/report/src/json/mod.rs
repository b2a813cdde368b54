//! Machine output, version 1: the report as JSON, and its schema.
//!
//! The types in `shape` are this format's own. Fields may be added; none may change its meaning in version 1.

mod fill;
pub(crate) mod shape;

use model::Report;

use crate::clean::is_hidden;

/// The report as one JSON object, version 1, indented.
pub fn json(report: &Report) -> String {
    // No type of `shape` can fail to serialise: strings, integers, finite numbers, maps keyed by strings.
    let text = serde_json::to_string_pretty(&fill::report(report)).unwrap_or_default();
    escaped(&text) + "\n"
}

/// The JSON Schema of [`json`], indented.
pub fn schema() -> String {
    schema_of::<shape::Report>()
}

/// The schema of what we write, where every field is always there.
pub(crate) fn schema_of<T: schemars::JsonSchema>() -> String {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// The same JSON with characters that a terminal would obey or hide written as `\u` escapes. Outside strings JSON
/// has none of them.
pub(crate) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter == '\n' || !is_hidden(letter) {
            out.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}
