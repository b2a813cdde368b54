//! nginx as a site runs it that began with the package of nginx.org: its error page for all, static files in between,
//! two groups of servers, HTTP/1.0 towards them unless connections are kept, an error log at `info`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::super::client::Version;
use super::super::origin::Address;
use super::super::proxy::{Layout, Proxy, Rule, Setup, Site, Upstream, is_root};

/// nginx, set up otherwise than in the first lab.
pub(super) struct Nginx;

/// From nothing to everything: `main` is that of nginx.org's package, `default` what is written without any format,
/// `apm` the one of the vendor's article on performance logs, `ltsv` the example of ltsv.org, `analytics` the one of a
/// widely copied dashboard; `nested` and `timed` are what sites make up themselves.
const LAYOUTS: [Layout; 7] = [
    Layout {
        name: "main",
        format: r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for""#,
    },
    Layout {
        name: "default",
        format: r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
    },
    Layout {
        name: "apm",
        format: r#""$time_local" client=$remote_addr method=$request_method request="$request" request_length=$request_length status=$status bytes_sent=$bytes_sent body_bytes_sent=$body_bytes_sent referer=$http_referer user_agent="$http_user_agent" upstream_addr=$upstream_addr upstream_status=$upstream_status request_time=$request_time upstream_response_time=$upstream_response_time upstream_connect_time=$upstream_connect_time upstream_header_time=$upstream_header_time"#,
    },
    Layout {
        name: "ltsv",
        format: r"time:$time_local\thost:$remote_addr\tforwardedfor:$http_x_forwarded_for\treq:$request\tstatus:$status\tsize:$body_bytes_sent\treferer:$http_referer\tua:$http_user_agent\treqtime:$request_time\tcache:$upstream_http_x_cache\truntime:$upstream_http_x_runtime\tapptime:$upstream_response_time\tvhost:$host",
    },
    Layout {
        name: "analytics",
        format: r#"{"msec": "$msec", "connection": "$connection", "connection_requests": "$connection_requests", "pid": "$pid", "request_id": "$request_id", "request_length": "$request_length", "remote_addr": "$remote_addr", "remote_user": "$remote_user", "remote_port": "$remote_port", "time_local": "$time_local", "time_iso8601": "$time_iso8601", "request": "$request", "request_uri": "$request_uri", "args": "$args", "status": "$status", "body_bytes_sent": "$body_bytes_sent", "bytes_sent": "$bytes_sent", "http_referer": "$http_referer", "http_user_agent": "$http_user_agent", "http_x_forwarded_for": "$http_x_forwarded_for", "http_host": "$http_host", "server_name": "$server_name", "request_time": "$request_time", "upstream": "$upstream_addr", "upstream_connect_time": "$upstream_connect_time", "upstream_header_time": "$upstream_header_time", "upstream_response_time": "$upstream_response_time", "upstream_response_length": "$upstream_response_length", "upstream_cache_status": "$upstream_cache_status", "scheme": "$scheme", "request_method": "$request_method", "server_protocol": "$server_protocol", "pipe": "$pipe", "gzip_ratio": "$gzip_ratio"}"#,
    },
    Layout {
        name: "nested",
        format: r#"{"@timestamp":"$time_iso8601","source":{"ip":"$remote_addr"},"url":{"domain":"$host","original":"$request_uri"},"http":{"version":"$server_protocol","request":{"id":"$request_id","method":"$request_method","referrer":"$http_referer"},"response":{"status_code":$status,"body":{"bytes":$body_bytes_sent}}},"user_agent":{"original":"$http_user_agent"},"event":{"duration":$request_time},"nginx":{"connection":$connection,"upstream":{"address":"$upstream_addr","status":"$upstream_status","connect_time":"$upstream_connect_time","header_time":"$upstream_header_time","response_time":"$upstream_response_time","bytes_received":"$upstream_bytes_received"}}}"#,
    },
    Layout {
        name: "timed",
        format: r#"[$time_iso8601] $host $remote_addr "$request" $status $body_bytes_sent $request_time up=$upstream_addr us=$upstream_status ct=$upstream_connect_time ht=$upstream_header_time rt=$upstream_response_time rb=$upstream_bytes_received c=$connection "$http_user_agent""#,
    },
];

impl Proxy for Nginx {
    behaves_like!((crate::lab::nginx::Nginx) => version, timers_follow_clock, started_says, echo_says, logs_unanswered_as);

