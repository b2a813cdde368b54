//! The faults that the lab can bring about, one recording each, and the case folders made from it.

use std::time::Duration;

use anyhow::Result;
use model::Cause;

use super::origin::{Address, Fault};
use super::proxy::{Rule, Setup, Upstream};
use super::session::Session;
use super::traffic::{self, Ask, Visitor};
use super::truth::Why;

/// What stands beside the proxy for a recording, other than plain origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fixture {
    /// Nothing.
    None,
    /// The member's accept queue is full.
    FullQueue,
    /// The member is a unix socket that does not exist.
    NoSocket,
    /// The member is a unix socket that the proxy may not open.
    ForbiddenSocket,
    /// The member is a unix socket whose queue is full.
    FullSocket,
    /// The member speaks TLS with a certificate of its own making.
    Tls,
    /// The member is an address without a route.
    NoRoute,
}

/// One recording.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    /// One sentence for the head of `case.toml`.
    pub(crate) what: &'static str,
    pub(crate) members: usize,
    pub(crate) fixture: Fixture,
    pub(crate) setup: fn(&mut Setup),
    pub(crate) drive: fn(&mut Session<'_>) -> Result<()>,
}

const fn plain(_: &mut Setup) {}

use Cause as C;

/// Every recording of faults, in the order of the chain from edge to origin.
pub(crate) const SCRIPTS: &[Script] = &[
    Script {
        name: "refused",
        what: "Nothing listens on the only upstream's port for some minutes.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: refused,
    },
    Script {
        name: "connect-timeout",
        what: "The upstream's accept queue is full: connections get no answer.",
        members: 0,
        fixture: Fixture::FullQueue,
        setup: |setup| setup.timeout = Duration::from_secs(2),
        drive: connect_timeout,
    },
    Script {
        name: "no-route",
        what: "The upstream's address has no route from the proxy's host.",
        members: 0,
        fixture: Fixture::NoRoute,
        setup: |setup| setup.timeout = Duration::from_secs(10),
        drive: no_route,
    },
    Script {
        name: "dns",
        what: "The upstream's name is looked up at run time and the resolver does not answer.",
        members: 0,
        fixture: Fixture::None,
        setup: |setup| setup.upstream = Upstream::UnresolvedName,
        drive: dns,
    },
    Script {
        name: "bad-target",
        what: "proxy_pass holds a variable without a scheme.",
        members: 0,
        fixture: Fixture::None,
        setup: |setup| setup.upstream = Upstream::BadTarget,
        drive: bad_target,
    },
    Script {
        name: "no-socket",
        what: "The unix socket's path does not exist.",
        members: 0,
        fixture: Fixture::NoSocket,
        setup: plain,
        drive: no_socket,
    },
    Script {
        name: "forbidden-socket",
        what: "The proxy may not open the unix socket.",
        members: 0,
        fixture: Fixture::ForbiddenSocket,
        setup: plain,
        drive: forbidden_socket,
    },
    Script {
        name: "full-socket",
        what: "The queue of the application's unix socket is full.",
        members: 0,
        fixture: Fixture::FullSocket,
        setup: plain,
        drive: full_socket,
    },
    Script {
        name: "tls-to-plain",
        what: "The proxy speaks TLS to a port that speaks plain HTTP.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.upstream = Upstream::Tls,
        drive: tls_to_plain,
    },
    Script {
        name: "tls-refused",
        what: "The upstream closes the connection in the TLS handshake.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.upstream = Upstream::Tls,
        drive: tls_closed,
    },
    Script {
        name: "certificate",
        what: "The upstream's certificate is signed by nobody that the proxy trusts.",
        members: 0,
        fixture: Fixture::Tls,
        setup: |setup| setup.upstream = Upstream::TlsVerified,
        drive: certificate,
    },
    Script {
        name: "plain-to-tls",
        what: "The proxy speaks plain HTTP to a port that speaks TLS.",
        members: 0,
        fixture: Fixture::Tls,
        setup: plain,
        drive: plain_to_tls,
    },
    Script {
        name: "close",
        what: "The upstream closes the connection before a byte of the answer.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::Close, C::ClosedBeforeHeaders),
    },
    Script {
        name: "reset",
        what: "The upstream resets the connection before a byte of the answer.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::Reset, C::ClosedBeforeHeaders),
    },
    Script {
        name: "cut-header",
        what: "The upstream closes in the middle of its header.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::CutHeader, C::ClosedBeforeHeaders),
    },
    Script {
        name: "idle-race",
        what: "The upstream closes kept connections as the proxy uses them again; the proxy does not retry.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| {
            setup.keepalive = true;
            setup.retry = false;
        },
        drive: idle_race,
    },
    Script {
        name: "idle-race-saved",
        what: "The same with retries: a GET is saved by a second connection, a POST fails.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.keepalive = true,
        drive: idle_race,
    },
    Script {
        name: "garbage",
        what: "The upstream answers with bytes that are no HTTP.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::Garbage, C::MalformedResponse),
    },
    Script {
        name: "bad-field",
        what: "A header field of the answer has spaces in its name.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::BadField, C::MalformedResponse),
    },
    Script {
        name: "big-header",
        what: "The answer's header has 20 kB.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::BigHeader, C::HeaderTooLarge),
    },
    Script {
        name: "silent",
        what: "The upstream takes the request and never answers.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.timeout = Duration::from_secs(2),
        drive: |s| silent(s, Fault::Silent),
    },
    Script {
        name: "own-500",
        what: "The application answers with its own 500 page.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::Own500, C::OriginOwnError),
    },
    Script {
        name: "own-502",
        what: "The application itself answers 502, with a page of its own.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::Own502, C::OriginOwnError),
    },
    Script {
        name: "own-503",
        what: "The application answers 503 with Retry-After.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::Own503, C::OriginOwnError),
    },
    Script {
        name: "own-504",
        what: "What is behind answers 504 by itself.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::Own504, C::ChainedGatewayError),
    },
    Script {
        name: "inner-nginx",
        what: "An nginx behind the proxy makes the 502, with nginx's own page.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::Gateway502, C::ChainedGatewayError),
    },
    Script {
        name: "cut-body",
        what: "The upstream declares a longer body than it sends, then closes.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::CutBody, C::TruncatedBody),
    },
    Script {
        name: "reset-body",
        what: "The upstream resets in the middle of the body.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::ResetBody, C::TruncatedBody),
    },
    Script {
        name: "cut-chunked",
        what: "A chunked body ends without its last chunk.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::CutChunked, C::TruncatedBody),
    },
    Script {
        name: "bad-chunk",
        what: "A chunk's size is no number.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| faulty(s, Fault::BadChunk, C::MalformedResponse),
    },
    Script {
        name: "restart",
        what: "The upstream's listener is down for some seconds and comes back.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: restart,
    },
    Script {
        name: "one-of-two",
        what: "One of two members is dead; retries save every request.",
        members: 2,
        fixture: Fixture::None,
        setup: plain,
        drive: one_dead,
    },
    Script {
        name: "one-of-three",
        what: "One of three members is dead and the proxy does not retry.",
        members: 3,
        fixture: Fixture::None,
        setup: |setup| setup.retry = false,
        drive: one_dead,
    },
    Script {
        name: "pool-dead",
        what: "Both members refuse; then the pool is empty for a while, which is an echo.",
        members: 2,
        fixture: Fixture::None,
        setup: plain,
        drive: pool_dead,
    },
    Script {
        name: "down-entry",
        what: "One server and one marked down: the single server loses its protection and is ejected.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| {
            let mut member = setup.members[0].clone();
            if let Address::Tcp(address) = &mut member.address {
                address.set_ip(std::net::IpAddr::from([127, 0, 0, 19]));
            }
            member.down = true;
            setup.eject = true;
            setup.members.push(member);
        },
        drive: pool_closes,
    },
    Script {
        name: "ejected",
        what: "Both members refuse and are left out for a minute (forcerecovery=Off), which is an echo.",
        members: 2,
        fixture: Fixture::None,
        setup: |setup| setup.last_resort = false,
        drive: ejected,
    },
    Script {
        name: "idle-race-kept",
        what: "Kept connections on both sides: httpd closes the client's without an answer.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.keepalive = true,
        drive: idle_race_kept,
    },
    Script {
        name: "fastcgi-close",
        what: "A FastCGI application closes the connection before a byte of the answer.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.upstream = Upstream::FastCgi,
        drive: fastcgi_closed,
    },
    Script {
        name: "fastcgi-to-http",
        what: "The proxy speaks FastCGI to a port that speaks HTTP.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.upstream = Upstream::FastCgi,
        drive: fastcgi_to_http,
    },
    Script {
        name: "upload-refused",
        what: "The application resets the connection while an upload is being sent to it.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: upload_refused,
    },
    Script {
        name: "edge-full",
        what: "Slow answers use up the proxy's few connections.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.rule = Rule::FewConnections,
        drive: edge_full,
    },
    Script {
        name: "empty-pool",
        what: "The pool has no members.",
        members: 0,
        fixture: Fixture::None,
        setup: plain,
        drive: empty_pool,
    },
    Script {
        name: "rate-limit-429",
        what: "The proxy limits a hasty client with 429.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.rule = Rule::RateLimit(429),
        drive: rate_limit,
    },
    Script {
        name: "rate-limit-503",
        what: "The proxy limits a hasty client with 503.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.rule = Rule::RateLimit(503),
        drive: rate_limit,
    },
    Script {
        name: "maintenance",
        what: "The proxy answers 503 with Retry-After on purpose.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.rule = Rule::Maintenance,
        drive: maintenance,
    },
    Script {
        name: "rewrite-loop",
        what: "The proxy rewrites a request to itself until it gives up.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.rule = Rule::RewriteLoop,
        drive: rewrite_loop,
    },
    Script {
        name: "masked",
        what: "The application fails and the proxy turns it into a page with status 200.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.rule = Rule::MaskErrors,
        drive: masked,
    },
    Script {
        name: "masked-refused",
        what: "Nothing listens, and the proxy turns its own 502 into a page with status 200.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.rule = Rule::MaskErrors,
        drive: masked_refused,
    },
    Script {
        name: "impatient",
        what: "Crawlers and people hang up before a slow origin answers.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.timeout = Duration::from_secs(60),
        drive: impatient,
    },
    Script {
        name: "leaves-mid-body",
        what: "Clients hang up in the middle of a long answer.",
        members: 1,
        fixture: Fixture::None,
        setup: |setup| setup.timeout = Duration::from_secs(60),
        drive: leaves_mid_body,
    },
    Script {
        name: "not-found-storm",
        what: "A scanner and two crawlers get 404 by the dozen: nothing is broken.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: not_found_storm,
    },
    Script {
        name: "healthy",
        what: "Crawlers and people are served; nothing is broken.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: |s| {
            good(s, 30)?;
            Ok(())
        },
    },
    Script {
        name: "false-googlebot",
        what: "A scanner calls itself Googlebot and meets errors of its own making; the real one is served. Run with --ranges ranges.json.",
        members: 1,
        fixture: Fixture::None,
        setup: plain,
        drive: false_googlebot,
    },
];

