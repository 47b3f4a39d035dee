//! Reading /sys: attributes that may be missing, and the devices that links lead to.

use std::fs;
use std::path::{Path, PathBuf};

/// The text of an attribute; `None` when it is missing or cannot be read, as happens with values that a device does
/// not have at the moment.
pub fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_string())
}

/// The same, empty when it is missing.
pub fn text_or_empty(path: impl AsRef<Path>) -> String {
    text(path).unwrap_or_default()
}

/// An attribute that holds a number.
pub fn number(path: impl AsRef<Path>) -> Option<u64> {
    text(path)?.parse().ok()
}

/// An attribute that holds a number where -1 means none.
pub fn number_if_set(path: impl AsRef<Path>) -> Option<u64> {
    text(path)?.parse::<i64>().ok()?.try_into().ok()
}

/// An identifier written as `0x1af4`, without its `0x`.
pub fn hex_id(path: impl AsRef<Path>) -> String {
    let text = text_or_empty(path);
    text.strip_prefix("0x").map(str::to_string).unwrap_or(text)
}

/// Names of the entries of a directory, sorted; none when it is missing.
pub fn names(path: impl AsRef<Path>) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// The last part of where a link leads: the name of a driver, a subsystem, a parent device.
pub fn link_name(path: impl AsRef<Path>) -> Option<String> {
    fs::canonicalize(path).ok()?.file_name()?.to_str().map(str::to_string)
}

/// The PCI address of a device, or of the one that a virtio device sits on.
pub fn pci_address(device: &Path) -> Option<String> {
    let mut device = fs::canonicalize(device).ok()?;
    if link_name(device.join("subsystem"))? == "virtio" {
        device.pop();
    }
    if link_name(device.join("subsystem"))? != "pci" {
        return None;
    }
    device.file_name()?.to_str().map(str::to_string)
}

/// The bus and device number of the USB device that `device` belongs to, as `1:4`.
pub fn usb_address(device: &Path) -> Option<String> {
    let mut device: PathBuf = fs::canonicalize(device).ok()?;
    if !device.to_str()?.contains("/usb") {
        return None;
    }
    loop {
        if let (Some(bus), Some(number)) = (number(device.join("busnum")), number(device.join("devnum"))) {
            return Some(format!("{bus}:{number}"));
        }
        if !device.pop() {
            return None;
        }
    }
}

/// The driver of a device and its version: that of its module, or else the kernel's.
pub fn driver(device: &Path) -> Option<(String, String)> {
    let path = device.join("driver");
    let name = link_name(&path)?;
    let version = text(path.join("module/version")).unwrap_or_else(crate::kernel_features::release);
    Some((name, version))
}

/// The memory node of a processor or device whose directory links to it as `node3`.
pub fn linked_node(path: &Path) -> u64 {
    let node = |name: &String| name.strip_prefix("node")?.parse().ok();
    names(path).iter().find_map(node).unwrap_or(0)
}
