//! Format strings as each product's configuration has them, as literals and values.

pub(super) mod apache;
mod envoy;
mod haproxy;
pub(super) mod nginx;
mod squid;
mod traffic_server;

use model::Edge;

use super::layout::{FormatError, Item, Warning};

/// Longest format string that is read.
pub(super) const STRING_BYTES_MAX: usize = nginx::STRING_BYTES_MAX;

/// The language of a format string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `$status`
    Nginx,
    /// `%>s`, taken over by varnishncsa, H2O and lighttpd with letters of their own.
    Apache,
    /// `%ST`
    Haproxy,
    /// `%RESPONSE_CODE%`
    Envoy,
    /// `%<pssc>`
    TrafficServer,
    /// `%>Hs`
    Squid,
}

impl Syntax {
    /// The language of that product's configuration; `None` where it has no format strings.
    pub(super) const fn of_edge(edge: Edge) -> Option<Self> {
        match edge {
            Edge::Nginx | Edge::Nghttpx => Some(Self::Nginx),
            Edge::Apache | Edge::Lighttpd | Edge::Varnish | Edge::H2o | Edge::OpenLiteSpeed => {
                Some(Self::Apache)
            }
            Edge::Haproxy => Some(Self::Haproxy),
            Edge::Envoy => Some(Self::Envoy),
            Edge::TrafficServer => Some(Self::TrafficServer),
            Edge::Squid => Some(Self::Squid),
            Edge::Caddy
            | Edge::Traefik
            | Edge::Pingora
            | Edge::AwsAlb
            | Edge::CloudFront
            | Edge::Cloudflare
            | Edge::Unknown => None,
        }
    }

    /// The language that `text` is written in, by words that only it has; `None` where nothing of any stands in it.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["%REQ(", "%RESPONSE_CODE%", "%START_TIME", "%RESPONSE_FLAGS"]) {
            return Some(Self::Envoy);
        }
        if has(&[
            "%<pssc>", "%<sssc>", "%<cqtq>", "%<cqts>", "%<cqtn>", "%<crc>", "%<cqtt>",
        ]) {
            return Some(Self::TrafficServer);
        }
        // Before HAProxy's, whose `%[` is also how Squid asks for quoting.
        if has(&[">Hs", "%Ss", "%>a", "%<st", "%ru", "%err_code"]) {
            return Some(Self::Squid);
        }
        if has(&["%ST", "%[", "%ci", "%HM", "%{+", "%tsc", "%CC"]) {
            return Some(Self::Haproxy);
        }
        if is_nginx(text) {
            return Some(Self::Nginx);
        }
        text.contains('%').then_some(Self::Apache)
    }

    /// The product that `text` is of: the one whose language it is, or one that added words to it.
    pub(super) fn edge(self, text: &str) -> Edge {
        /// What varnishncsa and H2O have by default, and httpd has not.
        const SHARED: &str = r#"%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i""#;
        /// Variables of nghttpx that nginx has not.
        const NGHTTPX_ONLY: [&str; 5] = [
            "$backend_host",
            "$path_without_query",
            "$alpn",
            "$protocol_version",
            "$tls_",
        ];
        /// How nghttpx begins, unless told otherwise; configurations of nginx do so, too.
        const NGHTTPX_DEFAULT: &str = r#"$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        match self {
            Self::Nginx if has(&NGHTTPX_ONLY) => Edge::Nghttpx,
            Self::Nginx if text.trim() == NGHTTPX_DEFAULT => Edge::Unknown,
            Self::Nginx => Edge::Nginx,
            // lighttpd writes the host where others have the ident.
            Self::Apache if text.starts_with("%h %V ") => Edge::Lighttpd,
            Self::Apache if has(&["%{Varnish:", "%{VSL:", "%{VCL_Log:"]) => Edge::Varnish,
            Self::Apache
                if has(&[
                    "%{error}x",
                    "%{proxy.",
                    "%{connection-id}x",
                    "%{http2.",
                    "%{http1.",
                    "-time}x",
                    "%{duration}x",
                    "%{ssl.",
                    "%{request-",
                ]) =>
            {
                Edge::H2o
            }
            Self::Apache if text.trim() == SHARED => Edge::Unknown,
            Self::Apache => Edge::Apache,
            Self::Haproxy => Edge::Haproxy,
            Self::Envoy => Edge::Envoy,
            Self::TrafficServer => Edge::TrafficServer,
            Self::Squid => Edge::Squid,
        }
    }

    /// Takes a format string apart.
    pub(super) fn items(self, text: &str) -> Result<(Vec<Item>, Vec<Warning>), FormatError> {
        match self {
            Self::Nginx => nginx::items(text),
            Self::Apache => apache::items(text),
            Self::Haproxy => haproxy::items(text),
            Self::Envoy => envoy::items(text),
            Self::TrafficServer => traffic_server::items(text),
            Self::Squid => squid::items(text),
        }
    }
}

/// Whether a `$` begins a variable, or the string has no directive either.
fn is_nginx(text: &str) -> bool {
    let names = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '{';
    let variables = text
        .match_indices('$')
        .filter(|(at, _)| text[at + 1..].starts_with(names))
        .count();
    let directives = text
        .match_indices('%')
        .filter(|(at, _)| text[at + 1..].starts_with(|c: char| names(c) || c == '>'))
        .count();
    variables > 0 && variables >= directives || directives == 0 && text.contains('$')
}
