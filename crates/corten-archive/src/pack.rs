//! Packing a tree into a tar archive: always the same bytes for the same tree.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use corten_host::rooted::directory::Directory;
use corten_host::xattr::{self, IdShift};
use rustix::fs::{FileType, Mode, OFlags, Stat, major, minor};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::tar::writer::Writer;
use crate::tar::{Entry, Kind};
use crate::watch::Watch;

/// A tar archive being made of trees and single files.
pub struct Pack<'a, W> {
    writer: Writer<W>,
    shift: Option<&'a dyn IdShift>,
    watch: Watch<'a>,
    /// Whether holes are left out.
    sparse: bool,
    /// Where files with several names were first, by device and inode.
    names: HashMap<(u64, u64), PathBuf>,
}

impl<'a, W: Write> Pack<'a, W> {
    /// Begins an archive. `shift` turns the ids on disk into those in the archive; what has none is left out, as LXD
    /// does.
    pub fn new(output: W, shift: Option<&'a dyn IdShift>, watch: Watch<'a>) -> Self {
        Pack { writer: Writer::new(output), shift, watch, sparse: true, names: HashMap::new() }
    }

    /// Adds the file, link or directory with all below it at `from` (whose own path is trusted, and nothing below it)
    /// under the name `to`. Entries come in the order of their names; sockets are left out.
    ///
    /// # Errors
    /// What reading or writing says; [`Error::Cancelled`].
    pub fn tree(&mut self, from: &Path, to: &Path) -> Result<()> {
        let (Some(parent), Some(name)) = (from.parent(), from.file_name()) else {
            return Err(failed(from)(Errno::INVAL.into()));
        };
        let directory = Directory::open(parent).map_err(failed(from))?;
        self.entry(&directory, name, to)
    }

    /// As [`Pack::tree`], of a directory, without the entries `without` at its top.
    ///
    /// # Errors
    /// See [`Pack::tree`].
    pub fn tree_without(&mut self, from: &Path, to: &Path, without: &[&str]) -> Result<()> {
        if without.is_empty() {
            return self.tree(from, to);
        }
        let directory = Directory::open(from).map_err(failed(from))?;
        self.itself(&directory, to)?;
        for (name, _) in directory.entries().map_err(failed(to))? {
            if !without.iter().any(|each| name == *each) {
                self.entry(&directory, &name, &to.join(&name))?;
            }
        }
        Ok(())
    }

