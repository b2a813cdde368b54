//! What the build refuses: each wrong file is told with its path and the reason.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]
#![allow(
    dead_code,
    reason = "the build script's own modules; the tables are not written here"
)]

#[path = "../build/condition.rs"]
mod condition;
#[path = "../build/facts.rs"]
mod facts;
#[path = "../build/topic.rs"]
mod topic;

use facts::Facts;

/// The problems of this one file; what is missing around it is left out.
fn problems(path: &str, text: &str) -> Vec<String> {
    let files = [(path.to_owned(), text.to_owned())];
    let mut problems = Facts::parse(&files).unwrap_err();
    let around = [": missing", " stands in no topic"];
    problems.retain(|problem| !around.iter().any(|end| problem.ends_with(end)));
    problems
}

fn refused(path: &str, text: &str, reason: &str) {
    let problems = problems(path, text);
    let told = problems
        .iter()
        .any(|problem| problem.starts_with(&format!("facts/{path}")) && problem.contains(reason));
    assert!(told, "{reason:?} is not in {problems:#?}");
}

const CAUSE: &str = r#"
title = "read timeout"
says = "No answer in time."
advice = ["Find the slow route.", "Raise limits last."]
shape = "per route"
source = "a source"
checked = "2026-11"
"#;

const ERROR_SIGN: &str = r#"
[[signs]]
id = "nginx-900"
cause = "read-timeout"
log = "error"
all = ["upstream timed out"]
confidence = "certain"
basis = "source"
source = "a source"
checked = "2026-11"
"#;

const ACCESS_SIGN: &str = r#"
[[signs]]
id = "nginx-901"
cause = "read-timeout"
log = "access"
conditions = ["status=504", "absent:upstream_header_time"]
confidence = "likely"
basis = "measured"
source = "a source"
checked = "2026-11"
"#;

const CRAWLER: &str = r#"
operator = "Example"
category = "search"
purpose = "web search"
tokens = ["ExampleBot"]
honours_robots = "yes"
source = "https://www.example.com/bot"
basis = "full text"
checked = "2026-11-22"
"#;

const STATEMENT: &str = r#"
[[statements]]
id = "502-90"
says = "A gateway got an invalid answer."
kind = "rfc"
source = "https://www.rfc-editor.org/rfc/rfc9110.html"
basis = "full text"
checked = "2026-11"
status = "verified"
"#;

const FORMAT: &str = r#"
edge = "nginx"
string = "$remote_addr $status"
samples = ["192.0.2.1 200"]
source = "a source"
"#;

