//! Varnish in the lab: the Debian package, with varnishncsa for each layout and varnishlog beside it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::origin::Address;
use super::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream, is_root, version_of};

/// Varnish, as installed.
pub(crate) struct Varnish;

const LAYOUTS: [Layout; 3] = [
    Layout {
        name: "ncsa",
        format: r#"%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i""#,
    },
    Layout {
        name: "rich",
        format: r#"%h %l %u %t "%m http://%{Host}i%U %H" %s %b "-" "%{User-agent}i" reason="%{VSL:RespReason}x" handling=%{Varnish:handling}x hitmiss=%{Varnish:hitmiss}x ttfb=%{Varnish:time_firstbyte}x duration_us=%D vxid=%{Varnish:vxid}x retry_after="%{Retry-After}o""#,
    },
    Layout {
        name: "json",
        format: r#"{"time":"%{%Y-%m-%dT%H:%M:%S%z}t","client":"%h","request":"%r","status":%s,"bytes":%b,"agent":"%{User-agent}i","reason":"%{VSL:RespReason}x","handling":"%{Varnish:handling}x","vxid":%{Varnish:vxid}x,"duration_us":%D}"#,
    },
];

/// What of the transactions is written as error log: those in which something went wrong.
const QUERY: &str = "FetchError or Error or VCL_Error or BerespStatus >= 500";

/// Time for the probes to see that a member went or came.
const PROBED: Duration = Duration::from_millis(900);

impl Proxy for Varnish {
    fn name(&self) -> &'static str {
        "varnish"
    }

    fn version(&self) -> Result<String> {
        let version = version_of("varnishd", "-V", "varnish")?;
        Ok(version.trim_end_matches('.').to_owned())
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn timers_follow_clock(&self) -> bool {
        false
    }

    fn can(&self, setup: &Setup) -> bool {
        setup.upstream == Upstream::Http
            && !setup.members.iter().any(|member| member.down)
            && !matches!(setup.rule, Rule::RateLimit(_) | Rule::RewriteLoop)
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        std::fs::write(site.dir.join("shop.vcl"), vcl(site.setup))
            .context("cannot write shop.vcl")?;
        let path = site.dir.join("run");
        std::fs::write(&path, script(site)).context("cannot write the script")?;
        let mut command = Command::new("sh");
        command.arg(path);
        Ok(command)
    }

    fn started_says(&self) -> Option<&'static str> {
        None
    }

    fn is_ready(&self, dir: &Path) -> bool {
        let readers = LAYOUTS.iter().map(|layout| layout.name).chain(["error"]);
        readers
            .map(|name| dir.join(format!("{name}.pid")))
            .all(|path| reads(&path))
    }

    fn echo_says(&self) -> &'static str {
        "returned no backend"
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        // It notices a client that left only when it has an answer for it.
        &[503, 200]
    }

    fn takes_proxy_protocol(&self) -> bool {
        true
    }

    fn logged_target(&self, target: &str) -> String {
        format!("http://shop.example{target}")
    }

    fn error_lag(&self) -> Duration {
        Duration::from_millis(70)
    }

    fn ejects_after(&self) -> Duration {
        PROBED
    }
}

/// Whether the reader that wrote its pid there has found the log: what is logged before that it does not show.
fn reads(pid: &Path) -> bool {
    let id = std::fs::read_to_string(pid).unwrap_or_default();
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", id.trim())).unwrap_or_default();
    maps.contains("/_.Log.")
}

/// Runs varnishd, with the C library's allocator (jemalloc asks for the time before libfaketime can answer), and its
/// readers, and ends them together. The readers keep to real time: what they write carries
/// varnishd's stamps.
fn script(site: &Site<'_>) -> String {
    let dir = site.dir.display();
    let jail = if is_root() { "unix" } else { "none" };
    let mut text = format!(
        "LD_PRELOAD=\"$LD_PRELOAD libc.so.6\" varnishd -F -n {dir}/v -f {dir}/shop.vcl -a {},PROXY -s malloc,32m -j {jail} \
         -p default_ttl=5 -p default_grace=0 -p thread_pools=1 -p thread_pool_min=20 -p feature=+http2 &\n\
         all=$!\ntrap 'kill $all 2>/dev/null; sleep 0.5; kill -9 $all 2>/dev/null' TERM\n\
         until grep -q Log {dir}/v/_.vsm_child/_.index 2>/dev/null; do sleep 0.02; done\n\
         reader() {{ env -u LD_PRELOAD \"$@\" & all=\"$! $all\"; }}\n",
        site.listen
    );
    for layout in &LAYOUTS {
        let name = layout.name;
        writeln!(
            text,
            "reader varnishncsa -n {dir}/v -t 10 -P {dir}/{name}.pid -w {dir}/{name}.log -F '{}'",
            layout.format
        )
        .ok();
    }
    let group = if site.setup.log_ids { "raw" } else { "vxid" };
    // No query with -g raw, where each line stands for itself.
    let query = if site.setup.log_ids {
        String::new()
    } else {
        format!("-q '{QUERY}'")
    };
    write!(
        text,
        "reader varnishlog -n {dir}/v -t 10 -P {dir}/error.pid -A -w {dir}/error.log -b -g {group} {query}\n\
         wait\nwait\n"
    )
    .ok();
    text
}

fn vcl(setup: &Setup) -> String {
    let mut text = "vcl 4.1;\nimport directors;\n".to_owned();
    let secs = setup.timeout.as_secs().max(1);
    let probed = setup.members.len() > 1 && setup.eject && !setup.last_resort;
    for (number, member) in setup.members.iter().enumerate() {
        let address = match &member.address {
            Address::Tcp(address) => {
                format!(
                    ".host = \"{}\"; .port = \"{}\";",
                    address.ip(),
                    address.port()
                )
            }
            Address::Unix(path) => format!(".path = \"{}\";", path.display()),
        };
        let busy = if setup.rule == Rule::FewConnections {
            ".max_connections = 3;"
        } else {
            ""
        };
        let probe = if probed {
            ".probe = { .url = \"/probe\"; .interval = 200ms; .timeout = 150ms; .window = 3; .threshold = 2; .initial = 2; }"
        } else {
            ""
        };
        writeln!(
            text,
            "backend app{number} {{ {address} .connect_timeout = {secs}s; .first_byte_timeout = {secs}s; \
             .between_bytes_timeout = {secs}s; {busy} {probe} }}"
        )
        .ok();
    }
    if setup.members.is_empty() {
        text += "backend app0 none;\n";
    }
    text += "sub vcl_init {\n";
    if setup.members.len() > 1 {
        text += "new pool = directors.round_robin();\n";
        for number in 0..setup.members.len() {
            writeln!(text, "pool.add_backend(app{number});").ok();
        }
    }
    text += "return (ok);\n}\nsub vcl_recv {\n";
    if setup.rule == Rule::Maintenance {
        text += "return (synth(503, \"Back soon\"));\n";
    }
    if setup.rule == Rule::FewConnections {
        // Requests for one page would wait for the first of them.
        text += "return (pass);\n";
    }
    if setup.members.len() > 1 {
        text += "set req.backend_hint = pool.backend();\n";
    }
    text += "}\nsub vcl_synth { set resp.http.Retry-After = \"900\"; }\n";
    if setup.retry && setup.members.len() > 1 {
        text += "sub vcl_backend_error { if (bereq.retries < 1) { return (retry); } }\n";
    }
    if !setup.keepalive {
        text += "sub vcl_backend_fetch { set bereq.http.Connection = \"close\"; }\n";
    }
    text
}
