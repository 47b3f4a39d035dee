//! Keys of `pci` devices.

use crate::table::keys;
use crate::value::hardware_id::PciAddress;

keys! {
    /// A PCI device, handed over.
    PCI {
        /// PCI address.
        ADDRESS: PciAddress = "address" { required: true };
    }
}
