//! Proxy configuration text as evidence. Takes the text of one nginx or Apache httpd file, gives its log formats,
//! access logs and includes, each with its line.
//!
//! A file that cannot be understood in full still gives what could be: what went wrong is a line and a reason.
//! Nothing is opened here; whoever calls resolves includes, their wildcards and `ServerRoot`.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod httpd;
mod maintenance;
mod nginx;

use model::Edge;

pub use maintenance::{MAINTENANCE_EDGES, Maintenance, maintenance};

/// A log format that the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFormat {
    /// Its name; for a format written into httpd's `CustomLog` itself, `CustomLog:` and the line. Empty for httpd's
    /// `LogFormat` without a nickname, which `TransferLog` uses.
    pub name: String,
    /// The format string, its pieces joined and the quoting of the configuration undone.
    pub string: String,
    /// How values are escaped.
    pub escape: Escape,
    /// Line of the directive.
    pub line: u32,
    /// The product.
    pub edge: Edge,
}

/// nginx's `escape=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Escape {
    /// nginx writes `\xHH`; httpd also `\"`.
    Default,
    /// As JSON demands.
    Json,
    /// Not at all.
    None,
}

/// Where requests are logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLog {
    /// The path as written: may be relative, hold variables, or name a program (`|`) or syslog (`syslog:`).
    pub path: String,
    /// Name of its format.
    pub format: String,
    /// Line of the directive.
    pub line: u32,
    /// The product.
    pub edge: Edge,
}

/// What could not be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    /// Line from 1.
    pub line: u32,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Longest text that is read; what is beyond is left out, and a problem says so. Generated configurations with
/// thousands of hosts stay below it.
pub const TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One directive with its arguments, the quoting undone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Directive {
    words: Vec<String>,
    line: u32,
}

impl Directive {
    /// The arguments, if this is the directive `name`.
    fn arguments(&self, name: &str, ignore_case: bool) -> Option<&[String]> {
        let (first, rest) = self.words.split_first()?;
        let same = first == name || ignore_case && first.eq_ignore_ascii_case(name);
        same.then_some(rest)
    }
}

/// The log formats in `text`, in their order.
pub fn log_formats(text: &str) -> (Vec<LogFormat>, Vec<Problem>) {
    let config = Config::read(text);
    let mut problems = config.problems;
    let formats = match config.edge {
        Edge::Apache => httpd::log_formats(&config.directives, &mut problems),
        _ => nginx::log_formats(&config.directives, &mut problems),
    };
    problems.sort_unstable();
    (formats, problems)
}

/// The access logs in `text`, in their order. Logging switched off is none.
pub fn access_logs(text: &str) -> Vec<AccessLog> {
    let config = Config::read(text);
    match config.edge {
        Edge::Apache => httpd::access_logs(&config.directives),
        _ => nginx::access_logs(&config.directives),
    }
}

/// The files that `text` includes, as written: they may be relative, and hold wildcards.
pub fn includes(text: &str) -> Vec<String> {
    let config = Config::read(text);
    let (names, ignore_case): (&[&str], bool) = match config.edge {
        Edge::Apache => (&["Include", "IncludeOptional"], true),
        _ => (&["include"], false),
    };
    config
        .directives
        .iter()
        .filter_map(|directive| {
            names
                .iter()
                .find_map(|name| directive.arguments(name, ignore_case))
        })
        .filter_map(|arguments| arguments.first().cloned())
        .collect()
}

struct Config {
    edge: Edge,
    directives: Vec<Directive>,
    problems: Vec<Problem>,
}

impl Config {
    fn read(text: &str) -> Self {
        let end = (0..=text.len().min(TEXT_BYTES_MAX))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        let edge = language(&text[..end]);
        let (directives, mut problems) = match edge {
            Edge::Apache => httpd::directives(&text[..end]),
            _ => nginx::directives(&text[..end]),
        };
        if end < text.len() {
            problems.push(Problem {
                line: 1,
                reason: "the file is too long: only its beginning was read",
            });
        }
        Self {
            edge,
            directives,
            problems,
        }
    }
}

/// Which product reads such a text: nginx ends its directives with `;` or a brace, httpd with the line.
fn language(text: &str) -> Edge {
    let (mut nginx, mut httpd) = (0_u32, 0_u32);
    for line in text.lines() {
        // A comment may follow the end of an nginx directive.
        let line = line.split(" #").next().unwrap_or(line).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.ends_with([';', '{', '}']) {
            nginx += 1;
        } else if line.starts_with('<') || line.starts_with(|c: char| c.is_ascii_uppercase()) {
            httpd += 1;
        }
    }
    match (nginx, httpd) {
        (0, 0) => Edge::Unknown,
        _ if httpd > nginx => Edge::Apache,
        _ => Edge::Nginx,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(
            text in r#"(log_format |LogFormat |access_log |CustomLog |include |x_by_lua_block |[a-z$%{};"'#\\<>\n \[-]|é){0,60}"#,
        ) {
            let (formats, problems) = log_formats(&text);
            let lines = 1 + u32::try_from(text.matches('\n').count()).unwrap();
            prop_assert!(formats.iter().all(|format| (1..=lines).contains(&format.line)));
            prop_assert!(problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
            let _ = (access_logs(&text), includes(&text));
        }

        #[test]
        fn an_nginx_format_comes_back_as_it_was_quoted(string in r#"[ -~é\t]{1,40}"#, split in any::<proptest::sample::Index>()) {
            let quote = |part: &str| {
                let escaped = part.replace('\\', r"\\").replace('\'', r"\'");
                format!("'{escaped}'")
            };
            let at = string.char_indices().nth(split.index(string.chars().count())).unwrap().0;
            let text = format!("http {{\n log_format a {}\n {};\n}}", quote(&string[..at]), quote(&string[at..]));
            prop_assert_eq!(&log_formats(&text).0[0].string, &string);
        }

        #[test]
        fn an_httpd_format_comes_back_as_it_was_quoted(string in r#"%h[ -~é]{1,40}"#) {
            let escaped = string.replace('\\', r"\\").replace('"', "\\\"");
            let text = format!("ServerName a\nLogFormat \"{escaped}\" a\n");
            let (formats, problems) = log_formats(&text);
            prop_assert!(problems.is_empty());
            prop_assert_eq!(&formats[0].string, &string);
        }
    }

    #[test]
    fn the_product_is_told_by_how_directives_end() {
        for (text, edge) in [
            ("", Edge::Unknown),
            ("# only a comment\n", Edge::Unknown),
            ("http {\n  include mime.types; # all\n}\n", Edge::Nginx),
            ("include /etc/nginx/conf.d/*.conf;", Edge::Nginx),
            ("log_format a '$status '\n 'X'\n 'Y';", Edge::Nginx),
            ("LogFormat \"%h\" a", Edge::Apache),
            (
                "<VirtualHost *:80>\n  CustomLog a.log combined\n</VirtualHost>",
                Edge::Apache,
            ),
            (
                "Include sites-enabled/*.conf\nServerName a.example",
                Edge::Apache,
            ),
        ] {
            assert_eq!(language(text), edge, "{text}");
        }
    }

    #[test]
    fn too_long_a_text_is_cut_and_says_so() {
        let text = "é".repeat(TEXT_BYTES_MAX / 2 + 1);
        let (formats, problems) = log_formats(&text);
        assert!(formats.is_empty());
        assert!(
            problems
                .iter()
                .any(|problem| problem.reason.contains("too long"))
        );
    }
}
