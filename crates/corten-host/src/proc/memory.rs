//! The host's memory: /proc/meminfo.

use std::collections::BTreeMap;

use crate::file;

/// All lines of /proc/meminfo, in bytes; `HugePages_*` are counts.
///
/// # Errors
/// [`file::Error`] when it cannot be read.
pub fn info() -> Result<BTreeMap<String, u64>, file::Error> {
    Ok(parse(&file::read("/proc/meminfo")?))
}

/// Reads the text of a meminfo file, also that of a node below /sys/devices/system/node.
pub fn parse(text: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let (key, value) = line.split_once(':')?;
        // A node's lines begin with "Node 0 ".
        let key = key.rsplit(' ').next()?.to_string();
        Some((key, kibibytes(value.trim()).or_else(|| value.trim().parse().ok())?))
    };
    text.lines().filter_map(line).collect()
}

/// `12 kB` in bytes.
pub(super) fn kibibytes(text: &str) -> Option<u64> {
    text.strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn kilobytes_and_counts() {
        let info = super::parse("MemTotal:        2048 kB\nHugePages_Total:       3\nNode 0 MemFree:  1 kB\nbad\n");
        assert_eq!((info["MemTotal"], info["HugePages_Total"], info["MemFree"]), (2_097_152, 3, 1024));
        assert!(super::info().expect("readable")["MemTotal"] > 0);
    }
}
