//! `crawlers`: the registry, whose an address is, and the lists of addresses that operators publish.

mod identify;
mod list;
mod refresh;

use crate::cli::CrawlersCommand;

/// Runs it; gives the exit status.
pub(crate) fn run(command: &CrawlersCommand) -> anyhow::Result<u8> {
    match command {
        CrawlersCommand::List(args) => list::run(args),
        CrawlersCommand::Identify(args) => identify::run(args),
        CrawlersCommand::Refresh(args) => refresh::run(args),
    }
}
