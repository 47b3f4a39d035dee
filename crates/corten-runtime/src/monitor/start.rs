//! The parent's side of a start: what must be done from outside, in the order of [`steps`].

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use corten_host::fd;
use corten_host::netlink::Socket;
use corten_host::syscall::clone3::{Side, clone3};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::console::Console;
use super::groups::{self, Groups};
use super::{child, ending, limits, serve, sources, steps, warn};
use crate::failure::StartFailed;
use crate::protocol::wire;
use crate::spec::{IdRange, Link, Spec};
use crate::state_file::{self, Made};

/// What the child says to the parent.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub enum FromChild {
    /// It has come as far as its console: comes with the console's master and the root of the container's devpts.
    Ready,
    /// Its filter is on: comes with the descriptor on which it hands calls over.
    Intercepted,
    /// A step failed.
    Failed(StartFailed),
}

/// What comes of a child that has executed its program.
struct Ends {
    console: OwnedFd,
    devpts: OwnedFd,
    intercepted: Option<OwnedFd>,
}

/// A container that runs.
#[derive(Debug)]
pub struct Running {
    /// What of the spec is needed while it runs.
    pub kept: Kept,
    /// What is to be cleaned up.
    pub made: Made,
    /// Its groups.
    pub groups: Groups,
    /// Its first process.
    pub pidfd: OwnedFd,
    /// Its network namespace, for interfaces that must come back.
    pub netns: OwnedFd,
    /// Its console.
    pub console: Console,
    /// The root of its devpts.
    pub devpts: OwnedFd,
    /// Where the monitor listens.
    pub listener: OwnedFd,
    /// Where the filter of its first process hands calls over.
    pub intercepted: Option<OwnedFd>,
}

/// The parts of a spec that a monitor remembers; the rest is forgotten, to be small.
#[derive(Debug)]
pub struct Kept {
    /// See [`Spec::name`].
    pub name: String,
    /// See [`Spec::run_dir`].
    pub run_dir: std::path::PathBuf,
    /// See [`Spec::security`].
    pub security: crate::spec::Security,
    /// See [`Spec::idmap`].
    pub idmap: Option<crate::spec::IdMap>,
    /// See [`Spec::rlimits`].
    pub rlimits: Vec<crate::spec::Rlimit>,
    /// See [`Spec::core_scheduling`].
    pub core_scheduling: bool,
    /// See [`Spec::linux32`].
    pub linux32: bool,
    /// See [`Spec::console_log`].
    pub console_log: Option<std::path::PathBuf>,
}

impl Kept {
    /// Whether the container's root can look into every process that it sees: without a user namespace its capabilities
    /// are the host's. No process of the monitor's is to be born there then, nor to bring anything along.
    pub fn sees_all(&self) -> bool {
        self.idmap.is_none()
    }
}

/// What is there before the monitor: its socket and the groups, still empty.
#[derive(Debug)]
pub struct Opened {
    spec: Spec,
    listener: OwnedFd,
    /// The groups.
    pub groups: Groups,
}

/// Opens the socket and makes the groups, or leaves nothing of them. Once the socket is there whoever comes next finds us;
/// if nobody waits by then (`is_waited_for`), nobody wants the container.
pub fn open(mut spec: Spec, is_waited_for: impl Fn() -> bool) -> Result<Opened, StartFailed> {
    steps::reach(&spec, steps::SOCKET)?;
    let abandoned = || io::Error::other("nobody waits for it any more");
    let wanted = || if is_waited_for() { Ok(()) } else { Err(abandoned()) };
    let in_vain = |error: io::Error| StartFailed::new(steps::SOCKET, "opening the monitor's socket", &error);
    wanted().map_err(in_vain)?;
    let listener = serve::listen(&spec.run_dir).map_err(in_vain)?;
    match wanted().map_err(in_vain).and_then(|()| groups::make(&spec)) {
        Ok(groups) => {
            spec.cgroup.layout = Some(groups.layout.clone());
            Ok(Opened { spec, listener, groups })
        }
        Err(failure) => {
            tidy(&spec);
            Err(failure)
        }
    }
}

