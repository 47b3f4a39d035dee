//! Volumes from layers: a writable one on top of others, and what the runtime makes a root of.

use std::io::ErrorKind;
use std::path::Path;

use corten_host::rooted::directory::Directory;
use corten_host::rooted::remove;
use corten_host::undo::Undo;

use super::layers::{self, LAYERS, Layer};
use super::upper;
use crate::driver::Root;
use crate::error::{Doing, Error, Result};
use crate::generic::build;
use crate::generic::copy_tree::copy_entry;
use crate::pool::Pool;
use crate::volume::Volume;

/// Makes a volume with a new writable layer on `below`. What is beside the root (`metadata.yaml`, `templates/`, …) is
/// copied from the directory `files_of`. The caller holds the layers.
///
/// # Errors
/// What the kernel says; nothing is left then.
pub fn new_on(pool: &Pool, volume: &Volume, below: Vec<Layer>, files_of: Option<&Path>) -> Result<Undo> {
    let mut undo = Undo::default();
    let like = below.first().map(|layer| layer.tree(pool)).transpose()?;
    let mut layers = below;
    if !volume.is_snapshot() {
        layers.insert(0, upper::create(pool, volume, like.as_deref(), &mut undo)?);
    }
    undo.absorb(place(pool, volume, &layers, files_of)?);
    Ok(undo)
}

/// Makes a volume of these layers.
///
/// # Errors
/// What the kernel says; nothing is left then.
pub fn place(pool: &Pool, volume: &Volume, layers: &[Layer], files_of: Option<&Path>) -> Result<Undo> {
    build::volume(pool, volume, |path| fill(path, layers, files_of))
}

/// Fills a volume's directory: what is beside the root, an empty place for the host's view, the layers.
///
/// # Errors
/// What the kernel says.
pub fn fill(path: &Path, layers: &[Layer], files_of: Option<&Path>) -> Result<()> {
    if let Some(from) = files_of {
        copy_files(from, path)?;
    }
    std::fs::create_dir(path.join("rootfs")).doing(|| "Error creating rootfs directory")?;
    layers::write(path, layers)
}

/// Names in a volume's or image's directory that are the root or belong to the pool, not to the instance.
const NOT_FILES: [&str; 6] = ["rootfs", LAYERS, "rootfs.squashfs", "image.squashfs", "image", "unwanted"];

/// Copies what is beside the root.
fn copy_files(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("Failed to copy \"{}\"", from.display());
    let (from, to) = (Directory::open(from).doing(failed)?, Directory::open(to).doing(failed)?);
    for (name, _) in from.entries().doing(failed)? {
        if !NOT_FILES.iter().any(|each| name == *each) {
            copy_entry(&from, &to, &name).doing(failed)?;
        }
    }
    Ok(())
}

/// Makes a volume whose tree `fill` writes as on any pool; its `rootfs` becomes the lowest layer, with a writable one
/// on top.
///
/// # Errors
/// That of `fill`, or what the kernel says; nothing is left then.
pub fn from_tree(pool: &Pool, volume: &Volume, fill: impl FnOnce(&Path) -> Result<()>) -> Result<Undo> {
    let mut undo = Undo::default();
    // What a volume begins with does not count for its limit, as with an image; and a rename into the directory of
    // another project would be refused.
    let unlimited = Volume { id: None, ..volume.clone() };
    let base = upper::create(pool, &unlimited, None, &mut undo)?;
    let tree = base.tree(pool)?;
    let mut top = Undo::default();
    let built = build::volume(pool, volume, |path| {
        fill(path)?;
        let rootfs = path.join("rootfs");
        let failed = || format!("Failed to move \"{}\" to its layer", rootfs.display());
        match rootfs.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::invalid("The volume to copy has no rootfs"));
            }
            found => found.doing(failed)?,
        };
        remove::tree(&tree).doing(failed)?;
        std::fs::rename(&rootfs, &tree).doing(failed)?;
        std::fs::create_dir(&rootfs).doing(failed)?;
        let mut layers = vec![base.clone()];
        if !volume.is_snapshot() {
            layers.insert(0, upper::create(pool, volume, Some(&tree), &mut top)?);
        }
        layers::write(path, &layers)
    })?;
    undo.absorb(top);
    undo.absorb(built);
    Ok(undo)
}

/// What a root is made of, images mounted.
///
/// # Errors
/// When the top layer cannot be written to; why an image cannot be mounted.
pub fn root(pool: &Pool, layers: &[Layer]) -> Result<Root> {
    let [top @ Layer::Own(_), below @ ..] = layers else {
        return Err(Error::internal("The volume has no writable layer"));
    };
    let lower = below.iter().map(|layer| layer.tree(pool)).collect::<Result<_>>()?;
    let top = top.directory(pool);
    Ok(Root::Overlay { lower, upper: top.join("upper"), work: top.join("work") })
}
