//! Keys of `gpu` devices of type `sriov`.

use crate::table::keys;
use crate::value::hardware_id::{DeviceId, PciAddress};
use crate::value::text::Text;

keys! {
    /// A virtual function of a card.
    GPU_SRIOV {
        /// DRM card id.
        ID: Text = "id";
        /// PCI address.
        PCI: PciAddress = "pci" { since: "pci_device_type" };
        /// USB/PCI product, 4 hex digits.
        PRODUCTID: DeviceId = "productid";
        /// Vendor, 4 hex digits.
        VENDORID: DeviceId = "vendorid" { since: "usb_optional_vendorid" };
    }
}
