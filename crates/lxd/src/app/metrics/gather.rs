//! Where the figures of an instance come from: its control group, its interfaces, its root's file system.

use super::families::Family;
use super::{Labels, Samples};
use crate::app::App;
use crate::app::instances::running::Entry;
use crate::app::instances::{key, limits, network_state, root};
use corten_host::cgroup::Group;
use corten_host::cgroup::stats::disk_names;
use corten_host::proc::mounts::{self, Mount};
use corten_instance::instance::Instance;
use std::collections::BTreeMap;

/// Counters of `memory.stat` by the kernel's names, on version 1 and version 2 (cgroups(7)), and what they are here.
const MEMORY: &[(&[&str], Family)] = &[
    (&["total_active_anon", "active_anon"], Family::MemoryActiveAnon),
    (&["total_active_file", "active_file"], Family::MemoryActiveFile),
    (&["total_inactive_anon", "inactive_anon"], Family::MemoryInactiveAnon),
    (&["total_inactive_file", "inactive_file"], Family::MemoryInactiveFile),
    (&["total_cache", "file"], Family::MemoryCached),
    (&["total_dirty", "file_dirty"], Family::MemoryDirty),
    (&["total_mapped_file", "file_mapped"], Family::MemoryMapped),
    (&["total_rss", "anon"], Family::MemoryRss),
    (&["total_shmem", "shmem"], Family::MemoryShmem),
    (&["total_unevictable", "unevictable"], Family::MemoryUnevictable),
    (&["total_writeback", "file_writeback"], Family::MemoryWriteback),
];

/// Sums of two counters.
const SUMS: [(Family, [Family; 2]); 2] = [
    (Family::MemoryActive, [Family::MemoryActiveAnon, Family::MemoryActiveFile]),
    (Family::MemoryInactive, [Family::MemoryInactiveAnon, Family::MemoryInactiveFile]),
];

/// The figures of those instances that run. What this host does not count is left out.
pub fn instances<'a>(app: &App, instances: impl Iterator<Item = &'a Instance>) -> Samples {
    let host = Host::read();
    let mut samples = Samples::default();
    for instance in instances {
        let running = app.instances.running.get(&key(instance));
        if let Some((entry, group)) = running.zip(limits::group(app, instance).ok()) {
            Source { instance, host: &host, samples: &mut samples }.all(app, &group, &entry);
        }
    }
    samples
}

/// What is the same for all instances.
struct Host {
    mounts: Vec<Mount>,
    disks: BTreeMap<(u32, u32), String>,
    /// The host's memory in bytes, which bounds an instance without a limit.
    memory: Option<u64>,
}

impl Host {
    fn read() -> Host {
        Host {
            mounts: mounts::list(None).unwrap_or_default(),
            disks: disk_names().unwrap_or_default(),
            memory: corten_host::inventory::memory::read().ok().map(|memory| memory.total),
        }
    }
}

struct Source<'a> {
    instance: &'a Instance,
    host: &'a Host,
    samples: &'a mut Samples,
}

