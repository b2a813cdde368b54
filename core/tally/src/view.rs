//! A closed tally as tables in a fixed order: what judging, diagnosing and reporting read. Two tallies of the same
//! requests give equal views, however they were split.

mod failure;
mod fetch;
mod route;
mod slot;
mod total;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use model::{
    Blocked, CrawlerId, CrawlerReport, Edge, Finding, Gap, LedgerRow, Limit, Place, RobotsFact,
    RobotsPhase, Scheme, Stamp, Status, Totals,
};
use rustc_hash::FxHashMap;

use crate::Tally;
use crate::limit;
use crate::load::Load;
use crate::moment::{Grain, Moment};
use crate::trie::{NodeId, Trie};

pub(crate) use route::UNKNOWN_HOST;

/// A place in the route trie.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeView {
    /// Index of the host.
    pub host: u32,
    /// `/product/{n}`; `{…}` stands for words too many to tell apart, `/*` at the end for those no crawler fetched.
    pub route: String,
    /// Whether the route names exactly one path.
    pub is_path: bool,
    /// Whether it is the host alone: requests that name no route of the site.
    pub is_alone: bool,
    /// The prefixes of one and two literal segments it lies under.
    pub prefixes: [Option<u32>; 2],
}

/// A path prefix of one or two literal segments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PrefixView {
    /// Index of the host.
    pub host: u32,
    /// `/shop` or `/shop/item`.
    pub path: String,
    /// The prefix of one segment above one of two.
    pub parent: Option<u32>,
}

/// Failed requests that share everything, at one moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailureView {
    /// When; the first of several.
    pub at: Stamp,
    /// The last of several.
    pub until: Stamp,
    /// Where the line stands; for several the smallest.
    pub place: Place,
    /// How many.
    pub count: u32,
    /// What is known of them.
    pub(crate) known: Known,
    /// Line of the error log that decided.
    pub evidence: Option<Place>,
    /// How many had such a line.
    pub evidence_count: u64,
    /// Index of the node.
    pub node: u32,
    /// Index into `urls`; `None` for other clients, and where only counts were kept.
    pub url: Option<u32>,
    /// Hash of the query: tells URLs of one path apart, differs from run to run.
    pub(crate) query: u64,
    /// The crawler; `None` for other clients.
    pub crawler: Option<CrawlerId>,
    /// Whether its address is its operator's.
    pub verified: bool,
    /// Index of the upstream.
    pub upstream: Option<u32>,
    /// The edge that wrote it.
    pub edge: Edge,
    /// Scheme, where logged.
    pub scheme: Option<Scheme>,
    /// Whether it was `/robots.txt`.
    pub robots: bool,
    /// Status as sent to the client.
    pub status: Status,
    /// Why.
    pub finding: Option<Finding>,
    /// Repeat of one impatient client.
    pub repeat: bool,
    /// Proven broken under a good status.
    pub hidden: bool,
    /// Seconds of a Retry-After that was sent.
    pub retry_after: Option<u32>,
}

/// What is known of failures that were counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Known {
    /// First segments of the route.
    pub(crate) segments: usize,
    pub(crate) upstream: bool,
    pub(crate) host: bool,
}

impl Known {
    /// One failure by itself.
    pub(crate) const ALL: Self = Self {
        segments: usize::MAX,
        upstream: true,
        host: true,
    };
}

/// A path that crawlers failed to fetch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UrlView {
    /// Index of the host.
    pub host: u32,
    /// The path.
    pub path: String,
    /// Index of its node.
    pub node: u32,
    /// Its host by name, which the index does not tell once hosts were folded.
    pub(crate) site: String,
    /// Its hash, to find its good requests; differs from run to run.
    pub(crate) hash: u64,
}

/// What became of one URL that a crawler failed to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlFate {
    /// First failure after the last good answer.
    pub first_failed: Stamp,
    /// First good fetch after the last failure; `None` while it is owed.
    pub first_ok: Option<Stamp>,
    /// Whether it is owed, and was fetched again since it failed first.
    pub is_retried: bool,
}

/// Signs without a request that say the same within one minute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignView {
    /// The first of them.
    pub at: Stamp,
    /// Where it stands.
    pub place: Place,
    /// How many.
    pub count: u64,
    /// The edge.
    pub edge: Edge,
    /// Host; empty where the line does not say.
    pub host: String,
    /// Index of the upstream.
    pub upstream: Option<u32>,
    /// Whether they are about requests.
    pub about_request: bool,
    /// What it says.
    pub finding: Finding,
}

