//! Becoming a process of a running container.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use corten_host::mount;
use corten_host::syscall::clone3::{Side, brother, exit_now};
use corten_host::syscall::process::{become_32_bit, close_all_but, default_signals, execve};
use rustix::fs::Mode;
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, Rlimit as Limit};
use rustix::thread::{
    CoreSchedulingScope, Gid, ThreadNameSpaceType, Uid, move_into_thread_name_spaces, pull_core_scheduling_cookie,
};

use super::child::{Doing, Failure, Outcome, failure};
use super::secure::Confinement;
use super::sessions::Word;
use super::start::Running;
use super::{limits, locked, view};
use crate::protocol::wire;
use crate::spec::{Create, ExecSpec};

/// All that a process of a container shares with it, but for the pid namespace, in which it is born.
const ALL: &[ThreadNameSpaceType] = &[
    ThreadNameSpaceType::MOUNT,
    ThreadNameSpaceType::NETWORK,
    ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME,
    ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION,
    ThreadNameSpaceType::CONTROL_GROUP,
];

/// The namespaces of the process `init`, all at once.
pub fn join(init: BorrowedFd<'_>, user: bool) -> Outcome {
    let mut kinds = ALL.iter().fold(ThreadNameSpaceType::empty(), |kinds, kind| kinds | *kind);
    if user {
        kinds |= ThreadNameSpaceType::USER;
    }
    move_into_thread_name_spaces(init, kinds).doing(|| "entering the container's namespaces".into())
}

/// Takes ids inside. Without a user namespace they are the host's.
pub fn take_ids(uid: u32, gid: u32, groups: &[u32]) -> Outcome {
    let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
    rustix::thread::set_thread_groups(&groups).doing(|| "setting supplementary groups".into())?;
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(gid));
    rustix::thread::set_thread_res_gid(group, group, group).doing(|| format!("becoming group {gid}"))?;
    rustix::thread::set_thread_res_uid(user, user, user).doing(|| format!("becoming user {uid}"))
}

/// Everything about a process that is to be run: made by the monitor, used by its child.
pub struct Plan<'a> {
    /// What is run.
    pub spec: &'a ExecSpec,
    /// Its standard input, output and error.
    pub stdio: &'a [OwnedFd],
    /// Where it says what went wrong; closed at exec.
    pub complaints: &'a OwnedFd,
    /// The container.
    pub running: &'a Running,
    /// The monitor's own limit of descriptors before it raised it.
    pub nofile: &'a Limit,
}

/// The child's way from the clone to its program; comes back only to tell why not.
pub fn become_process(plan: &Plan<'_>) -> Failure {
    let inside = |()| if plan.running.kept.sees_all() { go_on_inside(plan) } else { Ok(()) };
    match prepare(plan).and_then(inside).and_then(|()| settle(plan.spec)) {
        Err(failure) => failure,
        Ok(()) => {
            let source = execute(&plan.spec.argv, &plan.spec.env);
            Failure { what: EXECUTING.to_string(), source }
        }
    }
}

/// What a [`Failure`] says whose errno is exec's own: the program's fault and not ours.
pub const EXECUTING: &str = "executing";

/// Everything for which something of the monitor's or of the host's is needed.
fn prepare(plan: &Plan<'_>) -> Outcome {
    let Running { kept, groups: control, made, pidfd, .. } = plan.running;
    let user = kept.idmap.is_some();
    let confinement = Confinement::prepare(&kept.security)?;
    limits::restore(plan.nofile);
    limits::apply(None, &kept.rlimits)?;
    if kept.core_scheduling
        && let Some(init) = Pid::from_raw(made.init)
    {
        // Refused where threads share no core, and there is nothing to be kept apart.
        let _ = pull_core_scheduling_cookie(init, CoreSchedulingScope::Thread);
    }
    let entered = control.payload.entrance().and_then(|entrance| entrance.walk_in());
    entered.map_err(|error| failure("entering the container's control group", error))?;
    if kept.sees_all() {
        let kind = ThreadNameSpaceType::PROCESS_ID;
        move_into_thread_name_spaces(pidfd.as_fd(), kind).doing(|| "entering the container's pid namespace".into())?;
    }
    join(pidfd.as_fd(), user)?;
    let _ = corten_host::syscall::keyring::join_new_session();
    if user {
        // Root inside, as long as there is something to be done that only root may do.
        take_ids(0, 0, &[])?;
    }
    for (take, fd) in
        [rustix::stdio::dup2_stdin, rustix::stdio::dup2_stdout, rustix::stdio::dup2_stderr].into_iter().zip(plan.stdio)
    {
        take(fd).doing(|| "taking standard input and output".into())?;
    }
    if !kept.sees_all() {
        lead_session(plan.spec.tty)?;
    }
    if let Some(listener) = confinement.enter(&kept.security)? {
        wire::send(plan.complaints, &Word::Intercepted, &[listener.as_fd()])
            .doing(|| "handing the intercepted calls over".into())?;
    }
    // Everything that this process owns is given up before all descriptors are closed under it.
    drop(confinement);
    if kept.linux32 {
        become_32_bit().doing(|| "becoming a process of 32 bits".into())?;
    }
    // Before anything is looked up that the container may have made: a link to /proc/self/fd must not lead to what is
    // ours (compare CVE-2024-21626).
    close_all_but(&[plan.complaints.as_raw_fd()]);
    Ok(())
}

