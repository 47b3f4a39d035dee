//! The `dir` driver: plain directories on whatever filesystem the source is on, as LXD lays them out.

pub mod quota;

use corten_archive::watch::Watch;
use corten_host::undo::Undo;

use crate::driver::{Driver, Info, Root};
use crate::error::Result;
use crate::fill::Fill;
use crate::generic::backup::{self, Source};
use crate::generic::build::owned_as_now;
use crate::generic::copy_tree::{copy_tree, copy_tree_like};
use crate::generic::{build, content, image};
use crate::mounts;
use crate::pool::Pool;
use crate::volume::{Kind, Volume};

/// The driver.
pub struct Dir;

static INFO: Info = Info {
    name: "dir",
    version: || Some("1".to_string()),
    remote: false,
    optimized_images: false,
    freezes: true,
    kinds: &Kind::ALL,
};

impl Driver for Dir {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn create(&self, pool: &Pool, volume: &Volume, fill: &Fill, watch: &Watch) -> Result<Undo> {
        build::volume(pool, volume, |path| {
            if !volume.is_snapshot() {
                quota::prepare(path, volume)?;
            }
            match fill {
                Fill::Empty => content::empty(volume, path),
                Fill::Image { files, .. } => image::unpack(files, path, watch),
                Fill::Copy { pool, source, like, .. } => content::copy(pool, source, path, *like, watch),
                Fill::Backup { file, below, shifted, .. } => {
                    backup::unpack(&Source { file, below, shifted: *shifted }, volume, path, watch)
                }
                Fill::Tree(tree) => copy_tree(tree, path, watch),
            }
        })
    }

    fn delete(&self, pool: &Pool, volume: &Volume) -> Result<()> {
        mounts::unmount_all(&pool.path(volume))?;
        build::take_away(pool, volume)?;
        if volume.is_snapshot() { Ok(()) } else { quota::forget(pool.directory(), volume) }
    }

    fn snapshot(&self, pool: &Pool, volume: &Volume, snapshot: &Volume, watch: &Watch) -> Result<Undo> {
        let from = pool.path(volume);
        build::volume(pool, snapshot, |path| copy_tree(&from, path, watch))
    }

    fn restore(&self, pool: &Pool, volume: &Volume, snapshot: &Volume, watch: &Watch) -> Result<()> {
        let from = pool.path(snapshot);
        build::replacement(pool, &owned_as_now(pool, volume)?, |path| {
            quota::prepare(path, volume)?;
            copy_tree_like(&from, path, Some(&pool.path(volume)), watch)
        })
    }

    fn mount(&self, pool: &Pool, volume: &Volume) -> Result<()> {
        if !volume.is_snapshot() {
            return Ok(());
        }
        let path = pool.path(volume);
        if !mounts::is_mount_point(&path)? {
            mounts::bind_read_only(&path, &path)?;
        }
        Ok(())
    }

    fn unmount(&self, pool: &Pool, volume: &Volume) -> Result<()> {
        if volume.is_snapshot() { mounts::unmount_all(&pool.path(volume)) } else { Ok(()) }
    }

    fn root(&self, pool: &Pool, volume: &Volume) -> Result<Root> {
        Ok(Root::Tree(pool.path(volume).join("rootfs")))
    }

    fn counts_usage(&self, pool: &Pool) -> bool {
        corten_host::quota::is_supported(pool.directory())
    }

    fn usage(&self, pool: &Pool, volume: &Volume) -> Result<Option<u64>> {
        if volume.is_snapshot() { Ok(None) } else { quota::usage(&pool.path(volume), volume) }
    }

    fn set_quota(&self, pool: &Pool, volume: &Volume, size: Option<u64>) -> Result<()> {
        quota::set(&pool.path(volume), volume, size)
    }
}
