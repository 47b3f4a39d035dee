//! What the container sees of the kernel: /proc, /sys, the cgroup tree and /dev.
//!
//! All of this runs after the change of root: every path is the container's, and links in it lead nowhere else.

use std::ffi::OsStr;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

use corten_host::cgroup::Version;
use corten_host::cgroup::layout::Hierarchy;
use corten_host::mount::{self, Options};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::child::{Doing, Outcome, failure};
use super::sources::STANDARD_NODES;
use crate::spec::{Create, Spec};

/// Mounts /proc, /sys and the cgroup tree.
pub fn kernel(spec: &Spec) -> Outcome {
    let view = &spec.kernel;
    fresh("proc", "/proc", &["nosuid", "nodev", "noexec", "relatime"])?;
    if view.proc_mixed {
        let net = clone("/proc/sys/net")?;
        read_only("/proc/sys")?;
        put(&net, Path::new("/proc/sys/net"), Create::No)?;
        read_only_if_there("/proc/sysrq-trigger")?;
    }
    let sys = fresh("sysfs", "/sys", &["nosuid", "nodev", "noexec", "relatime"])?;
    if view.sys_mixed {
        let net = clone("/sys/devices/virtual/net")?;
        mount::change(&sys, &Options::parse(&["ro"])).doing(|| "making /sys read-only".into())?;
        put(&net, Path::new("/sys/devices/virtual/net"), Create::No)?;
    }
    if view.cgroups {
        cgroups(spec)?;
    }
    Ok(())
}

/// The hierarchies where the host has them, each showing the container's own group as its root.
fn cgroups(spec: &Spec) -> Outcome {
    let layout = match &spec.cgroup.layout {
        Some(layout) => layout,
        None => return Err(failure("mounting control groups", "the host's layout is not known")),
    };
    let base = "/sys/fs/cgroup";
    let attributes = ["nosuid", "nodev", "noexec", "relatime"];
    if layout.is_pure_v2() {
        return fresh("cgroup2", base, &attributes).map(drop);
    }
    fresh("tmpfs", base, &["nosuid", "nodev", "noexec", "relatime", "size=10240k", "mode=755"])?;
    for hierarchy in layout.hierarchies() {
        let Some(name) = directory_of(hierarchy) else { continue };
        let target = Path::new(base).join(name);
        let path = target.to_string_lossy().into_owned();
        make(&target, Create::Dir)?;
        match hierarchy.version {
            Version::V2 => drop(fresh("cgroup2", &path, &attributes)?),
            Version::V1 => {
                let mut words: Vec<&str> = attributes.to_vec();
                words.extend(hierarchy.label.split(','));
                if hierarchy.label.starts_with("name=") {
                    words.push("none");
                }
                fresh("cgroup", &path, &words)?;
            }
        }
        link_controllers(&hierarchy.label, base, name)?;
    }
    Ok(())
}

/// What a hierarchy's directory is called inside: as on the host, but for the two that may be elsewhere there.
fn directory_of(hierarchy: &Hierarchy) -> Option<&OsStr> {
    match (hierarchy.version, hierarchy.label.strip_prefix("name=")) {
        (Version::V2, _) => Some(OsStr::new("unified")),
        (Version::V1, Some(name)) => Some(OsStr::new(name)),
        (Version::V1, None) => hierarchy.mount.file_name(),
    }
}

/// Controllers that share a hierarchy are found by each of their names.
fn link_controllers(label: &str, base: &str, name: &OsStr) -> Outcome {
    for controller in label.split(',').filter(|part| label.contains(',') && *part != name) {
        let link = Path::new(base).join(controller);
        match rustix::fs::symlink(name, &link) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno).doing(|| format!("linking {}", link.display())),
        }
    }
    Ok(())
}

/// The group of terminals in Debian and its kin, and in liblxc.
pub const TTY_GROUP: u32 = 5;

/// A fresh /dev with the standard nodes and links. Terminals belong to [`TTY_GROUP`] where the container has it.
pub fn dev(nodes: Vec<OwnedFd>, has_tty_group: bool) -> Outcome {
    fresh("tmpfs", "/dev", &["nosuid", "relatime", "size=500k", "mode=755"])?;
    if nodes.is_empty() {
        make_nodes()?;
    }
    for (name, tree) in STANDARD_NODES.iter().zip(&nodes) {
        put(tree, &Path::new("/dev").join(name), Create::File)?;
    }
    for (link, wanted) in [
        ("/proc/self/fd", "/dev/fd"),
        ("/proc/self/fd/0", "/dev/stdin"),
        ("/proc/self/fd/1", "/dev/stdout"),
        ("/proc/self/fd/2", "/dev/stderr"),
        ("pts/ptmx", "/dev/ptmx"),
    ] {
        rustix::fs::symlink(link, wanted).doing(|| format!("linking {wanted}"))?;
    }
    let group = format!("gid={TTY_GROUP}");
    let mut terminals = vec!["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "max=1024"];
    if has_tty_group {
        terminals.push(&group);
    }
    fresh("devpts", "/dev/pts", &terminals)?;
    fresh("tmpfs", "/dev/shm", &["nosuid", "nodev", "mode=1777"])?;
    // A kernel may be built without message queues.
    match fresh("mqueue", "/dev/mqueue", &["nosuid", "nodev", "noexec", "relatime"]) {
        Err(error) if error.source.raw_os_error() != Some(Errno::NODEV.raw_os_error()) => Err(error),
        _ => Ok(()),
    }
}

/// The standard nodes by their numbers (`Documentation/admin-guide/devices.txt`), for a container that may make nodes:
/// of its own, since it could change the host's.
fn make_nodes() -> Outcome {
    for (name, major, minor) in
        [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)]
    {
        let path = Path::new("/dev").join(name);
        let device = rustix::fs::makedev(major, minor);
        let kind = FileType::CharacterDevice;
        rustix::fs::mknodat(CWD, &path, kind, Mode::from_raw_mode(0o666), device)
            .doing(|| format!("making {}", path.display()))?;
    }
    Ok(())
}

