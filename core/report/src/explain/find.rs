//! From words to a page: by name, and by search.

use std::collections::BTreeSet;

use knowledge::{Topic, TopicKind};
use model::Edge;

use super::{Item, Page, build};

/// Names offered where nothing has the name asked for.
const NEAREST: usize = 4;
/// Letters by which a name may be farther than the nearest and still be offered.
const FARTHER: usize = 3;
/// Results of a search.
const RESULTS: usize = 20;

/// One entry of the list of topics.
#[derive(Clone, Copy, Debug)]
pub struct TopicHead {
    /// What it is looked up by.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it is.
    pub kind: TopicKind,
}

/// One result of a search.
#[derive(Clone, Debug)]
pub struct Found {
    /// What to give to `explain`.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it is.
    pub kind: &'static str,
    /// Where the words stand: the title, or the heading of a section.
    pub place: String,
    /// The sentence with the words.
    pub excerpt: String,
}

/// Every topic, by kind and name.
pub fn explain_topics() -> Vec<TopicHead> {
    let mut heads: Vec<TopicHead> = (knowledge::topics().iter())
        .map(|topic| TopicHead {
            name: topic.name,
            title: topic.title,
            kind: topic.kind,
        })
        .collect();
    heads.sort_by_key(|head| (head.kind, head.name));
    heads
}

/// The page of that name: of a topic, a statement, a mistake, a sign, a crawler, an operator or an edge. Case and a leading
/// slash do not matter. Else the names that come nearest.
///
/// # Errors
/// The nearest names, the likeliest first.
pub fn page(words: &str) -> Result<Page, Vec<String>> {
    let asked = key(words);
    if let Some(topic) = topic_of(&asked) {
        return Ok(build::topic(topic));
    }
    let upper = asked.to_uppercase();
    if let Some(fact) = knowledge::fact(&upper) {
        return Ok(build::statement(fact));
    }
    if let Some(mistake) = knowledge::mistakes().iter().find(|it| it.id == upper) {
        return Ok(build::mistake(mistake));
    }
    if let Some(sign) = knowledge::signs().iter().find(|it| it.name == asked) {
        return Ok(build::sign(sign));
    }
    if let Some(id) = knowledge::crawler_named(&asked) {
        return Ok(build::crawler(knowledge::crawler(id)));
    }
    let known = Edge::from_name(&asked).filter(|edge| *edge != Edge::Unknown);
    if let Some(edge) = known {
        return Ok(build::edge(edge));
    }
    let operator = (knowledge::crawlers().iter()).find(|it| it.operator.to_lowercase() == asked);
    match operator {
        Some(crawler) => Ok(build::operator(crawler.operator)),
        None => Err(nearest(&asked)),
    }
}

/// Lower case, one blank between words, no slash before, no `http` and no `$`.
fn key(words: &str) -> String {
    let lower = words.to_lowercase();
    let words: Vec<&str> = lower
        .split_whitespace()
        .filter(|word| *word != "http")
        .collect();
    let joined = words.join(" ");
    if knowledge::topic(&joined).is_some() {
        return joined;
    }
    joined.trim_start_matches('/').to_owned()
}

fn topic_of(asked: &str) -> Option<&'static Topic> {
    let dashed = asked.replace([' ', '_'], "-");
    let by_name = knowledge::topic(asked).or_else(|| knowledge::topic(&dashed));
    by_name.or_else(|| {
        let mut topics = knowledge::topics().iter();
        topics.find(|topic| topic.title.to_lowercase() == asked || topic.also.contains(&asked))
    })
}

/// Every name that leads to a page, apart from signs, whose names nobody guesses.
fn names() -> BTreeSet<String> {
    let topics = knowledge::topics()
        .iter()
        .map(|topic| topic.name.to_owned());
    let facts = knowledge::facts().iter().map(|fact| fact.id.to_owned());
    let crawlers = knowledge::crawlers().iter();
    let crawlers = crawlers.flat_map(|it| [it.id.to_owned(), it.operator.to_lowercase()]);
    let edges = Edge::ALL.into_iter().filter(|edge| *edge != Edge::Unknown);
    let edges = edges.map(|edge| edge.name().to_owned());
    topics.chain(facts).chain(crawlers).chain(edges).collect()
}

