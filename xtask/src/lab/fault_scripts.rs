//! What happens in the recordings of faults: who asks for what while it is broken, and what the lab knows of each.

use std::time::Duration;

use anyhow::Result;
use model::Cause;
use model::Cause as C;

use super::origin::Fault;
use super::session::Session;
use super::traffic::{self, Ask, Visitor};
use super::truth::Why;

/// `count` visits that go well.
pub(super) fn good(s: &mut Session<'_>, count: usize) -> Result<()> {
    for number in 0..count {
        let visitor = visitor(s, number);
        let target = match number % 5 {
            3 if visitor.crawler.is_none() => traffic::asset(&mut s.dice),
            _ => traffic::page(&mut s.dice),
        };
        s.ask(Ask::get(visitor, &target))?;
        s.pass(20)?;
    }
    Ok(())
}

/// Two crawlers, then a person.
fn visitor(s: &mut Session<'_>, number: usize) -> Visitor {
    if number % 3 == 2 {
        Visitor::person(&mut s.dice)
    } else {
        Visitor::some_crawler(&mut s.dice)
    }
}

/// The requests that a fault of some minutes hits: crawlers, people, robots.txt, a page that was asked for twice.
pub(super) fn struck(s: &mut Session<'_>) -> Vec<Ask> {
    let mut asks = vec![
        Ask::get(Visitor::crawler("googlebot"), "/product/1234"),
        Ask::get(Visitor::crawler("bingbot"), "/category/shoes?page=4"),
        Ask::get(Visitor::person_with_agent(0), "/product/1107"),
        Ask::get(Visitor::person_with_agent(0), "/product/1107"),
        Ask::get(Visitor::crawler("googlebot"), "/robots.txt"),
        Ask::get(
            Visitor::person_with_agent(7),
            &traffic::personal_page(&mut s.dice),
        ),
        Ask::get(Visitor::crawler("gptbot"), "/blog/care-for-suede"),
        Ask::post(Visitor::person_with_agent(8), "/api/cart"),
    ];
    for ask in &mut asks {
        // Every other visitor came from a page of the shop.
        if ask.visitor.crawler.is_none() {
            ask.referer = Some("https://shop.example/category/shoes?utm_source=mail");
        }
    }
    asks
}

