//! Processes run in the container on request, and short errands of the monitor's children there.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;

use corten_host::fd;
use corten_host::syscall::clone3::{Side, clone3, exit_now, fork};
use corten_host::syscall::process::close_all_but;
use rustix::process::{Rlimit as Limit, Signal, WaitId, WaitIdOptions};
use serde::{Deserialize, Serialize};

use super::attach::{self, Plan};
use super::child::{Failure, Outcome};
use super::files;
use super::intercept::Wanted;
use super::start::Running;
use crate::protocol::{Reply, wire};
use crate::spec::{Create, ExecSpec};

/// Why a child did not do what it was to do; silence is success.
#[derive(Debug, Serialize, Deserialize)]
pub struct Complaint {
    what: String,
    errno: i32,
    detail: Option<String>,
}

impl Complaint {
    fn of(failure: &Failure) -> Complaint {
        let errno = failure.source.raw_os_error().unwrap_or(0);
        let detail = (errno == 0).then(|| failure.source.to_string());
        Complaint { what: failure.what.clone(), errno, detail }
    }

    fn into_reply(self) -> Reply {
        if self.what == attach::EXECUTING {
            let status = attach::status_of(&io::Error::from_raw_os_error(self.errno));
            return Reply::Exited { status };
        }
        Reply::Failed { what: self.what, errno: self.errno, detail: self.detail }
    }
}

/// What a child that prepares says to the monitor; silence is success.
#[derive(Debug, Serialize, Deserialize)]
pub enum Word {
    /// It goes on as another process, of which a descriptor comes along.
    Born {
        /// In the monitor's pid namespace.
        pid: i32,
    },
    /// Its filter is on: comes with the descriptor on which it hands calls over.
    Intercepted,
    /// It did not do what it was to do.
    Complaint(Complaint),
}

/// How far a session has come.
#[derive(Debug)]
pub enum Stage {
    /// The child prepares outside of the container, and is going to be another one inside.
    Unborn(OwnedFd),
    /// The child prepares; its socket closes at exec, or brings a [`Complaint`].
    Preparing(OwnedFd),
    /// The program runs.
    Running,
    /// It did not get that far, which has been told.
    Refused,
}

/// What the monitor has to do when a child that prepares has spoken.
#[derive(Debug)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// To listen for the calls that its filter hands over. It goes on preparing.
    Intercepted(OwnedFd),
    /// To wait for the process that it was until now.
    Replaced(OwnedFd),
}

/// A process run by request.
#[derive(Debug)]
pub struct Session {
    /// In the monitor's pid namespace.
    pub pid: i32,
    /// Readable when it has ended.
    pub pidfd: OwnedFd,
    /// Its command line.
    pub argv: Vec<String>,
    /// Whoever asked for it, while he is there.
    pub owner: Option<OwnedFd>,
    /// What is held so that the process does not lose its terminal or its readers; read and thrown away when the
    /// owner is gone.
    pub held: Vec<OwnedFd>,
    /// How far it has come.
    pub stage: Stage,
}

/// Starts a process. `owner` is answered when it has executed its program, or has failed to.
pub fn start(
    running: &Running,
    nofile: &Limit,
    spec: ExecSpec,
    mut fds: Vec<OwnedFd>,
    owner: OwnedFd,
) -> Result<Session, (OwnedFd, io::Error)> {
    if fds.len() < 3 || spec.argv.is_empty() {
        return Err((owner, io::Error::other("a command line and three descriptors are needed")));
    }
    let held = fds.split_off(3);
    match launch(running, nofile, &spec, &fds) {
        Ok((pid, pidfd, socket)) => {
            let stage = if running.kept.sees_all() { Stage::Unborn(socket) } else { Stage::Preparing(socket) };
            Ok(Session { pid, pidfd, argv: spec.argv, owner: Some(owner), held, stage })
        }
        Err(error) => Err((owner, error)),
    }
}

