//! Bringing a copy up to date with what it was copied from: files, and snapshots that came or went since.

use std::sync::Arc;

use corten_api::error::{Context, Error, Result};
use corten_archive::watch::Watch;
use corten_db::error::Abort;
use corten_db::table::{instances, snapshots, storage_volumes, volume_snapshots};
use corten_db::{Tx, View};
use corten_host::undo::Undo;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::Action;
use corten_instance::step::{pass, step};
use corten_instance::volatile;
use corten_storage::fill::Fill;

use super::claims::{Key, Taken};
use super::copy::Source;
use super::intent::{self, Intent, Renewal};
use super::{Instances, backup_file, links, observe, root, snapshots as taken};
use crate::app::App;

/// Brings the stopped instance of this key up to what `source` is. Its configuration stays; its snapshots become those that
/// `source` has along, unless it has none along by wish (`alone`).
///
/// # Errors
/// When it runs or is busy, or what went wrong; its files are as before then.
pub fn refresh(app: &Arc<App>, key: &Key, source: &Source, alone: bool) -> Result<()> {
    let claim = app.instances.claims.take(key, Action::Refresh, || observe(app, key));
    let claim = claim.map_err(|error| error.context("Failed getting exclusive access to instance"))?;
    let Taken::Go(claim) = claim else { return Ok(()) };
    let outcome = Instances::find(app, &key.0, &key.1).and_then(|target| {
        if target.id == source.instance.id {
            return Err(Error::invalid("An instance cannot be refreshed from itself"));
        }
        make(app, &target, source, alone)
    });
    claim.end(outcome)
}

fn make(app: &Arc<App>, target: &Instance, source: &Source, alone: bool) -> Result<()> {
    let _bar = app.instances.visits.bar(&super::key(target));
    let _source_claim = source.claim(app)?;
    let there = app.view(|view| Ok(snapshots::of_instance(view, target.id)?))?;
    let there = if alone { Vec::new() } else { there };
    let (missing, extra) = compare(&source.along, &there);
    // One of the same name stands in the way; the others go when everything else is done.
    let (in_the_way, others): (Vec<_>, Vec<_>) =
        extra.into_iter().partition(|extra| missing.iter().any(|missing| missing.name == extra.name));
    let (key, mut undo) = (super::key(target), Undo::default());
    let renewal = Renewal {
        snapshots: missing.iter().map(|snapshot| snapshot.name.clone()).collect(),
        inode: inode(app, target)?,
    };
    intent::note(app, &key, &Intent::Refresh(renewal), &mut undo)?;
    for snapshot in in_the_way {
        pass("remove a snapshot that is another one")?;
        taken::remove::files_and_rows(app, target, &snapshot)?;
    }
    let along = Source { along: missing, ..source.clone() };
    // With the note before it in one `undo`: where something cannot be taken back, the note stays for the next daemon.
    copy(app, target, &along, &mut undo)?;
    undo.keep();
    for snapshot in others {
        // The refresh is done; one that cannot be removed stays, and can be removed by hand.
        if let Err(error) = taken::remove::files_and_rows(app, target, &snapshot) {
            let (instance, snapshot) = (&target.name, &snapshot.name);
            tracing::warn!(instance, snapshot, %error, "Failed to remove a snapshot that the source does not have");
        }
    }
    intent::done(app, &key)?;
    links::set_known(app, &target.project, &target.name)?;
    backup_file::refresh(app, &key);
    Ok(())
}

/// Takes back a refresh that was cut short before its files took the place of the old ones: the snapshots that came with it
/// go again, and those that are remembered and were not copied yet are forgotten.
///
/// # Errors
/// What cannot be read or written.
pub fn take_back(app: &App, target: &Instance, renewal: &Renewal) -> Result<()> {
    let missing = without_files(app, target)?;
    if inode(app, target)? == renewal.inode {
        for snapshot in app.view(|view| Ok(snapshots::of_instance(view, target.id)?))? {
            if renewal.snapshots.contains(&snapshot.name) && !missing.contains(&snapshot.name) {
                taken::remove::files_and_rows(app, target, &snapshot)?;
            }
        }
    }
    app.take_away(|tx| forget(tx, target, &missing))?;
    links::set_known(app, &target.project, &target.name)?;
    backup_file::refresh(app, &super::key(target));
    Ok(())
}

/// The number of the volume's directory, which another one has once it is renewed.
fn inode(app: &App, target: &Instance) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let (pool, volume) = root::volume(app, target)?;
    let path = pool.path(&volume);
    let found = std::fs::metadata(&path).with_context(|| format!("Failed to look at {}", path.display()))?;
    Ok(found.ino())
}

