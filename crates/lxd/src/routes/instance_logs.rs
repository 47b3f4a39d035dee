//! `/1.0/instances/NAME/logs`: the files that runs and recorded commands leave.

use corten_api::error::{Context, Error, Result};
use corten_api::url;

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
    matches!(name, "lxc.log" | "lxc.log.old" | "lxc.conf" | "console.log")
        || (!name.contains('/') && (name.starts_with("migration_") || name.starts_with("snapshot_") || is_record(name)))
}

/// Whether this is the recorded output of a command.
fn is_record(name: &str) -> bool {
    !name.contains('/') && name.starts_with("exec_")
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
    let name = call.part("file");
    if !is_log(name) {
        return Err(Error::invalid(format!("Log file name {name:?} not valid")));
    }
    let file = std::fs::File::open(log_dir(&call.app, &instance).join(name));
    Reply::file(file.map_err(|_| Error::not_found("Not Found"))?, name)
}

fn delete(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let name = call.part("file");
    if !is_record(name) {
        return Err(Error::invalid("Only log files excluding exec output logs may be deleted"));
    }
    std::fs::remove_file(log_dir(&call.app, &instance).join(name)).map_err(|_| Error::not_found("Not Found"))?;
    Ok(Reply::empty())
}
