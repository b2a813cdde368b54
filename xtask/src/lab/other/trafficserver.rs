//! A second Traffic Server site: shop and API mapped apart, other limits for each phase, fewer tries, and the layouts that
//! the vendor's documentation and Traffic Control's caches use.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::lab::origin::Address;
use crate::lab::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream};
use crate::lab::traffic::Ask;
use crate::lab::trafficserver::TrafficServer;

/// Apache Traffic Server, as installed.
pub(crate) struct TrafficServerOther;

/// Where Debian's package puts the plugins.
const PLUGINS: &str = "/usr/lib/trafficserver/modules";

/// Name of the application's host, which the proxy looks up in a file: only a looked-up host can be marked down.
const HOST: &str = "origin.shop.internal";

/// `common` comes first: it has the request as one text.
const LAYOUTS: [Layout; 4] = [
    Layout {
        name: "common",
        format: r#"%<chi> - %<caun> [%<cqtn>] "%<cqtx>" %<pssc> %<pscl>"#,
    },
    Layout {
        name: "extended",
        format: r#"%<chi> - %<caun> [%<cqtn>] "%<cqtx>" %<pssc> %<pscl> %<sssc> %<sscl> %<cqcl> %<pqcl> %<cqhl> %<pshl> %<pqhl> %<sshl> %<tts>"#,
    },
    // Traffic Control's custom_ats_2.
    Layout {
        name: "cdn",
        format: r#"%<cqtq> chi=%<{X-Forwarded-For}cqh> phn=%<phn> php=%<php> shn=%<shn> url=%<cquuc> cqhm=%<cqhm> cqhv=%<cqhv> pssc=%<pssc> ttms=%<ttms> b=%<pscl> sssc=%<sssc> sscl=%<sscl> cfsc=%<cfsc> pfsc=%<pfsc> crc=%<crc> phr=%<phr> pqsi=%<pqsi> uas="%<{User-Agent}cqh>""#,
    },
    Layout {
        name: "keyed",
        format: r#"{"timestamp":%<cqtq>,"client_ip":"%<{X-Forwarded-For}cqh>","request_method":"%<cqhm>","request_url":"%<cquuc>","protocol":"%<cqpv>","response_code":%<pssc>,"response_reason":"%<prrp>","response_bytes":%<pscl>,"origin_response_code":"%<sssc>","origin_host":"%<shn>","cache_result":"%<crc>","hierarchy":"%<phr>","server_finish":"%<pfsc>","client_finish":"%<cfsc>","duration_ms":%<ttms>,"user_agent":"%<{User-Agent}cqh>"}"#,
    },
];

impl Proxy for TrafficServerOther {
    behaves_like!((TrafficServer) => version, timers_follow_clock, started_says, has_threads);

    fn name(&self) -> &'static str {
        "trafficserver-other"
    }

    fn edge(&self) -> &'static str {
        "trafficserver"
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn can(&self, setup: &Setup) -> bool {
        TrafficServer.can(setup)
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
             cond %{SEND_RESPONSE_HDR_HOOK}\nset-status-reason \"Scheduled Maintenance\"\nset-header Retry-After 1800\n",
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

    fn echo_says(&self) -> &'static str {
        TrafficServer.echo_says()
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        TrafficServer.logs_unanswered_as()
    }

    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        TrafficServer.logged_status(line, ask)
    }

    fn writes_lines_after(&self) -> Option<Duration> {
        TrafficServer.writes_lines_after()
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
    let connect = match setup.rule {
        Rule::FewConnections => 3_600,
        _ => setup.timeout.as_secs().max(1),
    };
    let verify = match setup.upstream {
        Upstream::TlsVerified => "ENFORCED",
        _ => "DISABLED",
    };
    let dir = site.dir.display();
    let trusted = setup.trusted.display().to_string();
    let mut text = String::new();
    for (name, kind, value) in [
        ("exec_thread.autoconfig", "INT", "0"),
        ("exec_thread.limit", "INT", "1"),
        ("accept_threads", "INT", "0"),
        ("task_threads", "INT", "1"),
        ("admin.user_id", "STRING", "#-1"),
        ("http.cache.http", "INT", "0"),
        ("http.insert_response_via_str", "INT", "2"),
        ("http.response_server_enabled", "INT", "0"),
        ("url_remap.remap_required", "INT", "1"),
        ("url_remap.pristine_host_hdr", "INT", "0"),
        ("log.max_secs_per_buffer", "INT", "1"),
        ("log.rolling_enabled", "INT", "0"),
        ("log.periodic_tasks_interval", "INT", "1"),
        ("log.max_space_mb_headroom", "INT", "10"),
        ("http.transaction_no_activity_timeout_in", "INT", "3600"),
        ("http.keep_alive_no_activity_timeout_out", "INT", "3600"),
        ("hostdb.host_file.interval", "INT", "3600"),
        ("dns.nameservers", "STRING", "127.0.0.2"),
        ("dns.lookup_timeout", "INT", "2"),
        ("dns.retries", "INT", "0"),
        ("hostdb.lookup_timeout", "INT", "4"),
        ("ssl.client.CA.cert.filename", "STRING", &trusted),
        ("ssl.client.verify.server.policy", "STRING", verify),
        ("ssl.client.verify.server.properties", "STRING", "ALL"),
    ] {
        writeln!(text, "CONFIG proxy.config.{name} {kind} {value}").ok();
    }
    write!(
        text,
        "CONFIG proxy.config.http.server_ports STRING {}:ip-in=127.0.0.1\n\
         CONFIG proxy.config.hostdb.host_file.path STRING {dir}/etc/hosts\n\
         CONFIG proxy.config.http.connect_attempts_max_retries INT {}\n\
         CONFIG proxy.config.http.connect_attempts_rr_retries INT 1\n\
         CONFIG proxy.config.http.connect_attempts_timeout INT {connect}\n\
         CONFIG proxy.config.http.post_connect_attempts_timeout INT {connect}\n\
         CONFIG proxy.config.http.transaction_no_activity_timeout_out INT {}\n\
         CONFIG proxy.config.http.keep_alive_enabled_out INT {}\n\
         CONFIG proxy.config.http.down_server.cache_time INT {}\n",
        site.listen.port(),
        u8::from(setup.retry),
        connect * 3 / 2,
        u8::from(setup.keepalive),
        if setup.eject { 30 } else { 0 },
    )
    .ok();
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
        (Upstream::UnresolvedName, _, _) => "origin.shop.invalid:8080".to_owned(),
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
    format!(
        "map http://shop.example/api/ {scheme}://{target}/api/{plugin}\n\
         map http://shop.example/ {scheme}://{target}/{plugin}\n"
    )
}

/// The pool, where there is more than one member or none.
fn parents(setup: &Setup) -> String {
    let members: Vec<String> = tcp_members(setup)
        .map(|address| format!("{address}|1.0"))
        .collect();
    if members.len() < 2 {
        return String::new();
    }
    format!(
        "dest_domain={HOST} parent=\"{}\" round_robin=consistent_hash go_direct=false parent_is_proxy=false\n",
        members.join(";")
    )
}

fn logging() -> String {
    let mut text = "logging:\n  formats:\n".to_owned();
    for layout in &LAYOUTS {
        writeln!(
            text,
            "    - name: site_{}\n      format: '{}'",
            layout.name, layout.format
        )
        .ok();
    }
    text += "  logs:\n";
    for layout in &LAYOUTS {
        writeln!(
            text,
            "    - filename: {0}\n      format: site_{0}\n      mode: ascii",
            layout.name
        )
        .ok();
    }
    text
}
