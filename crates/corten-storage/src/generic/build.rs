//! Building a volume beside its place and putting it there in one step.

use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use corten_host::rooted::remove;
use corten_host::undo::Undo;

use super::names;
use crate::error::{Doing, Result};
use crate::pool::Pool;
use crate::volume::Volume;

/// Makes the volume's directory under a leftover's name, lets `fill` fill it, and renames it to its place.
///
/// # Errors
/// That of `fill`, or what the kernel says; nothing is left then.
pub fn volume(pool: &Pool, volume: &Volume, fill: impl FnOnce(&Path) -> Result<()>) -> Result<Undo> {
    let place = pool.path(volume);
    let mut undo = Undo::default();
    if volume.is_snapshot() {
        undo.absorb(snapshots_directory(pool, volume)?);
    }
    let building = names::beside(&place);
    let gone = building.clone();
    undo.step(
        "make the volume's directory",
        || make_directory(&building, 0o700),
        |()| move || remove::tree(&gone).map_err(|error| error.to_string()),
    )?;
    undo.step("fill the volume", || fill(&building), |()| || Ok(()))?;
    let close = || -> Result<()> {
        let mode = std::fs::Permissions::from_mode(volume.kind.volume_mode());
        lchown(&building, Some(volume.owner), None).and_then(|()| std::fs::set_permissions(&building, mode)).doing(
            || format!("Failed to chmod mount directory \"{}\" ({:04o})", place.display(), volume.kind.volume_mode()),
        )
    };
    undo.step("close the volume's directory", close, |()| || Ok(()))?;
    let (from, to) = (place.clone(), building.clone());
    let put = || {
        names::rename_new(&building, &place)
            .doing(|| format!("Failed to create mount directory \"{}\"", place.display()))
    };
    undo.step("put the volume in its place", put, |()| {
        move || names::rename_new(&from, &to).map_err(|error| error.to_string())
    })?;
    Ok(undo)
}

/// Makes the directory that a volume's snapshots are in, where it is missing.
fn snapshots_directory(pool: &Pool, volume: &Volume) -> Result<Undo> {
    let mut undo = Undo::default();
    let path = volume.snapshots_path(pool.directory());
    if !path.is_dir() {
        let gone = path.clone();
        let make = || make_directory(&path, 0o700);
        undo.step("make the directory of snapshots", make, |()| {
            move || names::remove_if_empty(&gone).map_err(|error| error.to_string())
        })?;
    }
    Ok(undo)
}

fn make_directory(path: &Path, mode: u32) -> Result<()> {
    let what = || format!("Failed to create mount directory \"{}\"", path.display());
    std::fs::create_dir(path).doing(what)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).doing(what)
}

/// Takes a volume away in one step, then removes its files. A volume that is not there is no failure.
///
/// # Errors
/// What the kernel says; when files remain they are leftovers, which go when the daemon starts next.
pub fn take_away(pool: &Pool, volume: &Volume) -> Result<()> {
    let place = pool.path(volume);
    let going: PathBuf = names::beside(&place);
    match names::rename_new(&place, &going) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        moved => moved.doing(|| format!("Failed to remove '{}'", place.display()))?,
    }
    remove::tree(&going).doing(|| format!("Failed to remove '{}'", place.display()))
}
