//! A probe for terminals: the verdict, a table of phases for each address, what differs, what to do.

use std::time::Duration;

use model::probe::{Outcome, Phase, VerdictKind};

use super::{Probed, words};
use crate::clean::{fit, left, right, wrap};
use crate::options::TextOptions;
use crate::text::screen::{Line, Role, labelled, render};
use crate::words::number;

/// Columns of the report; more are not used.
const COLUMNS: usize = 80;
/// Columns of a path, and of one phase.
const PATH: usize = 25;
const CELL: usize = 6;
/// Columns before sentences under a row.
const INDENT: usize = 4;

/// The verdict and its grounds.
pub fn probe_text(probed: &Probed<'_>, options: &TextOptions) -> String {
    let columns = options.width.min(COLUMNS);
    let mut lines = head(probed, columns);
    let mut rest = probed.outcomes;
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|it| it.target == first.target);
        let (block, others) = rest.split_at(same.count());
        rest = others;
        lines.extend(target(block, columns));
    }
    let verdict = probed.verdict;
    let mut foot = Vec::new();
    for (index, row) in verdict.differences.iter().enumerate() {
        let label = if index == 0 { "Differ  " } else { "        " };
        foot.extend(labelled(label, wrap(&words::difference(row), columns - 8)));
    }
    for (index, text) in verdict.advice.iter().enumerate() {
        let label = if index == 0 { "Do      " } else { "        " };
        let numbered = wrap(text, columns - 10);
        let numbered = numbered.into_iter().enumerate().map(|(line, words)| {
            let number = if line == 0 {
                (index + 1).to_string()
            } else {
                " ".to_owned()
            };
            format!("{number} {words}")
        });
        foot.extend(labelled(label, numbered.collect()));
    }
    if let Some(id) = probed.sent_as {
        foot.extend(labelled("Mind    ", wrap(&words::sent_as(id), columns - 8)));
    }
    if !foot.is_empty() {
        lines.push(Line::default());
        lines.extend(foot);
    }
    render(&lines, columns, options.color)
}

fn head(probed: &Probed<'_>, columns: usize) -> Vec<Line> {
    let kind = probed.verdict.kind();
    let role = match kind {
        VerdictKind::AllGood => Role::Good,
        VerdictKind::AnswersDiffer | VerdictKind::ResolvesElsewhere => Role::Warn,
        VerdictKind::BothFail
        | VerdictKind::EdgeFailsOriginGood
        | VerdictKind::EdgeFails
        | VerdictKind::DiffersByAddress
        | VerdictKind::OriginFailsEdgeGood => Role::Bad,
    };
    let state = words::state(kind);
    let room = columns.saturating_sub(state.len() + 2);
    let mut lines =
        vec![Line::with(role, state).then(Role::Plain, format!("  {}", fit(probed.url, room)))];
    let parts = &probed.verdict.parts;
    for part in parts {
        let sentence = words::sentence(part, probed.verdict);
        lines.extend(wrap(&sentence, columns).into_iter().map(Line::plain));
    }
    lines
}

