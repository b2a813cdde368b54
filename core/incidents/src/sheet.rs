//! The judge's input: for each candidate scope its observations, and how scopes nest.

use std::collections::BTreeMap;

use tally::{Grain, Key, Obs};

/// What the judge reads. Plain counts by time; the judge never learns the names behind the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// First second that any source covers.
    pub start: i64,
    /// The judge's clock: nothing later is read.
    pub now: i64,
    /// Stretches without any line (lost logs), first and last second. They are absence of evidence.
    pub gaps: Vec<(i64, i64)>,
    /// All requests of the site, cached answers and other clients included: its load.
    pub load: Vec<Obs>,
    /// Observations of each candidate scope. Cached answers are left out; repeats are counted in `repeats` only.
    /// `Key::Upstream` holds attempts, all others requests. Keys with fewer than two failures may be left out.
    pub series: BTreeMap<Key, Vec<Obs>>,
    /// Where failures are counted by moments longer than a second, in order: the same ones may stand at other seconds of
    /// the moment in another scope's observations.
    pub grains: Vec<Grain>,
    /// The next wider scope where it is not the whole site: prefix of two segments -> of one, URL -> prefix,
    /// prefix -> host where there are several hosts.
    pub wider: BTreeMap<Key, Key>,
}