/// Starts a process that reads nothing and whose output nobody sees. When it cannot be started, its owner hears nothing
/// but the end of his connection.
pub fn start_unseen(running: &Running, nofile: &Limit, wanted: Wanted) -> Option<Session> {
    let null = || std::fs::OpenOptions::new().read(true).write(true).open("/dev/null").map(OwnedFd::from);
    let fds = (0..3).map(|_| null()).collect::<io::Result<_>>().ok()?;
    start(running, nofile, wanted.spec, fds, wanted.owner).ok()
}

fn launch(
    running: &Running,
    nofile: &Limit,
    spec: &ExecSpec,
    stdio: &[OwnedFd],
) -> io::Result<(i32, OwnedFd, OwnedFd)> {
    let (ours, theirs) = fd::packet_pair()?;
    let group = running.groups.payload.v2_attach_fd().map_err(|error| io::Error::other(error.to_string()))?;
    match clone3(0, group.as_ref().map(AsFd::as_fd))? {
        Side::Parent { pid, pidfd } => Ok((pid, pidfd, ours)),
        Side::Child => {
            let failure = attach::become_process(&Plan { spec, stdio, complaints: &theirs, running, nofile });
            let _ = wire::send(&theirs, &Word::Complaint(Complaint::of(&failure)), &[]);
            exit_now(127)
        }
    }
}

impl Session {
    /// The preparing child has spoken or executed its program: tells the owner.
    pub fn prepared(&mut self) -> Told {
        let (Stage::Unborn(socket) | Stage::Preparing(socket)) = &self.stage else { return Told::Nothing };
        let word = wire::receive::<Word>(socket).and_then(|word| match word {
            None if matches!(self.stage, Stage::Unborn(_)) => Err(io::Error::other("it was ended before it was begun")),
            word => Ok(word),
        });
        let word = word.unwrap_or_else(|error| {
            let failure = Failure { what: "running a process".into(), source: error };
            Some((Word::Complaint(Complaint::of(&failure)), Vec::new()))
        });
        match word {
            None => {
                self.stage = Stage::Running;
                self.tell(&Reply::Started { pid: self.pid }, true);
            }
            Some((Word::Born { pid }, fds)) => return self.born(pid, fds),
            Some((Word::Intercepted, fds)) => return fds.into_iter().next().map_or(Told::Nothing, Told::Intercepted),
            Some((Word::Complaint(complaint), _)) => {
                self.stage = Stage::Refused;
                self.held.clear();
                self.tell(&complaint.into_reply(), false);
            }
        }
        Told::Nothing
    }

    /// The session is another process from here on.
    fn born(&mut self, pid: i32, fds: Vec<OwnedFd>) -> Told {
        let (Stage::Unborn(socket), Some(pidfd)) =
            (std::mem::replace(&mut self.stage, Stage::Refused), fds.into_iter().next())
        else {
            return Told::Nothing;
        };
        self.stage = Stage::Preparing(socket);
        self.pid = pid;
        Told::Replaced(std::mem::replace(&mut self.pidfd, pidfd))
    }

    /// The process has ended: reaps it and tells the owner. What it left running may still hand calls over.
    pub fn ended(&mut self) -> Option<OwnedFd> {
        // What the child has said before it ended comes first.
        let intercepted = match self.prepared() {
            Told::Intercepted(listener) => {
                self.prepared();
                Some(listener)
            }
            _ => None,
        };
        let status = rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED).ok().flatten();
        let status = status
            .map_or(0, |status| status.exit_status().unwrap_or_else(|| 128 + status.terminating_signal().unwrap_or(0)));
        if !matches!(self.stage, Stage::Refused) {
            self.tell(&Reply::Exited { status }, false);
        }
        intercepted
    }

    /// Ends the process that prepares outside of the container, if there is one still.
    pub fn end_unborn(&self) {
        if let Stage::Unborn(_) = self.stage {
            end(&self.pidfd);
        }
    }

    fn tell(&mut self, reply: &Reply, with_pidfd: bool) {
        let Some(owner) = &self.owner else { return };
        let fds = if with_pidfd { vec![self.pidfd.as_fd()] } else { Vec::new() };
        if wire::send(owner, reply, &fds).is_err() {
            self.owner = None;
        }
    }

    /// Reads and throws away what one of the held descriptors has; `false` when that has come to its end.
    pub fn drain(&self, index: usize) -> bool {
        let mut buffer = [0u8; 4096];
        match rustix::io::read(&self.held[index], &mut buffer[..]) {
            Ok(count) => count > 0,
            Err(errno) => matches!(errno, rustix::io::Errno::AGAIN | rustix::io::Errno::INTR),
        }
    }
}

