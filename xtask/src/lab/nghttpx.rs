//! nghttpx in the lab: the Debian package, one worker, two layouts of access log from one run.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::origin::Address;
use super::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream, is_root, version_of};
use super::split;

/// nghttpx, as installed.
pub(crate) struct Nghttpx;

const LAYOUTS: [Layout; 2] = [
    Layout {
        name: "default",
        format: r#"$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
    },
    Layout {
        name: "rich",
        format: r#"$remote_addr - - [$time_local] "$method $path_without_query $protocol_version" $status $body_bytes_sent "-" "$http_user_agent" host=$http_host rt=$request_time backend_host=$backend_host backend_port=$backend_port"#,
    },
];

impl Proxy for Nghttpx {
    fn name(&self) -> &'static str {
        "nghttpx"
    }

    fn version(&self) -> Result<String> {
        version_of("nghttpx", "-v", "nghttp2-proxy")
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn timers_follow_clock(&self) -> bool {
        true
    }

    fn can(&self, setup: &Setup) -> bool {
        matches!(
            setup.upstream,
            Upstream::Http | Upstream::Tls | Upstream::TlsVerified
        ) && matches!(setup.rule, Rule::None)
            && setup.retry
            && setup.last_resort
            && !setup.members.is_empty()
            && !setup.members.iter().any(|member| member.down)
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let script = split::script(site.dir, &LAYOUTS)?;
        split::empty(&site.dir.join("error.log"))?;
        let path = site.dir.join("nghttpx.conf");
        std::fs::write(&path, config(site)).context("cannot write nghttpx.conf")?;
        let mut command = Command::new("bash");
        // The process stays the one that was started: the shell becomes nghttpx, with the splitter on descriptor 9. The C
        // libraries' memory goes before jemalloc's, which looks at the clock before there is one.
        command.arg("-c").arg(format!(
            "LD_PRELOAD=\"$LD_PRELOAD:libc.so.6:libstdc++.so.6\" exec nghttpx --conf={} 9> >(exec {})",
            path.display(),
            script.display()
        ));
        Ok(command)
    }

    fn started_says(&self) -> Option<&'static str> {
        None
    }

    fn echo_says(&self) -> &'static str {
        ""
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        &[200, 502, 504]
    }

    fn wants_waking(&self) -> bool {
        true
    }

    fn takes_proxy_protocol(&self) -> bool {
        true
    }
}

fn config(site: &Site<'_>) -> String {
    let dir = site.dir.display();
    let setup = site.setup;
    let mut text = String::new();
    if is_root() {
        text += "user=www-data\n";
    }
    let secs = setup.timeout.as_secs();
    write!(
        text,
        "frontend={},{};no-tls;proxyproto\nworkers=1\nerrorlog-file={dir}/error.log\n\
         accesslog-file=/dev/fd/9\naccesslog-format={}\nlog-level=NOTICE\n\
         backend-connect-timeout={secs}s\nbackend-read-timeout={secs}s\n\
         backend-write-timeout={secs}s\nbackend-max-backoff=5s\nbackend-response-buffer=16K\n",
        site.listen.ip(),
        site.listen.port(),
        split::joined(&LAYOUTS, "[$time_local]"),
    )
    .ok();
    let tls = match setup.upstream {
        Upstream::Tls => {
            text += "insecure=yes\n";
            ";tls;sni=shop.example"
        }
        Upstream::TlsVerified => {
            writeln!(text, "cacert={}", setup.trusted.display()).ok();
            ";tls;sni=shop.example"
        }
        _ => "",
    };
    if !setup.keepalive {
        text += "backend-keep-alive-timeout=0s\n";
    }
    for member in &setup.members {
        let address = match &member.address {
            Address::Tcp(address) if address.is_ipv6() => {
                format!("{},{}", address.ip(), address.port())
            }
            Address::Tcp(address) => format!("{},{}", address.ip(), address.port()),
            Address::Unix(path) => format!("unix:{}", path.display()),
        };
        writeln!(text, "backend={address};;proto=http/1.1{tls}").ok();
    }
    text
}
