//! `crawlers` and what belongs to it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use model::{Category, Stamp};

use crate::clock;

pub(super) const CRAWLERS_HELP: &str = "\
Examples:
  webmasterid crawlers list --category ai
  webmasterid crawlers refresh
  webmasterid crawlers identify --ua 'Mozilla/5.0 (compatible; GPTBot/1.3)' --ip 192.0.2.7";

const LIST_HELP: &str = "\
checked by: dns is a suffix that the host name of an address must end in, ranges are
addresses that the operator publishes. source: the day on which the operator's own text
was read; unverified is short for Data not yet verified.

Examples:
  webmasterid crawlers list
  webmasterid crawlers list bingbot
  webmasterid crawlers list --category search --format csv";

const IDENTIFY_HELP: &str = "\
Nothing is asked over the network: the lists that `crawlers refresh` stored are looked
into, and what a reverse lookup would have to show is told. The exit status is 0 whatever
the answer is.

Examples:
  webmasterid crawlers identify --ua 'Googlebot-Image/1.0'
  webmasterid crawlers identify --ua \"$agent\" --ip 192.0.2.7 --format json";

const REFRESH_HELP: &str = "\
A list that cannot be fetched, is no list, is no longer whole, or has lost more than half
of its addresses leaves the last good copy where it is. `diagnose` and `failures` use the
stored lists by themselves. HTTPS_PROXY is respected.

Exit status:
  0  every list was fetched and is good
  1  some were not; the lines say which and why
  2  the arguments cannot be used

Examples:
  webmasterid crawlers refresh
  webmasterid crawlers refresh --only Google --only bingbot
  webmasterid crawlers refresh --from https://mirror.example/ranges --ca mirror-ca.pem";

/// Commands of `crawlers`.
#[derive(Debug, Subcommand)]
pub(crate) enum CrawlersCommand {
    /// The crawlers that are known, and how the identity of each can be checked
    #[command(after_help = LIST_HELP)]
    List(ListArgs),
    /// Say whose a user agent and an address are, step by step
    #[command(after_help = IDENTIFY_HELP)]
    Identify(IdentifyArgs),
    /// Fetch the address ranges that operators publish, and store them
    #[command(after_help = REFRESH_HELP)]
    Refresh(RefreshArgs),
}

/// Arguments of `crawlers list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// One crawler in full, or all crawlers of an operator
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Only what crawls for this
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',', value_parser = parse_category)]
    pub(crate) category: Vec<Category>,
    /// How to write it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ListFormat,
}

/// Arguments of `crawlers identify`.
#[derive(Debug, Args)]
pub(crate) struct IdentifyArgs {
    /// The user agent, as logged
    #[arg(long, value_name = "AGENT", allow_hyphen_values = true)]
    pub(crate) ua: String,
    /// The address that it came from
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ip: Option<IpAddr>,
    /// As of this time instead of the real one: a list may have been current then
    #[arg(long, value_name = "TIME", value_parser = clock::parse_time)]
    pub(crate) now: Option<Stamp>,
    /// Address ranges in a file, as `diagnose --ranges` takes them
    #[arg(long, value_name = "[NAME=]FILE")]
    pub(crate) ranges: Vec<String>,
    /// Leave the stored address ranges out
    #[arg(long)]
    pub(crate) no_ranges: bool,
    /// Where `crawlers refresh --dir` has stored them
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: AnswerFormat,
}

/// Arguments of `crawlers refresh`.
#[derive(Debug, Args)]
pub(crate) struct RefreshArgs {
    /// Only the lists of this crawler or operator
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Where to store them; else $WEBMASTERID_RANGES, else webmasterid/ranges in the user's data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
    /// Certificate authorities (PEM) to trust instead of the machine's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// A mirror that holds every file under its own name: BASE/common-crawlers.json
    #[arg(long, value_name = "BASE", value_parser = parse_base)]
    pub(crate) from: Option<String>,
    /// How long one file may take
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = parse_seconds)]
    pub(crate) timeout: Duration,
    /// Store a list even if it has lost more than half of its addresses or is no longer whole
    #[arg(long)]
    pub(crate) force: bool,
}

/// How to write a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For a terminal
    #[default]
    Text,
    /// One JSON object
    Json,
    /// For a spreadsheet
    Csv,
}

/// How to write an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerFormat {
    /// For a terminal
    #[default]
    Text,
    /// One JSON object
    Json,
}

fn parse_category(text: &str) -> Result<Category, String> {
    let mut all = Category::ALL.into_iter();
    all.find(|category| category.name() == text).ok_or_else(|| {
        let names: Vec<&str> = Category::ALL.into_iter().map(Category::name).collect();
        format!("no such category; there are {}", names.join(", "))
    })
}

fn parse_base(text: &str) -> Result<String, String> {
    if text.starts_with("https://") && text.len() > "https://".len() {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("a mirror's address begins with https://".to_owned())
    }
}

pub(super) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "not a number of seconds above 0".to_owned())
}
