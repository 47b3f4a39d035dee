//! Device nodes for a container: made on the host's side in its run directory, since a user namespace may not make any,
//! and bound to their places.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use corten_host::mount::{self, Options};
use rustix::fs::{CWD, FileType, Gid, Mode, Uid, chmodat, chownat, makedev, mknodat};

use crate::spec::{DeviceNode, IdMap, NodeKind};

/// The directory below the run directory.
const DIR: &str = "nodes";

/// Makes the node and gives a detached mount of it.
///
/// # Errors
/// What the kernel says; `EINVAL` when the owner has no id on the host.
pub fn tree(run_dir: &Path, node: &DeviceNode, map: Option<&IdMap>) -> io::Result<OwnedFd> {
    let unmapped = || io::Error::from_raw_os_error(rustix::io::Errno::INVAL.raw_os_error());
    let uid = map.map_or(Some(node.uid), |map| map.host_uid(node.uid)).ok_or_else(unmapped)?;
    let gid = map.map_or(Some(node.gid), |map| map.host_gid(node.gid)).ok_or_else(unmapped)?;
    let path = file_of(run_dir, &node.path);
    match std::fs::create_dir(run_dir.join(DIR)) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let kind = match node.kind {
        NodeKind::Char => FileType::CharacterDevice,
        NodeKind::Block => FileType::BlockDevice,
    };
    mknodat(CWD, &path, kind, Mode::empty(), makedev(node.major, node.minor))?;
    chownat(CWD, &path, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)), rustix::fs::AtFlags::empty())?;
    chmodat(CWD, &path, Mode::from_raw_mode(node.mode), rustix::fs::AtFlags::empty())?;
    let tree = mount::clone_tree(&path, false)?;
    mount::make_private(&tree)?;
    // The run directory may be on a mount whose nodes do nothing.
    mount::change(&tree, &Options::parse(&["dev"]))?;
    Ok(tree)
}

/// Removes the node that was made for `path`.
///
/// # Errors
/// When it is there and cannot be removed.
pub fn forget(run_dir: &Path, path: &str) -> io::Result<()> {
    match std::fs::remove_file(file_of(run_dir, Path::new(path))) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes all nodes of a container.
///
/// # Errors
/// When something there cannot be removed.
pub fn remove(run_dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(run_dir.join(DIR)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A file of its own for each path: slashes become dashes, and dashes are doubled.
fn file_of(run_dir: &Path, path: &Path) -> PathBuf {
    let path = path.to_string_lossy();
    run_dir.join(DIR).join(path.trim_start_matches('/').replace('-', "--").replace('/', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_paths_share_a_file() {
        let name = |path: &str| file_of(Path::new("/run/c1"), Path::new(path));
        assert_eq!(name("dev/net/tun"), Path::new("/run/c1/nodes/dev-net-tun"));
        assert_eq!(name("/dev/net/tun"), name("dev/net/tun"));
        assert_ne!(name("dev/net-tun"), name("dev/net/tun"));
    }
}
