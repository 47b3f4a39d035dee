//! Writable layers: made empty, with the face of what is below them.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use corten_host::rooted::directory::Directory;
use corten_host::rooted::remove;
use corten_host::undo::Undo;

use super::layers::Layer;
use crate::error::{Doing, Result};
use crate::generic::copy_tree::copy_attributes_of;
use crate::pool::Pool;
use crate::volume::Volume;

/// Makes an empty layer whose root looks as the directory `like` (owner, permissions, attributes): in an overlay the
/// uppermost root is the one that is seen. `volume` is whose quota it counts for.
///
/// # Errors
/// What the kernel says; nothing is left then.
pub fn create(pool: &Pool, volume: &Volume, like: Option<&Path>, undo: &mut Undo) -> Result<Layer> {
    let layer = Layer::Own(fresh_id()?);
    let path = layer.directory(pool);
    let gone = path.clone();
    let make = || {
        let failed = || format!("Failed to create layer \"{}\"", path.display());
        let directory = |path: &Path, mode| std::fs::DirBuilder::new().mode(mode).create(path).doing(failed);
        directory(&path, 0o700)?;
        let filled = || -> Result<()> {
            crate::dir::quota::prepare(&path, volume)?;
            directory(&path.join("work"), 0o700)?;
            directory(&path.join("upper"), 0o755)?;
            match like {
                None => Ok(()),
                Some(like) => copy_attributes_of(like, &path.join("upper")).doing(failed),
            }
        };
        // Only this call knows of the layer until it returns.
        filled().inspect_err(|_| drop(remove::tree(&path)))
    };
    undo.step("make a layer", make, |()| move || remove::tree(&gone).map_err(|error| error.to_string()))?;
    Ok(layer)
}

/// A name that no layer ever had.
fn fresh_id() -> Result<String> {
    let path = "/proc/sys/kernel/random/uuid";
    let id = std::fs::read_to_string(path).doing(|| format!("Failed to read \"{path}\""))?;
    Ok(id.trim().to_string())
}

/// Whether nothing was ever written to a layer: it has no entries, and its root looks as `below`'s.
///
/// # Errors
/// What the kernel says.
pub fn is_untouched(upper: &Path, below: &Path) -> Result<bool> {
    let look = |path: &Path| {
        let face = rustix::fs::stat(path).map(|stat| (stat.st_mode, stat.st_uid, stat.st_gid));
        face.doing(|| format!("Failed to look at \"{}\"", path.display()))
    };
    let entries = Directory::open(upper).and_then(|directory| directory.entries());
    let entries = entries.doing(|| format!("Failed to read \"{}\"", upper.display()))?;
    Ok(entries.is_empty() && look(upper)? == look(below)?)
}

/// Takes away the mark that a volatile mount leaves in the overlay's own directory: with it nothing mounts the layer
/// again, since the machine may have crashed meanwhile. What the host writes through its view needs no such care. No
/// view may be mounted; a container's overlay may be, and never has the mark.
///
/// # Errors
/// What could not be removed.
pub fn clear_mark(layer: &Path) -> Result<()> {
    let mark = layer.join("work/work/incompat");
    remove::tree(&mark).doing(|| format!("Failed to remove '{}'", mark.display()))
}
