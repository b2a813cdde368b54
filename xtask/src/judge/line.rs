//! Requests as nginx writes them: `combined`, with or without its upstream fields.

use std::io::Write as _;

use jiff::civil;

use super::dice::Dice;
use super::request::is_failure;
use super::site::Site;
use super::traffic::Sent;

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
    let (mut names, mut statuses, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
    for (name, failed) in &request.attempts {
        names.push(name.as_str());
        statuses.push(attempt_status(*failed, request.status).to_string());
        seconds.push("0.000".to_owned());
    }
    // Who refuses does so at once; the time is that of the last, who answered.
    seconds.pop();
    seconds.push(format!("{:.3}", sent.seconds));
    let (names, statuses) = (names.join(", "), statuses.join(", "));
    let seconds = seconds.join(", ");
    write!(
        log,
        " uaddr=\"{names}\" ustatus=\"{statuses}\" urt=\"{seconds}\""
    )
}

/// An upstream's status: the client's, but where another answered the client well.
fn attempt_status(failed: bool, status: u16) -> u16 {
    if failed && !is_failure(status) {
        502
    } else {
        status
    }
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