impl Opened {
    /// Takes it all back.
    pub fn close(&self) {
        groups::remove(&self.groups);
        tidy(&self.spec);
    }
}

/// Starts the container as a child of this process, the monitor, or leaves nothing of it.
pub fn start(opened: Opened) -> Result<Running, StartFailed> {
    let started = groups::enter_own(&opened.groups)
        .and_then(|()| steps::reach(&opened.spec, steps::GROUPS))
        .and_then(|()| with_groups(&opened.spec, &opened.groups));
    match started {
        Ok(parts) => {
            let Opened { spec, listener, groups } = opened;
            Ok(Running {
                made: parts.made,
                groups,
                pidfd: parts.pidfd,
                netns: parts.netns,
                console: parts.console,
                devpts: parts.devpts,
                intercepted: parts.intercepted,
                listener,
                kept: Kept {
                    name: spec.name,
                    run_dir: spec.run_dir,
                    security: spec.security,
                    idmap: spec.idmap,
                    rlimits: spec.rlimits,
                    core_scheduling: spec.core_scheduling,
                    linux32: spec.linux32,
                    console_log: spec.console_log,
                },
            })
        }
        Err(failure) => {
            opened.close();
            Err(failure)
        }
    }
}

fn tidy(spec: &Spec) {
    if let Err(error) = ending::forget_files(&spec.run_dir) {
        warn(&format!("tidying {}: {error}", spec.run_dir.display()));
    }
}

struct Parts {
    made: Made,
    pidfd: OwnedFd,
    netns: OwnedFd,
    console: Console,
    devpts: OwnedFd,
    intercepted: Option<OwnedFd>,
}

/// The first process of a container that is being started; dropped, it is killed and its interfaces are brought back.
struct Starting<'a> {
    pid: i32,
    pidfd: OwnedFd,
    netns: Option<OwnedFd>,
    /// Interfaces that were moved in and must come back.
    moved: Vec<&'a Link>,
    started: bool,
}

fn with_groups(spec: &Spec, groups: &Groups) -> Result<Parts, StartFailed> {
    let (ours, theirs) =
        fd::packet_pair().map_err(|error| StartFailed::new(steps::CLONE, "making a socket", &error))?;
    let clone_failed = |error: io::Error| StartFailed::new(steps::CLONE, "cloning the first process", &error);
    let entrance = groups::entrance(&groups.payload)?;
    match clone3(namespaces(spec), groups.payload.v2_fd()).map_err(clone_failed)? {
        Side::Child => {
            drop(ours);
            child::run(spec, &theirs, entrance)
        }
        Side::Parent { pid, pidfd } => {
            drop((theirs, entrance));
            let mut starting = Starting { pid, pidfd, netns: None, moved: Vec::new(), started: false };
            lead(spec, groups, &mut starting, &ours)
        }
    }
}

/// `CLONE_NEWCGROUP` is missing: the child makes its cgroup namespace when it is in all its groups, which become the
/// namespace's root.
fn namespaces(spec: &Spec) -> u64 {
    let user = if spec.idmap.is_some() { clone_flags::NEWUSER } else { 0 };
    clone_flags::NEWNS | clone_flags::NEWPID | clone_flags::NEWNET | clone_flags::NEWUTS | clone_flags::NEWIPC | user
}

/// The kernel's `CLONE_NEW*`, from rustix' names.
mod clone_flags {
    use rustix::thread::UnshareFlags;
    pub const NEWUSER: u64 = UnshareFlags::NEWUSER.bits() as u64;
    pub const NEWNS: u64 = UnshareFlags::NEWNS.bits() as u64;
    pub const NEWPID: u64 = UnshareFlags::NEWPID.bits() as u64;
    pub const NEWNET: u64 = UnshareFlags::NEWNET.bits() as u64;
    pub const NEWUTS: u64 = UnshareFlags::NEWUTS.bits() as u64;
    pub const NEWIPC: u64 = UnshareFlags::NEWIPC.bits() as u64;
}

