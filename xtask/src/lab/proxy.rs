//! What the lab asks of a proxy, and what a proxy can be asked to do. To add one: a file beside `nginx.rs` that
//! implements [`Proxy`], and a line in `record`.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::client::Version;
use super::clock::{self, Clock};
use super::origin::Address;
use super::traffic::Ask;

/// How long a proxy may take to start or stop, real time.
const START_MAX: Duration = Duration::from_secs(10);
/// How long a proxy may take to stop after a recording that went wrong, real time.
const STOP_MAX: Duration = Duration::from_secs(1);

/// A server of the pool behind the proxy.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) address: Address,
    /// Marked as down in the configuration.
    pub(crate) down: bool,
}

/// How the proxy asks the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// Plain HTTP.
    Http,
    /// TLS without a look at the certificate.
    Tls,
    /// TLS with a check of the certificate.
    TlsVerified,
    /// FastCGI.
    FastCgi,
    /// A further protocol, by the name that it has in addresses: uwsgi, scgi, grpc, ajp, h2c.
    Protocol(&'static str),
    /// A name that is looked up while the request waits, at a resolver that does not answer.
    UnresolvedName,
    /// A target that is no address.
    BadTarget,
}

/// What the proxy itself does to requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Passes all requests on.
    None,
    /// Answers this status when a client asks more than once a second.
    RateLimit(u16),
    /// Answers 503 with Retry-After, without asking the pool.
    Maintenance,
    /// Turns the pool's errors into a page with status 200.
    MaskErrors,
    /// Rewrites every request to itself.
    RewriteLoop,
    /// Has room for a handful of connections.
    FewConnections,
}

/// A site as the proxy is to serve it, in no proxy's language.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) members: Vec<Member>,
    pub(crate) upstream: Upstream,
    /// The file of the authorities whose certificates the proxy takes, where it checks them.
    pub(crate) trusted: PathBuf,
    /// Where names are looked up, by a proxy that can be told.
    pub(crate) resolver: SocketAddr,
    /// Whether a request that failed on one member is tried on the next.
    pub(crate) retry: bool,
    /// Whether a member that failed is left out for a while.
    pub(crate) eject: bool,
    /// Whether left-out members are tried when no other is left, where the proxy can choose that.
    pub(crate) last_resort: bool,
    /// Whether connections to the pool are kept.
    pub(crate) keepalive: bool,
    /// What clients speak that ask one thing at a time; some proxies take only one version on a port without TLS.
    pub(crate) clients: Version,
    /// Limit for connecting and for silence; lab time where the proxy's timers follow it.
    pub(crate) timeout: Duration,
    pub(crate) rule: Rule,
    /// Whether the error log names the entry's id, where the proxy can be told to.
    pub(crate) log_ids: bool,
    /// Further lines, in the language of the one proxy that the recording is for.
    pub(crate) own: Own,
}

/// Lines of one proxy's own configuration.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Own {
    /// For all of it.
    pub(crate) all: &'static str,
    /// Where requests come in.
    pub(crate) front: &'static str,
    /// Where they go to.
    pub(crate) back: &'static str,
    /// Behind each member of the pool.
    pub(crate) server: &'static str,
}

impl Setup {
    /// The limit for a proxy that is recorded in real time: long enough to tell it from a failure at once.
    pub(crate) fn real_timeout(&self) -> Duration {
        // A machine that is not there is found out after three seconds.
        match self.timeout {
            short if short < Duration::from_secs(5) => short / 4,
            long => long / 2,
        }
    }
}

/// One access-log layout of a proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Name in `case.toml` and of the file in the lab.
    pub(crate) name: &'static str,
    /// The format string in the proxy's own language.
    pub(crate) format: &'static str,
}

/// Where a proxy is to work.
pub(crate) struct Site<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) listen: SocketAddr,
    pub(crate) setup: &'a Setup,
}

