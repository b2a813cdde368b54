//! The layout of the files in `facts/`, and what they must satisfy.

use std::collections::{BTreeMap, BTreeSet};

use model::{Category, Cause, Confidence, Edge, Field, LogKind};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::condition::Condition;
use crate::topic::{self, MistakeFile, MistakeRow, TopicFile};

/// All facts, checked. Every list is sorted by name or id.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) causes: Vec<(Cause, CauseFile)>,
    pub(crate) signs: Vec<Sign>,
    pub(crate) crawlers: Vec<(String, Category, CrawlerFile)>,
    pub(crate) robots_tokens: Vec<(String, RobotsTokenFile)>,
    pub(crate) statements: Vec<(String, Statement)>,
    pub(crate) formats: Vec<(String, Edge, FormatFile)>,
    pub(crate) edges: Vec<(Edge, EdgeFile)>,
    pub(crate) topics: Vec<(String, TopicFile)>,
    /// With the area, the name of their file.
    pub(crate) mistakes: Vec<(String, MistakeRow)>,
}

/// `causes/<cause>.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CauseFile {
    pub(crate) title: String,
    pub(crate) says: String,
    pub(crate) advice: Vec<String>,
    pub(crate) shape: String,
    pub(crate) source: String,
    pub(crate) checked: Option<String>,
}

/// `signs/<name>.toml`: the signs of the edge of that name, or of several.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignFile {
    /// The edges, where the file's name is none: `go-net` is written by every proxy in Go.
    #[serde(default)]
    edges: Vec<String>,
    signs: Vec<SignRow>,
}

/// `[[signs]]` of an edge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignRow {
    pub(crate) id: String,
    pub(crate) cause: String,
    pub(crate) log: String,
    #[serde(default)]
    pub(crate) all: Vec<String>,
    #[serde(default)]
    pub(crate) none: Vec<String>,
    #[serde(default)]
    pub(crate) not_followed_by: Vec<String>,
    #[serde(default)]
    pub(crate) conditions: Vec<String>,
    #[serde(default)]
    pub(crate) statuses: Vec<u16>,
    #[serde(default)]
    pub(crate) also: Vec<String>,
    pub(crate) confidence: String,
    pub(crate) settled_by: Option<String>,
    #[serde(default)]
    pub(crate) settled_by_error_log: bool,
    #[serde(default)]
    pub(crate) note: String,
    pub(crate) basis: String,
    pub(crate) source: String,
    pub(crate) checked: Option<String>,
}

/// A sign, its names resolved.
#[derive(Debug)]
pub(crate) struct Sign {
    pub(crate) row: SignRow,
    pub(crate) cause: Cause,
    pub(crate) edge: Edge,
    pub(crate) log: LogKind,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) also: Vec<Cause>,
    pub(crate) confidence: Confidence,
    pub(crate) settled_by: Option<Field>,
    pub(crate) basis: &'static str,
}

/// `crawlers/<id>.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CrawlerFile {
    pub(crate) operator: String,
    pub(crate) category: String,
    pub(crate) purpose: String,
    pub(crate) class: Option<String>,
    pub(crate) ai: Option<String>,
    pub(crate) tokens: Vec<String>,
    #[serde(default)]
    pub(crate) exact: bool,
    #[serde(default)]
    pub(crate) not_tokens: Vec<String>,
    pub(crate) robots_token: Option<String>,
    pub(crate) honours_robots: String,
    #[serde(default)]
    pub(crate) rdns_suffixes: Vec<String>,
    #[serde(default)]
    pub(crate) rdns_masks: Vec<String>,
    /// The same `source`, read on another day.
    pub(crate) rdns_masks_checked: Option<String>,
    #[serde(default)]
    pub(crate) ip_ranges: Vec<String>,
    pub(crate) ip_ranges_format: Option<String>,
    #[serde(default)]
    pub(crate) cdn: bool,
    #[serde(default)]
    pub(crate) retired: bool,
    pub(crate) source: String,
    pub(crate) basis: String,
    pub(crate) checked: Option<String>,
    #[serde(default)]
    pub(crate) unverified_fields: Vec<String>,
    #[serde(default)]
    pub(crate) note: String,
}

