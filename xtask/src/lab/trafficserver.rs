//! Apache Traffic Server in the lab: the Debian package, one thread, four layouts of access log from one run.
//!
//! It reads the clock through the C library, so that lab time fires its timers; its log buffers are written by lab
//! time, too. Its logs know no client but the one that connects, so every line has the lab's own address.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::origin::Address;
use super::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream, version_of};
use super::traffic::Ask;

/// Apache Traffic Server, as installed.
pub(crate) struct TrafficServer;

/// Where Debian's package puts the plugins.
const PLUGINS: &str = "/usr/lib/trafficserver/modules";

/// Name of the application's host, which the proxy looks up in a file: only a looked-up host can be marked down.
const HOST: &str = "app.shop.internal";

/// `extended2` comes first: it has the request as one text.
const LAYOUTS: [Layout; 4] = [
    Layout {
        name: "extended2",
        format: r#"%<chi> - %<caun> [%<cqtn>] "%<cqtx>" %<pssc> %<pscl> %<sssc> %<sscl> %<cqcl> %<pqcl> %<cqhl> %<pshl> %<pqhl> %<sshl> %<tts> %<phr> %<cfsc> %<pfsc> %<crc>"#,
    },
    Layout {
        name: "squid",
        format: "%<cqtq> %<ttms> %<chi> %<crc>/%<pssc> %<psql> %<cqhm> %<cquc> %<caun> %<phr>/%<shn> %<psct>",
    },
    Layout {
        name: "rich",
        format: r#"%<cqtq> %<ttms> %<chi> %<crc>/%<pssc> %<pscl> %<cqhm> %<cqus>://%<cquuh>/%<cqup> %<caun> %<phr>/%<shn> %<psct> origin_status=%<sssc> finish_status=%<pfsc> retries=%<sca> upstream_http_content_length=%<{Content-Length}psh> retry_after=%<{Retry-After}psh> response_reason="%<prrp>" "%<{User-Agent}cqh>""#,
    },
    Layout {
        name: "json",
        format: r#"{"cqtq":%<cqtq>,"ttms":%<ttms>,"chi":"%<chi>","crc":"%<crc>","pssc":%<pssc>,"sssc":"%<sssc>","pscl":%<pscl>,"cqhm":"%<cqhm>","cquuh":"%<cquuh>","cqup":"%<cqup>","phr":"%<phr>","shn":"%<shn>","pfsc":"%<pfsc>","prrp":"%<prrp>","sca":%<sca>,"user_agent":"%<{User-Agent}cqh>"}"#,
    },
];

impl Proxy for TrafficServer {
    fn name(&self) -> &'static str {
        "trafficserver"
    }

    fn version(&self) -> Result<String> {
        version_of("traffic_server", "-V", "trafficserver")
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
        for folder in ["etc", "run", "cache"] {
            std::fs::create_dir_all(site.dir.join(folder))?;
        }
        let dir = site.dir.display();
        let write = |name: &str, text: &str| {
            let path = site.dir.join(name);
            std::fs::write(&path, text).with_context(|| path.display().to_string())
        };
        write(
            "runroot.yaml",
            &format!(
                "prefix: {dir}\nexec_prefix: /usr\nbindir: /usr/bin\nsbindir: /usr/sbin\nsysconfdir: {dir}/etc\n\
                 datadir: {dir}/cache\nincludedir: /usr/include\nlibdir: /usr/lib\nlibexecdir: {PLUGINS}\n\
                 localstatedir: {dir}/run\nruntimedir: {dir}/run\nlogdir: {dir}\ncachedir: {dir}/cache\n"
            ),
        )?;
        write("etc/records.config", &records(site))?;
        write("etc/remap.config", &remap(site))?;
        write("etc/parent.config", &parents(site.setup))?;
        write("etc/logging.yaml", &logging())?;
        write(
            "etc/hosts",
            &tcp_members(site.setup)
                .map(|address| format!("{} {HOST}\n", address.ip()))
                .collect::<String>(),
        )?;
        write(
            "etc/ip_allow.yaml",
            "ip_allow:\n  - apply: in\n    ip_addrs: 0/0\n    action: allow\n    methods: ALL\n",
        )?;
        write(
            "etc/maintenance.config",
            "cond %{REMAP_PSEUDO_HOOK}\nset-status 503\n\n\
             cond %{SEND_RESPONSE_HDR_HOOK}\nset-header Retry-After 900\n",
        )?;
        for empty in [
            "storage.config",
            "plugin.config",
            "ssl_multicert.config",
            "sni.yaml",
            "hosting.config",
            "volume.config",
            "cache.config",
            "splitdns.config",
            "socks.config",
        ] {
            write(&format!("etc/{empty}"), "")?;
        }
        let mut command = Command::new("traffic_server");
        command.env("TS_RUNROOT", site.dir.join("runroot.yaml"));
        Ok(command)
    }

    fn started_says(&self) -> Option<&'static str> {
        None
    }

    fn echo_says(&self) -> &'static str {
        "dead server no request"
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        // A client that hangs up in good order is served on; one that was answered with part of a body stands as 200.
        &[200, 502, 504]
    }

    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        let line = String::from_utf8_lossy(line);
        let request = format!("{} HTTP/", ask.target);
        line.split_once(&request)
            .filter(|(before, _)| before.contains(&format!("\"{} http", ask.method)))
            .and_then(|(_, rest)| rest.split_once("\" "))
            .and_then(|(_, rest)| rest.split(' ').next()?.parse().ok())
            .with_context(|| format!("the last access line is not of {}", ask.target))
    }

    fn has_threads(&self) -> bool {
        true
    }

    fn writes_lines_after(&self) -> Option<Duration> {
        Some(Duration::from_millis(1_200))
    }
}

