//! One test of LXD's suite: in namespaces and a copy of the suite of its own, within a time limit.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use super::{Wish, make};

/// Tests that run an editor, which `lxc` does only when its standard input is a terminal.
const WANT_TERMINAL: [&str; 2] = ["config_edit", "container_snapshot_config"];

/// What the log must have when the test ran to its end.
const SUCCESS: &str = "==> Test result: success";

/// How long the suite's own cleaning up may take after the time limit, in seconds.
const CLEANING: u32 = 60;

/// A test to be run.
pub(super) struct Test<'a> {
    pub(super) project: &'a Path,
    /// The folder that has `main.sh`.
    pub(super) suite: &'a Path,
    /// The folder that comes first in PATH.
    pub(super) programs: &'a Path,
    pub(super) name: &'a str,
    /// Gets all that the test prints.
    pub(super) log: &'a Path,
    pub(super) wish: &'a Wish,
}

/// How it ended.
pub(super) struct Ran {
    pub(super) outcome: Outcome,
    pub(super) seconds: u64,
}

/// What is said of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    /// The test found that something it wants is not on this machine.
    Skipped,
    Failed,
    /// It passed, but processes or control groups were still there after it.
    LeftBehind,
    TimeOut,
}

/// Runs it to its end.
///
/// # Errors
/// When it could not be begun.
pub(super) fn run(test: &Test<'_>) -> Result<Ran, String> {
    let copy = test.wish.scratch.join(format!("run-{}-{}", std::process::id(), test.name));
    make(&copy)?;
    let outcome = begin(test, &copy);
    // Its mounts went with its mount namespace.
    let cleared = fs::remove_dir_all(&copy).map_err(|error| format!("removing {}: {error}", copy.display()));
    let ran = outcome?;
    cleared?;
    Ok(ran)
}

fn begin(test: &Test<'_>, copy: &Path) -> Result<Ran, String> {
    let suite = copy.join("test");
    let mut cp = Command::new("cp");
    cp.arg("-a").arg(test.suite).arg(&suite);
    if !cp.status().map_err(|error| format!("running cp: {error}"))?.success() {
        return Err(format!("{} cannot be copied to {}", test.suite.display(), suite.display()));
    }
    // Its helper for Candid needs Go packages that Debian does not have whole; without sources, building it is a success.
    let _ = fs::remove_dir_all(suite.join("macaroon-identity"));
    make(&suite.join("macaroon-identity"))?;
    let log = File::create(test.log).map_err(|error| format!("making {}: {error}", test.log.display()))?;
    let errors = log.try_clone().map_err(|error| format!("a second descriptor: {error}"))?;
    let terminal = terminal(test)?;
    let mut command = command(test, &suite, copy)?;
    command.stdout(log).stderr(errors);
    command.stdin(
        terminal
            .as_ref()
            .map_or(Ok(Stdio::null()), |(_, slave)| slave.try_clone().map(Stdio::from))
            .map_err(|error| format!("a second descriptor of a terminal: {error}"))?,
    );
    let begun = Instant::now();
    let status = command.status().map_err(|error| format!("running scripts/in-private-namespaces: {error}"))?;
    let text = fs::read(test.log).map_err(|error| format!("reading {}: {error}", test.log.display()))?;
    let outcome = judge(status.code(), &String::from_utf8_lossy(&text));
    Ok(Ran { outcome, seconds: begun.elapsed().as_secs() })
}

fn command(test: &Test<'_>, suite: &Path, copy: &Path) -> Result<Command, String> {
    let mut command = Command::new(test.project.join("scripts/in-private-namespaces"));
    command.arg("timeout").arg(format!("--kill-after={CLEANING}")).arg(test.wish.limit.to_string());
    command.args(["./main.sh", test.name]).current_dir(suite);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        [test.programs.to_path_buf(), named_links(test, copy)?].into_iter().chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).map_err(|error| format!("PATH: {error}"))?);
    let (home, cache) = (copy.join("home"), test.wish.scratch.join("go-build"));
    make(&home)?;
    command
        .env("LXD_BACKEND", "dir")
        .env("LXD_VERBOSE", "1")
        .env("LXD_OFFLINE", "1")
        .env("EASYRSA_BATCH", "1")
        .env("HOME", home)
        .env("USER", "root");
    // Its Go helpers are built from Debian's packages.
    command.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOCACHE", cache);
    for variable in ["LXD_DIR", "LXD_CONF", "LXD_DEBUG", "LXD_INSPECT", "LXD_LOGS", "LXC_REMOTE", "EDITOR", "VISUAL"] {
        command.env_remove(variable);
    }
    Ok(command)
}

/// A folder of links to `lxd` by the names of LXD's tools that it also is.
fn named_links(test: &Test<'_>, copy: &Path) -> Result<PathBuf, String> {
    let folder = copy.join("bin");
    make(&folder)?;
    if test.wish.programs.is_none() {
        for name in ["fuidshift", "lxd-benchmark"] {
            let link = std::os::unix::fs::symlink(test.programs.join("lxd"), folder.join(name));
            link.map_err(|error| format!("making a link {name}: {error}"))?;
        }
    }
    Ok(folder)
}

/// Both ends of a terminal, where the test wants one. The first must stay open while it runs.
fn terminal(test: &Test<'_>) -> Result<Option<(OwnedFd, OwnedFd)>, String> {
    if !test.wish.tty && !WANT_TERMINAL.contains(&test.name) {
        return Ok(None);
    }
    let open = || {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let slave = ioctl_tiocgptpeer(&master, flags)?;
        Ok((master, slave))
    };
    open().map(Some).map_err(|error: rustix::io::Errno| format!("opening a terminal: {error}"))
}

/// The outcome, by the exit status of `scripts/in-private-namespaces` and what the suite printed.
fn judge(status: Option<i32>, log: &str) -> Outcome {
    match status {
        Some(124 | 137) => Outcome::TimeOut,
        Some(0) if is_skipped(log) => Outcome::Skipped,
        Some(0) if log.contains(SUCCESS) => Outcome::Passed,
        Some(1) if log.contains(SUCCESS) && log.contains("left behind:") => Outcome::LeftBehind,
        _ => Outcome::Failed,
    }
}

/// Whether a test was given up; others pass over a part, and run their client after saying so.
fn is_skipped(log: &str) -> bool {
    let after = log.rsplit_once("\n==> SKIP").map(|(_, after)| after.split("==> TEST DONE").next().unwrap_or(after));
    after.is_some_and(|after| !after.lines().any(|line| line.starts_with("+ lxc ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_and_clean_run_passes() {
        let skipped = "==> TEST BEGIN: test_pki\n==> SKIP: The pki test requires easy-rsa to be installed\n==> Test result: success\n";
        let left = "==> Test result: success\nleft behind: process 7 dnsmasq\n";
        let part = "==> TEST BEGIN\n==> SKIP: /dev/ttyS0 is missing\n+ lxc start foo\n==> TEST DONE\n==> Test result: success\n";
        for (status, log, outcome) in [
            (Some(0), part, Outcome::Passed),
            (Some(0), "==> Test result: success\n", Outcome::Passed),
            (Some(0), skipped, Outcome::Skipped),
            (Some(0), "", Outcome::Failed),
            (Some(1), "==> Test result: failure\n", Outcome::Failed),
            (Some(1), left, Outcome::LeftBehind),
            (Some(124), "", Outcome::TimeOut),
            (Some(137), left, Outcome::TimeOut),
            (None, "", Outcome::Failed),
        ] {
            assert_eq!(judge(status, log), outcome, "{status:?} {log}");
        }
    }
}
