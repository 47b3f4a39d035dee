//! The full check of disk, database and kernel after a kill: everything that is there belongs to something that is
//! remembered, and everything that is remembered is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::seen::{Seen, World, entries};

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
        if dnsmasqs != 1 {
            wrong.push(format!("{dnsmasqs} dnsmasq run: {ours:?}"));
        }
        let interfaces = names(Path::new("/sys/class/net"));
        let veths = interfaces.iter().filter(|name| name.starts_with("veth")).count();
        if veths != running.len() {
            wrong.push(format!("{veths} ends of cables for {} NICs", running.len()));
        }
        let rest: Names = interfaces.into_iter().filter(|name| !name.starts_with("veth")).collect();
        differ("interfaces", &rest, &self.interfaces, wrong);
        let images = world.pool().join("images");
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
    let (dir, pool) = (&world.daemon.dir, world.pool());
    let instances: Names = seen.instances.keys().cloned().collect();
    differ("volumes", &names(&pool.join("containers")), &instances, wrong);
    differ("links", &names(&dir.join("containers")), &instances, wrong);
    beyond("run folders", &names(&dir.join("run/containers")), &instances, wrong);
    let mut logs = names(&dir.join("logs"));
    logs.retain(|name| dir.join("logs").join(name).is_dir());
    beyond("folders of logs", &logs, &instances, wrong);
    beyond(
        "names given to dnsmasq",
        &names(&dir.join("networks/crashbr0/dnsmasq.hosts")),
        &instances.iter().map(|name| format!("{name}.eth0")).chain(instances.iter().cloned()).collect(),
        wrong,
    );
    let mut taken = Names::new();
    for name in names(&pool.join("containers-snapshots")) {
        let below = names(&pool.join("containers-snapshots").join(&name));
        if below.is_empty() {
            wrong.push(format!("an empty folder of snapshots of {name:?}"));
        }
        taken.extend(below.iter().map(|snapshot| format!("{name}/{snapshot}")));
    }
    differ("snapshots", &taken, &snapshots(seen), wrong);
    let with_snapshots = seen.instances.iter().filter(|(_, instance)| !instance.snapshots.is_empty());
    let with_snapshots: Names = with_snapshots.map(|(name, _)| name.clone()).collect();
    differ("links of snapshots", &names(&dir.join("snapshots")), &with_snapshots, wrong);
    let images = column(world, "SELECT fingerprint FROM images");
    let mut files = names(&dir.join("images"));
    files.retain(|name| !name.ends_with(".rootfs"));
    differ("files of images", &files, &images, wrong);
    layers(world, &pool, wrong);
}

/// What only overlay pools have: unpacked images that are remembered, layers that are in use.
fn layers(world: &World, pool: &Path, wrong: &mut Vec<String>) {
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
    let remembered = column(world, "SELECT name FROM storage_volumes WHERE type = 1");
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
    names(Path::new("/sys/block")).into_iter().filter_map(file).filter(|file| file.contains(&folder)).collect()
}
