//! Nothing is wrong: whatever is reported is a phantom.

use crate::judge::dice::Dice;
use crate::judge::fault::Fault;
use crate::judge::site::{Noise, Site};

pub(super) fn quiet(_: &mut Dice, site: &mut Site) -> Vec<Fault> {
    for route in &mut site.routes {
        route.noise = route.noise.min(0.000_2);
    }
    Vec::new()
}

pub(super) fn noisy(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    for route in &mut site.routes {
        route.noise = dice.log_between(0.000_8, 0.001_9);
    }
    Vec::new()
}

/// Clumpier than the public examples: what a field log has and simulations lack.
pub(super) fn clumps(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    site.noise = Noise::Clumps;
    for route in &mut site.routes {
        route.noise = dice.log_between(0.000_3, 0.001_2);
    }
    Vec::new()
}

pub(super) fn scanned(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    for _ in 0..4 {
        site.add_scanner(dice);
    }
    site.broken_lines = 60;
    Vec::new()
}
