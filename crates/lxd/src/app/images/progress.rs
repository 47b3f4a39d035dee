//! How far a transfer is, in LXD's words.

use std::time::Instant;

use crate::rest::operation::Op;

/// Tells an operation how far a download is.
pub struct Progress<'a> {
    op: &'a Op,
    /// Names of the files that come one after the other; empty when they come as one.
    names: &'static [&'static str],
    begun: Instant,
    file: usize,
    had: u64,
    told: Option<String>,
}

impl<'a> Progress<'a> {
    /// Begins. A server of simplestreams sends the image's files apart.
    pub fn new(op: &'a Op, protocol: &str) -> Progress<'a> {
        let names: &[&str] = if protocol == "simplestreams" { &["metadata", "rootfs"] } else { &[] };
        Progress { op, names, begun: Instant::now(), file: 0, had: 0, told: None }
    }

    /// Takes note of bytes had and expected (0 when that is not known).
    pub fn see(&mut self, had: u64, expected: u64) {
        if had < self.had {
            // The next file has begun.
            self.file += 1;
            self.begun = Instant::now();
        }
        self.had = had;
        let milliseconds = self.begun.elapsed().as_millis().max(1);
        let speed = u128::from(had) * 1000 / milliseconds;
        let name = self.names.get(self.file).map(|name| format!("{name}: ")).unwrap_or_default();
        let percent = (had * 100).checked_div(expected);
        let head = match percent {
            Some(percent) => format!("{name}{percent}%"),
            // Without a length LXD tells every further megabyte.
            None => format!("{name}{}MB", had / 1_000_000),
        };
        if self.told.as_ref() != Some(&head) {
            let speed = byte_size(u64::try_from(speed).unwrap_or(u64::MAX));
            self.op.set_metadata("download_progress", format!("{head} ({speed}/s)"));
            self.told = Some(head);
        }
    }
}

/// A number of bytes with two digits after the point, as LXD writes it: `999B`, `1.50kB`.
pub fn byte_size(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes}B");
    }
    let mut value = bytes as f64;
    for unit in ["kB", "MB", "GB", "TB", "PB"] {
        value /= 1000.0;
        if value < 1000.0 {
            return format!("{value:.2}{unit}");
        }
    }
    format!("{:.2}EB", value / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_lxd_writes_them() {
        for (bytes, wanted) in
            [(0, "0B"), (999, "999B"), (1500, "1.50kB"), (25_000_000, "25.00MB"), (u64::MAX, "18.45EB")]
        {
            assert_eq!(byte_size(bytes), wanted);
        }
    }
}
