//! Two hundred answers that no gateway chokes on.

use std::collections::BTreeMap;
use std::sync::Arc;

use probe::PATHS_MAX;

use super::ask;
use super::server::{Act, Authority, Server};

/// How the end of a body is told.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Length,
    Chunked,
    Close,
}

fn answer(status: u16, framing: Framing, large: bool, style: usize) -> Vec<u8> {
    let body = match status {
        204 | 304 => String::new(),
        _ if large => "0123456789abcdef".repeat(16 * 1024),
        _ => "a small page".to_owned(),
    };
    let mut fields = vec![
        "Server: app".to_owned(),
        "Content-Type: text/html; charset=utf-8".to_owned(),
        "Set-Cookie: a=b; Path=/".to_owned(),
        "Set-Cookie: c=d; Path=/".to_owned(),
    ];
    if status == 301 {
        fields.push("Location: https://localhost/elsewhere".to_owned());
    }
    let body = match framing {
        Framing::Length => {
            fields.push(format!("Content-Length: {}", body.len()));
            body
        }
        Framing::Chunked if !matches!(status, 204 | 304) => {
            fields.push("Transfer-Encoding: chunked".to_owned());
            let parts = body.as_bytes().chunks(7_000);
            let chunks = parts
                .map(|part| format!("{:x}\r\n{}\r\n", part.len(), String::from_utf8_lossy(part)));
            chunks.collect::<String>() + "0\r\n\r\n"
        }
        Framing::Chunked | Framing::Close => body,
    };
    match style {
        0 => {}
        1 => fields.reverse(),
        _ => fields = fields.iter().map(|field| shouted(field)).collect(),
    }
    format!(
        "HTTP/1.1 {status} Words\r\n{}\r\n\r\n{body}",
        fields.join("\r\n")
    )
    .into_bytes()
}

/// The name in capitals, and no blank behind the colon.
fn shouted(field: &str) -> String {
    let (name, value) = field.split_once(": ").unwrap();
    format!("{}:{value}", name.to_uppercase())
}

fn variants() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for status in [200, 204, 301, 304, 404] {
        for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
            for large in [false, true] {
                let is_empty = matches!(status, 204 | 304);
                if is_empty && large {
                    continue;
                }
                for style in 0..3 {
                    all.push(answer(status, framing, large, style));
                }
            }
        }
    }
    all
}

#[test]
fn two_hundred_healthy_answers_raise_no_alarm() {
    let authority = Authority::new();
    let all = Arc::new(variants());
    let script = |all: &Arc<Vec<Vec<u8>>>| {
        let all = Arc::clone(all);
        move |path: &str| {
            let index: usize = path.trim_start_matches('/').parse().unwrap_or(0);
            Act::Say(all[index].clone())
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let v12 = authority.config("localhost", &[&rustls::version::TLS12], |_| {});
    let v13 = authority.config("localhost", &[&rustls::version::TLS13], |_| {});
    let servers = [
        Server::start("127.0.0.1:0", None, script(&all)),
        Server::start("[::1]:0", None, script(&all)),
        Server::start("127.0.0.1:0", Some(v12), script(&all)),
        Server::start("127.0.0.1:0", Some(v13), script(&all)),
        Server::unix(&folder.path().join("app.sock"), script(&all)),
    ];
    let names: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
    let paths: Vec<String> = (0..all.len()).map(|index| format!("/{index}")).collect();
    let mut alarms = BTreeMap::new();
    let mut asked = 0;
    for paths in paths.chunks(PATHS_MAX) {
        let outcomes = ask(&names, paths, |plan| {
            plan.authorities = Some(authority.pem.clone().into_bytes());
        });
        for outcome in outcomes {
            asked += 1;
            let is_whole = outcome
                .answer
                .as_ref()
                .is_some_and(|answer| answer.is_whole);
            if outcome.failure.is_some() || !is_whole || !outcome.notes.is_empty() {
                let key = (outcome.target.name.clone(), outcome.path.clone());
                alarms.insert(key, (outcome.failure, outcome.notes));
            }
        }
    }
    println!("{asked} healthy answers, {} false alarms", alarms.len());
    assert!(asked >= 200, "{asked}");
    assert!(alarms.is_empty(), "{alarms:#?}");
}
