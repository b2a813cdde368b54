//! A real nginx as edge and as the origin behind it, on loopback: `cargo xtask test` installs it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test may panic"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// Ends with it.
pub(crate) struct Nginx {
    child: Child,
    folder: tempfile::TempDir,
    /// `127.0.0.1:PORT` of the edge, of the origin, and of nobody.
    pub(crate) edge: String,
    pub(crate) origin: String,
    pub(crate) dead: String,
}

impl Nginx {
    pub(crate) fn start() -> Self {
        /// Another program may take a port between our look and the server's.
        const TRIES: usize = 5;
        (0..TRIES)
            .find_map(|_| Self::try_start())
            .unwrap_or_else(|| panic!("no server started in {TRIES} tries"))
    }

    /// The origin's unix socket.
    pub(crate) fn socket(&self) -> String {
        format!("unix:{}/app.sock", self.folder.path().display())
    }

    /// The origin's unix socket that expects the PROXY protocol.
    pub(crate) fn proxied(&self) -> String {
        format!("unix:{}/proxied.sock", self.folder.path().display())
    }

    fn try_start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let free: Vec<TcpListener> = (0..3)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let at = |index: usize| free[index].local_addr().unwrap().to_string();
        let (edge, origin, dead) = (at(0), at(1), at(2));
        drop(free);
        let config = format!(
            "daemon off; master_process off; pid {path}/pid; error_log stderr notice;\n\
             events {{}}\n\
             http {{\n\
               access_log off; default_type text/html;\n\
               client_body_temp_path {path}/a; proxy_temp_path {path}/b; fastcgi_temp_path {path}/c;\n\
               uwsgi_temp_path {path}/d; scgi_temp_path {path}/e;\n\
               server {{\n\
                 listen {edge};\n\
                 location / {{ proxy_pass http://{origin}; proxy_set_header Host $host; }}\n\
                 location /dead {{ proxy_pass http://{dead}; }}\n\
                 location /only-edge {{ return 200 'from the edge'; }}\n\
                 location /closed {{ return 403; }}\n\
               }}\n\
               server {{\n\
                 listen {origin}; listen unix:{path}/app.sock; listen unix:{path}/proxied.sock proxy_protocol; keepalive_timeout 1s;\n\
                 location / {{ return 200 '<p>a page</p>'; }}\n\
                 location /robots.txt {{ default_type text/plain; return 200 'User-agent: *'; }}\n\
                 location /own {{ return 500 'oops'; }}\n\
                 location /only-edge {{ return 404; }}\n\
                 location /moved {{ return 301 https://elsewhere.example/; }}\n\
               }}\n\
             }}\n"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, config).unwrap();
        let mut child = Command::new("nginx")
            .args(["-e", "stderr", "-p"])
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect(
                "nginx is missing: cargo xtask test installs it, or apt-get install nginx-light",
            );
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        while let Some(Ok(line)) = log.next() {
            // It listens before it says so.
            if line.contains("getrlimit") {
                // What it says later must not fill the pipe.
                std::thread::spawn(move || log.for_each(drop));
                return Some(Self {
                    child,
                    folder,
                    edge,
                    origin,
                    dead,
                });
            }
            said.push_str(&line);
            said.push('\n');
        }
        child.wait().unwrap();
        assert!(said.contains("Address already in use"), "{said}");
        None
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
