//! A judgement to an incident: who was hit where, and who came back. Exact facts, read from the closed tally.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use model::{
    Bounds, Counts, CrawlerHit, CrawlerId, Incident, IncidentId, LedgerRow, PathHit, Revision,
    RouteHit, Scope, ScopeKind, Stamp, TimeToReturn, UpstreamHit,
};
use tally::{FailureView, Key, LaneReturn, UrlFate, View};

use crate::judge::Judged;

/// The whole of an incident.
pub(crate) fn incident(view: &View, judged: &Judged) -> Incident {
    let scope = view.scope(&judged.keys);
    let inside = inside(view, judged);
    let failures: Vec<&FailureView> = inside.iter().map(Cow::as_ref).collect();
    let last = judged.last_failure;
    let crawlers = crawlers(view, judged, &failures);
    let history = judged
        .history
        .iter()
        .map(|(at, verdict, probability)| Revision {
            at: Stamp::from_secs(*at),
            verdict: *verdict,
            probability: *probability,
            scope: scope.clone(),
        });
    Incident {
        id: id(&scope, judged.start),
        supersedes: Vec::new(),
        start: Stamp::from_secs(judged.start),
        end: judged.end.map(Stamp::from_secs),
        last_failure: Stamp::from_secs(last),
        rates: Vec::new(),
        bounds: Bounds {
            start: stamps(judged.bounds.start),
            end: judged.bounds.end.map(stamps),
            share: judged.bounds.share,
        },
        first_detected: Stamp::from_secs(judged.first_detected),
        verdict: judged.verdict,
        probability: judged.probability,
        why: judged.why.replace("{scope}", &words(&scope)),
        would_change: judged.would_change.clone(),
        intended: false,
        runs: judged
            .runs
            .iter()
            .map(|(start, end)| (Stamp::from_secs(*start), Stamp::from_secs(*end)))
            .collect(),
        statuses: statuses(&failures),
        requests: requests(view, judged, &failures),
        fetches: Counts {
            failed: crawlers.iter().map(|hit| hit.failed).sum(),
            total: crawlers.iter().map(|hit| hit.total).sum(),
            repeats: 0,
        },
        history: history.collect(),
        paths: paths(view, &failures),
        routes: routes(view, judged, &failures),
        upstreams: upstreams(view, judged),
        crawlers,
        scope,
    }
}

fn stamps((from, to): (i64, i64)) -> (Stamp, Stamp) {
    (Stamp::from_secs(from), Stamp::from_secs(to))
}

/// FNV-1a over scope and earliest failure: the same in every run and on every machine.
fn id(scope: &Scope, start: i64) -> IncidentId {
    let text = format!(
        "*\n{}\n{}\n{start}",
        scope.kind.name(),
        scope.values.join("\n")
    );
    IncidentId(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    }))
}

/// A scope in a sentence.
fn words(scope: &Scope) -> String {
    match scope.kind {
        ScopeKind::Site => "the whole site".to_owned(),
        ScopeKind::Crawler if scope.values == ["*"] => "crawlers".to_owned(),
        _ => scope.values.join(", "),
    }
}

/// The failures of the incident, in order. Hidden ones are no evidence of it.
fn inside<'a>(view: &'a View, judged: &Judged) -> Vec<Cow<'a, FailureView>> {
    view.failures_of(&judged.keys, judged.start, judged.last_failure)
}

fn statuses(failures: &[&FailureView]) -> BTreeMap<model::Status, u64> {
    let mut statuses = BTreeMap::new();
    for failure in failures {
        *statuses.entry(failure.status).or_default() += u64::from(failure.count);
    }
    statuses
}

/// Good requests from the first to the last failure; those of the first second came before it, as far as the judge
/// knows.
fn requests(view: &View, judged: &Judged, failures: &[&FailureView]) -> Counts {
    let sum = |all: &mut dyn Iterator<Item = &&FailureView>| {
        all.map(|failure| u64::from(failure.count)).sum::<u64>()
    };
    let failed = sum(&mut failures.iter());
    Counts {
        failed,
        total: failed + view.goods_within(&judged.keys, judged.start + 1, judged.last_failure),
        repeats: sum(&mut failures.iter().filter(|failure| failure.repeat)),
    }
}

