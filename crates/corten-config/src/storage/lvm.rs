//! Keys of storage pools and volumes on LVM.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::byte_size::ByteSize;
use crate::value::choice::OneOf;
use crate::value::number::Unsigned;
use crate::value::text::Text;

keys! {
    /// Pools of this driver.
    LVM_POOL {
        /// Thin pool.
        LVM_THINPOOL_NAME: Text = "lvm.thinpool_name" { default: "LXDThinPool" };
        /// Its metadata size.
        LVM_THINPOOL_METADATA_SIZE: ByteSize = "lvm.thinpool_metadata_size" { default: "0" };
        /// Thin volumes.
        LVM_USE_THINPOOL: Bool = "lvm.use_thinpool" { default: "true" };
        /// Take a volume group with content.
        LVM_VG_FORCE_REUSE: Bool = "lvm.vg.force_reuse" { default: "false" };
        /// Volume group.
        LVM_VG_NAME: Text = "lvm.vg_name" { default_text: "name of the pool" };
        /// Size of the loop file.
        SIZE: ByteSize = "size" {
            default_text: "auto (20% of free disk space, >= 5 GiB and <= 30 GiB)",
            since: "storage_lvm_lv_resizing",
        };
    }
}

keys! {
    /// Volumes of this driver; with `volume.` before them they are defaults of the pool.
    LVM_VOLUME {
        /// Ext4, xfs or btrfs.
        BLOCK_FILESYSTEM: OneOf = "block.filesystem" of (OneOf(&["btrfs", "ext4", "xfs"])) {
            default_text: "= volume.block.filesystem", condition: "block based driver",
        };
        /// Mount options.
        BLOCK_MOUNT_OPTIONS: Text = "block.mount_options" {
            default_text: "= volume.block.mount_options", condition: "block based driver",
        };
        /// Stripes.
        LVM_STRIPES: Unsigned = "lvm.stripes" { default_text: "= volume.lvm.stripes", condition: "LVM driver" };
        /// Stripe size, ≥ 4096, multiple of 512.
        LVM_STRIPES_SIZE: ByteSize = "lvm.stripes.size" {
            default_text: "= volume.lvm.stripes.size", condition: "LVM driver",
        };
    }
}
