//! Filling a volume from a backup: a part of an archive, whatever its format.

use std::path::Path;

use corten_archive::compression::Compression;
use corten_archive::squashfs;
use corten_archive::unpack::{self, Devices, Options};
use corten_archive::watch::Watch;
use corten_host::idmap::IdMap;
use corten_host::rooted::{Rooted, remove};
use corten_host::xattr::IdShift;

use super::copy_tree::copy_attributes_of;
use super::image::{TOP, check_files};
use super::names;
use crate::error::{Doing, Error, Result};
use crate::volume::{Kind, Volume};

/// What an instance's volume has beside what images bring.
const DESCRIPTION: &str = "backup.yaml";

/// A part of a backup.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The backup.
    pub file: &'a Path,
    /// The path in it.
    pub below: &'a str,
    /// The map that its files' ids are shifted by.
    pub shifted: Option<&'a IdMap>,
}

/// Gives files the container's own ids; those that the map does not know were never the container's, and stay.
struct Back(IdMap);

impl IdShift for Back {
    fn uid(&self, uid: u32) -> Option<u32> {
        Some(self.0.uid(uid).unwrap_or(uid))
    }

    fn gid(&self, gid: u32) -> Option<u32> {
        Some(self.0.gid(gid).unwrap_or(gid))
    }
}

/// Unpacks a part of a backup into `to`, the directory of `volume`, with the container's own ids; device nodes as they
/// are, since nobody but the container's own device rules lets anyone open these. Of an instance's volume nothing else
/// is unpacked at its top than what instances have: the driver may have names of its own there.
///
/// # Errors
/// When it has nothing there, something that the daemon would stumble over, or why it cannot be unpacked; part of it
/// may be there then.
pub fn unpack(source: &Source<'_>, volume: &Volume, to: &Path, watch: &Watch) -> Result<()> {
    let Source { file, below, shifted } = *source;
    let back = shifted.map(|map| Back(map.reversed()));
    let of_instance = volume.kind != Kind::Custom;
    let known = |path: &Path| {
        path.iter().next().is_none_or(|first| first == DESCRIPTION || TOP.iter().any(|name| first == *name))
    };
    if Compression::of_file(file)? == Compression::Squashfs {
        unpack_squashfs(file, below, of_instance, to)?;
        if let Some(back) = &back {
            corten_host::idmap::shift::tree(&to.join("rootfs"), back)?;
        }
    } else {
        let root = Rooted::open(to).doing(|| format!("Failed to open \"{}\"", to.display()))?;
        let only = of_instance.then_some(&known as &(dyn Fn(&Path) -> bool + Sync));
        let shift = back.as_ref().map(|back| back as &dyn IdShift);
        let options = Options { below, shift, devices: Devices::All, only, ..Options::default() };
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
