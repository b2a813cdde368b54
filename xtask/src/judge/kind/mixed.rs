//! More than one thing at a time, or a log that lacks a part of the story.

use super::route::some_routes;
use super::{some_route, strong};
use crate::judge::dice::Dice;
use crate::judge::fault::Fault;
use crate::judge::scope::Scope;
use crate::judge::site::Site;

/// A short outage of the site while a route has been failing for long.
pub(super) fn overlap(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let scope = Scope::Routes(vec![some_route(dice, site)]);
    let from = 0.3 * site.length;
    let length = dice.between(0.2, 0.4) * site.length;
    let within = from + dice.between(0.3, 0.6) * length;
    let outage = dice.log_between(400.0, 5_400.0);
    vec![
        Fault::run(scope, from, length, 1.0).status(500),
        Fault::run(Scope::Site, within, outage, 1.0).status(502),
    ]
}

pub(super) fn several(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let part = site.length;
    let blip = dice.log_between(60.0, 540.0);
    let share = dice.between(0.08, 0.35);
    vec![
        Fault::run(
            Scope::Routes(some_routes(dice, site)),
            0.15 * part,
            0.12 * part,
            strong(dice),
        ),
        Fault::run(Scope::Site, 0.45 * part, blip, 1.0).status(503),
        Fault::run(Scope::Site, 0.62 * part, 0.12 * part, share).status(504),
    ]
}

/// Lines of some hours are gone from the middle of an outage, or from its beginning.
pub(super) fn lost_stretch(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let from = dice.between(0.35, 0.55) * site.length;
    let length = dice.log_between(7_200.0, 0.25 * site.length);
    let lost = from + dice.between(-0.2, 0.5) * length;
    site.lost
        .push((lost, lost + dice.between(0.2, 0.4) * length));
    vec![Fault::run(Scope::Site, from, length, strong(dice))]
}

/// Two nodes write into one log, and one clock is wrong.
pub(super) fn unequal_clocks(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    site.skew = dice.between(45.0, 115.0) * dice.pick(&[-1.0, 1.0]);
    let from = dice.between(0.3, 0.6) * site.length;
    let length = dice.log_between(240.0, 7_200.0);
    vec![Fault::run(Scope::Site, from, length, strong(dice)).status(503)]
}

/// Summer time begins or ends in the middle of an outage.
pub(super) fn zone_change(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let from = dice.between(0.3, 0.6) * site.length;
    let length = dice.log_between(900.0, 0.15 * site.length);
    let hour = dice.pick(&[60, -60]);
    site.zone_change = Some((from + dice.between(0.2, 0.8) * length, site.zone + hour));
    vec![Fault::run(Scope::Site, from, length, strong(dice))]
}
