//! Being a proxy: from the program's start to the loop that serves.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use corten_host::syscall::clone3::{Side, clone3, exit_now};
use corten_host::syscall::process::{close_all_from, ignore_signals};
use rustix::fs::{Mode, OFlags};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{Gid, LinkNameSpaceType, Uid, move_into_link_name_space};

use super::dial::Dialer;
use super::listen::{Guest, Listening};
use super::serve::Serving;
use super::{ProxySpec, Report};
use crate::protocol::wire;

/// Being a proxy: standard input is the spec, standard output the socket that brings the container and takes the one
/// report. Gives the exit status.
pub fn run() -> i32 {
    close_all_from(3);
    let Ok(report) = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3) else { return 1 };
    let spec: io::Result<ProxySpec> =
        serde_json::from_reader(io::BufReader::new(io::stdin().lock())).map_err(io::Error::from);
    // The first process ends, so that the proxy is nobody's child and no daemon has to wait for it.
    match clone3(0, None) {
        Ok(Side::Parent { .. }) => return 0,
        Ok(Side::Child) => {}
        Err(_) => return 1,
    }
    let outcome = spec.and_then(|spec| Ok((prepare(&spec, &report)?, spec)));
    let answer = match &outcome {
        Ok(_) => Report::Listening { pid: rustix::process::getpid().as_raw_nonzero().get() },
        Err(error) => Report::Failed(error.to_string()),
    };
    let told = wire::send(&report, &answer, &[]);
    drop(report);
    match outcome {
        Ok((mut serving, _)) if told.is_ok() => {
            serving.serve();
            exit_now(0)
        }
        Ok((_, spec)) => {
            // Who asked for it is gone.
            super::forget(&spec);
            exit_now(1)
        }
        Err(_) => exit_now(1),
    }
}

/// Listens, goes where it connects from, and gives up what it does not need.
fn prepare(spec: &ProxySpec, report: &OwnedFd) -> io::Result<Serving> {
    rustix::process::setsid()?;
    become_quiet(spec)?;
    let mut fds = match wire::receive::<String>(report)? {
        Some((_, fds)) if fds.len() == 3 => fds,
        _ => return Err(io::Error::other("nobody says which container it is for")),
    };
    let (ended, root, inside) = (fds.remove(2), fds.remove(1), fds.remove(0));
    super::write_state(spec, rustix::process::getpid().as_raw_nonzero().get())?;
    let host = rustix::fs::open("/proc/self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let (listen_in, connect_in) = if spec.listens_inside { (&inside, &host) } else { (&host, &inside) };
    enter(listen_in)?;
    let guest = Guest { root: root.as_fd(), init: spec.user_namespace.then_some(ended.as_fd()) };
    let listening = Listening::all(spec, spec.listens_inside.then_some(guest))?;
    enter(connect_in)?;
    drop_privileges(spec.run_as)?;
    let dialer = Dialer::new(if spec.listens_inside { None } else { Some(root) });
    Ok(Serving::new(spec, listening, dialer, ended))
}

fn enter(network: &OwnedFd) -> io::Result<()> {
    Ok(move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?)
}

/// Errors go to the log, signals of a terminal nowhere; every connection takes two descriptors.
fn become_quiet(spec: &ProxySpec) -> io::Result<()> {
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOCTTY;
    let log = rustix::fs::open(&spec.log, flags, Mode::from_raw_mode(0o640))?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&log)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_name(c"lxd-proxy")?;
    // SIGCHLD among them: nobody waits for the children that this process has.
    ignore_signals(&[1, 2, 3, 13, 17]);
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // With fewer descriptors it serves fewer connections.
    let _ = setrlimit(Resource::Nofile, raised);
    Ok(())
}

fn drop_privileges((uid, gid): (u32, u32)) -> io::Result<()> {
    if (uid, gid) == (0, 0) {
        return Ok(());
    }
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(gid));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    Ok(rustix::thread::set_thread_res_uid(user, user, user)?)
}
