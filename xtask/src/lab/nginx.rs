//! nginx in the lab: the Debian package, one worker, four layouts of access log from one run.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::client::Version;
use super::origin::Address;
use super::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream, is_root, version_of};

/// nginx, as installed.
pub(crate) struct Nginx;

const LAYOUTS: [Layout; 4] = [
    Layout {
        name: "combined",
        format: r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
    },
    Layout {
        name: "upstream",
        format: r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" rt=$request_time uaddr="$upstream_addr" ustatus="$upstream_status" urt="$upstream_response_time""#,
    },
    Layout {
        name: "rich",
        format: r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" host=$host rt=$request_time uaddr="$upstream_addr" ustatus="$upstream_status" uct="$upstream_connect_time" uht="$upstream_header_time" urt="$upstream_response_time" ubr="$upstream_bytes_received" conn=$connection"#,
    },
    Layout {
        name: "json",
        format: r#"{"time":"$time_iso8601","remote_addr":"$remote_addr","request":"$request","status":$status,"body_bytes_sent":$body_bytes_sent,"http_referer":"$http_referer","http_user_agent":"$http_user_agent","host":"$host","request_time":$request_time,"upstream_addr":"$upstream_addr","upstream_status":"$upstream_status","upstream_connect_time":"$upstream_connect_time","upstream_header_time":"$upstream_header_time","upstream_response_time":"$upstream_response_time","upstream_bytes_received":"$upstream_bytes_received","connection":$connection,"retry_after":"$sent_http_retry_after"}"#,
    },
];

impl Proxy for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn version(&self) -> Result<String> {
        version_of("nginx", "-v", "nginx-light")
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn timers_follow_clock(&self) -> bool {
        true
    }

    fn can(&self, setup: &Setup) -> bool {
        !matches!(setup.upstream, Upstream::Protocol(_))
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let path = site.dir.join("nginx.conf");
        std::fs::write(&path, config(site)).context("cannot write nginx.conf")?;
        let mut command = Command::new("nginx");
        command
            .arg("-e")
            .arg(site.dir.join("error.log"))
            .arg("-c")
            .arg(path);
        Ok(command)
    }

    fn started_says(&self) -> Option<&'static str> {
        None
    }

    fn echo_says(&self) -> &'static str {
        "no live upstreams"
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        // 200: a broken chunk can end the answer before its header has left the buffer.
        &[499, 9, 200]
    }
}

fn config(site: &Site<'_>) -> String {
    let dir = site.dir.display();
    let mut text = String::new();
    if is_root() {
        text += "user www-data;\n";
    }
    let connections = if site.setup.rule == Rule::FewConnections {
        9
    } else {
        512
    };
    write!(
        text,
        "daemon off;\nworker_processes 1;\npid {dir}/pid;\nerror_log {dir}/error.log warn;\n\
         env TZ;\nenv FAKETIME_TIMESTAMP_FILE;\nenv FAKETIME_NO_CACHE;\n\
         events {{ worker_connections {connections}; }}\nhttp {{\n\
         client_body_temp_path {dir}/body;\nproxy_temp_path {dir}/proxy;\nfastcgi_temp_path {dir}/fastcgi;\n\
         uwsgi_temp_path {dir}/uwsgi;\nscgi_temp_path {dir}/scgi;\n\
         set_real_ip_from 127.0.0.0/8;\nreal_ip_header X-Forwarded-For;\nkeepalive_timeout 75;\n\
         client_max_body_size 20m;\nclient_body_buffer_size 16m;\n"
    )
    .ok();
    for layout in &LAYOUTS {
        let escape = if layout.name == "json" {
            "escape=json "
        } else {
            ""
        };
        writeln!(
            text,
            "log_format lab_{} {escape}'{}';",
            layout.name, layout.format
        )
        .ok();
        writeln!(
            text,
            "access_log {dir}/{}.log lab_{};",
            layout.name, layout.name
        )
        .ok();
    }
    text += &pool(site.setup);
    text += &server(site);
    text + "}\n"
}