/// `robots-tokens/<id>.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RobotsTokenFile {
    pub(crate) token: String,
    pub(crate) operator: String,
    pub(crate) purpose: String,
    pub(crate) forged: bool,
    pub(crate) source: String,
    pub(crate) basis: String,
    pub(crate) checked: Option<String>,
    #[serde(default)]
    pub(crate) note: String,
}

/// `statements/<topic>.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatementFile {
    statements: Vec<Statement>,
}

/// `[[statements]]` of a topic.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    pub(crate) id: String,
    pub(crate) says: String,
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) basis: String,
    pub(crate) checked: Option<String>,
    pub(crate) status: String,
}

/// `formats/<name>.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormatFile {
    pub(crate) edge: String,
    pub(crate) string: String,
    #[serde(default)]
    pub(crate) samples: Vec<String>,
    pub(crate) source: String,
    pub(crate) checked: Option<String>,
}

/// `edges/<edge>.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgeFile {
    /// `start` or `end`: which moment of the request its access log is stamped with.
    pub(crate) stamp: String,
    /// Whether the bytes in its logs are header and body together.
    #[serde(default)]
    pub(crate) counts_headers: bool,
    /// What its access-log format is set with.
    pub(crate) directive: String,
    /// Fields that tell causes apart, the most telling first.
    pub(crate) telling: Vec<String>,
    /// Causes that its error log always has an entry for, whatever its level.
    #[serde(default)]
    pub(crate) error_log_tells: Vec<String>,
    pub(crate) source: String,
    pub(crate) checked: Option<String>,
    pub(crate) log_lines: BTreeMap<String, String>,
    pub(crate) recommended: Option<Recommended>,
    pub(crate) default_page: Option<DefaultPage>,
    pub(crate) blind_spots: Vec<BlindSpot>,
}

/// The smallest layout that tells causes apart and holds no more of a visitor than that takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recommended {
    /// Its file in `formats/`; empty where the product writes a layout of its own choosing.
    #[serde(default)]
    pub(crate) format: String,
    /// The lines of configuration that turn it on, ready to paste.
    pub(crate) configuration: String,
    /// What to know before: which part of a cause only another log shows.
    #[serde(default)]
    pub(crate) note: String,
    pub(crate) source: String,
}

/// The size of a product's own error page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DefaultPage {
    pub(crate) same_as: Option<String>,
    pub(crate) frames: Vec<u64>,
    pub(crate) chrome_padding: u64,
    pub(crate) server_tokens: Vec<String>,
    pub(crate) titles: BTreeMap<String, String>,
}

/// What a layout cannot show.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlindSpot {
    pub(crate) says: String,
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    #[serde(default)]
    pub(crate) without_error_log: bool,
}

const CATEGORIES: [Category; 7] = [
    Category::Search,
    Category::Ai,
    Category::UserTriggered,
    Category::Seo,
    Category::Monitor,
    Category::Preview,
    Category::Other,
];

const CONFIDENCES: [Confidence; 3] = [
    Confidence::Ambiguous,
    Confidence::Likely,
    Confidence::Certain,
];

/// Names of bases and the variants of `Basis` they become.
const BASES: [(&str, &str); 5] = [
    ("source", "Source"),
    ("source-and-measured", "SourceAndMeasured"),
    ("measured", "Measured"),
    ("documentation", "Documentation"),
    ("unverified", "Unverified"),
];

const KINDS: [&str; 5] = [
    "rfc",
    "internet-draft",
    "operator-doc",
    "vendor-doc",
    "secondary",
];

/// Classes of crawlers that one operator keeps apart, and the purposes of AI.
const CLASSES: [&str; 4] = ["common", "special-case", "user-triggered", "customer-run"];
const AI_PURPOSES: [&str; 3] = ["training", "search", "user"];
/// Layouts of range files.
const RANGE_LAYOUTS: [&str; 6] = [
    "google-prefixes",
    "html-page",
    "text-cidr",
    "text-ip",
    "csv-geofeed",
    "json-other",
];

