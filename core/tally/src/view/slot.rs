//! Good requests by slot.

use std::collections::BTreeMap;

use super::{DimView, GoodView, Maps, SlotView};
use crate::Tally;
use crate::slot::{Body, Dim};

pub(super) fn slots(tally: &Tally, maps: &Maps) -> Vec<(i64, SlotView)> {
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
                            routed: good.routed,
                            aside: good.aside,
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
                            Dim::Aside(id) => DimView::Aside(node(id)),
                            Dim::CrawlerAside(crawler, id) => {
                                DimView::CrawlerAside(crawler, node(id))
                            }
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
