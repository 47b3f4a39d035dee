//! Keys of instances: what they may use of the host.

use crate::key::{Aspect, Live, On};
use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::byte_size::ByteSize;
use crate::value::choice::OneOf;
use crate::value::cpu_allowance::CpuAllowance;
use crate::value::cpu_set::CpuLimit;
use crate::value::memory_limit::MemoryLimit;
use crate::value::number::{Integer, Priority};
use crate::value::text::Text;

keys! {
    /// Limits of CPU, memory, disk, network and processes.
    LIMITS {
        /// A count (LXD pins and rebalances), or a set like `0-3,7` (fixed pins); VM: vCPUs.
        LIMITS_CPU: CpuLimit = "limits.cpu" { default_text: "for VMs: 1 CPU", live: Live::Apply(Aspect::Cpu) };
        /// `N%` = share when contended (v1 `cpu.shares` 1024·N/100, v2 weight N); `Tms/Pms` = hard quota.
        LIMITS_CPU_ALLOWANCE: CpuAllowance = "limits.cpu.allowance" {
            default: "100%", live: Live::Apply(Aspect::Cpu), on: On::Container,
        };
        /// 0–10; 10 − value is taken off the shares.
        LIMITS_CPU_PRIORITY: Priority = "limits.cpu.priority" {
            default: "10", live: Live::Apply(Aspect::Cpu), on: On::Container,
        };
        /// 0–10 → block I/O weight, value × 100 (10 at least).
        LIMITS_DISK_PRIORITY: Priority = "limits.disk.priority" {
            default: "5", live: Live::Apply(Aspect::DiskPriority),
        };
        /// Hugetlb limit, 64 KB pages.
        LIMITS_HUGEPAGES_64KB: ByteSize = "limits.hugepages.64KB" {
            live: Live::Apply(Aspect::HugePages), on: On::Container,
        };
        /// Hugetlb limit, 1 MB pages.
        LIMITS_HUGEPAGES_1MB: ByteSize = "limits.hugepages.1MB" {
            live: Live::Apply(Aspect::HugePages), on: On::Container,
        };
        /// Hugetlb limit, 2 MB pages.
        LIMITS_HUGEPAGES_2MB: ByteSize = "limits.hugepages.2MB" {
            live: Live::Apply(Aspect::HugePages), on: On::Container,
        };
        /// Hugetlb limit, 1 GB pages.
        LIMITS_HUGEPAGES_1GB: ByteSize = "limits.hugepages.1GB" {
            live: Live::Apply(Aspect::HugePages), on: On::Container,
        };
        /// Rlimit of init: N, SOFT:HARD or unlimited; names below.
        LIMITS_KERNEL_ANY: Text = "limits.kernel.*" { condition: "container" };
        /// Bytes with suffix, or percent of the host.
        LIMITS_MEMORY: MemoryLimit = "limits.memory" {
            default_text: "for VMs: 1GiB", live: Live::Apply(Aspect::Memory),
        };
        /// `hard` cap, or `soft` (reclaim under pressure only).
        LIMITS_MEMORY_ENFORCE: OneOf = "limits.memory.enforce" of (OneOf(&["soft", "hard"])) {
            default: "hard", live: Live::Apply(Aspect::Memory), on: On::Container,
        };
        /// Guest memory on huge pages.
        LIMITS_MEMORY_HUGEPAGES: Bool = "limits.memory.hugepages" { default: "false", on: On::Machine };
        /// May swap.
        LIMITS_MEMORY_SWAP: Bool = "limits.memory.swap" {
            default: "true", live: Live::Apply(Aspect::Memory), on: On::Container,
        };
        /// 0–10; higher is swapped later (v1 swappiness = 70 − value; 0 when swap is false).
        LIMITS_MEMORY_SWAP_PRIORITY: Priority = "limits.memory.swap.priority" {
            default: "10", live: Live::Apply(Aspect::Memory), on: On::Container,
        };
        /// 0–10, net_prio of its traffic.
        LIMITS_NETWORK_PRIORITY: Priority = "limits.network.priority" {
            default: "0", live: Live::Apply(Aspect::NetworkPriority),
        };
        /// Pids.max.
        LIMITS_PROCESSES: Integer = "limits.processes" {
            default_text: "- (max)", live: Live::Apply(Aspect::Processes), on: On::Container,
        };
    }
}
