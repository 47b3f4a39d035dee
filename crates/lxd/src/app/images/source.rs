//! The image that a new instance is made from: found by what the request says, and made ready.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::instance::InstanceSource;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::{architecture, image_aliases, images};
use corten_storage::fill::ImageFiles;

use super::fetch::{self, fetch};
use super::find::{by_prefix, kind_name, seen_from};
use super::origin::Origin;
use super::store::{folder, places};
use crate::app::App;
use crate::app::settings::is_true;
use crate::rest::operation::Op;

/// What instances there are here.
const CONTAINER: &str = "container";

/// What was found.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// An image of this server, by its fingerprint.
    Local(String),
    /// An image of another server, which is fetched unless it is here.
    Remote(Box<Origin>),
}

/// An image with its files at hand.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Its number; that it was used is remembered with what is made of it.
    pub id: i64,
    /// SHA-256 of its files.
    pub fingerprint: String,
    /// LXD's name of its architecture.
    pub architecture: String,
    /// What its maker says of it.
    pub properties: BTreeMap<String, String>,
    /// Profiles for its instances; there may be none.
    pub profiles: Vec<String>,
    /// Where it is.
    pub files: ImageFiles,
}

/// Finds the image that `source` speaks of.
///
/// # Errors
/// 404 when there is none; 400 when the request does not say which.
pub fn find(app: &App, project: &str, source: &InstanceSource) -> Result<Wanted> {
    let which = "Must specify one of alias, fingerprint or properties for init from image";
    if !source.server.is_empty() {
        let alias = if source.fingerprint.is_empty() { &source.alias } else { &source.fingerprint };
        if alias.is_empty() && !source.properties.is_empty() {
            return Err(Error::invalid("Property match is only supported for local images"));
        }
        if alias.is_empty() {
            return Err(Error::invalid(which));
        }
        return Ok(Wanted::Remote(Box::new(Origin {
            server: source.server.clone(),
            protocol: source.protocol.clone(),
            certificate: source.certificate.clone(),
            secret: source.secret.clone(),
            alias: alias.clone(),
            kind: CONTAINER.to_string(),
            project: source.project.clone(),
        })));
    }
    let holder = app.project(project)?.images().to_string();
    app.view(|view| {
        if !source.fingerprint.is_empty() {
            return by_prefix(view, &holder, &source.fingerprint).map(|image| Wanted::Local(image.fingerprint));
        }
        if !source.alias.is_empty() {
            let alias = image_aliases::get(view, &holder, &source.alias)?;
            let alias = alias.ok_or_else(|| Error::not_found("Image alias not found"))?;
            return Ok(Wanted::Local(alias.fingerprint));
        }
        if !source.properties.is_empty() {
            return by_properties(view, &holder, &source.properties).map(Wanted::Local);
        }
        Err(Error::invalid(which).into())
    })
}

/// The newest image that has all these properties.
fn by_properties(view: &View<'_>, project: &str, wanted: &BTreeMap<String, String>) -> Result<String, Abort> {
    let has_all = |image: &images::Image| wanted.iter().all(|(key, value)| image.properties.get(key) == Some(value));
    let fitting = images::list(view, Some(project))?.into_iter().filter(has_all);
    let newest = fitting.max_by_key(|image| image.created);
    Ok(newest.ok_or_else(|| Error::internal("No matching image could be found"))?.fingerprint)
}

/// Brings the image here when it is not.
///
/// # Errors
/// When it is gone meanwhile, or cannot be had.
pub fn make_ready(app: &App, project: &str, wanted: &Wanted, op: &Op) -> Result<Ready> {
    let scope = app.project(project)?;
    let row = match wanted {
        Wanted::Local(fingerprint) => app.view(|view| Ok(images::get(view, scope.images(), fingerprint)?))?,
        Wanted::Remote(origin) => {
            let key = "images.auto_update_cached";
            let own = scope.0.config.get(key).filter(|value| !value.is_empty()).cloned();
            let auto_update = is_true(&own.unwrap_or_else(|| app.settings.get_or(key, "true")));
            let wish = fetch::Wish { auto_update, cached: true, prefer_cached: true, ..fetch::Wish::default() };
            Some(fetch(app, scope.images(), origin, &wish, op)?)
        }
    };
    let row = row.ok_or_else(|| Error::not_found("Image not found"))?;
    let row = app.view(|view| seen_from(view, &scope, row.clone()))?;
    if kind_name(row.kind) != CONTAINER {
        let kind = kind_name(row.kind);
        return Err(Error::internal(format!(
            "Requested image's type {kind:?} doesn't match instance type {CONTAINER:?}"
        )));
    }
    let (meta, root) = places(&folder(app), &row.fingerprint);
    Ok(Ready {
        id: row.id,
        fingerprint: row.fingerprint,
        architecture: architecture::name(row.architecture).unwrap_or_default().to_string(),
        properties: row.properties,
        profiles: row.profiles,
        files: ImageFiles { meta, rootfs: root.exists().then_some(root) },
    })
}
