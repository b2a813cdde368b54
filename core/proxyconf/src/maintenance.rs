//! The 503 with Retry-After that planned work deserves, in the language of each edge. What is promised of these texts is
//! tried on the real programs (`cargo xtask maintenance`).

use model::Edge;

/// A stretch of planned work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance<'a> {
    /// What Retry-After says, in seconds.
    pub seconds: u64,
    /// robots.txt on the edge's disk.
    pub robots: &'a str,
    /// What turns it on: a file that is there, or HAProxy's map; the edge's usual place where not given.
    pub switch: Option<&'a str>,
    /// Not at a switch, but while the origin cannot be reached.
    pub while_down: bool,
}

/// Edges that there is a text for.
pub const MAINTENANCE_EDGES: [Edge; 7] = [
    Edge::Nginx,
    Edge::Haproxy,
    Edge::Apache,
    Edge::Caddy,
    Edge::Envoy,
    Edge::Traefik,
    Edge::Varnish,
];

/// The configuration for an edge; `None` where it cannot answer so, or is none of [`MAINTENANCE_EDGES`].
pub fn maintenance(edge: Edge, planned: &Maintenance<'_>) -> Option<String> {
    let (text, down, switch) = match edge {
        Edge::Nginx => (
            include_str!("maintenance/nginx.txt"),
            Some(include_str!("maintenance/nginx-down.txt")),
            "/etc/nginx/maintenance.on",
        ),
        Edge::Haproxy => (
            include_str!("maintenance/haproxy.txt"),
            Some(include_str!("maintenance/haproxy-down.txt")),
            "/etc/haproxy/maintenance.map",
        ),
        Edge::Apache => (
            include_str!("maintenance/apache.txt"),
            Some(include_str!("maintenance/apache-down.txt")),
            "/etc/apache2/maintenance.on",
        ),
        Edge::Caddy => (
            include_str!("maintenance/caddy.txt"),
            Some(include_str!("maintenance/caddy-down.txt")),
            "/etc/caddy/maintenance.on",
        ),
        Edge::Envoy => (
            include_str!("maintenance/envoy.txt"),
            Some(include_str!("maintenance/envoy-down.txt")),
            "",
        ),
        // Its own 502 cannot be told apart from the application's in a middleware.
        Edge::Traefik => (include_str!("maintenance/traefik.txt"), None, ""),
        Edge::Varnish => (
            include_str!("maintenance/varnish.txt"),
            Some(include_str!("maintenance/varnish-down.txt")),
            "/etc/varnish/maintenance.on",
        ),
        _ => return None,
    };
    let text = if planned.while_down { down? } else { text };
    let filled = text
        .replace("{SECONDS}", &planned.seconds.to_string())
        .replace("{ROBOTS}", planned.robots)
        .replace("{SWITCH}", planned.switch.unwrap_or(switch));
    Some(filled)
}
