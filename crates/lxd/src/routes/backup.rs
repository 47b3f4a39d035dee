//! One backup of an instance or of a custom volume: renamed, removed, handed out.

use corten_api::error::Result;
use corten_db::table::backups::Of;
use serde::de::DeserializeOwned;

use crate::app::Call;
use crate::app::backups::{Owner, change, check_name, short};
use crate::rest::reply::Reply;

/// Gives the backup of the request another name, which `name` takes out of the body.
///
/// # Errors
/// 404, or 400 for a name that no backup can have.
pub fn rename<B: DeserializeOwned>(call: &Call, owner: Owner, name: impl FnOnce(B) -> String) -> Result<Reply> {
    let old = short(&owner.backup(&call.app, call.part("backup"))?).to_string();
    let new = name(call.json()?);
    check_name(&new)?;
    let plan = match owner.of {
        Of::Instance => call.app.plan(call, "Renaming instance backup").container(&owner.name),
        Of::Volume => call.app.plan(call, "Renaming custom volume backup").resources("volume", [owner.name.as_str()]),
    };
    let app = call.app.clone();
    let op = call.app.operations.run(plan, move |op| change::rename(&app, &owner, &old, &new, op.requestor()))?;
    Reply::accepted(&op)
}

/// Removes it.
///
/// # Errors
/// 404.
pub fn remove(call: &Call, owner: Owner) -> Result<Reply> {
    let name = short(&owner.backup(&call.app, call.part("backup"))?).to_string();
    let (what, kind) = match owner.of {
        Of::Instance => ("Removing instance backup", "container"),
        Of::Volume => ("Deleting custom volume backup", "volume"),
    };
    let plan = call.app.plan(call, what).resources(kind, [owner.name.as_str()]);
    let app = call.app.clone();
    let op = call.app.operations.run(plan, move |op| change::delete(&app, &owner, &name, op.requestor()))?;
    Reply::accepted(&op)
}

/// Hands out its file.
///
/// # Errors
/// 404, or when the file cannot be read.
pub fn export(call: &Call, owner: &Owner) -> Result<Reply> {
    change::export(&call.app, owner, call.part("backup"), call.lifecycle_requestor())
}
