//! Logs in which every personal field carries the word `canary` and every client has an address of a marked network.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test may panic"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A layout that the program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Common,
    Combined,
    Vhost,
    Appended,
    Upstream,
    Ingress,
    Json,
    Custom,
    Config,
    NginxErrors,
    ApacheErrors,
    Syslog,
    Docker,
    AwsAlb,
    CloudFront,
    Cloudflare,
    Caddy,
    Traefik,
    Envoy,
    TrafficServerErrors,
    SquidErrors,
    Haproxy,
    FreeForm,
    Labels,
    Nested,
}

/// A layout with everything personal that nginx can log.
const CUSTOM: &str = "$remote_addr|$http_x_forwarded_for|$cookie_session|$remote_user|$time_iso8601|$request|$args|$status|$upstream_addr|$upstream_status|$host|$http_referer|$http_user_agent";

impl Layout {
    pub(crate) const ALL: [Self; 25] = [
        Self::Common,
        Self::Combined,
        Self::Vhost,
        Self::Appended,
        Self::Upstream,
        Self::Ingress,
        Self::Json,
        Self::Custom,
        Self::Config,
        Self::NginxErrors,
        Self::ApacheErrors,
        Self::Syslog,
        Self::Docker,
        Self::AwsAlb,
        Self::CloudFront,
        Self::Cloudflare,
        Self::Caddy,
        Self::Traefik,
        Self::Envoy,
        Self::TrafficServerErrors,
        Self::SquidErrors,
        Self::Haproxy,
        Self::FreeForm,
        Self::Labels,
        Self::Nested,
    ];

    /// Arguments that this layout needs, and ranges with rubbish in them for all.
    pub(crate) fn arguments(self) -> Vec<String> {
        let more: &[&str] = match self {
            Self::Custom => &["--log-format", CUSTOM],
            Self::Config => &["--config", "nginx.conf"],
            _ => &[],
        };
        let ranges = ["--ranges", "googlebot=ranges.json"];
        ranges
            .iter()
            .chain(more)
            .map(|arg| (*arg).to_owned())
            .collect()
    }

    /// What must be in the rows, since nothing of it is personal.
    pub(crate) fn known(self) -> &'static [&'static str] {
        match self {
            Self::Common | Self::Combined | Self::Appended => &["502"],
            Self::Vhost => &["shop.example"],
            Self::Upstream | Self::Ingress | Self::Syslog | Self::Docker => &["10.9.8.7:8080"],
            Self::AwsAlb => &["10.9.8.7:8080", "shop.example"],
            Self::CloudFront | Self::Cloudflare => &["shop.example"],
            Self::TrafficServerErrors => &["10.9.8.7", "connection-refused", "error.log"],
            Self::SquidErrors => &["10.9.8.7", "closed-before-headers", "error.log"],
            Self::FreeForm => &["10.9.8.7:8080"],
            Self::Labels => &["502"],
            Self::Json | Self::Custom | Self::Config | Self::Nested => {
                &["10.9.8.7:8080", "shop.example"]
            }
            Self::Caddy => &["10.9.8.7:8080", "connection-refused", "shop.example"],
            Self::Traefik => &["10.9.8.7:8080", "connection-refused"],
            Self::Envoy => &["10.9.8.7:8080", "shop.example", "closed-before-headers"],
            Self::Haproxy => &["shop_backend/app1", "shop.example"],
            Self::NginxErrors => &["10.9.8.7:8080", "connection-refused", "error.log"],
            Self::ApacheErrors => &["connection-refused", "dns-failure", "error.log"],
        }
    }
}

/// A request of the marked traffic.
struct Visit {
    second: u32,
    client: String,
    agent: &'static str,
    target: String,
    status: u16,
}

const CRAWLER: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html; canary) CanaryBuild/7";
const PERSON: &str = "CanaryBrowser/7.1 (Canary \\x22quoted\\x22; de)";
const REFERRER: &str = "https://canary.example/Canary?from=canary@canary.example";

