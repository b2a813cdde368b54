//! Reading: sources to a closed tally. One thread reads and inflates, several scan, one folds in the order of the
//! grid, so that the result does not depend on their number.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use files::{BufferPool, ChunkReader, Limits};
use intake::{Chunk, Filter, Held, Intake, Scanned, Settler, Sources, Suspects, Take};
use model::{Edge, Joined, LogKind, Problem, Request, SourceId, Stamp};
use tally::limit::LATE_SECONDS;
use tally::{Tally, View};

use crate::progress::Progress;
use crate::sources::Source;

/// Fetches held before the tally is closed up to the watermark on the way; below it, it is closed once at the end,
/// however far out of order the lines are. 48 bytes each.
const HELD_MAX: usize = 1 << 17;
/// Requests that wait to be told from repeats, before this is done on the way. 400 bytes each.
const HELD_REQUESTS_MAX: usize = 1 << 14;
/// Name of standard input.
const STDIN: &str = "-";
/// Chunks on their way per scanning thread.
const AHEAD: usize = 2;

/// Everything that reading gave.
pub(crate) struct Reading {
    pub(crate) view: View,
    pub(crate) sources: Sources,
    pub(crate) joined: Joined,
    /// Zone of each error log, minutes east of UTC.
    pub(crate) zones: BTreeMap<SourceId, i32>,
    pub(crate) problems: Vec<Problem>,
    /// Newest stamp of all.
    pub(crate) newest: Option<Stamp>,
}

/// Reads all sources. `each` sees every settled request, in no order.
pub(crate) fn read(
    intake: &Intake,
    sources: &[Source],
    limits: &Limits,
    threads: usize,
    error_zone: Option<i32>,
    each: &(dyn Fn(&Request<'_>) + Sync),
) -> Reading {
    let progress = Progress::new(sources.iter().map(|source| source.found.size).sum());
    let mut fold = Fold::new(intake, each);
    let take_of = |source: &Source| match source.is_mixed {
        true if source.found.name != STDIN => Take::Requests,
        true => Take::Stream,
        false if source.is_wrapped => Take::Stream,
        false => Take::All,
    };
    // Error logs and entries between requests first: their keys tell which good requests must wait.
    for number in 0..3 {
        let filter = Filter::of(&fold.scanned.held);
        let taken = |source: &Source| match number {
            0 => (source.kind == LogKind::Error && !source.is_mixed).then_some(Take::All),
            1 => (take_of(source) == Take::Requests).then_some(Take::Entries),
            _ => (source.kind != LogKind::Error || source.is_mixed).then(|| take_of(source)),
        };
        let part: Vec<(&Source, Take)> = sources
            .iter()
            .filter_map(|source| Some((source, taken(source)?)))
            .collect();
        pass(
            intake, &part, limits, threads, &filter, each, &progress, &mut fold,
        );
    }
    progress.finish();
    fold.finish(error_zone)
}

impl Source {
    /// A piece of it, as intake takes it.
    fn chunk<'a>(&self, chunk: &'a files::Chunk, take: Take) -> Chunk<'a> {
        Chunk {
            source: self.id,
            first_line: chunk.first_line,
            edge: self.edge,
            kind: self.kind,
            take,
            names_edge: self.names_edge,
            bytes: &chunk.bytes,
        }
    }
}

/// A chunk on its way to a scanning thread.
struct Job {
    number: u64,
    source: usize,
    chunk: files::Chunk,
}

/// What became of it.
struct Done {
    number: u64,
    source: usize,
    tally: Tally,
    scanned: Scanned,
    /// Newest stamp in the chunk.
    newest: Option<Stamp>,
}

