//! One recording under way: a proxy, its origins, the clock, the logs as they grow, and the requests driven so far.

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use jiff::Timestamp;

use model::Cause;

use super::client::{self, Exchange, Seen, Version};
use super::clock::Clock;
use super::origin::{Address, Fault, Origin};
use super::proxy::{Proxy, Running, Setup};
use super::traffic::{Ask, Dice};
use super::truth::{Driven, Why};

/// How long a line may take to appear after its request, real time.
const LINE_MAX: Duration = Duration::from_secs(8);
/// Lets a proxy come as far as it can where nothing shows that it has, real time.
const SETTLE: Duration = Duration::from_millis(60);
/// Lets a proxy that was woken look at the clock, real time.
const WAKING: Duration = Duration::from_millis(8);

/// A client's patience takes this part of its time where the proxy lives in real time.
const REAL_PATIENCE_PART: u32 = 20;

/// A log file as far as it has been written.
struct Growing {
    path: std::path::PathBuf,
    /// `None` as long as there is none: some proxies make the file with the first line.
    file: Option<std::fs::File>,
    /// The last whole line and what follows it.
    tail: Vec<u8>,
    count: usize,
}

impl Growing {
    fn open(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            tail: Vec::new(),
            count: 0,
        }
    }

    /// Reads what is new; the number of whole lines so far.
    fn lines(&mut self) -> Result<usize> {
        if self.file.is_none() && self.path.exists() {
            self.file = Some(std::fs::File::open(&self.path)?);
        }
        let Some(file) = &mut self.file else {
            return Ok(0);
        };
        let mut new = Vec::new();
        file.read_to_end(&mut new)?;
        self.count += new.iter().filter(|byte| **byte == b'\n').count();
        self.tail.extend_from_slice(&new);
        let mut ends = self
            .tail
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, byte)| **byte == b'\n');
        if let Some((before, _)) = ends.nth(1) {
            self.tail.drain(..=before);
        }
        Ok(self.count)
    }
}

/// A request that has been sent and not answered.
pub(crate) struct Pending {
    ask: Ask,
    exchange: Exchange,
    errors_before: usize,
    why: Option<Why>,
}

/// A recording under way.
pub(crate) struct Session<'a> {
    pub(crate) proxy: &'a dyn Proxy,
    pub(crate) running: Running,
    pub(crate) clock: Arc<Clock>,
    pub(crate) origins: Vec<Origin>,
    pub(crate) dice: Dice,
    pub(crate) driven: Vec<Driven>,
    /// What is wrong beyond single requests: explains those that fail or leave error lines.
    pub(crate) ambient: Option<Why>,
    /// What clients speak that ask one thing at a time.
    clients: Version,
    access: Growing,
    access_lines: usize,
    errors: Growing,
    error_lines: usize,
}

impl<'a> Session<'a> {
    /// Starts origins and proxy. Members that are no TCP addresses of the lab's own get no origin.
    pub(crate) fn start(
        proxy: &'a dyn Proxy,
        dir: &Path,
        setup: &Setup,
        start: Timestamp,
        served: &[SocketAddr],
        seed: u64,
    ) -> Result<Self> {
        let clock = Arc::new(if proxy.stamps_follow_clock() {
            Clock::new(dir, start)?
        } else {
            Clock::real(dir)
        });
        let origins = served
            .iter()
            .map(|address| Origin::start(Address::Tcp(*address), &clock))
            .collect::<Result<_>>()?;
        let running = Running::start(proxy, dir, setup, &clock)?;
        if let Some(step) = proxy.writes_lines_after() {
            // Such a proxy also reads its own files by a timer.
            clock.advance(step)?;
            std::thread::sleep(3 * SETTLE);
        }
        let layout = proxy.layouts()[0].name;
        Ok(Self {
            proxy,
            running,
            clock,
            origins,
            dice: Dice::new(seed),
            driven: Vec::new(),
            ambient: None,
            clients: setup.clients,
            access: Growing::open(&dir.join(format!("{layout}.log"))),
            access_lines: 0,
            errors: Growing::open(&dir.join("error.log")),
            error_lines: 0,
        })
    }

    /// Lets `seconds` pass, give or take a third: nobody comes by the clock.
    pub(crate) fn pass(&mut self, seconds: u64) -> Result<()> {
        let millis = seconds * 1_000;
        let spread = self.dice.below(millis * 2 / 3 + 1);
        let step = Duration::from_millis(millis * 2 / 3 + spread);
        if !self.proxy.wants_waking() {
            return self.clock.advance(step);
        }
        // In two steps: lighttpd does what is due at the time that it saw last.
        let last = step.min(Duration::from_secs(1));
        for step in [step - last, last] {
            self.clock.advance(step)?;
            self.wake()?;
        }
        Ok(())
    }