/// What crawlers ask for: the personal parts of their paths are to be left out.
const FETCHED: [&str; 48] = [
    "/product/17?session=canary&mail=canary%40canary.example",
    "/product/17?ref=198.51.100.9",
    "/category/shoes?canary",
    "/account/reset/canary-0123456789abcdef",
    "/newsletter/unsubscribe/canary",
    "/verify/token/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canarycanarycanarycanarycanarycanarycan",
    // Addresses.
    "/user/canary@canary.example/orders",
    "/user/canary%40canary.example",
    "/user/canary@canary.example%20",
    "/user/canary@canary.example,",
    "/user/canary%2540canary.example/orders",
    "/@canary@canary.example/17",
    "/user/canary@canary.xn--p1ai",
    "/user/canary@canary.%D1%80%D1%84",
    "/go/mailto:canary@canary.example",
    "/user/canary@canary.example.html",
    "/avatar/canary@canary.example.png",
    "/user/canary.doe@canary.example;canary",
    "/form/contact-canary@canary.example-form",
    "/user/canary@198.51.100.9",
    "/go/x%2Fcanary@canary.example%2Fy",
    "/user/Y2FuYXJ5QGNhbmFyeS5leGFtcGxl",
    "/user/63616e6172794063616e6172792e6578616d706c65",
    // Routes of Django, allauth, Devise, Laravel, Drupal, Shopify, Discourse, Magento, Stripe.
    "/reset/MQ/canary-7/",
    "/password_reset_confirm/canary/c7d-canary/",
    "/accounts/confirm-email/MQ:canary:canary/",
    "/accounts/password/reset/key/1-canary/",
    "/users/confirmation/canary",
    "/password/reset/canary",
    "/email/verify/17/canary",
    "/user/reset/17/1764000000/canary/login",
    "/account/activate/17/canary",
    "/17/orders/canary0a1b2c3d4e5f60718293",
    "/session/email-login/canary",
    "/u/activate-account/canary",
    "/newsletter/subscriber/unsubscribe/id/17/code/canary",
    "/c/pay/cs_live_canaryA1b2C3d4E5f6G7h8I9j0",
    // The same in other spellings.
    "/reset_password/17/canary",
    "/email-verification/17/canary",
    "/magic_login/canary",
    "/Account/ResetPassword.aspx/17/canary",
    "/%72eset/17/canary",
    "/go/reset%2Fcanary",
    "/reset-canary0a1b2c3d4e5f",
    "/token=canary",
    "/page%3Fsession%3Dcanary/canary",
    "/page&session=canary",
    "http://canary:canary@shop.example/product/17",
];

/// What people ask for: nothing of it may come out.
const VISITED: [&str; 5] = [
    "/canary/canary-person/17?canary=canary",
    "/profile/canary",
    "http://shop.example/canary?x=canary",
    "http://canary:canary@shop.example/",
    "/%63anary/\\xc3\\xa4canary",
];

/// Two hours of it: good, then half an hour of 502, in which crawlers ask for everything above.
fn visits() -> Vec<Visit> {
    let visit = |number: u32| {
        let is_crawler = !number.is_multiple_of(3);
        let targets: &[&str] = if is_crawler { &FETCHED } else { &VISITED };
        let turn = if is_crawler {
            number - number / 3 - 1
        } else {
            number / 3
        };
        Visit {
            second: number * 10,
            client: match number % 2 {
                0 => format!("198.51.100.{}", number % 250 + 1),
                _ => format!("2001:db8:ca::{number:x}"),
            },
            agent: if is_crawler { CRAWLER } else { PERSON },
            target: targets[turn as usize % targets.len()].to_owned(),
            status: match number {
                360..520 => 502,
                540..552 => 499,
                _ => 200,
            },
        }
    };
    (0..720).map(visit).collect()
}

impl Visit {
    fn time(&self) -> String {
        let (hour, minute, second) = (self.second / 3600, self.second / 60 % 60, self.second % 60);
        format!("{:02}:{minute:02}:{second:02}", 9 + hour)
    }

    /// The common part of NCSA layouts.
    fn common(&self) -> String {
        format!(
            "{} - canary-user [22/Nov/2026:{} +0100] \"GET {} HTTP/1.1\" {} 512",
            self.client,
            self.time(),
            self.target,
            self.status
        )
    }

    /// The target as a URL.
    fn url(&self) -> String {
        match self.target.starts_with("http") {
            true => self.target.clone(),
            false => format!("http://shop.example{}", self.target),
        }
    }

