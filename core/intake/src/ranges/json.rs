//! Lists as JSON: `prefixes` as Google has it and others after it, AWS with its services, and files of their own.

use model::Stamp;
use serde_json::Value;

use super::block::Trust;
use super::list::{RangeLayout, RangePlace, Reading};
use super::stamp;

/// Lists of entries, as they are called.
const LISTS: [&str; 2] = ["prefixes", "ipv6_prefixes"];
/// Members of an entry that hold an address: Google's two, AWS's two, and what others were seen to write.
const MEMBERS: [&str; 7] = [
    "ipv4Prefix",
    "ipv6Prefix",
    "ip_prefix",
    "ipv6_prefix",
    "prefix",
    "cidr",
    "ip",
];
/// Members that tell when a list was made. `syncToken` is the same in seconds or milliseconds.
const CREATED: [&str; 4] = ["creationTime", "createDate", "modified", "syncToken"];

pub(super) fn read(text: &str, service: Option<&str>, reading: &mut Reading) {
    let Ok(json) = serde_json::from_str::<Value>(text) else {
        reading.whole("not JSON, or cut off");
        return;
    };
    reading.list.created = CREATED
        .into_iter()
        .find_map(|name| created(json.get(name)?));
    let lists: Vec<(&'static str, &Vec<Value>)> = LISTS
        .into_iter()
        .filter_map(|name| Some((name, json.get(name)?.as_array()?)))
        .collect();
    if lists.is_empty() {
        if service.is_some() {
            reading.whole("no list named \"prefixes\" that names services");
        } else {
            let mut number = 0;
            walk(&json, &mut number, reading);
        }
        return;
    }
    reading.list.layout = RangeLayout::Prefixes;
    let mut entries = lists.iter().flat_map(|(_, entries)| entries.iter());
    let names_services = entries.any(|entry| entry.get("service").is_some());
    if names_services && service.is_none() {
        reading.whole("the addresses of a whole cloud by service, and whose of them is not said");
        return;
    }
    for (name, entries) in lists {
        for (index, entry) in entries.iter().enumerate() {
            let is_meant = match (service, entry.get("service").and_then(Value::as_str)) {
                (Some(wanted), Some(has)) => wanted == has,
                (Some(_), None) => false,
                (None, _) => true,
            };
            if is_meant {
                item(RangePlace::Entry(name, index), entry, reading);
            }
        }
    }
    if service.is_some() && reading.list.entries() == (0, 0) {
        reading.whole("no entry of that service");
    }
}

/// An entry: a text, or an object with one address or one of each family.
fn item(place: RangePlace, entry: &Value, reading: &mut Reading) {
    let mut values = MEMBERS.into_iter().filter_map(|name| entry.get(name));
    let own = entry.is_string().then_some(entry);
    let Some(first) = own.or_else(|| values.next()) else {
        reading.loss(place, "neither ipv4Prefix nor ipv6Prefix");
        return;
    };
    for value in std::iter::once(first).chain(values) {
        let text = value.as_str().unwrap_or_default();
        if !reading.entry(place, text, Trust::Entry) {
            reading.loss(place, "not an address prefix");
        }
    }
}

/// Every string that is an address, wherever it stands; what a member says to be a version is none.
fn walk(json: &Value, number: &mut usize, reading: &mut Reading) {
    match json {
        Value::String(text) => {
            *number += 1;
            reading.entry(RangePlace::Value(*number), text, Trust::Found);
        }
        Value::Array(values) => {
            for value in values {
                walk(value, number, reading);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                if !name.to_ascii_lowercase().contains("version") || !value.is_string() {
                    walk(value, number, reading);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn created(value: &Value) -> Option<Stamp> {
    match value {
        Value::String(text) => stamp::read(text),
        Value::Number(number) => stamp::read(&number.to_string()),
        _ => None,
    }
}
