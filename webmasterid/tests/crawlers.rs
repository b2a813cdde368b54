//! `crawlers list|identify|refresh`, and what `diagnose` and `failures` make of the stored address ranges: through the
//! program, with an HTTPS server on this machine.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod https;
mod program;

use std::fs;
use std::path::{Path, PathBuf};

use https::{Answer, Server};
use program::Ran;
use serde_json::Value;

const GOOGLE: &str = r#"{"creationTime":"2026-11-20T08:00:00.000000","prefixes":[{"ipv4Prefix":"66.249.64.0/27"},
    {"ipv4Prefix":"66.249.66.0/27"},{"ipv6Prefix":"2001:4860:4801:10::/64"}]}"#;
const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// A folder with the authority of a server in it; the store lies in `store` there.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), &server.ca).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = program::program(self.path());
        command.env("WEBMASTERID_RANGES", self.path().join("store"));
        // A proxy of the machine that tests run on is not to see them.
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(name);
        }
        Ran::from(command.args(args).output().unwrap())
    }

    fn refresh(&self, server: &Server, args: &[&str]) -> Ran {
        let from = [
            "crawlers",
            "refresh",
            "--ca",
            "ca.pem",
            "--from",
            &server.base,
        ];
        self.run(&[&from, args].concat())
    }

    /// The stored files, by name.
    fn stored(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path().join("store"));
        let mut files: Vec<PathBuf> = entries
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files
    }

    /// Makes every stored list look as if it had been fetched at that time.
    fn fetched_at(&self, time: &str) {
        for path in self.stored() {
            let text = fs::read_to_string(&path).unwrap();
            let (head, rest) = text.split_once("# fetched at: ").unwrap();
            let (_, rest) = rest.split_once('\n').unwrap();
            fs::write(&path, format!("{head}# fetched at: {time}\n{rest}")).unwrap();
        }
    }
}

