//! Limits, and the one table that turns each into files and values of either version.

use super::group::Group;
use super::member::Member;
use super::{Error, Result, Version};

mod table;

pub use table::{Write, writes};

/// Something a group may have at most, or its share of something.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Limit {
    /// Share of processor time when others want it too: `percent` of an ordinary group's, and LXD's priority (0 to
    /// 10, 10 being ordinary), which takes away a little between equals.
    CpuAllowance {
        /// 100 is an ordinary group's share.
        percent: u32,
        /// LXD's `limits.cpu.priority`.
        priority: u8,
    },
    /// Hard limit: `quota` µs of processor time in each `period` µs; `None` takes it away.
    CpuQuota(Option<Quota>),
    /// Processors it may run on, as `0-3,5`.
    CpuSet(String),
    /// Bytes of memory, hard; `None` takes it away. On version 1 an older limit of swap goes with it.
    Memory(Option<u64>),
    /// Bytes of memory that reclaim leaves alone under pressure (LXD's soft limit); `None` takes it away.
    MemorySoft(Option<u64>),
    /// Bytes of swap beyond the memory; `None` takes it away.
    MemorySwap(Option<u64>),
    /// How eagerly memory is swapped, 0 to 100; version 1 only.
    Swappiness(u8),
    /// Processes and threads; `None` takes it away.
    Pids(Option<u64>),
    /// Share of disk time, 10 to 1000.
    BlkioWeight(u16),
    /// Limit of one disk.
    BlkioMax(BlkioMax),
    /// Bytes of huge pages of one size; `None` takes it away.
    Hugetlb {
        /// The kernel's name of the size: `2MB`, `1GB`.
        page: String,
        /// Bytes.
        bytes: Option<u64>,
    },
    /// Priority of packets leaving by an interface; version 1 only.
    NetPrio {
        /// The host's interface.
        interface: String,
        /// Higher is more urgent.
        priority: u32,
    },
    /// A file of the kernel by its own name (what `raw.lxc` says); its controller is the part before the first dot.
    File {
        /// The interface it belongs to.
        version: Version,
        /// The file's name, `memory.high`.
        name: String,
        /// What to write.
        value: String,
    },
}

/// Processor time in each period, both in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Quota {
    /// Time the group may run, summed over processors.
    pub quota: u64,
    /// Length of the period.
    pub period: u64,
}

/// What is limited on a disk.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BlkioMax {
    /// Major and minor number of the whole disk.
    pub device: (u32, u32),
    /// Writing instead of reading.
    pub write: bool,
    /// Operations instead of bytes.
    pub operations: bool,
    /// How many each second; `None` takes the limit away.
    pub per_second: Option<u64>,
}

/// Sets limits on `group` in the given order, [`Limit::Memory`] before [`Limit::MemorySwap`] and both before the rest.
pub(super) fn apply(group: &Group, limits: &[Limit]) -> Result<()> {
    let rank = |limit: &&Limit| match limit {
        Limit::Memory(_) => 0,
        Limit::MemorySwap(_) => 1,
        _ => 2,
    };
    let mut ordered: Vec<&Limit> = limits.iter().collect();
    ordered.sort_by_key(rank);
    ordered.into_iter().try_for_each(|limit| apply_one(group, limit))
}

fn apply_one(group: &Group, limit: &Limit) -> Result<()> {
    let (what, controller) = table::subject(limit)?;
    let unsupported = || Error::Unsupported { what: what.to_string(), controller };
    let member = group.member(controller).ok_or_else(unsupported)?;
    let version = member.hierarchy.version;
    // Version 1 counts memory and swap together, so the limit of one depends on that of the other.
    let memory = match (limit, version) {
        (Limit::MemorySwap(Some(_)), Version::V1) => Some(number(member, "memory.limit_in_bytes")?),
        _ => None,
    };
    let list = writes(limit, version, memory).ok_or_else(unsupported)?;
    list.iter().try_for_each(|write| perform(member, write, &unsupported))
}

fn perform(member: &Member, write: &Write, unsupported: &dyn Fn() -> Error) -> Result<()> {
    let once = || {
        for name in &write.names {
            if member.set_if_there(name, &write.value)? {
                return Ok(true);
            }
        }
        Ok::<_, Error>(write.optional)
    };
    if once()? {
        return Ok(());
    }
    if member.hierarchy.version == Version::V2 {
        // The files of a rarer controller appear when the parent hands it on.
        member.hand_on(write.names[0].split('.').next().unwrap_or_default());
        if once()? {
            return Ok(());
        }
    }
    Err(unsupported())
}

/// A file that holds one number.
pub(super) fn number(member: &Member, name: &str) -> Result<u64> {
    let text = member.get(name)?;
    let wanted = "a number";
    text.parse().map_err(|_| Error::Malformed { path: member.path.join(name), found: text, wanted })
}

impl Member {
    /// The value of one of the group's files that holds a number, or `max` on version 2 for none.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Malformed`] when it is neither.
    pub fn limit(&self, name: &str) -> Result<Option<u64>> {
        match self.get(name)?.as_str() {
            "max" => Ok(None),
            text => text.parse().map(Some).map_err(|_| Error::Malformed {
                path: self.path.join(name),
                found: text.to_string(),
                wanted: "a number or \"max\"",
            }),
        }
    }
}
