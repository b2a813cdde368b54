//! What it costs, in nats, to claim a fault: which scope, when, for how long. And the threshold over it.

use tally::Key;

/// Shares a fault may have. At most 0.4 of 10 nats is lost between two of them (`docs/verdicts.md`, section 7).
pub(crate) const SHARES: [f64; 8] = [0.006, 0.012, 0.03, 0.08, 0.2, 0.45, 0.75, 0.95];

/// How many of the weak shares are left out where strong faults are looked for first.
pub(crate) const STRONG_FROM: usize = 6;

/// Nats that must remain when all costs are paid. In a healthy log the best of all intervals and scopes passes a
/// level x with chance of about exp(-x), since the costs below are a union bound over places of a month, lengths and
/// scopes. The design allows 0.05 false incidents a site-month, which would be 3.0; half a nat is margin, since real
/// background is clumpier than independent failures. Measured on the scenarios of `tests/`: 0.024 on healthy sites
/// with noise up to the cap (248 site-months). From 4.0 down to 3.0 recall
/// rose by 0.002 and phantoms from 1 to 4 in 314 site-months.
pub(crate) const THRESHOLD: f64 = 3.5;

/// Cost of a change of share within one fault: it may come at any of some hundred failures.
pub(crate) const SWITCH: f64 = 6.0;

/// The scale in nats on which a share's shortest visible length rests.
const VISIBLE: f64 = 10.0;

const MONTH: f64 = 30.0 * 86_400.0;

/// Cost of the kind alone. A fault of the whole site is the most common; one crawler alone is seldom hit.
/// `candidates` adds the number of scopes of the kind.
pub(crate) fn kind_cost(key: Key) -> f64 {
    match key {
        Key::Site => 0.7,
        Key::Host(_) | Key::Prefix(_) => 1.2,
        Key::Upstream(_) => 1.5,
        Key::Robots => 2.0,
        Key::AllCrawlers | Key::Url(_) => 2.5,
        Key::Crawler(_) => 2.7,
        Key::OtherClients => f64::INFINITY,
    }
}

/// Cost of naming one scope of its kind. A sheet may hold only scopes that failed, so the number has a floor.
pub(crate) fn candidates(key: Key, own: u64, site: u64, all: &[Key]) -> f64 {
    let count = |kind: fn(&Key) -> bool, floor: usize| {
        (all.iter().filter(|key| kind(key)).count().max(floor) as f64).ln()
    };
    match key {
        Key::Site | Key::AllCrawlers | Key::OtherClients | Key::Robots => 0.0,
        Key::Host(_) => count(|key| matches!(key, Key::Host(_)), 2),
        Key::Prefix(_) => count(|key| matches!(key, Key::Prefix(_)), 10),
        Key::Upstream(_) => count(|key| matches!(key, Key::Upstream(_)), 3),
        Key::Crawler(_) => count(|key| matches!(key, Key::Crawler(_)), 5),
        // The rarer a URL is asked for, the more there are like it.
        Key::Url(_) => (site as f64 / own.max(1) as f64).max(1.0).ln(),
    }
}

/// Requests of a scope in thirty days, were its rate that of the log. The threshold is per month, so that a log of
/// a day and one of a year are held to the same number of false incidents.
pub(crate) fn monthly(requests: u64, seconds: i64) -> f64 {
    requests as f64 * MONTH / seconds.max(3_600) as f64
}

/// Costs of opening a fault at each share. Where it lies costs log(N / length); a fault of share q is visible from
/// a length of about 10 / KL(q, p) on, so the penalty depends on scale through the share.
pub(crate) fn penalties(prior: f64, monthly: f64, baseline: f64) -> [f64; 8] {
    SHARES.map(|share| {
        let fail = share + (1.0 - share) * baseline;
        let divergence = fail * (fail / baseline).ln() + (1.0 - share) * (1.0 - share).ln();
        THRESHOLD + prior + (1.0 + monthly * divergence.max(0.0) / VISIBLE).ln()
    })
}