/// A proxy that the lab can run.
pub(crate) trait Proxy {
    /// Name in `facts/` and in the folders of `cases/`.
    fn name(&self) -> &'static str;
    /// Version as the installed program states it; an error says which package is missing.
    fn version(&self) -> Result<String>;
    /// The layouts it writes in every run, one file each.
    fn layouts(&self) -> &'static [Layout];
    /// Whether its timers look at the clock, so that lab time can fire them.
    fn timers_follow_clock(&self) -> bool;
    /// Whether it can be set up so.
    fn can(&self, setup: &Setup) -> bool;
    /// Writes the configuration and gives the command that runs it in the foreground.
    fn prepare(&self, site: &Site<'_>) -> Result<Command>;
    /// What its error log says once it has started, if it says anything.
    fn started_says(&self) -> Option<&'static str>;
    /// The layout in which requests and entries stand in one file, and what a line of a request holds.
    fn stream(&self) -> Option<(&'static str, &'static str)> {
        None
    }
    /// Whether it says so at all.
    fn states_echoes(&self) -> bool {
        true
    }
    /// Whether a line of its error log says nothing of a failure: those of every request at a level that tells causes.
    fn is_chatter(&self, _line: &[u8]) -> bool {
        false
    }
    /// How long after that it begins to serve.
    fn starts_after(&self) -> Duration {
        Duration::ZERO
    }
    /// What its error log says when no member of the pool is left to ask.
    fn echo_says(&self) -> &'static str;
    /// Status that stands in the log where the client saw `None`, a broken answer, or hung up.
    fn logs_unanswered_as(&self) -> &'static [u16];

    /// Whether all that reads its logs has started, where other programs do that.
    fn is_ready(&self, _dir: &Path) -> bool {
        true
    }

    /// Whether it is told of the client by a line before the request, since its log names who opened the connection.
    fn takes_proxy_protocol(&self) -> bool {
        false
    }

    /// The target as its access log writes it.
    fn logged_target(&self, target: &str) -> String {
        target.to_owned()
    }

    /// Whether it sees that a client hung up while the origin is still silent.
    fn notices_hangup(&self) -> bool {
        self.timers_follow_clock()
    }

    /// How long an error line may come behind the access line, real time.
    fn error_lag(&self) -> Duration {
        Duration::ZERO
    }

    /// How long it takes to see that a member went or came, real time, where it looks by itself.
    fn ejects_after(&self) -> Duration {
        Duration::ZERO
    }
    /// Whether it sees the time only when something happens, so that it must be woken after a jump of the clock.
    fn wants_waking(&self) -> bool {
        false
    }
    /// The product, where several of its configurations are recorded under names of their own.
    fn edge(&self) -> &'static str {
        self.name()
    }
    /// Whether its stamps follow the lab's clock. A program that reads the clock without the C library cannot be told
    /// another time: it is recorded in real time.
    fn stamps_follow_clock(&self) -> bool {
        true
    }
    /// Status in an access line of the first layout, which must be the line of `ask`.
    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        let line = String::from_utf8_lossy(line);
        let target = self.logged_target(&ask.target);
        let rest = after_request(&line, &format!("{} {target}", ask.method))?;
        let status = rest.split(' ').next().unwrap_or_default();
        status
            .parse()
            .with_context(|| format!("logged status {status}"))
    }
    /// The zone of its stamps, as an offset.
    fn zone(&self) -> &'static str {
        "+01:00"
    }
    /// Whether several of its threads look at the clock at once.
    fn has_threads(&self) -> bool {
        false
    }
    /// Whether a GET that met a dead kept connection is sent again without a trace in any log.
    fn hides_races(&self) -> bool {
        false
    }
    /// How much lab time must pass before a line that is due is written, where the proxy collects lines.
    fn writes_lines_after(&self) -> Option<Duration> {
        None
    }
    /// Whether a line of its error log is about the request that it stands beside. Events are about no request.
    fn errors_name_requests(&self) -> bool {
        true
    }
    /// Whether an access line of the first layout says that the request was tried more than once.
    fn tells_retry(&self, _line: &[u8]) -> bool {
        false
    }
}

