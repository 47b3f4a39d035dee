//! Keys of storage pools and volumes on overlay, the driver that LXD does not have.

use crate::table::keys;
use crate::value::byte_size::ByteSize;

keys! {
    /// Pools of this driver.
    OVERLAY_POOL {
        /// Size of the loop file, if the pool has one of its own.
        SIZE: ByteSize = "size";
    }
}
