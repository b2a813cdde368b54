//! Fifty origins at once: no slower than the slowest of them.

use std::time::{Duration, Instant};

use model::Cause;
use probe::{Error, ORIGINS_MAX};

use super::ask;
use super::server::{Act, Server};

const TIMEOUT: Duration = Duration::from_secs(2);

#[test]
fn fifty_origins_take_no_longer_than_one_time_out() {
    let well = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let servers: Vec<Server> = (0..ORIGINS_MAX)
        .map(|index| match index % 5 {
            0 => Server::always(Act::Hold(Vec::new())),
            1 => Server::always(Act::Close),
            _ => Server::always(Act::say(well)),
        })
        .collect();
    let names: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
    let since = Instant::now();
    let outcomes = ask(&names, &["/".to_owned()], |plan| plan.timeout = TIMEOUT);
    let took = since.elapsed();
    let causes = |cause| {
        let failures = outcomes
            .iter()
            .filter_map(|outcome| outcome.failure.as_ref());
        failures
            .filter(|failure| failure.cause == Some(cause))
            .count()
    };
    println!("50 origins, 10 of which stay silent: {took:?} at a time-out of {TIMEOUT:?}");
    assert_eq!(causes(Cause::ReadTimeout), 10);
    assert_eq!(causes(Cause::ClosedBeforeHeaders), 10);
    // One after another, the silent ones alone would take ten times as long.
    assert!(took < TIMEOUT * 3, "{took:?}");
}

#[test]
fn more_is_refused() {
    let mut plan = probe::Plan::new("http://localhost/".parse().unwrap());
    plan.origins = vec!["127.0.0.1:1".parse().unwrap(); ORIGINS_MAX + 1];
    assert!(matches!(
        probe::probe(&plan),
        Err(Error::TooMany { asked: 51, .. })
    ));
    plan.origins.clear();
    plan.paths = vec!["/".to_owned(); 11];
    assert!(matches!(
        probe::probe(&plan),
        Err(Error::TooMany { asked: 11, .. })
    ));
}
