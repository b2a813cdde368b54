//! Every command and option: the one table that help, completions and the man page come from.

mod crawlers;
mod explain;
mod probe;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use model::{Edge, Stamp, Verdict};

use crate::clock::{self, Now};
use crate::selection::Statuses;

pub(crate) use crawlers::{
    AnswerFormat, CrawlersCommand, IdentifyArgs, ListArgs, ListFormat, RefreshArgs,
};
pub(crate) use explain::{ExplainArgs, PageFormat};
pub(crate) use probe::ProbeArgs;

/// Which layer broke, which crawlers lost what, whether they came back, and what to do: from the logs of your edge.
#[derive(Debug, Parser)]
#[command(name = "webmasterid", version, about, arg_required_else_help = true)]
#[command(after_help = "Start with: webmasterid diagnose /var/log/nginx/")]
pub(crate) struct Cli {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what is broken, since when, for whom, and what to do
    #[command(after_help = DIAGNOSE_HELP)]
    Diagnose(DiagnoseArgs),
    /// List every failed fetch with its cause and the line that shows it
    #[command(after_help = FAILURES_HELP)]
    Failures(FailuresArgs),
    /// Ask the edge and the origins behind it, phase by phase, and say on which side the fault is
    #[command(after_help = probe::PROBE_HELP)]
    Probe(Box<ProbeArgs>),
    /// Known crawlers, whose an address is, and the address ranges that operators publish
    #[command(subcommand, after_help = crawlers::CRAWLERS_HELP)]
    Crawlers(CrawlersCommand),
    /// Write the 503 with Retry-After that planned work deserves, or check that a site answers so
    #[command(after_help = MAINTENANCE_HELP)]
    Maintenance(MaintenanceArgs),
    /// Say what a status, a cause, a verdict or robots.txt means, what crawlers do, and what to check, with sources
    #[command(after_help = explain::EXPLAIN_HELP)]
    Explain(ExplainArgs),
    /// Print the log format that tells causes apart, or say what a given log can tell
    #[command(after_help = LOGFORMAT_HELP)]
    Logformat(LogformatArgs),
    /// Rewrite logs so that they may be shown to strangers and still give the same diagnosis
    #[command(after_help = REDACT_HELP)]
    Redact(RedactArgs),
    /// Print the JSON Schema of a machine output
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
}

const DIAGNOSE_HELP: &str = "\
Exit status:
  0  a report was made, whatever it says
  1  internal or output failure
  2  the arguments cannot be used
  3  nothing was readable, or too much was not
  10 --fail-on: such an incident stands

Examples:
  webmasterid diagnose /var/log/nginx/
  webmasterid diagnose access.log* error.log --marks deploys.txt
  zcat old.gz | webmasterid diagnose - --format json
  webmasterid diagnose /var/log/nginx --verify
  webmasterid diagnose /var/log/nginx --fail-on persistent,overload

Marks are one a line: TIME[..TIME] deploy|maintenance LABEL
  2026-11-22T09:12:00+01:00 deploy release 41
  2026-11-23T02:00:00Z..2026-11-23T02:30:00Z maintenance database";

const FAILURES_HELP: &str = "\
Rows are in the order of time. A request that was served but is not clean (saved by a retry, body cut after a 200,
client gone) is a row too, with the status that the client saw.

Example:
  webmasterid failures /var/log/nginx/ --format csv > failures.csv";

const REDACT_HELP: &str = "\
What stays: times, statuses, sizes, durations, the edge's own words, names of upstreams, paths and agents of crawlers.
What is replaced, the same by the same: addresses, host names, queries, ids, and words of other clients' paths that no
crawler asked for. What goes: other agents, referrers, cookies, user names, and every line that is not understood.
Give access and error log together, so that they still belong together. Read the result before you paste it.
Shown on recordings of twelve products to give the same diagnosis. Where H2O cuts a long path, one entry less is joined.

Examples:
  webmasterid redact access.log error.log > for-the-issue.log
  webmasterid redact /var/log/haproxy.log --into safe/";

const LOGFORMAT_HELP: &str = "\
The format holds no query, no cookie and no referrer, and of people as little as the product allows.

Examples:
  webmasterid logformat haproxy
  webmasterid logformat --check /var/log/haproxy.log";

