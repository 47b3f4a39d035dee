//! The child's side of a start: what the container's first process does before it becomes its init.

use std::fmt::Display;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use corten_host::cgroup::Entrance;
use corten_host::netlink::Socket;
use corten_host::syscall::clone3::exit_now;
use corten_host::{mount, syscall};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;
use rustix::process::Signal;
use rustix::thread::{Gid, Uid};

use super::sources::{Wanted, plan, target};
use super::start::{FromChild, take};
use super::{attach, root, secure, steps, view};
use crate::failure::StartFailed;
use crate::protocol::wire;
use crate::spec::{Mount, Spec};

/// Why a step failed: what was being done, and the kernel's word.
#[derive(Debug)]
pub struct Failure {
    /// What was being done, to what.
    pub what: String,
    /// The kernel's word.
    pub source: io::Error,
}

/// The outcome of a part of a step.
pub type Outcome<T = ()> = Result<T, Failure>;

/// Says what was being done when something fails.
pub trait Doing<T> {
    /// Adds `what` to the error.
    fn doing(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: Into<io::Error>> Doing<T> for Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure { what: what(), source: error.into() })
    }
}

/// A failure that is not the kernel's.
pub fn failure(what: impl Into<String>, reason: impl Display) -> Failure {
    Failure { what: what.into(), source: io::Error::other(reason.to_string()) }
}

/// What the child has in hand on its way.
pub struct Child<'a> {
    /// What it is to become.
    pub spec: &'a Spec,
    /// The trees of [`plan`], each taken once.
    pub trees: Vec<Option<OwnedFd>>,
    /// The socket to the parent.
    parent: &'a OwnedFd,
    /// The old root, until it is left.
    old_root: Option<OwnedFd>,
    /// The way into its groups of version 1, until it is gone.
    entrance: Option<Entrance>,
    /// Opened before /proc is the container's.
    confinement: secure::Confinement,
}

/// A step by its name.
type Step = (&'static str, fn(&mut Child<'_>) -> Outcome);

/// All of them, in their order.
const STEPS: &[Step] = &[
    (steps::ADMIT, enter_groups),
    (steps::IDENTITY, become_root),
    (steps::ROOT, build_root),
    (steps::PIVOT, pivot),
    (steps::KERNEL, |child| view::kernel(child.spec)),
    (steps::DEV, fill_dev),
    (steps::MOUNTS, other_mounts),
    (steps::KERNEL, |child| view::covers(child.spec)),
    (steps::LEAVE, leave_old_root),
    (steps::CONSOLE, open_console),
    (steps::SETTINGS, settings),
    (steps::SECURE, confine),
    (steps::EXEC, execute),
];

/// Walks the steps; comes back never.
pub fn run(spec: &Spec, parent: &OwnedFd, entrance: Entrance) -> ! {
    // First of all, and whatever comes then: a socket that is closed with something unread in it takes what was said
    // into it along.
    let Ok(trees) = take(parent) else { exit_now(1) };
    let confinement = secure::Confinement::default();
    let mut child = Child { spec, trees, parent, old_root: None, entrance: Some(entrance), confinement };
    for (name, step) in STEPS {
        let work = |()| step(&mut child).map_err(|Failure { what, source }| StartFailed::new(name, what, &source));
        if let Err(failure) = steps::reach(spec, name).and_then(work) {
            // When the parent is gone too there is nobody left to tell.
            let _ = wire::send(parent, &FromChild::Failed(failure), &[]);
            break;
        }
    }
    exit_now(1)
}

/// Before its cgroup namespace, whose roots the groups become.
fn enter_groups(child: &mut Child<'_>) -> Outcome {
    let entering = |error| failure("entering the container's control group", error);
    child.entrance.take().map_or(Ok(()), |entrance| entrance.walk_in().map_err(entering))?;
    // What is the monitor's must not be within reach of any path of the container's.
    let trees = child.trees.iter().flatten().chain([child.parent]);
    syscall::process::close_all_but(&trees.map(AsRawFd::as_raw_fd).collect::<Vec<_>>());
    Ok(())
}