impl Source<'_> {
    fn all(mut self, app: &App, group: &Group, entry: &Entry) {
        self.processors(group);
        self.disks(group);
        self.file_system(app);
        self.memory(group);
        self.interfaces(entry);
        if let Ok(count) = group.process_count() {
            self.samples.count(Family::Procs, self.labels(&[]), count);
        }
    }

    /// The labels that every sample has, with those of its own, in the order of their names.
    fn labels(&self, own: &[(&'static str, &str)]) -> Labels {
        let mut labels: Labels = own.iter().map(|(key, value)| (*key, (*value).to_string())).collect();
        labels.push(("name", self.instance.name.clone()));
        labels.push(("project", self.instance.project.clone()));
        labels.push(("type", "container".to_string()));
        labels.sort();
        labels
    }

    #[expect(clippy::cast_precision_loss, reason = "the format has floating point numbers only")]
    fn processors(&mut self, group: &Group) {
        for time in group.cpu_times().unwrap_or_default() {
            let cpu = time.cpu.to_string();
            for (mode, nanoseconds) in [("system", time.system), ("user", time.user)] {
                let labels = self.labels(&[("cpu", &cpu), ("mode", mode)]);
                self.samples.add(Family::CpuSeconds, labels, nanoseconds as f64 / 1e9);
            }
        }
    }

    fn disks(&mut self, group: &Group) {
        for disk in group.disk_traffic().unwrap_or_default() {
            let Some(name) = self.host.disks.get(&disk.device) else { continue };
            let figures = [
                (Family::DiskReadBytes, disk.read_bytes),
                (Family::DiskReads, disk.reads),
                (Family::DiskWrittenBytes, disk.written_bytes),
                (Family::DiskWrites, disk.writes),
            ];
            for (family, value) in figures {
                self.samples.count(family, self.labels(&[("device", name)]), value);
            }
        }
    }

    /// The file system that holds the root.
    fn file_system(&mut self, app: &App) {
        // Where the volume is, not its root: asking for that would count as one more use of the volume.
        let Ok((pool, volume)) = root::volume(app, self.instance) else { return };
        let path = pool.path(&volume);
        let Ok(facts) = rustix::fs::statvfs(&path) else { return };
        let holding = self.host.mounts.iter().filter(|mount| path.starts_with(&mount.mount_point));
        let Some(mount) = holding.max_by_key(|mount| mount.mount_point.as_os_str().len()) else { return };
        let mut labels: Labels =
            [("device", mount.source.clone()), ("fstype", mount.fs_type.clone()), ("mountpoint", "/".to_string())]
                .into();
        labels.push(("name", self.instance.name.clone()));
        labels.push(("project", self.instance.project.clone()));
        labels.sort();
        for (family, blocks) in [
            (Family::FilesystemAvail, facts.f_bavail),
            (Family::FilesystemFree, facts.f_bfree),
            (Family::FilesystemSize, facts.f_blocks),
        ] {
            self.samples.count(family, labels.clone(), blocks * facts.f_frsize);
        }
    }

    fn memory(&mut self, group: &Group) {
        let counters = group.memory_counters().unwrap_or_default();
        let figures = memory_figures(&counters);
        for (family, value) in &figures {
            self.samples.count(*family, self.labels(&[]), *value);
        }
        let Ok(memory) = group.memory() else { return };
        let total = memory.limit.or(self.host.memory);
        if let Some(total) = total {
            let cached =
                figures.iter().find(|(family, _)| *family == Family::MemoryCached).map_or(0, |(_, value)| *value);
            let free = total.saturating_sub(memory.usage);
            self.samples.count(Family::MemoryTotal, self.labels(&[]), total);
            self.samples.count(Family::MemoryFree, self.labels(&[]), free);
            self.samples.count(Family::MemoryAvailable, self.labels(&[]), free + cached);
        }
        if let Some(swap) = memory.swap_usage {
            self.samples.count(Family::MemorySwap, self.labels(&[]), swap);
        }
    }

    fn interfaces(&mut self, entry: &Entry) {
        for (name, state) in network_state::interfaces(&entry.container, self.instance) {
            let counters = &state.counters;
            let figures = [
                (Family::NetworkReceiveBytes, counters.bytes_received),
                (Family::NetworkReceiveDrop, counters.packets_dropped_inbound),
                (Family::NetworkReceiveErrs, counters.errors_received),
                (Family::NetworkReceivePackets, counters.packets_received),
                (Family::NetworkTransmitBytes, counters.bytes_sent),
                (Family::NetworkTransmitDrop, counters.packets_dropped_outbound),
                (Family::NetworkTransmitErrs, counters.errors_sent),
                (Family::NetworkTransmitPackets, counters.packets_sent),
            ];
            for (family, value) in figures {
                self.samples.count(family, self.labels(&[("device", &name)]), u64::try_from(value).unwrap_or(0));
            }
        }
    }
}

fn memory_figures(counters: &BTreeMap<String, u64>) -> Vec<(Family, u64)> {
    let known = |names: &[&str]| names.iter().find_map(|name| counters.get(*name)).copied();
    let mut figures: Vec<(Family, u64)> =
        MEMORY.iter().filter_map(|(names, family)| Some((*family, known(names)?))).collect();
    for (family, parts) in SUMS {
        let parts: Vec<u64> = figures.iter().filter(|(of, _)| parts.contains(of)).map(|(_, value)| *value).collect();
        if parts.len() == 2 {
            figures.push((family, parts.iter().sum()));
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_both_versions_are_known() {
        let counters = |pairs: &[(&str, u64)]| pairs.iter().map(|(k, v)| ((*k).to_string(), *v)).collect();
        let v1 = memory_figures(&counters(&[
            ("active_anon", 1),
            ("total_active_anon", 5),
            ("total_active_file", 2),
            ("total_rss", 9),
        ]));
        assert_eq!(
            v1,
            [
                (Family::MemoryActiveAnon, 5),
                (Family::MemoryActiveFile, 2),
                (Family::MemoryRss, 9),
                (Family::MemoryActive, 7)
            ]
        );
        let v2 = memory_figures(&counters(&[("anon", 4), ("file", 3)]));
        assert_eq!(v2, [(Family::MemoryCached, 3), (Family::MemoryRss, 4)]);
    }
}
