//! A second lighttpd site: chosen by host and path, error pages of its own,
//! and layouts without the virtual host in the second column.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::lab::lighttpd::Lighttpd;
use crate::lab::origin::Address;
use crate::lab::proxy::{Layout, Member, Proxy, Rule, Setup, Site, Upstream, is_root};
use crate::lab::split;

/// lighttpd, as installed.
pub(crate) struct LighttpdOther;

const LAYOUTS: [Layout; 3] = [
    Layout {
        name: "combined",
        format: r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
    },
    Layout {
        name: "forwarded",
        format: r#"%{X-Forwarded-For}i %v %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{Host}i" %T"#,
    },
    Layout {
        name: "labelled",
        format: r#"%t client=%h vhost=%{Host}i request="%r" status=%>s bytes_out=%O bytes_in=%I conn=%X took_us=%D referer="%{Referer}i" ua="%{User-Agent}i""#,
    },
];

/// Statuses with a page of the site's own.
const PAGES: [u16; 4] = [500, 502, 503, 504];

impl Proxy for LighttpdOther {
    behaves_like!((Lighttpd) => version, timers_follow_clock, started_says, echo_says, notices_hangup, wants_waking);

    fn name(&self) -> &'static str {
        "lighttpd-other"
    }

    fn edge(&self) -> &'static str {
        "lighttpd"
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn can(&self, setup: &Setup) -> bool {
        Lighttpd.can(setup)
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let script = split::script(site.dir, &LAYOUTS)?;
        split::empty(&site.dir.join("error.log"))?;
        let uploads = site.dir.join("uploads");
        std::fs::create_dir(&uploads)?;
        std::fs::set_permissions(&uploads, std::fs::Permissions::from_mode(0o777))?;
        for status in PAGES {
            write_page(site.dir, status)?;
        }
        let path = site.dir.join("lighttpd.conf");
        std::fs::write(&path, config(site, &script.display().to_string()))
            .context("cannot write lighttpd.conf")?;
        let mut command = Command::new("lighttpd");
        command.arg("-D").arg("-f").arg(path);
        Ok(command)
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        Lighttpd.logs_unanswered_as()
    }
}

fn write_page(dir: &Path, status: u16) -> Result<()> {
    let path = dir.join(format!("page-{status}.html"));
    let text =
        format!("<!doctype html><title>Oops</title><h1>Something went wrong</h1><p>{status}</p>\n");
    std::fs::write(&path, text).with_context(|| path.display().to_string())
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
         server.bind = \"{}\"\nserver.port = {}\nserver.document-root = \"/var/empty\"\nserver.name = \"www.shop.example\"\n\
         server.tag = \"shop\"\nserver.errorlog = \"{dir}/error.log\"\nserver.upload-dirs = ( \"{dir}/uploads\" )\n\
         server.errorfile-prefix = \"{dir}/page-\"\n\
         server.max-read-idle = 3600\nserver.max-write-idle = 3600\n\
         \
         extforward.forwarder = ( \"127.0.0.1\" => \"trust\" )\nextforward.headers = ( \"X-Forwarded-For\" )\n\
         accesslog.filename = \"|{script}\"\naccesslog.format = \"{format}\"\n",
        site.listen.ip(),
        site.listen.port(),
    )
    .ok();
    if setup.rule == Rule::Maintenance {
        text += "setenv.add-response-header = ( \"Retry-After\" => \"1800\" )\nurl.redirect-code = 503\n\
                 url.redirect = ( \"\" => \"/\" )\n";
    }
    for (condition, balance) in [
        ("$HTTP[\"url\"] =~ \"^/api/\"", "hash"),
        ("$HTTP[\"url\"] !~ \"^/api/\"", "least-connection"),
    ] {
        writeln!(text, "{condition} {{\n{}}}", pool(setup, balance)).ok();
    }
    text
}

fn pool(setup: &Setup, balance: &str) -> String {
    let (module, more) = match setup.upstream {
        Upstream::FastCgi => ("fastcgi", ", \"check-local\" => \"disable\""),
        _ => ("proxy", ""),
    };
    let connect = setup.timeout.as_secs().max(1);
    // Patience for the answer differs from that for the connection.
    let answer = connect * 3 / 2;
    let disable = if setup.eject { 15 } else { 0 };
    let members: Vec<String> = setup
        .members
        .iter()
        .map(|member| {
            format!(
                "( {}, \"connect-timeout\" => {connect}, \"read-timeout\" => {answer}, \"write-timeout\" => {answer}, \
                 \"disable-time\" => {disable}{more} )",
                address(member)
            )
        })
        .collect();
    let header = if module == "proxy" {
        "proxy.forwarded = ( \"for\" => 1, \"proto\" => 1 )\n"
    } else {
        ""
    };
    format!(
        "{header}{module}.balance = \"{balance}\"\n{module}.server = ( \"\" => ( {} ) )\n",
        members.join(", ")
    )
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
