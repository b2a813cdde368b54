//! `maintenance`: the 503 with Retry-After, written and verified.

use std::fs;

use fetch::{Answer, Client, TIMEOUT};
use proxyconf::Maintenance;

use crate::cli::{MaintenanceArgs, MaintenanceState};
use crate::exit::{FAIL_ON, Failure};
use crate::output;

/// From here on crawlers are told to stay away for longer than Google advises (RATE-04).
const LONG_SECONDS: u64 = 2 * 86_400;

/// Runs it; gives the exit status.
pub(crate) fn run(args: &MaintenanceArgs) -> anyhow::Result<u8> {
    match (&args.verify, args.edge) {
        (Some(url), _) => verify(url, args),
        (None, Some(edge)) => {
            let planned = Maintenance {
                seconds: args.span,
                robots: &args.robots,
                switch: args.switch.as_deref(),
                while_down: args.while_down,
            };
            let text = proxyconf::maintenance(edge, &planned).ok_or_else(|| {
                Failure::arguments(format!(
                    "--while-down: {} cannot tell its own 502 from the application's",
                    edge.name()
                ))
            })?;
            if args.span > LONG_SECONDS {
                output::note(
                    "Google advises against such answers for more than a day or two (RATE-04)",
                );
            }
            output::write(&text)?;
            Ok(0)
        }
        (None, None) => Err(Failure::arguments("which edge?")),
    }
}

fn verify(url: &str, args: &MaintenanceArgs) -> anyhow::Result<u8> {
    let robots = robots_of(url).ok_or_else(|| {
        Failure::arguments(format!("--verify {url}: not an http or https address"))
    })?;
    let authorities = args.ca.as_ref().map(|path| {
        fs::read(path).map_err(|error| {
            Failure::arguments(format!(
                "--ca {}: {}",
                path.display(),
                files::reason(&error)
            ))
        })
    });
    let client = Client::new(authorities.transpose()?.as_deref(), TIMEOUT)?;
    let look = |url: &str| {
        client
            .look(url)
            .map_err(|error| anyhow::anyhow!("{}: {error}", report::printable(url)))
    };
    let (page, robots_answer) = (look(url)?, look(&robots)?);
    let is_on = page.status == 503;
    let expected = match args.expect {
        Some(state) => state == MaintenanceState::On,
        None => is_on,
    };
    let checks = [page_checks(&page, expected), robots_checks(&robots_answer)].concat();
    let mut text = format!("maintenance is {}\n", if is_on { "on" } else { "off" });
    for (is_right, says) in &checks {
        text += &format!(
            "  {:<6}{}\n",
            if *is_right { "ok" } else { "WRONG" },
            report::printable(says)
        );
    }
    output::write(&text)?;
    Ok(if checks.iter().all(|check| check.0) {
        0
    } else {
        FAIL_ON
    })
}

/// Whether something is right, and what was seen.
type Check = (bool, String);

fn page_checks(page: &Answer, is_on: bool) -> Vec<Check> {
    if !is_on {
        let is_served = page.status < 500 && page.status != 429;
        return vec![(is_served, format!("status {}", page.status))];
    }
    let said = |header: &Option<String>| header.clone().unwrap_or_else(|| "none".to_owned());
    let retry_after = page.retry_after.as_deref().unwrap_or_default().trim();
    // Delay seconds, or a date in GMT (RFC 9110, section 10.2.3).
    let is_delay = retry_after.parse::<u32>().is_ok_and(|seconds| seconds > 0);
    let is_date = retry_after.ends_with(" GMT");
    let cache = page.cache_control.as_deref().unwrap_or_default();
    let is_kept_out = cache
        .split(',')
        .any(|part| part.trim().eq_ignore_ascii_case("no-store"));
    vec![
        (
            page.status == 503,
            format!("status {}, 503 is wanted", page.status),
        ),
        (
            is_delay || is_date,
            format!("Retry-After: {}", said(&page.retry_after)),
        ),
        (
            is_kept_out,
            format!(
                "Cache-Control: {}, no-store is wanted",
                said(&page.cache_control)
            ),
        ),
    ]
}

/// Whatever the state: a crawler that cannot read it stops crawling the site (ROB-07).
fn robots_checks(robots: &Answer) -> Vec<Check> {
    let kind = robots.content_type.as_deref().unwrap_or_default();
    let is_page = kind.to_ascii_lowercase().contains("html");
    vec![
        (
            robots.status == 200,
            format!("robots.txt: status {}, 200 is wanted", robots.status),
        ),
        (
            robots.status != 200 || robots.bytes > 0 && !is_page,
            format!(
                "robots.txt: {} bytes, {}",
                robots.bytes,
                if kind.is_empty() { "no type" } else { kind }
            ),
        ),
    ]
}

/// `https://host:port/robots.txt` of a URL.
fn robots_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest
        .split(['/', '?', '#'])
        .next()
        .filter(|host| !host.is_empty())?;
    matches!(scheme, "http" | "https").then(|| format!("{scheme}://{host}/robots.txt"))
}
