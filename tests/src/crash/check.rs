//! The full check of disk, database and kernel after a kill: everything that is there belongs to something that is
//! remembered, and everything that is remembered is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::inside;
use super::seen::{POOLS, Seen, World, entries};

/// Prints how to see it again when a check fails.
pub struct TellOnPanic<'a>(pub &'a str);

impl Drop for TellOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}

/// What belongs to no instance.
pub struct Baseline {
    interfaces: BTreeSet<String>,
    mounts: BTreeSet<String>,
}

type Names = BTreeSet<String>;

impl Baseline {
    /// Looks at the world while only the bystander is there.
    pub fn look(world: &World) -> Baseline {
        let mut interfaces = names(Path::new("/sys/class/net"));
        interfaces.retain(|name| !name.starts_with("veth"));
        Baseline { interfaces, mounts: mounts(&world.folder) }
    }

    /// Looks at everything.
    ///
    /// # Panics
    /// With all that is wrong.
    #[track_caller]
    pub fn check(&self, world: &World) {
        let seen = world.look();
        let mut wrong = Vec::new();
        self.kernel(world, &seen, &mut wrong);
        database(world, &seen, &mut wrong);
        disk(world, &seen, &mut wrong);
        assert!(wrong.is_empty(), "after a kill:\n{}\n{seen:?}", wrong.join("\n"));
    }

    fn kernel(&self, world: &World, seen: &Seen, wrong: &mut Vec<String>) {
        let running: Names = seen
            .instances
            .iter()
            .filter(|(_, instance)| instance.pid.is_some())
            .map(|(name, _)| name.clone())
            .collect();
        let groups = groups();
        differ("groups of containers", &below(&groups, "lxc.payload."), &running, wrong);
        differ("groups of monitors", &below(&groups, "lxc.monitor."), &running, wrong);
        let ours = processes(&world.daemon.dir);
        let title = format!("[lxc monitor] {} ", world.daemon.dir.join("containers").display());
        let monitors: Names =
            ours.iter().filter_map(|line| line.strip_prefix(&title)).map(|name| name.trim().to_string()).collect();
        differ("monitors", &monitors, &running, wrong);
        let others: Vec<&String> =
            ours.iter().filter(|line| !line.starts_with(&title) && !line.contains("dnsmasq")).collect();
        // The daemon itself is not found by its arguments: it is told of its folder by the environment.
        if !others.is_empty() {
            wrong.push(format!("processes: {others:?}"));
        }
        let dnsmasqs = ours.iter().filter(|line| line.contains("dnsmasq")).count();
        if dnsmasqs != seen.networks.len() {
            wrong.push(format!("{dnsmasqs} dnsmasq run for {:?}: {ours:?}", seen.networks));
        }
        differ("folders of networks", &names(&world.daemon.dir.join("networks")), &seen.networks, wrong);
        let interfaces = names(Path::new("/sys/class/net"));
        let found = world.daemon.get("/1.0/instances?recursion=2");
        inside::check(&found, wrong);
        let veths = interfaces.iter().filter(|name| name.starts_with("veth")).count();
        let nics = inside::nics(&found);
        if veths != nics {
            wrong.push(format!("{veths} ends of cables for {nics} NICs"));
        }
        let rest: Names = interfaces.into_iter().filter(|name| !name.starts_with("veth")).collect();
        let known: Names = self.interfaces.union(&seen.networks).cloned().collect();
        differ("interfaces", &rest, &known, wrong);
        let images = world.pool("default").join("images");
        let mine = |point: &String| !Path::new(point).starts_with(&images);
        let now: Names = mounts(&world.folder).into_iter().filter(mine).collect();
        let then: Names = self.mounts.iter().filter(|point| mine(point)).cloned().collect();
        differ("mounts", &now, &then, wrong);
        let mounted = mounts(&world.folder).into_iter().filter(|point| Path::new(point).starts_with(&images)).count();
        let loops = loops(&world.folder);
        if loops.len() != mounted {
            wrong.push(format!("{} loop devices for {mounted} mounted images: {loops:?}", loops.len()));
        }
    }
}

/// Tells of a difference.
fn differ(what: &str, found: &Names, wanted: &Names, wrong: &mut Vec<String>) {
    if found != wanted {
        wrong.push(format!("{what}: {found:?} where {wanted:?} are to be"));
    }
}

/// Tells of what is there and should not be.
fn beyond(what: &str, found: &Names, allowed: &Names, wrong: &mut Vec<String>) {
    let more: Names = found.difference(allowed).cloned().collect();
    if !more.is_empty() {
        wrong.push(format!("{what}: {more:?} belong to nothing"));
    }
}

