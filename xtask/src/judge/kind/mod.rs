//! Every kind of situation, one function each; one table names them. A plan may change the site before it plants its
//! faults.

mod healthy;
mod load;
mod mixed;
mod narrow;
mod outage;
mod route;
mod schedule;
mod share;
mod upstream;

use super::dice::Dice;
use super::fault::Fault;
use super::site::{L, M, S, Site, Size, XL, XS};

pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Seeds go through them in turn.
    pub(crate) sizes: &'static [&'static Size],
    pub(crate) plan: fn(&mut Dice, &mut Site) -> Vec<Fault>,
}

const ALL: &[&Size] = &[&S, &M, &XS, &L];
const ALL_XL: &[&Size] = &[&M, &S, &L, &XS, &XL];
/// What needs several days, or enough requests in each.
const MANY_DAYS: &[&Size] = &[&M, &S, &XS];
const BUSY: &[&Size] = &[&M, &S, &L];
const BUSY_XL: &[&Size] = &[&M, &S, &L, &XL];
const SMALL: &[&Size] = &[&XS, &S];

pub(crate) static KINDS: [Kind; 40] = [
    kind("healthy-quiet", ALL, healthy::quiet),
    kind("healthy-noisy", ALL_XL, healthy::noisy),
    kind("healthy-clumps", BUSY_XL, healthy::clumps),
    kind("healthy-scanned", ALL, healthy::scanned),
    kind("blip-site", ALL_XL, outage::blips),
    kind("short-site", ALL_XL, outage::short_site),
    kind("short-route", BUSY, outage::short_route),
    kind("short-upstream", BUSY, outage::short_upstream),
    kind("short-partial", BUSY, outage::short_partial),
    kind("between-visits", SMALL, outage::between_visits),
    kind("outage-recovered", ALL, outage::recovered),
    kind("outage-ongoing", ALL, outage::ongoing),
    kind("false-recovery", ALL, outage::false_recovery),
    kind("back-again", ALL, outage::back_again),
    kind("escalation", ALL, outage::escalation),
    kind("flapping", BUSY, outage::flapping),
    kind("rolling-restart", BUSY_XL, upstream::rolling_restart),
    kind("bad-upstream", ALL_XL, upstream::named),
    kind("bad-upstream-retried", BUSY, upstream::retried),
    kind("bad-upstream-unnamed", BUSY, upstream::unnamed),
    kind("route", ALL_XL, route::route),
    kind("route-group", BUSY, route::group),
    kind("url", ALL, route::url),
    kind("config-error", ALL, route::config_error),
    kind("daily", MANY_DAYS, schedule::daily),
    kind("schedule", MANY_DAYS, schedule::other),
    kind("schedule-weak", MANY_DAYS, schedule::weak),
    kind("low-share", ALL_XL, share::low),
    kind("low-from-start", BUSY, share::from_start),
    kind("slow-growth", BUSY, share::growth),
    kind("overload-peak", BUSY_XL, load::peaks),
    kind("overload-surge", BUSY, load::surge),
    kind("robots", ALL, narrow::robots),
    kind("one-crawler", BUSY, narrow::one_crawler),
    kind("all-crawlers", BUSY, narrow::all_crawlers),
    kind("overlap", BUSY, mixed::overlap),
    kind("several", BUSY_XL, mixed::several),
    kind("lost-stretch", ALL, mixed::lost_stretch),
    kind("unequal-clocks", BUSY, mixed::unequal_clocks),
    kind("zone-change", ALL, mixed::zone_change),
];

const fn kind(
    name: &'static str,
    sizes: &'static [&'static Size],
    plan: fn(&mut Dice, &mut Site) -> Vec<Fault>,
) -> Kind {
    Kind { name, sizes, plan }
}

/// Most faults break all they touch; some let a little through.
fn strong(dice: &mut Dice) -> f64 {
    if dice.chance(0.7) {
        1.0
    } else {
        dice.between(0.8, 0.98)
    }
}

/// Somewhere in the middle, so that there is a before and an after.
fn middle(dice: &mut Dice, site: &Site) -> f64 {
    dice.between(0.3, 0.65) * site.length
}

/// At most this part of the log.
fn at_most(length: f64, site: &Site, part: f64) -> f64 {
    length.min(part * site.length)
}

/// One of the routes that are asked for often.
fn some_route(dice: &mut Dice, site: &Site) -> String {
    let place = dice.below(site.routes.len().min(4));
    site.routes[place].prefix.clone()
}

fn bad_status(dice: &mut Dice) -> u16 {
    dice.pick(&[502, 502, 503, 504, 500])
}
