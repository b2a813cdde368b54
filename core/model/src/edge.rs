//! The products whose logs are read.

/// The product that wrote a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edge {
    /// nginx and what is built on it: OpenResty, Angie, ingress-nginx, Nginx Proxy Manager.
    Nginx,
    /// Apache httpd.
    Apache,
    /// HAProxy.
    Haproxy,
    /// Envoy and what is built on it: Istio, Contour, Emissary, Envoy Gateway.
    Envoy,
    /// Caddy 2.
    Caddy,
    /// Traefik.
    Traefik,
    /// Varnish Cache.
    Varnish,
    /// Apache Traffic Server.
    TrafficServer,
    /// lighttpd.
    Lighttpd,
    /// nghttpx.
    Nghttpx,
    /// H2O.
    H2o,
    /// Squid as an accelerator.
    Squid,
    /// A proxy built on Pingora.
    Pingora,
    /// OpenLiteSpeed and LiteSpeed.
    OpenLiteSpeed,
    /// AWS Application Load Balancer.
    AwsAlb,
    /// Amazon CloudFront.
    CloudFront,
    /// Cloudflare.
    Cloudflare,
    /// A layout that several products write; the product is not known.
    Unknown,
}

impl Edge {
    /// Every product, in the order of the enum.
    pub const ALL: [Self; 18] = [
        Self::Nginx,
        Self::Apache,
        Self::Haproxy,
        Self::Envoy,
        Self::Caddy,
        Self::Traefik,
        Self::Varnish,
        Self::TrafficServer,
        Self::Lighttpd,
        Self::Nghttpx,
        Self::H2o,
        Self::Squid,
        Self::Pingora,
        Self::OpenLiteSpeed,
        Self::AwsAlb,
        Self::CloudFront,
        Self::Cloudflare,
        Self::Unknown,
    ];

    /// The name in every output and in `facts/`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "apache",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
            Self::Caddy => "caddy",
            Self::Traefik => "traefik",
            Self::Varnish => "varnish",
            Self::TrafficServer => "trafficserver",
            Self::Lighttpd => "lighttpd",
            Self::Nghttpx => "nghttpx",
            Self::H2o => "h2o",
            Self::Squid => "squid",
            Self::Pingora => "pingora",
            Self::OpenLiteSpeed => "openlitespeed",
            Self::AwsAlb => "aws-alb",
            Self::CloudFront => "cloudfront",
            Self::Cloudflare => "cloudflare",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it writes an error log that can be given: the balancers and networks of others do not.
    pub const fn has_error_log(self) -> bool {
        !matches!(self, Self::AwsAlb | Self::CloudFront | Self::Cloudflare)
    }

    /// Whether a layout that looks like this product's may be the other's all the same: that took over its format strings.
    pub const fn may_be(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Nginx, Self::Nghttpx)
                | (
                    Self::Apache,
                    Self::Lighttpd | Self::H2o | Self::Varnish | Self::OpenLiteSpeed
                )
        )
    }

    /// The edge of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|edge| edge.name() == name)
    }
}