    /// Adds a directory without what is in it.
    fn itself(&mut self, directory: &Directory, to: &Path) -> Result<()> {
        let stat = rustix::fs::fstat(directory).map_err(|errno| failed(to)(errno.into()))?;
        let Some((uid, gid)) = self.owner(&stat) else { return Ok(()) };
        let entry = Entry {
            path: to.join(""),
            kind: Kind::Directory,
            mode: stat.st_mode & 0o7777,
            uid,
            gid,
            mtime: (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0)),
            size: 0,
            link: PathBuf::new(),
            device: (0, 0),
            xattrs: self.attributes(directory, OsStr::new("")).map_err(failed(to))?,
            sparse: None,
        };
        self.writer.entry(&entry, &mut io::empty()).map_err(failed(to))
    }

    /// Adds a file of this content, owned by root.
    ///
    /// # Errors
    /// What writing says.
    pub fn file(&mut self, to: &Path, content: &[u8], mode: u32, mtime: i64) -> Result<()> {
        let entry = Entry {
            path: to.to_path_buf(),
            kind: Kind::File,
            mode,
            uid: 0,
            gid: 0,
            mtime: (mtime, 0),
            size: content.len() as u64,
            link: PathBuf::new(),
            device: (0, 0),
            xattrs: Vec::new(),
            sparse: None,
        };
        self.writer.entry(&entry, &mut &content[..]).map_err(failed(to))
    }

    /// Writes holes as zeros from now on: for programs that know only some of the forms that sparse files have.
    pub fn dense(&mut self) -> &mut Self {
        self.sparse = false;
        self
    }

    /// Takes what comes from now on with the ids that it has on disk.
    pub fn unshifted(&mut self) -> &mut Self {
        self.shift = None;
        self
    }

    /// Forgets which files had several names, before another tree whose files must not become links into this one.
    pub fn forget_names(&mut self) {
        self.names.clear();
    }

    /// Writes the end of the archive and gives back what it was written to.
    ///
    /// # Errors
    /// What writing says.
    pub fn finish(self) -> Result<W> {
        self.writer.finish().map_err(failed(Path::new("the end of the archive")))
    }

    fn entry(&mut self, directory: &Directory, name: &OsStr, to: &Path) -> Result<()> {
        self.watch.check()?;
        let Some(stat) = directory.find(name).map_err(failed(to))? else { return Ok(()) };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Symlink,
            FileType::CharacterDevice => Kind::Character,
            FileType::BlockDevice => Kind::Block,
            FileType::Fifo => Kind::Fifo,
            _ => return Ok(()),
        };
        let Some((uid, gid)) = self.owner(&stat) else { return Ok(()) };
        let Some(xattrs) = unless_gone(self.attributes(directory, name), to)? else { return Ok(()) };
        let mut entry = Entry {
            path: to.to_path_buf(),
            kind,
            mode: stat.st_mode & 0o7777,
            uid,
            gid,
            mtime: (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0)),
            size: 0,
            link: PathBuf::new(),
            device: if matches!(kind, Kind::Character | Kind::Block) {
                (major(stat.st_rdev), minor(stat.st_rdev))
            } else {
                (0, 0)
            },
            xattrs,
            sparse: None,
        };
        match kind {
            Kind::File => return self.regular(directory, name, entry, &stat),
            Kind::Symlink => {
                let Some(link) = unless_gone(directory.readlink(name), to)? else { return Ok(()) };
                entry.link = link.into();
                // Links have none of users, and others have no meaning elsewhere.
                entry.xattrs.clear();
            }
            Kind::Directory => return self.directory(directory, name, entry, to),
            _ => {}
        }
        self.writer.entry(&entry, &mut io::empty()).map_err(failed(to))
    }

    fn directory(&mut self, above: &Directory, name: &OsStr, mut entry: Entry, to: &Path) -> Result<()> {
        let Some(directory) = unless_gone(above.enter(name), to)? else { return Ok(()) };
        entry.path.push("");
        self.writer.entry(&entry, &mut io::empty()).map_err(failed(to))?;
        for (name, _) in directory.entries().map_err(failed(to))? {
            self.entry(&directory, &name, &to.join(&name))?;
        }
        Ok(())
    }

    fn regular(&mut self, directory: &Directory, name: &OsStr, mut entry: Entry, stat: &Stat) -> Result<()> {
        let path = entry.path.clone();
        if stat.st_nlink > 1
            && let Some(first) = self.names.get(&(stat.st_dev, stat.st_ino))
        {
            (entry.kind, entry.link) = (Kind::HardLink, first.clone());
            entry.xattrs.clear();
            return self.writer.entry(&entry, &mut io::empty()).map_err(failed(&path));
        }
        let opened = directory.open_fd(name, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty());
        let Some(file) = unless_gone(opened, &path)?.map(File::from) else { return Ok(()) };
        let now = rustix::fs::fstat(&file).map_err(|errno| failed(&path)(errno.into()))?;
        if FileType::from_raw_mode(now.st_mode) != FileType::RegularFile {
            return Ok(());
        }
        if stat.st_nlink > 1 {
            self.names.insert((stat.st_dev, stat.st_ino), path.clone());
        }
        entry.size = now.st_size.cast_unsigned();
        if self.sparse && now.st_blocks.cast_unsigned() * 512 < entry.size {
            entry.sparse = pieces(&file, entry.size).map_err(failed(&path))?;
        }
        let whole = vec![(0, entry.size)];
        let mut data = Pieces { file: &file, pieces: entry.sparse.clone().unwrap_or(whole), at: 0 };
        self.writer.entry(&entry, &mut data).map_err(failed(&path))
    }

    fn owner(&self, stat: &Stat) -> Option<(u32, u32)> {
        match self.shift {
            None => Some((stat.st_uid, stat.st_gid)),
            Some(ids) => ids.uid(stat.st_uid).zip(ids.gid(stat.st_gid)),
        }
    }

    /// Attributes of an entry with their ids turned; those of overlays and security modules stay behind.
    fn attributes(&self, directory: &Directory, name: &OsStr) -> io::Result<Vec<(std::ffi::OsString, Vec<u8>)>> {
        const STAY: [&str; 6] = [
            "trusted.overlay.",
            "user.overlay.",
            "trusted.corten.",
            "security.selinux",
            "security.ima",
            "security.evm",
        ];
        let mut attributes = Vec::new();
        for attribute in xattr::list(directory, name)? {
            let text = attribute.to_string_lossy();
            if STAY.iter().any(|prefix| text.starts_with(prefix)) {
                continue;
            }
            let Some(value) = xattr::get(directory, name, &attribute)? else { continue };
            let value = match self.shift {
                None => Some(value),
                Some(ids) => xattr::shift(&attribute, &value, ids),
            };
            attributes.extend(value.map(|value| (attribute, value)));
        }
        attributes.sort_unstable();
        Ok(attributes)
    }
}

/// Where a file has data; `None` when that is everywhere.
fn pieces(file: &File, size: u64) -> io::Result<Option<Vec<(u64, u64)>>> {
    use rustix::fs::{SeekFrom, seek};
    let (mut pieces, mut at) = (Vec::new(), 0);
    while at < size {
        let start = match seek(file, SeekFrom::Data(at)) {
            Err(Errno::NXIO) => break,
            start => start?,
        };
        let end = seek(file, SeekFrom::Hole(start))?.min(size);
        if start >= end {
            break;
        }
        pieces.push((start, end - start));
        at = end;
    }
    rustix::fs::seek(file, SeekFrom::Start(0))?;
    Ok(Some(pieces).filter(|pieces| pieces.as_slice() != [(0, size)]))
}

/// Reads a file's pieces one after the other.
struct Pieces<'a> {
    file: &'a File,
    pieces: Vec<(u64, u64)>,
    /// How much of the first piece was read.
    at: u64,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some((offset, length)) = self.pieces.first().copied() {
            if self.at == length {
                self.pieces.remove(0);
                self.at = 0;
                continue;
            }
            if self.at == 0 {
                self.file.seek(SeekFrom::Start(offset))?;
            }
            let wanted = buffer.len().min(usize::try_from(length - self.at).unwrap_or(usize::MAX));
            let read = self.file.read(&mut buffer[..wanted])?;
            self.at += read as u64;
            return Ok(read);
        }
        Ok(0)
    }
}

/// What was had of an entry; `None` when it went, or became a link or no directory, since it was looked at: a running
/// container may do so.
fn unless_gone<T>(had: io::Result<T>, path: &Path) -> Result<Option<T>> {
    const GONE: [Errno; 3] = [Errno::NOENT, Errno::LOOP, Errno::NOTDIR];
    match had {
        Err(error) if GONE.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) => Ok(None),
        had => had.map(Some).map_err(failed(path)),
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io { doing: format!("Failed to pack \"{}\"", path.display()), source }
}

#[cfg(test)]
mod tests;
