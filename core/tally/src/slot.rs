//! Good requests over time: kept one by one where there are few, counted where there are many.

use std::collections::BTreeMap;

use model::CrawlerId;
use rustc_hash::FxHashMap;

use crate::limit::{EXACT_MAX, SLOTS_MAX, WIDTHS};
use crate::name::NONE;
use crate::trie::NodeId;

/// Slots of at most this width keep the site's total of every second.
const SECONDS_WIDTH_MAX: i64 = 300;
/// Classes of the latency histogram: class n holds answers of 2^n to 2^(n+1) milliseconds.
pub(crate) const LATENCY_CLASSES: usize = 20;

/// One good request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Good {
    /// Second since the epoch.
    pub(crate) at: i64,
    pub(crate) node: NodeId,
    /// Hash of host and path.
    pub(crate) url: u64,
    pub(crate) upstream: u32,
    pub(crate) crawler: Option<CrawlerId>,
    pub(crate) robots: bool,
    /// Whether it names a route of the site; most 4xx do not.
    pub(crate) routed: bool,
    /// Whether the edge answered by itself where others are answered by upstreams.
    pub(crate) aside: bool,
}

/// What a slot counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Dim {
    Node(NodeId),
    Upstream(u32),
    Crawler(CrawlerId),
    CrawlerNode(CrawlerId, NodeId),
    Robots,
    /// Of the node's requests those that the edge answered by itself.
    Aside(NodeId),
    /// The same of one crawler.
    CrawlerAside(CrawlerId, NodeId),
}

/// The good requests of one slot.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Exact(Vec<Good>),
    Counts {
        total: u64,
        /// Those that name a route, and that no edge answered by itself.
        seconds: Vec<u32>,
        cells: FxHashMap<u32, u32>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) body: Body,
    pub(crate) latency: Option<Box<[u32; LATENCY_CLASSES]>>,
}

/// All slots, and the numbers of what they count.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    /// Index into [`WIDTHS`].
    level: usize,
    slots: BTreeMap<i64, Slot>,
    dims: Vec<Dim>,
    numbers: FxHashMap<Dim, u32>,
    /// Requests of the slot at hand, not yet spread over its dimensions: one look-up a request.
    pending: FxHashMap<(NodeId, u32, Option<CrawlerId>, bool, bool), u32>,
    pending_slot: i64,
}

impl Slots {
    pub(crate) fn new() -> Self {
        Self {
            level: 0,
            slots: BTreeMap::new(),
            dims: Vec::new(),
            numbers: FxHashMap::default(),
            pending: FxHashMap::default(),
            pending_slot: 0,
        }
    }

    pub(crate) const fn width(&self) -> i64 {
        WIDTHS[self.level]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &Slot)> {
        self.slots.iter().map(|(start, slot)| (*start, slot))
    }

    pub(crate) fn dim(&self, number: u32) -> Dim {
        self.dims[number as usize]
    }

    /// Counts one good request.
    pub(crate) fn add(&mut self, good: Good, millis: Option<u32>) {
        let width = self.width();
        let start = good.at.div_euclid(width) * width;
        let slot = self.slots.entry(start).or_insert_with(Slot::new);
        if let Some(millis) = millis {
            let class = (32 - millis.leading_zeros()).saturating_sub(1) as usize;
            slot.latency.get_or_insert_default()[class.min(LATENCY_CLASSES - 1)] += 1;
        }
        match &mut slot.body {
            Body::Exact(goods) => {
                goods.push(good);
                if !is_exact(goods, self.level) {
                    let goods = std::mem::take(goods);
                    slot.body = Body::counts(width);
                    for good in goods {
                        self.count(start, good);
                    }
                }
            }
            Body::Counts { .. } => self.count(start, good),
        }
    }

    fn count(&mut self, start: i64, good: Good) {
        if self.pending_slot != start {
            self.flush();
            self.pending_slot = start;
        }
        *self
            .pending
            .entry((
                good.node,
                good.upstream,
                good.crawler,
                good.robots,
                good.aside,
            ))
            .or_default() += 1;
        if let Some(Slot {
            body: Body::Counts { total, seconds, .. },
            ..
        }) = self.slots.get_mut(&start)
        {
            *total += 1;
            if good.routed
                && !good.aside
                && let Some(second) = seconds.get_mut((good.at - start) as usize)
            {
                *second += 1;
            }
        }
    }

