//! Handing a group to a container, so that its systemd can make groups below it.

use rustix::fs::{AtFlags, Gid, Mode, Uid, chmodat, chownat};
use rustix::io::Errno;

use super::group::Group;
use super::{Result, Version};
use crate::file;

/// Files of a group that its new owner may write on version 1; liblxc's choice.
const V1_FILES: &[&str] = &["cgroup.procs", "tasks"];

/// The same on version 2: what /sys/kernel/cgroup/delegate lists, as far as systemd hands it on.
const V2_FILES: &[&str] =
    &["cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "memory.oom.group", "memory.reclaim"];

impl Group {
    /// Gives the group's directories and the files that move processes to `uid` and `gid` of the host, but no file
    /// that holds a limit.
    ///
    /// # Errors
    /// [`super::Error::File`] with the path that could not be given away.
    pub fn chown(&self, uid: u32, gid: u32) -> Result<()> {
        let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        for member in self.members() {
            let files = match member.hierarchy.version {
                Version::V1 => V1_FILES,
                Version::V2 => V2_FILES,
            };
            let wrong = |name: &str, errno| file::Error::new("giving away", member.path.join(name), errno);
            chownat(member.dir(), "", owner.0, owner.1, AtFlags::EMPTY_PATH).map_err(|errno| wrong("", errno))?;
            for name in files {
                let given = chownat(member.dir(), *name, owner.0, owner.1, AtFlags::empty())
                    .and_then(|()| chmodat(member.dir(), *name, Mode::from_raw_mode(0o664), AtFlags::empty()));
                match given {
                    // Not every kernel has every file.
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(errno) => return Err(wrong(name, errno).into()),
                }
            }
        }
        Ok(())
    }
}
