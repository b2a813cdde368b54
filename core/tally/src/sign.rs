//! Signs without a request that say the same of the same upstream, by minute; coarser, for good, once there are too
//! many.

use std::collections::BTreeMap;

use model::{Edge, Finding, Place, Stamp};

use crate::limit::SIGNS_MAX;
use crate::name::NONE;

/// Seconds that go together, and whether hosts and upstreams are told apart. Each tells apart less than the one before.
const STEPS: [(i64, bool); 5] = [
    (60, true),
    (300, true),
    (3_600, true),
    (3_600, false),
    (86_400, false),
];

/// Signs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signs {
    counts: BTreeMap<SignKey, SignCounts>,
    step: usize,
}

/// What signs share that are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SignKey {
    moment: i64,
    pub(crate) edge: Edge,
    pub(crate) host: Box<str>,
    pub(crate) upstream: u32,
    /// Whether they are about requests.
    pub(crate) about_request: bool,
    pub(crate) finding: Finding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SignCounts {
    pub(crate) count: u64,
    pub(crate) first: Stamp,
    pub(crate) place: Place,
}

impl Signs {
    /// Counts one sign.
    pub(crate) fn add(&mut self, sign: &model::Sign<'_>, upstream: u32) {
        let key = SignKey {
            moment: 0,
            edge: sign.edge,
            host: sign.host.into(),
            upstream,
            about_request: sign.about_request,
            finding: sign.finding,
        };
        let one = SignCounts {
            count: 1,
            first: sign.at,
            place: sign.place,
        };
        self.unite(key, one);
    }

    /// Takes in all of `other`, whose upstreams are renumbered.
    pub(crate) fn absorb(&mut self, other: Self, number: impl Fn(u32) -> u32) {
        self.coarsen(other.step);
        for (mut key, counts) in other.counts {
            key.upstream = number(key.upstream);
            self.unite(key, counts);
        }
    }

    /// All, in no order that means anything.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&SignKey, &SignCounts)> {
        self.counts.iter()
    }

    /// Seconds that are counted together once there were too many signs.
    pub(crate) const fn coarse(&self) -> Option<i64> {
        if self.step == 0 {
            None
        } else {
            Some(STEPS[self.step].0)
        }
    }

    /// Above their limit upstreams are not told apart. How coarse the counts are may have followed from them.
    pub(crate) fn forget_upstreams(&mut self) {
        if self.step > 0 {
            self.coarsen(STEPS.len() - 1);
        }
        for (mut key, counts) in std::mem::take(&mut self.counts) {
            key.upstream = NONE;
            self.unite(key, counts);
        }
    }

    fn unite(&mut self, mut key: SignKey, counts: SignCounts) {
        let (seconds, hosts) = STEPS[self.step];
        key.moment = counts.first.secs().div_euclid(seconds);
        if !hosts {
            key.host = "".into();
            key.upstream = NONE;
        }
        self.counts
            .entry(key)
            .and_modify(|here| {
                here.count += counts.count;
                here.first = here.first.min(counts.first);
                here.place = here.place.min(counts.place);
            })
            .or_insert(counts);
        if self.counts.len() > SIGNS_MAX && self.step + 1 < STEPS.len() {
            self.coarsen(self.step + 1);
        }
    }

    fn coarsen(&mut self, step: usize) {
        if step > self.step {
            self.step = step;
            for (key, counts) in std::mem::take(&mut self.counts) {
                self.unite(key, counts);
            }
        }
    }
}
