//! Changing the keys of a pool, and removing it.

use corten_api::error::{Error, Result};
use corten_api::storage_pool::StoragePoolPut;
use corten_config::entity::{self, Entity};
use corten_db::table::used_by::User;
use corten_db::table::{Config, State, storage_pools, storage_volumes, used_by};
use corten_db::{View, error::Abort};

use super::pools::Pools;
use crate::app::App;
use crate::app::check::stored;

/// The row of a pool.
///
/// # Errors
/// 404, or the database's.
pub fn row(view: &View<'_>, name: &str) -> Result<storage_pools::Pool, Abort> {
    Ok(storage_pools::get(view, name)?.ok_or_else(|| Error::not_found("Storage pool not found"))?)
}

/// Replaces description and keys; with `amend`, keys that the request does not name stay.
///
/// # Errors
/// 404, 400 for keys that the pool cannot have, or why they cannot be applied.
pub fn update(app: &App, name: &str, new: &StoragePoolPut, amend: bool) -> Result<()> {
    let _turn = app.pools.change();
    let old = app.view(|view| row(view, name))?;
    if old.state != State::Created {
        return Err(Error::invalid("Cannot update storage pool global config when not in created state"));
    }
    // Keys that do not exist are refused even where they are to be unset.
    let mut unset = new.config.clone();
    unset.retain(|_, value| value.is_empty());
    entity::check(Entity::Pool(&old.driver), &unset)?;
    let config = merged(&old.config, &new.config, amend);
    entity::check(Entity::Pool(&old.driver), &config)?;
    let pool = Pools::get(app, name)?;
    pool.update(config.clone())?;
    let saved = app.write(|tx| Ok(storage_pools::update(tx, old.id, &new.description, &config)?));
    if saved.is_err() {
        // The old keys were good a moment ago.
        let _ = pool.update(old.config);
    }
    saved
}

fn merged(old: &Config, new: &Config, amend: bool) -> Config {
    let mut config = if amend { old.clone() } else { Config::new() };
    config.extend(new.clone());
    stored(&config)
}

/// Removes a pool that nobody uses, with the images that it holds ready.
///
/// # Errors
/// 404, 400 while it is used, or what could not be removed.
pub fn delete(app: &App, name: &str) -> Result<()> {
    let _turn = app.pools.change();
    let (pool_row, images) = app.view(|view| {
        let found = row(view, name)?;
        let users = used_by::pool_users(view, name)?;
        if users.iter().any(|user| !matches!(user, User::Image { .. })) {
            return Err(Error::invalid("The storage pool is currently in use").into());
        }
        Ok((found, storage_volumes::list(view, Some(name), None, Some(storage_volumes::IMAGE))?))
    })?;
    if pool_row.state != State::Pending {
        let pool = Pools::get(app, name)?;
        for image in images {
            let failed = format!("Error deleting image {:?} from storage pool {name:?}", image.name);
            pool.delete_image(&image.name).map_err(|error| Error::from(error).context(failed))?;
        }
        pool.delete()?;
    }
    app.take_away(|tx| Ok(storage_pools::delete(tx, pool_row.id)?))?;
    app.pools.remove(name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn put_replaces_and_patch_amends() {
        let config = |pairs: &[(&str, &str)]| -> Config {
            pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
        };
        let old = config(&[("source", "/x"), ("user.a", "1")]);
        let new = config(&[("user.a", ""), ("user.b", "2")]);
        assert_eq!(merged(&old, &new, true), config(&[("source", "/x"), ("user.b", "2")]));
        assert_eq!(merged(&old, &new, false), config(&[("user.b", "2")]));
    }
}
