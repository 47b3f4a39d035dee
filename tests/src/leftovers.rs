//! What a story must not leave on the machine: processes, mounts, control groups, loop devices, interfaces.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The machine as it was.
pub struct Before {
    groups: BTreeSet<String>,
    mounts: BTreeSet<String>,
    loops: BTreeSet<String>,
}

impl Before {
    /// Looks at the machine.
    pub fn look() -> Before {
        Before { groups: groups(), mounts: mounts(), loops: loops() }
    }

    /// What is there now and was not before, or still works in `folder`; a line each.
    ///
    /// Stories are told one at a time, so that every new control group is this one's.
    pub fn left_behind(&self, folder: &Path) -> Vec<String> {
        let here = folder.display().to_string();
        let mut left = Vec::new();
        left.extend(processes(&here).into_iter().map(|process| format!("process {process}")));
        left.extend(mounts().difference(&self.mounts).filter(|m| m.contains(&here)).map(|m| format!("mount {m}")));
        left.extend(loops().difference(&self.loops).filter(|l| l.contains(&here)).map(|l| format!("loop device {l}")));
        left.extend(groups().difference(&self.groups).map(|group| format!("cgroup {group}")));
        left
    }
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

/// The control groups that containers get, in every hierarchy.
fn groups() -> BTreeSet<String> {
    let root = Path::new("/sys/fs/cgroup");
    let mut found = BTreeSet::new();
    for place in std::iter::once(root.to_path_buf()).chain(entries(root)) {
        let named =
            |path: &std::path::PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lxc."));
        found.extend(entries(&place).into_iter().filter(named).map(|path| path.display().to_string()));
    }
    found
}
