//! Writes one recording as case folders: the same run in several layouts, with and without its error log.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use model::Cause;

use super::clock::ZONE;
use super::proxy::Proxy;
use super::truth::Driven;

/// Fewest and most lines of a case's access log: enough to see it, few enough to read it.
const LINES: std::ops::RangeInclusive<usize> = 3..=60;

/// The case folders made from each recording.
pub(crate) const TABLES: &[&str] = &[
    include_str!("cases/nginx.txt"),
    include_str!("cases/apache.txt"),
    include_str!("cases/haproxy.txt"),
    include_str!("cases/envoy.txt"),
    include_str!("cases/caddy.txt"),
    include_str!("cases/traefik.txt"),
    include_str!("cases/varnish.txt"),
    include_str!("cases/trafficserver.txt"),
    include_str!("cases/lighttpd.txt"),
    include_str!("cases/nghttpx.txt"),
    include_str!("cases/h2o.txt"),
    include_str!("cases/squid.txt"),
];

/// One folder made from a recording: a line of a table in `cases/`.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) proxy: &'static str,
    pub(crate) recording: &'static str,
    /// The cause in whose folder it stands.
    of: Cause,
    suffix: &'static str,
    layout: &'static str,
    /// Whether the error log lies beside it.
    errors: bool,
    /// What must be said to be the cause, one of several where the log leaves it open; empty where none may be
    /// stated as fact.
    causes: Vec<Cause>,
    /// One of these must be named as missing, where the log alone cannot tell.
    missing: Vec<&'static str>,
    /// Whether it looks like `of` and is not.
    look_alike: bool,
}

impl Variant {
    /// Every line of `tables`.
    pub(crate) fn all(tables: &[&'static str]) -> Result<Vec<Self>> {
        tables
            .iter()
            .flat_map(|table| table.lines())
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
            .map(|line| Self::parse(line).with_context(|| format!("in cases/: {line}")))
            .collect()
    }

    fn parse(line: &'static str) -> Result<Self> {
        let mut words = line.split_whitespace();
        let mut next = || words.next().context("too few columns");
        let (proxy, recording, of, suffix, log, answer) =
            (next()?, next()?, next()?, next()?, next()?, next()?);
        let cause = |name: &str| Cause::from_name(name).with_context(|| format!("no cause {name}"));
        let (look_alike, answer) = match answer.strip_prefix('!') {
            Some(answer) => (true, answer),
            None => (false, answer),
        };
        Ok(Self {
            proxy,
            recording,
            of: cause(of)?,
            suffix: if suffix == "-" { "" } else { suffix },
            layout: log.trim_end_matches("+error"),
            errors: log.ends_with("+error"),
            causes: answer
                .split('|')
                .filter(|name| *name != "-")
                .map(cause)
                .collect::<Result<_>>()?,
            missing: next().map_or(Vec::new(), |names| names.split(',').collect()),
            look_alike,
        })
    }

    /// The folder below `cases/`.
    fn folder(&self) -> PathBuf {
        let dash = if self.suffix.is_empty() { "" } else { "-" };
        Path::new(self.of.name()).join(format!(
            "{}-{}{dash}{}",
            self.proxy, self.recording, self.suffix
        ))
    }
}

/// What a run left behind.
pub(crate) struct Recording<'a> {
    pub(crate) proxy: &'a dyn Proxy,
    pub(crate) version: &'a str,
    pub(crate) dir: &'a Path,
    pub(crate) driven: &'a [Driven],
    pub(crate) now: Timestamp,
    pub(crate) what: &'a str,
    /// Address ranges that belong to it, in the layout of Google's files.
    pub(crate) ranges: Option<&'a str>,
}

