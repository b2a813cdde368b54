//! Ids of statements and mistakes (`ROB-07`, `MIS-01`) that stand in code or docs: each must name one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Where ids are used, from the folder of the workspace.
const FOLDERS: [&str; 4] = ["core", "adapters", "webmasterid", "docs"];

/// `path:line: id` of each id that names nothing.
pub(crate) fn unknown(root: &Path) -> Result<Vec<String>> {
    let mut files = vec![root.join("README.md"), root.join("ARCHITECTURE.md")];
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let known: BTreeSet<&str> = (knowledge::facts().iter().map(|it| it.id))
        .chain(knowledge::mistakes().iter().map(|it| it.id))
        .collect();
    let families: BTreeSet<&str> = known
        .iter()
        .filter_map(|id| id.rsplit_once('-'))
        .map(|id| id.0)
        .collect();
    let mut unknown = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let shown = file.strip_prefix(root).unwrap_or(&file).display();
        for (line, id) in ids(&text, &families) {
            if !known.contains(id) {
                unknown.push(format!("{shown}:{line}: {id}"));
            }
        }
    }
    Ok(unknown)
}

/// Sources and pages below `folder`; tests may name what is not there.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "tests" && name != "build" && name != "target" {
                collect(&path, files)?;
            }
        } else if path
            .extension()
            .is_some_and(|end| end == "rs" || end == "md")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// Words that look like an id: a family that has statements, a dash, two digits.
fn ids<'text>(text: &'text str, families: &BTreeSet<&str>) -> Vec<(usize, &'text str)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let words = line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
        for word in words {
            let Some((family, number)) = word.rsplit_once('-') else {
                continue;
            };
            let is_number = number.len() == 2 && number.bytes().all(|digit| digit.is_ascii_digit());
            if is_number && families.contains(family) {
                found.push((index + 1, word));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_ranges_and_dates() {
        let families = BTreeSet::from(["ROB", "502"]);
        let text = "see [ROB-07, verified]\n500-599, 2026-11-22, 502-504, \"502-99\"";
        assert_eq!(ids(text, &families), [(1, "ROB-07"), (2, "502-99")]);
    }

    #[test]
    fn what_code_and_docs_name_is_there() {
        let unknown = unknown(&crate::command::root()).expect("the sources can be read");
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