fn crawlers(view: &View, judged: &Judged, failures: &[&FailureView]) -> Vec<CrawlerHit> {
    let mut failed: BTreeMap<CrawlerId, (u64, u64, i64)> = BTreeMap::new();
    for failure in failures {
        if let Some(crawler) = failure.crawler {
            let (count, verified, last) = failed.entry(crawler).or_default();
            *count += u64::from(failure.count);
            *verified += u64::from(failure.count) * u64::from(failure.verified);
            *last = failure.until.secs().max(*last);
        }
    }
    let good = view.goods_by_crawler(&judged.keys, judged.start + 1, judged.last_failure);
    let mut hits: Vec<CrawlerHit> = failed
        .into_iter()
        .map(|(crawler, (failed, verified, last))| {
            let total = failed + good.get(&crawler).copied().unwrap_or(0);
            let counts = Counts {
                failed,
                total,
                repeats: 0,
            };
            CrawlerHit {
                verified,
                ..crawler_hit(view, judged, failures, crawler, counts, last)
            }
        })
        .collect();
    hits.sort_by_key(|hit| (std::cmp::Reverse(hit.failed), hit.crawler));
    hits
}

fn crawler_hit(
    view: &View,
    judged: &Judged,
    failures: &[&FailureView],
    crawler: CrawlerId,
    counts: Counts,
    last_failed: i64,
) -> CrawlerHit {
    let is_upstream = matches!(judged.keys.first(), Some(Key::Upstream(_)));
    // Which upstream a crawler gets is chance: it is back once it is served by any.
    let back_on: &[Key] = if is_upstream {
        &[Key::Site]
    } else {
        &judged.keys
    };
    let first_ok = first_ok(view, judged, back_on, crawler, last_failed);
    let last_good = view.last_good(back_on, crawler);
    let urls = urls(view, judged, failures, crawler);
    CrawlerHit {
        crawler,
        failed: counts.failed,
        verified: 0,
        total: counts.total,
        first_ok: first_ok.map(Stamp::from_secs),
        last_ok: last_good.map(Stamp::from_secs),
        last_seen: last_good.max(Some(last_failed)).map(Stamp::from_secs),
        urls_lost: urls.lost,
        urls_refetched: urls.lost - urls.owed,
        urls_owed: urls.owed,
        urls_retried: urls.retried,
        time_to_return: time_to_return(urls.took),
    }
}

/// First good fetch after the last failure: exact from requests kept one by one and from the returns; else the start
/// of the first slot that counts one.
fn first_ok(
    view: &View,
    judged: &Judged,
    back_on: &[Key],
    crawler: CrawlerId,
    last_failed: i64,
) -> Option<i64> {
    let counted =
        (view.goods_from(back_on, Some(crawler), last_failed)).find(|(at, _, _)| *at > last_failed);
    let returned = view
        .returns
        .iter()
        .filter(|back| back.crawler == crawler && back.at.secs() >= last_failed)
        .filter(|back| judged.keys.iter().any(|key| is_lane(*key, back)))
        .map(|back| back.at.secs())
        .min();
    let refetched = refetched(view, judged, crawler, last_failed);
    match (counted, returned.or(refetched)) {
        (Some((at, until, _)), Some(back)) if at == until => Some(at.min(back)),
        (_, Some(back)) => Some(back),
        (counted, None) => counted.map(|(at, _, _)| at),
    }
}

/// Of a scope of one path, where only slots of good requests were kept: the ledger's moment, if nothing failed later.
fn refetched(view: &View, judged: &Judged, crawler: CrawlerId, last_failed: i64) -> Option<i64> {
    let path = match judged.keys.as_slice() {
        [Key::Robots] => "/robots.txt",
        [Key::Url(url)] => view.urls.get(*url as usize)?.path.as_str(),
        _ => return None,
    };
    let mut rows = view.ledger.iter().filter(|row| {
        row.crawler == crawler && row.path == path && row.last_failed.secs() <= last_failed
    });
    let row = rows.next().filter(|_| rows.next().is_none())?;
    row.first_ok.map(Stamp::secs)
}

/// Whether a return was into this scope.
fn is_lane(key: Key, back: &LaneReturn) -> bool {
    match key {
        Key::Site | Key::AllCrawlers | Key::Crawler(_) | Key::Upstream(_) => {
            back.host.is_none() && back.prefix.is_none()
        }
        Key::Host(host) => back.host == Some(host) && back.prefix.is_none(),
        Key::Prefix(prefix) => back.prefix == Some(prefix),
        Key::Url(_) | Key::Robots | Key::OtherClients => false,
    }
}

/// URLs of a crawler that failed in the incident.
#[derive(Default)]
struct Urls {
    lost: u64,
    owed: u64,
    retried: u64,
    /// Seconds from the first failure to the first good fetch, of those that are back.
    took: Vec<i64>,
}

impl Urls {
    /// Where it is not known what became of it, it is back: what is owed is always known.
    fn add(&mut self, fate: Option<UrlFate>) {
        self.lost += 1;
        let Some(fate) = fate else { return };
        match fate.first_ok {
            Some(back) => self.took.push(back.secs() - fate.first_failed.secs()),
            None => self.owed += 1,
        }
        self.retried += u64::from(fate.is_retried);
    }
}

