//! The recordings of faults: what is wrong, how the proxy is set up for it, and which script drives it.
//!
//! To add one: a line here, its script in `fault_scripts.rs`, its case folders in the table of each proxy in `cases/`.

use std::time::Duration;

use anyhow::Result;
use model::Cause as C;

use super::client::Version;
use super::fault_scripts as drive;
use super::haproxy_scripts as haproxy;
use super::origin::{Address, Fault};
use super::proxy::{Rule, Setup, Upstream};
use super::resolver::Refusal;
use super::session::Session;

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
    /// The member is a unix socket that its application left behind.
    StaleSocket,
    /// The resolver answers every question so.
    Resolver(Refusal),
    /// The member speaks TLS.
    Tls(Tls),
    /// The member is an address without a route.
    NoRoute,
}

/// What is wrong with a member that speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// It signed its certificate itself.
    SelfSigned,
    /// Its certificate has expired.
    Expired,
    /// Its certificate is for another name.
    OtherName,
    /// It talks to nobody without a certificate.
    WantsClient,
    /// It knows no version newer than TLS 1.1.
    Old,
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

const fn script(
    name: &'static str,
    what: &'static str,
    members: usize,
    setup: fn(&mut Setup),
    drive: fn(&mut Session<'_>) -> Result<()>,
) -> Script {
    Script {
        name,
        what,
        members,
        fixture: Fixture::None,
        setup,
        drive,
    }
}

impl Script {
    const fn beside(mut self, fixture: Fixture) -> Self {
        self.fixture = fixture;
        self
    }
}

/// Every recording of faults, in the order of the chain from edge to origin.
pub(crate) const SCRIPTS: &[Script] = &[
    script(
        "refused",
        "Nothing listens on the only upstream's port for some minutes.",
        1,
        plain,
        drive::refused,
    ),
    script(
        "connect-timeout",
        "The upstream's accept queue is full: connections get no answer.",
        0,
        |setup| setup.timeout = Duration::from_secs(2),
        drive::connect_timeout,
    )
    .beside(Fixture::FullQueue),
    script(
        "no-route",
        "The upstream's address has no route from the proxy's host.",
        0,
        |setup| setup.timeout = Duration::from_secs(10),
        drive::no_route,
    )
    .beside(Fixture::NoRoute),
    script(
        "dns",
        "The upstream's name is looked up at run time and the resolver does not answer.",
        0,
        |setup| setup.upstream = Upstream::UnresolvedName,
        drive::dns,
    ),
    script(
        "no-such-name",
        "The upstream's name is looked up at run time and there is no such name.",
        0,
        |setup| setup.upstream = Upstream::UnresolvedName,
        drive::dns,
    )
    .beside(Fixture::Resolver(Refusal::NoSuchName)),
    script(
        "name-server-failure",
        "The upstream's name is looked up at run time and the resolver fails.",
        0,
        |setup| setup.upstream = Upstream::UnresolvedName,
        drive::dns,
    )
    .beside(Fixture::Resolver(Refusal::ServerFailure)),
    script(
        "bad-target",
        "proxy_pass holds a variable without a scheme.",
        0,
        |setup| setup.upstream = Upstream::BadTarget,
        drive::bad_target,
    ),
    script(
        "no-socket",
        "The unix socket's path does not exist.",
        0,
        plain,
        drive::no_socket,
    )
    .beside(Fixture::NoSocket),
    script(
        "forbidden-socket",
        "The proxy may not open the unix socket.",
        0,
        plain,
        drive::forbidden_socket,
    )
    .beside(Fixture::ForbiddenSocket),
    script(
        "full-socket",
        "The queue of the application's unix socket is full.",
        0,
        plain,
        drive::full_socket,
    )
    .beside(Fixture::FullSocket),
    script(
        "tls-to-plain",
        "The proxy speaks TLS to a port that speaks plain HTTP.",
        1,
        |setup| setup.upstream = Upstream::Tls,
        drive::tls_to_plain,
    ),
    script(
        "tls-refused",
        "The upstream closes the connection in the TLS handshake.",
        1,
        |setup| setup.upstream = Upstream::Tls,
        drive::tls_closed,
    ),
    script(
        "certificate",
        "The upstream's certificate is signed by nobody that the proxy trusts.",
        0,
        |setup| setup.upstream = Upstream::TlsVerified,
        drive::certificate,
    )
    .beside(Fixture::Tls(Tls::SelfSigned)),
    script(
        "expired",
        "The upstream's certificate has expired.",
        0,
        |setup| setup.upstream = Upstream::TlsVerified,
        drive::certificate,
    )
    .beside(Fixture::Tls(Tls::Expired)),
    script(
        "other-name",
        "The upstream's certificate is for another name than the one that the proxy asks for.",
        0,
        |setup| setup.upstream = Upstream::TlsVerified,
        drive::certificate,
    )
    .beside(Fixture::Tls(Tls::OtherName)),
    script(
        "wants-client",
        "The upstream asks for a certificate of the proxy, which has none.",
        0,
        |setup| setup.upstream = Upstream::Tls,
        drive::tls_wants_client,
    )
    .beside(Fixture::Tls(Tls::WantsClient)),
    script(
        "old-tls",
        "The upstream speaks no version of TLS newer than 1.1.",
        0,
        |setup| setup.upstream = Upstream::Tls,
        drive::tls_old,
    )
    .beside(Fixture::Tls(Tls::Old)),
    script(
        "plain-to-tls",
        "The proxy speaks plain HTTP to a port that speaks TLS.",
        0,
        plain,
        drive::plain_to_tls,
    )
    .beside(Fixture::Tls(Tls::SelfSigned)),
    script(
        "close",
        "The upstream closes the connection before a byte of the answer.",
        1,
        plain,
        |s| drive::faulty(s, Fault::Close, C::ClosedBeforeHeaders),
    ),
    script(
        "reset",
        "The upstream resets the connection before a byte of the answer.",
        1,
        plain,
        |s| drive::faulty(s, Fault::Reset, C::ClosedBeforeHeaders),
    ),
    script(
        "cut-header",
        "The upstream closes in the middle of its header.",
        1,
        plain,
        |s| drive::faulty(s, Fault::CutHeader, C::ClosedBeforeHeaders),
    ),
    script(
        "idle-race",
        "The upstream closes kept connections as the proxy uses them again; the proxy does not retry.",
        1,
        |setup| {
            setup.keepalive = true;
            setup.retry = false;
        },
        drive::idle_race,
    ),
    script(
        "idle-race-saved",
        "The same with retries: a GET is saved by a second connection, a POST fails.",
        1,
        |setup| setup.keepalive = true,
        drive::idle_race,
    ),
    script(
        "garbage",
        "The upstream answers with bytes that are no HTTP.",
        1,
        plain,
        |s| drive::faulty(s, Fault::Garbage, C::MalformedResponse),
    ),
    script(
        "bad-field",
        "A header field of the answer has spaces in its name.",
        1,
        plain,
        |s| drive::faulty(s, Fault::BadField, C::MalformedResponse),
    ),
    script(
        "bad-status",
        "The status of the answer is no number.",
        1,
        plain,
        |s| drive::faulty(s, Fault::BadStatus, C::MalformedResponse),
    ),
    script(
        "two-lengths",
        "The answer declares two lengths that differ.",
        1,
        plain,
        |s| drive::faulty(s, Fault::TwoLengths, C::MalformedResponse),
    ),
    script(
        "big-header",
        "The answer's header has 20 kB.",
        1,
        plain,
        |s| drive::faulty(s, Fault::BigHeader, C::HeaderTooLarge),
    ),
    script(
        "silent",
        "The upstream takes the request and never answers.",
        1,
        |setup| setup.timeout = Duration::from_secs(2),
        |s| drive::silent(s, Fault::Silent),
    ),
    script(
        "own-500",
        "The application answers with its own 500 page.",
        1,
        plain,
        |s| drive::faulty(s, Fault::Own500, C::OriginOwnError),
    ),
    script(
        "own-502",
        "The application itself answers 502, with a page of its own.",
        1,
        plain,
        |s| drive::faulty(s, Fault::Own502, C::OriginOwnError),
    ),
    script(
        "own-503",
        "The application answers 503 with Retry-After.",
        1,
        plain,
        |s| drive::faulty(s, Fault::Own503, C::OriginOwnError),
    ),
    script(
        "own-504",
        "What is behind answers 504 by itself.",
        1,
        plain,
        |s| drive::faulty(s, Fault::Own504, C::ChainedGatewayError),
    ),
    script(
        "inner-nginx",
        "An nginx behind the proxy makes the 502, with nginx's own page.",
        1,
        plain,
        |s| drive::faulty(s, Fault::Gateway502, C::ChainedGatewayError),
    ),
    script(
        "cut-body",
        "The upstream declares a longer body than it sends, then closes.",
        1,
        plain,
        |s| drive::faulty(s, Fault::CutBody, C::TruncatedBody),
    ),
    script(
        "reset-body",
        "The upstream resets in the middle of the body.",
        1,
        plain,
        |s| drive::faulty(s, Fault::ResetBody, C::TruncatedBody),
    ),
    script(
        "cut-chunked",
        "A chunked body ends without its last chunk.",
        1,
        plain,
        |s| drive::faulty(s, Fault::CutChunked, C::TruncatedBody),
    ),
    script("bad-chunk", "A chunk's size is no number.", 1, plain, |s| {
        drive::faulty(s, Fault::BadChunk, C::MalformedResponse)
    }),
    script(
        "restart",
        "The upstream's listener is down for some seconds and comes back.",
        1,
        plain,
        drive::restart,
    ),
    script(
        "one-of-two",
        "One of two members is dead; retries save every request.",
        2,
        plain,
        drive::one_dead,
    ),
    script(
        "one-of-three",
        "One of three members is dead and the proxy does not retry.",
        3,
        |setup| setup.retry = false,
        drive::one_dead,
    ),
    script(
        "pool-dead",
        "Both members refuse; then the pool is empty for a while, which is an echo.",
        2,
        plain,
        drive::pool_dead,
    ),
    script(
        "down-entry",
        "One server and one marked down: the single server loses its protection and is ejected.",
        1,
        |setup| {
            let mut member = setup.members[0].clone();
            if let Address::Tcp(address) = &mut member.address {
                address.set_ip(std::net::IpAddr::from([127, 0, 0, 19]));
            }
            member.down = true;
            setup.eject = true;
            setup.members.push(member);
        },
        drive::pool_closes,
    ),
    script(
        "ejected",
        "Both members refuse and are left out for a minute (forcerecovery=Off), which is an echo.",
        2,
        |setup| setup.last_resort = false,
        drive::ejected,
    ),
    script(
        "idle-race-kept",
        "Kept connections on both sides: httpd closes the client's without an answer.",
        1,
        |setup| setup.keepalive = true,
        drive::idle_race_kept,
    ),
    script(
        "fastcgi-close",
        "A FastCGI application closes the connection before a byte of the answer.",
        1,
        |setup| setup.upstream = Upstream::FastCgi,
        drive::fastcgi_closed,
    ),
    script(
        "fastcgi-to-http",
        "The proxy speaks FastCGI to a port that speaks HTTP.",
        1,
        |setup| setup.upstream = Upstream::FastCgi,
        drive::fastcgi_to_http,
    ),
    script(
        "upload-refused",
        "The application resets the connection while an upload is being sent to it.",
        1,
        plain,
        drive::upload_refused,
    ),
    script(
        "edge-full",
        "Slow answers use up the proxy's few connections.",
        1,
        |setup| setup.rule = Rule::FewConnections,
        drive::edge_full,
    ),
    script(
        "empty-pool",
        "The pool has no members.",
        0,
        plain,
        drive::empty_pool,
    ),
    script(
        "crowd",
        "Bursts within one second: some answers are closed, some are the application's own 502, some are good.",
        1,
        plain,
        drive::crowd,
    ),
    script(
        "refused-with-ids",
        "As drive::refused, with the id of the log entry (%L) in both of httpd's logs.",
        1,
        |setup| setup.log_ids = true,
        drive::refused,
    ),
    script(
        "rate-limit-429",
        "The proxy limits a hasty client with 429.",
        1,
        |setup| setup.rule = Rule::RateLimit(429),
        drive::rate_limit,
    ),
    script(
        "rate-limit-503",
        "The proxy limits a hasty client with 503.",
        1,
        |setup| setup.rule = Rule::RateLimit(503),
        drive::rate_limit,
    ),
    script(
        "maintenance",
        "The proxy answers 503 with Retry-After on purpose.",
        1,
        |setup| setup.rule = Rule::Maintenance,
        drive::maintenance,
    ),
    script(
        "rewrite-loop",
        "The proxy rewrites a request to itself until it gives up.",
        1,
        |setup| setup.rule = Rule::RewriteLoop,
        drive::rewrite_loop,
    ),
    script(
        "masked",
        "The application fails and the proxy turns it into a page with status 200.",
        1,
        |setup| setup.rule = Rule::MaskErrors,
        drive::masked,
    ),
    script(
        "masked-refused",
        "Nothing listens, and the proxy turns its own 502 into a page with status 200.",
        1,
        |setup| setup.rule = Rule::MaskErrors,
        drive::masked_refused,
    ),
    script(
        "impatient",
        "Crawlers and people hang up before a slow origin answers.",
        1,
        |setup| setup.timeout = Duration::from_secs(60),
        drive::impatient,
    ),
    script(
        "leaves-mid-body",
        "Clients hang up in the middle of a long answer.",
        1,
        |setup| setup.timeout = Duration::from_secs(60),
        drive::leaves_mid_body,
    ),
    script(
        "refused-http10",
        "Nothing listens on the only upstream's port for some minutes; clients speak HTTP/1.0.",
        1,
        |setup| setup.clients = Version::Http10,
        drive::refused,
    ),
    script(
        "cut-body-http10",
        "The answer ends before its promised length; clients speak HTTP/1.0.",
        1,
        |setup| setup.clients = Version::Http10,
        |s| drive::faulty(s, Fault::CutBody, C::TruncatedBody),
    ),
    script(
        "refused-http2",
        "Nothing listens on the only upstream's port for some minutes; clients speak HTTP/2.",
        1,
        |setup| setup.clients = Version::Http2,
        drive::refused,
    ),
    script(
        "close-http2",
        "The upstream closes the connection before a byte of the answer; clients speak HTTP/2.",
        1,
        |setup| setup.clients = Version::Http2,
        |s| drive::faulty(s, Fault::Close, C::ClosedBeforeHeaders),
    ),
    script(
        "silent-http2",
        "The upstream takes the request and never answers; clients speak HTTP/2.",
        1,
        |setup| {
            setup.clients = Version::Http2;
            setup.timeout = Duration::from_secs(2);
        },
        |s| drive::silent(s, Fault::Silent),
    ),
    script(
        "cut-body-http2",
        "The answer ends before its promised length; clients speak HTTP/2.",
        1,
        |setup| setup.clients = Version::Http2,
        |s| drive::faulty(s, Fault::CutBody, C::TruncatedBody),
    ),
    script(
        "impatient-http2",
        "Crawlers and people hang up before a slow origin answers; they speak HTTP/2.",
        1,
        |setup| {
            setup.clients = Version::Http2;
            setup.timeout = Duration::from_secs(60);
        },
        drive::impatient,
    ),
    script(
        "not-found-storm",
        "A scanner and two crawlers get 404 by the dozen: nothing is broken.",
        1,
        plain,
        drive::not_found_storm,
    ),
    script(
        "healthy",
        "Crawlers and people are served; nothing is broken.",
        1,
        plain,
        |s| {
            drive::good(s, 30)?;
            Ok(())
        },
    ),
    script(
        "false-googlebot",
        "A scanner calls itself Googlebot and meets errors of its own making; the real one is served. Run with --ranges ranges.json.",
        1,
        plain,
        drive::false_googlebot,
    ),
    script(
        "server-down",
        "A health check takes the only server out.",
        1,
        |setup| setup.own.server = " check inter 150ms fall 1 rise 1",
        haproxy::server_down,
    ),
    script(
        "slow-check",
        "Two servers refuse some moments before the health check takes them out.",
        2,
        |setup| {
            setup.retry = false;
            setup.own.server = " check inter 700ms fall 1 rise 1";
        },
        haproxy::slow_check,
    ),
    script(
        "check-fails",
        "The application answers the health check with 503.",
        1,
        |setup| {
            setup.own.back = "option httpchk GET /health\n";
            setup.own.server = " check inter 150ms fall 1 rise 1";
        },
        haproxy::check_fails,
    ),
    script(
        "queue",
        "The only server's one slot is taken; the others wait in the queue until that takes too long.",
        1,
        |setup| setup.own.server = " maxconn 1",
        haproxy::queue,
    ),
    script(
        "leaves-before-timeout",
        "Clients leave while the server is silent; HAProxy waits on (no abortonclose).",
        1,
        |setup| setup.timeout = Duration::from_secs(2),
        haproxy::leaves_before_timeout,
    ),
    script(
        "leaves-abortonclose",
        "Clients leave while the server is silent, and HAProxy with them (abortonclose).",
        1,
        |setup| {
            setup.timeout = Duration::from_secs(2);
            setup.own.all = "option abortonclose\n";
        },
        haproxy::leaves_before_timeout,
    ),
    script(
        "denied",
        "A rule answers 503 to what it does not want.",
        1,
        |setup| {
            setup.own.front = "http-request deny deny_status 503 if { path_beg /search }\n";
        },
        haproxy::denied,
    ),
    script(
        "tarpit",
        "A rule holds up what it does not want, then answers 500.",
        1,
        |setup| {
            setup.own.front = "timeout tarpit 100ms\nhttp-request tarpit if { path_beg /search }\n";
        },
        haproxy::denied,
    ),
    script(
        "retry-on",
        "The server closes before an answer; HAProxy tries again, once in vain (retry-on).",
        1,
        |setup| setup.own.back = "retry-on all-retryable-errors\nretries 1\n",
        |s| drive::faulty(s, Fault::Close, C::ClosedBeforeHeaders),
    ),
    script(
        "leaves-download",
        "Clients hang up in the middle of a long answer that goes on.",
        1,
        plain,
        haproxy::leaves_download,
    ),
    script(
        "no-network",
        "The network stack has no route to the upstream's address, and says so at once.",
        0,
        |setup| {
            let address = Address::Tcp(([255, 255, 255, 255], 8080).into());
            setup.members.push(super::proxy::Member {
                address,
                down: false,
            });
        },
        haproxy::no_network,
    ),
    script(
        "slow-connect",
        "The upstream's accept queue is full, and the limit for the answer is shorter than the one for connecting.",
        0,
        |setup| {
            setup.timeout = Duration::from_secs(2);
            setup.own.back = r#"{"connect_timeout": "30s"}"#;
        },
        drive::connect_timeout,
    )
    .beside(Fixture::FullQueue),
    script(
        "name-never-resolved",
        "The cluster's members are looked up by a name that no resolver knows.",
        0,
        |setup| setup.own.back = NAMED_CLUSTER,
        drive::dns,
    ),
    script(
        "stale-socket",
        "The application has gone and left its unix socket behind.",
        0,
        plain,
        drive::stale_socket,
    )
    .beside(Fixture::StaleSocket),
    script(
        "stalled-body",
        "The upstream stops in the middle of the body and says no more.",
        1,
        |setup| setup.timeout = Duration::from_secs(2),
        drive::stalled_body,
    ),
    script(
        "uwsgi-close",
        "A uwsgi application closes the connection before a byte of the answer.",
        1,
        |setup| setup.upstream = Upstream::Protocol("uwsgi"),
        drive::fastcgi_closed,
    ),
    script(
        "scgi-close",
        "An SCGI application closes the connection before a byte of the answer.",
        1,
        |setup| setup.upstream = Upstream::Protocol("scgi"),
        drive::fastcgi_closed,
    ),
    script(
        "grpc-close",
        "A gRPC server closes the connection before a byte of the answer.",
        1,
        |setup| setup.upstream = Upstream::Protocol("grpc"),
        drive::fastcgi_closed,
    ),
    script(
        "grpc-to-http",
        "The proxy speaks gRPC to a port that speaks HTTP/1.1.",
        1,
        |setup| setup.upstream = Upstream::Protocol("grpc"),
        |s| drive::wrong_protocol(s, "grpc-to-http"),
    ),
    script(
        "h2c-to-http",
        "The proxy speaks HTTP/2 to a port that speaks HTTP/1.1.",
        1,
        |setup| setup.upstream = Upstream::Protocol("h2c"),
        |s| drive::wrong_protocol(s, "h2c-to-http"),
    ),
    script(
        "ajp-close",
        "A servlet container closes the AJP connection before a byte of the answer.",
        1,
        |setup| setup.upstream = Upstream::Protocol("ajp"),
        drive::fastcgi_closed,
    ),
    script(
        "ajp-to-http",
        "The proxy speaks AJP to a port that speaks HTTP.",
        1,
        |setup| setup.upstream = Upstream::Protocol("ajp"),
        |s| drive::wrong_protocol(s, "ajp-to-http"),
    ),
];

/// Envoy: a cluster by name, and the resolver that does not answer.
const NAMED_CLUSTER: &str = r#"{
    "type": "STRICT_DNS",
    "typed_dns_resolver_config": {
        "name": "envoy.network.dns_resolver.cares",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
            "resolvers": [{"socket_address": {"address": "127.0.0.1", "port_value": 1}}]
        }
    },
    "load_assignment": {
        "cluster_name": "shop_backend",
        "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": {"socket_address": {"address": "app.shop.invalid", "port_value": 8080}}}}
        ]}]
    }
}"#;
