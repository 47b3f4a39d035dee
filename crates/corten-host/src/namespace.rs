//! A private corner of the machine for tests: interfaces, mounts and daemons made there are seen by nobody else, and
//! vanish with the last process in it.

use std::io;
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::{MountPropagationFlags, mount_change};

use crate::mount::{self, Options};
use crate::netlink::Socket;
use crate::syscall::namespace::unshare_mounts_and_network;

/// Gives the calling thread a network and a mount namespace of its own, in which /sys shows the new network, the
/// control groups are where they were, mounts are shared as on an ordinary host, and `lo` is up.
///
/// # Errors
/// `EPERM` when the caller is not root; else what mounting says.
pub fn enter_private() -> io::Result<()> {
    unshare_mounts_and_network()?;
    mount::make_all_private()?;
    let groups = mount::clone_tree(Path::new("/sys/fs/cgroup"), true)?;
    let sys = mount::new("sysfs", "sysfs", &Options::parse(&["nosuid", "nodev", "noexec"]))?;
    mount::attach(&sys, CWD, Path::new("/sys"))?;
    mount::attach(&groups, CWD, Path::new("/sys/fs/cgroup"))?;
    mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC)?;
    let loopback = Socket::open().and_then(|socket| socket.set_up(1, true));
    loopback.map_err(|error| io::Error::other(error.to_string()))
}
