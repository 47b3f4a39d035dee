//! Serving the container's files, as its processes see them: a child of the monitor becomes the container's root, with no
//! more than its processes have, and answers SFTP.
//!
//! The daemon itself never looks a path of the container up: with its own ids, a link to `/proc/sysrq-trigger` would be
//! enough to make it act on the host.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use corten_files::tree::{Links, Tree};
use corten_host::rooted::Rooted;
use corten_host::syscall::process::close_all_but;
use rustix::fs::Mode;

use super::attach::{join, take_ids};
use super::child::{Doing, Outcome};
use super::secure::Confinement;
use super::start::Running;

/// The child's whole life once it is ready, which it says by closing the socket to the monitor; comes back to tell
/// why it did not get ready, or when the other end of `socket` is closed.
pub fn serve(running: &Running, socket: &OwnedFd) -> Outcome {
    let user = running.kept.idmap.is_some();
    let security = &running.kept.security;
    // In hand before the container's own /proc is all there is to see.
    let links = Links::open().doing(|| "opening /proc/self/fd".into())?;
    let confinement = Confinement::prepare_to_stay(security)?;
    join(running.pidfd.as_fd(), user)?;
    if user {
        take_ids(0, 0, &[])?;
    }
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let _ = rustix::process::setsid();
    let root = Rooted::open(Path::new("/")).doing(|| "opening the container's root".into())?;
    let stream = UnixStream::from(socket.try_clone().doing(|| "preparing the socket".into())?);
    let tree = Tree::new(root, links, None);
    confinement.enter_to_stay(security)?;
    drop(confinement);
    // A server may outlive the monitor, and must not hold what is the monitor's: its own listening socket, above all.
    let kept = tree.descriptors().into_iter().chain([stream.as_raw_fd()]).collect::<Vec<_>>();
    close_all_but(&kept);
    // The connection's end is its business; there is nobody left to tell.
    let _ = corten_files::server::serve(&tree, &stream, &stream);
    Ok(())
}
