//! One of several upstreams fails, or each in turn.

use super::{at_most, middle, strong};
use crate::judge::dice::Dice;
use crate::judge::fault::{Burst, Fault, Plan};
use crate::judge::scope::Scope;
use crate::judge::site::Site;

/// Gives the site two upstreams or more.
pub(super) fn several(dice: &mut Dice, site: &mut Site) {
    let net = dice.below(200);
    let count = 2 + dice.below(4);
    site.upstreams = (0..count)
        .map(|index| format!("10.30.{net}.{}:8080", 10 + index))
        .collect();
}

pub(super) fn rolling_restart(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    several(dice, site);
    site.names_upstreams = true;
    let mut from = middle(dice, site);
    // The whole takes at most 70 minutes.
    let most = (3_900.0 / site.upstreams.len() as f64).min(560.0);
    let (mut behind, mut bursts) = (Vec::new(), Vec::new());
    for upstream in 0..site.upstreams.len() {
        let until = from + dice.log_between(40.0, most - 60.0);
        behind.push(upstream);
        bursts.push(Burst {
            from,
            until,
            share: 1.0,
        });
        from = until + dice.between(3.0, 60.0);
    }
    let mut fault = Fault::new(Scope::Site, bursts).plan(Plan::Restart);
    fault.behind = behind;
    vec![fault]
}

pub(super) fn named(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    several(dice, site);
    site.names_upstreams = true;
    vec![until_the_end_or_not(dice, site)]
}

/// The next upstream answers instead: clients see nothing, the log does.
pub(super) fn retried(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    several(dice, site);
    site.names_upstreams = true;
    site.retries = true;
    vec![until_the_end_or_not(dice, site)]
}

fn until_the_end_or_not(dice: &mut Dice, site: &Site) -> Fault {
    let scope = Scope::Upstream(site.upstreams[dice.below(site.upstreams.len())].clone());
    let from = middle(dice, site);
    let share = strong(dice);
    if dice.chance(0.5) {
        return Fault::run(scope, from, site.length - from, share).ongoing();
    }
    let length = dice.log_between(3_600.0, 0.3 * site.length);
    Fault::run(scope, from, length, share)
}

/// The same seen through a log without upstreams: a steady share of the site.
pub(super) fn unnamed(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    several(dice, site);
    site.names_upstreams = false;
    let from = middle(dice, site);
    let length = dice.log_between(7_200.0, 0.3 * site.length);
    let mut fault = Fault::run(Scope::Site, from, at_most(length, site, 0.3), 1.0);
    fault.behind = vec![dice.below(site.upstreams.len())];
    vec![fault]
}
