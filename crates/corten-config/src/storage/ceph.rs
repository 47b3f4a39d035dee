//! Keys of storage pools and volumes on Ceph.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::choice::OneOf;
use crate::value::text::Text;

keys! {
    /// Pools of this driver.
    CEPH_POOL {
        /// Ceph cluster.
        CEPH_CLUSTER_NAME: Text = "ceph.cluster_name" { default: "ceph" };
        /// Data pool (erasure coded).
        CEPH_OSD_DATA_POOL_NAME: Text = "ceph.osd.data_pool_name" { since: "ceph_data_pool_name" };
        /// Placement groups.
        CEPH_OSD_PG_NUM: Text = "ceph.osd.pg_num" { default: "32" };
        /// OSD pool.
        CEPH_OSD_POOL_NAME: Text = "ceph.osd.pool_name" { default_text: "name of the pool" };
        /// Copies are clones.
        CEPH_RBD_CLONE_COPY: Bool = "ceph.rbd.clone_copy" { default: "true" };
        /// Ask `rbd du` for usage (slow).
        CEPH_RBD_DU: Bool = "ceph.rbd.du" { default: "true", since: "ceph_rbd_du" };
        /// RBD features.
        CEPH_RBD_FEATURES: Text = "ceph.rbd.features" { default: "layering", since: "storage_ceph_features" };
        /// Ceph user.
        CEPH_USER_NAME: Text = "ceph.user.name" { default: "admin" };
        /// Was empty when made.
        VOLATILE_POOL_PRISTINE: Text = "volatile.pool.pristine" { default: "true" };
        /// Old: take an OSD pool that is in use.
        CEPH_OSD_FORCE_REUSE: Bool = "ceph.osd.force_reuse" { since: "storage_ceph_force_osd_reuse" };
    }
}

keys! {
    /// Volumes of this driver; with `volume.` before them they are defaults of the pool.
    CEPH_VOLUME {
        /// Ext4, xfs or btrfs.
        BLOCK_FILESYSTEM: OneOf = "block.filesystem" of (OneOf(&["btrfs", "ext4", "xfs"])) {
            default_text: "= volume.block.filesystem", condition: "block based driver",
        };
        /// Mount options.
        BLOCK_MOUNT_OPTIONS: Text = "block.mount_options" {
            default_text: "= volume.block.mount_options", condition: "block based driver",
        };
    }
}
