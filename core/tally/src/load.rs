//! Who asked how much, and how long it took: requests and time by crawler and slot. What an incident's minutes before
//! are compared by.

use std::collections::BTreeMap;

use model::{CrawlerId, Request};

use crate::limit::{LOAD_SLOTS_MAX, WIDTHS};

/// Requests, and their time upstream in hundredths of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Load {
    /// Requests of any outcome.
    pub requests: u64,
    /// Time until the upstream had answered, over all attempts; the whole of the request where only that is logged.
    pub centis: u64,
}

impl Load {
    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.centis += other.centis;
    }
}

/// A crawler's share of one slot, small: there are many.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    /// 0 for other clients, else the crawler's number and one.
    who: u16,
    requests: u32,
    centis: u32,
}

impl Share {
    fn add(&mut self, requests: u32, centis: u32) {
        self.requests = self.requests.saturating_add(requests);
        self.centis = self.centis.saturating_add(centis);
    }
}

/// Loads by slot; the slots get wider with the span.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loads {
    /// Which of [`WIDTHS`].
    step: usize,
    slots: BTreeMap<i64, Vec<Share>>,
    /// The slot at hand, not yet among the others: lines come in order of time, nearly.
    at: i64,
    now: Vec<Share>,
}

impl Loads {
    pub(crate) const fn width(&self) -> i64 {
        WIDTHS[self.step]
    }

    pub(crate) fn record(&mut self, request: &Request<'_>) {
        let slot = request.at.secs().div_euclid(self.width());
        if slot != self.at {
            self.flush();
            self.at = slot;
        }
        let who = request.crawler().map_or(0, |crawler| crawler.0 + 1);
        let share = share_of(&mut self.now, who);
        share.add(1, centis(request));
    }

    pub(crate) fn flush(&mut self) {
        let now = std::mem::take(&mut self.now);
        if !now.is_empty() {
            unite(self.slots.entry(self.at).or_default(), &now);
        }
    }

    /// Widens the slots until the span fits.
    pub(crate) fn fit(&mut self, start: i64, end: i64) {
        let slots = |width: i64| end.div_euclid(width) - start.div_euclid(width) + 1;
        while self.step + 1 < WIDTHS.len() && slots(self.width()) > LOAD_SLOTS_MAX {
            self.flush();
            let times = WIDTHS[self.step + 1] / self.width();
            self.step += 1;
            for (slot, shares) in std::mem::take(&mut self.slots) {
                unite(
                    self.slots.entry(slot.div_euclid(times)).or_default(),
                    &shares,
                );
            }
        }
    }

    /// Both must have been fitted to the span of the whole.
    pub(crate) fn absorb(&mut self, mut other: Self) {
        self.flush();
        other.flush();
        for (slot, shares) in other.slots {
            unite(self.slots.entry(slot).or_default(), &shares);
        }
    }

    /// By the first second of the slot, then by crawler, other clients first. Call it after [`Self::flush`].
    pub(crate) fn rows(&self) -> Vec<(i64, Option<CrawlerId>, Load)> {
        let mut rows = Vec::new();
        for (slot, shares) in &self.slots {
            rows.extend(shares.iter().map(|share| {
                let crawler = share.who.checked_sub(1).map(CrawlerId);
                let load = Load {
                    requests: u64::from(share.requests),
                    centis: u64::from(share.centis),
                };
                (slot * self.width(), crawler, load)
            }));
        }
        rows.sort_unstable();
        rows
    }
}

fn share_of(shares: &mut Vec<Share>, who: u16) -> &mut Share {
    let at = shares.iter().position(|share| share.who == who);
    let at = at.unwrap_or_else(|| {
        shares.push(Share {
            who,
            ..Share::default()
        });
        shares.len() - 1
    });
    &mut shares[at]
}

fn unite(shares: &mut Vec<Share>, more: &[Share]) {
    for share in more {
        share_of(shares, share.who).add(share.requests, share.centis);
    }
}

fn centis(request: &Request<'_>) -> u32 {
    let attempts = request.attempts.iter().filter_map(|attempt| attempt.millis);
    let millis = match attempts.reduce(u32::saturating_add) {
        Some(millis) => millis,
        // What the edge answered by itself cost nothing below it.
        None if request.no_upstream || request.from_cache => 0,
        None => request.millis.unwrap_or(0),
    };
    millis / 10
}
