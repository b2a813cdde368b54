//! The reference log in the layouts of other edges: the same requests, so that formats are measured on the same work.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A layout that the reference log can be had in.
pub(crate) struct Format {
    pub(crate) name: &'static str,
    /// For JSON: the expression that gives the status, in the languages of the tools compared with.
    pub(crate) status: Option<Status>,
    write: fn(&Line<'_>, &mut String),
}

/// Where the status stands in a JSON object.
#[derive(Clone, Copy)]
pub(crate) struct Status {
    pub(crate) key: &'static str,
}

const fn json(key: &'static str) -> Option<Status> {
    Some(Status { key })
}

/// Every layout.
pub(crate) const FORMATS: &[Format] = &[
    Format {
        name: "nginx-combined",
        status: None,
        write: combined,
    },
    Format {
        name: "nginx-rich",
        status: None,
        write: nginx_rich,
    },
    Format {
        name: "nginx-json",
        status: json("status"),
        write: nginx_json,
    },
    Format {
        name: "haproxy-http",
        status: None,
        write: haproxy,
    },
    Format {
        name: "haproxy-syslog",
        status: None,
        write: haproxy_syslog,
    },
    Format {
        name: "envoy-text",
        status: None,
        write: envoy,
    },
    Format {
        name: "envoy-json",
        status: json("response_code"),
        write: envoy_json,
    },
    Format {
        name: "caddy-json",
        status: json("status"),
        write: caddy_json,
    },
    Format {
        name: "traefik-common",
        status: None,
        write: traefik,
    },
    Format {
        name: "traefik-json",
        status: json("DownstreamStatus"),
        write: traefik_json,
    },
    Format {
        name: "varnish",
        status: None,
        write: varnish,
    },
    Format {
        name: "squid",
        status: None,
        write: squid,
    },
    Format {
        name: "aws-alb",
        status: None,
        write: alb,
    },
    Format {
        name: "cloudflare-json",
        status: json("EdgeResponseStatus"),
        write: cloudflare,
    },
    Format {
        name: "docker-nginx",
        status: None,
        write: docker,
    },
    Format {
        name: "cri-envoy",
        status: None,
        write: cri,
    },
];

/// A line of the reference log, taken apart.
struct Line<'a> {
    addr: &'a str,
    /// `01/Mar/2026:00:00:00 +0000`
    time: &'a str,
    iso: String,
    epoch: u64,
    path: &'a str,
    protocol: &'a str,
    status: &'a str,
    bytes: &'a str,
    referrer: &'a str,
    agent: &'a str,
}

impl<'a> Line<'a> {
    /// Of a line that the generator wrote.
    fn of(line: &'a str) -> Option<Self> {
        let (addr, rest) = line.split_once(" - - [")?;
        let (time, rest) = rest.split_once("] \"GET ")?;
        let (path, rest) = rest.split_once(' ')?;
        let (protocol, rest) = rest.split_once("\" ")?;
        let (status, rest) = rest.split_once(' ')?;
        let (bytes, rest) = rest.split_once(" \"")?;
        let (referrer, rest) = rest.split_once("\" \"")?;
        let agent = rest.strip_suffix('"')?;
        let (day, clock) = (time.get(..2)?, time.get(12..20)?);
        let mut parts = clock
            .split(':')
            .map(|part| part.parse::<u64>().unwrap_or(0));
        let mut next = || parts.next().unwrap_or(0);
        let seconds = next() * 3_600 + next() * 60 + next();
        /// 1 March 2026.
        const MARCH: u64 = 1_772_323_200;
        let epoch = MARCH + (day.parse::<u64>().ok()? - 1) * 86_400 + seconds;
        Some(Self {
            addr,
            time,
            iso: format!("2026-03-{day}T{clock}.123Z"),
            epoch,
            path,
            protocol,
            status,
            bytes,
            referrer,
            agent,
        })
    }

    fn is_failed(&self) -> bool {
        self.status == "502"
    }
}

