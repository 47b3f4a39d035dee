//! A file system mounted with the host's rights, for a caller who has none of them.
//!
//! It is mounted in a corner that nobody else sees. From there a copy goes to its place whose attributes are locked: it
//! has no devices, since what the image says of them would be the host's, and its owner cannot take that back. Whatever
//! the path of a block device leads to by then, the kernel sees the device that the caller was found able to open: nothing
//! else is in the corner. The kernel's work is done with the caller's ids and no capability but those that it takes.

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use corten_host::mount::{self, Options};
use corten_host::syscall::namespace::unshare_mounts;
use rustix::fs::{CWD, FileType, Mode, fstat, major, minor, mkdirat, mknodat};
use rustix::io::Errno;
use rustix::mount::{FsOpenFlags, MountFlags, fsopen};
use rustix::process::{chroot, fchdir};
use rustix::thread::{CapabilitySet, LinkNameSpaceType, move_into_link_name_space};

use super::caller::Caller;
use super::{Asked, Refused, stand_in};

/// What is mounted.
pub struct Wanted<'a> {
    /// From where.
    pub source: Source<'a>,
    /// The kernel's name of the file system.
    pub kind: &'a CStr,
    /// Flags of a new mount.
    pub flags: MountFlags,
    /// Options of the file system.
    pub data: &'a CStr,
    /// Whether ids on it are the container's, if the file system can have that.
    pub shift: bool,
}

/// Where a file system is.
pub enum Source<'a> {
    /// On a block device.
    Device {
        /// The path that the caller knows it by, and that will be shown.
        shown: &'a CStr,
        /// Its number.
        number: u64,
    },
    /// Where this leads the file system itself.
    Text(Option<&'a CStr>),
}

/// Whether the kernel mounts it from a block device only.
///
/// # Errors
/// `ENODEV` when the kernel has no such file system.
pub fn needs_device(kind: &CStr) -> Result<bool, Errno> {
    let known = || -> Option<bool> {
        let list = std::fs::read_to_string("/proc/filesystems").ok()?;
        list.lines().find_map(|line| {
            let (class, name) = line.split_once('\t')?;
            (name.as_bytes() == kind.to_bytes()).then_some(class != "nodev")
        })
    };
    match known() {
        Some(answer) => Ok(answer),
        None => {
            // Its module may have to be loaded first.
            fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
            known().ok_or(Errno::NODEV)
        }
    }
}

/// Where it is mounted first, and its copy, below the corner.
const MADE: &str = "made";
const COPY: &str = "copy";
/// What the kernel looks the device up in.
const ROOT: &str = "root";

/// Mounts it at `target`, a folder in the caller's mount namespace. The process is nobody's afterwards.
///
/// # Errors
/// The kernel's; `NotOurs` when the caller is gone.
pub fn mount(asked: &Asked<'_>, caller: &Caller, wanted: &Wanted<'_>, target: &OwnedFd) -> Result<(), Refused> {
    let (user, mounts) = (caller.namespace("user")?, caller.namespace("mnt")?);
    let source = match &wanted.source {
        Source::Device { shown, number } => {
            let shown = plain(shown).unwrap_or_else(|| format!("/dev/block/{}:{}", major(*number), minor(*number)));
            enter_corner_of_device(&shown, *number)?;
            shown
        }
        Source::Text(text) => {
            enter_corner_of_caller(caller, &mounts)?;
            text.unwrap_or(c"none").to_str().map_err(|_| Errno::INVAL)?.to_string()
        }
    };
    stand_in::become_user(&caller.status)?;
    stand_in::keep(CapabilitySet::SYS_ADMIN | CapabilitySet::SYS_CHROOT)?;
    rustix::mount::mount(source.as_str(), MADE, wanted.kind, wanted.flags | MountFlags::NODEV, wanted.data)?;
    let copy = mount::clone_tree(Path::new(MADE), false).map_err(errno)?;
    if wanted.shift {
        match mount::map_ids(&copy, user.as_fd(), false).map_err(errno) {
            // The file system cannot: then ids are as they are on it, as in LXD.
            Ok(()) | Err(Errno::INVAL) => {}
            Err(other) => return Err(other.into()),
        }
    }
    // As the kernel refuses it: the same file system upon itself.
    let (below, above) = (fstat(target)?, fstat(&copy)?);
    if (below.st_dev, below.st_ino) == (above.st_dev, above.st_ino) {
        return Err(Errno::BUSY.into());
    }
    mount::attach(&copy, CWD, Path::new(COPY)).map_err(errno)?;
    move_into_link_name_space(user.as_fd(), Some(LinkNameSpaceType::User))?;
    // A copy of the mount namespace for the container's user namespace, in which all attributes are locked.
    unshare_mounts().map_err(errno)?;
    let locked = mount::clone_tree(Path::new(COPY), false).map_err(errno)?;
    move_into_link_name_space(mounts.as_fd(), Some(LinkNameSpaceType::Mount))?;
    if !asked.is_valid() {
        return Err(Refused::NotOurs);
    }
    Ok(mount::attach(&locked, target, Path::new("")).map_err(errno)?)
}

fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

/// A path without turns, as it can be made anew.
fn plain(path: &CStr) -> Option<String> {
    let path = path.to_str().ok().filter(|path| path.starts_with('/'))?;
    let turns = parts(path).any(|part| part == "." || part == "..");
    (!turns && parts(path).next().is_some()).then(|| path.to_string())
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// A corner in which there is nothing but the device, at its path.
fn enter_corner_of_device(shown: &str, number: u64) -> Result<(), Errno> {
    unshare_mounts().map_err(errno)?;
    mount::make_all_private().map_err(errno)?;
    enter_corner()?;
    mkdirat(CWD, ROOT, MODE)?;
    let mut place = ROOT.to_string();
    let mut parts = parts(shown).peekable();
    while let Some(part) = parts.next() {
        place = format!("{place}/{part}");
        if parts.peek().is_some() {
            mkdirat(CWD, &place, MODE)?;
        }
    }
    mknodat(CWD, &place, FileType::BlockDevice, Mode::from_raw_mode(0o600), number)?;
    // The working directory stays above: relative paths are those of the corner.
    chroot(ROOT)
}

/// A corner where paths and addresses mean what they mean to the caller.
fn enter_corner_of_caller(caller: &Caller, mounts: &OwnedFd) -> Result<(), Errno> {
    let (network, root) = (caller.namespace("net")?, caller.place("root")?);
    move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
    move_into_link_name_space(mounts.as_fd(), Some(LinkNameSpaceType::Mount))?;
    fchdir(&root)?;
    chroot(".")?;
    // Its mounts are slaves of the caller's, since the namespaces have different owners: nothing goes back.
    unshare_mounts().map_err(errno)?;
    enter_corner()
}

const MODE: Mode = Mode::from_raw_mode(0o755);

fn enter_corner() -> Result<(), Errno> {
    rustix::process::umask(Mode::empty());
    let corner = mount::new("tmpfs", "tmpfs", &Options::parse(&["mode=755", "size=64k"])).map_err(errno)?;
    for name in [MADE, COPY] {
        mkdirat(&corner, name, MODE)?;
    }
    // What is looked up from the root starts below it.
    mount::attach(&corner, CWD, Path::new(OsStr::from_bytes(b"/"))).map_err(errno)?;
    fchdir(&corner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_without_turns_are_shown_as_they_are() {
        for path in [c"/dev/loop0", c"/a//b", c"/dev/mapper/x y"] {
            assert_eq!(plain(path).as_deref(), path.to_str().ok(), "{path:?}");
        }
        for path in [c"dev/loop0", c"", c"/", c"/dev/../loop0", c"/dev/./loop0", c"//", c"/dev/\xff"] {
            assert_eq!(plain(path), None, "{path:?}");
        }
    }

    #[test]
    fn a_file_system_on_a_device_is_told_from_others() {
        assert_eq!(needs_device(c"tmpfs"), Ok(false));
        assert!(needs_device(c"no-such-file-system").is_err());
    }
}
