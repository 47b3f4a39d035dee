//! Snapshots that are taken and removed by themselves: by schedule, at a start, and when their time has come.

use std::sync::Arc;

use corten_api::error::Result;
use corten_api::time::Time;
use corten_config::value::Kind;
use corten_config::value::schedule::{Plan as Times, Schedule};
use corten_db::table::snapshots;
use corten_instance::instance::Instance;
use jiff::civil::DateTime;

use super::super::{Instances, key};
use super::{names, remove, take};
use crate::app::App;
use crate::app::projects::allow;
use crate::rest::operation::Plan;

/// The schedule of an instance; what cannot be read is never.
fn times(instance: &Instance) -> Times {
    match instance.get("snapshots.schedule") {
        "" => Times::default(),
        text => Schedule { events: true }.parse(text).unwrap_or_default(),
    }
}

/// A snapshot as the instance's configuration wants it.
fn wanted(app: &App, instance: &Instance) -> Result<take::Wanted> {
    Ok(take::Wanted { name: names::next(app, instance)?, expires: names::expires(instance)?, stateful: false })
}

/// Takes the snapshot that `@startup` asks for, of an instance that is about to start, under the claim of its start.
///
/// # Errors
/// Why it cannot be taken; the instance is not to start then.
pub fn at_start(app: &Arc<App>, instance: &Instance) -> Result<()> {
    if times(instance).names("@startup") {
        take::under_claim(app, instance, &wanted(app, instance)?, None)
    } else {
        Ok(())
    }
}

/// Takes snapshots of all instances whose schedule has this minute, as one operation; what fails is logged.
///
/// # Errors
/// When the instances cannot be read.
pub fn take_due(app: &Arc<App>, minute: DateTime) -> Result<()> {
    let is_due = |one: &Instance| {
        let spread = u64::try_from(one.id).unwrap_or_default();
        let runs = app.instances.running.get(&key(one)).is_some();
        times(one).is_due(spread, minute) && (runs || one.is_on("snapshots.schedule.stopped"))
    };
    let due: Vec<Instance> = Instances::all(app, None)?.into_iter().filter(is_due).collect();
    if due.is_empty() {
        return Ok(());
    }
    let worker = app.clone();
    let op = app.operations.run(Plan::new("default", "Snapshotting instance"), move |_| {
        for instance in &due {
            let allowed = worker.project(&instance.project).and_then(|scope| allow::snapshot(&scope));
            let taken = allowed
                .and_then(|()| wanted(&worker, instance))
                .and_then(|wanted| take::take(&worker, &key(instance), &wanted, None));
            if let Err(error) = taken {
                let (project, instance) = key(instance);
                tracing::error!(project, instance, %error, "Failed to take a scheduled snapshot");
            }
        }
        Ok(())
    });
    op.map(drop)
}

/// Removes the snapshots whose time has come, as one operation.
///
/// # Errors
/// When they cannot be read.
pub fn remove_expired(app: &Arc<App>) -> Result<()> {
    let now = Time::now().timestamp();
    let expired = app.view(|view| Ok(snapshots::expired(view, now)?))?;
    if expired.is_empty() {
        return Ok(());
    }
    let worker = app.clone();
    let op = app.operations.run(Plan::new("default", "Cleaning up expired instance snapshots"), move |_| {
        for snapshot in &expired {
            let key = (snapshot.project.clone(), snapshot.instance.clone());
            remove::remove(&worker, &key, &snapshot.name, None).map_err(|error| {
                let (project, name) = (&snapshot.project, format!("{}/{}", snapshot.instance, snapshot.name));
                error.context(format!("Failed to delete expired instance snapshot {name:?} in project {project:?}"))
            })?;
        }
        Ok(())
    });
    op.map(drop)
}
