//! A second Caddy site: shop and API behind one snippet, requests retried for a while, health looked after by checks,
//! its own keys and time format in the access log, and an error log for people (console). Once more with error pages of
//! its own, which takes the error entries out of the error log.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::lab::caddy::Caddy;
use crate::lab::origin::Address;
use crate::lab::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream};
use crate::lab::traffic::Ask;

/// Caddy 2, as installed.
pub(crate) struct CaddyOther {
    /// Whether `handle_errors` answers with pages of the site.
    pub(crate) pages: bool,
}

const LAYOUTS: [Layout; 3] = [
    // The site's own log, with other keys.
    Layout {
        name: "site",
        format: "json {
			time_key time
			message_key event
			level_key severity
			name_key source
			time_format iso8601
			duration_format ms
			level_format upper
		}",
    },
    Layout {
        name: "console",
        format: "console {
			time_format rfc3339_nano
			level_format lower
			duration_format string
		}",
    },
    // The default, but for what the lab hides.
    Layout {
        name: "plain",
        format: "json",
    },
];

const PAGES_LAYOUTS: [Layout; 2] = [
    Layout {
        name: "told",
        format: "json {
			time_format unix_milli_float
		}",
    },
    // The same run without what was appended.
    Layout {
        name: "untold",
        format: "json {
			time_format wall
		}",
    },
];

/// What a site that answers with its own pages adds to the line.
const APPENDED: [(&str, &str); 4] = [
    ("backend", "{rp.upstream.hostport}"),
    ("backend_status", "{rp.status_code}"),
    ("backend_latency", "{rp.upstream.latency}"),
    ("backend_retries", "{rp.retries}"),
];

/// How long a request may be tried again, real time.
const TRY: Duration = Duration::from_millis(250);

impl Proxy for CaddyOther {
    behaves_like!((Caddy { rich: false }) => version, timers_follow_clock, stamps_follow_clock, started_says, echo_says, logs_unanswered_as, hides_races);

    fn name(&self) -> &'static str {
        if self.pages {
            "caddy-other-pages"
        } else {
            "caddy-other"
        }
    }

    fn edge(&self) -> &'static str {
        "caddy"
    }

    fn layouts(&self) -> &'static [Layout] {
        if self.pages { &PAGES_LAYOUTS } else { &LAYOUTS }
    }

    fn can(&self, setup: &Setup) -> bool {
        matches!(setup.rule, Rule::None | Rule::Maintenance)
            || self.pages && setup.rule == Rule::MaskErrors
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let path = site.dir.join("Caddyfile");
        std::fs::write(&path, self.config(site)).context("cannot write the Caddyfile")?;
        let mut command = Command::new("caddy");
        command
            .current_dir(site.dir)
            .args(["run", "--config", "Caddyfile"])
            .env("XDG_DATA_HOME", site.dir)
            .env("XDG_CONFIG_HOME", site.dir);
        Ok(command)
    }

    fn states_echoes(&self) -> bool {
        !self.pages
    }

    fn is_chatter(&self, line: &[u8]) -> bool {
        // Health checks come when they come, whatever request is under way.
        String::from_utf8_lossy(line).contains("health_checker")
    }

    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        let line: serde_json::Value = serde_json::from_slice(line)?;
        let request = &line["request"];
        ensure!(
            request["method"] == ask.method && request["uri"] == ask.target.as_str(),
            "the last access line is not {} {}",
            ask.method,
            ask.target
        );
        let status = line["status"].as_u64().context("no status")?;
        Ok(u16::try_from(status)?)
    }

    fn ejects_after(&self) -> Duration {
        Duration::from_millis(900)
    }
}

