//! The walls around the core crates, checked on the built graph and the sources: who may depend on whom, which crates
//! of others may stand inside, and that each crate denies the bans of `clippy.toml`.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::command;

/// What each core crate begins with, after its first comment.
const HEAD: &str = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";

/// Which of our crates a core crate may depend on, directly or not. Arrows point one way: see ARCHITECTURE.md.
const ARROWS: [(&str, &[&str]); 8] = [
    ("model", &[]),
    ("knowledge", &["model"]),
    ("proxyconf", &["model", "knowledge"]),
    ("intake", &["model", "knowledge"]),
    ("tally", &["model", "knowledge"]),
    ("incidents", &["model", "knowledge", "tally"]),
    ("diagnosis", &["model", "knowledge", "tally"]),
    ("report", &["model", "knowledge"]),
];

/// Crates of others that may stand inside core, directly or behind another: they compute, and reach for no clock,
/// file, socket, thread or chance unless called to, which `clippy.toml` forbids. Macros run at build time and are free.
const PURE: [(&str, &str); 24] = [
    ("aho-corasick", "finds many words at once"),
    ("anstyle", "names of colours"),
    ("csv", "quotes and splits cells"),
    ("csv-core", "of csv"),
    ("dyn-clone", "of schemars"),
    ("equivalent", "of indexmap"),
    ("foldhash", "of hashbrown"),
    ("hashbrown", "of indexmap"),
    ("indexmap", "keeps the order of JSON members"),
    ("ipnet", "address ranges"),
    ("itoa", "prints integers"),
    ("jiff", "calendar"),
    ("jiff-core", "of jiff"),
    ("memchr", "finds bytes"),
    ("ref-cast", "of schemars"),
    ("rustc-hash", "the same hash on every run"),
    ("ryu", "prints numbers"),
    ("schemars", "describes our JSON"),
    ("serde", "our JSON"),
    ("serde_core", "of serde"),
    ("serde_json", "our JSON, and JSON logs"),
    ("siphasher", "hashes under a key that is an argument"),
    ("unicode-width", "columns that a text takes on a terminal"),
    ("zmij", "prints numbers"),
];

/// Every wall around every core crate; all breaches in one error.
pub(crate) fn check() -> Result<()> {
    let mut breaches = Vec::new();
    for name in core_crates()? {
        breaches.extend(head_breach(&name)?);
        match ARROWS.iter().find(|(krate, _)| *krate == name) {
            Some((_, ours)) => breaches.extend(dependency_breaches(&name, ours)?),
            None => breaches.push(format!("core/{name} has no row in ARROWS of {}", file!())),
        }
    }
    if !breaches.is_empty() {
        bail!("{}", breaches.join("\n"));
    }
    println!(
        "{} core crates: heads, arrows and guests as listed in {}",
        ARROWS.len(),
        file!()
    );
    Ok(())
}

fn core_crates() -> Result<BTreeSet<String>> {
    let folder = command::root().join("core");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut names = BTreeSet::new();
    for entry in entries {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

fn head_breach(name: &str) -> Result<Option<String>> {
    let path = command::root().join("core").join(name).join("src/lib.rs");
    let source =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if !source.starts_with("//! ") {
        return Ok(Some(format!(
            "core/{name}/src/lib.rs does not begin with its stage"
        )));
    }
    let head = source.lines().find(|line| !line.starts_with("//!"));
    Ok((head != Some(HEAD))
        .then(|| format!("core/{name}/src/lib.rs lacks, right after its first comment: {HEAD}")))
}

fn dependency_breaches(name: &str, ours: &[&str]) -> Result<Vec<String>> {
    let tree = command::output(command::cargo().args([
        "tree",
        "--locked",
        "--package",
        name,
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    let guests: BTreeSet<Guest> = tree.lines().filter_map(guest).collect();
    Ok(guests
        .iter()
        .filter(|guest| guest.name != name && !may_stand(guest, ours))
        .map(|guest| {
            format!(
                "core/{name} depends on {}, which {} does not list",
                guest.name,
                file!()
            )
        })
        .collect())
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Guest<'line> {
    name: &'line str,
    ours: bool,
}

/// The crate of one line of the tree: `name v1.2.3 (/path)`; ours have a path.
fn guest(line: &str) -> Option<Guest<'_>> {
    let name = line.split(' ').next().filter(|name| !name.is_empty())?;
    Some(Guest {
        name,
        ours: line.contains("(/"),
    })
}

fn may_stand(guest: &Guest<'_>, ours: &[&str]) -> bool {
    if guest.ours {
        ours.contains(&guest.name)
    } else {
        PURE.iter().any(|(name, _)| *name == guest.name)
    }
}
