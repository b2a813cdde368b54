//! One request over one connection, step by step.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::probe::{Failure, KeepAlive, Note, Outcome, Phase, Role, Target};
use model::{Cause, Stamp};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::blame;
use crate::plan::Plan;
use crate::response::{Reader, Wrong};
use crate::secure::{Seen, Trust};

/// Bytes that are read at once.
const READ: usize = 16 * 1024;
/// A look in the other protocol takes this part of the time-out, and no more than a second: whoever speaks it answers
/// within a few round trips, and a worker that only waits would cost the whole time-out for nothing.
const LOOK: u32 = 4;
const LOOK_MAX: Duration = Duration::from_secs(1);

/// What to connect to.
#[derive(Clone, Debug)]
pub(crate) enum Door {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// One request.
pub(crate) struct Job<'j> {
    pub(crate) door: &'j Door,
    pub(crate) target: &'j Target,
    pub(crate) path: &'j str,
    /// Whether it is the first path of its address: idle connections are measured there alone.
    pub(crate) is_first: bool,
    pub(crate) dns: Option<(Phase, Duration)>,
    pub(crate) notes: &'j [Note],
}

/// What all requests of a plan share.
pub(crate) struct Asker<'p> {
    pub(crate) plan: &'p Plan,
    pub(crate) trust: Trust,
    pub(crate) connections: Semaphore,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Marks the end of steps.
struct Steps {
    done: Vec<(Phase, Duration)>,
    since: Instant,
}

impl Steps {
    fn end(&mut self, phase: Phase) {
        let now = Instant::now();
        self.done.push((phase, now - self.since));
        self.since = now;
    }
}

