//! Which edge a program or a container is, by its name.

use model::Edge;

/// Who wrote a line, as far as an envelope says. A hint: names are the operator's to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// No envelope names one.
    Unnamed,
    /// One whose name is that of an edge.
    Edge(Edge),
    /// One with another name.
    Other,
}

impl Program {
    /// The program of that name: a syslog tag, a unit, a container, an image. An edge where one of its words is one's
    /// name: `haproxy`, `shop-nginx-1`, `istio-proxy`.
    pub(super) fn of(name: &[u8]) -> Self {
        let mut found = None;
        for word in name.split(|byte| !byte.is_ascii_alphanumeric()) {
            // Reads an edge's counters: `nginx-exporter`.
            if word.eq_ignore_ascii_case(b"exporter") {
                return Self::Other;
            }
            found = found.or_else(|| edge(word));
        }
        match found {
            Some(edge) => Self::Edge(edge),
            None if name == b"traffic_server" => Self::Edge(Edge::TrafficServer),
            None if name.iter().any(u8::is_ascii_alphanumeric) => Self::Other,
            None => Self::Unnamed,
        }
    }

    /// `self` stands around `within`. An edge named anywhere beats another program: inside a container named `haproxy`
    /// the operator may have chosen any tag.
    pub(super) const fn or_within(self, within: Self) -> Self {
        match (self, within) {
            (_, Self::Edge(_)) => within,
            (Self::Edge(_), _) | (_, Self::Unnamed) => self,
            (Self::Unnamed | Self::Other, Self::Other) => Self::Other,
        }
    }

    /// The edge, where one is named.
    pub(crate) const fn edge(self) -> Option<Edge> {
        match self {
            Self::Edge(edge) => Some(edge),
            Self::Unnamed | Self::Other => None,
        }
    }
}

/// The names that packages, units and images of the products have. `gateway`, `proxy` and the like are nobody's.
const NAMES: &[(&[u8], Edge)] = &[
    (b"nginx", Edge::Nginx),
    (b"openresty", Edge::Nginx),
    (b"angie", Edge::Nginx),
    (b"apache", Edge::Apache),
    (b"apache2", Edge::Apache),
    (b"httpd", Edge::Apache),
    (b"haproxy", Edge::Haproxy),
    (b"envoy", Edge::Envoy),
    (b"istio", Edge::Envoy),
    (b"emissary", Edge::Envoy),
    (b"ambassador", Edge::Envoy),
    (b"caddy", Edge::Caddy),
    (b"traefik", Edge::Traefik),
    (b"varnish", Edge::Varnish),
    (b"varnishd", Edge::Varnish),
    (b"varnishncsa", Edge::Varnish),
    (b"varnishlog", Edge::Varnish),
    (b"trafficserver", Edge::TrafficServer),
    (b"lighttpd", Edge::Lighttpd),
    (b"nghttpx", Edge::Nghttpx),
    (b"h2o", Edge::H2o),
    (b"squid", Edge::Squid),
    (b"pingora", Edge::Pingora),
    (b"litespeed", Edge::OpenLiteSpeed),
    (b"openlitespeed", Edge::OpenLiteSpeed),
    (b"lshttpd", Edge::OpenLiteSpeed),
];

fn edge(word: &[u8]) -> Option<Edge> {
    let named = |(name, _): &&(&[u8], Edge)| word.eq_ignore_ascii_case(name);
    NAMES.iter().find(named).map(|(_, edge)| *edge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_known_by_a_word_of_the_name() {
        for (name, program) in [
            ("haproxy", Program::Edge(Edge::Haproxy)),
            ("shop-nginx-1", Program::Edge(Edge::Nginx)),
            ("shop_web.1.x3kd", Program::Other),
            ("istio-proxy", Program::Edge(Edge::Envoy)),
            (
                "ingress-nginx-controller-7d/controller",
                Program::Edge(Edge::Nginx),
            ),
            ("docker.io/library/Caddy:2", Program::Edge(Edge::Caddy)),
            ("traffic_server", Program::Edge(Edge::TrafficServer)),
            ("(squid-1)", Program::Edge(Edge::Squid)),
            ("nginx-exporter", Program::Other),
            ("sshd", Program::Other),
            ("-", Program::Unnamed),
            ("", Program::Unnamed),
        ] {
            assert_eq!(Program::of(name.as_bytes()), program, "{name}");
        }
    }

    #[test]
    fn an_edge_beats_another_program_and_the_inner_edge_the_outer() {
        let nginx = Program::Edge(Edge::Nginx);
        let haproxy = Program::Edge(Edge::Haproxy);
        assert_eq!(nginx.or_within(haproxy), haproxy);
        assert_eq!(nginx.or_within(Program::Other), nginx);
        assert_eq!(Program::Other.or_within(nginx), nginx);
        assert_eq!(Program::Other.or_within(Program::Unnamed), Program::Other);
    }
}