/// Goes on as a brother of this process that is born in the container, once all that is not the container's has been
/// left behind: what its root sees there from the first moment on is a process of its own.
///
/// The brother waits until the monitor has been told of it, and this process, whose pid is the host's, is gone.
fn go_on_inside(plan: &Plan<'_>) -> Outcome {
    let (gone, here) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).doing(|| "making a pipe".into())?;
    match brother().doing(|| "going on inside the container".into())? {
        Side::Parent { pid, pidfd } => {
            let told = wire::send(plan.complaints, &Word::Born { pid }, &[pidfd.as_fd()]);
            exit_now(i32::from(told.is_err()))
        }
        Side::Child => {
            drop(here);
            let mut nothing = [0u8; 1];
            rustix::io::retry_on_intr(|| rustix::io::read(&gone, &mut nothing[..]))
                .doing(|| "waiting to go on".into())?;
            drop(gone);
            lead_session(plan.spec.tty)
        }
    }
}

fn lead_session(tty: bool) -> Outcome {
    rustix::process::setsid().doing(|| "starting a session".into())?;
    if tty {
        rustix::process::ioctl_tiocsctty(rustix::stdio::stdin()).doing(|| "taking the terminal".into())?;
    }
    Ok(())
}

/// The user, the directory and the signals of the program.
fn settle(spec: &ExecSpec) -> Outcome {
    take_ids(spec.uid, spec.gid, &spec.groups)?;
    let cwd = if spec.cwd.as_os_str().is_empty() { Path::new("/") } else { &spec.cwd };
    rustix::process::chdir(cwd).doing(|| format!("going to {}", cwd.display()))?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    default_signals();
    Ok(())
}

/// Runs a program; comes back only to tell why not. A name without a slash is looked up in the `PATH` of `env`.
pub fn execute(argv: &[String], env: &[String]) -> io::Error {
    let words = |words: &[String]| -> Option<Vec<CString>> {
        words.iter().map(|word| CString::new(word.as_str()).ok()).collect()
    };
    let (Some(argv), Some(env)) = (words(argv), words(env)) else {
        return io::Error::from_raw_os_error(rustix::io::Errno::INVAL.raw_os_error());
    };
    let not_found = || io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error());
    let Some(name) = argv.first().filter(|name| !name.is_empty()) else { return not_found() };
    if name.as_bytes().contains(&b'/') {
        return execve(name, &argv, &env);
    }
    let path = env.iter().find_map(|line| line.as_bytes().strip_prefix(b"PATH=")).unwrap_or(DEFAULT_PATH);
    let mut outcome = not_found();
    for dir in path.split(|byte| *byte == b':') {
        let dir = if dir.is_empty() { OsStr::new(".") } else { OsStr::from_bytes(dir) };
        let Ok(candidate) =
            CString::new(Path::new(dir).join(OsStr::from_bytes(name.as_bytes())).as_os_str().as_bytes())
        else {
            continue;
        };
        let error = execve(&candidate, &argv, &env);
        // As a shell does it: what may not be run is remembered, and something better may follow.
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {}
            io::ErrorKind::PermissionDenied => outcome = error,
            _ => return error,
        }
    }
    outcome
}

const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The exit status that a shell gives when exec says `error`: 127 for a program that is not there, 126 for one that
/// cannot be run.
pub fn status_of(error: &io::Error) -> i32 {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => 127,
        _ => 126,
    }
}

/// Puts a detached tree into the running container, from a child of the monitor.
pub fn put_mount(init: BorrowedFd<'_>, user: bool, tree: &OwnedFd, target: &Path, create: Create) -> Outcome {
    rustix::process::umask(Mode::empty());
    if !user {
        join(init, false)?;
        return view::put(tree, target, create);
    }
    // What is read-only is to stay so.
    let tree = locked::lock_on_the_way(tree, init).doing(|| format!("locking the mount of {}", target.display()))?;
    join(init, false)?;
    take_ids(0, 0, &[])?;
    view::put(&tree, target, create)
}

/// Takes a mount away in the running container, from a child of the monitor.
pub fn take_mount(init: BorrowedFd<'_>, user: bool, target: &Path, remove: bool) -> Outcome {
    enter_as_root(init, user)?;
    mount::detach(target).doing(|| format!("unmounting {}", target.display()))?;
    if remove {
        let gone = std::fs::remove_file(target).or_else(|_| std::fs::remove_dir(target));
        gone.doing(|| format!("removing {}", target.display()))?;
    }
    Ok(())
}

fn enter_as_root(init: BorrowedFd<'_>, user: bool) -> Outcome {
    rustix::process::umask(Mode::empty());
    join(init, user)?;
    if user { take_ids(0, 0, &[]) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_cannot_be_run_has_a_shells_status() {
        let run = |argv: &[&str], env: &[&str]| {
            let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
            status_of(&execute(&words(argv), &words(env)))
        };
        assert_eq!(run(&["/no/such/program"], &[]), 127);
        assert_eq!(run(&["no-such-program"], &[]), 127);
        assert_eq!(run(&["no-such-program"], &["PATH=/dev/null"]), 127);
        assert_eq!(run(&[""], &[]), 127);
        assert_eq!(run(&["/etc"], &[]), 126);
        assert_eq!(run(&["passwd"], &["PATH=/etc"]), 126);
    }
}