/// A crawler's first good fetch after a failure: anywhere (no host), on a host, or under a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LaneReturn {
    /// When.
    pub at: Stamp,
    /// Who.
    pub crawler: CrawlerId,
    /// Index of the host.
    pub host: Option<u32>,
    /// Index of the prefix.
    pub prefix: Option<u32>,
}

/// One good request that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GoodView {
    pub(crate) at: i64,
    pub(crate) node: u32,
    pub(crate) upstream: Option<u32>,
    pub(crate) crawler: Option<CrawlerId>,
    pub(crate) robots: bool,
    pub(crate) routed: bool,
    pub(crate) aside: bool,
    pub(crate) url: u64,
}

/// What a slot of counts counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum DimView {
    Node(u32),
    Upstream(u32),
    Crawler(CrawlerId),
    CrawlerNode(CrawlerId, u32),
    Robots,
    Aside(u32),
    CrawlerAside(CrawlerId, u32),
}

/// The good requests of one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SlotView {
    Exact(Vec<GoodView>),
    Counts {
        total: u64,
        seconds: Vec<u32>,
        cells: Vec<(DimView, u32)>,
    },
}

/// One dimension of failed requests. Each request is counted once in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FailedBy {
    /// The crawler; `None` for other clients.
    Client(Option<CrawlerId>),
    /// By the first segment: index of its node, and whether it was `/robots.txt`.
    First { node: u32, robots: bool },
    /// By the first two, where there are two: index of their node.
    Second(u32),
}

/// A closed tally.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// First and last stamp.
    pub span: Option<(Stamp, Stamp)>,
    /// Stretches without any line.
    pub gaps: Vec<Gap>,
    /// Lines of any kind by minute since the epoch: the site's load.
    pub minutes: Vec<(i64, u32)>,
    /// Requests and their time by slot and client, `None` for people, in order.
    pub(crate) loads: Vec<(i64, Option<CrawlerId>, Load)>,
    /// Length of such a slot in seconds.
    pub load_width: i64,
    /// Sums.
    pub totals: Totals,
    /// Crawlers, most fetches first.
    pub crawlers: Vec<CrawlerReport>,
    /// Host names, sorted; the empty one where none is logged.
    pub hosts: Vec<String>,
    /// Upstream addresses, sorted.
    pub upstreams: Vec<String>,
    /// Prefixes, sorted.
    pub prefixes: Vec<PrefixView>,
    /// Nodes of the route trie, sorted.
    pub nodes: Vec<NodeView>,
    /// Paths that crawlers failed to fetch, sorted.
    pub urls: Vec<UrlView>,
    /// Failures in order, hidden ones among them.
    pub failures: Vec<FailureView>,
    /// Signs without a request, in order.
    pub signs: Vec<SignView>,
    /// Failed requests over time, hidden ones left out.
    pub(crate) failed: Vec<(FailedBy, Moment)>,
    /// Failures by second, with all before it.
    failed_sums: Vec<(i64, u64)>,
    /// Failed attempts over time by upstream, saved ones included.
    pub failed_attempts: Vec<(u32, Moment)>,
    /// Where both are counted by moments longer than a second, in order.
    pub grains: Vec<Grain>,
    /// Returns in order.
    pub returns: Vec<LaneReturn>,
    /// The ledger, sorted by crawler, host and path.
    pub ledger: Vec<LedgerRow>,
    /// What became of each URL of it: index of the row, hash of the query.
    pub(crate) fates: Vec<(u32, u64, UrlFate)>,
    /// Crawlers that the edge kept out, worst first.
    pub blocked: Vec<Blocked>,
    /// robots.txt by crawler, host and scheme, where the last fetch failed.
    pub robots: Vec<RobotsFact>,
    /// Limits that were hit.
    pub limits: Vec<Limit>,
    pub(crate) width: i64,
    pub(crate) slots: Vec<(i64, SlotView)>,
}

/// Numbers of the view for the tally's own.
struct Maps {
    nodes: FxHashMap<NodeId, u32>,
    /// For the node of a host that of its `/`.
    roots: BTreeMap<u32, u32>,
    /// The node of requests to hosts that are none of the site's, or of too many.
    nowhere: u32,
    upstreams: Vec<Option<u32>>,
    upstream_names: Vec<String>,
    urls: FxHashMap<u64, u32>,
}

