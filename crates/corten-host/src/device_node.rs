//! Device nodes: what one is on the host, and making one in a directory of ours.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, StatVfsMountFlags, Uid};
use rustix::io::Errno;

use crate::{file, mount};

/// A device node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceNode {
    /// Block device instead of character device.
    pub block: bool,
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
    /// Permission bits.
    pub mode: u32,
    /// Owner on the host.
    pub uid: u32,
    /// Group on the host.
    pub gid: u32,
}

/// Why there is no device node.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path could not be looked at or made.
    #[error(transparent)]
    File(#[from] file::Error),
    /// The path is something else.
    #[error("Not a device: {}", .0.display())]
    NotADevice(PathBuf),
}

/// How a node can be had in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was made there.
    Node,
    /// An empty file was made there, over which the host's own node is to be mounted: we may not make nodes here (in a
    /// user namespace), or the filesystem's nodes do not work (`nodev`).
    Target,
}

/// What the node at `path` is. Links are followed.
///
/// # Errors
/// [`Error::NotADevice`] for anything but a device; [`Error::File`] when there is nothing.
pub fn inspect(path: &Path) -> Result<DeviceNode, Error> {
    let stat = rustix::fs::stat(path).map_err(|errno| file::Error::new("looking at", path, errno))?;
    let block = match FileType::from_raw_mode(stat.st_mode) {
        FileType::BlockDevice => true,
        FileType::CharacterDevice => false,
        _ => return Err(Error::NotADevice(path.to_path_buf())),
    };
    Ok(DeviceNode {
        block,
        major: rustix::fs::major(stat.st_rdev),
        minor: rustix::fs::minor(stat.st_rdev),
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
    })
}

/// Makes `node` at `path`, whose parent directory is trusted; a node or file that is there is replaced.
///
/// # Errors
/// [`Error::File`] when the kernel refuses; nothing new is left then.
pub fn create(path: &Path, node: &DeviceNode) -> Result<Made, Error> {
    let wrong = |errno: Errno| file::Error::new("making device node", path, errno);
    match rustix::fs::unlink(path) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(wrong(errno).into()),
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    let nodev = rustix::fs::statvfs(parent).is_ok_and(|fs| fs.f_flag.contains(StatVfsMountFlags::NODEV));
    let kind = if node.block { FileType::BlockDevice } else { FileType::CharacterDevice };
    let mode = Mode::from_raw_mode(node.mode & 0o7777);
    let device = rustix::fs::makedev(node.major, node.minor);
    let made = match if nodev { Err(Errno::PERM) } else { rustix::fs::mknodat(CWD, path, kind, mode, device) } {
        Ok(()) => Made::Node,
        Err(Errno::PERM) => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            rustix::fs::open(path, flags, Mode::from_raw_mode(0o600)).map_err(wrong)?;
            return Ok(Made::Target);
        }
        Err(errno) => return Err(wrong(errno).into()),
    };
    let owner = (Some(Uid::from_raw(node.uid)), Some(Gid::from_raw(node.gid)));
    let finished = rustix::fs::chownat(CWD, path, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW)
        // The umask may have taken bits away.
        .and_then(|()| rustix::fs::chmodat(CWD, path, mode, AtFlags::empty()));
    if let Err(errno) = finished {
        // It was made a moment ago, so it can be removed.
        let _ = rustix::fs::unlink(path);
        return Err(wrong(errno).into());
    }
    Ok(made)
}

/// An open `/dev/null` that is nobody else's, for processes of a container: root of a privileged one could change the owner
/// and the mode of the host's by its descriptor.
///
/// Where no node can be made there is no such root either, and it is the host's.
///
/// # Errors
/// What mknodat(2) and openat(2) say.
pub fn null() -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY;
    let made = mount::new("tmpfs", "none", &mount::Options::default()).and_then(|folder| {
        let mode = Mode::from_raw_mode(0o666);
        rustix::fs::mknodat(&folder, "null", FileType::CharacterDevice, mode, rustix::fs::makedev(1, 3))?;
        rustix::fs::chmodat(&folder, "null", mode, AtFlags::empty())?;
        Ok(rustix::fs::openat(&folder, "null", flags, Mode::empty())?)
    });
    match made {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Ok(rustix::fs::open("/dev/null", flags, Mode::empty())?)
        }
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_of_its_own_is_one_and_not_the_hosts() {
        let host = rustix::fs::stat("/dev/null").expect("every host has it");
        let own = null().expect("a node or the host's");
        let stat = rustix::fs::fstat(&own).expect("it is open");
        assert_eq!(stat.st_rdev, host.st_rdev);
        assert_eq!(rustix::io::write(&own, b"gone"), Ok(4));
        assert_eq!(rustix::io::read(&own, &mut [0u8; 4]), Ok(0));
        if rustix::process::geteuid().is_root() {
            assert_ne!((stat.st_dev, stat.st_ino), (host.st_dev, host.st_ino));
        }
    }

    #[test]
    fn a_node_is_known_by_its_numbers() {
        let null = inspect(Path::new("/dev/null")).expect("every host has it");
        assert_eq!((null.block, null.major, null.minor), (false, 1, 3));
        assert_eq!(inspect(Path::new("/proc")).unwrap_err().to_string(), "Not a device: /proc");
        assert!(inspect(Path::new("/no/such")).unwrap_err().to_string().starts_with("looking at /no/such"));
    }
}
