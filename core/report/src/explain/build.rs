//! From the tables to pages.

use std::collections::{BTreeMap, BTreeSet};

use knowledge::{
    Basis, Claim, Condition, Crawler, FactEntry, Ground, Mistake, Op, Part, Predicate, SignRule,
    Topic, TopicKind, Value,
};
use model::{Cause, Confidence, Edge, LogKind};

use super::{Item, Page, Section};
use crate::registry;

/// Messages that a short page shows of one log of one product.
const MESSAGES_SHORT: usize = 2;

/// The page of a topic.
pub(super) fn topic(topic: &Topic) -> Page {
    let mut sections = Vec::new();
    let mut add = |name, heading, items: Vec<Item>| {
        if !items.is_empty() {
            sections.push(Section {
                name,
                heading,
                items,
            });
        }
    };
    let claims = |part| -> Vec<Item> { topic.claims_of(part).map(claim).collect() };
    let cause = topic.cause();
    let of_cause = |part| cause.map_or_else(Vec::new, |cause| cause_claims(cause, part));
    let both = |part| [of_cause(part), claims(part)].concat();
    add("means", "What it means", both(Part::Means));
    add("made_by", "Who makes it", both(Part::MadeBy));
    add(
        "causes",
        "Common causes",
        topic.causes.iter().map(|it| cause_line(*it)).collect(),
    );
    add("lasting", "Transient or persistent", both(Part::Lasting));
    if let Some(cause) = cause {
        add(
            "statuses",
            "What the client sees, and so all that a crawler reacts to",
            statuses_of(cause),
        );
    }
    if topic.kind == TopicKind::Operator {
        let documented = by_subject(claims(Part::Crawlers));
        add("crawlers", "What it documents", documented);
    } else {
        let known = by_operator(claims(Part::Crawlers));
        add("crawlers", "What crawlers do", known);
    }
    if let Some(operator) = topic.operator {
        add("agents", "Its crawlers", crawlers_of(operator));
    }
    add(
        "checklist",
        "Checklist for the site's operator",
        both(Part::Checklist),
    );
    let mut logs = claims(Part::Logs);
    if let Some(cause) = cause {
        logs.extend(messages(cause));
    }
    if let Some(status) = topic.status() {
        logs.extend(causes_by_edge(status));
    }
    add("logs", "How it looks in logs", logs);
    add(
        "analytics",
        "How it looks in web analytics",
        claims(Part::Analytics),
    );
    add(
        "use",
        "What it is good for in a diagnosis",
        claims(Part::Use),
    );
    add(
        "mistakes",
        "Common mistakes",
        topic.mistakes().map(mistake_item).collect(),
    );
    add(
        "changed",
        "What changed, and where sources disagree",
        claims(Part::Changed),
    );
    add("privacy", "Privacy and accuracy", claims(Part::Privacy));
    Page {
        name: topic.name.to_owned(),
        title: topic.title.to_owned(),
        kind: topic.kind.name(),
        sections,
        related: topic.related.to_vec(),
    }
}

fn claim(claim: &Claim) -> Item {
    Item::new(claim.says, claim.grounds)
}

fn ground_of_cause(cause: Cause, name: Option<&'static str>) -> Ground {
    let facts = knowledge::cause(cause);
    Ground {
        name,
        kind: if facts.source.contains("rfc-editor.org") {
            "rfc"
        } else {
            "source-code"
        },
        source: facts.source,
        basis: "",
        checked: facts.checked,
    }
}

/// What the layer of a cause rests on.
const LAYERS: Ground = Ground {
    name: None,
    kind: "project",
    source: "core/model/src/cause.rs",
    basis: "definition of this project",
    checked: Some("2026-11"),
};

/// What the file of a cause says to one of the questions.
fn cause_claims(cause: Cause, part: Part) -> Vec<Item> {
    let facts = knowledge::cause(cause);
    let ground = ground_of_cause(cause, None);
    let says: Vec<String> = match part {
        Part::Means => vec![facts.says.to_owned()],
        Part::MadeBy => vec![format!("The layer that broke: {}.", cause.layer().name())],
        Part::Lasting => vec![sentence(facts.shape)],
        Part::Checklist => facts.advice.iter().map(|it| (*it).to_owned()).collect(),
        _ => Vec::new(),
    };
    let ground = match part {
        // Layers are this project's, the rest is the products'.
        Part::MadeBy => LAYERS,
        _ => ground,
    };
    says.into_iter()
        .map(|says| Item::new(says, &[ground]))
        .collect()
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let head = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", head.unwrap_or_default(), letters.as_str())
}

