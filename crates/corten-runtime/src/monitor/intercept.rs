//! Calls that the container's filters hand over (`security.syscalls.intercept.*`): each is done by a child of the monitor in
//! the caller's place, or goes on as if nobody had been asked. No daemon is needed for that.
//!
//! A caller can ask for no more than what its container was given, and is held to its own rights: whatever a path leads to
//! is opened by a process with the ids, the capabilities, the namespaces and the root of the caller (`stand_in`).

mod call;
mod caller;
mod files;
mod scheduler;
mod stand_in;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use corten_host::syscall::clone3::{Side, exit_now, fork};
use corten_host::syscall::notify::{self, Answer, Notification};
use corten_host::syscall::process::close_all_but;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::sessions::reap;
use super::start::Running;
use crate::spec::IdMap;
use call::Call;
use caller::Caller;

/// As many calls are looked after at once; more wait in the kernel.
const MOST: usize = 16;

/// What hands calls over, and who is at work on one.
#[derive(Debug, Default)]
pub struct Interception {
    listeners: Vec<Rc<OwnedFd>>,
    workers: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    pidfd: OwnedFd,
    listener: Rc<OwnedFd>,
    id: u64,
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
        let Ok(notification) = notify::receive(listener.as_fd()) else {
            let mut fds = [PollFd::new(&listener, PollFlags::empty())];
            let _ = poll(&mut fds, Some(&Timespec::default()));
            if fds[0].revents().contains(PollFlags::HUP) {
                self.listeners.swap_remove(index);
            }
            return;
        };
        let id = notification.id;
        let worker = match (call::named(notification.arch, notification.number), &running.kept.idmap) {
            (Some(call), Some(map)) => send(&listener, &notification, call, map, running.made.init),
            _ => None,
        };
        match worker {
            Some(pidfd) => self.workers.push(Worker { pidfd, listener, id }),
            // Whoever made it may be gone; then there is nobody to answer.
            None => drop(notify::answer(listener.as_fd(), id, Answer::Continue)),
        }
    }

    /// A child has ended. Should it have died over its work, the caller must not wait for ever.
    pub fn worked(&mut self, index: usize) {
        let worker = self.workers.swap_remove(index);
        reap(&worker.pidfd);
        let _ = notify::answer(worker.listener.as_fd(), worker.id, Answer::Continue);
    }
}

/// Sends a child to do the call; `None` when there is no process to be had.
fn send(listener: &OwnedFd, notification: &Notification, call: Call, map: &IdMap, init: i32) -> Option<OwnedFd> {
    match fork() {
        Ok(Side::Parent { pidfd, .. }) => Some(pidfd),
        Ok(Side::Child) => {
            close_all_but(&[listener.as_raw_fd()]);
            let asked = Asked { listener, notification, map };
            let answer = match Caller::look(notification.pid, init) {
                Some(caller) => act(&asked, &caller, call),
                None => Answer::Continue,
            };
            let _ = notify::answer(listener.as_fd(), notification.id, answer);
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

fn act(asked: &Asked<'_>, caller: &Caller, call: Call) -> Answer {
    let done = match call {
        Call::Mknod => files::mknod(asked, caller, None, [0, 1, 2]),
        Call::Mknodat => files::mknod(asked, caller, Some(0), [1, 2, 3]),
        Call::Setxattr => files::setxattr(asked, caller),
        Call::SchedSetscheduler => scheduler::set(asked, caller),
    };
    match done {
        Ok(()) => Answer::Done,
        Err(Refused::NotOurs) => Answer::Continue,
        Err(Refused::By(errno)) => Answer::Fail(errno),
    }
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