/// A shorter token would match agents by accident.
const TOKEN_LEN_MIN: usize = 4;

impl Facts {
    /// Reads `(folder/name.toml, text)` pairs; tells every problem, not only the first.
    pub(crate) fn parse(files: &[(String, String)]) -> Result<Self, Vec<String>> {
        let mut facts = Self::default();
        let mut problems = Vec::new();
        for (path, text) in files {
            if let Err(reasons) = facts.file(path, text) {
                problems.extend(
                    reasons
                        .into_iter()
                        .map(|reason| format!("facts/{path}: {reason}")),
                );
            }
        }
        facts.sort();
        facts.check_whole(&mut problems);
        if problems.is_empty() {
            Ok(facts)
        } else {
            Err(problems)
        }
    }

    fn file(&mut self, path: &str, text: &str) -> Result<(), Vec<String>> {
        let one = |reason: String| vec![reason];
        let (folder, name) = path
            .split_once('/')
            .ok_or_else(|| one("not in a folder".to_owned()))?;
        let name = name
            .strip_suffix(".toml")
            .ok_or_else(|| one("not a .toml file".to_owned()))?;
        match folder {
            "causes" => self.cause(name, read(text).map_err(one)?).map_err(one),
            "signs" => self.signs_of(name, read(text).map_err(one)?),
            "crawlers" => self.crawler(name, read(text).map_err(one)?).map_err(one),
            "robots-tokens" => self
                .robots_token(name, read(text).map_err(one)?)
                .map_err(one),
            "statements" => self.statements(name, read(text).map_err(one)?),
            "formats" => self.format(name, read(text).map_err(one)?).map_err(one),
            "edges" => self.edge(name, read(text).map_err(one)?).map_err(one),
            "topics" => self.topic(name, read(text).map_err(one)?),
            "mistakes" => self.mistakes_of(name, read(text).map_err(one)?),
            _ => Err(one("unknown folder".to_owned())),
        }
    }

    fn cause(&mut self, name: &str, file: CauseFile) -> Result<(), String> {
        let cause = cause_of(name)?;
        known(&file.source, file.checked.as_deref())?;
        filled(&[&file.title, &file.says, &file.shape])?;
        if file.advice.is_empty() {
            return Err("no advice".to_owned());
        }
        self.causes.push((cause, file));
        Ok(())
    }

    fn signs_of(&mut self, name: &str, file: SignFile) -> Result<(), Vec<String>> {
        let names = if file.edges.is_empty() {
            vec![name.to_owned()]
        } else {
            file.edges
        };
        let edges: Vec<Edge> = names
            .iter()
            .map(|name| edge_of(name))
            .collect::<Result<_, _>>()
            .map_err(|reason| vec![reason])?;
        let mut reasons = Vec::new();
        let mut ids = BTreeSet::new();
        for row in file.signs {
            if !row.id.starts_with(name) {
                reasons.push(format!("sign {}: does not begin with {name}", row.id));
            }
            if !ids.insert(row.id.clone()) {
                reasons.push(format!("sign {}: stands there twice", row.id));
            }
            for edge in &edges {
                match sign(*edge, row.clone()) {
                    Ok(sign) => self.signs.push(sign),
                    Err(reason) => reasons.push(format!("sign {}: {reason}", row.id)),
                }
            }
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(reasons)
        }
    }

