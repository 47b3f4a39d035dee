//! Making a backup: packed into a file that nobody looks for, which then takes its place, and is remembered.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use corten_api::error::{Context, Error, Result};
use corten_api::time::Time;
use corten_archive::compress::Algorithm;
use corten_db::table::backups::{self, Backup};
use corten_host::undo::Undo;
use corten_instance::step::{pass, step};

use super::Owner;
use super::receive::Scratch;
use crate::app::App;
use crate::app::archive_file::{self, Listener, Packing, Seldom, in_words};
use crate::app::images::progress::byte_size;
use crate::app::projects::quota::Quota;
use crate::rest::operation::Op;

/// A backup that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its own name.
    pub name: String,
    /// When it is to go; the zero time is never.
    pub expires: Time,
    /// Whether snapshots are left out.
    pub without_snapshots: bool,
    /// How it is compressed.
    pub algorithm: Algorithm,
}

/// The compressor: as the request says, else the project (where it has a say), else the server.
///
/// # Errors
/// When it is not known.
pub fn algorithm(app: &App, project: Option<&str>, asked: &str) -> Result<Algorithm> {
    let key = "backups.compression_algorithm";
    let own = match project {
        Some(project) => app.project(project)?.0.config.get(key).filter(|value| !value.is_empty()).cloned(),
        None => None,
    };
    let value = Some(asked.to_string()).filter(|value| !value.is_empty()).or(own);
    Algorithm::parse(&value.unwrap_or_else(|| app.settings.get_or(key, "gzip"))).map_err(in_words)
}

/// Makes a backup of what `fill` packs. The operation's metadata gets how far it is.
///
/// # Errors
/// When the name is taken, or what went wrong; nothing of it is left then.
pub fn create(
    app: &App,
    owner: &Owner,
    wanted: &Wanted,
    op: &Op,
    fill: impl FnOnce(&mut Packing<'_>) -> Result<()>,
) -> Result<()> {
    let full = owner.full_name(&wanted.name);
    let taken = || Error::conflict(format!("Backup {full:?} already exists"));
    if owner.backup(app, &wanted.name).is_ok() {
        return Err(taken());
    }
    let scratch = Scratch::new(app)?;
    pass("make the archive")?;
    let progress = Progress::new(op);
    let quota = Quota::new(None);
    let listener =
        Listener { packed: &|_| {}, stored: &|size| progress.see(size), cancelled: op.cancel_flag(), quota: &quota };
    archive_file::write(scratch.path(), wanted.algorithm, None, listener, fill)
        .map_err(|error| op.or_cancelled(error))?;
    let mut undo = Undo::default();
    let place = owner.folder.join(&wanted.name);
    step(
        &mut undo,
        "put the backup in its place",
        || put(scratch.path(), &owner.folder, &place),
        |()| {
            let (folder, place) = (owner.folder.clone(), place.clone());
            move || remove(&folder, &place)
        },
    )?;
    let row = Backup {
        id: 0,
        owner_id: owner.id,
        name: full.clone(),
        created: Some(Time::now().timestamp()),
        expires: (!wanted.expires.is_never()).then(|| wanted.expires.timestamp()),
        without_snapshots: wanted.without_snapshots,
        optimized: false,
    };
    pass("remember the backup")?;
    app.write(|tx| {
        if backups::get(tx, owner.of, owner.id, &full)?.is_some() {
            return Err(taken().into());
        }
        backups::insert(tx, owner.of, &row)?;
        Ok(())
    })?;
    undo.keep();
    app.lifecycle(&owner.project, &owner.action("created"), &owner.path_of(&wanted.name), op.requestor());
    Ok(())
}

/// Moves a finished file to the folder of its owner, which is made where it is missing. An older file there is what an
/// interrupted change left.
fn put(file: &Path, folder: &Path, place: &Path) -> Result<()> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("Failed to create {}", folder.display()))?;
    std::fs::rename(file, place).with_context(|| format!("Failed to create {}", place.display()))
}

/// Removes a backup's file, and the folders above it that it leaves empty.
///
/// # Errors
/// What the kernel says; a missing file is no failure.
pub fn remove(folder: &Path, place: &Path) -> Result<()> {
    match std::fs::remove_file(place) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("Failed to remove {}", place.display()));
        }
        _ => {}
    }
    // One with other backups stays.
    let _ = std::fs::remove_dir(folder);
    Ok(())
}

/// Where a backup's file is.
pub fn place(owner: &Owner, name: &str) -> PathBuf {
    owner.folder.join(name)
}

/// Tells an operation how much is written, in LXD's words.
struct Progress<'a> {
    op: &'a Op,
    begun: Instant,
    told: Seldom<u64>,
}

impl<'a> Progress<'a> {
    fn new(op: &'a Op) -> Progress<'a> {
        Progress { op, begun: Instant::now(), told: Seldom::new(0) }
    }

    fn see(&self, stored: u64) {
        // About as often as a person reads.
        if !self.told.is_news(stored >> 22) {
            return;
        }
        let speed = u128::from(stored) * 1000 / self.begun.elapsed().as_millis().max(1);
        let speed = byte_size(u64::try_from(speed).unwrap_or(u64::MAX));
        self.op.set_metadata("create_backup_progress", format!("{} ({speed}/s)", byte_size(stored)));
    }
}
