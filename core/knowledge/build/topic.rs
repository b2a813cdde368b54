//! `topics/` and `mistakes/`: what `explain` shows. Every claim either rests on statements or names its own source.

use std::collections::{BTreeMap, BTreeSet};

use model::{Cause, Verdict};
use serde::Deserialize;

use crate::facts::{Facts, filled, known};

/// `topics/<name>.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopicFile {
    pub(crate) title: String,
    pub(crate) kind: String,
    /// Other words that people look it up by.
    #[serde(default)]
    pub(crate) also: Vec<String>,
    /// The operator whose crawlers are listed.
    pub(crate) operator: Option<String>,
    /// Kinds of topics that show the claims of this one, too.
    #[serde(default)]
    pub(crate) shared_with: Vec<String>,
    /// Common causes, the commonest first.
    #[serde(default)]
    pub(crate) causes: Vec<String>,
    #[serde(default)]
    pub(crate) related: Vec<String>,
    /// Statements by part, shown as they are.
    #[serde(default)]
    pub(crate) statements: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) claims: Vec<ClaimRow>,
}

/// `[[claims]]` of a topic.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimRow {
    pub(crate) part: String,
    pub(crate) says: String,
    /// Statements and causes that it rests on.
    #[serde(default)]
    pub(crate) from: Vec<String>,
    pub(crate) kind: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) basis: Option<String>,
    pub(crate) checked: Option<String>,
}

/// `mistakes/<area>.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MistakeFile {
    pub(crate) mistakes: Vec<MistakeRow>,
}

/// `[[mistakes]]`: advice that is common and misleads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MistakeRow {
    pub(crate) id: String,
    pub(crate) advice: String,
    pub(crate) why: String,
    pub(crate) instead: String,
    pub(crate) topics: Vec<String>,
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) basis: String,
    pub(crate) checked: Option<String>,
}

/// Names of parts and the variants of `Part` they become, in the order shown.
pub(crate) const PARTS: [(&str, &str); 10] = [
    ("means", "Means"),
    ("made_by", "MadeBy"),
    ("lasting", "Lasting"),
    ("crawlers", "Crawlers"),
    ("checklist", "Checklist"),
    ("logs", "Logs"),
    ("analytics", "Analytics"),
    ("use", "Use"),
    ("changed", "Changed"),
    ("privacy", "Privacy"),
];

/// Names of kinds and the variants of `TopicKind` they become.
pub(crate) const TOPIC_KINDS: [(&str, &str); 6] = [
    ("status", "Status"),
    ("outcome", "Outcome"),
    ("cause", "Cause"),
    ("verdict", "Verdict"),
    ("subject", "Subject"),
    ("operator", "Operator"),
];

/// Kinds of source that a claim or a mistake may name, beside those of statements.
const SOURCE_KINDS: [&str; 8] = [
    "rfc",
    "internet-draft",
    "operator-doc",
    "vendor-doc",
    "secondary",
    "source-code",
    "measured",
    "project",
];

/// Statuses and outcomes that the knowledge base must explain; causes and verdicts are the enums'.
const REQUIRED: [&str; 25] = [
    "408",
    "429",
    "444",
    "460",
    "463",
    "464",
    "499",
    "500",
    "502",
    "503",
    "504",
    "520",
    "521",
    "522",
    "523",
    "524",
    "525",
    "526",
    "527",
    "530",
    "561",
    "timeout",
    "refused",
    "tls",
    "robots.txt",
];

impl TopicFile {
    /// What is wrong with it alone.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        reasons.extend(filled(&[&self.title]).err());
        for kind in self.shared_with.iter().chain([&self.kind]) {
            if variant(&TOPIC_KINDS, kind).is_none() {
                reasons.push(format!("unknown kind {kind:?}"));
            }
        }
        for part in self
            .statements
            .keys()
            .chain(self.claims.iter().map(|claim| &claim.part))
        {
            if variant(&PARTS, part).is_none() {
                reasons.push(format!("unknown part {part:?}"));
            }
        }
        let unknown = self
            .causes
            .iter()
            .filter(|name| Cause::from_name(name).is_none());
        reasons.extend(unknown.map(|name| format!("unknown cause {name:?}")));
        let upper = self
            .also
            .iter()
            .filter(|word| word.to_lowercase() != **word);
        reasons.extend(upper.map(|word| format!("also {word:?} is not in lower case")));
        if self.claims.is_empty() && self.statements.values().all(Vec::is_empty) {
            reasons.push("no claim".to_owned());
        }
        let claims = self.claims.iter();
        reasons.extend(claims.filter_map(|claim| {
            let reason = claim.reason()?;
            Some(format!("claim {:?}: {reason}", head(&claim.says)))
        }));
        reasons
    }
}