    fn name(&self) -> &'static str {
        "nginx-other"
    }

    fn edge(&self) -> &'static str {
        "nginx"
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn can(&self, setup: &Setup) -> bool {
        !matches!(setup.upstream, Upstream::Protocol("ajp" | "h2c"))
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let path = site.dir.join("nginx.conf");
        std::fs::write(&path, config(site)).context("cannot write nginx.conf")?;
        pages(&site.dir.join("html"))?;
        let mut command = Command::new("nginx");
        command
            .arg("-e")
            .arg(site.dir.join("error.log"))
            .arg("-c")
            .arg(path);
        Ok(command)
    }

    fn is_chatter(&self, line: &[u8]) -> bool {
        let line = String::from_utf8_lossy(line);
        let chatter = [
            "is buffered to a temporary file",
            "closed connection while waiting for request",
            "closed keepalive connection",
        ];
        line.contains(" [notice] ") || chatter.iter().any(|text| line.contains(text))
    }
}

/// The page of nginx.org's package, and one for maintenance.
fn pages(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let error = "<!DOCTYPE html>\n<html>\n<head>\n<title>Error</title>\n<style>\nhtml { color-scheme: light dark; }\n\
        body { width: 35em; margin: 0 auto;\nfont-family: Tahoma, Verdana, Arial, sans-serif; }\n</style>\n</head>\n<body>\n\
        <h1>An error occurred.</h1>\n<p>Sorry, the page you are looking for is currently unavailable.<br/>\n\
        Please try again later.</p>\n<p>If you are the system administrator of this resource then you should check\n\
        the error log for details.</p>\n<p><em>Faithfully yours, nginx.</em></p>\n</body>\n</html>\n";
    std::fs::write(dir.join("50x.html"), error)?;
    std::fs::write(
        dir.join("maintenance.html"),
        "<!doctype html><title>Wartung</title><p>We are back at ten.\n",
    )?;
    Ok(())
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
        1024
    };
    write!(
        text,
        "daemon off;\nworker_processes 1;\npid {dir}/pid;\nerror_log {dir}/error.log info;\n\
         env TZ;\nenv FAKETIME_TIMESTAMP_FILE;\nenv FAKETIME_NO_CACHE;\n\
         events {{ worker_connections {connections}; multi_accept on; }}\nhttp {{\ninclude /etc/nginx/mime.types;\n\
         default_type application/octet-stream;\n\
         client_body_temp_path {dir}/body;\nproxy_temp_path {dir}/proxy;\nfastcgi_temp_path {dir}/fastcgi;\n\
         uwsgi_temp_path {dir}/uwsgi;\nscgi_temp_path {dir}/scgi;\n\
         set_real_ip_from 127.0.0.0/8;\nreal_ip_header X-Forwarded-For;\n\
         sendfile on;\ntcp_nopush on;\nkeepalive_timeout 65;\ngzip on;\nserver_tokens off;\nclient_max_body_size 32m;\n"
    )
    .ok();
    for Layout { name, format } in &LAYOUTS {
        if *name == "default" {
            // Without a format, as in a configuration that names none.
            writeln!(text, "access_log {dir}/default.log;").ok();
            continue;
        }
        let escape = if format.starts_with('{') {
            "escape=json "
        } else {
            ""
        };
        writeln!(text, "log_format lab_{name} {escape}'{format}';").ok();
        writeln!(text, "access_log {dir}/{name}.log lab_{name};").ok();
    }
    text += &pool("web", site.setup);
    text += &pool("static", site.setup);
    text += "map $host $pool_of_site { default ''; }\n";
    text += &server(site);
    text + "}\n"
}

/// The `upstream` block; none where the target is no group.
fn pool(name: &str, setup: &Setup) -> String {
    if matches!(
        setup.upstream,
        Upstream::UnresolvedName | Upstream::BadTarget
    ) {
        return String::new();
    }
    let mut text = format!("upstream {name} {{\n");
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
        writeln!(text, "server {address} weight=5{eject}{down};").ok();
    }
    if setup.keepalive {
        text += "keepalive 32;\nkeepalive_requests 1000;\nkeepalive_timeout 3600;\n";
    }
    text + "}\n"
}