impl Maps {
    fn node(&self, trie: &Trie, id: NodeId) -> u32 {
        self.nodes
            .get(&trie.resolve(id))
            .copied()
            .unwrap_or(self.nowhere)
    }

    fn upstream(&self, number: u32) -> Option<u32> {
        self.upstreams.get(number as usize).copied().flatten()
    }
}

impl View {
    pub(crate) fn of(tally: &Tally) -> Self {
        let (hosts, prefixes, nodes, node_map) = route::routes(&tally.trie);
        let of_route = |node: &NodeView, route: &str| {
            nodes
                .iter()
                .position(|other| other.host == node.host && other.route == route)
        };
        let hosts_alone = nodes.iter().enumerate().filter(|(_, node)| node.is_alone);
        let roots = hosts_alone
            .filter_map(|(index, node)| Some((index as u32, of_route(node, "/")? as u32)))
            .collect();
        let is_nowhere = |node: &NodeView| hosts[node.host as usize] == UNKNOWN_HOST;
        let nowhere = nodes.iter().position(is_nowhere).unwrap_or(0) as u32;
        let (upstreams, upstream_map) = upstreams(tally);
        let mut maps = Maps {
            nodes: node_map,
            roots,
            nowhere,
            upstreams: upstream_map,
            upstream_names: upstreams,
            urls: FxHashMap::default(),
        };
        let urls = failure::urls(tally, &maps, &hosts);
        maps.urls = urls
            .iter()
            .enumerate()
            .map(|(index, url)| (url.hash, index as u32))
            .collect();
        let mut minutes: Vec<(i64, u32)> = tally
            .minutes
            .iter()
            .map(|(minute, n)| (*minute, *n))
            .collect();
        minutes.sort_unstable();
        let failed = failure::failed(tally, &maps);
        let (ledger, fates) = fetch::ledger(tally);
        let mut view = Self {
            span: tally.span,
            gaps: total::gaps(&minutes),
            minutes,
            loads: tally.loads.rows(),
            blocked: tally.guard.blocked(),
            load_width: tally.loads.width(),
            totals: total::totals(tally),
            crawlers: total::crawlers(tally),
            failures: failure::failures(tally, &maps),
            signs: failure::signs(tally, &maps),
            failed_sums: failure::sums(&failed),
            failed,
            failed_attempts: failure::failed_attempts(tally, &maps),
            grains: failure::grains(tally),
            returns: fetch::returns(tally, &maps, &nodes),
            ledger,
            fates,
            robots: fetch::robots(tally),
            limits: total::limits(tally),
            width: tally.slots.width(),
            slots: slot::slots(tally, &maps),
            hosts,
            upstreams: maps.upstream_names,
            prefixes,
            nodes,
            urls,
        };
        view.totals.isolated_fetches = view.totals.fetches_failed;
        view
    }