/// A good file of every name that facts know, in the layout that they name for it.
fn good(path: &str) -> Answer {
    let prefixes = |text: &str| {
        Answer::json(format!(
            "{{\"creationTime\":\"2026-11-20T08:00:00\",\"prefixes\":[{text}]}}"
        ))
    };
    match path.rsplit('/').next().unwrap() {
        "common-crawlers.json" => Answer::json(GOOGLE),
        "bingbot.json" => prefixes("{\"ipv4Prefix\":\"157.55.39.0/24\u{200b}\"},{\"ipv4Prefix\":\"40.77.167.0/24\"}"),
        "ip-ranges.json" => Answer::json(
            r#"{"syncToken":"1795196590","createDate":"2026-11-20-17-43-10","prefixes":[
            {"ip_prefix":"15.177.0.0/18","service":"ROUTE53_HEALTHCHECKS"},{"ip_prefix":"3.5.140.0/22","service":"AMAZON"}]}"#,
        ),
        "geofeed" => Answer::Is(200, "text/csv", "31.13.24.0/21,IE,,,\n2a03:2880::/36,US,,,\n".to_owned()),
        "cidr.txt" | "ips-v4" | "ipv4" => Answer::Is(200, "text/plain", "91.108.4.0/22\n91.108.8.1\n".to_owned()),
        "ips-v6" | "ipv6" => Answer::Is(200, "text/plain", "2001:67c:4e8::/48\n".to_owned()),
        "Locations.php" => Answer::json(r#"[{"title":"London","ip":"178.62.100.1","ipv6":"2a03:b0c0::9"}]"#),
        "ips-by-cluster.json" => Answer::json(r#"{"us":["5.161.75.7"],"eu":["5.161.76.7"]}"#),
        "synthetics.json" => Answer::json(
            r#"{"version":1,"modified":"2026-10-01-00-00-00","synthetics":{"prefixes_ipv4":["52.9.13.199/32"],"prefixes_ipv6":[]}}"#,
        ),
        "ip-addresses" | "searchbot-ip-addresses" | "live-ip-addresses" | "seznambot-crawler" | "bot" => Answer::Is(
            200,
            "text/html",
            "<!doctype html><html><body><p>We come from 77.75.76.0/24 and 77.75.77.9.</p></body></html>".to_owned(),
        ),
        _ => prefixes(r#"{"ipv4Prefix":"20.42.10.176/28"},{"ipv6Prefix":"2603:1030::/48"}"#),
    }
}

#[test]
fn every_list_that_facts_name_is_fetched_once_and_stored() {
    let server = Server::start("127.0.0.1", good);
    let place = Place::new(&server);
    let ran = place.refresh(&server, &[]);
    assert_eq!(
        (ran.status, ran.stderr.as_str()),
        (Some(0), ""),
        "{}",
        ran.stdout
    );
    let mut asked = server.asked();
    let lists = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), lists, "one was asked for twice");
    assert_eq!(place.stored().len(), lists);
    assert_eq!(
        ran.stdout
            .lines()
            .filter(|line| line.ends_with("new"))
            .count(),
        lists
    );
    assert!(
        ran.stdout
            .contains("googlebot and 8 more                   2     1  2026-11-20  new\n"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .contains("route53-health                         1     0  2026-11-20  new\n"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .contains("skipped: whois: routes of AS32934 (not an address on the web)\n")
    );
    assert!(ran.stdout.contains(&format!(
        "{lists} of {lists} lists fetched, {lists} changed or new"
    )));
    // The line about the folder is as long as the folder's name.
    let wide = ran
        .stdout
        .lines()
        .find(|line| line.chars().count() > 80 && !line.contains("stored in"));
    assert_eq!(wide, None);
    let again = place.refresh(&server, &[]);
    assert_eq!(again.status, Some(0));
    assert_eq!(
        again
            .stdout
            .lines()
            .filter(|line| line.ends_with("unchanged"))
            .count(),
        lists
    );
    assert!(again.stdout.contains("lists fetched, 0 changed or new"));
    assert_eq!(place.stored().len(), lists, "nothing is left over");
}

/// What a server may do wrong; the last good copy stays, byte for byte, and the line says why.
#[test]
fn what_cannot_be_fetched_or_is_no_list_leaves_the_last_good_copy() {
    let cut_json = GOOGLE.get(..GOOGLE.len() / 2).unwrap();
    let table = [
        (
            "missing",
            Answer::Is(404, "text/html", "<html>gone</html>".to_owned()),
            "status 404",
        ),
        (
            "broken",
            Answer::Is(503, "text/plain", String::new()),
            "status 503",
        ),
        (
            "page",
            Answer::Is(
                200,
                "text/html",
                "<!DOCTYPE html><html><body>Sorry. 9.9.9.9</body></html>".to_owned(),
            ),
            "a page instead of the list that should be there",
        ),
        (
            "cut",
            Answer::Cut(GOOGLE.to_owned()),
            "cut off before its end",
        ),
        ("half", Answer::json(cut_json), "not JSON, or cut off"),
        (
            "other",
            Answer::json("{\"error\":\"no\"}"),
            "no usable address in it",
        ),
        (
            "none",
            Answer::json("{\"creationTime\":\"2026-11-20\",\"prefixes\":[]}"),
            "no usable address in it",
        ),
        ("nothing", Answer::json(""), "no usable address in it"),
        (
            "all",
            Answer::json("{\"prefixes\":[{\"ipv4Prefix\":\"0.0.0.0/0\"}]}"),
            "no usable address in it",
        ),
        ("huge", Answer::Huge { is_said: true }, "larger than 4 MiB"),
        (
            "endless",
            Answer::Huge { is_said: false },
            "larger than 4 MiB",
        ),
        (
            "plain",
            Answer::To("http://127.0.0.1:9/common-crawlers.json".to_owned()),
            "it redirects to an address that is not https",
        ),
        (
            "loop",
            Answer::To("/loop/common-crawlers.json".to_owned()),
            "more than 5 redirects",
        ),
        ("slow", Answer::Stall, "no whole answer within 0.5 s"),
        (
            "fewer",
            Answer::json(
                "{\"prefixes\":[{\"ipv4Prefix\":\"66.249.64.0/28\"},{\"ipv6Prefix\":\"2001:4860:4801:10::/64\"}]}",
            ),
            "lost more than half of its addresses; --force stores it",
        ),
        (
            "no-v6",
            Answer::json("{\"prefixes\":[{\"ipv4Prefix\":\"66.249.64.0/19\"}]}"),
            "lost more than half of its addresses; --force stores it",
        ),
        (
            "blocked",
            Answer::json("{\"ip\":\"66.249.64.0/19\",\"v6\":\"2001:4860::/32\",\"error\":\"no\"}"),
            "no longer the list that it was; --force stores it",
        ),
    ];
    let answers = table.clone();
    let server = Server::start("127.0.0.1", move |path| {
        let of = |name| path.starts_with(&format!("/{name}/"));
        let answer = answers.iter().find(|(name, ..)| of(name));
        answer.map_or_else(|| good(path), |(_, answer, _)| answer.clone())
    });
    let place = Place::new(&server);
    // Without an older copy there is nothing to keep, and nothing is stored.
    for (name, _, reason) in &table[..14] {
        let base = format!("{}/{name}", server.base);
        let args = [
            "crawlers",
            "refresh",
            "--ca",
            "ca.pem",
            "--only",
            "googlebot",
            "--timeout",
            "0.5",
            "--from",
            &base,
        ];
        let ran = place.run(&args);
        let stdout = ran.stdout;
        assert!(
            stdout.contains("googlebot and 8 more                   -     -  -           FAILED\n"),
            "{stdout}"
        );
        assert!(
            stdout.contains(&format!(
                "\n    {base}/common-crawlers.json\n    {reason}\n"
            )),
            "{name}: {stdout}"
        );
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(1), ""), "{name}");
        assert_eq!(place.stored(), [""; 0].map(PathBuf::from), "{name}");
    }
    assert_eq!(
        place.refresh(&server, &["--only", "googlebot"]).status,
        Some(0)
    );
    let [stored] = &place.stored()[..] else {
        panic!("one list")
    };
    let before = fs::read(stored).unwrap();
    for (name, _, reason) in &table {
        let base = format!("{}/{name}", server.base);
        let args = [
            "crawlers",
            "refresh",
            "--ca",
            "ca.pem",
            "--only",
            "googlebot",
            "--timeout",
            "0.5",
            "--from",
            &base,
        ];
        let ran = place.run(&args);
        assert!(
            ran.stdout
                .contains("2     1  2026-11-20  FAILED, kept the old\n"),
            "{}",
            ran.stdout
        );
        assert!(
            ran.stdout
                .contains(&format!("\n    {reason}\n0 of 1 lists fetched")),
            "{name}: {}",
            ran.stdout
        );
        assert_eq!(ran.status, Some(1), "{name}");
        assert_eq!(place.stored(), std::slice::from_ref(stored));
        assert_eq!(fs::read(stored).unwrap(), before, "{name}");
    }
    // Who knows better may.
    let base = format!("{}/fewer", server.base);
    let ran = place.run(&[
        "crawlers",
        "refresh",
        "--ca",
        "ca.pem",
        "--only",
        "googlebot",
        "--force",
        "--from",
        &base,
    ]);
    assert_eq!(ran.status, Some(0));
    assert!(
        ran.stdout.contains("1     1  -           changed\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn one_that_fails_does_not_keep_the_others_from_being_stored() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/bingbot.json" => Answer::Is(404, "text/plain", String::new()),
        "/gptbot.json" => Answer::To("/moved/gptbot.json".to_owned()),
        _ => good(path),
    });
    let place = Place::new(&server);
    let ran = place.refresh(
        &server,
        &["--only", "Google", "--only", "bingbot", "--only", "gptbot"],
    );
    assert_eq!(ran.status, Some(1));
    assert_eq!(ran.stdout.matches("FAILED\n").count(), 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("bingbot"), "{}", ran.stdout);
    assert_eq!(place.stored().len(), 5);
    let path = place
        .stored()
        .into_iter()
        .find(|path| path.ends_with("openai.com_gptbot.json.ranges"));
    let text = fs::read_to_string(path.unwrap()).unwrap();
    assert!(
        text.contains("# source: https://openai.com/gptbot.json\n"),
        "{text}"
    );
    assert!(
        text.contains(&format!("# fetched from: {}/gptbot.json\n", server.base)),
        "{text}"
    );
}