const MAINTENANCE_HELP: &str = "\
Everything but robots.txt gets 503 with Retry-After and no-store; robots.txt stays 200 from the edge's disk, as
Google crawls nothing of a site whose robots.txt answers 5xx (explain ROB-07). The text says where it belongs and how to turn it on and off.
With --while-down the edge answers so by itself while the origin cannot be reached. That hides 502s from crawlers and
from people who look at statuses alone; for Google such answers are meant for hours, at most for a day or two.

Exit status of --verify: 0 all is right; 10 something is not, and the lines say what; 1 no answer.

Examples:
  webmasterid maintenance nginx --for 10m > /etc/nginx/snippets/maintenance.conf
  webmasterid maintenance --verify https://www.example.com/ --expect off   before
  webmasterid maintenance --verify https://www.example.com/ --expect on    during
  webmasterid maintenance --verify https://www.example.com/ --expect off   after";

/// Arguments of `maintenance`.
#[derive(Debug, Args)]
pub(crate) struct MaintenanceArgs {
    /// The product: nginx, haproxy, apache, caddy, envoy, traefik or varnish
    #[arg(value_name = "EDGE", required_unless_present = "verify", value_parser = parse_maintenance_edge)]
    pub(crate) edge: Option<Edge>,
    /// How long the work takes: what Retry-After says (90s, 10m, 2h, 1d)
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = parse_span)]
    pub(crate) span: u64,
    /// robots.txt on the edge's disk
    #[arg(long, value_name = "FILE", default_value = "/var/www/html/robots.txt", value_parser = parse_plain_path)]
    pub(crate) robots: String,
    /// The file whose presence turns it on (HAProxy: the map file); else the product's usual folder
    #[arg(long, value_name = "FILE", value_parser = parse_plain_path)]
    pub(crate) switch: Option<String>,
    /// Answer so while the origin cannot be reached, instead of at a switch
    #[arg(long, conflicts_with = "switch")]
    pub(crate) while_down: bool,
    /// Ask a running site instead, and say whether it answers as it should
    #[arg(long, value_name = "URL", conflicts_with_all = ["edge", "while_down", "switch"])]
    pub(crate) verify: Option<String>,
    /// Whether maintenance should be on now
    #[arg(long, value_enum, value_name = "STATE", requires = "verify")]
    pub(crate) expect: Option<MaintenanceState>,
    /// Trust these certificate authorities (PEM) instead of the machine's
    #[arg(long, value_name = "FILE", requires = "verify")]
    pub(crate) ca: Option<PathBuf>,
}

/// Whether maintenance is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MaintenanceState {
    /// 503 with Retry-After.
    On,
    /// Served as ever.
    Off,
}

/// Arguments of `redact`.
#[derive(Debug, Args)]
pub(crate) struct RedactArgs {
    /// Log files, directories or patterns; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Write a file for each log into this folder instead of all to standard output
    #[arg(long, value_name = "FOLDER")]
    pub(crate) into: Option<PathBuf>,
    /// Address ranges of a crawler: one that calls itself so from elsewhere is treated as a visitor
    #[arg(long, value_name = "[NAME=]FILE")]
    pub(crate) ranges: Vec<String>,
    /// Leave the site's host names as they are
    #[arg(long)]
    pub(crate) keep_hosts: bool,
    /// A log format that the content cannot tell
    #[arg(long, value_name = "STRING")]
    pub(crate) log_format: Vec<String>,
    /// A configuration file of nginx or Apache: its log formats are used
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Vec<PathBuf>,
}

/// Arguments of `logformat`.
#[derive(Debug, Args)]
pub(crate) struct LogformatArgs {
    /// The product: nginx, haproxy, envoy, ...
    #[arg(value_name = "EDGE", required_unless_present = "check", value_parser = parse_edge)]
    pub(crate) edge: Option<Edge>,
    /// Say instead what these logs can tell and what they cannot
    #[arg(long, num_args = 1.., value_name = "PATH", conflicts_with = "edge")]
    pub(crate) check: Vec<String>,
    /// A log format that the content cannot tell
    #[arg(long, value_name = "STRING", requires = "check")]
    pub(crate) log_format: Vec<String>,
}