    /// What failed from `start` to `end`, both seconds included, hidden failures among it. Of several that were counted
    /// together as many as lie within, as far as the site's failures tell.
    pub fn failures_between(
        &self,
        start: i64,
        end: i64,
    ) -> impl Iterator<Item = Cow<'_, FailureView>> {
        let first = start - limit::WIDTHS[limit::WIDTHS.len() - 1];
        let first = self
            .failures
            .partition_point(|failure| failure.at.secs() < first);
        let last = self
            .failures
            .partition_point(|failure| failure.at.secs() <= end);
        let near = self.failures[first..last.max(first)].iter();
        near.filter_map(move |failure| {
            let (at, until) = (failure.at.secs(), failure.until.secs());
            if at >= start && until <= end {
                return Some(Cow::Borrowed(failure));
            }
            let inside = self.failed_within(at.max(start), until.min(end));
            let share = inside / self.failed_within(at, until).max(1.0);
            let count = (f64::from(failure.count) * share).round() as u32;
            (until >= start && count > 0).then(|| {
                Cow::Owned(FailureView {
                    at: Stamp::from_secs(at.max(start)),
                    until: Stamp::from_secs(until.min(end)),
                    count,
                    ..failure.clone()
                })
            })
        })
    }

    /// Failures of anyone in these seconds.
    pub(crate) fn failed_within(&self, start: i64, end: i64) -> f64 {
        let until = |second: i64| {
            let next = self.failed_sums.partition_point(|(at, _)| *at <= second);
            next.checked_sub(1)
                .map_or(0, |last| self.failed_sums[last].1)
        };
        (until(end) - until(start - 1).min(until(end))) as f64
    }

    /// Name of an upstream by its index.
    pub fn upstream(&self, index: u32) -> &str {
        self.upstreams
            .get(index as usize)
            .map_or("", String::as_str)
    }

    /// What each client asked within these seconds, of the slots that lie wholly within; `None` for people.
    pub fn load_within(&self, start: i64, end: i64) -> BTreeMap<Option<CrawlerId>, Load> {
        let mut all: BTreeMap<Option<CrawlerId>, Load> = BTreeMap::new();
        let first = self.loads.partition_point(|(at, _, _)| *at < start);
        let rows = self.loads[first..].iter();
        for (_, crawler, load) in rows.take_while(|(at, _, _)| at + self.load_width <= end + 1) {
            all.entry(*crawler).or_default().add(*load);
        }
        all
    }

    /// URLs of `crawler` among these failures, each once, with what became of it, where the ledger keeps it and it did
    /// not fail for the first time after `until`. `None` where only counts were kept.
    pub fn urls_lost(
        &self,
        crawler: CrawlerId,
        failures: &[&FailureView],
        until: Stamp,
    ) -> Option<Vec<Option<UrlFate>>> {
        let mut lost = BTreeSet::new();
        for failure in failures {
            if failure.crawler == Some(crawler) {
                lost.insert((failure.url?, failure.query));
            }
        }
        let fates = lost.iter().map(|(url, query)| {
            let url = &self.urls[*url as usize];
            let fate = self.fate(crawler, (&url.site, &url.path), *query);
            fate.filter(|fate| fate.first_failed <= until)
        });
        Some(fates.collect())
    }

    /// What became of a URL, or of its path, where that is one URL for good.
    fn fate(&self, crawler: CrawlerId, (host, path): (&str, &str), query: u64) -> Option<UrlFate> {
        let key = |row: &LedgerRow| {
            (row.crawler, row.host.as_str(), row.path.as_str()).cmp(&(crawler, host, path))
        };
        let row = self.ledger.binary_search_by(key).ok()? as u32;
        let of = |query| {
            let found = self
                .fates
                .binary_search_by_key(&(row, query), |(row, query, _)| (*row, *query));
            found.ok().map(|index| self.fates[index].2)
        };
        of(query).or_else(|| of(0))
    }

    /// What became of the URLs of a row of the ledger, by its index.
    pub fn fates_of(&self, row: usize) -> impl Iterator<Item = UrlFate> {
        let row = row as u32;
        let first = self.fates.partition_point(|(of, _, _)| *of < row);
        let fates = self.fates[first..].iter();
        fates
            .take_while(move |(of, _, _)| *of == row)
            .map(|(_, _, fate)| *fate)
    }

    /// Whether several hosts are told apart.
    pub fn has_hosts(&self) -> bool {
        self.hosts
            .iter()
            .filter(|host| *host != UNKNOWN_HOST)
            .count()
            > 1
    }

    /// Name of a host by its index.
    pub fn host(&self, index: u32) -> &str {
        self.hosts.get(index as usize).map_or("", String::as_str)
    }
}

fn upstreams(tally: &Tally) -> (Vec<String>, Vec<Option<u32>>) {
    let all: Vec<&str> = (0..)
        .map(|n| tally.upstreams.name(n))
        .take_while(|name| !name.is_empty())
        .collect();
    let mut sorted: Vec<String> = all.iter().map(|name| (*name).to_owned()).collect();
    sorted.sort();
    let map = all
        .iter()
        .map(|name| {
            sorted
                .binary_search_by(|other| other.as_str().cmp(name))
                .ok()
                .map(|n| n as u32)
        })
        .collect();
    (sorted, map)
}

impl View {
    /// The failing robots.txt as they stand at `now`: 12 hours and 30 days from the first failure, as
    /// `docs/verdicts.md` section 8 counts (ROB-07, ROB-08, ROB-10).
    pub fn robots_at(&self, now: Stamp) -> Vec<RobotsFact> {
        let phase = |since: Stamp| match now.secs_since(since) {
            ..43_200 => RobotsPhase::Stopped,
            43_200..2_592_000 => RobotsPhase::Cached,
            _ => RobotsPhase::Expired,
        };
        let mut all = self.robots.clone();
        for fact in &mut all {
            fact.phase = phase(fact.failing_since);
        }
        all
    }
}