fn cause_line(cause: Cause) -> Item {
    let facts = knowledge::cause(cause);
    let name = cause.name();
    Item::new(
        format!("{name}: {}", facts.says),
        &[ground_of_cause(cause, Some(name))],
    )
}

/// Claims under the operators whose pages hold the statements they rest on; what holds for all stands first.
fn by_operator(items: Vec<Item>) -> Vec<Item> {
    let mut operators: BTreeMap<&str, &str> = BTreeMap::new();
    for topic in knowledge::topics() {
        if topic.kind != TopicKind::Operator {
            continue;
        }
        let grounds = topic.claims.iter().flat_map(|claim| claim.grounds);
        for name in grounds.filter_map(|ground| ground.name) {
            operators.entry(name).or_insert(topic.title);
        }
    }
    let mut labelled: Vec<Item> = items
        .into_iter()
        .map(|item| {
            let mut named = item.grounds.iter().filter_map(|ground| ground.name);
            let operator = named.find_map(|name| operators.get(name).copied());
            item.labelled(operator.unwrap_or_default())
        })
        .collect();
    // Stable: within an operator the order of the facts, and Google, of which most is known, before the others.
    labelled.sort_by_key(|item| match item.label.as_str() {
        "" => (0, String::new()),
        "Google" => (1, String::new()),
        other => (2, other.to_owned()),
    });
    labelled
}

/// An operator's claims under what they are about, in the order of their first.
fn by_subject(items: Vec<Item>) -> Vec<Item> {
    let subject = |item: &Item| {
        let mut named = item.grounds.iter().filter_map(|ground| ground.name);
        let topic = named.find_map(knowledge::fact).map(|fact| fact.topic);
        match topic {
            None | Some("operators") => "In general".to_owned(),
            Some("robots") => "On robots.txt".to_owned(),
            Some("rate") => "On crawl rate and index".to_owned(),
            Some("dns" | "tls") => topic.unwrap_or_default().to_uppercase(),
            Some(topic) => format!("On {}", topic.replace('-', " ")),
        }
    };
    let mut labels: Vec<String> = Vec::new();
    let mut labelled = Vec::new();
    for item in items {
        let label = subject(&item);
        let place = labels.iter().position(|known| *known == label);
        let place = place.unwrap_or_else(|| {
            labels.push(label.clone());
            labels.len() - 1
        });
        labelled.push((place, item.labelled(label)));
    }
    labelled.sort_by_key(|(place, _)| *place);
    labelled.into_iter().map(|(_, item)| item).collect()
}

/// The statuses that products give for a cause, as far as a checked sign ties the two.
fn statuses_of(cause: Cause) -> Vec<Item> {
    let mut statuses: BTreeMap<u16, (BTreeSet<Edge>, &str)> = BTreeMap::new();
    for sign in knowledge::signs() {
        // An open sign shows a status that may be another cause's.
        let is_open = sign.confidence == Confidence::Ambiguous;
        let Some(checked) = sign.checked.filter(|_| sign.cause == cause && !is_open) else {
            continue;
        };
        for status in statuses_named(sign) {
            let (edges, oldest) = statuses.entry(status).or_insert((BTreeSet::new(), checked));
            edges.insert(sign.edge);
            *oldest = checked.min(*oldest);
        }
    }
    let items = statuses.into_iter().map(|(status, (edges, oldest))| {
        let edges: Vec<&str> = edges.into_iter().map(Edge::name).collect();
        Item::new(
            format!("{status}: {}", edges.join(", ")),
            &[ground_of_signs(oldest)],
        )
    });
    items.collect()
}

/// The statuses that a sign names.
fn statuses_named(sign: &SignRule) -> Vec<u16> {
    let mut named = sign.statuses.to_vec();
    for condition in sign.conditions {
        if let Condition::Is(model::Field::Status, Op::Equal, value) = condition {
            match value {
                Value::Text(text) => named.extend(text.parse::<u16>().ok()),
                Value::OneOf(texts) => {
                    named.extend(texts.iter().filter_map(|text| text.parse::<u16>().ok()))
                }
                Value::AnyNumber | Value::Field(_) => {}
            }
        }
    }
    named
}

fn ground_of_signs(oldest: &'static str) -> Ground {
    Ground {
        name: None,
        kind: "project",
        source: "facts/signs/: each sign with its source, shown by explain CAUSE",
        basis: "oldest sign",
        checked: Some(oldest),
    }
}

