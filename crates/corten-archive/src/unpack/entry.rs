//! Writing one entry after the other.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use corten_host::rooted::Rooted;
use rustix::fs::{FileType, makedev};

use super::attributes::{self, Made, is_top};
use super::place::{Tree, clean};
use super::{CLOSED_DIRECTORY, CLOSED_FILE, Options, Totals};
use crate::error::{Error, Result};
use crate::tar::{Entry, Kind};

/// How many bytes of attributes directories may have altogether: they are kept in memory until the end, and an archive of
/// zeros is small however many there are.
const MOST_HELD: u64 = 64 << 20;

/// An archive on its way to disk.
pub struct Unpacking<'a> {
    tree: Tree,
    options: &'a Options<'a>,
    totals: Totals,
    /// Directories get their permissions and times in the end: they are written into until then.
    directories: HashMap<PathBuf, Entry>,
    /// Bytes of attributes that directories were given so far.
    held: u64,
    buffer: Vec<u8>,
}

impl<'a> Unpacking<'a> {
    /// Begins to unpack below `root`.
    pub fn new(root: &Rooted, options: &'a Options<'a>) -> Result<Self> {
        let tree = Tree::new(root)?;
        Ok(Unpacking {
            tree,
            options,
            totals: Totals::default(),
            directories: HashMap::new(),
            held: 0,
            buffer: vec![0; 128 << 10],
        })
    }

    /// Writes an entry whose data `data` gives.
    pub fn take(&mut self, entry: &Entry, data: &mut impl Read) -> Result<()> {
        self.totals.entries += 1;
        if self.totals.entries > self.options.limits.entries {
            return Err(Error::TooLarge { what: "entries", limit: self.options.limits.entries });
        }
        let whole = clean(&entry.path)?;
        let Ok(path) = whole.strip_prefix(self.options.below) else { return Ok(()) };
        let path = path.to_path_buf();
        if self.options.only.is_some_and(|picks| !picks(&path)) {
            return Ok(());
        }
        self.totals.unpacked += 1;
        attributes::owner(entry, self.options.shift)?;
        match entry.kind {
            Kind::Directory => self.directory(path, entry),
            _ if is_top(&path) => Err(Error::refused(&entry.path, "the archive's root must be a directory")),
            Kind::File => self.file(&path, entry, data),
            Kind::HardLink => self.hard_link(&path, entry),
            Kind::Symlink => self.symlink(&path, entry),
            Kind::Character | Kind::Block | Kind::Fifo => self.node(&path, entry),
        }
    }

