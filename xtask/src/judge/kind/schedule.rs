//! Short runs at the same time of day, or every so many hours.

use super::strong;
use crate::judge::dice::Dice;
use crate::judge::fault::{Burst, Fault, Plan};
use crate::judge::scope::Scope;
use crate::judge::site::{DAY_S, Site};

pub(super) fn daily(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let minutes = dice.log_between(150.0, 1_200.0);
    let share = strong(dice);
    every(dice, site, DAY_S, minutes, share)
}

pub(super) fn other(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let period = match site.size.days {
        0..=10 => dice.pick(&[14_400.0, 21_600.0, 28_800.0, 43_200.0]),
        _ => dice.pick(&[43_200.0, 2.0 * DAY_S, 3.0 * DAY_S]),
    };
    let minutes = dice.log_between(180.0, 1_200.0);
    let share = strong(dice);
    every(dice, site, period, minutes, share)
}

/// Runs that are hit by one request or two: only together are they anything.
pub(super) fn weak(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let length = (1.5 * site.gap_mean()).clamp(20.0, 1_500.0);
    let period = if site.size.days > 9 { DAY_S } else { 21_600.0 };
    every(dice, site, period, length, 1.0)
}

fn every(dice: &mut Dice, site: &Site, period: f64, length: f64, share: f64) -> Vec<Fault> {
    let phase = dice.between(0.1, 0.8) * period;
    let jitter = (0.02 * period).min(240.0);
    let mut bursts = Vec::new();
    let mut at = phase;
    while at + 2_400.0 < site.length {
        // A day without a deploy.
        if !dice.chance(0.1) {
            let from = at + dice.between(-jitter, jitter);
            let until = from + (length * dice.between(0.6, 1.4)).min(1_700.0);
            bursts.push(Burst { from, until, share });
        }
        at += period;
    }
    if bursts.len() < 3 {
        return Vec::new();
    }
    vec![Fault::new(Scope::Site, bursts).plan(Plan::Recurring)]
}