impl Asker<'_> {
    pub(crate) async fn exchange(&self, job: Job<'_>) -> Outcome {
        // Never closed, so there is always a permit some time.
        let _permit = self.connections.acquire().await;
        let mut outcome = Outcome {
            target: job.target.clone(),
            path: job.path.to_owned(),
            at: now(),
            steps: Vec::new(),
            failure: None,
            answer: None,
            tls_version: None,
            keep_alive: None,
            notes: job.notes.to_vec(),
        };
        if !outcome.is_asked() {
            return outcome;
        }
        let mut steps = Steps {
            done: job.dns.into_iter().collect(),
            since: Instant::now(),
        };
        outcome.failure = self.run(&job, &mut steps, &mut outcome).await.err();
        if let Some(failure) = &outcome.failure
            && steps
                .done
                .last()
                .is_none_or(|(phase, _)| *phase < failure.phase)
        {
            steps.end(failure.phase);
        }
        outcome.steps = steps.done;
        outcome
    }

    async fn run(
        &self,
        job: &Job<'_>,
        steps: &mut Steps,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let plan = self.plan;
        let seconds = plan.timeout.as_secs_f64();
        let deadline = Instant::now() + plan.timeout;
        let mut stream = self.open(job, deadline, seconds).await?;
        steps.end(Phase::Connect);
        if job.target.tls {
            let (secured, version, seen) = self.secure(job, stream, deadline).await?;
            stream = secured;
            outcome.tls_version = version;
            if let Some(refused) = seen.refused {
                outcome.notes.push(Note::CertificateUnchecked(refused));
            }
            steps.end(Phase::Tls);
        }
        let keeps = plan
            .keep_alive
            .filter(|_| job.is_first && self.measures(job));
        let deadline = Instant::now() + plan.timeout;
        let request = self.request(job, keeps.is_some());
        let sent = async {
            stream.write_all(request.as_bytes()).await?;
            stream.flush().await
        };
        // A server that answers before it has read, and closes, breaks our writing; its answer is still there.
        match timeout_at(deadline, sent).await {
            Ok(_) => steps.end(Phase::Send),
            Err(_) => return Err(blame::late(Phase::Send, seconds, None)),
        }
        let mut reader = Reader::new(plan.header_buffer);
        let read = self
            .answer(&mut *stream, &mut reader, steps, deadline)
            .await;
        let is_silent = !reader.has_any();
        let is_kept = reader.is_done() && reader.is_kept();
        let body = reader.body_start().to_vec();
        let (answer, notes) = reader.into_answer();
        outcome.notes.extend(notes);
        outcome.answer = answer;
        if let Err(failure) = read {
            let is_closed = failure.cause == Some(Cause::ClosedBeforeHeaders);
            if is_silent && is_closed && !job.target.tls && self.speaks_tls(job).await {
                return Err(blame::failure(
                    Phase::FirstByte,
                    Some(Cause::ProtocolMismatch),
                    "it closes on plain HTTP and answers a TLS handshake: a port of TLS",
                ));
            }
            return Err(failure);
        }
        if let Some(wait) = keeps {
            outcome.keep_alive = Some(if is_kept {
                idle(&mut *stream, wait).await
            } else {
                KeepAlive::NotKept
            });
        }
        let answer = outcome.answer.as_ref();
        answer
            .and_then(|answer| blame::status(answer, &body, job.target.role))
            .map_or(Ok(()), Err)
    }

    /// A connection, and on it the line that says who asks, where that is wanted: it goes before everything, TLS too.
    async fn open(
        &self,
        job: &Job<'_>,
        deadline: Instant,
        seconds: f64,
    ) -> Result<Box<dyn Stream>, Failure> {
        let (mut stream, line) = connect(job.door, deadline, seconds).await?;
        if self.plan.proxy_line && job.target.role == Role::Origin {
            // Few bytes into an empty buffer: what fails here fails again, and is told, with the request.
            let _ = timeout_at(deadline, stream.write_all(line.as_bytes())).await;
        }
        Ok(stream)
    }

    /// Whether idle connections are measured there: at origins, and at the edge where there is nothing else.
    fn measures(&self, job: &Job<'_>) -> bool {
        job.target.role == Role::Origin || self.plan.origins.is_empty()
    }

    fn request(&self, job: &Job<'_>, keeps: bool) -> String {
        let url = &self.plan.url;
        let mut request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: */*\r\n",
            job.path,
            url.authority(),
            self.plan.agent
        );
        if job.target.role == Role::Origin {
            // Without it many applications redirect plain HTTP to https, for ever.
            let proto = if url.tls { "https" } else { "http" };
            request.push_str(&format!("X-Forwarded-Proto: {proto}\r\n"));
        }
        let connection = if keeps { "keep-alive" } else { "close" };
        request.push_str(&format!("Connection: {connection}\r\n\r\n"));
        request
    }

    async fn secure(
        &self,
        job: &Job<'_>,
        stream: Box<dyn Stream>,
        deadline: Instant,
    ) -> Result<(Box<dyn Stream>, Option<&'static str>, Seen), Failure> {
        let seconds = self.plan.timeout.as_secs_f64();
        let is_checked = job.target.role == Role::Edge || self.plan.checks_origins;
        let internal = |detail: String| blame::failure(Phase::Tls, None, detail);
        let (config, witness) = self.trust.config(is_checked).map_err(internal)?;
        let name = ServerName::try_from(self.plan.url.host.clone())
            .map_err(|_| internal(format!("{} can be no name in TLS", self.plan.url.host)))?;
        let connector = TlsConnector::from(Arc::new(config));
        let shaken = timeout_at(deadline, connector.connect(name, stream)).await;
        let seen = witness.seen();
        match shaken {
            Ok(Ok(stream)) => {
                let version = match stream.get_ref().1.protocol_version() {
                    Some(rustls::ProtocolVersion::TLSv1_2) => Some("TLS 1.2"),
                    Some(rustls::ProtocolVersion::TLSv1_3) => Some("TLS 1.3"),
                    _ => None,
                };
                Ok((Box::new(stream), version, seen))
            }
            Ok(Err(error)) => {
                if blame::is_silent(&error) && self.speaks_plain(job).await {
                    return Err(blame::failure(
                        Phase::Tls,
                        Some(Cause::ProtocolMismatch),
                        "it closes on TLS and answers plain HTTP: a plain port",
                    ));
                }
                Err(blame::handshake(&error, seen.certificates))
            }
            Err(_) => {
                // A plain server may wait for the end of a line that never comes.
                if seen.certificates == 0 && self.speaks_plain(job).await {
                    return Err(blame::failure(
                        Phase::Tls,
                        Some(Cause::ProtocolMismatch),
                        "it is silent on TLS and answers plain HTTP: a plain port",
                    ));
                }
                Err(blame::late(Phase::Tls, seconds, None))
            }
        }
    }

    fn look_until(&self) -> Instant {
        Instant::now() + (self.plan.timeout / LOOK).min(LOOK_MAX)
    }

    /// A second look at what closed on TLS: whether it answers plain HTTP.
    async fn speaks_plain(&self, job: &Job<'_>) -> bool {
        let deadline = self.look_until();
        let look = async {
            let mut stream = self.open(job, deadline, 0.0).await.ok()?;
            let request = self.request(job, false);
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut start = [0; 7];
            stream.read_exact(&mut start).await.ok()?;
            (&start == b"HTTP/1.").then_some(())
        };
        matches!(timeout_at(deadline, look).await, Ok(Some(())))
    }

    /// A second look at what closed on plain HTTP: whether it answers a handshake, with whatever certificate.
    async fn speaks_tls(&self, job: &Job<'_>) -> bool {
        let deadline = self.look_until();
        let Ok((config, witness)) = self.trust.config(false) else {
            return false;
        };
        let Ok(name) = ServerName::try_from(self.plan.url.host.clone()) else {
            return false;
        };
        let look = async {
            let stream = self.open(job, deadline, 0.0).await.ok()?;
            let connector = TlsConnector::from(Arc::new(config));
            connector.connect(name, stream).await.ok().map(drop)
        };
        let shaken = timeout_at(deadline, look).await;
        matches!(shaken, Ok(Some(()))) || witness.seen().certificates > 0
    }

    async fn answer(
        &self,
        stream: &mut dyn Stream,
        reader: &mut Reader,
        steps: &mut Steps,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let plan = self.plan;
        let mut buffer = vec![0; READ];
        let mut last = Instant::now();
        loop {
            let phase = phase(reader);
            let read = match timeout_at(deadline, stream.read(&mut buffer)).await {
                Ok(read) => read,
                Err(_) => {
                    reader.stop().map_err(of_wrong)?;
                    // What still flows is slow or without end, but it is an answer.
                    if phase == Phase::Body && last + plan.timeout / 2 > deadline {
                        reader.note(Note::BodyStillComing);
                        steps.end(Phase::Body);
                        return Ok(());
                    }
                    let seconds = plan.timeout.as_secs_f64();
                    return Err(blame::late(phase, seconds, Some(reader.answer())));
                }
            };
            last = Instant::now();
            let bytes = match read {
                Ok(count) => &buffer[..count],
                // TLS was cut without a goodbye. Where the length is known it shows whether anything is missing.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    reader.end().map_err(of_wrong)?;
                    reader.note(Note::NoGoodbye);
                    &[]
                }
                Err(error) => {
                    reader.stop().map_err(of_wrong)?;
                    return Err(blame::stream(&error, phase));
                }
            };
            let had_any = reader.has_any();
            let had_head = reader.has_head();
            if !had_any && !bytes.is_empty() {
                steps.end(Phase::FirstByte);
            }
            let fed = reader.feed(bytes);
            if !had_head && reader.has_head() {
                steps.end(Phase::Headers);
            }
            fed.map_err(of_wrong)?;
            if bytes.is_empty() {
                reader.end().map_err(of_wrong)?;
            }
            if reader.has_head() && reader.answer().body_bytes >= plan.body_max && !reader.is_done()
            {
                reader.note(Note::BodyNotReadToEnd);
                steps.end(Phase::Body);
                return Ok(());
            }
            if reader.is_done() {
                steps.end(Phase::Body);
                return Ok(());
            }
        }
    }
}

/// Where an answer stands.
fn phase(reader: &Reader) -> Phase {
    if reader.has_head() {
        Phase::Body
    } else if reader.has_any() {
        Phase::Headers
    } else {
        Phase::FirstByte
    }
}

fn of_wrong(wrong: Wrong) -> Failure {
    blame::failure(wrong.phase, Some(wrong.cause), wrong.detail)
}

/// A connection, and the line of the PROXY protocol for it.
async fn connect(
    door: &Door,
    deadline: Instant,
    seconds: f64,
) -> Result<(Box<dyn Stream>, String), Failure> {
    let connected = async {
        Ok::<(Box<dyn Stream>, String), io::Error>(match door {
            Door::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                let line = proxy_line(stream.local_addr()?, *address);
                (Box::new(stream), line)
            }
            Door::Unix(path) => (
                Box::new(UnixStream::connect(path).await?),
                "PROXY UNKNOWN\r\n".to_owned(),
            ),
        })
    };
    match timeout_at(deadline, connected).await {
        Ok(Ok(connected)) => Ok(connected),
        Ok(Err(error)) => Err(blame::connect(&error, matches!(door, Door::Unix(_)))),
        Err(_) => Err(blame::late(Phase::Connect, seconds, None)),
    }
}

/// Version 1: <https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt>, section 2.1.
fn proxy_line(from: SocketAddr, to: SocketAddr) -> String {
    let family = if to.is_ipv4() { "TCP4" } else { "TCP6" };
    format!(
        "PROXY {family} {} {} {} {}\r\n",
        from.ip(),
        to.ip(),
        from.port(),
        to.port()
    )
}

/// Waits for the other side to close.
async fn idle(stream: &mut dyn Stream, wait: Duration) -> KeepAlive {
    let since = Instant::now();
    let mut buffer = [0; 256];
    let closed = async {
        // Whatever comes without a request is no answer.
        while matches!(stream.read(&mut buffer).await, Ok(count) if count > 0) {}
    };
    match timeout_at(since + wait, closed).await {
        Ok(()) => KeepAlive::Closed(since.elapsed()),
        Err(_) => KeepAlive::StillOpen(wait),
    }
}

/// Whether this machine has a way to that address. Nothing is sent: a datagram socket only looks for the route.
pub(crate) fn has_route(address: &SocketAddr) -> bool {
    UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).is_ok_and(|socket| socket.connect(address).is_ok())
}

/// The moment by the clock.
pub(crate) fn now() -> Stamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Stamp(i64::try_from(millis).unwrap_or(i64::MAX))
}
