//! Log formats that the user gives: on the command line, or in a configuration and what it includes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use intake::{Formats, Layout};
use model::{Edge, Problem};

use crate::exit::Failure;

/// Configuration files read, those they include among them.
const CONFIG_FILES_MAX: usize = 1_000;

/// What the configuration and the command line say about layouts.
pub(crate) struct Layouts {
    pub(crate) formats: Formats,
    /// The product of the configuration, where one was given.
    pub(crate) edge: Edge,
    pub(crate) problems: Vec<Problem>,
}

/// Compiles every `--log-format` and every format of every `--config`.
pub(crate) fn read(strings: &[String], configs: &[PathBuf]) -> anyhow::Result<Layouts> {
    let mut layouts = Vec::new();
    for (index, string) in strings.iter().enumerate() {
        layouts.push(given(&format!("log-format {}", index + 1), string)?);
    }
    let mut config = Config::default();
    for path in configs {
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::arguments(format!(
                "--config {}: {}",
                path.display(),
                files::reason(&error)
            ))
        })?;
        config.read(path, path.parent().unwrap_or(Path::new(".")), &text);
    }
    layouts.append(&mut config.layouts);
    Ok(Layouts {
        formats: Formats::new(layouts),
        edge: config.edge.unwrap_or(Edge::Unknown),
        problems: config.problems,
    })
}

/// A format of the command line must be right: an unknown variable there is most likely a slip.
fn given(name: &str, string: &str) -> anyhow::Result<Layout> {
    let wrong = |at: usize, reason: &str| {
        Failure::arguments(format!("--log-format, at character {}: {reason}", at + 1))
    };
    let (layout, warnings) =
        Layout::parse_string(name, string).map_err(|error| wrong(error.at, error.reason))?;
    match warnings.first() {
        Some(warning) => Err(wrong(
            warning.at,
            &format!("unknown variable {}", warning.name),
        )),
        None => Ok(layout),
    }
}

/// Configuration files as far as they are read.
#[derive(Default)]
struct Config {
    seen: BTreeSet<PathBuf>,
    layouts: Vec<Layout>,
    edge: Option<Edge>,
    problems: Vec<Problem>,
}

impl Config {
    /// Reads `text` of `path`. Includes are looked up from `root`, the folder of the main file, as nginx does.
    fn read(&mut self, path: &Path, root: &Path, text: &str) {
        if !self.seen.insert(path.to_owned()) {
            return;
        }
        if self.seen.len() > CONFIG_FILES_MAX {
            let reason =
                format!("not read: {CONFIG_FILES_MAX} configuration files were read already");
            return self.problem(path, None, reason);
        }
        let (formats, problems) = proxyconf::log_formats(text);
        for problem in problems {
            self.problem(path, Some(problem.line), problem.reason.to_owned());
        }
        for format in formats {
            self.edge.get_or_insert(format.edge);
            let compiled = match format.edge {
                Edge::Apache => Layout::apache(&format.name, &format.string),
                _ => Layout::nginx(&format.name, &format.string),
            };
            match compiled {
                // Any module or map may define a variable: its value is passed over.
                Ok((layout, _)) => self.layouts.push(layout),
                Err(error) => self.problem(
                    path,
                    Some(format.line),
                    format!("log format {}: {}", format.name, error.reason),
                ),
            }
        }
        for include in proxyconf::includes(text) {
            self.include(path, root, &include);
        }
    }

    fn include(&mut self, from: &Path, root: &Path, pattern: &str) {
        let full = root.join(pattern);
        let Ok(found) = glob::glob(&full.to_string_lossy()) else {
            return self.problem(from, None, "an include is not a pattern".to_owned());
        };
        for path in found.flatten() {
            match fs::read_to_string(&path) {
                Ok(text) => self.read(&path, root, &text),
                Err(error) => self.problem(
                    &path,
                    None,
                    format!("included, but {}", files::reason(&error)),
                ),
            }
        }
    }

    fn problem(&mut self, path: &Path, line: Option<u32>, reason: String) {
        self.problems.push(Problem {
            source: path.display().to_string(),
            line: line.map(u64::from),
            reason,
            count: 1,
        });
    }
}
