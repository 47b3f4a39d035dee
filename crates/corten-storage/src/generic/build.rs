//! Building a volume beside its place and putting it there in one step.

use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use corten_host::rooted::remove;
use corten_host::undo::Undo;

use super::names;
use crate::error::{Doing, Result};
use crate::pool::Pool;
use crate::volume::{Kind, Volume};

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
    let building = beside(pool, volume, fill, &mut undo)?;
    let (from, to) = (place.clone(), building.clone());
    let what = || format!("Failed to create mount directory \"{}\"", place.display());
    undo.step(
        "put the volume in its place",
        || names::rename_new(&building, &place).doing(what),
        |()| move || names::rename_new(&from, &to).map_err(|error| error.to_string()),
    )?;
    Ok(undo)
}

/// As [`volume()`](fn@volume), in place of the volume that is there, which nobody uses: both change places in one step,
/// and then the old one goes.
///
/// # Errors
/// That of `fill`, or what the kernel says; the volume is as it was then.
pub fn replacement(pool: &Pool, volume: &Volume, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let place = pool.path(volume);
    let mut undo = Undo::default();
    let building = beside(pool, volume, fill, &mut undo)?;
    let exchange = || names::exchange(&building, &place).doing(|| format!("Failed to replace '{}'", place.display()));
    undo.step("exchange the volume and its replacement", exchange, |()| || Ok(()))?;
    undo.keep();
    // What is beside now is what the volume was.
    remove::tree(&building).doing(|| format!("Failed to remove '{}'", building.display()))
}

/// The volume with the owner that its directory has now: a start may have changed it since it was made.
///
/// # Errors
/// What the kernel says.
pub fn owned_as_now(pool: &Pool, volume: &Volume) -> Result<Volume> {
    let path = pool.path(volume);
    let stat = rustix::fs::lstat(&path).doing(|| format!("Failed to look at \"{}\"", path.display()))?;
    Ok(volume.clone().owned_by(stat.st_uid))
}

/// Makes and fills the volume's directory beside its place, and gives the path.
fn beside(pool: &Pool, volume: &Volume, fill: impl FnOnce(&Path) -> Result<()>, undo: &mut Undo) -> Result<PathBuf> {
    let building = names::beside(&pool.path(volume));
    let gone = building.clone();
    let mode = volume.kind.volume_mode();
    // Who uses a custom volume may change the permissions of its root, which then come with a copy.
    let keeps_own = volume.kind == Kind::Custom;
    let first = if keeps_own { mode } else { 0o700 };
    undo.step(
        "make the volume's directory",
        || make_directory(&building, first),
        |()| move || remove::tree(&gone).map_err(|error| error.to_string()),
    )?;
    undo.step("fill the volume", || fill(&building), |()| || Ok(()))?;
    if keeps_own {
        return Ok(building);
    }
    undo.step("close the volume's directory", || close(volume, &building), |()| || Ok(()))?;
    Ok(building)
}

/// Gives an instance's volume at `path` to its owner, and closes it to all others.
///
/// # Errors
/// What the kernel says.
pub fn close(volume: &Volume, path: &Path) -> Result<()> {
    let mode = volume.kind.volume_mode();
    lchown(path, Some(volume.owner), None)
        .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)))
        .doing(|| format!("Failed to chmod mount directory \"{}\" ({mode:04o})", path.display()))
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
