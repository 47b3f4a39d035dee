//! Documents that are made from tables: `doc/config/*.md` from the configuration keys.
//!
//! Manual pages and completions are made from the client's own table by `lxc manpage` and `lxc completion`, when
//! `scripts/build-release` builds what is installed; they are not kept in the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// Every generated file with what it must hold.
fn documents(project: &Path) -> Vec<(PathBuf, String)> {
    let folder = project.join("doc/config");
    let pages = corten_config::reference::pages().into_iter();
    pages.map(|page| (folder.join(page.name).with_extension("md"), page.text)).collect()
}

/// Writes them.
///
/// # Errors
/// When a file cannot be written.
pub fn write(project: &Path) -> Result<(), String> {
    for (path, text) in documents(project) {
        let folder = path.parent().unwrap_or(project);
        fs::create_dir_all(folder).map_err(|error| format!("making {}: {error}", folder.display()))?;
        fs::write(&path, text).map_err(|error| format!("writing {}: {error}", path.display()))?;
    }
    Ok(())
}

/// Those that are missing or hold something else.
pub fn stale(project: &Path) -> Vec<PathBuf> {
    let differs = |(path, text): &(PathBuf, String)| fs::read_to_string(path).ok().as_ref() != Some(text);
    documents(project).into_iter().filter(differs).map(|(path, _)| path).collect()
}
