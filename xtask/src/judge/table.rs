//! Measures side by side, and every way in which a report was wrong.

use super::figure::{Figures, figures, value};
use super::scope::Scope;
use super::score::{Found, Row, Scored, StrayIs};

/// Measures as rows, methods as columns.
pub(crate) fn print(columns: &[(String, Figures)]) {
    let Some((_, first)) = columns.first() else {
        return;
    };
    print!("{:<24}", "");
    for (title, _) in columns {
        print!(" {title:>18}");
    }
    println!();
    for (name, _) in first {
        print!("{name:<24}");
        for (_, figures) in columns {
            print!(" {:>18}", shown(figures, name));
        }
        println!();
    }
}

/// Measures that count.
const COUNTS: [&str; 7] = [
    "logs",
    "truth",
    "matched",
    "phantoms",
    "fragments",
    "ignored",
    "early_alarms",
];

fn shown(figures: &Figures, name: &str) -> String {
    match value(figures, name) {
        None => "-".to_owned(),
        Some(value) if COUNTS.contains(&name) => format!("{value}"),
        Some(value) if name.ends_with("_s") => format!("{value:.0}"),
        Some(value) => format!("{value:.3}"),
    }
}

/// The same measures by kind or by size.
pub(crate) fn print_groups(title: &str, groups: &[(String, Vec<&Scored>)]) {
    const NAMES: [&str; 13] = [
        "logs",
        "truth",
        "recall",
        "precision",
        "verdict_acc_end_to_end",
        "scope_exact",
        "start_in_set",
        "end_in_set",
        "phantoms",
        "fragments",
        "crawler_facts",
        "brier",
        "delay_ratio_median",
    ];
    const HEADS: [&str; 13] = [
        "logs", "truth", "recall", "precis", "verdict", "scope", "start", "end", "phantom",
        "fragmt", "facts", "brier", "delay",
    ];
    print!("\n{title:<22}");
    for head in HEADS {
        print!(" {head:>7}");
    }
    println!();
    for (name, all) in groups {
        let figures = figures(all, None);
        print!("{name:<22}");
        for name in NAMES {
            print!(" {:>7}", shown(&figures, name));
        }
        println!();
    }
}

/// Everything wrong in one log, each with what was planted and what was said.
pub(crate) fn misses(scored: &Scored) -> Vec<String> {
    let mut all = Vec::new();
    for row in scored.planted.iter().filter(|row| row.truth.detectable) {
        let wrong = wrong(row);
        if !wrong.is_empty() {
            let said = row.found.as_ref().map_or("nothing".to_owned(), said);
            all.push(format!(
                "{:<24} {} | said {said}",
                wrong.join(", "),
                planted(row)
            ));
        }
    }
    for stray in scored
        .strays
        .iter()
        .filter(|stray| stray.is != StrayIs::Ignored)
    {
        let what = if stray.is == StrayIs::Phantom {
            "phantom"
        } else {
            "fragment"
        };
        let report = &stray.report;
        all.push(format!(
            "{what:<24} {} | said {} {} {} p={:.2} {}..{}",
            scored.name,
            report.verdict,
            scope(&report.scope),
            length(report.start, report.end),
            report.probability.unwrap_or(0.0),
            report.start,
            report.end.map_or("open".to_owned(), |end| end.to_string()),
        ));
    }
    all
}

fn wrong(row: &Row) -> Vec<&'static str> {
    let Some(found) = &row.found else {
        return vec!["missed"];
    };
    let checks = [
        ("crawlers", found.crawlers.0 < found.crawlers.1),
        (
            "wrong verdict",
            row.truth.identifiable && !found.verdict_right,
        ),
        ("wrong scope", !found.scope_right),
        ("wrong state", !found.state_right),
    ];
    let wrong = checks.iter().filter(|check| check.1);
    wrong.map(|check| check.0).collect()
}

fn planted(row: &Row) -> String {
    let truth = &row.truth;
    format!(
        "{} {} {} {} failed {} of {}{}",
        truth.id,
        truth.verdict,
        scope(&truth.scope),
        length(truth.start, truth.end),
        truth.failed,
        truth.in_scope,
        if truth.clear {
            ""
        } else {
            " (barely detectable)"
        },
    )
}

fn said(found: &Found) -> String {
    let report = &found.report;
    format!(
        "{} {} {} p={:.2} overlap {:.2} crawlers {} of {}",
        report.verdict,
        scope(&report.scope),
        length(report.start, report.end),
        report.probability.unwrap_or(0.0),
        found.overlap,
        found.crawlers.0,
        found.crawlers.1,
    )
}

fn length(start: f64, end: Option<f64>) -> String {
    match end {
        Some(end) => format!("{:.0} min", (end - start) / 60.0),
        None => "ongoing".to_owned(),
    }
}

fn scope(scope: &Scope) -> String {
    let value = serde_json::Value::from(scope.clone());
    let word = |key: &str| value[key].to_string().replace('"', "");
    format!("{}:{}", word("kind"), word("value"))
}
