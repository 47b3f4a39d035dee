//! Keys of `tpm` devices.

use crate::table::keys;
use crate::value::text::Text;

keys! {
    /// An emulated TPM.
    TPM {
        /// Path of the TPM node inside.
        PATH: Text = "path" { since: "unix_device_rename" };
        /// Path of the resource manager node.
        PATHRM: Text = "pathrm";
    }
}