    fn crawler(&mut self, name: &str, file: CrawlerFile) -> Result<(), String> {
        known(&file.source, file.checked.as_deref())?;
        filled(&[
            &file.operator,
            &file.purpose,
            &file.basis,
            &file.honours_robots,
        ])?;
        let category = CATEGORIES
            .into_iter()
            .find(|category| category.name() == file.category)
            .ok_or_else(|| format!("unknown category {:?}", file.category))?;
        if file.tokens.is_empty() {
            return Err("no token".to_owned());
        }
        for token in file.tokens.iter().chain(&file.not_tokens) {
            if token.len() < TOKEN_LEN_MIN || !token.is_ascii() {
                return Err(format!("token {token:?} is too short or not ASCII"));
            }
        }
        if let Some(suffix) = file
            .rdns_suffixes
            .iter()
            .find(|suffix| !suffix.starts_with('.'))
        {
            return Err(format!("suffix {suffix:?} does not begin with a dot"));
        }
        one_of("class", file.class.as_deref(), &CLASSES)?;
        one_of("ai", file.ai.as_deref(), &AI_PURPOSES)?;
        one_of(
            "ip_ranges_format",
            file.ip_ranges_format.as_deref(),
            &RANGE_LAYOUTS,
        )?;
        if file.ip_ranges.is_empty() && file.ip_ranges_format.is_some() {
            return Err("ip_ranges_format without ip_ranges".to_owned());
        }
        for mask in &file.rdns_masks {
            let is_its_end = |suffix: &String| mask.ends_with(suffix.as_str());
            if !file.rdns_suffixes.iter().any(is_its_end) {
                return Err(format!("mask {mask:?} ends in none of the suffixes"));
            }
            if mask.matches('*').count() != 1 {
                return Err(format!("mask {mask:?} has not exactly one asterisk"));
            }
        }
        if file.rdns_masks.is_empty() != file.rdns_masks_checked.is_none() {
            return Err("rdns_masks and rdns_masks_checked stand together".to_owned());
        }
        if let Some(checked) = &file.rdns_masks_checked {
            known(&file.source, Some(checked))?;
        }
        self.crawlers.push((name.to_owned(), category, file));
        Ok(())
    }

    fn robots_token(&mut self, name: &str, file: RobotsTokenFile) -> Result<(), String> {
        known(&file.source, file.checked.as_deref())?;
        filled(&[&file.token, &file.operator, &file.purpose, &file.basis])?;
        self.robots_tokens.push((name.to_owned(), file));
        Ok(())
    }

    fn statements(&mut self, topic: &str, file: StatementFile) -> Result<(), Vec<String>> {
        let mut reasons = Vec::new();
        for statement in file.statements {
            let reason = statement_reason(&statement);
            reasons.extend(reason.map(|reason| format!("statement {}: {reason}", statement.id)));
            self.statements.push((topic.to_owned(), statement));
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(reasons)
        }
    }

    fn format(&mut self, name: &str, file: FormatFile) -> Result<(), String> {
        known(&file.source, file.checked.as_deref())?;
        filled(&[&file.string])?;
        if file.samples.is_empty() {
            return Err("no sample".to_owned());
        }
        let edge = edge_of(&file.edge)?;
        self.formats.push((name.to_owned(), edge, file));
        Ok(())
    }

    fn edge(&mut self, name: &str, file: EdgeFile) -> Result<(), String> {
        known(&file.source, file.checked.as_deref())?;
        let edge = edge_of(name)?;
        if !["start", "end"].contains(&file.stamp.as_str()) {
            return Err(format!("stamp {:?} is neither start nor end", file.stamp));
        }
        let absent = file.blind_spots.iter().flat_map(|spot| &spot.absent);
        for field in file.log_lines.keys().chain(absent).chain(&file.telling) {
            if Field::from_name(field).is_none() {
                return Err(format!("unknown field {field:?}"));
            }
        }
        if let Some(cause) =
            (file.error_log_tells.iter()).find(|cause| Cause::from_name(cause).is_none())
        {
            return Err(format!("unknown cause {cause:?}"));
        }
        let titles = file.default_page.iter().flat_map(|page| &page.titles);
        for (status, title) in titles {
            if status.parse::<u16>().is_err() || !title.starts_with(status.as_str()) {
                return Err(format!("title {title:?} does not begin with its status"));
            }
        }
        self.edges.push((edge, file));
        Ok(())
    }

