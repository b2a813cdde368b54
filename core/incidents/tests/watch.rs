//! The judge in service: what is told when, once each, and never something else than judging the whole would tell.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "support/month.rs"]
mod month;

use incidents::{Event, Look, State, Watch};
use model::{Incident, IncidentId, Scope, ScopeKind, Stamp, Verdict};
use tally::{Tally, View};

use month::{START, Share};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// A request a minute.
const REQUESTS: u64 = 43_200;

/// Counts the month, and looks at the end of each of these seconds.
fn looks(share: Share, times: impl Iterator<Item = i64>) -> Vec<(i64, View, Look)> {
    let mut watch = Watch::new();
    let mut times = times.peekable();
    let mut tally = Tally::new();
    let mut looks = Vec::new();
    month::each(REQUESTS, share, |request| {
        let second = request.at.secs() - START;
        while let Some(due) = times.next_if(|due| *due < second) {
            let now = Stamp::from_secs(START + due);
            let mut open = tally.clone();
            open.close(now);
            let view = open.view();
            let look = watch.look(&view, now);
            looks.push((due, view, look));
        }
        tally.record(request);
    });
    looks
}

/// Every five minutes from one second to another.
fn every_five_minutes(from: i64, to: i64) -> impl Iterator<Item = i64> {
    (from..to).step_by(300)
}

fn told(looks: &[(i64, View, Look)], event: Event) -> Vec<i64> {
    let changes = looks.iter().flat_map(|(at, _, look)| {
        let same = look
            .changes
            .iter()
            .filter(move |change| change.event == event);
        same.map(move |_| *at)
    });
    changes.collect()
}

/// Scope, time and detection, which are the same however often it was looked.
fn facts(incident: &Incident) -> (Vec<String>, Stamp, Option<Stamp>, Stamp) {
    (
        incident.scope.values.clone(),
        incident.start,
        incident.end,
        incident.first_detected,
    )
}

fn assert_same_as_judging_the_whole(looks: &[(i64, View, Look)]) {
    for (at, view, look) in looks {
        let whole = incidents::judge(view, Stamp::from_secs(START + at));
        let facts_of: Vec<_> = whole.iter().map(facts).collect();
        let watched: Vec<_> = (look.incidents.iter())
            .map(|watched| facts(&watched.incident))
            .collect();
        assert_eq!(watched, facts_of, "at {at}");
        for (watched, incident) in look.incidents.iter().zip(&whole) {
            if incident.probability > 0.75 {
                assert_eq!(watched.incident.verdict, incident.verdict, "at {at}");
            }
        }
    }
}

/// Three hours on the tenth day.
fn outage(second: i64, _: usize, _: usize) -> f64 {
    f64::from(u8::from((10 * DAY..10 * DAY + 3 * HOUR).contains(&second)))
}

#[test]
fn an_outage_is_told_once_amended_settled_and_closed() {
    let looks = looks(
        outage,
        every_five_minutes(10 * DAY - HOUR, 10 * DAY + 5 * HOUR),
    );
    let detected = told(&looks, Event::Detected);
    assert_eq!(detected.len(), 1, "one alert");
    assert!(
        (10 * DAY..10 * DAY + 10 * MINUTE).contains(&detected[0]),
        "{detected:?}"
    );
    let settled = told(&looks, Event::Settled);
    assert_eq!(settled.len(), 1);
    assert!(
        (10 * DAY + 10 * MINUTE..10 * DAY + HOUR).contains(&settled[0]),
        "{settled:?}"
    );
    let closed = told(&looks, Event::Closed);
    assert_eq!(closed.len(), 1);
    let end = 10 * DAY + 3 * HOUR;
    assert!(
        (end + 29 * MINUTE..end + HOUR).contains(&closed[0]),
        "{closed:?}"
    );
    for event in [Event::Reopened, Event::Withdrawn(None)] {
        assert_eq!(told(&looks, event), [0; 0], "{event:?}");
    }
    let ids: Vec<IncidentId> = (looks.iter())
        .flat_map(|(_, _, look)| &look.incidents)
        .map(|watched| watched.incident.id)
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one id throughout");
    let last = &looks.last().unwrap().2.incidents[0];
    assert_eq!(
        (last.state, last.incident.verdict),
        (State::Closed, Verdict::Persistent)
    );
    assert_same_as_judging_the_whole(&looks);
}

/// One route of five, and from the tenth minute on all of them.
fn growing(second: i64, route: usize, _: usize) -> f64 {
    let since = second - 10 * DAY;
    let is_due = (0..3 * HOUR).contains(&since) && (route == 0 || since > 10 * MINUTE);
    f64::from(u8::from(is_due))
}

