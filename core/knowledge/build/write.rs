//! Writes the tables as Rust source. Names of enum variants come from their Debug form, texts from theirs.

use std::fmt::{Debug, Write};

use model::{Cause, Edge, Field};

use crate::condition::{Condition, Value};
use crate::facts::{
    CauseFile, CrawlerFile, EdgeFile, Facts, FormatFile, Recommended, RobotsTokenFile, Sign,
    Statement,
};
use crate::topic::{self, ClaimRow, MistakeRow, PARTS, TOPIC_KINDS, TopicFile};

/// The whole source file.
pub(crate) fn tables(facts: &Facts) -> String {
    let mut out = String::new();
    let causes = facts
        .causes
        .iter()
        .map(|(cause, file)| cause_row(&format!("{cause:?}"), file));
    table(&mut out, "CAUSES", "CauseFacts", causes);
    table(
        &mut out,
        "SIGNS",
        "SignRule",
        facts.signs.iter().map(sign_row),
    );
    let crawlers = facts.crawlers.iter();
    let crawlers =
        crawlers.map(|(id, category, file)| crawler_row(id, &format!("{category:?}"), file));
    table(&mut out, "CRAWLERS", "Crawler", crawlers);
    let robots = facts.robots_tokens.iter().map(|(_, file)| robots_row(file));
    table(&mut out, "ROBOTS_TOKENS", "RobotsToken", robots);
    let statements = facts.statements.iter();
    table(
        &mut out,
        "FACTS",
        "FactEntry",
        statements.map(|(topic, statement)| fact_row(topic, statement)),
    );
    let formats = facts.formats.iter();
    table(
        &mut out,
        "FORMATS",
        "Format",
        formats.map(|(name, edge, file)| format_row(name, *edge, file)),
    );
    table(
        &mut out,
        "EDGES",
        "EdgeFacts",
        facts.edges.iter().map(|(edge, file)| edge_row(*edge, file)),
    );
    table(
        &mut out,
        "TOPICS",
        "Topic",
        (facts.topics.iter()).map(|(name, file)| topic_row(facts, name, file)),
    );
    table(
        &mut out,
        "MISTAKES",
        "Mistake",
        facts.mistakes.iter().map(|(_, row)| mistake_row(row)),
    );
    let patterns: usize = facts
        .crawlers
        .iter()
        .map(|(_, _, file)| file.tokens.len() + file.not_tokens.len())
        .sum();
    put(
        &mut out,
        format_args!("pub(crate) const CRAWLER_PATTERNS: usize = {patterns};\n"),
    );
    out
}

fn table(out: &mut String, name: &str, row: &str, rows: impl ExactSizeIterator<Item = String>) {
    put(
        out,
        format_args!("pub(crate) static {name}: [{row}; {}] = [\n", rows.len()),
    );
    for text in rows {
        put(out, format_args!("    {row} {{ {text} }},\n"));
    }
    out.push_str("];\n");
}

fn cause_row(cause: &str, file: &CauseFile) -> String {
    format!(
        "cause: Cause::{cause}, title: {:?}, says: {:?}, advice: {}, shape: {:?}, source: {:?}, checked: {:?}",
        file.title,
        file.says,
        texts(&file.advice),
        file.shape,
        file.source,
        file.checked,
    )
}

fn sign_row(sign: &Sign) -> String {
    let row = &sign.row;
    let also: Vec<_> = sign
        .also
        .iter()
        .map(|cause| format!("Cause::{cause:?}"))
        .collect();
    let conditions: Vec<_> = sign.conditions.iter().map(condition).collect();
    format!(
        "name: {:?}, edge: Edge::{:?}, log: LogKind::{:?}, all: {}, none: {}, not_followed_by: {}, \
         conditions: &[{}], statuses: &{:?}, cause: Cause::{:?}, also: CauseSet::of(&[{}]), \
         confidence: Confidence::{:?}, settled_by: {}, settled_by_error_log: {}, note: {:?}, \
         basis: Basis::{}, source: {:?}, checked: {:?}",
        row.id,
        sign.edge,
        sign.log,
        texts(&row.all),
        texts(&row.none),
        texts(&row.not_followed_by),
        conditions.join(", "),
        row.statuses,
        sign.cause,
        also.join(", "),
        sign.confidence,
        field(sign.settled_by),
        row.settled_by_error_log,
        row.note,
        sign.basis,
        row.source,
        row.checked,
    )
}

