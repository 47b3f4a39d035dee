//! What is to be seen of a running container from outside: limits, mounts and interfaces are those of its configuration.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::seen::entries;

/// Where the crash trial's devices are put in.
const PLACES: [&str; 3] = ["/mnt/folder", "/mnt/volume", "/dev/node"];

/// How many NICs the running instances have.
pub fn nics(instances: &Value) -> usize {
    running(instances).map(|(_, instance)| devices(instance).filter(|device| device["type"] == "nic").count()).sum()
}

/// Looks at each running instance.
pub fn check(instances: &Value, wrong: &mut Vec<String>) {
    for (pid, instance) in running(instances) {
        let name = instance["name"].as_str().unwrap_or_default();
        let wanted: BTreeSet<String> = devices(instance)
            .filter(|device| device["type"] != "nic" && device["path"] != "/")
            .filter_map(|device| device["path"].as_str().map(str::to_string))
            .collect();
        let mounts = mounted(pid);
        for place in PLACES {
            let (found, is_wanted) = (mounts.iter().filter(|point| *point == place).count(), wanted.contains(place));
            if found != usize::from(is_wanted) {
                wrong.push(format!("{name}: {found} mounts at {place}, which is wanted: {is_wanted}"));
            }
        }
        let inside: BTreeSet<String> = devices(instance)
            .filter(|device| device["type"] == "nic")
            .filter_map(|device| device["name"].as_str().map(str::to_string))
            .collect();
        let found = interfaces(pid);
        if found != inside {
            wrong.push(format!("{name}: interfaces {found:?} where {inside:?} are to be"));
        }
        limit(
            name,
            pid,
            &instance["expanded_config"]["limits.memory"],
            &["memory.limit_in_bytes", "memory.max"],
            wrong,
        );
        limit(name, pid, &instance["expanded_config"]["limits.processes"], &["pids.max"], wrong);
    }
}

fn running(instances: &Value) -> impl Iterator<Item = (i64, &Value)> {
    entries(instances)
        .filter_map(|instance| Some((instance["state"]["pid"].as_i64().filter(|pid| *pid > 0)?, instance)))
}

fn devices(instance: &Value) -> impl Iterator<Item = &Value> {
    instance["expanded_devices"].as_object().into_iter().flat_map(|devices| devices.values())
}

fn mounted(pid: i64) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
    text.lines().filter_map(|line| line.split(' ').nth(4)).map(str::to_string).collect()
}

fn interfaces(pid: i64) -> BTreeSet<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap_or_default();
    let names = text.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim().to_string());
    names.filter(|name| name != "lo").collect()
}

/// What the kernel holds a container to is what is configured.
fn limit(name: &str, pid: i64, configured: &Value, files: &[&str], wrong: &mut Vec<String>) {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let wanted = match configured.as_str().unwrap_or_default() {
        "" => None,
        "64MiB" => Some((64 << 20).to_string()),
        number => Some(number.to_string()),
    };
    for line in groups.lines() {
        let Some((controllers, path)) = line.split_once(':').and_then(|(_, rest)| rest.split_once(':')) else {
            continue;
        };
        let first: PathBuf = Path::new("/sys/fs/cgroup").join(controllers);
        // What the first process is in may be below the container's own group.
        let payload: PathBuf = Path::new(path.trim_start_matches('/'))
            .components()
            .scan(false, |done, part| {
                let more = !*done;
                *done |= part.as_os_str().as_encoded_bytes().starts_with(b"lxc.payload.");
                more.then_some(part)
            })
            .collect();
        for file in files {
            let Ok(found) = fs::read_to_string(first.join(&payload).join(file)) else { continue };
            let found = found.trim();
            // Without a limit there stands `max`, or the largest number that there is.
            let is_limited = found != "max" && found.parse::<u64>().is_ok_and(|limit| limit < 1 << 60);
            if wanted.as_deref() != is_limited.then_some(found) {
                wrong.push(format!("{name}: {file} is {found} where {wanted:?} is configured"));
            }
        }
    }
}