fn database(world: &World, seen: &Seen, wrong: &mut Vec<String>) {
    let instances: Names = seen.instances.keys().cloned().collect();
    let snapshots: Names = snapshots(seen);
    differ(
        "volumes of instances in the database",
        &column(world, "SELECT name FROM storage_volumes WHERE type = 0"),
        &instances,
        wrong,
    );
    differ(
        "volumes of snapshots in the database",
        &column(
            world,
            "SELECT v.name || '/' || s.name FROM storage_volumes_snapshots AS s JOIN storage_volumes AS v ON v.id = s.storage_volume_id WHERE v.type = 0",
        ),
        &snapshots,
        wrong,
    );
    differ(
        "users' volumes in the database",
        &column(
            world,
            "SELECT p.name || '/' || v.name FROM storage_volumes AS v JOIN storage_pools AS p ON p.id = v.storage_pool_id WHERE v.type = 2",
        ),
        &seen.volumes.keys().cloned().collect(),
        wrong,
    );
    let images = column(world, "SELECT fingerprint FROM images");
    beyond(
        "volumes of images in the database",
        &column(world, "SELECT name FROM storage_volumes WHERE type = 1"),
        &images,
        wrong,
    );
    let orphans = column(world, "SELECT id FROM instances_config WHERE instance_id NOT IN (SELECT id FROM instances)");
    beyond("keys of instances", &orphans, &Names::new(), wrong);
    beyond("operations", &column(world, "SELECT uuid FROM operations"), &Names::new(), wrong);
}

fn snapshots(seen: &Seen) -> Names {
    let of = seen.instances.iter();
    of.flat_map(|(name, instance)| instance.snapshots.keys().map(move |snapshot| format!("{name}/{snapshot}")))
        .collect()
}

/// The first column of what the database answers.
fn column(world: &World, query: &str) -> Names {
    let body = serde_json::json!({ "database": "global", "query": query }).to_string();
    let ran = world.daemon.lxc(["query", "--request", "POST", "--data", &body, "/internal/sql"]);
    let answer: serde_json::Value = serde_json::from_str(ran.ok()).expect("the API speaks JSON");
    let rows = entries(&answer["Results"]).flat_map(|result| entries(&result["rows"]));
    let first = rows.filter_map(|row| row.get(0));
    first.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_string)).collect()
}

fn disk(world: &World, seen: &Seen, wrong: &mut Vec<String>) {
    let dir = &world.daemon.dir;
    let instances: Names = seen.instances.keys().cloned().collect();
    for pool in POOLS {
        pool_on_disk(world, seen, pool, wrong);
    }
    differ("links", &names(&dir.join("containers")), &instances, wrong);
    beyond("run folders", &names(&dir.join("run/containers")), &instances, wrong);
    let mut logs = names(&dir.join("logs"));
    logs.retain(|name| dir.join("logs").join(name).is_dir());
    beyond("folders of logs", &logs, &instances, wrong);
    let with_device = |(name, instance): (&String, &super::seen::Instance)| -> Vec<String> {
        let devices = instance.devices.iter().map(String::as_str).chain(["eth0"]);
        devices.map(|device| format!("{name}.{device}")).chain([name.clone()]).collect()
    };
    let hosts: Names = seen.instances.iter().flat_map(with_device).collect();
    for network in &seen.networks {
        let folder = dir.join("networks").join(network).join("dnsmasq.hosts");
        beyond(&format!("names given to the dnsmasq of {network}"), &names(&folder), &hosts, wrong);
    }
    let with_snapshots = seen.instances.iter().filter(|(_, instance)| !instance.snapshots.is_empty());
    let with_snapshots: Names = with_snapshots.map(|(name, _)| name.clone()).collect();
    differ("links of snapshots", &names(&dir.join("snapshots")), &with_snapshots, wrong);
    let images = column(world, "SELECT fingerprint FROM images");
    let mut files = names(&dir.join("images"));
    files.retain(|name| !name.ends_with(".rootfs"));
    differ("files of images", &files, &images, wrong);
    let of = seen.instances.iter();
    let backups: Names =
        of.flat_map(|(name, found)| found.backups.iter().map(move |backup| format!("{name}/{backup}"))).collect();
    differ("backups", &two_deep(&dir.join("backups/instances"), wrong), &backups, wrong);
    beyond("backups of volumes", &two_deep(&dir.join("backups/custom"), wrong), &Names::new(), wrong);
}

