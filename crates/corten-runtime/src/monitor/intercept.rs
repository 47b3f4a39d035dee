//! Calls that the container's filters hand over (`security.syscalls.intercept.*`): each is done by a child of the monitor in
//! the caller's place, or goes on as if nobody had been asked. No daemon is needed for that.
//!
//! A caller can ask for no more than what its container was given, and is held to its own rights: whatever a path leads to
//! is opened by a process with the ids, the capabilities, the namespaces and the root of the caller (`stand_in`).

mod bpf;
mod call;
mod caller;
mod fence;
mod files;
mod hugetlbfs;
mod mount;
mod programs;
mod scheduler;
mod stand_in;
mod superblock;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

use corten_host::fd;
use corten_host::syscall::clone3::{Side, clone3, exit_now};
use corten_host::syscall::notify::{self, Answer, Notification};
use corten_host::syscall::process::close_all_but;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::sessions::reap;
use super::start::Running;
use crate::protocol::wire;
use crate::spec::{ExecSpec, IdMap, Security};
use call::Call;
use caller::Caller;
use programs::Programs;
pub use programs::Wanted;

/// As many calls are looked after at once; more wait in the kernel.
const MOST: usize = 16;

/// What hands calls over, and who is at work on one.
#[derive(Debug, Default)]
pub struct Interception {
    listeners: Vec<Rc<OwnedFd>>,
    workers: Vec<Worker>,
    programs: Programs,
}

#[derive(Debug)]
struct Worker {
    pidfd: OwnedFd,
    listener: Rc<OwnedFd>,
    id: u64,
    /// Where it says which program is to be run inside, if it is none that it can do itself.
    word: OwnedFd,
}

impl Interception {
    /// Hears of the calls of one more filter.
    pub fn add(&mut self, listener: Option<OwnedFd>) {
        self.listeners.extend(listener.map(Rc::new));
    }

    /// The filters whose next call can be taken, by their places.
    pub fn listeners(&self) -> impl Iterator<Item = (usize, BorrowedFd<'_>)> {
        let free = self.workers.len() < MOST;
        self.listeners.iter().enumerate().filter(move |_| free).map(|(index, listener)| (index, listener.as_fd()))
    }

    /// The children at work, by their places.
    pub fn workers(&self) -> impl Iterator<Item = (usize, BorrowedFd<'_>)> {
        self.workers.iter().enumerate().map(|(index, worker)| (index, worker.pidfd.as_fd()))
    }

    /// Takes a call; a filter that nobody is under any more is forgotten.
    pub fn take(&mut self, index: usize, running: &Running) {
        let listener = self.listeners[index].clone();
        let mut fds = [PollFd::new(&listener, PollFlags::IN)];
        let _ = poll(&mut fds, Some(&Timespec::default()));
        let ready = fds[0].revents();
        // Before Linux 6.11 who asks a filter that nobody is under any more for a call waits for ever.
        if !ready.contains(PollFlags::IN) {
            if ready.contains(PollFlags::HUP) {
                self.listeners.swap_remove(index);
            }
            return;
        }
        let Ok(notification) = notify::receive(listener.as_fd()) else { return };
        let id = notification.id;
        let worker = match (call::named(notification.arch, notification.number), &running.kept.idmap) {
            (Some(call), Some(map)) => send(&listener, &notification, call, map, running),
            _ => None,
        };
        match worker {
            Some((pidfd, word)) => self.workers.push(Worker { pidfd, listener, id, word }),
            // Whoever made it may be gone; then there is nobody to answer.
            None => drop(notify::answer(listener.as_fd(), id, Answer::Continue)),
        }
    }

    /// A child has ended. Should it have died over its work, the caller must not wait for ever. Gives the program that is
    /// to be run in its place: it may take its time, and what it does may be handed over again, so that no child waits
    /// for it.
    pub fn worked(&mut self, index: usize) -> Option<Wanted> {
        let Worker { pidfd, listener, id, word } = self.workers.swap_remove(index);
        reap(&pidfd);
        match wire::receive::<ExecSpec>(&word) {
            Ok(Some((spec, _))) => self.programs.want(spec, listener, id),
            _ => {
                let _ = notify::answer(listener.as_fd(), id, Answer::Continue);
                None
            }
        }
    }

