//! `probe` and what belongs to it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use model::CrawlerId;
use probe::{Origin, Place, Url};

use super::Color;
use super::crawlers::{AnswerFormat, parse_seconds};

pub(super) const PROBE_HELP: &str = "\
An origin is 10.0.0.5:8443, [::1]:8080, app.internal (every address of it), with http:// or
https:// before it, or unix:/run/app.sock. Without a scheme it is asked over plain HTTP,
on the ports 443 and 8443 over TLS. NAME:PORT=ADDRESS also asks the address that the edge
uses for the name, as its log or configuration has it, and says when the name no longer
leads there. Host and the name in TLS are always the URL's.

Nobody else is asked: redirects are shown and not followed. Each address is asked once for
each path (and a second time in the other protocol where it closes without a word), with
the agent webmasterid-probe/VERSION. At most 50 origins, 8 addresses of a name, 10 paths.

Exit status:
  0  everything asked is good
  1  internal or output failure
  2  the arguments cannot be used
  4  something is not good; the report says what

Examples:
  webmasterid probe https://www.example.com/
  webmasterid probe https://www.example.com/ --origin 10.0.0.5:8080 --origin 10.0.0.6:8080
  webmasterid probe https://www.example.com/ --origin unix:/run/app.sock --path /robots.txt
  webmasterid probe https://www.example.com/ --origin app:3000=10.0.0.5 --keep-alive 90
  webmasterid probe https://www.example.com/ --as googlebot --format json";

/// Arguments of `probe`.
#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// What to ask for: https://www.example.com/path
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// A server behind the edge, asked for the same; may be given several times
    #[arg(long, value_name = "ADDRESS", value_parser = parse_origin)]
    pub(crate) origin: Vec<Origin>,
    /// Ask the edge at this address instead of those of its name; may be given several times
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = parse_place)]
    pub(crate) edge: Vec<Place>,
    /// Ask for this path too, such as /robots.txt; may be given several times
    #[arg(long, value_name = "PATH", value_parser = parse_path)]
    pub(crate) path: Vec<String>,
    /// Come with the agent of this crawler, the probe's own name behind it
    #[arg(long = "as", value_name = "CRAWLER", value_parser = parse_crawler)]
    pub(crate) sent_as: Option<CrawlerId>,
    /// How long to wait: for the name, for connection and TLS, and for the whole answer, each
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = parse_seconds)]
    pub(crate) timeout: Duration,
    /// What the edge holds a response header in, such as 16k; else nginx's default, 4k or 8k by machine
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) header_buffer: Option<usize>,
    /// Keep the connection to origins open and say when they close it, waiting this long at most
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) keep_alive: Option<Duration>,
    /// Authorities to trust instead of the machine's, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Tell origins first, in a line of the PROXY protocol (version 1), who asks
    #[arg(long)]
    pub(crate) proxy_protocol: bool,
    /// Take any certificate of origins, as nginx does unless told otherwise; what is wrong with it is still said
    #[arg(long)]
    pub(crate) no_verify_origin: bool,
    /// How to write the answer
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: AnswerFormat,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
}

impl ProbeArgs {
    /// The URL, taken apart.
    pub(crate) fn target(&self) -> Result<Url, String> {
        self.url.parse()
    }
}

fn parse_origin(text: &str) -> Result<Origin, String> {
    text.parse()
}

fn parse_place(text: &str) -> Result<Place, String> {
    text.parse()
}

fn parse_path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err("a path begins with /".to_owned());
    }
    probe::check_path(text).map(|()| text.to_owned())
}

fn parse_crawler(text: &str) -> Result<CrawlerId, String> {
    knowledge::crawler_named(text)
        .ok_or_else(|| "no such crawler; `webmasterid crawlers list` names them".to_owned())
}

/// `8192`, `8k`, `1m`.
fn parse_bytes(text: &str) -> Result<usize, String> {
    let lower = text.to_ascii_lowercase();
    let (digits, unit) = match lower.as_bytes().last() {
        Some(b'k') => (&lower[..lower.len() - 1], 1 << 10),
        Some(b'm') => (&lower[..lower.len() - 1], 1 << 20),
        _ => (lower.as_str(), 1),
    };
    let bytes = digits
        .parse::<usize>()
        .ok()
        .and_then(|it| it.checked_mul(unit));
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "a number of bytes, such as 8192 or 16k".to_owned())
}
