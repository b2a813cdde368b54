//! `cargo xtask record`: real proxies before an origin that misbehaves on request, driven with the traffic of crawlers
//! and people, recorded with the truth beside the logs.
//!
//! A script (what goes wrong, who comes by) is in no proxy's language; a proxy (`nginx.rs`, `apache.rs`) says how it is
//! set up so. Time is the lab's own (`clock.rs`): two days take seconds. Everything stays on the loopback net.

mod apache;
mod apart;
mod caddy;
mod case;
mod client;
mod clock;
mod envoy;
mod fault_scripts;
mod h2o;
mod haproxy;
mod haproxy_scripts;
mod lighttpd;
mod nghttpx;
mod nginx;
mod origin;
mod other;
mod proxy;
mod recording;
mod resolver;
mod session;
mod shop_scripts;
mod split;
mod squid;
mod tls;
mod traefik;
mod traffic;
mod trafficserver;
mod truth;
mod varnish;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;

use self::case::{Recording, Variant};
use self::origin::{Address, FullQueue};
use self::proxy::{Member, Proxy, Rule, Setup, Upstream, free_address};
use self::recording::{Fixture, SCRIPTS, Script, Tls};
use self::session::Session;

/// Where the sockets of applications stand: the path is in the logs, so it is one that a site could have.
const SOCKET_DIR: &str = "/tmp/shop";

/// Every proxy that the lab can run.
const PROXIES: &[&dyn Proxy] = &[
    &nginx::Nginx,
    &apache::Apache,
    &haproxy::Haproxy,
    &caddy::Caddy { rich: false },
    &caddy::Caddy { rich: true },
    &traefik::Traefik { json: false },
    &traefik::Traefik { json: true },
    &envoy::Envoy,
    &lighttpd::Lighttpd,
    &nghttpx::Nghttpx,
    &varnish::Varnish,
    &h2o::H2o,
    &squid::Squid,
    &trafficserver::TrafficServer,
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these proxies
    proxies: Vec<String>,
    /// Only recordings whose name contains this; `example` are those of examples/
    #[arg(long)]
    only: Option<String>,
    /// Leave examples/ alone
    #[arg(long)]
    cases_only: bool,
    /// Write the folders cases/ and examples/ there instead of here
    #[arg(long)]
    into: Option<PathBuf>,
    /// The held-out configurations instead, for `cargo xtask score --cases DIR/cases`; they are never kept as cases
    #[arg(long, requires = "into")]
    other: bool,
    /// Products recorded at the same time, each in a network namespace; one after the other where that is impossible
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=16))]
    jobs: u64,
}

impl Args {
    /// What a lab for one of the products is to be told, too.
    fn others(&self) -> Vec<String> {
        let mut args = Vec::new();
        if let Some(into) = &self.into {
            args.extend(["--into".to_owned(), into.display().to_string()]);
        }
        for (name, is_set) in [("--cases-only", self.cases_only), ("--other", self.other)] {
            args.extend(is_set.then(|| name.to_owned()));
        }
        args
    }
}

/// Records `examples/` and `cases/` anew.
pub(crate) fn record(args: &Args) -> Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no workspace")?;
    let root = args.into.as_deref().unwrap_or(here);
    let only = args.only.as_deref().unwrap_or_default();
    let (proxies, tables) = if args.other {
        (other::PROXIES, other::TABLES)
    } else {
        (PROXIES, case::TABLES)
    };
    let asked = |proxy: &&&dyn Proxy| {
        let is_it = |name: &String| name == proxy.name() || args.other && name == proxy.edge();
        args.proxies.is_empty() || args.proxies.iter().any(is_it)
    };
    let proxies: Vec<&dyn Proxy> = proxies.iter().filter(asked).copied().collect();
    if let [_, _, ..] = *proxies
        && args.jobs > 1
        && args.only.is_none()
        && apart::is_possible()
    {
        let names: Vec<&str> = proxies.iter().map(|proxy| proxy.name()).collect();
        return apart::run(&names, args.jobs as usize, &args.others());
    }
    let _alone = (!apart::is_apart()).then(alone).transpose()?;
    let (mut recordings, mut failed) = (0, Vec::new());
    let table = Variant::all(tables)?;
    for proxy in proxies {
        let version = proxy.version()?;
        println!("{} {version}", proxy.name());
        for script in SCRIPTS {
            let variants: Vec<&Variant> = table
                .iter()
                .filter(|variant| variant.proxy == proxy.name() && variant.recording == script.name)
                .collect();
            if script.name.contains(only) && !variants.is_empty() {
                recordings += 1;
                // One that fails keeps none of the others waiting.
                if let Err(error) =
                    record_cases(proxy, &version, script, &variants, &root.join("cases"))
                {
                    println!("  {:20} failed: {error:#}", script.name);
                    failed.push(format!("{} {}", proxy.name(), script.name));
                }
            }
        }
        if !args.cases_only && !args.other {
            recordings += shop_scripts::record(proxy, &version, only, &root.join("examples"))?;
        }
    }
    ensure!(recordings > 0, "nothing of that name to record");
    ensure!(failed.is_empty(), "not recorded: {}", failed.join(", "));
    Ok(())
}

