//! Names and addresses as users type them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An address.
    Socket(SocketAddr),
    /// Every address of a name.
    Name(String, u16),
    /// A unix socket.
    Unix(PathBuf),
}

/// The URL that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whether it is https.
    pub tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query.
    pub path: String,
}

impl Url {
    /// The value of `Host`: with the port only where it is not the scheme's.
    pub fn authority(&self) -> String {
        let host = match self.host.parse::<Ipv6Addr>() {
            Ok(_) => format!("[{}]", self.host),
            Err(_) => self.host.clone(),
        };
        if self.port == port_of(self.tls) {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// Where its host is.
    pub fn place(&self) -> Place {
        place(&self.host, self.port)
    }
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (tls, rest) =
            scheme(text).ok_or_else(|| "a URL begins with https:// or http://".to_owned())?;
        let rest = rest.split('#').next().unwrap_or_default();
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let (host, port) = host_port(authority)?;
        let path = match path.as_bytes().first() {
            Some(b'/') => path.to_owned(),
            _ => format!("/{path}"),
        };
        check_path(&path)?;
        Ok(Self {
            tls,
            host,
            port: port.unwrap_or(port_of(tls)),
            path,
        })
    }
}

/// Refuses what cannot stand in a request line.
pub fn check_path(path: &str) -> Result<(), String> {
    if path.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
        return Ok(());
    }
    Err(
        "a path has no blanks and no letters beyond ASCII: write them as %20 and the like"
            .to_owned(),
    )
}

/// A server behind the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// As it was typed.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// Whether to speak TLS.
    pub tls: bool,
    /// The address that the edge uses for the name, whatever the name leads to now.
    pub given: Option<SocketAddr>,
}

impl FromStr for Origin {
    type Err = String;

    /// `10.0.0.5:8443`, `[::1]:8080`, `app`, `http://app:8080`, `unix:/run/app.sock`, `app:8080=10.0.0.5`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            // nginx writes unix:/run/app.sock:/uri; a URI here would be another path to ask for.
            let path = path.strip_prefix("//").unwrap_or(path);
            if !path.starts_with('/') {
                return Err("a socket is named by its whole path: unix:/run/app.sock".to_owned());
            }
            return Ok(Self {
                name: text.to_owned(),
                place: Place::Unix(PathBuf::from(path)),
                tls: false,
                given: None,
            });
        }
        let scheme = scheme(text);
        let rest = scheme.map_or(text, |(_, rest)| rest);
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err("an origin has no path: --path says what to ask for".to_owned());
        }
        let (rest, given) = match rest.split_once('=') {
            Some((rest, given)) => (rest, Some(given)),
            None => (rest, None),
        };
        let (host, port) = host_port(rest)?;
        // Without a scheme the port says it: nearly every origin speaks plain HTTP, but for these two.
        let tls = scheme.map_or(matches!(port, Some(443 | 8443)), |(tls, _)| tls);
        let port = port.unwrap_or(port_of(tls));
        let place = place(&host, port);
        let given = match given {
            None => None,
            Some(_) if !matches!(place, Place::Name(..)) => {
                return Err("an address stands behind a name: app:8080=10.0.0.5".to_owned());
            }
            Some(given) => Some(address(given, port)?),
        };
        Ok(Self {
            name: text.to_owned(),
            place,
            tls,
            given,
        })
    }
}

impl FromStr for Place {
    type Err = String;

    /// An address with its port: `192.0.2.7:443`, `[2001:db8::7]:443`.
    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.parse().map(Self::Socket);
        parsed.map_err(|_| "not an address and port, such as 192.0.2.7:443 or [::1]:443".to_owned())
    }
}

fn address(text: &str, port: u16) -> Result<SocketAddr, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let bare = bare.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, port));
    text.parse()
        .or(bare)
        .map_err(|_| format!("{text} is not an address"))
}

fn scheme(text: &str) -> Option<(bool, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Some((true, rest)),
        "http" => Some((false, rest)),
        _ => None,
    }
}

