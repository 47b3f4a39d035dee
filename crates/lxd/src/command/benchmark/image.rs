//! The image of the containers: in the local store, or fetched into it first.

use corten_api::error::{Error, Result};
use corten_api::image::{Image, ImageAliasesEntry};
use corten_api::url;
use serde_json::json;

use super::batches::say;
use super::perform;
use crate::command::local::Local;

/// Remotes that LXD's client knows without a configuration.
const REMOTES: [(&str, &str); 3] = [
    ("images", "https://images.linuxcontainers.org"),
    ("ubuntu", "https://cloud-images.ubuntu.com/releases"),
    ("ubuntu-daily", "https://cloud-images.ubuntu.com/daily"),
];

/// The fingerprint of `[<remote>:]<image>`.
///
/// # Errors
/// When there is no such image or remote, or it cannot be fetched.
pub fn ensure(local: &mut Local, project: &str, image: &str) -> Result<String> {
    let fingerprint = match image.split_once(':').filter(|(remote, _)| *remote != "local") {
        None => find(local, project, image.trim_start_matches("local:"))?,
        Some((remote, alias)) => fetch(local, project, remote, if alias.is_empty() { "default" } else { alias })?,
    };
    say(&format!("Found image in local store: {fingerprint}"));
    Ok(fingerprint)
}

fn find(local: &mut Local, project: &str, name: &str) -> Result<String> {
    if let Ok(alias) = local.get::<ImageAliasesEntry>(&url::path_in(project, ["images", "aliases", name])) {
        return Ok(alias.target);
    }
    let image = local.get::<Image>(&url::path_in(project, ["images", name]));
    image.map(|image| image.fingerprint).inspect_err(|_| say(&format!("Image not found in local store: {name}")))
}

fn fetch(local: &mut Local, project: &str, remote: &str, alias: &str) -> Result<String> {
    let known = REMOTES.iter().find(|(name, _)| *name == remote);
    let (_, server) = known.ok_or_else(|| Error::not_found(format!("The remote \"{remote}\" doesn't exist")))?;
    say(&format!("Importing image into local store: {alias}"));
    // Kept under its alias's name, which tells its fingerprint afterwards.
    let name = format!("lxd-benchmark/{remote}/{alias}");
    if let Ok(fingerprint) = find(local, project, &name) {
        return Ok(fingerprint);
    }
    let source = json!({
        "type": "image", "mode": "pull", "server": server, "protocol": "simplestreams", "alias": alias,
    });
    let body = json!({"source": source, "aliases": [{"name": name}]});
    perform(local, "POST", &url::path_in(project, ["images"]), Some(&body))?;
    find(local, project, &name)
}
