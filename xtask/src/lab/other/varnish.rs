//! A second Varnish site: nothing is cached, named backends, a page of its own for failed fetches, four other layouts (one
//! from the backend's side) and a varnishlog that keeps client and backend side of a request together.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::lab::origin::Address;
use crate::lab::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream, is_root};
use crate::lab::varnish::Varnish;

/// Varnish, as installed.
pub(crate) struct VarnishOther;

const LAYOUTS: [Layout; 4] = [
    // The most copied one from guides: the default with the forwarded client in front.
    Layout {
        name: "forwarded",
        format: r#"%{X-Forwarded-For}i %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i""#,
    },
    Layout {
        name: "ecs",
        format: r#"{"@timestamp":"%{%Y-%m-%dT%H:%M:%S%z}t","source":{"ip":"%h"},"http":{"request":{"method":"%m","referrer":"%{Referer}i"},"response":{"status_code":%s,"bytes":%O},"version":"%H"},"url":{"domain":"%{Host}i","path":"%U","query":"%q"},"user_agent":{"original":"%{User-agent}i"},"event":{"duration":%D},"varnish":{"handling":"%{Varnish:handling}x","reason":"%{VSL:RespReason}x","backend":"%{VCL_Log:backend}x"}}"#,
    },
    Layout {
        name: "labelled",
        format: r#"time=%{%Y-%m-%dT%H:%M:%S%z}t ip=%h vhost=%{Host}i method=%m uri="%U%q" proto=%H code=%s size=%b cache=%{Varnish:hitmiss}x/%{Varnish:handling}x backend=%{VCL_Log:backend}x reason="%{VSL:RespReason}x" ttfb=%{Varnish:time_firstbyte}x us=%D ua="%{User-agent}i""#,
    },
    // From the backend's side (varnishncsa -b), with what the fetch said.
    Layout {
        name: "backend",
        format: r#"%{X-Forwarded-For}i - - %t "%r" %s %b "%{Referer}i" "%{User-agent}i" %{VSL:BackendOpen[2]}x %{Varnish:time_firstbyte}x "%{VSL:FetchError}x""#,
    },
];

/// What of the transactions is written as error log.
const QUERY: &str = "RespStatus >= 500 or BerespStatus >= 500 or FetchError";

/// The tags that this site keeps.
const TAGS: &str = "Begin,End,Link,ReqStart,ReqMethod,ReqURL,RespStatus,RespReason,Timestamp,Hit,BereqMethod,BereqURL,\
    BackendOpen,BackendReuse,BackendClose,FetchError,Error,VCL_Error,VCL_return,BerespStatus,BerespReason,Length";

impl Proxy for VarnishOther {
    behaves_like!((Varnish) => version, timers_follow_clock, started_says, echo_says, takes_proxy_protocol);

    fn name(&self) -> &'static str {
        "varnish-other"
    }

    fn edge(&self) -> &'static str {
        "varnish"
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn can(&self, setup: &Setup) -> bool {
        setup.upstream == Upstream::Http
            && matches!(
                setup.rule,
                Rule::None | Rule::Maintenance | Rule::FewConnections
            )
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        std::fs::write(site.dir.join("default.vcl"), vcl(site.setup))
            .context("cannot write default.vcl")?;
        let path = site.dir.join("run");
        std::fs::write(&path, script(site)).context("cannot write the script")?;
        let mut command = Command::new("sh");
        command.arg(path);
        Ok(command)
    }

    fn is_ready(&self, dir: &Path) -> bool {
        let readers = LAYOUTS.iter().map(|layout| layout.name).chain(["error"]);
        readers
            .map(|name| dir.join(format!("{name}.pid")))
            .all(|path| reads(&path))
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        Varnish.logs_unanswered_as()
    }

    fn logged_target(&self, target: &str) -> String {
        Varnish.logged_target(target)
    }

    fn error_lag(&self) -> Duration {
        Varnish.error_lag()
    }

    fn ejects_after(&self) -> Duration {
        Varnish.ejects_after()
    }
}

/// Whether the reader that wrote its pid there has found the log: what is logged before that it does not show.
fn reads(pid: &Path) -> bool {
    let id = std::fs::read_to_string(pid).unwrap_or_default();
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", id.trim())).unwrap_or_default();
    maps.contains("/_.Log.")
}

