//! Snapshots and copies by stacking: the writable layer becomes one below, in constant time.
//!
//! The writable layer of a mounted overlay cannot be exchanged. So of a volume in use the layer is copied instead; its
//! user has frozen it.

use corten_archive::watch::Watch;
use corten_host::undo::Undo;

use super::layers::{self, Layer};
use super::{stack, upper};
use crate::error::{Error, Result};
use crate::generic::build;
use crate::generic::copy_tree::copy_tree;
use crate::pool::Pool;
use crate::volume::Volume;

/// So many layers are stacked before a snapshot makes one of them: looking up a name that is not there asks each
/// layer, and mount(2) takes one page of options.
const MOST_LAYERS: usize = 64;

/// Makes a snapshot.
///
/// # Errors
/// What went wrong, with everything as it was.
pub fn take(pool: &Pool, volume: &Volume, snapshot: &Volume, watch: &Watch) -> Result<Undo> {
    let _held = pool.hold_layers();
    let mut undo = Undo::default();
    let frozen = settle(pool, volume, &mut undo, watch)?;
    undo.absorb(stack::place(pool, snapshot, &frozen, Some(&pool.path(volume)))?);
    Ok(undo)
}

/// Makes a volume with the content of another, or of a snapshot, of the same pool.
///
/// # Errors
/// What went wrong, with everything as it was.
pub fn copy(pool: &Pool, volume: &Volume, source: &Volume, watch: &Watch) -> Result<Undo> {
    let _held = pool.hold_layers();
    let mut undo = Undo::default();
    let path = pool.path(source);
    let frozen = if source.is_snapshot() { layers::read(&path)? } else { settle(pool, source, &mut undo, watch)? };
    undo.absorb(stack::new_on(pool, volume, frozen, Some(&path))?);
    Ok(undo)
}

/// Layers that hold what the volume holds now and will never change.
fn settle(pool: &Pool, volume: &Volume, undo: &mut Undo, watch: &Watch) -> Result<Vec<Layer>> {
    let path = pool.path(volume);
    let layers = layers::read(&path)?;
    let [top, below @ ..] = layers.as_slice() else {
        return Err(Error::internal(format!("Storage volume \"{}\" has no layers", volume.name)));
    };
    let top_tree = top.tree(pool)?;
    if let Some(next) = below.first()
        && upper::is_untouched(&top_tree, &next.tree(pool)?)?
    {
        return Ok(below.to_vec());
    }
    let in_use = pool.is_running(volume) || pool.contents().users(&path) > 0;
    if in_use || layers.len() >= MOST_LAYERS {
        let copied = copied(pool, volume, top, undo, watch)?;
        return Ok([&[copied], below].concat());
    }
    // First the volume gets a new layer on top, which changes nothing of what it shows; only then may others refer
    // to the old one.
    let fresh = upper::create(pool, volume, Some(&top_tree), undo)?;
    let stacked = [std::slice::from_ref(&fresh), &layers].concat();
    let (back, old) = (path.clone(), layers.clone());
    undo.step(
        "put a new layer on top",
        || layers::write(&path, &stacked),
        |()| move || layers::write(&back, &old).map_err(|error| error.to_string()),
    )?;
    Ok(layers)
}

/// A copy of a layer.
fn copied(pool: &Pool, volume: &Volume, top: &Layer, undo: &mut Undo, watch: &Watch) -> Result<Layer> {
    let unlimited = Volume { id: None, ..volume.clone() };
    let copy = upper::create(pool, &unlimited, None, undo)?;
    let (from, to) = (top.tree(pool)?, copy.tree(pool)?);
    undo.step("copy the writable layer", || copy_tree(&from, &to, watch), |()| || Ok(()))?;
    Ok(copy)
}

/// Makes the volume what the snapshot is: a new empty layer on top of the snapshot's.
///
/// # Errors
/// What went wrong, with the volume as it was.
pub fn restore(pool: &Pool, volume: &Volume, snapshot: &Volume) -> Result<()> {
    let from = pool.path(snapshot);
    let old = layers::read(&pool.path(volume))?;
    {
        let _held = pool.hold_layers();
        let mut undo = Undo::default();
        let mut restored = layers::read(&from)?;
        let like = restored.first().map(|layer| layer.tree(pool)).transpose()?;
        restored.insert(0, upper::create(pool, volume, like.as_deref(), &mut undo)?);
        let owned = build::owned_as_now(pool, volume)?;
        build::replacement(pool, &owned, |path| stack::fill(path, &restored, Some(&from)))?;
        undo.keep();
    }
    match old.split_first() {
        Some((own, below)) => layers::drop_unused(pool, Some(own), below),
        None => Ok(()),
    }
}
