//! What really happened, beside what the program says of it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test may panic"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;
use toml::Table;

/// A line of an access log: file and number.
pub(crate) type Line = (String, u64);

/// How well the requests of one recording were told.
#[derive(Default)]
pub(crate) struct Count {
    /// The cause, as fact.
    pub(crate) right: usize,
    /// Several causes, the true one among them.
    pub(crate) ambiguous: usize,
    /// No cause, and what to log instead.
    pub(crate) unknown: usize,
    /// What is not so, each in a sentence.
    pub(crate) wrong: Vec<String>,
}

impl Count {
    pub(crate) fn add(&mut self, other: &Self) {
        self.right += other.right;
        self.ambiguous += other.ambiguous;
        self.unknown += other.unknown;
        self.wrong.extend(other.wrong.iter().cloned());
    }
}

/// `case.toml`.
pub(crate) struct Case {
    pub(crate) now: String,
    pub(crate) ranges: Option<String>,
    /// The format string, where the lines do not tell it.
    pub(crate) log_format: Option<String>,
    pub(crate) look_alike: bool,
    /// One of these must be named where the log leaves it open.
    pub(crate) missing: Vec<String>,
    /// What must be named, or one of several; none where nothing may be stated as fact.
    causes: Vec<String>,
    /// The cause in whose folder it stands.
    of: String,
}

impl Case {
    pub(crate) fn read(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join("case.toml")).unwrap();
        let table: Table = text.parse().unwrap();
        let word = |key: &str| {
            table
                .get(key)
                .map(|value| value.as_str().unwrap().to_owned())
        };
        let words = |key: &str| -> Vec<String> {
            let values = table.get(key).and_then(toml::Value::as_array);
            let words = values.into_iter().flatten();
            words
                .map(|value| value.as_str().unwrap().to_owned())
                .collect()
        };
        let of = folder.parent().unwrap().file_name().unwrap();
        let edge = word("edge").unwrap();
        let is_rich = word("layout").unwrap() == "rich";
        let is_alone = !folder.join("error.log").exists();
        Self {
            now: word("now").unwrap(),
            ranges: word("ranges"),
            // No line of an access log of httpd names the product, nor what stands behind the combined part; lighttpd's
            // default is what hosters write with httpd.
            log_format: word("log_format").filter(|_| match edge.as_str() {
                "apache" => is_rich || is_alone,
                "lighttpd" => !is_rich && is_alone,
                _ => false,
            }),
            look_alike: table["look_alike"].as_bool().unwrap(),
            missing: words("missing"),
            causes: word("cause").into_iter().chain(words("or")).collect(),
            of: of.to_str().unwrap().to_owned(),
        }
    }

    /// A recording of which nothing is known but the truth of its requests.
    pub(crate) fn any() -> Self {
        Self {
            now: String::new(),
            ranges: None,
            log_format: None,
            look_alike: false,
            missing: Vec::new(),
            causes: Vec::new(),
            of: String::new(),
        }
    }

    /// Whether this is what to log, where the cause stays open. That only the error log would tell has no field's name.
    fn accepts(&self, missing: Option<&str>) -> bool {
        match missing {
            Some(field) => self.missing.is_empty() || self.missing.iter().any(|one| one == field),
            None => self.missing.iter().any(|one| one == "error_log"),
        }
    }

    /// Whether the incidents, or the rows where there is none, say what the case is about.
    pub(crate) fn judge(&self, report: &str, rows: &BTreeMap<Line, Value>, count: &mut Count) {
        let report: Value = serde_json::from_str(report).unwrap();
        let incidents = report["incidents"].as_array().unwrap();
        let said: Vec<&Value> = match incidents.as_slice() {
            [] => rows.values().collect(),
            some => some.iter().collect(),
        };
        let facts: BTreeSet<&str> = said
            .iter()
            .filter(|value| is_fact(value))
            .filter_map(|value| value["cause"].as_str())
            .collect();
        if !self.causes.is_empty() && !self.causes.iter().any(|cause| names(&said, cause)) {
            count.wrong.push(format!(
                "{:?} is not named; {facts:?} stated as fact",
                self.causes
            ));
        }
        if self.causes.is_empty() && !self.missing.is_empty() && !facts.is_empty() {
            count
                .wrong
                .push(format!("the log leaves it open, but {facts:?} is stated"));
        }
        if self.look_alike && facts.contains(&*self.of) && !self.causes.contains(&self.of) {
            count
                .wrong
                .push(format!("a look-alike, taken for {}", self.of));
        }
    }
}