/// Names of snapshots that are remembered and not there.
fn without_files(app: &App, target: &Instance) -> Result<Vec<String>> {
    let (pool, volume) = root::volume(app, target)?;
    let there = pool.snapshots(&volume)?;
    let rows = app.view(|view| Ok(snapshots::of_instance(view, target.id)?))?;
    Ok(rows.into_iter().map(|row| row.name).filter(|name| !there.contains(name)).collect())
}

/// Copies snapshots and files.
fn copy(app: &Arc<App>, target: &Instance, source: &Source, undo: &mut Undo) -> Result<()> {
    let refreshing = |error: Error| error.context("Refresh instance");
    let ((pool, volume), (from_pool, from)) = (root::volume(app, target)?, source.volume(app)?);
    let names: Vec<String> = source.along.iter().map(|snapshot| snapshot.name.clone()).collect();
    step(
        undo,
        "remember the snapshots",
        || app.write(|tx| insert(tx, target, source)),
        |()| {
            let (app, target, names) = (app.clone(), target.clone(), names.clone());
            move || app.take_away(|tx| forget(tx, &target, &names))
        },
    )?;
    let watch = Watch::default();
    for name in &names {
        let fill = Fill::Copy { pool: &from_pool, source: &from.snapshot(name), snapshots: &[], like: None };
        let copied = pool.create_volume(&volume.snapshot(name), &fill, &watch);
        undo.absorb(copied.map_err(|error| refreshing(error.into()))?);
    }
    let still = source.hold(app, &from_pool)?;
    pass("copy the volume")?;
    let fill = Fill::Copy { pool: &from_pool, source: &from, snapshots: &[], like: None };
    let copied = pool.refill_volume(&volume, &fill, &watch);
    drop(still);
    copied.map_err(|error| refreshing(error.into()))
}

fn insert(tx: &mut Tx<'_>, target: &Instance, source: &Source) -> Result<(), Abort> {
    let volume = volume_of(tx, target)?;
    source.insert_along(tx, target, target.id, volume)?;
    if target.volatile(volatile::APPLY_TEMPLATE).is_empty() {
        instances::set_keys(tx, target.id, &[(volatile::APPLY_TEMPLATE, Some("copy"))])?;
    }
    Ok(())
}

/// Removes the rows of snapshots of these names, and takes back what [`insert`] noted.
///
/// # Errors
/// The database's.
pub fn forget(tx: &mut Tx<'_>, target: &Instance, names: &[String]) -> Result<(), Abort> {
    let volume = volume_of(tx, target)?;
    for name in names {
        if let Some(snapshot) = snapshots::get(tx, target.id, name)? {
            snapshots::delete(tx, snapshot.id)?;
        }
        if let Some(copy) = volume_snapshots::get(tx, volume, name)? {
            volume_snapshots::delete(tx, copy.id)?;
        }
    }
    let before = Some(target.volatile(volatile::APPLY_TEMPLATE)).filter(|value| !value.is_empty());
    Ok(instances::set_keys(tx, target.id, &[(volatile::APPLY_TEMPLATE, before)])?)
}

fn volume_of(view: &View<'_>, target: &Instance) -> Result<i64, Abort> {
    let volume = storage_volumes::of_instance(view, &target.project, &target.name)?;
    Ok(volume.ok_or_else(|| Error::not_found("Storage volume not found"))?.id)
}

/// Which snapshots `there` lacks of `wanted`, and which it has too many: the same name and time is the same snapshot.
fn compare(
    wanted: &[snapshots::Snapshot],
    there: &[snapshots::Snapshot],
) -> (Vec<snapshots::Snapshot>, Vec<snapshots::Snapshot>) {
    let lacking = |of: &[snapshots::Snapshot], among: &[snapshots::Snapshot]| {
        let is_among = |one: &&snapshots::Snapshot| {
            among.iter().any(|other| (&other.name, other.created) == (&one.name, one.created))
        };
        of.iter().filter(|one| !is_among(one)).cloned().collect()
    };
    (lacking(wanted, there), lacking(there, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_at_another_time_is_another_snapshot() {
        let snapshot = |name: &str, second: i64| snapshots::Snapshot {
            id: second,
            instance_id: 1,
            project: "default".into(),
            instance: "c1".into(),
            name: name.into(),
            created: jiff::Timestamp::from_second(second).expect("in the calendar"),
            stateful: false,
            description: String::new(),
            expires: None,
            config: corten_db::table::Config::new(),
            devices: corten_db::table::Devices::new(),
        };
        let (missing, extra) = compare(
            &[snapshot("a", 1), snapshot("b", 2), snapshot("c", 3)],
            &[snapshot("a", 1), snapshot("b", 9), snapshot("d", 4)],
        );
        let names = |list: Vec<snapshots::Snapshot>| list.into_iter().map(|one| one.name).collect::<Vec<_>>();
        assert_eq!((names(missing), names(extra)), (vec!["b".into(), "c".into()], vec!["b".into(), "d".to_string()]));
    }
}
