//! A tree of files that belongs to someone else, as SFTP looks at it.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use corten_host::idmap::IdMap;
use corten_host::rooted::Rooted;
use corten_host::rooted::directory::Directory;
use corten_host::xattr::IdShift;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use crate::attributes::Attributes;

/// What an id that has no number inside is shown as, and the kernel's own choice.
const NOBODY: u32 = 65534;

/// The kernel's links to this process's descriptors, through which a file that was only looked at is opened for good.
#[derive(Debug)]
pub struct Links(OwnedFd);

impl Links {
    /// Opens them. To be done while the /proc that is seen can be trusted: before entering a container.
    ///
    /// # Errors
    /// What open(2) says.
    pub fn open() -> io::Result<Links> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Links(rustix::fs::open("/proc/self/fd", flags, Mode::empty())?))
    }
}

/// A root, and how its ids are to be understood.
#[derive(Debug)]
pub struct Tree {
    root: Rooted,
    links: Links,
    /// From ids as they are written to ids as the container knows them.
    inward: Option<IdMap>,
    /// And back.
    outward: Option<IdMap>,
}

impl Tree {
    /// Takes a directory as root. `map` says how the ids on disk were shifted, when they were.
    pub fn new(root: Rooted, links: Links, map: Option<IdMap>) -> Tree {
        Tree { root, links, inward: map.as_ref().map(IdMap::reversed), outward: map }
    }

    /// The descriptors that it works with, for a process that closes all others.
    pub fn descriptors(&self) -> [std::os::fd::RawFd; 2] {
        [self.root.as_fd().as_raw_fd(), self.links.0.as_raw_fd()]
    }

    fn owner(&self, uid: u32, gid: u32) -> (u32, u32) {
        match &self.inward {
            Some(map) => (map.uid(uid).unwrap_or(NOBODY), map.gid(gid).unwrap_or(NOBODY)),
            None => (uid, gid),
        }
    }

    fn owner_on_disk(&self, uid: u32, gid: u32) -> io::Result<(u32, u32)> {
        let Some(map) = &self.outward else { return Ok((uid, gid)) };
        let unmapped = || io::Error::from(Errno::INVAL);
        Ok((map.uid(uid).ok_or_else(unmapped)?, map.gid(gid).ok_or_else(unmapped)?))
    }

    fn attributes_of(&self, fd: impl AsFd) -> io::Result<Attributes> {
        let stat = rustix::fs::fstat(fd)?;
        Ok(Attributes::of(&stat, self.owner(stat.st_uid, stat.st_gid)))
    }

    /// A descriptor that only names the entry at `path`.
    fn entry(&self, path: &Path, follow: bool) -> io::Result<OwnedFd> {
        let flags = if follow { OFlags::PATH } else { OFlags::PATH | OFlags::NOFOLLOW };
        self.root.open_fd(path, flags, Mode::empty())
    }

    /// What is at `path`.
    ///
    /// # Errors
    /// What openat2(2) says.
    pub fn stat(&self, path: &Path, follow: bool) -> io::Result<Attributes> {
        self.attributes_of(self.entry(path, follow)?)
    }

    /// What an open file is.
    ///
    /// # Errors
    /// What fstat(2) says.
    pub fn stat_open(&self, file: impl AsFd) -> io::Result<Attributes> {
        self.attributes_of(file)
    }