fn urls(view: &View, judged: &Judged, failures: &[&FailureView], crawler: CrawlerId) -> Urls {
    let mut urls = Urls::default();
    let last = Stamp::from_secs(judged.last_failure + 1);
    if let Some(fates) = view.urls_lost(crawler, failures, last) {
        for fate in fates {
            urls.add(fate);
        }
        return urls;
    }
    // Only counts were kept: the ledger's own times tell which paths failed here.
    for (index, row) in view.ledger.iter().enumerate() {
        if row.crawler == crawler
            && row.first_failed <= last
            && row.last_failed.secs() >= judged.start
            && judged.keys.iter().any(|key| holds_path(view, *key, row))
        {
            for fate in view.fates_of(index) {
                urls.add(Some(fate));
            }
        }
    }
    urls
}

/// By the nearest rank.
fn time_to_return(mut took: Vec<i64>) -> Option<TimeToReturn> {
    took.sort_unstable();
    let rank = |percent: usize| took.get((took.len() * percent).div_ceil(100).checked_sub(1)?);
    Some(TimeToReturn {
        median: *rank(50)?,
        p90: *rank(90)?,
    })
}

fn holds_path(view: &View, key: Key, row: &LedgerRow) -> bool {
    match key {
        Key::Host(host) => view.host(host) == row.host,
        Key::Prefix(prefix) => {
            let prefix = &view.prefixes[prefix as usize];
            let rest = row.path.strip_prefix(prefix.path.as_str());
            view.host(prefix.host) == row.host
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        Key::Url(url) => view.urls[url as usize].path == row.path,
        Key::Robots => row.path == "/robots.txt",
        Key::Site | Key::Upstream(_) | Key::Crawler(_) | Key::AllCrawlers => true,
        Key::OtherClients => false,
    }
}

fn paths(view: &View, failures: &[&FailureView]) -> Vec<PathHit> {
    let mut hits: BTreeMap<u32, (u64, BTreeSet<CrawlerId>)> = BTreeMap::new();
    for failure in failures {
        if let Some(url) = failure.url {
            let (failed, crawlers) = hits.entry(url).or_default();
            *failed += u64::from(failure.count);
            crawlers.extend(failure.crawler);
        }
    }
    let mut hits: Vec<PathHit> = hits
        .into_iter()
        .map(|(url, (failed, crawlers))| {
            let url = &view.urls[url as usize];
            PathHit {
                host: view.host(url.host).to_owned(),
                path: url.path.clone(),
                failed,
                crawlers: crawlers.into_iter().collect(),
            }
        })
        .collect();
    hits.sort_by(|a, b| (b.failed, &a.host, &a.path).cmp(&(a.failed, &b.host, &b.path)));
    hits
}

fn routes(view: &View, judged: &Judged, failures: &[&FailureView]) -> Vec<RouteHit> {
    let name = |node: u32| {
        let node = &view.nodes[node as usize];
        (view.host(node.host), node.route.as_str())
    };
    let mut failed: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for failure in failures {
        *failed.entry(name(failure.node)).or_default() += u64::from(failure.count);
    }
    // Nodes may share a name: what names no route, and words that no crawler fetched.
    let mut goods: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (node, good) in view.goods_by_node(judged.start + 1, judged.last_failure) {
        *goods.entry(name(node)).or_default() += good;
    }
    let mut hits: Vec<RouteHit> = failed
        .into_iter()
        .map(|(name, failed)| RouteHit {
            host: name.0.to_owned(),
            route: name.1.to_owned(),
            failed,
            total: failed + goods.get(&name).copied().unwrap_or(0),
        })
        .collect();
    hits.sort_by(|a, b| (b.failed, &a.host, &a.route).cmp(&(a.failed, &b.host, &b.route)));
    hits
}

/// Every upstream that was tried in the incident's time: the neighbours of a failing one are evidence too.
fn upstreams(view: &View, judged: &Judged) -> Vec<UpstreamHit> {
    let mut failed: BTreeMap<u32, u64> = BTreeMap::new();
    for (upstream, moment) in &view.failed_attempts {
        if moment.first <= judged.last_failure && moment.last >= judged.start {
            *failed.entry(*upstream).or_default() += u64::from(moment.failed);
        }
    }
    let good = view.goods_by_upstream(judged.start + 1, judged.last_failure);
    let mut hits: Vec<UpstreamHit> = (0..view.upstreams.len() as u32)
        .map(|upstream| {
            let failed = failed.get(&upstream).copied().unwrap_or(0);
            UpstreamHit {
                upstream: view.upstream(upstream).to_owned(),
                failed,
                total: failed + good.get(&upstream).copied().unwrap_or(0),
            }
        })
        .filter(|hit| hit.total > 0)
        .collect();
    hits.sort_by(|a, b| (b.failed, &a.upstream).cmp(&(a.failed, &b.upstream)));
    hits
}