#[test]
fn a_certificate_of_another_name_or_authority_is_refused() {
    let server = Server::start("127.0.0.1", good);
    let other = Server::start("elsewhere.example", good);
    let place = Place::new(&server);
    fs::write(place.path().join("other.pem"), &other.ca).unwrap();
    fs::write(place.path().join("rubbish.pem"), "rubbish").unwrap();
    for (ca, base, status, said) in [
        (
            "other.pem",
            &other.base,
            1,
            "certificate or TLS: of another name",
        ),
        (
            "other.pem",
            &server.base,
            1,
            "certificate or TLS: signed by an authority that is not trusted here (--ca takes others)",
        ),
        (
            "rubbish.pem",
            &server.base,
            2,
            "webmasterid: --ca rubbish.pem: no certificate authority in PEM in it\n",
        ),
        (
            "nowhere.pem",
            &server.base,
            2,
            "webmasterid: --ca nowhere.pem: no such file\n",
        ),
    ] {
        let ran = place.run(&[
            "crawlers", "refresh", "--ca", ca, "--only", "gptbot", "--from", base,
        ]);
        assert_eq!(ran.status, Some(status), "{said}");
        assert!(
            ran.stdout.contains(&format!("    {said}\n")) || ran.stderr == said,
            "{ran:?}"
        );
    }
    assert_eq!(server.asked(), [""; 0]);
    assert_eq!(place.stored(), [""; 0].map(PathBuf::from));
}