fn become_root(child: &mut Child<'_>) -> Outcome {
    rustix::process::umask(Mode::empty());
    child.confinement = secure::Confinement::prepare(&child.spec.security)?;
    rustix::thread::set_thread_groups(&[]).doing(|| "dropping supplementary groups".into())?;
    rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT).doing(|| "becoming group 0".into())?;
    rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT).doing(|| "becoming user 0".into())?;
    // A container without its monitor cannot be looked after: it ends with it.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .doing(|| "tying the container to its monitor".into())?;
    rustix::process::setsid().doing(|| "starting a session".into())?;
    // Keys of whoever started the daemon are not the container's; a kernel without keyrings has none to leak.
    let _ = syscall::keyring::join_new_session();
    syscall::namespace::unshare_cgroup().doing(|| "making a cgroup namespace".into())?;
    if child.spec.core_scheduling {
        let myself = rustix::process::getpid();
        match rustix::thread::create_core_scheduling_cookie(myself, rustix::thread::CoreSchedulingScope::ProcessGroup) {
            // Where threads share no core there is nothing to be kept apart.
            Ok(()) | Err(Errno::NODEV) => {}
            Err(errno) => return Err(errno).doing(|| "making a core scheduling cookie".into()),
        }
    }
    mount::make_all_private().doing(|| "cutting mounts off from the host's".into())
}

fn build_root(child: &mut Child<'_>) -> Outcome {
    let layers = plan(child.spec).iter().filter(|wanted| matches!(wanted, Wanted::Root(_))).count();
    let trees: Vec<OwnedFd> = child.trees.drain(..layers).flatten().collect();
    root::build(&child.spec.root, trees)
}

/// The new root has been put on top of the old one and is the working directory. Both change places: the old one is on
/// top then, and reached by its descriptor only.
fn pivot(child: &mut Child<'_>) -> Outcome {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    child.old_root = Some(rustix::fs::open("/", flags, Mode::empty()).doing(|| "opening the host's root".into())?);
    rustix::process::pivot_root(".", ".").doing(|| "changing the root".into())
}

fn leave_old_root(child: &mut Child<'_>) -> Outcome {
    let old = child.old_root.take().ok_or_else(|| failure("leaving the host's root", "it was left already"))?;
    rustix::process::fchdir(&old).doing(|| "going to the host's root".into())?;
    // What lies uppermost there goes first; the host's root is gone when it is no mount of this namespace any more.
    let leave = || rustix::mount::unmount(".", UnmountFlags::DETACH);
    leave().doing(|| "leaving the host's root".into())?;
    loop {
        match leave() {
            Ok(()) => {}
            Err(Errno::INVAL) => break,
            Err(errno) => return Err(errno).doing(|| "leaving the host's root".into()),
        }
    }
    rustix::process::chdir("/").doing(|| "going to the container's root".into())
}

fn fill_dev(child: &mut Child<'_>) -> Outcome {
    let nodes = if child.spec.idmap.is_some() { super::sources::STANDARD_NODES.len() } else { 0 };
    let trees: Vec<OwnedFd> = child.trees.drain(..nodes).flatten().collect();
    let map = child.spec.idmap.as_ref();
    view::dev(trees, map.is_none_or(|map| map.host_gid(view::TTY_GROUP).is_some()))
}

fn other_mounts(child: &mut Child<'_>) -> Outcome {
    let mut trees = std::mem::take(&mut child.trees).into_iter();
    for entry in &child.spec.mounts {
        let tree = if entry.is_hosts() { trees.next().flatten() } else { None };
        match mount_one(entry, tree) {
            Err(_) if entry.optional => {}
            outcome => outcome?,
        }
    }
    for node in &child.spec.nodes {
        if let Some(tree) = trees.next().flatten() {
            view::put(&tree, &target(&node.path), crate::spec::Create::File)?;
        }
    }
    Ok(())
}