fn condition(condition: &Condition) -> String {
    match condition {
        Condition::Present(field) => format!("Condition::Present(Field::{field:?})"),
        Condition::Absent(field) => format!("Condition::Absent(Field::{field:?})"),
        Condition::Holds(predicate) => format!("Condition::Holds(Predicate::{predicate})"),
        Condition::Is(field, op, value) => {
            let value = match value {
                Value::Text(text) => format!("Text({text:?})"),
                Value::OneOf(values) => format!("OneOf({})", texts(values)),
                Value::AnyNumber => "AnyNumber".to_owned(),
                Value::Field(other) => format!("Field(Field::{other:?})"),
            };
            format!("Condition::Is(Field::{field:?}, Op::{op}, Value::{value})")
        }
    }
}

fn crawler_row(id: &str, category: &str, file: &CrawlerFile) -> String {
    format!(
        "id: {id:?}, operator: {:?}, category: Category::{category}, purpose: {:?}, class: {:?}, ai: {:?}, tokens: {}, \
         exact: {}, not_tokens: {}, robots_token: {:?}, honours_robots: {:?}, rdns_suffixes: {}, rdns_masks: {}, \
         rdns_masks_checked: {:?}, ip_ranges: {}, \
         ip_ranges_format: {:?}, is_cdn: {}, retired: {}, source: {:?}, checked: {:?}, unverified_fields: {}, note: {:?}",
        file.operator,
        file.purpose,
        file.class,
        file.ai,
        texts(&file.tokens),
        file.exact,
        texts(&file.not_tokens),
        file.robots_token,
        file.honours_robots,
        texts(&file.rdns_suffixes),
        texts(&file.rdns_masks),
        file.rdns_masks_checked,
        texts(&file.ip_ranges),
        file.ip_ranges_format,
        file.cdn,
        file.retired,
        file.source,
        file.checked,
        texts(&file.unverified_fields),
        file.note,
    )
}

fn robots_row(file: &RobotsTokenFile) -> String {
    format!(
        "token: {:?}, operator: {:?}, purpose: {:?}, is_forged_in_agent: {}, source: {:?}, checked: {:?}, note: {:?}",
        file.token, file.operator, file.purpose, file.forged, file.source, file.checked, file.note,
    )
}

fn fact_row(topic: &str, statement: &Statement) -> String {
    format!(
        "id: {:?}, topic: {topic:?}, says: {:?}, kind: {:?}, source: {:?}, basis: {:?}, checked: {:?}",
        statement.id,
        statement.says,
        statement.kind,
        statement.source,
        statement.basis,
        statement.checked,
    )
}

fn topic_row(facts: &Facts, name: &str, file: &TopicFile) -> String {
    let kind = |kind: &String| format!("TopicKind::{}", named(&TOPIC_KINDS, kind));
    let causes: Vec<_> = (file.causes.iter())
        .filter_map(|name| Cause::from_name(name))
        .map(|cause| format!("Cause::{cause:?}"))
        .collect();
    let mut claims = String::new();
    for (part, variant) in PARTS {
        for id in file.statements.get(part).into_iter().flatten() {
            let says = (facts.statements.iter()).find(|(_, it)| it.id == *id);
            let says = says.map_or("", |(_, it)| it.says.as_str());
            let grounds = grounds(facts, std::slice::from_ref(id));
            put(
                &mut claims,
                format_args!(
                    "Claim {{ part: Part::{variant}, says: {says:?}, grounds: &[{grounds}] }}, "
                ),
            );
        }
        for row in file.claims.iter().filter(|row| row.part == part) {
            let says = &row.says;
            let grounds = own_ground(row).unwrap_or_else(|| grounds(facts, &row.from));
            put(
                &mut claims,
                format_args!(
                    "Claim {{ part: Part::{variant}, says: {says:?}, grounds: &[{grounds}] }}, "
                ),
            );
        }
    }
    format!(
        "name: {name:?}, title: {:?}, kind: {}, also: {}, operator: {:?}, shared_with: &[{}], causes: &[{}], \
         related: {}, claims: &[{claims}]",
        file.title,
        kind(&file.kind),
        texts(&file.also),
        file.operator,
        file.shared_with
            .iter()
            .map(kind)
            .collect::<Vec<_>>()
            .join(", "),
        causes.join(", "),
        texts(&file.related),
    )
}

fn own_ground(row: &ClaimRow) -> Option<String> {
    let (source, kind) = (row.source.as_ref()?, row.kind.as_ref()?);
    let basis = row.basis.as_ref()?;
    Some(ground(None, kind, source, basis, row.checked.as_ref()))
}

