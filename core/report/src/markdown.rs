//! The report for a ticket: what the text shows, as Markdown tables. Whatever came from a log stands in code
//! spans or is escaped: it cannot become markup, HTML, a link or a mention.

use model::{CrawlerHit, Diagnosis, Report};

use crate::clean::clean;
use crate::options::{TextOptions, id_text};
use crate::time::Zone;
use crate::words::{clause, count, duration, number};
use crate::{crawler, phrase, source, text};

/// Rows of a table without `full`.
const ROWS_MAX: usize = 10;

/// The report as Markdown. Of the options, width and colour do not matter.
pub fn markdown(report: &Report, options: &TextOptions) -> String {
    let page = Page {
        report,
        zone: Zone::of(&report.coverage, options.clock),
        rows_max: if options.full { usize::MAX } else { ROWS_MAX },
    };
    let chosen = options.incident.map(|choice| choice.index(report));
    let mut out = String::new();
    match chosen {
        Some(None) => out.push_str("There is no such incident.\n"),
        Some(Some(index)) => {
            out.extend(
                report
                    .diagnoses
                    .get(index)
                    .map(|diagnosis| page.incident(index, diagnosis)),
            );
        }
        None => {
            out.push_str(&page.head(options));
            let in_full = text::in_full(report, options);
            let (full, rest): (Vec<_>, Vec<_>) = report
                .diagnoses
                .iter()
                .enumerate()
                .zip(in_full)
                .partition(|(_, is_full)| *is_full);
            out.extend(
                full.iter()
                    .map(|((index, diagnosis), _)| page.incident(*index, diagnosis)),
            );
            out.push_str(&page.others(rest.iter().map(|(incident, _)| *incident)));
        }
    }
    out.push_str(&page.read());
    out
}

struct Page<'a> {
    report: &'a Report,
    zone: Zone,
    rows_max: usize,
}

