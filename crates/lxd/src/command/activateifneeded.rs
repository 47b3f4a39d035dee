//! `lxd activateifneeded`: wakes the daemon by its socket when there is something to do for it.

use super::local::Local;
use crate::app::database::db_error;
use crate::app::dirs::Dirs;
use crate::app::settings::is_true;
use clap::{ArgMatches, Command};
use corten_api::error::{Error, Result};
use corten_config::expand;
use corten_db::error::DbError;
use corten_db::table::{config, instances, profiles, projects, storage_volumes};
use corten_db::{Db, Opening, View};
use jiff::Timestamp;
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

/// Looks into the database, and connects when the daemon is needed; with `--debug` it says why.
pub fn run(matches: &ArgMatches) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Err(Error::forbidden("This must be run as root"));
    }
    let say = |text: &str| {
        if matches.get_flag("debug") {
            eprintln!("time=\"{}\" level=debug msg={text:?}", Timestamp::now());
        }
    };
    let dirs = Dirs::from_env();
    if !dirs.database().join("local.db").exists() {
        say("No local database, so no need to start the daemon now");
        return Ok(());
    }
    let announced = i64::try_from(corten_api::extensions::announced().count()).unwrap_or(0);
    let db = Db::open(&dirs.database(), &Opening::here(announced)).map_err(db_error)?;
    let local = db.view_local(config::all).map_err(db_error)?;
    let reason = match local.contains_key("core.https_address") {
        true => Some("core.https_address set"),
        false => db.view(work).map_err(db_error)?,
    };
    drop(db);
    let Some(reason) = reason else {
        say("No need to start the daemon now");
        return Ok(());
    };
    say(&format!("Daemon has {reason}, activating..."));
    Local::connect()?.get::<serde_json::Value>("/1.0").map(drop)
}

/// What the daemon has to do, in LXD's words: instances that ran or are to run, snapshots by the clock.
fn work(view: &View<'_>) -> Result<Option<&'static str>, DbError> {
    for row in instances::list(view, None)? {
        let own = projects::get(view, &row.project)?;
        let own = own.and_then(|project| project.config.get("features.profiles").cloned());
        let holder = if own.is_some_and(|value| is_true(&value)) { &row.project } else { projects::DEFAULT };
        let named = profiles::named(view, holder, &row.profiles)?;
        let expanded = expand::config(named.iter().map(|profile| &profile.config), &row.config);
        if let Some(reason) = wants(&expanded) {
            return Ok(Some(reason));
        }
    }
    let volumes = storage_volumes::list(view, None, None, storage_volumes::type_code("custom"))?;
    let scheduled = |config: &BTreeMap<String, String>| !config.get("snapshots.schedule").is_none_or(String::is_empty);
    Ok(volumes.iter().any(|volume| scheduled(&volume.config)).then_some("scheduled volume snapshots"))
}

fn wants(keys: &BTreeMap<String, String>) -> Option<&'static str> {
    let get = |key: &str| keys.get(key).map_or("", String::as_str);
    if get("volatile.last_state.power").eq_ignore_ascii_case("running") || is_true(get("boot.autostart")) {
        return Some("auto-started instances");
    }
    (!get("snapshots.schedule").is_empty()).then_some("scheduled instance snapshots")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_that_ran_or_are_to_run_want_the_daemon() {
        let keys = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect();
        let auto = Some("auto-started instances");
        assert_eq!(wants(&keys(&[("volatile.last_state.power", "RUNNING")])), auto);
        assert_eq!(wants(&keys(&[("boot.autostart", "yes")])), auto);
        assert_eq!(wants(&keys(&[("snapshots.schedule", "@daily")])), Some("scheduled instance snapshots"));
        assert_eq!(wants(&keys(&[("volatile.last_state.power", "STOPPED"), ("boot.autostart", "false")])), None);
    }
}
