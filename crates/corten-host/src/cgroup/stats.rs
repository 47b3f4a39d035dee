//! What a group uses of the host, read from the files of either version.

use std::collections::BTreeMap;
use std::path::Path;

use super::group::Group;
use super::knobs::number;
use super::member::Member;
use super::{Controller, Error, Result, Version};
use crate::file;

/// Memory of a group, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// In use now, caches of files included.
    pub usage: u64,
    /// The most that was ever in use; `None` where the kernel does not record it.
    pub peak: Option<u64>,
    /// The hard limit; `None` without one.
    pub limit: Option<u64>,
    /// Swap in use now; `None` where the kernel does not count it.
    pub swap_usage: Option<u64>,
    /// The most swap that was ever in use.
    pub swap_peak: Option<u64>,
    /// The limit of swap beyond the memory.
    pub swap_limit: Option<u64>,
}

/// Processor time of a group on one processor, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// Number of the processor; 0 stands for all of them on version 2, which does not tell them apart.
    pub cpu: u32,
    /// Time in programs.
    pub user: u64,
    /// Time in the kernel on behalf of programs.
    pub system: u64,
}

/// Traffic between a group and one disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskTraffic {
    /// Major and minor number of the disk.
    pub device: (u32, u32),
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Read operations.
    pub reads: u64,
    /// Write operations.
    pub writes: u64,
}

/// Version 1 writes "no limit" as the greatest multiple of the page size.
const V1_NO_LIMIT: u64 = 1 << 62;

impl Group {
    fn needs(&self, what: &str, controller: Controller) -> Result<&Member> {
        self.member(controller).ok_or_else(|| Error::Unsupported { what: what.to_string(), controller })
    }

    /// Processor time used so far, in nanoseconds.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on a host that does not count it.
    pub fn cpu_usage(&self) -> Result<u64> {
        // Every group of version 2 counts time, also without the controller.
        let member = self.member(Controller::CpuAcct).or_else(|| self.unified());
        let missing = || Error::Unsupported { what: "count processor time".into(), controller: Controller::CpuAcct };
        let member = member.ok_or_else(missing)?;
        match member.hierarchy.version {
            Version::V1 => number(member, "cpuacct.usage"),
            Version::V2 => Ok(1000 * field(member, "cpu.stat", "usage_usec")?),
        }
    }

    /// Processor time used so far, for each processor where the kernel tells them apart.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on a host that does not count it.
    pub fn cpu_times(&self) -> Result<Vec<CpuTime>> {
        let member = self.needs("count processor time", Controller::CpuAcct)?;
        match member.hierarchy.version {
            Version::V1 => Ok(parse_usage_all(&member.get("cpuacct.usage_all")?)),
            Version::V2 => {
                let (user, system) =
                    (field(member, "cpu.stat", "user_usec")?, field(member, "cpu.stat", "system_usec")?);
                Ok(vec![CpuTime { cpu: 0, user: 1000 * user, system: 1000 * system }])
            }
        }
    }

    /// Memory and swap.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on a host that does not count it.
    pub fn memory(&self) -> Result<Memory> {
        let member = self.needs("count memory", Controller::Memory)?;
        match member.hierarchy.version {
            Version::V1 => {
                let (usage, peak) =
                    (number(member, "memory.usage_in_bytes")?, number(member, "memory.max_usage_in_bytes")?);
                let limit = number(member, "memory.limit_in_bytes")?;
                // These count memory and swap together, and exist only where swap is counted.
                let swap = |name: &str, memory| {
                    Ok::<_, Error>(optional(number(member, name))?.map(|both: u64| both.saturating_sub(memory)))
                };
                let both_limit = optional(number(member, "memory.memsw.limit_in_bytes"))?;
                Ok(Memory {
                    usage,
                    peak: Some(peak),
                    limit: Some(limit).filter(|limit| *limit < V1_NO_LIMIT),
                    swap_usage: swap("memory.memsw.usage_in_bytes", usage)?,
                    swap_peak: swap("memory.memsw.max_usage_in_bytes", peak)?,
                    swap_limit: both_limit.filter(|both| *both < V1_NO_LIMIT).map(|both| both.saturating_sub(limit)),
                })
            }
            Version::V2 => Ok(Memory {
                usage: number(member, "memory.current")?,
                peak: optional(number(member, "memory.peak"))?,
                limit: member.limit("memory.max")?,
                swap_usage: optional(number(member, "memory.swap.current"))?,
                swap_peak: optional(number(member, "memory.swap.peak"))?,
                swap_limit: optional(member.limit("memory.swap.max"))?.flatten(),
            }),
        }
    }

    /// The counters of `memory.stat`, by the kernel's names; on version 1 those with `total_` include groups below.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on a host that does not count memory.
    pub fn memory_counters(&self) -> Result<BTreeMap<String, u64>> {
        let text = self.needs("count memory", Controller::Memory)?.get("memory.stat")?;
        let pair = |line: &str| {
            let (name, value) = line.split_once(' ')?;
            Some((name.to_string(), value.trim().parse().ok()?))
        };
        Ok(text.lines().filter_map(pair).collect())
    }

