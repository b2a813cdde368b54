//! What the judge reads: for each candidate scope, good and failed requests in time order.

use std::collections::BTreeMap;

use model::{CrawlerId, Scope, ScopeKind};
use rustc_hash::FxHashMap;

use crate::view::{DimView, FailureView, GoodView, SlotView, UNKNOWN_HOST, View};

/// A candidate scope, by index into the tally's tables. Indexes follow the sorted names, so their order is the same
/// in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Everything.
    Site,
    /// One host.
    Host(u32),
    /// A path prefix of one or two literal segments.
    Prefix(u32),
    /// One path.
    Url(u32),
    /// One upstream address. Its observations are attempts, not requests.
    Upstream(u32),
    /// One crawler.
    Crawler(CrawlerId),
    /// All crawlers.
    AllCrawlers,
    /// All clients that claim no crawler.
    OtherClients,
    /// `/robots.txt`.
    Robots,
}

/// Good and failed requests of one scope in one moment or slot. Where the tally kept exact times `at == until`;
/// where it kept counts the good ones are spread over the slot, and the failed ones stand at their own second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Obs {
    /// First second, since the epoch.
    pub at: i64,
    /// Last second.
    pub until: i64,
    /// Good requests.
    pub good: u32,
    /// Failed requests, repeats left out.
    pub failed: u32,
    /// Repeats of one impatient client among the failures: counted, no evidence.
    pub repeats: u32,
}

/// Which observations a good request adds to, and with which weight.
type Sink<'a> = &'a mut dyn FnMut(Key, Obs);

/// Requests by crawler; those of other clients under `None`.
type ByClient = BTreeMap<Option<CrawlerId>, u64>;

impl View {
    /// Every candidate scope that has at least `failures_min` failures, with its observations in time order: by
    /// first second, then last. [`Key::Site`] is always there.
    pub fn series(&self, failures_min: u64) -> BTreeMap<Key, Vec<Obs>> {
        let mut series: BTreeMap<Key, Vec<Obs>> = self
            .failure_counts()
            .into_iter()
            .filter(|(key, failed)| {
                // A restart is seen by upstreams that fail once each.
                let is_always = matches!(key, Key::Site | Key::Upstream(_));
                is_always || *failed >= failures_min
            })
            .map(|(key, _)| (key, Vec::new()))
            .collect();
        self.each_obs(&mut |key, obs| {
            if let Some(all) = series.get_mut(&key) {
                all.push(obs);
            }
        });
        for all in series.values_mut() {
            all.sort_unstable();
            join(all);
        }
        series
    }

    /// Failures by candidate scope, repeats left out.
    fn failure_counts(&self) -> BTreeMap<Key, u64> {
        let mut counts = BTreeMap::from([(Key::Site, 0)]);
        self.failed_obs(&self.urls_by_node(), &mut |key, obs| {
            *counts.entry(key).or_default() += u64::from(obs.failed);
        });
        counts.retain(|key, _| self.is_candidate(*key));
        counts
    }

    /// One host or one upstream of one is the site; a path is told apart only where its good requests are known.
    fn is_candidate(&self, key: Key) -> bool {
        match key {
            Key::Host(host) => self.has_hosts() && self.host(host) != UNKNOWN_HOST,
            Key::Upstream(_) => self.upstreams.len() > 1 && self.names_upstreams(),
            Key::Url(index) => {
                let exact = || {
                    self.slots
                        .iter()
                        .all(|(_, slot)| matches!(slot, SlotView::Exact(_)))
                };
                self.nodes[self.urls[index as usize].node as usize].is_path || exact()
            }
            _ => true,
        }
    }

    /// Whether the log names the upstream of good requests too. Where only error lines name one, every upstream would
    /// seem to fail always.
    pub fn names_upstreams(&self) -> bool {
        let (mut named, mut all) = (0_u64, 0_u64);
        for (_, slot) in &self.slots {
            match slot {
                SlotView::Exact(goods) => {
                    all += goods.len() as u64;
                    named += goods.iter().filter(|good| good.upstream.is_some()).count() as u64;
                }
                SlotView::Counts { total, cells, .. } => {
                    all += total;
                    let of_upstream = cells
                        .iter()
                        .filter(|(dim, _)| matches!(dim, DimView::Upstream(_)));
                    named += of_upstream.map(|(_, n)| u64::from(*n)).sum::<u64>();
                }
            }
        }
        named * 2 >= all && named > 0
    }