/// A fault for some minutes between good times; then some of the lost pages are fetched again.
pub(super) fn around(
    s: &mut Session<'_>,
    mut one: impl FnMut(&mut Session<'_>, Ask) -> Result<()>,
) -> Result<()> {
    good(s, 4)?;
    for ask in struck(s) {
        one(s, ask)?;
        s.pass(25)?;
    }
    Ok(())
}

pub(super) fn recovered(s: &mut Session<'_>) -> Result<()> {
    s.pass(40)?;
    s.ask(Ask::get(Visitor::crawler("googlebot"), "/product/1234"))?;
    s.pass(15)?;
    s.ask(Ask::get(Visitor::crawler("googlebot"), "/robots.txt"))?;
    s.pass(15)?;
    good(s, 4)
}

/// The origin answers so for some minutes.
pub(super) fn faulty(s: &mut Session<'_>, fault: Fault, cause: Cause) -> Result<()> {
    let why = Why::new(fault.name(), cause);
    around(s, |s, ask| {
        s.ask_because(ask.with(fault), Some(why)).map(drop)
    })?;
    recovered(s)
}

pub(super) fn silent(s: &mut Session<'_>, fault: Fault) -> Result<()> {
    let why = Why::new(fault.name(), C::ReadTimeout);
    around(s, |s, mut ask| {
        ask.delay_ms = 0;
        let pending = s.begin(ask.with(fault), Some(why))?;
        s.time_out(pending, Duration::from_millis(2_010)).map(drop)
    })?;
    recovered(s)
}

/// Every request fails because of where the proxy sends it; nothing is good before or after.
fn always(s: &mut Session<'_>, fault: &'static str, cause: Cause) -> Result<()> {
    for ask in struck(s) {
        s.ask_because(ask, Some(Why::new(fault, cause)))?;
        s.pass(25)?;
    }
    Ok(())
}

pub(super) fn refused(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    s.down(0)?;
    always(s, "refuse", C::ConnectionRefused)?;
    s.up(0)?;
    recovered(s)
}

pub(super) fn restart(s: &mut Session<'_>) -> Result<()> {
    good(s, 6)?;
    s.down(0)?;
    for ask in struck(s).into_iter().take(5) {
        s.ask_because(ask, Some(Why::new("restart", C::ConnectionRefused)))?;
        s.pass(3)?;
    }
    s.up(0)?;
    recovered(s)
}

pub(super) fn connect_timeout(s: &mut Session<'_>) -> Result<()> {
    for ask in struck(s) {
        let pending = s.begin(ask, Some(Why::new("full-queue", C::ConnectTimeout)))?;
        s.time_out(pending, Duration::from_millis(2_010))?;
        s.pass(25)?;
    }
    Ok(())
}

pub(super) fn no_route(s: &mut Session<'_>) -> Result<()> {
    for ask in struck(s).into_iter().take(5) {
        s.ask_because(ask, Some(Why::new("no-route", C::HostUnreachable)))?;
        s.pass(25)?;
    }
    Ok(())
}

pub(super) fn dns(s: &mut Session<'_>) -> Result<()> {
    for ask in struck(s).into_iter().take(6) {
        let pending = s.begin(ask, Some(Why::new("dns-failure", C::DnsFailure)))?;
        s.time_out(pending, Duration::from_millis(5_010))?;
        s.pass(25)?;
    }
    Ok(())
}

pub(super) fn bad_target(s: &mut Session<'_>) -> Result<()> {
    always(s, "bad-target", C::BadUpstreamAddress)
}

pub(super) fn no_socket(s: &mut Session<'_>) -> Result<()> {
    always(s, "socket-missing", C::SocketMissing)
}

pub(super) fn forbidden_socket(s: &mut Session<'_>) -> Result<()> {
    always(s, "socket-permission", C::SocketPermission)
}

pub(super) fn full_socket(s: &mut Session<'_>) -> Result<()> {
    always(s, "full-socket", C::UpstreamBusy)
}

pub(super) fn stale_socket(s: &mut Session<'_>) -> Result<()> {
    always(s, "stale-socket", C::ConnectionRefused)
}

/// The proxy gives up on the rest of an answer that has begun.
pub(super) fn stalled_body(s: &mut Session<'_>) -> Result<()> {
    let why = Why::new(Fault::StallBody.name(), C::TruncatedBody);
    around(s, |s, mut ask| {
        ask.delay_ms = 0;
        ask.size = 60_000;
        let pending = s.begin(ask.with(Fault::StallBody), Some(why))?;
        s.time_out(pending, Duration::from_millis(2_010)).map(drop)
    })?;
    recovered(s)
}

pub(super) fn tls_to_plain(s: &mut Session<'_>) -> Result<()> {
    let cause = if matches!(s.proxy.edge(), "apache" | "h2o") {
        C::TlsHandshakeFailure
    } else {
        C::ProtocolMismatch
    };
    always(s, "tls-to-plain", cause)
}

pub(super) fn tls_closed(s: &mut Session<'_>) -> Result<()> {
    s.set_all(Some(Fault::Close));
    always(s, "close-in-handshake", C::TlsHandshakeFailure)
}

pub(super) fn certificate(s: &mut Session<'_>) -> Result<()> {
    always(s, "certificate-rejected", C::TlsCertificateInvalid)
}

/// In TLS 1.3 the handshake is over for the proxy before the server says so.
pub(super) fn tls_wants_client(s: &mut Session<'_>) -> Result<()> {
    always(s, "client-certificate-wanted", C::TlsHandshakeFailure)
}

pub(super) fn tls_old(s: &mut Session<'_>) -> Result<()> {
    always(s, "old-tls", C::TlsHandshakeFailure)
}

pub(super) fn plain_to_tls(s: &mut Session<'_>) -> Result<()> {
    // The TLS server just closes; that is all that the proxy can see.
    always(s, "plain-to-tls", C::ClosedBeforeHeaders)
}

/// A good request leaves a kept connection behind; the origin closes it as the next request arrives.
pub(super) fn idle_race(s: &mut Session<'_>) -> Result<()> {
    let why = Why::new("close-on-reuse", C::IdleConnectionRace);
    good(s, 4)?;
    for ask in struck(s) {
        // Takes the kept connection if there is one, and leaves one that will be closed.
        s.ask(
            Ask::get(Visitor::person_with_agent(1), "/api/stock/1234").with(Fault::CloseOnReuse),
        )?;
        s.pass(9)?;
        let seen = ask.method != "GET" || !s.proxy.hides_races();
        s.ask_because(ask, seen.then_some(why))?;
        s.pass(25)?;
        good(s, 1)?;
    }
    good(s, 2)
}

/// Both the client's connection and the one to the origin are used again, and the origin's is dead.
pub(super) fn idle_race_kept(s: &mut Session<'_>) -> Result<()> {
    let why = Why::new("close-on-reuse", C::IdleConnectionRace);
    good(s, 4)?;
    for ask in struck(s) {
        let first =
            Ask::get(ask.visitor.clone(), "/static/js/shop.77ab10.js").with(Fault::CloseOnReuse);
        s.ask_in_turn(vec![(first, None), (ask, Some(why))])?;
        s.pass(25)?;
        good(s, 1)?;
    }
    good(s, 2)
}

pub(super) fn fastcgi_closed(s: &mut Session<'_>) -> Result<()> {
    s.set_all(Some(Fault::Close));
    always(s, "close-before-headers", C::ClosedBeforeHeaders)
}

pub(super) fn fastcgi_to_http(s: &mut Session<'_>) -> Result<()> {
    always(s, "fastcgi-to-http", C::ProtocolMismatch)
}

/// What answers speaks plain HTTP, whatever it is asked in.
pub(super) fn wrong_protocol(s: &mut Session<'_>, fault: &'static str) -> Result<()> {
    always(s, fault, C::ProtocolMismatch)
}

pub(super) fn empty_pool(s: &mut Session<'_>) -> Result<()> {
    always(s, "empty-pool", C::NoUpstreamRegistered)
}

/// Far more than the sockets' buffers hold, so that the proxy is still sending.
pub(super) fn upload_refused(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    for number in 0..5 {
        let mut ask = Ask::post(Visitor::person_with_agent(number), "/account/photos");
        ask.body = 12 << 20;
        // Most find the reset while they wait for the answer, httpd while it sends; Envoy does both at once.
        let cause = if matches!(
            s.proxy.edge(),
            "nginx" | "envoy" | "squid" | "trafficserver"
        ) {
            C::ClosedBeforeHeaders
        } else {
            C::RequestOrUpgradeFailed
        };
        let why = Why::new(Fault::RefuseUpload.name(), cause);
        s.ask_because(ask.with(Fault::RefuseUpload), Some(why))?;
        s.pass(30)?;
        good(s, 1)?;
    }
    good(s, 2)
}

/// Three slow requests hold two connections each; what comes meanwhile finds none to the upstream.
pub(super) fn edge_full(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    for ask in struck(s) {
        let slow = |number| {
            let ask = Ask::get(Visitor::person_with_agent(number), "/search?q=wool");
            Ask {
                delay_ms: 0,
                ..ask.with(Fault::Late)
            }
        };
        let mut held = Vec::new();
        for number in 2..5 {
            held.push(s.begin(slow(number), None)?);
            s.settle();
        }
        let cause = if matches!(
            s.proxy.edge(),
            "apache" | "envoy" | "squid" | "trafficserver" | "varnish"
        ) {
            // Their limit is one on the upstream.
            C::UpstreamBusy
        } else {
            C::EdgeCapacityExhausted
        };
        s.ask_because(ask, Some(Why::new("few-connections", cause)))?;
        for pending in held {
            s.pass(1)?;
            s.origins[0].release_one();
            s.finish(pending)?;
        }
        s.pass(25)?;
    }
    good(s, 4)
}

/// Three bursts: different clients for one page, one client that reloads, failures and good answers mixed.
pub(super) fn crowd(s: &mut Session<'_>) -> Result<()> {
    good(s, 3)?;
    for _ in 0..3 {
        let mut asks = Vec::new();
        for number in 0..12 {
            let (visitor, target) = match number {
                // One that reloads.
                3..=5 => (Visitor::person_with_agent(3), "/product/1500".to_owned()),
                // One page for all, then pages of their own.
                0..=8 => (
                    Visitor::person_with_agent(number),
                    "/category/sale".to_owned(),
                ),
                _ => (visitor(s, number), format!("/product/{}", 1_600 + number)),
            };
            let ask = Ask {
                delay_ms: 0,
                ..Ask::get(visitor, &target)
            };
            asks.push(match number {
                0 | 3..=5 | 9 => {
                    let why = Why::new(Fault::Close.name(), C::ClosedBeforeHeaders);
                    (ask.with(Fault::Close), Some(why))
                }
                1 | 10 => {
                    let why = Why::new(Fault::Own502.name(), C::OriginOwnError);
                    (ask.with(Fault::Own502), Some(why))
                }
                _ => (ask, None),
            });
        }
        s.ask_at_once(asks)?;
        s.pass(45)?;
    }
    good(s, 3)
}

/// One member is dead all the time.
pub(super) fn one_dead(s: &mut Session<'_>) -> Result<()> {
    good(s, 6)?;
    s.down(0)?;
    s.ambient = Some(Why::new("dead-member", C::ConnectionRefused));
    good(s, 15)
}

/// The first request of a spell meets the members; those that follow at once meet an empty pool.
pub(super) fn pool_dead(s: &mut Session<'_>) -> Result<()> {
    good(s, 6)?;
    s.down(0)?;
    s.down(1)?;
    // httpd tries members that it left out when no other is left, Varnish only leaves out what its probes found dead.
    let ejects = !matches!(s.proxy.edge(), "apache" | "varnish");
    spells(s, C::ConnectionRefused, ejects)?;
    s.up(0)?;
    s.up(1)?;
    std::thread::sleep(s.proxy.ejects_after());
    s.pass(90)?;
    good(s, 6)
}

pub(super) fn pool_closes(s: &mut Session<'_>) -> Result<()> {
    good(s, 6)?;
    s.set_all(Some(Fault::Close));
    spells(s, C::ClosedBeforeHeaders, true)?;
    s.set_all(None);
    s.pass(90)?;
    good(s, 6)
}

pub(super) fn ejected(s: &mut Session<'_>) -> Result<()> {
    good(s, 6)?;
    s.down(0)?;
    s.down(1)?;
    spells(s, C::ConnectionRefused, true)?;
    s.up(0)?;
    s.up(1)?;
    std::thread::sleep(s.proxy.ejects_after());
    s.pass(90)?;
    good(s, 6)
}

/// Three spells of failures; `echo` is whether the proxy answers all but the first of each by itself.
fn spells(s: &mut Session<'_>, cause: Cause, echo: bool) -> Result<()> {
    // A proxy that probes keeps them out until they answer, others try again after a while.
    let probes = !s.proxy.ejects_after().is_zero();
    for spell in 0..3 {
        for (number, ask) in struck(s).into_iter().take(4).enumerate() {
            let is_first = number == 0 && (spell == 0 || !probes);
            let why = if is_first || !echo {
                Why::new("pool-dead", cause)
            } else {
                Why::echo("pool-dead", cause)
            };
            s.ask_because(ask, Some(why))?;
            s.clock.advance(Duration::from_millis(1_400))?;
            if number == 0 && echo {
                std::thread::sleep(s.proxy.ejects_after());
            }
        }
        s.pass(95)?;
    }
    Ok(())
}

/// A crawler in a hurry among others that are not.
pub(super) fn rate_limit(s: &mut Session<'_>) -> Result<()> {
    for _ in 0..3 {
        good(s, 3)?;
        // A proxy that counts in real time has to forget.
        s.settle();
        s.settle();
        for number in 0..5 {
            let target = format!("/product/{}", 1_400 + s.dice.below(400));
            let ask = Ask {
                delay_ms: 20,
                ..Ask::get(Visitor::crawler("bingbot"), &target)
            };
            // Two pass: one at the rate, one in the burst.
            let why = (number >= 2).then(|| Why::new("rate-limit", C::EdgeMadeResponse));
            s.ask_because(ask, why)?;
        }
        s.pass(60)?;
    }
    Ok(())
}

pub(super) fn maintenance(s: &mut Session<'_>) -> Result<()> {
    always(s, "maintenance", C::EdgeMadeResponse)
}

pub(super) fn rewrite_loop(s: &mut Session<'_>) -> Result<()> {
    for ask in struck(s) {
        let why = ask
            .target
            .starts_with("/category/")
            .then(|| Why::new("rewrite-loop", C::EdgeConfigError));
        s.ask_because(ask, why)?;
        s.pass(20)?;
        let ask = Ask::get(
            Visitor::crawler("googlebot"),
            &format!("/category/boots?page={}", s.driven.len()),
        );
        s.ask_because(ask, Some(Why::new("rewrite-loop", C::EdgeConfigError)))?;
        s.pass(20)?;
    }
    Ok(())
}

pub(super) fn masked(s: &mut Session<'_>) -> Result<()> {
    let why = Why::new("masked-own-500", C::OriginOwnError);
    around(s, |s, ask| {
        s.ask_because(ask.with(Fault::Own500), Some(why)).map(drop)
    })?;
    recovered(s)
}

pub(super) fn masked_refused(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    s.down(0)?;
    always(s, "masked-refuse", C::ConnectionRefused)?;
    s.up(0)?;
    recovered(s)
}

pub(super) fn impatient(s: &mut Session<'_>) -> Result<()> {
    let waits = [300, 300, 5_000, 12_000, 30_000, 800, 30_000, 2_500];
    let mut waits = waits.into_iter().cycle();
    around(s, |s, mut ask| {
        ask.delay_ms = 0;
        let wait = waits.next().unwrap_or(300);
        let pending = s.begin(ask.with(Fault::Late), None)?;
        s.abort(pending, Duration::from_millis(wait))
    })?;
    recovered(s)
}

pub(super) fn leaves_mid_body(s: &mut Session<'_>) -> Result<()> {
    around(s, |s, mut ask| {
        ask.delay_ms = 0;
        ask.size = 60_000;
        let pending = s.begin(ask.with(Fault::StallBody), None)?;
        s.abort(pending, Duration::from_millis(4_000))
    })?;
    recovered(s)
}

pub(super) fn not_found_storm(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    for number in 0..24_u64 {
        let (visitor, target) = match number % 4 {
            0 => (
                Visitor::crawler("googlebot"),
                format!("/product/{}", 300 + number),
            ),
            1 => (
                Visitor::crawler("bingbot"),
                format!("/category/retired-{number}"),
            ),
            _ => (
                Visitor::person_with_agent(5),
                format!(
                    "{}?id={number}",
                    s.dice
                        .pick(&["/wp-login.php", "/.env", "/admin/config.php", "/xmlrpc.php"])
                ),
            ),
        };
        s.ask(Ask {
            status: 404,
            size: 812,
            ..Ask::get(visitor, &target)
        })?;
        s.pass(2)?;
    }
    good(s, 4)
}

pub(super) fn false_googlebot(s: &mut Session<'_>) -> Result<()> {
    for number in 0..8 {
        s.ask(Ask::get(
            Visitor::crawler("googlebot"),
            &format!("/product/{}", 1_200 + number),
        ))?;
        s.pass(10)?;
        let ask = Ask::get(
            Visitor::false_googlebot(),
            &format!("/search?q=%27%20OR%20{number}"),
        );
        s.ask_because(
            ask.with(Fault::Own500),
            Some(Why::new("own-500", C::OriginOwnError)),
        )?;
        s.pass(10)?;
    }
    good(s, 5)
}
