//! HAProxy in the lab: the Debian package, four layouts of access log from one run, and its event lines.
//!
//! HAProxy writes one line for a request, to a syslog server. The lab's own server takes it: the line holds all layouts
//! one behind another, each as HAProxy itself makes it, and is taken apart here. Lines without a separator are events,
//! which go to the error log with the header that a syslog daemon gives them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::origin::Address;
use super::proxy::{
    Layout, Proxy, Rule, Setup, Site, Upstream, after_request, is_root, version_of,
};
use super::traffic::Ask;

/// HAProxy, as installed.
pub(crate) struct Haproxy;

/// `clf` comes first: it has the status behind the request.
const LAYOUTS: [Layout; 4] = [
    Layout {
        name: "clf",
        format: r#"%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl"#,
    },
    Layout {
        name: "http",
        format: r#"%{-Q}o %ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"#,
    },
    Layout {
        name: "rich",
        format: RICH,
    },
    Layout {
        name: "json",
        format: r#"{"time":"%trl","client_ip":"%ci","backend":"%b","server":"%s","Tw":%Tw,"Tc":%Tc,"Tr":%Tr,"Ta":%Ta,"status":%ST,"bytes":%B,"termination_state":"%tsc","retries":"%rc","method":"%HM","path":"%HPO","http_version":"%HV","host":"%[capture.req.hdr(0),json(utf8s)]","user_agent":"%[capture.req.hdr(1),json(utf8s)]","bc_err":"%[bc_err_str]"}"#,
    },
];

/// Parts one layout from the next; HAProxy writes what a client sends without control bytes.
pub(super) const SEPARATOR: &str = " @@@ ";
/// Longest life of the collector: bounds a recording that went wrong.
const COLLECTED_MAX: Duration = Duration::from_secs(600);
/// The host in the headers of the event lines.
const HOST: &str = "edge1";

/// The layout of `facts/edges/haproxy.toml`, with the address as it is.
const RICH: &str = r#"%{-Q}o %ci - - [%trl] "%HM %HPO %HV" %ST %B "-" %{+Q,+E}[capture.req.hdr(1)] host=%[capture.req.hdr(0)] srv=%b/%s tw=%Tw tc=%Tc tr=%Tr ta=%Ta ts=%tsc rc=%rc rule=%[last_rule_line] bc_err="%[bc_err_str]" ssl_bc_err="%[ssl_bc_err_str]""#;

impl Proxy for Haproxy {
    fn name(&self) -> &'static str {
        "haproxy"
    }

    fn version(&self) -> Result<String> {
        version_of("haproxy", "-v", "haproxy")
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    /// It takes a jump of the wall clock for what it is.
    fn zone(&self) -> &'static str {
        "+00:00"
    }

    fn timers_follow_clock(&self) -> bool {
        false
    }

    fn can(&self, setup: &Setup) -> bool {
        matches!(
            setup.rule,
            Rule::None | Rule::RateLimit(_) | Rule::Maintenance
        ) && !matches!(setup.upstream, Upstream::BadTarget | Upstream::Protocol(_))
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let path = site.dir.join("haproxy.cfg");
        std::fs::write(&path, config(site)).context("cannot write haproxy.cfg")?;
        collect(site, &LAYOUTS, split_bsd)?;
        // The usual stamp has no zone: the host keeps UTC, as servers do.
        let mut command = Command::new("env");
        command.args(["TZ=UTC", "haproxy", "-db", "-f"]).arg(path);
        Ok(command)
    }

    fn started_says(&self) -> Option<&'static str> {
        None
    }

    fn echo_says(&self) -> &'static str {
        "has no server available!"
    }

    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        let line = String::from_utf8_lossy(line);
        let request = |site: &str| format!("{} {site}{}", ask.method, ask.target);
        // The whole URL where the client spoke HTTP/2.
        let rest = after_request(&line, &request("http://shop.example"))
            .or_else(|_| after_request(&line, &request("")))?;
        let status = rest.split(' ').next().unwrap_or_default();
        // No answer was made.
        let status = status.strip_prefix("-1").map_or(status, |_| "0");
        status
            .parse()
            .with_context(|| format!("logged status {status}"))
    }

    fn errors_name_requests(&self) -> bool {
        false
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        &[0, 200, 400, 502, 503, 504]
    }

    /// The third number from the end of those behind the server's name: five timers, the state, seven counters.
    fn tells_retry(&self, line: &[u8]) -> bool {
        let line = String::from_utf8_lossy(line);
        let part = line
            .split('"')
            .find(|part| part.split_whitespace().count() == 13);
        let retries = part.and_then(|part| part.split_whitespace().nth_back(2));
        retries.is_some_and(|retries| retries != "0")
    }
}

fn config(site: &Site<'_>) -> String {
    let setup = site.setup;
    let dir = site.dir.display();
    let mut text =
        format!("global\nlog {dir}/log.sock len 65535 format rfc3164 local0\nnbthread 1\n");
    if is_root() {
        text += "user haproxy\ngroup haproxy\n";
    }
    let limit = setup.real_timeout().as_millis();
    let connect = limit.min(200);
    let retries = if setup.retry { 3 } else { 0 };
    write!(
        text,
        "defaults\nmode http\nlog global\noption dontlognull\ntimeout client 30s\ntimeout connect {connect}ms\n\
         timeout server {limit}ms\ntimeout queue 200ms\ntimeout check 1h\nretries {retries}\n"
    )
    .ok();
    if setup.retry {
        text += "option redispatch 1\n";
    }
    text += setup.own.all;
    text += if setup.keepalive {
        "http-reuse always\n"
    } else {
        "http-reuse never\noption http-server-close\n"
    };
    if setup.upstream == Upstream::UnresolvedName {
        let resolver = setup.resolver;
        writeln!(
            text,
            "resolvers names\nnameserver one {resolver}\ntimeout retry 100ms\nhold valid 1s"
        )
        .ok();
    }
    if setup.upstream == Upstream::FastCgi {
        text += "fcgi-app shop\ndocroot /srv/shop\nindex index.php\n";
    }
    text += &frontend(site);
    text + &backend(setup)
}

