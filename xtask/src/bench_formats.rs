//! `cargo xtask bench --formats`: the same requests in every layout, on one core, and JSON beside tools that read any.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::command;
use crate::measure::{self, Costs};
use crate::reference_format::{self, FORMATS, Format, Status};
use crate::reference_log::{self, Shape};
use crate::tool;

/// Enough for a second or so, at the speed we aim for.
const LINES: u64 = 1_000_000;

/// Writes every layout and keeps it.
pub(crate) fn generate(folder: &Path) -> Result<()> {
    let reference = reference(folder)?;
    for format in FORMATS {
        let path = reference_format::file(&reference, format)?;
        println!("{}", path.display());
    }
    Ok(())
}

fn reference(folder: &Path) -> Result<PathBuf> {
    let shape = Shape {
        lines: LINES,
        days: 1,
    };
    reference_log::file(folder, shape)
}

/// Times every format; gives the table.
pub(crate) fn run(ours: &Path, folder: &Path, runs: u64) -> Result<String> {
    let reference = reference(folder)?;
    let packages = tool::python(&["duckdb", "chdb"])?;
    let python_path = std::env::join_paths(&packages)?;
    let python_path = python_path.to_string_lossy();
    let mut table = String::from(
        "| layout | MB | webmasterid GB/s, one core | jq s | DuckDB s | ClickHouse's engine s | webmasterid s |\n\
         |---|--:|--:|--:|--:|--:|--:|\n",
    );
    for format in FORMATS {
        let path = reference_format::file(&reference, format)?;
        let bytes = fs::metadata(&path)?.len() as f64;
        measure::cost(&words(&["cat", text(&path)?]), folder)?;
        let seconds = best(
            &one_core(&[text(ours)?, "diagnose", "--threads", "1", text(&path)?]),
            folder,
            runs,
        )?;
        let others = match format.status {
            Some(status) => others(status, &path, folder, runs, &python_path)?,
            None => [None; 3],
        };
        let shown =
            |seconds: Option<f64>| seconds.map_or(String::new(), |seconds| format!("{seconds:.2}"));
        let row = format!(
            "| {} | {:.0} | {:.2} | {} | {} | {} | {seconds:.2} |\n",
            format.name,
            bytes / 1e6,
            bytes / 1e9 / seconds,
            shown(others[0]),
            shown(others[1]),
            shown(others[2]),
        );
        print!("{row}");
        table.push_str(&row);
        forget(&path, format)?;
    }
    table.push_str(&format!("\nBeside: {}\n", versions(&packages)?.join("; ")));
    Ok(table)
}

/// Of the other readers of JSON.
fn versions(packages: &[PathBuf]) -> Result<Vec<String>> {
    let mut versions = Vec::new();
    if let Ok(jq) = command::output(command::program("jq").arg("--version")) {
        versions.push(jq.trim().to_owned());
    }
    for folder in packages {
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let package = name.strip_suffix(".dist-info");
            versions.extend(
                package
                    .filter(|name| name.contains("duckdb") || name.contains("chdb"))
                    .map(str::to_owned),
            );
        }
    }
    versions.sort();
    Ok(versions)
}

/// Counts by status, as the other tools would be asked for it. All on one core.
fn others(
    status: Status,
    path: &Path,
    folder: &Path,
    runs: u64,
    python_path: &str,
) -> Result<[Option<f64>; 3]> {
    let (key, path) = (status.key, text(path)?);
    let jq = ["jq", "-r", &format!(".{key}"), path].map(str::to_owned);
    let duck = format!(
        "import duckdb; duckdb.execute('SET threads=1'); print(duckdb.sql(\"select {key}, count(*) from read_json('{path}', format='newline_delimited', columns={{'{key}': 'VARCHAR'}}) group by 1\").fetchall())"
    );
    let click = format!(
        "import chdb; print(chdb.query(\"select {key}, count(*) from file('{path}', JSONEachRow, '{key} String') group by 1 settings max_threads=1, input_format_skip_unknown_fields=1, input_format_json_read_numbers_as_strings=1\"))"
    );
    let time = |words: &[String]| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        best(&one_core(&words), folder, runs).ok()
    };
    let python = |program: String| {
        let path = format!("PYTHONPATH={python_path}");
        [
            "env".to_owned(),
            path,
            "python3".to_owned(),
            "-c".to_owned(),
            program,
        ]
    };
    Ok([time(&jq), time(&python(duck)), time(&python(click))])
}

/// Pinned: "on one core" includes the threads that read and fold.
fn one_core(program: &[&str]) -> Vec<String> {
    let pinned = ["taskset", "-c", "0"];
    words(&pinned).into_iter().chain(words(program)).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn best(words: &[String], folder: &Path, runs: u64) -> Result<f64> {
    let mut costs = Costs::default();
    for _ in 0..runs {
        costs.push(measure::cost(words, folder)?);
    }
    costs.best_s().context("no run")
}

fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not UTF-8", path.display()))
}

/// Sixteen copies of a log are a lot of disk: each goes when it has been timed.
fn forget(path: &Path, format: &Format) -> Result<()> {
    fs::remove_file(path).with_context(|| format!("cannot remove the log in {}", format.name))
}