#[test]
fn good_files_are_taken() {
    let signs = format!("{ERROR_SIGN}{ACCESS_SIGN}");
    let shared = format!("edges = [\"nginx\", \"apache\"]\n{signs}");
    for (path, text) in [
        ("causes/read-timeout.toml", CAUSE),
        ("signs/nginx.toml", signs.as_str()),
        ("signs/ngi.toml", shared.as_str()),
        ("crawlers/example.toml", CRAWLER),
        ("statements/502.toml", STATEMENT),
        ("formats/example.toml", FORMAT),
    ] {
        assert_eq!(problems(path, text), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn unknown_keys_folders_and_endings_are_refused() {
    refused(
        "formats/a.toml",
        &format!("{FORMAT}\ncolour = 1"),
        "unknown field `colour`",
    );
    refused("colours/a.toml", "", "unknown folder");
    refused("formats/a.json", FORMAT, "not a .toml file");
}

#[test]
fn a_fact_needs_a_source_and_a_date_is_a_date() {
    let path = "causes/read-timeout.toml";
    refused(path, &CAUSE.replace("a source", " "), "no source");
    refused(path, &CAUSE.replace("2026-11", "November"), "is not a date");
    refused(
        "crawlers/a.toml",
        &CRAWLER.replace("https://www.example.com/bot", ""),
        "no source",
    );
    refused(
        "statements/a.toml",
        &STATEMENT.replace("checked = \"2026-11\"\n", ""),
        "go together",
    );
}

#[test]
fn causes_and_files_go_together() {
    refused("causes/bad-luck.toml", CAUSE, "unknown cause");
    let missing = Facts::parse(&[]).unwrap_err();
    assert!(missing.contains(&"facts/causes/read-timeout.toml: missing".to_owned()));
    assert!(missing.contains(&"facts/edges/nginx.toml: missing".to_owned()));
}

#[test]
fn signs_must_be_able_to_match() {
    let path = "signs/nginx.toml";
    let error = |old: &str, new: &str| ERROR_SIGN.replace(old, new);
    let access = |old: &str, new: &str| ACCESS_SIGN.replace(old, new);
    refused(
        path,
        &error("[\"upstream timed out\"]", "[]"),
        "sign nginx-900: an error-log sign has texts",
    );
    refused(path, &error("upstream timed out", ""), "matches every line");
    refused("signs/iis.toml", ERROR_SIGN, "unknown edge");
    refused(path, &error("read-timeout", "bad-luck"), "unknown cause");
    refused(
        path,
        &format!("{ERROR_SIGN}{ERROR_SIGN}"),
        "stands there twice",
    );
    refused(
        path,
        &error("nginx-900", "apache-900"),
        "does not begin with",
    );
    refused(
        path,
        &error("\"source\"", "\"unverified\""),
        "exclude each other",
    );
    refused(
        path,
        &access("status=504", "colour=504"),
        "unknown field \"colour\"",
    );
    refused(
        path,
        &access("status=504", "status~504"),
        "unknown operator",
    );
    refused(
        path,
        &access("status=504", "status>high"),
        "is not a number",
    );
    refused(
        path,
        &access("status=504", "pred:looks-odd"),
        "unknown predicate",
    );
    refused(
        path,
        &access("likely", "ambiguous"),
        "nothing is named that would settle it",
    );
    refused(path, &access("likely", "sure"), "unknown confidence");
}

#[test]
fn crawlers_need_tokens_that_name_them() {
    let path = "crawlers/a.toml";
    refused(path, &CRAWLER.replace("ExampleBot", "bot"), "too short");
    refused(path, &CRAWLER.replace("[\"ExampleBot\"]", "[]"), "no token");
    refused(
        path,
        &CRAWLER.replace("\"search\"", "\"robots\""),
        "unknown category",
    );
    refused(
        path,
        &format!("{CRAWLER}rdns_suffixes = [\"example.com\"]"),
        "begin with a dot",
    );
    let masked = |masks: &str| {
        format!("{CRAWLER}rdns_suffixes = [\".example.com\"]\nrdns_masks = [\"{masks}\"]\n")
    };
    let checked = "rdns_masks_checked = \"2026-07-08\"";
    refused(path, &masked("crawl-*.example.com"), "stand together");
    refused(
        path,
        &format!("{}{checked}", masked("crawl-*.example.org")),
        "none of the suffixes",
    );
    refused(
        path,
        &format!("{}{checked}", masked("crawl.example.com")),
        "exactly one asterisk",
    );
}

#[test]
fn formats_need_samples() {
    refused(
        "formats/a.toml",
        &FORMAT.replace("[\"192.0.2.1 200\"]", "[]"),
        "no sample",
    );
}

#[test]
fn ids_and_tokens_stand_once() {
    let twice = |folder: &str, text: &str| {
        let files = ["a", "b"].map(|name| (format!("{folder}/{name}.toml"), text.to_owned()));
        Facts::parse(&files).unwrap_err().join("\n")
    };
    assert!(twice("crawlers", CRAWLER).contains("\"examplebot\" stands there 2 times"));
    assert!(twice("statements", STATEMENT).contains("\"502-90\" stands there 2 times"));
}

const TOPIC: &str = r#"
title = "502 Bad Gateway"
kind = "status"

[[claims]]
part = "means"
says = "A gateway got an invalid answer."
kind = "rfc"
source = "https://www.rfc-editor.org/rfc/rfc9110.html"
basis = "full text"
checked = "2026-11"
"#;

const MISTAKE: &str = r#"
[[mistakes]]
id = "MIS-90"
advice = "Raise every limit."
why = "Nothing timed out."
instead = "Look at what closed."
topics = ["502"]
kind = "measured"
source = "a lab"
basis = "measured"
checked = "2026-11"
"#;

#[test]
fn a_topic_needs_claims_with_sources_and_links_that_lead_somewhere() {
    let path = "topics/502.toml";
    let without = |line: &str| TOPIC.replace(line, "");
    refused(
        path,
        &without("source = \"https://www.rfc-editor.org/rfc/rfc9110.html\"\n"),
        "no source",
    );
    refused(path, &without("basis = \"full text\"\n"), "no source");
    refused(
        path,
        &TOPIC.replace("part = \"means\"", "part = \"meaning\""),
        "unknown part",
    );
    refused(
        path,
        &TOPIC.replace("kind = \"status\"", "kind = \"code\""),
        "unknown kind",
    );
    refused(
        path,
        &TOPIC.replace("kind = \"rfc\"", "kind = \"hearsay\""),
        "unknown kind of source",
    );
    refused(
        path,
        &TOPIC.replace("kind = \"rfc\"", "kind = \"secondary\""),
        "verifies nothing",
    );
    refused(
        path,
        &TOPIC.replace("checked = \"2026-11\"", "checked = \"soon\""),
        "is not a date",
    );
    let head =
        |line: &str| TOPIC.replace("kind = \"status\"", &format!("kind = \"status\"\n{line}"));
    refused(path, &head("related = [\"999\"]"), "is no topic");
    refused(path, &head("related = [\"502\"]"), "related to itself");
    refused(path, &head("causes = [\"gremlins\"]"), "unknown cause");
    refused(path, &head("also = [\"Bad Gateway\"]"), "not in lower case");
    refused(
        path,
        &head("operator = \"Nobody\""),
        "no crawler of operator",
    );
    refused(
        path,
        &head("statements = { means = [\"502-90\"] }"),
        "no statement",
    );
    let from = TOPIC.replace("part = \"means\"", "part = \"means\"\nfrom = [\"502-90\"]");
    refused(path, &from, "a source of its own");
}

#[test]
fn a_mistake_needs_a_source_and_a_topic() {
    let path = "mistakes/nginx.toml";
    refused(path, MISTAKE, "\"502\" is no topic");
    refused(path, &MISTAKE.replace("[\"502\"]", "[]"), "no topic");
    refused(path, &MISTAKE.replace("\"a lab\"", "\"\""), "no source");
    refused(
        path,
        &MISTAKE.replace("\"Nothing timed out.\"", "\"\""),
        "a text is empty",
    );
    refused(path, &format!("{MISTAKE}{MISTAKE}"), "stands there twice");
}

#[test]
fn what_must_be_explained_and_is_not_is_named() {
    let problems = Facts::parse(&[]).unwrap_err();
    for name in [
        "502",
        "robots.txt",
        "connection-refused",
        "overload",
        "timeout",
    ] {
        let missing = format!("facts/topics/{name}.toml: missing");
        assert!(problems.contains(&missing), "{missing}");
    }
    let statement = [("statements/502.toml".to_owned(), STATEMENT.to_owned())];
    let problems = Facts::parse(&statement).unwrap_err();
    let alone = "facts/statements: 502-90 stands in no topic".to_owned();
    assert!(problems.contains(&alone));
}
