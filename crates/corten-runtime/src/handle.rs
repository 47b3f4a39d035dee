//! What the daemon holds of a running container, and what it can ask of it.

pub mod exec;
pub mod files;
pub mod hold;
pub mod intercept;
pub mod plug;
pub mod watch;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use corten_host::cgroup::layout::Hierarchy;
use corten_host::cgroup::{Controller, Group, Layout, Version};
use rustix::process::Signal;

use crate::client;
use crate::failure::Error;
use crate::protocol::{Reply, Request};
use crate::spec::Spec;
use crate::state_file;

pub use crate::protocol::{Exit, SessionInfo};
pub use exec::{Pty, Session};
pub use files::Files;
pub use hold::Hold;
pub use watch::ExitWatch;

/// How long freezing may take: a process that waits for a disk or a dead server cannot be frozen before it is through.
const FREEZE: Duration = Duration::from_secs(30);

/// Whether a container's processes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// They do.
    Running,
    /// They stand still.
    Frozen,
}

/// A running container. Dropping it changes nothing for the container.
#[derive(Debug)]
pub struct Container {
    name: String,
    run_dir: PathBuf,
    init: i32,
    monitor: i32,
    pidfd: OwnedFd,
    place: OnceLock<(Layout, String)>,
}

impl Container {
    pub(crate) fn started(spec: &Spec, init: i32, monitor: i32, pidfd: OwnedFd) -> Container {
        Container {
            name: spec.name.clone(),
            run_dir: spec.run_dir.clone(),
            init,
            monitor,
            pidfd,
            place: OnceLock::new(),
        }
    }

