//! `/1.0/instances/NAME/logs`: the files that runs and recorded commands leave.

use corten_api::error::{Context, Error, Result};
use corten_api::url;
use corten_instance::instance::Instance;

use crate::app::instances::start::log_dir;
use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use crate::routes::instance;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/instances/{name}/logs").typed().get(list, May::View),
    Endpoint::at("/1.0/instances/{name}/logs/{file}").typed().get(show, May::View).delete(delete, May::Edit),
];

/// Whether a client may see a file of this name.
fn is_log(name: &str) -> bool {
    let of_verb = ["migration_", "snapshot_", "exec_"].iter().any(|prefix| name.starts_with(prefix));
    matches!(name, "lxc.log" | "lxc.conf" | "qemu.log") || (of_verb && !name.contains('/'))
}

/// The log that the path names.
fn named(call: &Call) -> Result<&str> {
    let name = call.part("file");
    if is_log(name) { Ok(name) } else { Err(Error::invalid(format!("log file name {name} not valid"))) }
}

fn tell(call: &Call, instance: &Instance, action: &str, name: &str) {
    let source = url::path_in(&instance.project, ["instances", &instance.name, "logs", name]);
    call.app.lifecycle(&instance.project, action, &source, Some(call.lifecycle_requestor()));
}

fn list(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let entries = match std::fs::read_dir(log_dir(&call.app, &instance)) {
        Ok(entries) => entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).context("Failed to list the logs"),
    };
    let mut names: Vec<String> = entries.into_iter().filter(|name| is_log(name)).collect();
    names.sort();
    let path = |name: &String| url::path(["instances", &instance.name, "logs", name]);
    Reply::sync(&names.iter().map(path).collect::<Vec<_>>())
}

fn show(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let name = named(call)?;
    let file = std::fs::File::open(log_dir(&call.app, &instance).join(name));
    let file = file.map_err(|_| Error::not_found("Not Found"))?;
    tell(call, &instance, "instance-log-retrieved", name);
    Reply::file(file, name)
}

fn delete(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let name = named(call)?;
    if matches!(name, "lxc.log" | "lxc.conf") {
        return Err(Error::invalid("lxc.log and lxc.conf may not be deleted"));
    }
    std::fs::remove_file(log_dir(&call.app, &instance).join(name)).map_err(|_| Error::not_found("Not Found"))?;
    tell(call, &instance, "instance-log-deleted", name);
    Ok(Reply::empty())
}
