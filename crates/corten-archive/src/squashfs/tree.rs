//! What is written: directories that stay open while something goes into them, and files whose data several threads bring.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use corten_host::rooted::directory::Directory;
use corten_host::xattr::IdShift;
use rustix::fs::{FileType, makedev};

use crate::error::{Error, Result};
use crate::tar::Entry;
use crate::unpack::attributes::{self, Made};
use crate::unpack::place::make_room;
use crate::unpack::{CLOSED_DIRECTORY, CLOSED_FILE};

/// A directory that is being filled. It gets its own permissions and times when the last one who had it gives it back.
pub struct Folder {
    /// The directory.
    pub directory: Directory,
    /// What it will be; `None` where that is left as it is.
    pub entry: Option<Entry>,
}

impl Folder {
    /// The directory `name` in this one, made or there already.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn enter(&self, name: &OsStr, entry: Entry) -> Result<Folder> {
        let path = entry.path.clone();
        self.made(name, &path, true, || self.directory.mkdir(name, CLOSED_DIRECTORY))?;
        let directory = self.directory.enter(name).map_err(|source| failed("open", &path, source))?;
        Ok(Folder { directory, entry: Some(entry) })
    }

    /// The new and still empty file `name`.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn create(&self, name: &OsStr, path: &Path) -> Result<File> {
        let made = self.made(name, path, false, || self.directory.create(name, CLOSED_FILE))?;
        made.ok_or_else(|| Error::refused(path, "a directory has the same path"))
    }

    /// Makes a link.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn symlink(&self, name: &OsStr, entry: &Entry, shift: Option<&dyn IdShift>) -> Result<()> {
        self.made(name, &entry.path, false, || self.directory.symlink(entry.link.as_os_str(), name))?;
        attributes::apply(&Made::Named(&self.directory, name), entry, shift)
    }

    /// Makes a device node or FIFO.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn node(&self, name: &OsStr, kind: FileType, entry: &Entry, shift: Option<&dyn IdShift>) -> Result<()> {
        let device = makedev(entry.device.0, entry.device.1);
        self.made(name, &entry.path, false, || self.directory.mknod(name, kind, CLOSED_FILE, device))?;
        attributes::apply(&Made::Named(&self.directory, name), entry, shift)
    }

    /// Gives what was made in `directory` a second name here.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn link(&self, directory: &Directory, from: &OsStr, name: &OsStr, path: &Path) -> Result<()> {
        self.made(name, path, false, || directory.hardlink(from, &self.directory, name)).map(drop)
    }

    /// Makes something by `make`, in the place of what may be there from before. `None` when it is a directory, as was
    /// what is there.
    fn made<T>(
        &self,
        name: &OsStr,
        path: &Path,
        directory: bool,
        make: impl Fn() -> io::Result<T>,
    ) -> Result<Option<T>> {
        let made = match make() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if make_room(&self.directory, name, path, directory)?.stays() {
                    return Ok(None);
                }
                make()
            }
            made => made,
        };
        made.map(Some).map_err(|source| failed("make", path, source))
    }

    /// Gives a directory back.
    ///
    /// # Errors
    /// What the kernel says to its attributes.
    pub fn give_back(folder: Arc<Folder>, shift: Option<&dyn IdShift>) -> Result<()> {
        match Arc::into_inner(folder) {
            Some(Folder { directory, entry: Some(entry) }) => {
                attributes::apply(&Made::Open(directory.as_fd()), &entry, shift)
            }
            _ => Ok(()),
        }
    }
}

/// A file that is being written. It gets its size, permissions and times when its last piece is there.
pub struct Target {
    /// The file.
    pub file: File,
    /// What it will be.
    pub entry: Entry,
    /// Where it is.
    pub folder: Arc<Folder>,
}

impl Target {
    /// Gives a file back after a piece of it was written.
    ///
    /// # Errors
    /// What the kernel says to its size and attributes.
    pub fn give_back(target: Arc<Target>, shift: Option<&dyn IdShift>) -> Result<()> {
        let Some(Target { file, entry, folder }) = Arc::into_inner(target) else { return Ok(()) };
        let cut = || -> io::Result<()> {
            // Where it ends in a hole nothing was written.
            if file.metadata()?.len() != entry.size { file.set_len(entry.size) } else { Ok(()) }
        };
        cut().map_err(|source| failed("write", &entry.path, source))?;
        attributes::apply(&Made::Open(file.as_fd()), &entry, shift)?;
        Folder::give_back(folder, shift)
    }
}

/// A failed write to the filesystem.
pub fn failed(doing: &str, path: &Path, source: io::Error) -> Error {
    Error::writing(format!("Failed to {doing} \"{}\"", path.display()), source)
}
