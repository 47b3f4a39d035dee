//! The monitor's life: one loop over its container, its socket, its console and its sessions.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use corten_host::cgroup::Group;
use corten_host::syscall::unused;
use corten_host::{fd, pty};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, Mode, chmodat};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};

use super::intercept::Interception;
use super::sessions::{self, Errand, Session, Stage, Task, Told};
use super::start::Running;
use super::{ending, limits, sources, warn};
use crate::client::{self, SOCKET};
use crate::protocol::{Exit, Reply, Request, SessionInfo, VERSION, wire};
use crate::spec::Link;
use crate::state_file;

/// Opens the socket in the run directory. A socket that nobody listens on was left by a dead monitor.
pub fn listen(run_dir: &Path) -> io::Result<OwnedFd> {
    if client::connect(run_dir).map_err(|error| io::Error::other(error.to_string()))?.is_some() {
        return Err(io::Error::other("the container is already running"));
    }
    let dir = client::open_dir(run_dir)?;
    match rustix::fs::unlinkat(&dir, SOCKET, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => {}
        Err(errno) => return Err(errno.into()),
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    rustix::net::bind(&socket, &client::address(dir.as_fd())?)?;
    // Before anybody can connect.
    chmodat(&dir, SOCKET, Mode::from_raw_mode(0o600), AtFlags::empty())?;
    rustix::net::listen(&socket, 128)?;
    Ok(socket)
}

/// How long letting processes go on may take.
const THAW: Duration = Duration::from_secs(30);

/// How long nothing must happen before memory is given back. What that costs, some dozens of microseconds, is next to
/// nothing when it is spent once in this time at most.
const CALM: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// What an event came from. Numbers are places in the monitor's lists.
#[derive(Clone, Copy, Debug)]
enum Source {
    Init,
    Listener,
    Terminal,
    Typist,
    Connection(usize),
    Preparing(usize),
    Ended(usize),
    Owner(usize),
    Held(usize, usize),
    Errand(usize),
    Child(usize),
    Holder(usize),
    Intercepted(usize),
    Worker(usize),
    Program(usize),
}

struct Monitor {
    running: Running,
    /// The limit of descriptors before the monitor raised it for itself.
    nofile: rustix::process::Rlimit,
    connections: Vec<OwnedFd>,
    subscribers: Vec<OwnedFd>,
    sessions: Vec<Session>,
    errands: Vec<Errand>,
    /// Children that are only waited for: they serve files until whoever asked for it hangs up, or are about to end.
    children: Vec<OwnedFd>,
    /// Those for whom the container's processes may stand still.
    holders: Vec<OwnedFd>,
    interception: Interception,
}

/// Looks after the container until it ends.
pub fn serve(running: Running) {
    // From here on every child is born in the container's pid namespace, and ends with it.
    if !running.kept.sees_all()
        && let Err(errno) = move_into_thread_name_spaces(running.pidfd.as_fd(), ThreadNameSpaceType::PROCESS_ID)
    {
        warn(&format!("entering the container's pid namespace: {errno}"));
    }
    let mut monitor = Monitor {
        running,
        nofile: limits::raise_own(),
        connections: Vec::new(),
        subscribers: Vec::new(),
        sessions: Vec::new(),
        errands: Vec::new(),
        children: Vec::new(),
        holders: Vec::new(),
        interception: Interception::default(),
    };
    monitor.interception.add(monitor.running.intercepted.take());
    let exit = loop {
        if let Some(exit) = monitor.turn() {
            break exit;
        }
    };
    monitor.end(exit);
}

impl Monitor {
    /// Waits for something to happen and deals with it. Gives the container's end when that was it.
    fn turn(&mut self) -> Option<Exit> {
        let ready = self.wait();
        // Those that may shorten a list come last, the highest place first, so that places stay what they were.
        let mut last = Vec::new();
        for source in &ready {
            match *source {
                Source::Init => return ending::reason(&self.running.pidfd),
                Source::Listener => self.accept(),
                Source::Terminal => {
                    self.running.console.flush_input();
                    self.running.console.take_output();
                }
                Source::Typist => self.running.console.take_input(),
                Source::Preparing(index) => match self.sessions[index].prepared() {
                    Told::Nothing => {}
                    Told::Intercepted(listener) => self.interception.add(Some(listener)),
                    Told::Replaced(old) => self.children.push(old),
                },
                Source::Owner(index) => self.sessions[index].owner = None,
                Source::Held(..)
                | Source::Ended(_)
                | Source::Connection(_)
                | Source::Errand(_)
                | Source::Child(_)
                | Source::Intercepted(_)
                | Source::Worker(_)
                | Source::Program(_)
                | Source::Holder(_) => last.push(*source),
            }
        }
        for source in last.into_iter().rev() {
            match source {
                Source::Held(session, index) if !self.sessions[session].drain(index) => {
                    self.sessions[session].held.remove(index);
                }
                Source::Ended(index) => self.interception.add(self.sessions.remove(index).ended()),
                Source::Intercepted(index) => self.interception.take(index, &self.running),
                Source::Worker(index) => {
                    let wanted = self.interception.worked(index);
                    let started = wanted.and_then(|wanted| sessions::start_unseen(&self.running, &self.nofile, wanted));
                    self.sessions.extend(started);
                }
                Source::Program(index) => self.interception.heard(index),
                Source::Errand(index) => {
                    let (connection, child) = self.errands.remove(index).finish();
                    self.children.extend(child);
                    self.connections.push(connection);
                }
                Source::Child(index) => sessions::reap(&self.children.swap_remove(index)),
                Source::Holder(index) => {
                    let holder = self.holders.swap_remove(index);
                    self.release(holder);
                }
                Source::Connection(index) => {
                    let connection = self.connections.swap_remove(index);
                    self.answer(connection);
                }
                _ => {}
            }
        }
        // Those who wait for the end say nothing; whoever is gone is noticed when he is told.
        None
    }

    fn wait(&self) -> Vec<Source> {
        let (sources, mut fds) = self.watched();
        let mut patience = Some(&CALM);
        loop {
            match poll(&mut fds, patience) {
                // A start needs much that the wait for a container's end, the most of a monitor's life, does not.
                Ok(0) => {
                    unused::give_back();
                    patience = None;
                }
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => {
                    warn(&format!("waiting: {errno}"));
                    break;
                }
            }
        }
        sources.into_iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty()).map(|(source, _)| source).collect()
    }

    /// Everything that something can come from, with what is waited for.
    fn watched<'a>(&'a self) -> (Vec<Source>, Vec<PollFd<'a>>) {
        let mut all: Vec<(Source, PollFd<'a>)> = Vec::new();
        let mut add = |source, fd: BorrowedFd<'a>, flags| all.push((source, PollFd::from_borrowed_fd(fd, flags)));
        add(Source::Init, self.running.pidfd.as_fd(), PollFlags::IN);
        add(Source::Listener, self.running.listener.as_fd(), PollFlags::IN);
        let (terminal, blocked) = self.running.console.terminal();
        add(Source::Terminal, terminal, if blocked { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN });
        if let Some(typist) = self.running.console.typist() {
            add(Source::Typist, typist, PollFlags::IN);
        }
        for (index, session) in self.sessions.iter().enumerate() {
            if let Stage::Unborn(socket) | Stage::Preparing(socket) = &session.stage {
                add(Source::Preparing(index), socket.as_fd(), PollFlags::IN);
            }
            // That the process which prepares outside has ended says nothing: its socket says it all.
            if !matches!(session.stage, Stage::Unborn(_)) {
                add(Source::Ended(index), session.pidfd.as_fd(), PollFlags::IN);
            }
            match &session.owner {
                // He has nothing to say; that he hangs up is told without asking.
                Some(owner) => add(Source::Owner(index), owner.as_fd(), PollFlags::empty()),
                None => {
                    for (place, held) in session.held.iter().enumerate() {
                        add(Source::Held(index, place), held.as_fd(), PollFlags::IN);
                    }
                }
            }
        }
        for (index, errand) in self.errands.iter().enumerate() {
            add(Source::Errand(index), errand.socket.as_fd(), PollFlags::IN);
        }
        for (index, child) in self.children.iter().enumerate() {
            add(Source::Child(index), child.as_fd(), PollFlags::IN);
        }
        for (index, holder) in self.holders.iter().enumerate() {
            add(Source::Holder(index), holder.as_fd(), PollFlags::IN);
        }
        for (index, worker) in self.interception.workers() {
            add(Source::Worker(index), worker, PollFlags::IN);
        }
        for (index, news) in self.interception.programs() {
            add(Source::Program(index), news, PollFlags::IN);
        }
        for (index, listener) in self.interception.listeners() {
            add(Source::Intercepted(index), listener, PollFlags::IN);
        }
        for (index, connection) in self.connections.iter().enumerate() {
            add(Source::Connection(index), connection.as_fd(), PollFlags::IN);
        }
        all.into_iter().unzip()
    }

    fn accept(&mut self) {
        match rustix::net::accept_with(&self.running.listener, SocketFlags::CLOEXEC) {
            Ok(connection) => self.connections.push(connection),
            // Out of descriptors, most likely: whoever has the least to lose makes room.
            Err(_) => drop(self.connections.pop()),
        }
    }

    /// Deals with one question. The connection goes back to the others, or wherever its question leads it.
    fn answer(&mut self, connection: OwnedFd) {
        let (request, fds) = match wire::receive::<Request>(&connection) {
            Ok(Some(question)) => question,
            Ok(None) => return,
            Err(error) => return self.reply(connection, &refusal("reading a question", &error), &[]),
        };
        match request {
            Request::Exec(spec) => match sessions::start(&self.running, &self.nofile, spec, fds, connection) {
                Ok(session) => self.sessions.push(session),
                Err((connection, error)) => self.reply(connection, &refusal("running a process", &error), &[]),
            },
            Request::Mount { target, create } => match fds.into_iter().next() {
                Some(tree) => self.errand(Task::Put(tree, sources::target(target.as_ref()), create), connection),
                None => {
                    let error = io::Error::other("no mount came with it");
                    self.reply(connection, &refusal(&format!("mounting {target}"), &error), &[]);
                }
            },
            Request::Unmount { target, remove } => {
                self.errand(Task::Take(sources::target(target.as_ref()), remove), connection);
            }
            Request::Files => match fds.into_iter().next() {
                Some(socket) => self.errand(Task::Serve(socket), connection),
                None => {
                    let error = io::Error::other("no socket came with it");
                    self.reply(connection, &refusal("serving files", &error), &[]);
                }
            },
            Request::Hold => {
                if wire::send(&connection, &Reply::Done, &[]).is_ok() {
                    self.holders.push(connection);
                }
            }
            Request::Subscribe => {
                if wire::send(&connection, &Reply::Done, &[]).is_ok() {
                    self.forget_deaf_subscribers();
                    self.subscribers.push(connection);
                }
            }
            other => {
                let (reply, fds) = self.immediate(other);
                let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
                self.reply(connection, &reply, &fds);
            }
        }
    }

    /// Questions that are answered at once.
    fn immediate(&mut self, request: Request) -> (Reply, Vec<OwnedFd>) {
        let done = |outcome: io::Result<Vec<OwnedFd>>, what: &str| match outcome {
            Ok(fds) => (Reply::Done, fds),
            Err(error) => (refusal(what, &error), Vec::new()),
        };
        let running = &mut self.running;
        match request {
            Request::Hello => match rustix::io::fcntl_dupfd_cloexec(&running.pidfd, 3) {
                Ok(pidfd) => {
                    let (init, monitor) = (running.made.init, running.made.monitor);
                    (Reply::Hello { version: VERSION, name: running.kept.name.clone(), init, monitor }, vec![pidfd])
                }
                Err(errno) => (refusal("greeting", &errno.into()), Vec::new()),
            },
            Request::OpenPty { cols, rows, uid, gid } => match open_pty(running, cols, rows, uid, gid) {
                Ok(pty) => (Reply::Pty { number: pty.number }, vec![pty.master, pty.slave]),
                Err(error) => (refusal("opening a terminal", &error), Vec::new()),
            },
            Request::Console { force } => {
                done(running.console.attach(force).map(|fd| vec![fd]), "attaching to the console")
            }
            Request::ConsoleLog => {
                let log = fd::memory_file("corten-console", &running.console.log());
                done(log.map(|fd| vec![fd]), "reading the console's output")
            }
            Request::ClearConsoleLog => {
                running.console.clear_log();
                (Reply::Done, Vec::new())
            }
            Request::ConsoleResize { cols, rows } => {
                done(running.console.resize(cols, rows).map(|()| Vec::new()), "resizing the console")
            }
            Request::Sessions => (Reply::Sessions(self.sessions.iter().map(describe).collect()), Vec::new()),
            Request::ReturnLink { name, return_as } => {
                running.made.links.retain(|link| link.name != name);
                if return_as.is_some() {
                    running.made.links.push(Link { host: String::new(), cable: None, name, return_as });
                }
                let written = state_file::write_made(&running.kept.run_dir, &running.made);
                done(written.map(|()| Vec::new()), "remembering a network interface")
            }
            Request::InterceptedMounts(mounts) => {
                running.kept.security.mounts = mounts;
                (Reply::Done, Vec::new())
            }
            Request::Exec(_)
            | Request::Mount { .. }
            | Request::Unmount { .. }
            | Request::Files
            | Request::Hold
            | Request::Release
            | Request::Subscribe => (refusal("answering", &io::Error::other("this takes time")), Vec::new()),
        }
    }

    /// Somebody for whom the processes stood still asks to let them go on, or is gone.
    fn release(&mut self, holder: OwnedFd) {
        let asked = matches!(wire::receive::<Request>(&holder), Ok(Some((Request::Release, _))));
        let made = &self.running.made;
        let thawed = Group::open(&made.layout, &made.payload).and_then(|group| group.thaw(THAW));
        if !asked {
            return;
        }
        match thawed {
            Ok(()) => self.reply(holder, &Reply::Done, &[]),
            Err(error) => self.reply(holder, &refusal("thawing", &io::Error::other(error.to_string())), &[]),
        }
    }

    fn errand(&mut self, task: Task, connection: OwnedFd) {
        match sessions::send(&self.running, &task, connection) {
            Ok(errand) => self.errands.push(errand),
            Err((connection, error)) => self.reply(connection, &refusal("sending a child", &error), &[]),
        }
    }

    /// Answers; whoever is gone meanwhile is forgotten.
    fn reply(&mut self, connection: OwnedFd, reply: &Reply, fds: &[BorrowedFd<'_>]) {
        if wire::send(&connection, reply, fds).is_ok() {
            self.connections.push(connection);
        }
    }

    /// A daemon may come and go many times while its container runs.
    fn forget_deaf_subscribers(&mut self) {
        self.subscribers.retain(|subscriber| {
            let mut fds = [PollFd::new(subscriber, PollFlags::empty())];
            let _ = poll(&mut fds, Some(&Timespec::default()));
            fds[0].revents().is_empty()
        });
    }

    /// Gives everything back and tells whoever wants to know.
    fn end(mut self, exit: Exit) {
        self.running.console.take_output();
        let log = self.running.console.log();
        // Who was not born in the container's pid namespace did not end with it.
        if self.running.kept.sees_all() {
            self.errands.iter().for_each(Errand::end);
            self.children.iter().for_each(sessions::end);
            self.sessions.iter().for_each(Session::end_unborn);
        }
        ending::give_back(&self.running, &log, exit);
        for subscriber in &self.subscribers {
            // Those who are gone read it from the file.
            let _ = wire::send(subscriber, &Reply::Ended(exit), &[]);
        }
    }
}

fn open_pty(running: &Running, cols: u16, rows: u16, uid: u32, gid: Option<u32>) -> io::Result<pty::Pty> {
    let unmapped = || io::Error::other("the owner has no id on the host");
    let map = running.kept.idmap.as_ref();
    let uid = map.map_or(Some(uid), |map| map.host_uid(uid)).ok_or_else(unmapped)?;
    let gid = match gid {
        Some(gid) => Some(map.map_or(Some(gid), |map| map.host_gid(gid)).ok_or_else(unmapped)?),
        None => None,
    };
    let pty = pty::open_in(running.devpts.as_fd())?;
    pty::resize(&pty.master, cols, rows)?;
    pty::give(&pty.slave, uid, gid)?;
    Ok(pty)
}

fn describe(session: &Session) -> SessionInfo {
    SessionInfo { pid: session.pid, argv: session.argv.clone(), attended: session.owner.is_some() }
}

fn refusal(what: &str, error: &io::Error) -> Reply {
    let errno = error.raw_os_error().unwrap_or(0);
    Reply::Failed { what: what.to_string(), errno, detail: (errno == 0).then(|| error.to_string()) }
}
