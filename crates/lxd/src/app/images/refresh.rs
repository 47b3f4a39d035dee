//! Looking whether the source of an image has a newer one, which then takes its place.

use corten_api::error::{Error, Result};
use corten_api::url;
use corten_db::error::Abort;
use corten_db::table::{image_aliases, images};
use corten_storage::fill::ImageFiles;

use super::fetch::{self, fetch};
use super::find::kind_name;
use super::origin::Origin;
use super::store::{self, folder, places};
use crate::app::App;
use crate::app::storage::image_volumes;
use crate::app::storage::pools::Pools;
use crate::app::storage::view::pools_with_image;
use crate::rest::operation::Op;

/// Fetches the newer image when there is one, and gives it names, profiles and pools of the old one, which goes.
/// Tells whether there was.
///
/// # Errors
/// When the image has no source, or the newer one cannot be had.
pub fn refresh(app: &App, old: &images::Image, op: &Op) -> Result<bool> {
    let source = old.source.clone().ok_or_else(|| Error::not_found("Image source not found"))?;
    let origin = Origin {
        server: source.server,
        protocol: source.protocol,
        certificate: source.certificate,
        alias: source.alias,
        kind: kind_name(old.kind).to_string(),
        ..Origin::default()
    };
    let wish = fetch::Wish { auto_update: true, public: old.public, ..fetch::Wish::default() };
    let new = fetch(app, &old.project, &origin, &wish, op)?;
    let refreshed = new.fingerprint != old.fingerprint;
    if refreshed {
        make_ready_where_the_old_one_is(app, &old.fingerprint, &new.fingerprint);
        replace(app, old, &new)?;
        let source = url::path_in(&old.project, ["images", &old.fingerprint]);
        app.lifecycle(&old.project, "image-refreshed", &source, op.requestor());
    }
    op.set_metadata("refreshed", refreshed);
    Ok(refreshed)
}

/// So that the next instance does not wait for it. A pool that fails does so again, and is told of, when it is needed.
fn make_ready_where_the_old_one_is(app: &App, old: &str, new: &str) {
    let (meta, root) = places(&folder(app), new);
    let files = ImageFiles { meta, rootfs: root.exists().then_some(root) };
    let pools = app.view(|view| pools_with_image(view, old)).unwrap_or_default();
    for name in pools.keys() {
        let watch = corten_archive::watch::Watch::default();
        let ready = Pools::get(app, name).and_then(|pool| image_volumes::ensure(app, &pool, new, &files, &watch));
        if let Err(error) = ready {
            tracing::error!(pool = name, fingerprint = new, "Failed to make the image ready: {error}");
        }
    }
}

fn replace(app: &App, old: &images::Image, new: &images::Image) -> Result<()> {
    let _turn = app.images.turns.take(&old.fingerprint);
    app.write(|tx| {
        let (Some(old), Some(new)) =
            (images::get(tx, &old.project, &old.fingerprint)?, images::get(tx, &new.project, &new.fingerprint)?)
        else {
            return Err(Error::not_found("Image not found").into());
        };
        image_aliases::move_all(tx, old.id, new.id)?;
        let (cached, last_used, profiles) = (old.cached, old.last_used, old.profiles);
        images::update(tx, &images::Image { cached, last_used, profiles, ..new })?;
        images::delete(tx, old.id)?;
        Ok::<_, Abort>(())
    })?;
    let others = app.view(|view| Ok(images::projects_with(view, &old.fingerprint)?))?;
    if others.is_empty() {
        image_volumes::delete(app, &old.fingerprint)?;
        store::remove_files(app, &old.fingerprint);
    }
    Ok(())
}
