//! A closed tally as tables in a fixed order: what judging, diagnosing and reporting read. Two tallies of the same
//! requests give equal views, however they were split.

use std::collections::BTreeMap;

use model::{
    CrawlerId, CrawlerReport, Edge, Finding, Gap, LedgerRow, Limit, Place, RobotsFact, RobotsPhase,
    Scheme, Shape, Stamp, Status, Totals,
};
use rustc_hash::FxHashMap;

use crate::Tally;
use crate::failure::{Cell, CellCounts, Failures, Record};
use crate::ledger::{Lane, PathEntry};
use crate::limit;
use crate::slot::{Body, Dim};
use crate::trie::{NodeId, ROOT, Trie};

/// A place in the route trie.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeView {
    /// Index of the host.
    pub host: u32,
    /// `/product/{n}`; what no crawler fetched is `{…}`.
    pub route: String,
    /// Whether the route names exactly one path.
    pub is_path: bool,
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
    /// When.
    pub at: Stamp,
    /// Where the line stands; for several the smallest.
    pub place: Place,
    /// How many.
    pub count: u32,
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
    pub(crate) url: u64,
}

/// What a slot of counts counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DimView {
    Node(u32),
    Upstream(u32),
    Crawler(CrawlerId),
    CrawlerNode(CrawlerId, u32),
    Robots,
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