#[test]
fn arguments_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (words, said) in [
        (
            "crawlers refresh --only nobody",
            "--only nobody: no crawler or operator of that name is known",
        ),
        (
            "crawlers refresh --only yandexbot",
            "--only yandexbot: no list of its addresses is known",
        ),
        (
            "crawlers refresh --from http://mirror.example",
            "a mirror's address begins with https://",
        ),
        (
            "crawlers refresh --timeout 0",
            "not a number of seconds above 0",
        ),
        (
            "crawlers list nobody",
            "no crawler or operator \"nobody\" is known",
        ),
        (
            "crawlers list --category robots",
            "no such category; there are search, ai, user-triggered, seo, monitor, preview, other",
        ),
        (
            "crawlers identify --ua x --ip 300.1.1.1",
            "invalid IP address syntax",
        ),
        ("crawlers identify", "--ua <AGENT>"),
    ] {
        let ran = program::line(folder.path(), words);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{words}");
        assert!(ran.stderr.contains(said), "{words}: {}", ran.stderr);
    }
}

/// Without `--ca` the machine's authorities count; on Linux this variable names them.
#[test]
fn the_authorities_of_the_machine_are_trusted() {
    let server = Server::start("127.0.0.1", good);
    let other = Server::start("elsewhere.example", good);
    let place = Place::new(&server);
    fs::write(place.path().join("other.pem"), &other.ca).unwrap();
    for (authorities, status) in [("ca.pem", Some(0)), ("other.pem", Some(1))] {
        let mut command = program::program(place.path());
        command.env("SSL_CERT_FILE", place.path().join(authorities));
        command.env_remove("SSL_CERT_DIR");
        let args = [
            "crawlers", "refresh", "--dir", "store", "--only", "gptbot", "--from",
        ];
        let ran = Ran::from(command.args(args).arg(&server.base).output().unwrap());
        assert_eq!(ran.status, status, "{ran:?}");
        let is_refused = ran
            .stdout
            .contains("by an authority that is not trusted here");
        assert_eq!(is_refused, status == Some(1), "{ran:?}");
    }
}

