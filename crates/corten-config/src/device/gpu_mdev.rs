//! Keys of `gpu` devices of type `mdev`.

use crate::table::keys;
use crate::value::hardware_id::{DeviceId, PciAddress};
use crate::value::text::Text;

keys! {
    /// A mediated device of a card.
    GPU_MDEV {
        /// DRM card id.
        ID: Text = "id";
        /// Mediated device profile.
        MDEV: Text = "mdev" { required: true, since: "gpu_mdev" };
        /// PCI address.
        PCI: PciAddress = "pci" { since: "pci_device_type" };
        /// USB/PCI product, 4 hex digits.
        PRODUCTID: DeviceId = "productid";
        /// Vendor, 4 hex digits.
        VENDORID: DeviceId = "vendorid" { since: "usb_optional_vendorid" };
    }
}
