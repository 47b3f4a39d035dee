//! Filling a volume from a backup: a part of an archive, whatever its format.

use std::path::Path;

use corten_archive::compression::Compression;
use corten_archive::squashfs;
use corten_archive::unpack::{self, Devices, Options};
use corten_archive::watch::Watch;
use corten_host::rooted::{Rooted, remove};

use super::copy_tree::copy_attributes_of;
use super::image::{TOP, check_files};
use super::names;
use crate::error::{Doing, Error, Result};
use crate::volume::{Kind, Volume};

/// What an instance's volume has beside what images bring.
const DESCRIPTION: &str = "backup.yaml";

/// Unpacks what `file` has at and below `below` into `to`, the directory of `volume`; owners and device nodes as they
/// are, since nobody but the container's own device rules lets anyone open these. Of an instance's volume nothing else
/// is unpacked at its top than what instances have: the driver may have names of its own there.
///
/// # Errors
/// When it has nothing there, something that the daemon would stumble over, or why it cannot be unpacked; part of it
/// may be there then.
pub fn unpack(file: &Path, below: &str, volume: &Volume, to: &Path, watch: &Watch) -> Result<()> {
    let of_instance = volume.kind != Kind::Custom;
    let known = |path: &Path| {
        path.iter().next().is_none_or(|first| first == DESCRIPTION || TOP.iter().any(|name| first == *name))
    };
    if Compression::of_file(file)? == Compression::Squashfs {
        unpack_squashfs(file, below, of_instance, to)?;
    } else {
        let root = Rooted::open(to).doing(|| format!("Failed to open \"{}\"", to.display()))?;
        let only = of_instance.then_some(&known as &(dyn Fn(&Path) -> bool + Sync));
        let options = Options { below, devices: Devices::All, only, ..Options::default() };
        if unpack::file(file, &root, &options, *watch)?.unpacked == 0 {
            return Err(missing(below));
        }
    }
    if !of_instance {
        return Ok(());
    }
    if !to.join("rootfs").symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(missing(&format!("{below}/rootfs")));
    }
    check_files(to)
}

fn missing(what: &str) -> Error {
    Error::invalid(format!("The backup has no directory \"{what}\""))
}

/// The program unpacks whole paths only: beside the volume's files, which then take their places by renames.
fn unpack_squashfs(file: &Path, below: &str, of_instance: bool, to: &Path) -> Result<()> {
    let beside = to.join(names::passing("unpack"));
    let tops = TOP.iter().chain([&DESCRIPTION]).map(|name| format!("{below}/{name}"));
    let wanted: Vec<String> = if of_instance { tops.collect() } else { vec![below.to_string()] };
    squashfs::unpack(file, &beside, &wanted.iter().map(String::as_str).collect::<Vec<_>>())?;
    let from = beside.join(below);
    let failed = || format!("Failed to move what was unpacked to \"{}\"", to.display());
    if !from.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(missing(below));
    }
    for entry in std::fs::read_dir(&from).doing(failed)? {
        let name = entry.doing(failed)?.file_name();
        std::fs::rename(from.join(&name), to.join(&name)).doing(failed)?;
    }
    copy_attributes_of(&from, to).doing(failed)?;
    remove::tree(&beside).doing(|| format!("Failed to remove '{}'", beside.display()))
}