/// What to read and how.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Log files, directories or patterns; `-` for standard input. Plain, gzip and zstd; access and error logs are
    /// told apart by their content
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// A log format that the content cannot tell: the format string from the configuration of nginx, httpd, HAProxy, Envoy,
    /// Varnish, Traffic Server, Squid, lighttpd, nghttpx or H2O
    #[arg(long, value_name = "STRING", help_heading = "Reading")]
    pub(crate) log_format: Vec<String>,
    /// A configuration file of nginx or Apache: its log formats are used
    #[arg(long, value_name = "FILE", help_heading = "Reading")]
    pub(crate) config: Vec<PathBuf>,
    /// Zone of stamps in access logs that carry none (HAProxy's, and those of formats of one's own), such as +01:00;
    /// else they are taken as UTC
    #[arg(long, value_name = "OFFSET", value_parser = clock::parse_offset, allow_hyphen_values = true, help_heading = "Reading")]
    pub(crate) zone: Option<i32>,
    /// Zone of the error logs, such as +01:00, where the join should not find it
    #[arg(long, value_name = "OFFSET", value_parser = clock::parse_offset, allow_hyphen_values = true, help_heading = "Reading")]
    pub(crate) error_zone: Option<i32>,
    /// Address ranges of a crawler, in any layout that operators publish, beside the ones that `crawlers refresh` stored;
    /// NAME is a crawler or an operator, and may be left out where the operator's file name tells. A file without a date
    /// inside is taken as current
    #[arg(long, value_name = "[NAME=]FILE", help_heading = "Reading")]
    pub(crate) ranges: Vec<String>,
    /// Leave the stored address ranges out
    #[arg(long, help_heading = "Reading")]
    pub(crate) no_ranges: bool,
    /// Ask DNS whether crawlers are who they say they are: the name of their address must be one of the operator's, and
    /// lead back to the address. Asked for are the addresses of crawlers with such names, and nothing else. The logs
    /// are read twice
    #[arg(long, help_heading = "Verifying")]
    pub(crate) verify: bool,
    /// A name server to ask instead of the system's; may be given several times
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = parse_resolver, requires = "verify", help_heading = "Verifying")]
    pub(crate) resolver: Vec<SocketAddr>,
    /// Your own proxies and load balancers with a public address, or a file with one a line: a client's address is then
    /// the last one that they forward for and that is none of theirs (X-Forwarded-For, where it is logged). Private
    /// addresses, and those of CDNs whose ranges are known, are proxies without being named
    #[arg(
        long,
        value_name = "ADDRESS|CIDR|FILE",
        value_delimiter = ',',
        help_heading = "Verifying"
    )]
    pub(crate) trusted_proxies: Vec<String>,
    /// Count only verified crawlers as crawlers; the others are other clients
    #[arg(long, help_heading = "Verifying")]
    pub(crate) verified_only: bool,
    /// Leave out requests before this time (RFC 3339; UTC without a zone)
    #[arg(long, value_name = "TIME", value_parser = clock::parse_time, help_heading = "Choosing")]
    pub(crate) since: Option<Stamp>,
    /// Leave out requests at this time and later
    #[arg(long, value_name = "TIME", value_parser = clock::parse_time, help_heading = "Choosing")]
    pub(crate) until: Option<Stamp>,
    /// Judge as of this time instead of the newest stamp read, and leave out what is later; `clock` for the real time
    #[arg(long, value_name = "TIME|clock", value_parser = clock::parse_now, help_heading = "Choosing")]
    pub(crate) now: Option<Now>,
    /// Only requests to this host
    #[arg(
        long,
        value_name = "HOST",
        value_delimiter = ',',
        help_heading = "Choosing"
    )]
    pub(crate) site: Vec<String>,
    /// Only fetches of this crawler
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        help_heading = "Choosing"
    )]
    pub(crate) crawler: Vec<String>,
    /// Statuses that count as failed
    #[arg(
        long,
        value_name = "CODES",
        default_value = "429,500-599",
        help_heading = "Choosing"
    )]
    pub(crate) status: Statuses,
    /// Threads that read; the report is the same for any number
    #[arg(long, value_name = "N", hide = true)]
    pub(crate) threads: Option<usize>,
}

impl InputArgs {
    /// These paths, with every other choice as by default.
    pub(crate) fn of(paths: Vec<String>, log_format: Vec<String>) -> Self {
        Self {
            paths,
            log_format,
            config: Vec::new(),
            zone: None,
            error_zone: None,
            ranges: Vec::new(),
            trusted_proxies: Vec::new(),
            no_ranges: true,
            verify: false,
            resolver: Vec::new(),
            verified_only: false,
            since: None,
            until: None,
            now: None,
            site: Vec::new(),
            crawler: Vec::new(),
            status: Statuses::default(),
            threads: None,
        }
    }
}

