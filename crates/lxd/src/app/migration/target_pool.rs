//! Which pool an instance of another server gets: its own says the name of a pool there, which need not be one here.

use corten_api::error::{Error, Result};
use corten_api::instance::InstancesPost;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::{profiles, storage_pools};
use corten_instance::instance::{Config, Devices, root_disk};

use crate::app::App;
use crate::app::instances::find::profile_project;

/// Gives the request's root disk a pool of this server, where it has none.
///
/// # Errors
/// 400 when there is none for it.
pub fn choose(app: &App, project: &str, post: &mut InstancesPost) -> Result<()> {
    let names = post.profiles.clone().unwrap_or_else(|| vec!["default".to_string()]);
    let facts = app.view(|view| Facts::read(view, project, &names))?;
    place(&mut post.devices, &facts)
}

/// What the choice depends on.
struct Facts {
    pools: Vec<String>,
    /// The pool of the root disk that the profiles give.
    of_profiles: Option<String>,
}

impl Facts {
    fn read(view: &View<'_>, project: &str, names: &[String]) -> Result<Facts, Abort> {
        let pools = storage_pools::list(view)?.into_iter().map(|pool| pool.name).collect();
        let holder = profile_project(view, project)?;
        let found = profiles::named(view, &holder, names)?;
        let mut last_first = names.iter().rev().filter_map(|name| found.iter().find(|profile| profile.name == *name));
        let of_profiles = last_first.find_map(|profile| pool_of(&profile.devices));
        Ok(Facts { pools, of_profiles })
    }
}

fn pool_of(devices: &Devices) -> Option<String> {
    root_disk(devices).and_then(|(_, disk)| disk.get("pool")).filter(|pool| !pool.is_empty()).cloned()
}

fn place(devices: &mut Devices, facts: &Facts) -> Result<()> {
    let own = root_disk(devices).map(|(name, _)| name.to_string());
    if pool_of(devices).is_some_and(|pool| facts.pools.contains(&pool)) {
        return Ok(());
    }
    let only = if let [only] = facts.pools.as_slice() { Some(only) } else { None };
    let Some(pool) = facts.of_profiles.as_ref().or(only) else {
        return Err(Error::invalid("Can't find a storage pool for the instance to use"));
    };
    match own {
        Some(own) => {
            devices.entry(own).or_default().insert("pool".to_string(), pool.clone());
        }
        None if facts.of_profiles.is_some() => {}
        None => {
            let disk = [("type", "disk"), ("path", "/"), ("pool", pool.as_str())];
            let disk: Config = disk.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect();
            let numbered = (0..100).map(|number| format!("root{number}"));
            let free = std::iter::once("root".to_string()).chain(numbered).find(|name| !devices.contains_key(name));
            devices.insert(free.unwrap_or_else(|| "root".to_string()), disk);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(pool: &str) -> Devices {
        let disk = [("type", "disk"), ("path", "/"), ("pool", pool)];
        let disk = disk.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect();
        Devices::from([("root".to_string(), disk)])
    }

    #[test]
    fn a_pool_of_this_server_is_found() {
        let facts = |pools: &[&str], of_profiles: Option<&str>| Facts {
            pools: pools.iter().map(|name| (*name).to_string()).collect(),
            of_profiles: of_profiles.map(str::to_string),
        };
        for (own, known, wanted) in [
            (root("a"), facts(&["a", "b"], Some("b")), Some(root("a"))),
            (root("x"), facts(&["a", "b"], Some("b")), Some(root("b"))),
            (root("x"), facts(&["a"], None), Some(root("a"))),
            (root("x"), facts(&["a", "b"], None), None),
            (Devices::new(), facts(&["a", "b"], Some("b")), Some(Devices::new())),
            (Devices::new(), facts(&["a"], None), Some(root("a"))),
            (Devices::new(), facts(&[], None), None),
        ] {
            let mut devices = own.clone();
            let placed = place(&mut devices, &known).ok().map(|()| devices);
            assert_eq!(placed, wanted, "{own:?}");
        }
    }
}
