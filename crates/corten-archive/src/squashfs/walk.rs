//! Unpacking a squashfs: one thread walks the directories and makes all that has no data; together with it others
//! write the files.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use corten_host::rooted::Rooted;
use rustix::fs::FileType;

use super::file::Unpacker;
use super::image::Image;
use super::inode::{Content, Data, Inode};
use super::jobs::{Job, Jobs, PIECE, To};
use super::listing::{Listing, Named};
use super::metadata::Place;
use super::tree::{Folder, Target};
use crate::error::{Error, Result};
use crate::tar::{Entry, Kind};
use crate::unpack::place::Tree;
use crate::unpack::{Options, Totals, attributes};
use crate::watch::Watch;

/// How deep directories may be in each other: each is held open while what is in it is written.
const DEEPEST: usize = 400;

/// As [`unpack::file`](crate::unpack::file) has it.
pub fn unpack(file: &Path, root: &Rooted, options: &Options, watch: Watch) -> Result<Totals> {
    let image = Image::open(file)?;
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 8));
    let jobs = Jobs::new(image.source(), image.superblock(), options, watch, threads);
    let mut unpackers = Vec::new();
    for _ in 1..threads {
        unpackers.push(Unpacker::new(&image.superblock())?);
    }
    let mut unpacker = Unpacker::new(&image.superblock())?;
    let mut walk = Walk::new(image, root, options, &jobs, watch)?;
    let walked = std::thread::scope(|scope| {
        for mut unpacker in unpackers {
            let jobs = &jobs;
            scope.spawn(move || jobs.work(&mut unpacker));
        }
        let mut closing = Closing { jobs: &jobs, failed: true };
        let walked = walk.all(&mut unpacker);
        closing.failed = walked.is_err();
        drop(closing);
        jobs.work(&mut unpacker);
        walked
    });
    walked?;
    walk.totals.bytes = jobs.outcome()?;
    Ok(walk.totals)
}

/// Lets the threads go home, however the walk ends.
struct Closing<'a> {
    jobs: &'a Jobs<'a>,
    failed: bool,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.jobs.close(self.failed);
    }
}

struct Walk<'a> {
    image: Image,
    tree: Tree,
    options: &'a Options<'a>,
    jobs: &'a Jobs<'a>,
    watch: Watch<'a>,
    totals: Totals,
    /// Directories that were entered: none may be entered twice.
    entered: HashSet<Place>,
    /// The first names of what has several.
    names: HashMap<Place, PathBuf>,
}

/// A directory that is being walked.
struct Level {
    folder: Arc<Folder>,
    path: PathBuf,
    listing: Listing,
}