    fn topic(&mut self, name: &str, file: TopicFile) -> Result<(), Vec<String>> {
        let reasons = file.reasons();
        self.topics.push((name.to_owned(), file));
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(reasons)
        }
    }

    fn mistakes_of(&mut self, area: &str, file: MistakeFile) -> Result<(), Vec<String>> {
        let mut reasons = Vec::new();
        for row in file.mistakes {
            let reason = row.reason();
            reasons.extend(reason.map(|reason| format!("mistake {}: {reason}", row.id)));
            self.mistakes.push((area.to_owned(), row));
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(reasons)
        }
    }

    fn sort(&mut self) {
        self.causes.sort_by_key(|(cause, _)| *cause);
        self.signs
            .sort_by(|a, b| (&a.row.id, a.edge).cmp(&(&b.row.id, b.edge)));
        self.crawlers.sort_by(|a, b| a.0.cmp(&b.0));
        self.robots_tokens.sort_by(|a, b| a.0.cmp(&b.0));
        self.statements.sort_by(|a, b| a.1.id.cmp(&b.1.id));
        self.formats.sort_by(|a, b| a.0.cmp(&b.0));
        self.edges.sort_by_key(|(edge, _)| *edge);
        self.topics.sort_by(|a, b| a.0.cmp(&b.0));
        self.mistakes.sort_by(|a, b| a.1.id.cmp(&b.1.id));
    }

    /// What no single file can show.
    fn check_whole(&mut self, problems: &mut Vec<String>) {
        for cause in Cause::ALL {
            if !self.causes.iter().any(|(known, _)| *known == cause) {
                problems.push(format!("facts/causes/{}.toml: missing", cause.name()));
            }
        }
        for edge in Edge::ALL {
            if !self.edges.iter().any(|(known, _)| *known == edge) {
                problems.push(format!("facts/edges/{}.toml: missing", edge.name()));
            }
        }
        let statements = self.statements.iter();
        let statements = statements.map(|(_, statement)| ("statements", statement.id.clone()));
        let tokens = self.crawlers.iter().flat_map(|(_, _, file)| &file.tokens);
        let tokens = tokens.map(|token| ("crawlers", token.to_ascii_lowercase()));
        let mut seen = BTreeMap::<_, usize>::new();
        for key in statements.chain(tokens) {
            *seen.entry(key).or_default() += 1;
        }
        for ((folder, key), count) in seen {
            if count > 1 {
                problems.push(format!(
                    "facts/{folder}: {key:?} stands there {count} times"
                ));
            }
        }
        for (edge, file) in &self.edges {
            let Some(recommended) = &file.recommended else {
                continue;
            };
            let name = &recommended.format;
            let format = self.formats.iter().find(|(known, ..)| known == name);
            if !name.is_empty() && format.is_none_or(|(_, of, _)| of != edge) {
                problems.push(format!(
                    "facts/edges/{}.toml: no format {name:?} of this edge",
                    edge.name()
                ));
            }
        }
        self.resolve_pages(problems);
        topic::check(self, problems);
    }

    /// Replaces `same_as` by the page it names.
    fn resolve_pages(&mut self, problems: &mut Vec<String>) {
        let pages: Vec<_> = self
            .edges
            .iter()
            .map(|(edge, file)| (*edge, file.default_page.clone()))
            .collect();
        for (edge, file) in &mut self.edges {
            let Some(name) = file
                .default_page
                .as_ref()
                .and_then(|page| page.same_as.clone())
            else {
                continue;
            };
            let other = pages.iter().find(|(other, _)| other.name() == name);
            file.default_page = other.and_then(|(_, page)| page.clone());
            if file
                .default_page
                .as_ref()
                .is_none_or(|page| page.same_as.is_some())
            {
                problems.push(format!(
                    "facts/edges/{}.toml: no page of {name:?}",
                    edge.name()
                ));
            }
        }
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
}

