//! Filling a volume from a backup: a part of an archive, whatever its format.

use std::path::Path;

use corten_archive::unpack::{self, Devices, Options};
use corten_archive::watch::Watch;
use corten_host::idmap::IdMap;
use corten_host::rooted::Rooted;
use corten_host::xattr::IdShift;

use super::image::{TOP, check_files};
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
    let root = Rooted::open(to).doing(|| format!("Failed to open \"{}\"", to.display()))?;
    let only = of_instance.then_some(&known as &(dyn Fn(&Path) -> bool + Sync));
    let shift = back.as_ref().map(|back| back as &dyn IdShift);
    let options = Options { below, shift, devices: Devices::All, only, ..Options::default() };
    if unpack::file(file, &root, &options, *watch)?.unpacked == 0 {
        return Err(missing(below));
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
