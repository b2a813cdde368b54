//! A line of the two layouts that scenarios and worked examples are written in, read without the program's own reader:
//! what is measured must not measure itself.

use std::collections::BTreeMap;

/// Tokens of the crawlers in the logs, as they are reported.
pub(crate) const CRAWLERS: [&str; 12] = [
    "Googlebot",
    "bingbot",
    "GPTBot",
    "ClaudeBot",
    "OAI-SearchBot",
    "YandexBot",
    "Applebot",
    "DuckDuckBot",
    "PerplexityBot",
    "CCBot",
    "Amazonbot",
    "meta-externalagent",
];

/// A person who presses reload within this time is one observation, not two.
const REPEAT_S: i64 = 60;

/// One request as the log tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Request {
    /// The stamp, in seconds.
    pub(crate) at: i64,
    pub(crate) address: String,
    pub(crate) crawler: Option<&'static str>,
    pub(crate) path: String,
    pub(crate) status: u16,
    /// Upstreams asked, in turn, and whether each failed.
    pub(crate) attempts: Vec<(String, bool)>,
    /// Served well by the edge itself: says nothing about the origin.
    pub(crate) cached: bool,
    pub(crate) repeat: bool,
}

impl Request {
    pub(crate) fn failed(&self) -> bool {
        is_failure(self.status)
    }

    /// Counts as evidence: neither a reload nor an answer out of the cache.
    pub(crate) fn is_evidence(&self) -> bool {
        !self.repeat && !self.cached
    }
}

pub(crate) fn is_failure(status: u16) -> bool {
    status == 429 || (500..600).contains(&status)
}

/// All requests in order of their stamps, equal ones by place; repeats marked.
pub(crate) fn read(log: &[u8]) -> Vec<Request> {
    let lines = log.split(|byte| *byte == b'\n');
    let mut all: Vec<Request> = lines
        .filter_map(|line| from_line(std::str::from_utf8(line).ok()?))
        .collect();
    in_order(&mut all);
    all
}

/// Sorts by stamp and marks the repeats.
fn in_order(all: &mut [Request]) {
    all.sort_by_key(|request| request.at);
    mark_repeats(all.iter_mut());
}

/// Marks reloads among requests in order.
pub(crate) fn mark_repeats<'a>(all: impl Iterator<Item = &'a mut Request>) {
    let mut counted: BTreeMap<(String, String), i64> = BTreeMap::new();
    for request in all {
        if request.crawler.is_some() || !request.failed() {
            continue;
        }
        let key = (request.address.clone(), request.path.clone());
        let last = counted.insert(key.clone(), request.at);
        if let Some(last) = last.filter(|last| request.at - last < REPEAT_S) {
            request.repeat = true;
            counted.insert(key, last);
        }
    }
}

fn from_line(line: &str) -> Option<Request> {
    let (address, rest) = line.split_once(' ')?;
    let (_, rest) = rest.split_once('[')?;
    let (stamp, rest) = rest.split_once("] \"")?;
    let (request, rest) = rest.split_once("\" ")?;
    let target = request.split(' ').nth(1)?;
    if !target.starts_with('/') {
        return None;
    }
    let status = rest.split(' ').next()?.parse().ok()?;
    let agent = rest.split('"').nth(3)?;
    Some(Request {
        at: seconds(stamp)?,
        address: address.to_owned(),
        crawler: crawler(agent),
        path: target.split('?').next()?.to_owned(),
        status,
        attempts: attempts(rest),
        cached: !is_failure(status) && rest.contains("uaddr=\"-\""),
        repeat: false,
    })
}

/// Who the agent says it is; in these logs that may be believed.
pub(crate) fn crawler(agent: &str) -> Option<&'static str> {
    CRAWLERS.into_iter().find(|token| agent.contains(token))
}

fn attempts(rest: &str) -> Vec<(String, bool)> {
    let (Some(names), Some(statuses)) = (field(rest, " uaddr=\""), field(rest, " ustatus=\""))
    else {
        return Vec::new();
    };
    let pairs = names.split(", ").zip(statuses.split(", "));
    // A name without a port is the upstream block's: no server was asked.
    pairs
        .filter(|(name, _)| name.contains(':'))
        .filter_map(|(name, status)| Some((name.to_owned(), is_failure(status.parse().ok()?))))
        .collect()
}

fn field<'a>(rest: &'a str, name: &str) -> Option<&'a str> {
    rest.split_once(name)?.1.split('"').next()
}

/// `13/Feb/2026:19:02:30 -0500`, in seconds since the epoch.
pub(crate) fn seconds(stamp: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| stamp.get(range)?.parse::<i64>().ok();
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = months.find(stamp.get(3..6)?)? / 3 + 1;
    let day = jiff::civil::Date::new(
        number(7..11)? as i16,
        i8::try_from(month).ok()?,
        number(0..2)? as i8,
    );
    let days = day
        .ok()?
        .duration_since(jiff::civil::Date::new(1970, 1, 1).ok()?);
    let time = number(12..14)? * 3_600 + number(15..17)? * 60 + number(18..20)?;
    let zone = number(22..24)? * 3_600 + number(24..26)? * 60;
    let east = if stamp.get(21..22)? == "-" {
        -zone
    } else {
        zone
    };
    Some(days.as_secs() + time - east)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: &str = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)";

    #[test]
    fn reads_both_layouts() {
        let plain = format!(
            r#"192.0.2.7 - - [13/Feb/2026:19:02:30 -0500] "GET /a/b?c=d HTTP/1.1" 503 157 "-" "{AGENT}""#
        );
        let fields =
            r#" rt=0.1 uaddr="10.0.0.1:80, 10.0.0.2:80" ustatus="502, 200" urt="0.0, 0.1""#;
        let cached = r#" rt=0.0 uaddr="-" ustatus="-" urt="-""#;
        let log = format!(
            "{plain}\n{}{fields}\nnot a line\n{}{cached}\n",
            plain.replace(" 503 ", " 200 "),
            plain.replace(" 503 ", " 304 "),
        );
        let read = read(log.as_bytes());
        assert_eq!(read.len(), 3);
        // date -d '2026-02-14T00:02:30Z' +%s
        assert_eq!(read[0].at, 1_771_027_350);
        assert_eq!(read[0].crawler, Some("bingbot"));
        assert_eq!(read[0].path, "/a/b");
        assert!(read[0].failed() && !read[1].failed());
        let attempts = [("10.0.0.1:80", true), ("10.0.0.2:80", false)];
        assert_eq!(
            read[1].attempts,
            attempts.map(|one| (one.0.to_owned(), one.1))
        );
        assert!(read[2].cached && !read[0].cached && !read[1].cached);
    }

    #[test]
    fn a_reload_counts_once_in_a_minute() {
        let at = |at: i64, crawler: Option<&'static str>| Request {
            at,
            crawler,
            status: 502,
            ..Request::default()
        };
        let mut all: Vec<Request> = [0, 30, 59, 60, 90].map(|second| at(second, None)).into();
        mark_repeats(all.iter_mut());
        let repeats: Vec<bool> = all.iter().map(|one| one.repeat).collect();
        // The minute runs from the failure that was counted, not from the last.
        assert_eq!(repeats, [false, true, true, false, true]);
        let mut all: Vec<Request> = [0, 30].map(|second| at(second, Some("bingbot"))).into();
        mark_repeats(all.iter_mut());
        assert!(all.iter().all(|one| !one.repeat));
    }
}