/// What these statements and causes rest on.
fn grounds(facts: &Facts, names: &[String]) -> String {
    let found = names.iter().filter_map(|name| {
        if let Some((_, it)) = facts.statements.iter().find(|(_, it)| it.id == *name) {
            let checked = it.checked.as_ref();
            return Some(ground(Some(name), &it.kind, &it.source, &it.basis, checked));
        }
        let (_, it) = (facts.causes.iter()).find(|(cause, _)| cause.name() == name)?;
        let kind = if it.source.contains("rfc-editor.org") {
            "rfc"
        } else {
            "source-code"
        };
        let checked = it.checked.as_ref();
        Some(ground(Some(name), kind, &it.source, "", checked))
    });
    found.collect::<Vec<_>>().join(", ")
}

fn ground(
    name: Option<&String>,
    kind: &str,
    source: &str,
    basis: &str,
    checked: Option<&String>,
) -> String {
    format!(
        "Ground {{ name: {name:?}, kind: {kind:?}, source: {source:?}, basis: {basis:?}, checked: {checked:?} }}"
    )
}

fn mistake_row(row: &MistakeRow) -> String {
    format!(
        "id: {:?}, advice: {:?}, why: {:?}, instead: {:?}, topics: {}, ground: {}",
        row.id,
        row.advice,
        row.why,
        row.instead,
        texts(&row.topics),
        ground(
            None,
            &row.kind,
            &row.source,
            &row.basis,
            row.checked.as_ref()
        ),
    )
}

/// The variant of a name that the check has seen.
fn named(table: &[(&str, &'static str)], name: &str) -> &'static str {
    topic::variant(table, name).unwrap_or_default()
}

fn format_row(name: &str, edge: Edge, file: &FormatFile) -> String {
    format!(
        "name: {name:?}, edge: Edge::{edge:?}, string: {:?}, samples: {}, source: {:?}, checked: {:?}",
        file.string,
        texts(&file.samples),
        file.source,
        file.checked,
    )
}

fn edge_row(edge: Edge, file: &EdgeFile) -> String {
    let mut log_lines = String::new();
    for (name, line) in &file.log_lines {
        if let Some(field) = Field::from_name(name) {
            put(
                &mut log_lines,
                format_args!("(Field::{field:?}, {line:?}), "),
            );
        }
    }
    let page = match &file.default_page {
        None => "None".to_owned(),
        Some(page) => {
            let titles: Vec<_> = page
                .titles
                .iter()
                .map(|(status, title)| format!("({status}, {title:?})"))
                .collect();
            format!(
                "Some(DefaultPage {{ frames: &{:?}, chrome_padding: {}, server_tokens: {}, titles: &[{}] }})",
                page.frames,
                page.chrome_padding,
                texts(&page.server_tokens),
                titles.join(", "),
            )
        }
    };
    let mut spots = String::new();
    for spot in &file.blind_spots {
        let absent = spot.absent.iter().filter_map(|name| Field::from_name(name));
        let absent: Vec<_> = absent.map(|field| format!("Field::{field:?}")).collect();
        put(
            &mut spots,
            format_args!(
                "BlindSpot {{ says: {:?}, absent: &[{}], without_error_log: {} }}, ",
                spot.says,
                absent.join(", "),
                spot.without_error_log,
            ),
        );
    }
    let telling = file
        .telling
        .iter()
        .filter_map(|name| Field::from_name(name));
    let telling: Vec<_> = telling.map(|field| format!("Field::{field:?}")).collect();
    let tells = (file.error_log_tells.iter()).filter_map(|name| Cause::from_name(name));
    let tells: Vec<_> = tells.map(|cause| format!("Cause::{cause:?}")).collect();
    format!(
        "edge: Edge::{edge:?}, stamps_start: {}, counts_headers: {}, directive: {:?}, telling: &[{}], error_log_tells: &[{}], recommended: {}, log_lines: &[{log_lines}], default_page: {page}, blind_spots: &[{spots}], \
         source: {:?}, checked: {:?}",
        file.stamp == "start",
        file.counts_headers,
        file.directive,
        telling.join(", "),
        tells.join(", "),
        recommended(file.recommended.as_ref()),
        file.source,
        file.checked,
    )
}

fn recommended(recommended: Option<&Recommended>) -> String {
    recommended.map_or_else(
        || "None".to_owned(),
        |known| {
            format!(
                "Some(Recommended {{ format: {:?}, configuration: {:?}, note: {:?}, source: {:?} }})",
                known.format, known.configuration, known.note, known.source
            )
        },
    )
}

fn texts(texts: &[String]) -> String {
    format!("&{texts:?}")
}

fn field(field: Option<impl Debug>) -> String {
    field.map_or_else(
        || "None".to_owned(),
        |field| format!("Some(Field::{field:?})"),
    )
}

/// Writing to a `String` cannot fail.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
