//! Marks: what the operator did and when, one a line.

use std::fs;
use std::path::Path;

use model::{Mark, MarkKind};

use crate::clock::parse_time;
use crate::exit::Failure;

/// Reads a marks file: `TIME[..TIME] deploy|maintenance LABEL`; blank lines and lines that begin with `#` are left out.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Mark>> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::arguments(format!("--marks {name}: {}", files::reason(&error)))
    })?;
    let mut marks = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mark = parse(line).map_err(|reason| {
            Failure::arguments(format!("--marks {name}:{}: {reason}", index + 1))
        })?;
        marks.push(mark);
    }
    marks.sort();
    Ok(marks)
}

fn parse(line: &str) -> Result<Mark, String> {
    let (times, rest) = line
        .split_once(char::is_whitespace)
        .ok_or("no kind after the time")?;
    let rest = rest.trim_start();
    let (kind, label) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (start, end) = match times.split_once("..") {
        Some((start, end)) => (parse_time(start)?, parse_time(end)?),
        None => (parse_time(times)?, parse_time(times)?),
    };
    if end < start {
        return Err("the interval ends before it starts".to_owned());
    }
    let kind = match kind {
        "deploy" => MarkKind::Deploy,
        "maintenance" => MarkKind::Maintenance,
        _ => return Err("the kind is neither deploy nor maintenance".to_owned()),
    };
    Ok(Mark {
        start,
        end,
        kind,
        label: label.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_intervals() {
        let mark = parse("2026-11-22T09:12:00+01:00 deploy release 41");
        assert_eq!(
            mark.map(|mark| (mark.label, mark.start == mark.end)),
            Ok(("release 41".to_owned(), true))
        );
        let mark = parse("2026-11-23T02:00:00Z..2026-11-23T02:30:00Z maintenance");
        assert_eq!(mark.map(|mark| mark.end.secs_since(mark.start)), Ok(1_800));
        assert!(parse("2026-11-23T02:00:00Z..2026-11-22T02:30:00Z maintenance").is_err());
        assert!(parse("2026-11-23T02:00:00Z holiday").is_err());
    }
}
