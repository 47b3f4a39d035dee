//! Instances: what is claimed, what runs, and one file for each thing that can be done to one.

pub mod adopt;
pub mod apply;
pub mod backup_file;
pub mod claims;
pub mod console;
pub mod copy;
pub mod create;
pub mod delete;
pub mod devices;
pub mod ended;
pub mod environment;
pub mod exec;
pub mod files;
pub mod find;
pub mod follow_profile;
pub mod freeze;
pub mod ids;
pub mod instance_types;
pub mod intent;
pub mod limits;
pub mod links;
pub mod listed;
pub mod metadata;
pub mod network_state;
pub mod recover;
pub mod refresh;
pub mod relay;
pub mod relocate;
pub mod rename;
pub mod repair;
pub mod restore;
pub mod root;
pub mod running;
pub mod settle;
pub mod shift;
pub mod snapshots;
pub mod start;
pub mod state;
pub mod still;
pub mod stop;
pub mod templates;
pub mod unprivileged;
#[cfg(test)]
mod unwinding;
pub mod update;
pub mod view;

use std::path::PathBuf;
use std::sync::Arc;

use corten_api::error::Result;
use corten_api::status::StatusCode;
use corten_host::idmap::IdMap;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::Observed;
use corten_runtime::State;

use crate::app::App;
use claims::{Claims, Key};
use running::Running;

/// All that the daemon keeps of instances beside the database.
pub struct Instances {
    /// What is being done.
    pub claims: Arc<Claims>,
    /// What runs.
    pub running: Arc<Running>,
    /// The ids that the host gives its containers; `None` when it gives none.
    pub host_ids: Option<IdMap>,
    /// The program of the monitors.
    pub monitor: PathBuf,
    /// Compiled seccomp filters, by what they were compiled from.
    pub filters: start::Filters,
    /// Who works with the files of stopped instances.
    pub visits: Arc<files::visits::Visits>,
    /// Held for a profile, `PROJECT/NAME`, while instances follow its change.
    pub following: crate::rest::turn::Turns,
    /// What instances are told of their own changes.
    pub notices: crate::app::devlxd::events::Notices,
    /// The list of all of them, made already.
    pub listed: listed::Cache,
}

impl Instances {
    /// Nothing is known yet of what runs: see [`adopt`].
    ///
    /// # Errors
    /// When the host's id ranges cannot be read, or the monitor program is not there.
    pub fn new() -> Result<Instances> {
        Ok(Instances {
            claims: Arc::default(),
            running: Arc::new(Running::new()?),
            host_ids: start::host_ids()?,
            monitor: start::monitor_program()?,
            filters: start::Filters::default(),
            visits: Arc::default(),
            following: Default::default(),
            notices: Default::default(),
            listed: Default::default(),
        })
    }
}

/// The key of an instance among claims and running ones.
pub fn key(instance: &Instance) -> Key {
    (instance.project.clone(), instance.name.clone())
}

/// What the host shows of an instance.
///
/// # Errors
/// When its monitor does not answer.
pub fn observe(app: &App, key: &Key) -> Result<Observed> {
    let Some(entry) = app.instances.running.get(key) else { return Ok(Observed::Stopped) };
    match entry.container.state() {
        Ok(State::Running) => Ok(Observed::Running),
        Ok(State::Frozen) => Ok(Observed::Frozen),
        // It is about to be cleaned up after.
        Err(corten_runtime::Error::Gone) => Ok(Observed::Stopped),
        Err(error) => Err(running::failed("Failed to get the state of the instance", &error)),
    }
}

/// The status that the API shows.
pub fn status(app: &App, instance: &Instance) -> StatusCode {
    status_of(app, &key(instance), is_ready(instance))
}

/// The same, of an instance of which it is known whether it said, when it ran last, that it is ready.
pub fn status_of(app: &App, key: &Key, is_ready: bool) -> StatusCode {
    match observe(app, key) {
        Ok(Observed::Stopped) => StatusCode::Stopped,
        Ok(Observed::Running) if is_ready => StatusCode::Ready,
        Ok(Observed::Running) => StatusCode::Running,
        Ok(Observed::Frozen) => StatusCode::Frozen,
        Err(_) => StatusCode::Error,
    }
}

/// Whether it said, when it ran last, that it is ready.
pub fn is_ready(instance: &Instance) -> bool {
    instance.volatile("volatile.last_state.ready") == "true"
}

/// Tells the listeners that something happened to an instance.
pub fn tell(
    app: &App,
    instance: &Instance,
    action: &str,
    requestor: Option<&corten_api::event::EventLifecycleRequestor>,
) {
    let source = corten_api::url::path_in(&instance.project, ["instances", &instance.name]);
    app.lifecycle(&instance.project, action, &source, requestor.cloned());
}
