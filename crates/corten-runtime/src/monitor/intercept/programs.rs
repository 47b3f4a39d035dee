//! Programs that are run inside in the place of a call, and the callers that wait for their end.
//!
//! They run as sessions of the container do: in its groups, under its filter and its AppArmor profile.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use corten_host::fd;
use corten_host::syscall::notify::{self, Answer};
use rustix::io::Errno;

use crate::protocol::{Reply, wire};
use crate::spec::ExecSpec;

/// As many are waited for at once.
const MOST: usize = 16;

/// The programs.
#[derive(Debug, Default)]
pub struct Programs(Vec<Program>);

#[derive(Debug)]
struct Program {
    news: OwnedFd,
    listener: Rc<OwnedFd>,
    id: u64,
}

/// A program to be started.
#[derive(Debug)]
pub struct Wanted {
    /// What is run.
    pub spec: ExecSpec,
    /// Who asks for it, and is told how it went.
    pub owner: OwnedFd,
}

impl Programs {
    /// Wants one for the call `id`.
    pub fn want(&mut self, spec: ExecSpec, listener: Rc<OwnedFd>, id: u64) -> Option<Wanted> {
        let pair = if self.0.len() < MOST { fd::packet_pair().ok() } else { None };
        let Some((news, owner)) = pair else {
            let _ = notify::answer(listener.as_fd(), id, Answer::Fail(Errno::AGAIN));
            return None;
        };
        self.0.push(Program { news, listener, id });
        Some(Wanted { spec, owner })
    }

    /// Where news comes, by place.
    pub fn news(&self) -> impl Iterator<Item = (usize, BorrowedFd<'_>)> {
        self.0.iter().enumerate().map(|(index, program)| (index, program.news.as_fd()))
    }

    /// Hears it: at the program's end the caller goes on. Where it failed, the kernel has the word, as in LXD.
    pub fn heard(&mut self, index: usize) {
        let answer = match wire::receive::<Reply>(&self.0[index].news) {
            Ok(Some((Reply::Started { .. }, _))) => return,
            Ok(Some((Reply::Exited { status: 0 }, _))) => Answer::Done,
            _ => Answer::Continue,
        };
        let Program { listener, id, .. } = self.0.swap_remove(index);
        let _ = notify::answer(listener.as_fd(), id, answer);
    }
}
