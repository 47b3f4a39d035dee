//! Keys of all storage pools.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::byte_size::ByteSize;
use crate::value::text::Text;

keys! {
    /// What every driver's pools have.
    POOL {
        /// Where the pool is: a folder, device, dataset or pool.
        SOURCE: Text = "source" { since: "unix_device_rename" };
        /// What `source` was when the pool was made.
        VOLATILE_INITIAL_SOURCE: Text = "volatile.initial_source";
        /// Rate limit of rsync transfers.
        RSYNC_BWLIMIT: ByteSize = "rsync.bwlimit" { default: "0", since: "storage_rsync_bwlimit" };
        /// Whether rsync compresses in migration.
        RSYNC_COMPRESSION: Bool = "rsync.compression" { default: "true", since: "storage_rsync_compression" };
    }
}