    fn combined(&self) -> String {
        format!("{} \"{REFERRER}\" \"{}\"", self.common(), self.agent)
    }

    fn line(&self, layout: Layout) -> String {
        let Self {
            client,
            agent,
            target,
            status,
            ..
        } = self;
        let combined = self.combined();
        let time = self.time();
        let args = target.split_once('?').map_or("-", |(_, query)| query);
        match layout {
            // Without an agent nobody is a crawler; the file beside it holds those.
            Layout::Common | Layout::Combined | Layout::NginxErrors | Layout::ApacheErrors => {
                combined
            }
            Layout::Vhost => format!("shop.example:443 {combined}"),
            Layout::Appended => {
                format!("{combined} \"198.51.100.7, 2001:db8:ca::1\" \"session=canary\" canary")
            }
            Layout::Upstream => format!(
                "{combined} \"198.51.100.7\" rt=0.002 uaddr=\"10.9.8.7:8080\" ustatus=\"{status}\" urt=\"0.002\" cookie=\"canary\""
            ),
            Layout::Ingress => format!(
                "{combined} 312 0.002 [shop-web-http] [] 10.9.8.7:8080 0 0.002 {status} 0f3c5a8e9b7d42618c0a1e2f3d4b5c69"
            ),
            Layout::Json => {
                let agent = agent.replace("\\x22", "\\\"");
                let target = target.replace('\\', "\\\\");
                let args = args.replace('\\', "\\\\");
                format!(
                    "{{\"time_iso8601\":\"2026-11-22T{time}+01:00\",\"remote_addr\":\"{client}\",\"remote_user\":\"canary\",\"http_x_forwarded_for\":\"198.51.100.7, 2001:db8:ca::1\",\"http_cookie\":\"session=canary\",\"request\":\"GET {target} HTTP/1.1\",\"args\":\"{args}\",\"status\":\"{status}\",\"upstream_addr\":\"10.9.8.7:8080\",\"upstream_status\":\"{status}\",\"host\":\"shop.example\",\"http_referer\":\"{REFERRER}\",\"http_user_agent\":\"{agent}\",\"email\":\"canary@canary.example\"}}"
                )
            }
            Layout::FreeForm => format!(
                "[2026-11-22T{time}+01:00] canary.example {client} canary@canary.example \"GET {target} HTTP/1.1\" {status} 17 \"{REFERRER}\" \"canary\" upstream_addr=10.9.8.7:8080 us={status} mail=canary@canary.example state=canary flags=canary err=canary \"{agent}\""
            ),
            Layout::Labels => format!(
                "time:22/Nov/2026:{time} +0100\thost:{client}\tforwardedfor:198.51.100.7\tuser:canary\treq:GET {target} HTTP/1.1\tstatus:{status}\tsize:17\treferer:{REFERRER}\tua:{agent}\tapptime:0.002\tmail:canary@canary.example"
            ),
            Layout::Nested => {
                let agent = agent.replace("\\x22", "\\\"");
                let target = target.replace('\\', "\\\\");
                format!(
                    "{{\"@timestamp\":\"2026-11-22T{time}+01:00\",\"source\":{{\"ip\":\"{client}\",\"user\":\"canary\"}},\"url\":{{\"domain\":\"shop.example\",\"original\":\"{target}\"}},\"http\":{{\"request\":{{\"method\":\"GET\",\"referrer\":\"{REFERRER}\",\"cookie\":\"canary\"}},\"response\":{{\"status_code\":{status},\"flags\":\"canary\"}}}},\"user_agent\":{{\"original\":\"{agent}\"}},\"user\":{{\"name\":\"canary\",\"email\":\"canary@canary.example\"}},\"nginx\":{{\"upstream\":{{\"address\":\"10.9.8.7:8080\",\"status\":\"{status}\"}}}}}}"
                )
            }
            Layout::Syslog => format!(
                "<190>Nov 22 {time} canary nginx[31]: {}",
                self.line(Layout::Upstream)
            ),
            Layout::Docker => format!(
                "{{\"log\":{},\"stream\":\"stdout\",\"attrs\":{{\"tag\":\"canary\",\"canary\":\"198.51.100.7\"}},\"time\":\"2026-11-22T{time}.1+01:00\"}}",
                serde_json::to_string(&(self.line(Layout::Upstream) + "\n")).unwrap()
            ),
            Layout::AwsAlb => format!(
                "h2 2026-11-22T{time}.186641+01:00 app/canary/50dc6c495c0c9188 {}:2817 10.9.8.7:8080 0.000 0.002 0.000 {status} {status} 34 366 \"GET https://shop.example:443{target} HTTP/2.0\" \"{agent}\" ECDHE TLSv1.3 canary \"Root=1-canary\" \"canary.example\" \"canary\" 0 2026-11-22T{time}.1Z \"forward\" \"-\" \"canary\" \"10.9.8.7:8080\" \"{status}\"",
                bracketed(client)
            ),
            Layout::CloudFront => [
                "2026-11-22",
                time.as_str(),
                "FRA60-P1",
                "182",
                client,
                "GET",
                "canary.cloudfront.net",
                target.split('?').next().unwrap(),
                &status.to_string(),
                REFERRER,
                &agent.replace(' ', "%2520").replace("\\x22", "%2522"),
                args,
                "session=canary",
                "Error",
                "canary==",
                "shop.example",
                "https",
                "217",
                "0.512",
                "198.51.100.7,%202001:db8:ca::1",
            ]
            .join("\t"),
            Layout::Cloudflare => format!(
                "{{\"ClientIP\":\"{client}\",\"ClientRequestHost\":\"shop.example\",\"ClientRequestMethod\":\"GET\",\"ClientRequestURI\":{},\"ClientRequestUserAgent\":{},\"ClientRequestReferer\":\"{REFERRER}\",\"Cookies\":{{\"session\":\"canary\"}},\"EdgeResponseStatus\":{status},\"EdgeStartTimestamp\":\"2026-11-22T{time}+01:00\",\"OriginIP\":\"10.9.8.7\",\"OriginResponseStatus\":{status},\"RayID\":\"canary\"}}",
                serde_json::to_string(target).unwrap(),
                serde_json::to_string(&agent.replace("\\x22", "\"")).unwrap()
            ),
            Layout::Caddy => format!(
                "{{\"level\":\"info\",\"ts\":\"2026-11-22T{time}+01:00\",\"logger\":\"http.log.access.canary\",\"msg\":\"handled request\",{},\"bytes_read\":0,\"user_id\":\"canary\",\"duration\":0.002,\"size\":0,\"status\":{status},\"resp_headers\":{{\"Server\":[\"Caddy\"],\"Set-Cookie\":[\"session=canary\"],\"Location\":[\"/canary?canary\"]}},\"canary\":\"canary\"}}",
                self.caddy_request()
            ),
            Layout::Traefik => {
                format!("{combined} 7 \"canary@docker\" \"http://10.9.8.7:8080\" 2ms")
                    .replace("\" 502 512 ", "\" 502 11 ")
            }
            // Neither an agent's quotes nor a client's other words are escaped.
            Layout::Envoy => format!(
                "[2026-11-22T{time}.123Z] \"GET {target} HTTP/1.1\" {} - \"-\" 0 95 3 {} \"198.51.100.9, {client}\" \"{}\" \"canary-id\" \"shop.example\" \"10.9.8.7:8080\" outbound|80||shop 10.0.0.2:4711 10.0.0.2:80 {}:51234 canary.example default",
                match status {
                    502 => "503 UC upstream_reset_before_response_started{connection_termination}",
                    499 => "0 DC downstream_remote_disconnect",
                    _ => "200 - via_upstream",
                },
                if *status == 200 { "2" } else { "-" },
                agent.replace("\\x22", "\""),
                bracketed(client)
            ),
            Layout::TrafficServerErrors | Layout::SquidErrors => {
                let result = match (layout, status) {
                    (Layout::TrafficServerErrors, 502) => " 2 {} ERR_CONNECT_FAIL",
                    (Layout::TrafficServerErrors, _) => " 2 {} TCP_MISS",
                    _ => "      2 {} TCP_MISS",
                };
                let pairs = match (layout, status) {
                    (Layout::TrafficServerErrors, _) => {
                        "DIRECT/10.9.8.7 text/html cookie=\"canary\""
                    }
                    (_, 502) => {
                        "FIRSTUP_PARENT/10.9.8.7 text/html error_code=ERR_ZERO_SIZE_OBJECT note=canary"
                    }
                    _ => "FIRSTUP_PARENT/10.9.8.7 text/html error_code=- note=canary",
                };
                // 22 November, 09:00 in Berlin.
                let epoch = 1_795_334_400 + self.second;
                format!(
                    "{epoch}.123{}/{status} 512 GET {} canary-user {pairs} \"{agent}\"",
                    result.replace("{}", client),
                    self.url()
                )
            }
            Layout::Haproxy => {
                let (status, state) = match status {
                    502 => (502, "SH--"),
                    499 => (400, "CH--"),
                    other => (*other, "--NI"),
                };
                let agent = agent.replace("\\x22", "#22");
                format!(
                    "Nov 22 {time} canary haproxy[7]: {client}:51234 [22/Nov/2026:{time}.250] www~ shop_backend/app1 0/0/0/-1/2 {status} 209 session=canary SRV=canary {state} 1/1/0/0/0 0/0 {{shop.example|{agent}|{REFERRER}|198.51.100.7}} {{canary}} \"GET {target} HTTP/1.1\" 0/0/0/0/0 canary.example/TLSv1.3/canary"
                )
            }
            Layout::Custom | Layout::Config => format!(
                "{client}|198.51.100.7, 2001:db8:ca::1|canary|canary-user|2026-11-22T{time}+01:00|GET {target} HTTP/1.1|{args}|{status}|10.9.8.7:8080|{status}|shop.example|{REFERRER}|{agent}"
            ),
        }
    }

