//! What a method says of a log: incidents and facts, in the members of the program's JSON (`docs/json.md`).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::scope::Scope;
use super::truth::CrawlerFact;

#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) incidents: Vec<Report>,
    /// Crawler in small letters, path.
    pub(crate) open_urls: BTreeSet<(String, String)>,
    /// Crawler in small letters and phase; failing since.
    pub(crate) robots: BTreeMap<(String, String), Option<f64>>,
}

/// One incident as reported.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) start: f64,
    pub(crate) end: Option<f64>,
    /// First and last that it says the log leaves possible.
    pub(crate) start_bounds: Option<(f64, f64)>,
    pub(crate) end_bounds: Option<(f64, f64)>,
    pub(crate) scope: Scope,
    pub(crate) verdict: String,
    pub(crate) probability: Option<f64>,
    pub(crate) first_detected: Option<f64>,
    /// By name in small letters.
    pub(crate) crawlers: BTreeMap<String, CrawlerFact>,
}

impl Answer {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text).context("the answer is not JSON")?;
        let incidents = value["incidents"].as_array().context("no incidents")?;
        let facts = &value["facts"];
        let open = facts["open_urls"].as_array().into_iter().flatten();
        let robots = facts["robots"].as_array().into_iter().flatten();
        Ok(Self {
            incidents: incidents.iter().filter_map(Report::read).collect(),
            open_urls: open
                .map(|pair| {
                    (
                        small(&pair[0]),
                        pair[1].as_str().unwrap_or_default().to_owned(),
                    )
                })
                .collect(),
            robots: robots
                .map(|one| {
                    (
                        (small(&one["crawler"]), small(&one["phase"])),
                        time(&one["failing_since"]),
                    )
                })
                .collect(),
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        let incidents = self.incidents.iter().map(|report| {
            json!({
                "start": report.start,
                "end": report.end,
                "scope": report.scope,
                "verdict": report.verdict,
                "probability": report.probability,
                "first_detected": report.first_detected,
                "crawlers": report.crawlers,
            })
        });
        json!({"incidents": incidents.collect::<Vec<_>>(), "facts": {"open_urls": [], "robots": []}})
    }
}

impl Report {
    fn read(value: &Value) -> Option<Self> {
        let (start, end) = (time(&value["start"])?, time(&value["end"]));
        let (start, end) = match end {
            Some(end) if end < start => (end, Some(start)),
            end => (start, end),
        };
        let crawlers = value["crawlers"].as_object().into_iter().flatten();
        Some(Self {
            start,
            end,
            start_bounds: both(&value["bounds"]["start"]),
            end_bounds: both(&value["bounds"]["end"]),
            scope: Scope::from(value["scope"].clone()),
            verdict: small(&value["verdict"]),
            probability: value["probability"].as_f64(),
            first_detected: time(&value["first_detected"]),
            crawlers: crawlers
                .filter_map(|(name, fact)| {
                    let fact = CrawlerFact {
                        failed: fact["failed"].as_u64()?,
                        first_ok: time(&fact["first_ok"]),
                    };
                    Some((name.to_lowercase(), fact))
                })
                .collect(),
        })
    }

    /// Its end, or the log's.
    pub(crate) fn end_or(&self, log_end: f64) -> f64 {
        self.end.unwrap_or(log_end)
    }
}

fn both(value: &Value) -> Option<(f64, f64)> {
    Some((time(&value[0])?, time(&value[1])?))
}

/// Seconds since the epoch, or RFC 3339.
fn time(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| {
        let stamp: jiff::Timestamp = value.as_str()?.parse().ok()?;
        Some(stamp.as_millisecond() as f64 / 1_000.0)
    })
}

fn small(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_lowercase()
}