    /// Spreads what is pending over its dimensions.
    pub(crate) fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        let start = self.pending_slot;
        #[expect(clippy::iter_over_hash_type, reason = "sums do not depend on order")]
        for ((node, upstream, crawler, robots, aside), n) in pending {
            self.add_cell(start, Dim::Node(node), n);
            if upstream != NONE {
                self.add_cell(start, Dim::Upstream(upstream), n);
            }
            if let Some(crawler) = crawler {
                self.add_cell(start, Dim::Crawler(crawler), n);
                self.add_cell(start, Dim::CrawlerNode(crawler, node), n);
                if aside {
                    self.add_cell(start, Dim::CrawlerAside(crawler, node), n);
                }
            }
            if aside {
                self.add_cell(start, Dim::Aside(node), n);
            }
            if robots {
                self.add_cell(start, Dim::Robots, n);
            }
        }
    }

    fn number(&mut self, dim: Dim) -> u32 {
        *self.numbers.entry(dim).or_insert_with(|| {
            self.dims.push(dim);
            self.dims.len() as u32 - 1
        })
    }

    fn add_cell(&mut self, start: i64, dim: Dim, n: u32) {
        let number = self.number(dim);
        if let Some(Slot {
            body: Body::Counts { cells, .. },
            ..
        }) = self.slots.get_mut(&start)
        {
            *cells.entry(number).or_default() += n;
        }
    }

    /// Widens the slots until `start..=end` (seconds) fits in [`SLOTS_MAX`] of them.
    pub(crate) fn fit(&mut self, start: i64, end: i64) {
        let fits = |width: i64| (end.div_euclid(width) - start.div_euclid(width)) < SLOTS_MAX;
        let level = WIDTHS
            .iter()
            .position(|width| fits(*width))
            .unwrap_or(WIDTHS.len() - 1);
        if level <= self.level {
            return;
        }
        self.flush();
        self.level = level;
        for (start, slot) in std::mem::take(&mut self.slots) {
            self.take(start, slot);
        }
    }

    /// Puts a slot of this or a finer width into its place.
    fn take(&mut self, start: i64, slot: Slot) {
        let width = self.width();
        let target = start.div_euclid(width) * width;
        let level = self.level;
        let here = self.slots.entry(target).or_insert_with(Slot::new);
        if let Some(latency) = slot.latency {
            let sums = here.latency.get_or_insert_default();
            for (sum, n) in sums.iter_mut().zip(latency.iter()) {
                *sum += n;
            }
        }
        match (&mut here.body, slot.body) {
            (Body::Exact(goods), Body::Exact(more)) => {
                goods.extend(more);
                if !is_exact(goods, level) {
                    let goods = std::mem::take(goods);
                    here.body = Body::counts(width);
                    self.count_all(target, goods);
                }
            }
            (Body::Counts { .. }, Body::Exact(more)) => self.count_all(target, more),
            (
                body,
                Body::Counts {
                    total,
                    seconds,
                    cells,
                },
            ) => {
                let exact = match body {
                    Body::Exact(goods) => std::mem::take(goods),
                    Body::Counts { .. } => Vec::new(),
                };
                if !matches!(body, Body::Counts { .. }) {
                    *body = Body::counts(width);
                }
                if let Body::Counts {
                    total: sum,
                    seconds: sums,
                    cells: counts,
                } = body
                {
                    *sum += total;
                    for (index, n) in seconds.into_iter().enumerate() {
                        if let Some(second) = sums.get_mut(index + (start - target) as usize) {
                            *second += n;
                        }
                    }
                    #[expect(clippy::iter_over_hash_type, reason = "sums do not depend on order")]
                    for (number, n) in cells {
                        *counts.entry(number).or_default() += n;
                    }
                }
                self.count_all(target, exact);
            }
        }
    }

    fn count_all(&mut self, start: i64, goods: Vec<Good>) {
        for good in goods {
            self.count(start, good);
        }
        self.flush();
    }

    /// Takes in all of `other`, whose nodes and upstreams are renamed.
    pub(crate) fn absorb(
        &mut self,
        mut other: Self,
        node: impl Fn(NodeId) -> NodeId,
        upstream: impl Fn(u32) -> u32,
    ) {
        self.flush();
        other.flush();
        debug_assert_eq!(self.level, other.level, "fit both before merging");
        let numbers: Vec<u32> = other
            .dims
            .iter()
            .map(|dim| {
                self.number(match *dim {
                    Dim::Node(id) => Dim::Node(node(id)),
                    Dim::Upstream(number) => Dim::Upstream(upstream(number)),
                    Dim::CrawlerNode(crawler, id) => Dim::CrawlerNode(crawler, node(id)),
                    Dim::Aside(id) => Dim::Aside(node(id)),
                    Dim::CrawlerAside(crawler, id) => Dim::CrawlerAside(crawler, node(id)),
                    Dim::Crawler(_) | Dim::Robots => *dim,
                })
            })
            .collect();
        for (start, mut slot) in other.slots {
            match &mut slot.body {
                Body::Exact(goods) => {
                    for good in goods {
                        good.node = node(good.node);
                        good.upstream = upstream(good.upstream);
                    }
                }
                Body::Counts { cells, .. } => {
                    let mut renamed = FxHashMap::default();
                    #[expect(clippy::iter_over_hash_type, reason = "sums do not depend on order")]
                    for (number, n) in std::mem::take(cells) {
                        *renamed.entry(numbers[number as usize]).or_default() += n;
                    }
                    *cells = renamed;
                }
            }
            self.take(start, slot);
        }
    }
}

impl Slot {
    const fn new() -> Self {
        Self {
            body: Body::Exact(Vec::new()),
            latency: None,
        }
    }
}

impl Body {
    fn counts(width: i64) -> Self {
        let seconds = if width <= SECONDS_WIDTH_MAX {
            vec![0; width as usize]
        } else {
            Vec::new()
        };
        Self::Counts {
            total: 0,
            seconds,
            cells: FxHashMap::default(),
        }
    }
}

/// Whether a slot of that level may keep these one by one: at no level up to its own does a window hold too many.
fn is_exact(goods: &[Good], level: usize) -> bool {
    if goods.len() > EXACT_MAX[level] {
        return false;
    }
    (0..level).all(|finer| {
        let mut windows: Vec<i64> = goods
            .iter()
            .map(|good| good.at.div_euclid(WIDTHS[finer]))
            .collect();
        windows.sort_unstable();
        windows
            .chunk_by(|a, b| a == b)
            .all(|window| window.len() <= EXACT_MAX[finer])
    })
}