    /// The request as it stands in each of Caddy's entries.
    fn caddy_request(&self) -> String {
        let agent = self.agent.replace("\\x22", "\"");
        format!(
            "\"request\":{{\"remote_ip\":\"198.51.100.7\",\"remote_port\":\"51234\",\"client_ip\":\"{}\",\"proto\":\"HTTP/2.0\",\"method\":\"GET\",\"host\":\"shop.example\",\"uri\":{},\"headers\":{{\"User-Agent\":[{}],\"Referer\":[\"{REFERRER}\"],\"Cookie\":[\"session=canary\"],\"X-Forwarded-For\":[\"198.51.100.7, 2001:db8:ca::1\"]}},\"tls\":{{\"server_name\":\"canary.example\"}}}}",
            self.client,
            serde_json::to_string(&self.target).unwrap(),
            serde_json::to_string(&agent).unwrap(),
        )
    }

    /// The same with the status that httpd answers with after what its error log says.
    fn logged(&self, layout: Layout, number: usize) -> String {
        let line = self.line(layout);
        match layout {
            Layout::ApacheErrors if number.is_multiple_of(4) => line.replace("\" 502 ", "\" 500 "),
            Layout::ApacheErrors => line.replace("\" 502 ", "\" 503 "),
            _ => line,
        }
    }

