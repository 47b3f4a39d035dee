//! Pieces of files waiting to be written, and the threads that write them.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::file::{Block, Unpacker};
use super::fragments::Fragments;
use super::metadata::outside;
use super::superblock::Superblock;
use super::tree::{Folder, Target, failed};
use crate::error::{Error, Result};
use crate::tar::Entry;
use crate::unpack::Options;
use crate::watch::{Progress, Watch};

/// How many pieces may wait: enough that no thread runs dry, few enough that what waits is small.
const WAITING: usize = 64;

/// How many blocks a piece has at most.
pub const PIECE: usize = 32;

/// A piece of a file.
pub struct Job {
    /// The file.
    pub to: To,
    /// Where in it the piece begins.
    pub offset: u64,
    /// Position of its first block in the squashfs; the others follow.
    pub position: u64,
    /// The stored sizes of its blocks.
    pub blocks: Vec<u32>,
    /// The fragment with the file's end, and where in it that is.
    pub end: Option<(Block, u32)>,
}

impl Job {
    /// The position behind the blocks of these sizes that begin at `position`.
    ///
    /// # Errors
    /// [`Error::Damaged`] when no file is that large.
    pub fn behind(position: u64, blocks: &[u32]) -> Result<u64> {
        blocks.iter().try_fold(position, |position, stored| Block { position, stored: *stored }.end())
    }
}

/// Where a piece goes.
pub enum To {
    /// Into a file that has no other piece and is made with it.
    New(Arc<Folder>, OsString, Entry),
    /// Into one that is there.
    Open(Arc<Target>),
}

/// What all threads share.
pub struct Jobs<'a> {
    file: Arc<File>,
    superblock: Superblock,
    options: &'a Options<'a>,
    watch: Watch<'a>,
    fragments: Fragments,
    queue: Mutex<Queue>,
    more: Condvar,
    /// Bytes read of the squashfs, and written.
    read: AtomicU64,
    written: AtomicU64,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    closed: bool,
    failure: Option<Error>,
}

impl<'a> Jobs<'a> {
    /// No jobs yet, for this many threads.
    pub fn new(
        file: Arc<File>,
        superblock: Superblock,
        options: &'a Options<'a>,
        watch: Watch<'a>,
        threads: usize,
    ) -> Self {
        Jobs {
            file,
            superblock,
            options,
            watch,
            fragments: Fragments::new(superblock.block_size, threads),
            queue: Mutex::default(),
            more: Condvar::new(),
            read: AtomicU64::new(0),
            written: AtomicU64::new(0),
        }
    }

    /// Adds a job. When too many wait, the caller, whose `unpacker` is given, does one of them first.
    ///
    /// # Errors
    /// Why any job failed: then no further one makes sense.
    pub fn add(&self, job: Job, unpacker: &mut Unpacker) -> Result<()> {
        let mut queue = self.queue();
        while queue.waiting.len() >= WAITING {
            let Some(first) = queue.waiting.pop_front() else { break };
            drop(queue);
            self.carry_out(first, unpacker)?;
            queue = self.queue();
        }
        if let Some(failure) = queue.failure.take() {
            return Err(failure);
        }
        queue.waiting.push_back(job);
        drop(queue);
        self.more.notify_one();
        Ok(())
    }

    /// Says that no more jobs come; those that wait are not done when `failed`.
    pub fn close(&self, failed: bool) {
        let mut queue = self.queue();
        queue.closed = true;
        if failed {
            queue.waiting.clear();
        }
        drop(queue);
        self.more.notify_all();
    }

    /// Does jobs until no more come.
    pub fn work(&self, unpacker: &mut Unpacker) {
        while let Some(job) = self.next() {
            if let Err(error) = self.carry_out(job, unpacker) {
                let mut queue = self.queue();
                queue.failure.get_or_insert(error);
                queue.waiting.clear();
            }
        }
    }

    /// How many bytes were written, after all threads have returned.
    ///
    /// # Errors
    /// Why one of them failed.
    pub fn outcome(&self) -> Result<u64> {
        match self.queue().failure.take() {
            Some(failure) => Err(failure),
            None => Ok(self.written.load(Ordering::Relaxed)),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if let Some(job) = queue.waiting.pop_front() {
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn carry_out(&self, job: Job, unpacker: &mut Unpacker) -> Result<()> {
        self.watch.check()?;
        let target = match job.to {
            To::Open(target) => target,
            To::New(folder, name, entry) => {
                let file = folder.create(&name, &entry.path)?;
                Arc::new(Target { file, entry, folder })
            }
        };
        let (mut offset, mut position) = (job.offset, job.position);
        let block_size = self.superblock.block_size as u64;
        for stored in job.blocks {
            let block = Block { position, stored };
            let wanted = (target.entry.size - offset).min(block_size);
            if stored != 0 {
                self.watch.check()?;
                let data = unpacker.whole(&self.file, block, wanted as usize)?;
                self.write(&target, data, offset)?;
                self.seen(block);
            }
            (offset, position) = (offset + wanted, block.end()?);
        }
        if let Some((block, begin)) = job.end {
            let fragment = self.fragments.get(block.position, || {
                self.seen(block);
                unpacker.any(&self.file, block).map(Arc::from)
            })?;
            let begin = begin as usize;
            let wanted = (target.entry.size - offset) as usize;
            let data = fragment.get(begin..begin + wanted).ok_or_else(outside)?;
            self.write(&target, data, offset)?;
        }
        Target::give_back(target, self.options.shift)
    }

    fn write(&self, target: &Target, data: &[u8], offset: u64) -> Result<()> {
        let written = self.written.fetch_add(data.len() as u64, Ordering::Relaxed) + data.len() as u64;
        if written > self.options.limits.bytes {
            return Err(Error::TooLarge { what: "bytes", limit: self.options.limits.bytes });
        }
        target.file.write_all_at(data, offset).map_err(|source| failed("write", &target.entry.path, source))
    }

    /// Tells about each MiB that was read. A block that two files share is read twice.
    fn seen(&self, block: Block) {
        let length = u64::from(block.length());
        let before = self.read.fetch_add(length, Ordering::Relaxed);
        let total = self.superblock.used;
        if let Some(tell) = self.watch.progress
            && before >> 20 != (before + length) >> 20
        {
            tell(Progress { done: (before + length).min(total), total });
        }
    }
}
