//! nginx's configuration language, as `ngx_conf_read_token` in its `src/core/ngx_conf_file.c` cuts it.

use model::Edge;

use crate::{AccessLog, Directive, Escape, LogFormat, Problem};

/// Every directive of the file, blocks opened: which block it stands in does not matter here.
pub(crate) fn directives(text: &str) -> (Vec<Directive>, Vec<Problem>) {
    let mut reader = Reader {
        rest: text,
        line: 1,
        problems: Vec::new(),
    };
    let mut directives = Vec::new();
    while let Some(directive) = reader.directive() {
        directives.push(directive);
    }
    (directives, reader.problems)
}

/// `log_format name [escape=default|json|none] 'string' ...;`
pub(crate) fn log_formats(directives: &[Directive], problems: &mut Vec<Problem>) -> Vec<LogFormat> {
    let mut formats = Vec::new();
    for directive in directives {
        let Some(arguments) = directive.arguments("log_format", false) else {
            continue;
        };
        match log_format(arguments, directive.line) {
            Ok(format) => formats.push(format),
            Err(reason) => problems.push(Problem {
                line: directive.line,
                reason,
            }),
        }
    }
    formats
}

fn log_format(arguments: &[String], line: u32) -> Result<LogFormat, &'static str> {
    let [name, pieces @ ..] = arguments else {
        return Err("log_format without a name");
    };
    let (escape, pieces) = match pieces {
        [first, rest @ ..] => match first.strip_prefix("escape=") {
            Some("default") => (Escape::Default, rest),
            Some("json") => (Escape::Json, rest),
            Some("none") => (Escape::None, rest),
            Some(_) => return Err("log_format with an unknown escape="),
            None => (Escape::Default, pieces),
        },
        [] => (Escape::Default, pieces),
    };
    if pieces.is_empty() {
        return Err("log_format without a string");
    }
    Ok(LogFormat {
        name: name.clone(),
        string: pieces.concat(),
        escape,
        line,
        edge: Edge::Nginx,
    })
}

/// `access_log path [format [buffer=...] ...];` or `access_log off;`
pub(crate) fn access_logs(directives: &[Directive]) -> Vec<AccessLog> {
    directives
        .iter()
        .filter_map(|directive| {
            let (path, rest) = directive.arguments("access_log", false)?.split_first()?;
            let format = rest.first().filter(|word| !is_parameter(word));
            (path != "off").then(|| AccessLog {
                path: path.clone(),
                // nginx's own default.
                format: format.map_or("combined", |name| name.as_str()).to_owned(),
                line: directive.line,
                edge: Edge::Nginx,
            })
        })
        .collect()
}

fn is_parameter(word: &str) -> bool {
    word == "gzip"
        || ["buffer=", "flush=", "gzip=", "if="]
            .iter()
            .any(|name| word.starts_with(name))
}

struct Reader<'a> {
    rest: &'a str,
    line: u32,
    problems: Vec<Problem>,
}

/// What ends a word.
enum End {
    Blank,
    Semicolon,
    Open,
    Close,
    Text,
}

impl Reader<'_> {
    /// The next directive; `None` at the end of the text.
    fn directive(&mut self) -> Option<Directive> {
        let mut words = Vec::new();
        let mut line = self.line;
        loop {
            self.blanks();
            if words.is_empty() {
                line = self.line;
            }
            let (word, end) = self.word();
            words.extend(word);
            match end {
                End::Blank => continue,
                End::Text if words.is_empty() => return None,
                End::Text => {
                    self.problem(line, "the directive is not ended by `;` or `{`");
                    return Some(Directive { words, line });
                }
                // Empty statements and closing braces have nothing to give.
                End::Semicolon | End::Close if words.is_empty() => continue,
                End::Open => {
                    if words
                        .first()
                        .is_some_and(|word| word.ends_with("_by_lua_block"))
                    {
                        self.skip_block();
                    }
                    return Some(Directive { words, line });
                }
                End::Close => {
                    self.problem(line, "the directive is not ended by `;` or `{`");
                    return Some(Directive { words, line });
                }
                End::Semicolon => return Some(Directive { words, line }),
            }
        }
    }

    /// Blanks and comments. A `#` begins a comment only where a word could begin.
    fn blanks(&mut self) {
        while let Some(c) = self.rest.chars().next() {
            if c == '#' {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.rest = &self.rest[end..];
            } else if c.is_ascii_whitespace() || c == '\u{feff}' {
                self.next();
            } else {
                return;
            }
        }
    }

    /// A word, if one stands before the next mark, and what ended it.
    fn word(&mut self) -> (Option<String>, End) {
        match self.rest.chars().next() {
            None => (None, End::Text),
            Some(quote @ ('"' | '\'')) => {
                self.next();
                (Some(self.quoted(quote)), End::Blank)
            }
            Some(_) => self.bare(),
        }
    }

    fn bare(&mut self) -> (Option<String>, End) {
        let mut word = String::new();
        let end = loop {
            match self.next() {
                None => break End::Text,
                Some(';') => break End::Semicolon,
                // `${name}` is a variable, not a block.
                Some('{') if word.ends_with('$') => {
                    word.push('{');
                    while let Some(c) = self.next() {
                        word.push(c);
                        if c == '}' {
                            break;
                        }
                    }
                }
                Some('{') => break End::Open,
                Some('}') if word.is_empty() => break End::Close,
                Some('\\') => self.escaped(&mut word),
                Some(c) if c.is_ascii_whitespace() => break End::Blank,
                Some(c) => word.push(c),
            }
        };
        (Some(word).filter(|word| !word.is_empty()), end)
    }

    fn quoted(&mut self, quote: char) -> String {
        let line = self.line;
        let mut word = String::new();
        loop {
            match self.next() {
                Some(c) if c == quote => return word,
                Some('\\') => self.escaped(&mut word),
                Some(c) => word.push(c),
                None => {
                    self.problem(line, "a quote is not closed");
                    return word;
                }
            }
        }
    }

    /// What stands behind a backslash: nginx undoes these six and leaves others as they are.
    fn escaped(&mut self, word: &mut String) {
        match self.next() {
            Some(c @ ('"' | '\'' | '\\')) => word.push(c),
            Some('t') => word.push('\t'),
            Some('r') => word.push('\r'),
            Some('n') => word.push('\n'),
            Some(c) => word.extend(['\\', c]),
            None => word.push('\\'),
        }
    }

    /// Lua code has rules of its own: left out up to its closing brace, strings and comments not counted.
    fn skip_block(&mut self) {
        let line = self.line;
        let mut depth = 1_u32;
        while depth > 0 {
            match self.next() {
                Some('{') => depth += 1,
                Some('}') => depth -= 1,
                Some(quote @ ('"' | '\'')) => {
                    self.quoted(quote);
                }
                Some('[') if self.rest.starts_with('[') => self.skip_to("]]"),
                Some('-') if self.rest.starts_with("-[[") => self.skip_to("]]"),
                Some('-') if self.rest.starts_with('-') => self.skip_to("\n"),
                Some(_) => {}
                None => {
                    self.problem(line, "a block is not closed");
                    return;
                }
            }
        }
    }

    fn skip_to(&mut self, end: &str) {
        while !self.rest.starts_with(end) && self.next().is_some() {}
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.line = self.line.saturating_add(1);
        }
        Some(c)
    }

    fn problem(&mut self, line: u32, reason: &'static str) {
        self.problems.push(Problem { line, reason });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access_logs, includes, log_formats};

    const CONFIG: &str = r##"
