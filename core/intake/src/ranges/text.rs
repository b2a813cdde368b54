//! Lists as plain text: an address a line, geofeeds, and the objects of a route registry.

use super::block::Trust;
use super::list::{RangePlace, Reading, is_address};

/// Lines looked at to tell a geofeed from a plain list.
const LOOKED_AT: usize = 50;

/// Whether most lines have an address and more behind a comma.
pub(super) fn is_geofeed(text: &str) -> bool {
    let lines = content(text).take(LOOKED_AT);
    let (feed, all) = lines.fold((0, 0), |(feed, all), (_, line)| {
        let is_row = line.split_once(',').is_some_and(|(it, _)| is_address(it));
        (feed + usize::from(is_row), all + 1)
    });
    feed * 2 > all
}

/// RFC 8805: prefix, country, region, city, postal code. Only the first matters here.
pub(super) fn read_geofeed(text: &str, reading: &mut Reading) {
    for (line, content) in content(text) {
        let prefix = content.split(',').next().unwrap_or_default();
        one(line, prefix.trim_matches('"'), reading);
    }
}

/// An address or prefix a line; what follows it behind a blank is talk.
pub(super) fn read_lines(text: &str, reading: &mut Reading) {
    let is_registry = content(text).any(|(_, line)| route(line).is_some());
    for (line, content) in content(text) {
        match route(content) {
            Some(prefix) => one(line, prefix, reading),
            None if is_registry => {}
            // `192.0.2.0 - 192.0.2.63` has blanks, too.
            None if reading.entry(RangePlace::Line(line), content, Trust::Entry) => {}
            None => {
                let first = content.split([' ', '\t', ',', ';']).next();
                one(line, first.unwrap_or_default(), reading);
            }
        }
    }
}

fn one(line: usize, text: &str, reading: &mut Reading) {
    if !reading.entry(RangePlace::Line(line), text, Trust::Entry) {
        reading.loss(RangePlace::Line(line), "not an address prefix");
    }
}

/// What a registry's `route:` or `route6:` says.
fn route(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(':')?;
    matches!(name, "route" | "route6").then(|| value.trim())
}

/// Lines that are not blank, without comments, with their numbers from 1.
fn content(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate();
    lines.filter_map(|(index, line)| {
        let line = line.split(['#', '%']).next().unwrap_or_default().trim();
        let is_comment = line.starts_with("//") || line.starts_with(';');
        (!line.is_empty() && !is_comment).then_some((index + 1, line))
    })
}
