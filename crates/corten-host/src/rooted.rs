//! Access below a root directory that belongs to someone else: no path, link or race leads out of it.

pub mod directory;
pub mod remove;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use directory::Directory;

/// A directory that paths are looked up below, as chroot(2) would, but without entering it.
///
/// Absolute paths and links start at the root and `..` stops there (openat2(2), `RESOLVE_IN_ROOT`); links of /proc
/// that jump are refused. Every call that makes or changes an entry acts on the entry itself, never on what a link
/// in the last place points to; only [`Rooted::open`] follows one there.
#[derive(Debug)]
pub struct Rooted {
    fd: OwnedFd,
    resolve: ResolveFlags,
}

impl Rooted {
    /// Takes `path` as a root. The path itself is trusted.
    ///
    /// # Errors
    /// What open(2) says, also when `path` is no directory.
    pub fn open(path: &Path) -> io::Result<Rooted> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Rooted::from_fd(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Takes an open directory as a root.
    pub fn from_fd(fd: OwnedFd) -> Rooted {
        Rooted { fd, resolve: ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS }
    }

    /// Refuses (with `ELOOP`) every path that goes through a link, also one that stays inside.
    #[must_use]
    pub fn refuse_links(mut self) -> Rooted {
        self.resolve |= ResolveFlags::NO_SYMLINKS;
        self
    }

    /// Opens `path`, following a link in the last place within the root unless `flags` has `NOFOLLOW`.
    ///
    /// # Errors
    /// What openat2(2) says.
    pub fn open_fd(&self, path: &Path, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        loop {
            match rustix::fs::openat2(&self.fd, path, flags | OFlags::CLOEXEC, mode, self.resolve) {
                Ok(fd) => return Ok(fd),
                // A rename elsewhere in the tree disturbed the look-up of "..": the manual says to try again.
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// As [`Rooted::open_fd`], giving a file.
    ///
    /// # Errors
    /// What openat2(2) says.
    pub fn open_file(&self, path: &Path, flags: OFlags, mode: Mode) -> io::Result<File> {
        Ok(File::from(self.open_fd(path, flags, mode)?))
    }

    /// Opens the directory `path` for the calls on its entries.
    ///
    /// # Errors
    /// What openat2(2) says, also when `path` is no directory.
    pub fn directory(&self, path: &Path) -> io::Result<Directory> {
        Ok(Directory::from_fd(self.open_fd(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?))
    }

    /// Opens the directory that `path` is an entry of, and gives the entry's name.
    ///
    /// # Errors
    /// `EINVAL` when `path` names no entry (`/`, empty, or ending in `..`); else what openat2(2) says.
    pub fn parent<'path>(&self, path: &'path Path) -> io::Result<(Directory, &'path OsStr)> {
        match (path.parent(), path.components().next_back()) {
            (Some(parent), Some(Component::Normal(name))) => Ok((self.directory(parent)?, name)),
            _ => Err(Errno::INVAL.into()),
        }
    }

    /// What `path` is; a link in the last place is reported as itself.
    ///
    /// # Errors
    /// What openat2(2) and fstat(2) say.
    pub fn stat(&self, path: &Path) -> io::Result<Stat> {
        Ok(rustix::fs::fstat(self.open_fd(path, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty())?)?)
    }

    /// Makes the directory `path` and those above it that are missing, with `mode` and the owner given; those that
    /// exist are left as they are.
    ///
    /// # Errors
    /// What mkdirat(2) says, and `ENOTDIR` when something else stands in the way.
    pub fn mkdir_all(&self, path: &Path, mode: Mode, owner: Option<(u32, u32)>) -> io::Result<()> {
        let mut done = std::path::PathBuf::new();
        for component in path.components() {
            let Component::Normal(name) = component else { continue };
            let above = self.directory(&done)?;
            match above.mkdir(name, mode) {
                Ok(()) => {
                    if let Some((uid, gid)) = owner {
                        above.chown(name, uid, gid)?;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            done.push(name);
        }
        self.directory(&done).map(drop)
    }

    /// Renames an entry, replacing what stands at `to` as rename(2) does.
    ///
    /// # Errors
    /// What renameat(2) says.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from_dir, from_name) = self.parent(from)?;
        let (to_dir, to_name) = self.parent(to)?;
        from_dir.rename(from_name, &to_dir, to_name)
    }

    /// Gives the file `from` a second name.
    ///
    /// # Errors
    /// What linkat(2) says; a link is linked itself, not what it points to.
    pub fn hardlink(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from_dir, from_name) = self.parent(from)?;
        let (to_dir, to_name) = self.parent(to)?;
        from_dir.hardlink(from_name, &to_dir, to_name)
    }

    /// Removes `path` and everything below it.
    ///
    /// # Errors
    /// What unlinkat(2) says; nothing there is no failure.
    pub fn remove_tree(&self, path: &Path) -> io::Result<()> {
        let (dir, name) = self.parent(path)?;
        remove::entry(&dir, name)
    }
}

impl AsFd for Rooted {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests;
