//! What the caller chooses about a report for people.

use model::{IncidentId, Report, Stamp};

/// How to write a report for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether the terminal shows colour.
    pub color: bool,
    /// Columns of the terminal; what is beyond 80 is not used, and below 40 nothing fits.
    pub width: usize,
    /// Every incident and every row instead of one screen.
    pub full: bool,
    /// One incident alone, in full.
    pub incident: Option<IncidentChoice>,
    /// The real now, where an old log should be called old; `None` leaves its age out.
    pub clock: Option<Stamp>,
    /// Whether the program can check crawlers, so that the report may point to `--verify`.
    pub verified_hint: bool,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            color: false,
            width: 80,
            full: false,
            incident: None,
            clock: None,
            verified_hint: false,
        }
    }
}

/// An incident as the user names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentChoice {
    /// Its number in the report, from 1.
    Ordinal(usize),
    /// Its id, which never changes.
    Id(IncidentId),
}

impl IncidentChoice {
    /// `1`, `#1`, or an id of 16 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('#').unwrap_or(text);
        if text.len() == 16 {
            return u64::from_str_radix(text, 16)
                .ok()
                .map(|id| Self::Id(IncidentId(id)));
        }
        text.parse()
            .ok()
            .filter(|number| *number > 0)
            .map(Self::Ordinal)
    }

    /// Where it stands in `report.diagnoses`; `None` where there is no such incident.
    pub fn index(self, report: &Report) -> Option<usize> {
        match self {
            Self::Ordinal(number) => number
                .checked_sub(1)
                .filter(|index| *index < report.diagnoses.len()),
            Self::Id(id) => report
                .diagnoses
                .iter()
                .position(|diagnosis| diagnosis.incident.id == id),
        }
    }
}

/// An incident's id in every output: 16 hexadecimal digits.
pub(crate) fn id_text(id: IncidentId) -> String {
    format!("{:016x}", id.0)
}