    /// Lets a proxy that looks at the clock only when something happens see that time has passed.
    fn wake(&self) -> Result<()> {
        self.running.poke()?;
        std::thread::sleep(WAKING);
        Ok(())
    }

    /// Sends a request and waits for its answer and its lines.
    pub(crate) fn ask(&mut self, ask: Ask) -> Result<Seen> {
        self.ask_because(ask, None)
    }

    /// The same, where the script knows why it goes wrong.
    pub(crate) fn ask_because(&mut self, ask: Ask, why: Option<Why>) -> Result<Seen> {
        let pending = self.begin(ask, why)?;
        self.finish(pending)
    }

    /// Sends several requests over one connection, as browsers do; with why those go wrong that do.
    pub(crate) fn ask_in_turn(&mut self, asks: Vec<(Ask, Option<Why>)>) -> Result<()> {
        let mut stream: Option<TcpStream> = None;
        let last = asks.len().saturating_sub(1);
        for (number, (ask, why)) in asks.into_iter().enumerate() {
            let mut open = match stream.take() {
                Some(stream) => stream,
                None => self.connect(&ask)?,
            };
            let errors_before = self.take_errors()?;
            client::send(&mut open, &ask, Version::Http11, number < last)?;
            let seen = client::receive(&mut open, &ask);
            self.record(ask, seen, false, why, errors_before)?;
            stream = seen.kept.then_some(open);
            self.clock
                .advance(Duration::from_millis(20 + self.dice.below(120)))?;
        }
        Ok(())
    }

    /// Sends requests all at once, each over a connection of its own. Which line belongs to which is found by client and
    /// target; those that are the same in both must come to the same end.
    pub(crate) fn ask_at_once(&mut self, asks: Vec<(Ask, Option<Why>)>) -> Result<()> {
        self.take_errors()?;
        let mut open = Vec::new();
        for (ask, why) in asks {
            let mut stream = self.connect(&ask)?;
            client::send(&mut stream, &ask, Version::Http11, false)?;
            open.push((ask, why, stream));
        }
        let mut answered = Vec::new();
        for (ask, why, mut stream) in open {
            let seen = client::receive(&mut stream, &ask);
            answered.push((ask, why, seen));
        }
        let count = self.access_lines + answered.len();
        self.await_lines(count, "requests at once")?;
        let access = self.read_lines(self.proxy.layouts()[0].name)?;
        let errors_before = self.error_lines;
        self.error_lines = self.errors.lines()?;
        let errors = self.read_lines("error")?;
        let mut unclaimed: Vec<usize> = (errors_before + 1..=self.error_lines).collect();
        for number in self.access_lines + 1..=count {
            let line = &access[number - 1];
            let place = answered
                .iter()
                .position(|(ask, ..)| {
                    self.proxy.logged_status(line, ask).is_ok() && is_from(line, ask)
                })
                .context("an access line that nobody caused")?;
            let (ask, why, seen) = answered.remove(place);
            let logged = self.proxy.logged_status(line, &ask)?;
            self.check(&ask, seen, logged)?;
            let same = answered.iter().any(|(other, ..)| is_same(other, &ask));
            let mine = |error: &usize| is_about(&errors[error - 1], &ask);
            // One line each while others of the same kind wait for theirs.
            let error_lines: Vec<usize> = if same {
                unclaimed.iter().copied().find(mine).into_iter().collect()
            } else {
                unclaimed.iter().copied().filter(mine).collect()
            };
            unclaimed.retain(|error| !error_lines.contains(error));
            self.driven.push(Driven {
                ask,
                aborted: false,
                why,
                access_line: number,
                error_lines,
                logged,
            });
        }
        ensure!(
            unclaimed.is_empty(),
            "error lines {unclaimed:?} that nobody caused"
        );
        self.access_lines = count;
        Ok(())
    }

    /// All lines of one log so far.
    fn read_lines(&self, name: &str) -> Result<Vec<Vec<u8>>> {
        let text = std::fs::read(self.running.dir.join(format!("{name}.log")))?;
        Ok(text
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect())
    }

    /// A connection to the proxy on which it takes the client for that of `ask`.
    fn connect(&self, ask: &Ask) -> Result<TcpStream> {
        let mut stream = client::connect(self.running.listen)?;
        if self.proxy.takes_proxy_protocol() {
            client::introduce(&mut stream, &ask.visitor.addr)?;
        }
        Ok(stream)
    }