/// Takes the child by the hand until it runs its program.
fn lead<'a>(
    spec: &'a Spec,
    groups: &Groups,
    starting: &mut Starting<'a>,
    child: &OwnedFd,
) -> Result<Parts, StartFailed> {
    let netns = open_namespace(starting.pid, "net", steps::CLONE)?;
    starting.netns = Some(
        rustix::io::fcntl_dupfd_cloexec(&netns, 3)
            .map_err(|errno| StartFailed::new(steps::CLONE, "holding the network namespace", &errno.into()))?,
    );
    steps::reach(spec, steps::CLONE)?;
    admit(spec, starting.pid)?;
    steps::reach(spec, steps::ADMIT)?;
    move_links(spec, &netns, starting)?;
    steps::reach(spec, steps::LINKS)?;
    let trees = {
        let userns = match &spec.idmap {
            Some(_) => Some(open_namespace(starting.pid, "user", steps::CLONE)?),
            None => None,
        };
        sources::open(spec, userns.as_ref().map(AsFd::as_fd))?
    };
    steps::reach(spec, steps::SOURCES)?;
    let made = Made {
        monitor: rustix::process::getpid().as_raw_nonzero().get(),
        init: starting.pid,
        layout: groups.layout.clone(),
        payload: groups.payload.name().to_string(),
        monitor_group: groups.monitor.name().to_string(),
        links: spec.links.iter().filter(|link| link.return_as.is_some()).cloned().collect(),
    };
    state_file::write_made(&spec.run_dir, &made)
        .map_err(|error| StartFailed::new(steps::SOCKET, format!("writing into {}", spec.run_dir.display()), &error))?;
    give(child, &trees).map_err(|error| StartFailed::new(steps::SOURCES, "handing mounts over", &error))?;
    drop(trees);
    let ends = follow(child)?;
    let console = Console::new(ends.console, spec.console_ring)
        .map_err(|error| StartFailed::new(steps::CONSOLE, "holding the console", &error))?;
    starting.started = true;
    let pidfd = rustix::io::fcntl_dupfd_cloexec(&starting.pidfd, 3)
        .map_err(|errno| StartFailed::new(steps::CLONE, "holding the first process", &errno.into()))?;
    Ok(Parts { made, pidfd, netns, console, devpts: ends.devpts, intercepted: ends.intercepted })
}

fn open_namespace(pid: i32, kind: &str, step: &str) -> Result<OwnedFd, StartFailed> {
    let path = format!("/proc/{pid}/ns/{kind}");
    let file = std::fs::File::open(&path).map_err(|error| StartFailed::new(step, format!("opening {path}"), &error))?;
    Ok(file.into())
}

/// Id maps and resource limits: what the child may not do for itself.
fn admit(spec: &Spec, pid: i32) -> Result<(), StartFailed> {
    let failed = |what: String, error: io::Error| StartFailed::new(steps::ADMIT, what, &error);
    if let Some(map) = &spec.idmap {
        for (file, ranges) in [("uid_map", &map.uids), ("gid_map", &map.gids)] {
            write_proc(pid, file, &map_text(ranges))
                .map_err(|error| failed(format!("writing {:?} into {file}", map_text(ranges)), error))?;
        }
    }
    limits::apply(Pid::from_raw(pid), &spec.rlimits).map_err(|failure| failed(failure.what, failure.source))?;
    if let Some(score) = spec.oom_score_adj {
        write_proc(pid, "oom_score_adj", &score.to_string())
            .map_err(|error| failed(format!("writing {score} into oom_score_adj"), error))?;
    }
    Ok(())
}

fn map_text(ranges: &[IdRange]) -> String {
    ranges.iter().map(|range| format!("{} {} {}\n", range.inside, range.outside, range.count)).collect()
}

