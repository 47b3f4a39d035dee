//! Which instance a process belongs to: decided by what the kernel says of the process, never by what it says itself.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_host::syscall::peer::peer_pidfd;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::not_root;
use crate::app::App;
use crate::app::instances::claims::Key;
use crate::app::instances::running::Entry;

/// How many ancestors are looked at, for processes in a container within a container.
const MOST_ANCESTORS: usize = 64;

/// The process that has connected a socket, held so that its number stays its own.
pub struct Caller {
    pid: i32,
    uid: u32,
    pidfd: OwnedFd,
}

/// Takes hold of the process at the other end of `socket`, whose credentials are these.
///
/// # Errors
/// When it has gone.
pub fn hold(socket: impl AsFd, pid: i32, uid: u32) -> io::Result<Caller> {
    let pidfd = match peer_pidfd(socket.as_fd()) {
        // A kernel before 6.5: the number is all there is, and is used as early as can be.
        Err(error) if error.raw_os_error() == Some(Errno::NOPROTOOPT.raw_os_error()) => {
            pidfd_open(Pid::from_raw(pid).ok_or(Errno::SRCH)?, PidfdFlags::empty())?
        }
        outcome => outcome?,
    };
    Ok(Caller { pid, uid, pidfd })
}

/// A folder of /proc that is bound to one process, whatever becomes of its number.
struct Process(OwnedFd);

impl Process {
    fn open(pid: i32) -> io::Result<Process> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Process(rustix::fs::open(format!("/proc/{pid}"), flags, Mode::empty())?))
    }

    /// The number of its pid namespace.
    fn namespace(&self) -> io::Result<u64> {
        Ok(rustix::fs::statat(&self.0, "ns/pid", AtFlags::empty())?.st_ino)
    }

    fn parent(&self) -> io::Result<i32> {
        use std::io::Read;
        let file = rustix::fs::openat(&self.0, "status", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut text = String::new();
        std::fs::File::from(file).read_to_string(&mut text)?;
        let parent = text.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok());
        parent.ok_or_else(|| io::Error::other("a process without a parent's number"))
    }
}

impl Caller {
    fn has_ended(&self) -> bool {
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        !matches!(poll(&mut fds, Some(&Timespec::default())), Ok(0))
    }

    /// The instance that it belongs to, as its root.
    ///
    /// # Errors
    /// When it belongs to none, has gone, or is not root there.
    pub fn instance(&self, app: &App) -> Result<Key> {
        let stranger = |_| Error::internal("pid not in container?");
        let process = Process::open(self.pid).map_err(stranger)?;
        // Only now is it certain that the number still was this process's when the folder was opened.
        if self.has_ended() {
            return Err(Error::internal("pid not in container?"));
        }
        let entry = owner(app, process).map_err(stranger)?.ok_or_else(|| Error::internal("pid not in container?"))?;
        if entry.idmap.root_uid() != Some(self.uid) {
            return Err(not_root());
        }
        Ok(entry.key.clone())
    }
}

/// The running container that a process is in, or the one that started it as an ancestor.
fn owner(app: &App, mut process: Process) -> io::Result<Option<Arc<Entry>>> {
    let running: Vec<(u64, Arc<Entry>)> =
        app.instances.running.all().into_iter().filter_map(|entry| Some((namespace_of(&entry)?, entry))).collect();
    for _ in 0..MOST_ANCESTORS {
        let namespace = process.namespace()?;
        if let Some((_, entry)) = running.iter().find(|(own, _)| *own == namespace) {
            return Ok(Some(entry.clone()));
        }
        let parent = process.parent()?;
        if parent <= 1 {
            break;
        }
        let above = Process::open(parent)?;
        // If it is still the parent, the folder that was opened meanwhile is the parent's.
        if process.parent()? == parent {
            process = above;
        }
    }
    Ok(None)
}

/// The pid namespace of a container's first process; `None` when that has ended.
fn namespace_of(entry: &Entry) -> Option<u64> {
    let path = entry.container.proc_path("ns/pid");
    let found = rustix::fs::statat(CWD, Path::new(&path), AtFlags::empty()).ok()?.st_ino;
    // The number may have been given to another process while we looked, but not if ours is still there now.
    (!entry.container.has_ended()).then_some(found)
}
