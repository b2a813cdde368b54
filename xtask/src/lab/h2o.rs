//! H2O in the lab: the Debian package, one thread, three layouts of access log from one run.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::origin::Address;
use super::proxy::{Layout, Member, Proxy, Rule, Setup, Site, Upstream, is_root, version_of};

/// H2O, as installed.
pub(crate) struct H2o;

const LAYOUTS: [Layout; 3] = [
    Layout {
        name: "combined",
        format: r#"%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i""#,
    },
    Layout {
        name: "rich",
        format: r#"%h - - %t "%m %U %H" %s %b "-" "%{User-agent}i" host=%V h2o_error="%{error}x" rt=%{duration}x retry_after="%{Retry-After}o""#,
    },
    Layout {
        name: "json",
        format: r#"{"time":"%{%Y-%m-%dT%H:%M:%S%z}t","client":"%h","request":"%r","status":%s,"bytes":%b,"agent":"%{User-agent}i","host":"%V","error":"%{error}x","duration":%{duration}x}"#,
    },
];

impl Proxy for H2o {
    fn name(&self) -> &'static str {
        "h2o"
    }

    fn version(&self) -> Result<String> {
        version_of("h2o", "-v", "h2o")
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn timers_follow_clock(&self) -> bool {
        true
    }

    fn notices_hangup(&self) -> bool {
        false
    }

    fn can(&self, setup: &Setup) -> bool {
        // Version 2.2 knows no pools.
        (setup.members.len() == 1 || setup.upstream == Upstream::UnresolvedName)
            && matches!(setup.rule, Rule::None | Rule::Maintenance)
            && !matches!(setup.upstream, Upstream::BadTarget | Upstream::Protocol(_))
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let path = site.dir.join("h2o.conf");
        std::fs::write(&path, config(site)).context("cannot write h2o.conf")?;
        // It opens its logs as the user it becomes.
        let mut command = Command::new("h2o");
        command.arg("-m").arg("worker").arg("-c").arg(path);
        Ok(command)
    }

    fn started_says(&self) -> Option<&'static str> {
        None
    }

    fn is_ready(&self, dir: &Path) -> bool {
        let mut logs = LAYOUTS.iter().map(|layout| layout.name).chain(["error"]);
        logs.all(|name| dir.join(format!("{name}.log")).exists())
    }

    fn echo_says(&self) -> &'static str {
        "refused stream"
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        &[502, 200, 0]
    }

    fn takes_proxy_protocol(&self) -> bool {
        true
    }
}

fn config(site: &Site<'_>) -> String {
    let dir = site.dir.display();
    let mut text = String::new();
    if is_root() {
        text += "user: www-data\n";
    }
    let millis = site.setup.timeout.as_millis();
    // Two seconds are its default. Without kept connections it would speak no TLS.
    let keep = if site.setup.keepalive {
        3_600_000
    } else {
        2_000
    };
    write!(
        text,
        "num-threads: 1\nerror-log: {dir}/error.log\nproxy.preserve-host: ON\n\
         proxy.timeout.io: {millis}\nproxy.timeout.keepalive: {keep}\nlimit-request-body: 33554432\n"
    )
    .ok();
    if matches!(site.setup.upstream, Upstream::Tls | Upstream::TlsVerified) {
        let verify = if site.setup.upstream == Upstream::TlsVerified {
            "ON"
        } else {
            "OFF"
        };
        writeln!(
            text,
            "proxy.ssl.verify-peer: {verify}\nproxy.ssl.cafile: {}",
            site.setup.trusted.display()
        )
        .ok();
    }
    write!(
        text,
        "listen: {{ host: {}, port: {}, proxy-protocol: ON }}\nhosts:\n  default:\n    paths:\n      /:\n",
        site.listen.ip(),
        site.listen.port()
    )
    .ok();
    text += &handler(site.setup);
    // One log a level: those of the levels above are written, too.
    for (layout, indent) in LAYOUTS.iter().zip([8, 4, 0]) {
        let at = " ".repeat(indent);
        let format = layout.format.replace('\'', "''");
        write!(
            text,
            "{at}access-log:\n{at}  path: {dir}/{}.log\n{at}  format: '{format}'\n",
            layout.name
        )
        .ok();
        if layout.name == "json" {
            writeln!(text, "{at}  escape: json").ok();
        }
    }
    text
}

fn handler(setup: &Setup) -> String {
    if setup.rule == Rule::Maintenance {
        return "        mruby.handler: |\n          Proc.new { |env| [503, {\"retry-after\" => \"900\"}, [\"Back soon\"]] }\n"
            .to_owned();
    }
    let address = |member: &Member| match &member.address {
        Address::Tcp(address) => address.to_string(),
        Address::Unix(path) => format!("[unix:{}]", path.display()),
    };
    let first = setup.members.first().map(address).unwrap_or_default();
    match setup.upstream {
        Upstream::Http => format!("        proxy.reverse.url: \"http://{first}/\"\n"),
        Upstream::Tls | Upstream::TlsVerified => {
            format!("        proxy.reverse.url: \"https://{first}/\"\n")
        }
        Upstream::FastCgi => {
            let (host, port) = first.rsplit_once(':').unwrap_or_default();
            format!("        fastcgi.connect: {{ host: {host}, port: {port}, type: tcp }}\n")
        }
        Upstream::UnresolvedName | Upstream::BadTarget | Upstream::Protocol(_) => {
            "        proxy.reverse.url: \"http://app.shop.invalid:8080/\"\n".to_owned()
        }
    }
}
