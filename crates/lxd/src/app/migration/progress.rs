//! How much of a volume has gone over, in the metadata of the operation.

use std::time::{Duration, Instant};

use crate::app::images::progress::byte_size;
use crate::rest::operation::Op;

/// How often it is told.
const EVERY: Duration = Duration::from_secs(1);

/// Counts the bytes of one volume.
pub struct Progress<'a> {
    op: &'a Op,
    name: &'a str,
    begun: Instant,
    told: Instant,
    bytes: u64,
}

impl<'a> Progress<'a> {
    /// Begins to count for the volume `name`.
    pub fn new(op: &'a Op, name: &'a str) -> Progress<'a> {
        let now = Instant::now();
        Progress { op, name, begun: now, told: now, bytes: 0 }
    }

    /// Takes note of some more bytes.
    pub fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            self.op.set_metadata("fs_progress", line(self.name, self.bytes, self.begun.elapsed()));
        }
    }
}

/// `NAME: BYTES (BYTES/s)`.
fn line(name: &str, bytes: u64, time: Duration) -> String {
    let speed = u128::from(bytes) * 1000 / time.as_millis().max(1);
    let speed = byte_size(u64::try_from(speed).unwrap_or(u64::MAX));
    format!("{name}: {} ({speed}/s)", byte_size(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_lxds() {
        assert_eq!(line("c1", 3_000_000, Duration::from_secs(2)), "c1: 3.00MB (1.50MB/s)");
        assert_eq!(line("c1/snap0", 10, Duration::ZERO), "c1/snap0: 10B (10.00kB/s)");
    }
}