/// In one write, as the kernel wants id maps.
fn write_proc(pid: i32, file: &str, text: &str) -> io::Result<()> {
    let mut open = std::fs::OpenOptions::new().write(true).open(format!("/proc/{pid}/{file}"))?;
    open.write_all(text.as_bytes())
}

fn move_links<'a>(spec: &'a Spec, netns: &OwnedFd, starting: &mut Starting<'a>) -> Result<(), StartFailed> {
    if spec.links.is_empty() {
        return Ok(());
    }
    let failed = |error: corten_host::netlink::Error| {
        StartFailed::new(steps::LINKS, error.doing.clone(), &io::Error::from(error.errno))
    };
    let socket = Socket::open().map_err(failed)?;
    for link in &spec.links {
        if let Some(cable) = &link.cable {
            // Its other end goes with the container's namespace, so that nothing has to be taken back.
            socket.lay_cable(cable, netns.as_fd(), &link.name).map_err(failed)?;
            continue;
        }
        let index = socket.link(&link.host).map_err(failed)?.index;
        socket.move_to_netns(index, netns.as_fd(), &link.name).map_err(failed)?;
        starting.moved.push(link);
    }
    Ok(())
}

/// One packet says which of the planned trees there are; the trees follow.
fn give(child: &OwnedFd, trees: &[Option<OwnedFd>]) -> io::Result<()> {
    let present: Vec<bool> = trees.iter().map(Option::is_some).collect();
    wire::send(child, &present, &[])?;
    let there: Vec<BorrowedFd<'_>> = trees.iter().flatten().map(AsFd::as_fd).collect();
    there.chunks(fd::MAX_FDS).try_for_each(|some| fd::send(child, b"trees", some))
}

/// Waits for the console, for what the filter hands over, and then for the exec, which closes the child's end.
fn follow(child: &OwnedFd) -> Result<Ends, StartFailed> {
    let died = |what: &str| StartFailed::new(steps::EXEC, what, &io::Error::other("the first process died"));
    let failed = |error: io::Error| StartFailed::new(steps::EXEC, "hearing from the first process", &error);
    let (mut terminal, mut intercepted) = (None, None);
    loop {
        match wire::receive::<FromChild>(child).map_err(failed)? {
            Some((FromChild::Ready, fds)) if terminal.is_none() => {
                let ends = <[OwnedFd; 2]>::try_from(fds).map_err(|_| died("receiving the console"))?;
                terminal = Some(ends);
            }
            Some((FromChild::Intercepted, fds)) => intercepted = fds.into_iter().next(),
            Some((FromChild::Failed(failure), _)) => return Err(failure),
            Some((FromChild::Ready, _)) => return Err(died("executing the first program")),
            None => break,
        }
    }
    let Some([console, devpts]) = terminal else { return Err(died("setting up the container")) };
    Ok(Ends { console, devpts, intercepted })
}

/// What the child takes of [`give`].
pub fn take(parent: &OwnedFd) -> io::Result<Vec<Option<OwnedFd>>> {
    let gone = || io::Error::new(io::ErrorKind::UnexpectedEof, "the monitor died");
    let (present, _) = wire::receive::<Vec<bool>>(parent)?.ok_or_else(gone)?;
    let count = present.iter().filter(|there| **there).count();
    let mut trees = Vec::new();
    while trees.len() < count {
        let (_, some) = fd::receive(parent)?.ok_or_else(gone)?;
        trees.extend(some);
    }
    let mut trees = trees.into_iter();
    Ok(present.into_iter().map(|there| if there { trees.next() } else { None }).collect())
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        if self.started {
            return;
        }
        // It may have died by itself; either way it is to be gone.
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL);
        let _ = rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED);
        if let Some(netns) = &self.netns {
            let links = self.moved.iter().filter_map(|link| Some((link.name.as_str(), link.return_as.as_deref()?)));
            ending::return_links(netns, &links.collect::<Vec<_>>());
        }
    }
}
