//! A small part fails, for long.

use super::some_route;
use crate::judge::dice::Dice;
use crate::judge::fault::{Burst, Fault};
use crate::judge::scope::Scope;
use crate::judge::site::Site;

pub(super) fn low(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let scope = if dice.chance(0.7) {
        Scope::Site
    } else {
        Scope::Routes(vec![some_route(dice, site)])
    };
    let length = dice.between(0.3, 0.65) * site.length;
    vec![Fault::run(
        scope,
        0.28 * site.length,
        length,
        dice.log_between(0.008, 0.15),
    )]
}

/// There from the first line: it must not be taken for the site's background.
pub(super) fn from_start(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let share = dice.log_between(0.006, 0.06);
    vec![Fault::run(Scope::Site, 0.0, site.length, share).ongoing()]
}

/// From next to nothing to a third and more.
pub(super) fn growth(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    const STEPS: usize = 24;
    let start = dice.between(0.15, 0.35) * site.length;
    let step = dice.between(0.3, 0.6) * site.length / STEPS as f64;
    let most = dice.between(0.15, 0.7);
    let bursts = (0..STEPS).map(|index| {
        let from = start + index as f64 * step;
        Burst {
            from,
            until: from + step,
            share: most * (index as f64 + 0.5) / STEPS as f64,
        }
    });
    vec![Fault::new(Scope::Site, bursts.collect())]
}
