//! Everything in a scope fails, once or in pieces.

use super::{at_most, bad_status, middle, some_route, strong};
use crate::judge::dice::Dice;
use crate::judge::fault::{Burst, Fault};
use crate::judge::scope::Scope;
use crate::judge::site::{DAY_S, Site};

/// Well under ten minutes, up to three of them, at no regular distance.
pub(super) fn blips(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let count = 1 + dice.below(2);
    (0..count)
        .map(|index| {
            let from = (0.2 + 0.4 * index as f64 + dice.between(0.0, 0.15)) * site.length;
            Fault::run(
                Scope::Site,
                from,
                dice.log_between(45.0, 480.0),
                strong(dice),
            )
            .status(bad_status(dice))
        })
        .collect()
}

/// Both sides of ten minutes.
fn short(dice: &mut Dice) -> f64 {
    dice.log_between(240.0, 1_500.0)
}

pub(super) fn short_site(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let from = middle(dice, site);
    vec![Fault::run(Scope::Site, from, short(dice), strong(dice))]
}

pub(super) fn short_route(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let scope = Scope::Routes(vec![some_route(dice, site)]);
    let from = middle(dice, site);
    vec![Fault::run(scope, from, short(dice), strong(dice)).status(500)]
}

pub(super) fn short_upstream(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    super::upstream::several(dice, site);
    site.names_upstreams = true;
    let scope = Scope::Upstream(site.upstreams[0].clone());
    let from = middle(dice, site);
    vec![Fault::run(scope, from, short(dice), strong(dice))]
}

/// Neither all nor little, and short: share and length are both near a limit.
pub(super) fn short_partial(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let from = middle(dice, site);
    let length = dice.log_between(300.0, 3_600.0);
    vec![Fault::run(Scope::Site, from, length, dice.between(0.25, 0.75)).status(503)]
}

/// Shorter than the usual wait for the next request: no trace, or one failure.
pub(super) fn between_visits(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let from = middle(dice, site);
    let length = dice.between(0.1, 1.2) * site.gap_mean();
    vec![Fault::run(Scope::Site, from, length, 1.0)]
}

fn long(dice: &mut Dice, site: &Site) -> f64 {
    let least = (3.0 * site.gap_mean()).max(1_200.0);
    dice.log_between(least, (2.0 * least).max(0.2 * site.length))
}

pub(super) fn recovered(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let from = middle(dice, site);
    vec![Fault::run(Scope::Site, from, long(dice, site), strong(dice)).status(bad_status(dice))]
}

pub(super) fn ongoing(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let length = long(dice, site);
    let from = site.length - length;
    vec![
        Fault::run(Scope::Site, from, length, strong(dice))
            .status(bad_status(dice))
            .ongoing(),
    ]
}

/// It seems over for some minutes, and is not.
pub(super) fn false_recovery(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let mut from = middle(dice, site);
    let mut bursts = Vec::new();
    for _ in 0..2 + dice.below(2) {
        let until = from + long(dice, site).min(0.08 * site.length);
        bursts.push(Burst {
            from,
            until,
            share: 1.0,
        });
        from = until + dice.between(240.0, 1_500.0);
    }
    vec![Fault::new(Scope::Site, bursts)]
}

/// It is over for some hours, in which requests are served, and comes back: two incidents.
pub(super) fn back_again(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let from = 0.25 * site.length;
    let first = at_most(long(dice, site), site, 0.12);
    let pause = dice.log_between((20.0 * site.gap_mean()).max(7_200.0), 0.3 * site.length);
    let second = at_most(long(dice, site), site, 0.12);
    let again = from + first + pause;
    vec![
        Fault::run(Scope::Site, from, first, strong(dice)),
        Fault::run(Scope::Site, again, second, strong(dice)),
    ]
}

/// A part fails for a while, then all.
pub(super) fn escalation(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let from = middle(dice, site);
    let turn = from + long(dice, site);
    let until = turn + dice.between(0.3, 1.5) * (turn - from);
    let burst = |from, until, share| Burst { from, until, share };
    vec![Fault::new(
        Scope::Site,
        vec![
            burst(from, turn, dice.between(0.08, 0.35)),
            burst(turn, until.min(0.97 * site.length), 1.0),
        ],
    )]
}

/// Down and up for hours: a process that is started again and again.
pub(super) fn flapping(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let (down, up) = (dice.between(60.0, 600.0), dice.between(120.0, 1_200.0));
    let mut from = middle(dice, site);
    let end = from + dice.log_between(7_200.0, 0.2 * site.length.max(DAY_S));
    let mut bursts = Vec::new();
    while from < end {
        let until = from + down * dice.between(0.6, 1.4);
        bursts.push(Burst {
            from,
            until,
            share: 1.0,
        });
        from = until + up * dice.between(0.6, 1.3);
    }
    vec![Fault::new(Scope::Site, bursts)]
}
