//! More requests than the site can bear.

use crate::judge::dice::Dice;
use crate::judge::fault::{Burst, Fault, Plan};
use crate::judge::scope::Scope;
use crate::judge::site::{DAY_S, Peak, Site};

/// How finely the chance of failing follows the load.
const STEP_S: f64 = 60.0;

/// Everybody comes at the same hours; some days stay quiet.
pub(super) fn peaks(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    for day in 0..site.size.days {
        if day % 3 != 2 {
            site.peaks.push(Peak {
                middle: (f64::from(day) + dice.between(0.3, 0.7)) * DAY_S,
                half: dice.between(3_600.0, 9_000.0),
                height: dice.between(1.8, 3.5),
                crawler: None,
            });
        }
    }
    over_capacity(dice, site)
}

/// One crawler asks for too much.
pub(super) fn surge(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let crawler = Some(dice.below(site.crawlers.len()));
    for index in 0..1 + dice.below(2) {
        site.peaks.push(Peak {
            middle: (0.3 + 0.35 * index as f64 + dice.between(0.0, 0.05)) * site.length,
            half: dice.between(1_800.0, 7_200.0),
            height: dice.between(2.0, 5.0),
            crawler,
        });
    }
    over_capacity(dice, site)
}

fn over_capacity(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    site.capacity = dice.between(1.65, 1.9);
    // Else the load itself would fall as soon as it does harm, and q(t) would follow nothing that the log shows.
    site.heeds_errors = false;
    let steps = (site.length / STEP_S) as usize;
    let bursts = (0..steps).filter_map(|index| {
        let from = index as f64 * STEP_S;
        let share = site.overload_share(from + 0.5 * STEP_S);
        let until = from + STEP_S;
        (share > 0.0).then_some(Burst { from, until, share })
    });
    let bursts: Vec<Burst> = bursts.collect();
    let status = dice.pick(&[503, 504, 502]);
    vec![
        Fault::new(Scope::Site, bursts)
            .plan(Plan::Overload)
            .status(status),
    ]
}