/// What the reading thread says besides chunks.
struct End {
    /// Number of the first chunk that comes after the source's last.
    number: u64,
    source: usize,
    problems: Vec<Problem>,
    /// Lines that were too long to pass on.
    long_lines: u64,
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call, all of it borrowed from `read`"
)]
fn pass(
    intake: &Intake,
    sources: &[(&Source, Take)],
    limits: &Limits,
    threads: usize,
    filter: &Filter,
    each: &(dyn Fn(&Request<'_>) + Sync),
    progress: &Progress,
    fold: &mut Fold<'_>,
) {
    let pool = BufferPool::default();
    let (jobs, take) = sync_channel::<Job>(threads * AHEAD);
    let take = Arc::new(Mutex::new(take));
    let (done, results) = channel::<Done>();
    let (ends, ended) = channel::<End>();
    // A scanned chunk may wait for an earlier one, so what is on its way is bounded by tickets.
    let (give, tickets) = sync_channel::<()>(threads * (AHEAD + 2));
    thread::scope(|scope| {
        let reader_pool = pool.clone();
        scope.spawn(move || {
            feed(
                intake,
                sources,
                limits,
                &reader_pool,
                progress,
                &jobs,
                &give,
                &ends,
            )
        });
        for _ in 0..threads {
            let (take, done, pool) = (Arc::clone(&take), done.clone(), pool.clone());
            scope.spawn(move || work(intake, sources, filter, each, &take, &done, &pool));
        }
        drop(done);
        fold.take(sources, &results, &ended, &tickets, progress);
    });
}

/// Reads chunks in the order of time over all sources: next comes the source whose last chunk begins earliest.
#[expect(
    clippy::too_many_arguments,
    reason = "the body of one thread, called once"
)]
fn feed(
    intake: &Intake,
    sources: &[(&Source, Take)],
    limits: &Limits,
    pool: &BufferPool,
    progress: &Progress,
    jobs: &SyncSender<Job>,
    give: &SyncSender<()>,
    ends: &Sender<End>,
) {
    let mut readers: BTreeMap<(Option<Stamp>, usize), ChunkReader> = BTreeMap::new();
    // In order of first stamp: each is opened when its time has come, so that few files are open at once.
    let mut unopened = sources.iter().enumerate().peekable();
    let mut number = 0;
    loop {
        while let Some((index, (source, _))) = unopened.next_if(|(_, (source, _))| {
            let earliest = readers.first_key_value().map(|((at, _), _)| *at);
            earliest.is_none_or(|at| source.first <= at)
        }) {
            let reader = files::chunks(&source.found, limits)
                .with_pool(pool.clone())
                .with_progress(Arc::clone(&progress.read));
            readers.insert((source.first, index), reader);
        }
        let Some(((_, source), mut reader)) = readers.pop_first() else {
            return;
        };
        let name = &sources[source].0.found.name;
        let next = reader.next();
        let Some(Ok(chunk)) = next else {
            let mut problems = reader.problems(name);
            problems.extend(next.and_then(Result::err).map(|error| error.problem(name)));
            let _ = ends.send(End {
                number,
                source,
                problems,
                long_lines: reader.stats().long_lines,
            });
            continue;
        };
        let at = begins(intake, &chunk.bytes).or(sources[source].0.first);
        if give.send(()).is_err()
            || jobs
                .send(Job {
                    number,
                    source,
                    chunk,
                })
                .is_err()
        {
            return;
        }
        number += 1;
        readers.insert((at, source), reader);
    }
}

/// The first stamp of a chunk, from a few lines of it.
fn begins(intake: &Intake, bytes: &[u8]) -> Option<Stamp> {
    /// Enough for some lines, whatever stands between them.
    const LOOK_BYTES: usize = 4_096;
    intake
        .look(&bytes[..bytes.len().min(LOOK_BYTES)], Edge::Unknown)
        .first
}

fn work(
    intake: &Intake,
    sources: &[(&Source, Take)],
    filter: &Filter,
    each: &(dyn Fn(&Request<'_>) + Sync),
    take: &Mutex<Receiver<Job>>,
    done: &Sender<Done>,
    pool: &BufferPool,
) {
    loop {
        let job = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        let (source, take) = sources[job.source];
        let mut tally = Tally::new();
        let mut newest = None;
        let scanned = intake.scan(source.chunk(&job.chunk, take), filter, &mut |request| {
            newest = newest.max(Some(request.at));
            tally.record(request);
            each(request);
        });
        pool.recycle(job.chunk.bytes);
        newest = newest.max(scanned.held.newest());
        let done_job = Done {
            number: job.number,
            source: job.source,
            tally,
            scanned,
            newest,
        };
        if done.send(done_job).is_err() {
            return;
        }
    }
}

/// Addresses whose claims a reverse name could confirm. Lines are looked at in no order: what is found has none.
pub(crate) fn suspects(
    intake: &Intake,
    sources: &[Source],
    limits: &Limits,
    threads: usize,
) -> Suspects {
    let is_of_requests = |source: &&Source| source.kind != LogKind::Error || source.is_mixed;
    let sources: Vec<(&Source, Take)> = sources
        .iter()
        .filter(is_of_requests)
        .map(|source| (source, Take::Requests))
        .collect();
    let progress = Progress::new(sources.iter().map(|(source, _)| source.found.size).sum());
    let pool = BufferPool::default();
    let (jobs, take) = sync_channel::<Job>(threads * AHEAD);
    let take = Mutex::new(take);
    let all = Mutex::new(Suspects::default());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut found = Suspects::default();
                loop {
                    let job = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { break };
                    let (source, take) = sources[job.source];
                    found.merge(intake.suspects(source.chunk(&job.chunk, take)));
                    pool.recycle(job.chunk.bytes);
                }
                all.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .merge(found);
            });
        }
        let read = sources.iter().enumerate().flat_map(|(index, (source, _))| {
            let reader = files::chunks(&source.found, limits)
                .with_pool(pool.clone())
                .with_progress(Arc::clone(&progress.read));
            // What cannot be read is said by the pass that counts.
            reader.flatten().map(move |chunk| (index, chunk))
        });
        for (source, chunk) in read {
            progress.tick();
            let _ = jobs.send(Job {
                number: 0,
                source,
                chunk,
            });
        }
        drop(jobs);
    });
    progress.finish();
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Folds what the threads found, in the order of the grid.
struct Fold<'a> {
    intake: &'a Intake,
    each: &'a (dyn Fn(&Request<'_>) + Sync),
    tally: Tally,
    scanned: Scanned,
    settler: Settler,
    problems: Vec<Problem>,
    /// Up to where the tally was closed on the way.
    closed: Option<Stamp>,
}

