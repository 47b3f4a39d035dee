//! Changing what is said of an image.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::image::ImagePut;
use corten_api::url::DEFAULT_PROJECT;
use corten_db::error::Abort;
use corten_db::table::{images, profiles};
use serde_json::{Map, Value};

use super::import::PROFILE;
use crate::app::App;
use crate::app::projects::Scope;

/// Replaces all that may be changed. `profiles` are as the request has them, and none given means the default one.
///
/// # Errors
/// 400 for a profile that is not there, or the database's.
pub fn replace(app: &App, scope: &Scope, row: &images::Image, new: &ImagePut, names: Option<&[String]>) -> Result<()> {
    let profiles = names.map_or_else(|| vec![PROFILE.to_string()], <[String]>::to_vec);
    let changed = images::Image {
        public: new.public,
        auto_update: new.auto_update,
        expires: if new.expires_at == corten_api::time::Time::ZERO {
            row.expires
        } else {
            Some(new.expires_at.timestamp())
        },
        properties: new.properties.clone(),
        profiles,
        ..row.clone()
    };
    save(app, scope, &changed)
}

/// Changes what the body names; properties that it does not name stay.
///
/// # Errors
/// 400 for a value of the wrong shape, or the database's.
pub fn amend(app: &App, scope: &Scope, row: &images::Image, body: &Map<String, Value>) -> Result<()> {
    let mut changed = row.clone();
    if let Some(Value::Bool(yes)) = body.get("auto_update") {
        changed.auto_update = *yes;
    }
    if let Some(Value::Bool(yes)) = body.get("public") {
        changed.public = *yes;
    }
    if let Some(properties) = body.get("properties").filter(|value| !value.is_null()) {
        let named: BTreeMap<String, String> = serde_json::from_value(properties.clone())
            .map_err(|error| Error::invalid(format!("Invalid value for \"properties\": {error}")))?;
        changed.properties.extend(named);
    }
    save(app, scope, &changed)
}

fn save(app: &App, scope: &Scope, changed: &images::Image) -> Result<()> {
    app.write(|tx| {
        let now = images::get(tx, &changed.project, &changed.fingerprint)?;
        if now.as_ref().is_none_or(|now| now.id != changed.id) {
            return Err(Error::not_found("Image not found").into());
        }
        for name in &changed.profiles {
            if profiles::id(tx, scope.profiles(), name)?.is_none() {
                return Err(Error::invalid(format!("Profile '{name}' doesn't exist")).into());
            }
        }
        if scope.images() == scope.profiles() || scope.images() != DEFAULT_PROJECT {
            images::update(tx, changed)?;
        } else {
            // The project's word about its own profiles; what the others say of theirs stays.
            let profiles = now.map(|now| now.profiles).unwrap_or_default();
            images::update(tx, &images::Image { profiles, ..changed.clone() })?;
            images::set_profiles(tx, changed.id, scope.profiles(), &changed.profiles)?;
        }
        Ok::<_, Abort>(())
    })
}