fn nearest(asked: &str) -> Vec<String> {
    let mut ranked: Vec<(usize, String)> = names()
        .into_iter()
        .map(|name| {
            let lower = name.to_lowercase();
            let distance = distance(asked, &lower);
            // A name that holds the word, or begins as it does, is nearer than its letters say.
            let holds = asked.len() >= 3 && (lower.contains(asked) || asked.contains(&lower));
            let distance = if holds { distance.min(1) } else { distance };
            (distance, name)
        })
        .collect();
    ranked.sort_by_key(|(distance, name)| {
        (
            *distance,
            name.contains('-') && name.len() < 8,
            name.clone(),
        )
    });
    let best = ranked.first().map_or(0, |(distance, _)| *distance);
    ranked
        .into_iter()
        .take(NEAREST)
        .filter(|(distance, _)| *distance <= best + FARTHER)
        .map(|(_, name)| name)
        .collect()
}

/// Letters to add, take away or change.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (column, other) in to.iter().enumerate() {
            let changed = corner + usize::from(*other != letter);
            corner = row[column + 1];
            row[column + 1] = changed.min(corner + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Topics and statements that hold all the words, in any case. Those with the words in the title come first, then
/// those in which one sentence holds them all, then the rest; each by how often the words stand there.
pub fn explain_search(query: &str) -> Vec<Found> {
    let words: Vec<String> = query
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut ranked: Vec<((u8, usize), Found)> = Vec::new();
    let mut shown = BTreeSet::new();
    for topic in knowledge::topics() {
        let page = build::topic(topic);
        shown.extend(
            page.items()
                .flat_map(|item| &item.grounds)
                .filter_map(|ground| ground.name),
        );
        let titles = [&[topic.name, topic.title], topic.also].concat().join(" ");
        ranked.extend(rank(&page, &titles, &words));
    }
    // A statement stands in topics; alone it is told after them.
    for fact in knowledge::facts() {
        let found = rank(&build::statement(fact), fact.id, &words);
        ranked.extend(found.map(|((_, count), found)| ((3, usize::MAX - 1 - count.min(1)), found)));
    }
    ranked.sort_by(|a, b| (a.0, &a.1.name).cmp(&(b.0, &b.1.name)));
    ranked
        .into_iter()
        .take(RESULTS)
        .map(|(_, found)| found)
        .collect()
}

/// How well a page fits, best first; `None` where a word is missing.
fn rank(page: &Page, titles: &str, words: &[String]) -> Option<((u8, usize), Found)> {
    let titles = titles.to_lowercase();
    let texts: Vec<(&str, String, String)> = (page.sections.iter())
        .flat_map(|section| {
            section
                .items
                .iter()
                .map(|item| (section.heading, text_of(item)))
        })
        .map(|(heading, text)| (heading, text.to_lowercase(), text))
        .collect();
    let somewhere = |word: &String| {
        titles.contains(word.as_str()) || texts.iter().any(|text| text.1.contains(word.as_str()))
    };
    if !words.iter().all(somewhere) {
        return None;
    }
    let in_one = |text: &str| words.iter().all(|word| text.contains(word.as_str()));
    let count: usize = (texts.iter())
        .map(|text| {
            words
                .iter()
                .map(|word| text.1.matches(word.as_str()).count())
                .sum::<usize>()
        })
        .sum();
    let whole = texts.iter().find(|text| in_one(&text.1));
    let part = texts
        .iter()
        .find(|text| words.iter().any(|word| text.1.contains(word.as_str())));
    let (class, place) = if in_one(&titles) {
        (0, "title")
    } else {
        whole.map_or((2, "several places"), |text| (1, text.0))
    };
    let excerpt = whole.or(part).or(texts.first());
    let found = Found {
        name: page.name.clone(),
        title: page.title.clone(),
        kind: page.kind,
        place: place.to_owned(),
        excerpt: excerpt.map(|text| text.2.clone()).unwrap_or_default(),
    };
    Some(((class, usize::MAX - count), found))
}

/// All words of a claim.
fn text_of(item: &Item) -> String {
    let mut text = item.says.clone();
    for (_, more) in &item.more {
        text.push_str(" · ");
        text.push_str(more);
    }
    text
}
