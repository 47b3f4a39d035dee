//! What a story must not leave on the machine: processes, mounts, loop devices, nodes of the host's with another owner.
//! (Control groups are looked at by `scripts/in-private-namespaces`; interfaces go with the story's network namespace.)

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The machine as it was.
pub struct Before {
    mounts: BTreeSet<String>,
    loops: BTreeSet<String>,
    nodes: BTreeSet<String>,
}

impl Before {
    /// Looks at the machine.
    pub fn look() -> Before {
        Before { mounts: mounts(), loops: loops(), nodes: nodes() }
    }

    /// What is there now and was not before, or still works in `folder`; a line each.
    pub fn left_behind(&self, folder: &Path) -> Vec<String> {
        let here = folder.display().to_string();
        let mut left = Vec::new();
        left.extend(processes(&here).into_iter().map(|process| format!("process {process}")));
        left.extend(mounts().difference(&self.mounts).filter(|m| m.contains(&here)).map(|m| format!("mount {m}")));
        left.extend(loops().difference(&self.loops).filter(|l| l.contains(&here)).map(|l| format!("loop device {l}")));
        left.extend(nodes().difference(&self.nodes).map(|node| format!("another owner or mode of {node}")));
        left
    }
}

/// Owners and modes of the nodes that containers see, too.
fn nodes() -> BTreeSet<String> {
    let names = ["null", "zero", "full", "random", "urandom", "tty", "fuse", "net/tun"];
    let one = |name: &str| {
        let node = fs::metadata(Path::new("/dev").join(name)).ok()?;
        Some(format!("/dev/{name}: {}:{} {:o}", node.uid(), node.gid(), node.mode()))
    };
    names.into_iter().filter_map(one).collect()
}

fn entries(path: &Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(path).map(|dir| dir.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

/// Processes whose command line or working directory is in `folder`.
fn processes(folder: &str) -> Vec<String> {
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for path in entries(Path::new("/proc")) {
        let pid = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if pid == own || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let line = fs::read(path.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let cwd = fs::read_link(path.join("cwd")).unwrap_or_default();
        if line.contains(folder) || cwd.starts_with(folder) {
            found.push(format!("{pid}: {line}"));
        }
    }
    found
}

fn mounts() -> BTreeSet<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    text.lines().map(str::to_string).collect()
}

fn loops() -> BTreeSet<String> {
    let backing = |path: std::path::PathBuf| {
        let file = fs::read_to_string(path.join("loop/backing_file")).ok()?;
        Some(format!("{} {}", path.display(), file.trim()))
    };
    entries(Path::new("/sys/block")).into_iter().filter_map(backing).collect()
}