fn sign(edge: Edge, row: SignRow) -> Result<Sign, String> {
    known(&row.source, row.checked.as_deref())?;
    let cause = cause_of(&row.cause)?;
    let log = match row.log.as_str() {
        "error" => LogKind::Error,
        "access" => LogKind::Access,
        other => return Err(format!("unknown log {other:?}")),
    };
    let texts = row.all.len() + row.none.len() + row.not_followed_by.len();
    let fits = match log {
        LogKind::Error => !row.all.is_empty() && row.conditions.is_empty(),
        _ => !row.conditions.is_empty() && texts == 0,
    };
    if !fits {
        return Err("an error-log sign has texts, an access-log sign has conditions".to_owned());
    }
    let texts = [&row.all, &row.none, &row.not_followed_by];
    if texts.into_iter().flatten().any(String::is_empty) {
        return Err("an empty text matches every line".to_owned());
    }
    let conditions = row
        .conditions
        .iter()
        .map(|text| Condition::parse(text))
        .collect::<Result<_, _>>()?;
    let also = row
        .also
        .iter()
        .map(|name| cause_of(name))
        .collect::<Result<Vec<_>, _>>()?;
    if also.contains(&cause) {
        return Err("the cause stands in also, too".to_owned());
    }
    let confidence = CONFIDENCES
        .into_iter()
        .find(|confidence| confidence.name() == row.confidence)
        .ok_or_else(|| format!("unknown confidence {:?}", row.confidence))?;
    let settled_by = match &row.settled_by {
        Some(name) => {
            Some(Field::from_name(name).ok_or_else(|| format!("unknown field {name:?}"))?)
        }
        None => None,
    };
    let settled = settled_by.is_some() || row.settled_by_error_log;
    if log == LogKind::Access && confidence == Confidence::Ambiguous && !settled {
        return Err("ambiguous, and nothing is named that would settle it".to_owned());
    }
    let basis = BASES.into_iter().find(|(name, _)| *name == row.basis);
    let (name, basis) = basis.ok_or_else(|| format!("unknown basis {:?}", row.basis))?;
    if (name == "unverified") == row.checked.is_some() {
        return Err("unverified and checked exclude each other".to_owned());
    }
    Ok(Sign {
        cause,
        edge,
        log,
        conditions,
        also,
        confidence,
        settled_by,
        basis,
        row,
    })
}

fn statement_reason(statement: &Statement) -> Option<String> {
    let verified = match statement.status.as_str() {
        "verified" => true,
        "not yet verified" => false,
        other => return Some(format!("unknown status {other:?}")),
    };
    if verified != statement.checked.is_some() {
        return Some("verified and checked go together".to_owned());
    }
    if !KINDS.contains(&statement.kind.as_str()) {
        return Some(format!("unknown kind {:?}", statement.kind));
    }
    known(&statement.source, statement.checked.as_deref())
        .and_then(|()| filled(&[&statement.says, &statement.basis]))
        .err()
}

/// A fact needs a source; the day it was checked is a year, a month or a day.
pub(crate) fn known(source: &str, checked: Option<&str>) -> Result<(), String> {
    if source.trim().is_empty() {
        return Err("no source".to_owned());
    }
    let Some(checked) = checked else {
        return Ok(());
    };
    let shape: String = checked
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    if ["0000", "0000-00", "0000-00-00"].contains(&shape.as_str()) {
        Ok(())
    } else {
        Err(format!("checked = {checked:?} is not a date"))
    }
}

/// Whether a value that may be left out is one of these.
fn one_of(field: &str, value: Option<&str>, known: &[&str]) -> Result<(), String> {
    match value {
        Some(value) if !known.contains(&value) => {
            Err(format!("{field} {value:?} is none of {}", known.join(", ")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn filled(texts: &[&String]) -> Result<(), String> {
    if texts.iter().any(|text| text.trim().is_empty()) {
        return Err("a text is empty".to_owned());
    }
    Ok(())
}

fn edge_of(name: &str) -> Result<Edge, String> {
    Edge::from_name(name).ok_or_else(|| format!("unknown edge {name:?}"))
}

fn cause_of(name: &str) -> Result<Cause, String> {
    Cause::from_name(name).ok_or_else(|| format!("unknown cause {name:?}"))
}