    /// What the error log of the product says of it.
    fn error_line(&self, layout: Layout, number: usize) -> Option<String> {
        let Self { client, target, .. } = self;
        let time = self.time();
        let failed = self.status == 502;
        match layout {
            Layout::NginxErrors if failed => Some(format!(
                "2026/11/22 {time} [error] 31#31: *{number} connect() failed (111: Connection refused) while connecting to upstream, client: {client}, server: shop.example, request: \"GET {target} HTTP/1.1\", upstream: \"http://10.9.8.7:8080{target}\", host: \"shop.example\", referrer: \"{REFERRER}\"\n"
            )),
            // What the application says, and what it says of a visitor, comes in nginx's words.
            Layout::NginxErrors if self.status == 499 => Some(format!(
                "2026/11/22 {time} [error] 31#31: *{number} FastCGI sent in stderr: \"PHP message: PHP Fatal error:  Uncaught Canary: canary@canary.example from 198.51.100.7 in /srv/canary.php:3\" while reading response header from upstream, client: {client}, server: shop.example, request: \"GET {target} HTTP/1.1\", upstream: \"fastcgi://10.9.8.7:9000\", host: \"shop.example\", referrer: \"{REFERRER}\"\n"
            )),
            Layout::NginxErrors => Some(format!(
                "2026/11/22 {time} [warn] 31#31: *{number} a client request body is buffered to a temporary file /var/canary/0000000001, client: {client}, server: shop.example, request: \"POST {target} HTTP/1.1\", host: \"canary.example\"\n2026/11/22 {time} [canary] {client} no such level, canary\n"
            )),
            Layout::TrafficServerErrors if failed => Some(format!(
                "20261122.{}h{}m{}s CONNECT: attempt fail [CONNECTION_ERROR] to 10.9.8.7:8080 for host='shop.example' connection_result=Connection refused [111] error=Connection refused [111] attempts=0 url='{}'\n20261122.09h00m00s canary {client} '{target}' canary\n",
                &time[..2],
                &time[3..5],
                &time[6..],
                self.url()
            )),
            Layout::SquidErrors if failed => Some(format!(
                "2026/11/22 {time} kid1| WARNING: HTTP: Invalid Response: No object data received for {url} AKA {url}\n    current master transaction: master{number}\n2026/11/22 {time} kid1| canary {client} {url}\n",
                url = self.url()
            )),
            Layout::Haproxy if failed => Some(format!(
                "Nov 22 {time} canary haproxy[7]: Server shop_backend/app1 is DOWN, reason: Layer7 wrong status, code: 503, info: \"canary@canary.example 198.51.100.7\", check duration: 1ms. 0 active and 0 backup servers left.\n"
            )),
            Layout::Haproxy => Some(format!(
                "Nov 22 {time} canary haproxy[7]: {client}:51234 [22/Nov/2026:{time}.250] www/1: SSL handshake failure (canary)\n"
            )),
            Layout::ApacheErrors if failed => {
                let client = if client.contains(':') {
                    format!("[{client}]")
                } else {
                    client.clone()
                };
                let head = format!("[Sun Nov 22 {time}.123456 2026]");
                if number.is_multiple_of(4) {
                    return Some(format!(
                        "{head} [proxy:error] [pid 31:tid 4{number}] (EAI 2)Name or service not known: [client {client}:51234] AH00898: DNS lookup failure for: app.shop.invalid returned by {target}, referer: {REFERRER}\n"
                    ));
                }
                Some(format!(
                    "{head} [proxy:error] [pid 31:tid 3{number}] (111)Connection refused: AH00957: HTTP: attempt to connect to 10.9.8.7:8080 (10.9.8.7) failed\n{head} [proxy_http:error] [pid 31:tid 3{number}] [client {client}:51234] AH01114: HTTP: failed to make connection to backend: 10.9.8.7, referer: {REFERRER}\n{head} [canary:error] [pid 31:tid 3{number}] [client {client}:51234] AH99999: canary {target}, referer: {REFERRER}\n"
                ))
            }
            Layout::Caddy if failed => Some(format!(
                "{{\"level\":\"error\",\"ts\":\"2026-11-22T{time}+01:00\",\"logger\":\"http.log.error.canary\",\"msg\":\"dial tcp 10.9.8.7:8080: connect: connection refused\",{},\"duration\":0.002,\"status\":502,\"err_id\":\"canary\",\"err_trace\":\"canary\"}}\n",
                self.caddy_request()
            )),
            Layout::Caddy => Some(format!(
                "{{\"level\":\"warn\",\"ts\":\"2026-11-22T{time}+01:00\",\"logger\":\"http.handlers.reverse_proxy\",\"msg\":\"aborting with incomplete response\",\"upstream\":\"10.9.8.7:8080\",{},\"error\":\"writing: write tcp 198.51.100.9:443->198.51.100.7:51234: write: broken pipe\"}}\n",
                self.caddy_request()
            )),
            Layout::Traefik if failed => Some(format!(
                "2026-11-22T{time}+01:00 DBG github.com/traefik/traefik/v3/pkg/proxy/httputil/proxy.go:199 > 502 Bad Gateway error=\"dial tcp 10.9.8.7:8080: connect: connection refused\" note=canary\n"
            )),
            Layout::Traefik => Some(format!(
                "2026-11-22T{time}+01:00 DBG recovery.go:45 > Request has been aborted [{}:51234 - {target}]: net/http: abort Handler note=canary\n2026-11-22T{time}+01:00 DBG retry.go:247 > New attempt 2 for request: {target}\n",
                bracketed(client)
            )),
            // Scripts write what they like.
            Layout::Envoy if failed => Some(format!(
                "[2026-11-22 {time}.123][31][error][lua] [source/extensions/filters/http/lua/lua_filter.cc:930] script log: canary {target} from {client}\n[2026-11-22 {time}.124][31][warning][canary] [canary.cc:1] canary\n"
            )),
            _ => None,
        }
    }
}