impl Recording<'_> {
    /// The text of one of the logs.
    pub(crate) fn log(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.dir.join(format!("{name}.log"));
        if name == "error" && !path.exists() {
            // Some proxies make the file with the first line.
            return Ok(Vec::new());
        }
        std::fs::read(&path).with_context(|| path.display().to_string())
    }

    /// The truth file beside a log.
    pub(crate) fn truth(&self, with_errors: bool) -> String {
        let mut text = String::new();
        for line in self
            .driven
            .iter()
            .filter_map(|driven| driven.truth(with_errors))
        {
            writeln!(text, "{line}").ok();
        }
        text
    }

    /// The truth beside a log in which requests stand among entries: by the lines that requests have there.
    fn truth_of_stream(&self, stream: &[u8], mark: &str) -> Result<String> {
        let lines = stream.split(|byte| *byte == b'\n').zip(1_usize..);
        let numbers: Vec<usize> = lines
            .filter(|(line, _)| String::from_utf8_lossy(line).contains(mark))
            .map(|(_, number)| number)
            .collect();
        let mut text = String::new();
        for driven in self.driven {
            if let Some(mut truth) = driven.truth(false) {
                let number = numbers
                    .get(driven.access_line - 1)
                    .context("a request without a line in the stream")?;
                truth["access"]["line"] = (*number).into();
                writeln!(text, "{truth}").ok();
            }
        }
        Ok(text)
    }

    /// An echo must have been one: the error line of each says so.
    pub(crate) fn check_echoes(&self) -> Result<()> {
        let states = self.proxy.states_echoes() && !self.proxy.echo_says().is_empty();
        if !self.proxy.errors_name_requests() || !states {
            return Ok(());
        }
        let errors = self.log("error")?;
        let errors: Vec<_> = errors
            .split(|byte| *byte == b'\n')
            .map(String::from_utf8_lossy)
            .collect();
        for driven in self.driven {
            let claimed = driven
                .why
                .is_some_and(|why| why.cause == Some(Cause::NoLiveUpstream));
            // Some products have the same words for a pool without members.
            let is_empty = driven
                .why
                .is_some_and(|why| why.cause == Some(Cause::NoUpstreamRegistered));
            let stated = driven.error_lines.iter().any(|line| {
                errors
                    .get(line - 1)
                    .is_some_and(|text| text.contains(self.proxy.echo_says()))
            });
            ensure!(
                claimed == stated || is_empty && stated,
                "line {}: echo claimed {claimed}, stated {stated}",
                driven.access_line
            );
        }
        Ok(())
    }

    /// Writes the folder of `variant` below `cases`.
    pub(crate) fn write_case(&self, cases: &Path, variant: &Variant) -> Result<()> {
        let folder = cases.join(variant.folder());
        std::fs::create_dir_all(&folder)?;
        let access = self.log(variant.layout)?;
        let lines = access.iter().filter(|byte| **byte == b'\n').count();
        ensure!(
            LINES.contains(&lines),
            "{}: {lines} lines",
            folder.display()
        );
        let truth = match self.proxy.stream() {
            Some((name, mark)) if name == variant.layout => self.truth_of_stream(&access, mark)?,
            _ => self.truth(variant.errors),
        };
        // A look-alike may be as good as gold; a case of a cause must show it.
        ensure!(
            variant.look_alike || truth.contains(&format!("\"{}\"", variant.of.name())),
            "{}: the truth has no {}",
            folder.display(),
            variant.of.name()
        );
        std::fs::write(folder.join("access.log"), access)?;
        let errors = folder.join("error.log");
        if variant.errors {
            std::fs::write(&errors, self.log("error")?)?;
        } else if errors.exists() {
            std::fs::remove_file(&errors)?;
        }
        if let Some(ranges) = self.ranges {
            std::fs::write(folder.join("ranges.json"), ranges)?;
        }
        std::fs::write(folder.join("truth.ndjson"), truth)?;
        std::fs::write(folder.join("case.toml"), self.case_toml(variant)?)?;
        Ok(())
    }

    fn case_toml(&self, variant: &Variant) -> Result<String> {
        // Real stamps have fractions: no line may be later than now.
        let whole = TimestampRound::new()
            .smallest(Unit::Second)
            .mode(RoundMode::Ceil);
        let now = self.now.round(whole)?.in_tz(ZONE)?;
        let format = self
            .proxy
            .layouts()
            .iter()
            .find(|layout| layout.name == variant.layout)
            .context("no such layout")?
            .format;
        let mut text = format!(
            "# {}\norigin = \"recorded by cargo xtask record, {} {}\"\nedge = \"{}\"\nlayout = \"{}\"\n",
            self.what,
            self.proxy.name(),
            self.version,
            self.proxy.edge(),
            variant.layout,
        );
        writeln!(text, "log_format = '''{format}'''")?;
        writeln!(text, "now = \"{}\"", now.strftime("%Y-%m-%dT%H:%M:%S%:z"))?;
        writeln!(text, "zone = \"{}\"", self.proxy.zone())?;
        if let [cause, others @ ..] = variant.causes.as_slice() {
            writeln!(text, "cause = \"{}\"", cause.name())?;
            let others: Vec<&str> = others.iter().map(|cause| cause.name()).collect();
            if !others.is_empty() {
                writeln!(text, "or = {others:?}")?;
            }
        }
        if !variant.missing.is_empty() {
            writeln!(text, "missing = {:?}", variant.missing)?;
        }
        if self.ranges.is_some() {
            writeln!(text, "ranges = \"ranges.json\"")?;
        }
        writeln!(text, "look_alike = {}", variant.look_alike)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::lab::other;
    use crate::lab::recording::SCRIPTS;

    #[test]
    fn every_line_of_the_table_names_a_recording() {
        let tables = [TABLES, other::TABLES].concat();
        for variant in Variant::all(&tables).unwrap() {
            let known = SCRIPTS
                .iter()
                .any(|script| script.name == variant.recording);
            assert!(known, "{variant:?}");
        }
    }

    #[test]
    fn every_recording_becomes_a_case() {
        let tables = [TABLES, other::TABLES].concat();
        let table = Variant::all(&tables).unwrap();
        for script in SCRIPTS {
            let used = table.iter().any(|variant| variant.recording == script.name);
            assert!(used, "{} is recorded for nothing", script.name);
        }
    }

    #[test]
    fn every_cause_that_a_proxy_shows_has_a_look_alike_by_the_same_proxy() {
        let table = Variant::all(TABLES).unwrap();
        for shown in table.iter().filter(|variant| !variant.look_alike) {
            let matched = table.iter().any(|variant| {
                variant.look_alike && variant.of == shown.of && variant.proxy == shown.proxy
            });
            assert!(matched, "{} by {} has none", shown.of.name(), shown.proxy);
        }
    }

    #[test]
    fn no_two_lines_write_one_folder() {
        let tables = [TABLES, other::TABLES].concat();
        let mut folders: Vec<PathBuf> = Variant::all(&tables)
            .unwrap()
            .iter()
            .map(Variant::folder)
            .collect();
        let count = folders.len();
        folders.sort();
        folders.dedup();
        assert_eq!(folders.len(), count);
    }
}
