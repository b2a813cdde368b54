//! Squid as accelerator in the lab: the Debian package, four layouts of access log from one run.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::origin::Address;
use super::proxy::{
    Layout, Proxy, Rule, Setup, Site, Upstream, after_request, is_root, version_of,
};
use super::traffic::Ask;

/// Squid, as installed.
pub(crate) struct Squid;

/// `combined` comes first: it has the request as one text.
const LAYOUTS: [Layout; 4] = [
    Layout {
        name: "combined",
        format: r#"%>a %[ui %[un [%tl] "%rm %ru HTTP/%rv" %>Hs %<st "%{Referer}>h" "%{User-Agent}>h" %Ss:%Sh"#,
    },
    Layout {
        name: "squid",
        format: "%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt",
    },
    Layout {
        name: "rich",
        format: r#"%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt error_code=%err_code error_detail=%err_detail origin_status=%<Hs upstream_bytes_received=%<bs upstream_http_content_length=%{Content-Length}<h transformed_from=%{X-Transformed-From}<h retry_after=%{Retry-After}<h "%{User-Agent}>h""#,
    },
    Layout {
        name: "json",
        format: r#"{"time":%ts.%03tu,"response_time":%tr,"client":"%>a","tag":"%Ss","status":%>Hs,"size":%<st,"method":"%rm","url":"%ru","hierarchy":"%Sh","peer":"%<a","err_code":"%err_code","err_detail":"%err_detail","origin_status":"%<Hs","body":"%<bs","content_length":"%{Content-Length}<h","user_agent":"%{User-Agent}>h"}"#,
    },
];

impl Proxy for Squid {
    fn name(&self) -> &'static str {
        "squid"
    }

    fn version(&self) -> Result<String> {
        version_of("squid", "-v", "squid")
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn timers_follow_clock(&self) -> bool {
        true
    }

    fn can(&self, setup: &Setup) -> bool {
        matches!(
            setup.rule,
            Rule::None | Rule::Maintenance | Rule::FewConnections
        ) && !matches!(
            setup.upstream,
            Upstream::FastCgi | Upstream::BadTarget | Upstream::Protocol(_)
        ) && !setup.members.iter().any(|member| member.down)
            && setup
                .members
                .iter()
                .all(|member| matches!(member.address, Address::Tcp(_)))
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        std::fs::write(site.dir.join("squid.conf"), config(site))
            .context("cannot write squid.conf")?;
        if is_root() {
            // Squid gives up root before it opens its logs.
            for name in LAYOUTS.iter().map(|layout| layout.name).chain(["error"]) {
                let path = site.dir.join(format!("{name}.log"));
                std::fs::write(&path, "")?;
                allow_all(&path)?;
            }
        }
        let mut command = Command::new("squid");
        // It logs the paths of its files: none of this machine.
        command
            .current_dir(site.dir)
            .args(["-N", "-n", "lab", "-f", "squid.conf"]);
        Ok(command)
    }

    fn started_says(&self) -> Option<&'static str> {
        Some("Accepting reverse-proxy HTTP Socket connections")
    }

    fn echo_says(&self) -> &'static str {
        "no such line"
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        &[0, 200, 502]
    }

    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        let line = String::from_utf8_lossy(line);
        let (path, query) = match ask.target.split_once('?') {
            Some((path, _)) => (path, "?"),
            None => (ask.target.as_str(), ""),
        };
        // What follows a question mark is not logged.
        let request = format!("{} http://shop.example{path}{query}", ask.method);
        let status = after_request(&line, &request)?.split(' ').next();
        Ok(status.unwrap_or_default().parse()?)
    }
}

fn allow_all(path: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(
        path,
        std::fs::Permissions::from_mode(0o666),
    )?)
}

fn config(site: &Site<'_>) -> String {
    let setup = site.setup;
    let secs = setup.timeout.as_secs().max(1);
    let mut text = format!(
        "http_port {} accel defaultsite=shop.example\nvisible_hostname edge.shop.example\npid_filename none\n\
         cache_log error.log\ncache deny all\ncache_mem 8 MB\ncoredump_dir .\npinger_enable off\nnetdb_filename none\n\
         dns_nameservers 127.0.0.2\ndns_timeout 4 seconds\nconnect_timeout {secs} seconds\nread_timeout {secs} seconds\n\
         request_timeout 3600 seconds\npconn_timeout 3600 seconds\nclient_idle_pconn_timeout 3600 seconds\n\
         shutdown_lifetime 0 seconds\nacl loopback src 127.0.0.0/8\nfollow_x_forwarded_for allow all\nacl asked has request\n",
        site.listen
    );
    if is_root() {
        text += "cache_effective_user proxy\n";
    }
    if !setup.keepalive {
        text += "server_persistent_connections off\n";
    }
    if !setup.retry {
        text += "forward_max_tries 1\n";
    }
    for layout in &LAYOUTS {
        let name = match layout.name {
            // Built in under these names.
            "combined" | "squid" => layout.name.to_owned(),
            name => {
                writeln!(text, "logformat lab_{name} {}", layout.format).ok();
                format!("lab_{name}")
            }
        };
        writeln!(
            text,
            "access_log stdio:{}.log logformat={name} asked",
            layout.name
        )
        .ok();
    }
    text += match setup.rule {
        Rule::Maintenance => {
            "acl site dstdomain shop.example\ndeny_info 503:ERR_ACCESS_DENIED site\nreply_header_add Retry-After 900 all\n\
             http_access deny site\n"
        }
        _ => "",
    };
    text += "http_access allow all\n";
    if setup.upstream == Upstream::UnresolvedName {
        return text + "always_direct allow all\n";
    }
    text += "never_direct allow all\n";
    for (number, member) in setup.members.iter().enumerate() {
        let Address::Tcp(address) = &member.address else {
            continue;
        };
        let tls = match setup.upstream {
            Upstream::Tls => " tls tls-default-ca=off",
            Upstream::TlsVerified => " tls",
            _ => "",
        };
        let order = if setup.members.len() > 1 {
            " round-robin"
        } else {
            ""
        };
        let few = if setup.rule == Rule::FewConnections {
            " max-conn=3"
        } else {
            ""
        };
        writeln!(
            text,
            "cache_peer {} parent {} 0 no-query no-digest originserver name=app{number} connect-timeout={secs}{order}{tls}{few}",
            address.ip(),
            address.port()
        )
        .ok();
    }
    text
}
