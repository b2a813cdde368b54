//! Held-out recordings: the same products in configurations that nobody looks at while rules are written. `cargo xtask
//! record --other --into DIR` makes them and `cargo xtask score --cases DIR/cases` scores them; they are never cases.
//!
//! To add a product: a file beside this one that implements [`Proxy`] under the name `<product>-other`, its table
//! beside it, and a line in each of the two lists.

/// What a second configuration has in common with the first one: how the program itself behaves.
macro_rules! behaves_like {
    ($first:tt => $($method:ident),+) => {
        $(behaves_like!(@ $first, $method);)+
    };
    (@ $first:tt, version) => {
        fn version(&self) -> Result<String> {
            $first.version()
        }
    };
    (@ $first:tt, timers_follow_clock) => {
        fn timers_follow_clock(&self) -> bool {
            $first.timers_follow_clock()
        }
    };
    (@ $first:tt, stamps_follow_clock) => {
        fn stamps_follow_clock(&self) -> bool {
            $first.stamps_follow_clock()
        }
    };
    (@ $first:tt, notices_hangup) => {
        fn notices_hangup(&self) -> bool {
            $first.notices_hangup()
        }
    };
    (@ $first:tt, states_echoes) => {
        fn states_echoes(&self) -> bool {
            $first.states_echoes()
        }
    };
    (@ $first:tt, takes_proxy_protocol) => {
        fn takes_proxy_protocol(&self) -> bool {
            $first.takes_proxy_protocol()
        }
    };
    (@ $first:tt, wants_waking) => {
        fn wants_waking(&self) -> bool {
            $first.wants_waking()
        }
    };
    (@ $first:tt, hides_races) => {
        fn hides_races(&self) -> bool {
            $first.hides_races()
        }
    };
    (@ $first:tt, has_threads) => {
        fn has_threads(&self) -> bool {
            $first.has_threads()
        }
    };
    (@ $first:tt, errors_name_requests) => {
        fn errors_name_requests(&self) -> bool {
            $first.errors_name_requests()
        }
    };
    (@ $first:tt, zone) => {
        fn zone(&self) -> &'static str {
            $first.zone()
        }
    };
    (@ $first:tt, started_says) => {
        fn started_says(&self) -> Option<&'static str> {
            $first.started_says()
        }
    };
    (@ $first:tt, echo_says) => {
        fn echo_says(&self) -> &'static str {
            $first.echo_says()
        }
    };
    (@ $first:tt, starts_after) => {
        fn starts_after(&self) -> Duration {
            $first.starts_after()
        }
    };
    (@ $first:tt, logs_unanswered_as) => {
        fn logs_unanswered_as(&self) -> &'static [u16] {
            $first.logs_unanswered_as()
        }
    };
}

mod apache;
mod caddy;
mod envoy;
mod h2o;
mod haproxy;
mod lighttpd;
mod nghttpx;
mod nginx;
mod squid;
mod traefik;
mod trafficserver;
mod varnish;

use super::proxy::Proxy;

/// Every product that has a second configuration.
pub(super) const PROXIES: &[&dyn Proxy] = &[
    &nginx::Nginx,
    &apache::Apache,
    &haproxy::Haproxy,
    &envoy::Envoy,
    &caddy::CaddyOther { pages: false },
    &caddy::CaddyOther { pages: true },
    &traefik::TraefikOther { clf: false },
    &traefik::TraefikOther { clf: true },
    &varnish::VarnishOther,
    &trafficserver::TrafficServerOther,
    &lighttpd::LighttpdOther,
    &nghttpx::NghttpxOther,
    &h2o::H2oOther,
    &squid::SquidOther,
];

/// What is made of their recordings, and what an expert could tell from each: columns as in `cases/nginx.txt`.
pub(super) const TABLES: &[&str] = &[
    include_str!("nginx.txt"),
    include_str!("apache.txt"),
    include_str!("haproxy.txt"),
    include_str!("envoy.txt"),
    include_str!("caddy.txt"),
    include_str!("traefik.txt"),
    include_str!("varnish.txt"),
    include_str!("trafficserver.txt"),
    include_str!("lighttpd.txt"),
    include_str!("nghttpx.txt"),
    include_str!("h2o.txt"),
    include_str!("squid.txt"),
];