    /// The container whose monitor lives in `run_dir`; `None` when it is not running (see [`cleanup_dead`]).
    ///
    /// # Errors
    /// When the monitor cannot be reached for another reason, or answers nonsense.
    pub fn find(run_dir: &Path) -> Result<Option<Container>, Error> {
        let Some(socket) = client::connect(run_dir)? else { return Ok(None) };
        match client::ask(&socket, &Request::Hello, &[]) {
            Ok((Reply::Hello { name, init, monitor, .. }, mut fds)) if fds.len() == 1 => {
                let run_dir = run_dir.to_path_buf();
                Ok(Some(Container { name, run_dir, init, monitor, pidfd: fds.remove(0), place: OnceLock::new() }))
            }
            Ok((other, _)) => Err(unexpected(&other)),
            // It ended while we knocked.
            Err(Error::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The spec's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its run directory.
    pub fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    /// Its first process, in the pid namespace of the monitor (the host's).
    pub fn init_pid(&self) -> i32 {
        self.init
    }

    /// A descriptor of its first process, readable when that has ended.
    pub fn init_pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Its monitor.
    pub fn monitor_pid(&self) -> i32 {
        self.monitor
    }

    /// A path below /proc of its first process: `root`, `ns/net`, `ns/user`, …
    pub fn proc_path(&self, below: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{below}", self.init))
    }

    /// One of its namespaces by its name in `/proc/PID/ns` (`net`, `user`, `mnt`, …).
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended.
    pub fn namespace(&self, kind: &str) -> Result<OwnedFd, Error> {
        let path = self.proc_path(&format!("ns/{kind}"));
        let file = std::fs::File::open(&path);
        // The pid may have been given to another process while we opened it, but not if ours is still there now.
        if self.has_ended() {
            return Err(Error::Gone);
        }
        Ok(file.map_err(Error::io(format!("opening {}", path.display())))?.into())
    }

    /// Its network namespace.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended.
    pub fn netns_fd(&self) -> Result<OwnedFd, Error> {
        self.namespace("net")
    }

    /// Its first process has ended. The monitor may still be cleaning up.
    pub fn has_ended(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        matches!(poll(&mut fds, Some(&Timespec::default())), Ok(1))
    }

    /// Its control group, for limits and figures while it runs.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended.
    pub fn group(&self) -> Result<Group, Error> {
        self.group_where(|_| true)
    }

    fn group_where(&self, wanted: impl Fn(&Hierarchy) -> bool) -> Result<Group, Error> {
        let (layout, payload) = self.place()?;
        match Group::open_where(layout, payload, wanted) {
            Err(corten_host::cgroup::Error::NotFound(_)) => Err(Error::Gone),
            outcome => outcome.map_err(|error| cgroup_error("opening the container's control group", &error)),
        }
    }

    /// Where its group is, as its monitor has said in writing: that never changes.
    fn place(&self) -> Result<&(Layout, String), Error> {
        if let Some(known) = self.place.get() {
            return Ok(known);
        }
        let doing = format!("reading what the monitor of {} made", self.name);
        let made = state_file::read_made(&self.run_dir).map_err(Error::io(doing))?.ok_or(Error::Gone)?;
        Ok(self.place.get_or_init(|| (made.layout, made.payload)))
    }

    /// The parts of its group that count memory, processor time and processes: opening all of them takes longer than to
    /// read the counters.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended.
    pub fn counters(&self) -> Result<Group, Error> {
        const COUNT: [Controller; 3] = [Controller::Memory, Controller::CpuAcct, Controller::Pids];
        self.group_where(|hierarchy| {
            hierarchy.version == Version::V2 || hierarchy.controllers.iter().any(|one| COUNT.contains(one))
        })
    }

    /// The part of its group that stops, kills and tells whether it stands still.
    fn freezer(&self) -> Result<Group, Error> {
        let freezes = |hierarchy: &Hierarchy| {
            hierarchy.version == Version::V2 || hierarchy.controllers.contains(&Controller::Freezer)
        };
        self.group_where(freezes)
    }

    /// Whether it runs or stands still.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended.
    pub fn state(&self) -> Result<State, Error> {
        let frozen = self.freezer()?.frozen().map_err(|error| cgroup_error("asking whether it is frozen", &error))?;
        Ok(if frozen { State::Frozen } else { State::Running })
    }

    /// Sends a signal to its first process: by number, since those of real time have no names (systemd takes
    /// `SIGRTMIN+3`, 37, as the wish to halt).
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended.
    pub fn signal(&self, signal: i32) -> Result<(), Error> {
        match corten_host::pidfd::send_signal(&self.pidfd, signal) {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => Err(Error::Gone),
            outcome => outcome.map_err(Error::io(format!("sending signal {signal} to {}", self.name))),
        }
    }

    /// Kills all its processes at once. Wait for the end with an [`ExitWatch`] made before.
    ///
    /// # Errors
    /// When the kernel refuses; that it has ended already is none.
    pub fn kill(&self) -> Result<(), Error> {
        // The group, for what an old freezer holds. With its first process a pid namespace ends in any case.
        let group = self.freezer().and_then(|group| group.kill().map_err(|error| cgroup_error("killing", &error)));
        match self.signal(Signal::KILL.as_raw()).and(group) {
            Ok(()) | Err(Error::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes all its processes stand still.
    ///
    /// # Errors
    /// When the kernel refuses, or a process does not stop in time; all go on then.
    pub fn freeze(&self) -> Result<(), Error> {
        self.freezer()?.freeze(FREEZE).map_err(|error| cgroup_error("freezing", &error))
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn thaw(&self) -> Result<(), Error> {
        self.freezer()?.thaw(FREEZE).map_err(|error| cgroup_error("thawing", &error))
    }

    /// Attaches to its console: a stream socket that carries what is typed and what is shown. `force` detaches whoever
    /// is attached.
    ///
    /// # Errors
    /// [`Error::Refused`] with `EBUSY` when somebody is attached and not forced away.
    pub fn console(&self, force: bool) -> Result<OwnedFd, Error> {
        let (_, mut fds) = self.ask(&Request::Console { force }, &[])?;
        fds.pop().ok_or_else(|| Error::Protocol("no socket".to_string()))
    }

    /// The last output of its console.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended.
    pub fn console_log(&self) -> Result<Vec<u8>, Error> {
        use std::os::unix::fs::FileExt;
        let (_, mut fds) = self.ask(&Request::ConsoleLog, &[])?;
        let file = std::fs::File::from(fds.pop().ok_or_else(|| Error::Protocol("no file".to_string()))?);
        let reading = || Error::io("reading the console's output");
        let length = file.metadata().map_err(reading())?.len();
        let mut text = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut text, 0).map_err(reading())?;
        Ok(text)
    }

    /// Forgets the output so far.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended.
    pub fn clear_console_log(&self) -> Result<(), Error> {
        self.ask(&Request::ClearConsoleLog, &[]).map(|_| ())
    }

    /// Sets the size of its console.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended.
    pub fn console_resize(&self, cols: u16, rows: u16) -> Result<(), Error> {
        self.ask(&Request::ConsoleResize { cols, rows }, &[]).map(|_| ())
    }

    /// The exec sessions under way, also those whose daemon is gone.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended.
    pub fn sessions(&self) -> Result<Vec<SessionInfo>, Error> {
        match self.ask(&Request::Sessions, &[])? {
            (Reply::Sessions(sessions), _) => Ok(sessions),
            (other, _) => Err(unexpected(&other)),
        }
    }

    fn connect(&self) -> Result<OwnedFd, Error> {
        client::connect(&self.run_dir)?.ok_or(Error::Gone)
    }

    fn ask(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(Reply, Vec<OwnedFd>), Error> {
        client::ask(&self.connect()?, request, fds)
    }
}

fn unexpected(reply: &Reply) -> Error {
    Error::Protocol(serde_json::to_string(reply).unwrap_or_default())
}

/// How the container of `run_dir` ended last time, when its monitor could tell; `None` while it runs.
///
/// # Errors
/// When the file cannot be read.
pub fn last_exit(run_dir: &Path) -> Result<Option<Exit>, Error> {
    state_file::read_exit(run_dir).map_err(Error::io(format!("reading how it ended, in {}", run_dir.display())))
}

/// Cleans up after a monitor that died without doing so (kill -9): kills what is left of its container and removes
/// its groups. `true` when there was something to clean up.
///
/// # Errors
/// When the container still runs under its monitor; when something cannot be removed.
pub fn cleanup_dead(run_dir: &Path) -> Result<bool, Error> {
    let doing = || format!("cleaning up after the monitor of {}", run_dir.display());
    if client::connect(run_dir)?.is_some() {
        let what = doing();
        return Err(Error::Refused { what, errno: 0, detail: Some("it is running".to_string()) });
    }
    let Some(made) = state_file::read_made(run_dir).map_err(Error::io(doing()))? else { return Ok(false) };
    for name in [&made.payload, &made.monitor_group] {
        let group = match Group::open(&made.layout, name) {
            Ok(group) => group,
            Err(corten_host::cgroup::Error::NotFound(_)) => continue,
            Err(error) => return Err(cgroup_error(&doing(), &error)),
        };
        group
            .kill()
            .and_then(|()| group.remove(Duration::from_secs(10)))
            .map_err(|error| cgroup_error(&doing(), &error))?;
    }
    crate::monitor::forget_files(run_dir).map_err(Error::io(doing()))?;
    Ok(true)
}

fn cgroup_error(doing: &str, error: &corten_host::cgroup::Error) -> Error {
    Error::Refused { what: doing.to_string(), errno: 0, detail: Some(error.to_string()) }
}
