//! From a limit and a version to the files to write, in the order to write them: the whole difference between the two.

use super::super::{Controller, Error, Result, Version};
use super::{BlkioMax, Limit, Quota};

/// One file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The file's name; where kernels differ, the first of these that exists.
    pub names: Vec<String>,
    /// What to write.
    pub value: String,
    /// Whether it is fine for the file not to exist.
    pub optional: bool,
}

fn write(name: impl Into<String>, value: impl ToString) -> Write {
    Write { names: vec![name.into()], value: value.to_string(), optional: false }
}

fn or(limit: Option<u64>, none: &str) -> String {
    limit.map_or_else(|| none.to_string(), |limit| limit.to_string())
}

/// What a limit does, for an error, and the controller it needs.
pub(super) fn subject(limit: &Limit) -> Result<(&'static str, Controller)> {
    Ok(match limit {
        Limit::CpuAllowance { .. } | Limit::CpuQuota(_) => ("limit processor time", Controller::Cpu),
        Limit::CpuSet(_) => ("choose processors", Controller::CpuSet),
        Limit::Memory(_) | Limit::MemorySoft(_) => ("limit memory", Controller::Memory),
        Limit::MemorySwap(_) => ("limit swap", Controller::Memory),
        Limit::Swappiness(_) => ("set swappiness", Controller::Memory),
        Limit::Pids(_) => ("limit processes", Controller::Pids),
        Limit::BlkioWeight(_) => ("set disk priority", Controller::Blkio),
        Limit::BlkioMax(_) => ("limit disk operations", Controller::Blkio),
        Limit::Hugetlb { .. } => ("limit huge pages", Controller::Hugetlb),
        Limit::NetPrio { .. } => ("set network priority", Controller::NetPrio),
        Limit::File { version, name, value } => {
            let prefix = name.split('.').next().unwrap_or_default();
            let named = Controller::named(prefix, *version).next();
            let malformed = || Error::Malformed {
                path: name.into(),
                found: value.clone(),
                wanted: "a file name that begins with a controller's name",
            };
            ("write a file of its own", named.ok_or_else(malformed)?)
        }
    })
}

/// The files to write for `limit`, in order; `None` when that version has no such limit. `memory` is the limit of
/// memory in force, which [`Limit::MemorySwap`] needs on version 1.
pub fn writes(limit: &Limit, version: Version, memory: Option<u64>) -> Option<Vec<Write>> {
    let v1 = version == Version::V1;
    Some(match limit {
        Limit::CpuAllowance { percent, priority } => {
            let (name, value) = share(*percent, *priority, version);
            vec![write(name, value)]
        }
        Limit::CpuQuota(quota) if v1 => {
            // The quota goes first: with the old quota a longer period might exceed what the parent allows.
            let period = quota.map_or(100_000, |Quota { period, .. }| period);
            vec![
                write("cpu.cfs_quota_us", or(quota.map(|quota| quota.quota), "-1")),
                write("cpu.cfs_period_us", period),
            ]
        }
        Limit::CpuQuota(Some(Quota { quota, period })) => vec![write("cpu.max", format!("{quota} {period}"))],
        Limit::CpuQuota(None) => vec![write("cpu.max", "max")],
        Limit::CpuSet(set) => vec![write("cpuset.cpus", set)],
        Limit::Memory(limit) if v1 => vec![
            // It may never be above that of memory and swap together, so that one goes out of the way.
            Write { optional: true, ..write("memory.memsw.limit_in_bytes", "-1") },
            write("memory.limit_in_bytes", or(*limit, "-1")),
        ],
        Limit::Memory(limit) => vec![write("memory.max", or(*limit, "max"))],
        Limit::MemorySoft(limit) if v1 => vec![write("memory.soft_limit_in_bytes", or(*limit, "-1"))],
        Limit::MemorySoft(limit) => vec![write("memory.low", or(*limit, "max"))],
        Limit::MemorySwap(swap) if v1 => {
            let both = swap.map(|swap| swap.saturating_add(memory.unwrap_or(0)));
            vec![write("memory.memsw.limit_in_bytes", or(both, "-1"))]
        }
        Limit::MemorySwap(swap) => vec![write("memory.swap.max", or(*swap, "max"))],
        Limit::Swappiness(value) if v1 => vec![write("memory.swappiness", value)],
        Limit::Pids(limit) => vec![write("pids.max", or(*limit, "max"))],
        Limit::BlkioWeight(weight) => {
            let names: &[&str] =
                if v1 { &["blkio.weight", "blkio.bfq.weight"] } else { &["io.weight", "io.bfq.weight"] };
            vec![Write { names: names.iter().map(ToString::to_string).collect(), ..write("", weight) }]
        }
        Limit::BlkioMax(limit) => vec![disk(limit, version)],
        Limit::Hugetlb { page, bytes } if v1 => vec![write(format!("hugetlb.{page}.limit_in_bytes"), or(*bytes, "-1"))],
        Limit::Hugetlb { page, bytes } => vec![write(format!("hugetlb.{page}.max"), or(*bytes, "max"))],
        Limit::NetPrio { interface, priority } if v1 => {
            vec![write("net_prio.ifpriomap", format!("{interface} {priority}"))]
        }
        Limit::File { version: of, name, value } if *of == version => vec![write(name, value)],
        Limit::Swappiness(_) | Limit::NetPrio { .. } | Limit::File { .. } => return None,
    })
}

/// An ordinary group has 1024 shares on version 1 and weight 100 on version 2, and LXD takes one for each step of
/// priority below 10. The kernel takes no weight below 1.
fn share(percent: u32, priority: u8, version: Version) -> (&'static str, u64) {
    let (name, ordinary, least) = match version {
        Version::V1 => ("cpu.shares", 1024, 0),
        Version::V2 => ("cpu.weight", 100, 1),
    };
    let share = (ordinary * u64::from(percent) / 100).saturating_sub(10u64.saturating_sub(priority.into()));
    (name, share.clamp(least, if version == Version::V2 { 10_000 } else { 262_144 }))
}

fn disk(limit: &BlkioMax, version: Version) -> Write {
    let BlkioMax { device: (major, minor), write: writing, operations, per_second } = limit;
    let unit = if *operations { "iops" } else { "bps" };
    match version {
        Version::V1 => {
            let way = if *writing { "write" } else { "read" };
            write(format!("blkio.throttle.{way}_{unit}_device"), format!("{major}:{minor} {}", or(*per_second, "0")))
        }
        Version::V2 => {
            let way = if *writing { 'w' } else { 'r' };
            write("io.max", format!("{major}:{minor} {way}{unit}={}", or(*per_second, "max")))
        }
    }
}

#[cfg(test)]
mod tests;
