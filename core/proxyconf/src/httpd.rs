//! Apache httpd's configuration language: one directive a line, as `ap_getword_conf` in its `server/util.c` cuts it.

use model::Edge;

use crate::{AccessLog, Directive, Escape, LogFormat, Problem};

/// Every directive of the file, sections opened. A `\` at the end joins the next line.
pub(crate) fn directives(text: &str) -> (Vec<Directive>, Vec<Problem>) {
    let mut directives = Vec::new();
    let mut problems = Vec::new();
    let mut joined = String::new();
    let mut start = 1;
    for (line, text) in (1_u32..).zip(text.lines()) {
        if joined.is_empty() {
            start = line;
        }
        match text.strip_suffix('\\') {
            Some(text) => joined.push_str(text),
            None => {
                joined.push_str(text);
                read(&joined, start, &mut directives, &mut problems);
                joined.clear();
            }
        }
    }
    if !joined.is_empty() {
        problems.push(Problem {
            line: start,
            reason: "the last line is continued by a `\\` but nothing follows",
        });
        read(&joined, start, &mut directives, &mut problems);
    }
    (directives, problems)
}

/// Adds the directive of one line. Comments and the tags of sections are none.
fn read(text: &str, line: u32, directives: &mut Vec<Directive>, problems: &mut Vec<Problem>) {
    let mut rest = text.trim();
    if rest.is_empty() || rest.starts_with(['#', '<']) {
        return;
    }
    let mut words = Vec::new();
    while !rest.is_empty() {
        let (word, more, closed) = word(rest);
        if !closed {
            problems.push(Problem {
                line,
                reason: "a quote is not closed",
            });
        }
        words.push(word);
        rest = more.trim_start();
    }
    directives.push(Directive { words, line });
}

/// The first word of `text`, what follows it, and whether its quote is closed.
fn word(text: &str) -> (String, &str, bool) {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = text
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..], true);
    };
    let mut word = String::new();
    let mut chars = text[1..].chars();
    while let Some(c) = chars.next() {
        if c == quote {
            return (word, chars.as_str(), true);
        }
        // A backslash goes only before the quote or another one: `\t` is left to the format.
        let next = chars.clone().next();
        match next.filter(|next| c == '\\' && (*next == quote || *next == '\\')) {
            Some(next) => {
                word.push(next);
                chars.next();
            }
            None => word.push(c),
        }
    }
    (word, "", false)
}

/// `LogFormat "string" [nickname]`, and formats written into `CustomLog` itself.
pub(crate) fn log_formats(directives: &[Directive], problems: &mut Vec<Problem>) -> Vec<LogFormat> {
    let mut formats = Vec::new();
    for directive in directives {
        let line = directive.line;
        let found = match (
            directive.arguments("LogFormat", true),
            custom_log(directive),
        ) {
            (Some([]), _) => {
                problems.push(Problem {
                    line,
                    reason: "LogFormat without a string",
                });
                None
            }
            // Without a nickname, the name of a known format sets the default: nothing new is defined.
            (Some([string]), _) if !string.contains('%') => None,
            (Some([string, name @ ..]), _) => {
                Some((name.first().cloned().unwrap_or_default(), string.clone()))
            }
            (None, Some([_, string, ..])) if string.contains('%') => {
                Some((inline_name(line), string.clone()))
            }
            (None, _) => None,
        };
        formats.extend(found.map(|(name, string)| LogFormat {
            name,
            string,
            escape: Escape::Default,
            line,
            edge: Edge::Apache,
        }));
    }
    formats
}

/// `CustomLog path format`, `GlobalLog path format`, `TransferLog path`.
pub(crate) fn access_logs(directives: &[Directive]) -> Vec<AccessLog> {
    let log = |directive: &Directive, path: &String, format: String| AccessLog {
        path: path.clone(),
        format,
        line: directive.line,
        edge: Edge::Apache,
    };
    directives
        .iter()
        .filter_map(|directive| {
            if let Some([path, ..]) = directive.arguments("TransferLog", true) {
                return Some(log(directive, path, String::new()));
            }
            match custom_log(directive)? {
                [path, format, ..] if format.contains('%') => {
                    Some(log(directive, path, inline_name(directive.line)))
                }
                [path, format, ..] => Some(log(directive, path, format.clone())),
                _ => None,
            }
        })
        .collect()
}

fn custom_log(directive: &Directive) -> Option<&[String]> {
    directive
        .arguments("CustomLog", true)
        .or_else(|| directive.arguments("GlobalLog", true))
}

fn inline_name(line: u32) -> String {
    format!("CustomLog:{line}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access_logs, includes, log_formats};

    const CONFIG: &str = r#"
# LogFormat "%h" commented
ServerName a.example
LogFormat "%h %l %u %t \"%r\" %>s %b" common
logformat "%h \
%>s\t%{User-Agent}i \\ x" two-lines
LogFormat '%t "%r" %>s'
LogFormat combined
<VirtualHost *:80>
    CustomLog ${APACHE_LOG_DIR}/access.log common env=!dontlog
    CustomLog "|/usr/bin/rotatelogs /var/log/a.%Y 86400" "%t %>s"
    TransferLog logs/transfer.log
    Include conf.d/*.conf
    IncludeOptional "sites enabled/*.conf"
</VirtualHost>
"#;

    #[test]
    fn formats_with_and_without_a_nickname() {
        let (formats, problems) = log_formats(CONFIG);
        assert_eq!(problems, []);
        let all: Vec<_> = formats
            .iter()
            .map(|format| (format.name.as_str(), format.string.as_str(), format.line))
            .collect();
        assert_eq!(
            all,
            [
                ("common", r#"%h %l %u %t "%r" %>s %b"#, 4),
                ("two-lines", r"%h %>s\t%{User-Agent}i \ x", 5),
                ("", r#"%t "%r" %>s"#, 7),
                ("CustomLog:11", "%t %>s", 11),
            ]
        );
    }

    #[test]
    fn logs_and_includes() {
        let all: Vec<_> = access_logs(CONFIG)
            .into_iter()
            .map(|log| (log.path, log.format, log.line))
            .collect();
        let wanted = [
            ("${APACHE_LOG_DIR}/access.log", "common", 10),
            (
                "|/usr/bin/rotatelogs /var/log/a.%Y 86400",
                "CustomLog:11",
                11,
            ),
            ("logs/transfer.log", "", 12),
        ]
        .map(|(path, format, line)| (path.to_owned(), format.to_owned(), line));
        assert_eq!(all, wanted);
        assert_eq!(includes(CONFIG), ["conf.d/*.conf", "sites enabled/*.conf"]);
    }

    #[test]
    fn what_is_wrong_has_a_line_and_the_rest_is_still_read() {
        let (formats, problems) =
            log_formats("LogFormat\nLogFormat \"%h %>s\" a\nLogFormat \"%h %>s b\n");
        assert_eq!(
            problems,
            [
                Problem {
                    line: 1,
                    reason: "LogFormat without a string"
                },
                Problem {
                    line: 3,
                    reason: "a quote is not closed"
                },
            ]
        );
        assert_eq!(formats[0].name, "a");
    }
}