    /// Sets what was put off, and says how much was written.
    pub fn finish(mut self) -> Result<Totals> {
        let mut directories: Vec<_> = std::mem::take(&mut self.directories).into_iter().collect();
        // The deepest first: a directory may be closed to whoever unpacks once it has its own permissions.
        directories.sort_unstable_by(|one, other| other.0.cmp(&one.0));
        for (path, entry) in directories {
            if is_top(&path) {
                let top = self.tree.top();
                let top = top.map_err(|source| Error::writing("Failed to open the root".to_string(), source))?;
                attributes::apply(&Made::Open(top.as_fd()), &entry, self.options.shift)?;
                continue;
            }
            let (parent, name) = self.tree.place(&path, false)?;
            let stat = parent.find(name).map_err(|source| failed("look at", &path, source))?;
            // A later entry may have put something else there.
            if stat.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory) {
                let directory = parent.enter(name).map_err(|source| failed("open", &path, source))?;
                attributes::apply(&Made::Open(directory.as_fd()), &entry, self.options.shift)?;
            }
        }
        Ok(self.totals)
    }

    fn directory(&mut self, path: PathBuf, entry: &Entry) -> Result<()> {
        let bytes = entry.xattrs.iter().map(|(name, value)| (name.len() + value.len()) as u64).sum::<u64>();
        self.held += bytes;
        if self.held > MOST_HELD {
            return Err(Error::TooLarge { what: "bytes of directories' attributes", limit: MOST_HELD });
        }
        if !is_top(&path) && !self.tree.make_room(&path, true)?.stays() {
            let (parent, name) = self.tree.place(&path, true)?;
            parent.mkdir(name, CLOSED_DIRECTORY).map_err(|source| failed("make directory", &path, source))?;
        }
        self.directories.insert(path, entry.clone());
        Ok(())
    }

    fn file(&mut self, path: &Path, entry: &Entry, data: &mut impl Read) -> Result<()> {
        self.replace(path)?;
        let (parent, name) = self.tree.place(path, true)?;
        let mut file = parent.create(name, CLOSED_FILE).map_err(|source| failed("create", path, source))?;
        let whole = [(0, entry.size)];
        for (offset, length) in entry.sparse.as_deref().unwrap_or(&whole) {
            file.seek(SeekFrom::Start(*offset)).map_err(|source| failed("write", path, source))?;
            let mut left = *length;
            while left > 0 {
                let piece = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let read = data.read(&mut self.buffer[..piece]).map_err(Error::reading)?;
                if read == 0 {
                    return Err(Error::Damaged("it ends too early".to_string()));
                }
                self.totals.bytes += read as u64;
                if self.totals.bytes > self.options.limits.bytes {
                    return Err(Error::TooLarge { what: "bytes", limit: self.options.limits.bytes });
                }
                file.write_all(&self.buffer[..read]).map_err(|source| failed("write", path, source))?;
                left -= read as u64;
            }
        }
        if entry.sparse.is_some() {
            file.set_len(entry.size).map_err(|source| failed("write", path, source))?;
        }
        attributes::apply(&Made::Open(file.as_fd()), entry, self.options.shift)
    }

    fn hard_link(&mut self, path: &Path, entry: &Entry) -> Result<()> {
        let target = clean(&entry.link).map_err(|_| {
            let target = entry.link.display();
            Error::refused(&entry.path, format!("it is a hard link to \"{target}\", outside of the archive's root"))
        })?;
        let target = target.strip_prefix(self.options.below).map_err(|_| {
            let target = entry.link.display();
            Error::refused(&entry.path, format!("it is a hard link to \"{target}\", outside of its volume"))
        })?;
        if target == path {
            return Ok(());
        }
        let (parent, name) = self.tree.place(target, false)?;
        let missing = || {
            Error::refused(
                &entry.path,
                format!("it is a hard link to \"{}\", which is not a file of the archive before it", target.display()),
            )
        };
        let stat = parent.find(name).map_err(|source| failed("look at", target, source))?.ok_or_else(missing)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            return Err(missing());
        }
        let fd = parent.as_fd().try_clone_to_owned();
        let from = fd.map_err(|source| failed("open the directory of", target, source))?;
        let from = corten_host::rooted::directory::Directory::from_fd(from);
        self.replace(path)?;
        let (to, to_name) = self.tree.place(path, true)?;
        from.hardlink(name, to, to_name).map_err(|source| failed("link", path, source))
    }

    fn symlink(&mut self, path: &Path, entry: &Entry) -> Result<()> {
        self.replace(path)?;
        let (parent, name) = self.tree.place(path, true)?;
        parent.symlink(entry.link.as_os_str(), name).map_err(|source| failed("make link", path, source))?;
        attributes::apply(&Made::Named(parent, name), entry, self.options.shift)
    }

    fn node(&mut self, path: &Path, entry: &Entry) -> Result<()> {
        let kind = match entry.kind {
            Kind::Character => FileType::CharacterDevice,
            Kind::Block => FileType::BlockDevice,
            _ => FileType::Fifo,
        };
        if !self.options.devices.include(kind, entry.device) {
            self.totals.left_out += 1;
            return Ok(());
        }
        self.replace(path)?;
        let (parent, name) = self.tree.place(path, true)?;
        let device = makedev(entry.device.0, entry.device.1);
        parent.mknod(name, kind, CLOSED_FILE, device).map_err(|source| failed("make device", path, source))?;
        attributes::apply(&Made::Named(parent, name), entry, self.options.shift)
    }

    /// Makes room for something that is no directory.
    fn replace(&mut self, path: &Path) -> Result<()> {
        self.directories.remove(path);
        self.tree.make_room(path, false).map(drop)
    }
}

fn failed(doing: &str, path: &Path, source: std::io::Error) -> Error {
    Error::writing(format!("Failed to {doing} \"{}\"", path.display()), source)
}
