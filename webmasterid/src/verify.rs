//! `--verify`: a first look at the logs for addresses to ask about, and the answers.

use std::io::{self, IsTerminal, Write};

use dns::{Asked, Error};
use files::Limits;
use intake::{ADDRESSES_MAX, Intake};
use model::{Limit, Problem};

use crate::cli::InputArgs;
use crate::exit::Failure;
use crate::pipeline;
use crate::sources::Source;

/// Asks name servers about the crawlers in `sources` and gives the answers to intake. The only use of the network.
pub(crate) fn with_answers(
    args: &InputArgs,
    intake: Intake,
    sources: &[Source],
    limits: &Limits,
    threads: usize,
    problems: &mut Vec<Problem>,
) -> anyhow::Result<(Intake, Option<Limit>)> {
    if let Some(stream) = sources.iter().find(|source| source.found.is_stream()) {
        return Err(Failure::arguments(format!(
            "--verify reads the logs twice, and {} can be read once: give files",
            report::printable(&stream.found.name)
        )));
    }
    let suspects = pipeline::suspects(&intake, sources, limits, threads);
    if !suspects.is_empty() && io::stderr().is_terminal() {
        // It is a courtesy: a closed stderr is no reason to stop.
        let _ = writeln!(
            io::stderr(),
            "asking DNS about {} addresses ...",
            suspects.len()
        );
    }
    let settings = dns::Settings {
        servers: args.resolver.clone(),
        ..dns::Settings::default()
    };
    let Asked { answers, questions } =
        dns::ask(&suspects, &settings).map_err(|error| match error {
            Error::NoServer => {
                Failure::arguments(format!("--verify: {error}; name one with --resolver"))
            }
            Error::Runtime(_) => anyhow::Error::new(error),
        })?;
    if questions.unanswered > 0 {
        problems.push(Problem {
            source: "--verify".to_owned(),
            line: None,
            reason: format!(
                "{} of {} questions to name servers had no usable answer: those crawlers are unchecked",
                questions.unanswered,
                questions.reverse + questions.forward
            ),
            count: 1,
        });
    }
    let limit = (answers.left_out() > 0).then(|| Limit {
        name: "addresses that DNS is asked about; the claims of the others are unchecked",
        limit: ADDRESSES_MAX as u64,
        dropped: answers.left_out(),
    });
    Ok((intake.with_answers(answers), limit))
}