/// Waits until no other lab runs on this machine: one would answer at addresses where the other wants nobody. The lock
/// goes with the file.
fn alone() -> Result<std::fs::File> {
    let path = std::env::temp_dir().join("webmasterid-lab.lock");
    let file = std::fs::File::create(&path).with_context(|| path.display().to_string())?;
    file.lock().context("cannot lock the lab")?;
    Ok(file)
}

/// Runs one script and writes its case folders.
fn record_cases(
    proxy: &dyn Proxy,
    version: &str,
    script: &Script,
    variants: &[&Variant],
    cases: &Path,
) -> Result<()> {
    let dir = temporary_dir()?;
    let served: Vec<SocketAddr> = addresses(script.members)?;
    let mut setup = base_setup(&served);
    let _fixture = Standing::start(script.fixture, dir.path(), &mut setup)?;
    (script.setup)(&mut setup);
    ensure!(proxy.can(&setup), "{} cannot be set up so", proxy.name());
    // Drawn from the name, so that a new recording changes no other.
    let seed = script
        .name
        .bytes()
        .fold(11, |sum: u64, byte| sum * 33 % 1_000_003 + u64::from(byte));
    let start: Timestamp = "2026-11-02T08:12:40+01:00".parse()?;
    let start = start + Duration::from_secs(86_400 * (seed % 20) + 311 * (seed % 7));
    let mut session = Session::start(proxy, dir.path(), &setup, start, &served, seed)?;
    (script.drive)(&mut session)?;
    let (driven, now) = session.end()?;
    let recording = Recording {
        proxy,
        version,
        dir: dir.path(),
        driven: &driven,
        now,
        what: script.what,
        ranges: (script.name == "false-googlebot").then_some(RANGES),
    };
    recording.check_echoes()?;
    for variant in variants {
        recording.write_case(cases, variant)?;
    }
    println!("  {:20} {}", script.name, told(&driven));
    Ok(())
}

/// Address ranges of the lab's Googlebot, in the layout of Google's files.
const RANGES: &str = r#"{
  "creationTime": "2026-11-01T00:00:00.000000",
  "prefixes": [
    {"ipv6Prefix": "2001:db8:4860:4801::/64"},
    {"ipv4Prefix": "192.0.2.0/27"}
  ]
}
"#;

/// One line about what happened: statuses and outcomes with their counts.
pub(crate) fn told(driven: &[truth::Driven]) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for one in driven {
        let name = format!("{} {:03}", one.outcome(), one.logged);
        match counts.iter_mut().find(|(other, _)| *other == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    let errors: usize = driven.iter().map(|one| one.error_lines.len()).sum();
    let counts: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    format!(
        "{} requests, {errors} error lines: {}",
        driven.len(),
        counts.join(", ")
    )
}

fn temporary_dir() -> Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::Builder::new().prefix("lab-").tempdir()?;
    // The proxy's worker runs as another user and reads the clock in it.
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(dir)
}

/// `count` addresses like those of a rack, all on the loopback net.
fn addresses(count: usize) -> Result<Vec<SocketAddr>> {
    (0..count)
        .map(|number| free_address(&format!("127.0.0.{}", 11 + number), 8080))
        .collect()
}

