//! Bytes that a project may still be sent: readers and writers that fail when there are more.

use std::io::{Error, Read, Result, Write};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bytes may pass, over all readers and writers that share it.
#[derive(Debug, Default)]
pub struct Quota {
    limit: Option<u64>,
    had: AtomicU64,
}

impl Quota {
    /// So many bytes; `None` for any number.
    pub fn new(limit: Option<u64>) -> Quota {
        Quota { limit, had: AtomicU64::new(0) }
    }

    /// A reader or writer whose bytes count.
    pub fn meter<T>(&self, of: T) -> Metered<'_, T> {
        Metered { of, quota: self }
    }

    fn take(&self, bytes: usize) -> Result<()> {
        let had = self.had.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        match self.limit {
            Some(limit) if had > limit => Err(Error::other(format!("reached {had} bytes, exceeding quota of {limit}"))),
            _ => Ok(()),
        }
    }
}

/// A reader or writer whose bytes count against a [`Quota`].
pub struct Metered<'q, T> {
    of: T,
    quota: &'q Quota,
}

impl<T: Read> Read for Metered<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let length = self.of.read(buffer)?;
        self.quota.take(length)?;
        Ok(length)
    }
}

impl<T: Write> Write for Metered<'_, T> {
    fn write(&mut self, data: &[u8]) -> Result<usize> {
        self.quota.take(data.len())?;
        self.of.write(data)
    }

    fn flush(&mut self) -> Result<()> {
        self.of.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_quota_fails() {
        let quota = Quota::new(Some(10));
        let mut kept = Vec::new();
        quota.meter(&mut kept).write_all(b"123456").expect("six of ten");
        let mut more = Vec::new();
        quota.meter(&b"7890"[..]).read_to_end(&mut more).expect("ten of ten");
        let error = quota.meter(&mut kept).write_all(b"x").expect_err("eleven of ten");
        assert_eq!(error.to_string(), "reached 11 bytes, exceeding quota of 10");
        assert_eq!((kept.len(), more.len()), (6, 4));
    }

    #[test]
    fn without_a_limit_everything_passes() {
        let quota = Quota::new(None);
        quota.meter(std::io::sink()).write_all(&[0; 4096]).expect("no limit");
    }
}
