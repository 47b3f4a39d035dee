//! The machine itself, as its firmware names it, and the operating system on it.

use std::collections::BTreeMap;
use std::path::Path;

use super::sysfs::{number, text, text_or_empty};
use crate::file;

/// What the firmware says of the machine; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct System {
    pub uuid: String,
    pub vendor: String,
    pub product: String,
    pub family: String,
    pub version: String,
    pub sku: String,
    pub serial: String,
    /// `physical`, `virtual-machine`, `container` or `unknown`.
    pub kind: String,
    /// The rest; `None` on a machine whose firmware has no such tables.
    pub parts: Option<Parts>,
}

/// Vendor, name or date, version and serial number of what a machine is built of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct Parts {
    pub firmware_vendor: String,
    pub firmware_date: String,
    pub firmware_version: String,
    pub chassis_vendor: String,
    pub chassis_type: String,
    pub chassis_serial: String,
    pub chassis_version: String,
    pub motherboard_vendor: String,
    pub motherboard_product: String,
    pub motherboard_serial: String,
    pub motherboard_version: String,
}

/// Names of chassis by the number that SMBIOS (DMTF DSP0134, 7.4.1) gives them, from 1.
const CHASSIS: [&str; 36] = [
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All in One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "SubChassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system chassis",
    "Compact PCI",
    "Advanced TCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

/// This machine.
pub fn read() -> System {
    let mut system = of(Path::new("/sys/class/dmi/id"));
    system.kind = kind(Path::new("/")).to_string();
    system
}

/// The machine whose firmware tables are shown in `dir` (/sys/class/dmi/id).
pub fn of(dir: &Path) -> System {
    let get = |name: &str| text_or_empty(dir.join(name));
    let chassis = number(dir.join("chassis_type")).and_then(|kind| usize::try_from(kind).ok());
    let chassis = chassis.and_then(|kind| CHASSIS.get(kind.checked_sub(1)?)).copied().unwrap_or_default();
    let parts = || Parts {
        firmware_vendor: get("bios_vendor"),
        firmware_date: get("bios_date"),
        firmware_version: get("bios_version"),
        chassis_vendor: get("chassis_vendor"),
        chassis_type: chassis.to_string(),
        chassis_serial: get("chassis_serial"),
        chassis_version: get("chassis_version"),
        motherboard_vendor: get("board_vendor"),
        motherboard_product: get("board_name"),
        motherboard_serial: get("board_serial"),
        motherboard_version: get("board_version"),
    };
    System {
        uuid: get("product_uuid"),
        vendor: get("sys_vendor"),
        product: get("product_name"),
        family: get("product_family"),
        version: get("product_version"),
        sku: get("product_sku"),
        serial: get("product_serial"),
        kind: String::new(),
        parts: dir.exists().then(parts),
    }
}

/// What kind of machine the host with root `root` is: systemd and container managers leave a mark for PID 1, and
/// processors say when a hypervisor shows them.
fn kind(root: &Path) -> &'static str {
    if root.join("run/systemd/container").exists() || root.join("run/host/container-manager").exists() {
        return "container";
    }
    // `container=lxc` in the environment of PID 1 is the older mark; only root may read it.
    let environment = std::fs::read(root.join("proc/1/environ")).unwrap_or_default();
    if environment.split(|byte| *byte == 0).any(|word| word.starts_with(b"container=")) {
        return "container";
    }
    let Some(processors) = text(root.join("proc/cpuinfo")) else { return "unknown" };
    let flags = processors.lines().find(|line| line.starts_with("flags") || line.starts_with("Features"));
    let hypervisor = flags.is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"));
    let vendor = text_or_empty(root.join("sys/class/dmi/id/sys_vendor"));
    let emulated = ["QEMU", "Amazon EC2", "Google", "Xen", "VMware"].iter().any(|name| vendor.starts_with(name));
    if hypervisor || emulated || root.join("sys/hypervisor/type").exists() { "virtual-machine" } else { "physical" }
}

/// The operating system, for `environment` of LXD's server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatingSystem {
    /// `Linux`
    pub kernel: String,
    /// `uname -m`
    pub kernel_architecture: String,
    /// `uname -r`
    pub kernel_version: String,
    /// `NAME` of os-release(5).
    pub os_name: String,
    /// `VERSION_ID` of os-release(5).
    pub os_version: String,
    /// The host's name.
    pub hostname: String,
}

/// The operating system of this host.
pub fn operating_system() -> OperatingSystem {
    let release = os_release(Path::new("/"));
    let get = |key: &str| release.get(key).cloned().unwrap_or_default();
    let uname = rustix::system::uname();
    OperatingSystem {
        kernel: uname.sysname().to_string_lossy().into_owned(),
        kernel_architecture: uname.machine().to_string_lossy().into_owned(),
        kernel_version: uname.release().to_string_lossy().into_owned(),
        os_name: get("NAME"),
        os_version: get("VERSION_ID"),
        hostname: uname.nodename().to_string_lossy().into_owned(),
    }
}

/// The pairs of os-release(5) below `root`, without their quotes.
pub fn os_release(root: &Path) -> BTreeMap<String, String> {
    let read = |path: &str| file::read(root.join(path)).ok();
    let text = read("etc/os-release").or_else(|| read("usr/lib/os-release")).unwrap_or_default();
    let pairs = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.to_string(), value.trim_matches(['\'', '"']).to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn firmware_names_the_machine() {
        let dir = std::env::temp_dir().join(format!("corten-dmi-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("temporary directory");
        for (name, content) in [("sys_vendor", "QEMU\n"), ("chassis_type", "17\n"), ("board_name", "B\n")] {
            fs::write(dir.join(name), content).expect("writable");
        }
        let system = of(&dir);
        fs::remove_dir_all(&dir).expect("removable");
        let parts = system.parts.expect("tables");
        assert_eq!((system.vendor.as_str(), parts.chassis_type.as_str()), ("QEMU", "Main Server Chassis"));
        assert_eq!((parts.motherboard_product.as_str(), system.serial.as_str()), ("B", ""));
        assert_eq!(of(&dir).parts, None);
    }

    #[test]
    fn kinds_of_machines_are_told_apart() {
        let root = std::env::temp_dir().join(format!("corten-kind-{}", std::process::id()));
        fs::create_dir_all(root.join("proc/1")).expect("temporary directory");
        assert_eq!(kind(&root), "unknown");
        fs::write(root.join("proc/cpuinfo"), "processor: 0\nflags : fpu\n").expect("writable");
        assert_eq!(kind(&root), "physical");
        fs::write(root.join("proc/cpuinfo"), "processor: 0\nflags : fpu hypervisor\n").expect("writable");
        assert_eq!(kind(&root), "virtual-machine");
        fs::write(root.join("proc/1/environ"), "A=b\0container=lxc\0").expect("writable");
        assert_eq!(kind(&root), "container");
        fs::remove_dir_all(&root).expect("removable");
    }

    #[test]
    fn os_release_loses_its_quotes() {
        let root = std::env::temp_dir().join(format!("corten-release-{}", std::process::id()));
        fs::create_dir_all(root.join("usr/lib")).expect("temporary directory");
        fs::write(root.join("usr/lib/os-release"), "# x=y\nNAME=\"Debian GNU/Linux\"\nVERSION_ID='12'\n")
            .expect("writable");
        let release = os_release(&root);
        fs::remove_dir_all(&root).expect("removable");
        assert_eq!(
            (release["NAME"].as_str(), release["VERSION_ID"].as_str(), release.len()),
            ("Debian GNU/Linux", "12", 2)
        );
        assert_eq!(operating_system().kernel, "Linux");
    }
}
