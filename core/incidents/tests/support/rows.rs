//! Requests as the tests know them, and the sheet made of them.

use std::collections::{BTreeMap, BTreeSet};

use incidents::Sheet;
use model::CrawlerId;
use tally::{Key, Obs};

/// One request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) at: i64,
    /// Index of the crawler; `None` for other clients.
    pub(crate) crawler: Option<u16>,
    pub(crate) path: String,
    pub(crate) failed: bool,
    pub(crate) repeat: bool,
    /// Answered by the edge's cache.
    pub(crate) cached: bool,
    /// Upstream address and whether the attempt failed.
    pub(crate) attempts: Vec<(String, bool)>,
}

/// A sheet with the names behind its keys.
pub(crate) struct Named {
    pub(crate) sheet: Sheet,
    pub(crate) names: BTreeMap<Key, String>,
}

/// Sums rows by scope. `slot` 0 keeps exact times; otherwise good requests are counted by slots of so many seconds.
pub(crate) fn sheet(rows: &[Row], start: i64, now: i64, slot: i64) -> Named {
    let mut prefixes = BTreeSet::new();
    let mut urls: BTreeMap<&str, u32> = BTreeMap::new();
    let mut upstreams = BTreeSet::new();
    for row in rows {
        prefixes.extend(prefixes_of(&row.path));
        *urls.entry(&row.path).or_default() += u32::from(row.failed && !row.repeat);
        upstreams.extend(row.attempts.iter().map(|attempt| attempt.0.clone()));
    }
    let prefixes: Vec<String> = prefixes.into_iter().collect();
    let urls: Vec<&str> = urls
        .into_iter()
        .filter(|(path, failed)| *failed > 1 && *path != "/robots.txt")
        .map(|url| url.0)
        .collect();
    let upstreams: Vec<String> = upstreams.into_iter().collect();
    let place = |list: &[String], name: &str| {
        list.binary_search_by(|known| known.as_str().cmp(name))
            .ok()
            .map(|index| index as u32)
    };

    let mut names = BTreeMap::from([
        (Key::Site, "*".to_owned()),
        (Key::AllCrawlers, "*".to_owned()),
        (Key::Robots, "/robots.txt".to_owned()),
    ]);
    let mut wider = BTreeMap::new();
    for (index, prefix) in prefixes.iter().enumerate() {
        let key = Key::Prefix(index as u32);
        names.insert(key, prefix.clone());
        if let Some((parent, _)) = prefix.rsplit_once('/')
            && let Some(parent) = place(&prefixes, parent)
        {
            wider.insert(key, Key::Prefix(parent));
        }
    }
    for (index, url) in urls.iter().enumerate() {
        let key = Key::Url(index as u32);
        names.insert(key, (*url).to_owned());
        if let Some(parent) = prefixes_of(url)
            .last()
            .and_then(|parent| place(&prefixes, parent))
        {
            wider.insert(key, Key::Prefix(parent));
        }
    }
    for (index, upstream) in upstreams.iter().enumerate() {
        names.insert(Key::Upstream(index as u32), upstream.clone());
    }

    let mut series: BTreeMap<Key, BTreeMap<(i64, i64), Obs>> = BTreeMap::new();
    let mut load: BTreeMap<(i64, i64), Obs> = BTreeMap::new();
    let mut add = |key: Key, at: i64, failed: bool, repeat: bool| {
        count(series.entry(key).or_default(), at, failed, repeat, slot);
    };
    for row in rows {
        count(&mut load, row.at, row.failed, row.repeat, slot);
        if row.cached {
            continue;
        }
        let mut keys = vec![Key::Site];
        keys.extend(
            prefixes_of(&row.path)
                .iter()
                .filter_map(|prefix| place(&prefixes, prefix))
                .map(Key::Prefix),
        );
        keys.extend(
            urls.binary_search(&row.path.as_str())
                .ok()
                .map(|index| Key::Url(index as u32)),
        );
        if row.path == "/robots.txt" {
            keys.push(Key::Robots);
        }
        match row.crawler {
            Some(crawler) => keys.extend([Key::Crawler(CrawlerId(crawler)), Key::AllCrawlers]),
            None => keys.push(Key::OtherClients),
        }
        for key in keys {
            add(key, row.at, row.failed, row.repeat);
        }
        for (upstream, failed) in &row.attempts {
            if let Some(index) = place(&upstreams, upstream) {
                add(Key::Upstream(index), row.at, *failed, *failed && row.repeat);
            }
        }
    }
    let series = series
        .into_iter()
        .map(|(key, all)| (key, all.into_values().collect()))
        .collect();
    let load = load.into_values().collect();
    Named {
        sheet: Sheet {
            grains: Vec::new(),
            start,
            now,
            gaps: Vec::new(),
            load,
            series,
            wider,
        },
        names,
    }
}

fn count(all: &mut BTreeMap<(i64, i64), Obs>, at: i64, failed: bool, repeat: bool, slot: i64) {
    let (from, until) = if slot > 0 && !failed {
        let from = at - at.rem_euclid(slot);
        (from, from + slot - 1)
    } else {
        (at, at)
    };
    let obs = all.entry((from, until)).or_insert(Obs {
        at: from,
        until,
        good: 0,
        failed: 0,
        repeats: 0,
    });
    obs.good += u32::from(!failed);
    obs.failed += u32::from(failed && !repeat);
    obs.repeats += u32::from(repeat);
}

/// `/shop/item/a` lies under `/shop` and `/shop/item`.
fn prefixes_of(path: &str) -> Vec<String> {
    let ends: Vec<usize> = path
        .match_indices('/')
        .map(|hit| hit.0)
        .skip(1)
        .take(2)
        .collect();
    ends.into_iter().map(|end| path[..end].to_owned()).collect()
}
