//! Making a pool: its row first, as pending, then the pool itself, then the row as made; or all of it is taken back.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::storage_pool::StoragePoolsPost;
use corten_config::entity::{self, Entity};
use corten_config::{name, storage};
use corten_db::table::{Config, State, storage_pools};
use corten_host::undo::Undo;
use corten_instance::step::{pass, step};
use corten_storage::pool::Pool;
use corten_storage::registry;

use crate::app::App;
use crate::app::check::stored;

/// Refuses what no pool can be made from, before anything is looked up.
///
/// # Errors
/// 400, in LXD's words.
pub fn check(new: &StoragePoolsPost) -> Result<()> {
    check_given(new)?;
    name::check_pool(&new.name)?;
    check_driver(&new.driver)?;
    entity::check(Entity::Pool(&new.driver), &new.config)
}

/// The part of it that LXD calls a bad request; what else is wrong it takes for a failure of its own.
///
/// # Errors
/// 400, in LXD's words.
pub fn check_given(new: &StoragePoolsPost) -> Result<()> {
    if new.name.is_empty() || new.name.contains('/') {
        name::check_pool(&new.name)?;
    }
    if new.driver.is_empty() {
        return Err(Error::invalid("No driver provided"));
    }
    Ok(())
}

fn check_driver(driver: &str) -> Result<()> {
    let supported: Vec<&str> = registry::supported().iter().map(|(info, _)| info.name).collect();
    if supported.contains(&driver) {
        return Ok(());
    }
    let there = supported.join(", ");
    if !storage::DRIVERS.contains(&driver) {
        return Err(Error::invalid(format!("Unknown driver {driver:?}; this server has: {there}")));
    }
    Err(Error::invalid(format!("Storage driver {driver:?} is not available on this server; it has: {there}")))
}

/// Makes the pool.
///
/// # Errors
/// 400 for what is not right, 409 when the name is taken, or why it cannot be made; nothing is left then.
pub fn create(app: &Arc<App>, new: &StoragePoolsPost) -> Result<()> {
    check(new)?;
    let _turn = app.pools.change();
    let config = stored(&new.config);
    let mut undo = Undo::default();
    let id = step(
        &mut undo,
        "remember the pool",
        || remember(app, new, &config),
        |id| {
            let (app, id) = (app.clone(), *id);
            move || app.take_away(|tx| Ok(storage_pools::delete(tx, id)?))
        },
    )?;
    let mut filled = config.clone();
    let (pool, made) = Pool::create(&new.driver, &new.name, &app.dirs.var, &mut filled)?;
    undo.absorb(made);
    pass("mark the pool as made")?;
    app.write(|tx| {
        storage_pools::update(tx, id, &new.description, &filled)?;
        Ok(storage_pools::set_state(tx, id, State::Created)?)
    })?;
    undo.keep();
    app.pools.add(pool);
    Ok(())
}

fn remember(app: &App, new: &StoragePoolsPost, config: &Config) -> Result<i64> {
    app.write(|tx| {
        if storage_pools::get(tx, &new.name)?.is_some() {
            return Err(Error::conflict("The storage pool already exists: The record already exists").into());
        }
        Ok(storage_pools::insert(tx, &new.name, &new.driver, &new.description, State::Pending, config)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_pools_are_refused_in_words() {
        let post = |name: &str, driver: &str, config: &[(&str, &str)]| StoragePoolsPost {
            name: name.to_string(),
            driver: driver.to_string(),
            config: config.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect(),
            ..StoragePoolsPost::default()
        };
        assert!(check(&post("p", "dir", &[("source", "/x"), ("user.a", "b"), ("rsync.bwlimit", "1MB")])).is_ok());
        type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);
        let cases: &[Case] = &[
            ("", "dir", &[], "No name provided"),
            ("a/b", "dir", &[], "Storage pool names may not contain slashes"),
            ("a b", "dir", &[], "Storage name cannot contain white space"),
            ("p", "", &[], "No driver provided"),
            ("p", "nothing", &[], "Unknown driver \"nothing\"; this server has: dir"),
            ("p", "zfs", &[], "Storage driver \"zfs\" is not available on this server; it has: dir"),
            ("p", "dir", &[("zfs.pool_name", "x")], "Invalid option \"zfs.pool_name\""),
            ("p", "dir", &[("rsync.bwlimit", "x")], "Invalid value for option \"rsync.bwlimit\""),
        ];
        for (name, driver, config, wanted) in cases {
            let refused = check(&post(name, driver, config)).expect_err(wanted).message;
            assert!(refused.starts_with(wanted), "{refused} is not {wanted}");
        }
    }
}
