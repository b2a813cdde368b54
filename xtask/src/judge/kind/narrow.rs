//! Only some clients or one file are hit.

use super::{middle, strong};
use crate::judge::dice::Dice;
use crate::judge::fault::Fault;
use crate::judge::request::CRAWLERS;
use crate::judge::scope::Scope;
use crate::judge::site::Site;

pub(super) fn robots(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let from = middle(dice, site);
    let status = dice.pick(&[500, 503]);
    if dice.chance(0.6) {
        let fault = Fault::run(Scope::Robots, from, site.length - from, 1.0);
        return vec![fault.status(status).ongoing()];
    }
    let length = dice.log_between(7_200.0, 0.3 * site.length);
    vec![Fault::run(Scope::Robots, from, length, 1.0).status(status)]
}

/// A rule that turns one crawler away.
pub(super) fn one_crawler(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let place = site.crawlers[dice.below(site.crawlers.len().min(3))].0;
    let scope = Scope::Crawler(CRAWLERS[place].to_owned());
    let from = middle(dice, site);
    let length = dice.log_between(3_600.0, 0.3 * site.length);
    let status = dice.pick(&[429, 503]);
    vec![Fault::run(scope, from, length, strong(dice)).status(status)]
}

/// A rule that turns all crawlers away and people not.
pub(super) fn all_crawlers(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    site.others = dice.between(0.35, 0.7);
    let from = middle(dice, site);
    let length = dice.log_between(3_600.0, 0.3 * site.length);
    vec![Fault::run(Scope::AllCrawlers, from, length, strong(dice)).status(503)]
}
