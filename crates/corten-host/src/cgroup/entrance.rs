//! The way for a thread to walk into a group by itself, which waits for nobody.
//!
//! A process that is moved by its number makes the kernel hold up all forks and ends of the host, for which it first waits
//! a grace period of RCU: 5 to 40 ms on a busy machine. A thread that moves itself by the file `tasks` of version 1
//! needs none of that, since it cannot fork or end meanwhile. Version 2 has no such file: a process gets into a group of
//! it without waiting when it is cloned there, see [`Group::v2_fd`].

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;

use super::group::Group;
use super::{Result, Version};
use crate::file;

/// The open `tasks` files of version 1 of one group. They may be opened before a fork and used after it, also by a
/// process that could not open them itself any more.
#[derive(Debug)]
pub struct Entrance(Vec<(PathBuf, OwnedFd)>);

const FILE: &str = "tasks";
const FLAGS: OFlags = OFlags::WRONLY.union(OFlags::CLOEXEC);

impl Group {
    /// The way into the group in all hierarchies of version 1.
    ///
    /// # Errors
    /// [`super::Error::File`] with the file that cannot be opened.
    pub fn entrance(&self) -> Result<Entrance> {
        let old = self.members().iter().filter(|member| member.hierarchy.version == Version::V1);
        let opened = old.map(|member| {
            let path = member.path.join(FILE);
            let opened = openat(member.dir(), FILE, FLAGS, Mode::empty());
            match opened.map_err(|errno| file::Error::new("opening", &path, errno)) {
                Ok(fd) => Ok((path, fd)),
                Err(error) => Err(error.into()),
            }
        });
        Ok(Entrance(opened.collect::<Result<_>>()?))
    }

    /// The way out of it: into the group above, in all hierarchies of version 1.
    ///
    /// # Errors
    /// See [`Group::entrance`].
    pub fn way_out(&self) -> Result<Entrance> {
        let old = self.members().iter().filter(|member| member.hierarchy.version == Version::V1);
        let opened = old.filter_map(|member| member.path.parent()).map(|parent| {
            let path = parent.join(FILE);
            let opened = open(&path, FLAGS, Mode::empty());
            match opened.map_err(|errno| file::Error::new("opening", &path, errno)) {
                Ok(fd) => Ok((path, fd)),
                Err(error) => Err(error.into()),
            }
        });
        Ok(Entrance(opened.collect::<Result<_>>()?))
    }
}

impl Entrance {
    /// Takes the calling thread in. Its process must have no other, which would stay where it is.
    ///
    /// # Errors
    /// [`super::Error::File`] with the hierarchy's path when the kernel refuses.
    pub fn walk_in(&self) -> Result<()> {
        for (path, fd) in &self.0 {
            let wrong = |errno: Errno| file::Error::new("writing \"0\" to", Path::new(path), errno);
            rustix::io::write(fd, b"0").map_err(wrong)?;
        }
        Ok(())
    }
}
