//! Apache httpd in the lab: the Debian package, event MPM, three layouts of access log from one run.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::client::Version;
use super::origin::Address;
use super::proxy::{Layout, Member, Proxy, Rule, Setup, Site, Upstream, is_root, version_of};

/// Apache httpd, as installed.
pub(crate) struct Apache;

/// Where Debian's package puts the modules.
const MODULES: &str = "/usr/lib/apache2/modules";

const LOADED: [&str; 11] = [
    "mpm_event",
    "authz_core",
    "remoteip",
    "headers",
    "rewrite",
    "proxy",
    "proxy_http",
    "proxy_fcgi",
    "proxy_balancer",
    "slotmem_shm",
    "lbmethod_byrequests",
];

const LAYOUTS: [Layout; 3] = [
    Layout {
        name: "combined",
        format: r#"%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\""#,
    },
    Layout {
        name: "vhost",
        format: r#"%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\""#,
    },
    Layout {
        name: "rich",
        format: r#"%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" %D %{proxy-status}n %X %L %R %{BALANCER_WORKER_NAME}e"#,
    },
];

/// httpd's own error-log format for threaded servers, with the entry's id after the thread.
const ERROR_FORMAT_WITH_ID: &str =
    r"[%{u}t] [%-m:%l] [pid %P:tid %T] [%L] %7F: %E: [client\ %a] %M% ,\ referer\ %{Referer}i";

impl Proxy for Apache {
    fn name(&self) -> &'static str {
        "apache"
    }

    fn version(&self) -> Result<String> {
        version_of("apache2", "-v", "apache2")
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn timers_follow_clock(&self) -> bool {
        false
    }

    fn can(&self, setup: &Setup) -> bool {
        !matches!(
            setup.rule,
            Rule::RateLimit(_) | Rule::FewConnections | Rule::RewriteLoop
        ) && !matches!(setup.upstream, Upstream::BadTarget | Upstream::Protocol(_))
            && !setup.members.iter().any(|member| member.down)
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        std::fs::write(site.dir.join("apache2.conf"), config(site))
            .context("cannot write apache2.conf")?;
        let mut command = Command::new("apache2");
        // httpd logs its command line: no path of this machine in it.
        command
            .current_dir(site.dir)
            .args(["-D", "FOREGROUND", "-d", ".", "-f", "apache2.conf"]);
        Ok(command)
    }

    fn started_says(&self) -> Option<&'static str> {
        Some("AH00094: ")
    }

    fn echo_says(&self) -> &'static str {
        "AH01170: "
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        // Nothing sent is 502 where the origin failed; a client that hung up stands as what it would have got.
        &[502, 200, 504]
    }
}

fn config(site: &Site<'_>) -> String {
    let dir = site.dir.display();
    let mut text = String::new();
    for module in LOADED {
        writeln!(text, "LoadModule {module}_module {MODULES}/mod_{module}.so").ok();
    }
    if matches!(site.setup.upstream, Upstream::Tls | Upstream::TlsVerified) {
        writeln!(text, "LoadModule ssl_module {MODULES}/mod_ssl.so").ok();
    }
    if site.setup.clients == Version::Http2 {
        writeln!(
            text,
            "LoadModule http2_module {MODULES}/mod_http2.so\nProtocols h2c http/1.1"
        )
        .ok();
    }
    if is_root() {
        text += "User www-data\nGroup www-data\n";
    }
    write!(
        text,
        "ServerRoot {dir}\nServerName shop.example\nListen {}\nPidFile {dir}/pid\nDefaultRuntimeDir {dir}\n\
         Mutex pthread default\nErrorLog {dir}/error.log\nLogLevel warn\nStartServers 1\nServerLimit 1\n\
         ThreadsPerChild 16\nMaxRequestWorkers 16\nMinSpareThreads 1\nMaxSpareThreads 16\n\
         KeepAliveTimeout 75\nTimeout 20\nRemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.0/8\n\
         ProxyPreserveHost On\n",
        site.listen
    )
    .ok();
    if site.setup.log_ids {
        writeln!(text, "ErrorLogFormat \"{ERROR_FORMAT_WITH_ID}\"").ok();
    }
    for layout in &LAYOUTS {
        writeln!(text, "LogFormat \"{}\" lab_{}", layout.format, layout.name).ok();
        writeln!(
            text,
            "CustomLog {dir}/{}.log lab_{}",
            layout.name, layout.name
        )
        .ok();
    }
    writeln!(text, "<VirtualHost *>\nServerName shop.example").ok();
    text += match site.setup.rule {
        Rule::Maintenance => {
            "RewriteEngine On\nRewriteRule ^ - [R=503,L]\nHeader always set Retry-After 900\n"
        }
        Rule::MaskErrors => "ProxyErrorOverride On\nErrorDocument 502 \"Back soon\"\n",
        Rule::RewriteLoop | Rule::FewConnections => "",
        Rule::None | Rule::RateLimit(_) => "",
    };
    text += &target(site.setup);
    text + "</VirtualHost>\n"
}

fn target(setup: &Setup) -> String {
    let secs = setup.timeout.as_secs().max(1);
    let scheme = match setup.upstream {
        Upstream::Http | Upstream::UnresolvedName | Upstream::BadTarget => "http",
        Upstream::Tls | Upstream::TlsVerified => "https",
        Upstream::FastCgi => "fcgi",
        Upstream::Protocol(name) => name,
    };
    let mut text = String::new();
    if scheme == "https" {
        text += "SSLProxyEngine On\n";
        text += &if setup.upstream == Upstream::TlsVerified {
            let trusted = setup.trusted.display();
            format!("SSLProxyVerify require\nSSLProxyCACertificateFile {trusted}\n")
        } else {
            "SSLProxyVerify none\nSSLProxyCheckPeerCN off\nSSLProxyCheckPeerName off\nSSLProxyCheckPeerExpire off\n".to_owned()
        };
    }
    if setup.upstream == Upstream::UnresolvedName {
        // A name built at run time is looked up for every request.
        return "RewriteEngine On\nRewriteRule ^(.*)$ http://app.shop.invalid:8080$1 [P]\n"
            .to_owned();
    }
    let url = |member: &Member| match &member.address {
        Address::Tcp(address) => format!("{scheme}://{address}"),
        Address::Unix(path) => format!("unix:{}|{scheme}://shop.example", path.display()),
    };
    let keep = if setup.keepalive {
        ""
    } else {
        " disablereuse=on"
    };
    // Seconds for which a member that failed is left out.
    let eject = if setup.eject { 60 } else { 0 };
    if let [member] = setup.members.as_slice() {
        writeln!(
            text,
            "ProxyPass / \"{}/\" connectiontimeout={secs} timeout={secs} retry={eject}{keep}",
            url(member)
        )
        .ok();
        return text;
    }
    text += "<Proxy balancer://shop_backend>\n";
    for member in &setup.members {
        writeln!(
            text,
            "BalancerMember {} connectiontimeout={secs} timeout={secs} retry={eject}{keep}",
            url(member)
        )
        .ok();
    }
    if !setup.last_resort {
        text += "ProxySet forcerecovery=Off\n";
    }
    if !setup.retry {
        text += "ProxySet maxattempts=0\n";
    }
    text + "</Proxy>\nProxyPass / balancer://shop_backend/\n"
}
