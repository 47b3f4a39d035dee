//! An aspect turns configuration into limits, and serves start and live change alike.

pub mod cpu;
pub mod cpu_balance;
pub mod disk_priority;
pub mod hugepages;
pub mod memory;
pub mod processes;

use corten_api::error::Result;
use corten_host::cgroup::{Controller, Limit};

use crate::instance::Instance;

/// A part of an instance's limits that changes together while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aspect {
    /// Share of the processors, and time limit.
    Cpu,
    /// Which processors; decided over all instances of the host, see [`cpu_balance`].
    CpuSet,
    /// Memory and swap.
    Memory,
    /// Number of processes.
    Processes,
    /// Share of disk time.
    DiskPriority,
    /// Huge pages.
    Hugepages,
}

/// The aspect behind a configuration key; `None` for keys without one.
pub fn of_key(key: &str) -> Option<Aspect> {
    match key {
        "limits.cpu" => Some(Aspect::CpuSet),
        "limits.cpu.allowance" | "limits.cpu.priority" => Some(Aspect::Cpu),
        "limits.memory" | "limits.memory.enforce" | "limits.memory.swap" | "limits.memory.swap.priority" => {
            Some(Aspect::Memory)
        }
        "limits.processes" => Some(Aspect::Processes),
        "limits.disk.priority" => Some(Aspect::DiskPriority),
        key if key.starts_with("limits.hugepages.") => Some(Aspect::Hugepages),
        _ => None,
    }
}

impl Aspect {
    /// All aspects that one instance's configuration decides alone.
    pub const OWN: [Aspect; 5] =
        [Aspect::Cpu, Aspect::Memory, Aspect::Processes, Aspect::DiskPriority, Aspect::Hugepages];

    /// The controller it needs.
    pub fn controller(self) -> Controller {
        match self {
            Aspect::Cpu => Controller::Cpu,
            Aspect::CpuSet => Controller::CpuSet,
            Aspect::Memory => Controller::Memory,
            Aspect::Processes => Controller::Pids,
            Aspect::DiskPriority => Controller::Blkio,
            Aspect::Hugepages => Controller::Hugetlb,
        }
    }

    /// The limits that the instance's expanded configuration asks for.
    ///
    /// # Errors
    /// When a value cannot be read.
    pub fn limits(self, instance: &Instance, memory: memory::Facts) -> Result<Vec<Limit>> {
        match self {
            Aspect::Cpu => cpu::limits(instance),
            Aspect::Memory => memory::limits(instance, memory),
            Aspect::Processes => processes::limits(instance),
            Aspect::DiskPriority => disk_priority::limits(instance),
            Aspect::Hugepages => hugepages::limits(instance),
            Aspect::CpuSet => Ok(Vec::new()),
        }
    }

    /// Whether the configuration says anything about it; a start need not write what the kernel does anyway.
    pub fn is_configured(self, instance: &Instance) -> bool {
        instance.expanded_config.iter().any(|(key, value)| !value.is_empty() && of_key(key) == Some(self))
    }
}
