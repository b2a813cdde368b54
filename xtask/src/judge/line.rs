//! Requests as nginx writes them: `combined`, with or without its upstream fields.

use std::io::Write as _;

use jiff::civil;

use super::dice::Dice;
use super::site::Site;
use super::traffic::{Sent, attempt_status};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
/// What stands between the requests of any log that is open to the world, or was cut by a full disk. Each has its stamp:
/// logs are cut by time to ask again, also by the scorer that comes with the worked examples.
const BROKEN: [&str; 6] = [
    r#"203.0.113.77 - - [STAMP] "\x16\x03\x01\x00" 400 0 "-" "-""#,
    r#"203.0.113.78 - - [STAMP] "-" 408 0 "-" "-""#,
    r#"203.0.113.79 - - [STAMP] "GET /cut/of"#,
    "203.0.113.80 - - [STAMP] \"GET /\u{0}\u{0}\u{0}\u{0}",
    r#"203.0.113.81 - - [STAMP] "GET / HTTP/1.1" five 157 "-" "-""#,
    r#"203.0.113.82 - - [STAMP] "GET" 400 0 "-" "-""#,
];

/// The log as bytes.
pub(crate) fn write(dice: &mut Dice, site: &Site, sent: &[Sent]) -> Vec<u8> {
    let mut log = Vec::with_capacity(sent.len() * 240);
    let mut broken: Vec<usize> = (0..site.broken_lines)
        .map(|_| dice.below(sent.len().max(1)))
        .collect();
    broken.sort_unstable();
    for (index, sent) in sent.iter().enumerate() {
        let stamp = stamp(sent.request.at, zone(site, sent.time));
        while broken.first() == Some(&index) {
            broken.remove(0);
            let line = dice.pick(&BROKEN).replace("STAMP", &stamp);
            log.extend_from_slice(line.as_bytes());
            log.push(b'\n');
        }
        write_one(&mut log, site, sent, &stamp);
    }
    log
}

fn write_one(log: &mut Vec<u8>, site: &Site, sent: &Sent, stamp: &str) {
    let request = &sent.request;
    // Writing into memory cannot fail.
    let _ = write!(
        log,
        "{} - - [{stamp}] \"GET {} HTTP/1.1\" {} {} \"-\" \"{}\"",
        request.address, request.path, request.status, sent.bytes, sent.agent
    );
    if site.names_upstreams {
        let _ = write_upstreams(log, sent);
    }
    log.push(b'\n');
}

fn write_upstreams(log: &mut Vec<u8>, sent: &Sent) -> std::io::Result<()> {
    let request = &sent.request;
    write!(log, " rt={:.3}", sent.seconds)?;
    if request.attempts.is_empty() {
        return write!(log, " uaddr=\"-\" ustatus=\"-\" urt=\"-\"");
    }
    let list = |word: &dyn Fn(&(String, bool)) -> String| {
        let words: Vec<String> = request.attempts.iter().map(word).collect();
        words.join(", ")
    };
    let last = request.attempts.len() - 1;
    let is_last = |attempt: &(String, bool)| request.attempts[last] == *attempt;
    write!(
        log,
        " uaddr=\"{}\" ustatus=\"{}\" urt=\"{}\"",
        list(&|attempt| attempt.0.clone()),
        list(&|attempt| attempt_status(attempt.1, request.status).to_string()),
        list(&|attempt| match is_last(attempt) {
            true => format!("{:.3}", sent.seconds),
            false => "0.000".to_owned(),
        }),
    )
}

fn zone(site: &Site, time: f64) -> i32 {
    match site.zone_change {
        Some((from, zone)) if time >= from => zone,
        _ => site.zone,
    }
}

/// `13/Feb/2026:19:02:30 -0500`
fn stamp(at: i64, zone: i32) -> String {
    let local = at + i64::from(zone) * 60;
    let epoch = civil::date(1970, 1, 1).to_datetime(civil::Time::midnight());
    let local = epoch.saturating_add(jiff::SignedDuration::from_secs(local));
    let sign = if zone < 0 { '-' } else { '+' };
    format!(
        "{:02}/{}/{}:{:02}:{:02}:{:02} {sign}{:02}{:02}",
        local.day(),
        MONTHS[usize::from(local.month().unsigned_abs()) - 1],
        local.year(),
        local.hour(),
        local.minute(),
        local.second(),
        zone.abs() / 60,
        zone.abs() % 60
    )
}
