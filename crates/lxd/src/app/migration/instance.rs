//! An instance that comes from another server: made anew, or what brings one that is there up to date.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_api::instance::InstancesPost;
use corten_db::Tx;
use corten_db::error::Abort;
use corten_db::table::{instances, snapshots, storage_volumes};
use corten_host::undo::Undo;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::Action;
use corten_instance::step::{pass, step};
use corten_instance::volatile;

use super::incoming::{Incoming, Wanted};
use super::rows::Rows;
use super::session::Session;
use super::wire::Snapshot;
use crate::app::App;
use crate::app::instances::claims::{Key, Taken};
use crate::app::instances::create::{self, Origin};
use crate::app::instances::intent::{self, Intent, Renewal};
use crate::app::instances::{Instances, backup_file, key, links, observe, refresh, root, snapshots as taken};
use crate::app::storage::pools::Pools;

/// Makes the instance that `post` describes of what comes in `session`.
///
/// # Errors
/// In LXD's words, or the source's; nothing is left then.
pub fn take_in(
    app: &Arc<App>,
    project: &str,
    post: &InstancesPost,
    mut session: Session,
    requestor: Option<&EventLifecycleRequestor>,
) -> Result<()> {
    let pool = match create::planned_pool(app, project, post) {
        Ok(pool) => pool,
        Err(error) => return session.end(Err(error)),
    };
    let wanted = Wanted { name: &post.name, compress: super::compresses(&pool), refresh: None };
    let incoming = Arc::new(Incoming::greet(session, &wanted).map_err(transferring)?);
    let outcome = create::create(app, project, post, &Origin::Migration(incoming.clone()), requestor);
    incoming.end(outcome).map_err(transferring)
}

fn transferring(error: Error) -> Error {
    error.context("Error transferring instance data")
}

/// Brings the stopped instance of this key up to what comes in `session`. Its configuration stays; its snapshots become those
/// of the source, unless it is to be refreshed `alone`.
///
/// # Errors
/// When it runs or is busy, or what went wrong; its files are as before then.
pub fn bring_up_to_date(app: &Arc<App>, key: &Key, mut session: Session, alone: bool) -> Result<()> {
    let claim = app.instances.claims.take(key, Action::Refresh, || observe(app, key));
    let claim = claim.map_err(|error| error.context("Failed getting exclusive access to instance"));
    let claim = match claim {
        Ok(Taken::Go(claim)) => claim,
        Ok(Taken::Done | Taken::Overtake(_)) => return session.end(Err(Error::invalid("Instance is busy"))),
        Err(error) => return session.end(Err(error)),
    };
    let outcome = Instances::find(app, &key.0, &key.1).and_then(|target| update(app, &target, session, alone));
    claim.end(outcome.map_err(transferring))
}

fn update(app: &Arc<App>, target: &Instance, session: Session, alone: bool) -> Result<()> {
    let _bar = app.instances.visits.bar(&key(target));
    let there = if alone { Vec::new() } else { app.view(|view| Ok(snapshots::of_instance(view, target.id)?))? };
    let pool = Pools::get(app, target.pool().unwrap_or_default())?;
    let choose = |offered: &[Snapshot]| if alone { Vec::new() } else { missing(offered, &there) };
    // What the source does not have goes at the end, unless one that comes has its name.
    let kept = std::cell::RefCell::new(Vec::new());
    let note = |offered: &[Snapshot]| {
        *kept.borrow_mut() = there.iter().filter(|one| offered.iter().any(|other| same(other, one))).cloned().collect();
        choose(offered)
    };
    let wanted = Wanted { name: &target.name, compress: super::compresses(&pool), refresh: Some(&note) };
    let incoming = Incoming::greet(session, &wanted)?;
    let kept: Vec<snapshots::Snapshot> = kept.into_inner();
    let extra: Vec<_> = there.into_iter().filter(|one| !kept.iter().any(|kept| kept.id == one.id)).collect();
    let outcome = replace(app, target, &incoming, extra);
    incoming.end(outcome)
}

/// Whether both are the same snapshot: they have the same name, and were made in the same second.
fn same(offered: &Snapshot, there: &snapshots::Snapshot) -> bool {
    offered.name == there.name && offered.created == Some(there.created.as_second())
}

/// The snapshots that are not there.
fn missing(offered: &[Snapshot], there: &[snapshots::Snapshot]) -> Vec<Snapshot> {
    offered.iter().filter(|one| !there.iter().any(|other| same(one, other))).cloned().collect()
}

/// Takes snapshots and files over, and removes the snapshots `extra`.
fn replace(app: &Arc<App>, target: &Instance, incoming: &Incoming, extra: Vec<snapshots::Snapshot>) -> Result<()> {
    let names = incoming.names();
    let (in_the_way, others): (Vec<_>, Vec<_>) = extra.into_iter().partition(|extra| names.contains(&extra.name));
    let (key, mut undo) = (key(target), Undo::default());
    intent::note(app, &key, &Intent::Refresh(Renewal::default()), &mut undo)?;
    for snapshot in in_the_way {
        pass("remove a snapshot that is another one")?;
        taken::remove::files_and_rows(app, target, &snapshot)?;
    }
    let rows = Rows::of(app, target, incoming)?;
    step(
        &mut undo,
        "remember the snapshots",
        || app.write(|tx| insert(tx, target, &rows)),
        |()| {
            let (app, target, names) = (app.clone(), target.clone(), names.clone());
            move || app.take_away(|tx| refresh::forget(tx, &target, &names))
        },
    )?;
    let (pool, volume) = root::volume(app, target)?;
    let mut receive = |name: Option<&str>, landing: &_| Ok(incoming.receive(name, landing)?);
    pool.receive_again(&volume, &names, &mut receive)?;
    undo.keep();
    if !matches!(target.volatile(volatile::IDMAP_ON_DISK), "" | "[]") {
        // What came has the container's own ids.
        app.write(|tx| Ok(instances::set_keys(tx, target.id, &[(volatile::IDMAP_ON_DISK, Some("[]"))])?))?;
    }
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

fn insert(tx: &mut Tx<'_>, target: &Instance, rows: &Rows) -> Result<(), Abort> {
    let volume = storage_volumes::of_instance(tx, &target.project, &target.name)?;
    let volume = volume.ok_or_else(|| Error::not_found("Storage volume not found"))?.id;
    rows.insert_snapshots(tx, target.id, volume)?;
    if target.volatile(volatile::APPLY_TEMPLATE).is_empty() {
        instances::set_keys(tx, target.id, &[(volatile::APPLY_TEMPLATE, Some("copy"))])?;
    }
    Ok(())
}