fn is_fact(value: &Value) -> bool {
    matches!(value["confidence"].as_str(), Some("certain" | "likely"))
}

/// Whether `cause` is named by one of these, as cause or as one of several.
fn names(said: &[&Value], cause: &str) -> bool {
    said.iter().any(|value| candidates(value).contains(cause))
}

fn candidates(value: &Value) -> BTreeSet<&str> {
    let others = value["alternatives"].as_array().into_iter().flatten();
    others
        .chain([&value["cause"]])
        .filter_map(Value::as_str)
        .collect()
}

/// The rows of `failures --format ndjson` by their line of the access log.
pub(crate) fn rows(ndjson: &str) -> BTreeMap<Line, Value> {
    let rows = ndjson.lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        let file = row["source"].as_str().unwrap().to_owned();
        ((file, row["line"].as_u64().unwrap()), row)
    });
    rows.collect()
}

/// Compares the rows with the truth in `file`; `case` says what of it the logs leave open.
pub(crate) fn compare(file: &Path, rows: &BTreeMap<Line, Value>, case: &Case) -> Count {
    let text = fs::read_to_string(file).unwrap();
    let mut count = Count::default();
    let mut known = BTreeSet::new();
    for line in text.lines() {
        let truth: Value = serde_json::from_str(line).unwrap();
        let file = truth["access"]["file"].as_str().unwrap().to_owned();
        let at = (file, truth["access"]["line"].as_u64().unwrap());
        if let Err(fault) = told(&truth, rows.get(&at), case, &mut count) {
            count.wrong.push(format!("{}:{}: {fault}", at.0, at.1));
        }
        known.insert(at);
    }
    for (at, row) in rows.iter().filter(|(at, _)| !known.contains(*at)) {
        let fault = format!("{}:{}: was good, said {}", at.0, at.1, said(row));
        count.wrong.push(fault);
    }
    count
}

/// Whether one request is told as it was.
fn told(truth: &Value, row: Option<&Value>, case: &Case, count: &mut Count) -> Result<(), String> {
    let outcome = truth["outcome"].as_str().unwrap();
    let cause = truth["cause"].as_str().unwrap_or("none of the list");
    let Some(row) = row else {
        // A good status over a broken answer shows in the error log or nowhere.
        let error_lines = truth["error_lines"].as_array().map_or(0, Vec::len);
        return match outcome == "failed" || error_lines > 0 {
            true => Err(format!("{outcome} by {cause}, but there is no row")),
            false => Ok(()),
        };
    };
    let wrong = || Err(format!("{outcome} by {cause}; said {}", said(row)));
    let is_client = outcome == "client-abort";
    if is_client && !matches!(row["layer"].as_str(), Some("client" | "unknown")) {
        return wrong();
    }
    // nginx's 009 is no status of a failure by the list, and is counted as hidden.
    let is_hidden_009 = row["status"] == 9 && row["outcome"] == "hidden-failure";
    if row["outcome"] != truth["outcome"] && !is_client && !is_hidden_009 {
        return wrong();
    }
    let candidates = candidates(row);
    let either = |name: &str| case.causes.iter().any(|one| one == name);
    match row["cause"].as_str() {
        Some(said) if is_fact(row) && said == cause => count.right += 1,
        // Two causes that this log cannot tell apart, as the case says.
        Some(said) if is_fact(row) && either(said) && either(cause) => count.ambiguous += 1,
        Some(_) if is_fact(row) => return wrong(),
        _ if candidates.is_empty() => count.unknown += 1,
        _ if candidates.contains(cause) => count.ambiguous += 1,
        _ => return wrong(),
    }
    if is_fact(row) || outcome != "failed" || case.accepts(row["missing"].as_str()) {
        return Ok(());
    }
    Err(format!(
        "{:?} would tell; said {}",
        case.missing.join(" or "),
        said(row)
    ))
}

fn said(row: &Value) -> String {
    format!(
        "{} {} {}, alternatives {}, missing {}",
        row["outcome"], row["confidence"], row["cause"], row["alternatives"], row["missing"]
    )
}
