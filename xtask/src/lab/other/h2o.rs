//! A second H2O site: shop and API as paths of one host, pages of its own for errors, kept connections off, and layouts with
//! its times and its error under other names.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::lab::h2o::H2o;
use crate::lab::origin::Address;
use crate::lab::proxy::{Layout, Member, Proxy, Rule, Setup, Site, Upstream, is_root};

/// H2O, as installed.
pub(crate) struct H2oOther;

const LAYOUTS: [Layout; 3] = [
    // The vendor's list of timings, after the default.
    Layout {
        name: "timings",
        format: r#"%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i" %{connect-time}x %{request-total-time}x %{process-time}x %{response-time}x"#,
    },
    Layout {
        name: "labelled",
        format: r#"time=%{%Y-%m-%dT%H:%M:%S%z}t client=%h vhost=%V method=%m path="%U" query="%q" proto=%H status=%s size=%b process=%{process-time}x duration=%{duration}x error="%{error}x" ua="%{User-agent}i""#,
    },
    Layout {
        name: "keyed",
        format: r#"{"timestamp":"%{%Y-%m-%dT%H:%M:%S%z}t","remote_addr":"%h","vhost":"%V","method":"%m","path":"%U%q","protocol":"%H","status":%s,"bytes_sent":%b,"referer":"%{Referer}i","user_agent":"%{User-agent}i","request_time":%{duration}x,"proxy_error":"%{error}x"}"#,
    },
];

/// Statuses with a page of the site's own.
const PAGES: [u16; 3] = [500, 502, 503];

impl Proxy for H2oOther {
    behaves_like!((H2o) => version, timers_follow_clock, notices_hangup, started_says, takes_proxy_protocol);

    fn name(&self) -> &'static str {
        "h2o-other"
    }

    fn edge(&self) -> &'static str {
        "h2o"
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn can(&self, setup: &Setup) -> bool {
        H2o.can(setup)
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        for status in PAGES {
            let path = site.dir.join(format!("page-{status}.html"));
            let text = format!(
                "<!doctype html><title>Sorry</title><h1>Sorry, we are busy ({status})</h1>\n"
            );
            std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        }
        let path = site.dir.join("h2o.conf");
        std::fs::write(&path, config(site)).context("cannot write h2o.conf")?;
        let mut command = Command::new("h2o");
        command.arg("-m").arg("worker").arg("-c").arg(path);
        Ok(command)
    }

    fn is_ready(&self, dir: &Path) -> bool {
        let mut logs = LAYOUTS.iter().map(|layout| layout.name).chain(["error"]);
        logs.all(|name| dir.join(format!("{name}.log")).exists())
    }

    fn echo_says(&self) -> &'static str {
        H2o.echo_says()
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        H2o.logs_unanswered_as()
    }
}

fn config(site: &Site<'_>) -> String {
    let dir = site.dir.display();
    let setup = site.setup;
    let mut text = String::new();
    if is_root() {
        text += "user: www-data\n";
    }
    let millis = setup.timeout.as_millis();
    // Without kept connections it would speak no TLS.
    let tls = matches!(setup.upstream, Upstream::Tls | Upstream::TlsVerified);
    let keep = match (setup.keepalive, tls) {
        (true, _) => 3_600_000,
        (false, true) => 4_000,
        (false, false) => 0,
    };
    write!(
        text,
        "num-threads: 1\nhttp1-upgrade-to-http2: OFF\nserver-name: shop\nerror-log: {dir}/error.log\n\
         proxy.preserve-host: OFF\nproxy.timeout.io: {millis}\nproxy.timeout.keepalive: {keep}\n\
         limit-request-body: 33554432\ncompress: ON\n"
    )
    .ok();
    if tls {
        let verify = if setup.upstream == Upstream::TlsVerified {
            "ON"
        } else {
            "OFF"
        };
        writeln!(
            text,
            "proxy.ssl.verify-peer: {verify}\nproxy.ssl.cafile: {}",
            setup.trusted.display()
        )
        .ok();
    }
    text += "error-doc:\n";
    for status in PAGES {
        writeln!(text, "  - status: {status}\n    url: /page-{status}.html").ok();
    }
    write!(
        text,
        "listen: {{ host: {}, port: {}, proxy-protocol: ON }}\nhosts:\n  shop.example:\n    paths:\n",
        site.listen.ip(),
        site.listen.port()
    )
    .ok();
    for status in PAGES {
        write!(
            text,
            "      /page-{status}.html:\n        file.file: {dir}/page-{status}.html\n"
        )
        .ok();
        log(&mut text, site.dir, &LAYOUTS[0], "        ");
    }
    for path in ["/api/", "/"] {
        write!(text, "      {path}:\n{}", handler(setup, path)).ok();
        log(&mut text, site.dir, &LAYOUTS[0], "        ");
    }
    // One log a level: those of the levels above are written, too.
    log(&mut text, site.dir, &LAYOUTS[1], "    ");
    log(&mut text, site.dir, &LAYOUTS[2], "");
    text
}

/// The log of one level.
fn log(text: &mut String, dir: &Path, layout: &Layout, indent: &str) {
    let format = layout.format.replace('\'', "''");
    let escape = if layout.name == "keyed" {
        "json"
    } else {
        "apache"
    };
    write!(
        text,
        "{indent}access-log:\n{indent}  path: {}/{}.log\n{indent}  format: '{format}'\n{indent}  escape: {escape}\n",
        dir.display(),
        layout.name
    )
    .ok();
}

fn handler(setup: &Setup, path: &str) -> String {
    if setup.rule == Rule::Maintenance {
        return "        mruby.handler: |\n          Proc.new { |env| [503, {\"retry-after\" => \"3600\"}, [\"Maintenance\"]] }\n"
            .to_owned();
    }
    let address = |member: &Member| match &member.address {
        Address::Tcp(address) => address.to_string(),
        Address::Unix(socket) => format!("[unix:{}]", socket.display()),
    };
    let first = setup.members.first().map(address).unwrap_or_default();
    match setup.upstream {
        Upstream::Http => format!("        proxy.reverse.url: \"http://{first}{path}\"\n"),
        Upstream::Tls | Upstream::TlsVerified => {
            format!("        proxy.reverse.url: \"https://{first}{path}\"\n")
        }
        Upstream::FastCgi => {
            let (host, port) = first.rsplit_once(':').unwrap_or_default();
            format!("        fastcgi.connect: {{ host: {host}, port: {port}, type: tcp }}\n")
        }
        Upstream::UnresolvedName | Upstream::BadTarget | Upstream::Protocol(_) => {
            format!("        proxy.reverse.url: \"http://app.shop.invalid:8080{path}\"\n")
        }
    }
}