/// The causes that each product shows with a status, as far as its signs were checked.
fn causes_by_edge(status: u16) -> Vec<Item> {
    let mut items = Vec::new();
    for edge in Edge::ALL {
        let signs = knowledge::signs().iter();
        let signs: Vec<&SignRule> = signs
            .filter(|sign| {
                sign.edge == edge
                    && sign.checked.is_some()
                    && statuses_named(sign).contains(&status)
            })
            .collect();
        let causes: BTreeSet<Cause> = signs.iter().map(|sign| sign.cause).collect();
        let Some(oldest) = signs.iter().filter_map(|sign| sign.checked).min() else {
            continue;
        };
        let names: Vec<&str> = causes.into_iter().map(Cause::name).collect();
        let ground = ground_of_signs(oldest);
        items.push(
            Item::new(format!("{}: {}", edge.name(), names.join(", ")), &[ground])
                .labelled("by product"),
        );
    }
    items
}

/// The exact messages and fields by which each product's logs show a cause.
fn messages(cause: Cause) -> Vec<Item> {
    // One sign may be several products': proxies in Go share the words of their runtime.
    let mut by_name: BTreeMap<&str, (&SignRule, Vec<&str>)> = BTreeMap::new();
    for sign in knowledge::signs().iter().filter(|sign| sign.cause == cause) {
        let (_, edges) = by_name
            .entry(sign.name)
            .or_insert_with(|| (sign, Vec::new()));
        edges.push(sign.edge.name());
    }
    let mut signs: Vec<(&SignRule, String)> = by_name
        .into_values()
        .map(|(sign, edges)| {
            (
                sign,
                format!("{}, {} log", edges.join(", "), sign.log.name()),
            )
        })
        .collect();
    signs.sort_by_key(|(sign, label)| {
        let surest_first = std::cmp::Reverse(sign.confidence);
        let log = (sign.log == LogKind::Access) as u8;
        (
            sign.edge,
            log,
            label.clone(),
            sign.checked.is_none(),
            surest_first,
            sign.name,
        )
    });
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    signs
        .into_iter()
        .map(|(sign, label)| {
            let count = shown.entry(label.clone()).or_default();
            *count += 1;
            // What leaves the cause open is worth a line only where the log has nothing surer.
            let is_open = sign.confidence == Confidence::Ambiguous;
            Item {
                minor: *count > MESSAGES_SHORT || is_open && *count > 1,
                ..sign_item(sign).labelled(label)
            }
        })
        .collect()
}

fn sign_ground(sign: &SignRule) -> Ground {
    Ground {
        name: Some(sign.name),
        kind: match sign.basis {
            Basis::Source | Basis::SourceAndMeasured => "source-code",
            Basis::Measured => "measured",
            Basis::Documentation => "vendor-doc",
            Basis::Unverified => "secondary",
        },
        source: sign.source,
        basis: match sign.basis {
            Basis::Source => "full text",
            Basis::SourceAndMeasured => "full text, and measured",
            Basis::Measured => "measured",
            Basis::Documentation => "documentation",
            Basis::Unverified => "public examples",
        },
        checked: sign.checked,
    }
}

fn sign_item(sign: &SignRule) -> Item {
    let mut more = Vec::new();
    let mut says = match sign.log {
        LogKind::Error => sign.all.join(" .. "),
        _ => sign
            .conditions
            .iter()
            .map(condition)
            .collect::<Vec<_>>()
            .join(" "),
    };
    if !sign.none.is_empty() {
        says.push_str(&format!(" (without: {})", sign.none.join(" | ")));
    }
    let also: Vec<&str> = sign.also.iter().map(Cause::name).collect();
    let mut sure = sign.confidence.name().to_owned();
    if !also.is_empty() {
        let words = if sign.confidence == Confidence::Ambiguous {
            "may also be"
        } else {
            "else"
        };
        sure.push_str(&format!(", {words} {}", also.join(", ")));
    }
    more.push(("how sure", sure));
    Item {
        literal: true,
        more,
        ..Item::new(says, &[sign_ground(sign)])
    }
}

/// A condition in the language of `facts/signs/`.
fn condition(condition: &Condition) -> String {
    match condition {
        Condition::Present(field) => format!("present:{}", field.name()),
        Condition::Absent(field) => format!("absent:{}", field.name()),
        Condition::Holds(predicate) => predicate_words(*predicate).to_owned(),
        Condition::Is(field, op, value) => {
            let op = match op {
                Op::Equal => "=",
                Op::NotEqual => "!=",
                Op::BeginsWith => "^=",
                Op::EndsWith => "$=",
                Op::Contains => "*=",
                Op::Greater => ">",
                Op::GreaterOrEqual => ">=",
                Op::Less => "<",
                Op::LessOrEqual => "<=",
            };
            let value = match value {
                Value::Text(text) => (*text).to_owned(),
                Value::OneOf(values) => values.join("|"),
                Value::AnyNumber => "number".to_owned(),
                Value::Field(other) => other.name().to_owned(),
            };
            format!("{}{op}{value}", field.name())
        }
    }
}

