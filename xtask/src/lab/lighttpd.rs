//! lighttpd in the lab: the Debian package, mod_proxy and mod_fastcgi, two layouts of access log from one run.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::origin::Address;
use super::proxy::{Layout, Member, Proxy, Rule, Setup, Site, Upstream, is_root, version_of};
use super::split;

/// lighttpd, as installed.
pub(crate) struct Lighttpd;

const LAYOUTS: [Layout; 2] = [
    Layout {
        name: "default",
        format: r#"%h %V %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
    },
    Layout {
        name: "rich",
        format: r#"%h %V - %t "%m %U %H" %>s %b "-" "%{User-Agent}i" request_time_us=%D connection_status=%X ra=%{Retry-After}o"#,
    },
];

impl Proxy for Lighttpd {
    fn name(&self) -> &'static str {
        "lighttpd"
    }

    fn version(&self) -> Result<String> {
        version_of("lighttpd", "-v", "lighttpd")
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn timers_follow_clock(&self) -> bool {
        true
    }

    fn can(&self, setup: &Setup) -> bool {
        // It speaks no TLS to the pool, looks names up at the start only, keeps no connections to the pool and always
        // tries the next member.
        matches!(setup.upstream, Upstream::Http | Upstream::FastCgi)
            && matches!(setup.rule, Rule::None | Rule::Maintenance)
            && !setup.keepalive
            && setup.retry
            && setup.last_resort
            && !setup.members.is_empty()
            && !setup.members.iter().any(|member| member.down)
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let script = split::script(site.dir, &LAYOUTS)?;
        split::empty(&site.dir.join("error.log"))?;
        let uploads = site.dir.join("uploads");
        std::fs::create_dir(&uploads)?;
        std::fs::set_permissions(&uploads, std::fs::Permissions::from_mode(0o777))?;
        let path = site.dir.join("lighttpd.conf");
        std::fs::write(&path, config(site, &script.display().to_string()))
            .context("cannot write lighttpd.conf")?;
        let mut command = Command::new("lighttpd");
        command.arg("-D").arg("-f").arg(path);
        Ok(command)
    }

    fn started_says(&self) -> Option<&'static str> {
        Some("server started")
    }

    fn echo_says(&self) -> &'static str {
        ""
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        &[200, 500, 504]
    }

    fn notices_hangup(&self) -> bool {
        false
    }

    fn wants_waking(&self) -> bool {
        true
    }
}

fn config(site: &Site<'_>, script: &str) -> String {
    let dir = site.dir.display();
    let setup = site.setup;
    let mut text = String::new();
    if is_root() {
        text += "server.username = \"www-data\"\nserver.groupname = \"www-data\"\n";
    }
    let format = split::joined(&LAYOUTS, "%t").replace('"', "\\\"");
    write!(
        text,
        "server.modules = ( \"mod_extforward\", \"mod_setenv\", \"mod_redirect\", \"mod_accesslog\", \"mod_proxy\", \"mod_fastcgi\" )\n\
         server.bind = \"{}\"\nserver.port = {}\nserver.document-root = \"/var/empty\"\n\
         server.errorlog = \"{dir}/error.log\"\nserver.upload-dirs = ( \"{dir}/uploads\" )\n\
         server.max-request-size = 20480\nserver.max-read-idle = 3600\nserver.max-write-idle = 3600\n\
         extforward.forwarder = ( \"127.0.0.1\" => \"trust\" )\n\
         accesslog.filename = \"|{script}\"\naccesslog.format = \"{format}\"\n",
        site.listen.ip(),
        site.listen.port(),
    )
    .ok();
    if setup.rule == Rule::Maintenance {
        text += "setenv.add-response-header = ( \"Retry-After\" => \"900\" )\nurl.redirect-code = 503\n\
                 url.redirect = ( \"\" => \"/\" )\n";
    }
    let (module, check) = match setup.upstream {
        Upstream::FastCgi => ("fastcgi", ", \"check-local\" => \"disable\""),
        _ => ("proxy", ""),
    };
    let secs = setup.timeout.as_secs();
    let disable = if setup.eject { 10 } else { 0 };
    let members: Vec<String> = setup
        .members
        .iter()
        .map(|member| {
            format!(
                "( {}, \"connect-timeout\" => {secs}, \"read-timeout\" => {secs}, \"write-timeout\" => {secs}, \
                 \"disable-time\" => {disable}{check} )",
                address(member)
            )
        })
        .collect();
    writeln!(
        text,
        "{module}.balance = \"round-robin\"\n{module}.server = ( \"\" => ( {} ) )",
        members.join(", ")
    )
    .ok();
    text
}

fn address(member: &Member) -> String {
    match &member.address {
        Address::Tcp(address) => format!(
            "\"host\" => \"{}\", \"port\" => {}",
            address.ip(),
            address.port()
        ),
        Address::Unix(path) => format!("\"socket\" => \"{}\"", path.display()),
    }
}