/// Arguments of `diagnose`.
#[derive(Debug, Args)]
pub(crate) struct DiagnoseArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// How to write the report
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Report"
    )]
    pub(crate) format: ReportFormat,
    /// Every incident and every row
    #[arg(long, help_heading = "Report")]
    pub(crate) full: bool,
    /// One incident alone: its number in the report or its id
    #[arg(long, value_name = "N|ID", value_parser = parse_incident, help_heading = "Report")]
    pub(crate) incident: Option<report::IncidentChoice>,
    /// Deploys and maintenance, shown beside incidents
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub(crate) marks: Option<PathBuf>,
    /// Also write what crawlers failed to get into this file, as CSV: one row for each crawler and path, what is still
    /// owed first
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub(crate) owed: Option<PathBuf>,
    /// Exit with 10 when an incident of such a verdict is ongoing
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', value_parser = parse_verdict, help_heading = "Report")]
    pub(crate) fail_on: Vec<Verdict>,
    /// Let --fail-on also look at incidents that have ended
    #[arg(long, requires = "fail_on", help_heading = "Report")]
    pub(crate) fail_on_ended: bool,
    /// When to use colour
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Report"
    )]
    pub(crate) color: Color,
}

/// Arguments of `failures`.
#[derive(Debug, Args)]
pub(crate) struct FailuresArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// How to write the rows
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Report"
    )]
    pub(crate) format: RowFormat,
    /// Requests by other clients too, without their path
    #[arg(long, help_heading = "Report")]
    pub(crate) all_clients: bool,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Which output
    #[arg(value_enum, default_value_t)]
    pub(crate) output: SchemaOf,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// A command; without one the page of the program
    pub(crate) command: Option<String>,
}

/// How to write a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For a terminal
    #[default]
    Text,
    /// Machine output, version 1
    Json,
    /// For a ticket
    Markdown,
    /// One row for each incident
    Csv,
}

/// How to write rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowFormat {
    /// For a terminal
    #[default]
    Text,
    /// One JSON object a line
    Ndjson,
    /// For a spreadsheet
    Csv,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// When standard output is a terminal and NO_COLOR is not set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Outputs with a schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// `diagnose --format json`
    #[default]
    Diagnose,
    /// One line of `failures --format ndjson`
    Failures,
    /// `probe --format json`
    Probe,
}

fn parse_incident(text: &str) -> Result<report::IncidentChoice, String> {
    report::IncidentChoice::parse(text).ok_or_else(|| {
        "neither a number of the report nor an id of 16 hexadecimal digits".to_owned()
    })
}

fn parse_resolver(text: &str) -> Result<SocketAddr, String> {
    /// Of DNS.
    const PORT: u16 = 53;
    let bare = || text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT));
    let parsed = text.parse().or_else(|_| bare());
    parsed.map_err(|_| "not an address such as 192.0.2.53, [2001:db8::53]:53 or ::1".to_owned())
}

fn parse_edge(text: &str) -> Result<Edge, String> {
    let known = || Edge::ALL.into_iter().filter(|edge| *edge != Edge::Unknown);
    known().find(|edge| edge.name() == text).ok_or_else(|| {
        let names: Vec<&str> = known().map(Edge::name).collect();
        format!("no such product; there are {}", names.join(", "))
    })
}

fn parse_maintenance_edge(text: &str) -> Result<Edge, String> {
    let known = proxyconf::MAINTENANCE_EDGES;
    known
        .into_iter()
        .find(|edge| edge.name() == text)
        .ok_or_else(|| {
            let names = known.map(Edge::name);
            format!("there is no text for it; there are {}", names.join(", "))
        })
}

/// Seconds of `90s`, `10m`, `2h`, `1d`.
fn parse_span(text: &str) -> Result<u64, String> {
    /// A week: what is down for longer is not planned work.
    const SPAN_MAX: u64 = 7 * 86_400;
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let times = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("a number and one of s, m, h, d is wanted".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "no whole number before the unit".to_owned())?;
    match number.checked_mul(times) {
        Some(seconds @ 1..=SPAN_MAX) => Ok(seconds),
        _ => Err("between a second and a week".to_owned()),
    }
}

/// A path that can stand in any configuration as it is.
fn parse_plain_path(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    match text.starts_with('/') && text.bytes().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("an absolute path of letters, digits, `.`, `_` and `-` is wanted".to_owned()),
    }
}

fn parse_verdict(text: &str) -> Result<Verdict, String> {
    Verdict::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Verdict::ALL.into_iter().map(Verdict::name).collect();
        format!("no such verdict; there are {}", names.join(", "))
    })
}