    fn each_obs(&self, sink: Sink<'_>) {
        let urls = self.urls_by_hash();
        let urls_by_node = self.urls_by_node();
        for (start, slot) in &self.slots {
            match slot {
                SlotView::Exact(goods) => goods
                    .iter()
                    .for_each(|good| self.good_obs(good, &urls, sink)),
                SlotView::Counts {
                    total,
                    seconds,
                    cells,
                } => {
                    let until = self.span.map_or(i64::MAX, |(_, end)| end.secs());
                    let until = (start + self.width - 1).min(until).max(*start);
                    let unrouted = self.unrouted(cells);
                    let routed = total - unrouted.values().sum::<u64>();
                    count_obs(*start, until, routed, seconds, sink);
                    self.cell_obs(
                        (*start, until),
                        routed,
                        (cells, &unrouted),
                        &urls_by_node,
                        sink,
                    );
                }
            }
        }
        self.failed_obs(&urls_by_node, sink);
    }

    /// Good requests of a slot that name no route.
    fn unrouted(&self, cells: &[(DimView, u32)]) -> ByClient {
        let is_alone = |node: u32| self.nodes[node as usize].is_alone;
        let mut sums = BTreeMap::new();
        let (mut all, mut crawled) = (0, 0);
        for (dim, n) in cells {
            match *dim {
                DimView::Node(node) if is_alone(node) => all += u64::from(*n),
                DimView::CrawlerNode(crawler, node) if is_alone(node) => {
                    crawled += u64::from(*n);
                    *sums.entry(Some(crawler)).or_default() += u64::from(*n);
                }
                _ => {}
            }
        }
        sums.insert(None, all - crawled);
        sums
    }

    fn urls_by_hash(&self) -> FxHashMap<u64, u32> {
        self.urls
            .iter()
            .enumerate()
            .map(|(index, url)| (url.hash, index as u32))
            .collect()
    }

    /// What is not there says nothing of what is: counted among the site's good requests alone, such answers would
    /// speak for every group of routes and against the site.
    fn good_obs(&self, good: &GoodView, urls: &FxHashMap<u64, u32>, sink: Sink<'_>) {
        let obs = Obs {
            at: good.at,
            until: good.at,
            good: 1,
            failed: 0,
            repeats: 0,
        };
        self.good_keys(good, urls, &mut |key| {
            if good.routed || matches!(key, Key::Upstream(_) | Key::Url(_) | Key::Robots) {
                sink(key, obs);
            }
        });
    }

    fn good_keys(&self, good: &GoodView, urls: &FxHashMap<u64, u32>, each: &mut dyn FnMut(Key)) {
        self.shared_keys(good.node, good.crawler, good.robots, each);
        if let Some(upstream) = good.upstream {
            each(Key::Upstream(upstream));
        }
        if let Some(url) = urls.get(&good.url) {
            each(Key::Url(*url));
        }
    }

    /// The scopes that a request lies in by its node and its client.
    fn shared_keys(
        &self,
        node: u32,
        crawler: Option<CrawlerId>,
        robots: bool,
        each: &mut dyn FnMut(Key),
    ) {
        each(Key::Site);
        self.node_keys(node, each);
        match crawler {
            Some(crawler) => {
                each(Key::Crawler(crawler));
                each(Key::AllCrawlers);
            }
            None => each(Key::OtherClients),
        }
        if robots {
            each(Key::Robots);
        }
    }

    fn node_keys(&self, node: u32, each: &mut dyn FnMut(Key)) {
        let node = &self.nodes[node as usize];
        each(Key::Host(node.host));
        for prefix in node.prefixes.into_iter().flatten() {
            each(Key::Prefix(prefix));
        }
    }