fn base_setup(served: &[SocketAddr]) -> Setup {
    Setup {
        members: served
            .iter()
            .map(|address| Member {
                address: Address::Tcp(*address),
                down: false,
            })
            .collect(),
        upstream: Upstream::Http,
        trusted: PathBuf::from("/etc/ssl/certs/ca-certificates.crt"),
        // Nobody answers there.
        resolver: SocketAddr::from(([127, 0, 0, 1], 1)),
        retry: true,
        // A lone member is not left out: httpd would, for a minute, which has a recording of its own.
        eject: served.len() > 1,
        last_resort: true,
        keepalive: false,
        clients: client::Version::default(),
        timeout: Duration::from_secs(30),
        rule: Rule::None,
        log_ids: false,
        own: proxy::Own::default(),
    }
}

/// What stands beside the proxy while a recording lasts.
enum Standing {
    Nothing,
    Queue {
        _queue: FullQueue,
        socket: Option<PathBuf>,
    },
    Socket {
        _listener: std::os::unix::net::UnixListener,
        path: PathBuf,
    },
    /// A socket that nobody listens on any more.
    Left {
        path: PathBuf,
    },
    Process(Child),
    Resolver {
        _resolver: resolver::Resolver,
    },
}

impl Standing {
    /// Sets it up and makes it the only member.
    fn start(fixture: Fixture, dir: &Path, setup: &mut Setup) -> Result<Self> {
        let socket = Path::new(SOCKET_DIR).join("app.sock");
        let tcp = |address| Member {
            address: Address::Tcp(address),
            down: false,
        };
        let unix = |path: &Path| Member {
            address: Address::Unix(path.to_owned()),
            down: false,
        };
        if matches!(
            fixture,
            Fixture::NoSocket
                | Fixture::ForbiddenSocket
                | Fixture::FullSocket
                | Fixture::StaleSocket
        ) {
            std::fs::create_dir_all(SOCKET_DIR)?;
            setup.members.push(unix(&socket));
        }
        Ok(match fixture {
            Fixture::None | Fixture::NoSocket => Self::Nothing,
            Fixture::FullQueue => {
                let address = free_address("127.0.0.14", 8080)?;
                setup.members.push(tcp(address));
                Self::Queue {
                    _queue: FullQueue::tcp(address)?,
                    socket: None,
                }
            }
            Fixture::FullSocket => {
                let queue = FullQueue::unix(&socket)?;
                allow(&socket, 0o666)?;
                Self::Queue {
                    _queue: queue,
                    socket: Some(socket),
                }
            }
            Fixture::StaleSocket => {
                let listener = origin::unix_socket(&socket)?;
                allow(&socket, 0o666)?;
                drop(listener);
                Self::Left { path: socket }
            }
            Fixture::ForbiddenSocket => {
                let listener = origin::unix_socket(&socket)?;
                allow(&socket, 0o000)?;
                Self::Socket {
                    _listener: listener,
                    path: socket,
                }
            }
            Fixture::NoRoute => {
                setup.members.push(tcp("[2001:db8::5]:8080".parse()?));
                Self::Nothing
            }
            Fixture::Resolver(refusal) => {
                let resolver = resolver::Resolver::start(refusal)?;
                setup.resolver = resolver.address;
                Self::Resolver {
                    _resolver: resolver,
                }
            }
            Fixture::Tls(fault) => {
                let address = free_address("127.0.0.15", 8443)?;
                setup.members.push(tcp(address));
                if fault != Tls::SelfSigned {
                    setup.trusted = dir.join("authority.pem");
                }
                Self::Process(tls::server(dir, address, fault)?)
            }
        })
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        match self {
            Self::Nothing | Self::Resolver { .. } => (),
            Self::Queue { socket, .. } => {
                if let Some(path) = socket {
                    std::fs::remove_file(path).ok();
                }
            }
            Self::Socket { path, .. } | Self::Left { path } => {
                std::fs::remove_file(path).ok();
            }
            Self::Process(child) => {
                child.kill().ok();
                child.wait().ok();
            }
        }
        // Only goes when it is empty.
        std::fs::remove_dir(SOCKET_DIR).ok();
    }
}

fn allow(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(
        path,
        std::fs::Permissions::from_mode(mode),
    )?)
}