    /// The programs that run for callers: where news of them comes, by their places.
    pub fn programs(&self) -> impl Iterator<Item = (usize, BorrowedFd<'_>)> {
        self.programs.news()
    }

    /// There is news of a program.
    pub fn heard(&mut self, index: usize) {
        self.programs.heard(index);
    }
}

/// Sends a child to do the call, and gives it and what it may say; `None` when there is no process to be had.
fn send(
    listener: &OwnedFd,
    notification: &Notification,
    call: Call,
    map: &IdMap,
    running: &Running,
) -> Option<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = fd::packet_pair().ok()?;
    let payload = &running.groups.payload;
    // What costs memory of the host or reaches for devices is done within the container's limits.
    let group = if call.is_heavy() { payload.v2_attach_fd().ok()? } else { None };
    match clone3(0, group.as_ref().map(AsFd::as_fd)) {
        Ok(Side::Parent { pidfd, .. }) => Some((pidfd, ours)),
        Ok(Side::Child) => {
            if call.is_heavy() && payload.entrance().and_then(|entrance| entrance.walk_in()).is_err() {
                exit_now(1);
            }
            let group = payload.v2_fd();
            let needed = [Some(listener.as_fd()), Some(theirs.as_fd()), group];
            close_all_but(&needed.into_iter().flatten().map(|fd| fd.as_raw_fd()).collect::<Vec<_>>());
            let init = running.made.init;
            let own_group = running.groups.monitor.unified().map(|member| member.path.as_path());
            let security = &running.kept.security;
            let asked = Asked { listener, notification, map, security, word: &theirs, init, group, own_group };
            let answer = match Caller::look(notification.pid, init) {
                Some(caller) => act(&asked, &caller, call),
                None => Some(Answer::Continue),
            };
            if let Some(answer) = answer {
                let _ = notify::answer(listener.as_fd(), notification.id, answer);
            }
            exit_now(0)
        }
        Err(_) => None,
    }
}

/// A call that a child of the monitor works on.
struct Asked<'a> {
    listener: &'a OwnedFd,
    notification: &'a Notification,
    map: &'a IdMap,
    security: &'a Security,
    word: &'a OwnedFd,
    /// The container's first process.
    init: i32,
    /// The container's group of version 2.
    group: Option<BorrowedFd<'a>>,
    /// The monitor's.
    own_group: Option<&'a Path>,
}

impl Asked<'_> {
    /// Whether the caller still waits, so that what was read of it is its own.
    fn is_valid(&self) -> bool {
        notify::is_valid(self.listener.as_fd(), self.notification.id)
    }

    /// An argument.
    fn argument(&self, index: usize) -> u64 {
        self.notification.arguments[index]
    }

    /// An argument of 32 bits.
    #[expect(clippy::cast_possible_truncation, reason = "the kernel looks at the lower half only")]
    fn short(&self, index: usize) -> u32 {
        self.argument(index) as u32
    }
}

/// Does the call. `None` when it has been answered, or will be by the monitor.
fn act(asked: &Asked<'_>, caller: &Caller, call: Call) -> Option<Answer> {
    let done = match call {
        Call::Mknod => files::mknod(asked, caller, None, [0, 1, 2]),
        Call::Mknodat => files::mknod(asked, caller, Some(0), [1, 2, 3]),
        Call::Setxattr => files::setxattr(asked, caller),
        Call::SchedSetscheduler => scheduler::set(asked, caller),
        Call::Mount => match mount::mount(asked, caller) {
            Ok(mount::Outcome::Mounted) => Ok(()),
            Ok(mount::Outcome::HandedOn) => return None,
            Err(refused) => Err(refused),
        },
        Call::Bpf => match bpf::call(asked, caller) {
            Ok(bpf::Outcome::Done) => Ok(()),
            Ok(bpf::Outcome::Answered) => return None,
            Err(refused) => Err(refused),
        },
    };
    Some(match done {
        Ok(()) => Answer::Done,
        Err(Refused::NotOurs) => Answer::Continue,
        Err(Refused::By(errno)) => Answer::Fail(errno),
    })
}

/// Why a call was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// It is none of those that are done here; the kernel has the word.
    NotOurs,
    /// It is, and failed.
    By(rustix::io::Errno),
}

impl From<rustix::io::Errno> for Refused {
    fn from(errno: rustix::io::Errno) -> Refused {
        Refused::By(errno)
    }
}
