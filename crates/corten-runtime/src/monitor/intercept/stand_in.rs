//! A process that stands in for a caller: what it can open, the caller could have opened.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use corten_host::fd;
use corten_host::syscall::clone3::{Side, exit_now, fork};
use corten_host::syscall::process::close_all_but;
use rustix::fs::{Access, AtFlags, Mode, OFlags, accessat, openat};
use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, LinkNameSpaceType, Uid, capabilities, move_into_link_name_space,
    set_capabilities, set_keep_capabilities, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::super::sessions::reap;
use super::caller::{Caller, Status};
use crate::protocol::wire;

/// Opens a folder that the caller may write to, looked up from `base`, which is one of its own descriptors (`None`: its
/// working directory).
///
/// # Errors
/// Those that the caller would get.
pub fn folder(caller: &Caller, base: Option<i32>, path: &CStr) -> Result<OwnedFd, Errno> {
    opened(caller, base, |base| writable(base, path))
}

/// Opens whatever `open` does, given `base` (as for [`folder`]), as the caller would.
///
/// # Errors
/// Those that the caller would get.
pub fn opened(
    caller: &Caller,
    base: Option<i32>,
    open: impl FnOnce(&OwnedFd) -> Result<OwnedFd, Errno>,
) -> Result<OwnedFd, Errno> {
    let base = base.map_or_else(|| "cwd".to_string(), |number| format!("fd/{number}"));
    let base = caller.place(&base).map_err(|_| Errno::BADF)?;
    let place = Place {
        status: &caller.status,
        user: caller.namespace("user")?,
        mounts: caller.namespace("mnt")?,
        root: caller.place("root")?,
        base,
    };
    let failed = |_| Errno::IO;
    let (ours, theirs) = fd::packet_pair().map_err(failed)?;
    match fork().map_err(|_| Errno::AGAIN)? {
        Side::Child => {
            let own = [&place.user, &place.mounts, &place.root, &place.base, &theirs];
            close_all_but(&own.map(AsRawFd::as_raw_fd));
            let opened = place.enter().and_then(|()| open(&place.base));
            let (errno, fds) = match &opened {
                Ok(opened) => (0, vec![opened.as_fd()]),
                Err(errno) => (errno.raw_os_error(), Vec::new()),
            };
            let _ = wire::send(&theirs, &errno, &fds);
            exit_now(0)
        }
        Side::Parent { pidfd, .. } => {
            drop(theirs);
            let said = wire::receive::<i32>(&ours);
            reap(&pidfd);
            match said {
                Ok(Some((0, fds))) => fds.into_iter().next().ok_or(Errno::IO),
                Ok(Some((errno, _))) => Err(Errno::from_raw_os_error(errno)),
                _ => Err(Errno::IO),
            }
        }
    }
}

/// Ids are set as they are outside, which needs no map of them.
pub fn become_user(status: &Status) -> Result<(), Errno> {
    let groups: Vec<Gid> = status.groups.iter().copied().map(Gid::from_raw).collect();
    let (uid, gid) = (Uid::from_raw(status.fsuid), Gid::from_raw(status.fsgid));
    set_keep_capabilities(true)?;
    set_thread_groups(&groups)?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)
}

/// Has these capabilities and no others.
pub fn keep(wanted: CapabilitySet) -> Result<(), Errno> {
    let sets = CapabilitySets { effective: wanted, permitted: wanted, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets)
}

struct Place<'a> {
    status: &'a Status,
    user: OwnedFd,
    mounts: OwnedFd,
    root: OwnedFd,
    base: OwnedFd,
}

impl Place<'_> {
    fn enter(&self) -> Result<(), Errno> {
        become_user(self.status)?;
        // They were kept, but are not in force after the change of user.
        keep(capabilities(None)?.permitted)?;
        move_into_link_name_space(self.user.as_fd(), Some(LinkNameSpaceType::User))?;
        move_into_link_name_space(self.mounts.as_fd(), Some(LinkNameSpaceType::Mount))?;
        rustix::process::fchdir(&self.root)?;
        rustix::process::chroot(".")?;
        rustix::process::fchdir(&self.base)?;
        let all = capabilities(None)?.permitted;
        keep(all & CapabilitySet::from_bits_retain(self.status.capabilities))
    }
}

fn writable(base: &OwnedFd, path: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(base, path, flags, Mode::empty())?;
    accessat(&folder, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::empty())?;
    Ok(folder)
}