fn tcp_members(setup: &Setup) -> impl Iterator<Item = SocketAddr> + '_ {
    setup
        .members
        .iter()
        .filter_map(|member| match member.address {
            Address::Tcp(address) => Some(address),
            Address::Unix(_) => None,
        })
}

fn records(site: &Site<'_>) -> String {
    let setup = site.setup;
    // The clock is moved on to have lines written: what is held on purpose must not time out by that.
    let secs = match setup.rule {
        Rule::FewConnections => 3_600,
        _ => setup.timeout.as_secs().max(1),
    };
    let verify = match setup.upstream {
        Upstream::TlsVerified => "ENFORCED",
        _ => "DISABLED",
    };
    let retries = if setup.retry { 3 } else { 0 };
    let down = if setup.eject { 60 } else { 0 };
    let kept = u8::from(setup.keepalive);
    let dir = site.dir.display();
    let mut text = format!(
        "CONFIG proxy.config.exec_thread.autoconfig INT 0\nCONFIG proxy.config.exec_thread.limit INT 1\n\
         CONFIG proxy.config.accept_threads INT 0\nCONFIG proxy.config.task_threads INT 1\n\
         CONFIG proxy.config.admin.user_id STRING #-1\n\
         CONFIG proxy.config.http.server_ports STRING {}:ip-in=127.0.0.1\n\
         CONFIG proxy.config.http.cache.http INT 0\n\
         CONFIG proxy.config.url_remap.remap_required INT 1\nCONFIG proxy.config.url_remap.pristine_host_hdr INT 1\n\
         CONFIG proxy.config.log.max_secs_per_buffer INT 1\nCONFIG proxy.config.log.rolling_enabled INT 0\n\
         CONFIG proxy.config.log.periodic_tasks_interval INT 1\n\
         CONFIG proxy.config.log.max_space_mb_headroom INT 10\n\
         CONFIG proxy.config.http.connect_attempts_max_retries INT {retries}\n\
         CONFIG proxy.config.http.connect_attempts_timeout INT {secs}\n\
         CONFIG proxy.config.http.post_connect_attempts_timeout INT {secs}\n\
         CONFIG proxy.config.http.transaction_no_activity_timeout_out INT {secs}\n\
         CONFIG proxy.config.http.transaction_no_activity_timeout_in INT 3600\n\
         CONFIG proxy.config.http.keep_alive_no_activity_timeout_out INT 3600\n\
         CONFIG proxy.config.http.keep_alive_enabled_out INT {kept}\n\
         CONFIG proxy.config.http.down_server.cache_time INT {down}\n\
         CONFIG proxy.config.ssl.client.verify.server.policy STRING {verify}\n\
         CONFIG proxy.config.ssl.client.CA.cert.filename STRING {}\n\
         CONFIG proxy.config.hostdb.host_file.path STRING {dir}/etc/hosts\n\
         CONFIG proxy.config.hostdb.host_file.interval INT 3600\n\
         CONFIG proxy.config.dns.nameservers STRING 127.0.0.2\nCONFIG proxy.config.dns.lookup_timeout INT 2\n\
         CONFIG proxy.config.dns.retries INT 0\nCONFIG proxy.config.hostdb.lookup_timeout INT 4\n",
        site.listen.port(),
        setup.trusted.display(),
    );
    if setup.rule == Rule::FewConnections {
        text += "CONFIG proxy.config.http.per_server.connection.max INT 3\n";
    }
    text
}

fn remap(site: &Site<'_>) -> String {
    let setup = site.setup;
    let scheme = match setup.upstream {
        Upstream::Tls | Upstream::TlsVerified => "https",
        _ => "http",
    };
    let mut members = tcp_members(setup);
    let target = match (setup.upstream, members.next(), members.next()) {
        (Upstream::UnresolvedName, _, _) => "app.shop.invalid:8080".to_owned(),
        (_, Some(address), None) if setup.eject => format!("{HOST}:{}", address.port()),
        (_, Some(address), None) => address.to_string(),
        // The members stand in parent.config.
        _ => HOST.to_owned(),
    };
    let plugin = if setup.rule == Rule::Maintenance {
        format!(
            " @plugin=header_rewrite.so @pparam={}/etc/maintenance.config",
            site.dir.display()
        )
    } else {
        String::new()
    };
    format!("map http://shop.example/ {scheme}://{target}/{plugin}\n")
}

/// The pool, where there is more than one member or none.
fn parents(setup: &Setup) -> String {
    let members: Vec<String> = tcp_members(setup)
        .map(|address| address.to_string())
        .collect();
    if members.len() < 2 {
        return String::new();
    }
    format!(
        "dest_domain=. parent=\"{}\" round_robin=strict go_direct=false parent_is_proxy=false\n",
        members.join(";")
    )
}

fn logging() -> String {
    let mut text = "logging:\n  formats:\n".to_owned();
    for layout in &LAYOUTS {
        writeln!(
            text,
            "    - name: lab_{}\n      format: '{}'",
            layout.name, layout.format
        )
        .ok();
    }
    text += "  logs:\n";
    for layout in &LAYOUTS {
        writeln!(
            text,
            "    - filename: {}\n      format: lab_{}\n      mode: ascii",
            layout.name, layout.name
        )
        .ok();
    }
    text
}
