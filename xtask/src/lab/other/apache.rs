//! Apache httpd as a site runs it that has had it for long: prefork, as beside mod_php, error logs in
//! other formats, its own page for 503, a balancer with routes; uwsgi, SCGI, AJP and HTTP/2 behind it where the application speaks them.

use std::fmt::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::super::client::Version;
use super::super::origin::Address;
use super::super::proxy::{Layout, Member, Proxy, Rule, Setup, Site, Upstream, is_root};

/// Apache httpd, set up otherwise than in the first lab.
pub(super) struct Apache;

/// Where Debian's package puts the modules.
const MODULES: &str = "/usr/lib/apache2/modules";

const LOADED: [&str; 16] = [
    "authz_core",
    "remoteip",
    "headers",
    "rewrite",
    "alias",
    "proxy",
    "proxy_http",
    "proxy_http2",
    "proxy_fcgi",
    "proxy_scgi",
    "proxy_uwsgi",
    "proxy_ajp",
    "proxy_balancer",
    "slotmem_shm",
    "lbmethod_byrequests",
    "lbmethod_bybusyness",
];

/// `common` is what httpd's own configuration asks for, `debian` what Debian calls combined (with the bytes of the
/// header), `json` a widely copied answer to how httpd logs JSON; `timed` and `proxyjson` are what sites make up.
const LAYOUTS: [Layout; 5] = [
    Layout {
        name: "common",
        format: r#"%h %l %u %t \"%r\" %>s %b"#,
    },
    Layout {
        name: "debian",
        format: r#"%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\""#,
    },
    Layout {
        name: "json",
        format: r#"{ \"time\":\"%{%Y-%m-%dT%H:%M:%S%z}t\", \"process\":\"%D\", \"filename\":\"%f\", \"remoteIP\":\"%a\", \"host\":\"%V\", \"request\":\"%U\", \"query\":\"%q\", \"method\":\"%m\", \"status\":\"%>s\", \"userAgent\":\"%{User-agent}i\", \"referer\":\"%{Referer}i\" }"#,
    },
    Layout {
        name: "timed",
        format: r#"%{%Y-%m-%d %H:%M:%S}t.%{msec_frac}t %a %{Host}i \"%m %U%q %H\" %>s %X %B ms=%{ms}T ps=%{proxy-status}n be=%{BALANCER_NAME}e/%{BALANCER_WORKER_ROUTE}e id=%L \"%{User-Agent}i\""#,
    },
    Layout {
        name: "proxyjson",
        format: r#"{\"ts\":%{msec}t,\"client\":\"%a\",\"vhost\":\"%v\",\"req\":{\"method\":\"%m\",\"path\":\"%U\",\"qs\":\"%q\",\"proto\":\"%H\"},\"res\":{\"status\":%>s,\"bytes\":%B,\"conn\":\"%X\"},\"proxy\":{\"status\":\"%{proxy-status}n\",\"worker\":\"%{BALANCER_WORKER_NAME}e\",\"handler\":\"%R\"},\"us\":%D,\"ua\":\"%{User-Agent}i\"}"#,
    },
];

/// The page for 503, and what leads to it past the proxy.
const SORRY: &str =
    "Alias /errors/ html/\nErrorDocument 503 /errors/sorry.html\nProxyPass /errors/ !\n";

impl Proxy for Apache {
    behaves_like!((crate::lab::apache::Apache) => version, timers_follow_clock, started_says, echo_says, logs_unanswered_as);