    fn cell_obs(
        &self,
        (at, until): (i64, i64),
        routed: u64,
        (cells, unrouted): (&[(DimView, u32)], &ByClient),
        urls_by_node: &[Vec<u32>],
        sink: Sink<'_>,
    ) {
        let obs = |good: u32| Obs {
            at,
            until,
            good,
            failed: 0,
            repeats: 0,
        };
        let mut crawled = 0;
        for (dim, good) in cells {
            match *dim {
                DimView::Node(node) if self.nodes[node as usize].is_alone => {}
                DimView::Node(node) => {
                    self.node_keys(node, &mut |key| sink(key, obs(*good)));
                    if self.nodes[node as usize].is_path {
                        for url in &urls_by_node[node as usize] {
                            sink(Key::Url(*url), obs(*good));
                        }
                    }
                }
                DimView::Upstream(upstream) => sink(Key::Upstream(upstream), obs(*good)),
                DimView::Crawler(crawler) => {
                    let aside = unrouted.get(&Some(crawler)).copied().unwrap_or(0);
                    let good = good.saturating_sub(aside as u32);
                    crawled += good;
                    if good > 0 {
                        sink(Key::Crawler(crawler), obs(good));
                    }
                }
                DimView::CrawlerNode(..) => {}
                DimView::Robots => sink(Key::Robots, obs(*good)),
            }
        }
        if crawled > 0 {
            sink(Key::AllCrawlers, obs(crawled));
        }
        let others = u32::try_from(routed)
            .unwrap_or(u32::MAX)
            .saturating_sub(crawled);
        if others > 0 {
            sink(Key::OtherClients, obs(others));
        }
    }

    /// For each node the URLs on it: nearly always none.
    fn urls_by_node(&self) -> Vec<Vec<u32>> {
        let mut all = vec![Vec::new(); self.nodes.len()];
        for (index, url) in self.urls.iter().enumerate() {
            all[url.node as usize].push(index as u32);
        }
        all
    }

    /// Other clients' failures, and those that were only counted, have no path, but may lie on a node that is one.
    fn failed_obs(&self, urls_by_node: &[Vec<u32>], sink: Sink<'_>) {
        for failure in self.failures.iter().filter(|failure| !failure.hidden) {
            let at = failure.at.secs();
            let (failed, repeats) = if failure.repeat {
                (0, failure.count)
            } else {
                (failure.count, 0)
            };
            let obs = Obs {
                at,
                until: at,
                good: 0,
                failed,
                repeats,
            };
            self.shared_keys(failure.node, failure.crawler, failure.robots, &mut |key| {
                sink(key, obs);
            });
            let of_node = || match urls_by_node.get(failure.node as usize)?.as_slice() {
                [one] if self.nodes[failure.node as usize].is_path => Some(*one),
                _ => None,
            };
            if let Some(url) = failure.url.or_else(of_node) {
                sink(Key::Url(url), obs);
            }
        }
        for (upstream, at, failed) in &self.failed_attempts {
            let obs = Obs {
                at: *at,
                until: *at,
                good: 0,
                failed: *failed,
                repeats: 0,
            };
            sink(Key::Upstream(*upstream), obs);
        }
    }

    /// What a scope is called. Never holds a placeholder.
    pub fn scope(&self, keys: &[Key]) -> Scope {
        let mut values: Vec<String> = keys.iter().map(|key| self.key_name(*key)).collect();
        values.sort();
        values.dedup();
        Scope {
            kind: keys.first().map_or(ScopeKind::Site, |key| key.kind()),
            values,
        }
    }

    /// The keys behind a scope.
    pub fn keys(&self, scope: &Scope) -> Vec<Key> {
        let is_meant = |value: &str| scope.values.iter().any(|name| name == value);
        let indexes = |names: &mut dyn Iterator<Item = &String>| -> Vec<u32> {
            names
                .enumerate()
                .filter(|(_, name)| is_meant(name))
                .map(|(index, _)| index as u32)
                .collect()
        };
        match scope.kind {
            ScopeKind::Site => vec![Key::Site],
            ScopeKind::Robots => vec![Key::Robots],
            ScopeKind::Host => indexes(&mut self.hosts.iter())
                .into_iter()
                .map(Key::Host)
                .collect(),
            ScopeKind::Upstream => indexes(&mut self.upstreams.iter())
                .into_iter()
                .map(Key::Upstream)
                .collect(),
            ScopeKind::Route => {
                let paths = &mut self.prefixes.iter().map(|prefix| &prefix.path);
                indexes(paths).into_iter().map(Key::Prefix).collect()
            }
            ScopeKind::Url => {
                let paths = &mut self.urls.iter().map(|url| &url.path);
                indexes(paths).into_iter().map(Key::Url).collect()
            }
            ScopeKind::Crawler if is_meant("*") => vec![Key::AllCrawlers],
            ScopeKind::Crawler => self
                .crawlers
                .iter()
                .map(|report| Key::Crawler(report.crawler))
                .filter(|key| is_meant(&self.key_name(*key)))
                .collect(),
        }
    }

