//! `cargo xtask maintenance`: every text of `webmasterid maintenance` in the real program, through a restart of the origin
//! under a crawler's traffic. What is promised must hold: no 502, robots.txt as ever, off again afterwards.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::command;
use crate::tool;

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Only these edges
    edges: Vec<String>,
}

/// Edges, and the program of each.
const EDGES: [(&str, &str); 7] = [
    ("nginx", "nginx"),
    ("haproxy", "haproxy"),
    ("apache", "apache2"),
    ("caddy", "caddy"),
    ("envoy", "envoy"),
    ("traefik", "traefik"),
    ("varnish", "varnishd"),
];

/// How long a program may take to start, or to notice its switch.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// Requests sent while the origin restarts.
const REQUESTS: usize = 60;

const ROBOTS: &str = "User-agent: *\nDisallow: /cart\n";

pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(mut again) = tool::with_edges()? {
        return command::run(again.arg("maintenance").args(&args.edges));
    }
    let is_chosen =
        |edge: &str| args.edges.is_empty() || args.edges.iter().any(|name| name == edge);
    check(
        &EDGES
            .map(|(edge, _)| edge)
            .into_iter()
            .filter(|edge| is_chosen(edge))
            .collect::<Vec<_>>(),
    )
}

/// Tries these edges; all of what fails is said.
pub(crate) fn check(edges: &[&str]) -> Result<()> {
    command::run(command::cargo().args(["build", "--locked", "--package", "webmasterid"]))?;
    let mut wrong = Vec::new();
    for edge in edges {
        for while_down in [false, true] {
            // Traefik cannot tell its own 502 from the application's.
            if while_down && *edge == "traefik" {
                continue;
            }
            let what = if while_down {
                "while the origin is down"
            } else {
                "at a switch"
            };
            match trial(edge, while_down) {
                Ok(()) => println!("{edge} {what}: as promised"),
                Err(error) => wrong.push(format!("{edge} {what}: {error:#}")),
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

fn trial(edge: &str, while_down: bool) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path();
    // Some edges drop what root may read.
    let mut open = Command::new("chmod");
    open.args(["-R", "a+rwX"]).arg(dir).status()?;
    fs::write(dir.join("robots.txt"), ROBOTS)?;
    let (listen, admin) = (free()?, free()?);
    let address = free()?;
    let mut origin = Some(Origin::start(address)?);
    let text = snippet(edge, dir, while_down)?;
    let mut program = start(edge, dir, &text, while_down, [listen, admin, address])?;
    let url = format!("http://{listen}/");
    let done = (|| -> Result<()> {
        until(&url, "off")?;
        if !while_down {
            // An outage that nobody planned says nothing of a time to come back.
            drop(origin.take());
            ensure!(
                wrong(&url, "on")?.is_some(),
                "an outage looks like planned work"
            );
            origin = Some(Origin::start(address)?);
            switch(edge, dir, admin, true)?;
            until(&url, "on")?;
        }
        drop(origin.take());
        if while_down {
            until(&url, "on")?;
        }
        for number in 0..REQUESTS {
            let path = if number % 6 == 0 {
                "/robots.txt"
            } else {
                "/item/1"
            };
            // Traefik serves no files, and Envoy none while it answers for itself.
            let has_robots = edge != "traefik" && !(while_down && edge == "envoy");
            let status = ask(listen, path)?;
            let wanted = if path == "/robots.txt" { 200 } else { 503 };
            if path != "/robots.txt" || has_robots {
                ensure!(status == wanted, "{path} got {status}, {wanted} is wanted");
            }
        }
        origin = Some(Origin::start(address)?);
        if !while_down {
            switch(edge, dir, admin, false)?;
        }
        until(&url, "off")
    })();
    let _ = program.kill();
    let _ = program.wait();
    done.with_context(|| said(dir))
}

fn said(dir: &Path) -> String {
    let log = fs::read_to_string(dir.join("program.log")).unwrap_or_default();
    let tail: Vec<&str> = log.lines().rev().take(6).collect();
    tail.into_iter().rev().collect::<Vec<_>>().join(" | ")
}

fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn switch_path(dir: &Path) -> PathBuf {
    dir.join("maintenance.on")
}

fn webmasterid(args: &[&str]) -> Result<std::process::Output> {
    let mut program = command::program(command::root().join("target/debug/webmasterid"));
    Ok(program.args(args).output()?)
}

fn snippet(edge: &str, dir: &Path, while_down: bool) -> Result<String> {
    let (robots, switch) = (dir.join("robots.txt"), switch_path(dir));
    let (robots, switch) = (robots.display().to_string(), switch.display().to_string());
    let mut args = vec!["maintenance", edge, "--for", "10m", "--robots", &robots];
    if while_down {
        args.push("--while-down");
    } else {
        args.extend(["--switch", &switch]);
    }
    let output = webmasterid(&args)?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Asks until the site is as wanted, as a user would.
fn until(url: &str, state: &str) -> Result<()> {
    let begun = Instant::now();
    while let Some(wrong) = wrong(url, state)? {
        if begun.elapsed() > WAIT_MAX {
            bail!("not {state}: {wrong}");
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// What `--verify` finds wrong; of robots.txt nothing while it is on, since that is looked at request by request.
fn wrong(url: &str, state: &str) -> Result<Option<String>> {
    let output = webmasterid(&["maintenance", "--verify", url, "--expect", state])?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !text.starts_with("maintenance is") {
        return Ok(Some(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    let wrong = text.lines().filter(|line| line.contains("WRONG"));
    let wrong: Vec<&str> = wrong
        .filter(|line| state == "off" || !line.contains("robots.txt"))
        .collect();
    Ok((!wrong.is_empty()).then(|| wrong.join(" ")))
}

/// The status of one request.
fn ask(address: SocketAddr, path: &str) -> Result<u16> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"
    )?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let status = line.split(' ').nth(1).context("no status line")?;
    Ok(status.parse()?)
}

fn switch(edge: &str, dir: &Path, admin: SocketAddr, is_on: bool) -> Result<()> {
    let path = switch_path(dir);
    match edge {
        "haproxy" => {
            let mut socket = UnixStream::connect(dir.join("admin.sock"))?;
            let state = if is_on { "on" } else { "off" };
            writeln!(socket, "set map {} maintenance {state}", path.display())?;
            let mut answer = String::new();
            socket.read_to_string(&mut answer)?;
            ensure!(answer.trim().is_empty(), "{}", answer.trim());
        }
        "envoy" => {
            let percent = if is_on { 100 } else { 0 };
            let mut stream = TcpStream::connect(admin)?;
            write!(
                stream,
                "POST /runtime_modify?maintenance={percent} HTTP/1.1\r\nHost: admin\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        "traefik" => {
            let file = dir.join("dynamic/maintenance.yml");
            match is_on {
                true => fs::rename(dir.join("maintenance.yml"), file)?,
                false => fs::remove_file(file)?,
            }
        }
        _ if is_on => fs::write(path, "")?,
        _ => fs::remove_file(path)?,
    }
    Ok(())
}

/// Writes the least configuration that passes everything on, with the text where it belongs, and starts the program.
fn start(
    edge: &str,
    dir: &Path,
    text: &str,
    while_down: bool,
    [listen, admin, origin]: [SocketAddr; 3],
) -> Result<Child> {
    let here = dir.display();
    let indent = |columns: usize| -> String {
        let blanks = " ".repeat(columns);
        text.lines()
            .map(|line| format!("{blanks}{line}\n"))
            .collect()
    };
    let write = |name: &str, text: String| fs::write(dir.join(name), text);
    let mut command = match edge {
        "nginx" => {
            write(
                "edge.conf",
                format!(
                    "daemon off;\nuser root;\npid {here}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n\
                     server {{\nlisten {listen};\n{text}\nlocation / {{ proxy_pass http://{origin}; }}\n}}\n}}\n"
                ),
            )?;
            let mut command = Command::new("nginx");
            command
                .arg("-p")
                .arg(dir)
                .args(["-e", "stderr", "-c", "edge.conf"]);
            command
        }
        "haproxy" => {
            write("maintenance.on", "maintenance off\n".to_owned())?;
            write(
                "edge.conf",
                format!(
                    "global\n  stats socket {here}/admin.sock level admin\ndefaults\n  mode http\n  retries 0\n  timeout connect 1s\n  \
                     timeout client 10s\n  timeout server 10s\nfrontend site\n  bind {listen}\n{}  default_backend shop\n\
                     backend shop\n  server one {origin}\n",
                    indent(2)
                ),
            )?;
            let mut command = Command::new("haproxy");
            command.args(["-db", "-f", "edge.conf"]);
            command
        }
        "apache" => {
            let modules = "mpm_event proxy proxy_http authz_core rewrite headers alias mime";
            let modules: String = (modules.split(' '))
                .map(|name| {
                    format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
                })
                .collect();
            write("mime.types", "text/plain txt\n".to_owned())?;
            write(
                "edge.conf",
                format!(
                    "ServerName localhost\nListen {listen}\nPidFile {here}/pid\nErrorLog {here}/error.log\nUser www-data\n\
                     Group www-data\n{modules}TypesConfig {here}/mime.types\n<VirtualHost *>\n{text}\nProxyPass / http://{origin}/ retry=0\n\
                     </VirtualHost>\n"
                ),
            )?;
            let mut command = Command::new("apache2");
            command.args(["-D", "FOREGROUND", "-d", ".", "-f", "edge.conf"]);
            command
        }
        "caddy" => {
            write(
                "Caddyfile",
                format!(
                    "{{\nadmin off\npersist_config off\nauto_https off\n}}\nhttp://:{} {{\nbind {}\n{text}\nreverse_proxy {origin}\n}}\n",
                    listen.port(),
                    listen.ip()
                ),
            )?;
            let mut command = Command::new("caddy");
            command
                .args(["run", "--config", "Caddyfile"])
                .env("XDG_DATA_HOME", dir)
                .env("XDG_CONFIG_HOME", dir);
            command
        }
        "envoy" => {
            let (routes, manager) = if while_down {
                (String::new(), indent(10))
            } else {
                (indent(14), String::new())
            };
            write(
                "edge.yaml",
                envoy(&routes, &manager, [listen, admin, origin]),
            )?;
            let mut command = Command::new("envoy");
            command.args([
                "-c",
                "edge.yaml",
                "-l",
                "warning",
                "--concurrency",
                "1",
                "--disable-hot-restart",
            ]);
            command
        }
        "traefik" => {
            write("maintenance.yml", text.to_owned())?;
            fs::create_dir(dir.join("dynamic"))?;
            write(
                "dynamic/site.yml",
                format!(
                    "http:\n  routers:\n    site:\n      rule: \"PathPrefix(`/`)\"\n      service: site\n  services:\n    site:\n      \
                     loadBalancer:\n        servers:\n        - url: \"http://{origin}\"\n"
                ),
            )?;
            let mut command = Command::new("traefik");
            command.arg(format!("--entrypoints.web.address={listen}"));
            command.args([
                "--providers.file.directory=dynamic",
                "--providers.file.watch=true",
            ]);
            command
        }
        "varnish" => {
            let (host, port) = (origin.ip(), origin.port());
            write(
                "edge.vcl",
                format!(
                    "vcl 4.1;\nbackend shop {{ .host = \"{host}\"; .port = \"{port}\"; }}\n{text}\nsub vcl_recv {{ return (pass); }}\n"
                ),
            )?;
            let mut command = Command::new("varnishd");
            command.arg("-F").arg("-a").arg(listen.to_string());
            command
                .arg("-f")
                .arg(dir.join("edge.vcl"))
                .arg("-n")
                .arg(dir.join("varnish"))
                .args(["-s", "malloc,16m"]);
            command
        }
        _ => bail!("no such edge"),
    };
    let log = fs::File::create(dir.join("program.log"))?;
    command
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    command
        .spawn()
        .with_context(|| format!("cannot start the program of {edge}"))
}

fn envoy(routes: &str, manager: &str, [listen, admin, origin]: [SocketAddr; 3]) -> String {
    let address = |at: SocketAddr| {
        format!(
            "{{ socket_address: {{ address: {}, port_value: {} }} }}",
            at.ip(),
            at.port()
        )
    };
    let (listen, admin, origin) = (address(listen), address(admin), address(origin));
    format!(
        r#"admin: {{ address: {admin} }}
layered_runtime: {{ layers: [ {{ name: admin, admin_layer: {{}} }} ] }}
static_resources:
  listeners:
  - address: {listen}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: site
{manager}          route_config:
            virtual_hosts:
            - name: site
              domains: ["*"]
              routes:
{routes}              - match: {{ prefix: / }}
                route: {{ cluster: shop }}
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: shop
    connect_timeout: 1s
    type: STATIC
    load_assignment:
      cluster_name: shop
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {origin} }}
"#
    )
}

/// An origin that serves everything, and ends when it is dropped.
struct Origin {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Origin {
    fn start(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).context("the origin's port is taken")?;
        let ends = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                serve(stream);
            }
        });
        Ok(Self {
            address,
            ends,
            thread: Some(thread),
        })
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One answer to a connection: nothing is kept open over a restart.
fn serve(mut stream: TcpStream) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut request = Vec::new();
    let mut part = [0; 1_024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(n @ 1..) => request.extend_from_slice(&part[..n]),
            _ => return,
        }
    }
    let _ = stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n",
    );
}
