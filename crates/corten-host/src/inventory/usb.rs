//! Devices on USB buses.

use std::path::Path;

use super::sysfs::{driver, names, number, text, text_or_empty};

/// One device; hubs of the host itself are left out.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct UsbDevice {
    pub bus_address: u64,
    pub device_address: u64,
    pub interfaces: Vec<Interface>,
    pub vendor: String,
    pub vendor_id: String,
    pub product: String,
    pub product_id: String,
    /// Mbit/s.
    pub speed: f64,
}

/// One function of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct Interface {
    pub class_id: u64,
    pub driver: String,
    pub driver_version: String,
    pub number: u64,
    pub subclass_id: u64,
}

/// The devices of this host.
pub fn read() -> Vec<UsbDevice> {
    of(Path::new("/sys/bus/usb/devices"))
}

/// The devices below `dir` (/sys/bus/usb/devices): `1-1` is a device, `1-1:1.0` one of its interfaces.
pub fn of(dir: &Path) -> Vec<UsbDevice> {
    let device = |name: &String| {
        let path = dir.join(name);
        // Interfaces have no number on the bus; class 9 is that of hubs.
        if name.contains(':') || text(path.join("bDeviceClass"))? == "09" {
            return None;
        }
        Some(UsbDevice {
            bus_address: number(path.join("busnum"))?,
            device_address: number(path.join("devnum"))?,
            interfaces: interfaces(&path, name),
            vendor: text_or_empty(path.join("manufacturer")),
            vendor_id: text_or_empty(path.join("idVendor")),
            product: text_or_empty(path.join("product")),
            product_id: text_or_empty(path.join("idProduct")),
            speed: text(path.join("speed")).and_then(|speed| speed.parse().ok()).unwrap_or(0.0),
        })
    };
    names(dir).iter().filter_map(device).collect()
}

fn interfaces(device: &Path, name: &str) -> Vec<Interface> {
    let hex = |path: std::path::PathBuf| text(path).and_then(|text| u64::from_str_radix(&text, 16).ok());
    let interface = |entry: String| {
        let path = device.join(entry.strip_prefix(name).filter(|rest| rest.starts_with(':')).map(|_| &entry)?);
        let (driver, driver_version) = driver(&path).unwrap_or_default();
        Some(Interface {
            class_id: hex(path.join("bInterfaceClass"))?,
            driver,
            driver_version,
            number: hex(path.join("bInterfaceNumber"))?,
            subclass_id: hex(path.join("bInterfaceSubClass"))?,
        })
    };
    names(device).into_iter().filter_map(interface).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn devices_have_interfaces_and_hubs_are_left_out() {
        let dir = std::env::temp_dir().join(format!("corten-usb-{}", std::process::id()));
        for (path, content) in [
            ("usb1/bDeviceClass", "09"),
            ("1-1/bDeviceClass", "00"),
            ("1-1/busnum", "1"),
            ("1-1/devnum", "4"),
            ("1-1/speed", "1.5"),
            ("1-1/idVendor", "0403"),
            ("1-1/1-1:1.0/bInterfaceClass", "ff"),
            ("1-1/1-1:1.0/bInterfaceNumber", "00"),
            ("1-1/1-1:1.0/bInterfaceSubClass", "0a"),
        ] {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().expect("has one")).expect("temporary directory");
            fs::write(path, content).expect("writable");
        }
        let devices = of(&dir);
        fs::remove_dir_all(&dir).expect("removable");
        assert_eq!(devices.len(), 1);
        assert_eq!((devices[0].device_address, devices[0].speed, devices[0].vendor_id.as_str()), (4, 1.5, "0403"));
        let interface = Interface { class_id: 255, subclass_id: 10, ..Interface::default() };
        assert_eq!(devices[0].interfaces, [interface]);
    }
}