fn server(site: &Site<'_>) -> String {
    let setup = site.setup;
    let mut text = String::new();
    if let Rule::RateLimit(status) = setup.rule {
        writeln!(text, "limit_req_zone $binary_remote_addr zone=ip:10m rate=60r/m;\nlimit_req_status {status};\nlimit_req_log_level warn;").ok();
    }
    write!(
        text,
        "server {{\nlisten {}{};\nserver_name shop.example www.shop.example;\nroot {}/html;\n\
         location = /50x.html {{ internal; }}\nlocation = /maintenance.html {{ internal; }}\n",
        site.listen,
        if setup.clients == Version::Http2 {
            " http2"
        } else {
            ""
        },
        site.dir.display()
    )
    .ok();
    text += match setup.rule {
        Rule::RateLimit(_) => "limit_req zone=ip burst=1 nodelay;\n",
        Rule::Maintenance => "error_page 503 /maintenance.html;\n",
        // One page and one status, whatever it was.
        Rule::MaskErrors => "error_page 500 502 503 504 =503 /50x.html;\n",
        Rule::None | Rule::RewriteLoop | Rule::FewConnections => {
            "error_page 500 502 503 504 /50x.html;\n"
        }
    };
    for (place, pool) in [("/", "web"), ("/static/", "static")] {
        writeln!(text, "location {place} {{").ok();
        text += &location(pool, setup);
        text += "}\n";
    }
    text + "}\n"
}

fn location(pool: &str, setup: &Setup) -> String {
    let mut text = String::new();
    match setup.rule {
        Rule::Maintenance => text += "return 503;\n",
        Rule::RewriteLoop => text += "rewrite ^/category/(.*)$ /category/$1 last;\n",
        Rule::None | Rule::RateLimit(_) | Rule::MaskErrors | Rule::FewConnections => (),
    }
    // A connection is given up sooner than an answer.
    let answer = setup.timeout.as_millis();
    let connect = answer / 2;
    match setup.upstream {
        Upstream::FastCgi => {
            write!(text, "include /etc/nginx/fastcgi_params;\nfastcgi_pass {pool};\nfastcgi_connect_timeout {connect}ms;\nfastcgi_read_timeout {answer}ms;\n").ok();
            return text;
        }
        Upstream::Protocol(name) => {
            if name != "grpc" {
                writeln!(text, "include /etc/nginx/{name}_params;").ok();
            }
            write!(text, "{name}_pass {pool};\n{name}_connect_timeout {connect}ms;\n{name}_read_timeout {answer}ms;\n").ok();
            return text;
        }
        _ => (),
    }
    write!(
        text,
        "proxy_set_header Host $host;\nproxy_set_header X-Real-IP $remote_addr;\n\
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
         proxy_connect_timeout {connect}ms;\nproxy_read_timeout {answer}ms;\nproxy_send_timeout {answer}ms;\n\
         proxy_buffer_size 8k;\nproxy_buffers 8 16k;\n"
    )
    .ok();
    if setup.keepalive {
        text += "proxy_http_version 1.1;\nproxy_set_header Connection '';\n";
    }
    text += if setup.retry {
        "proxy_next_upstream error timeout http_503;\nproxy_next_upstream_tries 2;\nproxy_next_upstream_timeout 10s;\n"
    } else {
        "proxy_next_upstream off;\n"
    };
    if setup.rule == Rule::MaskErrors {
        text += "proxy_intercept_errors on;\n";
    }
    match setup.upstream {
        Upstream::Tls => {
            write!(
                text,
                "proxy_ssl_server_name on;\nproxy_ssl_protocols TLSv1.2 TLSv1.3;\nproxy_pass https://{pool};\n"
            )
            .ok();
        }
        Upstream::TlsVerified => {
            write!(
                text,
                "proxy_ssl_verify on;\nproxy_ssl_verify_depth 2;\nproxy_ssl_name shop.example;\n\
                 proxy_ssl_trusted_certificate {};\nproxy_pass https://{pool};\n",
                setup.trusted.display()
            )
            .ok();
        }
        Upstream::UnresolvedName => {
            text += "resolver 127.0.0.1:1 ipv6=off;\nresolver_timeout 3s;\nset $app app.shop.internal:8080;\n\
                     proxy_pass http://$app;\n";
        }
        // The map has no line for this host.
        Upstream::BadTarget => text += "proxy_pass http://$pool_of_site;\n",
        Upstream::Http | Upstream::FastCgi | Upstream::Protocol(_) => {
            writeln!(text, "proxy_pass http://{pool};").ok();
        }
    }
    text
}