    fn name(&self) -> &'static str {
        "apache-other"
    }

    fn edge(&self) -> &'static str {
        "apache"
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn can(&self, setup: &Setup) -> bool {
        !matches!(
            setup.rule,
            Rule::RateLimit(_) | Rule::MaskErrors | Rule::RewriteLoop
        ) && !matches!(
            setup.upstream,
            Upstream::BadTarget | Upstream::Protocol("grpc")
        ) && !setup.members.iter().any(|member| member.down)
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        std::fs::write(site.dir.join("apache2.conf"), config(site))
            .context("cannot write apache2.conf")?;
        std::fs::create_dir_all(site.dir.join("html"))?;
        std::fs::write(
            site.dir.join("html/sorry.html"),
            "<!doctype html><title>Shop</title><h1>Back in a moment</h1>\n",
        )?;
        let mut command = Command::new("apache2");
        // httpd logs its command line: no path of this machine in it.
        command
            // prefork ends its whole process group when it stops, which would be the recorder's too.
            .process_group(0)
            .current_dir(site.dir)
            .args(["-D", "FOREGROUND", "-d", ".", "-f", "apache2.conf"]);
        Ok(command)
    }
}

fn config(site: &Site<'_>) -> String {
    let dir = site.dir.display();
    let setup = site.setup;
    let mut text = process(setup);
    for module in LOADED {
        writeln!(text, "LoadModule {module}_module {MODULES}/mod_{module}.so").ok();
    }
    if matches!(setup.upstream, Upstream::Tls | Upstream::TlsVerified) {
        writeln!(text, "LoadModule ssl_module {MODULES}/mod_ssl.so").ok();
    }
    if setup.clients == Version::Http2 {
        writeln!(
            text,
            "LoadModule http2_module {MODULES}/mod_http2.so\nProtocols h2c http/1.1"
        )
        .ok();
    }
    if is_root() {
        text += "User www-data\nGroup www-data\n";
    }
    // The site of version 2.2 wants no warnings.
    let level = match setup.upstream {
        Upstream::Tls | Upstream::TlsVerified => "error",
        _ => "warn",
    };
    write!(
        text,
        "LogLevel {level}\nServerRoot {dir}\nServerName shop.example\nListen {}\nPidFile {dir}/pid\nDefaultRuntimeDir {dir}\n\
         Mutex pthread default\nErrorLog {dir}/error.log\nServerTokens Prod\nServerSignature Off\n\
         KeepAlive On\nMaxKeepAliveRequests 100\nKeepAliveTimeout 5\nTimeout 60\n\
         RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.0/8\nDocumentRoot {dir}/html\n",
        site.listen
    )
    .ok();
    if let Some(format) = error_format(setup) {
        writeln!(text, "ErrorLogFormat \"{format}\"").ok();
    }
    for Layout { name, format } in &LAYOUTS {
        if *name == "common" {
            // Without a format, as in a configuration that names none.
            writeln!(text, "TransferLog {dir}/common.log").ok();
            continue;
        }
        writeln!(
            text,
            "LogFormat \"{format}\" lab_{name}\nCustomLog {dir}/{name}.log lab_{name}"
        )
        .ok();
    }
    text += "<VirtualHost *>\nServerName shop.example\nServerAlias www.shop.example\n";
    text += SORRY;
    if setup.rule == Rule::Maintenance {
        text +=
            "RewriteEngine On\nRewriteCond %{REQUEST_URI} !^/errors/\nRewriteRule ^ - [R=503,L]\n";
    }
    text += &target(setup);
    text + "</VirtualHost>\n"
}

/// prefork, save where connections are shared: there each child would keep its own.
fn process(setup: &Setup) -> String {
    let shares = setup.keepalive || setup.rule == Rule::FewConnections;
    let (mpm, sizes) = if shares {
        (
            "worker",
            "StartServers 1\nServerLimit 1\nThreadsPerChild 25\nMaxRequestWorkers 25\nMinSpareThreads 1\nMaxSpareThreads 25\n",
        )
    } else {
        (
            "prefork",
            "StartServers 2\nMinSpareServers 1\nMaxSpareServers 4\nServerLimit 8\nMaxRequestWorkers 8\n",
        )
    };
    format!("LoadModule mpm_{mpm}_module {MODULES}/mod_mpm_{mpm}.so\n{sizes}")
}

