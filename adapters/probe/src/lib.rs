//! Adapter: edge and origins asked phase by phase, as a gateway asks them. Takes a plan, gives what was seen; what it
//! comes to is `diagnosis`'s.
//!
//! It asks nobody but whom the plan names, a bounded number of times, and says who it is. A redirect is not followed.
#![deny(clippy::disallowed_types)]

mod blame;
mod exchange;
mod place;
mod plan;
mod response;
mod secure;

pub use place::{Origin, Place, Url, check_path};
pub use plan::{ADDRESSES_MAX, BODY_MAX, CONNECTIONS_MAX, Error, ORIGINS_MAX, PATHS_MAX, Plan};
pub use response::{Reader, Wrong};

use std::net::SocketAddr;
use std::time::Instant;

use futures_util::future::join_all;
use model::Cause;
use model::probe::{Failure, Note, Outcome, Phase, Role, Target};
use tokio::sync::Semaphore;
use tokio::time;

use exchange::{Asker, Door, Job};
use secure::Trust;

/// Asks everybody in the plan at once; edge before origins, each in the order of the plan.
pub fn probe(plan: &Plan) -> Result<Vec<Outcome>, Error> {
    plan.check()?;
    let asker = Asker {
        plan,
        trust: Trust::new(plan)?,
        connections: Semaphore::new(CONNECTIONS_MAX),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let outcomes = runtime.block_on(async {
        let asks = ends(plan).into_iter().map(|end| async {
            let end = end;
            ask(&asker, &end).await
        });
        join_all(asks).await
    });
    // A name server that does not answer holds a thread of the system's resolver, which cannot be stopped: leave it.
    runtime.shutdown_background();
    Ok(outcomes.into_iter().flatten().collect())
}

/// One name that the plan has.
struct End<'p> {
    role: Role,
    name: String,
    place: &'p Place,
    tls: bool,
    /// An address that is used for the name, whatever it leads to.
    given: Option<SocketAddr>,
}

fn ends(plan: &Plan) -> Vec<End<'_>> {
    let edges = plan.edges.iter().map(|place| End {
        role: Role::Edge,
        name: plan.url.authority(),
        place,
        tls: plan.url.tls,
        given: None,
    });
    let origins = plan.origins.iter().map(|origin| End {
        role: Role::Origin,
        name: origin.name.clone(),
        place: &origin.place,
        tls: origin.tls,
        given: origin.given,
    });
    edges.chain(origins).collect()
}

/// What a name leads to.
#[derive(Default)]
struct Found {
    addresses: Vec<SocketAddr>,
    left_out: usize,
    step: Option<(Phase, std::time::Duration)>,
}

async fn ask(asker: &Asker<'_>, end: &End<'_>) -> Vec<Outcome> {
    let at = exchange::now();
    let started = Instant::now();
    let target = |address: Option<String>, elsewhere| Target {
        role: end.role,
        name: end.name.clone(),
        address,
        tls: end.tls,
        elsewhere,
    };
    let mut doors: Vec<(Door, Target, Vec<Note>)> = Vec::new();
    let mut found = Found::default();
    match end.place {
        Place::Unix(path) => {
            let door = Door::Unix(path.clone());
            doors.push((
                door,
                target(Some(path.display().to_string()), false),
                vec![],
            ));
        }
        Place::Socket(address) => {
            let door = Door::Tcp(*address);
            doors.push((door, target(Some(address.to_string()), false), vec![]));
        }
        Place::Name(name, port) => {
            match lookup(name, *port, asker.plan.timeout).await {
                Ok(known) => found = known,
                Err(detail) if end.given.is_none() => {
                    let failure = Failure {
                        phase: Phase::Dns,
                        cause: Some(Cause::DnsFailure),
                        detail,
                    };
                    let paths = asker.plan.paths.iter();
                    return paths
                        .map(|path| Outcome {
                            target: target(None, false),
                            path: path.clone(),
                            at,
                            steps: vec![(Phase::Dns, started.elapsed())],
                            failure: Some(failure.clone()),
                            answer: None,
                            tls_version: None,
                            keep_alive: None,
                            notes: Vec::new(),
                        })
                        .collect();
                }
                // The gateway uses the address that was given, so the name's fault is told by `elsewhere` alone.
                Err(_) => {}
            }
            found.step = Some((Phase::Dns, started.elapsed()));
            let has_v4 = found.addresses.iter().any(SocketAddr::is_ipv4);
            for address in &found.addresses {
                let mut notes = Vec::new();
                if found.left_out > 0 {
                    notes.push(Note::AddressesLeftOut(found.left_out));
                }
                if has_v4 && address.is_ipv6() && !exchange::has_route(address) {
                    notes.push(Note::NoIpv6Here);
                }
                let target = target(Some(address.to_string()), false);
                doors.push((Door::Tcp(*address), target, notes));
            }
            if let Some(given) = end.given.filter(|given| !found.addresses.contains(given)) {
                let target = target(Some(given.to_string()), true);
                doors.push((Door::Tcp(given), target, Vec::new()));
            }
        }
    }
    let jobs = doors.iter().flat_map(|(door, target, notes)| {
        let paths = asker.plan.paths.iter().enumerate();
        paths.map(|(index, path)| Job {
            door,
            target,
            path,
            is_first: index == 0,
            dns: found.step.filter(|_| !target.elsewhere),
            notes,
        })
    });
    join_all(jobs.map(|job| asker.exchange(job))).await
}

/// Every address of a name, as the system resolves it: `/etc/hosts` and search lists are what a gateway uses, too.
async fn lookup(name: &str, port: u16, timeout: std::time::Duration) -> Result<Found, String> {
    let asked = time::timeout(timeout, tokio::net::lookup_host((name, port))).await;
    let answer = asked.map_err(|_| {
        format!(
            "no name server answered for {name} within {} s",
            timeout.as_secs_f64()
        )
    })?;
    let answer = answer.map_err(|error| {
        let text = error.to_string();
        let reason = text.rsplit(": ").next().unwrap_or(&text);
        format!("{name} leads to no address: {reason}")
    })?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in answer {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(format!("{name} leads to no address"));
    }
    // The resolver's order changes from call to call; a report should not.
    addresses.sort_unstable();
    let left_out = addresses.len().saturating_sub(ADDRESSES_MAX);
    addresses.truncate(ADDRESSES_MAX);
    Ok(Found {
        addresses,
        left_out,
        step: None,
    })
}