impl Page<'_> {
    fn head(&self, options: &TextOptions) -> String {
        let mut lines = text::summary(self.report, options).into_iter();
        // Two blanks end the state word, which is ours.
        let first = lines.next().unwrap_or_default();
        let first = first.split_once("  ").map_or_else(
            || prose(&first),
            |(state, says)| format!("**{state}** {}", prose(says)),
        );
        let lines: Vec<String> = std::iter::once(first)
            .chain(lines.map(|line| prose(&line)))
            .collect();
        let quiet = text::quiet_facts(self.report, options);
        let also = if quiet.is_empty() {
            String::new()
        } else {
            format!("Also {}.\n\n", prose(&quiet.join("; ")))
        };
        format!("# Crawl diagnosis\n\n{}\n\n{also}", lines.join("\\\n"))
    }

    fn incident(&self, index: usize, diagnosis: &Diagnosis) -> String {
        let incident = &diagnosis.incident;
        let state = if incident.end.is_none() {
            "ongoing"
        } else {
            "over"
        };
        let purpose = if incident.intended {
            ", answered by the edge on purpose"
        } else {
            ""
        };
        let mut out = format!(
            "## {}. {} ({:.2}), {state}{purpose}\n\n",
            index + 1,
            incident.verdict.name(),
            incident.probability
        );
        out.push_str(&self.summary(diagnosis));
        out.push_str(&self.crawlers(diagnosis));
        out.push_str(&self.places(diagnosis));
        out.push_str(&self.paths(diagnosis));
        out.push_str(&self.evidence(diagnosis));
        out.push_str(&self.risk(diagnosis));
        out.push_str(&advice(diagnosis));
        out
    }

    /// Incidents in a row each.
    fn others<'i>(&self, incidents: impl Iterator<Item = (usize, &'i Diagnosis)>) -> String {
        let coverage = &self.report.coverage;
        let rows: Vec<Vec<String>> = incidents
            .map(|(index, diagnosis)| {
                let incident = &diagnosis.incident;
                let end = phrase::end(incident, coverage);
                let state = match (incident.intended, incident.end) {
                    (true, _) => "on purpose",
                    (false, None) => "ongoing",
                    (false, Some(_)) => "over",
                };
                vec![
                    (index + 1).to_string(),
                    incident.verdict.name().to_owned(),
                    state.to_owned(),
                    self.zone.interval(incident.start, end, ""),
                    code(&phrase::subject(incident)),
                    prose(&phrase::harm(incident)),
                ]
            })
            .collect();
        if rows.is_empty() {
            return String::new();
        }
        let names = ["", "verdict", "state", "when", "what", "harm"];
        format!("## Other incidents\n\n{}", table(&names, rows))
    }

    fn summary(&self, diagnosis: &Diagnosis) -> String {
        let (incident, coverage) = (&diagnosis.incident, &self.report.coverage);
        let end = phrase::end(incident, coverage);
        let words = if incident.end.is_none() {
            "end of log "
        } else {
            ""
        };
        let length = duration(phrase::length(incident, coverage));
        let rows = [
            (
                "when",
                prose(&format!(
                    "{}, {length}",
                    self.zone.interval(incident.start, end, words)
                )),
            ),
            ("what", code(&phrase::subject(incident))),
            (
                "chain",
                code(&phrase::chain(diagnosis, coverage, usize::MAX)),
            ),
            ("layer", diagnosis.layer.name().to_owned()),
            ("cause", prose(&phrase::cause(diagnosis, coverage))),
            (
                "or",
                prose(&phrase::otherwise(diagnosis).unwrap_or_default()),
            ),
            (
                "echoes",
                prose(&phrase::echoes(diagnosis).unwrap_or_default()),
            ),
            ("why", prose(&phrase::why(diagnosis, self.zone).join("; "))),
            ("harm", prose(&phrase::harm(incident))),
            ("id", code(&id_text(incident.id))),
        ];
        let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
        table(
            &["", ""],
            rows.map(|(name, value)| vec![name.to_owned(), value])
                .collect(),
        )
    }

    fn crawlers(&self, diagnosis: &Diagnosis) -> String {
        let hits = &diagnosis.incident.crawlers;
        let moment = |at: Option<model::Stamp>| {
            at.map_or_else(|| "none".to_owned(), |at| self.zone.moment(at))
        };
        let row = |hit: &CrawlerHit| {
            let counts = [
                hit.failed,
                hit.total,
                hit.urls_lost,
                hit.urls_refetched,
                hit.urls_owed,
            ]
            .map(number);
            let mut row = vec![prose(&crawler::name(hit.crawler))];
            row.extend(counts);
            row.extend([moment(hit.last_ok), moment(hit.first_ok)]);
            row
        };
        let names = [
            "crawler",
            "failed",
            "of",
            "URLs lost",
            "back",
            "owed",
            "last good",
            "good again",
        ];
        self.limited(&names, hits, row)
    }

    fn places(&self, diagnosis: &Diagnosis) -> String {
        let incident = &diagnosis.incident;
        let routes = self.limited(&["route", "failed", "of"], &incident.routes, |hit| {
            vec![
                code(&format!("{}{}", hit.host, hit.route)),
                number(hit.failed),
                number(hit.total),
            ]
        });
        let upstreams = self.limited(&["upstream", "failed", "of"], &incident.upstreams, |hit| {
            vec![code(&hit.upstream), number(hit.failed), number(hit.total)]
        });
        routes + &upstreams
    }

    fn paths(&self, diagnosis: &Diagnosis) -> String {
        self.limited(
            &["path", "failed", "crawlers"],
            &diagnosis.incident.paths,
            |hit| {
                let crawlers: Vec<String> =
                    hit.crawlers.iter().map(|who| crawler::name(*who)).collect();
                vec![
                    code(&format!("{}{}", hit.host, hit.path)),
                    number(hit.failed),
                    prose(&crawlers.join(" ")),
                ]
            },
        )
    }

    fn evidence(&self, diagnosis: &Diagnosis) -> String {
        self.limited(
            &["evidence", "lines", "says"],
            &diagnosis.evidence,
            |evidence| {
                let place = source::place(&self.report.coverage, evidence.place, usize::MAX);
                vec![code(&place), number(evidence.count), prose(&evidence.says)]
            },
        )
    }

    fn risk(&self, diagnosis: &Diagnosis) -> String {
        let items = diagnosis.risk.iter().map(|risk| {
            let says = phrase::risk(risk, self.zone);
            let mark = phrase::fact_mark(risk.fact, risk.status);
            format!("- {}\n", prose(&format!("{says} {mark}")))
        });
        titled("At risk", items.collect())
    }

    /// A table of at most `rows_max` rows; nothing where there are none.
    fn limited<T>(&self, names: &[&str], of: &[T], row: impl Fn(&T) -> Vec<String>) -> String {
        if of.is_empty() {
            return String::new();
        }
        let out = table(names, of.iter().take(self.rows_max).map(row).collect());
        match of.len().saturating_sub(self.rows_max) {
            0 => out,
            more => format!("{out}{} more.\n\n", number(more as u64)),
        }
    }

    fn read(&self) -> String {
        let report = self.report;
        let mut out = "## What was read\n\n".to_owned();
        out.push_str(&self.limited(
            &[
                "source",
                "kind",
                "layout",
                "lines",
                "requests",
                "not understood",
            ],
            &report.coverage.sources,
            |source| {
                let counts = [source.lines, source.requests, source.unparsed].map(number);
                let mut row = vec![
                    code(&source.path),
                    source.kind.name().to_owned(),
                    code(&source.format),
                ];
                row.extend(counts);
                row
            },
        ));
        let totals = &report.totals;
        out.push_str(&format!(
            "{}, {} by crawlers, of which {} failed.\n\n",
            count(totals.requests, "request", "requests"),
            number(totals.fetches),
            number(totals.fetches_failed)
        ));
        out.push_str(&self.limited(
            &["problem", "reason", "times"],
            &report.problems,
            |problem| {
                let line = problem
                    .line
                    .map_or(String::new(), |line| format!(":{line}"));
                vec![
                    code(&format!("{}{line}", problem.source)),
                    prose(&problem.reason),
                    number(problem.count),
                ]
            },
        ));
        out.push_str(
            &self.limited(&["limit", "value", "left out"], &report.limits, |limit| {
                vec![code(limit.name), number(limit.limit), number(limit.dropped)]
            }),
        );
        let spots = report
            .blind_spots
            .iter()
            .map(|spot| format!("- {}\n", prose(spot)));
        out.push_str(&titled("What these logs cannot show", spots.collect()));
        out
    }
}