/// The log at `reference` in `format`, beside it: the one made earlier, or a new one.
pub(crate) fn file(reference: &Path, format: &Format) -> Result<PathBuf> {
    let path = reference.with_extension(format!("{}.log", format.name));
    if path.exists() {
        return Ok(path);
    }
    let part = path.with_extension("part");
    let open = |path: &Path| format!("cannot open {}", path.display());
    let read = BufReader::new(File::open(reference).with_context(|| open(reference))?);
    let mut out = BufWriter::new(File::create(&part).with_context(|| open(&part))?);
    let mut text = String::new();
    for line in read.lines() {
        let line = line?;
        let line = Line::of(&line).context("a line that the generator did not write")?;
        text.clear();
        (format.write)(&line, &mut text);
        text.push('\n');
        out.write_all(text.as_bytes())?;
    }
    out.flush()?;
    fs::rename(&part, &path)?;
    Ok(path)
}

/// Writing to a `String` cannot fail.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn combined(line: &Line<'_>, out: &mut String) {
    let Line {
        addr,
        time,
        path,
        protocol,
        status,
        bytes,
        referrer,
        agent,
        ..
    } = line;
    put(
        out,
        format_args!(
            "{addr} - - [{time}] \"GET {path} {protocol}\" {status} {bytes} \"{referrer}\" \"{agent}\""
        ),
    );
}

fn nginx_rich(line: &Line<'_>, out: &mut String) {
    combined(line, out);
    let status = line.status;
    let header = if line.is_failed() { "-" } else { "0.041" };
    put(
        out,
        format_args!(
            " host=shop.example rt=0.042 uaddr=\"10.0.0.5:8080\" ustatus=\"{status}\" uct=\"0.000\" uht=\"{header}\" urt=\"0.042\" conn={}",
            line.epoch % 99_991
        ),
    );
}

fn nginx_json(line: &Line<'_>, out: &mut String) {
    let Line {
        addr,
        iso,
        path,
        protocol,
        status,
        bytes,
        referrer,
        agent,
        ..
    } = line;
    put(
        out,
        format_args!(
            "{{\"time_iso8601\":\"{iso}\",\"remote_addr\":\"{addr}\",\"request\":\"GET {path} {protocol}\",\"status\":{status},\"body_bytes_sent\":{bytes},\"http_referer\":\"{referrer}\",\"http_user_agent\":\"{agent}\",\"host\":\"shop.example\",\"request_time\":0.042,\"upstream_addr\":\"10.0.0.5:8080\",\"upstream_status\":\"{status}\"}}"
        ),
    );
}

fn haproxy(line: &Line<'_>, out: &mut String) {
    let Line {
        addr,
        path,
        protocol,
        status,
        bytes,
        agent,
        ..
    } = line;
    let clock = line.time.get(..20).unwrap_or_default();
    let (state, timers) = if line.is_failed() {
        ("SH--", "0/0/1/-1/12")
    } else {
        ("----", "0/0/1/40/42")
    };
    put(
        out,
        format_args!(
            "{addr}:40312 [{clock}.123] web~ app/app1 {timers} {status} {bytes} - - {state} 12/10/4/2/0 0/0 {{shop.example|{agent}}} \"GET {path} {protocol}\""
        ),
    );
}

fn haproxy_syslog(line: &Line<'_>, out: &mut String) {
    let (day, clock) = (
        line.time.get(..2).unwrap_or_default(),
        line.time.get(12..20).unwrap_or_default(),
    );
    let day = day
        .strip_prefix('0')
        .map_or(day.to_owned(), |day| format!(" {day}"));
    put(out, format_args!("Mar {day} {clock} lb1 haproxy[4711]: "));
    haproxy(line, out);
}

