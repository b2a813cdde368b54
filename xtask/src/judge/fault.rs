//! A fault as it is planted: what it touches, when, how much of it fails and how.

use super::scope::Scope;

/// A stretch with one chance of failing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Burst {
    /// Seconds since the log's first.
    pub(crate) from: f64,
    pub(crate) until: f64,
    pub(crate) share: f64,
}

/// How the truth calls it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Plan {
    /// Each run of bursts by its own length and share.
    ByRun,
    Recurring,
    Overload,
    /// Upstreams in turn; the n-th burst is out of the n-th upstream.
    Restart,
}

/// Bursts nearer than this are one run.
pub(crate) const RUN_GAP_S: f64 = 1_800.0;

#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) scope: Scope,
    /// Upstream behind a site whose log names none, or one after the other in a restart.
    pub(crate) behind: Vec<usize>,
    pub(crate) bursts: Vec<Burst>,
    pub(crate) plan: Plan,
    /// What the client is answered.
    pub(crate) status: u16,
    /// Goes on past the last line.
    pub(crate) ongoing: bool,
}

impl Fault {
    pub(crate) fn new(scope: Scope, bursts: Vec<Burst>) -> Self {
        Self {
            scope,
            behind: Vec::new(),
            bursts,
            plan: Plan::ByRun,
            status: 502,
            ongoing: false,
        }
    }

    pub(crate) fn run(scope: Scope, from: f64, length: f64, share: f64) -> Self {
        let until = from + length;
        Self::new(scope, vec![Burst { from, until, share }])
    }

    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn plan(self, plan: Plan) -> Self {
        Self { plan, ..self }
    }

    /// Until the last line and beyond.
    pub(crate) fn ongoing(self) -> Self {
        let ongoing = true;
        Self { ongoing, ..self }
    }

    /// The burst of a moment, with its place.
    pub(crate) fn burst(&self, at: f64) -> Option<(usize, Burst)> {
        let after = self.bursts.partition_point(|burst| burst.from <= at);
        let index = after.checked_sub(1)?;
        (at < self.bursts[index].until).then(|| (index, self.bursts[index]))
    }

    /// The upstream that is out in a burst, where the fault is one of upstreams.
    pub(crate) fn upstream(&self, burst: usize) -> Option<usize> {
        match self.plan {
            Plan::Restart => self.behind.get(burst).copied(),
            _ => self.behind.first().copied(),
        }
    }

    /// Ranges of bursts that are one incident each.
    pub(crate) fn runs(&self) -> Vec<std::ops::Range<usize>> {
        if self.plan != Plan::ByRun {
            return std::iter::once(0..self.bursts.len()).collect();
        }
        let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
        for index in 0..self.bursts.len() {
            match runs.last_mut() {
                Some(run) if self.bursts[index].from - self.bursts[index - 1].until < RUN_GAP_S => {
                    run.end = index + 1;
                }
                _ => runs.push(index..index + 1),
            }
        }
        runs
    }
}
