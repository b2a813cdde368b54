//! A reader for the two layouts of the shared logs. The program's own reader is another crate's matter.

use std::collections::BTreeMap;

use super::rows::Row;

/// Tokens of the crawlers in the shared logs.
pub(crate) const CRAWLERS: [&str; 12] = [
    "Googlebot",
    "bingbot",
    "YandexBot",
    "Applebot",
    "DuckDuckBot",
    "GPTBot",
    "OAI-SearchBot",
    "ClaudeBot",
    "PerplexityBot",
    "CCBot",
    "Amazonbot",
    "meta-externalagent",
];

/// Reads all requests, in order of their stamps, repeats marked.
pub(crate) fn rows(text: &str) -> Vec<Row> {
    let mut read: Vec<(Row, &str)> = text.lines().filter_map(row).collect();
    read.sort_by_key(|(row, _)| row.at);
    let mut counted: BTreeMap<(&str, String), i64> = BTreeMap::new();
    for (row, address) in &mut read {
        if row.crawler.is_none() && row.failed {
            let last = counted
                .entry((address, row.path.clone()))
                .or_insert(i64::MIN / 2);
            row.repeat = row.at - *last < 60;
            if !row.repeat {
                *last = row.at;
            }
        }
    }
    read.into_iter().map(|(row, _)| row).collect()
}

fn row(line: &str) -> Option<(Row, &str)> {
    let (address, rest) = line.split_once(' ')?;
    let (_, rest) = rest.split_once('[')?;
    let (stamp, rest) = rest.split_once("] \"")?;
    let (request, rest) = rest.split_once("\" ")?;
    let mut words = request.split(' ');
    let (_method, target) = (words.next()?, words.next()?);
    if !target.starts_with('/') {
        return None;
    }
    let status: u16 = rest.split(' ').next()?.parse().ok()?;
    let agent = rest.split('"').nth(3)?.to_ascii_lowercase();
    let crawler = CRAWLERS
        .iter()
        .position(|token| agent.contains(&token.to_ascii_lowercase()));
    let failed = is_failure(status);
    let attempts = attempts(rest);
    let cached = !failed && rest.contains("uaddr=\"-\"");
    let path = target.split('?').next()?.to_owned();
    let at = seconds(stamp)?;
    Some((
        Row {
            at,
            crawler: crawler.map(|index| index as u16),
            path,
            failed,
            repeat: false,
            cached,
            attempts,
        },
        address,
    ))
}

fn is_failure(status: u16) -> bool {
    status == 429 || (500..600).contains(&status)
}

fn attempts(rest: &str) -> Vec<(String, bool)> {
    let (Some(addresses), Some(statuses)) = (field(rest, "uaddr=\""), field(rest, "ustatus=\""))
    else {
        return Vec::new();
    };
    addresses
        .split(", ")
        .zip(statuses.split(", "))
        .filter(|(address, _)| address.contains(':'))
        .filter_map(|(address, status)| {
            Some((address.to_owned(), is_failure(status.parse().ok()?)))
        })
        .collect()
}

fn field<'a>(rest: &'a str, name: &str) -> Option<&'a str> {
    rest.split_once(name)?.1.split('"').next()
}

/// `13/Feb/2026:19:02:30 -0500` in seconds since the epoch.
fn seconds(stamp: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| stamp.get(range)?.parse::<i64>().ok();
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = months.find(stamp.get(3..6)?)? as i64 / 3 + 1;
    let (day, year) = (number(0..2)?, number(7..11)?);
    let (y, m) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let time = number(12..14)? * 3_600 + number(15..17)? * 60 + number(18..20)?;
    let zone = number(22..24)? * 3_600 + number(24..26)? * 60;
    let zone = if stamp.get(21..22)? == "-" {
        -zone
    } else {
        zone
    };
    Some(days * 86_400 + time - zone)
}
