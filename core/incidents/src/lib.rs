//! Failures to incidents: which scope, since when, over or not, and under which verdict. Takes a closed tally and the
//! moment of judgement, gives incidents.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod incident;
mod judge;
mod rate;
mod sheet;
mod watch;

use std::collections::BTreeMap;

use model::{Incident, Stamp};
use tally::{Key, Obs, View};

pub use judge::{Bounds, Judged, judge as judge_sheet};
pub use sheet::Sheet;
pub use watch::{Change, Event, Look, State, Suspicion, Watch, Watched};

/// A scope with fewer failures is no candidate: one failure is never an incident (`docs/verdicts.md`, 6 A).
const FAILURES_MIN: u64 = 2;

/// The incidents that stand at `now`, in order of their start. Pure: the same tally gives the same incidents.
pub fn judge(view: &View, now: Stamp) -> Vec<Incident> {
    let mut incidents: Vec<Incident> = judge_sheet(sheet_of(view, now))
        .iter()
        .map(|judged| incident::incident(view, judged))
        // An upstream whose every failure was saved by a retry cost nobody an answer: a warning in the totals.
        .filter(|incident| incident.requests.failed > 0)
        .collect();
    incidents.sort_by(|a, b| (a.start, &a.scope).cmp(&(b.start, &b.scope)));
    rate::add(view, incidents.iter_mut().collect(), now);
    incidents
}

/// What the judge reads of a tally.
pub fn sheet_of(view: &View, now: Stamp) -> Sheet {
    let mut wider = BTreeMap::new();
    for (index, prefix) in view.prefixes.iter().enumerate() {
        let parent = prefix
            .parent
            .map(Key::Prefix)
            .or(view.has_hosts().then_some(Key::Host(prefix.host)));
        if let Some(parent) = parent {
            wider.insert(Key::Prefix(index as u32), parent);
        }
    }
    for (index, url) in view.urls.iter().enumerate() {
        let prefixes = view.nodes[url.node as usize].prefixes;
        if let Some(parent) = prefixes[1].or(prefixes[0]) {
            wider.insert(Key::Url(index as u32), Key::Prefix(parent));
        }
    }
    let load = view.minutes.iter().map(|(minute, n)| Obs {
        at: minute * 60,
        until: minute * 60 + 59,
        good: *n,
        failed: 0,
        repeats: 0,
    });
    Sheet {
        start: view.span.map_or(0, |(start, _)| start.secs()),
        now: now.secs(),
        gaps: view
            .gaps
            .iter()
            .map(|gap| (gap.start.secs(), gap.end.secs() - 1))
            .collect(),
        load: load.collect(),
        series: view.series(FAILURES_MIN),
        grains: view.grains.clone(),
        wider,
    }
}
