//! The end of a container: what ended it, and giving back all that it had of the host.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use corten_host::netlink::Socket;
use rustix::process::{WaitId, WaitIdOptions};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::{groups, named_systemd, nodes, warn};
use crate::client::SOCKET;
use crate::monitor::start::Running;
use crate::protocol::Exit;
use crate::state_file;

/// What ended the first process, once its pidfd says that something did.
///
/// A pid namespace that calls reboot(2) has its init killed by SIGHUP for a restart, by SIGINT for a halt.
pub fn reason(pidfd: &OwnedFd) -> Option<Exit> {
    let status = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
        .ok()
        .flatten()?;
    Some(match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Exited(code),
        (None, Some(HANGUP)) => Exit::Rebooted,
        (None, Some(INTERRUPT)) => Exit::Halted,
        (None, signal) => Exit::Killed(signal.unwrap_or(0)),
    })
}

const HANGUP: i32 = 1;
const INTERRUPT: i32 = 2;

/// Gives everything back and leaves word of how it ended. Failures are logged: there is nobody else to tell, and the
/// rest is to be given back all the same.
pub fn give_back(running: &Running, console: &[u8], exit: Exit) {
    let kept = &running.kept;
    if let Some(path) = &kept.console_log
        && let Err(error) = state_file::write_private(path, console)
    {
        warn(&format!("writing the console's output to {}: {error}", path.display()));
    }
    let links: Vec<(&str, &str)> =
        running.made.links.iter().filter_map(|link| Some((link.name.as_str(), link.return_as.as_deref()?))).collect();
    return_links(&running.netns, &links);
    groups::remove(&running.groups);
    if let Err(error) = state_file::write_exit(&kept.run_dir, exit) {
        warn(&format!("leaving word of the end in {}: {error}", kept.run_dir.display()));
    }
    if let Err(error) = forget_files(&kept.run_dir) {
        warn(&format!("tidying {}: {error}", kept.run_dir.display()));
    }
}

/// Removes what a monitor has in the run directory, but for its last word.
///
/// # Errors
/// What could not be removed; the rest is.
pub fn forget_files(run_dir: &Path) -> std::io::Result<()> {
    named_systemd::unmount(run_dir);
    let nodes = nodes::remove(run_dir);
    // The next monitor takes its place anyway.
    let _ = std::fs::remove_file(run_dir.join(SOCKET));
    state_file::remove_made(run_dir).and(nodes)
}

/// Brings interfaces back to the monitor's network namespace: `(name inside, name on the host)`.
pub fn return_links(netns: &OwnedFd, links: &[(&str, &str)]) {
    if links.is_empty() {
        return;
    }
    match return_all(netns, links) {
        Ok(failures) => failures.iter().for_each(|failure| warn(failure)),
        Err(error) => warn(&format!("bringing network interfaces back: {error}")),
    }
}

fn return_all(netns: &OwnedFd, links: &[(&str, &str)]) -> std::io::Result<Vec<String>> {
    let home = std::fs::File::open("/proc/self/ns/net")?;
    let network = Some(LinkNameSpaceType::Network);
    // A netlink socket belongs to the namespace in which it was opened; so one visit is enough.
    move_into_link_name_space(netns.as_fd(), network)?;
    let socket = Socket::open();
    move_into_link_name_space(home.as_fd(), network)?;
    let socket = socket.map_err(|error| std::io::Error::other(error.to_string()))?;
    let back = |(name, host): &(&str, &str)| {
        let link = socket.link(name)?;
        socket.set_up(link.index, false)?;
        socket.move_to_netns(link.index, home.as_fd(), host)
    };
    Ok(links.iter().filter_map(|link| back(link).err()).map(|error| error.to_string()).collect())
}
