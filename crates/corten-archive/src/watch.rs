//! What the one who waits for an archive sees and may do: progress, and asking for an end.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Cancelled, Error, Result};

/// How far the work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the archive, as it is stored, that were read so far.
    pub done: u64,
    /// Bytes of the archive altogether; 0 when that is not known.
    pub total: u64,
}

/// Where progress goes, and the flag that asks for an end. The default watches nothing.
#[derive(Clone, Copy, Default)]
pub struct Watch<'a> {
    /// Set by somebody who wants the work to end with [`Error::Cancelled`].
    pub cancelled: Option<&'a AtomicBool>,
    /// Called about once per MiB read, on any thread.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
}

impl Watch<'_> {
    /// Goes on, unless an end was asked for.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Whether an end was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

/// A stream of `total` bytes that is watched while it is read.
pub struct Watched<'a, R> {
    input: R,
    watch: Watch<'a>,
    done: u64,
    told: u64,
    total: u64,
}

impl<'a, R> Watched<'a, R> {
    /// Watches `input`.
    pub fn new(input: R, total: u64, watch: Watch<'a>) -> Self {
        Watched { input, watch, done: 0, told: 0, total }
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const STEP: u64 = 1 << 20;
        if self.watch.is_cancelled() {
            return Err(io::Error::other(Cancelled));
        }
        let length = self.input.read(buffer)?;
        self.done += length as u64;
        if let Some(tell) = self.watch.progress
            && (self.done >= self.told + STEP || (length == 0 && self.done > self.told))
        {
            self.told = self.done;
            tell(Progress { done: self.done, total: self.total });
        }
        Ok(length)
    }
}
