//! Making a network: its row first, as pending, then the network itself, then the row as made; or all is taken back.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::network::NetworksPost;
use corten_api::url::DEFAULT_PROJECT;
use corten_db::table::{State, networks};
use corten_host::undo::Undo;
use corten_instance::step::{pass, step};
use corten_network::registry::{self, Kind};

use super::{open, parent};
use crate::app::projects::{Scope, allow};
use crate::app::{App, network_acls, network_zones};

/// Makes the network.
///
/// # Errors
/// 400 for what is not right, in LXD's words, or why it cannot be made; nothing is left then.
pub fn create(app: &Arc<App>, scope: &Scope, post: &NetworksPost) -> Result<()> {
    if post.name.is_empty() {
        return Err(Error::invalid("No name provided"));
    }
    if !allow::network(scope, &post.name, true) {
        return Err(Error::forbidden("Network not allowed in project"));
    }
    let project = scope.networks();
    if project != DEFAULT_PROJECT {
        return Err(Error::invalid("Network type does not support non-default projects"));
    }
    let kind: Kind = if post.r#type.is_empty() { Kind::Bridge } else { post.r#type.parse()? };
    registry::check_name(kind, &post.name)?;
    app.view(|view| allow::another_network(view, scope))?;
    let taken = app.view(|view| Ok(networks::get(view, project, &post.name)?))?;
    if taken.is_some() {
        return Err(Error::invalid("The network already exists"));
    }
    let mut config = post.config.clone();
    registry::fill_defaults(kind, &mut config)?;
    config.retain(|_, value| !value.is_empty());
    registry::check_config(kind, &post.name, &config).map_err(|error| Error::from(error).as_failure())?;
    if kind == Kind::Physical {
        parent::must_be_free(app, &post.name, &config)?;
    }
    app.view(|view| network_acls::must_exist(view, project, &config))?;
    let mut row = networks::Network {
        id: 0,
        project: project.to_string(),
        name: post.name.clone(),
        description: post.description.clone(),
        state: State::Pending,
        kind: kind.as_str().to_string(),
        config,
    };
    let mut undo = Undo::default();
    row.id = step(
        &mut undo,
        "remember the network",
        || {
            let insert = app.write(|tx| {
                network_zones::must_exist(tx, &row.name, &row.config)?;
                Ok(networks::insert(tx, &row)?)
            });
            insert.map_err(Error::as_failure)
        },
        |id| {
            let (app, id) = (app.clone(), *id);
            move || app.take_away(|tx| Ok(networks::delete(tx, id)?))
        },
    )?;
    let network = open(app, &row)?;
    network.check_new()?;
    let made = network.clone();
    // Before it is brought up: what a failed attempt leaves, such as its folder, has to go as well.
    undo.push("make the network", move || made.delete().map_err(|error| error.to_string()));
    pass("bring the network up")?;
    let changed = network.up(&[])?;
    row.config.extend(changed);
    network_acls::apply_if_any(app, &row)?;
    let made = row.clone();
    undo.push("put access lists in force", move || network_acls::clear(&made).map_err(|error| error.to_string()));
    pass("mark the network as made")?;
    app.write(|tx| {
        networks::update(tx, row.id, &row.description, &row.config)?;
        Ok(networks::set_state(tx, row.id, State::Created)?)
    })?;
    undo.keep();
    Ok(())
}
