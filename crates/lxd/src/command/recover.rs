//! `lxd recover`.

use std::io::{BufRead, Write};

use clap::{ArgMatches, Command};
use corten_api::error::Result;
use corten_api::server::Server;
use corten_api::storage_pool::{StoragePool, StoragePoolsPost};

use super::init::ask::Asker;
use super::local::Local;
use crate::app::recover::{Findings, RecoverPost};

const LONG: &str = "Recover missing instances and volumes from existing and unknown storage pools

After a disaster, this finds instances and volumes that are on storage pools, known or named by you, and not in
LXD's database, and offers to take them up again.";

/// Its place on the command line.
pub fn describe() -> Command {
    let about = "Recover missing instances and volumes from existing and unknown storage pools";
    Command::new("recover").about(about).long_about(LONG)
}

/// Asks, and does what is answered.
///
/// # Errors
/// The daemon's own, or when the answers end.
pub fn run(_: &ArgMatches) -> Result<()> {
    let mut asker = Asker::new(std::io::stdin().lock(), std::io::stdout(), std::io::stderr());
    talk(&mut Local::connect()?, &mut asker)
}

fn talk(server: &mut Local, asker: &mut Asker<impl BufRead, impl Write, impl Write>) -> Result<()> {
    let info: Server = server.get("/1.0")?;
    let existing: Vec<StoragePool> = server.get("/1.0/storage-pools?recursion=1")?;
    let source = |pool: &StoragePool| pool.config.get("source").cloned().unwrap_or_default();
    asker.say("This LXD server currently has the following storage pools:\n")?;
    for pool in &existing {
        asker.say(&format!(" - {} (backend={:?}, source={:?})\n", pool.name, pool.driver, source(pool)))?;
    }
    let drivers: Vec<String> =
        info.environment.storage_supported_drivers.into_iter().map(|driver| driver.name).collect();
    let mut new: Vec<StoragePoolsPost> = Vec::new();
    while asker.yes("Would you like to recover another storage pool? (yes/no) [default=no]: ", "no")? {
        new.push(another(asker, &drivers, &new)?);
    }
    asker.say("The recovery process will be scanning the following storage pools:\n")?;
    for pool in &existing {
        let (name, driver) = (&pool.name, &pool.driver);
        asker.say(&format!(" - EXISTING: {name:?} (backend={driver:?}, source={:?})\n", source(pool)))?;
    }
    for pool in &new {
        let source = pool.config.get("source").cloned().unwrap_or_default();
        asker.say(&format!(" - NEW: {:?} (backend={:?}, source={source:?})\n", pool.name, pool.driver))?;
    }
    let go_on = "Would you like to continue with scanning for lost volumes? (yes/no) [default=yes]: ";
    if !asker.yes(go_on, "yes")? {
        return Ok(());
    }
    asker.say("Scanning for unknown volumes...\n")?;
    let known = existing.into_iter().map(|pool| StoragePoolsPost { name: pool.name, ..StoragePoolsPost::default() });
    let post = RecoverPost { pools: known.chain(new).collect() };
    if !look(server, asker, &post)? {
        return asker.say("No unknown volumes found. Nothing to do.\n");
    }
    if !asker.yes("Would you like those to be recovered? (yes/no) [default=no]: ", "no")? {
        return Ok(());
    }
    asker.say("Starting recovery...\n")?;
    let done = server.tell("POST", "/internal/recover/import", Some(&post));
    done.map_err(|error| error.context("Failed import request"))
}

/// Asks for a pool that the server does not know.
fn another(
    asker: &mut Asker<impl BufRead, impl Write, impl Write>,
    drivers: &[String],
    others: &[StoragePoolsPost],
) -> Result<StoragePoolsPost> {
    let name = asker.checked("Name of the storage pool: ", "", |name| {
        if name.is_empty() {
            return Err("Pool name cannot be empty".to_string());
        }
        match others.iter().any(|other| other.name == name) {
            true => Err(format!("Storage pool {name:?} is already on recover list")),
            false => Ok(()),
        }
    })?;
    let question = format!("Name of the storage backend ({}): ", drivers.join(", "));
    let driver = asker.choice(&question, drivers, "")?;
    let question = "Source of the storage pool (block device, volume group, dataset, path, ... as applicable): ";
    let config = [("source".to_string(), asker.text(question, "")?)].into();
    let mut pool = StoragePoolsPost { name, driver, config, ..StoragePoolsPost::default() };
    loop {
        let question = "Additional storage pool configuration property (KEY=VALUE, empty when done): ";
        let answer = asker.checked(question, "", |answer| match answer.is_empty() || answer.contains('=') {
            true => Ok(()),
            false => Err("Config option should be in the format KEY=VALUE".to_string()),
        })?;
        let Some((key, value)) = answer.split_once('=') else { return Ok(pool) };
        pool.config.insert(key.to_string(), value.to_string());
    }
}

/// Shows what is found until nothing is missing for it; whether there is anything.
fn look(
    server: &mut Local,
    asker: &mut Asker<impl BufRead, impl Write, impl Write>,
    post: &RecoverPost,
) -> Result<bool> {
    loop {
        let found: Result<Findings> = server.ask("POST", "/internal/recover/validate", Some(post));
        let found = found.map_err(|error| error.context("Failed validation request"))?;
        let (unknown, missing) = (found.unknown.unwrap_or_default(), found.missing.unwrap_or_default());
        if !unknown.is_empty() {
            asker.say("The following unknown volumes have been found:\n")?;
        }
        for volume in &unknown {
            let kind: String = volume.r#type.chars().take(1).flat_map(char::to_uppercase).collect();
            let kind = kind + volume.r#type.get(1..).unwrap_or_default();
            asker.say(&format!(
                " - {kind} {:?} on pool {:?} in project {:?} (includes {} snapshots)\n",
                volume.name, volume.pool, volume.project, volume.snapshot_count
            ))?;
        }
        if missing.is_empty() {
            return Ok(!unknown.is_empty());
        }
        asker.say("You are currently missing the following:\n")?;
        for what in missing {
            asker.say(&format!(" - {what}\n"))?;
        }
        asker.checked("Please create those missing entries and then hit ENTER: ", "", |_| Ok(()))?;
    }
}
