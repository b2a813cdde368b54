//! Recordings of what only HAProxy does: health checks that say so in the log, a queue before the servers, answers to
//! clients that have left.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use model::Cause as C;

use super::fault_scripts::{around, good, recovered, struck};
use super::origin::Fault;
use super::session::Session;
use super::traffic::{Ask, Visitor};
use super::truth::Why;

/// How long a health check may take to notice, real time.
const NOTICED_MAX: Duration = Duration::from_secs(5);

/// Waits until the event lines hold `text` this often.
fn await_event(s: &Session<'_>, text: &str, count: usize) -> Result<()> {
    let path = s.running.dir.join("error.log");
    let deadline = Instant::now() + NOTICED_MAX;
    while std::fs::read_to_string(&path)?.matches(text).count() < count {
        ensure!(Instant::now() < deadline, "no event line says {text}");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// The health check takes the only server out; what comes then is an echo.
pub(super) fn server_down(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    s.down(0)?;
    await_event(s, "has no server available!", 1)?;
    for ask in struck(s) {
        let why = Why::echo("server-down", C::ConnectionRefused);
        s.ask_because(ask, Some(why))?;
        s.pass(25)?;
    }
    s.up(0)?;
    await_event(s, "is UP", 1)?;
    recovered(s)
}

/// The first request meets the dead servers before the health checks do; the others meet an empty pool.
pub(super) fn slow_check(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    s.down(0)?;
    s.down(1)?;
    let mut asks = struck(s).into_iter();
    if let Some(ask) = asks.next() {
        s.ask_because(ask, Some(Why::new("pool-dead", C::ConnectionRefused)))?;
    }
    await_event(s, "has no server available!", 1)?;
    s.pass(4)?;
    for ask in asks {
        let why = Why::echo("pool-dead", C::ConnectionRefused);
        s.ask_because(ask, Some(why))?;
        s.pass(6)?;
    }
    s.up(0)?;
    s.up(1)?;
    await_event(s, "is UP", 2)?;
    recovered(s)
}

/// The application answers the health check with an error.
pub(super) fn check_fails(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    s.set_all(Some(Fault::Own503));
    await_event(s, "has no server available!", 1)?;
    for ask in struck(s) {
        s.ask_because(ask, Some(Why::echo("check-fails", C::OriginOwnError)))?;
        s.pass(25)?;
    }
    s.set_all(None);
    await_event(s, "is UP", 1)?;
    recovered(s)
}

/// One slow request holds the only slot; what comes meanwhile waits in the queue until it may wait no longer.
pub(super) fn queue(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    for ask in struck(s) {
        let slow = Ask::get(Visitor::person_with_agent(2), "/search?q=wool").with(Fault::Late);
        let held = s.begin(
            Ask {
                delay_ms: 0,
                ..slow
            },
            None,
        )?;
        s.settle();
        s.ask_because(ask, Some(Why::new("queue", C::UpstreamBusy)))?;
        s.pass(1)?;
        s.release();
        s.finish(held)?;
        s.pass(25)?;
    }
    good(s, 4)
}

/// Clients leave and the server says nothing until HAProxy has no more patience.
pub(super) fn leaves_before_timeout(s: &mut Session<'_>) -> Result<()> {
    around(s, |s, mut ask| {
        ask.delay_ms = 0;
        let pending = s.begin(ask.with(Fault::Silent), None)?;
        s.leave(pending)
    })?;
    s.release();
    recovered(s)
}

/// Clients leave in the middle of a long answer, which the server goes on to send.
pub(super) fn leaves_download(s: &mut Session<'_>) -> Result<()> {
    around(s, |s, mut ask| {
        ask.delay_ms = 0;
        ask.size = 200_000;
        let pending = s.begin(ask.with(Fault::SlowBody), None)?;
        s.abort(pending, Duration::from_millis(4_000))
    })?;
    recovered(s)
}

/// Every server is an address that the network stack has no route to.
pub(super) fn no_network(s: &mut Session<'_>) -> Result<()> {
    for ask in struck(s) {
        s.ask_because(ask, Some(Why::new("no-network", C::HostUnreachable)))?;
        s.pass(25)?;
    }
    Ok(())
}

/// A rule denies what it knows as bad, tarpits what it finds suspicious.
pub(super) fn denied(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    for number in 0..6 {
        let why = Why::new("deny", C::EdgeMadeResponse);
        let target = format!("/search?q={number}");
        s.ask_because(Ask::get(Visitor::crawler("gptbot"), &target), Some(why))?;
        s.pass(20)?;
    }
    good(s, 4)
}
