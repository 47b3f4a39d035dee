//! Calls on the entries of one open directory: a name is one component, and links are never followed.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::fs::{AtFlags, Dev, FileType, Gid, Mode, OFlags, Stat, Timestamps, Uid};
use rustix::io::Errno;

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    fd: OwnedFd,
}

impl Directory {
    /// Takes a descriptor of a directory, open for reading.
    pub fn from_fd(fd: OwnedFd) -> Directory {
        Directory { fd }
    }

    /// Opens a directory by a path that is trusted.
    ///
    /// # Errors
    /// What open(2) says.
    pub fn open(path: &Path) -> io::Result<Directory> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Directory { fd: rustix::fs::open(path, flags, Mode::empty())? })
    }

    /// Opens the directory `name` in this one.
    ///
    /// # Errors
    /// What openat(2) says; `ELOOP` or `ENOTDIR` for a link.
    pub fn enter(&self, name: &OsStr) -> io::Result<Directory> {
        Ok(Directory { fd: self.open_fd(name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())? })
    }

    /// Opens the entry `name`.
    ///
    /// # Errors
    /// What openat(2) says; `ELOOP` for a link unless `flags` has `PATH`.
    pub fn open_fd(&self, name: &OsStr, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        Ok(rustix::fs::openat(&self.fd, checked(name)?, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, mode)?)
    }

    /// Makes the new file `name`, open for writing.
    ///
    /// # Errors
    /// What openat(2) says; `EEXIST` when the name is taken.
    pub fn create(&self, name: &OsStr, mode: Mode) -> io::Result<File> {
        Ok(File::from(self.open_fd(name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, mode)?))
    }

    /// Makes the directory `name`.
    ///
    /// # Errors
    /// What mkdirat(2) says.
    pub fn mkdir(&self, name: &OsStr, mode: Mode) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.fd, checked(name)?, mode)?)
    }

    /// Makes `name` a symbolic link with this target, which is stored as it is.
    ///
    /// # Errors
    /// What symlinkat(2) says.
    pub fn symlink(&self, target: &OsStr, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::symlinkat(target, &self.fd, checked(name)?)?)
    }

    /// Gives the entry `name` a second name in `to`.
    ///
    /// # Errors
    /// What linkat(2) says.
    pub fn hardlink(&self, name: &OsStr, to: &Directory, to_name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.fd, checked(name)?, &to.fd, checked(to_name)?, AtFlags::empty())?)
    }

    /// Makes a device node, FIFO or socket.
    ///
    /// # Errors
    /// What mknodat(2) says.
    pub fn mknod(&self, name: &OsStr, kind: FileType, mode: Mode, device: Dev) -> io::Result<()> {
        Ok(rustix::fs::mknodat(&self.fd, checked(name)?, kind, mode, device)?)
    }

    /// Sets owner and group.
    ///
    /// # Errors
    /// What fchownat(2) says.
    pub fn chown(&self, name: &OsStr, uid: u32, gid: u32) -> io::Result<()> {
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        Ok(rustix::fs::chownat(&self.fd, checked(name)?, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Sets the permission bits of anything but a link, which has none.
    ///
    /// # Errors
    /// What chmod(2) says; `EOPNOTSUPP` for a link.
    pub fn chmod(&self, name: &OsStr, mode: Mode) -> io::Result<()> {
        // fchmodat(2) follows links and fchmod(2) refuses descriptors that only name a file, so the kernel's own
        // link to the descriptor is used: it leads to the very entry that was opened, also when that is a link.
        let entry = self.open_fd(name, OFlags::PATH, Mode::empty())?;
        Ok(rustix::fs::chmod(format!("/proc/self/fd/{}", entry.as_raw_fd()), mode)?)
    }

    /// Sets the times of last access and modification.
    ///
    /// # Errors
    /// What utimensat(2) says.
    pub fn utimes(&self, name: &OsStr, times: &Timestamps) -> io::Result<()> {
        Ok(rustix::fs::utimensat(&self.fd, checked(name)?, times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Renames an entry, replacing what stands there as rename(2) does.
    ///
    /// # Errors
    /// What renameat(2) says.
    pub fn rename(&self, name: &OsStr, to: &Directory, to_name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.fd, checked(name)?, &to.fd, checked(to_name)?)?)
    }

    /// Removes an entry that is no directory.
    ///
    /// # Errors
    /// What unlinkat(2) says; `EISDIR` for a directory.
    pub fn unlink(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, checked(name)?, AtFlags::empty())?)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// What unlinkat(2) says.
    pub fn rmdir(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, checked(name)?, AtFlags::REMOVEDIR)?)
    }

    /// What the entry is.
    ///
    /// # Errors
    /// What fstatat(2) says.
    pub fn stat(&self, name: &OsStr) -> io::Result<Stat> {
        Ok(rustix::fs::statat(&self.fd, checked(name)?, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// As [`Directory::stat`], with `None` for an entry that is not there.
    ///
    /// # Errors
    /// What fstatat(2) says.
    pub fn find(&self, name: &OsStr) -> io::Result<Option<Stat>> {
        match self.stat(name) {
            Ok(stat) => Ok(Some(stat)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The target of a link.
    ///
    /// # Errors
    /// What readlinkat(2) says.
    pub fn readlink(&self, name: &OsStr) -> io::Result<OsString> {
        let target: CString = rustix::fs::readlinkat(&self.fd, checked(name)?, Vec::new())?;
        Ok(OsString::from_vec(target.into_bytes()))
    }

    /// Names of all entries and the kind of each, ordered by name. The kind is [`FileType::Unknown`] where the
    /// filesystem does not tell it here.
    ///
    /// # Errors
    /// What getdents(2) says.
    pub fn entries(&self) -> io::Result<Vec<(OsString, FileType)>> {
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                entries.push((OsStr::from_bytes(name).to_os_string(), entry.file_type()));
            }
        }
        entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        Ok(entries)
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A name must be one component, else the kernel would walk on from this directory.
fn checked(name: &OsStr) -> io::Result<&OsStr> {
    match name.as_bytes() {
        b"" | b"." | b".." => Err(Errno::INVAL.into()),
        bytes if bytes.contains(&b'/') => Err(Errno::INVAL.into()),
        _ => Ok(name),
    }
}