fn predicate_words(predicate: Predicate) -> &'static str {
    match predicate {
        Predicate::UpstreamAddrIsAddress => "(upstream is an address)",
        Predicate::UpstreamAddrIsGroupName => "(upstream is the name of a group)",
        Predicate::SameUpstreamAddrTwice => "(same upstream twice)",
        Predicate::BodyShorterThanDeclared => "(body shorter than declared)",
        Predicate::SizeIsDefaultPage => "(size of the product's own page)",
        Predicate::SizeIsNotDefaultPage => "(not the size of the product's own page)",
        Predicate::SizeIsNginxPage => "(size of nginx's own page)",
    }
}

fn mistake_item(mistake: &Mistake) -> Item {
    let ground = Ground {
        name: Some(mistake.id),
        ..mistake.ground
    };
    Item {
        more: vec![
            ("why it misleads", mistake.why.to_owned()),
            ("instead", mistake.instead.to_owned()),
        ],
        ..Item::new(mistake.advice, &[ground])
    }
}

fn crawlers_of(operator: &str) -> Vec<Item> {
    let of_it = knowledge::crawlers()
        .iter()
        .filter(|it| it.operator == operator);
    of_it
        .map(|crawler| {
            let retired = if crawler.retired { "; retired" } else { "" };
            let says = format!("{}: {}{retired}", crawler.id, crawler.purpose);
            Item::new(says, &[crawler_ground(crawler)])
        })
        .collect()
}

fn crawler_ground(crawler: &Crawler) -> Ground {
    Ground {
        name: Some(crawler.id),
        kind: if crawler.checked.is_some() {
            "operator-doc"
        } else {
            "secondary"
        },
        source: crawler.source,
        basis: "",
        checked: crawler.checked,
    }
}

/// The page of one crawler: what is known of it, and what its operator documents.
pub(super) fn crawler(crawler: &Crawler) -> Page {
    let ground = crawler_ground(crawler);
    let fields = registry::facts_of(crawler);
    let known = fields.into_iter();
    let mut items: Vec<Item> = known
        .map(|(name, value)| Item::new(format!("{name}: {value}"), &[ground]))
        .collect();
    if !crawler.unverified_fields.is_empty() {
        let elsewhere = Ground {
            name: None,
            kind: "secondary",
            source: "other lists of crawlers",
            basis: "not in the operator's text",
            checked: None,
        };
        let fields = crawler.unverified_fields.join(", ");
        items.push(Item::new(
            format!("from other lists: {fields}"),
            &[elsewhere],
        ));
    }
    if !crawler.note.is_empty() {
        items.push(Item::new(format!("note: {}", crawler.note), &[ground]));
    }
    let mut sections = vec![Section {
        name: "means",
        heading: "What is known of it",
        items,
    }];
    let operator = knowledge::topics()
        .iter()
        .find(|topic| topic.operator == Some(crawler.operator));
    sections.push(match operator {
        Some(operator) => Section {
            name: "crawlers",
            heading: "What its operator documents",
            items: operator.claims_of(Part::Crawlers).map(claim).collect(),
        },
        None => nothing_read(crawler.operator),
    });
    Page {
        name: crawler.id.to_owned(),
        title: format!("{} ({})", crawler.proper_name(), crawler.operator),
        kind: "crawler",
        sections,
        related: operator.map_or_else(Vec::new, |operator| vec![operator.name, "robots.txt"]),
    }
}

/// Where no statement of an operator was read, that is what is said.
fn nothing_read(operator: &str) -> Section {
    let says =
        format!("No statement of {operator} on failing pages, robots.txt or Retry-After was read.");
    let ground = Ground {
        name: None,
        kind: "secondary",
        source: "facts/statements/",
        basis: "nothing there",
        checked: None,
    };
    Section {
        name: "crawlers",
        heading: "What its operator documents",
        items: vec![Item::new(says, &[ground])],
    }
}

/// The page of an operator that has crawlers and no topic.
pub(super) fn operator(operator: &'static str) -> Page {
    let agents = Section {
        name: "agents",
        heading: "Its crawlers",
        items: crawlers_of(operator),
    };
    Page {
        name: operator.to_lowercase(),
        title: operator.to_owned(),
        kind: TopicKind::Operator.name(),
        sections: vec![nothing_read(operator), agents],
        related: vec!["robots.txt"],
    }
}

