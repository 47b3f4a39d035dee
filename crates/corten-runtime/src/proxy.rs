//! Proxies: small processes that carry connections between the host and a running container, and outlive the daemon.
//!
//! One is run for each proxy device, by the monitor's program under a title of its own. It listens on the one side, lives in
//! the network namespace of the other, and ends with the container.

mod dial;
mod flow;
mod listen;
mod process;
mod serve;
mod sessions;

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use corten_host::fd;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use crate::failure::Error;
use crate::handle::Container;
use crate::launch;
use crate::protocol::wire;

pub use process::run;

/// Titles begin so, which is how the program knows that it is to be a proxy.
pub const TITLE: &str = "[lxd proxy] ";

/// Where a proxy listens, or connects to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Address {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A UDP port.
    Udp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
    /// A unix socket without a file, named without its leading zero byte.
    Abstract(String),
}

/// Who owns the file of a unix socket that a proxy listens on, in the ids of the side that it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
}

/// A proxy as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxySpec {
    /// What it is called among processes, without [`TITLE`]; unique on this host.
    pub title: String,
    /// Where it writes why connections failed.
    pub log: PathBuf,
    /// The file that says how it is found again.
    pub state: PathBuf,
    /// Where it listens.
    pub listen: Vec<Address>,
    /// Where it connects to: one address for each of `listen`, or one for all.
    pub connect: Vec<Address>,
    /// Whether it listens in the container and connects to the host; else the other way round.
    pub listens_inside: bool,
    /// Whether the container has a user namespace.
    pub user_namespace: bool,
    /// Whether servers are told who connected by a line of HAProxy's protocol, version 1.
    pub proxy_protocol: bool,
    /// Whose the files of unix sockets are.
    pub owner: Owner,
    /// The host's user and group that it connects as.
    pub run_as: (u32, u32),
}

/// What the file says of a running proxy.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    pid: i32,
    title: String,
    /// Files on the host that go with it.
    files: Vec<PathBuf>,
}

/// What a proxy says when it listens, or why it does not.
#[derive(Debug, Serialize, Deserialize)]
enum Report {
    Listening { pid: i32 },
    Failed(String),
}

/// Runs a proxy for a running container and returns when it listens.
///
/// # Errors
/// Why it does not listen; nothing of it is left then.
pub fn start(program: &Path, spec: &ProxySpec, container: &Container) -> Result<(), Error> {
    let doing = || format!("starting the proxy {}", spec.title);
    stop(&spec.state)?;
    let root = rustix::fs::open(
        container.proc_path("root"),
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    );
    let root = root.map_err(|errno| Error::Io { doing: doing(), source: errno.into() })?;
    // Opened after the root: it says whether the container has ended since, and the root is another's.
    let network = container.netns_fd()?;
    let begun = || -> io::Result<Report> {
        let text = serde_json::to_vec(spec)?;
        let input = fd::memory_file("corten-proxy", &text)?;
        let (ours, theirs) = fd::packet_pair()?;
        wire::send(&ours, &"the container", &[network.as_fd(), root.as_fd(), container.init_pidfd()])?;
        launch::run(program, &format!("{TITLE}{}", spec.title), input, theirs)?;
        let answer = wire::receive::<Report>(&ours)?;
        answer.map(|(report, _)| report).ok_or_else(|| io::Error::other("it ended without a word"))
    };
    match begun().map_err(Error::io(doing()))? {
        Report::Listening { .. } => Ok(()),
        Report::Failed(why) => {
            // It listens no more, and may have had no right any more to remove what tells of it.
            let _ = remove(&spec.state);
            Err(Error::Io { doing: doing(), source: io::Error::other(why) })
        }
    }
}

/// Writes down how a proxy is found: done by itself before it listens, so that one whose daemon is killed is known.
fn write_state(spec: &ProxySpec, pid: i32) -> io::Result<()> {
    let files = spec.listen.iter().filter_map(|address| match address {
        Address::Unix(path) if !spec.listens_inside => Some(path.clone()),
        _ => None,
    });
    let state = State { pid, title: spec.title.clone(), files: files.collect() };
    std::fs::write(&spec.state, serde_json::to_vec(&state)?)
}

/// Takes away what a proxy has made that nobody has heard of.
fn forget(spec: &ProxySpec) {
    for address in &spec.listen {
        if let Address::Unix(path) = address
            && !spec.listens_inside
        {
            let _ = remove(path);
        }
    }
    let _ = remove(&spec.state);
}

/// Ends the proxy that `state` tells of, and removes its files; none is no failure.
///
/// # Errors
/// When it cannot be ended.
pub fn stop(state: &Path) -> Result<(), Error> {
    let doing = || format!("ending the proxy of {}", state.display());
    let text = match std::fs::read(state) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text.map_err(Error::io(doing()))?,
    };
    // A file that a crash left half written tells of nobody.
    if let Ok(known) = serde_json::from_slice::<State>(&text) {
        end(&known).map_err(Error::io(doing()))?;
        for file in &known.files {
            remove(file).map_err(Error::io(doing()))?;
        }
    }
    remove(state).map_err(Error::io(doing()))
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Kills the process if it is still the proxy, and waits until it is gone.
fn end(state: &State) -> io::Result<()> {
    let Some(pid) = Pid::from_raw(state.pid) else { return Ok(()) };
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(()) };
    // After the descriptor is open, the number cannot become another process's.
    let line = std::fs::read(format!("/proc/{}/cmdline", state.pid)).unwrap_or_default();
    let title = format!("{TITLE}{}", state.title);
    if line.split(|byte| *byte == 0).next() != Some(title.as_bytes()) {
        return Ok(());
    }
    match pidfd_send_signal(&process, Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(errno) => return Err(errno.into()),
    }
    let mut fds = [rustix::event::PollFd::new(&process, rustix::event::PollFlags::IN)];
    rustix::io::retry_on_intr(|| rustix::event::poll(&mut fds, None))?;
    Ok(())
}