impl<'a> Walk<'a> {
    fn new(
        image: Image,
        root: &Rooted,
        options: &'a Options<'a>,
        jobs: &'a Jobs<'a>,
        watch: Watch<'a>,
    ) -> Result<Walk<'a>> {
        let entered = HashSet::from([image.root_place()?]);
        let (tree, names) = (Tree::new(root)?, HashMap::new());
        Ok(Walk { image, tree, options, jobs, watch, totals: Totals::default(), entered, names })
    }

    fn all(&mut self, unpacker: &mut Unpacker) -> Result<()> {
        let Some(root) = self.image.find(Path::new(self.options.below))? else { return Ok(()) };
        let Content::Directory(..) = root.content else {
            return Err(Error::refused(self.options.below, "the archive's root must be a directory"));
        };
        let top = self.tree.top().map_err(|source| Error::writing("Failed to open the root".to_string(), source))?;
        let entry = self.entry(Path::new(""), &root)?;
        let entry = self.begin(Path::new(""))?.then_some(entry);
        let folder = Arc::new(Folder { directory: top, entry });
        let mut levels = vec![Level { folder, path: PathBuf::new(), listing: self.image.listing(&root)? }];
        while let Some(level) = levels.last_mut() {
            self.watch.check()?;
            let below = match self.image.next(&mut level.listing)? {
                Some(named) => self.take(level, named, unpacker)?,
                None => {
                    if let Some(level) = levels.pop() {
                        Folder::give_back(level.folder, self.options.shift)?;
                    }
                    continue;
                }
            };
            if levels.len() == DEEPEST {
                return Err(Error::TooLarge { what: "directories in each other", limit: DEEPEST as u64 });
            }
            levels.extend(below);
        }
        Ok(())
    }

    /// Counts an entry, and says whether it is wanted.
    fn begin(&mut self, path: &Path) -> Result<bool> {
        self.totals.entries += 1;
        if self.totals.entries > self.options.limits.entries {
            return Err(Error::TooLarge { what: "entries", limit: self.options.limits.entries });
        }
        if path.as_os_str().len() >= 4096 {
            return Err(Error::refused(path, "its path is longer than 4095 bytes"));
        }
        let wanted = self.options.only.is_none_or(|picks| picks(path));
        self.totals.unpacked += u64::from(wanted);
        Ok(wanted)
    }

    /// What is to be written of an inode.
    fn entry(&mut self, path: &Path, inode: &Inode) -> Result<Entry> {
        let (kind, size, link, device) = match &inode.content {
            Content::Directory(..) => (Kind::Directory, 0, PathBuf::new(), (0, 0)),
            Content::File(data) => (Kind::File, data.size, PathBuf::new(), (0, 0)),
            Content::Symlink(target) => (Kind::Symlink, 0, PathBuf::from(target), (0, 0)),
            Content::Block(major, minor) => (Kind::Block, 0, PathBuf::new(), (*major, *minor)),
            Content::Character(major, minor) => (Kind::Character, 0, PathBuf::new(), (*major, *minor)),
            Content::Fifo | Content::Socket => (Kind::Fifo, 0, PathBuf::new(), (0, 0)),
        };
        let xattrs = inode.attributes.map(|set| self.image.attributes(set)).transpose()?.unwrap_or_default();
        let (path, mtime) = (path.to_path_buf(), (i64::from(inode.mtime), 0));
        let (mode, uid, gid) = (inode.mode, inode.uid, inode.gid);
        let entry = Entry { path, kind, mode, uid, gid, mtime, size, link, device, xattrs, sparse: None };
        attributes::owner(&entry, self.options.shift)?;
        Ok(entry)
    }

    /// Writes an entry, or sees to it that it is; gives a directory, to be walked next.
    fn take(&mut self, level: &Level, named: Named, unpacker: &mut Unpacker) -> Result<Option<Level>> {
        let (path, name) = (level.path.join(&named.name), named.name);
        if !self.begin(&path)? {
            return Ok(None);
        }
        let inode = self.image.inode(named.inode)?;
        let has_several = inode.names > 1 && !matches!(inode.content, Content::Directory(..));
        if has_several && self.is_linked(level, named.inode, &name, &path)? {
            return Ok(None);
        }
        let (entry, shift) = (self.entry(&path, &inode)?, self.options.shift);
        match inode.content {
            Content::Directory(..) if !self.entered.insert(named.inode) => {
                return Err(Error::refused(path, "the same directory is in the archive twice"));
            }
            Content::Directory(..) => {
                let folder = Arc::new(level.folder.enter(&name, entry)?);
                return Ok(Some(Level { folder, path, listing: self.image.listing(&inode)? }));
            }
            Content::File(data) => self.file(level, name, entry, data, has_several, unpacker)?,
            Content::Symlink(_) => level.folder.symlink(&name, &entry, shift)?,
            Content::Socket => {
                // It means nothing without its process.
                self.totals.left_out += 1;
                return Ok(None);
            }
            Content::Block(..) | Content::Character(..) | Content::Fifo => {
                let kind = file_type(&inode.content);
                if !self.options.devices.include(kind, entry.device) {
                    self.totals.left_out += 1;
                    return Ok(None);
                }
                level.folder.node(&name, kind, &entry, shift)?;
            }
        }
        if has_several {
            self.names.insert(named.inode, path);
        }
        Ok(None)
    }

    /// Makes a further name of something that is there. False when it is not.
    fn is_linked(&mut self, level: &Level, inode: Place, name: &OsStr, path: &Path) -> Result<bool> {
        let Some(first) = self.names.get(&inode) else { return Ok(false) };
        let (directory, first) = self.tree.place(first, false)?;
        level.folder.link(directory, first, name, path)?;
        Ok(true)
    }

    /// Hands a file on to those who write: in one piece, or in several where it is large.
    fn file(
        &mut self,
        level: &Level,
        name: OsString,
        entry: Entry,
        data: Data,
        has_several: bool,
        unpacker: &mut Unpacker,
    ) -> Result<()> {
        let end = match data.fragment {
            Some((number, offset)) => Some((self.image.fragment(number)?, offset)),
            None => None,
        };
        let (mut sizes, folder) = (data.sizes, level.folder.clone());
        if data.blocks <= PIECE as u64 && !has_several {
            let blocks = self.image.sizes(&mut sizes, data.blocks as usize)?;
            let to = To::New(folder, name, entry);
            return self.jobs.add(Job { to, offset: 0, position: data.start, blocks, end }, unpacker);
        }
        // Its name must be there when the next one is met.
        let target = Arc::new(Target { file: folder.create(&name, &entry.path)?, entry, folder });
        let (mut left, mut offset, mut position) = (data.blocks, 0, data.start);
        loop {
            self.watch.check()?;
            let count = left.min(PIECE as u64) as usize;
            let blocks = self.image.sizes(&mut sizes, count)?;
            left -= count as u64;
            let is_last = left == 0;
            let behind = Job::behind(position, &blocks)?;
            let to = To::Open(target.clone());
            let job = Job { to, offset, position, blocks, end: end.filter(|_| is_last) };
            // A piece that is nothing but a hole needs no writing.
            if is_last || job.blocks.iter().any(|stored| *stored != 0) {
                self.jobs.add(job, unpacker)?;
            }
            if is_last {
                return Target::give_back(target, self.options.shift);
            }
            offset += (count * self.image.superblock().block_size) as u64;
            position = behind;
        }
    }
}

fn file_type(content: &Content) -> FileType {
    match content {
        Content::Block(..) => FileType::BlockDevice,
        Content::Character(..) => FileType::CharacterDevice,
        _ => FileType::Fifo,
    }
}
