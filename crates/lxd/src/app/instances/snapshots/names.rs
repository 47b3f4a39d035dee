//! Names and lifetimes of snapshots that nobody named or limited: what the instance's configuration says.

use corten_api::error::Result;
use corten_api::time::Time;
use corten_db::table::snapshots;
use corten_instance::instance::Instance;
use corten_instance::snapshot::{expiry, pattern};

use crate::app::App;

/// The name of the next snapshot by `snapshots.pattern`.
///
/// # Errors
/// When the pattern gives no name.
pub fn next(app: &App, instance: &Instance) -> Result<String> {
    let taken = app.view(|view| Ok(snapshots::of_instance(view, instance.id)?))?;
    pattern::next(instance.get("snapshots.pattern"), Time::now(), taken.iter().map(|row| row.name.as_str()))
}

/// When a snapshot that is taken now is to go, by `snapshots.expiry`; `None` is never.
///
/// # Errors
/// 400 when the key does not say a lifetime.
pub fn expires(instance: &Instance) -> Result<Option<Time>> {
    expiry::after(instance.get("snapshots.expiry"), Time::now())
}
