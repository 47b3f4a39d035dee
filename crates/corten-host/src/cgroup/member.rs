//! A group's directory in one hierarchy: its files, its processes, and the groups below it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::layout::Hierarchy;
use super::{Controller, Error, Result, Version};
use crate::file;

/// The group's directory in one hierarchy, held open so that files are reached without a walk.
#[derive(Debug)]
pub struct Member {
    /// The hierarchy it is in.
    pub hierarchy: Hierarchy,
    /// The directory's path.
    pub path: PathBuf,
    dir: OwnedFd,
}

impl Member {
    pub(super) fn create(hierarchy: &Hierarchy, name: &str) -> Result<Option<Member>> {
        let path = hierarchy.base.join(name);
        let mode = Mode::from_raw_mode(0o755);
        match fs::mkdir(&path, mode) {
            Ok(()) => {}
            Err(Errno::ROFS) => return Ok(None),
            Err(Errno::EXIST) => {
                let count = Member::open(hierarchy, name)?.count()?;
                if count > 0 {
                    return Err(Error::InUse { path, count });
                }
                remove_tree(&path)?;
                fs::mkdir(&path, mode).map_err(|errno| file::Error::new("making cgroup", &path, errno))?;
            }
            Err(errno) => return Err(file::Error::new("making cgroup", &path, errno).into()),
        }
        let prepared = Member::open(hierarchy, name).and_then(|member| member.prepare().map(|()| member));
        match prepared {
            Ok(member) => Ok(Some(member)),
            Err(error) => {
                // It has no processes yet, so removal cannot be refused.
                let _ = remove_tree(&path);
                Err(error)
            }
        }
    }

    pub(super) fn open(hierarchy: &Hierarchy, name: &str) -> Result<Member> {
        let path = hierarchy.base.join(name);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir =
            fs::open(&path, flags, Mode::empty()).map_err(|errno| file::Error::new("opening cgroup", &path, errno))?;
        Ok(Member { hierarchy: hierarchy.clone(), path, dir })
    }

    /// What a new group needs before a process may enter it.
    fn prepare(&self) -> Result<()> {
        match self.hierarchy.version {
            Version::V1 if self.hierarchy.controllers.contains(&Controller::CpuSet) => self.inherit_cpuset(),
            Version::V1 => Ok(()),
            Version::V2 => self.enable_controllers(),
        }
    }

    /// A new cpuset of version 1 is empty and refuses processes until it has processors and memory nodes.
    fn inherit_cpuset(&self) -> Result<()> {
        for name in ["cpuset.cpus", "cpuset.mems"] {
            let parent = file::read(self.parent().join(name))?;
            self.set(name, parent.trim())?;
        }
        // Groups that the container makes below need the same and may not know it.
        self.set_if_there("cgroup.clone_children", "1").map(|_| ())
    }

    /// Makes the parent hand the everyday controllers to the new group; others are handed on when a limit needs them,
    /// since each makes groups dearer. One that cannot be handed on (a parent with processes of its own) is missing in
    /// the group, and limits say so.
    fn enable_controllers(&self) -> Result<()> {
        let missing = |controller: &Controller| self.hierarchy.controllers.contains(controller);
        if !EVERYDAY.iter().any(missing) {
            return Ok(());
        }
        let enabled = file::read(self.parent().join("cgroup.subtree_control"))?;
        let names = EVERYDAY.iter().filter(|controller| missing(controller)).filter_map(|one| one.name(Version::V2));
        for name in names.filter(|name| enabled.split_whitespace().all(|on| on != *name)) {
            self.hand_on(name);
        }
        Ok(())
    }

    /// Makes the parent hand the controller of that name to this group, if it can.
    pub(super) fn hand_on(&self, name: &str) {
        // Whether it worked is seen by the files that the group then has or has not.
        let _ = file::set(self.parent().join("cgroup.subtree_control"), &format!("+{name}"));
    }

    fn parent(&self) -> &Path {
        self.path.parent().unwrap_or(&self.hierarchy.base)
    }

    /// The open directory (`O_PATH`).
    pub fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Reads one of the group's files, without white space at its ends.
    ///
    /// # Errors
    /// [`Error::File`]; see [`file::Error::is_not_found`] for a file that this kernel does not have.
    pub fn get(&self, name: &str) -> Result<String> {
        Ok(get(self.dir.as_fd(), &self.path, name)?)
    }