/// Something small that a child of the monitor does in the container.
#[derive(Debug)]
pub struct Errand {
    /// Whoever asked for it.
    pub owner: OwnedFd,
    /// The child's socket.
    pub socket: OwnedFd,
    pidfd: OwnedFd,
    /// The child goes on when it has said that all is well.
    stays: bool,
}

/// What is to be done.
pub enum Task {
    /// Attach a tree.
    Put(OwnedFd, PathBuf, Create),
    /// Take a mount away, and what it was on.
    Take(PathBuf, bool),
    /// Serve files on a socket, until that is closed.
    Serve(OwnedFd),
}

/// Sends a child to do `task`.
pub fn send(running: &Running, task: &Task, owner: OwnedFd) -> Result<Errand, (OwnedFd, io::Error)> {
    let (ours, theirs) = match fd::packet_pair() {
        Ok(pair) => pair,
        Err(error) => return Err((owner, error)),
    };
    match fork() {
        Err(error) => Err((owner, error)),
        Ok(Side::Parent { pidfd, .. }) => {
            Ok(Errand { owner, socket: ours, pidfd, stays: matches!(task, Task::Serve(_)) })
        }
        Ok(Side::Child) => {
            let (init, user) = (running.pidfd.as_fd(), running.kept.idmap.is_some());
            if running.kept.sees_all() {
                // It does not end with the container's pid namespace, in which it is not born. It would be refused for
                // no reason that this process could meet.
                let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
            }
            // No path of the container's leads to what is ours.
            let own = match task {
                Task::Put(tree, ..) => Some(tree),
                Task::Serve(socket) => Some(socket),
                Task::Take(..) => None,
            };
            let needed = [Some(&theirs), Some(&running.pidfd), own];
            close_all_but(&needed.into_iter().flatten().map(AsRawFd::as_raw_fd).collect::<Vec<_>>());
            let done: Outcome = match task {
                Task::Put(tree, target, create) => attach::put_mount(init, user, tree, target, *create),
                Task::Take(target, remove) => attach::take_mount(init, user, target, *remove),
                Task::Serve(socket) => files::serve(running, socket),
            };
            if let Err(failure) = done {
                let _ = wire::send(&theirs, &Complaint::of(&failure), &[]);
            }
            exit_now(0)
        }
    }
}

impl Errand {
    /// Ends the child that is on its way.
    pub fn end(&self) {
        end(&self.pidfd);
    }

    /// The child has spoken, ended, or closed its socket to say that it serves: answers, and gives the connection back
    /// for the next question, with the child if it stays.
    pub fn finish(self) -> (OwnedFd, Option<OwnedFd>) {
        let reply = match wire::receive::<Complaint>(&self.socket) {
            Ok(None) => Reply::Done,
            Ok(Some((complaint, _))) => complaint.into_reply(),
            Err(error) => {
                Reply::Failed { what: "hearing from a child".into(), errno: 0, detail: Some(error.to_string()) }
            }
        };
        let serves = self.stays && reply == Reply::Done;
        let fds = if serves { vec![self.pidfd.as_fd()] } else { Vec::new() };
        // An owner who is gone is noticed when his connection is read next.
        let _ = wire::send(&self.owner, &reply, &fds);
        if serves {
            return (self.owner, Some(self.pidfd));
        }
        reap(&self.pidfd);
        (self.owner, None)
    }
}

/// Ends a child, should it still be there.
pub fn end(pidfd: &OwnedFd) {
    let _ = rustix::process::pidfd_send_signal(pidfd, Signal::KILL);
    reap(pidfd);
}

/// Waits for the end of a child that has ended, or is about to.
pub fn reap(pidfd: &OwnedFd) {
    let _ = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
}
