//! Held-out recordings: the same products in configurations that nobody looks at while rules are written. `cargo xtask
//! record --other --into DIR` makes them and `cargo xtask score --cases DIR/cases` scores them; they are never cases.
//!
//! To add a product: a file beside this one that implements [`Proxy`] under the name `<product>-other`, its table
//! beside it, and a line in each of the two lists.

mod caddy;
mod traefik;

use super::proxy::Proxy;

/// Every product that has a second configuration.
pub(super) const PROXIES: &[&dyn Proxy] = &[
    &caddy::CaddyOther { pages: false },
    &caddy::CaddyOther { pages: true },
    &traefik::TraefikOther { clf: false },
    &traefik::TraefikOther { clf: true },
];

/// What is made of their recordings, and what an expert could tell from each: columns as in `cases/nginx.txt`.
pub(super) const TABLES: &[&str] = &[include_str!("caddy.txt"), include_str!("traefik.txt")];
