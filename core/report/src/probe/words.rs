//! Sentences about a probe.

use std::time::Duration;

use model::probe::{Difference, KeepAlive, Note, Part, Side, Verdict, VerdictKind};
use model::{Cause, CrawlerId};

use crate::crawler;
use crate::words::{count, list, number};

/// The first words of the report.
pub(super) const fn state(kind: VerdictKind) -> &'static str {
    match kind {
        VerdictKind::BothFail => "BOTH FAIL",
        VerdictKind::EdgeFailsOriginGood => "EDGE FAILS, ORIGIN GOOD",
        VerdictKind::EdgeFails => "EDGE FAILS",
        VerdictKind::DiffersByAddress => "DIFFERS BY ADDRESS",
        VerdictKind::ResolvesElsewhere => "RESOLVES ELSEWHERE",
        VerdictKind::OriginFailsEdgeGood => "ORIGIN FAILS, EDGE GOOD",
        VerdictKind::AnswersDiffer => "ANSWERS DIFFER",
        VerdictKind::AllGood => "ALL GOOD",
    }
}

/// What one part comes to; names its paths where there are other parts.
pub(super) fn sentence(part: &Part, verdict: &Verdict) -> String {
    let is_only = verdict.parts.len() == 1;
    let paths = if is_only {
        String::new()
    } else {
        format!("{}: ", list(&part.paths, "and"))
    };
    let (edge, origin) = (&part.edge, &part.origin);
    let says = match part.kind {
        VerdictKind::BothFail if causes(edge) == causes(origin) => {
            format!("edge and origin both fail{}", why(origin))
        }
        VerdictKind::BothFail => {
            format!(
                "both fail: the origin{}, and the edge{}",
                why(origin),
                why(edge)
            )
        }
        VerdictKind::EdgeFailsOriginGood => format!(
            "the edge fails{} though the origin answers well from here, so the fault lies at the edge or between the two",
            why(edge)
        ),
        VerdictKind::EdgeFails => format!("the edge fails{}; no origin was asked", why(edge)),
        VerdictKind::DiffersByAddress => {
            let sides =
                [("edge", edge), ("origin", origin)].map(|(name, side)| of_side(name, side));
            let sides: Vec<String> = sides.into_iter().flatten().collect();
            sides.join("; ")
        }
        VerdictKind::ResolvesElsewhere => {
            let rows = part.elsewhere.iter();
            let rows: Vec<String> = rows
                .map(|(name, place)| {
                    let name = name.split('=').next().unwrap_or(name);
                    format!("{name} does not lead to {place}, the address given for it")
                })
                .collect();
            let sides =
                [("edge", edge), ("origin", origin)].map(|(name, side)| of_side(name, side));
            let sides: Vec<String> = sides.into_iter().flatten().collect();
            format!("{}; {}", list(&rows, "and"), sides.join("; "))
        }
        VerdictKind::OriginFailsEdgeGood if *edge == Side::Absent => {
            format!("the origin fails{}", why(origin))
        }
        VerdictKind::OriginFailsEdgeGood => {
            format!("the edge answers well, the origin fails{}", why(origin))
        }
        VerdictKind::AnswersDiffer => answers(part, verdict),
        VerdictKind::AllGood => match (edge, origin) {
            (Side::Absent, Side::Absent) => "no address could be asked from here".to_owned(),
            (Side::Absent, _) => "the origin answers well at every address".to_owned(),
            (_, Side::Absent) => "the edge answers well at every address".to_owned(),
            _ => "edge and origin answer well at every address".to_owned(),
        },
    };
    let mut letters = says.chars();
    let first = letters.next().filter(|_| is_only);
    match first {
        // A name keeps its letters.
        Some(first) if part.kind != VerdictKind::ResolvesElsewhere => {
            format!("{}{}.", first.to_uppercase(), letters.as_str())
        }
        _ => format!("{paths}{says}."),
    }
}