fn advice(diagnosis: &Diagnosis) -> String {
    let items = diagnosis.advice.iter().enumerate().map(|(index, advice)| {
        let why = if advice.why.is_empty() {
            String::new()
        } else {
            format!(" ({})", clause(&advice.why))
        };
        let mark = advice.fact.map_or(String::new(), |fact| {
            format!(" {}", phrase::advice_mark(fact))
        });
        format!(
            "{}. {}\n",
            index + 1,
            prose(&format!("{}{why}{mark}", advice.action))
        )
    });
    titled("What to do", items.collect())
}

fn titled(title: &str, body: String) -> String {
    if body.is_empty() {
        body
    } else {
        format!("**{title}**\n\n{body}\n")
    }
}

fn table(names: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut out = format!(
        "| {} |\n|{}\n",
        names.join(" | "),
        " --- |".repeat(names.len())
    );
    for row in rows {
        out.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    out + "\n"
}

/// Text of a log as a code span: no markup, no HTML, no link, no mention inside one. The fence is longer than any
/// run of backticks in it; a table ends a cell at `|` even there.
fn code(text: &str) -> String {
    let text = clean(text);
    if text.trim().is_empty() {
        return String::new();
    }
    let longest = text
        .split(|letter| letter != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", text.replace('|', "\\|"))
}

/// A sentence with everything escaped that Markdown or HTML would act on. `@` and `#` stand in code spans: sites that
/// make mentions of them look at the text after escapes are gone.
fn prose(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len() + 16);
    for (at, letter) in text.char_indices() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' | '#' => out.push_str(&format!("`{letter}`")),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => out.extend(['\\', letter]),
            // Schemes and `www.` would become links.
            ':' if text.get(at..).is_some_and(|rest| rest.starts_with("://")) => {
                out.push_str("\\:")
            }
            '.' if ends_with_www(&text, at) => out.push_str("\\."),
            _ => out.push(letter),
        }
    }
    if out.starts_with(['-', '+', '=']) {
        format!("\\{out}")
    } else {
        out
    }
}

fn ends_with_www(text: &str, at: usize) -> bool {
    text.get(..at)
        .is_some_and(|before| before.to_ascii_lowercase().ends_with("www"))
}

#[cfg(test)]
mod tests {
    use super::{code, prose};

    #[test]
    fn log_text_cannot_leave_its_code_span() {
        assert_eq!(code("/a|b"), "`/a\\|b`");
        assert_eq!(code("/a`b``c"), "``` /a`b``c ```");
        assert_eq!(code("/a\n# b"), "`/a\\x0a# b`");
    }

    #[test]
    fn sentences_cannot_become_markup() {
        assert_eq!(prose("<img src=x>"), "&lt;img src=x&gt;");
        assert_eq!(prose("[a](b) *c* |"), "\\[a\\](b) \\*c\\* \\|");
        assert_eq!(prose("@all see #1"), "`@`all see `#`1");
        assert_eq!(prose("http://a www.b"), "http\\://a www\\.b");
        assert_eq!(prose("- item"), "\\- item");
    }
}
