//! HAProxy as a site runs it that began with Debian's configuration: its error files, a backend for the application and
//! one for static files, a sorry page when checks have emptied the pool, syslog with whole stamps.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::super::haproxy::{SEPARATOR, collect};
use super::super::origin::Address;
use super::super::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream, is_root};
use super::super::traffic::Ask;

/// HAProxy, set up otherwise than in the first lab.
pub(super) struct Haproxy;

/// `httplog` and `httpslog` are the options of those names, `guide` is a widely copied JSON line for log shippers;
/// `labelled`, which comes first because the recorder reads it, and `short` are what sites make up.
const LAYOUTS: [Layout; 5] = [
    Layout {
        name: "labelled",
        format: r#"%ci - [%trl] "%HM %HU %HV" %ST %B fe=%ft be=%b srv=%s addr=%si:%sp wait=%Tw conn=%Tc first=%Tr total=%Ta state=%tsc retries=%rc queue=%sq/%bq code=%[bc_err] why="%[bc_err_str]" tls="%[ssl_bc_err_str]" ua=%{+Q,+E}[capture.req.hdr(0)]"#,
    },
    Layout {
        name: "httplog",
        format: r#"%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"#,
    },
    Layout {
        name: "httpslog",
        format: r#"%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc"#,
    },
    Layout {
        name: "guide",
        format: r#"{"type":"haproxy","timestamp":%Ts,"http_status":%ST,"http_request":"%r","remote_addr":"%ci","bytes_read":%B,"upstream_addr":"%si","backend_name":"%b","retries":%rc,"bytes_uploaded":%U,"upstream_response_time":"%Tr","upstream_connect_time":"%Tc","session_duration":"%Tt","termination_state":"%ts"}"#,
    },
    Layout {
        name: "short",
        format: r#"%trg %ci %ft>%b/%s %ST %ts %Tc/%Tr/%Ta %rc %{+Q}r"#,
    },
];

impl Proxy for Haproxy {
    behaves_like!((crate::lab::haproxy::Haproxy) => version, zone, timers_follow_clock, started_says, echo_says, errors_name_requests, logs_unanswered_as);

    fn name(&self) -> &'static str {
        "haproxy-other"
    }

    fn edge(&self) -> &'static str {
        "haproxy"
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    /// It takes a jump of the wall clock for what it is.
    fn can(&self, setup: &Setup) -> bool {
        matches!(
            setup.rule,
            Rule::None | Rule::RateLimit(_) | Rule::Maintenance
        ) && !matches!(
            setup.upstream,
            Upstream::BadTarget | Upstream::Protocol("uwsgi" | "scgi" | "ajp" | "grpc")
        )
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let path = site.dir.join("haproxy.cfg");
        std::fs::write(&path, config(site)).context("cannot write haproxy.cfg")?;
        collect(site, &LAYOUTS, split_iso)?;
        // The usual stamp has no zone: the host keeps UTC, as servers do.
        let mut command = Command::new("env");
        command.args(["TZ=UTC", "haproxy", "-db", "-f"]).arg(path);
        Ok(command)
    }

    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        crate::lab::haproxy::Haproxy.logged_status(line, ask)
    }

    fn tells_retry(&self, line: &[u8]) -> bool {
        let line = String::from_utf8_lossy(line);
        let retries = line.split(" retries=").nth(1);
        retries.is_some_and(|retries| !retries.starts_with("0 "))
    }
}

/// `2026-11-24T12:00:00.123456+00:00 ...`, HAProxy's format `iso`, which has nothing else before the message: host and
/// program are put in, as rsyslog does.
fn split_iso(line: &str) -> Option<(String, &str)> {
    let (stamp, message) = line.split_once(' ')?;
    Some((format!("{stamp} lb-01 haproxy[2211]: "), message))
}

