//! Keys of storage pools and volumes on btrfs.

use crate::table::keys;
use crate::value::byte_size::ByteSize;
use crate::value::text::Text;

keys! {
    /// Pools of this driver.
    BTRFS_POOL {
        /// Mount options.
        BTRFS_MOUNT_OPTIONS: Text = "btrfs.mount_options" {
            default: "user_subvol_rm_allowed", since: "storage_btrfs_mount_options",
        };
        /// Size of the loop file.
        SIZE: ByteSize = "size" {
            default_text: "auto (20% of free disk space, >= 5 GiB and <= 30 GiB)",
            since: "storage_lvm_lv_resizing",
        };
    }
}