    fn key_name(&self, key: Key) -> String {
        match key {
            Key::Site | Key::AllCrawlers | Key::OtherClients => "*".to_owned(),
            Key::Host(host) => self.host(host).to_owned(),
            Key::Prefix(prefix) => self.prefixes[prefix as usize].path.clone(),
            Key::Url(url) => self.urls[url as usize].path.clone(),
            Key::Upstream(upstream) => self.upstream(upstream).to_owned(),
            Key::Crawler(crawler) => knowledge::crawler(crawler).proper_name().to_owned(),
            Key::Robots => "/robots.txt".to_owned(),
        }
    }

    /// Whether a failure lies in a scope.
    pub fn contains(&self, key: Key, failure: &FailureView) -> bool {
        match key {
            Key::Upstream(upstream) => failure.upstream == Some(upstream),
            Key::Url(url) => match failure.url {
                Some(own) => own == url,
                None => {
                    self.nodes[failure.node as usize].is_path
                        && self.urls[url as usize].node == failure.node
                }
            },
            _ => {
                let mut found = false;
                self.shared_keys(
                    failure.node,
                    failure.crawler,
                    failure.robots,
                    &mut |other| {
                        found |= other == key;
                    },
                );
                found
            }
        }
    }

    /// Good requests of `crawler` (any client for `None`) in a scope, as (first second, last second, count): exact
    /// ones one by one, counted ones by slot.
    pub fn goods(&self, keys: &[Key], crawler: Option<CrawlerId>) -> Vec<(i64, i64, u32)> {
        let urls = self.urls_by_hash();
        let mut all = Vec::new();
        for (start, slot) in &self.slots {
            match slot {
                SlotView::Exact(goods) => {
                    for good in goods
                        .iter()
                        .filter(|good| crawler.is_none() || good.crawler == crawler)
                    {
                        let mut inside = false;
                        self.good_keys(good, &urls, &mut |key| inside |= keys.contains(&key));
                        if inside {
                            all.push((good.at, good.at, 1));
                        }
                    }
                }
                SlotView::Counts { total, cells, .. } => {
                    let count = self.counted(keys, crawler, *total, cells);
                    if count > 0 {
                        all.push((*start, start + self.width - 1, count));
                    }
                }
            }
        }
        all
    }

    fn counted(
        &self,
        keys: &[Key],
        crawler: Option<CrawlerId>,
        total: u64,
        cells: &[(DimView, u32)],
    ) -> u32 {
        let node_inside = |node: u32| {
            let mut inside = false;
            self.node_keys(node, &mut |key| inside |= keys.contains(&key));
            inside
                || keys.iter().any(|key| match key {
                    Key::Url(url) => {
                        self.urls[*url as usize].node == node && self.nodes[node as usize].is_path
                    }
                    _ => false,
                })
        };
        let by_node = keys
            .iter()
            .any(|key| matches!(key, Key::Prefix(_) | Key::Host(_) | Key::Url(_)));
        let mut count = 0;
        for (dim, n) in cells {
            count += match *dim {
                DimView::Node(node) if crawler.is_none() && by_node && node_inside(node) => *n,
                DimView::CrawlerNode(who, node)
                    if Some(who) == crawler && by_node && node_inside(node) =>
                {
                    *n
                }
                DimView::Crawler(who) if !by_node => match crawler {
                    Some(crawler) => {
                        let inside = keys.iter().any(|key| match key {
                            Key::Site | Key::AllCrawlers | Key::Upstream(_) => true,
                            Key::Crawler(key) => *key == who,
                            _ => false,
                        });
                        if crawler == who && inside { *n } else { 0 }
                    }
                    None => {
                        let inside = keys.iter().any(|key| match key {
                            Key::AllCrawlers => true,
                            Key::Crawler(key) => *key == who,
                            _ => false,
                        });
                        if inside { *n } else { 0 }
                    }
                },
                DimView::Upstream(upstream)
                    if crawler.is_none() && keys.contains(&Key::Upstream(upstream)) =>
                {
                    *n
                }
                DimView::Robots if crawler.is_none() && keys.contains(&Key::Robots) => *n,
                _ => 0,
            };
        }
        if crawler.is_none() && keys.contains(&Key::Site) {
            return u32::try_from(total).unwrap_or(u32::MAX);
        }
        count
    }