/// Runs varnishd and its readers and ends them together; why so: `lab::varnish`.
fn script(site: &Site<'_>) -> String {
    let dir = site.dir.display();
    let jail = if is_root() { "unix" } else { "none" };
    let mut text = format!(
        "LD_PRELOAD=\"$LD_PRELOAD libc.so.6\" varnishd -F -n {dir}/v -f {dir}/default.vcl -a {},PROXY -s malloc,32m -j {jail} \
         -p default_ttl=120 -p thread_pools=1 -p thread_pool_min=20 &\n\
         all=$!\ntrap 'kill $all 2>/dev/null; sleep 0.5; kill -9 $all 2>/dev/null' TERM\n\
         until grep -q Log {dir}/v/_.vsm_child/_.index 2>/dev/null; do sleep 0.02; done\n\
         reader() {{ env -u LD_PRELOAD \"$@\" & all=\"$! $all\"; }}\n",
        site.listen
    );
    for layout in &LAYOUTS {
        let name = layout.name;
        let options = match name {
            "backend" => "-b",
            "ecs" => "-c -j",
            _ => "-c",
        };
        writeln!(
            text,
            "reader varnishncsa -n {dir}/v -t 10 {options} -P {dir}/{name}.pid -w {dir}/{name}.log -F '{}'",
            layout.format
        )
        .ok();
    }
    write!(
        text,
        "reader varnishlog -n {dir}/v -t 10 -P {dir}/error.pid -A -w {dir}/error.log -g request -i {TAGS} -q '{QUERY}'\n\
         wait\nwait\n"
    )
    .ok();
    text
}

fn vcl(setup: &Setup) -> String {
    let mut text = "vcl 4.1;\nimport directors;\nimport std;\n".to_owned();
    let secs = setup.timeout.as_secs().max(1);
    let probed = setup.eject && !setup.last_resort;
    if probed {
        text += "probe alive { .url = \"/health\"; .interval = 200ms; .timeout = 150ms; .window = 4; .threshold = 3; .initial = 3; }\n";
    }
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
        let probe = if probed { ".probe = alive;" } else { "" };
        // Patience for the answer differs from that for the connection.
        writeln!(
            text,
            "backend web{} {{ {address} .connect_timeout = {secs}s; .first_byte_timeout = {}s; \
             .between_bytes_timeout = {}s; {busy} {probe} }}",
            number + 1,
            secs * 3 / 2,
            secs * 2,
        )
        .ok();
    }
    if setup.members.is_empty() {
        text += "backend web1 none;\n";
    }
    // Without probes a fallback director would hold on to a dead first member.
    let director = if probed {
        "fallback(sticky = false)"
    } else {
        "round_robin()"
    };
    let has_members = !setup.members.is_empty();
    if has_members {
        writeln!(text, "sub vcl_init {{\nnew farm = directors.{director};").ok();
        for number in 1..=setup.members.len() {
            writeln!(text, "farm.add_backend(web{number});").ok();
        }
        text += "}\n";
    }
    text += "sub vcl_recv {\nset req.http.X-Forwarded-For = client.ip;\n";
    if has_members {
        text += "set req.backend_hint = farm.backend();\n";
    }
    if setup.rule == Rule::Maintenance {
        text += "return (synth(503, \"Scheduled maintenance\"));\n";
    }
    text += "return (pass);\n}\n\
             sub vcl_synth {\nset resp.http.Retry-After = \"600\";\nset resp.http.Content-Type = \"text/html\";\n\
             set resp.body = \"<h1>Back soon</h1>\";\nreturn (deliver);\n}\n";
    if !setup.keepalive {
        text += "sub vcl_backend_fetch { set bereq.http.Connection = \"close\"; }\n";
    }
    text += "sub vcl_backend_error {\n";
    if setup.retry && setup.members.len() > 1 {
        text += "if (bereq.retries < 2) { return (retry); }\n";
    }
    text += "set beresp.http.Content-Type = \"text/html; charset=utf-8\";\n\
             set beresp.body = \"<h1>Our shop takes a short break</h1><p>Please come back in a minute.</p>\";\n\
             return (deliver);\n}\n\
             sub vcl_deliver { std.log(\"backend:\" + req.backend_hint); }\n";
    text
}
