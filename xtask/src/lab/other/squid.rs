//! A second Squid site: named peers, another number of tries, whole query strings, a message of its own for maintenance, and
//! layouts from the documentation as well as labelled ones.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::lab::origin::Address;
use crate::lab::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream, is_root};
use crate::lab::squid::Squid;
use crate::lab::traffic::Ask;

/// Squid, as installed.
pub(crate) struct SquidOther;

/// `common` comes first: it has the request as one text.
const LAYOUTS: [Layout; 4] = [
    Layout {
        name: "common",
        format: r#"%>a - %[un [%tl] "%rm %ru HTTP/%rv" %>Hs %<st %Ss:%Sh"#,
    },
    // The default with what guides add to it.
    Layout {
        name: "extended",
        format: r#"%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt "%{Referer}>h" "%{User-Agent}>h" %err_code/%err_detail"#,
    },
    Layout {
        name: "labelled",
        format: r#"time=%ts.%03tu elapsed=%tr client=%>a method=%rm url="%ru" version=HTTP/%rv status=%>Hs origin=%<Hs sent=%<st result=%Ss hier=%Sh peer=%<a:%<p peer_wait=%<pt error=%err_code detail=%err_detail agent="%{User-Agent}>h""#,
    },
    Layout {
        name: "keyed",
        format: r#"{"timestamp":"%{%Y-%m-%dT%H:%M:%S}tl","duration_ms":%tr,"src_ip":"%>a","http_method":"%rm","uri_path":"%rp","status":%>Hs,"bytes_out":%<st,"bytes_in":%>st,"action":"%Ss","hierarchy_code":"%Sh","dest_ip":"%<a","server_status":"%<Hs","error":"%err_code","http_user_agent":"%{User-Agent}>h"}"#,
    },
];

impl Proxy for SquidOther {
    behaves_like!((Squid) => version, timers_follow_clock);

    fn name(&self) -> &'static str {
        "squid-other"
    }

    fn edge(&self) -> &'static str {
        "squid"
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn can(&self, setup: &Setup) -> bool {
        Squid.can(setup)
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        std::fs::write(site.dir.join("squid.conf"), config(site))
            .context("cannot write squid.conf")?;
        if is_root() {
            // Squid gives up root before it opens its logs.
            for name in LAYOUTS.iter().map(|layout| layout.name).chain(["error"]) {
                allow_all(&site.dir.join(format!("{name}.log")))?;
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
        Squid.started_says()
    }

    fn echo_says(&self) -> &'static str {
        Squid.echo_says()
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        Squid.logs_unanswered_as()
    }

    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        let line = String::from_utf8_lossy(line);
        let request = format!(
            "\"{} http://shop.example{} HTTP/1.1\" ",
            ask.method, ask.target
        );
        line.split_once(&request)
            .and_then(|(_, rest)| rest.split(' ').next()?.parse().ok())
            .with_context(|| format!("the last access line is not of {}", ask.target))
    }
}

/// An empty file that anybody may write.
fn allow_all(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, "")?;
    Ok(std::fs::set_permissions(
        path,
        std::fs::Permissions::from_mode(0o666),
    )?)
}

fn config(site: &Site<'_>) -> String {
    let setup = site.setup;
    let connect = setup.timeout.as_secs().max(1);
    // Patience for the answer differs from that for the connection.
    let answer = connect * 3 / 2;
    let mut text = format!(
        "http_port {} accel vhost defaultsite=shop.example\nvisible_hostname cache1.shop.example\npid_filename none\n\
         cache_log error.log\ncache deny all\ncache_mem 8 MB\ncoredump_dir .\npinger_enable off\nnetdb_filename none\n\
         via off\nforwarded_for on\nstrip_query_terms off\nhttpd_suppress_version_string on\n\
         dns_nameservers 127.0.0.2\ndns_timeout 4 seconds\nconnect_timeout {connect} seconds\nread_timeout {answer} seconds\n\
         request_timeout 3600 seconds\npconn_timeout 3600 seconds\nclient_idle_pconn_timeout 3600 seconds\n\
         shutdown_lifetime 0 seconds\nfollow_x_forwarded_for allow all\nacl asked has request\nconnect_retries 1\n\
         acl site dstdomain shop.example\nforward_max_tries {}\n",
        site.listen,
        if setup.retry { 4 } else { 1 },
    );
    if is_root() {
        text += "cache_effective_user proxy\n";
    }
    text += if setup.keepalive {
        "server_persistent_connections on\n"
    } else {
        "server_persistent_connections off\n"
    };
    for layout in &LAYOUTS {
        let name = match layout.name {
            // Built in under this name.
            "common" => "common".to_owned(),
            name => {
                writeln!(text, "logformat site_{name} {}", layout.format).ok();
                format!("site_{name}")
            }
        };
        writeln!(
            text,
            "access_log stdio:{}.log logformat={name} asked",
            layout.name
        )
        .ok();
    }
    if setup.rule == Rule::Maintenance {
        text += "deny_info 503:ERR_ACCESS_DENIED site\nreply_header_add Retry-After 1800 all\nhttp_access deny site\n";
    }
    text += "http_access allow site\nhttp_access deny all\n";
    if setup.upstream == Upstream::UnresolvedName {
        return text + "always_direct allow all\n";
    }
    text += "never_direct allow all\n";
    for (number, member) in setup.members.iter().enumerate() {
        text += &peer(setup, number, &member.address);
    }
    text
}

fn peer(setup: &Setup, number: usize, address: &Address) -> String {
    let Address::Tcp(address) = address else {
        return String::new();
    };
    let tls = match setup.upstream {
        Upstream::Tls => " tls tls-default-ca=off",
        Upstream::TlsVerified => " tls",
        _ => "",
    };
    let order = if setup.members.len() > 1 {
        " sourcehash"
    } else {
        ""
    };
    let few = if setup.rule == Rule::FewConnections {
        " max-conn=3"
    } else {
        ""
    };
    let name = char::from(b'a' + u8::try_from(number).unwrap_or_default());
    format!(
        "cache_peer {} parent {} 0 no-query no-digest no-netdb-exchange originserver name=shop-{name} \
         connect-timeout={}{order}{tls}{few}\ncache_peer_access shop-{name} allow site\n",
        address.ip(),
        address.port(),
        setup.timeout.as_secs().max(1),
    )
}
