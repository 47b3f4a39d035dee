//! Processors: sockets, cores and threads, their caches and frequencies.

use std::collections::BTreeMap;
use std::path::Path;

use super::sysfs::{linked_node, names, number, number_if_set, text, text_or_empty};
use crate::file;

/// All processors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// `uname -m`
    pub architecture: String,
    /// By their number.
    pub sockets: Vec<Socket>,
    /// Threads in all sockets.
    pub total: u64,
}

/// One processor package. Frequencies are in MHz, 0 where unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct Socket {
    pub name: String,
    pub vendor: String,
    pub socket: u64,
    pub cache: Vec<Cache>,
    pub cores: Vec<Core>,
    pub frequency: u64,
    pub frequency_minimum: u64,
    pub frequency_turbo: u64,
}

/// One cache of a socket's first core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cache {
    /// 1 is nearest to the core.
    pub level: u64,
    /// `Data`, `Instruction`, `Unified` or `Unknown`.
    pub kind: String,
    /// Bytes.
    pub size: u64,
}

/// One core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct Core {
    pub core: u64,
    pub die: u64,
    pub threads: Vec<Thread>,
    /// MHz, 0 where unknown.
    pub frequency: u64,
}

/// One hardware thread, what the scheduler calls a processor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// The kernel's number.
    pub id: u32,
    /// The memory node it is next to.
    pub numa_node: u64,
    /// Its number in its core.
    pub thread: u64,
    /// Whether it is switched on.
    pub online: bool,
    /// Whether the scheduler is told to leave it alone.
    pub isolated: bool,
}

/// The processors of this host.
///
/// # Errors
/// [`file::Error`] when /proc/cpuinfo cannot be read.
pub fn read() -> Result<Cpu, file::Error> {
    let cpuinfo = file::read("/proc/cpuinfo")?;
    let mut cpu = of(Path::new("/sys/devices/system/cpu"), &cpuinfo);
    cpu.architecture = super::architecture::machine();
    Ok(cpu)
}

/// The processors below `dir` (/sys/devices/system/cpu), named by the text of /proc/cpuinfo.
pub fn of(dir: &Path, cpuinfo: &str) -> Cpu {
    let isolated = text(dir.join("isolated")).and_then(|set| parse_set(&set)).unwrap_or_default();
    let mut sockets: BTreeMap<u64, Socket> = BTreeMap::new();
    let mut total = 0;
    for (id, path) in numbered(dir).into_iter().map(|id| (id, dir.join(format!("cpu{id}")))) {
        let topology = |name: &str| number_if_set(path.join("topology").join(name)).unwrap_or(0);
        let (socket, core, die) = (topology("physical_package_id"), topology("core_id"), topology("die_id"));
        let socket = sockets.entry(socket).or_insert_with(|| new_socket(socket, id, &path, cpuinfo));
        let at = socket.cores.iter().position(|one| (one.die, one.core) == (die, core)).unwrap_or_else(|| {
            let frequency = number(path.join("cpufreq/scaling_cur_freq")).unwrap_or(0) / 1000;
            socket.cores.push(Core { core, die, threads: Vec::new(), frequency });
            socket.cores.len() - 1
        });
        let threads = &mut socket.cores[at].threads;
        threads.push(Thread {
            id,
            numa_node: linked_node(&path),
            thread: threads.len() as u64,
            online: number(path.join("online")) != Some(0),
            isolated: isolated.contains(&id),
        });
        total += 1;
    }
    for socket in sockets.values_mut() {
        socket.cores.sort_by_key(|core| (core.core, core.die));
        let known: Vec<u64> = socket.cores.iter().map(|core| core.frequency).filter(|one| *one > 0).collect();
        socket.frequency = known.iter().sum::<u64>().checked_div(known.len() as u64).unwrap_or(0);
    }
    Cpu { architecture: String::new(), sockets: sockets.into_values().collect(), total }
}

/// Numbers of the directories `cpuN` that are processors.
fn numbered(dir: &Path) -> Vec<u32> {
    let numbered = names(dir).into_iter().filter_map(|name| name.strip_prefix("cpu")?.parse().ok());
    let mut ids: Vec<u32> = numbered.filter(|id| dir.join(format!("cpu{id}/topology")).exists()).collect();
    ids.sort_unstable();
    ids
}

