//! Held-out recordings: the same products in configurations that nobody looks at while rules are written. `cargo xtask
//! record --other --into DIR` makes them and `cargo xtask score --cases DIR/cases` scores them; they are never cases.
//!
//! To add a product: a file beside this one that implements [`Proxy`] under the name `<product>-other`, its table
//! beside it, and a line in each of the two lists.

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
