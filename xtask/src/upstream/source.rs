//! Where LXD's suite comes from: Debian's source package, fetched once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the suite: below `given` when a source was named, else fetched into `scratch` where it is not there yet.
///
/// # Errors
/// When there is no suite there, or the package cannot be had.
pub(super) fn suite(given: Option<&Path>, scratch: &Path) -> Result<PathBuf, String> {
    if let Some(given) = given {
        let suite = if given.join("main.sh").is_file() { given.to_path_buf() } else { given.join("test") };
        let there = suite.join("main.sh").is_file();
        return if there { Ok(suite) } else { Err(format!("{} has no test/main.sh", given.display())) };
    }
    super::make(scratch)?;
    if let Some(suite) = unpacked(scratch) {
        return Ok(suite);
    }
    // Fetched beside, then moved at once: several may be asking for it.
    let fetched = scratch.join(format!("fetch-{}", std::process::id()));
    super::make(&fetched)?;
    let outcome = fetch(&fetched, scratch);
    let _ = fs::remove_dir_all(&fetched);
    outcome
}

fn fetch(fetched: &Path, scratch: &Path) -> Result<PathBuf, String> {
    let mut apt = Command::new("apt-get");
    apt.args(["source", "--quiet", "--quiet", "lxd"]).current_dir(fetched);
    let status = apt.status().map_err(|error| format!("running apt-get: {error}"))?;
    if !status.success() {
        return Err(
            "apt-get source lxd failed: it wants the package dpkg-dev, and a source of type deb-src".to_string()
        );
    }
    let suite = unpacked(fetched).ok_or("Debian's source package of lxd has no folder lxd-VERSION/test")?;
    let source = suite.parent().unwrap_or(&suite);
    let goal = scratch.join(source.file_name().unwrap_or_default());
    if let Err(error) = fs::rename(source, &goal)
        && !goal.exists()
    {
        return Err(format!("moving LXD's source to {}: {error}", goal.display()));
    }
    Ok(goal.join("test"))
}

/// The suite of an unpacked source package in `folder`; the last by name when there are several.
fn unpacked(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lxd-"));
    entries.filter(named).map(|path| path.join("test")).filter(|suite| suite.join("main.sh").is_file()).max()
}
