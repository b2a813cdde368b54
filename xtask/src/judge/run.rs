//! One log after the other, answered by every method and scored.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};

use super::answer::Answer;
use super::kind::Kind;
use super::peer::{self, burn, windows};
use super::program::Program;
use super::public::{self, Example};
use super::request;
use super::scenario;
use super::score::{Scored, score};
use super::truth::Truth;

/// Each thread holds a log or two in memory.
const THREADS: usize = 2;

/// Folders of the answers under `--write`.
pub(crate) const METHODS: [&str; 3] = ["judge", "windows", "burn"];

/// A log to run.
pub(crate) enum Job {
    Own {
        kind: &'static Kind,
        seed: u64,
        half: Half,
    },
    Public(Box<Example>),
}

/// Peers are tuned on one half of the logs, and all are compared on the other.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Half {
    Tuning,
    HeldOut,
}

/// One log, answered by every method.
pub(crate) struct Run {
    /// None for the worked examples.
    pub(crate) half: Option<Half>,
    pub(crate) log: PathBuf,
    pub(crate) truth: Truth,
    pub(crate) judge: Scored,
    /// By rule.
    pub(crate) windows: Vec<(Answer, Scored)>,
    pub(crate) burn: Vec<(Answer, Scored)>,
}

pub(crate) struct Bench<'a> {
    pub(crate) program: &'a Program,
    pub(crate) folder: &'a Path,
    pub(crate) keeps_logs: bool,
}

impl Bench<'_> {
    /// All of them, in the order given.
    pub(crate) fn run_all(&self, jobs: &[Job]) -> Result<Vec<Run>> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        let work = || -> Result<()> {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = jobs.get(index) else {
                    return Ok(());
                };
                let run = self.run(job)?;
                if let Ok(mut done) = done.lock() {
                    done.push((index, run));
                }
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
            threads.into_iter().try_for_each(|thread| {
                let joined = thread.join();
                joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })?;
        let mut done = done.into_inner().unwrap_or_default();
        done.sort_by_key(|(index, _)| *index);
        Ok(done.into_iter().map(|(_, run)| run).collect())
    }

    fn run(&self, job: &Job) -> Result<Run> {
        let (log, bytes, truth, half) = match job {
            Job::Own { kind, seed, half } => {
                let made = scenario::scenario(kind, *seed);
                let log = self.write(&format!("{}.log", made.truth.scenario), &made.log)?;
                let truth = serde_json::to_vec(&made.truth)?;
                self.write(&format!("{}.truth.json", made.truth.scenario), &truth)?;
                (log, made.log, made.truth, Some(*half))
            }
            Job::Public(example) => {
                let bytes = public::bytes(&example.log)?;
                (example.log.clone(), bytes, example.truth.clone(), None)
            }
        };
        let text = self.program.ask(&log)?;
        self.write(&format!("judge/{}.json", truth.scenario), text.as_bytes())?;
        let answer = Answer::parse(&text).with_context(|| log.display().to_string())?;
        if half.is_some() && !self.keeps_logs {
            fs::remove_file(&log)?;
        }
        let series = peer::series(&request::read(&bytes));
        Ok(Run {
            half,
            judge: score(&truth, &answer),
            windows: windows::answers(&series, &truth),
            burn: burn::answers(&series, &truth),
            log,
            truth,
        })
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
        Ok(path)
    }
}