    /// Processes and threads now in the group.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on a host that does not count them.
    pub fn process_count(&self) -> Result<u64> {
        number(self.needs("count processes", Controller::Pids)?, "pids.current")
    }

    /// Traffic with each disk that the group has used.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on a host that does not count it.
    pub fn disk_traffic(&self) -> Result<Vec<DiskTraffic>> {
        let member = self.needs("count disk operations", Controller::Blkio)?;
        match member.hierarchy.version {
            Version::V1 => {
                let bytes = member.get("blkio.throttle.io_service_bytes_recursive")?;
                Ok(parse_blkio(&bytes, &member.get("blkio.throttle.io_serviced_recursive")?))
            }
            Version::V2 => Ok(parse_io_stat(&member.get("io.stat")?)),
        }
    }

    /// Processors the group really runs on, as `0-3,5`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on a host without cpusets.
    pub fn effective_cpus(&self) -> Result<String> {
        let member = self.needs("choose processors", Controller::CpuSet)?;
        member.get(match member.hierarchy.version {
            Version::V1 => "cpuset.effective_cpus",
            Version::V2 => "cpuset.cpus.effective",
        })
    }
}

/// A file that this kernel may not have.
fn optional<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(Error::File(error)) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The value of `key` in a file of lines with a key and a number.
fn field(member: &Member, name: &str, key: &str) -> Result<u64> {
    let text = member.get(name)?;
    let found = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.parse().ok());
    let malformed = || Error::Malformed {
        path: Path::new(&member.path).join(name),
        found: text.clone(),
        wanted: "a line with each time in microseconds",
    };
    found.ok_or_else(malformed)
}

/// Lines of `cpu user system` below a heading.
fn parse_usage_all(text: &str) -> Vec<CpuTime> {
    let line = |line: &str| {
        let mut numbers = line.split_whitespace().map(str::parse);
        let cpu = numbers.next()?.ok()?;
        Some(CpuTime { cpu: u32::try_from(cpu).ok()?, user: numbers.next()?.ok()?, system: numbers.next()?.ok()? })
    };
    text.lines().filter_map(line).collect()
}

fn parse_device(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Two files of lines `major:minor Read 4096`: one of bytes, one of operations.
fn parse_blkio(bytes: &str, operations: &str) -> Vec<DiskTraffic> {
    let mut disks: BTreeMap<(u32, u32), DiskTraffic> = BTreeMap::new();
    for (text, counts_bytes) in [(bytes, true), (operations, false)] {
        for line in text.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [device, what, value] = fields[..] else { continue };
            let (Some(device), Ok(value)) = (parse_device(device), value.parse()) else { continue };
            let disk = disks.entry(device).or_insert(DiskTraffic { device, ..DiskTraffic::default() });
            match (what, counts_bytes) {
                ("Read", true) => disk.read_bytes = value,
                ("Write", true) => disk.written_bytes = value,
                ("Read", false) => disk.reads = value,
                ("Write", false) => disk.writes = value,
                _ => {}
            }
        }
    }
    disks.into_values().collect()
}

/// Lines of `major:minor rbytes=… wbytes=… rios=… wios=… …`.
fn parse_io_stat(text: &str) -> Vec<DiskTraffic> {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let mut disk = DiskTraffic { device: parse_device(words.next()?)?, ..DiskTraffic::default() };
        for (name, value) in words.filter_map(|word| word.split_once('=')) {
            let Ok(value) = value.parse() else { continue };
            match name {
                "rbytes" => disk.read_bytes = value,
                "wbytes" => disk.written_bytes = value,
                "rios" => disk.reads = value,
                "wios" => disk.writes = value,
                _ => {}
            }
        }
        Some(disk)
    };
    text.lines().filter_map(line).collect()
}

/// Names of disks and partitions by major and minor number, from /proc/partitions.
///
/// # Errors
/// [`Error::File`] when the file cannot be read.
pub fn disk_names() -> Result<BTreeMap<(u32, u32), String>> {
    let text = file::read("/proc/partitions")?;
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let device = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some((device, words.nth(1)?.to_string()))
    };
    Ok(text.lines().filter_map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_tell_the_same_about_disks() {
        let wanted = [DiskTraffic { device: (8, 0), read_bytes: 4096, written_bytes: 8192, reads: 1, writes: 2 }];
        let bytes = "8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 0\n8:0 Total 12288\nTotal 12288\n";
        assert_eq!(parse_blkio(bytes, "8:0 Read 1\n8:0 Write 2\nTotal 3\n"), wanted);
        assert_eq!(parse_io_stat("8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n"), wanted);
    }

    #[test]
    fn processor_times_have_a_heading() {
        let times = parse_usage_all("cpu user system\n0 10 20\n1 30 40\n");
        assert_eq!(times, [CpuTime { cpu: 0, user: 10, system: 20 }, CpuTime { cpu: 1, user: 30, system: 40 }]);
    }
}
