//! The logs to read, looked at and ranked: by first stamp, then by name.

use std::path::Path;

use files::{Found, Limits};
use intake::{Intake, Look};
use model::{Edge, LogKind, Problem, SourceId, Stamp};

/// A log to read.
pub(crate) struct Source {
    pub(crate) id: SourceId,
    pub(crate) found: Found,
    pub(crate) kind: LogKind,
    /// The product: from its own lines, else from the error log beside it, else from the configuration.
    pub(crate) edge: Edge,
    /// Whether entries of the error log may stand between its requests.
    pub(crate) is_mixed: bool,
    /// Whether such entries may stand further down at least: containers and syslog put both into one stream.
    pub(crate) is_wrapped: bool,
    /// Whether programs share it and one of them has an edge's name.
    pub(crate) names_edge: bool,
    pub(crate) first: Option<Stamp>,
}

/// Finds the logs behind the arguments. What is no log is left out and said so.
pub(crate) fn find(
    paths: &[String],
    limits: &Limits,
    intake: &Intake,
    config_edge: Edge,
) -> (Vec<Source>, Vec<Problem>) {
    let (found, mut problems) = files::find(paths, limits);
    let mut looked: Vec<(Found, Look)> = Vec::new();
    for found in found {
        match look(&found, intake) {
            Ok(look) if look.understood > 0 => looked.push((found, look)),
            // A stream that several programs share: the edge's lines may stand further down.
            Ok(look) if look.others > 0 && paths.contains(&found.name) => {
                looked.push((found, look));
            }
            // A healthy edge has an empty error log; only a file that was asked for by name is worth a word.
            Ok(look) if look.lines == 0 && !paths.contains(&found.name) => {}
            Ok(look) => {
                let reason = unknown(&look, &found.name);
                problems.push(problem(&found, reason));
            }
            Err(error) => problems.push(problem(&found, error.to_string())),
        }
    }
    looked
        .sort_by(|(a, look_a), (b, look_b)| (look_a.first, &a.name).cmp(&(look_b.first, &b.name)));
    let errors: Vec<(String, Edge)> = looked
        .iter()
        .filter(|(_, look)| look.kind == LogKind::Error)
        .map(|(found, look)| (folder(&found.name), look.edge))
        .collect();
    let sources = looked
        .into_iter()
        .enumerate()
        .map(|(index, (found, look))| Source {
            id: SourceId(index as u32),
            edge: match (look.edge, beside(&errors, &folder(&found.name))) {
                (Edge::Unknown, None) if config_edge == Edge::Unknown && look.is_varnish_like => {
                    Edge::Varnish
                }
                (Edge::Unknown, beside) => beside.unwrap_or(config_edge),
                (edge, Some(beside)) if edge.may_be(beside) => beside,
                (edge, _) => edge,
            },
            kind: look.kind,
            // Caddy writes its errors beside its requests, and none may stand at the beginning.
            is_mixed: look.is_mixed || look.kind == LogKind::Access && look.edge == Edge::Caddy,
            is_wrapped: look.is_wrapped,
            names_edge: look.names_edge,
            first: look.first,
            found,
        })
        .collect();
    (sources, problems)
}

fn look(found: &Found, intake: &Intake) -> std::io::Result<Look> {
    let mut head = files::head(found)?;
    // The last line of a longer file is cut here; a short file may lack its last line end.
    if head.len() >= files::HEAD_BYTES
        && let Some(end) = head.iter().rposition(|byte| *byte == b'\n')
    {
        head.truncate(end + 1);
    }
    Ok(intake.look(&head, Edge::Unknown))
}

fn unknown(look: &Look, name: &str) -> String {
    match (look.lines, name) {
        (0, "-") => "nothing came on standard input",
        (0, _) => "empty file",
        _ => {
            "no line at its beginning has a known log layout; give the layout with --log-format or --config"
        }
    }
    .to_owned()
}

fn problem(found: &Found, reason: String) -> Problem {
    Problem {
        source: found.name.clone(),
        line: None,
        reason,
        count: 1,
    }
}

fn folder(name: &str) -> String {
    Path::new(name)
        .parent()
        .map(|parent| parent.display().to_string())
        .unwrap_or_default()
}

/// The product of the error logs in the same folder, or of all error logs, where they agree.
fn beside(errors: &[(String, Edge)], place: &str) -> Option<Edge> {
    let agreed = |edges: Vec<Edge>| {
        let first = *edges.first()?;
        edges.iter().all(|edge| *edge == first).then_some(first)
    };
    let here = errors
        .iter()
        .filter(|(folder, _)| folder == place)
        .map(|(_, edge)| *edge)
        .collect();
    agreed(here).or_else(|| agreed(errors.iter().map(|(_, edge)| *edge).collect()))
}