fn frontend(site: &Site<'_>) -> String {
    let formats: Vec<&str> = LAYOUTS.iter().map(|layout| layout.format).collect();
    let mut text = format!(
        "frontend shop\nbind {}\nhttp-request set-src hdr(x-forwarded-for)\ncapture request header Host len 64\n\
         capture request header User-Agent len 512\nlog-format '{}'\n",
        site.listen,
        formats.join(SEPARATOR)
    );
    match site.setup.rule {
        Rule::RateLimit(status) => {
            writeln!(
                text,
                "stick-table type ipv6 size 1k expire 10s store http_req_rate(100ms)\nhttp-request track-sc0 src\n\
                 http-request deny deny_status {status} if {{ sc_http_req_rate(0) gt 2 }}"
            )
            .ok();
        }
        Rule::Maintenance => {
            text += "http-request return status 503 content-type text/html string '<!doctype html><p>Back soon' hdr Retry-After 900\n";
        }
        _ => (),
    }
    text += site.setup.own.front;
    text + "default_backend shop_backend\n"
}

fn backend(setup: &Setup) -> String {
    let mut text = format!("backend shop_backend\n{}", setup.own.back);
    let mut options = match setup.upstream {
        Upstream::Http | Upstream::BadTarget | Upstream::Protocol(_) => String::new(),
        Upstream::Tls => " ssl verify none".to_owned(),
        Upstream::TlsVerified => format!(
            " ssl verify required ca-file {} sni str(shop.example)",
            setup.trusted.display()
        ),
        Upstream::FastCgi => {
            text += "use-fcgi-app shop\n";
            " proto fcgi".to_owned()
        }
        Upstream::UnresolvedName => {
            text += "server app1 app.shop.internal:8080 resolvers names init-addr none check inter 300ms\n";
            String::new()
        }
    };
    if setup.eject && setup.retry {
        // Checks follow the real time: on a busy machine a short interval would take a member out, which is for the
        // recordings that set their own.
        options += " check inter 1m fall 3 rise 2";
    }
    options += setup.own.server;
    for (number, member) in setup.members.iter().enumerate() {
        let address = match &member.address {
            Address::Tcp(address) => address.to_string(),
            Address::Unix(path) => format!("unix@{}", path.display()),
        };
        let down = if member.down { " disabled" } else { "" };
        writeln!(text, "server app{} {address}{options}{down}", number + 1).ok();
    }
    text
}

/// Takes a line apart: the header that a syslog daemon writes before it, and what HAProxy says.
pub(super) type Header = fn(&str) -> Option<(String, &str)>;

/// Takes lines until the recording's folder is gone. The header stands before the layouts that are HAProxy's own.
pub(super) fn collect(site: &Site<'_>, layouts: &'static [Layout], header: Header) -> Result<()> {
    let names: Vec<PathBuf> = layouts
        .iter()
        .map(|layout| layout.name)
        .chain(["error"])
        .map(|name| site.dir.join(format!("{name}.log")))
        .collect();
    let mut files = Vec::new();
    for path in names {
        files.push(std::fs::File::create(path)?);
    }
    let errors = files.pop().context("no error log")?;
    let path = site.dir.join("log.sock");
    let socket = UnixDatagram::bind(&path).context("cannot listen for lines")?;
    allow_all(&path)?;
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    let until = Instant::now() + COLLECTED_MAX;
    std::thread::spawn(move || {
        let mut line = vec![0; 1 << 16];
        while path.exists() && Instant::now() < until {
            if let Ok(len) = socket.recv(&mut line) {
                let line = line.get(..len).unwrap_or_default();
                write_line(line, layouts, header, &files, &errors).ok();
            }
        }
    });
    Ok(())
}

/// A request to each of its layouts, an event to the error log.
fn write_line(
    line: &[u8],
    layouts: &[Layout],
    header: Header,
    files: &[std::fs::File],
    mut errors: &std::fs::File,
) -> Result<()> {
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end_matches(['\n', '\0']);
    let (header, message) = header(line).context("no header")?;
    if !message.contains(SEPARATOR) {
        writeln!(errors, "{header}{message}")?;
        return Ok(());
    }
    let mut parts: Vec<(usize, &str)> = message.split(SEPARATOR).enumerate().collect();
    // The first layout is waited for: it comes last.
    parts.reverse();
    for (number, part) in parts {
        let Some(mut file) = files.get(number) else {
            continue;
        };
        let header = if layouts[number].name.starts_with("http") {
            header.as_str()
        } else {
            ""
        };
        writeln!(file, "{header}{part}")?;
    }
    Ok(())
}

/// `<134>Nov 24 13:00:00 haproxy[1]: ...`: as a syslog daemon does, the priority is left out and the host put in.
fn split_bsd(line: &str) -> Option<(String, &str)> {
    let (_, line) = line.split_once('>')?;
    let (stamp, rest) = line.split_at_checked(16)?;
    let (_, message) = rest.split_once("]: ")?;
    Some((format!("{stamp}{HOST} haproxy[714]: "), message))
}

fn allow_all(path: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(
        path,
        std::fs::Permissions::from_mode(0o666),
    )?)
}