fn envoy(line: &Line<'_>, out: &mut String) {
    let Line {
        iso,
        addr,
        path,
        protocol,
        status,
        bytes,
        agent,
        ..
    } = line;
    let (flags, service) = if line.is_failed() {
        ("UPE", "-")
    } else {
        ("-", "40")
    };
    put(
        out,
        format_args!(
            "[{iso}] \"GET {path} {protocol}\" {status} {flags} 0 {bytes} 42 {service} \"{addr}\" \"{agent}\" \"6f9b8a44-3c0e-4a6e-9d9f-2b1f7a2c5d10\" \"shop.example\" \"10.0.0.5:8080\""
        ),
    );
}

fn envoy_json(line: &Line<'_>, out: &mut String) {
    let Line {
        iso,
        addr,
        path,
        protocol,
        status,
        bytes,
        agent,
        ..
    } = line;
    let (flags, details) = if line.is_failed() {
        (
            "UPE",
            "upstream_reset_before_response_started{protocol_error}",
        )
    } else {
        ("-", "via_upstream")
    };
    put(
        out,
        format_args!(
            "{{\"authority\":\"shop.example\",\"bytes_received\":0,\"bytes_sent\":{bytes},\"connection_termination_details\":null,\"downstream_local_address\":\"10.0.0.2:8443\",\"downstream_remote_address\":\"{addr}:40312\",\"duration\":42,\"method\":\"GET\",\"path\":\"{path}\",\"protocol\":\"{protocol}\",\"request_id\":\"6f9b8a44-3c0e-4a6e-9d9f-2b1f7a2c5d10\",\"response_code\":{status},\"response_code_details\":\"{details}\",\"response_flags\":\"{flags}\",\"start_time\":\"{iso}\",\"upstream_cluster\":\"app\",\"upstream_host\":\"10.0.0.5:8080\",\"upstream_service_time\":\"40\",\"upstream_transport_failure_reason\":null,\"user_agent\":\"{agent}\",\"x_forwarded_for\":\"{addr}\"}}"
        ),
    );
}

fn caddy_json(line: &Line<'_>, out: &mut String) {
    let Line {
        epoch,
        addr,
        path,
        protocol,
        status,
        bytes,
        agent,
        ..
    } = line;
    put(
        out,
        format_args!(
            "{{\"level\":\"info\",\"ts\":{epoch}.1234567,\"logger\":\"http.log.access.log0\",\"msg\":\"handled request\",\"request\":{{\"remote_ip\":\"{addr}\",\"remote_port\":\"40312\",\"client_ip\":\"{addr}\",\"proto\":\"{protocol}\",\"method\":\"GET\",\"host\":\"shop.example\",\"uri\":\"{path}\",\"headers\":{{\"Accept\":[\"*/*\"],\"User-Agent\":[\"{agent}\"]}}}},\"bytes_read\":0,\"user_id\":\"\",\"duration\":0.042123456,\"size\":{bytes},\"status\":{status},\"resp_headers\":{{\"Server\":[\"Caddy\"],\"Content-Type\":[\"text/html\"]}}}}"
        ),
    );
}

fn traefik(line: &Line<'_>, out: &mut String) {
    combined(line, out);
    put(
        out,
        format_args!(
            " {} \"web@docker\" \"http://10.0.0.5:80\" 42ms",
            line.epoch % 99_991
        ),
    );
}

