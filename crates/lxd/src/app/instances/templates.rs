//! Making files of a stopped instance from its templates: when it was created, copied or renamed, and at each start.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

use corten_api::error::{Context, Error, Result};
use corten_api::image::ImageMetadataTemplate;
use corten_files::tree::{Links, Tree, clean};
use corten_host::rooted::Rooted;
use corten_instance::instance::Instance;
use corten_instance::template::{Value, render};
use corten_storage::driver::View;
use rustix::fs::{Mode, OFlags};

use super::files::door;
use super::{metadata, root};
use crate::app::App;

/// Makes what the instance's templates want at these triggers, in their order; nothing is touched when they want nothing.
///
/// # Errors
/// When a template is none, or its file cannot be written; files made before stay, as they are made again next time.
pub fn apply(app: &App, instance: &Instance, triggers: &[&str]) -> Result<()> {
    let beside = metadata::open(app, instance)?;
    let Some(templates) = beside.metadata()?.and_then(|metadata| metadata.templates) else { return Ok(()) };
    let mut due = Vec::new();
    // An instance that waits for nothing has an empty trigger, and so has a template of a careless image.
    for trigger in triggers.iter().filter(|trigger| !trigger.is_empty()) {
        let wants = |template: &&ImageMetadataTemplate| template.when.iter().any(|when| when == trigger);
        due.extend(templates.iter().filter(|(_, template)| wants(template)).map(|(path, one)| (*trigger, path, one)));
    }
    if due.is_empty() {
        return Ok(());
    }
    let (pool, volume) = root::volume(app, instance)?;
    let mounted = pool.mount_volume(&volume, View::Content)?;
    let path = mounted.path().join("rootfs");
    let rooted =
        Rooted::open(&path).with_context(|| format!("Failed opening instance rootfs path {}", path.display()))?;
    let links = Links::open().context("Failed to open /proc/self/fd")?;
    let tree = Tree::new(rooted, links, door::shifted(instance)?);
    for (trigger, path, template) in due {
        let text = String::from_utf8_lossy(&beside.template(&template.template)?).into_owned();
        make(&tree, Path::new(path), template.create_only, || {
            render(&text, variables(instance, trigger, path, template), &instance.expanded_config)
                .map_err(|error| Error::internal(format!("Failed to render template: {}: {error}", template.template)))
        })?;
    }
    drop(tree);
    mounted.release()?;
    Ok(())
}

/// What a template can name.
fn variables(
    instance: &Instance,
    trigger: &str,
    path: &str,
    template: &ImageMetadataTemplate,
) -> BTreeMap<String, Value> {
    let truth = |is: bool| if is { "true" } else { "false" };
    let facts: BTreeMap<String, String> = [
        ("name", instance.name.as_str()),
        ("type", "container"),
        ("architecture", instance.architecture.as_str()),
        ("ephemeral", truth(instance.ephemeral)),
        ("privileged", truth(instance.is_privileged())),
    ]
    .map(|(key, value)| (key.to_string(), value.to_string()))
    .into();
    let devices = instance.expanded_devices.iter().map(|(name, options)| (name.clone(), Value::texts(options)));
    [
        ("trigger", Value::from(trigger)),
        ("path", Value::from(path)),
        ("container", Value::texts(&facts)),
        ("instance", Value::texts(&facts)),
        ("config", Value::texts(&instance.expanded_config)),
        ("devices", Value::Map(devices.collect())),
        ("properties", Value::texts(&template.properties)),
    ]
    .map(|(name, value)| (name.to_string(), value))
    .into()
}

/// Writes one file. The text is made first, so that a template that is none leaves the file as it was.
fn make(tree: &Tree, path: &Path, create_only: bool, text: impl FnOnce() -> Result<String>) -> Result<()> {
    let path = clean(path);
    let exists = tree.exists(&path);
    if exists && create_only {
        return Ok(());
    }
    let text = text()?;
    let doing = || format!("Failed to create template file {}", path.display());
    let write = || -> std::io::Result<()> {
        let mode = Mode::from_raw_mode(0o644);
        if let (false, Some(parent)) = (exists, path.parent()) {
            tree.mkdir_all(parent, Mode::from_raw_mode(0o755))?;
        }
        let file: OwnedFd = tree.open(&path, OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC, mode)?;
        if !exists {
            tree.adopt(&file)?;
        }
        std::fs::File::from(file).write_all(text.as_bytes())
    };
    write().with_context(doing)
}
