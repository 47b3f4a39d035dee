//! Backups that are there: shown, handed out, renamed, removed.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use corten_api::error::{Context, Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_api::instance_backup::InstanceBackup;
use corten_api::storage_pool_volume_backup::StoragePoolVolumeBackup;
use corten_api::time::Time;
use corten_db::Tx;
use corten_db::error::Abort;
use corten_db::table::backups::{self, Backup, Of};
use corten_host::undo::Undo;
use corten_instance::step::{pass, step};
use serde_json::Value;

use super::create::{place, remove};
use super::{Owner, check_name, short};
use crate::app::App;
use crate::rest::reply::Reply;

fn time(moment: Option<jiff::Timestamp>) -> Time {
    moment.map_or(Time::ZERO, Time::from)
}

/// A backup of an instance as the API shows it.
pub fn shown(row: &Backup) -> InstanceBackup {
    InstanceBackup {
        name: short(row).to_string(),
        created_at: time(row.created),
        expires_at: time(row.expires),
        instance_only: row.without_snapshots,
        container_only: row.without_snapshots,
        optimized_storage: row.optimized,
    }
}

/// The backups of all instances, by the instance's number.
///
/// # Errors
/// The database's.
pub fn by_instance(app: &App) -> Result<HashMap<i64, Vec<InstanceBackup>>> {
    let mut kept: HashMap<i64, Vec<InstanceBackup>> = HashMap::new();
    for row in app.view(|view| Ok(backups::all(view, Of::Instance)?))? {
        kept.entry(row.owner_id).or_default().push(shown(&row));
    }
    Ok(kept)
}

/// A backup of a custom volume as the API shows it.
pub fn shown_of_volume(row: &Backup) -> StoragePoolVolumeBackup {
    StoragePoolVolumeBackup {
        name: short(row).to_string(),
        created_at: time(row.created),
        expires_at: time(row.expires),
        volume_only: row.without_snapshots,
        optimized_storage: row.optimized,
    }
}

/// The backup's file.
///
/// # Errors
/// 404, or when the file cannot be read.
pub fn export(app: &App, owner: &Owner, name: &str, requestor: EventLifecycleRequestor) -> Result<Reply> {
    owner.backup(app, name)?;
    let place = place(owner, name);
    let file = File::open(&place).with_context(|| format!("Failed to open {}", place.display()))?;
    app.lifecycle(&owner.project, &owner.action("retrieved"), &owner.path_of(name), Some(requestor));
    let length = file.metadata().with_context(|| format!("Failed to look at {}", place.display()))?.len();
    Ok(Reply::stream(file, Some(length)))
}

/// Gives a backup another name.
///
/// # Errors
/// 404, 400 for a bad name, 409 for a taken one, or what the kernel says; the old name stays then.
pub fn rename(
    app: &App,
    owner: &Owner,
    old: &str,
    new: &str,
    requestor: Option<EventLifecycleRequestor>,
) -> Result<()> {
    check_name(new)?;
    let full = owner.full_name(new);
    let row = app.view(|view| {
        if backups::get(view, owner.of, owner.id, &full)?.is_some() {
            return Err(Error::conflict(format!("Backup {full:?} already exists")).into());
        }
        owner.row(view, old)
    })?;
    let (from, to) = (place(owner, old), place(owner, new));
    let mut undo = Undo::default();
    step(
        &mut undo,
        "rename the backup",
        || std::fs::rename(&from, &to).with_context(|| format!("Failed to rename {}", from.display())),
        |()| {
            let (from, to) = (from.clone(), to.clone());
            move || std::fs::rename(&to, &from).with_context(|| format!("Failed to rename {}", to.display()))
        },
    )?;
    pass("remember the new name")?;
    app.write(|tx| Ok(backups::rename(tx, owner.of, row.id, &full)?))?;
    undo.keep();
    let context = [("old_name", Value::from(owner.full_name(old)))];
    app.lifecycle_with(&owner.project, &owner.action("renamed"), &owner.path_of(new), requestor, context);
    Ok(())
}

/// Removes a backup.
///
/// # Errors
/// 404, or what could not be removed; it can be removed again then.
pub fn delete(app: &App, owner: &Owner, name: &str, requestor: Option<EventLifecycleRequestor>) -> Result<()> {
    let row = owner.backup(app, name)?;
    remove(&owner.folder, &place(owner, name))?;
    app.take_away(|tx| Ok(backups::delete(tx, owner.of, row.id)?))?;
    app.lifecycle(&owner.project, &owner.action("deleted"), &owner.path_of(name), requestor);
    Ok(())
}

/// Removes all backups of something that goes itself.
///
/// # Errors
/// What could not be removed.
pub fn delete_all(app: &App, owner: &Owner) -> Result<()> {
    owner.backups(app)?.iter().try_for_each(|row| delete(app, owner, short(row), None))
}

/// Has the files of something's backups under its new name as well, before it is remembered: whichever name the next
/// daemon finds, it has files there, and those under the other name are leftovers.
///
/// # Errors
/// What the kernel says; the way back is in `undo`.
pub fn link_under(app: &App, old: &Owner, new: &Owner, undo: &mut Undo) -> Result<()> {
    let rows = old.backups(app)?;
    if rows.is_empty() {
        return Ok(());
    }
    let folder = new.folder.clone();
    step(
        undo,
        "make the folder of backups under the new name",
        || fresh_folder(&new.folder),
        |()| move || std::fs::remove_dir_all(&folder).with_context(|| format!("Failed to remove {}", folder.display())),
    )?;
    for row in &rows {
        let (from, to) = (place(old, short(row)), place(new, short(row)));
        std::fs::hard_link(&from, &to).with_context(|| format!("Failed to create {}", to.display()))?;
    }
    Ok(())
}

/// Makes an empty folder. One that is there is what an interrupted change left.
fn fresh_folder(folder: &Path) -> Result<()> {
    let failed = || format!("Failed to create {}", folder.display());
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).with_context(failed),
        _ => {}
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(failed)
}

/// Renames the rows, in the decision that renames what they belong to.
///
/// # Errors
/// The database's.
pub fn rename_rows(tx: &mut Tx<'_>, old: &Owner, new: &Owner) -> Result<(), Abort> {
    for row in backups::list(tx, old.of, old.id)? {
        backups::rename(tx, old.of, row.id, &new.full_name(short(&row)))?;
    }
    Ok(())
}

/// Removes the files under the old name, after the new one is remembered.
pub fn unlink(old: &Owner) {
    match std::fs::remove_dir_all(&old.folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            // They go when the daemon starts next.
            tracing::warn!(folder = %old.folder.display(), %error, "Failed to remove backups under an old name");
        }
        _ => {}
    }
}
