//! Every limit on both versions, as lines of text.

use super::*;

fn lines(limit: &Limit, version: Version, memory: Option<u64>) -> String {
    let Some(list) = writes(limit, version, memory) else { return "unsupported".to_string() };
    let line =
        |write: &Write| format!("{}={}{}", write.names.join("|"), write.value, if write.optional { "?" } else { "" });
    list.iter().map(line).collect::<Vec<_>>().join("; ")
}

#[test]
fn every_limit_on_both_versions() {
    let mib = 1 << 20;
    let disk =
        |write, operations, per_second| Limit::BlkioMax(BlkioMax { device: (8, 16), write, operations, per_second });
    let cases = [
        (Limit::CpuAllowance { percent: 50, priority: 10 }, "cpu.shares=512", "cpu.weight=50"),
        (Limit::CpuAllowance { percent: 100, priority: 7 }, "cpu.shares=1021", "cpu.weight=97"),
        (Limit::CpuAllowance { percent: 33, priority: 10 }, "cpu.shares=337", "cpu.weight=33"),
        (Limit::CpuAllowance { percent: 5, priority: 0 }, "cpu.shares=41", "cpu.weight=1"),
        (
            Limit::CpuQuota(Some(Quota { quota: 25_000, period: 100_000 })),
            "cpu.cfs_quota_us=25000; cpu.cfs_period_us=100000",
            "cpu.max=25000 100000",
        ),
        (Limit::CpuQuota(None), "cpu.cfs_quota_us=-1; cpu.cfs_period_us=100000", "cpu.max=max"),
        (Limit::CpuSet("0-1,3".into()), "cpuset.cpus=0-1,3", "cpuset.cpus=0-1,3"),
        (
            Limit::Memory(Some(64 * mib)),
            "memory.memsw.limit_in_bytes=-1?; memory.limit_in_bytes=67108864",
            "memory.max=67108864",
        ),
        (Limit::Memory(None), "memory.memsw.limit_in_bytes=-1?; memory.limit_in_bytes=-1", "memory.max=max"),
        (Limit::MemorySoft(Some(mib)), "memory.soft_limit_in_bytes=1048576", "memory.low=1048576"),
        (Limit::MemorySoft(None), "memory.soft_limit_in_bytes=-1", "memory.low=max"),
        (Limit::MemorySwap(Some(mib)), "memory.memsw.limit_in_bytes=3145728", "memory.swap.max=1048576"),
        (Limit::MemorySwap(None), "memory.memsw.limit_in_bytes=-1", "memory.swap.max=max"),
        (Limit::Swappiness(60), "memory.swappiness=60", "unsupported"),
        (Limit::Pids(Some(500)), "pids.max=500", "pids.max=500"),
        (Limit::Pids(None), "pids.max=max", "pids.max=max"),
        (Limit::BlkioWeight(500), "blkio.weight|blkio.bfq.weight=500", "io.weight|io.bfq.weight=500"),
        (disk(false, false, Some(mib)), "blkio.throttle.read_bps_device=8:16 1048576", "io.max=8:16 rbps=1048576"),
        (disk(true, true, None), "blkio.throttle.write_iops_device=8:16 0", "io.max=8:16 wiops=max"),
        (
            Limit::Hugetlb { page: "2MB".into(), bytes: Some(4 * mib) },
            "hugetlb.2MB.limit_in_bytes=4194304",
            "hugetlb.2MB.max=4194304",
        ),
        (Limit::NetPrio { interface: "eth0".into(), priority: 5 }, "net_prio.ifpriomap=eth0 5", "unsupported"),
        (
            Limit::File { version: Version::V2, name: "memory.high".into(), value: "1M".into() },
            "unsupported",
            "memory.high=1M",
        ),
    ];
    for (limit, v1, v2) in cases {
        assert_eq!(lines(&limit, Version::V1, Some(2 * mib)), v1, "{limit:?} on version 1");
        assert_eq!(lines(&limit, Version::V2, None), v2, "{limit:?} on version 2");
    }
}

#[test]
fn a_file_of_no_controller_is_refused() {
    let limit = Limit::File { version: Version::V1, name: "nothing.max".into(), value: "1".into() };
    assert!(subject(&limit).unwrap_err().to_string().contains("nothing.max"));
}