/// `count` visits that go well.
pub(crate) fn good(s: &mut Session<'_>, count: usize) -> Result<()> {
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
fn struck(s: &mut Session<'_>) -> Vec<Ask> {
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
fn around(
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

fn recovered(s: &mut Session<'_>) -> Result<()> {
    s.pass(40)?;
    s.ask(Ask::get(Visitor::crawler("googlebot"), "/product/1234"))?;
    s.pass(15)?;
    s.ask(Ask::get(Visitor::crawler("googlebot"), "/robots.txt"))?;
    s.pass(15)?;
    good(s, 4)
}

/// The origin answers so for some minutes.
fn faulty(s: &mut Session<'_>, fault: Fault, cause: Cause) -> Result<()> {
    let why = Why::new(fault.name(), cause);
    around(s, |s, ask| {
        s.ask_because(ask.with(fault), Some(why)).map(drop)
    })?;
    recovered(s)
}

fn silent(s: &mut Session<'_>, fault: Fault) -> Result<()> {
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

fn refused(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    s.down(0)?;
    always(s, "refuse", C::ConnectionRefused)?;
    s.up(0)?;
    recovered(s)
}

fn restart(s: &mut Session<'_>) -> Result<()> {
    good(s, 6)?;
    s.down(0)?;
    for ask in struck(s).into_iter().take(5) {
        s.ask_because(ask, Some(Why::new("restart", C::ConnectionRefused)))?;
        s.pass(3)?;
    }
    s.up(0)?;
    recovered(s)
}

fn connect_timeout(s: &mut Session<'_>) -> Result<()> {
    for ask in struck(s) {
        let pending = s.begin(ask, Some(Why::new("full-queue", C::ConnectTimeout)))?;
        s.time_out(pending, Duration::from_millis(2_010))?;
        s.pass(25)?;
    }
    Ok(())
}

fn no_route(s: &mut Session<'_>) -> Result<()> {
    for ask in struck(s).into_iter().take(5) {
        s.ask_because(ask, Some(Why::new("no-route", C::HostUnreachable)))?;
        s.pass(25)?;
    }
    Ok(())
}

fn dns(s: &mut Session<'_>) -> Result<()> {
    for ask in struck(s).into_iter().take(6) {
        let pending = s.begin(ask, Some(Why::new("dns-failure", C::DnsFailure)))?;
        s.time_out(pending, Duration::from_millis(5_010))?;
        s.pass(25)?;
    }
    Ok(())
}

fn bad_target(s: &mut Session<'_>) -> Result<()> {
    always(s, "bad-target", C::BadUpstreamAddress)
}

fn no_socket(s: &mut Session<'_>) -> Result<()> {
    always(s, "socket-missing", C::SocketMissing)
}

fn forbidden_socket(s: &mut Session<'_>) -> Result<()> {
    always(s, "socket-permission", C::SocketPermission)
}

fn full_socket(s: &mut Session<'_>) -> Result<()> {
    always(s, "full-socket", C::UpstreamBusy)
}

fn tls_to_plain(s: &mut Session<'_>) -> Result<()> {
    let cause = if s.proxy.name() == "apache" {
        C::TlsHandshakeFailure
    } else {
        C::ProtocolMismatch
    };
    always(s, "tls-to-plain", cause)
}

fn tls_closed(s: &mut Session<'_>) -> Result<()> {
    s.set_all(Some(Fault::Close));
    always(s, "close-in-handshake", C::TlsHandshakeFailure)
}

fn certificate(s: &mut Session<'_>) -> Result<()> {
    always(s, "certificate-untrusted", C::TlsCertificateInvalid)
}

fn plain_to_tls(s: &mut Session<'_>) -> Result<()> {
    always(s, "plain-to-tls", C::ProtocolMismatch)
}

/// A good request leaves a kept connection behind; the origin closes it as the next request arrives.
fn idle_race(s: &mut Session<'_>) -> Result<()> {
    let why = Why::new("close-on-reuse", C::IdleConnectionRace);
    good(s, 4)?;
    for ask in struck(s) {
        // Takes the kept connection if there is one, and leaves one that will be closed.
        s.ask(
            Ask::get(Visitor::person_with_agent(1), "/api/stock/1234").with(Fault::CloseOnReuse),
        )?;
        s.pass(9)?;
        s.ask_because(ask, Some(why))?;
        s.pass(25)?;
        good(s, 1)?;
    }
    good(s, 2)
}

/// Both the client's connection and the one to the origin are used again, and the origin's is dead.
fn idle_race_kept(s: &mut Session<'_>) -> Result<()> {
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

fn fastcgi_closed(s: &mut Session<'_>) -> Result<()> {
    s.set_all(Some(Fault::Close));
    always(s, "close-before-headers", C::ClosedBeforeHeaders)
}

fn fastcgi_to_http(s: &mut Session<'_>) -> Result<()> {
    always(s, "fastcgi-to-http", C::ProtocolMismatch)
}

fn empty_pool(s: &mut Session<'_>) -> Result<()> {
    always(s, "empty-pool", C::NoUpstreamRegistered)
}

/// Far more than the sockets' buffers hold, so that the proxy is still sending.
fn upload_refused(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    for number in 0..5 {
        let mut ask = Ask::post(Visitor::person_with_agent(number), "/account/photos");
        ask.body = 12 << 20;
        // nginx finds the reset while it waits for the answer, httpd while it sends.
        let cause = if s.proxy.name() == "nginx" {
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
fn edge_full(s: &mut Session<'_>) -> Result<()> {
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
        let why = Why::new("few-connections", C::EdgeCapacityExhausted);
        s.ask_because(ask, Some(why))?;
        for pending in held {
            s.pass(1)?;
            s.origins[0].release_one();
            s.finish(pending)?;
        }
        s.pass(25)?;
    }
    good(s, 4)
}

/// One member is dead all the time.
fn one_dead(s: &mut Session<'_>) -> Result<()> {
    good(s, 6)?;
    s.down(0)?;
    s.ambient = Some(Why::new("dead-member", C::ConnectionRefused));
    good(s, 15)
}

/// The first request of a spell meets the members; those that follow at once meet an empty pool.
fn pool_dead(s: &mut Session<'_>) -> Result<()> {
    good(s, 6)?;
    s.down(0)?;
    s.down(1)?;
    spells(s, C::ConnectionRefused, s.proxy.name() != "apache")?;
    s.up(0)?;
    s.up(1)?;
    s.pass(90)?;
    good(s, 6)
}

fn pool_closes(s: &mut Session<'_>) -> Result<()> {
    good(s, 6)?;
    s.set_all(Some(Fault::Close));
    spells(s, C::ClosedBeforeHeaders, true)?;
    s.set_all(None);
    s.pass(90)?;
    good(s, 6)
}

fn ejected(s: &mut Session<'_>) -> Result<()> {
    good(s, 6)?;
    s.down(0)?;
    s.down(1)?;
    spells(s, C::ConnectionRefused, true)?;
    s.up(0)?;
    s.up(1)?;
    s.pass(90)?;
    good(s, 6)
}

/// Three spells of failures; `echo` is whether the proxy answers all but the first of each by itself.
fn spells(s: &mut Session<'_>, cause: Cause, echo: bool) -> Result<()> {
    for _ in 0..3 {
        for (number, ask) in struck(s).into_iter().take(4).enumerate() {
            let why = if number == 0 || !echo {
                Why::new("pool-dead", cause)
            } else {
                Why::echo("pool-dead", cause)
            };
            s.ask_because(ask, Some(why))?;
            s.clock.advance(Duration::from_millis(1_400))?;
        }
        s.pass(95)?;
    }
    Ok(())
}

/// A crawler in a hurry among others that are not.
fn rate_limit(s: &mut Session<'_>) -> Result<()> {
    for _ in 0..3 {
        good(s, 3)?;
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

fn maintenance(s: &mut Session<'_>) -> Result<()> {
    always(s, "maintenance", C::EdgeMadeResponse)
}

fn rewrite_loop(s: &mut Session<'_>) -> Result<()> {
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

fn masked(s: &mut Session<'_>) -> Result<()> {
    let why = Why::new("masked-own-500", C::OriginOwnError);
    around(s, |s, ask| {
        s.ask_because(ask.with(Fault::Own500), Some(why)).map(drop)
    })?;
    recovered(s)
}

fn masked_refused(s: &mut Session<'_>) -> Result<()> {
    good(s, 4)?;
    s.down(0)?;
    always(s, "masked-refuse", C::ConnectionRefused)?;
    s.up(0)?;
    recovered(s)
}

fn impatient(s: &mut Session<'_>) -> Result<()> {
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

fn leaves_mid_body(s: &mut Session<'_>) -> Result<()> {
    around(s, |s, mut ask| {
        ask.delay_ms = 0;
        ask.size = 60_000;
        let pending = s.begin(ask.with(Fault::StallBody), None)?;
        s.abort(pending, Duration::from_millis(4_000))
    })?;
    recovered(s)
}

fn not_found_storm(s: &mut Session<'_>) -> Result<()> {
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

fn false_googlebot(s: &mut Session<'_>) -> Result<()> {
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
