//! The image that a new instance is made from: found by what the request says, and made ready.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::instance::InstanceSource;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::{architecture, image_aliases, images};
use corten_storage::fill::ImageFiles;

use crate::app::App;
use crate::rest::operation::Op;

/// What was found.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// An image of this server, by its fingerprint.
    Local(String),
}

/// An image with its files at hand.
#[derive(Clone, Debug)]
pub struct Ready {
    /// SHA-256 of its files.
    pub fingerprint: String,
    /// LXD's name of its architecture.
    pub architecture: String,
    /// What its maker says of it.
    pub properties: BTreeMap<String, String>,
    /// Profiles for its instances, when it has its own.
    pub profiles: Vec<String>,
    /// Where it is.
    pub files: ImageFiles,
}

/// Finds the image that `source` speaks of.
///
/// # Errors
/// 404 when there is none; 400 when the request does not say which.
pub fn find(app: &App, project: &str, source: &InstanceSource) -> Result<Wanted> {
    app.view(|view| {
        if !source.fingerprint.is_empty() {
            return by_fingerprint(view, project, &source.fingerprint).map(Wanted::Local);
        }
        if !source.alias.is_empty() {
            let alias = image_aliases::get(view, project, &source.alias)?;
            let alias = alias.ok_or_else(|| Error::not_found("Image alias not found"))?;
            return Ok(Wanted::Local(alias.fingerprint));
        }
        Err(Error::invalid("Must specify one of alias, fingerprint or properties for init from image").into())
    })
}

fn by_fingerprint(view: &View<'_>, project: &str, prefix: &str) -> Result<String, Abort> {
    let mut found = images::by_prefix(view, Some(project), prefix)?;
    match (found.pop(), found.is_empty()) {
        (Some(image), true) => Ok(image.fingerprint),
        (None, _) => Err(Error::not_found("Image not found").into()),
        (Some(_), false) => Err(Error::invalid("Partial fingerprint matches more than one image").into()),
    }
}

/// Brings the image here when it is not.
///
/// # Errors
/// When it is gone meanwhile, or cannot be had.
pub fn make_ready(app: &App, project: &str, wanted: &Wanted, _op: &Op) -> Result<Ready> {
    let Wanted::Local(fingerprint) = wanted;
    let row = app.view(|view| Ok(images::get(view, project, fingerprint)?))?;
    let row = row.ok_or_else(|| Error::not_found("Image not found"))?;
    let folder = app.dirs.var.join("images");
    let rootfs = folder.join(format!("{fingerprint}.rootfs"));
    Ok(Ready {
        fingerprint: fingerprint.clone(),
        architecture: architecture::name(row.architecture).unwrap_or_default().to_string(),
        properties: row.properties,
        profiles: row.profiles,
        files: ImageFiles { meta: folder.join(fingerprint), rootfs: rootfs.exists().then_some(rootfs) },
    })
}