/// The `upstream` block; none where the target is no group.
fn pool(setup: &Setup) -> String {
    if matches!(
        setup.upstream,
        Upstream::UnresolvedName | Upstream::BadTarget
    ) {
        return String::new();
    }
    let mut text = "upstream shop_backend {\n".to_owned();
    for member in &setup.members {
        let address = match &member.address {
            Address::Tcp(address) => address.to_string(),
            Address::Unix(path) => format!("unix:{}", path.display()),
        };
        let down = if member.down { " down" } else { "" };
        let eject = if setup.eject || setup.members.len() == 1 {
            ""
        } else {
            " max_fails=0"
        };
        writeln!(text, "server {address}{eject}{down};").ok();
    }
    if setup.keepalive {
        text += "keepalive 8;\nkeepalive_timeout 3600;\n";
    }
    text + "}\n"
}

fn server(site: &Site<'_>) -> String {
    let Setup {
        upstream,
        retry,
        timeout,
        rule,
        ..
    } = site.setup;
    let mut text = String::new();
    if let Rule::RateLimit(status) = rule {
        writeln!(text, "limit_req_zone $binary_remote_addr zone=perclient:1m rate=1r/s;\nlimit_req_status {status};").ok();
    }
    writeln!(
        text,
        "server {{\nlisten {}{};\nserver_name shop.example www.shop.example;",
        site.listen,
        if site.setup.clients == Version::Http2 {
            " http2"
        } else {
            ""
        }
    )
    .ok();
    text += match rule {
        Rule::None => "",
        Rule::RateLimit(_) => "limit_req zone=perclient burst=1 nodelay;\n",
        Rule::Maintenance => "add_header Retry-After 900 always;\n",
        Rule::MaskErrors => {
            "error_page 500 502 503 504 =200 /sorry.html;\nlocation = /sorry.html { internal; return 200 '<!doctype html><title>Shop</title><p>Back soon'; }\n"
        }
        Rule::RewriteLoop | Rule::FewConnections => "",
    };
    text += "location / {\n";
    match rule {
        Rule::Maintenance => text += "return 503;\n",
        Rule::RewriteLoop => text += "rewrite ^/category/(.*)$ /category/$1 last;\n",
        Rule::None | Rule::RateLimit(_) | Rule::MaskErrors | Rule::FewConnections => (),
    }
    let secs = timeout.as_secs();
    if *upstream == Upstream::FastCgi {
        write!(text, "include /etc/nginx/fastcgi_params;\nfastcgi_pass shop_backend;\nfastcgi_read_timeout {secs}s;\n").ok();
    } else {
        write!(
            text,
            "proxy_http_version 1.1;\nproxy_set_header Connection '';\nproxy_set_header Host $host;\n\
             proxy_connect_timeout {secs}s;\nproxy_read_timeout {secs}s;\nproxy_send_timeout {secs}s;\n"
        )
        .ok();
        // As newer versions do by themselves.
        if matches!(upstream, Upstream::Tls | Upstream::TlsVerified) {
            text += "proxy_ssl_protocols TLSv1.2 TLSv1.3;\n";
        }
        if !retry {
            text += "proxy_next_upstream off;\n";
        }
        if *rule == Rule::MaskErrors {
            text += "proxy_intercept_errors on;\n";
        }
        text += &match upstream {
            Upstream::Http | Upstream::FastCgi | Upstream::Protocol(_) => {
                "proxy_pass http://shop_backend;\n".to_owned()
            }
            Upstream::Tls => "proxy_pass https://shop_backend;\n".to_owned(),
            Upstream::TlsVerified => format!(
                "proxy_ssl_verify on;\nproxy_ssl_trusted_certificate {};\nproxy_ssl_name shop.example;\nproxy_pass https://shop_backend;\n",
                site.setup.trusted.display()
            ),
            Upstream::UnresolvedName => {
                format!(
                    "resolver {} valid=5s;\nresolver_timeout 5s;\nset $backend app.shop.internal;\nproxy_pass http://$backend:8080;\n",
                    site.setup.resolver
                )
            }
            Upstream::BadTarget => {
                "set $backend app.shop.internal:8080;\nproxy_pass $backend;\n".to_owned()
            }
        };
    }
    text + "}\n}\n"
}
