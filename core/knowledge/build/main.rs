//! Turns `facts/` into static tables. Takes the TOML files, gives Rust source in OUT_DIR; a wrong file stops the build
//! with its path and the reason.

mod condition;
mod facts;
mod topic;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use facts::Facts;

#[expect(clippy::print_stdout, reason = "cargo reads a build script's stdout")]
#[expect(
    clippy::print_stderr,
    reason = "cargo shows a failed build script's stderr"
)]
fn main() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../facts");
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=build");
    let facts = match Facts::parse(&files(&root)?) {
        Ok(facts) => facts,
        Err(problems) => {
            for problem in &problems {
                eprintln!("{problem}");
            }
            return Err(format!("{} problem(s) in facts/", problems.len()));
        }
    };
    let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    let out = PathBuf::from(out).join("tables.rs");
    fs::write(&out, write::tables(&facts)).map_err(|error| format!("{}: {error}", out.display()))
}

/// Every `folder/name.toml` with its text, sorted, so that the tables do not depend on the file system's order.
fn files(root: &Path) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    for folder in entries(root)? {
        if !folder.is_dir() {
            continue;
        }
        for path in entries(&folder)? {
            let name = path.strip_prefix(root).unwrap_or(&path);
            let name = name.to_string_lossy().replace('\\', "/");
            let text = fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
            found.push((name, text));
        }
    }
    found.sort();
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::read_dir(folder)
        .map_err(fail)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(fail))
        .collect()
}