    /// Writes one of the group's files in one piece.
    ///
    /// # Errors
    /// [`Error::File`] naming file and value.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        let wrong = |errno: Errno| file::Error::new(format!("writing {value:?} to"), self.path.join(name), errno);
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let open = fs::openat(&self.dir, name, flags, Mode::empty()).map_err(wrong)?;
        rustix::io::write(&open, value.as_bytes()).map_err(wrong)?;
        Ok(())
    }

    /// Writes one of the group's files; `false` when this kernel does not have it.
    ///
    /// # Errors
    /// See [`Member::set`].
    pub fn set_if_there(&self, name: &str, value: &str) -> Result<bool> {
        match self.set(name, value) {
            Ok(()) => Ok(true),
            Err(Error::File(error)) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the group has a file of that name.
    pub fn has(&self, name: &str) -> bool {
        fs::statat(&self.dir, name, AtFlags::empty()).is_ok()
    }

    /// Moves a process into this directory; on version 2 into its child `.lxc` where the group itself may have none.
    pub(super) fn enter(&self, pid: u32) -> Result<()> {
        match self.set("cgroup.procs", &pid.to_string()) {
            Err(Error::File(error))
                if self.hierarchy.version == Version::V2
                    && error.source.raw_os_error() == Some(Errno::BUSY.raw_os_error()) =>
            {
                let leaf =
                    Member { hierarchy: self.hierarchy.clone(), path: self.path.join(LEAF), dir: self.attach_dir()? };
                leaf.set("cgroup.procs", &pid.to_string())
            }
            outcome => outcome,
        }
    }

    pub(super) fn attach_dir(&self) -> Result<OwnedFd> {
        let hands_on = self.get("cgroup.subtree_control").is_ok_and(|controllers| !controllers.is_empty());
        let name = if hands_on { LEAF } else { "." };
        if hands_on {
            match fs::mkdirat(&self.dir, LEAF, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(file::Error::new("making cgroup", self.path.join(LEAF), errno).into()),
            }
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = fs::openat(&self.dir, name, flags, Mode::empty());
        Ok(dir.map_err(|errno| file::Error::new("opening cgroup", self.path.join(name), errno))?)
    }

    fn count(&self) -> Result<usize> {
        let mut count = 0;
        self.each_dir(&mut |dir, path| {
            count += read_pids(dir, path)?.len();
            Ok(())
        })?;
        Ok(count)
    }

    /// Calls `work` for this directory and all below it. Directories that go away meanwhile are left out.
    pub(super) fn each_dir(&self, work: &mut dyn FnMut(BorrowedFd<'_>, &Path) -> Result<()>) -> Result<()> {
        walk(self.dir.as_fd(), &self.path, work)
    }
}

/// Controllers of version 2 that every group gets: LXD shows figures of them.
const EVERYDAY: [Controller; 5] =
    [Controller::Cpu, Controller::CpuSet, Controller::Memory, Controller::Blkio, Controller::Pids];

/// The child of a group for processes put there from outside, liblxc's name.
const LEAF: &str = ".lxc";

fn walk(dir: BorrowedFd<'_>, path: &Path, work: &mut dyn FnMut(BorrowedFd<'_>, &Path) -> Result<()>) -> Result<()> {
    work(dir, path)?;
    for name in children(path) {
        let child = path.join(&name);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match fs::openat(dir, &name, flags, Mode::empty()) {
            Ok(open) => walk(open.as_fd(), &child, work)?,
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(file::Error::new("opening cgroup", child, errno).into()),
        }
    }
    Ok(())
}

/// Names of the groups in `path`; none when it is gone.
fn children(path: &Path) -> impl Iterator<Item = std::ffi::OsString> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.file_name())
}

pub(super) fn read_pids(dir: BorrowedFd<'_>, path: &Path) -> Result<Vec<u32>> {
    match get(dir, path, "cgroup.procs") {
        Ok(text) => Ok(text.lines().filter_map(|line| line.parse().ok()).collect()),
        // The group went away, or is threaded: its processes are then listed by an ancestor.
        Err(error) if error.is_not_found() || error.source.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(Vec::new()),
        Err(error) if error.source.raw_os_error() == Some(libc::ENODEV) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

fn get(dir: BorrowedFd<'_>, path: &Path, name: &str) -> std::result::Result<String, file::Error> {
    let read = || -> std::io::Result<String> {
        let open = fs::openat(dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut bytes = Vec::with_capacity(512);
        // Not read_to_string, which asks such a file for its size first.
        while rustix::io::read(&open, rustix::buffer::spare_capacity(&mut bytes))? > 0 {
            bytes.reserve(512);
        }
        let text = String::from_utf8(bytes).map_err(std::io::Error::other)?;
        Ok(text.trim().to_string())
    };
    read().map_err(|source| file::Error::new("reading", path.join(name), source))
}

/// Removes the group at `path` and those below it. A group that is gone is as wanted.
pub(super) fn remove_tree(path: &Path) -> Result<()> {
    match fs::rmdir(path) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::BUSY | Errno::NOTEMPTY) => {}
        Err(errno) => return Err(file::Error::new("removing cgroup", path, errno).into()),
    }
    for name in children(path) {
        remove_tree(&path.join(name))?;
    }
    match fs::rmdir(path) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(file::Error::new("removing cgroup", path, errno).into()),
    }
}
