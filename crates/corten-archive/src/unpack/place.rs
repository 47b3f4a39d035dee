//! Where an entry goes: its path checked, its directory open.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use corten_host::rooted::Rooted;
use corten_host::rooted::directory::Directory;
use rustix::fs::{FileType, Mode};
use rustix::io::Errno;

use crate::error::{Error, Result};

/// The tree being written, with the directory of the last entry kept open: entries of one directory follow each other.
pub struct Tree {
    root: Rooted,
    last: Option<(PathBuf, Directory)>,
}

impl Tree {
    /// A tree below `root`, which no link is followed in.
    pub fn new(root: &Rooted) -> Result<Tree> {
        let again = || -> io::Result<Rooted> { Ok(Rooted::from_fd(root.as_fd().try_clone_to_owned()?).refuse_links()) };
        let root = again().map_err(|source| Error::Io { doing: "Failed to open the target".to_string(), source })?;
        Ok(Tree { root, last: None })
    }

    /// The open directory that `path` (as [`clean`] gave it) is an entry of, and its name. With `make`, directories
    /// above that the archive did not bring are made.
    pub fn place<'path>(&mut self, path: &'path Path, make: bool) -> Result<(&Directory, &'path OsStr)> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::refused(path, "it names no file"));
        };
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            let opened = match self.root.directory(parent) {
                Err(error) if make && error.kind() == io::ErrorKind::NotFound => self
                    .root
                    .mkdir_all(parent, Mode::from_raw_mode(0o755), None)
                    .and_then(|()| self.root.directory(parent)),
                opened => opened,
            };
            let directory = opened.map_err(|source| through(path, source))?;
            self.last = Some((parent.to_path_buf(), directory));
        }
        match &self.last {
            Some((_, directory)) => Ok((directory, name)),
            None => Err(Error::refused(path, "its directory cannot be opened")),
        }
    }

    /// The root directory itself.
    pub fn top(&self) -> io::Result<Directory> {
        self.root.directory(Path::new(""))
    }

    /// As [`make_room`], at a path.
    pub fn make_room(&mut self, path: &Path, directory: bool) -> Result<Room> {
        let (parent, name) = self.place(path, true)?;
        let room = make_room(parent, name, path, directory)?;
        if room == Room::WasDirectory {
            // The directory kept open may be the one that went.
            self.last = None;
        }
        Ok(room)
    }
}

/// What was at a place where room was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Nothing, or something that is no directory.
    Free,
    /// An empty directory, which went.
    WasDirectory,
    /// A directory, which stays since one comes.
    Stays,
}

impl Room {
    /// Whether a directory stays.
    pub fn stays(self) -> bool {
        self == Room::Stays
    }
}

/// Makes room for the entry `name` of `parent`, which is `path` to the one who reads an error: what was put there before
/// goes, as a later one replaces it. A directory stays when a directory comes; it goes for anything else when it is
/// empty.
pub fn make_room(parent: &Directory, name: &OsStr, path: &Path, directory: bool) -> Result<Room> {
    let removing = |source| Error::writing(format!("Failed to replace \"{}\"", path.display()), source);
    let Some(stat) = parent.find(name).map_err(removing)? else { return Ok(Room::Free) };
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        parent.unlink(name).map_err(removing)?;
        return Ok(Room::Free);
    }
    if directory {
        return Ok(Room::Stays);
    }
    match parent.rmdir(name) {
        Ok(()) => Ok(Room::WasDirectory),
        Err(error) if error.raw_os_error() == Some(Errno::NOTEMPTY.raw_os_error()) => {
            Err(Error::refused(path, "a directory with files in it has the same path"))
        }
        Err(error) => Err(removing(error)),
    }
}

/// A directory on the way to `path` could not be opened: a link there is the archive's doing.
fn through(path: &Path, source: io::Error) -> Error {
    let link = [Errno::LOOP, Errno::NOTDIR].map(|errno| Some(errno.raw_os_error()));
    if link.contains(&source.raw_os_error()) {
        return Error::refused(path, "its path leads through a link or a file");
    }
    if source.kind() == io::ErrorKind::NotFound {
        return Error::refused(path, "what it leads to is not in the archive before it");
    }
    Error::writing(format!("Failed to open the directory of \"{}\"", path.display()), source)
}

/// The path below the root: without `.` and doubled slashes. Empty for the root itself. A leading slash means the root,
/// as GNU tar takes it (manual, section "Absolute File Names"): images in use have such entries.
///
/// # Errors
/// [`Error::Refused`] for paths with `..`.
pub fn clean(path: &Path) -> Result<PathBuf> {
    let mut clean = OsString::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => {
                if !clean.is_empty() {
                    clean.push("/");
                }
                clean.push(name);
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            Component::ParentDir => {
                return Err(Error::refused(path, "its path has \"..\", and must stay below the archive's root"));
            }
        }
    }
    if clean.as_bytes().len() >= 4096 {
        return Err(Error::refused(path, "its path is longer than 4095 bytes"));
    }
    Ok(PathBuf::from(clean))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_or_refused() {
        for (path, expected) in [
            ("./", ""),
            (".", ""),
            ("/", ""),
            ("./a//b/./c/", "a/b/c"),
            ("..a/b..", "..a/b.."),
            ("/etc/passwd", "etc/passwd"),
            ("//etc/passwd", "etc/passwd"),
        ] {
            assert_eq!(clean(Path::new(path)).expect(path), Path::new(expected), "{path}");
        }
        for path in ["..", "/..", "/../x", "a/../b", "a/..", "./../x"] {
            assert!(clean(Path::new(path)).is_err(), "{path}");
        }
        assert!(clean(Path::new(&"a/".repeat(3000))).is_err());
    }
}
