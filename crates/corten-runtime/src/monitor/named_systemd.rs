//! A control group hierarchy for guests whose systemd is too old for version 2: of version 1, with a name and no
//! controllers, which is all that such a systemd cannot do without.
//!
//! The kernel has one such hierarchy at most, shared by all who mount it; it goes with its last group and mount.

use std::io;
use std::path::{Path, PathBuf};

use corten_host::cgroup::layout::Hierarchy;
use corten_host::cgroup::{Layout, Version};
use corten_host::mount::{self, Options};
use rustix::fs::CWD;
use rustix::io::Errno;

/// Where it is mounted for one container.
fn place(run_dir: &Path) -> PathBuf {
    run_dir.join("systemd")
}

/// Mounts it in the run directory, and gives the layout with it.
///
/// # Errors
/// What the kernel says; `ENODEV` when it was built without version 1.
pub fn mount(run_dir: &Path, layout: Layout) -> io::Result<Layout> {
    unmount(run_dir);
    let place = place(run_dir);
    let tree =
        mount::new("cgroup", "systemd", &Options::parse(&["none", "name=systemd", "nosuid", "nodev", "noexec"]))?;
    std::fs::create_dir(&place)?;
    mount::attach(&tree, CWD, &place).inspect_err(|_| unmount(run_dir))?;
    Ok(layout.with(Hierarchy {
        mount: place.clone(),
        base: place,
        version: Version::V1,
        controllers: Vec::new(),
        label: "name=systemd".to_string(),
    }))
}

/// Takes it away, when it is there.
pub fn unmount(run_dir: &Path) {
    let place = place(run_dir);
    match mount::detach(&place) {
        Ok(()) => {}
        Err(error)
            if [Errno::NOENT, Errno::INVAL].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) => {}
        Err(error) => super::warn(&format!("unmounting {}: {error}", place.display())),
    }
    // Missing in most containers, and in the way of nothing.
    let _ = std::fs::remove_dir(&place);
}