fn config(site: &Site<'_>) -> String {
    let setup = site.setup;
    let dir = site.dir.display();
    let mut text = format!(
        "global\nlog {dir}/log.sock len 65535 format iso local0\nnbthread 1\nmaxconn 2000\n"
    );
    if is_root() {
        text += "user haproxy\ngroup haproxy\n";
    }
    let limit = setup.real_timeout().as_millis();
    // A connection is given up sooner than an answer.
    let connect = limit.min(150);
    let retries = if setup.retry { 2 } else { 0 };
    write!(
        text,
        "defaults\nmode http\nlog global\noption dontlognull\noption forwardfor\n\
         timeout client 50s\ntimeout http-request 10s\ntimeout connect {connect}ms\n\
         timeout server {limit}ms\ntimeout queue 150ms\ntimeout check 1h\nretries {retries}\n"
    )
    .ok();
    for status in [400, 403, 408, 500, 502, 503, 504] {
        writeln!(text, "errorfile {status} /etc/haproxy/errors/{status}.http").ok();
    }
    if setup.retry {
        text += "option redispatch\nretry-on conn-failure\n";
    }
    text += setup.own.all;
    text += if setup.keepalive {
        "option http-keep-alive\nhttp-reuse always\n"
    } else {
        "http-reuse never\noption httpclose\n"
    };
    if setup.upstream == Upstream::UnresolvedName {
        text += "resolvers internal\nnameserver dns1 127.0.0.1:1\nresolve_retries 2\ntimeout retry 100ms\nhold valid 1s\n";
    }
    if setup.upstream == Upstream::FastCgi {
        text += "fcgi-app php\ndocroot /var/www/html\nindex index.php\n";
    }
    text += &frontend(site);
    text += &backend("be_app", setup);
    text + &backend("be_static", setup)
}

/// Whether checks can empty the pool: such a site has a page for that.
fn is_checked(setup: &Setup) -> bool {
    setup.own.server.contains(" check")
}

fn frontend(site: &Site<'_>) -> String {
    let formats: Vec<&str> = LAYOUTS.iter().map(|layout| layout.format).collect();
    let mut text = format!(
        "frontend www-in\nbind {}\nhttp-request set-src hdr(x-forwarded-for)\n\
         capture request header User-Agent len 256\ncapture response header Server len 20\nlog-format '{}'\n",
        site.listen,
        formats.join(SEPARATOR)
    );
    match site.setup.rule {
        Rule::RateLimit(status) => {
            writeln!(
                text,
                "http-request track-sc0 src table per_client\n\
                 http-request return status {status} content-type text/plain string \"Slow down\" hdr Retry-After 1 if {{ sc_http_req_rate(0) gt 2 }}"
            )
            .ok();
        }
        Rule::Maintenance => text += "http-request deny deny_status 503\n",
        _ => (),
    }
    text += site.setup.own.front;
    if is_checked(site.setup) {
        text += "use_backend be_sorry if { nbsrv(be_app) lt 1 }\n";
    }
    text += "use_backend be_static if { path_beg /static/ }\ndefault_backend be_app\n";
    if is_checked(site.setup) {
        text += "backend be_sorry\nhttp-request return status 503 content-type text/html string '<h1>Back soon</h1>'\n";
    }
    if matches!(site.setup.rule, Rule::RateLimit(_)) {
        text += "backend per_client\nstick-table type ipv6 size 1k expire 10s store http_req_rate(100ms)\n";
    }
    text
}

fn backend(name: &str, setup: &Setup) -> String {
    let mut text = format!("backend {name}\nbalance leastconn\n{}", setup.own.back);
    let mut options = match setup.upstream {
        Upstream::Http | Upstream::BadTarget => String::new(),
        Upstream::Protocol(_) => " proto h2".to_owned(),
        Upstream::Tls => " ssl verify none".to_owned(),
        Upstream::TlsVerified => format!(
            " ssl verify required ca-file {} verifyhost shop.example sni req.hdr(host)",
            setup.trusted.display()
        ),
        Upstream::FastCgi => {
            text += "use-fcgi-app php\n";
            " proto fcgi".to_owned()
        }
        Upstream::UnresolvedName => {
            text += "server web01 app.shop.internal:8080 resolvers internal init-addr none check inter 300ms\n";
            String::new()
        }
    };
    if setup.eject && setup.retry {
        options += " check inter 1m fall 3 rise 2";
    }
    let is_tracking = name == "be_static" && is_checked(setup);
    for (number, member) in setup.members.iter().enumerate() {
        let address = match &member.address {
            Address::Tcp(address) => address.to_string(),
            Address::Unix(path) => format!("unix@{}", path.display()),
        };
        let down = if member.down { " disabled" } else { "" };
        let number = number + 1;
        if is_tracking {
            writeln!(
                text,
                "server web{number:02} {address} track be_app/web{number:02}"
            )
            .ok();
        } else {
            writeln!(
                text,
                "server web{number:02} {address} weight 10{options}{}{down}",
                setup.own.server
            )
            .ok();
        }
    }
    text
}