fn new_socket(socket: u64, id: u32, path: &Path, cpuinfo: &str) -> Socket {
    let of_thread = cpuinfo.split("\n\n").find(|part| value(part, "processor") == Some(id.to_string().as_str()));
    let part = of_thread.unwrap_or(cpuinfo);
    let frequency = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| number(path.join("cpufreq").join(name)));
        found.unwrap_or(0) / 1000
    };
    Socket {
        name: value(part, "model name").or_else(|| value(part, "cpu")).unwrap_or_default().to_string(),
        vendor: value(part, "vendor_id").unwrap_or_default().to_string(),
        socket,
        cache: caches(&path.join("cache")),
        cores: Vec::new(),
        frequency: 0,
        frequency_minimum: frequency(["cpuinfo_min_freq", "scaling_min_freq"]),
        frequency_turbo: frequency(["cpuinfo_max_freq", "scaling_max_freq"]),
    }
}

/// The value of a line `key : value`.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim())
}

fn caches(dir: &Path) -> Vec<Cache> {
    let cache = |name: String| {
        let path = dir.join(name);
        let size = text_or_empty(path.join("size"));
        let (digits, unit) = size.strip_suffix('K').map_or((size.as_str(), 1), |digits| (digits, 1024));
        Some(Cache {
            level: number(path.join("level"))?,
            kind: text(path.join("type")).unwrap_or_else(|| "Unknown".to_string()),
            size: digits.parse::<u64>().unwrap_or(0) * unit,
        })
    };
    names(dir).into_iter().filter_map(cache).collect()
}

/// The processors of a set like `0-3,5`; `None` when it is not of that form.
pub fn parse_set(text: &str) -> Option<Vec<u32>> {
    let mut set = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        // No machine has more than this; a guest's text must not make us count for ever.
        if last < first || last > 65_535 {
            return None;
        }
        set.extend(first..=last);
    }
    Some(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn sets_are_lists_of_ranges() {
        assert_eq!(parse_set("0-2,5\n"), Some(vec![0, 1, 2, 5]));
        assert_eq!(parse_set(""), Some(vec![]));
        for bad in ["x", "3-1", "0-99999999", "1-"] {
            assert_eq!(parse_set(bad), None, "{bad}");
        }
    }

    #[test]
    fn threads_are_gathered_into_cores_and_sockets() {
        let dir = std::env::temp_dir().join(format!("corten-cpu-{}", std::process::id()));
        for (id, socket, core) in [(0, 0, 0), (1, 0, 1), (2, 0, 0), (10, 1, 0)] {
            let topology = dir.join(format!("cpu{id}/topology"));
            fs::create_dir_all(&topology).expect("temporary directory");
            fs::create_dir_all(dir.join(format!("cpu{id}/node{socket}"))).expect("temporary directory");
            fs::write(topology.join("physical_package_id"), socket.to_string()).expect("writable");
            fs::write(topology.join("core_id"), core.to_string()).expect("writable");
            fs::write(topology.join("die_id"), "-1").expect("writable");
        }
        fs::create_dir_all(dir.join("cpu0/cache/index0")).expect("temporary directory");
        fs::write(dir.join("cpu0/cache/index0/level"), "1").expect("writable");
        fs::write(dir.join("cpu0/cache/index0/size"), "32K").expect("writable");
        fs::write(dir.join("cpu2/online"), "0").expect("writable");
        fs::write(dir.join("isolated"), "10").expect("writable");
        let cpu = of(&dir, "processor : 0\nvendor_id : V\nmodel name : M: x\n\nprocessor : 10\nmodel name : N\n");
        fs::remove_dir_all(&dir).expect("removable");
        assert_eq!((cpu.total, cpu.sockets.len()), (4, 2));
        let first = &cpu.sockets[0];
        assert_eq!((first.name.as_str(), first.vendor.as_str(), first.cores.len()), ("M: x", "V", 2));
        assert_eq!(first.cache, [Cache { level: 1, kind: "Unknown".into(), size: 32_768 }]);
        let threads: Vec<_> = first.cores[0].threads.iter().map(|one| (one.id, one.thread, one.online)).collect();
        assert_eq!(threads, [(0, 0, true), (2, 1, false)]);
        let last = &cpu.sockets[1].cores[0].threads[0];
        assert_eq!((last.id, last.numa_node, last.isolated, cpu.sockets[1].name.as_str()), (10, 1, true, "N"));
    }

    #[test]
    fn this_host_has_processors() {
        let cpu = read().expect("readable");
        assert!(cpu.total > 0 && !cpu.architecture.is_empty());
    }
}
