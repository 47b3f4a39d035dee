//! Keys of `gpu` devices of type `physical`.

use crate::table::keys;
use crate::value::hardware_id::{DeviceId, PciAddress};
use crate::value::mode::{FileMode, UnixId};
use crate::value::text::Text;

keys! {
    /// A whole card.
    GPU_PHYSICAL {
        /// Group inside.
        GID: UnixId = "gid" { default: "0" };
        /// DRM card id.
        ID: Text = "id";
        /// Octal mode inside.
        MODE: FileMode = "mode" { default: "0660", since: "container_nic_ipvlan_mode" };
        /// PCI address.
        PCI: PciAddress = "pci" { since: "pci_device_type" };
        /// USB/PCI product, 4 hex digits.
        PRODUCTID: DeviceId = "productid";
        /// Owner inside.
        UID: UnixId = "uid" { default: "0" };
        /// Vendor, 4 hex digits.
        VENDORID: DeviceId = "vendorid" { since: "usb_optional_vendorid" };
    }
}