/// What each side answers, where one refuses or lacks what the other gives.
fn answers(part: &Part, verdict: &Verdict) -> String {
    let rows = verdict.differences.iter();
    let mut rows = rows.filter(|row| part.paths.contains(&row.path));
    let statuses = rows.find_map(|row| row.what.iter().find(|(name, ..)| *name == "status"));
    let Some((_, edge, origin)) = statuses else {
        return "edge and origin answer differently".to_owned();
    };
    let refuses = |status: &str| matches!(status, "401" | "403" | "407" | "451");
    if refuses(edge) {
        format!("the edge refuses ({edge}) what the origin gives ({origin})")
    } else if refuses(origin) {
        format!("the origin refuses ({origin}) what the edge gives ({edge})")
    } else {
        format!("the edge answers {edge}, the origin {origin}: perhaps another application")
    }
}

fn of_side(name: &str, side: &Side) -> Option<String> {
    Some(match side {
        Side::Absent => return None,
        Side::Good => format!("the {name} is good"),
        Side::Fails { .. } => format!("the {name} fails{}", why(side)),
        Side::Differs { failing, asked, .. } => format!(
            "of {} of the {name}, {} {}{}",
            count(*asked as u64, "address", "addresses"),
            list(failing, "and"),
            if failing.len() == 1 { "fails" } else { "fail" },
            why(side)
        ),
    })
}

fn causes(side: &Side) -> &[Cause] {
    match side {
        Side::Absent | Side::Good => &[],
        Side::Fails { causes } | Side::Differs { causes, .. } => causes,
    }
}

/// ` (connection refused)`.
fn why(side: &Side) -> String {
    let titles: Vec<String> = causes(side)
        .iter()
        .map(|cause| knowledge::cause(*cause).title.to_owned())
        .collect();
    if titles.is_empty() {
        String::new()
    } else {
        format!(" ({})", list(&titles, "and"))
    }
}

/// What a note says.
pub(super) fn note(note: &Note) -> String {
    match note {
        Note::HeaderAboveSmallBuffer(bytes) => format!(
            "the header has {} bytes: too large for nginx's buffer of 4 KiB, which is its default on most machines \
             (proxy_buffer_size)",
            number(*bytes)
        ),
        Note::LengthRepeated => {
            "the same Content-Length stands there twice: some gateways refuse that".to_owned()
        }
        Note::Surplus => "bytes come after the end of the answer".to_owned(),
        Note::BodyNotReadToEnd => "the body is larger than what a probe reads".to_owned(),
        Note::BodyStillComing => "the body was still coming when the time was up".to_owned(),
        Note::NoGoodbye => {
            "TLS was cut without a goodbye, so nobody can tell whether the body was whole"
                .to_owned()
        }
        Note::CertificateUnchecked(why) => format!("not checked, as asked: {why}"),
        Note::AddressesLeftOut(more) => {
            let more = count(*more as u64, "more address", "more addresses");
            format!("the name has {more}, which were not asked")
        }
        Note::NoIpv6Here => {
            "not asked: this machine has no way out for IPv6, which says nothing about the site"
                .to_owned()
        }
    }
}

/// How long an idle connection lived.
pub(super) fn keep_alive(found: KeepAlive) -> String {
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    match found {
        KeepAlive::Closed(after) => format!(
            "an idle connection is closed after {}: the edge's own idle time-out must be shorter, or it will reuse one as it \
             closes",
            seconds(after)
        ),
        KeepAlive::StillOpen(after) => {
            format!(
                "an idle connection was still open after {}, when we left",
                seconds(after)
            )
        }
        KeepAlive::NotKept => "the connection is not kept: each request needs a new one".to_owned(),
    }
}

/// How answers differ.
pub(super) fn difference(row: &Difference) -> String {
    let parts: Vec<String> = row
        .what
        .iter()
        .map(|(name, edge, origin)| format!("{name} {edge} at the edge, {origin} there"))
        .collect();
    let other = if row.is_other_application {
        ": this may be another application"
    } else {
        ""
    };
    format!(
        "{} at {}: {}{other}",
        row.path,
        row.origin,
        parts.join("; ")
    )
}

/// What it means to come as a crawler.
pub(super) fn sent_as(id: CrawlerId) -> String {
    format!(
        "sent with the user agent of {}. Edges that verify crawlers do so by address, and this machine's is none of \
         {}'s: a refusal (403, 429, a challenge) may be meant for impostors alone",
        crawler::proper_name(id),
        crawler::operator(id)
    )
}
