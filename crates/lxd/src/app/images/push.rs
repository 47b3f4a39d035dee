//! Sending an image to another server, which has told its client a secret for it.

use std::fs::File;
use std::path::Path;

use corten_api::error::{Context, Error, Result};
use corten_api::image::{ImageExportPost, ImagesPost, ImagesPostSource};
use corten_api::operation::Operation;
use corten_api::status::StatusCode;
use corten_api::url;
use corten_client::image_transfer::{self, Upload};
use corten_db::table::images;
use serde_json::Value;

use super::find::kind_name;
use super::origin;
use super::store::{folder, places};
use crate::app::App;
use crate::rest::operation::Op;

/// Sends the image to where `post` says, and waits until it is taken in there.
///
/// # Errors
/// When the other server cannot be reached, or refuses.
pub fn push(app: &App, image: &images::Image, post: &ImageExportPost, op: &Op) -> Result<()> {
    let project = Some(post.project.as_str()).filter(|project| !project.is_empty());
    let certificate = Some(post.certificate.clone()).filter(|pem| !pem.is_empty());
    let server = origin::server(&post.target, certificate, project)?;
    let (meta, root) = places(&folder(app), &image.fingerprint);
    let metadata = upload(&meta, &image.fingerprint)?;
    let machine = kind_name(image.kind) != "container";
    let root = root.exists().then(|| upload(&root, &format!("{}.rootfs", image.fingerprint))).transpose()?;
    let wanted = ImagesPost {
        filename: image.fingerprint.clone(),
        source: Some(ImagesPostSource {
            fingerprint: image.fingerprint.clone(),
            secret: post.secret.clone(),
            mode: "push".to_string(),
            ..ImagesPostSource::default()
        }),
        ..ImagesPost::default()
    };
    let sent = async {
        let running =
            image_transfer::upload(&server, &wanted, metadata, root.map(|root| (root, machine)), |_, _| {}).await?;
        let metadata = running.first().metadata.as_ref();
        let secret = metadata.and_then(|metadata| metadata.get("secret")?.as_str()).unwrap_or_default();
        // The other server does not know us but by its secret.
        let secret = url::escape_query(secret);
        let path = format!("{}?secret={secret}", url::path(["operations", running.id(), "wait"]));
        let ended: Operation = server.get(&path).await?;
        match ended.status_code {
            StatusCode::Success => Ok(()),
            _ => Err(Error::internal(format!("Failed operation {:?}: {:?}", ended.status, ended.err))),
        }
    };
    super::fetch::wait(app, op, sent)?;
    let source = url::path_in(&image.project, ["images", &image.fingerprint]);
    let context = [("target", Value::from(post.target.as_str()))];
    app.lifecycle_with(&image.project, "image-retrieved", &source, op.requestor(), context);
    Ok(())
}

fn upload(path: &Path, name: &str) -> Result<Upload> {
    let file = File::open(path).with_context(|| format!("Failed to open {}", path.display()))?;
    let length = file.metadata().with_context(|| format!("Failed to look at {}", path.display()))?.len();
    Ok(Upload { name: name.to_string(), content: Box::new(file), length })
}