/// The page of a product: what its logs can tell, and what they cannot show.
pub(super) fn edge(edge: Edge) -> Page {
    let facts = knowledge::edge(edge);
    let signs = knowledge::signs().iter();
    let oldest = signs
        .filter(|sign| sign.edge == edge)
        .filter_map(|sign| sign.checked);
    let told_by = oldest.min().map(ground_of_signs);
    let told = knowledge::telling(edge, &|_| true, true);
    let mut tells = Vec::new();
    for (words, confidence) in [
        ("certain, at best", Confidence::Certain),
        ("likely, at best", Confidence::Likely),
        ("only in question", Confidence::Ambiguous),
    ] {
        let causes = (told.iter()).filter(|told| told.confidence == Some(confidence));
        let names: Vec<&str> = causes.map(|told| told.cause.name()).collect();
        if !names.is_empty() {
            let says = format!("{words}: {}", names.join(", "));
            tells.push(Item::new(says, told_by.as_slice()));
        }
    }
    let ground = Ground {
        name: None,
        kind: "source-code",
        source: facts.source,
        basis: "",
        checked: facts.checked,
    };
    let blind = facts.blind_spots.iter().map(|spot| {
        let lacking: Vec<&str> = spot.absent.iter().map(|field| field.name()).collect();
        let mut says = spot.says.to_owned();
        if !lacking.is_empty() {
            says.push_str(&format!(" (without {})", lacking.join(", ")));
        }
        if spot.without_error_log {
            says.push_str(" (without its error log)");
        }
        Item::new(says, &[ground])
    });
    let section = |name, heading, items: Vec<Item>| Section {
        name,
        heading,
        items,
    };
    let mut sections = vec![
        section("logs", "Causes that its logs can tell", tells),
        section("blind", "What its logs cannot show", blind.collect()),
    ];
    if let Some(known) = facts.recommended {
        let says = format!(
            "webmasterid logformat {} prints the layout. {}",
            edge.name(),
            known.note
        );
        let source = Ground {
            kind: "vendor-doc",
            source: known.source,
            ..ground
        };
        sections.push(section(
            "layout",
            "What to log",
            vec![Item::new(says.trim(), &[source])],
        ));
    }
    sections.retain(|section| !section.items.is_empty());
    Page {
        name: edge.name().to_owned(),
        title: format!("Logs of {}", edge.name()),
        kind: "edge",
        sections,
        related: Vec::new(),
    }
}

/// The page of one statement.
pub(super) fn statement(fact: &FactEntry) -> Page {
    let ground = Ground {
        name: Some(fact.id),
        kind: fact.kind,
        source: fact.source,
        basis: fact.basis,
        checked: fact.checked,
    };
    single(
        "statement",
        fact.id,
        fact.id.to_owned(),
        Item::new(fact.says, &[ground]),
        fact_topics(fact.id),
    )
}

/// Topics that show a statement or a cause, those it is shown in as it stands first.
fn fact_topics(id: &str) -> Vec<&'static str> {
    let rests = |topic: &&Topic| {
        let mut grounds = topic.claims.iter().flat_map(|claim| claim.grounds);
        grounds.any(|ground| ground.name == Some(id))
    };
    knowledge::topics()
        .iter()
        .filter(rests)
        .map(|topic| topic.name)
        .collect()
}

/// The page of one common mistake.
pub(super) fn mistake(mistake: &Mistake) -> Page {
    single(
        "mistake",
        mistake.id,
        format!("{}: a common mistake", mistake.id),
        mistake_item(mistake),
        mistake.topics.to_vec(),
    )
}

/// The page of one sign.
pub(super) fn sign(sign: &SignRule) -> Page {
    let edges = knowledge::signs().iter().filter(|it| it.name == sign.name);
    let edges: Vec<&str> = edges.map(|it| it.edge.name()).collect();
    let label = format!("{}, {} log", edges.join(", "), sign.log.name());
    let mut item = sign_item(sign).labelled(label);
    item.more.insert(0, ("shows", sign.cause.name().to_owned()));
    if !sign.note.is_empty() {
        item.more.push(("note", sign.note.to_owned()));
    }
    single(
        "sign",
        sign.name,
        format!("{}: a sign of {}", sign.name, sign.cause.name()),
        item,
        vec![sign.cause.name()],
    )
}

fn single(
    kind: &'static str,
    name: &str,
    title: String,
    item: Item,
    related: Vec<&'static str>,
) -> Page {
    Page {
        name: name.to_owned(),
        title,
        kind,
        sections: vec![Section {
            name: "means",
            heading: "What it says",
            items: vec![item],
        }],
        related,
    }
}
