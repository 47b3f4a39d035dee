//! `lxd activateifneeded`: wakes the daemon by its socket when there is something to do for it.

use super::local::Local;
use crate::app::database::db_error;
use crate::app::dirs::Dirs;
use crate::app::settings::is_true;
use clap::{ArgMatches, Command};
use corten_api::error::{Error, Result};
use corten_config::expand;
use corten_db::error::DbError;
use corten_db::table::{config, instances, profiles, projects};
use corten_db::{Db, Opening, View};
use std::collections::BTreeMap;

const LONG: &str = "Check if LXD should be started

This command will check if LXD has any auto-started instances,
instances which were running prior to LXD's last shutdown or if it's
configured to listen on the network address.

If at least one of those is true, then a connection will be attempted to the
LXD socket which will cause a socket-activated LXD to be spawned.";

/// Its place on the command line.
pub fn describe() -> Command {
    Command::new("activateifneeded").about("Check if LXD should be started").long_about(LONG)
}

/// Looks into the database, and connects when the daemon is needed.
pub fn run(_: &ArgMatches) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Err(Error::forbidden("This must be run as root"));
    }
    let dirs = Dirs::from_env();
    if !dirs.database().join("local.db").exists() {
        return Ok(());
    }
    let announced = i64::try_from(corten_api::extensions::announced().count()).unwrap_or(0);
    let db = Db::open(&dirs.database(), &Opening::here(announced)).map_err(db_error)?;
    let local = db.view_local(config::all).map_err(db_error)?;
    if local.contains_key("core.https_address") || db.view(has_work).map_err(db_error)? {
        drop(db);
        Local::connect()?.get::<serde_json::Value>("/1.0")?;
    }
    Ok(())
}

/// Whether any instance ran, is to run, or is to be snapshotted by the clock.
fn has_work(view: &View<'_>) -> Result<bool, DbError> {
    for row in instances::list(view, None)? {
        let own = projects::get(view, &row.project)?;
        let own = own.and_then(|project| project.config.get("features.profiles").cloned());
        let holder = if own.is_some_and(|value| is_true(&value)) { &row.project } else { projects::DEFAULT };
        let named = profiles::named(view, holder, &row.profiles)?;
        let expanded = expand::config(named.iter().map(|profile| &profile.config), &row.config);
        if is_wanted(&expanded) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_wanted(keys: &BTreeMap<String, String>) -> bool {
    let get = |key: &str| keys.get(key).map_or("", String::as_str);
    get("volatile.last_state.power").eq_ignore_ascii_case("running")
        || is_true(get("boot.autostart"))
        || !get("snapshots.schedule").is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_that_ran_or_are_to_run_want_the_daemon() {
        let keys = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect();
        assert!(is_wanted(&keys(&[("volatile.last_state.power", "RUNNING")])));
        assert!(is_wanted(&keys(&[("boot.autostart", "yes")])));
        assert!(is_wanted(&keys(&[("snapshots.schedule", "@daily")])));
        assert!(!is_wanted(&keys(&[("volatile.last_state.power", "STOPPED"), ("boot.autostart", "false")])));
    }
}
