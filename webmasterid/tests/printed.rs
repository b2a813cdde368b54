//! What is printed from the table of commands and from the types: help, completions, manual, schemas.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

const COMMANDS: [&str; 11] = [
    "diagnose",
    "failures",
    "probe",
    "maintenance",
    "crawlers",
    "explain",
    "logformat",
    "redact",
    "schema",
    "completions",
    "man",
];

fn print(words: &str) -> String {
    program::line(Path::new("."), words).report()
}

#[test]
fn help_names_every_command_and_fits_a_terminal() {
    let help = print("--help");
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        let page = print(&format!("{command} --help"));
        assert_eq!(page, print(&format!("help {command}")));
        let wide = page.lines().find(|line| line.chars().count() > 120);
        assert_eq!(wide, None, "{command}");
    }
    assert!(print("--version").starts_with("webmasterid 0."));
}

#[test]
fn the_exit_statuses_are_in_the_help() {
    let help = print("diagnose --help");
    for status in [
        "0  a report",
        "1  internal",
        "2  the arguments",
        "3  nothing",
        "10 --fail-on",
    ] {
        assert!(help.contains(status), "{status}");
    }
    let help = print("probe --help");
    for status in [
        "0  everything",
        "1  internal",
        "2  the arguments",
        "4  something",
    ] {
        assert!(help.contains(status), "{status}");
    }
}

#[test]
fn completions_name_every_command_and_option() {
    for shell in ["bash", "zsh", "fish"] {
        let script = print(&format!("completions {shell}"));
        for word in COMMANDS
            .iter()
            .chain(&["fail-on-ended", "log-format", "all-clients"])
        {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let checked = program::shell(
        Path::new("."),
        "$WEBMASTERID completions bash | sh -c 'command -v bash >/dev/null && bash -n || cat >/dev/null'",
    );
    checked.report();
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    assert!(print("man").starts_with(".ie"));
    for command in COMMANDS {
        let page = print(&format!("man {command}"));
        assert!(page.contains(".SH SYNOPSIS"), "{command}");
        assert!(
            page.contains(&format!("webmasterid\\-{command}")),
            "{command}: {page}"
        );
    }
}

/// Compiles a schema that the program prints.
fn schema(of: &str) -> Validator {
    let schema: Value = serde_json::from_str(&print(&format!("schema {of}"))).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn check(schema: &Validator, json: &str, what: &str) {
    let value: Value = serde_json::from_str(json).unwrap();
    let errors: Vec<String> = schema
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:?}");
}

#[test]
fn what_the_recordings_give_is_of_the_schema() {
    let (report, row) = (schema("diagnose"), schema("failures"));
    program::each(&program::recordings(), |folder| {
        let run = |words: &str| program::line(folder, &format!("{words} .")).report();
        let what = folder.display().to_string();
        check(&report, &run("diagnose --format json"), &what);
        for line in run("failures --format ndjson --all-clients").lines() {
            check(&row, line, &what);
        }
    });
}

/// A schema that lets everything pass would make the test above worth nothing.
#[test]
fn the_schemas_refuse_what_is_wrong() {
    for of in ["diagnose", "failures", "probe"] {
        let schema = schema(of);
        assert!(!schema.is_valid(&serde_json::json!({})), "{of}");
        assert!(
            !schema.is_valid(&serde_json::json!({"version": "one", "source": 1})),
            "{of}"
        );
    }
}

/// What a layout that is to be safe must not hold, in any product's language.
const NOT_LOGGED: [&str; 9] = [
    "referer",
    "referrer",
    "cookie",
    "$args",
    "$query_string",
    "$request_uri\"",
    "%q",
    "%{Query}",
    "$remote_user",
];

#[test]
fn the_layout_to_log_in_is_ready_to_paste_and_holds_no_query_or_referrer() {
    for (edge, directive) in [
        ("nginx", "log_format webmasterid '"),
        ("apache", "LogFormat \"%h"),
    ] {
        let text = print(&format!("logformat {edge}"));
        assert!(text.contains(directive), "{text}");
    }
    for edge in model::Edge::ALL {
        let Some(recommended) = knowledge::edge(edge).recommended else {
            continue;
        };
        let text = print(&format!("logformat {}", edge.name()));
        assert!(text.contains(recommended.configuration.trim()), "{text}");
        // What is deleted may be named.
        let kept = text.lines().filter(|line| !line.contains("delete"));
        let lower = kept.collect::<Vec<_>>().join("\n").to_lowercase();
        for word in NOT_LOGGED {
            assert!(
                !lower.contains(&word.to_lowercase()),
                "{}: {word}",
                edge.name()
            );
        }
    }
    let refused = program::line(Path::new("."), "logformat iis");
    assert_eq!(refused.status, Some(2));
    assert!(refused.stderr.contains("haproxy"), "{}", refused.stderr);
}

#[test]
fn a_check_says_what_a_log_can_tell_and_what_to_add() {
    let cases = program::root().join("cases/connection-refused");
    let plain = program::line(&cases, "logformat --check nginx-refused-combined-alone").report();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plain.contains("it tells no causes apart"), "{plain}");
    let alone = program::line(&cases, "logformat --check nginx-refused-upstream-alone").report();
    let add = alone.split("  add ").nth(1).unwrap();
    assert!(add.contains("upstream_header_time (uht="), "{alone}");
    assert!(
        alone.contains("the error log: connection-refused"),
        "{alone}"
    );
    let beside = program::line(&cases, "logformat --check nginx-refused").report();
    let certain = beside.split("  certain ").nth(1).unwrap();
    let certain = certain.split("  likely ").next().unwrap();
    assert!(certain.contains("connection-refused"), "{beside}");
}