/// What is on the disk of one pool.
fn pool_on_disk(world: &World, seen: &Seen, name: &str, wrong: &mut Vec<String>) {
    let folder = world.pool(name);
    let mut here = seen.clone();
    here.instances.retain(|_, instance| instance.pool == name);
    here.volumes.retain(|volume, _| volume.starts_with(&format!("{name}/")));
    let instances: Names = here.instances.keys().cloned().collect();
    differ(&format!("volumes on {name}"), &names(&folder.join("containers")), &instances, wrong);
    let taken = two_deep(&folder.join("containers-snapshots"), wrong);
    differ(&format!("snapshots on {name}"), &taken, &snapshots(&here), wrong);
    let custom = |volume: &String| format!("default_{}", volume.rsplit('/').next().unwrap_or_default());
    let volumes: Names = here.volumes.keys().map(custom).collect();
    differ(&format!("users' volumes on {name}"), &names(&folder.join("custom")), &volumes, wrong);
    let of_volumes: Names = here
        .volumes
        .iter()
        .flat_map(|(volume, found)| found.snapshots.keys().map(move |one| format!("{}/{one}", custom(volume))))
        .collect();
    let taken = two_deep(&folder.join("custom-snapshots"), wrong);
    differ(&format!("snapshots of users' volumes on {name}"), &taken, &of_volumes, wrong);
    layers(world, name, &folder, wrong);
}

/// The names in the folders of a folder; an empty one is told of.
fn two_deep(folder: &Path, wrong: &mut Vec<String>) -> Names {
    let mut found = Names::new();
    for name in names(folder) {
        let below = names(&folder.join(&name));
        if below.is_empty() {
            wrong.push(format!("an empty folder {name:?} in {}", folder.display()));
        }
        found.extend(below.iter().map(|one| format!("{name}/{one}")));
    }
    found
}

/// What only overlay pools have: unpacked images that are remembered, layers that are in use.
fn layers(world: &World, name: &str, pool: &Path, wrong: &mut Vec<String>) {
    if world.driver != "overlay" {
        return;
    }
    let mut used = Names::new();
    let mut volumes: Vec<PathBuf> =
        names(&pool.join("containers")).iter().map(|name| pool.join("containers").join(name)).collect();
    for name in names(&pool.join("containers-snapshots")) {
        let folder = pool.join("containers-snapshots").join(name);
        volumes.extend(names(&folder).iter().map(|name| folder.join(name)));
    }
    for volume in volumes {
        match fs::read_link(volume.join("layers")) {
            Ok(text) => used.extend(text.to_string_lossy().split(':').map(str::to_string)),
            Err(error) => wrong.push(format!("{}: {error}", volume.display())),
        }
    }
    let own: Names = names(&pool.join("layers")).iter().map(|name| format!("layers/{name}")).collect();
    differ("layers", &own, &used.iter().filter(|layer| layer.starts_with("layers/")).cloned().collect(), wrong);
    let held: Names = names(&pool.join("images"));
    let query = format!(
        "SELECT v.name FROM storage_volumes AS v JOIN storage_pools AS p ON p.id = v.storage_pool_id WHERE v.type = 1 AND p.name = '{name}'"
    );
    let remembered = column(world, &query);
    let used = used.iter().filter_map(|layer| layer.strip_prefix("images/").map(str::to_string));
    differ("unpacked images", &held, &remembered.into_iter().chain(used).collect(), wrong);
}

/// The names in a directory, those that begin with a dot too: there must be none of these.
fn names(path: &Path) -> Names {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Names of all groups called `lxc.…`, in every hierarchy.
fn groups() -> Names {
    let top = Path::new("/sys/fs/cgroup");
    let mut found = names(top);
    for hierarchy in names(top) {
        found.extend(names(&top.join(hierarchy)));
    }
    found
}

fn below(names: &Names, prefix: &str) -> Names {
    names.iter().filter_map(|name| name.strip_prefix(prefix)).map(str::to_string).collect()
}

/// Command lines of processes that name the daemon's folder.
fn processes(dir: &Path) -> Vec<String> {
    let dir = dir.display().to_string();
    let line = |pid: String| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        (pid != std::process::id().to_string() && line.contains(&dir)).then_some(line)
    };
    names(Path::new("/proc"))
        .into_iter()
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(line)
        .collect()
}

/// Mount points below a folder, one for each mount.
fn mounts(folder: &Path) -> Names {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let point = |line: &str| line.split(' ').nth(4).map(str::to_string);
    let found: Vec<String> =
        text.lines().filter_map(point).filter(|point| Path::new(point).starts_with(folder)).collect();
    let mut counted = Names::new();
    for point in found {
        // A second mount at one place is seen, too.
        let mut name = point.clone();
        while !counted.insert(name.clone()) {
            name.push_str(" again");
        }
    }
    counted
}

/// Files behind loop devices, as far as they are in a folder.
fn loops(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let file = |name: String| fs::read_to_string(format!("/sys/block/{name}/loop/backing_file")).ok();
    let is_ours = |file: &String| file.contains(&folder) && !file.trim().ends_with(super::DISK);
    names(Path::new("/sys/block")).into_iter().filter_map(file).filter(is_ours).collect()
}
