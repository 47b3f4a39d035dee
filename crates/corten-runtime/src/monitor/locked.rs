//! Mounts whose attributes the container's root may not take back: what is read-only stays read-only.
//!
//! Who owns a mount namespace may change the attributes of its mounts, unless the kernel has locked them; and it locks them
//! only where a whole mount namespace is copied for a less privileged user namespace. So a tree is put into such a copy
//! and taken out of it again: the new copy of the tree keeps the locks.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use corten_host::fd;
use corten_host::mount::{self, Options};
use corten_host::syscall::clone3::{Side, exit_now, fork};
use corten_host::syscall::namespace::unshare_mounts;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::process::{WaitId, WaitIdOptions};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};

/// A copy of a detached tree with its attributes locked for `userns`; made by a child, since the way leads through
/// namespaces without return. Only for a program without threads.
///
/// # Errors
/// What the kernel says.
pub fn lock(tree: &OwnedFd, userns: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let (ours, theirs) = fd::packet_pair()?;
    match fork()? {
        Side::Child => {
            let sent =
                hop(tree, || move_into_user(userns)).and_then(|tree| fd::send(&theirs, b"tree", &[tree.as_fd()]));
            exit_now(i32::from(sent.is_err()))
        }
        Side::Parent { pidfd, .. } => {
            drop(theirs);
            let locked = fd::receive(&ours)?.and_then(|(_, mut trees)| trees.pop());
            rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)?;
            locked.ok_or_else(|| io::Error::other("the attributes of a mount cannot be locked"))
        }
    }
}

fn move_into_user(userns: BorrowedFd<'_>) -> io::Result<()> {
    let outcome = rustix::thread::move_into_link_name_space(userns, Some(rustix::thread::LinkNameSpaceType::User));
    Ok(outcome?)
}

/// As [`lock`], by this process itself, which is in the user namespace of `init` and in some mount namespace of its own
/// afterwards.
///
/// # Errors
/// What the kernel says.
pub fn lock_on_the_way(tree: &OwnedFd, init: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    hop(tree, || Ok(move_into_thread_name_spaces(init, ThreadNameSpaceType::USER)?))
}

fn hop(tree: &OwnedFd, enter: impl FnOnce() -> io::Result<()>) -> io::Result<OwnedFd> {
    // A corner of our own, in which nothing that is mounted reaches the host.
    unshare_mounts()?;
    mount::make_all_private()?;
    let corner = mount::new("tmpfs", "tmpfs", &Options::parse(&["mode=755", "size=4k"]))?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(tree)?.st_mode);
    if kind == FileType::Directory {
        rustix::fs::mkdirat(&corner, PLACE, Mode::from_raw_mode(0o755))?;
    } else {
        rustix::fs::openat(
            &corner,
            PLACE,
            OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC,
            Mode::from_raw_mode(0o644),
        )?;
    }
    // Any directory will do: it is covered for us alone.
    mount::attach(&corner, CWD, Path::new("/proc"))?;
    rustix::process::chdir("/proc")?;
    mount::attach(tree, CWD, Path::new(PLACE))?;
    enter()?;
    // The copy of the mount namespace, whose owner is the container's root: here everything is locked.
    unshare_mounts()?;
    mount::clone_tree(Path::new(PLACE), true)
}

const PLACE: &str = "tree";