    /// What the entry `name` of an open directory is.
    ///
    /// # Errors
    /// What fstatat(2) says.
    pub fn stat_in(&self, directory: impl AsFd, name: &std::ffi::CStr) -> io::Result<Attributes> {
        let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Attributes::of(&stat, self.owner(stat.st_uid, stat.st_gid)))
    }

    /// Opens the regular file at `path`, making it when `flags` has `CREATE`. What is no regular file is never opened: a
    /// FIFO would keep us waiting, and a device could do anything.
    ///
    /// # Errors
    /// What openat2(2) says; `EISDIR` for a directory, `ENXIO` for other things.
    pub fn open(&self, path: &Path, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        match self.entry(path, true) {
            Ok(_) if flags.contains(OFlags::CREATE | OFlags::EXCL) => Err(Errno::EXIST.into()),
            Ok(entry) => self.reopen(&entry, flags - (OFlags::CREATE | OFlags::EXCL)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && flags.contains(OFlags::CREATE) => {
                // Whatever somebody puts there meanwhile is not waited for, and looked at before it is used.
                let patient = flags | OFlags::NONBLOCK | OFlags::NOCTTY;
                let made = self.root.open_fd(path, patient - OFlags::TRUNC, mode)?;
                regular(&made)?;
                if flags.contains(OFlags::TRUNC) {
                    rustix::fs::ftruncate(&made, 0)?;
                }
                Ok(made)
            }
            Err(error) => Err(error),
        }
    }

    /// Opens for good what a descriptor only names.
    fn reopen(&self, entry: &OwnedFd, flags: OFlags) -> io::Result<OwnedFd> {
        regular(entry)?;
        let name = entry.as_raw_fd().to_string();
        let flags = flags | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        Ok(rustix::fs::openat(&self.links.0, name, flags, Mode::empty())?)
    }

    /// Opens a directory to list it.
    ///
    /// # Errors
    /// What openat2(2) says.
    pub fn directory(&self, path: &Path) -> io::Result<Directory> {
        self.root.directory(path)
    }

    /// Changes what `wanted` names of the file at `path`, following links.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn change(&self, path: &Path, wanted: &Attributes) -> io::Result<()> {
        self.change_entry(&self.entry(path, true)?, wanted)
    }

    /// The same for an open file, or a descriptor that only names one.
    ///
    /// # Errors
    /// What the kernel says; `EINVAL` for owners that the container does not have.
    pub fn change_entry(&self, entry: &OwnedFd, wanted: &Attributes) -> io::Result<()> {
        if let Some(size) = wanted.size {
            rustix::fs::ftruncate(self.reopen(entry, OFlags::WRONLY)?, size)?;
        }
        if let Some((uid, gid)) = wanted.owner {
            // The largest number stands for "as it is", as in chown(2).
            let keep = |id: u32| id == u32::MAX;
            let (host_uid, host_gid) =
                self.owner_on_disk(if keep(uid) { 0 } else { uid }, if keep(gid) { 0 } else { gid })?;
            let uid = (!keep(uid)).then(|| Uid::from_raw(host_uid));
            let gid = (!keep(gid)).then(|| Gid::from_raw(host_gid));
            rustix::fs::chownat(entry, "", uid, gid, AtFlags::EMPTY_PATH)?;
        }
        // After the owner: a change of owner takes the set-user-id bit away.
        if let Some(mode) = wanted.permissions() {
            let name = entry.as_raw_fd().to_string();
            rustix::fs::chmodat(&self.links.0, name, Mode::from_raw_mode(mode), AtFlags::empty())?;
        }
        if let Some((access, change)) = wanted.times {
            let time = |seconds: u32| Timespec { tv_sec: i64::from(seconds), tv_nsec: 0 };
            let times = Timestamps { last_access: time(access), last_modification: time(change) };
            rustix::fs::utimensat(entry, "", &times, AtFlags::EMPTY_PATH)?;
        }
        Ok(())
    }

    /// Makes a directory of root's.
    ///
    /// # Errors
    /// What mkdirat(2) says.
    pub fn mkdir(&self, path: &Path, mode: Mode) -> io::Result<()> {
        let (parent, name) = self.root.parent(path)?;
        parent.mkdir(name, mode)?;
        if self.outward.is_some() {
            let (uid, gid) = self.owner_on_disk(0, 0)?;
            parent.chown(name, uid, gid)?;
        }
        Ok(())
    }

    /// Makes a directory of root's, and those above it that are missing.
    ///
    /// # Errors
    /// What mkdirat(2) says.
    pub fn mkdir_all(&self, path: &Path, mode: Mode) -> io::Result<()> {
        self.root.mkdir_all(path, mode, Some(self.owner_on_disk(0, 0)?))
    }

    /// Gives what was made by us to the container's root, where our own root is another.
    ///
    /// # Errors
    /// What fchown(2) says.
    pub fn adopt(&self, file: &OwnedFd) -> io::Result<()> {
        if self.outward.is_none() {
            return Ok(());
        }
        self.change_entry(file, &Attributes { owner: Some((0, 0)), ..Attributes::default() })
    }

    /// Whether anything is at `path`, links followed.
    pub fn exists(&self, path: &Path) -> bool {
        self.entry(path, true).is_ok()
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// What symlinkat(2) says.
    pub fn symlink(&self, target: &Path, path: &Path) -> io::Result<()> {
        let (parent, name) = self.root.parent(path)?;
        parent.symlink(target.as_os_str(), name)?;
        if self.outward.is_some() {
            let (uid, gid) = self.owner_on_disk(0, 0)?;
            parent.chown(name, uid, gid)?;
        }
        Ok(())
    }

    /// Where a symbolic link leads.
    ///
    /// # Errors
    /// What readlinkat(2) says.
    pub fn read_link(&self, path: &Path) -> io::Result<OsString> {
        let (parent, name) = self.root.parent(path)?;
        parent.readlink(name)
    }

    /// Removes a file, or an empty directory.
    ///
    /// # Errors
    /// What unlinkat(2) says.
    pub fn remove(&self, path: &Path, directory: bool) -> io::Result<()> {
        let (parent, name) = self.root.parent(path)?;
        if directory { parent.rmdir(name) } else { parent.unlink(name) }
    }

    /// Gives an entry another name; what stands there is replaced only when `replace` says so.
    ///
    /// # Errors
    /// What renameat2(2) says.
    pub fn rename(&self, from: &Path, to: &Path, replace: bool) -> io::Result<()> {
        let (from_parent, from_name) = self.root.parent(from)?;
        let (to_parent, to_name) = self.root.parent(to)?;
        let flags = if replace { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        Ok(rustix::fs::renameat_with(&from_parent, from_name, &to_parent, to_name, flags)?)
    }

    /// Gives a file a second name.
    ///
    /// # Errors
    /// What linkat(2) says.
    pub fn hardlink(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.root.hardlink(from, to)
    }

    /// How full the file system at `path` is.
    ///
    /// # Errors
    /// What fstatvfs(3) says.
    pub fn space(&self, path: &Path) -> io::Result<rustix::fs::StatVfs> {
        Ok(rustix::fs::fstatvfs(self.entry(path, true)?)?)
    }
}

fn regular(fd: impl AsFd) -> io::Result<()> {
    match FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode) {
        FileType::RegularFile => Ok(()),
        FileType::Directory => Err(Errno::ISDIR.into()),
        _ => Err(Errno::NXIO.into()),
    }
}

/// A path as written: absolute, without `.`, `..` and doubled slashes. Links are not looked at.
pub fn clean(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut clean = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            _ => {}
        }
    }
    clean
}
