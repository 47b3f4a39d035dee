//! The monitor: one single-threaded process per container, parent of its init, outliving the daemon.

pub(crate) mod attach;
mod child;
mod console;
mod ending;
mod files;
mod groups;
mod intercept;
mod limits;
mod locked;
pub mod named_systemd;
pub mod nodes;
mod root;
mod secure;
mod serve;
mod sessions;
pub mod sources;
mod start;
pub mod steps;
mod view;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use corten_host::syscall::clone3::{Side, clone3, exit_now};
use corten_host::syscall::process::{close_all_from, ignore_signals};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::DumpableBehavior;

use crate::failure::StartFailed;
use crate::protocol::{Report, wire};
use crate::spec::Spec;
pub(crate) use ending::forget_files;

/// Being the monitor: standard input is the spec, standard output the socket for the one report. The first process
/// makes the control groups, clones the monitor into its own and ends, so that the monitor is nobody's child and no
/// daemon has to wait for it.
///
/// Returns the exit status.
pub fn run() -> i32 {
    // What whoever started us has left open by mistake would else stay open as long as the container runs.
    close_all_from(3);
    let Ok(report) = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3) else { return 1 };
    let opened = read_spec()
        .and_then(|spec| become_a_daemon(&spec).map(|()| spec))
        .map_err(|error| StartFailed::new(steps::MONITOR, "becoming a monitor", &error))
        .and_then(|spec| steps::reach(&spec, steps::MONITOR).map(|()| spec))
        .and_then(|spec| start::open(spec, || is_waited_for(&report)));
    match opened.and_then(beget) {
        Ok(None) => 0,
        Ok(Some(opened)) => exit_now(be_monitor(opened, report)),
        Err(failure) => {
            let _ = wire::send(&report, &Report::Failed(failure), &[]);
            0
        }
    }
}

/// Clones the monitor; `None` in the process that is through then.
fn beget(opened: start::Opened) -> Result<Option<start::Opened>, StartFailed> {
    match clone3(0, opened.groups.monitor.v2_fd()) {
        Ok(Side::Parent { .. }) => Ok(None),
        Ok(Side::Child) => Ok(Some(opened)),
        Err(error) => {
            opened.close();
            Err(StartFailed::new(steps::MONITOR, "cloning the monitor", &error))
        }
    }
}

fn be_monitor(opened: start::Opened, report: OwnedFd) -> i32 {
    // After the fork, since the leader of a group of processes may not.
    let alone = rustix::process::setsid();
    let alone = alone.map_err(|errno| StartFailed::new(steps::MONITOR, "starting a session", &errno.into()));
    let started = match alone {
        Ok(_) => start::start(opened),
        Err(failure) => {
            opened.close();
            Err(failure)
        }
    };
    match started {
        Ok(container) => {
            let (init, monitor) = (container.made.init, container.made.monitor);
            // Whoever waited for this may be gone; the container runs nevertheless.
            let _ = wire::send(&report, &Report::Started { init, monitor }, &[container.pidfd.as_fd()]);
            drop(report);
            serve::serve(container);
            0
        }
        Err(failure) => {
            let _ = wire::send(&report, &Report::Failed(failure), &[]);
            1
        }
    }
}

/// Whether somebody still waits for the report. A daemon that died before our socket was there cannot know of us, and the
/// next one has looked for us in vain.
fn is_waited_for(report: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(report, PollFlags::empty())];
    !matches!(poll(&mut fds, Some(&Timespec::default())), Ok(1))
}

fn read_spec() -> io::Result<Spec> {
    Ok(serde_json::from_reader(io::BufReader::new(io::stdin().lock()))?)
}

/// Nothing on its standard descriptors, no way for the container to look into it.
fn become_a_daemon(spec: &Spec) -> io::Result<()> {
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(log_file(spec)?.as_ref().unwrap_or(&null))?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_name(c"lxd-monitor")?;
    ignore_signals(&[1, 2, 3, 13, 15]);
    Ok(())
}

fn log_file(spec: &Spec) -> io::Result<Option<OwnedFd>> {
    let Some(path) = &spec.log else { return Ok(None) };
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(Some(rustix::fs::open(path, flags, Mode::from_raw_mode(0o640))?))
}

/// A line in the container's log.
fn warn(text: &str) {
    use std::io::Write;
    // A log that cannot be written must not stop a container.
    let _ = writeln!(io::stderr(), "{text}");
}
