//! What a daemon that was killed had begun with instances and not ended: taken back, or ended where only that is left.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_db::table::instances;
use corten_instance::instance::{Config, Instance};
use corten_instance::volatile;
use corten_runtime::Container;

use super::claims::Key;
use super::intent::{self, Intent};
use super::running::failed;
use super::snapshots::{self, remove};
use super::{Instances, delete, devices, ended, refresh, relocate, rename, restore, root, shift, start};
use crate::app::{App, apparmor};

/// Deals with everything that was begun and not ended. Pools are mounted, and nothing is under way.
///
/// # Errors
/// When the notes cannot be read; what cannot be dealt with is logged, and its note stays for the next time.
pub fn recover(app: &Arc<App>) -> Result<()> {
    let is_of_running = |intent: &Intent| matches!(intent, Intent::Update(_));
    for (key, intent) in intent::found(app)?.into_iter().filter(|(_, intent)| !is_of_running(intent)) {
        tracing::info!(project = key.0, instance = key.1, ?intent, "The last daemon did not end what it began");
        if let Err(error) = one(app, &key, &intent).and_then(|()| intent::done(app, &key)) {
            tracing::error!(project = key.0, instance = key.1, %error, "Failed to tidy up after the last daemon");
        }
    }
    Ok(())
}

fn one(app: &Arc<App>, key: &Key, intent: &Intent) -> Result<()> {
    let Some(instance) = find(app, key)? else {
        return match intent {
            // All was done but what follows the row.
            Intent::Rename(new) => rename::end(app, key, new),
            Intent::Move(to) => relocate::recover(app, key, to),
            _ => Ok(()),
        };
    };
    let (pool, _) = root::volume(app, &instance)?;
    if !pool.is_reachable() {
        return Err(Error::internal(format!("The storage pool {:?} is not there", pool.name())));
    }
    match intent {
        // A row with another mark was there before, and is no business of whoever wanted its name.
        Intent::Create(uuid) if instance.volatile(volatile::UUID) != uuid => Ok(()),
        Intent::Create(_) | Intent::Delete => delete::remove_parts(app, &instance),
        Intent::Rename(new) => rename::take_back(app, &instance, new),
        Intent::Start(links) => take_back_start(app, &instance, links),
        // Once it is known what runs.
        Intent::Update(_) => Ok(()),
        Intent::SnapshotOfFrozen(name) | Intent::DeleteSnapshot(name) => remove::remains(app, &instance, name),
        Intent::Snapshot(name) => {
            thaw(app, &instance)?;
            remove::remains(app, &instance, name)
        }
        Intent::RenameSnapshot(old, new) => snapshots::rename::take_back(app, &instance, old, new),
        Intent::Shift(from, to) => shift::go_on(app, &instance, from, to),
        Intent::Restore(name) => restore::make(app, &instance, name),
        Intent::Refresh(renewal) => refresh::take_back(app, &instance, renewal),
        Intent::Move(to) => relocate::recover(app, key, to),
    }
}

pub(super) fn find(app: &App, key: &Key) -> Result<Option<Instance>> {
    let there = app.view(|view| Ok(instances::id(view, &key.0, &key.1)?))?.is_some();
    if there { Instances::find(app, &key.0, &key.1).map(Some) } else { Ok(None) }
}

/// An instance that stood still for its snapshot runs on.
fn thaw(app: &App, instance: &Instance) -> Result<()> {
    let wrong = |error: corten_runtime::Error| failed("Failed to let an instance run on after its snapshot", &error);
    match Container::find(&start::run_dir(app, instance)).map_err(wrong)? {
        Some(container) => container.thaw().map_err(wrong),
        None => Ok(()),
    }
}

/// A start that was remembered is whole. Of any other nobody knows the ids and interfaces, so that it ends.
fn take_back_start(app: &Arc<App>, instance: &Instance, links: &Config) -> Result<()> {
    if instance.volatile(volatile::POWER) == "RUNNING" {
        return Ok(());
    }
    let run_dir = start::run_dir(app, instance);
    let wrong = |error: corten_runtime::Error| failed("Failed to end a container that was being started", &error);
    if let Some(container) = Container::find(&run_dir).map_err(wrong)? {
        let watch = container.watch();
        container.kill().map_err(wrong)?;
        match watch.and_then(|watch| watch.wait()) {
            // It was about to end, or its monitor dies with it.
            Ok(_) | Err(corten_runtime::Error::Gone) => {}
            Err(error) => return Err(wrong(error)),
        }
    }
    corten_runtime::handle::cleanup_dead(&run_dir).map_err(wrong)?;
    let mut begun = instance.clone();
    devices::with_links(&mut begun, links);
    for error in devices::stop_all(app, &begun) {
        tracing::warn!(instance = instance.name, %error, "Cleaning up");
    }
    apparmor::unload(app, instance);
    ended::take_back_keys(app, instance, &devices::forgotten(instance))
}
