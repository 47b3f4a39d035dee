//! Keys of `gpu` devices of type `mig`.

use crate::table::keys;
use crate::value::hardware_id::{DeviceId, PciAddress};
use crate::value::number::Byte;
use crate::value::text::{MigUuid, Text};

keys! {
    /// A part of an NVIDIA card.
    GPU_MIG {
        /// DRM card id.
        ID: Text = "id";
        /// Compute instance id.
        MIG_CI: Byte = "mig.ci" { since: "gpu_mig_uuid" };
        /// GPU instance id.
        MIG_GI: Byte = "mig.gi" { since: "gpu_mig_uuid" };
        /// MIG UUID.
        MIG_UUID: MigUuid = "mig.uuid";
        /// PCI address.
        PCI: PciAddress = "pci" { since: "pci_device_type" };
        /// USB/PCI product, 4 hex digits.
        PRODUCTID: DeviceId = "productid";
        /// Vendor, 4 hex digits.
        VENDORID: DeviceId = "vendorid" { since: "usb_optional_vendorid" };
    }
}
