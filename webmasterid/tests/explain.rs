//! `explain`: readers' questions are answered, every page fits a terminal, and the machine output can be read.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::path::Path;

use serde_json::Value;

fn print(words: &str) -> String {
    program::line(Path::new("."), words).report()
}

/// Line ends count as blanks.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every name that leads to a page, signs and crawlers by a few examples.
fn names() -> Vec<String> {
    let topics = knowledge::topics()
        .iter()
        .map(|topic| topic.name.to_owned());
    let facts = knowledge::facts().iter().map(|fact| fact.id.to_owned());
    let mistakes = knowledge::mistakes().iter().map(|it| it.id.to_owned());
    let others = [
        "nginx-001",
        "go-net-001",
        "googlebot",
        "gptbot",
        "Semrush",
        "HTTP 502",
        "nginx",
        "haproxy",
    ];
    let others = others.map(str::to_owned).into_iter();
    topics.chain(facts).chain(mistakes).chain(others).collect()
}

#[test]
fn what_readers_ask_is_answered() {
    let table = program::root().join("webmasterid/tests/explain/questions.toml");
    let table: toml::Table = std::fs::read_to_string(table).unwrap().parse().unwrap();
    let questions = table["questions"].as_array().unwrap();
    assert!(questions.len() >= 30, "{}", questions.len());
    let missing = program::each(questions, |question| {
        let command = question["command"].as_str().unwrap();
        let shown = on_one_line(&print(command));
        let shows = question["shows"].as_array().unwrap().iter();
        let absent = shows.filter(|text| !shown.contains(text.as_str().unwrap()));
        let asks = question["asks"].as_str().unwrap();
        absent
            .map(|text| format!("{asks} ({command}): {text}"))
            .collect::<Vec<_>>()
    });
    let missing = missing.concat();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// One word that is wider, an address on the web or text of a log, stands alone on its line: it must stay whole.
#[test]
fn every_page_fits_a_terminal() {
    program::each(&names(), |name| {
        for full in ["", " --full"] {
            let text = print(&format!("explain {name}{full}"));
            for line in text.lines().filter(|line| line.chars().count() > 80) {
                let words = line.trim_start_matches([' ', '-']);
                assert!(!words.contains(' '), "{name}: {line}");
            }
            assert!(text.contains("\nSources ("), "{name}");
        }
    });
    let list = print("explain --list");
    let search = print("explain --search upstream");
    let wide = list
        .lines()
        .chain(search.lines())
        .find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
}

#[test]
fn machine_output_is_json_with_a_source_for_every_fact() {
    program::each(&names(), |name| {
        let page: Value =
            serde_json::from_str(&print(&format!("explain {name} --format json"))).unwrap();
        assert_eq!(page["version"], 1, "{name}");
        for section in page["sections"].as_array().unwrap() {
            for fact in section["facts"].as_array().unwrap() {
                let sources = fact["sources"].as_array().unwrap();
                let read = sources.iter().all(|source| source["checked"].is_string());
                let status = if read {
                    "verified"
                } else {
                    "Data not yet verified"
                };
                assert!(!sources.is_empty(), "{name}: {fact}");
                assert_eq!(fact["status"], status, "{name}: {fact}");
            }
        }
    });
    let list: Value = serde_json::from_str(&print("explain --list --format json")).unwrap();
    assert_eq!(
        list["topics"].as_array().unwrap().len(),
        knowledge::topics().len()
    );
    let found: Value =
        serde_json::from_str(&print("explain --search upstream --format json")).unwrap();
    assert!(found["results"][0]["name"].is_string());
}

#[test]
fn markdown_has_no_control_bytes_and_no_markup_of_logs() {
    program::each(&names(), |name| {
        let text = print(&format!("explain {name} --full --format markdown"));
        let control = text
            .chars()
            .find(|letter| letter.is_control() && *letter != '\n');
        assert_eq!(control, None, "{name}");
        assert!(
            text.starts_with("# ") && text.contains("\n## Sources\n"),
            "{name}"
        );
    });
    let page = print("explain 503 --format markdown");
    assert!(page.contains("(\\<NOSRV\\>)"), "{page}");
}

/// What a report names can be looked up, whatever the case.
#[test]
fn ids_are_found_in_any_case_with_date_and_status() {
    for name in ["ROB-07", "rob-07"] {
        let text = on_one_line(&print(&format!("explain {name}")));
        assert!(text.contains("verified, checked 2026-07-08"), "{text}");
    }
    let open = on_one_line(&print("explain 500-06"));
    assert!(open.contains("[500-06, Data not yet verified]"), "{open}");
    assert!(!open.contains("verified, checked"), "{open}");
}

#[test]
fn a_search_finds_all_words_in_any_case_and_says_where() {
    let found = print("explain --search Retry-After");
    assert!(found.starts_with("retry-after "), "{found}");
    assert!(
        found.contains("\n503  503 Service Unavailable\n"),
        "{found}"
    );
    assert_eq!(found, print("explain --search retry-AFTER"));
    let several = print("explain --search robots.txt yandex");
    assert!(
        several.contains("yandex") && several.contains("ROB-19"),
        "{several}"
    );
    let none = print("explain --search qwertyuiop");
    assert_eq!(none, "nothing holds all of these words: qwertyuiop\n");
}

#[test]
fn an_unknown_topic_names_the_nearest() {
    for (asked, near) in [
        ("conection-refused", "connection-refused"),
        ("505", "502"),
        ("ROB-99", "ROB-0"),
        ("robot.txt", "robots.txt"),
        ("persistant", "persistent"),
    ] {
        let ran = program::line(Path::new("."), &format!("explain {asked}"));
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{asked}");
        assert!(ran.stderr.contains(near), "{}", ran.stderr);
    }
    let hidden = program::run(Path::new("."), ["explain", "\u{1b}[31mred"]);
    assert_eq!(hidden.status, Some(2));
    assert!(!hidden.stderr.contains('\u{1b}'), "{}", hidden.stderr);
    let nothing = program::line(Path::new("."), "explain");
    assert_eq!(nothing.status, Some(2));
}

/// The commands of the docs and of the help work as they stand there.
#[test]
fn commands_in_the_docs_run() {
    let docs = ["docs/explain.md", "README.md"]
        .map(|page| std::fs::read_to_string(program::root().join(page)).unwrap());
    let texts = [docs.concat(), print("explain --help")].concat();
    let lines = texts.lines().map(str::trim);
    let commands: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("webmasterid explain "))
        .filter(|line| !line.contains("TOPIC"))
        .collect();
    assert!(commands.len() >= 15, "{commands:?}");
    program::each(&commands, |command| {
        let ran = program::shell(Path::new("."), &format!("$WEBMASTERID explain {command}"));
        assert!(ran.report().lines().count() > 5, "{command}");
    });
}

/// The report names only what can be looked up: every id in the recorded reports leads to a page.
#[test]
fn what_recorded_reports_name_can_be_explained() {
    let mut named = std::collections::BTreeSet::new();
    for folder in program::cases() {
        let expected = std::fs::read_to_string(folder.join("expected.txt")).unwrap_or_default();
        let marks = expected
            .split('[')
            .skip(1)
            .filter_map(|rest| rest.split_once(", verified]"));
        named.extend(
            marks
                .map(|(id, _)| id.to_owned())
                .filter(|id| !id.contains(char::is_whitespace)),
        );
    }
    assert!(!named.is_empty());
    for id in named {
        assert!(knowledge::fact(&id).is_some(), "{id}");
    }
}
