//! The `overlay` driver: read-only layers shared by containers, a writable one for each. See DESIGN.md, "Storage".
//!
//! On disk, beside what every pool has:
//! - `images/FINGERPRINT/`: an image, its root unpacked or a squashfs that is mounted as it is;
//! - `layers/ID/{upper,work}`: a layer; writable while it is on top of a container, never changed once below another;
//! - the link `layers` in the directory of each container and snapshot: which layers it is made of, topmost first.
//!
//! Every change makes new layers first and then replaces one such link or renames one directory; a layer that no link
//! names is garbage, and goes when the daemon starts next at the latest.

pub mod image;
pub mod layers;
pub mod snapshot;
pub mod stack;
pub mod upper;
pub mod view;

use std::path::Path;

use corten_archive::watch::Watch;
use corten_host::undo::Undo;

use crate::dir::Dir;
use crate::driver::{Driver, Info, Root};
use crate::error::{Doing, Error, Result};
use crate::fill::{Fill, ImageFiles};
use crate::generic::backup::{self, Source};
use crate::generic::copy_tree::copy_tree;
use crate::generic::{build, content};
use crate::mounts;
use crate::pool::Pool;
use crate::volume::{Content, Kind, Volume};
use layers::Layer;

/// The driver.
pub struct Overlay;

static INFO: Info = Info {
    name: "overlay",
    version: || view::is_supported().then(|| "1".to_string()),
    remote: false,
    optimized_images: true,
    freezes: true,
    kinds: &Kind::ALL,
};

/// Only the roots of containers are layered; other volumes are plain directories.
fn is_layered(volume: &Volume) -> bool {
    volume.kind == Kind::Container && volume.content == Content::Filesystem
}

impl Driver for Overlay {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn probe(&self, pool: &Pool) -> Result<()> {
        layers::make_directory(pool)?;
        view::probe(pool)
    }

    fn create(&self, pool: &Pool, volume: &Volume, fill: &Fill, watch: &Watch) -> Result<Undo> {
        if !is_layered(volume) {
            return Dir.create(pool, volume, fill, watch);
        }
        match fill {
            Fill::Image { fingerprint, files } => {
                image::ensure(pool, fingerprint, files, watch)?;
                let _held = pool.hold_layers();
                let files_of = image::path(pool, fingerprint);
                stack::new_on(pool, volume, vec![Layer::Image((*fingerprint).to_string())], Some(&files_of))
            }
            Fill::Copy { pool: from, source, .. } if from.directory() == pool.directory() && is_layered(source) => {
                snapshot::copy(pool, volume, source, watch)
            }
            Fill::Empty => stack::from_tree(pool, volume, |path| content::empty(volume, path)),
            Fill::Copy { pool: from, source, .. } => {
                stack::from_tree(pool, volume, |path| content::copy(from, source, path, None, watch))
            }
            Fill::Backup { file, below, shifted, .. } => stack::from_tree(pool, volume, |path| {
                backup::unpack(&Source { file, below, shifted: *shifted }, volume, path, watch)
            }),
            Fill::Tree(tree) => stack::from_tree(pool, volume, |path| copy_tree(tree, path, watch)),
        }
    }

    fn delete(&self, pool: &Pool, volume: &Volume) -> Result<()> {
        if !is_layered(volume) {
            return Dir.delete(pool, volume);
        }
        let path = pool.path(volume);
        mounts::unmount_all(&path.join("rootfs"))?;
        if !path.is_dir() {
            return Ok(());
        }
        // A damaged list must not keep a volume from being deleted: what it named goes when the daemon starts next.
        let layers = layers::read(&path).unwrap_or_default();
        build::take_away(pool, volume)?;
        if volume.is_snapshot() {
            return layers::drop_unused(pool, None, &layers);
        }
        crate::dir::quota::forget(pool.directory(), volume)?;
        match layers.split_first() {
            Some((own, below)) => layers::drop_unused(pool, Some(own), below),
            None => Ok(()),
        }
    }

    fn snapshot(&self, pool: &Pool, volume: &Volume, snapshot: &Volume, watch: &Watch) -> Result<Undo> {
        if is_layered(volume) {
            snapshot::take(pool, volume, snapshot, watch)
        } else {
            Dir.snapshot(pool, volume, snapshot, watch)
        }
    }