/// A closed tally.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// First and last stamp.
    pub span: Option<(Stamp, Stamp)>,
    /// Stretches without any line.
    pub gaps: Vec<Gap>,
    /// Lines of any kind by minute since the epoch: the site's load.
    pub minutes: Vec<(i64, u32)>,
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
    /// Failed attempts: upstream, second, how many.
    pub failed_attempts: Vec<(u32, i64, u32)>,
    /// Returns in order.
    pub returns: Vec<LaneReturn>,
    /// The ledger, sorted by crawler, host and path.
    pub ledger: Vec<LedgerRow>,
    /// URLs still owed: crawler, host, path and hash of the query, with the first failure since the last good answer.
    pub(crate) owed: BTreeMap<(CrawlerId, String, String, u64), Stamp>,
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
        let (hosts, prefixes, nodes, node_map) = routes(&tally.trie);
        let of_route = |node: &NodeView, route: &str| {
            nodes
                .iter()
                .position(|other| other.host == node.host && other.route == route)
        };
        let hosts_alone = nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.route == HOST_ALONE);
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
        let urls = urls(tally, &maps, &hosts);
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
        let mut view = Self {
            span: tally.span,
            gaps: gaps(&minutes),
            minutes,
            totals: totals(tally),
            crawlers: crawlers(tally),
            failures: failures(tally, &maps),
            signs: signs(tally, &maps),
            failed_attempts: failed_attempts(tally, &maps),
            returns: returns(tally, &maps, &nodes),
            ledger: ledger(tally),
            owed: owed(tally),
            robots: robots(tally),
            limits: limits(tally),
            width: tally.slots.width(),
            slots: slots(tally, &maps),
            hosts,
            upstreams: maps.upstream_names,
            prefixes,
            nodes,
            urls,
        };
        view.totals.isolated_fetches = view.totals.fetches_failed;
        view
    }

    /// Name of an upstream by its index.
    pub fn upstream(&self, index: u32) -> &str {
        self.upstreams
            .get(index as usize)
            .map_or("", String::as_str)
    }

    /// URLs of `crawler` among these failures (as index of the URL and the failure), and how many of them are still
    /// owed since one of them. `None` where only counts were kept.
    pub fn urls_lost(
        &self,
        crawler: CrawlerId,
        failures: &[&FailureView],
        until: Stamp,
    ) -> Option<(u64, u64)> {
        let mut lost = BTreeMap::new();
        for failure in failures
            .iter()
            .filter(|failure| failure.crawler == Some(crawler))
        {
            lost.insert((failure.url?, failure.query), ());
        }
        let is_owed = |(url, query): &(u32, u64)| {
            let url = &self.urls[*url as usize];
            let key = |query| (crawler, url.site.clone(), url.path.clone(), query);
            let since = self
                .owed
                .get(&key(*query))
                .or_else(|| self.owed.get(&key(0)));
            since.is_some_and(|since| *since <= until)
        };
        let owed = lost.keys().filter(|url| is_owed(url)).count();
        Some((lost.len() as u64, owed as u64))
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

type Routes = (
    Vec<String>,
    Vec<PrefixView>,
    Vec<NodeView>,
    FxHashMap<NodeId, u32>,
);

/// Hosts, prefixes and nodes by name, and the node of the view for each of the trie's.
fn routes(trie: &Trie) -> Routes {
    let named: Vec<(NodeId, NamedNode)> = trie
        .iter()
        .filter_map(|(id, _)| Some((id, NamedNode::of(trie, id)?)))
        .collect();
    let mut hosts: Vec<String> = named.iter().map(|(_, node)| node.host.clone()).collect();
    hosts.push(UNKNOWN_HOST.to_owned());
    hosts.sort();
    hosts.dedup();
    let index = |host: &str| {
        hosts
            .binary_search_by(|other| other.as_str().cmp(host))
            .unwrap_or(0) as u32
    };
    let mut paths: Vec<(u32, String)> = named
        .iter()
        .flat_map(|(_, node)| {
            node.prefixes()
                .into_iter()
                .flatten()
                .map(|path| (index(&node.host), path))
        })
        .collect();
    paths.sort();
    paths.dedup();
    let prefix = |host: u32, path: &str| {
        let found = paths.binary_search_by(|(h, p)| (*h, p.as_str()).cmp(&(host, path)));
        found.ok().map(|index| index as u32)
    };
    let prefixes = paths
        .iter()
        .map(|(host, path)| PrefixView {
            host: *host,
            path: path.clone(),
            parent: path
                .rfind('/')
                .filter(|at| *at > 0)
                .and_then(|at| prefix(*host, &path[..at])),
        })
        .collect();
    let view = |node: &NamedNode| {
        let host = index(&node.host);
        NodeView {
            host,
            route: node.route(),
            is_path: node.is_path(),
            prefixes: node
                .prefixes()
                .map(|path| path.and_then(|path| prefix(host, &path))),
        }
    };
    let alone = |host: &str, words| NamedNode {
        host: host.to_owned(),
        words,
    };
    let nowhere = alone(UNKNOWN_HOST, Vec::new());
    let roots = hosts
        .iter()
        .map(|host| alone(host, vec![(Some(String::new()), UNKNOWN)]));
    let mut nodes: Vec<NodeView> = named.iter().map(|(_, node)| view(node)).collect();
    nodes.push(view(&nowhere));
    nodes.extend(roots.map(|root| view(&root)));
    nodes.sort();
    nodes.dedup();
    let map = named
        .iter()
        .map(|(id, node)| (*id, nodes.binary_search(&view(node)).unwrap_or(0) as u32))
        .collect();
    (hosts, prefixes, nodes, map)
}

/// Stands for hosts that no crawler asked for and that never answered well, and for all hosts once there are too many.
pub(crate) const UNKNOWN_HOST: &str = "{…}";

/// The route of a host alone: what is known to be on it, but not where.
const HOST_ALONE: &str = "/*";

/// Stands for a word whose text never came with a crawler's fetch.
const UNKNOWN: &str = "";

/// A node with its words.
struct NamedNode {
    host: String,
    /// Text of a literal, or `None` with the placeholder.
    words: Vec<(Option<String>, &'static str)>,
}

impl NamedNode {
    fn of(trie: &Trie, mut id: NodeId) -> Option<Self> {
        let mut words = Vec::new();
        while id != ROOT {
            let node = trie.node(id);
            let placeholder = node.shape.placeholder().unwrap_or(UNKNOWN);
            let text = node
                .text
                .as_deref()
                .filter(|_| node.shape == Shape::Literal);
            words.push((text.map(str::to_owned), placeholder));
            id = node.parent;
        }
        let (host, placeholder) = words.pop()?;
        words.reverse();
        Some(Self {
            host: host.unwrap_or_else(|| placeholder.to_owned()),
            words,
        })
    }

    fn route(&self) -> String {
        // The host itself: what is known to be on it, but not where.
        if self.words.is_empty() {
            return HOST_ALONE.to_owned();
        }
        let mut route = String::new();
        for (text, placeholder) in &self.words {
            match text {
                Some(text) => route.extend(["/", text]),
                // A word that no crawler fetched has no text, and what comes below it says no more.
                None if *placeholder == UNKNOWN => {
                    route.push_str("/*");
                    break;
                }
                None => route.extend(["/", placeholder]),
            }
        }
        route
    }

    fn is_path(&self) -> bool {
        (1..model::Route::DEPTH).contains(&self.words.len())
            && self.words.iter().all(|(text, _)| text.is_some())
    }

    /// The prefixes of one and two literal segments; not the empty word of a path that ends in a slash.
    fn prefixes(&self) -> [Option<String>; 2] {
        let word = |index: usize| {
            let text = self.words.get(index)?.0.as_deref()?;
            (!text.is_empty()).then_some(text)
        };
        let one = word(0).map(|word| format!("/{word}"));
        let two = one
            .as_ref()
            .and_then(|one| word(1).map(|word| format!("{one}/{word}")));
        [one, two]
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

fn urls(tally: &Tally, maps: &Maps, hosts: &[String]) -> Vec<UrlView> {
    let mut urls: BTreeMap<(String, String), UrlView> = BTreeMap::new();
    for failures in tally.failures.values() {
        let Failures::Records(records) = failures else {
            continue;
        };
        for record in records {
            let Some(path) = &record.path else { continue };
            let host = record.cell.host.to_string();
            urls.entry((host, path.to_string()))
                .or_insert_with_key(|(host, path)| UrlView {
                    host: hosts
                        .binary_search(host)
                        .or_else(|_| hosts.binary_search_by(|name| name.as_str().cmp(UNKNOWN_HOST)))
                        .unwrap_or(0) as u32,
                    path: path.clone(),
                    site: host.clone(),
                    node: node_of(tally, maps, &record.cell),
                    hash: record.url,
                });
        }
    }
    urls.into_values().collect()
}

fn node_of(tally: &Tally, maps: &Maps, cell: &Cell) -> u32 {
    let node = maps.node(&tally.trie, tally.trie.find(&cell.host, &cell.route));
    // `/` is on every host, also where no good request for it was read.
    let is_root = cell.route.len == 0 && !cell.route.deeper;
    is_root
        .then(|| maps.roots.get(&node).copied())
        .flatten()
        .unwrap_or(node)
}

fn failures(tally: &Tally, maps: &Maps) -> Vec<FailureView> {
    let mut all = Vec::with_capacity(tally.failures.entries());
    for failures in tally.failures.values() {
        match failures {
            Failures::Records(records) => {
                all.extend(records.iter().map(|record| of_record(tally, maps, record)));
            }
            Failures::Cells(cells) => {
                for (cell, counts) in cells {
                    of_cell(tally, maps, cell, counts, &mut all);
                }
            }
        }
    }
    all.sort_unstable();
    all
}

fn of_record(tally: &Tally, maps: &Maps, record: &Record) -> FailureView {
    FailureView {
        at: record.at,
        place: record.place,
        count: 1,
        evidence: record.evidence,
        evidence_count: u64::from(record.evidence.is_some()),
        url: record
            .path
            .as_ref()
            .and_then(|_| maps.urls.get(&record.url).copied()),
        query: record.query,
        retry_after: record.retry_after,
        ..shared(tally, maps, &record.cell)
    }
}

/// One view a second; the evidence stands with the first.
fn of_cell(
    tally: &Tally,
    maps: &Maps,
    cell: &Cell,
    counts: &CellCounts,
    all: &mut Vec<FailureView>,
) {
    for (index, (second, count)) in counts.seconds.iter().enumerate() {
        let first = index == 0;
        all.push(FailureView {
            at: Stamp::from_secs(*second),
            place: counts.place,
            count: *count,
            evidence: counts.evidence.filter(|_| first),
            evidence_count: if first { counts.evidence_count } else { 0 },
            retry_after: counts.retry_after,
            ..shared(tally, maps, cell)
        });
    }
}

fn shared(tally: &Tally, maps: &Maps, cell: &Cell) -> FailureView {
    FailureView {
        at: Stamp::default(),
        place: Place::default(),
        count: 0,
        evidence: None,
        evidence_count: 0,
        node: node_of(tally, maps, cell),
        url: None,
        query: 0,
        crawler: cell.crawler,
        upstream: maps.upstream(cell.upstream),
        edge: cell.edge,
        scheme: cell.scheme,
        robots: cell.route.robots,
        status: cell.status,
        finding: cell.finding,
        repeat: cell.repeat,
        hidden: cell.hidden,
        retry_after: None,
    }
}

fn signs(tally: &Tally, maps: &Maps) -> Vec<SignView> {
    let mut all: Vec<SignView> = tally
        .signs
        .iter()
        .map(|(key, counts)| SignView {
            at: counts.first,
            place: counts.place,
            count: counts.count,
            edge: key.edge,
            host: key.host.to_string(),
            upstream: maps.upstream(key.upstream),
            about_request: key.about_request,
            finding: key.finding,
        })
        .collect();
    all.sort();
    all
}

fn failed_attempts(tally: &Tally, maps: &Maps) -> Vec<(u32, i64, u32)> {
    let mut all: Vec<(u32, i64, u32)> = tally
        .failed_attempts
        .iter()
        .filter_map(|(upstream, second, n)| Some((maps.upstream(upstream)?, second, n)))
        .collect();
    all.sort_unstable();
    all
}

fn returns(tally: &Tally, maps: &Maps, nodes: &[NodeView]) -> Vec<LaneReturn> {
    let mut all: Vec<LaneReturn> = tally
        .ledger
        .returns
        .iter()
        .filter_map(|back| {
            let (host, prefix) = lane_of(tally, maps, nodes, back.lane)?;
            Some(LaneReturn {
                at: back.at,
                crawler: back.lane.crawler,
                host,
                prefix,
            })
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Host and prefix of a lane; `None` where its segments have no prefix of their own.
fn lane_of(
    tally: &Tally,
    maps: &Maps,
    nodes: &[NodeView],
    lane: Lane,
) -> Option<(Option<u32>, Option<u32>)> {
    if lane.host == 0 && lane.first == 0 {
        return Some((None, None));
    }
    let node = &nodes[maps.node(
        &tally.trie,
        tally.trie.descend([lane.host, lane.first, lane.second]),
    ) as usize];
    match (lane.first, lane.second) {
        (0, _) => Some((Some(node.host), None)),
        (_, 0) => node.prefixes[0].map(|prefix| (Some(node.host), Some(prefix))),
        _ => node.prefixes[1].map(|prefix| (Some(node.host), Some(prefix))),
    }
}

fn ledger(tally: &Tally) -> Vec<LedgerRow> {
    let mut rows: Vec<LedgerRow> = tally.ledger.paths.values().map(ledger_row).collect();
    rows.sort_unstable_by(|a, b| (a.crawler, &a.host, &a.path).cmp(&(b.crawler, &b.host, &b.path)));
    rows
}

fn ledger_row(entry: &PathEntry) -> LedgerRow {
    let whole = entry.whole;
    let (urls, owed) =
        entry
            .urls
            .as_ref()
            .map_or((1, u64::from(whole.first_ok.is_none())), |urls| {
                let owed = urls.values().filter(|url| url.first_ok.is_none()).count();
                (urls.len() as u64, owed as u64)
            });
    let (first_failed, last_ok) =
        entry
            .urls
            .as_ref()
            .map_or((whole.first_failed, whole.first_ok), |urls| {
                let open = urls.values().filter(|url| url.first_ok.is_none());
                let first = open.map(|url| url.first_failed).min();
                (
                    first
                        .or(urls.values().map(|url| url.first_failed).min())
                        .unwrap_or(whole.first_failed),
                    urls.values().filter_map(|url| url.first_ok).max(),
                )
            });
    LedgerRow {
        crawler: entry.crawler,
        host: entry.host.to_string(),
        path: entry.path.to_string(),
        urls,
        owed,
        failed: whole.failed,
        first_failed,
        last_failed: whole.last_failed,
        first_ok: last_ok.filter(|_| owed == 0),
    }
}

fn owed(tally: &Tally) -> BTreeMap<(CrawlerId, String, String, u64), Stamp> {
    let mut owed = BTreeMap::new();
    #[expect(clippy::iter_over_hash_type, reason = "collected into a sorted map")]
    for entry in tally.ledger.paths.values() {
        let key = |query| {
            (
                entry.crawler,
                entry.host.to_string(),
                entry.path.to_string(),
                query,
            )
        };
        match &entry.urls {
            Some(urls) => owed.extend(
                urls.iter()
                    .filter(|(_, url)| url.first_ok.is_none())
                    .map(|(query, url)| (key(*query), url.first_failed)),
            ),
            // Too many queries: the path is one URL.
            None if entry.whole.first_ok.is_none() => {
                owed.insert(key(0), entry.whole.first_failed);
            }
            None => {}
        }
    }
    owed
}

/// Phases are fixed by [`View::robots_at`], which knows the moment of judgement.
fn robots(tally: &Tally) -> Vec<RobotsFact> {
    tally
        .ledger
        .robots
        .iter()
        .filter_map(|(key, state)| {
            Some(RobotsFact {
                crawler: key.crawler,
                host: key.host.to_string(),
                scheme: key.scheme,
                failing_since: state.failing_since?,
                last_ok: state.last_ok,
                phase: RobotsPhase::Stopped,
            })
        })
        .collect()
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

fn totals(tally: &Tally) -> Totals {
    let sums = &tally.sums;
    Totals {
        requests: sums.requests,
        failed: sums.failed,
        hidden_failures: sums.hidden,
        saved_by_retry: sums.saved,
        client_aborts: sums.aborts,
        fetches: sums.fetches,
        fetches_failed: sums.fetches_failed,
        fetches_aborted: sums.fetches_aborted,
        by_status: (0..)
            .map(Status)
            .zip(sums.by_status.iter().copied())
            .filter(|(_, n)| *n > 0)
            .collect(),
        saved_by_upstream: tally
            .saved_by_upstream
            .iter()
            .map(|(upstream, n)| (tally.upstreams.name(*upstream).to_owned(), *n))
            .collect(),
        saved_by_cause: by_cause_name(&sums.saved_by_cause),
        hidden_by_cause: by_cause_name(&sums.hidden_by_cause),
        isolated_fetches: 0,
    }
}

fn by_cause_name(counts: &BTreeMap<Option<model::Cause>, u64>) -> BTreeMap<&'static str, u64> {
    counts
        .iter()
        .map(|(cause, n)| (cause.map_or("unknown", model::Cause::name), *n))
        .collect()
}

fn crawlers(tally: &Tally) -> Vec<CrawlerReport> {
    let sums = &tally.sums;
    let mut all: BTreeMap<CrawlerId, CrawlerReport> = BTreeMap::new();
    let empty = |crawler| CrawlerReport {
        crawler,
        fetches: 0,
        failed: 0,
        by_status: BTreeMap::new(),
        identity: [0; 4],
    };
    let mut identities: Vec<_> = sums.crawler_identity.iter().collect();
    identities.sort_unstable();
    for (crawler, identity) in identities {
        let report = all.entry(*crawler).or_insert_with(|| empty(*crawler));
        report.identity = *identity;
        report.failed = sums.crawler_failed.get(crawler).copied().unwrap_or(0);
    }
    let mut statuses: Vec<_> = sums.crawler_status.iter().collect();
    statuses.sort_unstable();
    for ((crawler, status), n) in statuses {
        let report = all.entry(*crawler).or_insert_with(|| empty(*crawler));
        report.fetches += n;
        report.by_status.insert(*status, *n);
    }
    let mut all: Vec<CrawlerReport> = all.into_values().collect();
    all.sort_by_key(|report| (std::cmp::Reverse(report.fetches), report.crawler));
    all
}

fn limits(tally: &Tally) -> Vec<Limit> {
    let mut all = Vec::new();
    if tally.trie.hosts_folded() {
        all.push(Limit {
            name: "hosts told apart",
            limit: u64::from(limit::CHILDREN_MAX[0]),
            dropped: 1,
        });
    }
    let width = tally.slots.width();
    if width > limit::WIDTHS[0] {
        all.push(Limit {
            name: "slots over the span: good requests are counted by wider ones, in seconds",
            limit: limit::SLOTS_MAX as u64,
            dropped: width as u64,
        });
    }
    let left_out: u64 = tally.ledger.left_out.values().sum();
    if left_out > 0 {
        all.push(Limit {
            name: "failed paths in the ledger, per crawler",
            limit: limit::LEDGER_PATHS_MAX as u64,
            dropped: left_out,
        });
    }
    let folded = tally
        .ledger
        .paths
        .values()
        .filter(|entry| entry.urls.is_none())
        .count() as u64;
    if folded > 0 {
        all.push(Limit {
            name: "URLs of one path that differ in the query",
            limit: limit::LEDGER_QUERIES_MAX as u64,
            dropped: folded,
        });
    }
    let attempts = tally.failed_attempts.iter().map(|(_, _, n)| u64::from(n));
    let attempts: u64 = attempts.sum();
    if tally.upstreams.folded {
        all.push(Limit {
            name: "upstream addresses",
            limit: limit::UPSTREAMS_MAX as u64,
            dropped: attempts,
        });
    }
    let cells = tally
        .failures
        .values()
        .filter(|slot| matches!(slot, Failures::Cells(_)))
        .count();
    if cells > 0 {
        all.push(Limit {
            name: "failures kept one by one, per slot",
            limit: limit::FAILURES_PER_SLOT_MAX as u64,
            dropped: cells as u64,
        });
    }
    if tally.ledger.late > 0 {
        all.push(Limit {
            name: "fetches that came after their time was closed",
            limit: limit::LATE_SECONDS as u64,
            dropped: tally.ledger.late,
        });
    }
    all.extend(moments(tally));
    all
}

/// Tables in which a limit made moments longer: what they hold is right but for that many seconds.
fn moments(tally: &Tally) -> Vec<Limit> {
    let mut all = Vec::new();
    let mut push = |name, limit: usize, dropped: u64| {
        all.push(Limit {
            name,
            limit: limit as u64,
            dropped,
        });
    };
    let seconds = tally.failed_attempts.moment();
    // Without upstreams none is shown.
    if seconds > 1 && !tally.upstreams.folded {
        let name = "failed attempts by upstream and second: counted by longer moments, in seconds";
        push(name, limit::FAILED_ATTEMPTS_MAX, seconds as u64);
    }
    if let Some(seconds) = tally.signs.coarse() {
        let name = "signs by minute, host and upstream: counted by longer moments, in seconds";
        push(name, limit::SIGNS_MAX, seconds as u64);
    }
    let seconds = tally.ledger.returns.moment();
    if seconds > 0 {
        let name = "first good fetches after a failure: one in each longer moment, in seconds";
        push(name, limit::RETURNS_MAX, seconds as u64);
    }
    let lanes = tally.ledger.lanes_left_out;
    if lanes > 0 {
        let name = "prefixes with a first good fetch after a failure, per crawler";
        push(name, limit::LANES_MAX, lanes);
    }
    all
}

fn slots(tally: &Tally, maps: &Maps) -> Vec<(i64, SlotView)> {
    let node = |id| maps.node(&tally.trie, id);
    tally
        .slots
        .iter()
        .map(|(start, slot)| {
            let view = match &slot.body {
                Body::Exact(goods) => {
                    let mut all: Vec<GoodView> = goods
                        .iter()
                        .map(|good| GoodView {
                            at: good.at,
                            node: node(good.node),
                            upstream: maps.upstream(good.upstream),
                            crawler: good.crawler,
                            robots: good.robots,
                            url: good.url,
                        })
                        .collect();
                    all.sort_unstable();
                    SlotView::Exact(all)
                }
                Body::Counts {
                    total,
                    seconds,
                    cells,
                } => {
                    let mut sums: BTreeMap<DimView, u32> = BTreeMap::new();
                    #[expect(clippy::iter_over_hash_type, reason = "summed into a sorted map")]
                    for (number, n) in cells {
                        let dim = match tally.slots.dim(*number) {
                            Dim::Node(id) => DimView::Node(node(id)),
                            Dim::Upstream(number) => match maps.upstream(number) {
                                Some(upstream) => DimView::Upstream(upstream),
                                None => continue,
                            },
                            Dim::Crawler(crawler) => DimView::Crawler(crawler),
                            Dim::CrawlerNode(crawler, id) => {
                                DimView::CrawlerNode(crawler, node(id))
                            }
                            Dim::Robots => DimView::Robots,
                        };
                        *sums.entry(dim).or_default() += n;
                    }
                    SlotView::Counts {
                        total: *total,
                        seconds: seconds.clone(),
                        cells: sums.into_iter().collect(),
                    }
                }
            };
            (start, view)
        })
        .collect()
}

/// Stretches without a line that the site's rhythm does not explain: longer than ten minutes, and so long that at
/// the rate of the hours around it less than one in a million such stretches would be empty.
fn gaps(minutes: &[(i64, u32)]) -> Vec<Gap> {
    /// ln of one in a million.
    const SURPRISE: f64 = 13.8;
    const AROUND_MINUTES: i64 = 180;
    let sums: Vec<u64> = minutes
        .iter()
        .scan(0, |sum, (_, n)| {
            *sum += u64::from(*n);
            Some(*sum)
        })
        .collect();
    // Lines in the minutes from..to.
    let lines = |from: i64, to: i64| {
        let upto = |minute: i64| {
            let count = minutes.partition_point(|(m, _)| *m < minute);
            count.checked_sub(1).map_or(0, |last| sums[last])
        };
        upto(to) - upto(from)
    };
    minutes
        .windows(2)
        .filter_map(|pair| {
            let (before, after) = (pair[0].0, pair[1].0);
            let empty = after - before - 1;
            if empty < 10 {
                return None;
            }
            let sides = [
                lines(before - AROUND_MINUTES, before + 1),
                lines(after, after + AROUND_MINUTES + 1),
            ];
            // The quieter side speaks: a site may fall asleep at night.
            let rate = sides[0].min(sides[1]) as f64 / (AROUND_MINUTES + 1) as f64;
            (rate * empty as f64 > SURPRISE).then_some(Gap {
                start: Stamp::from_secs((before + 1) * 60),
                end: Stamp::from_secs(after * 60),
            })
        })
        .collect()
}