    /// Good requests of `crawler` (any client for `None`) in a scope within `start..=end` seconds.
    pub fn goods_within(
        &self,
        keys: &[Key],
        crawler: Option<CrawlerId>,
        start: i64,
        end: i64,
    ) -> u64 {
        let shares: BTreeMap<i64, f64> = self.shares(start, end).collect();
        let share = |(at, until, n): (i64, i64, u32)| {
            let share = if at == until && !shares.contains_key(&at) {
                f64::from(u8::from((start..=end).contains(&at)))
            } else {
                shares.get(&at).copied().unwrap_or(0.0)
            };
            f64::from(n) * share
        };
        self.goods(keys, crawler)
            .into_iter()
            .map(share)
            .sum::<f64>()
            .round() as u64
    }

    /// Good requests by node within `start..=end` seconds.
    pub fn goods_by_node(&self, start: i64, end: i64) -> BTreeMap<u32, u64> {
        let mut sums: BTreeMap<u32, f64> = BTreeMap::new();
        let shares: BTreeMap<i64, f64> = self.shares(start, end).collect();
        for (at, slot) in &self.slots {
            match slot {
                SlotView::Exact(goods) => {
                    for good in goods.iter().filter(|good| (start..=end).contains(&good.at)) {
                        *sums.entry(good.node).or_default() += 1.0;
                    }
                }
                SlotView::Counts { cells, .. } => {
                    let share = shares.get(at).copied().unwrap_or(0.0);
                    for (dim, n) in cells.iter().filter(|_| share > 0.0) {
                        if let DimView::Node(node) = dim {
                            *sums.entry(*node).or_default() += f64::from(*n) * share;
                        }
                    }
                }
            }
        }
        sums.into_iter()
            .map(|(node, n)| (node, n.round() as u64))
            .collect()
    }

    /// For each slot of counts the share of its good requests that lies within `start..=end`: as the site's seconds
    /// tell where they were kept, which is exact for the site and the best guess for its parts; else by time.
    fn shares(&self, start: i64, end: i64) -> impl Iterator<Item = (i64, f64)> {
        self.slots.iter().filter_map(move |(at, slot)| {
            let SlotView::Counts { seconds, .. } = slot else {
                return None;
            };
            let until = at + self.width - 1;
            let share = if until < start || *at > end {
                0.0
            } else if seconds.is_empty() || seconds.iter().all(|n| *n == 0) {
                overlap(*at, until, start, end)
            } else {
                let from = (start - at).max(0) as usize;
                let to = ((end - at + 1).max(0) as usize).min(seconds.len());
                let inside: u64 = seconds
                    .get(from..to)
                    .unwrap_or_default()
                    .iter()
                    .map(|n| u64::from(*n))
                    .sum();
                let all: u64 = seconds.iter().map(|n| u64::from(*n)).sum();
                inside as f64 / all as f64
            };
            Some((*at, share))
        })
    }
}

/// Which part of the seconds `at..=until` lies in `start..=end`.
fn overlap(at: i64, until: i64, start: i64, end: i64) -> f64 {
    let inside = until.min(end) - at.max(start) + 1;
    inside.max(0) as f64 / (until - at + 1).max(1) as f64
}

/// The site's total: by second where kept, else by slot.
fn count_obs(start: i64, until: i64, total: u64, seconds: &[u32], sink: Sink<'_>) {
    if seconds.is_empty() {
        let good = u32::try_from(total).unwrap_or(u32::MAX);
        sink(
            Key::Site,
            Obs {
                at: start,
                until,
                good,
                failed: 0,
                repeats: 0,
            },
        );
        return;
    }
    for (offset, good) in seconds.iter().enumerate().filter(|(_, good)| **good > 0) {
        let at = start + offset as i64;
        sink(
            Key::Site,
            Obs {
                at,
                until: at,
                good: *good,
                failed: 0,
                repeats: 0,
            },
        );
    }
}

/// Joins observations of the same moment.
fn join(all: &mut Vec<Obs>) {
    all.dedup_by(|next, obs| {
        let same = (next.at, next.until) == (obs.at, obs.until);
        if same {
            obs.good += next.good;
            obs.failed += next.failed;
            obs.repeats += next.repeats;
        }
        same
    });
}

impl Key {
    /// The kind of scope it is.
    pub const fn kind(self) -> ScopeKind {
        match self {
            Self::Site | Self::OtherClients => ScopeKind::Site,
            Self::Host(_) => ScopeKind::Host,
            Self::Prefix(_) => ScopeKind::Route,
            Self::Url(_) => ScopeKind::Url,
            Self::Upstream(_) => ScopeKind::Upstream,
            Self::Crawler(_) | Self::AllCrawlers => ScopeKind::Crawler,
            Self::Robots => ScopeKind::Robots,
        }
    }
}
