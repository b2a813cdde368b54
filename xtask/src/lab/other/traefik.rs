//! A second Traefik site: shop and API as services of their own with health checks and a chain of middlewares, JSON with
//! all headers kept beside a text log. Once more in the generic common log format, which names no service, with the main
//! log in JSON.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::lab::origin::Address;
use crate::lab::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream};
use crate::lab::traefik::Traefik;
use crate::lab::traffic::Ask;

/// Traefik 3, as installed.
pub(crate) struct TraefikOther {
    /// Whether the access log is the generic common log format.
    pub(crate) clf: bool,
}

const KEPT: [Layout; 1] = [Layout {
    name: "kept",
    format: "format: json
  fields:
    defaultMode: keep
    names:
      StartLocal: drop
      ClientUsername: drop
    headers:
      defaultMode: keep
      names:
        X-Lab-Fault: drop
        X-Lab-Delay: drop
        X-Lab-Status: drop
        X-Lab-Size: drop
        X-Forwarded-Server: drop
        Authorization: redact
        Cookie: drop",
}];

const CLF: [Layout; 1] = [Layout {
    name: "clf",
    format: "format: genericCLF
  fields:
    headers:
      names:
        User-Agent: keep
        Referer: keep",
}];

impl Proxy for TraefikOther {
    behaves_like!((Traefik { json: true }) => version, timers_follow_clock, stamps_follow_clock, started_says, states_echoes, starts_after, echo_says, logs_unanswered_as, hides_races);

    fn name(&self) -> &'static str {
        if self.clf {
            "traefik-other-clf"
        } else {
            "traefik-other"
        }
    }

    fn edge(&self) -> &'static str {
        "traefik"
    }

    fn layouts(&self) -> &'static [Layout] {
        if self.clf { &CLF } else { &KEPT }
    }

    fn can(&self, setup: &Setup) -> bool {
        matches!(setup.rule, Rule::None | Rule::RateLimit(429))
            && !matches!(setup.upstream, Upstream::FastCgi | Upstream::BadTarget)
            && setup
                .members
                .iter()
                .all(|member| matches!(member.address, Address::Tcp(_)))
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let write = |name: &str, text: String| std::fs::write(site.dir.join(name), text);
        write("traefik.yml", self.config(site)).context("cannot write traefik.yml")?;
        write("routes.yml", routes(site.setup)).context("cannot write routes.yml")?;
        let mut command = Command::new("traefik");
        command
            .current_dir(site.dir)
            .args(["--configFile", "traefik.yml"]);
        Ok(command)
    }

    fn is_chatter(&self, line: &[u8]) -> bool {
        let line = String::from_utf8_lossy(line);
        // Health checks come when they come, whatever request is under way; what is compressed is no failure.
        ["Health check", "HealthCheck", "Unable to parse MIME type"]
            .iter()
            .any(|words| line.contains(words))
            || Traefik { json: true }.is_chatter(line.as_bytes())
    }

    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        if self.clf {
            return Traefik { json: false }.logged_status(line, ask);
        }
        let line: serde_json::Value = serde_json::from_slice(line)?;
        ensure!(
            line["RequestMethod"] == ask.method && line["RequestPath"] == ask.target.as_str(),
            "the last access line is not {} {}",
            ask.method,
            ask.target
        );
        let status = line["DownstreamStatus"].as_u64().context("no status")?;
        Ok(u16::try_from(status)?)
    }

    fn tells_retry(&self, line: &[u8]) -> bool {
        Traefik { json: true }.tells_retry(line)
    }

    fn ejects_after(&self) -> Duration {
        Duration::from_millis(1_000)
    }
}

impl TraefikOther {
    /// What Traefik reads once.
    fn config(&self, site: &Site<'_>) -> String {
        let format = if self.clf {
            "  format: json\n"
        } else {
            "  noColor: true\n"
        };
        let layout = &self.layouts()[0];
        format!(
            "global:\n  checkNewVersion: false\n  sendAnonymousUsage: false\n\
             entryPoints:\n  websecure:\n    address: \"{}\"\n    forwardedHeaders:\n      trustedIPs: [127.0.0.0/8]\n\
             providers:\n  file:\n    filename: routes.yml\n    watch: false\n\
             log:\n  level: DEBUG\n  filePath: error.log\n{format}\
             accessLog:\n  filePath: {}.log\n  {}\n",
            site.listen, layout.name, layout.format,
        )
    }
}

/// Routers, middlewares and services.
fn routes(setup: &Setup) -> String {
    let mut used = vec!["secure", "gzip"];
    let mut middlewares =
        "    secure:\n      headers:\n        frameDeny: true\n        browserXssFilter: true\n\
                           \x20   gzip:\n      compress: {}\n"
            .to_owned();
    if matches!(setup.rule, Rule::RateLimit(_)) {
        used.push("slow-down");
        middlewares += "    slow-down:\n      rateLimit:\n        average: 1\n        period: 50ms\n        burst: 2\n\
                        \x20       sourceCriterion:\n          ipStrategy:\n            depth: 1\n";
    }
    if setup.retry && setup.members.len() > 1 {
        used.push("retry");
        middlewares +=
            "    retry:\n      retry:\n        attempts: 3\n        initialInterval: 10ms\n";
    }
    let mut text = "http:\n  routers:\n".to_owned();
    for (name, rule, service) in [
        ("api", "Host(`shop.example`) && PathPrefix(`/api`)", "api"),
        ("www", "Host(`shop.example`)", "storefront"),
    ] {
        write!(
            text,
            "    {name}:\n      rule: {rule}\n      entryPoints: [websecure]\n      service: {service}\n\
             \x20     middlewares: [{}]\n",
            used.join(", ")
        )
        .ok();
    }
    write!(text, "  middlewares:\n{middlewares}  services:\n").ok();
    for service in ["api", "storefront"] {
        text += &pool(setup, service);
    }
    let connect = setup.real_timeout().as_millis();
    write!(
        text,
        "  serversTransports:\n    internal:\n      insecureSkipVerify: {}\n      maxIdleConnsPerHost: {}\n\
         \x20     disableHTTP2: true\n\
         \x20     forwardingTimeouts:\n        dialTimeout: {connect}ms\n        responseHeaderTimeout: {}ms\n",
        setup.upstream == Upstream::Tls,
        if setup.keepalive { 32 } else { -1 },
        connect * 3 / 2,
    )
    .ok();
    if setup.upstream == Upstream::TlsVerified {
        write!(
            text,
            "      serverName: shop.example\n      rootCAs: [{}]\n",
            setup.trusted.display()
        )
        .ok();
    }
    text
}

fn pool(setup: &Setup, service: &str) -> String {
    let scheme = match setup.upstream {
        Upstream::Tls | Upstream::TlsVerified => "https",
        _ => "http",
    };
    let mut text = format!(
        "    {service}:\n      loadBalancer:\n        serversTransport: internal\n        passHostHeader: false\n"
    );
    if setup.members.len() > 1 && setup.eject {
        text += "        healthCheck:\n          path: /health\n          interval: 700ms\n          timeout: 300ms\n";
    }
    text += "        servers:\n";
    if setup.upstream == Upstream::UnresolvedName {
        writeln!(
            text,
            "          - url: {scheme}://{service}..shop.internal:8080"
        )
        .ok();
    }
    for member in &setup.members {
        if let Address::Tcp(address) = &member.address {
            writeln!(text, "          - url: {scheme}://{address}").ok();
        }
    }
    if setup.members.is_empty() && setup.upstream != Upstream::UnresolvedName {
        text = text.trim_end_matches('\n').to_owned() + " []\n";
    }
    text
}
