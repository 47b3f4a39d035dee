//! Keys of `disk` devices.

use crate::key::Live;
use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::byte_size::ByteSize;
use crate::value::choice::Propagation;
use crate::value::number::Unsigned;
use crate::value::rate::DiskRate;
use crate::value::text::Text;

keys! {
    /// A host path, volume or root disk.
    DISK {
        /// VM boot order, higher first.
        BOOT_PRIORITY: Unsigned = "boot.priority" { since: "vm_boot_priority" };
        /// Ceph cluster.
        CEPH_CLUSTER_NAME: Text = "ceph.cluster_name" { default: "ceph" };
        /// Ceph user.
        CEPH_USER_NAME: Text = "ceph.user_name" { default: "admin" };
        /// Cap for both directions.
        LIMITS_MAX: DiskRate = "limits.max" { live: Live::Yes, since: "container_nic_routed_limits" };
        /// Read cap: bytes/s or `Niops`.
        LIMITS_READ: DiskRate = "limits.read" { live: Live::Yes };
        /// Write cap: bytes/s or `Niops`.
        LIMITS_WRITE: DiskRate = "limits.write" { live: Live::Yes };
        /// Mount point inside (containers); `/` is the root disk.
        PATH: Text = "path" { since: "unix_device_rename" };
        /// Pool of the volume named in source.
        POOL: Text = "pool" { since: "instance_pool_move" };
        /// Mount propagation: private, shared, slave, unbindable and their r forms.
        PROPAGATION: Propagation = "propagation" { since: "container_mount_propagation" };
        /// File system options.
        RAW_MOUNT_OPTIONS: Text = "raw.mount.options";
        /// Read-only.
        READONLY: Bool = "readonly" { default: "false" };
        /// Take mounts below the source too.
        RECURSIVE: Bool = "recursive" { default: "false" };
        /// Refuse to start without it.
        REQUIRED: Bool = "required" { default: "true", since: "unix_device_hotplug" };
        /// Translate ids to the instance (idmapped mount or shiftfs).
        SHIFT: Bool = "shift" { default: "false", since: "container_disk_shift" };
        /// Quota of the root disk.
        SIZE: ByteSize = "size" { live: Live::Yes, since: "storage_lvm_lv_resizing" };
        /// Size of the VM state volume.
        SIZE_STATE: ByteSize = "size.state" { live: Live::Yes, since: "disk_state_quota" };
        /// Host path, volume name, `ceph:`/`cephfs:` spec, or `cloud-init:config` (VM).
        SOURCE: Text = "source" { since: "unix_device_rename" };
        /// Old and inverse name of `required`.
        OPTIONAL: Bool = "optional";
    }
}
