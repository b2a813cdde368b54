//! `cargo xtask judge`: how well the program tells incidents and their verdicts, on seeded logs of every kind of
//! situation and on the worked examples, beside the two methods that operators use today.
//!
//! kind + seed ─▶ scenario (log, truth) ─▶ program ─▶ answer ─▶ score ─▶ figures
//!
//! What is measured must not measure itself: requests, facts, evidence and scores are computed here without the
//! program's own crates. To add a kind of situation: a function in `kind/` and a line in its table.

mod answer;
mod dice;
mod evidence;
mod fact;
mod fault;
mod figure;
mod kind;
mod line;
mod online;
mod peer;
mod program;
mod public;
mod request;
mod run;
mod scenario;
mod scope;
mod score;
mod site;
mod table;
mod traffic;
mod truth;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use self::figure::{Figures, figures};
use self::kind::KINDS;
use self::online::Online;
use self::peer::tune::{self, Peers};
use self::program::Program;
use self::run::{Bench, Half, Job, METHODS, Run};
use self::score::Scored;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seeds of each kind
    #[arg(long, value_name = "N", default_value_t = 6)]
    seeds: u64,
    /// The first of them
    #[arg(long, value_name = "N", default_value_t = 1)]
    first_seed: u64,
    /// Only this kind of situation
    #[arg(long, value_name = "NAME")]
    kind: Option<String>,
    /// Ask again on logs cut at `first_detected` whether the incident is there
    #[arg(long)]
    audit: bool,
    /// Ask again on logs cut 10 minutes, 1 hour and 6 hours after the earliest possible detection
    #[arg(long)]
    replay: bool,
    /// Leave logs, truths and answers in this folder
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
    /// Everything that was told wrong
    #[arg(long)]
    misses: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<()> {
    let jobs = jobs(args)?;
    let program = Program::build()?;
    let scratch = tempfile::tempdir().context("no folder for the logs")?;
    let folder = match &args.write {
        Some(folder) => std::path::absolute(folder)?,
        None => scratch.path().to_owned(),
    };
    for method in METHODS {
        fs::create_dir_all(folder.join(method)).with_context(|| folder.display().to_string())?;
    }
    let bench = Bench {
        program: &program,
        folder: &folder,
        keeps_logs: args.write.is_some() || args.audit || args.replay,
    };
    let runs = bench.run_all(&jobs)?;
    let peers = tune::tune(&runs);
    print_methods(&runs, &peers);
    print_groups(&runs);
    if args.misses {
        println!();
        for line in runs.iter().flat_map(|run| table::misses(&run.judge)) {
            println!("{line}");
        }
    }
    if args.write.is_some() {
        write_peers(&runs, &peers, &folder)?;
    }
    let online = Online {
        program: &program,
        scratch: scratch.path().to_owned(),
    };
    if args.audit {
        online.audit(&runs)?;
    }
    if args.replay {
        online.replay(&runs)?;
    }
    Ok(())
}

fn jobs(args: &Args) -> Result<Vec<Job>> {
    let mut all = Vec::new();
    for seed in args.first_seed..args.first_seed + args.seeds {
        for (place, kind) in KINDS.iter().enumerate() {
            if args.kind.as_ref().is_none_or(|name| name == kind.name) {
                // By kind as well: sizes follow the seed, and both halves need them all.
                let half = match (seed + place as u64) % 2 {
                    0 => Half::Tuning,
                    _ => Half::HeldOut,
                };
                all.push(Job::Own { kind, seed, half });
            }
        }
    }
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    ensure!(
        !all.is_empty(),
        "no such kind; there are {}",
        names.join(", ")
    );
    if args.kind.is_none() {
        let examples = public::examples()?;
        if examples.is_empty() {
            println!(
                "the worked examples are absent: WEBMASTERID_SHARED names the folder above theirs"
            );
        }
        all.extend(examples.into_iter().map(|one| Job::Public(Box::new(one))));
    }
    Ok(all)
}

/// Our judge and the peers, on the logs that no peer was tuned on and on the worked examples.
fn print_methods(runs: &[Run], peers: &Peers) {
    let of = |is: &dyn Fn(Option<Half>) -> bool| -> Vec<&Run> {
        runs.iter().filter(|run| is(run.half)).collect()
    };
    let own = of(&|half| half.is_some());
    let mut columns = vec![("judge, all".to_owned(), judge(&own))];
    for (which, half) in [("held out", Some(Half::HeldOut)), ("public", None)] {
        let runs = of(&|own| own == half);
        if runs.is_empty() {
            continue;
        }
        columns.push((format!("judge, {which}"), judge(&runs)));
        for peer in &peers.all {
            let scored: Vec<&Scored> = runs.iter().map(|run| peer.scored(run)).collect();
            let figures = figures(&scored, Some(peer.probability));
            columns.push((format!("{}, {which}", peer.name), figures));
        }
    }
    table::print(&columns);
    println!("\nPeers tuned on the other half of the seeds:");
    for peer in &peers.all {
        println!("  {}: {}", peer.name, peer.rule_shown);
    }
}

fn judge(runs: &[&Run]) -> Figures {
    let all: Vec<&Scored> = runs.iter().map(|run| &run.judge).collect();
    figures(&all, None)
}

fn print_groups(runs: &[Run]) {
    let own = runs.iter().filter(|run| run.half.is_some());
    let scored: Vec<&Scored> = own.map(|run| &run.judge).collect();
    let named = |name: &str, of: &dyn Fn(&Scored) -> &str| {
        let own = scored.iter().copied().filter(|one| of(one) == name);
        (name.to_owned(), own.collect::<Vec<_>>())
    };
    let kinds = KINDS
        .iter()
        .map(|kind| named(kind.name, &|one| &one.family));
    table::print_groups("judge by kind", &kinds.collect::<Vec<_>>());
    let sizes = ["XS", "S", "M", "L", "XL"].map(|size| named(size, &|one| &one.size));
    table::print_groups("judge by size", &sizes);
}

fn write_peers(runs: &[Run], peers: &Peers, folder: &Path) -> Result<()> {
    for peer in &peers.all {
        for run in runs {
            let name = format!("{}.json", run.truth.scenario);
            let path = folder.join(peer.name).join(name);
            fs::write(path, peer.answer(run).to_json().to_string())?;
        }
    }
    Ok(())
}