/// Googlebot from its range and from elsewhere, and a crawler whose list is not there.
fn log() -> String {
    let line = |address: &str, second: u32, agent: &str| {
        format!(
            "{address} - - [22/Nov/2026:09:00:{second:02} +0000] \"GET /shop/item HTTP/1.1\" 502 157 \"-\" \"{agent}\"\n"
        )
    };
    [
        line("66.249.66.1", 1, GOOGLEBOT),
        line("185.1.2.3", 2, GOOGLEBOT),
        line("2001:4860:4801:10::1", 3, GOOGLEBOT),
        line("2a00:1450::1", 4, GOOGLEBOT),
        line("10.0.0.7", 5, GOOGLEBOT),
        line(
            "185.1.2.3",
            6,
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        ),
    ]
    .concat()
}

/// Verified, spoofed, unverifiable and unchecked by crawler, as `diagnose` counts them.
fn identities(ran: Ran) -> Vec<(String, [u64; 4])> {
    let report: Value = serde_json::from_str(&ran.report()).unwrap();
    let crawlers = report["crawlers"].as_array().unwrap().iter();
    crawlers
        .map(|crawler| {
            let of = |name: &str| crawler["identity"][name].as_u64().unwrap();
            let counts = ["verified", "spoofed", "unverifiable", "unchecked"].map(of);
            (crawler["id"].as_str().unwrap().to_owned(), counts)
        })
        .collect()
}

#[test]
fn stored_ranges_are_used_and_old_ones_accuse_nobody() {
    let server = Server::start("127.0.0.1", good);
    let place = Place::new(&server);
    fs::write(place.path().join("access.log"), log()).unwrap();
    assert_eq!(
        place.refresh(&server, &["--only", "googlebot"]).status,
        Some(0)
    );
    let diagnose = |args: &[&str]| {
        place.run(&[&["diagnose", "access.log", "--format", "json"], args].concat())
    };
    let counts = |googlebot| {
        vec![
            ("googlebot".to_owned(), googlebot),
            ("bingbot".to_owned(), [0, 0, 0, 1]),
        ]
    };
    // Fetched today, long after the log ends, or at its end: current for it.
    assert_eq!(identities(diagnose(&[])), counts([2, 2, 0, 1]));
    place.fetched_at("2026-10-24T00:00:00Z");
    assert_eq!(identities(diagnose(&[])), counts([2, 2, 0, 1]));
    assert_eq!(identities(diagnose(&["--no-ranges"])), counts([0, 0, 0, 5]));
    // 31 days before the log: a hit holds, a miss means nothing.
    place.fetched_at("2026-10-22T00:00:00Z");
    assert_eq!(identities(diagnose(&[])), counts([2, 0, 0, 3]));
    let text = place
        .run(&["diagnose", "access.log", "--now", "2026-11-22T09:01:00Z"])
        .report();
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("common-crawlers.json: more than 30 days older than the log's end"),
        "{text}"
    );
    // The user's own file is beside it, and what proves least decides.
    fs::write(
        place.path().join("bingbot.json"),
        "{\"prefixes\":[{\"ipv4Prefix\":\"157.55.39.0/24\"}]}",
    )
    .unwrap();
    let with = identities(diagnose(&["--ranges", "bingbot.json"]));
    assert_eq!(with[0].1, [2, 0, 0, 3]);
    assert_eq!(with[1].1, [0, 1, 0, 0]);
    let rows = place
        .run(&["failures", "access.log", "--format", "ndjson"])
        .report();
    let of: Vec<Value> = rows
        .lines()
        .map(|row| serde_json::from_str::<Value>(row).unwrap()["identity"].clone())
        .collect();
    assert_eq!(
        of,
        [
            "verified",
            "unchecked",
            "verified",
            "unchecked",
            "unchecked",
            "unchecked"
        ]
    );
}