/// One address: its name, a row for each path, and under a row what is to be said about it.
fn target(block: &[Outcome], columns: usize) -> Vec<Line> {
    let first = &block[0];
    let target = &first.target;
    // The address that is given beside a name is one of the addresses shown.
    let shown = target.name.split('=').next().unwrap_or_default();
    let mut name = left(target.role.name(), 8) + shown;
    let bare = shown.rsplit("://").next().unwrap_or_default();
    if let Some(address) = target
        .address
        .as_deref()
        .filter(|address| *address != bare && !bare.ends_with(*address))
    {
        name += &format!("  {address}");
    }
    let version = block.iter().find_map(|outcome| outcome.tls_version);
    name += match (version, target.tls) {
        (Some("TLS 1.2"), _) => "  TLS 1.2",
        (Some(_), _) => "  TLS 1.3",
        (None, true) => "  TLS",
        (None, false) => "  plain HTTP",
    };
    if target.elsewhere {
        name += "  (the name leads elsewhere)";
    }
    let mut lines = vec![
        Line::default(),
        Line::with(Role::Strong, fit(&name, columns)),
    ];
    if block.iter().any(Outcome::is_asked) {
        let mut titles = left("  ms", PATH + 2);
        for phase in Phase::ALL {
            titles += &right(title(phase), CELL);
        }
        lines.push(Line::with(Role::Faint, titles + "   status"));
    }
    let mut told: Vec<String> = Vec::new();
    for outcome in block {
        if outcome.is_asked() {
            lines.push(row(outcome));
        }
        let mut say = |role: Role, text: String| {
            // What holds for every path of an address is said once.
            if !told.contains(&text) {
                let wrapped = wrap(&text, columns - INDENT).into_iter();
                lines.extend(wrapped.map(|line| Line::plain(" ".repeat(INDENT)).then(role, line)));
                told.push(text);
            }
        };
        if let Some(failure) = &outcome.failure {
            let cause = failure.cause.map_or("unknown", |cause| cause.name());
            say(Role::Bad, format!("{cause}: {}", failure.detail));
        } else if let Some(answer) = about(outcome) {
            say(Role::Plain, answer);
        }
        for note in &outcome.notes {
            say(Role::Plain, words::note(note));
        }
        if let Some(found) = outcome.keep_alive {
            say(Role::Plain, words::keep_alive(found));
        }
    }
    lines
}

const fn title(phase: Phase) -> &'static str {
    match phase {
        Phase::Dns => "dns",
        Phase::Connect => "conn",
        Phase::Tls => "tls",
        Phase::Send => "send",
        Phase::FirstByte => "first",
        Phase::Headers => "head",
        Phase::Body => "body",
    }
}

fn row(outcome: &Outcome) -> Line {
    let path = left(&fit(&outcome.path, PATH), PATH);
    let mut line = Line::plain(format!("  {path}"));
    let failed = outcome.failure.as_ref().map(|failure| failure.phase);
    // An error page is a whole answer: its steps are shown, its status is what fails.
    let has_answer = outcome
        .answer
        .as_ref()
        .is_some_and(|answer| answer.is_whole);
    for phase in Phase::ALL {
        if failed == Some(phase) && !has_answer {
            line = line.then(Role::Bad, right("FAIL", CELL));
            continue;
        }
        let step = outcome.steps.iter().find(|(step, _)| *step == phase);
        let is_after = failed.is_some_and(|failed| failed < phase) && !has_answer;
        let cell = match step {
            Some((_, took)) if !is_after => millis(*took),
            _ => "-".to_owned(),
        };
        line = line.then(Role::Plain, right(&cell, CELL));
    }
    let status = outcome.answer.as_ref().map_or_else(
        || "-".to_owned(),
        |answer| match answer.status {
            0 => "-".to_owned(),
            status => status.to_string(),
        },
    );
    let role = if outcome.failure.is_some() {
        Role::Bad
    } else {
        Role::Good
    };
    line.then(role, format!("   {status}"))
}

/// Whole milliseconds, with a decimal below ten; seconds from ten thousand on.
fn millis(took: Duration) -> String {
    let millis = took.as_secs_f64() * 1_000.0;
    if millis < 0.05 {
        "0".to_owned()
    } else if millis < 10.0 {
        format!("{millis:.1}")
    } else if millis < 99_999.0 {
        format!("{millis:.0}")
    } else {
        format!("{:.0}s", millis / 1_000.0)
    }
}

/// The answer in one line.
fn about(outcome: &Outcome) -> Option<String> {
    let answer = outcome.answer.as_ref()?;
    let mut parts = Vec::new();
    parts.extend(answer.server.clone());
    parts.extend(answer.content_type.clone());
    parts.push(format!("{} bytes", number(answer.body_bytes)));
    if let Some(location) = &answer.location {
        parts.push(format!("to {location} (not followed)"));
    }
    Some(parts.join(", "))
}
