//! Changing, renaming and deleting a network.

use corten_api::error::{Error, Result};
use corten_api::network::NetworkPut;
use corten_db::table::networks;
use corten_host::undo::Undo;
use corten_network::registry::{self, Kind};
use serde::{Deserialize, Serialize};

use super::{forwards, hosts, open, parent, row, view};
use crate::app::{App, network_acls, network_zones, notes};

/// Gives a network another description and other keys; with `amend`, keys that are not named stay.
///
/// # Errors
/// 400 for what is not right; the network is as before then.
pub fn update(app: &App, project: &str, name: &str, put: &NetworkPut, amend: bool) -> Result<()> {
    let row = row(app, project, name)?;
    let kind: Kind = row.kind.parse()?;
    // Keys that do not exist are refused even where they are to be unset.
    let mut unset = put.config.clone();
    unset.retain(|_, value| value.is_empty());
    registry::check_keys(kind, name, &unset)?;
    let mut config = if amend { row.config.clone() } else { Default::default() };
    config.extend(put.config.clone());
    config.retain(|_, value| !value.is_empty());
    registry::settle_auto(kind, &mut config)?;
    registry::check_config(kind, name, &config)?;
    if kind == Kind::Physical {
        parent::may_become(app, &row, &config)?;
    }
    app.view(|view| {
        network_zones::must_exist(view, name, &config)?;
        network_acls::must_exist(view, project, &config)
    })?;
    let network = open(app, &row)?;
    let hosts = hosts::of(app, &row)?;
    let changed = network.update(&config, &hosts)?;
    config.extend(changed);
    config.retain(|_, value| !value.is_empty());
    let new = networks::Network { config, ..row.clone() };
    let remembered = network_acls::follow(app, &row, &new).and_then(|()| {
        app.write(|tx| {
            // Once more: an unused zone may have been deleted meanwhile.
            network_zones::must_exist(tx, name, &new.config)?;
            Ok(networks::update(tx, row.id, &put.description, &new.config)?)
        })
    });
    if remembered.is_err() {
        // What is up must not differ from what is remembered.
        open(app, &new)?.update(&row.config, &hosts)?;
        network_acls::follow(app, &new, &row)?;
    }
    remembered
}

/// Gives an unused network another name.
///
/// # Errors
/// 400 when it is in use or the name is not right, 409 when the name is taken.
pub fn rename(app: &App, project: &str, name: &str, new: &str) -> Result<()> {
    let row = row(app, project, name)?;
    if new.is_empty() {
        return Err(Error::invalid("New network name not provided"));
    }
    registry::check_name(row.kind.parse()?, new)?;
    must_be_unused(app, name, "Network is currently in use")?;
    if app.view(|view| Ok(networks::get(view, project, new)?))?.is_some() {
        return Err(Error::conflict(format!("Network {new:?} already exists")));
    }
    let network = open(app, &row)?;
    let (note, mut undo) = (notes::place(&app.dirs.var.join("networks"), name), Undo::default());
    let meant = Renaming { project: project.to_string(), name: name.to_string(), new: new.to_string() };
    notes::note(note.clone(), &serde_json::to_string(&meant).unwrap_or_default(), &mut undo)?;
    network.rename(new, &[])?;
    forwards::clear(app, &row)?;
    network_acls::clear(&row)?;
    let remembered = app.write(|tx| Ok(networks::rename(tx, row.id, new)?));
    let now = networks::Network { name: if remembered.is_ok() { new } else { name }.to_string(), ..row.clone() };
    forwards::apply_if_any(app, &now)?;
    network_acls::apply_if_any(app, &now)?;
    if remembered.is_err() {
        open(app, &networks::Network { name: new.to_string(), ..row })?.rename(name, &[])?;
    }
    undo.keep();
    notes::remove(&note)?;
    remembered
}

/// What is noted of a network that gets another name.
#[derive(Serialize, Deserialize)]
struct Renaming {
    project: String,
    name: String,
    new: String,
}

/// Gives networks their old names back where the last daemon was ended before it had remembered the new ones.
///
/// # Errors
/// When the notes cannot be read; what cannot be done is logged.
pub fn recover(app: &App) -> Result<()> {
    let folder = app.dirs.var.join("networks");
    for meant in notes::found(&folder, |text| serde_json::from_str::<Renaming>(text).ok())? {
        tracing::info!(network = meant.name, new = meant.new, "The last daemon did not end a renaming");
        let back = take_back(app, &meant).and_then(|()| notes::remove(&notes::place(&folder, &meant.name)));
        if let Err(error) = back {
            tracing::error!(network = meant.name, %error, "Failed to give a network its old name back");
        }
    }
    Ok(())
}

fn take_back(app: &App, Renaming { project, name, new }: &Renaming) -> Result<()> {
    let (old, renamed) =
        app.view(|view| Ok((networks::get(view, project, name)?, networks::get(view, project, new)?)))?;
    let folder = |name: &str| app.dirs.var.join("networks").join(name);
    match old {
        Some(row) if renamed.is_none() && folder(new).exists() && !folder(name).exists() => {
            open(app, &networks::Network { name: new.clone(), ..row })?.rename(name, &[])?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Removes an unused network.
///
/// # Errors
/// 400 when it is in use; what could not be removed.
pub fn delete(app: &App, project: &str, name: &str) -> Result<()> {
    let row = row(app, project, name)?;
    must_be_unused(app, name, "The network is currently in use")?;
    forwards::clear(app, &row)?;
    network_acls::clear(&row)?;
    open(app, &row)?.delete()?;
    app.take_away(|tx| Ok(networks::delete(tx, row.id)?))
}

fn must_be_unused(app: &App, name: &str, words: &str) -> Result<()> {
    if view::users(app, name)?.is_empty() { Ok(()) } else { Err(Error::invalid(words)) }
}