    /// Sends a request and does not wait.
    pub(crate) fn begin(&mut self, ask: Ask, why: Option<Why>) -> Result<Pending> {
        let errors_before = self.take_errors()?;
        let exchange = if self.clients == Version::Http2 {
            {
                let introduced = self.proxy.takes_proxy_protocol();
                Exchange::Curl(client::send_http2(self.running.listen, &ask, introduced)?)
            }
        } else {
            let mut stream = self.connect(&ask)?;
            client::send(&mut stream, &ask, self.clients, false)?;
            Exchange::Raw(stream)
        };
        Ok(Pending {
            ask,
            exchange,
            errors_before,
            why,
        })
    }

    /// Waits for the answer to a request under way.
    pub(crate) fn finish(&mut self, pending: Pending) -> Result<Seen> {
        let seen = pending.exchange.receive(&pending.ask);
        self.record(pending.ask, seen, false, pending.why, pending.errors_before)?;
        Ok(seen)
    }

    /// Lets `wait` pass for a request that the origin holds, so that the proxy loses its patience.
    pub(crate) fn time_out(&mut self, pending: Pending, wait: Duration) -> Result<Seen> {
        if self.proxy.timers_follow_clock() {
            self.await_held()?;
            self.clock.advance(wait)?;
            self.running.poke()?;
        }
        if self.proxy.writes_lines_after().is_some() {
            self.let_time_run(&pending, wait)?;
        }
        let seen = self.finish(pending)?;
        self.release();
        Ok(seen)
    }

    /// Moves the clock until the answer begins: a proxy that tries again times out more than once.
    fn let_time_run(&self, pending: &Pending, wait: Duration) -> Result<()> {
        let Exchange::Raw(stream) = &pending.exchange else {
            bail!("only raw connections can be watched");
        };
        let deadline = Instant::now() + LINE_MAX;
        stream.set_read_timeout(Some(SETTLE))?;
        while stream.peek(&mut [0]).is_err() && Instant::now() < deadline {
            self.clock.advance(wait)?;
        }
        client::be_patient(stream)
    }

    /// Hangs up on a request under way after `wait` of lab time.
    pub(crate) fn abort(&mut self, pending: Pending, wait: Duration) -> Result<()> {
        self.await_held()?;
        if self.proxy.stamps_follow_clock() {
            self.clock.advance(wait)?;
        } else {
            std::thread::sleep(wait / REAL_PATIENCE_PART);
        }
        if !self.proxy.notices_hangup() {
            std::thread::sleep(SETTLE);
        }
        let Pending {
            ask,
            exchange,
            errors_before,
            why,
        } = pending;
        exchange.hang_up();
        if !self.proxy.notices_hangup() || self.proxy.writes_lines_after().is_some() {
            // Such a proxy notices the client only once the origin has spoken.
            std::thread::sleep(SETTLE);
            self.release();
        }
        self.record(ask, Seen::default(), true, why, errors_before)?;
        self.release();
        Ok(())
    }

    /// Hangs up on a request under way, of which the origin takes no notice.
    pub(crate) fn leave(&mut self, pending: Pending) -> Result<()> {
        self.settle();
        pending.exchange.hang_up();
        self.record(
            pending.ask,
            Seen::default(),
            true,
            pending.why,
            pending.errors_before,
        )
    }

    /// Waits for the proxy to come as far as it can with a request under way.
    pub(crate) fn settle(&self) {
        std::thread::sleep(SETTLE);
    }

    /// Waits until the last request under way is held by an origin; where nothing listens that could, settles.
    fn await_held(&self) -> Result<()> {
        self.settle();
        Ok(())
    }

    /// Lets every origin let go of what it holds.
    pub(crate) fn release(&self) {
        for origin in &self.origins {
            origin.release();
        }
    }

    /// Makes every answer of every origin fail so.
    pub(crate) fn set_all(&self, mode: Option<Fault>) {
        for origin in &self.origins {
            origin.set(mode);
        }
    }

    /// Stops the listener of one origin: connections to it are refused from here on.
    pub(crate) fn down(&mut self, number: usize) -> Result<()> {
        self.origins[number].down()
    }

    /// Brings one origin back.
    pub(crate) fn up(&mut self, number: usize) -> Result<()> {
        self.origins[number].up()
    }

    /// Error lines up to now belong to earlier requests: gives late ones to the last request.
    fn take_errors(&mut self) -> Result<usize> {
        let count = self.errors.lines()?;
        let late = self.telling(self.error_lines + 1..=count)?;
        if self.proxy.errors_name_requests()
            && let Some(last) = self.driven.last_mut()
        {
            last.error_lines.extend(late);
        }
        self.error_lines = count;
        Ok(count)
    }

