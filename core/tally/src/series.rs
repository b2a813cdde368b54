//! What the judge reads: for each candidate scope, good and failed requests in time order.

use std::borrow::Cow;
use std::collections::BTreeMap;

use model::{CrawlerId, Scope, ScopeKind};
use rustc_hash::FxHashMap;

use crate::moment::Moment;
use crate::view::{DimView, FailedBy, FailureView, GoodView, SlotView, UNKNOWN_HOST, View};

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
/// where it kept counts the good ones are spread over the slot, and failed ones lie between the first and the last.
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
        let mut series: FxHashMap<Key, Vec<Obs>> = self
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
        let mut sorted: BTreeMap<Key, Vec<Obs>> = series.into_iter().collect();
        for all in sorted.values_mut() {
            // Of a few stretches that are in order each: a stable sort merges them.
            all.sort();
            join(all);
        }
        sorted
    }

    /// Failures by candidate scope, repeats left out.
    fn failure_counts(&self) -> FxHashMap<Key, u64> {
        let mut counts = FxHashMap::from_iter([(Key::Site, 0)]);
        self.failed_obs(&self.urls_by_node(), &mut |key, obs| {
            *counts.entry(key).or_default() += u64::from(obs.failed);
        });
        let is_exact = (self.slots.iter()).all(|(_, slot)| matches!(slot, SlotView::Exact(_)));
        let has_upstreams = self.upstreams.len() > 1 && self.names_upstreams();
        // One host or one upstream of one is the site; a path is told apart only where its good requests are known:
        // where every request is kept, or where it is a node by itself.
        counts.retain(|key, _| match *key {
            Key::Host(host) => self.has_hosts() && self.host(host) != UNKNOWN_HOST,
            Key::Upstream(_) => has_upstreams,
            Key::Url(index) => {
                is_exact || self.nodes[self.urls[index as usize].node as usize].is_path
            }
            _ => true,
        });
        counts
    }

    /// Whether the log names the upstream of good requests too. Where only error lines name one, every upstream would
    /// seem to fail always.
    pub fn names_upstreams(&self) -> bool {
        let (mut named, mut all) = (0_u64, 0_u64);
        for (_, slot) in &self.slots {
            match slot {
                SlotView::Exact(goods) => {
                    all += goods.iter().filter(|good| !good.aside).count() as u64;
                    named += goods.iter().filter(|good| good.upstream.is_some()).count() as u64;
                }
                SlotView::Counts { total, cells, .. } => {
                    all += total;
                    for (dim, n) in cells {
                        match dim {
                            DimView::Upstream(_) => named += u64::from(*n),
                            DimView::Aside(_) => all -= u64::from(*n),
                            _ => {}
                        }
                    }
                }
            }
        }
        named * 2 >= all && named > 0
    }

    fn each_obs(&self, sink: Sink<'_>) {
        let urls = self.urls_by_hash();
        let proxied = self.proxied();
        let urls_by_node = self.urls_by_node();
        for (start, slot) in &self.slots {
            match slot {
                SlotView::Exact(goods) => goods
                    .iter()
                    .filter(|good| !good.aside || !proxied[good.node as usize])
                    .for_each(|good| self.good_obs(good, &urls, sink)),
                SlotView::Counts { seconds, cells, .. } => {
                    let until = self.span.map_or(i64::MAX, |(_, end)| end.secs());
                    let until = (start + self.width - 1).min(until).max(*start);
                    let cells = &effective(cells, &proxied);
                    let unrouted = self.unrouted(cells);
                    let routed = nodes_of(cells) - unrouted.values().sum::<u64>();
                    let failed = self.failed_within(*start, until);
                    let is_quiet = is_quiet(routed, failed, until - start + 1);
                    let seconds: &[u32] = if is_quiet { &[] } else { seconds };
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

    /// For each node whether upstreams answer for it: then what the edge answers by itself says nothing of them
    /// (`docs/verdicts.md`, section 1). A route that the edge always serves by itself is judged by that.
    fn proxied(&self) -> Vec<bool> {
        let mut goods = vec![0_i64; self.nodes.len()];
        for (_, slot) in &self.slots {
            match slot {
                SlotView::Exact(exact) => {
                    let served = exact.iter().filter(|good| !good.aside);
                    served.for_each(|good| goods[good.node as usize] += 1);
                }
                SlotView::Counts { cells, .. } => {
                    for (dim, n) in cells {
                        match dim {
                            DimView::Node(node) => goods[*node as usize] += i64::from(*n),
                            DimView::Aside(node) => goods[*node as usize] -= i64::from(*n),
                            _ => {}
                        }
                    }
                }
            }
        }
        let mut proxied: Vec<bool> = goods.into_iter().map(|n| n > 0).collect();
        for failure in self
            .failures
            .iter()
            .filter(|failure| failure.upstream.is_some())
        {
            proxied[failure.node as usize] = true;
        }
        proxied
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
        client_keys(crawler, each);
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
                DimView::CrawlerNode(..) | DimView::Aside(_) | DimView::CrawlerAside(..) => {}
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
        for (by, moment) in &self.failed {
            let obs = Obs::of_failures(moment);
            match *by {
                FailedBy::Client(crawler) => {
                    sink(Key::Site, obs);
                    client_keys(crawler, &mut |key| sink(key, obs));
                }
                FailedBy::First { node, robots } => {
                    let node = &self.nodes[node as usize];
                    sink(Key::Host(node.host), obs);
                    if let Some(prefix) = node.prefixes[0] {
                        sink(Key::Prefix(prefix), obs);
                    }
                    if robots {
                        sink(Key::Robots, obs);
                    }
                }
                FailedBy::Second(node) => {
                    if let Some(prefix) = self.nodes[node as usize].prefixes[1] {
                        sink(Key::Prefix(prefix), obs);
                    }
                }
            }
        }
        for failure in self.failures.iter().filter(|failure| !failure.hidden) {
            let (failed, repeats) = if failure.repeat {
                (0, failure.count)
            } else {
                (failure.count, 0)
            };
            let of_node = || match urls_by_node.get(failure.node as usize)?.as_slice() {
                [one] if self.nodes[failure.node as usize].is_path => Some(*one),
                _ => None,
            };
            if let Some(url) = failure.url.or_else(of_node) {
                let moment = Moment {
                    first: failure.at.secs(),
                    last: failure.until.secs(),
                    failed,
                    repeats,
                };
                sink(Key::Url(url), Obs::of_failures(&moment));
            }
        }
        for (upstream, moment) in &self.failed_attempts {
            sink(Key::Upstream(*upstream), Obs::of_failures(moment));
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

    /// The failures of a scope from `start` to `end`, both seconds included, in order; hidden ones left out. Where some
    /// were counted without what the scope goes by, as many of them as its own counts over time leave.
    pub fn failures_of(&self, keys: &[Key], start: i64, end: i64) -> Vec<Cow<'_, FailureView>> {
        let near = self.failures_between(start, end);
        let open = near.filter(|failure| !failure.hidden);
        let (mut own, mut open): (Vec<_>, Vec<_>) =
            open.partition(|failure| keys.iter().any(|key| self.contains(*key, failure)));
        open.retain(|failure| keys.iter().any(|key| self.may_contain(*key, failure)));
        if open.is_empty() {
            return own;
        }
        let count = |all: &[Cow<'_, FailureView>]| -> f64 {
            all.iter().map(|failure| f64::from(failure.count)).sum()
        };
        let missing = self.failed_in(keys, start, end) - count(&own);
        let share = (missing / count(&open)).clamp(0.0, 1.0);
        own.extend(open.into_iter().filter_map(|failure| {
            let count = (f64::from(failure.count) * share).round() as u32;
            let part = FailureView {
                count,
                ..failure.into_owned()
            };
            (count > 0).then_some(Cow::Owned(part))
        }));
        own.sort();
        own
    }

    /// Whether failures counted together may lie in a scope that they do not tell.
    pub fn may_contain(&self, key: Key, failure: &FailureView) -> bool {
        let known = failure.known;
        let node = &self.nodes[failure.node as usize];
        match key {
            Key::Upstream(_) => !known.upstream,
            Key::Host(_) => !known.host,
            Key::Prefix(prefix) => {
                let prefix = &self.prefixes[prefix as usize];
                let segments = 1 + usize::from(prefix.parent.is_some());
                let is_near = known.segments == 0 || node.prefixes[0] == prefix.parent;
                known.segments < segments && is_near && (!known.host || node.host == prefix.host)
            }
            _ => false,
        }
    }

    /// Failures of scopes over time. Of an upstream's attempts as many are taken to have failed the request as of all.
    fn failed_in(&self, keys: &[Key], start: i64, end: i64) -> f64 {
        let is_near = |moment: &Moment| moment.first <= end && moment.last >= start;
        let count = |moment: &Moment| f64::from(moment.failed) + f64::from(moment.repeats);
        let of_route = |by: &FailedBy| match *by {
            FailedBy::Client(_) => false,
            FailedBy::First { node, .. } => {
                let node = &self.nodes[node as usize];
                let prefix = node.prefixes[0].map(Key::Prefix);
                keys.contains(&Key::Host(node.host))
                    || prefix.is_some_and(|key| keys.contains(&key))
            }
            FailedBy::Second(node) => {
                let prefix = self.nodes[node as usize].prefixes[1].map(Key::Prefix);
                prefix.is_some_and(|key| keys.contains(&key))
            }
        };
        let near = self.failed.iter().filter(|(_, moment)| is_near(moment));
        let by_route = near.filter(|(by, _)| of_route(by));
        let by_route: f64 = by_route.map(|(_, moment)| count(moment)).sum();
        let attempts = |of: &dyn Fn(u32) -> bool| -> f64 {
            let near = self.failed_attempts.iter();
            let near = near.filter(|(upstream, moment)| of(*upstream) && is_near(moment));
            near.map(|(_, moment)| count(moment)).sum()
        };
        let own = attempts(&|upstream| keys.contains(&Key::Upstream(upstream)));
        let share = own / attempts(&|_| true).max(1.0);
        by_route + share * self.failed_within(start, end)
    }

    /// Good requests of `crawler` (any client for `None`) in a scope, as (first second, last second, count): exact
    /// ones one by one, counted ones by slot.
    pub fn goods(&self, keys: &[Key], crawler: Option<CrawlerId>) -> Vec<(i64, i64, u32)> {
        self.goods_from(keys, crawler, i64::MIN).collect()
    }

    /// Every fetch of a crawler, good or failed, in order of time.
    pub fn fetches(&self, crawler: CrawlerId) -> Vec<Obs> {
        let goods = self.goods_from(&[Key::Site], Some(crawler), i64::MIN);
        let goods = goods.map(|(at, until, good)| Obs {
            at,
            until,
            good,
            failed: 0,
            repeats: 0,
        });
        let own = FailedBy::Client(Some(crawler));
        let failed = self.failed.iter().filter(|(by, _)| *by == own);
        let failed = failed.map(|(_, moment)| Obs {
            at: moment.first,
            until: moment.last,
            good: 0,
            failed: moment.failed,
            repeats: moment.repeats,
        });
        let mut all: Vec<Obs> = goods.chain(failed).collect();
        all.sort_unstable();
        all
    }

    /// The same from the slot on that holds `from`, or would; read no further than asked for.
    pub fn goods_from<'a>(
        &'a self,
        keys: &'a [Key],
        crawler: Option<CrawlerId>,
        from: i64,
    ) -> impl Iterator<Item = (i64, i64, u32)> + 'a {
        let urls = self.urls_of(keys);
        let slots = self.slots_between(from, i64::MAX).iter();
        slots.flat_map(move |slot| self.goods_in(slot, keys, crawler, &urls))
    }

    /// The last second of a good request of `crawler` in a scope; of a slot of counts its first one.
    pub fn last_good(&self, keys: &[Key], crawler: CrawlerId) -> Option<i64> {
        let urls = self.urls_of(keys);
        let mut slots = self.slots.iter().rev();
        slots.find_map(|slot| {
            let goods = self.goods_in(slot, keys, Some(crawler), &urls);
            goods.into_iter().map(|(at, _, _)| at).max()
        })
    }

    fn goods_in(
        &self,
        (start, slot): &(i64, SlotView),
        keys: &[Key],
        crawler: Option<CrawlerId>,
        urls: &FxHashMap<u64, u32>,
    ) -> Vec<(i64, i64, u32)> {
        let is_inside = |good: &GoodView| {
            let mut inside = false;
            self.good_keys(good, urls, &mut |key| inside |= keys.contains(&key));
            inside
        };
        match slot {
            SlotView::Exact(goods) => (goods.iter())
                .filter(|good| crawler.is_none() || good.crawler == crawler)
                .filter(|good| is_inside(good))
                .map(|good| (good.at, good.at, 1))
                .collect(),
            SlotView::Counts { total, cells, .. } => {
                let count = self.counted(keys, crawler, *total, cells);
                let counted = (*start, start + self.width - 1, count);
                (count > 0).then_some(counted).into_iter().collect()
            }
        }
    }

    /// URLs by hash, where a scope is one.
    fn urls_of(&self, keys: &[Key]) -> FxHashMap<u64, u32> {
        if keys.iter().any(|key| matches!(key, Key::Url(_))) {
            self.urls_by_hash()
        } else {
            FxHashMap::default()
        }
    }

    /// The slots that hold any of these seconds.
    fn slots_between(&self, start: i64, end: i64) -> &[(i64, SlotView)] {
        let first = (self.slots).partition_point(|(at, _)| at.saturating_add(self.width) <= start);
        let last = self.slots.partition_point(|(at, _)| *at <= end);
        &self.slots[first..last.max(first)]
    }

    fn counted(
        &self,
        keys: &[Key],
        crawler: Option<CrawlerId>,
        total: u64,
        cells: &[(DimView, u32)],
    ) -> u32 {
        let node_inside = |node: u32| self.is_node_inside(keys, node);
        let by_node = keys.iter().any(|key| key.is_path());
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
                        let inside = keys.iter().any(|key| key.holds(who));
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

    /// Good requests of any client in a scope within `start..=end` seconds.
    pub fn goods_within(&self, keys: &[Key], start: i64, end: i64) -> u64 {
        let shares: BTreeMap<i64, f64> = self.shares(start, end).collect();
        let share = |(at, until, n): (i64, i64, u32)| {
            let share = if at == until && !shares.contains_key(&at) {
                f64::from(u8::from((start..=end).contains(&at)))
            } else {
                shares.get(&at).copied().unwrap_or(0.0)
            };
            f64::from(n) * share
        };
        let goods = self.goods_from(keys, None, start);
        goods
            .take_while(|(at, _, _)| *at <= end)
            .map(share)
            .sum::<f64>()
            .round() as u64
    }

    /// Good requests by upstream within `start..=end` seconds.
    pub fn goods_by_upstream(&self, start: i64, end: i64) -> BTreeMap<u32, u64> {
        let cell = |dim: &DimView| match dim {
            DimView::Upstream(upstream) => Some(*upstream),
            _ => None,
        };
        self.goods_by(start, end, |good| good.upstream, cell)
    }

    /// Good fetches in a scope by crawler within `start..=end` seconds.
    pub fn goods_by_crawler(&self, keys: &[Key], start: i64, end: i64) -> BTreeMap<CrawlerId, u64> {
        let urls = self.urls_of(keys);
        let nodes: Vec<bool> = (0..self.nodes.len() as u32)
            .map(|node| self.is_node_inside(keys, node))
            .collect();
        let exact = |good: &GoodView| {
            let mut inside = false;
            self.good_keys(good, &urls, &mut |key| inside |= keys.contains(&key));
            good.crawler.filter(|_| inside)
        };
        let by_node = keys.iter().any(|key| key.is_path());
        let cell = |dim: &DimView| match *dim {
            DimView::CrawlerNode(crawler, node) if by_node && nodes[node as usize] => Some(crawler),
            DimView::Crawler(crawler) if !by_node => {
                keys.iter().any(|key| key.holds(crawler)).then_some(crawler)
            }
            _ => None,
        };
        self.goods_by(start, end, exact, cell)
    }

    /// Good requests within `start..=end` seconds by what they are counted under, one by one and by slot.
    fn goods_by<K: Ord>(
        &self,
        start: i64,
        end: i64,
        exact: impl Fn(&GoodView) -> Option<K>,
        cell: impl Fn(&DimView) -> Option<K>,
    ) -> BTreeMap<K, u64> {
        let mut sums: BTreeMap<K, f64> = BTreeMap::new();
        let mut shares = self.shares(start, end).peekable();
        for (at, slot) in self.slots_between(start, end) {
            match slot {
                SlotView::Exact(goods) => {
                    let inside = goods.iter().filter(|good| (start..=end).contains(&good.at));
                    for by in inside.filter_map(&exact) {
                        *sums.entry(by).or_default() += 1.0;
                    }
                }
                SlotView::Counts { cells, .. } => {
                    let share = shares
                        .next_if(|(of, _)| of == at)
                        .map_or(0.0, |(_, share)| share);
                    for (dim, n) in cells.iter().filter(|_| share > 0.0) {
                        if let Some(by) = cell(dim) {
                            *sums.entry(by).or_default() += f64::from(*n) * share;
                        }
                    }
                }
            }
        }
        let sums = sums.into_iter();
        sums.map(|(by, n)| (by, n.round() as u64)).collect()
    }

    fn is_node_inside(&self, keys: &[Key], node: u32) -> bool {
        let mut inside = false;
        self.node_keys(node, &mut |key| inside |= keys.contains(&key));
        inside
            || keys.iter().any(|key| match key {
                Key::Url(url) => {
                    self.urls[*url as usize].node == node && self.nodes[node as usize].is_path
                }
                _ => false,
            })
    }

    /// Good requests by node within `start..=end` seconds.
    pub fn goods_by_node(&self, start: i64, end: i64) -> BTreeMap<u32, u64> {
        let cell = |dim: &DimView| match dim {
            DimView::Node(node) => Some(*node),
            _ => None,
        };
        self.goods_by(start, end, |good| Some(good.node), cell)
    }

    /// For each slot of counts the share of its good requests that lies within `start..=end`: as the site's seconds
    /// tell where they were kept, which is exact for the site and the best guess for its parts; else by time.
    fn shares(&self, start: i64, end: i64) -> impl Iterator<Item = (i64, f64)> {
        self.slots_between(start, end)
            .iter()
            .filter_map(move |(at, slot)| {
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

/// The cells of a slot without what the edge answered by itself for nodes that upstreams answer for.
fn effective<'a>(cells: &'a [(DimView, u32)], proxied: &[bool]) -> Cow<'a, [(DimView, u32)]> {
    let is_aside = |node: u32| proxied[node as usize];
    let aside: FxHashMap<DimView, u32> = (cells.iter())
        .filter_map(|(dim, n)| match *dim {
            DimView::Aside(node) if is_aside(node) => Some((DimView::Node(node), *n)),
            DimView::CrawlerAside(crawler, node) if is_aside(node) => {
                Some((DimView::CrawlerNode(crawler, node), *n))
            }
            _ => None,
        })
        .collect();
    if aside.is_empty() {
        return Cow::Borrowed(cells);
    }
    let mut by_crawler: BTreeMap<CrawlerId, u32> = BTreeMap::new();
    #[expect(clippy::iter_over_hash_type, reason = "sums do not depend on order")]
    for (dim, n) in &aside {
        if let DimView::CrawlerNode(crawler, _) = dim {
            *by_crawler.entry(*crawler).or_default() += n;
        }
    }
    let less = |dim: &DimView| match dim {
        DimView::Crawler(crawler) => by_crawler.get(crawler).copied(),
        dim => aside.get(dim).copied(),
    };
    let cells = cells.iter();
    let cells = cells.map(|(dim, n)| (*dim, n - less(dim).unwrap_or(0)));
    cells.filter(|(_, n)| *n > 0).collect()
}

/// Requests of a slot by node, which is all of them.
fn nodes_of(cells: &[(DimView, u32)]) -> u64 {
    let nodes = cells
        .iter()
        .filter(|(dim, _)| matches!(dim, DimView::Node(_)));
    nodes.map(|(_, n)| u64::from(*n)).sum()
}

/// The scopes that a request lies in by its client.
fn client_keys(crawler: Option<CrawlerId>, each: &mut dyn FnMut(Key)) {
    match crawler {
        Some(crawler) => {
            each(Key::Crawler(crawler));
            each(Key::AllCrawlers);
        }
        None => each(Key::OtherClients),
    }
}

impl Obs {
    const fn of_failures(moment: &Moment) -> Self {
        Self {
            at: moment.first,
            until: moment.last,
            good: 0,
            failed: moment.failed,
            repeats: moment.repeats,
        }
    }
}

/// Whether the seconds of so many good requests would tell hardly more: one in every few, and fewer failures among them
/// than any fault has (`docs/verdicts.md`, section 1).
fn is_quiet(good: u64, failed: f64, seconds: i64) -> bool {
    const BUSY: f64 = 0.2;
    const FAULT: f64 = 0.005;
    let good = good as f64;
    good > BUSY * seconds as f64 && failed < FAULT * good
}

/// The site's total: by second where kept, else by slot. Answers of the edge itself have no seconds.
fn count_obs(start: i64, until: i64, total: u64, seconds: &[u32], sink: Sink<'_>) {
    let in_seconds: u64 = seconds.iter().map(|good| u64::from(*good)).sum();
    let rest = total.saturating_sub(in_seconds);
    if rest > 0 {
        let good = u32::try_from(rest).unwrap_or(u32::MAX);
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
    /// Whether it goes by what is asked for.
    const fn is_path(self) -> bool {
        matches!(self, Self::Prefix(_) | Self::Host(_) | Self::Url(_))
    }

    /// Whether fetches of a crawler are counted for it by crawler alone.
    fn holds(self, crawler: CrawlerId) -> bool {
        match self {
            Self::Site | Self::AllCrawlers | Self::Upstream(_) => true,
            Self::Crawler(own) => own == crawler,
            Self::Host(_) | Self::Prefix(_) | Self::Url(_) | Self::OtherClients | Self::Robots => {
                false
            }
        }
    }

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
