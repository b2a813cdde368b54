//! The report in the README is the one that the program gives.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;

#[test]
fn the_report_in_the_readme_is_the_programs() {
    let readme = std::fs::read_to_string(program::root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("    $ webmasterid ").unwrap();
    let (command, rest) = rest.split_once('\n').unwrap();
    let block = rest.lines().skip_while(|line| line.is_empty());
    let block = block.take_while(|line| line.starts_with("    ") || line.is_empty());
    let shown: String = block
        .map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line)))
        .collect();
    let given = program::line(&program::root(), command).report();
    assert_eq!(shown.trim_end(), given.trim_end());
}
