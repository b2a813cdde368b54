//! A server that speaks TLS and has one thing wrong with it: the one of the `openssl` program.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::clock;
use super::recording::Tls;

/// When certificates begin to be valid: long ago by the lab's clock and by the real one.
const VALID_FROM: &str = "2020-01-01 00:00:00";

/// Starts it, with its key, its certificate and that of the authority, `authority.pem`, in `dir`.
pub(crate) fn server(dir: &Path, address: SocketAddr, fault: Tls) -> Result<Child> {
    let name = match fault {
        Tls::OtherName => "staging.shop.example",
        _ => "shop.example",
    };
    // Some proxies ask for the address, since that is all they were given.
    let names = match fault {
        Tls::OtherName => format!("subjectAltName=DNS:{name}"),
        _ => format!("subjectAltName=DNS:{name},IP:{}", address.ip()),
    };
    let days = match fault {
        Tls::Expired => "366",
        _ => "7300",
    };
    certificate(dir, "authority", "Shop internal CA", &["-days", "7300"])?;
    let mut options = vec!["-days", days, "-addext", &names];
    if fault != Tls::SelfSigned {
        options.extend(["-CA", "authority.pem", "-CAkey", "authority.key"]);
        options.extend(["-addext", "basicConstraints=critical,CA:FALSE"]);
    }
    certificate(dir, "server", name, &options)?;
    let mut command = Command::new("openssl");
    command
        .current_dir(dir)
        .args(["s_server", "-quiet", "-www", "-accept"])
        .arg(address.to_string())
        .args(["-key", "server.key", "-cert", "server.pem"]);
    match fault {
        Tls::WantsClient => command.args(["-Verify", "1", "-verify_return_error"]),
        Tls::Old => command.args(["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]),
        Tls::SelfSigned | Tls::Expired | Tls::OtherName => &mut command,
    };
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    for _ in 0..200 {
        if TcpStream::connect(address).is_ok() {
            return Ok(child);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().ok();
    child.wait().ok();
    bail!("openssl s_server does not listen")
}

/// Makes `<file>.key` and `<file>.pem` in `dir`.
fn certificate(dir: &Path, file: &str, name: &str, options: &[&str]) -> Result<()> {
    let made = Command::new("openssl")
        .current_dir(dir)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes"])
        .args(["-subj", &format!("/CN={name}")])
        .args(["-keyout", &format!("{file}.key")])
        .args(["-out", &format!("{file}.pem")])
        .args(options)
        .envs(clock::frozen_at(VALID_FROM)?)
        .stderr(Stdio::null())
        .status()
        .context("openssl is not installed (Debian package openssl)")?;
    ensure!(made.success(), "openssl made no certificate");
    Ok(())
}
