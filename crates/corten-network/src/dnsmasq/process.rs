//! dnsmasq's process: found again by its pid and its arguments, spoken to by a process descriptor.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use corten_host::command::{Command, Failed};
use corten_host::file;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::error::{Error, Result};

/// The file in which dnsmasq itself writes its pid at its start; it lives as long as the start.
pub const START_PID: &str = "dnsmasq.start";
/// How long dnsmasq may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running dnsmasq. The descriptor is of this very process, even when its pid is used again.
pub struct Process {
    fd: OwnedFd,
    arguments: Vec<String>,
}

/// The process that `pid_file` names, if it is a dnsmasq with `mark` among its arguments.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn find(pid_file: &Path, mark: &str) -> Result<Option<Process>> {
    let Some(text) = file::read_if_there(pid_file)? else { return Ok(None) };
    Ok(parse_pid(&text).and_then(Pid::from_raw).and_then(|pid| held(pid, mark)))
}

/// The process of this pid, if it is a dnsmasq with `mark` among its arguments.
fn held(pid: Pid, mark: &str) -> Option<Process> {
    // First the descriptor, then the look: so what is looked at is what is held.
    let fd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    let line = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).ok()?;
    let text = String::from_utf8_lossy(&line).into_owned();
    let arguments: Vec<String> = text.split_terminator('\0').map(String::from).collect();
    let is_dnsmasq = arguments.first().is_some_and(|program| program.rsplit('/').next() == Some("dnsmasq"));
    (is_dnsmasq && arguments.iter().any(|argument| argument == mark)).then_some(Process { fd, arguments })
}

/// Every process that is a dnsmasq with `mark` among its arguments, whether it is remembered or not.
///
/// # Errors
/// When processes cannot be listed.
pub fn all(mark: &str) -> Result<Vec<Process>> {
    let wrong = |error| Error::from(file::Error::new("listing", "/proc", error));
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").map_err(wrong)? {
        let name = entry.map_err(wrong)?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        found.extend(pid.and_then(|pid| held(pid, mark)));
    }
    Ok(found)
}

/// Starts dnsmasq under an AppArmor label, where there is one, and returns when it listens; remembers it in `pid_file`.
///
/// # Errors
/// When it is not installed, or says no; then nothing is left running.
pub fn start(arguments: &[String], start_pid: &Path, pid_file: &Path, label: Option<&str>) -> Result<()> {
    // Whoever finds it knows that a start was begun, and perhaps not ended. dnsmasq writes into it.
    std::fs::write(start_pid, "").map_err(|error| file::Error::new("writing", start_pid, error))?;
    let command = Command::new("dnsmasq", "dnsmasq-base").args(arguments.iter().cloned());
    let ran = match label {
        Some(label) => command.run_under(label),
        None => command.run(),
    };
    ran.map_err(|failure| match failure {
        Failed::Missing { .. } => Error::internal(format!("dnsmasq is required for LXD managed bridges: {failure}")),
        Failed::Status { status, stderr, .. } => {
            let status = status.replace("exit status", "Process exited with non-zero value");
            Error::internal(format!("The DNS and DHCP service exited prematurely: {status} ({stderr:?})"))
        }
        Failed::Io { .. } => failure.into(),
    })?;
    let pid = file::read(start_pid)?;
    file::replace(pid_file, remembered(arguments, pid.trim(), label.unwrap_or_default()), 0o644)?;
    std::fs::remove_file(start_pid).map_err(|error| file::Error::new("removing", start_pid, error).into())
}

impl Process {
    /// Its command line, the program's name first.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Lets it read its files of hosts again.
    ///
    /// # Errors
    /// When it cannot be signalled; that it has ended is fine.
    pub fn reload(&self) -> Result<()> {
        self.signal(Signal::HUP)
    }

    /// Ends it, and waits until its sockets are free.
    ///
    /// # Errors
    /// When it cannot be signalled, or does not end.
    pub fn stop(&self) -> Result<()> {
        for signal in [Signal::TERM, Signal::KILL] {
            self.signal(signal)?;
            if self.has_ended()? {
                return Ok(());
            }
        }
        Err(Error::internal("Unable to kill dnsmasq: it does not end"))
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        match pidfd_send_signal(&self.fd, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(errno) => Err(Error::internal(format!("signalling dnsmasq: {errno}"))),
        }
    }

    /// Waits for its end; false when it takes too long.
    fn has_ended(&self) -> Result<bool> {
        let limit = Timespec { tv_sec: PATIENCE.as_secs().cast_signed(), tv_nsec: 0 };
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        rustix::io::retry_on_intr(|| poll(&mut fds, Some(&limit)))
            .map(|ready| ready > 0)
            .map_err(|errno| Error::internal(format!("waiting for the end of dnsmasq: {errno}")))
    }
}

/// What stands in `dnsmasq.pid`: LXD's form, so that either program finds the other's dnsmasq.
fn remembered(arguments: &[String], pid: &str, label: &str) -> String {
    let arguments: Vec<String> = arguments.iter().map(|argument| format!("{argument:?}")).collect();
    let arguments = arguments.join(", ");
    format!("name: dnsmasq\nargs: [{arguments}]\napparmor: {label:?}\npid: {pid}\nuid: 0\ngid: 0\nset_groups: false\n")
}

fn parse_pid(text: &str) -> Option<i32> {
    text.lines().find_map(|line| line.strip_prefix("pid:")).and_then(|pid| pid.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_found_again() {
        let text = remembered(&["-s".into(), "a b".into()], "42", "");
        assert!(text.contains("args: [\"-s\", \"a b\"]\n"), "{text}");
        assert_eq!(parse_pid(&text), Some(42));
        assert_eq!(parse_pid("name: dnsmasq\npid: x\n"), None);
        assert_eq!(parse_pid(""), None);
    }

    #[test]
    fn another_program_with_that_pid_is_not_touched() {
        let path = std::env::temp_dir().join(format!("corten-dnsmasq-pid-{}", std::process::id()));
        std::fs::write(&path, format!("pid: {}\n", std::process::id())).expect("written");
        assert!(find(&path, "--conf-file=/x").expect("looked").is_none());
        std::fs::remove_file(&path).expect("removed");
        assert!(find(&path, "--conf-file=/x").expect("looked").is_none());
    }
}
