//! Some paths fail and all others do not.

use std::collections::BTreeSet;

use super::{middle, some_route, strong};
use crate::judge::dice::Dice;
use crate::judge::fault::Fault;
use crate::judge::scope::Scope;
use crate::judge::site::Site;
use crate::judge::traffic::page_of;

pub(super) fn route(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let scope = Scope::Routes(vec![some_route(dice, site)]);
    let from = middle(dice, site);
    let status = dice.pick(&[500, 502, 504]);
    let length = dice.log_between(3_600.0, 0.3 * site.length);
    vec![Fault::run(scope, from, length, strong(dice)).status(status)]
}

pub(super) fn group(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let from = middle(dice, site);
    let scope = Scope::Routes(some_routes(dice, site));
    let length = dice.log_between(3_600.0, 0.3 * site.length);
    vec![Fault::run(scope, from, length, strong(dice))]
}

pub(super) fn url(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let path = page_of(&some_route(dice, site), dice.below(3));
    let from = middle(dice, site);
    let fault = Fault::run(Scope::Url(path), from, site.length - from, 1.0).status(500);
    vec![fault.ongoing()]
}

/// From a deploy on; somebody notices hours later, or has not yet.
pub(super) fn config_error(dice: &mut Dice, site: &mut Site) -> Vec<Fault> {
    let from = middle(dice, site);
    site.slow.push((from - 90.0, from));
    let scope = if dice.chance(0.5) {
        Scope::Routes(some_routes(dice, site))
    } else {
        Scope::Routes(vec![some_route(dice, site)])
    };
    let status = dice.pick(&[500, 503]);
    if dice.chance(0.6) {
        return vec![
            Fault::run(scope, from, site.length - from, 1.0)
                .status(status)
                .ongoing(),
        ];
    }
    let length = dice.log_between(5_400.0, 0.3 * site.length);
    vec![Fault::run(scope, from, length, 1.0).status(status)]
}

/// Two or three routes by different first words, written as short as they may be.
pub(super) fn some_routes(dice: &mut Dice, site: &Site) -> Vec<String> {
    let firsts: Vec<&str> = site
        .routes
        .iter()
        .map(|route| first_word(&route.prefix))
        .collect();
    let mut words: Vec<&str> = BTreeSet::from_iter(firsts).into_iter().collect();
    dice.shuffle(&mut words);
    words.truncate((2 + dice.below(2)).min(words.len() - 1));
    words.sort_unstable();
    words.into_iter().map(str::to_owned).collect()
}

/// `/shop` of `/shop/item`: when both its routes break, it is the whole of `/shop` that does.
fn first_word(prefix: &str) -> &str {
    let end = prefix[1..].find('/').map_or(prefix.len(), |at| at + 1);
    &prefix[..end]
}