/// An address before a port.
fn bracketed(client: &str) -> String {
    if client.contains(':') {
        format!("[{client}]")
    } else {
        client.to_owned()
    }
}

/// Lines that no layout fits, or that are cut in any place.
fn broken(layout: Layout) -> String {
    let mut text = String::new();
    for visit in visits().iter().take(80) {
        let line = visit.line(layout);
        for part in 1..6 {
            let cut = line.len() * part / 6;
            let cut = (0..=cut)
                .rev()
                .find(|at| line.is_char_boundary(*at))
                .unwrap_or(0);
            writeln!(text, "{}", &line[..cut]).unwrap();
        }
    }
    text + "canary 198.51.100.7 canary\n{\"canary\": \"198.51.100.7\", \"status\": canary}\n"
}

/// Writes the logs into `folder`, with what goes wrong beside them.
pub(crate) fn write(layout: Layout, folder: &Path) {
    let (mut access, mut errors) = (String::new(), String::new());
    for (number, visit) in visits().iter().enumerate() {
        access.push_str(&visit.logged(layout, number));
        access.push('\n');
        errors.extend(visit.error_line(layout, number));
    }
    access.push_str(&broken(layout));
    fs::write(folder.join("access.log"), access).unwrap();
    if !errors.is_empty() {
        fs::write(folder.join("error.log"), errors).unwrap();
    }
    if layout == Layout::Common {
        let lines = visits()
            .iter()
            .map(|visit| visit.common() + "\n")
            .collect::<String>();
        fs::write(folder.join("common.log"), lines).unwrap();
    }
    if layout == Layout::Config {
        let config = format!("http {{\n  log_format full '{CUSTOM}';\n  access_log a full;\n}}\n");
        fs::write(folder.join("nginx.conf"), config).unwrap();
    }
    let ranges = "{\"creationTime\": \"canary\", \"prefixes\": [{\"ipv4Prefix\": \"198.51.100.0/24\"}, {\"ipv6Prefix\": \"2001:db8:ca::/48\"}, {\"ipv4Prefix\": \"198.51.100.7/99\"}, {\"ipv6Prefix\": \"2001:db8:ca::/canary\"}, {\"canary\": \"canary\"}]}";
    fs::write(folder.join("ranges.json"), ranges).unwrap();
    write_rubbish(folder);
}

