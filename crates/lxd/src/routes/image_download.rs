//! Images that the daemon fetches itself, and fetches again.

use crate::app::Call;
use crate::app::images::fetch::{self, Wish};
use crate::app::images::import::tell_result;
use crate::app::images::origin::Origin;
use crate::app::images::{refresh as refreshing, url};
use crate::app::projects::Scope;
use crate::rest::reply::Reply;
use corten_api::error::{Error, Result};
use corten_api::image::{ImagesPost, ImagesPostSource};
use corten_db::table::images::Image;

/// Starts to fetch the image that the request names.
///
/// # Errors
/// When the daemon shuts down.
pub fn start(call: &Call, scope: Scope, post: ImagesPost, source: ImagesPostSource) -> Result<Reply> {
    let app = call.app.clone();
    let plan = app.plan(call, "Downloading image").cancellable();
    let op = call.app.operations.run(plan, move |op| {
        let origin = match source.r#type.as_str() {
            "url" => app.runtime.block_on(url::resolve(&source.url, &app.host.architectures))?,
            _ => named(source)?,
        };
        let wish = Wish {
            public: post.public,
            auto_update: post.auto_update,
            filename: post.filename,
            properties: post.properties.unwrap_or_default(),
            aliases: post.aliases,
            ..Wish::default()
        };
        let image = fetch::fetch(&app, scope.images(), &origin, &wish, op)?;
        tell_result(op, &image.fingerprint, image.size);
        Ok(())
    })?;
    Reply::accepted(&op)
}

fn named(source: ImagesPostSource) -> Result<Origin> {
    let alias = if source.fingerprint.is_empty() { source.alias } else { source.fingerprint };
    if alias.is_empty() {
        return Err(Error::invalid("must specify one of alias or fingerprint for init from image"));
    }
    let ImagesPostSource { server, protocol, certificate, secret, image_type: kind, project, .. } = source;
    Ok(Origin { server, protocol, certificate, secret, alias, kind, project })
}

/// Starts to look whether the image's source has a newer one.
///
/// # Errors
/// When the daemon shuts down.
pub fn refresh(call: &Call, scope: Scope, image: Image) -> Result<Reply> {
    let app = call.app.clone();
    let plan = app.plan(call, "Refreshing image").cancellable();
    let op = call.app.operations.run(plan, move |op| {
        let failed = || format!("Failed to update image {:?} in project {:?}", image.fingerprint, scope.name());
        refreshing::refresh(&app, &image, op).map(drop).map_err(|error| error.context(failed()))
    })?;
    Reply::accepted(&op)
}
