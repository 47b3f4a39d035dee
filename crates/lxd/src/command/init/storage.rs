//! Questions about the first storage pool.

use super::ask::Asker;
use super::host::{Facts, preferred};
use super::interactive::Answers;
use corten_api::error::{Error, Result};
use corten_api::storage_pool::StoragePoolsPost;
use std::io::{BufRead, Write};

/// Asks whether and how to make a pool.
///
/// # Errors
/// When the answers end too early, or no driver works here.
pub fn ask<I: BufRead, O: Write, E: Write>(
    asker: &mut Asker<I, O, E>,
    facts: &mut impl Facts,
    answers: &mut Answers,
) -> Result<()> {
    if !asker.yes("Do you want to configure a new storage pool? (yes/no) [default=yes]: ", "yes")? {
        return Ok(());
    }
    let drivers = facts.drivers();
    let Some(first) = drivers.first() else { return Err(Error::internal("No storage backends available")) };
    let name = loop {
        let name = asker.text("Name of the new storage pool [default=default]: ", "default")?;
        if !facts.has_pool(&name) {
            break name;
        }
        asker.say(&format!("The requested storage pool \"{name}\" already exists. Please choose another name.\n"))?;
    };
    answers.device("root", &[("type", "disk"), ("path", "/"), ("pool", &name)]);
    let mut pool = StoragePoolsPost { name, driver: first.clone(), ..StoragePoolsPost::default() };
    if drivers.len() > 1 {
        let default = default_driver(&drivers, facts.backing());
        let question = format!("Name of the storage backend to use ({}) [default={default}]: ", drivers.join(", "));
        pool.driver = asker.choice(&question, &drivers, default)?;
    }
    if !matches!(pool.driver.as_str(), "dir" | "overlay") {
        ask_source(asker, facts, &mut pool)?;
    }
    answers.config.storage_pools.push(pool);
    Ok(())
}

/// The driver offered: in a dialogue a btrfs pool in a file is preferred where its tools are, as in LXD.
fn default_driver<'a>(drivers: &[String], backing: &str) -> &'a str {
    match preferred(drivers, backing) {
        "dir" | "overlay" if drivers.iter().any(|driver| driver == "btrfs") => "btrfs",
        other => other,
    }
}

/// Where the pool's data come to lie.
fn ask_source<I: BufRead, O: Write, E: Write>(
    asker: &mut Asker<I, O, E>,
    facts: &mut impl Facts,
    pool: &mut StoragePoolsPost,
) -> Result<()> {
    let mut set = |key: &str, value: String| pool.config.insert(key.to_string(), value);
    if pool.driver == "btrfs" && facts.backing() == "btrfs" {
        let var = facts.var();
        let question = format!("Would you like to create a new btrfs subvolume under {var}? (yes/no) [default=yes]: ");
        if asker.yes(&question, "yes")? {
            set("source", format!("{var}storage-pools/{}", pool.name));
            return Ok(());
        }
    }
    let upper = pool.driver.to_uppercase();
    if !asker.yes(&format!("Create a new {upper} pool? (yes/no) [default=yes]: "), "yes")? {
        let source = asker.text(&format!("Name of the existing {upper} pool or dataset: "), "")?;
        set("source", source);
        return Ok(());
    }
    let question =
        "Would you like to use an existing empty block device (e.g. a disk or partition)? (yes/no) [default=no]: ";
    if asker.yes(question, "no")? {
        let check = |path: &str| {
            if facts.is_block_device(path) { Ok(()) } else { Err(format!("{path:?} is not a block device")) }
        };
        let source = asker.checked("Path to the existing block device: ", "", check)?;
        set("source", source);
        return Ok(());
    }
    // A fifth of the disk, within bounds.
    let size = (facts.gigabytes() / 5).clamp(5, 30);
    let question = format!("Size in GiB of the new loop device (1GiB minimum) [default={size}GiB]: ");
    let answer = asker.checked(&question, &format!("{size}GiB"), check_size)?;
    let size = if answer.ends_with("GiB") { answer } else { format!("{answer}GiB") };
    set("size", size);
    Ok(())
}

fn check_size(text: &str) -> Result<(), String> {
    let number = text.split("GiB").next().unwrap_or_default();
    match number.parse::<i64>() {
        Err(_) => Err(format!("strconv.ParseInt: parsing {number:?}: invalid syntax")),
        Ok(size) if size < 1 => Err("Minimum size is 1GiB".to_string()),
        Ok(_) => Ok(()),
    }
}
