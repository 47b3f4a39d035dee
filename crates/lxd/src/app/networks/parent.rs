//! The parent interface of a physical network, which it must have for itself.

use corten_api::error::{Error, Result};
use corten_db::table::State;
use corten_db::table::networks::{self, Network};
use corten_network::config::{Config, get};

use super::view;
use crate::app::App;

/// Refuses a parent that another network has: all of it, or the same VLAN on it.
///
/// # Errors
/// 500 in LXD's words.
pub fn must_be_free(app: &App, name: &str, config: &Config) -> Result<()> {
    let all = app.view(|view| Ok(networks::list(view, None)?))?;
    if all.iter().any(|other| other.name != name && other.state == State::Created && overlap(&other.config, config)) {
        let parent = get(config, "parent");
        return Err(Error::internal(format!("Parent interface {parent:?} in use by another network")));
    }
    Ok(())
}

/// Refuses another parent or VLAN for a network that is in use, and one that is not free.
///
/// # Errors
/// 500 in LXD's words.
pub fn may_become(app: &App, row: &Network, config: &Config) -> Result<()> {
    if ["parent", "vlan"].iter().all(|key| get(&row.config, key) == get(config, key)) {
        return Ok(());
    }
    if !view::users(app, &row.name)?.is_empty() {
        return Err(Error::internal("Cannot update network parent interface when in use"));
    }
    must_be_free(app, &row.name, config)
}

/// Whether two networks want the same packets of one interface.
fn overlap(one: &Config, other: &Config) -> bool {
    let vlan = |config| get(config, "vlan");
    get(one, "parent") == get(other, "parent")
        && (vlan(one).is_empty() || vlan(other).is_empty() || vlan(one) == vlan(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vlans_share_an_interface_with_each_other_only() {
        let config = |parent: &str, vlan: &str| {
            Config::from([("parent".to_string(), parent.to_string()), ("vlan".to_string(), vlan.to_string())])
        };
        let cases = [("", "", true), ("5", "", true), ("", "5", true), ("5", "5", true), ("5", "6", false)];
        for (one, other, wanted) in cases {
            assert_eq!(overlap(&config("up0", one), &config("up0", other)), wanted, "{one:?} {other:?}");
            assert!(!overlap(&config("up0", one), &config("up1", other)));
        }
    }
}