impl ClaimRow {
    fn reason(&self) -> Option<String> {
        if let Err(reason) = filled(&[&self.says]) {
            return Some(reason);
        }
        let own = [&self.source, &self.kind, &self.basis];
        if !self.from.is_empty() {
            let none = own.iter().all(|text| text.is_none()) && self.checked.is_none();
            return (!none)
                .then(|| "it rests on others and has a source of its own, too".to_owned());
        }
        let (Some(source), Some(kind), Some(basis)) = (&self.source, &self.kind, &self.basis)
        else {
            return Some("no source: from, or source, kind and basis".to_owned());
        };
        grounded(source, kind, basis, self.checked.as_deref()).err()
    }
}

impl MistakeRow {
    /// What is wrong with it alone.
    pub(crate) fn reason(&self) -> Option<String> {
        if self.topics.is_empty() {
            return Some("no topic".to_owned());
        }
        filled(&[&self.advice, &self.why, &self.instead])
            .and_then(|()| {
                grounded(
                    &self.source,
                    &self.kind,
                    &self.basis,
                    self.checked.as_deref(),
                )
            })
            .err()
    }
}

fn grounded(source: &str, kind: &str, basis: &str, checked: Option<&str>) -> Result<(), String> {
    if !SOURCE_KINDS.contains(&kind) {
        return Err(format!("unknown kind of source {kind:?}"));
    }
    if kind == "secondary" && checked.is_some() {
        return Err("a secondary source verifies nothing: leave out checked".to_owned());
    }
    filled(&[&basis.to_owned()])?;
    known(source, checked)
}

/// The variant of that name.
pub(crate) fn variant(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, variant)| *variant)
}

/// The first words, for a message.
fn head(text: &str) -> String {
    text.split_whitespace()
        .take(6)
        .collect::<Vec<_>>()
        .join(" ")
}

/// What no single file can show: a name that must be explained and is not, a link that leads nowhere.
pub(crate) fn check(facts: &Facts, problems: &mut Vec<String>) {
    let names: BTreeSet<&str> = facts.topics.iter().map(|(name, _)| name.as_str()).collect();
    let causes = Cause::ALL.into_iter().map(Cause::name);
    let verdicts = Verdict::ALL.into_iter().map(Verdict::name);
    for name in REQUIRED.into_iter().chain(causes).chain(verdicts) {
        if !names.contains(name) {
            problems.push(format!("facts/topics/{name}.toml: missing"));
        }
    }
    let ids: BTreeSet<&str> = facts
        .statements
        .iter()
        .map(|(_, it)| it.id.as_str())
        .collect();
    let mut shown = BTreeSet::new();
    let mut aliases = BTreeMap::<String, usize>::new();
    for (name, file) in &facts.topics {
        let mut say = |what: String| problems.push(format!("facts/topics/{name}.toml: {what}"));
        for other in file
            .related
            .iter()
            .filter(|other| !names.contains(other.as_str()))
        {
            say(format!("related {other:?} is no topic"));
        }
        if file.related.contains(name) {
            say("related to itself".to_owned());
        }
        for id in file.statements.values().flatten() {
            shown.insert(id.as_str());
            if !ids.contains(id.as_str()) {
                say(format!("no statement {id:?}"));
            }
        }
        for id in file.claims.iter().flat_map(|claim| &claim.from) {
            shown.insert(id.as_str());
            if !ids.contains(id.as_str()) && Cause::from_name(id).is_none() {
                say(format!("no statement or cause {id:?}"));
            }
        }
        let runs_none = |operator: &&String| {
            let mut crawlers = facts.crawlers.iter();
            !crawlers.any(|(_, _, file)| file.operator == **operator)
        };
        if let Some(operator) = file.operator.as_ref().filter(runs_none) {
            say(format!("no crawler of operator {operator:?}"));
        }
        for alias in file.also.iter().chain([name]) {
            *aliases.entry(alias.to_lowercase()).or_default() += 1;
        }
    }
    for (alias, count) in aliases.into_iter().filter(|(_, count)| *count > 1) {
        problems.push(format!("facts/topics: {alias:?} leads to {count} topics"));
    }
    // A statement that no topic shows would be found by its id alone.
    for id in ids.difference(&shown) {
        problems.push(format!("facts/statements: {id} stands in no topic"));
    }
    let mut seen = BTreeSet::new();
    for (area, row) in &facts.mistakes {
        let mut say =
            |what: String| problems.push(format!("facts/mistakes/{area}.toml: {}: {what}", row.id));
        if !seen.insert(&row.id) {
            say("stands there twice".to_owned());
        }
        for topic in row
            .topics
            .iter()
            .filter(|topic| !names.contains(topic.as_str()))
        {
            say(format!("{topic:?} is no topic"));
        }
    }
}
