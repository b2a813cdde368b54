//! Against what no real server gives on request. Nothing of it may call a crawler spoofed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod claim;
mod responder;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use claim::{identities, line, settings};
use dns::Settings;
use model::Identity::{self, Spoofed, Unchecked, Verified};
use responder::{NO_SUCH_NAME, PTR, Query, REFUSED, Responder, SERVER_FAILURE};

const NAME: &str = "crawl-192-0-2-1.googlebot.com";
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// What the one address comes to under a server that answers so.
fn identity(says: impl FnMut(&Query<'_>) -> Option<Vec<u8>> + Send + 'static) -> Identity {
    let server = Responder::start(Duration::ZERO, says);
    let (found, _) = identities(
        &line("192.0.2.1", "Googlebot/2.1"),
        &settings(&[server.address]),
    );
    found[0]
}

fn good(query: &Query<'_>) -> Vec<u8> {
    match query.kind {
        PTR => query.names(&[NAME]),
        _ => query.addresses(&[ADDRESS]),
    }
}

type Says = fn(&Query<'_>) -> Option<Vec<u8>>;

/// As answers to either question, the other one being answered well.
#[test]
fn what_is_no_answer_refutes_nothing() {
    let table: [(&str, Says, Identity); 11] = [
        ("good", |query| Some(good(query)), Verified),
        (
            "no such name",
            |query| Some(query.fails(NO_SUCH_NAME)),
            Spoofed,
        ),
        (
            "nothing of that kind",
            |query| Some(query.values(&[])),
            Spoofed,
        ),
        ("silence", |_| None, Unchecked),
        (
            "failure",
            |query| Some(query.fails(SERVER_FAILURE)),
            Unchecked,
        ),
        ("refused", |query| Some(query.fails(REFUSED)), Unchecked),
        (
            "cut, and nobody there for more",
            |query| Some(query.cut()),
            Unchecked,
        ),
        ("rubbish", |_| Some(vec![0xff; 100]), Unchecked),
        (
            "rubbish under the right number",
            |query| Some([&query.bytes[..2], &[0xff; 100]].concat()),
            Unchecked,
        ),
        (
            "cut short",
            |query| {
                let answer = good(query);
                Some(answer[..answer.len() - 3].to_vec())
            },
            Unchecked,
        ),
        (
            "the question itself",
            |query| Some(query.bytes.to_vec()),
            Unchecked,
        ),
    ];
    std::thread::scope(|scope| {
        for (what, says, expected) in table {
            scope.spawn(move || {
                assert_eq!(identity(says), expected, "{what}, to the first question");
            });
            scope.spawn(move || {
                let found = identity(move |query| match query.kind {
                    PTR => Some(good(query)),
                    _ => says(query),
                });
                assert_eq!(found, expected, "{what}, to the second question");
            });
        }
    });
}

#[test]
fn late_answers_are_waited_for() {
    let server = Responder::start(Duration::from_millis(20), |query| Some(good(query)));
    let (found, questions) = identities(
        &line("192.0.2.1", "Googlebot/2.1"),
        &settings(&[server.address]),
    );
    assert_eq!(found, [Verified]);
    assert_eq!(
        (questions.reverse, questions.forward, questions.unanswered),
        (1, 1, 0)
    );
}

/// A lost question is put once more.
#[test]
fn one_lost_datagram_is_no_harm() {
    let mut seen = std::collections::BTreeSet::new();
    let found = identity(move |query| {
        let is_second = !seen.insert(query.kind);
        is_second.then(|| good(query))
    });
    assert_eq!(found, Verified);
}

/// Where one server is dead, the other one is asked.
#[test]
fn a_second_server_helps() {
    let dead = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = Responder::start(Duration::ZERO, |query| Some(good(query)));
    let servers = [dead.local_addr().unwrap(), server.address];
    let (found, _) = identities(&line("192.0.2.1", "Googlebot/2.1"), &settings(&servers));
    assert_eq!(found, [Verified]);
}

/// A thousand addresses and a server that says nothing: after some rounds nobody is asked any more.
#[test]
fn a_dead_server_is_given_up() {
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let servers: Vec<SocketAddr> = vec![silent.local_addr().unwrap()];
    let log: String = (0..1_000u32)
        .map(|n| {
            line(
                &Ipv4Addr::from(0xcb00_0000 + n).to_string(),
                "Googlebot/2.1",
            )
        })
        .collect();
    let settings = Settings {
        timeout: Duration::from_millis(40),
        ..settings(&servers)
    };
    let begin = Instant::now();
    let (found, questions) = identities(&log, &settings);
    assert!(found.iter().all(|one| *one == Unchecked));
    assert_eq!(questions.unanswered, 1_000);
    // All of it would be 2 x 40 ms x 1,000 / 64.
    assert!(
        begin.elapsed() < Duration::from_millis(1_200),
        "{:?}",
        begin.elapsed()
    );
}