#[test]
fn a_stored_file_that_is_damaged_is_named_and_fetched_again() {
    let server = Server::start("127.0.0.1", good);
    let place = Place::new(&server);
    fs::write(place.path().join("access.log"), log()).unwrap();
    assert_eq!(
        place.refresh(&server, &["--only", "googlebot"]).status,
        Some(0)
    );
    let [stored] = &place.stored()[..] else {
        panic!("one list")
    };
    fs::write(stored, "rubbish").unwrap();
    let ran = place.run(&["diagnose", "access.log", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.report()).unwrap();
    assert_eq!(report["problems"][0]["source"], "common-crawlers.json");
    assert_eq!(
        report["problems"][0]["reason"],
        "not a stored list of version 1; fetch it again"
    );
    assert!(
        place
            .refresh(&server, &["--only", "googlebot"])
            .stdout
            .contains("  new\n")
    );
    // A folder that is none is one problem, not one for each list.
    let mut command = program::program(place.path());
    command.env("WEBMASTERID_RANGES", "access.log");
    let args = ["diagnose", "access.log", "--format", "json"];
    let ran = Ran::from(command.args(args).output().unwrap());
    let report: Value = serde_json::from_str(&ran.report()).unwrap();
    assert_eq!(
        report["problems"].as_array().unwrap().len(),
        1,
        "{}",
        report["problems"]
    );
    assert_eq!(report["problems"][0]["source"], "stored address ranges");
}

#[test]
fn the_steps_to_an_answer_are_told() {
    let server = Server::start("127.0.0.1", good);
    let place = Place::new(&server);
    assert_eq!(
        place
            .refresh(&server, &["--only", "googlebot", "--only", "seznambot"])
            .status,
        Some(0)
    );
    place.fetched_at("2026-11-20T09:00:00Z");
    let told = |agent: &str, more: &str| {
        let args = [
            "crawlers",
            "identify",
            "--now",
            "2026-11-22T09:00:00Z",
            "--ua",
            agent,
        ];
        let more: Vec<&str> = more.split_whitespace().collect();
        place.run(&[&args, more.as_slice()].concat()).report()
    };
    assert_eq!(
        told(GOOGLEBOT, "--ip 66.249.66.1"),
        "  user agent   Mozilla/5.0 (compatible; Googlebot/2.1;
               +http://www.google.com/bot.html)
  tokens       \"Googlebot\" names googlebot
  claims       googlebot of Google, common crawler: web search index (also
               Images, Video, News, Discover)
  ranges       common-crawlers.json: 2 entries of IPv4 and 1 of IPv6; fetched
               2026-11-20, made 2026-11-20
               66.249.66.1 is in it
  dns          not asked; the name of 66.249.66.1 would have to be like
               crawl-*.googlebot.com or geo-crawl-*.geo.googlebot.com and to
               lead back to 66.249.66.1
  answer       verified: the address is in the list of Google
  note         Smartphone and desktop share the token. Masks:
               crawl-*.googlebot.com and geo-crawl-*.geo.googlebot.com. Rare
               forms: 'Googlebot/2.1 (+...)' without Mozilla.
"
    );
    for (agent, more, in_ranges, identity) in [
        (GOOGLEBOT, "", Value::Null, "unchecked"),
        (GOOGLEBOT, "--ip 185.1.2.3", "miss".into(), "spoofed"),
        (
            GOOGLEBOT,
            "--ip 185.1.2.3 --now 2026-12-21",
            "miss-of-stale-list".into(),
            "unchecked",
        ),
        (
            GOOGLEBOT,
            "--ip 66.249.66.1 --now 2027-12-21",
            "hit".into(),
            "verified",
        ),
        (
            GOOGLEBOT,
            "--ip 185.1.2.3 --no-ranges",
            "no-list".into(),
            "unchecked",
        ),
        (
            GOOGLEBOT,
            "--ip ::ffff:66.249.66.1",
            "hit".into(),
            "verified",
        ),
        (
            GOOGLEBOT,
            "--ip 192.168.1.1",
            "not-public".into(),
            "unchecked",
        ),
        ("SeznamBot/4.0", "--ip 77.75.76.9", "hit".into(), "verified"),
        (
            "SeznamBot/4.0",
            "--ip 77.75.80.9",
            "miss-of-incomplete-list".into(),
            "unchecked",
        ),
        (
            "SeznamBot/4.0",
            "--ip 2a00::1",
            "family-not-covered".into(),
            "unchecked",
        ),
        (
            "MJ12bot/v1.4",
            "--ip 77.75.80.9",
            "no-list".into(),
            "unverifiable",
        ),
    ] {
        // The last of two wins.
        let more = format!("--format json {more}");
        let args: Vec<&str> = ["crawlers", "identify", "--ua", agent]
            .into_iter()
            .chain(more.split_whitespace())
            .collect();
        let now = if more.contains("--now") {
            &[][..]
        } else {
            &["--now", "2026-11-22T09:00:00Z"]
        };
        let answer = place.run(&[&args, now].concat()).report();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(
            (&answer["in_ranges"], answer["identity"].as_str()),
            (&in_ranges, Some(identity)),
            "{agent} {more}"
        );
    }
}

/// The traps of the registry: whose an agent is, and which other tokens occur in it.
#[test]
fn agents_that_mislead() {
    let folder = tempfile::tempdir().unwrap();
    for (agent, crawler, others) in [
        (
            "Googlebot-Image/1.0",
            "googlebot-image",
            "googlebot:ruled-out",
        ),
        (
            "GoogleOther-Image/1.0",
            "googleother-image",
            "googleother:ruled-out",
        ),
        (
            "AdsBot-Google-Mobile (x)",
            "adsbot-google-mobile",
            "adsbot-google:ruled-out",
        ),
        (
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "slackbot-linkexpanding",
            "slackbot:ruled-out",
        ),
        (
            "Mozilla/5.0 (compatible; adidxbot/2.0; +http://www.bing.com/bingbot.htm)",
            "adidxbot",
            "",
        ),
        (
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "bingbot",
            "",
        ),
        ("see http://www.bing.com/bingbot.htm", "", ""),
        (
            "TelegramBot (like TwitterBot)",
            "telegrambot",
            "twitterbot:ruled-out",
        ),
        (
            "facebookexternalhit/1.1 Facebot Twitterbot/1.0",
            "facebookexternalhit",
            "twitterbot:ruled-out",
        ),
        (
            "facebookexternalhit/1.1;kakaotalk-scrap/1.0",
            "kakaotalk-scrap",
            "facebookexternalhit:ruled-out",
        ),
        (
            "facebookexternalhit/1.1; line-poker/1.0",
            "line-poker",
            "facebookexternalhit:ruled-out",
        ),
        (
            "facebookexternalhit/1.1 (compatible; Blueno/1.0)",
            "blueno",
            "facebookexternalhit:ruled-out",
        ),
        ("Mozilla/5.0 (compatible; GOOGLEBOT/2.1)", "googlebot", ""),
        ("DOTBOT", "dotbot", ""),
        ("Meta-ExternalAgent/1.1", "meta-externalagent", ""),
        (
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36; compatible; OAI-SearchBot/1.3",
            "oai-searchbot",
            "",
        ),
        (
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/W.X.Y.Z Safari/537.36 (compatible; Google-Agent; +x)",
            "google-agent",
            "",
        ),
        ("Screaming Frog SEO Spider/21.4", "screaming-frog", ""),
        (
            "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
            "sogou",
            "",
        ),
        ("iTMS", "itms", ""),
        ("iTMS/1.0 iTunes/12.13", "", "itms:not-whole"),
        ("Mozilla/5.0 (iPhone) Yeti Cycles Browse", "", ""),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "",
            "",
        ),
        ("", "", ""),
    ] {
        let ran = program::run(
            folder.path(),
            ["crawlers", "identify", "--format", "json", "--ua", agent],
        );
        let answer: Value = serde_json::from_str(&ran.report()).unwrap();
        assert_eq!(
            answer["crawler"].as_str().unwrap_or_default(),
            crawler,
            "{agent}"
        );
        let tokens = answer["tokens"].as_array().unwrap().iter();
        let found: Vec<String> = tokens
            .filter(|token| token["verdict"] != "named")
            .map(|token| {
                format!(
                    "{}:{}",
                    token["crawler"].as_str().unwrap(),
                    token["verdict"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(found.join(" "), others, "{agent}");
    }
}

#[test]
fn names_that_no_crawler_sends_are_said_to_be_forged() {
    let folder = tempfile::tempdir().unwrap();
    let answer = |agent: &str| -> Value {
        let ran = program::run(
            folder.path(),
            ["crawlers", "identify", "--format", "json", "--ua", agent],
        );
        serde_json::from_str(&ran.report()).unwrap()
    };
    for (agent, token) in [
        (
            "Mozilla/5.0 (compatible; Google-Extended/1.0)",
            "Google-Extended",
        ),
        ("applebot-extended", "Applebot-Extended"),
    ] {
        let answer = answer(agent);
        assert_eq!(answer["robots_token"], token);
        assert_eq!(answer["identity"], "spoofed");
        assert_eq!(answer["crawler"], Value::Null);
        assert_eq!(
            answer["why"],
            format!(
                "{token} is a name for robots.txt alone: no crawler sends it, so this agent is forged"
            )
        );
    }
    let news = answer("Googlebot-News");
    assert_eq!(
        (&news["crawler"], &news["robots_token"]),
        (&"googlebot".into(), &"Googlebot-News".into())
    );
    let dash = answer("Mozilla/5.0 (compatible; Perplexity\u{2011}User/1.0)");
    assert_eq!(
        (&dash["crawler"], &dash["with_hyphens"]),
        (&Value::Null, &"perplexity-user".into())
    );
    // What a terminal would obey is never written to one.
    let ran = program::run(
        folder.path(),
        ["crawlers", "identify", "--ua", "\u{1b}[31mGPTBot\u{202e}"],
    );
    assert!(
        !ran.stdout.contains(['\u{1b}', '\u{202e}']),
        "{}",
        ran.stdout
    );
}

#[test]
fn the_registry_is_listed_whole_and_in_part() {
    let folder = tempfile::tempdir().unwrap();
    let list =
        |words: &str| program::line(folder.path(), &format!("crawlers list {words}")).report();
    let all = list("");
    let wide = all.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
    assert!(
        all.contains(
            "\n  googlebot                 Google          common         dns+ranges 2026-09-22\n"
        ),
        "{all}"
    );
    assert!(
        all.contains(
            "\n  gptbot                    OpenAI          training       ranges     2026-06-27\n"
        ),
        "{all}"
    );
    assert!(
        all.contains(
            "\n  bytespider                ByteDance       training       -          unverified\n"
        ),
        "{all}"
    );
    assert!(
        all.contains(
            "\n  google-agent              Google          ai             dns+ranges 2026-07-16\n"
        ),
        "{all}"
    );
    assert!(all.contains("Data not yet verified"));
    let ai = list("--category ai,user-triggered");
    assert!(
        ai.contains("chatgpt-user") && ai.contains("gptbot") && !ai.contains("googlebot"),
        "{ai}"
    );
    let json: Value = serde_json::from_str(&list("--format json")).unwrap();
    let crawlers = json["crawlers"].as_array().unwrap();
    assert_eq!(crawlers.len(), list("--format csv").lines().count() - 1);
    assert!(
        crawlers
            .iter()
            .all(|it| it["status"] == "verified" || it["status"] == "Data not yet verified")
    );
    assert_eq!(json["robots_tokens"].as_array().unwrap().len(), 3);
    let one = list("Bingbot");
    assert!(
        one.starts_with("bingbot\n  operator     Microsoft\n"),
        "{one}"
    );
    assert!(
        one.contains("  but          Data not yet verified: ip_ranges, ip_ranges_format\n"),
        "{one}"
    );
    assert!(list("OpenAI").contains("openai (") || list("OpenAI").contains("  gptbot "));
}