#[test]
fn a_fault_that_grows_is_the_same_incident() {
    let looks = looks(growing, (0..70).map(|step| 10 * DAY - 60 + step * 120));
    let told_of: Vec<(IncidentId, Scope)> = looks
        .iter()
        .flat_map(|(_, _, look)| &look.incidents)
        .map(|watched| (watched.incident.id, watched.incident.scope.clone()))
        .collect();
    let (first, last) = (told_of.first().unwrap(), told_of.last().unwrap());
    assert_ne!(first.1, last.1, "the scope changed");
    assert_eq!(last.1.kind, ScopeKind::Site);
    assert!(told_of.iter().all(|(id, _)| *id == first.0), "one id");
    assert_eq!(told(&looks, Event::Detected).len(), 1);
    assert!(!told(&looks, Event::Revised).is_empty());
}

/// Every other request, for a day: persistent or intermittent, on the edge between them.
fn half(second: i64, _: usize, _: usize) -> f64 {
    if (10 * DAY..11 * DAY).contains(&second) {
        0.5
    } else {
        0.0
    }
}

#[test]
fn a_verdict_on_the_edge_does_not_flip_with_each_failure() {
    let looks = looks(half, every_five_minutes(10 * DAY, 10 * DAY + 12 * HOUR));
    let judged = looks.iter().flat_map(|(at, view, _)| {
        let whole = incidents::judge(view, Stamp::from_secs(START + at));
        whole.first().map(|incident| incident.verdict)
    });
    let judged: Vec<Verdict> = judged.collect();
    let flips = judged.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let revised = told(&looks, Event::Revised).len();
    assert!(revised < flips, "{revised} told of {flips}");
}

/// Twelve minutes at five in the morning, from the second day to the seventh.
fn daily(second: i64, _: usize, _: usize) -> f64 {
    let of_day = second % DAY - 5 * HOUR;
    let is_due = (2..8).contains(&(second / DAY)) && (0..12 * MINUTE).contains(&of_day);
    f64::from(u8::from(is_due))
}

#[test]
fn runs_become_one_schedule_that_keeps_the_first_id() {
    let times =
        (2..9).flat_map(|day| every_five_minutes(day * DAY + 5 * HOUR, day * DAY + 7 * HOUR));
    let looks = looks(daily, times);
    let first = looks
        .iter()
        .flat_map(|(_, _, look)| &look.incidents)
        .map(|watched| watched.incident.id)
        .next()
        .unwrap();
    let last = &looks.last().unwrap().2;
    let [schedule] = &last.incidents[..] else {
        panic!("{:#?}", last.incidents);
    };
    assert_eq!(schedule.incident.verdict, Verdict::Recurring);
    assert_eq!(schedule.incident.id, first);
    let withdrawn = told(&looks, Event::Withdrawn(Some(first)));
    assert!(
        !withdrawn.is_empty(),
        "later runs were reported by themselves at first"
    );
    assert_eq!(schedule.incident.supersedes.len(), withdrawn.len());
    let mut verdicts = schedule.incident.history.iter().map(|entry| entry.verdict);
    assert_eq!(
        verdicts.next_back(),
        Some(Verdict::Recurring),
        "{:#?}",
        schedule.incident.history
    );
    // Once there is a schedule its next run is no news.
    let detected = told(&looks, Event::Detected);
    assert_eq!(detected.len(), withdrawn.len() + 1);
    assert!(detected.iter().all(|at| at / DAY < 6), "{detected:?}");
    assert_same_as_judging_the_whole(&looks);
}

/// One request in a thousand.
fn healthy(_: i64, _: usize, _: usize) -> f64 {
    0.001
}

#[test]
fn a_healthy_site_is_no_news() {
    let looks = looks(healthy, (1..120).map(|step| step * 6 * HOUR));
    let changes = looks.iter().flat_map(|(_, _, look)| &look.changes);
    assert_eq!(changes.count(), 0);
    let suspicions = looks.iter().filter(|(_, _, look)| look.suspicion.is_some());
    assert!(suspicions.count() < 12, "a suspicion is rare");
}

/// Six minutes.
fn short(second: i64, _: usize, _: usize) -> f64 {
    f64::from(u8::from((10 * DAY..10 * DAY + 361).contains(&second)))
}

#[test]
fn what_is_near_to_an_incident_is_suspected_first_and_no_news() {
    let looks = looks(short, (0..30).map(|step| 10 * DAY - 90 + step * 30));
    let suspected = |(_, _, look): &&(i64, View, Look)| look.suspicion.is_some();
    let (at, _, look) = looks.iter().find(suspected).unwrap();
    assert!(look.incidents.is_empty() && look.changes.is_empty());
    let suspicion = look.suspicion.as_ref().unwrap();
    assert_eq!(suspicion.scope.kind, ScopeKind::Site);
    assert_eq!(suspicion.since, Stamp::from_secs(START + 10 * DAY));
    let detected = told(&looks, Event::Detected);
    assert_eq!(detected.len(), 1);
    assert!(detected[0] > *at);
    let last = &looks.last().unwrap().2;
    assert!(!last.incidents.is_empty() && last.suspicion.is_none());
}