/// What is to be hidden or read-only.
pub fn covers(spec: &Spec) -> Outcome {
    let view = &spec.kernel;
    if view.nesting {
        fresh("proc", "/dev/.lxc/proc", &["nosuid", "nodev", "noexec"])?;
        fresh("sysfs", "/dev/.lxc/sys", &["nosuid", "nodev", "noexec"])?;
    }
    for path in &view.readonly {
        read_only_if_there(path)?;
    }
    for path in &view.masked {
        mask(path)?;
    }
    Ok(())
}

/// Covers a directory with an empty one, anything else with `/dev/null`. What is not there needs no cover.
fn mask(path: &str) -> Outcome {
    match rustix::fs::stat(path) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => Ok(()),
        Err(errno) => Err(errno).doing(|| format!("looking at {path}")),
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
            fresh("tmpfs", path, &["ro", "nosuid", "nodev", "noexec", "size=0", "mode=755"]).map(drop)
        }
        Ok(_) => put(&clone("/dev/null")?, Path::new(path), Create::No),
    }
}

fn read_only_if_there(path: &str) -> Outcome {
    match rustix::fs::stat(path) {
        Err(Errno::NOENT) => Ok(()),
        _ => read_only(path),
    }
}

fn read_only(path: &str) -> Outcome {
    let tree = clone(path)?;
    mount::change(&tree, &Options::parse(&["ro"])).doing(|| format!("making {path} read-only"))?;
    put(&tree, Path::new(path), Create::No)
}

fn clone(path: &str) -> Outcome<OwnedFd> {
    mount::clone_tree(Path::new(path), true).doing(|| format!("opening {path}"))
}

/// Mounts a new file system, making the directory when it is missing.
fn fresh(fstype: &str, path: &str, options: &[&str]) -> Outcome<OwnedFd> {
    let tree = mount::new(fstype, fstype, &Options::parse(options)).doing(|| format!("mounting {fstype} on {path}"))?;
    put(&tree, Path::new(path), Create::Dir)?;
    Ok(tree)
}

/// Attaches a detached tree, making what is missing.
pub fn put(tree: &OwnedFd, target: &Path, create: Create) -> Outcome {
    make(target, create)?;
    let place = look_up(target).doing(|| format!("mounting {}", target.display()))?;
    mount::attach(tree, &place, Path::new("")).doing(|| format!("mounting {}", target.display()))
}

/// Finds what is at a path of the container's. Its links are its own affair, but for those of `/proc/PID/fd` and their
/// like: on the way to the container there are descriptors that are not.
fn look_up(path: &Path) -> rustix::io::Result<OwnedFd> {
    openat2(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_MAGICLINKS)
}

/// Makes what a mount is to be put on, with the directories above it.
pub fn make(target: &Path, create: Create) -> Outcome {
    if create == Create::No || look_up(target).is_ok() {
        return Ok(());
    }
    let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else { return Ok(()) };
    make(parent, Create::Dir)?;
    let parent = look_up(parent).doing(|| format!("making {}", target.display()))?;
    let made = match create {
        Create::Dir => rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755)),
        _ => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            rustix::fs::openat(&parent, name, flags, Mode::from_raw_mode(0o644)).map(drop)
        }
    };
    match made {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno).doing(|| format!("making {}", target.display())),
    }
}

/// Sets a kernel parameter by its name with dots; a slash stands for a dot within a part, as in sysctl(8).
pub fn set_sysctl(key: &str, value: &str) -> Outcome {
    let swapped: String = key
        .chars()
        .map(|c| {
            if c == '.' {
                '/'
            } else if c == '/' {
                '.'
            } else {
                c
            }
        })
        .collect();
    if swapped.split('/').any(|part| part.is_empty() || part == "..") {
        return Err(failure(format!("setting the kernel parameter {key:?}"), "there can be none of that name"));
    }
    let path = format!("/proc/sys/{swapped}");
    std::fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .and_then(|mut file| file.write_all(value.as_bytes()))
        .doing(|| format!("setting the kernel parameter {key} to {value:?}"))
}
