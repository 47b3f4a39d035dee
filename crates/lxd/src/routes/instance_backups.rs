//! `/1.0/instances/NAME/backups`: archives of an instance.

use corten_api::error::Result;
use corten_api::instance_backup::{InstanceBackupPost, InstanceBackupsPost};

use super::backup;
use super::instance::{find, key};
use crate::app::backups::create::{self, Wanted};
use crate::app::backups::{Owner, change, check_name, instance};
use crate::app::instances::Instances;
use crate::app::projects::allow;
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/instances/{name}/backups").typed().get(list, May::View).post(create, May::Edit),
    Endpoint::at("/1.0/instances/{name}/backups/{backup}")
        .typed()
        .get(show, May::View)
        .post(rename, May::Edit)
        .delete(remove, May::Edit),
    Endpoint::at("/1.0/instances/{name}/backups/{backup}/export").typed().get(export, May::View),
];

fn owner(call: &Call) -> Result<Owner> {
    Ok(Owner::instance(&call.app, &find(call)?))
}

fn list(call: &Call) -> Result<Reply> {
    let owner = owner(call)?;
    let shown: Vec<_> = owner.backups(&call.app)?.iter().map(change::shown).collect();
    // As in LXD, the paths say no project.
    recursion::list(call, &shown, |one| corten_api::url::path(["instances", &owner.name, "backups", &one.name]))
}

fn show(call: &Call) -> Result<Reply> {
    Reply::sync(&change::shown(&owner(call)?.backup(&call.app, call.part("backup"))?))
}

fn create(call: &Call) -> Result<Reply> {
    allow::backup(&call.app.scope(call)?)?;
    let found = find(call)?;
    let owner = Owner::instance(&call.app, &found);
    let body: InstanceBackupsPost = call.json()?;
    let name = if body.name.is_empty() { owner.next_name(&call.app)? } else { body.name };
    check_name(&name)?;
    let wanted = Wanted {
        algorithm: create::algorithm(&call.app, Some(&owner.project), &body.compression_algorithm)?,
        expires: body.expires_at,
        without_snapshots: body.instance_only || body.container_only,
        name,
    };
    let plan = call.app.plan(call, "Backing up instance").container(&owner.name).cancellable();
    let plan = plan.resources("backups", [wanted.name.as_str()]);
    let (app, key) = (call.app.clone(), key(&found));
    let op = call.app.operations.run(plan, move |op| {
        let found = Instances::find(&app, &key.0, &key.1)?;
        instance::backup(&app, &found, &wanted, op).map_err(|error| error.context("Create backup"))
    })?;
    Reply::accepted(&op)
}

fn rename(call: &Call) -> Result<Reply> {
    backup::rename(call, owner(call)?, |body: InstanceBackupPost| body.name)
}

fn remove(call: &Call) -> Result<Reply> {
    backup::remove(call, owner(call)?)
}

fn export(call: &Call) -> Result<Reply> {
    backup::export(call, &owner(call)?)
}
