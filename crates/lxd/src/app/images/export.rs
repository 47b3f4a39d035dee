//! The files of an image, as they came.

use std::fs::File;
use std::path::Path;

use corten_api::error::{Context, Result};
use corten_archive::compression::Compression;
use corten_client::multipart::{self, Field};
use corten_db::table::images;

use super::find::kind_name;
use super::store::{folder, places};
use crate::app::App;
use crate::rest::operation::random_secret;
use crate::rest::reply::Reply;

/// The ending of a file's name, by what is in it.
fn ending(path: &Path) -> &'static str {
    Compression::of_file(path).map_or("", Compression::extension)
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("Failed to open {}", path.display()))
}

/// The image's one file, or its two files as a form (RFC 7578).
///
/// # Errors
/// When the files cannot be read.
pub fn reply(app: &App, image: &images::Image) -> Result<Reply> {
    let (meta, root) = places(&folder(app), &image.fingerprint);
    let name = |path: &Path| format!("{}{}", image.fingerprint, ending(path));
    if !root.exists() {
        return Reply::file(open(&meta)?, &name(&meta));
    }
    let field = if kind_name(image.kind) == "container" { "rootfs" } else { "rootfs.img" };
    let files = [("metadata", format!("meta-{}", name(&meta)), &meta), (field, name(&root), &root)];
    let mut fields: Vec<Field> = Vec::new();
    for (field, name, path) in files {
        let file = open(path)?;
        let length = file.metadata().with_context(|| format!("Failed to look at {}", path.display()))?.len();
        fields.push((field, name, Box::new(file), length));
    }
    let form = multipart::form(fields, &random_secret()?[..60]);
    Ok(Reply::form(form.body, form.length, &form.content_type))
}
