//! What the user chose to count, from words to settings.

use std::fs;
use std::str::FromStr;

use intake::{Proxies, Settings};
use model::{CrawlerId, Stamp};

use crate::cli::InputArgs;
use crate::clock::{self, Now};
use crate::exit::Failure;

/// 2000-01-01: an earlier stamp is that of a clock that was never set.
const OLDEST_SECONDS: i64 = 946_684_800;
/// Two days: a later stamp is wrong in any zone.
const AHEAD_SECONDS: i64 = 2 * 86_400;

/// Statuses as the user lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statuses(pub(crate) Vec<u16>);

impl Default for Statuses {
    /// Empty: what counts as failed by default.
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl FromStr for Statuses {
    type Err = String;

    /// `429,500-599`.
    fn from_str(text: &str) -> Result<Self, String> {
        let code = |text: &str| match text.trim().parse::<u16>() {
            Ok(code) if (1..=999).contains(&code) => Ok(code),
            _ => Err(format!(
                "{:?} is not a status between 1 and 999",
                text.trim()
            )),
        };
        let mut codes = Vec::new();
        for part in text.split(',') {
            match part.split_once('-') {
                Some((from, to)) => {
                    let (from, to) = (code(from)?, code(to)?);
                    if from > to {
                        return Err(format!("{from}-{to} is an empty range"));
                    }
                    codes.extend(from..=to);
                }
                None => codes.push(code(part)?),
            }
        }
        codes.sort_unstable();
        codes.dedup();
        Ok(Self(codes))
    }
}

/// Between which moments a stamp can be one of a log.
pub(crate) fn plausible() -> (Stamp, Stamp) {
    let newest = Stamp::plus_secs(clock::now(), AHEAD_SECONDS);
    (Stamp::from_secs(OLDEST_SECONDS), newest)
}

/// The settings that these arguments mean.
pub(crate) fn settings(args: &InputArgs) -> anyhow::Result<Settings> {
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since >= until
    {
        return Err(Failure::arguments(
            "--since is not before --until: no request can lie between them",
        ));
    }
    if args.verify && args.paths.iter().any(|path| path == "-") {
        return Err(Failure::arguments(
            "--verify reads the logs twice, and standard input can be read once: give files",
        ));
    }
    // What comes after the moment of judgement is not known yet.
    let after_now = match args.now {
        Some(Now::At(now)) => Some(Stamp(now.0.saturating_add(1))),
        Some(Now::Clock) | None => None,
    };
    let until = args.until.into_iter().chain(after_now).min();
    Ok(Settings {
        failures: args.status.0.clone(),
        since: args.since,
        until,
        plausible: Some(plausible()),
        zone: args.zone,
        sites: args
            .site
            .iter()
            .map(|host| host.to_ascii_lowercase())
            .collect(),
        crawlers: args
            .crawler
            .iter()
            .map(|name| crawler(name))
            .collect::<anyhow::Result<_>>()?,
        verified_only: args.verified_only,
        proxies: proxies(&args.trusted_proxies)?,
    })
}

/// Each an address, a network, or a file with one of them a line; `#` begins a comment.
fn proxies(args: &[String]) -> anyhow::Result<Proxies> {
    let mut proxies = Proxies::default();
    for arg in args {
        if proxies.add(arg) {
            continue;
        }
        let text = fs::read_to_string(arg).map_err(|error| {
            Failure::arguments(format!(
                "--trusted-proxies {arg}: neither an address nor a network, and as a file: {}",
                files::reason(&error)
            ))
        })?;
        for (number, line) in (1..).zip(text.lines()) {
            let entry = line.split('#').next().unwrap_or_default().trim();
            if !entry.is_empty() && !proxies.add(entry) {
                return Err(Failure::arguments(format!(
                    "--trusted-proxies {arg}:{number}: neither an address nor a network in CIDR notation"
                )));
            }
        }
    }
    Ok(proxies)
}

fn crawler(name: &str) -> anyhow::Result<CrawlerId> {
    knowledge::crawler_named(name).ok_or_else(|| {
        Failure::arguments(format!(
            "--crawler {name}: no crawler of that name is known"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_as_lists_and_ranges() {
        assert_eq!(
            "429,500-502".parse(),
            Ok(Statuses(vec![429, 500, 501, 502]))
        );
        assert!("5xx".parse::<Statuses>().is_err());
        assert!("599-500".parse::<Statuses>().is_err());
    }
}