user www-data; # who
http {
    include mime.types;
    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      # a comment between pieces
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" it\'s "\\" # not a comment';
    log_format js escape=json "{\"t\":\"$time_iso8601\",\"s\":${status}}";
    log_format bare $status;
    content_by_lua_block { local a = "}" .. '{' .. [[ } ]] ; return { 1 }  -- }
 }
    server {
        access_log /var/log/nginx/a.log main buffer=32k;
        access_log "/var/log/nginx/b c.log";
        access_log syslog:server=unix:/dev/log js if=$loggable;
        access_log off;
        location ~ ^/a{2}$ { access_log /var/log/nginx/${host}.log bare; }
    }
    include "/etc/nginx/sites-enabled/*";
}
"##;

    #[test]
    fn formats_are_joined_and_unquoted() {
        let (formats, problems) = log_formats(CONFIG);
        assert_eq!(problems, []);
        let all: Vec<_> = formats
            .iter()
            .map(|format| (format.name.as_str(), format.escape, format.line))
            .collect();
        assert_eq!(
            all,
            [
                ("main", Escape::Default, 5),
                ("js", Escape::Json, 9),
                ("bare", Escape::Default, 10)
            ]
        );
        assert_eq!(
            formats[0].string,
            r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" it's "\" # not a comment"#
        );
        assert_eq!(formats[1].string, r#"{"t":"$time_iso8601","s":${status}}"#);
        assert_eq!(formats[2].string, "$status");
    }

    #[test]
    fn logs_have_their_format() {
        let all: Vec<_> = access_logs(CONFIG)
            .into_iter()
            .map(|log| (log.path, log.format, log.line))
            .collect();
        let wanted = [
            ("/var/log/nginx/a.log", "main", 14),
            ("/var/log/nginx/b c.log", "combined", 15),
            ("syslog:server=unix:/dev/log", "js", 16),
            ("/var/log/nginx/${host}.log", "bare", 18),
        ]
        .map(|(path, format, line)| (path.to_owned(), format.to_owned(), line));
        assert_eq!(all, wanted);
    }

    #[test]
    fn includes_are_given_as_written() {
        assert_eq!(
            includes(CONFIG),
            ["mime.types", "/etc/nginx/sites-enabled/*"]
        );
    }

    #[test]
    fn what_is_wrong_has_a_line_and_the_rest_is_still_read() {
        for (text, line, reason) in [
            (
                "log_format;\nlog_format b '$status';",
                1,
                "log_format without a name",
            ),
            (
                "log_format a;\nlog_format b '$status';",
                1,
                "log_format without a string",
            ),
            (
                "log_format a escape=x '';\nlog_format b '$status';",
                1,
                "log_format with an unknown escape=",
            ),
            (
                "log_format b '$status';\nserver {\n listen 80\n}",
                3,
                "the directive is not ended by `;` or `{`",
            ),
            (
                "log_format b '$status';\nlog_format a 'x",
                2,
                "a quote is not closed",
            ),
        ] {
            let (formats, problems) = log_formats(text);
            assert!(
                problems.contains(&Problem { line, reason }),
                "{text}: {problems:?}"
            );
            assert!(formats.iter().any(|format| format.name == "b"), "{text}");
        }
    }
}