impl CaddyOther {
    fn config(&self, site: &Site<'_>) -> String {
        let mut text = String::from(
            "{\nadmin off\npersist_config off\nauto_https off\ngrace_period 1s\n\
             servers {\ntrusted_proxies static private_ranges\nclient_ip_headers X-Forwarded-For\n}\n",
        );
        let layouts = self.layouts();
        for layout in layouts.iter().skip(1) {
            let hidden = hidden(layout.name == "untold");
            write!(
                text,
                "log {0} {{\ninclude http.log.access.shop\noutput file {0}.log\nformat filter {{\n{hidden}wrap {1}\n}}\n}}\n",
                layout.name, layout.format
            )
            .ok();
        }
        write!(
            text,
            "log default {{\nexclude tls\noutput file error.log\n\
             format filter {{\n{}wrap console {{\ntime_format wall_milli\nlevel_format upper\n}}\n}}\n}}\n}}\n{}\
             http://:{} {{\nbind {}\nlog shop {{\noutput file {}.log\nformat filter {{\n{}wrap {}\n}}\n}}\n",
            hidden(false),
            snippet(site.setup),
            site.listen.port(),
            site.listen.ip(),
            layouts[0].name,
            hidden(false),
            layouts[0].format,
        )
        .ok();
        text += "encode zstd gzip\nheader {\n-Server\nX-Frame-Options DENY\n}\n";
        if self.pages {
            for (key, value) in APPENDED {
                writeln!(text, "log_append {key} {value}").ok();
            }
            let status = if site.setup.rule == Rule::MaskErrors {
                "200"
            } else {
                "{err.status_code}"
            };
            write!(
                text,
                "handle_errors {{\nlog_append err_message {{err.message}}\nheader Content-Type text/html\n\
                 respond \"<h1>We will be right back</h1><p>Code {{err.status_code}}</p>\" {status}\n}}\n"
            )
            .ok();
        }
        text += match site.setup.rule {
            Rule::Maintenance if self.pages => {
                "header Retry-After 3600\nrespond \"Down for maintenance\" 503\n"
            }
            Rule::Maintenance => "header Retry-After 3600\nerror \"down for maintenance\" 503\n",
            _ => "handle /api/* {\nimport pool\n}\nhandle {\nimport pool\n}\n",
        };
        text + "}\n"
    }
}

/// Deletes the headers by which the lab's client chooses a fault and, on request, what was appended.
fn hidden(appended: bool) -> String {
    let mut text = "fields {\n".to_owned();
    for name in ["Fault", "Delay", "Status", "Size"] {
        writeln!(text, "request>headers>X-Lab-{name} delete").ok();
    }
    if appended {
        for (key, _) in APPENDED {
            writeln!(text, "{key} delete").ok();
        }
        text += "err_message delete\n";
    }
    text + "}\n"
}

/// The pool as a snippet of the Caddyfile.
fn snippet(setup: &Setup) -> String {
    let mut text = "(pool) {\nreverse_proxy".to_owned();
    match setup.upstream {
        Upstream::UnresolvedName => text += " app.shop.internal:8080",
        Upstream::BadTarget => text += " {http.vars.backend}",
        Upstream::Http
        | Upstream::Tls
        | Upstream::TlsVerified
        | Upstream::FastCgi
        | Upstream::Protocol(_) => (),
    }
    for member in &setup.members {
        match &member.address {
            Address::Tcp(address) => write!(text, " {address}"),
            Address::Unix(path) => write!(text, " unix/{}", path.display()),
        }
        .ok();
    }
    text += " {\n";
    if setup.members.len() > 1 {
        text += "lb_policy least_conn\n";
        if setup.retry {
            writeln!(
                text,
                "lb_try_duration {}ms\nlb_try_interval 50ms",
                TRY.as_millis()
            )
            .ok();
        }
        if setup.eject {
            text += "health_uri /health\nhealth_interval 600ms\nhealth_timeout 300ms\n";
        }
    }
    if setup.rule == Rule::MaskErrors {
        text += "@broken status 500 502 503 504\nreplace_status @broken 200\n";
    }
    let connect = setup.real_timeout().as_millis();
    // Patience for the answer differs from that for the connection, as on most sites.
    let answer = connect * 3 / 2;
    if setup.upstream == Upstream::FastCgi {
        write!(
            text,
            "transport fastcgi {{\nroot /var/www/shop/public\nsplit .php\ndial_timeout {connect}ms\nread_timeout {answer}ms\n}}\n"
        )
        .ok();
        return text + "}\n}\n";
    }
    write!(
        text,
        "header_up Host {{upstream_hostport}}\ntransport http {{\ndial_timeout {connect}ms\n\
         response_header_timeout {answer}ms\nmax_response_header 12KB\nread_buffer 8KB\n"
    )
    .ok();
    text += if setup.keepalive {
        "keepalive 30s\nkeepalive_idle_conns_per_host 4\n"
    } else {
        "keepalive off\n"
    };
    text += &match setup.upstream {
        Upstream::Tls => "tls\ntls_insecure_skip_verify\ntls_timeout 2s\n".to_owned(),
        Upstream::TlsVerified => format!(
            "tls\ntls_server_name shop.example\ntls_trust_pool file {}\n",
            setup.trusted.display()
        ),
        Upstream::UnresolvedName => "resolvers 127.0.0.1:1\n".to_owned(),
        Upstream::Http | Upstream::FastCgi | Upstream::BadTarget | Upstream::Protocol(_) => {
            String::new()
        }
    };
    text + "}\n}\n}\n"
}
