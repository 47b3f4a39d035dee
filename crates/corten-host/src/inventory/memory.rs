//! Memory: the host's and each memory node's, with huge pages.

use std::collections::BTreeMap;
use std::path::Path;

use super::sysfs::{names, number, text};
use crate::file;
use crate::proc::memory as proc;

/// Memory in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct Memory {
    pub nodes: Vec<Node>,
    pub hugepages_total: u64,
    pub hugepages_used: u64,
    pub hugepages_size: u64,
    pub used: u64,
    pub total: u64,
}

/// Memory of one node in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct Node {
    pub numa_node: u64,
    pub hugepages_used: u64,
    pub hugepages_total: u64,
    pub used: u64,
    pub total: u64,
}

/// The memory of this host.
///
/// # Errors
/// [`file::Error`] when /proc/meminfo cannot be read.
pub fn read() -> Result<Memory, file::Error> {
    Ok(of(Path::new("/sys/devices/system"), &file::read("/proc/meminfo")?))
}

/// The memory below `dir` (/sys/devices/system), with the text of /proc/meminfo.
pub fn of(dir: &Path, meminfo: &str) -> Memory {
    let blocks = dir.join("memory");
    let block = text(blocks.join("block_size_bytes")).and_then(|size| u64::from_str_radix(&size, 16).ok()).unwrap_or(0);
    let info = proc::parse(meminfo);
    let get = |info: &BTreeMap<String, u64>, key: &str| info.get(key).copied().unwrap_or(0);
    let page = get(&info, "Hugepagesize");
    let huge = |info: &BTreeMap<String, u64>| {
        let (all, free) = (get(info, "HugePages_Total"), get(info, "HugePages_Free"));
        (all * page, all.saturating_sub(free) * page)
    };
    let total = whole(&blocks, block).unwrap_or_else(|| get(&info, "MemTotal"));
    let unused = ["MemFree", "Cached", "Buffers"].iter().map(|key| get(&info, key)).sum::<u64>();
    let (hugepages_total, hugepages_used) = huge(&info);
    let node = |name: String| {
        let numa_node = name.strip_prefix("node")?.parse().ok()?;
        let path = dir.join("node").join(name);
        let info = proc::parse(&text(path.join("meminfo"))?);
        let (hugepages_total, hugepages_used) = huge(&info);
        let total = whole(&path, block).unwrap_or_else(|| get(&info, "MemTotal"));
        Some(Node { numa_node, hugepages_used, hugepages_total, used: get(&info, "MemUsed"), total })
    };
    let nodes = names(dir.join("node")).into_iter().filter_map(node).collect();
    Memory { nodes, hugepages_total, hugepages_used, hugepages_size: page, used: total.saturating_sub(unused), total }
}

/// What the kernel counts is without its own part; blocks of memory that are on add up to the whole.
fn whole(dir: &Path, block: u64) -> Option<u64> {
    let is_on = |name: &String| name.starts_with("memory") && number(dir.join(name).join("online")) == Some(1);
    let count = names(dir).iter().filter(|name| is_on(name)).count() as u64;
    Some(count * block).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn memory_is_counted_in_blocks_and_huge_pages_in_bytes() {
        let dir = std::env::temp_dir().join(format!("corten-memory-{}", std::process::id()));
        for (path, content) in [
            ("memory/block_size_bytes", "100000"),
            ("memory/memory0/online", "1"),
            ("memory/memory1/online", "1"),
            ("memory/memory2/online", "0"),
            ("node/node1/meminfo", "Node 1 MemTotal: 512 kB\nNode 1 MemUsed: 256 kB\nNode 1 HugePages_Total: 1\n"),
        ] {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().expect("has one")).expect("temporary directory");
            fs::write(path, content).expect("writable");
        }
        let info = "MemTotal: 1024 kB\nMemFree: 512 kB\nCached: 256 kB\nBuffers: 128 kB\nHugePages_Total: 3\nHugePages_Free: 1\nHugepagesize: 2048 kB\n";
        let memory = of(&dir, info);
        let small = of(&dir.join("missing"), info);
        fs::remove_dir_all(&dir).expect("removable");
        assert_eq!((memory.total, memory.used), (2 << 20, (2 << 20) - 896 * 1024));
        assert_eq!((memory.hugepages_total, memory.hugepages_used, memory.hugepages_size), (6 << 20, 4 << 20, 2 << 20));
        let node =
            Node { numa_node: 1, hugepages_used: 2 << 20, hugepages_total: 2 << 20, used: 256 << 10, total: 512 << 10 };
        assert_eq!(memory.nodes, [node]);
        assert_eq!((small.total, small.used), (1 << 20, 128 << 10));
        assert!(read().expect("readable").total > 0);
    }
}
