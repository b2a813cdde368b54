//! A log with its truth, from the name of a kind and a seed.

use super::dice::Dice;
use super::evidence;
use super::fact;
use super::kind::Kind;
use super::line;
use super::request;
use super::site::Site;
use super::traffic;
use super::truth::Truth;

pub(crate) struct Scenario {
    pub(crate) log: Vec<u8>,
    pub(crate) truth: Truth,
}

/// The same for the same kind and seed, byte for byte.
pub(crate) fn scenario(kind: &Kind, seed: u64) -> Scenario {
    let mut dice = Dice::new(kind.name, seed);
    let size = kind.sizes[(seed % kind.sizes.len() as u64) as usize];
    let mut site = Site::draw(&mut dice, size);
    let faults = (kind.plan)(&mut dice, &mut site);
    let mut sent = traffic::send(&mut dice, &site, &faults);
    let log = line::write(&mut dice, &site, &sent);

    sent.sort_by_key(|sent| sent.request.at);
    request::mark_repeats(sent.iter_mut().map(|sent| &mut sent.request));
    let name = format!("{}-{}-{seed}", kind.name, size.name);
    let log_end = sent.last().map_or(site.start, |sent| sent.request.at) as f64;
    let offset = site.start as f64;
    let lost = site.lost.iter();
    let truth = Truth {
        family: kind.name.to_owned(),
        size: size.name.to_owned(),
        format: if site.names_upstreams {
            "upstream"
        } else {
            "combined"
        }
        .to_owned(),
        log_start: offset,
        log_end,
        lines: sent.len(),
        other_traffic: site.others > 0.0,
        background: site.background(),
        gaps: lost.map(|gap| (offset + gap.0, offset + gap.1)).collect(),
        skew: site.skew,
        incidents: evidence::planted(&name, &site, &faults, &sent),
        facts: fact::facts(sent.iter().map(|sent| &sent.request), log_end),
        scenario: name,
    };
    Scenario { log, truth }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::judge::kind::KINDS;
    use crate::judge::request::Request;
    use crate::judge::scope::Scope;
    use crate::judge::truth::Planted;

    /// A seed that gives the kind's smallest size, so that all kinds together take seconds.
    fn small(kind: &Kind) -> u64 {
        let sizes = kind.sizes.iter().enumerate();
        let smallest = sizes.min_by_key(|(_, size)| size.per_day);
        smallest.map_or(0, |(place, _)| (kind.sizes.len() + place) as u64)
    }

    #[test]
    fn a_seed_names_its_bytes() {
        let mut logs = BTreeSet::new();
        for kind in &KINDS {
            let (one, two) = (scenario(kind, small(kind)), scenario(kind, small(kind)));
            assert!(one.log == two.log, "{}", kind.name);
            let json = |truth: &Truth| serde_json::to_string(truth).expect("numbers and words");
            assert_eq!(json(&one.truth), json(&two.truth));
            logs.insert(one.log);
            logs.insert(scenario(kind, small(kind) + kind.sizes.len() as u64).log);
        }
        assert_eq!(logs.len(), 2 * KINDS.len());
    }

    #[test]
    fn the_truth_is_what_a_recount_of_the_log_finds() {
        for kind in &KINDS {
            let made = scenario(kind, small(kind));
            let (truth, read) = (&made.truth, request::read(&made.log));
            let name = &truth.scenario;
            assert_eq!(read.len(), truth.lines, "{name}");
            assert_eq!(
                fact::facts(read.iter(), truth.log_end),
                truth.facts,
                "{name}"
            );
            for planted in &truth.incidents {
                let end = planted.end.unwrap_or(f64::MAX);
                let slack = truth.skew.abs() + 1.0;
                let span = (planted.start - slack, end + slack);
                let crawlers = fact::crawlers(read.iter(), &planted.scope, span);
                assert_eq!(crawlers, planted.crawlers, "{name}");
                if truth.skew == 0.0 {
                    assert_eq!(recount(&read, planted), planted.failed, "{name}");
                }
            }
        }
    }

    fn recount(read: &[Request], planted: &Planted) -> usize {
        let end = planted.end.unwrap_or(f64::MAX);
        let during = |one: &&Request| {
            let at = one.at as f64;
            one.is_evidence() && planted.start.floor() <= at && at < end.floor()
        };
        let failed = |one: &Request| match &planted.scope {
            Scope::Upstream(name) => {
                let own = one.attempts.iter();
                own.filter(|attempt| attempt.0 == *name && attempt.1)
                    .count()
            }
            scope => usize::from(scope.holds(one) && one.failed()),
        };
        read.iter().filter(during).map(failed).sum()
    }

    #[test]
    fn evidence_hangs_together() {
        for kind in &KINDS {
            let truth = scenario(kind, small(kind)).truth;
            let is_healthy = kind.name.starts_with("healthy");
            assert_eq!(truth.incidents.is_empty(), is_healthy, "{}", truth.scenario);
            for planted in truth.incidents {
                let name = &planted.id;
                let end = planted.end.unwrap_or(truth.log_end);
                let holds = |set: (f64, f64), at: f64| set.0 <= at && at <= set.1;
                assert!(holds(planted.start_set, planted.start), "{name}");
                assert!(
                    planted.end.is_none() || holds(planted.end_set, end),
                    "{name}"
                );
                assert!(planted.failed <= planted.in_scope, "{name}");
                assert!(!planted.clear || planted.detectable, "{name}");
                assert!(planted.ladder.is_sorted(), "{name}");
                if planted.detectable {
                    assert!(planted.llr >= planted.h && planted.failed >= 2, "{name}");
                    assert!(planted.oracle_time.is_some(), "{name}");
                }
            }
        }
    }

    #[test]
    fn kinds_show_the_verdict_they_are_named_for() {
        for (name, verdict) in [
            ("blip-site", "blip"),
            ("rolling-restart", "restart"),
            ("daily", "recurring"),
            ("overload-peak", "overload"),
            ("outage-recovered", "persistent"),
            ("low-share", "intermittent"),
        ] {
            let kind = KINDS.iter().find(|kind| kind.name == name).expect("a kind");
            let medium = kind
                .sizes
                .iter()
                .position(|size| size.name == "M")
                .expect("a size");
            let mut seeds = (medium as u64..).step_by(kind.sizes.len()).take(4);
            let shows = seeds.any(|seed| {
                let planted = scenario(kind, seed).truth.incidents;
                planted
                    .iter()
                    .any(|one| one.detectable && one.identifiable && one.verdict == verdict)
            });
            assert!(shows, "{name}");
        }
    }
}