    fn restore(&self, pool: &Pool, volume: &Volume, snapshot: &Volume, watch: &Watch) -> Result<()> {
        if is_layered(volume) {
            snapshot::restore(pool, volume, snapshot)
        } else {
            Dir.restore(pool, volume, snapshot, watch)
        }
    }

    fn mount(&self, pool: &Pool, volume: &Volume) -> Result<()> {
        if !is_layered(volume) {
            return Dir.mount(pool, volume);
        }
        if self.hides_running(volume) && pool.is_running(volume) {
            return Err(Error::busy(format!(
                "Storage volume \"{}\" is the root of a running instance and can only be reached through it",
                volume.name
            )));
        }
        view::mount(pool, volume)
    }

    fn unmount(&self, pool: &Pool, volume: &Volume) -> Result<()> {
        if !is_layered(volume) {
            return Dir.unmount(pool, volume);
        }
        view::unmount(pool, volume)
    }

    fn root(&self, pool: &Pool, volume: &Volume) -> Result<Root> {
        if !is_layered(volume) {
            return Dir.root(pool, volume);
        }
        let path = pool.path(volume);
        if pool.contents().users(&path) > 0 {
            return Err(Error::busy(format!("Storage volume \"{}\" is in use", volume.name)));
        }
        if !pool.is_running(volume) {
            // A daemon that was killed may have left its view; two overlays on one writable layer must not be.
            view::unmount(pool, volume)?;
        }
        stack::root(pool, &layers::read(&path)?)
    }

    fn hides_running(&self, volume: &Volume) -> bool {
        is_layered(volume) && !volume.is_snapshot()
    }

    fn private_names(&self) -> &'static [&'static str] {
        &[layers::LAYERS]
    }

    fn has_image(&self, pool: &Pool, fingerprint: &str) -> bool {
        image::is_ready(pool, fingerprint)
    }

    fn ensure_image(&self, pool: &Pool, fingerprint: &str, files: &ImageFiles, watch: &Watch) -> Result<()> {
        image::ensure(pool, fingerprint, files, watch)
    }

    fn delete_image(&self, pool: &Pool, fingerprint: &str) -> Result<()> {
        image::delete(pool, fingerprint)
    }

    fn counts_usage(&self, pool: &Pool) -> bool {
        Dir.counts_usage(pool)
    }

    fn usage(&self, pool: &Pool, volume: &Volume) -> Result<Option<u64>> {
        match quota_directory(pool, volume)? {
            Some(path) => crate::dir::quota::usage(&path, volume),
            None => Dir.usage(pool, volume),
        }
    }

    fn set_quota(&self, pool: &Pool, volume: &Volume, size: Option<u64>) -> Result<()> {
        match quota_directory(pool, volume)? {
            Some(path) => crate::dir::quota::set(&path, volume, size),
            None => Dir.set_quota(pool, volume, size),
        }
    }

    fn unmount_leftover(&self, path: &Path) -> Result<()> {
        // The view of a volume that was being filled.
        mounts::unmount_all(&path.join("rootfs"))?;
        image::unmount_in(path)
    }

    fn sweep(&self, pool: &Pool) -> Result<()> {
        layers::make_directory(pool)?;
        layers::sweep(pool)
    }

    fn release(&self, pool: &Pool) -> Result<()> {
        for kind in ["containers", "containers-snapshots"] {
            unmount_roots(&pool.directory().join(kind), kind.ends_with("snapshots"))?;
        }
        image::unmount_all(pool)
    }
}

/// What of a layered volume is limited: its writable layer.
fn quota_directory(pool: &Pool, volume: &Volume) -> Result<Option<std::path::PathBuf>> {
    if !is_layered(volume) || volume.is_snapshot() {
        return Ok(None);
    }
    let layers = layers::read(&pool.path(volume))?;
    Ok(layers.first().map(|top| top.directory(pool)))
}

/// Unmounts the view of every volume in a directory, or of every snapshot in the directories below.
fn unmount_roots(directory: &Path, below: bool) -> Result<()> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.doing(|| format!("Failed to read \"{}\"", directory.display()))?,
    };
    for entry in entries {
        let path = entry.doing(|| format!("Failed to read \"{}\"", directory.display()))?.path();
        if below {
            unmount_roots(&path, false)?;
        } else {
            mounts::unmount_all(&path.join("rootfs"))?;
        }
    }
    Ok(())
}
