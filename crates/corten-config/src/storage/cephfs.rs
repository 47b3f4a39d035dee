//! Keys of storage pools and volumes on CephFS.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::text::Text;

keys! {
    /// Pools of this driver.
    CEPHFS_POOL {
        /// Ceph cluster.
        CEPHFS_CLUSTER_NAME: Text = "cephfs.cluster_name" { default: "ceph" };
        /// Kernel fscache.
        CEPHFS_FSCACHE: Bool = "cephfs.fscache" { default: "false", since: "storage_cephfs_fscache" };
        /// Base path.
        CEPHFS_PATH: Text = "cephfs.path" { default: "/" };
        /// Ceph user.
        CEPHFS_USER_NAME: Text = "cephfs.user.name" { default: "admin" };
        /// Was empty when made.
        VOLATILE_POOL_PRISTINE: Text = "volatile.pool.pristine" { default: "true" };
    }
}