/// What follows the request in quotes, whatever its version.
pub(crate) fn after_request<'line>(line: &'line str, request: &str) -> Result<&'line str> {
    let rest = line.split_once(&format!("\"{request} HTTP/"));
    let behind = rest.and_then(|(_, version)| version.split_once("\" "));
    let (_, rest) =
        behind.with_context(|| format!("the last access line is not of {request}: {line}"))?;
    Ok(rest)
}

/// A proxy at work. Dropping it stops the process that was started, and only that one.
pub(crate) struct Running {
    child: Child,
    pub(crate) listen: SocketAddr,
    pub(crate) dir: PathBuf,
}

impl Running {
    /// Starts `proxy` and waits until it takes connections.
    pub(crate) fn start(
        proxy: &dyn Proxy,
        dir: &Path,
        setup: &Setup,
        clock: &Clock,
    ) -> Result<Self> {
        let listen = free_address("127.0.0.1", 0)?;
        let site = Site { dir, listen, setup };
        let mut command = proxy.prepare(&site)?;
        command.envs(clock.variables()?);
        if proxy.has_threads() {
            command.envs([clock::for_threads()?]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(dir.join("stdout"))?)
            .stderr(std::fs::File::create(dir.join("stderr"))?)
            .spawn()
            .with_context(|| format!("cannot start {}", proxy.name()))?;
        let mut running = Self {
            child,
            listen,
            dir: dir.to_owned(),
        };
        running.await_listening(proxy)?;
        Ok(running)
    }

    /// Asks the proxy to read its configuration again.
    pub(crate) fn signal(&self, signal: &str) -> Result<()> {
        let status = Command::new("kill")
            .args([&format!("-{signal}"), &self.child.id().to_string()])
            .status()?;
        anyhow::ensure!(status.success(), "kill -{signal} failed");
        Ok(())
    }

    /// Wakes the proxy, so that it looks at the clock: a connection without a request, which nothing logs.
    pub(crate) fn poke(&self) -> Result<()> {
        drop(TcpStream::connect(self.listen)?);
        Ok(())
    }

    /// Ends the process in good order.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.signal("TERM")?;
        let deadline = Instant::now() + START_MAX;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                bail!("the proxy did not stop");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn await_listening(&mut self, proxy: &dyn Proxy) -> Result<()> {
        let deadline = Instant::now() + START_MAX;
        let log = self.dir.join("error.log");
        let logged = || std::fs::read_to_string(&log).unwrap_or_default();
        let said = || {
            proxy
                .started_says()
                .is_none_or(|says| logged().contains(says))
        };
        while TcpStream::connect(self.listen).is_err() || !said() || !proxy.is_ready(&self.dir) {
            if self.child.try_wait()?.is_some() || Instant::now() > deadline {
                let said = std::fs::read_to_string(self.dir.join("stderr")).unwrap_or_default();
                bail!("{} did not start: {said}{}", proxy.name(), logged());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(proxy.starts_after());
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) || self.signal("TERM").is_err() {
            return;
        }
        let deadline = Instant::now() + STOP_MAX;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        // One that waits for its connections to end would keep the recorder for good.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// An address on the loopback net at which nothing listens: with `port` if that is free, else any.
pub(crate) fn free_address(host: &str, port: u16) -> Result<SocketAddr> {
    let address = |port| -> Result<SocketAddr> { Ok(SocketAddr::new(host.parse()?, port)) };
    let listener = match TcpListener::bind(address(port)?) {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind(address(0)?)?,
    };
    Ok(listener.local_addr()?)
}

/// Whether the recorder runs as root, so that the proxy has to be told to drop that.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// First capture of a version number in what a program says about itself.
pub(crate) fn version_of(program: &str, argument: &str, package: &str) -> Result<String> {
    let output = Command::new(program)
        .arg(argument)
        .output()
        .with_context(|| format!("{program} is not installed (Debian package {package})"))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    said.split(|letter: char| letter != '.' && !letter.is_ascii_digit())
        .find(|word| word.contains('.') && word.starts_with(|letter: char| letter.is_ascii_digit()))
        .map(str::to_owned)
        .with_context(|| format!("{program} {argument} names no version"))
}
