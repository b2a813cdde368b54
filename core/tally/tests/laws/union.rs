//! `merge` is commutative and associative, an empty tally changes nothing, and the order of counting leaves no trace.

use model::{CrawlerId, Outcome, Stamp};
use proptest::prelude::*;
use tally::{Tally, View};

use crate::chance::Chance;
use crate::log::differing;
use crate::owned::{Event, FEW, Mix, events, tally};

fn view(mut tally: Tally) -> View {
    tally.close(Stamp(i64::MAX));
    tally.view()
}

fn union(mut a: Tally, b: Tally) -> Tally {
    a.merge(b);
    a
}

#[track_caller]
fn same(a: &View, b: &View) {
    assert_eq!(differing(a, b), [""; 0]);
    assert!(a == b);
}

/// Mixes from one that hits no limit to one that hits most: minutes with more than are kept one by one, words that
/// fold at every depth, spans that widen the slots.
fn mixes() -> impl Strategy<Value = Mix> {
    (
        prop::sample::select(vec![60, 900, 86_400 * 8, 86_400 * 50, 86_400 * 430]),
        1_usize..24,
        1_usize..5,
        1_usize..3,
        prop::sample::select(vec![1_usize, 3, 200]),
        1_usize..5,
    )
        .prop_map(
            |(seconds, words, upstreams, hosts, queries, one_fails_in)| Mix {
                seconds,
                words,
                upstreams,
                hosts,
                queries,
                one_fails_in,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merging_is_a_commutative_monoid(
        mix in mixes(),
        sizes in (0_usize..120, 0_usize..60, 0_usize..20),
        seed in any::<u64>(),
    ) {
        let mut chance = Chance(seed);
        let all = events(mix, sizes.0 + sizes.1 + sizes.2, &mut chance);
        let (a, rest) = all.split_at(sizes.0);
        let (b, c) = rest.split_at(sizes.1);
        let (a, b, c) = (tally(a), tally(b), tally(c));
        let whole = view(tally(&all));
        same(&view(union(union(a.clone(), b.clone()), c.clone())), &whole);
        same(&view(union(a.clone(), union(b.clone(), c.clone()))), &whole);
        same(&view(union(c, union(b, a))), &whole);
        let mut shuffled = all;
        chance.shuffle(&mut shuffled);
        let again = tally(&shuffled);
        same(&view(union(again.clone(), Tally::new())), &whole);
        same(&view(union(Tally::new(), again)), &whole);
    }
}

/// Parts by chance, merged by chance.
fn assert_any_parts(all: &[Event], rounds: usize, seed: u64) {
    let whole = view(tally(all));
    let mut chance = Chance(seed);
    for _ in 0..rounds {
        let parts = 2 + chance.below(5);
        let mut shares = vec![Vec::new(); parts];
        for event in all {
            shares[chance.below(parts)].push(event.clone());
        }
        let mut tallies: Vec<Tally> = shares.iter().map(|share| tally(share)).collect();
        while tallies.len() > 1 {
            let other = tallies.swap_remove(chance.below(tallies.len()));
            let at = chance.below(tallies.len());
            tallies[at].merge(other);
        }
        same(&view(tallies.remove(0)), &whole);
    }
}

/// Every table that names an upstream is full of them before the limit is passed; in parts it may be passed only by
/// the last merge.
#[test]
fn too_many_upstreams_are_not_told_apart_however_they_came() {
    let mix = Mix {
        upstreams: 9_000,
        seconds: 7_200,
        ..FEW
    };
    let all = events(mix, 6_000, &mut Chance(1));
    assert!(!view(tally(&all)).limits.is_empty());
    assert_any_parts(&all, 6, 2);
}

/// The same with counts in place of single failures.
#[test]
fn too_many_upstreams_and_too_many_failures() {
    let mix = Mix {
        upstreams: 9_000,
        seconds: 60,
        one_fails_in: 1,
        ..FEW
    };
    assert_any_parts(&events(mix, 6_000, &mut Chance(3)), 6, 4);
}

/// The ledger keeps the paths of the smallest ranks, wherever they first failed.
#[test]
fn too_many_failed_paths() {
    let mut chance = Chance(5);
    let mut all = events(FEW, 20_000, &mut chance);
    for (n, event) in all.iter_mut().enumerate() {
        if let Event::Request(request) = event {
            let path = n % 16_000;
            request.path = format!("/w{}/x{path}", path % 50);
            request.crawler = Some(CrawlerId(0));
            request.outcome = [Outcome::Good, Outcome::Failed][chance.below(4).min(1)];
            request.at = request.at.plus_secs(chance.below(80_000) as i64);
        }
    }
    let limits = view(tally(&all)).limits;
    assert!(
        limits
            .iter()
            .any(|limit| limit.name.contains("in the ledger")),
        "{limits:?}"
    );
    assert_any_parts(&all, 3, 6);
}