fn mount_one(entry: &Mount, tree: Option<OwnedFd>) -> Outcome {
    let tree = match (&entry.fstype, tree) {
        (_, Some(tree)) => tree,
        (Some(fstype), None) if !entry.is_hosts() => {
            let options = mount::Options::parse(&entry.options);
            mount::new(fstype, &entry.source.to_string_lossy(), &options)
                .doing(|| format!("mounting {fstype} on {}", entry.target.display()))?
        }
        // The parent has passed over a missing source.
        (_, None) => return Ok(()),
    };
    view::put(&tree, &target(&entry.target), entry.create)
}

/// The terminal comes from the container's own devpts, so that programs inside find its name.
fn open_console(child: &mut Child<'_>) -> Outcome {
    let devpts = rustix::fs::open("/dev/pts", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .doing(|| "opening /dev/pts".into())?;
    let pty = corten_host::pty::open_in(devpts.as_fd()).doing(|| "opening the console's terminal".into())?;
    let path = format!("/dev/pts/{}", pty.number);
    let tree = mount::clone_tree(Path::new(&path), false).doing(|| format!("opening {path}"))?;
    view::put(&tree, Path::new("/dev/console"), crate::spec::Create::File)?;
    for stdio in [rustix::stdio::dup2_stdin, rustix::stdio::dup2_stdout, rustix::stdio::dup2_stderr] {
        stdio(&pty.slave).doing(|| "taking the console as standard input and output".into())?;
    }
    rustix::process::ioctl_tiocsctty(&pty.slave).doing(|| "taking the console as controlling terminal".into())?;
    wire::send(child.parent, &FromChild::Ready, &[pty.master.as_fd(), devpts.as_fd()])
        .doing(|| "handing the console over".into())
}

fn settings(child: &mut Child<'_>) -> Outcome {
    let spec = child.spec;
    if !spec.hostname.is_empty() {
        rustix::system::sethostname(spec.hostname.as_bytes())
            .doing(|| format!("setting the host name {:?}", spec.hostname))?;
    }
    let socket = Socket::open().map_err(|error| failure("opening a netlink socket", error))?;
    // Its index is 1 in every network namespace.
    socket.set_up(1, true).map_err(|error| failure("bringing up the loopback interface", error))?;
    for link in &spec.links {
        let up = socket.link(&link.name).and_then(|found| socket.set_up(found.index, true));
        up.map_err(|error| failure(format!("bringing up the interface {}", link.name), error))?;
    }
    for (key, value) in &spec.sysctls {
        view::set_sysctl(key, value)?;
    }
    Ok(())
}

fn confine(child: &mut Child<'_>) -> Outcome {
    let Some(listener) = child.confinement.enter(&child.spec.security)? else { return Ok(()) };
    wire::send(child.parent, &FromChild::Intercepted, &[listener.as_fd()])
        .doing(|| "handing the intercepted calls over".into())
}

fn execute(child: &mut Child<'_>) -> Outcome {
    let init = &child.spec.init;
    attach::take_ids(init.uid, init.gid, &[])?;
    if child.spec.linux32 {
        syscall::process::become_32_bit().doing(|| "becoming a process of 32 bits".into())?;
    }
    // Nothing of ours is left that a link to /proc/self/fd could lead to.
    syscall::process::close_all_but(&[child.parent.as_raw_fd()]);
    let cwd = if init.cwd.as_os_str().is_empty() { Path::new("/") } else { &init.cwd };
    rustix::process::chdir(cwd).doing(|| format!("going to {}", cwd.display()))?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    syscall::process::default_signals();
    let source = attach::execute(&init.argv, &init.env);
    Err(Failure { what: format!("executing {:?}", init.argv[0]), source })
}
