//! Which lines of an error log are one entry: httpd spreads one event over several lines of a thread, varnishlog a
//! transaction over one line for each record.

use model::{Edge, SourceId};
use rustc_hash::FxHashMap;

use crate::attribute::About;
use crate::error_log::Part;
use crate::held::HeldError;

/// httpd writes the line with the reason, then the one with the client, in one go.
const THREAD_MILLIS: i64 = 1_000;

/// The number of its entry for each line, counted from 0 by the first line of each. The lines are in order of place.
pub(crate) fn numbers<'a>(lines: impl Iterator<Item = &'a HeldError>) -> Vec<usize> {
    let mut entries: Vec<Open<'a>> = Vec::new();
    let mut open: FxHashMap<(SourceId, (u64, u64)), usize> = FxHashMap::default();
    let mut numbers = Vec::new();
    for line in lines {
        let thread = (line.place.source, line.process);
        let is_by_thread = line.part != Part::Whole || is_of_thread(line);
        if is_by_thread
            && let Some(&number) = open.get(&thread)
            && let Some(entry) = entries.get_mut(number)
            && entry.continues(line)
        {
            entry.take(line);
            numbers.push(number);
            continue;
        }
        if is_by_thread {
            open.insert(thread, entries.len());
        }
        numbers.push(entries.len());
        entries.push(Open::new(line));
    }
    numbers
}

/// The lines of all entries about a request that say why something failed.
pub(crate) fn failing_lines(lines: &[HeldError]) -> Vec<&HeldError> {
    let mut lines: Vec<&HeldError> = lines.iter().collect();
    lines.sort_unstable_by_key(|line| (line.place, line.civil));
    let numbers = numbers(lines.iter().copied());
    let mut fails = vec![false; numbers.len()];
    for (line, number) in lines.iter().zip(&numbers) {
        if let Some(fails) = fails.get_mut(*number) {
            *fails |= line.is_about_request();
        }
    }
    lines
        .into_iter()
        .zip(numbers)
        .filter(|(line, number)| {
            fails.get(*number).copied().unwrap_or(false)
                && (line.part != Part::Whole || line.is_about_request())
        })
        .map(|(line, _)| line)
        .collect()
}

/// Whether a line of httpd goes with others of its thread.
fn is_of_thread(line: &HeldError) -> bool {
    line.edge == Edge::Apache && line.process != (0, 0) && line.is_about_request()
}

/// An entry that may go on.
struct Open<'a> {
    last: &'a HeldError,
    client: Option<u64>,
}

impl<'a> Open<'a> {
    const fn new(line: &'a HeldError) -> Self {
        Self {
            last: line,
            client: line.client,
        }
    }

    fn take(&mut self, line: &'a HeldError) {
        self.last = line;
        self.client = self.client.or(line.client);
    }

    /// Whether `next` goes on with it: a further record of the transaction, or what the thread logged a moment ago
    /// about the same client, or about none yet.
    fn continues(&self, next: &HeldError) -> bool {
        match next.part {
            Part::First => false,
            Part::Further => self.last.part != Part::Whole,
            Part::Whole => {
                let is_other_client =
                    next.client.is_some() && self.client.is_some() && next.client != self.client;
                // A line that names no client begins a new event once the entry has its client.
                let begins_anew = next.finding.about == About::Thread && self.client.is_some();
                (next.civil.0 - self.last.civil.0).abs() <= THREAD_MILLIS
                    && !is_other_client
                    && !begins_anew
            }
        }
    }
}