/// Writes files of which no line is understood.
pub(crate) fn write_rubbish(folder: &Path) {
    let lines =
        "198.51.100.7 canary 2001:db8:ca::7 canary@canary.example GET /canary?canary\n".repeat(50);
    fs::write(folder.join("unknown.log"), lines).unwrap();
    fs::write(
        folder.join("binary.log"),
        b"\0\x01canary\xff198.51.100.7\0".repeat(50),
    )
    .unwrap();
    fs::write(
        folder.join("cut.log.gz"),
        b"\x1f\x8b\x08\x00canary198.51.100.7",
    )
    .unwrap();
}

/// The word in any case, percent-encoded, in hexadecimal and in base64 at each of its three offsets; the addresses as
/// text and in hexadecimal.
pub(crate) fn refuse_marks(what: &str, output: &str) {
    let lower = unpercent(output).to_lowercase();
    for mark in [
        "canary",
        "63616e617279",
        "198.51.100.",
        "c63364",
        "2001:db8:ca",
        "20010db800ca",
    ] {
        assert!(!lower.contains(mark), "{what}: {mark} in\n{output}");
    }
    for mark in ["Y2FuYXJ5", "NhbmFye", "jYW5hcn", "xjNk", "IAENuADK"] {
        assert!(!output.contains(mark), "{what}: {mark} in\n{output}");
    }
}

fn unpercent(text: &str) -> String {
    let mut plain = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        rest = if byte.is_some() { &after[2..] } else { after };
        plain.push(byte.unwrap_or(*first));
    }
    String::from_utf8_lossy(&plain).into_owned()
}