fn traefik_json(line: &Line<'_>, out: &mut String) {
    let Line {
        iso,
        addr,
        path,
        protocol,
        status,
        bytes,
        agent,
        ..
    } = line;
    put(
        out,
        format_args!(
            "{{\"ClientAddr\":\"{addr}:40312\",\"ClientHost\":\"{addr}\",\"ClientPort\":\"40312\",\"ClientUsername\":\"-\",\"DownstreamContentSize\":{bytes},\"DownstreamStatus\":{status},\"Duration\":42123456,\"OriginContentSize\":{bytes},\"OriginDuration\":41000000,\"OriginStatus\":{status},\"Overhead\":1123456,\"RequestAddr\":\"shop.example\",\"RequestContentSize\":0,\"RequestCount\":17,\"RequestHost\":\"shop.example\",\"RequestMethod\":\"GET\",\"RequestPath\":\"{path}\",\"RequestPort\":\"-\",\"RequestProtocol\":\"{protocol}\",\"RequestScheme\":\"https\",\"RetryAttempts\":0,\"RouterName\":\"web@docker\",\"ServiceAddr\":\"10.0.0.5:80\",\"ServiceName\":\"app@docker\",\"ServiceURL\":\"http://10.0.0.5:80\",\"StartLocal\":\"{iso}\",\"StartUTC\":\"{iso}\",\"entryPointName\":\"websecure\",\"level\":\"info\",\"msg\":\"\",\"request_User-Agent\":\"{agent}\",\"time\":\"{iso}\"}}"
        ),
    );
}

fn varnish(line: &Line<'_>, out: &mut String) {
    let Line {
        addr,
        time,
        path,
        protocol,
        status,
        bytes,
        referrer,
        agent,
        ..
    } = line;
    put(
        out,
        format_args!(
            "{addr} - - [{time}] \"GET http://shop.example{path} {protocol}\" {status} {bytes} \"{referrer}\" \"{agent}\""
        ),
    );
}

fn squid(line: &Line<'_>, out: &mut String) {
    let Line {
        epoch,
        addr,
        path,
        status,
        bytes,
        ..
    } = line;
    put(
        out,
        format_args!(
            "{epoch}.123     42 {addr} TCP_MISS/{status} {bytes} GET http://shop.example{path} - FIRSTUP_PARENT/10.0.0.5 text/html"
        ),
    );
}

fn alb(line: &Line<'_>, out: &mut String) {
    let Line {
        iso,
        addr,
        path,
        protocol,
        status,
        bytes,
        agent,
        ..
    } = line;
    put(
        out,
        format_args!(
            "https {iso} app/shop/50dc6c495c0c9188 {addr}:40312 10.0.0.5:80 0.000 0.041 0.000 {status} {status} 34 {bytes} \"GET https://shop.example:443{path} {protocol}\" \"{agent}\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/shop/73e2d6bc24d8a067 \"Root=1-58337262-36d228ad5d99923122bbe354\" \"shop.example\" \"-\" 0 {iso} \"forward\" \"-\" \"-\" \"10.0.0.5:80\" \"{status}\" \"-\" \"-\""
        ),
    );
}

fn cloudflare(line: &Line<'_>, out: &mut String) {
    let Line {
        iso,
        addr,
        path,
        protocol,
        status,
        bytes,
        agent,
        ..
    } = line;
    put(
        out,
        format_args!(
            "{{\"CacheCacheStatus\":\"dynamic\",\"ClientIP\":\"{addr}\",\"ClientRequestHost\":\"shop.example\",\"ClientRequestMethod\":\"GET\",\"ClientRequestProtocol\":\"{protocol}\",\"ClientRequestURI\":\"{path}\",\"ClientRequestUserAgent\":\"{agent}\",\"EdgeEndTimestamp\":\"{iso}\",\"EdgeResponseBytes\":{bytes},\"EdgeResponseStatus\":{status},\"EdgeStartTimestamp\":\"{iso}\",\"OriginIP\":\"10.0.0.5\",\"OriginResponseStatus\":{status},\"RayID\":\"3a6050bcbe121a87\"}}"
        ),
    );
}

fn docker(line: &Line<'_>, out: &mut String) {
    let mut inner = String::new();
    combined(line, &mut inner);
    let inner = inner.replace('"', "\\\"");
    put(
        out,
        format_args!(
            "{{\"log\":\"{inner}\\n\",\"stream\":\"stdout\",\"time\":\"{}\"}}",
            line.iso
        ),
    );
}

fn cri(line: &Line<'_>, out: &mut String) {
    put(out, format_args!("{} stdout F ", line.iso));
    envoy(line, out);
}
