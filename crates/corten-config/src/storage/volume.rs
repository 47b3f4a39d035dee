//! Keys of all volumes.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::byte_size::ByteSize;
use crate::value::expiry::Expiry;
use crate::value::number::Integer;
use crate::value::schedule::Schedule;
use crate::value::text::Text;

keys! {
    /// What every driver's volumes have; with `volume.` before them they are defaults of the pool.
    VOLUME {
        /// Ids translated at attach, so that isolated instances share it.
        SECURITY_SHIFTED: Bool = "security.shifted" {
            default_text: "= volume.security.shifted or false",
            condition: "custom volume",
            since: "storage_shifted",
        };
        /// No id mapping.
        SECURITY_UNMAPPED: Bool = "security.unmapped" {
            default_text: "= volume.security.unmapped or false",
            condition: "custom volume",
            since: "storage_unmapped",
        };
        /// Size or quota.
        SIZE: ByteSize = "size" {
            default_text: "= volume.size", condition: "appropriate driver", since: "storage_lvm_lv_resizing",
        };
        /// Life: `30S 1M 2H 3d 4w 5m 6y` (seconds, minutes, hours, days, weeks, months, years).
        SNAPSHOTS_EXPIRY: Expiry = "snapshots.expiry" {
            default_text: "= volume.snapshots.expiry", condition: "custom volume", since: "snapshot_expiry",
        };
        /// Name: pongo2 text with `creation_date`, or `%d` counter.
        SNAPSHOTS_PATTERN: Text = "snapshots.pattern" {
            default_text: "= volume.snapshots.pattern or snap%d",
            condition: "custom volume",
            since: "snapshot_scheduling",
        };
        /// Cron line or aliases (comma list); empty never.
        SNAPSHOTS_SCHEDULE: Schedule = "snapshots.schedule" of (Schedule { events: false }) {
            default_text: "= volume.snapshots.schedule",
            condition: "custom volume",
            since: "snapshot_scheduling",
        };
    }
}

keys! {
    /// What the server itself keeps of a volume.
    VOLUME_STATE {
        /// Map that the files are on disk with, JSON.
        VOLATILE_IDMAP_LAST: Text = "volatile.idmap.last";
        /// Map to give the files at the next use, JSON.
        VOLATILE_IDMAP_NEXT: Text = "volatile.idmap.next";
        /// Bytes of an image's root.
        VOLATILE_ROOTFS_SIZE: Integer = "volatile.rootfs.size";
    }
}