    /// Those of these lines of the error log that say something.
    fn telling(&self, numbers: std::ops::RangeInclusive<usize>) -> Result<Vec<usize>> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let lines = self.read_lines("error")?;
        Ok(numbers
            .filter(|number| !self.proxy.is_chatter(&lines[number - 1]))
            .collect())
    }

    /// Waits for the access line and notes the request with its lines.
    fn record(
        &mut self,
        ask: Ask,
        seen: Seen,
        aborted: bool,
        why: Option<Why>,
        errors_before: usize,
    ) -> Result<()> {
        self.await_lines(self.access_lines + 1, &ask.target)
            .with_context(|| format!("the client saw {seen:?}"))?;
        self.access_lines += 1;
        let logged = self.proxy.logged_status(&self.access.tail, &ask)?;
        self.check(&ask, seen, logged)?;
        if !aborted {
            check_body(&ask, seen, logged, why)?;
        }
        std::thread::sleep(self.proxy.error_lag());
        let errors = self.errors.lines()?;
        let error_lines: Vec<usize> = if self.proxy.errors_name_requests() {
            self.telling(errors_before.max(self.error_lines) + 1..=errors)?
        } else {
            Vec::new()
        };
        self.error_lines = errors;
        let retried = self.proxy.tells_retry(&self.access.tail);
        let hit = logged >= 500 || !error_lines.is_empty() || retried;
        let driven = Driven {
            why: why.or(self.ambient.filter(|_| hit)),
            ask,
            aborted,
            access_line: self.access_lines,
            error_lines,
            logged,
        };
        ensure!(
            hit || driven.outcome() != "saved-by-retry",
            "{} {}: the fault left no trace",
            driven.ask.method,
            driven.ask.target
        );
        self.driven.push(driven);
        Ok(())
    }

    /// Waits until the access log has exactly `count` lines.
    fn await_lines(&mut self, count: usize, what: &str) -> Result<()> {
        let deadline = Instant::now() + LINE_MAX;
        let mut waited = Instant::now();
        while self.access.lines()? < count {
            if Instant::now() > deadline {
                bail!("no access line for {what}");
            }
            if let Some(step) = self.proxy.writes_lines_after()
                && waited.elapsed() > SETTLE / 2
            {
                self.clock.advance(step)?;
                waited = Instant::now();
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        ensure!(
            self.access.lines()? == count,
            "{what}: more access lines than requests, the last is {}",
            String::from_utf8_lossy(&self.access.tail)
        );
        Ok(())
    }

    /// The log must say what the client saw.
    fn check(&self, ask: &Ask, seen: Seen, logged: u16) -> Result<()> {
        let agrees = match seen.status {
            Some(status) => status == logged,
            // An answer that comes before the body was sent is lost on curl.
            None if self.clients == Version::Http2 && ask.body > 0 => true,
            None => self.proxy.logs_unanswered_as().contains(&logged),
        };
        ensure!(
            agrees,
            "{} {}: the client saw {:?}, the log says {logged}",
            ask.method,
            ask.target,
            seen.status
        );
        Ok(())
    }

    /// Ends the recording: stops the proxy and gives what was driven.
    pub(crate) fn end(mut self) -> Result<(Vec<Driven>, Timestamp)> {
        self.take_errors()?;
        let now = self.clock.now()?;
        self.running.stop()?;
        Ok((self.driven, now))
    }
}

/// A good answer must have been whole, one that was cut must not.
fn check_body(ask: &Ask, seen: Seen, logged: u16, why: Option<Why>) -> Result<()> {
    let cut = why.is_some_and(|why| why.cause == Some(Cause::TruncatedBody));
    let wrong = (cut && seen.complete) || (why.is_none() && logged < 400 && !seen.complete);
    ensure!(
        !wrong,
        "{} {}: the body was whole: {}",
        ask.method,
        ask.target,
        seen.complete
    );
    Ok(())
}

/// Whether an access line is of the client of `ask`.
fn is_from(line: &[u8], ask: &Ask) -> bool {
    line.starts_with(format!("{} ", ask.visitor.addr).as_bytes())
}

/// Whether two requests cannot be told apart in a log.
fn is_same(one: &Ask, other: &Ask) -> bool {
    one.visitor.addr == other.visitor.addr && one.target == other.target
}

/// Whether an error line names client and path of `ask`.
fn is_about(line: &[u8], ask: &Ask) -> bool {
    let line = String::from_utf8_lossy(line);
    line.contains(&format!("client: {}, ", ask.visitor.addr))
        && line.contains(&format!("\"{} {} HTTP/1.1\"", ask.method, ask.target))
}
