//! `none` devices, which hide one of a profile and have no keys.

use crate::table::keys;

keys! {
    /// Hides an inherited device.
    NONE {}
}