impl<'a> Fold<'a> {
    fn new(intake: &'a Intake, each: &'a (dyn Fn(&Request<'_>) + Sync)) -> Self {
        Self {
            intake,
            each,
            tally: Tally::new(),
            scanned: Scanned::default(),
            settler: Settler::default(),
            problems: Vec::new(),
            closed: None,
        }
    }

    fn take(
        &mut self,
        sources: &[(&Source, Take)],
        results: &Receiver<Done>,
        ended: &Receiver<End>,
        tickets: &Receiver<()>,
        progress: &Progress,
    ) {
        let mut newest: BTreeMap<usize, Option<Stamp>> = sources
            .iter()
            .enumerate()
            .map(|(index, (source, _))| (index, source.first))
            .collect();
        let mut waiting: BTreeMap<u64, Done> = BTreeMap::new();
        let mut ends: Vec<End> = Vec::new();
        let mut next = 0;
        for done in results {
            waiting.insert(done.number, done);
            while let Some(done) = waiting.remove(&next) {
                next += 1;
                let _ = tickets.recv();
                newest.insert(
                    done.source,
                    newest.get(&done.source).copied().flatten().max(done.newest),
                );
                self.tally.merge(done.tally);
                self.scanned.merge(done.scanned);
                ends.extend(ended.try_iter());
                // A source holds the watermark back until all its chunks are folded.
                for end in ends.iter().filter(|end| end.number <= next) {
                    newest.remove(&end.source);
                }
                self.close_on_the_way(&newest);
                progress.tick();
            }
        }
        ends.extend(ended.iter());
        for end in ends {
            let source = sources[end.source].0.id;
            self.scanned.sources.add_unread(source, end.long_lines);
            self.problems.extend(end.problems);
        }
    }

    fn close_on_the_way(&mut self, newest: &BTreeMap<usize, Option<Stamp>>) {
        let Some(watermark) = newest.values().copied().min().flatten() else {
            return;
        };
        let watermark = watermark.plus_secs(-LATE_SECONDS);
        let closes = self.tally.held() > HELD_MAX;
        // What is settled after its time was closed would come late.
        if closes || self.scanned.held.requests() > HELD_REQUESTS_MAX {
            let (tally, each) = (&mut self.tally, self.each);
            self.settler
                .settle_repeats(&mut self.scanned.held, watermark, &mut |request| {
                    tally.record(request);
                    each(request);
                });
        }
        let waiting = self.scanned.held.first_fetch();
        let until = waiting.map_or(watermark, |at| watermark.min(Stamp(at.0 - 1)));
        if closes && self.closed.is_none_or(|closed| closed < until) {
            self.tally.close(until);
            self.closed = Some(until);
        }
    }

    fn finish(mut self, error_zone: Option<i32>) -> Reading {
        let held: Held = std::mem::take(&mut self.scanned.held);
        // Two sinks share the tally: requests and signs never come at the same time.
        let tally = std::cell::RefCell::new(self.tally);
        self.settler.settle(
            self.intake,
            held,
            &self.scanned.sources,
            error_zone,
            &mut |request| {
                tally.borrow_mut().record(request);
                (self.each)(request);
            },
            &mut |sign| tally.borrow_mut().sign(sign),
        );
        let mut tally = tally.into_inner();
        tally.close(Stamp(i64::MAX));
        let view = tally.view();
        Reading {
            newest: view.span.map(|(_, newest)| newest),
            view,
            sources: self.scanned.sources,
            joined: self.settler.joined,
            zones: self.settler.zones,
            problems: self.problems,
        }
    }
}
