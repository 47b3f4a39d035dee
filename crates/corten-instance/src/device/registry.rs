//! Which code serves which type of device: one line each.

use corten_api::error::{Error, Result};

use super::Device;
use super::disk::Disk;
use super::nic::Nic;
use super::proxy::Proxy;
use super::unix::{NodeFile, None};
use crate::instance::Config;
use corten_runtime::spec::NodeKind;

/// The code for a device with these options.
///
/// # Errors
/// When the type is unknown or missing, or containers cannot have it here.
pub fn device(options: &Config) -> Result<&'static dyn Device> {
    match options.get("type").map_or("", String::as_str) {
        "disk" => Ok(&Disk),
        "nic" => Ok(&Nic),
        "none" => Ok(&None),
        "proxy" => Ok(&Proxy),
        "unix-char" => Ok(&NodeFile { kind: NodeKind::Char }),
        "unix-block" => Ok(&NodeFile { kind: NodeKind::Block }),
        kind @ ("gpu" | "infiniband" | "pci" | "tpm" | "unix-hotplug" | "usb") => {
            Err(Error::not_implemented(format!("Devices of type \"{kind}\" are not there yet")))
        }
        _ => Err(Error::invalid("Unsupported device type")),
    }
}