const fn port_of(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

fn place(host: &str, port: u16) -> Place {
    match host.parse() {
        Ok(ip) => Place::Socket(SocketAddr::new(ip, port)),
        Err(_) => Place::Name(host.to_owned(), port),
    }
}

/// `host`, `host:port`, `[::1]`, `[::1]:port`, `::1`.
fn host_port(text: &str) -> Result<(String, Option<u16>), String> {
    if text.contains('@') {
        return Err("no user name or password: the probe does not log in".to_owned());
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok((text.to_owned(), None));
    }
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("a bracket is not closed")?;
        if host.parse::<Ipv6Addr>().is_err() {
            return Err(format!("{host} is not an address of IPv6"));
        }
        (
            host,
            rest.strip_prefix(':').or((rest.is_empty()).then_some("")),
        )
    } else {
        let (host, port) = text.split_once(':').unwrap_or((text, ""));
        (host, Some(port))
    };
    let is_name = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte));
    if !is_name {
        return Err(format!(
            "{host:?} is no host name; one beyond ASCII is written in its xn-- form"
        ));
    }
    let port = match port {
        Some("") => None,
        Some(port) => {
            let port = port.parse().ok().filter(|port| *port > 0);
            Some(port.ok_or("a port is a number from 1 to 65535")?)
        }
        None => return Err("nothing but a port stands behind an address".to_owned()),
    };
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<(bool, String, String), String> {
        text.parse()
            .map(|url: Url| (url.tls, url.authority(), url.path))
    }

    #[test]
    fn urls_give_host_scheme_and_path() {
        for (text, tls, host, path) in [
            ("https://www.example.com", true, "www.example.com", "/"),
            ("https://a.example:443/x?y=1#z", true, "a.example", "/x?y=1"),
            ("http://a.example:8080?q", false, "a.example:8080", "/?q"),
            ("HTTP://[::1]:8080/", false, "[::1]:8080", "/"),
            ("https://[::1]", true, "[::1]", "/"),
            ("http://127.0.0.1/a", false, "127.0.0.1", "/a"),
        ] {
            assert_eq!(
                url(text),
                Ok((tls, host.to_owned(), path.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in [
            "www.example.com",
            "ftp://a.example/",
            "https://",
            "https://u:p@a.example/",
            "https://a.example:0/",
            "https://a.example:70000/",
            "https://a.example/a b",
            "https://a.example/\u{e4}",
            "https://\u{e4}.example/",
            "https://[::1/",
            "https://[a]/",
            "https://[::1]8080/",
            "https://a.example/\r\nX: y",
        ] {
            assert!(url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn origins_are_named_in_every_way() {
        let socket = |text: &str| Place::Socket(text.parse().unwrap());
        let name = |name: &str, port| Place::Name(name.to_owned(), port);
        for (text, place, tls) in [
            ("10.0.0.5:8080", socket("10.0.0.5:8080"), false),
            ("10.0.0.5:8443", socket("10.0.0.5:8443"), true),
            ("10.0.0.5", socket("10.0.0.5:80"), false),
            ("[::1]:8080", socket("[::1]:8080"), false),
            ("::1", socket("[::1]:80"), false),
            ("http://app:8443", name("app", 8443), false),
            ("https://app", name("app", 443), true),
            ("https://app:9000/", name("app", 9000), true),
            ("app_1.internal:3000", name("app_1.internal", 3000), false),
            (
                "unix:/run/app.sock",
                Place::Unix("/run/app.sock".into()),
                false,
            ),
            (
                "unix:///run/app.sock",
                Place::Unix("/run/app.sock".into()),
                false,
            ),
        ] {
            let origin: Origin = text.parse().unwrap();
            assert_eq!((origin.place, origin.tls), (place, tls), "{text}");
        }
        let origin: Origin = "app:3000=10.0.0.9".parse().unwrap();
        assert_eq!(origin.given, Some("10.0.0.9:3000".parse().unwrap()));
        for text in [
            "",
            "unix:app.sock",
            "app:x",
            "http://app/x",
            "10.0.0.5:80=10.0.0.6",
            "app=b",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