/// The default, save on three kinds of site: one with ids, as in the manual's advanced example; one that speaks TLS to
/// its application and still writes the lines of version 2.2; one whose application has a protocol of its own, with the
/// manual's simple example.
fn error_format(setup: &Setup) -> Option<&'static str> {
    if setup.log_ids {
        return Some(r"[%{uc}t] [%-m:%l] [R:%L] [C:%{C}L] %7F: %E: [client\ %a] %M");
    }
    match setup.upstream {
        Upstream::Tls | Upstream::TlsVerified => {
            Some(r"[%t] [%l] %7F: %E: [client\ %a] %M% ,\ referer\ %{Referer}i")
        }
        Upstream::FastCgi | Upstream::Protocol(_) => {
            Some("[%t] [%l] [pid %P] %F: %E: [client %a] %M")
        }
        _ => None,
    }
}

fn target(setup: &Setup) -> String {
    let scheme = match setup.upstream {
        Upstream::Http | Upstream::UnresolvedName | Upstream::BadTarget => "http",
        Upstream::Tls | Upstream::TlsVerified => "https",
        Upstream::FastCgi => "fcgi",
        Upstream::Protocol(name) => name,
    };
    let mut text = "ProxyPreserveHost On\n".to_owned();
    if scheme == "https" {
        text += "SSLProxyEngine On\nSSLProxyProtocol -all +TLSv1.2 +TLSv1.3\n";
        text += &if setup.upstream == Upstream::TlsVerified {
            let trusted = setup.trusted.display();
            format!(
                "SSLProxyVerify require\nSSLProxyVerifyDepth 2\nSSLProxyCACertificateFile {trusted}\n"
            )
        } else {
            "SSLProxyVerify none\nSSLProxyCheckPeerCN off\nSSLProxyCheckPeerName off\nSSLProxyCheckPeerExpire off\n".to_owned()
        };
    }
    if setup.upstream == Upstream::UnresolvedName {
        return text + "ProxyPass / http://app.shop.invalid:8080/\n";
    }
    let url = |member: &Member| match &member.address {
        Address::Tcp(address) => format!("{scheme}://{address}"),
        Address::Unix(path) => format!("unix:{}|{scheme}://localhost", path.display()),
    };
    let options = options(setup);
    if let [member] = setup.members.as_slice() {
        if scheme == "fcgi" {
            writeln!(
                text,
                "ProxyPassMatch \"^/(?!errors/)(.*)$\" \"{}/srv/www/$1\" {options}",
                url(member)
            )
            .ok();
            return text;
        }
        writeln!(
            text,
            "ProxyPass / {}/ {options}\nProxyPassReverse / {}/",
            url(member),
            url(member)
        )
        .ok();
        return text;
    }
    text += "<Proxy balancer://app>\n";
    for (number, member) in setup.members.iter().enumerate() {
        writeln!(
            text,
            "BalancerMember {} route=node{} loadfactor=10 {options}",
            url(member),
            number + 1
        )
        .ok();
    }
    text += "ProxySet lbmethod=bybusyness stickysession=ROUTEID\n";
    if !setup.last_resort {
        text += "ProxySet forcerecovery=Off\n";
    }
    if !setup.retry {
        text += "ProxySet maxattempts=0\n";
    }
    text + "</Proxy>\nProxyPass / balancer://app/\nProxyPassReverse / balancer://app/\n"
}

/// What stands behind every address. A connection is given up sooner than an answer.
fn options(setup: &Setup) -> String {
    let answer = setup.timeout.as_secs().max(1);
    let connect = (answer / 2).max(1);
    let keep = if setup.keepalive {
        " keepalive=On ttl=3600"
    } else {
        " disablereuse=On"
    };
    let few = if setup.rule == Rule::FewConnections {
        " max=3 acquire=200"
    } else {
        ""
    };
    // Seconds for which a member that failed is left out.
    let eject = if setup.eject { 60 } else { 0 };
    format!("connectiontimeout={connect} timeout={answer} retry={eject}{keep}{few}")
}
