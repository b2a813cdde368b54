//! A second nghttpx site: shop and API behind patterns, a server name of its own (which its error pages carry), other limits
//! for each phase, and layouts with its request times and backends under other names.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::lab::nghttpx::Nghttpx;
use crate::lab::origin::Address;
use crate::lab::proxy::{Layout, Proxy, Setup, Site, Upstream, is_root};
use crate::lab::split;

/// nghttpx, as installed.
pub(crate) struct NghttpxOther;

const LAYOUTS: [Layout; 2] = [
    Layout {
        name: "timed",
        format: r#"$remote_addr - $remote_port [$time_local] "$request" $status $body_bytes_sent $request_time "$http_user_agent""#,
    },
    Layout {
        name: "labelled",
        format: r#"time=$time_iso8601 client=$remote_addr host="$http_host" method=$method path="$path" proto=$protocol_version alpn=$alpn status=$status size=$body_bytes_sent took=$request_time upstream=$backend_host:$backend_port agent="$http_user_agent""#,
    },
];

impl Proxy for NghttpxOther {
    behaves_like!((Nghttpx) => version, timers_follow_clock, started_says, echo_says, wants_waking, takes_proxy_protocol);

    fn name(&self) -> &'static str {
        "nghttpx-other"
    }

    fn edge(&self) -> &'static str {
        "nghttpx"
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn can(&self, setup: &Setup) -> bool {
        Nghttpx.can(setup)
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let script = split::script(site.dir, &LAYOUTS)?;
        split::empty(&site.dir.join("error.log"))?;
        let path = site.dir.join("nghttpx.conf");
        std::fs::write(&path, config(site)).context("cannot write nghttpx.conf")?;
        let mut command = Command::new("bash");
        // Why so: `lab::nghttpx`.
        command.arg("-c").arg(format!(
            "LD_PRELOAD=\"$LD_PRELOAD:libc.so.6:libstdc++.so.6\" exec nghttpx --conf={} 9> >(exec {})",
            path.display(),
            script.display()
        ));
        Ok(command)
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        Nghttpx.logs_unanswered_as()
    }
}

fn config(site: &Site<'_>) -> String {
    let dir = site.dir.display();
    let setup = site.setup;
    let mut text = String::new();
    if is_root() {
        text += "user=www-data\n";
    }
    let connect = setup.timeout.as_secs().max(1);
    // Patience for the answer differs from that for the connection.
    let answer = connect * 3 / 2;
    write!(
        text,
        "frontend={},{};no-tls;proxyproto\nworkers=1\nerrorlog-file={dir}/error.log\n\
         accesslog-file=/dev/fd/9\naccesslog-format={}\nlog-level=WARN\nserver-name=shop-edge\nadd-x-forwarded-for=yes\n\
         strip-incoming-x-forwarded-for=yes\nadd-response-header=x-frame-options: DENY\n\
         backend-connect-timeout={connect}s\nbackend-read-timeout={answer}s\n\
         backend-write-timeout={answer}s\nbackend-max-backoff=3s\nbackend-response-buffer=8K\n",
        site.listen.ip(),
        site.listen.port(),
        split::joined(&LAYOUTS, "[$time_local]"),
    )
    .ok();
    text += if setup.keepalive {
        "backend-keep-alive-timeout=45s\n"
    } else {
        "backend-keep-alive-timeout=0s\n"
    };
    if setup.upstream == Upstream::Tls {
        text += "insecure=yes\n";
    }
    if setup.upstream == Upstream::TlsVerified {
        writeln!(text, "cacert={}", setup.trusted.display()).ok();
    }
    for pattern in ["/api/", "/"] {
        text += &pool(setup, pattern);
    }
    text
}

fn pool(setup: &Setup, pattern: &str) -> String {
    let mut text = String::new();
    let tls = match setup.upstream {
        Upstream::Tls | Upstream::TlsVerified => ";tls;sni=shop.example",
        _ => "",
    };
    let looked_after = if setup.eject { ";fall=2;rise=1" } else { "" };
    for member in &setup.members {
        let address = match &member.address {
            Address::Tcp(address) => format!("{},{}", address.ip(), address.port()),
            Address::Unix(path) => format!("unix:{}", path.display()),
        };
        writeln!(
            text,
            "backend={address};{pattern};proto=http/1.1{tls}{looked_after}"
        )
        .ok();
    }
    text
}
