//! Keys of storage pools and volumes on ZFS.

use crate::table::keys;
use crate::value::block_size::BlockSize;
use crate::value::boolean::Bool;
use crate::value::byte_size::ByteSize;
use crate::value::choice::WordOr;
use crate::value::text::Text;

keys! {
    /// Pools of this driver.
    ZFS_POOL {
        /// Size of the loop file.
        SIZE: ByteSize = "size" {
            default_text: "auto (20% of free disk space, >= 5 GiB and <= 30 GiB)",
            since: "storage_lvm_lv_resizing",
        };
        /// Copies are clones; `rebase`: from the image.
        ZFS_CLONE_COPY: WordOr<Bool> = "zfs.clone_copy" of (WordOr(&["rebase"], Bool)) {
            default: "true", since: "storage_zfs_clone_copy_rebase",
        };
        /// Export the zpool when unmounted.
        ZFS_EXPORT: Bool = "zfs.export" { default: "true", since: "storage_zfs_export" };
        /// Zpool or dataset.
        ZFS_POOL_NAME: Text = "zfs.pool_name" { default_text: "name of the pool" };
    }
}

keys! {
    /// Volumes of this driver; with `volume.` before them they are defaults of the pool.
    ZFS_VOLUME {
        /// Record size, 512 to 16 MiB, power of 2.
        ZFS_BLOCKSIZE: BlockSize = "zfs.blocksize" {
            default_text: "= volume.zfs.blocksize", condition: "ZFS driver", since: "storage_zfs_blocksize",
        };
        /// Restore may remove newer snapshots.
        ZFS_REMOVE_SNAPSHOTS: Bool = "zfs.remove_snapshots" {
            default_text: "= volume.zfs.remove_snapshots or false", condition: "ZFS driver",
        };
        /// Quota without snapshots.
        ZFS_USE_REFQUOTA: Bool = "zfs.use_refquota" {
            default_text: "= volume.zfs.use_refquota or false", condition: "ZFS driver",
        };
        /// Reserve as well.
        ZFS_RESERVE_SPACE: Bool = "zfs.reserve_space" {
            default_text: "= volume.zfs.reserve_space or false", condition: "ZFS driver",
        };
    }
}
