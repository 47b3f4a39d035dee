//! `disk`: the root, a directory or file of the host, or a custom volume, mounted inside.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use corten_api::error::{Error, Result};
use corten_host::command::Command;
use corten_host::undo::Undo;
use corten_runtime::spec::{Create, Mount};

use super::{Attachment, Call, Device};
use crate::instance::{is_false, is_true};

/// Disks of containers.
pub struct Disk;

/// What a disk is, by its options.
enum Meaning {
    /// The root: the storage layer makes and mounts it.
    Root,
    /// A path of the host.
    Path(PathBuf),
    /// A custom volume of a pool.
    Volume,
}

fn meaning(call: &Call<'_>) -> Result<Meaning> {
    let (path, source, pool) = (call.get("path"), call.get("source"), call.get("pool"));
    if path.is_empty() {
        return Err(Error::invalid("Disk entry is missing the required \"path\" property"));
    }
    match (path, source, pool) {
        ("/", "", _) => Ok(Meaning::Root),
        (_, "", _) => Err(Error::invalid("Disk entry is missing the required \"source\" property")),
        (_, _, "") => Ok(Meaning::Path(PathBuf::from(source))),
        _ => Ok(Meaning::Volume),
    }
}

fn is_required(call: &Call<'_>) -> bool {
    !is_false(call.get("required")) && !is_true(call.get("optional"))
}

/// The file system on a block device; `None` for what is no block device.
fn filesystem(source: &Path) -> Result<Option<String>> {
    if !std::fs::metadata(source).is_ok_and(|found| found.file_type().is_block_device()) {
        return Ok(None);
    }
    let blkid = Command::new("blkid", "util-linux").args(["-s", "TYPE", "-o", "value"]).arg(source);
    let refused =
        |reason: &str| Error::invalid(format!("Failed to find out the file system on {}: {reason}", source.display()));
    let said = blkid.run().map_err(|error| refused(&error.to_string()))?;
    match String::from_utf8_lossy(&said).trim() {
        "" => Err(refused("there is none")),
        name => Ok(Some(name.to_string())),
    }
}

/// The mount of `source` that the options ask for; of a block device it is the file system on it.
fn mount(call: &Call<'_>, source: &Path, idmapped: bool) -> Result<Mount> {
    let fstype = filesystem(source)?;
    let recursive = is_true(call.get("recursive"));
    let mut options = Vec::new();
    if fstype.is_none() {
        options.push(if recursive { "rbind" } else { "bind" }.to_string());
    }
    if is_true(call.get("readonly")) {
        options.push("ro".to_string());
    }
    if !call.get("propagation").is_empty() {
        options.push(call.get("propagation").to_string());
    }
    options.extend(call.get("raw.mount.options").split(',').filter(|option| !option.is_empty()).map(str::to_string));
    let locked = recursive || is_restricted(source, &options);
    let create = if source.is_dir() || fstype.is_some() { Create::Dir } else { Create::File };
    Ok(Mount {
        source: source.to_path_buf(),
        target: call.get("path").trim_start_matches('/').into(),
        fstype,
        options,
        locked,
        within: None,
        idmapped,
        optional: !is_required(call),
        create,
    })
}

/// Whether a mount has less than all rights, by its options or since its source has: the container is not to change that.
fn is_restricted(source: &Path, options: &[String]) -> bool {
    let restricting = ["ro", "nosuid", "nodev", "noexec"];
    let by_source = rustix::fs::statvfs(source).is_ok_and(|found| {
        use rustix::fs::StatVfsMountFlags as Flag;
        found.f_flag.intersects(Flag::RDONLY | Flag::NOSUID | Flag::NODEV | Flag::NOEXEC)
    });
    by_source || options.iter().any(|option| restricting.contains(&option.as_str()))
}

impl Device for Disk {
    fn validate(&self, call: &Call<'_>) -> Result<()> {
        let Meaning::Path(source) = meaning(call)? else { return Ok(()) };
        if is_required(call) && !source.exists() {
            let source = source.display();
            return Err(Error::invalid(format!(
                "Missing source path {:?} for disk {:?}",
                source.to_string(),
                call.name
            )));
        }
        Ok(())
    }

    fn check(&self, call: &Call<'_>) -> Result<()> {
        self.validate(call)?;
        let Meaning::Path(_) = meaning(call)? else { return Ok(()) };
        let folder = call.host.source_folder(call.instance, call.get("source"));
        let folder = folder.map_err(|error| error.context(format!("Disk {:?}", call.name)))?;
        // As in LXD, only the start minds: the key may be taken off again before.
        if folder.is_some() && is_true(call.get("shift")) {
            return Err(Error::invalid("The \"shift\" property cannot be used with a restricted source path"));
        }
        Ok(())
    }

    fn start(&self, call: &Call<'_>, undo: &mut Undo) -> Result<Attachment> {
        let mount = match meaning(call)? {
            Meaning::Root => return Ok(Attachment::default()),
            Meaning::Path(source) if !source.exists() && !is_required(call) => return Ok(Attachment::default()),
            Meaning::Path(source) => {
                let within = call.host.source_folder(call.instance, call.get("source"))?;
                let mount = mount(call, &source, is_true(call.get("shift")) && !call.instance.is_privileged())?;
                if within.is_some() && mount.fstype.is_some() {
                    return Err(Error::invalid("The project allows folders of the host only, no block devices"));
                }
                Mount { within, ..mount }
            }
            Meaning::Volume => {
                let volume = call.host.attach_volume(call.instance, call.get("pool"), call.get("source"), undo)?;
                mount(call, &volume.path, volume.idmapped)?
            }
        };
        Ok(Attachment { mounts: vec![mount], ..Attachment::default() })
    }

    fn stop(&self, call: &Call<'_>) -> Result<()> {
        match meaning(call)? {
            Meaning::Root | Meaning::Path(_) => Ok(()),
            Meaning::Volume => call.host.detach_volume(call.instance, call.get("pool"), call.get("source")),
        }
    }

    fn live_options(&self, options: &crate::instance::Config) -> &'static [&'static str] {
        let root = options.get("path").is_some_and(|path| path == "/");
        if root {
            &["size", "size.state", "limits.max", "limits.read", "limits.write"]
        } else {
            &["limits.max", "limits.read", "limits.write"]
        }
    }
}
